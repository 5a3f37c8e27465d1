"""What the model sees of a word: its vector, and vectors of its capitals, affixes and shape.

The forms of every table are numbered: 0 is the trainable unknown form, 1 and 2 are the pads.
"""

from __future__ import annotations

import html
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from micrograd.core.checks import check_name
from micrograd.ner.text.sentence import Sentence

SPECIAL = ("<unk>", "<s>", "</s>")


@dataclass
class Vocabulary:
    """The known forms in order of their ids, and `form`, which gives a word's form to look up."""

    words: list[str] = field(default_factory=lambda: list(SPECIAL))
    form: Callable[[str], str] = str

    def __post_init__(self) -> None:
        self._ids = {form: n for n, form in enumerate(self.words) if form not in SPECIAL}

    def __len__(self) -> int:
        return len(self.words)

    def id(self, word: str) -> int:
        """Give a word's id, 0 if its form is unknown."""
        return self._ids.get(self.form(word), 0)

    @classmethod
    def of(
        cls, counts: Mapping[str, int], form: Callable[[str], str] = str, min_count: int = 1
    ) -> Vocabulary:
        """Collect the forms of the words counted that occur `min_count` times, frequent first."""
        forms = Counter[str]()
        for word, count in counts.items():
            forms[form(word)] += count
        kept = (key for key, count in forms.most_common() if count >= min_count)
        return cls(list(dict.fromkeys([*SPECIAL, *kept])), form)


KEPT = 1 << 16  # words whose forms are remembered: a text is read sentence by sentence


def clean(word: str) -> str:
    """Undo HTML entities, drop a stray BOM, and write é, which may be two signs, as one."""
    return normalize("NFC", html.unescape(word).replace("\ufeff", ""))


@lru_cache(KEPT)
def folded(word: str, lower: bool = True, digits: bool = True) -> str:
    """Give a word as it is looked up: capitals and digits folded if so asked."""
    word = clean(word)
    if lower:
        word = word.lower()
    return re.sub(r"\d", "0", word) if digits else word


@lru_cache(KEPT)
def case_of(word: str) -> str:
    """Name a word's capitals: none, initial, all caps or any."""
    if len(word) > 1 and word.isupper():
        return "all caps"
    if word[:1].isupper():
        return "initial"
    return "any" if any(letter.isupper() for letter in word) else "none"


@lru_cache(KEPT)
def shape_of(word: str) -> str:
    """Give a word's shape, runs collapsed: McRae is XxXx, 1984-85 is 0-0."""
    return "".join(sign for sign, _ in itertools.groupby(map(_sign, clean(word))))


def _sign(letter: str) -> str:
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return "0" if letter.isdigit() else letter


class Feature(NamedTuple):
    """One table beside the words': which feature it belongs to, and a word's form in it."""

    name: str
    table: str
    form: Callable[[str], str]


WORDS, CASES = "E", "C"
FEATURES = (
    Feature("case", CASES, lambda word: case_of(clean(word))),
    Feature("prefix", "P2", lambda word: folded(word)[:2]),
    Feature("prefix", "P3", lambda word: folded(word)[:3]),
    Feature("suffix", "S2", lambda word: folded(word)[-2:]),
    Feature("suffix", "S3", lambda word: folded(word)[-3:]),
    Feature("shape", "F", shape_of),
)
FORMS = {feature.table: feature.form for feature in FEATURES}
TITLES = {WORDS: "word"} | {one.table: one.name + one.table[1:] for one in FEATURES}  # "prefix2"
NAMES = tuple(dict.fromkeys(feature.name for feature in FEATURES))
RARE_FORM = 3  # a form of a feature that was seen less often is unknown


def chosen(names: Sequence[str]) -> list[Feature]:
    """Give the tables of some features, in their order; ValueError for a name that is none."""
    for name in names:
        check_name("feature", name, NAMES)
    return [feature for feature in FEATURES if feature.name in names]


Vocabularies = dict[str, Vocabulary]


def collect(
    sentences: Iterable[Sentence],
    features: Sequence[str],
    word_form: Callable[[str], str],
    min_count: int,
) -> Vocabularies:
    """Number the words and the forms of their features that occur in some sentences."""
    counts = Counter(word for sentence in sentences for word in sentence.words)
    return {WORDS: Vocabulary.of(counts, word_form, min_count)} | {
        feature.table: Vocabulary.of(counts, feature.form, RARE_FORM)
        for feature in chosen(features)
    }
