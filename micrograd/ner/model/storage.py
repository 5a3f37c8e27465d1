"""The model file: configuration, words and parameters, checked whole before they are used."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from micrograd.checkpoint import load_state, save_state
from micrograd.ner.model.config import Config
from micrograd.ner.model.models import Arrays, initial

VERSION = 1
Words = dict[str, list[str]]


def write_model(
    path: str | os.PathLike[str], config: Config, words: Words, threshold: float, arrays: Arrays
) -> Path:
    """Write a model to a file that ends in .npz, atomically."""
    return save_state(
        path,
        {
            "tagger": VERSION,
            "config": asdict(config),
            "threshold": threshold,
            "arrays": arrays,
            **words,
        },
    )


def read_model(path: str | os.PathLike[str]) -> tuple[Config, Words, float, Arrays]:
    """Read a model: configuration, words and labels, threshold, parameters.

    ValueError where the file is no model, damaged, of another version, or its parts disagree.
    """
    state = load_state(path)
    _check_version(path, state)
    try:
        config = Config(**state["config"])
        words = {name: [str(word) for word in state[name]] for name in ("words", "labels")}
        threshold, arrays = float(state["threshold"]), dict(state["arrays"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: damaged model file ({error}); train it again") from None
    _check_arrays(path, config, words, arrays)
    return config, words, threshold, arrays


def _check_version(path: str | os.PathLike[str], state: Any) -> None:
    found = state.get("tagger") if isinstance(state, dict) else None
    if found is None:
        raise ValueError(f"{path}: a saved state, but not that of a tagger")
    if found != VERSION:
        raise ValueError(
            f"{path}: model file of version {found}, but this program reads "
            f"version {VERSION}; train it again"
        )


def _check_arrays(
    path: str | os.PathLike[str], config: Config, words: Words, arrays: Arrays
) -> None:
    shape = config.shape(len(words["labels"]))
    expected = initial(shape, len(words["words"]), np.random.default_rng(0))
    sizes = {name: array.shape for name, array in arrays.items()}
    wanted = {name: array.shape for name, array in expected.items()}
    if sizes != wanted:
        raise ValueError(f"{path}: damaged model file: arrays {sizes}, expected {wanted}")
    bad = [name for name, array in arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(f"{path}: damaged model file: {', '.join(bad)} holds nan or inf")
