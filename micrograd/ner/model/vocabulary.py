"""Number the forms of words: id 0 is the trainable unknown form, 1 and 2 are the sentence pads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SPECIAL = (UNKNOWN, START, END)
Ids = NDArray[np.int32]


@dataclass
class Vocabulary:
    """The known forms in order of their ids, and `form`, which gives a word's form to look up."""

    words: list[str] = field(default_factory=lambda: list(SPECIAL))
    form: Callable[[str], str] = str

    def __post_init__(self) -> None:
        self._ids = {word: number for number, word in enumerate(self.words)}
        self._seen: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.words)

    def row(self, entry: str) -> int:
        """Give the number of an entry of `words`; KeyError if there is none."""
        return self._ids[entry]

    def id(self, word: str) -> int:
        """Give a word's id, 0 if its form is unknown."""
        number = self._seen.get(word)
        if number is None:
            form = self.form(word)
            number = 0 if form in SPECIAL else self._ids.get(form, 0)
            self._seen[word] = number
        return number

    def ids(self, words: Iterable[str]) -> Ids:
        """Give the ids of many words."""
        return np.fromiter(map(self.id, words), np.int32)

    def unknown_rate(self, words: Iterable[str]) -> float:
        """Give the share of words that are unknown."""
        ids = self.ids(words)
        return float(np.mean(ids == 0)) if len(ids) else 0.0

    @classmethod
    def of(
        cls, counts: Mapping[str, int], form: Callable[[str], str] = str, min_count: int = 1
    ) -> Vocabulary:
        """Collect the forms of the words counted that occur `min_count` times, frequent first."""
        forms: dict[str, int] = {}
        for word, count in counts.items():
            key = form(word)
            forms[key] = forms.get(key, 0) + count
        kept = (f for f in sorted(forms, key=lambda f: -forms[f]) if forms[f] >= min_count)
        return cls(list(dict.fromkeys([*SPECIAL, *kept])), form)
