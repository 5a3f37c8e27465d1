"""The corpus that ships with the package, the lectures' two sentences, and splits of other ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import NamedTuple

from micrograd.ner.text.conll import parse
from micrograd.ner.text.sentence import Corpus, Sentence
from micrograd.printing import counted

HELD_OUT = 10
FOLDER = files("micrograd.ner.data")
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
    names = [f"{name}.conll" for name in Splits._fields]
    texts = ((name, FOLDER.joinpath(name).read_text("utf-8")) for name in names)
    return Splits(*(replace(parse(b, a), path=f"{a} of the package") for a, b in texts))


def together(parts: Sequence[Corpus]) -> Corpus:
    """Join the corpora of several files; their documents stay apart."""
    sentences: list[Sentence] = []
    for part in parts:
        first = max((s.document for s in sentences), default=-1) + 1
        sentences += [replace(s, document=s.document + first) for s in part]
    notes = [note for part in parts for note in part.notes]
    columns = zip(*((part.path, part.scheme, part.written) for part in parts))
    path, scheme, written = (" + ".join(dict.fromkeys(names)) for names in columns)
    return Corpus(sentences, path, scheme, written, notes=notes)


def hold_out(whole: Corpus) -> tuple[Corpus, Corpus]:
    """Split off every tenth document, or sentence where there are fewer than ten documents."""
    parts: tuple[list[Sentence], list[Sentence]] = ([], [])
    units = {number: unit for unit, number in enumerate(dict.fromkeys(s.document for s in whole))}
    for number, sentence in enumerate(whole):
        unit = units[sentence.document] if len(units) >= HELD_OUT else number
        parts[unit % HELD_OUT == HELD_OUT - 1].append(sentence)
    if not parts[1]:
        raise ValueError(
            f"{whole.path}: too few to hold any out, {counted(len(whole), 'sentence')}; "
            "name a --dev file"
        )
    train = replace(whole, sentences=parts[0], source=None)
    return train, replace(train, sentences=parts[1], path=f"{whole.path}, held out", notes=[])
