"""Number the words: id 0 is the trainable unknown word, 1 and 2 are the sentence pads."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.text.sentence import Sentence

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SPECIAL = (UNKNOWN, START, END)
CASES = ("none", "initial", "all caps", "any", "pad")
_DIGIT = re.compile(r"\d")

Ids = NDArray[np.int32]


def case_of(word: str) -> int:
    """Give the index into CASES of a word's capitals."""
    if word.islower():
        return 0
    if len(word) > 1 and word.isupper():
        return 2
    if word[0].isupper():
        return 1
    return 3 if any(letter.isupper() for letter in word) else 0


@dataclass
class Vocabulary:
    """The known words in order of their ids, and how a word is folded before look-up."""

    words: list[str] = field(default_factory=lambda: list(SPECIAL))
    lower: bool = False
    fold_digits: bool = False

    def __post_init__(self) -> None:
        self._ids = {word: number for number, word in enumerate(self.words)}
        self._seen: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.words)

    def fold(self, word: str) -> str:
        """Undo HTML entities, drop a stray BOM, and fold capitals and digits if so set."""
        if "&" in word or "\ufeff" in word:
            word = html.unescape(word).replace("\ufeff", "") or word
        if self.lower:
            word = word.lower()
        return _DIGIT.sub("0", word) if self.fold_digits else word

    def row(self, entry: str) -> int:
        """Give the number of an entry of `words`; KeyError if there is none."""
        return self._ids[entry]

    def id(self, word: str) -> int:
        """Give a word's id, 0 if unknown."""
        found = self._seen.get(word)
        if found is None:
            folded = self.fold(word)
            found = 0 if folded in SPECIAL else self._ids.get(folded, 0)
            self._seen[word] = found
        return found

    def ids(self, words: Iterable[str]) -> Ids:
        """Give the ids of many words."""
        return np.fromiter(map(self.id, words), np.int32)

    def unknown_rate(self, sentences: Iterable[Sentence]) -> float:
        """Give the share of tokens that are unknown."""
        ids = self.ids(word for sentence in sentences for word in sentence.words)
        return float(np.mean(ids == 0)) if len(ids) else 0.0

    @classmethod
    def of(
        cls,
        sentences: Sequence[Sentence],
        *,
        min_count: int = 1,
        lower: bool = False,
        fold_digits: bool = False,
    ) -> Vocabulary:
        """Collect the words seen `min_count` times, the most frequent first."""
        vocabulary = cls(lower=lower, fold_digits=fold_digits)
        counts = Counter(word for sentence in sentences for word in sentence.words)
        folded: Counter[str] = Counter()
        for word, count in counts.items():
            folded[vocabulary.fold(word)] += count
        kept = [word for word, count in folded.most_common() if count >= min_count]
        words = dict.fromkeys([*SPECIAL, *kept])
        return cls(list(words), lower, fold_digits)
