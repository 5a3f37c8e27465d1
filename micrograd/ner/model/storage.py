"""The model file: configuration, words and parameters, checked whole before they are used."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from micrograd.checkpoint import load_state, save_state
from micrograd.ner.model.config import Config
from micrograd.ner.model.network import Arrays, initial

VERSION = 3
NUMBERS = ("threshold", "lower", "slope", "offset")  # of a margin scorer, set on the dev set
Words = dict[str, list[str]]


def write_model(
    path: str | os.PathLike[str],
    config: Config,
    words: Words,
    labels: list[str],
    numbers: dict[str, float],
    arrays: Arrays,
) -> Path:
    """Write a model to a file that ends in .npz, atomically."""
    state = {"tagger": VERSION, "config": asdict(config), "words": words, "labels": labels}
    return save_state(path, state | {"numbers": numbers, "arrays": arrays})


def read_model(
    path: str | os.PathLike[str],
) -> tuple[Config, Words, list[str], dict[str, float], Arrays]:
    """Read a model: configuration, words by table, labels, numbers, parameters.

    ValueError where the file is no model, damaged, of another version, or its parts disagree.
    """
    state = load_state(path)
    _check_version(path, state)
    try:
        config = Config(**state["config"])
        words = {str(table): list(map(str, forms)) for table, forms in state["words"].items()}
        labels = list(map(str, state["labels"]))
        numbers = {name: float(state["numbers"][name]) for name in NUMBERS}
        arrays = dict(state["arrays"])
        _check_arrays(config, words, labels, arrays)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: damaged model file ({error}); train it again") from None
    return config, words, labels, numbers, arrays


def _check_version(path: str | os.PathLike[str], state: Any) -> None:
    version = state.get("tagger") if isinstance(state, dict) else None
    if version is None:
        raise ValueError(f"{path}: a saved state, but not that of a tagger")
    if version != VERSION:
        raise ValueError(
            f"{path}: model file of version {version}, but this program reads "
            f"version {VERSION}; train it again"
        )


def _check_arrays(config: Config, words: Words, labels: list[str], arrays: Arrays) -> None:
    rows = {table: len(forms) for table, forms in words.items()}
    expected = initial(config.shape(len(labels)), rows, np.random.default_rng(0))
    sizes = {name: array.shape for name, array in arrays.items()}
    wanted = {name: array.shape for name, array in expected.items()}
    if sizes != wanted:
        raise ValueError(f"arrays {sizes}, expected {wanted}")
    bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(f"{', '.join(bad)} holds nan or inf")
