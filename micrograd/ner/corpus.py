"""The corpus that ships with the package, and the lectures' two sentences."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from micrograd.ner.text.conll import read
from micrograd.ner.text.sentence import Corpus, Sentence

FOLDER = Path(__file__).parent / "data"
TRUE_SENTENCE = Sentence(
    ["Museums", "in", "Paris", "are", "amazing"], ["O", "O", "B-LOC", "O", "O"]
)
CORRUPT_SENTENCE = Sentence(["Not", "all", "museums", "in", "Paris"], ["O", "O", "O", "O", "B-LOC"])


class Splits(NamedTuple):
    """Training, development and test corpus; no document is in two of them."""

    train: Corpus
    dev: Corpus
    test: Corpus


def shipped() -> Splits:
    """Read the corpus written for this package: PER, LOC, ORG and MISC in BIO."""
    found = Splits(*(read(FOLDER / f"{name}.conll") for name in Splits._fields))
    for name, part in zip(Splits._fields, found, strict=True):
        part.path = f"{name}.conll of the package"
    return found
