"""`micrograd tag`: find names in text with a trained model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograd.ner.text.sentence import Corpus


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tag",
        help="find names in text with a trained model",
        description="Tag plain text or a CoNLL file. Text is cut into sentences and words; "
        "CoNLL input gives CoNLL output with the tag column replaced.",
    )
    parser.add_argument("model", metavar="MODEL", help="a file written by `micrograd train`")
    parser.add_argument("--input", metavar="FILE", help="the text (default: standard input)")
    parser.add_argument(
        "--conll", action="store_true", help="the input is CoNLL, one token per line"
    )
    parser.add_argument(
        "--word-column",
        type=int,
        default=0,
        metavar="N",
        help="column of the words in CoNLL input, from 0 (default 0)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the input (default utf-8)")
    parser.add_argument("--html", metavar="PAGE", help="write a page with the names highlighted")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Tag the input and show it."""
    from micrograd.files import atomic_write
    from micrograd.ner.judging.page import page
    from micrograd.ner.tagger import Tagger

    tagger = Tagger.load(options.model)
    corpus = _input(options)
    tagged = tagger.predict(corpus.sentences)
    if options.html:
        title = f"Names found by {Path(options.model).name}"
        content = page(corpus.sentences, tagged, tagger.confidences(corpus.sentences), title)
        atomic_write(options.html, content)
        print(f"wrote {options.html}", file=sys.stderr)
    elif options.conll:
        _print_conll(corpus, tagged)
    else:
        _print_text(corpus, tagged)
    return 0


def _input(options: argparse.Namespace) -> Corpus:
    from micrograd.ner.text import conll, tokens
    from micrograd.ner.text.sentence import Corpus

    name = options.input or "<stdin>"
    data = Path(options.input).read_bytes() if options.input else sys.stdin.buffer.read()
    text = conll.decode(data, name, options.encoding)
    if options.conll:
        return conll.parse(text, name, options.word_column, None)
    sentences = tokens.sentences(text)
    if not sentences:
        raise ValueError(f"{name}: no word in it; give some text")
    return Corpus(sentences, name)


def _print_conll(corpus: Corpus, tagged: list[list[str]]) -> None:
    from micrograd.ner.text import conll

    for sentence, tags in zip(corpus, tagged, strict=True):
        sentence.tags = tags
        sentence.rows = sentence.rows or [[word, ""] for word in sentence.words]
    sys.stdout.write(conll.render(corpus))


def _print_text(corpus: Corpus, tagged: list[list[str]]) -> None:
    from rich.console import Console

    from micrograd.ner.judging.page import terminal

    console = Console(soft_wrap=True, highlight=False)
    console.print(terminal(corpus.sentences, tagged), end="")
