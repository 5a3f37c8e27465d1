"""`micrograd tag`: find names in text with a trained model."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import COLUMNS, encoding, file_name, number, refuse, whole
from micrograd.cli.streams import note, write_document
from micrograd.encodings import check_unpacked
from micrograd.files import file_errors

if TYPE_CHECKING:
    from micrograd.ner.showing.entities import Entity
    from micrograd.ner.tagger import Tagger

Piece = tuple[str, "list[Entity]"]
AT_ONCE = 10_000  # sentences whose scores are in memory together
ZERO_BYTE = "not text, or name it by --encoding utf-16"


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "tag",
        help="find names in text with a trained model",
        description="Tag plain text or a CoNLL file. Text comes back with its names in brackets, "
        "sentence by sentence as it is read; CoNLL input comes back with the tags put in.",
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
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--conll", action="store_true", help="the input is CoNLL; so is the output")
    form.add_argument("--json", action="store_true", help="one list of all entities")
    form.add_argument("--jsonl", action="store_true", help="one line per sentence, its entities")
    form.add_argument(
        "--html", type=file_name, metavar="PAGE", help="write a page with the names marked"
    )
    parser.add_argument(
        "--threshold",
        type=number(0, 1),
        default=0.0,
        metavar="P",
        help="leave out names less probable than this (default 0)",
    )
    parser.add_argument(
        "--word-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of the words in CoNLL input, from 0 (default 0)",
    )
    parser.add_argument(
        "--tag-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of CoNLL input to put the tags into (default: they are appended)",
    )
    parser.add_argument(
        "--encoding",
        type=encoding,
        default="auto",
        metavar="NAME",
        help="of the input (default: found out)",
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Tag the input and show it."""
    columns = {
        "--word-column": options.word_column is not None and not options.conll,
        "--tag-column": options.tag_column is not None and not options.conll,
    }
    refuse(columns, "plain text has no columns; with CoNLL input add --conll")
    _refuse_saved(options.input, options.model)
    reading.check_outputs({"--html": options.html}, (options.input, options.model))
    tagger = reading.model(options.model)
    if options.conll:
        _conll(tagger, options)
    elif options.jsonl:
        _jsonl(tagger, options)
    elif options.json or options.html:
        _whole(tagger, options)
    else:
        _plain(tagger, options)
    return 0


def _refuse_saved(path: str | None, model: str) -> None:
    if not path or not reading.is_saved(path):
        return
    if reading.is_saved(model):
        raise ValueError(f"{path}: an archive or a saved model, not text to tag")
    command = f"micrograd tag {reading.quoted(path)} --input {reading.quoted(model)}"
    raise ValueError(f"{path} is the model: write {command}")


def _conll(tagger: Tagger, options: argparse.Namespace) -> None:
    from micrograd import encodings
    from micrograd.ner.text import conll

    name = options.input or "<stdin>"
    with file_errors(name):
        data = Path(options.input).read_bytes() if options.input else sys.stdin.buffer.read()
    text, code = encodings.decode(data, name, options.encoding)
    if not text.strip():
        _bytes(data)
        return
    columns = options.word_column or 0, options.tag_column
    corpus = conll.parse(text, name, *columns, repair=True)  # its tags are not used
    for start in range(0, len(corpus.sentences), AT_ONCE):
        part = corpus.sentences[start : start + AT_ONCE]
        if options.threshold:
            tags = [one.tags for one in tagger.analyse(part, options.threshold)]
        else:  # the probabilities are not needed
            tags = tagger.predict(part)
        for sentence, own in zip(part, tags):
            sentence.tags = own
    _bytes(conll.render(corpus).encode(code))


def _bytes(data: bytes) -> None:
    sys.stdout.flush()
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(data.decode("utf-8"))
    else:
        raw.write(data)
        raw.flush()


def _pieces(tagger: Tagger, options: argparse.Namespace) -> Iterator[Piece]:
    """Tag the text as it comes in, a piece after each sentence; offsets are those in the piece."""
    from micrograd.ner.showing.entities import entities
    from micrograd.ner.text import tokens

    for pieces in tokens.stream(_lines(options)):
        sentences = [sentence for _, found in pieces for sentence in found]
        tagged = iter(tagger.analyse(sentences, options.threshold))
        for piece, found in pieces:
            yield piece, [name for _, one in zip(found, tagged) for name in entities(piece, one)]


def _lines(options: argparse.Namespace) -> Iterator[str]:
    from micrograd.encodings import AUTO

    code = "utf-8-sig" if options.encoding == AUTO else options.encoding
    number, name = 1, options.input or "<stdin>"
    try:
        with file_errors(name), _opened(options.input, code) as text:
            for line in text:
                if number == 1:
                    check_unpacked(line.encode("ascii", "replace"), name)
                if "\0" in line:
                    raise ValueError(f"{name}:{number}: a zero byte; {ZERO_BYTE}")
                yield line
                number += 1
    except UnicodeDecodeError as error:  # anywhere in what is decoded at once, from this line on
        check_unpacked(error.object, name)
        number += error.object.count(b"\n", 0, error.start)
        raise ValueError(
            f"{name}:{number}: byte 0x{error.object[error.start]:02x} is not "
            f"{code.removesuffix('-sig')}; name the encoding by --encoding"
        ) from None


@contextmanager
def _opened(path: str | None, code: str) -> Iterator[io.TextIOWrapper]:
    """Open a text, or standard input, which stays open after the block."""
    with ExitStack() as files:
        raw: Any = sys.stdin.buffer
        if path:
            raw = files.enter_context(Path(path).open("rb"))
        text = io.TextIOWrapper(raw, code, newline="")
        files.callback(text.detach)
        yield text


def _plain(tagger: Tagger, options: argparse.Namespace) -> None:
    from rich.console import Console

    from micrograd.ner.showing.entities import STYLES, marked, numbered

    console = Console(soft_wrap=True, highlight=False)
    kinds = numbered(tagger.types, len(STYLES))
    last = "\n"
    for piece, found in _pieces(tagger, options):
        text = marked(piece, found, kinds)
        if console.is_terminal:
            console.print(text, end="")
        else:  # rich would make spaces of the text's tabs
            write_document(text.plain)
        sys.stdout.flush()
        last = piece[-1]
    if last != "\n":
        print()


def _jsonl(tagger: Tagger, options: argparse.Namespace) -> None:
    from micrograd.ner.showing.entities import record

    for piece, found in _pieces(tagger, options):
        write_document(json.dumps(record(piece, found), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _whole(tagger: Tagger, options: argparse.Namespace) -> None:
    from micrograd.files import atomic_write
    from micrograd.ner.showing.page import page

    text = "".join(_lines(options))
    found = tagger.tag(text, options.threshold)
    if options.json:
        records = [entity.as_dict() for entity in found]
        write_document(json.dumps(records, ensure_ascii=False, indent=1) + "\n")
        return
    atomic_write(options.html, page(text, found, f"Names found by {Path(options.model).name}"))
    note(f"wrote {options.html}")
