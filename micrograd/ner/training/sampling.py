"""Choose what is trained on: pairs of a true and a corrupt window, or whole sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging.evaluation import true_mask
from micrograd.ner.model.config import check_name
from micrograd.ner.model.features import Ids
from micrograd.ner.model.losses import Target
from micrograd.ner.model.windows import Windows
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.engines import Batch
from micrograd.ner.window_model import WindowModel

SAMPLERS = ("window", "word")
Numbers = NDArray[np.int64]


class Rare:
    """Turn words seen up to `count` times into the unknown word, half of the time."""

    def __init__(self, windows: Windows, count: int) -> None:
        words = windows.words
        self.windows = windows
        self.rare = np.bincount(words)[words] <= count

    def drawn(self, rng: np.random.Generator) -> Windows:
        """Give the windows of an epoch."""
        if not self.rare.any():
            return self.windows
        return self.windows.with_unknown(self.rare & (rng.random(len(self.rare)) < 0.5))


class PairSampler:
    """Draw `corrupt` corrupt windows for each true one.

    `window` draws a real window whose centre is not of the type (L12); `word` keeps the true
    window and replaces its centre word by that of such a window (Collobert and Weston).
    ValueError where no window, or every window, is true.
    """

    def __init__(
        self, words: Rare, true: NDArray[np.bool_], corrupt: int, kind: str, label: str
    ) -> None:
        check_name("sampler", kind, SAMPLERS)
        if not true.any() or true.all():
            what = "no" if not true.any() else "every"
            raise ValueError(
                f"{what} token of the training file is of type {label}: there are no pairs to "
                "train on; choose another --type"
            )
        self.words, self.kind = words, kind
        self.true, self.false = np.repeat(np.flatnonzero(true), corrupt), np.flatnonzero(~true)

    def __len__(self) -> int:
        return len(self.true)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw all pairs of an epoch, in random order."""
        self.windows = self.words.drawn(rng)
        self.pairs = rng.permutation(self.true), rng.choice(self.false, len(self))

    def take(self, numbers: Numbers) -> Batch:
        """Give some pairs: their true windows, then their corrupt ones."""
        true, corrupt = (self.windows.rows(tokens[numbers]) for tokens in self.pairs)
        if self.kind == "word":
            corrupt = _with_centre(true, corrupt)
        nothing = np.zeros(0, np.int64)
        return Batch(np.concatenate((true, corrupt)), Target(nothing, []))


def _with_centre(true: Ids, drawn: Ids) -> Ids:
    replaced, middle = true.copy(), true.shape[1] // 2
    replaced[:, middle] = drawn[:, middle]
    return replaced


class SentenceSampler:
    """Give every sentence once, with the tags of its words."""

    def __init__(self, words: Rare, tags: Sequence[str], labels: Sequence[str]) -> None:
        number = {label: place for place, label in enumerate(labels)}
        self.words = words
        self.tags = np.array([number[tag] for tag in tags])
        self.lengths = np.array(words.windows.lengths)
        self.starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw which rare words are unknown in this epoch."""
        self.windows = self.words.drawn(rng)

    def take(self, numbers: Numbers) -> Batch:
        """Give the windows of some sentences, one sentence after another."""
        lengths = self.lengths[numbers]
        first = np.repeat(self.starts[numbers] - (np.cumsum(lengths) - lengths), lengths)
        tokens = first + np.arange(len(first))
        return Batch(self.windows.rows(tokens), Target(self.tags[tokens], lengths.tolist()))


Sampler = PairSampler | SentenceSampler


def make_sampler(
    tagger: WindowModel, train: Sequence[Sentence], rare: int | None = None
) -> Sampler:
    """Make the source of samples that suits the model."""
    config = tagger.config
    words = Rare(tagger.windows(train), config.rare if rare is None else rare)
    if tagger.label:
        true = true_mask(train, tagger.label)
        return PairSampler(words, true, config.corrupt, config.sampler, tagger.label)
    tags = [tag for s in train for tag in own_tags(tagger, s)]
    return SentenceSampler(words, tags, tagger.labels)


def own_tags(tagger: WindowModel, sentence: Sentence) -> list[str]:
    """Give the tags of a sentence in the scheme the model learns."""
    return schemes.convert(sentence.tags, tagger.config.scheme)
