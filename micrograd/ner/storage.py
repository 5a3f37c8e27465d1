"""The model file: one zip of arrays with a JSON header, checked whole before it is used."""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from micrograd.files import atomic_write
from micrograd.ner.config import Config
from micrograd.ner.models import Arrays, initial

FORMAT, VERSION = "micrograd-ner", 1
Words = dict[str, list[str]]


def write_model(
    path: str | os.PathLike[str], config: Config, words: Words, threshold: float, arrays: Arrays
) -> Path:
    """Write a model to a file, atomically."""
    header = {
        "format": FORMAT, "version": VERSION, "config": asdict(config),
        "threshold": threshold, **words,
    }
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
    return atomic_write(path, buffer.getvalue())


def read_model(path: str | os.PathLike[str]) -> tuple[Config, Words, float, Arrays]:
    """Read a model: configuration, words and labels, threshold, parameters.

    ValueError where the file is no model, damaged, of another version, or its parts disagree.
    """
    header, arrays = _unpack(path)
    _check_version(path, header)
    try:
        config = Config(**header["config"])
        words = {name: [str(word) for word in header[name]] for name in ("words", "labels")}
        threshold = float(header["threshold"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: damaged model file ({error}); train it again") from None
    _check_arrays(path, config, words, arrays)
    return config, words, threshold, arrays


def _unpack(path: str | os.PathLike[str]) -> tuple[dict[str, Any], Arrays]:
    data = Path(path).read_bytes()
    if data[:2] != b"PK":
        raise ValueError(f"{path}: not a model file written by this program")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(str(arrays.pop("header")))
    except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, OSError) as error:
        raise ValueError(f"{path}: truncated or damaged model file ({error})") from None
    return header, arrays


def _check_version(path: str | os.PathLike[str], header: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"{path}: not a model file written by this program")
    if header.get("version") != VERSION:
        raise ValueError(
            f"{path}: model file of version {header.get('version')}, but this program reads "
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
