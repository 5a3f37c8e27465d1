"""`micrograd evaluate`: score a model, or any file of predictions, by entity."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import COLUMNS, encoding, file_name, refuse, whole
from micrograd.cli.streams import note, write_document
from micrograd.printing import counted, printable

if TYPE_CHECKING:
    from micrograd.ner.judging.evaluation import Evaluation
    from micrograd.ner.text.sentence import Corpus


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="score a model, or a file of predictions, by entity",
        description="With MODEL and FILE: tag FILE and compare with its tags. With FILE alone: "
        "its last two columns are the true and the predicted tag.",
        examples=(
            "micrograd evaluate run/model.npz test.conll",
            "micrograd evaluate predictions.conll",
        ),
    )
    parser.add_argument("paths", metavar="MODEL FILE | FILE", nargs="+", type=file_name)
    parser.add_argument(
        "--word-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of the words, from 0 (default 0)",
    )
    parser.add_argument(
        "--tag-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of the true tags of a FILE given with a MODEL (default last)",
    )
    parser.add_argument(
        "--encoding",
        type=encoding,
        default="auto",
        metavar="NAME",
        help="of the file (default: found out)",
    )
    parser.add_argument("--tags", default="", metavar="HOW", help="scheme and spelling of the tags")
    reading.add_types(parser)
    parser.add_argument("--format", choices=["text", "json", "csv"], default="text")
    parser.add_argument(
        "--errors", type=file_name, metavar="FILE.csv", help="write all errors, kind by kind"
    )
    parser.add_argument(
        "--curve",
        type=file_name,
        metavar="FILE.csv",
        help="write precision and recall by threshold of the probability",
    )
    parser.add_argument(
        "--repair", action="store_true", help="accept tags without prefix and illegal sequences"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Score and print."""
    from micrograd.files import atomic_write
    from micrograd.ner.showing import report

    if len(options.paths) > 2:
        raise ValueError(
            f"{counted(len(options.paths), 'file')} given: expected MODEL FILE, or one FILE"
        )
    if len(options.paths) == 1:
        columns = {"--tag-column": options.tag_column is not None}
        refuse(columns, "a FILE alone is read by its last two columns")
        types = {"--map": options.map, "--drop": options.drop}
        refuse(types, "the two columns of a FILE alone are compared as they stand")
        refuse({"--curve": options.curve}, "a FILE alone has no probabilities; name a MODEL before")
    outputs = {"--errors": options.errors, "--curve": options.curve}
    reading.check_outputs(outputs, options.paths)
    work = _model if len(options.paths) == 2 else _predictions
    result, said = work(options, *options.paths)
    if options.format != "text":
        for line in said[1:]:
            note(line)
    if options.format == "json":
        print(json.dumps(report.as_dict(result), indent=1))
    elif options.format == "csv":
        write_document(report.as_csv(result.entities))
    else:
        print(printable("\n".join(said)))
        report.print_evaluation(result)
        if len(result.entities.types) > 1:
            report.print_confusion(result.confusion)
        report.print_errors(result.errors)
    if options.errors:
        atomic_write(options.errors, report.errors_csv(result.errors))
    if options.curve:
        atomic_write(options.curve, report.curve_csv(result))
    return 0


Outcome = tuple["Evaluation", list[str]]


def _model(options: argparse.Namespace, model: str, path: str) -> Outcome:
    from micrograd.ner.text import conll
    from micrograd.ner.text.sentence import types_in

    if reading.is_saved(path) and not reading.is_saved(model):
        raise ValueError(
            f"{path} is the model: the MODEL comes first, write "
            f"micrograd evaluate {reading.quoted(path)} {reading.quoted(model)}"
        )
    tagger = reading.model(model)
    corpus = conll.read(
        path,
        encoding=options.encoding,
        word_column=options.word_column or 0,
        tag_column=-1 if options.tag_column is None else options.tag_column,
        repair=options.repair,
        tags=options.tags,
    )
    reading.rename_types([corpus], options)
    mine, theirs = ("the model", tagger.types), (path, types_in(corpus))
    said = [*corpus.describe().splitlines(), *reading.only_in(*mine, *theirs)]
    if not tagger.label:  # which learned all types there were
        said += reading.only_in(*theirs, *mine)
    return tagger.evaluate(corpus.sentences), said


def _predictions(options: argparse.Namespace, path: str) -> Outcome:
    from micrograd.encodings import decode
    from micrograd.files import read_bytes
    from micrograd.ner.judging.evaluation import evaluate
    from micrograd.ner.text import conll, notation

    if reading.is_saved(path):
        raise ValueError(f"{path} is a model: name the FILE to score it on after it")
    text, _ = decode(read_bytes(path), path, options.encoding)  # once: it may be a pipe

    def column(number: int, scheme: str | None) -> Corpus:
        corpus = conll.parse(text, path, options.word_column or 0, number, options.repair)
        return notation.normalise(corpus, scheme, options.repair, options.tags)

    try:
        true, predicted = column(-2, "BIO"), column(-1, None)
    except ValueError as error:
        raise ValueError(
            f"{error} (a FILE without a MODEL holds the true and the predicted tag "
            "in its last two columns)"
        ) from None
    scheme = "IOB1" if predicted.scheme == "IO" else predicted.scheme  # which loses no true border
    result = evaluate([sentence.tags for sentence in true], predicted.sentences, scheme)
    said = true.describe().splitlines()
    said[0] += "; the last column is scored against the one before it"
    if "BIOES" in (true.scheme, predicted.scheme):
        said.append(
            "   E and S count as in seqeval's default mode; conlleval.pl joins names that touch"
        )
    return result, said + [f"   {note}" for note in predicted.notes if note not in true.notes]
