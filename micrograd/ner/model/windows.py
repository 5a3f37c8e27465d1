"""Cut sentences into windows of word ids, all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from micrograd.ner.model.vocabulary import CASES, Ids, Vocabulary, case_of
from micrograd.ner.text.sentence import Sentence


def check_width(width: int) -> None:
    """Raise ValueError unless the width is odd and positive."""
    if width < 1 or width % 2 == 0:
        raise ValueError(f"window width {width}: it must be odd, so that a word is its centre")


def window_ids(flat: Ids, lengths: Sequence[int], width: int, start: int, end: int) -> Ids:
    """Give one row of `width` ids per token, (tokens, width); pads never cross sentences.

    `flat` holds the ids of all sentences one after another, `lengths` their lengths;
    places before a sentence hold `start`, places after it `end`.
    """
    check_width(width)
    counts = np.asarray(lengths, np.int64)
    last = np.cumsum(counts)
    first, stop = np.repeat(last - counts, counts), np.repeat(last, counts)
    half = width // 2
    rows = np.empty((len(flat), width), np.int32)
    for column, offset in enumerate(range(-half, half + 1)):
        place = np.arange(len(flat)) + offset
        rows[:, column] = flat[np.clip(place, 0, max(len(flat) - 1, 0))]
        rows[place < first, column] = start
        rows[place >= stop, column] = end
    return rows


@dataclass(frozen=True)
class Windows:
    """The windows of a corpus: word ids and cases, (tokens, width), and sentence lengths."""

    ids: Ids
    cases: Ids
    lengths: list[int]

    def __len__(self) -> int:
        return len(self.ids)

    def split(self, labels: Sequence[str]) -> list[list[str]]:
        """Cut one label per token back into sentences."""
        out, start = [], 0
        for length in self.lengths:
            out.append(list(labels[start : start + length]))
            start += length
        return out


def windows(sentences: Sequence[Sentence], vocabulary: Vocabulary, width: int) -> Windows:
    """Cut the sentences into windows; the pads are the vocabulary's ids 1 and 2."""
    lengths = [len(sentence.words) for sentence in sentences]
    words = list(chain.from_iterable(sentence.words for sentence in sentences))
    known: dict[str, int] = {word: case_of(word) for word in set(words)}
    cases = np.fromiter((known[word] for word in words), np.int32, len(words))
    pad = CASES.index("pad")
    return Windows(
        window_ids(vocabulary.ids(words), lengths, width, 1, 2),
        window_ids(cases, lengths, width, pad, pad),
        lengths,
    )
