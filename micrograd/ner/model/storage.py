"""The model file: configuration, words and parameters, checked whole before they are used."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from micrograd.checkpoint import load_state, save_state
from micrograd.ner.model.config import Config
from micrograd.ner.model.features import FORMS, WORDS, Vocabulary
from micrograd.ner.model.network import initial

if TYPE_CHECKING:
    from micrograd.ner.window_model import WindowModel

    Model = TypeVar("Model", bound=WindowModel)

VERSION = 3
NUMBERS = ("threshold", "lower", "capital", "slope", "offset")  # set on the dev set


def write_model(path: str | os.PathLike[str], model: WindowModel) -> Path:
    """Write a model to a file that ends in .npz, atomically."""
    state = {
        "tagger": VERSION,
        "config": asdict(model.config),
        "words": {table: forms.words for table, forms in model.vocabularies.items()},
        "labels": model.labels,
        "numbers": {name: getattr(model, name) for name in NUMBERS},
        "arrays": model.arrays,
    }
    return save_state(path, state)


def read_model(path: str | os.PathLike[str], kind: type[Model]) -> Model:
    """Read a model of a class back.

    ValueError where the file is no model, damaged, of another version, or its parts disagree.
    """
    state = load_state(path)
    version = state.get("tagger") if isinstance(state, dict) else None
    if version is None:
        raise ValueError(f"{path}: a saved state, but not that of a tagger")
    if version != VERSION:
        raise ValueError(
            f"{path}: model file of version {version}, but this program reads "
            f"version {VERSION}; train it again"
        )
    try:
        return _restored(state, kind)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: damaged model file ({error}); train it again") from None


def _restored(state: dict[str, Any], kind: type[Model]) -> Model:
    model = kind(Config(**state["config"]))
    for table, words in state["words"].items():
        form = model.form if table == WORDS else FORMS[table]
        model.vocabularies[table] = Vocabulary(list(map(str, words)), form)
    model.labels = list(map(str, state["labels"]))
    numbers = {"capital": state["numbers"]["lower"], **state["numbers"]}  # once it was the same
    for name in NUMBERS:
        setattr(model, name, float(numbers[name]))
    model.arrays = dict(state["arrays"])
    _check_arrays(model)
    return model


def _check_arrays(model: WindowModel) -> None:
    if not model.labels:
        raise ValueError("it has no labels")
    count, rng = len(model.labels), np.random.default_rng(0)
    expected = initial(model.config, count, model.rows, rng)
    sizes = {name: array.shape for name, array in model.arrays.items()}
    wanted = {name: array.shape for name, array in expected.items()}
    if sizes != wanted:
        raise ValueError(f"arrays {sizes}, expected {wanted}")
    bad = [name for name, array in model.arrays.items() if not np.isfinite(array).all()]
    if bad:
        raise ValueError(f"{', '.join(bad)} holds nan or inf")
