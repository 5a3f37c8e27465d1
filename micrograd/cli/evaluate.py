"""`micrograd evaluate`: score a model, or any file of predictions, by entity."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograd.ner.judging.evaluation import Evaluation


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "evaluate",
        help="score a model, or a file of predictions, by entity",
        description="With MODEL and FILE: tag FILE and compare with its tags. With FILE alone: "
        "its last two columns are the true and the predicted tag.",
    )
    parser.add_argument("paths", metavar="MODEL FILE | FILE", nargs="+")
    parser.add_argument(
        "--word-column",
        type=int,
        default=0,
        metavar="N",
        help="column of the words, from 0 (default 0)",
    )
    parser.add_argument(
        "--tag-column",
        type=int,
        default=-1,
        metavar="N",
        help="column of the true tags of a FILE given with a MODEL (default last)",
    )
    parser.add_argument("--encoding", default="utf-8", help="of the file (default utf-8)")
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
        print_evaluation(_predictions(options, options.paths[0]))
        return 0
    print_evaluation(_model(options, *options.paths))
    return 0


def _model(options: argparse.Namespace, model: str, path: str) -> Evaluation:
    from micrograd.ner.tagger import Tagger
    from micrograd.ner.text import conll

    tagger = Tagger.load(model)
    corpus = conll.read(
        path,
        encoding=options.encoding,
        word_column=options.word_column,
        tag_column=options.tag_column,
        repair=options.repair,
    )
    print(corpus.describe())
    return tagger.evaluate(corpus.sentences)


def _predictions(options: argparse.Namespace, path: str) -> Evaluation:
    from micrograd.ner.judging.evaluation import evaluate_tags
    from micrograd.ner.text import conll

    try:
        true = conll.read(path, encoding=options.encoding, tag_column=-2, repair=options.repair)
        predicted = conll.read(path, encoding=options.encoding, scheme=None, repair=options.repair)
    except ValueError as error:
        raise ValueError(
            f"{error} (a FILE without a MODEL holds the true and the predicted tag "
            "in its last two columns)"
        ) from None
    print(f"{true.describe()}; the last column is scored against the one before it")
    scheme = "BIOES" if predicted.scheme == "BIOES" else "BIO"
    return evaluate_tags([s.tags for s in true], [s.tags for s in predicted], scheme)
