"""`micrograd tag`: find names in text with a trained model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import COLUMNS, encoding, file_name, refuse, whole
from micrograd.cli.streams import note, write_document
from micrograd.printing import printable

if TYPE_CHECKING:
    from micrograd.ner.text.sentence import Corpus


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tag",
        help="find names in text with a trained model",
        description="Tag plain text or a CoNLL file. Text is cut into sentences and words; "
        "CoNLL input gives CoNLL output with the tag column replaced.",
        examples=(
            "echo 'Ann saw Oslo.' | micrograd tag run/model.npz",
            "micrograd tag run/model.npz --input news.txt --html news.html",
            "micrograd tag run/model.npz --conll --input test.conll > tagged.conll",
        ),
    )
    parser.add_argument(
        "model", metavar="MODEL", type=file_name, help="a file written by `micrograd train`"
    )
    parser.add_argument(
        "--input", type=file_name, metavar="FILE", help="the text (default: standard input)"
    )
    parser.add_argument(
        "--conll", action="store_true", help="the input is CoNLL, one token per line"
    )
    parser.add_argument(
        "--word-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of the words in CoNLL input, from 0 (default 0)",
    )
    parser.add_argument(
        "--encoding", type=encoding, default="utf-8", help="of the input (default utf-8)"
    )
    parser.add_argument(
        "--html", type=file_name, metavar="PAGE", help="write a page with the names highlighted"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Tag the input and show it."""
    from micrograd.files import atomic_write
    from micrograd.ner.judging.page import page

    refuse({"--html": options.html and options.conll}, "--conll asks for a CoNLL file; choose one")
    words = options.word_column is not None and not options.conll
    refuse({"--word-column": words}, "plain text has no columns; with CoNLL input add --conll")
    if options.input and reading.is_saved(options.input) and not reading.is_saved(options.model):
        raise ValueError(f"{options.input} is the model: write micrograd tag {options.input} "
                         f"--input {options.model}")  # fmt: skip
    tagger = reading.model(options.model)
    corpus = _input(options)
    tagged = tagger.predict(corpus.sentences)
    if options.html:
        title = f"Names found by {Path(options.model).name}"
        content = page(corpus.sentences, tagged, tagger.confidences(corpus.sentences), title)
        atomic_write(options.html, content)
        note(f"wrote {options.html}")
    elif options.conll:
        _print_conll(corpus, tagged)
    else:
        _print_text(corpus, tagged)
    return 0


def _input(options: argparse.Namespace) -> Corpus:
    from micrograd.files import file_errors
    from micrograd.ner.text import conll, tokens
    from micrograd.ner.text.sentence import Corpus

    name = options.input or "<stdin>"
    with file_errors(name):
        data = Path(options.input).read_bytes() if options.input else sys.stdin.buffer.read()
    text = conll.decode(data, name, options.encoding)
    if options.conll:
        return conll.parse(text, name, options.word_column or 0, None)
    sentences = tokens.sentences(text)
    if not sentences:
        raise ValueError(f"{name}: no word in it; give some text")
    return Corpus(sentences, name)


def _print_conll(corpus: Corpus, tagged: list[list[str]]) -> None:
    from micrograd.ner.text import conll

    for sentence, tags in zip(corpus, tagged, strict=True):
        sentence.tags = tags
        sentence.rows = sentence.rows or [[word, ""] for word in sentence.words]
    text = conll.render(corpus)
    write_document(printable(text) if sys.stdout.isatty() else text)


def _print_text(corpus: Corpus, tagged: list[list[str]]) -> None:
    from rich.console import Console

    from micrograd.ner.judging.page import terminal

    console = Console(soft_wrap=True, highlight=False)
    console.print(terminal(corpus.sentences, tagged), end="")
