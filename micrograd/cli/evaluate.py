"""`micrograd evaluate`: score a model, or any file of predictions, by entity."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from micrograd.cli import reading
from micrograd.cli.parser import COLUMNS, encoding, file_name, refuse, whole
from micrograd.printing import printable

if TYPE_CHECKING:
    from micrograd.ner.judging.evaluation import Evaluation


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
        help="column of the words of a FILE given with a MODEL, from 0 (default 0)",
    )
    parser.add_argument(
        "--tag-column",
        type=whole(*COLUMNS),
        metavar="N",
        help="column of the true tags of a FILE given with a MODEL (default last)",
    )
    parser.add_argument(
        "--encoding", type=encoding, default="utf-8", help="of the file (default utf-8)"
    )
    parser.add_argument(
        "--repair", action="store_true", help="accept tags without prefix and illegal sequences"
    )
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Score and print."""
    from micrograd.ner.judging.report import print_evaluation

    if len(options.paths) > 2:
        raise ValueError(f"{len(options.paths)} files given: expected MODEL FILE, or one FILE")
    if len(options.paths) == 1:
        columns = {
            "--word-column": options.word_column is not None,
            "--tag-column": options.tag_column is not None,
        }
        refuse(columns, "a FILE alone is read by its last two columns")
        print_evaluation(_predictions(options, options.paths[0]))
        return 0
    print_evaluation(_model(options, *options.paths))
    return 0


def _model(options: argparse.Namespace, model: str, path: str) -> Evaluation:
    from micrograd.ner.text import conll

    if reading.is_saved(path) and not reading.is_saved(model):
        raise ValueError(
            f"{path} is the model: the MODEL comes first, write micrograd evaluate {path} {model}"
        )
    tagger = reading.model(model)
    corpus = conll.read(
        path,
        encoding=options.encoding,
        word_column=options.word_column or 0,
        tag_column=-1 if options.tag_column is None else options.tag_column,
        repair=options.repair,
    )
    print(printable(corpus.describe()))
    return tagger.evaluate(corpus.sentences)


def _predictions(options: argparse.Namespace, path: str) -> Evaluation:
    from micrograd.ner.judging.evaluation import evaluate_tags
    from micrograd.ner.text import conll

    if reading.is_saved(path):
        raise ValueError(f"{path} is a model: name the FILE to score it on after it")
    try:
        true = conll.read(path, encoding=options.encoding, tag_column=-2, repair=options.repair)
        predicted = conll.read(path, encoding=options.encoding, scheme=None, repair=options.repair)
    except ValueError as error:
        raise ValueError(
            f"{error} (a FILE without a MODEL holds the true and the predicted tag "
            "in its last two columns)"
        ) from None
    text = f"{true.describe()}; the last column is scored against the one before it"
    print(printable(text))
    scheme = "BIOES" if predicted.scheme == "BIOES" else "BIO"
    return evaluate_tags([s.tags for s in true], [s.tags for s in predicted], scheme)
