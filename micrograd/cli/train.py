"""`micrograd train`: train the window tagger, on the corpus that ships or on your own files."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from micrograd.cli.parser import COLUMNS, encoding, file_name, number, refuse, whole
from micrograd.cli.reading import add_types, is_saved, refuse_overwriting
from micrograd.cli.streams import lasting_output

INTERRUPTED = 130
NO_ARGUMENTS = "no TRAIN: the small corpus that ships with the package"


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "train",
        help="train the named-entity window tagger",
        description="Train a window tagger on CoNLL files and report entity F1. "
        f"With {NO_ARGUMENTS} is used.",
        argument_default=argparse.SUPPRESS,
        examples=(
            "micrograd train",
            "micrograd train train.conll --dev dev.conll --test test.conll --type PER",
            "micrograd train train.conll --model softmax --vectors glove.6B.50d.txt",
        ),
    )
    _add_files(parser.add_argument_group("files"))
    _add_model(parser.add_argument_group("model"))
    _add_training(parser.add_argument_group("training"))
    parser.set_defaults(func=run)


def _add_files(group: Any) -> None:
    add = group.add_argument
    add(
        "train",
        type=file_name,
        metavar="TRAIN",
        nargs="*",
        default=[],
        help="files to train on: CoNLL, or JSON lines of texts with spans",
    )
    add(
        "--dev",
        type=file_name,
        metavar="FILE",
        default=None,
        help="file that stops training and sets the threshold (else a tenth of TRAIN is held out)",
    )
    add("--test", type=file_name, metavar="FILE", default=None, help="file to report on")
    add(
        "--out",
        type=file_name,
        metavar="FOLDER",
        default="micrograd-ner",
        help="where the results are written (micrograd-ner)",
    )
    add(
        "--vectors",
        type=file_name,
        metavar="FILE",
        default=None,
        help="GloVe or word2vec vectors to start from",
    )
    column = whole(*COLUMNS)
    add(
        "--word-column", type=column, default=0, metavar="N", help="column of the words, from 0 (0)"
    )
    add(
        "--tag-column",
        type=column,
        default=-1,
        metavar="N",
        help="column of the tags, -1 the last (-1)",
    )
    add(
        "--encoding", type=encoding, default="auto", metavar="NAME", help="of the files (found out)"
    )
    add(
        "--tags",
        default="",
        metavar="HOW",
        help="scheme and spelling, such as IOB1 or X-B,BIO (found out)",
    )
    add_types(group)
    add(
        "--repair",
        action="store_true",
        default=False,
        help="accept labels without prefix and illegal sequences",
    )


def _add_model(group: Any) -> None:
    add = group.add_argument
    add(
        "--model",
        dest="kind",
        default="margin",
        choices=["margin", "softmax", "multiclass", "sequence"],
        help="margin: one type against the rest by max-margin; the others: all types at once, "
        "sequence by whole sentences (margin)",
    )
    add("--loss", choices=["margin", "likelihood"], help="of the sequence model (margin)")
    add(
        "--plain",
        action="store_true",
        default=False,
        help="the lectures' form: the window's words only, no dropout, the best tag of each word",
    )
    add(
        "--features",
        type=_features,
        metavar="A,B",
        help="what is seen of a word beside itself: some of case, prefix, suffix, shape, or none "
        "(case,shape; classifiers all)",
    )
    add("--type", dest="label", metavar="TYPE", help="entity type of the margin scorer (LOC)")
    add("--scheme", choices=["BIO", "BIOES"], help="tags a classifier learns (BIOES)")
    add("--width", type=whole(1, 99, odd=True), metavar="N", help="words in a window, odd (5)")
    add(
        "--dim",
        type=whole(1, 10_000),
        metavar="N",
        help="length of a word vector (10; classifiers 50)",
    )
    add(
        "--case-dim",
        type=whole(1, 10_000),
        metavar="N",
        help="length of a case vector (5)",
    )
    add(
        "--affix-dim",
        type=whole(1, 10_000),
        metavar="N",
        help="length of affix and shape vectors (5; classifiers 10)",
    )
    add(
        "--dropout",
        type=number(0, 0.99),
        metavar="P",
        help="share of inputs dropped in training (0; classifiers 0.5)",
    )
    add(
        "--rare",
        type=whole(0, 1000),
        metavar="N",
        help="words so rare are unknown half the time (0; classifiers 3)",
    )
    add("--hidden", type=whole(1, 100_000), metavar="N", help="hidden units (20; classifiers 300)")
    add("--activation", metavar="NAME", help="tanh, relu, hard_tanh or sigmoid (tanh)")
    add("--average", action="store_true", help="average the words instead: the baseline of L11")
    add("--delta", type=number(0, 1_000_000), metavar="X", help="margin (1)")
    add("--corrupt", type=whole(1, 10_000), metavar="K", help="corrupt windows per true one (5)")
    add(
        "--sampler",
        choices=["window", "word"],
        help="corrupt window: a real one, or the true one with its centre replaced (window)",
    )
    add(
        "--min-count",
        type=whole(1, 1_000_000),
        metavar="N",
        help="rarer words are the unknown word (2)",
    )
    add("--keep-case", dest="lower", action="store_false", help="do not fold capitals")
    add("--keep-digits", dest="fold_digits", action="store_false", help="do not fold digits")
    add("--freeze", dest="frozen", action="store_true", help="do not train the word vectors")


def _add_training(group: Any) -> None:
    add = group.add_argument
    add(
        "--engine",
        choices=["arrays", "scalar"],
        help="arrays: whole batches; scalar: every sample a real graph, the same numbers (arrays)",
    )
    add(
        "--epochs",
        type=whole(1, 1_000_000),
        metavar="N",
        help="at most so many passes (20)",
    )
    add(
        "--patience",
        type=whole(1, 1_000_000),
        metavar="N",
        help="stop after so many epochs without gain (10; classifiers 6)",
    )
    add(
        "--batch",
        type=whole(1, 1_000_000),
        metavar="N",
        help="pairs, or sentences, per update (1; classifiers 8)",
    )
    add("--optimizer", metavar="NAME", help="sgd, adagrad, adam, ... (sgd; classifiers adagrad)")
    add(
        "--rate",
        type=number(0, above=True),
        metavar="X",
        help="learning rate (0.1; classifiers 0.02, sequence 0.05)",
    )
    add(
        "--schedule",
        metavar="NAME",
        help="of the rate: decay is rate / (1 + 0.3 epoch) (decay; classifiers constant)",
    )
    add("--seed", type=whole(0, 2**63 - 1), metavar="N", help="of every random choice (0)")
    add("--resume", action="store_true", default=False, help="go on from FOLDER's checkpoint")


def _features(text: str) -> tuple[str, ...]:
    return () if text == "none" else tuple(text.split(","))


def run(options: argparse.Namespace) -> int:
    """Train, report, and write the results."""
    from micrograd.cli.training_run import WRITTEN, Session
    from micrograd.ner.model.config import Config, Training, defaults

    known = {field.name for kind in (Config, Training) for field in fields(kind)} - {"kind"}
    chosen = {name: value for name, value in vars(options).items() if name in known}
    _refuse_idle(options, chosen)
    outputs = {f"--out ({name})": str(Path(options.out) / name) for name in WRITTEN}
    refuse_overwriting(outputs, (*options.train, options.dev, options.test, options.vectors))
    config, training = defaults(options.kind, options.plain, **chosen)
    case = "case" in config.features
    refuse({"--case-dim": "case_dim" in chosen and not case}, "case is none of the features")
    affixes = len(config.features) > case
    refuse({"--affix-dim": "affix_dim" in chosen and not affixes}, "no feature is affix or shape")
    with lasting_output():
        return 0 if Session.open(options).run(config, training) else INTERRUPTED


def _refuse_idle(options: argparse.Namespace, chosen: dict[str, Any]) -> None:
    """Refuse the options that the model of this kind, or the corpus that ships, does not use."""
    pairs = {"--type": "label", "--corrupt": "corrupt", "--sampler": "sampler"}
    if options.kind == "margin":
        refuse({"--scheme": "scheme" in chosen}, "the margin scorer learns one type, no tags")
    else:
        idle = {option: name in chosen for option, name in pairs.items()}
        refuse(idle, f"--model {options.kind} learns all types, and without corrupt windows")
    for option, name in {"--model": options.kind, "--loss": chosen.get("loss")}.items():
        if name in ("softmax", "likelihood"):
            refuse({"--delta": "delta" in chosen}, f"{option} {name} has no margin")
    if options.kind != "sequence":
        refuse({"--loss": "loss" in chosen}, f"--model {options.kind} has one loss only")
    for path in (*options.train, options.dev, options.test):
        if path and is_saved(path):
            raise ValueError(f"{path} is an archive or a model; unpack it, or name a text file")
    if not options.train:
        columns = {
            "--word-column": options.word_column != 0,
            "--tag-column": options.tag_column != -1,
        }
        rest = {"--encoding": options.encoding != "auto", "--repair": options.repair}
        rest |= {"--tags": options.tags, "--map": options.map, "--drop": options.drop}
        refuse(columns | rest, "it is for files of your own; name one as TRAIN")
