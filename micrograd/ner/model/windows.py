"""Cut sentences into windows of word ids, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from reprlib import repr as shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.model.features import Vocabularies
from micrograd.ner.text.sentence import Sentence

Ids = NDArray[np.int32]
PADS = (1, 2)  # the forms that stand before and behind a sentence, in every table


@dataclass(frozen=True)
class Windows:
    """The tokens of a corpus and their windows.

    `kinds` (tokens + 2) says which different word every token is, then the two pads; `ids` (kinds,
    tables) holds the ids of each. `places` (tokens, width) says which tokens a window is made of.
    """

    ids: Ids
    kinds: NDArray[np.intp]
    places: NDArray[np.intp]
    lengths: list[int]

    def __len__(self) -> int:
        return len(self.places)

    def rows(self, tokens: Any = slice(None)) -> Ids:
        """Give the ids of some windows, (windows, width, tables)."""
        return np.asarray(self.ids.take(self.kinds.take(self.places[tokens]), 0))

    def with_unknown(self, tokens: NDArray[np.bool_]) -> Windows:
        """Make some tokens unknown words; their other features stay."""
        unknown = self.ids.copy()
        unknown[:, 0] = 0
        kinds = self.kinds.copy()
        kinds[:-2][tokens] += len(unknown)
        return replace(self, ids=np.concatenate((self.ids, unknown)), kinds=kinds)

    def split(self, labels: Sequence[Any]) -> list[list[Any]]:
        """Cut one item per token back into sentences."""
        rest = iter(labels)
        return [list(islice(rest, length)) for length in self.lengths]


def window_places(lengths: Sequence[int], width: int) -> NDArray[np.intp]:
    """Give which tokens make every token's window, (tokens, width); none crosses a sentence.

    Where a window reaches over its sentence stand the numbers of the pads, which follow those
    of the tokens: before a sentence the first, after it the second.
    """
    counts = np.asarray(lengths, np.intp)
    last = np.cumsum(counts)
    first, stop = np.repeat(last - counts, counts)[:, None], np.repeat(last, counts)[:, None]
    tokens = len(first)
    places = np.arange(tokens)[:, None] + np.arange(width) - width // 2
    return np.where(places < first, tokens, np.where(places >= stop, tokens + 1, places))


def windows(sentences: Sequence[Sentence], vocabularies: Vocabularies, width: int) -> Windows:
    """Cut the sentences into windows; pads have the ids of the sentence borders in every table."""
    for sentence in sentences:
        if not isinstance(sentence, Sentence):
            raise TypeError(f"expected a Sentence of words, not {shorten(sentence)}")
    lengths = [len(sentence.words) for sentence in sentences]
    words = [word for sentence in sentences for word in sentence.words]
    kinds = {word: number for number, word in enumerate(dict.fromkeys(words))}
    forms = [[table.id(word) for table in vocabularies.values()] for word in kinds]
    ids = np.array(forms + [[pad] * len(vocabularies) for pad in PADS], np.int32)
    numbers = [*map(kinds.__getitem__, words), len(kinds), len(kinds) + 1]
    return Windows(ids, np.array(numbers), window_places(lengths, width), lengths)
