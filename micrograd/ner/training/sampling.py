"""Choose what is trained on: pairs of a true and a corrupt window, or whole sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging.ranking import true_mask
from micrograd.ner.model.losses import Target
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.engines import Batch
from micrograd.ner.window_model import WindowModel

Numbers = NDArray[np.intp]


class Epochs:
    """The windows of an epoch, in which words seen up to `rare` times are half the time unknown."""

    def __init__(self, tagger: WindowModel, sentences: Sequence[Sentence], rare: int) -> None:
        self.whole = self.windows = tagger.windows(sentences)
        words = self.whole.ids[self.whole.kinds[:-2], 0]
        self.rare = np.bincount(words)[words] <= rare

    def draw(self, rng: np.random.Generator) -> None:
        """Draw an epoch."""
        if self.rare.any():
            unknown = self.rare & (rng.random(len(self.rare)) < 0.5)
            self.windows = self.whole.with_unknown(unknown)


class PairSampler(Epochs):
    """Draw `corrupt` corrupt windows for each true one.

    `window` draws a real window whose centre is not of the type (L12); `word` keeps the true
    window and replaces its centre word by that of such a window (Collobert and Weston).
    ValueError where no window, or every window, is true.
    """

    def __init__(self, tagger: WindowModel, sentences: Sequence[Sentence], rare: int) -> None:
        super().__init__(tagger, sentences, rare)
        config = tagger.config
        true = true_mask(sentences, config.label)
        if not true.any() or true.all():
            what = "no" if not true.any() else "every"
            raise ValueError(
                f"{what} token of the training file is of type {config.label}: there are no pairs "
                "to train on; it takes names of it, and other words"
            )
        self.kind = config.sampler
        self.true, self.false = np.flatnonzero(true).repeat(config.corrupt), np.flatnonzero(~true)

    def __len__(self) -> int:
        return len(self.true)

    def draw(self, rng: np.random.Generator) -> None:
        """Draw all pairs of an epoch, in random order."""
        super().draw(rng)
        self.pairs = rng.permutation(self.true), rng.choice(self.false, len(self))

    def take(self, numbers: Numbers) -> Batch:
        """Give some pairs: their true windows, then their corrupt ones."""
        true, corrupt = (self.windows.rows(tokens[numbers]) for tokens in self.pairs)
        if self.kind == "word":
            middle = np.arange(true.shape[1]) == true.shape[1] // 2
            corrupt = np.where(middle[:, None], corrupt, true)
        return Batch(np.concatenate((true, corrupt)), Target())


class SentenceSampler(Epochs):
    """Give every sentence once, with the tags of its words."""

    def __init__(self, tagger: WindowModel, sentences: Sequence[Sentence], rare: int) -> None:
        sentences = [sentence for sentence in sentences if sentence.words]
        super().__init__(tagger, sentences, rare)
        number = {label: place for place, label in enumerate(tagger.labels)}
        self.tags = np.array([number[tag] for s in sentences for tag in own_tags(tagger, s)])
        self.lengths = np.array(self.whole.lengths)
        self.starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, numbers: Numbers) -> Batch:
        """Give the windows of some sentences, one sentence after another."""
        lengths = self.lengths[numbers]
        first = np.repeat(self.starts[numbers] - (np.cumsum(lengths) - lengths), lengths)
        tokens = first + np.arange(len(first))
        return Batch(self.windows.rows(tokens), Target(self.tags[tokens], lengths.tolist()))


Sampler = PairSampler | SentenceSampler


def make_sampler(tagger: WindowModel, train: Sequence[Sentence], rare: int = 0) -> Sampler:
    """Make the source of samples that suits the model."""
    return (PairSampler if tagger.label else SentenceSampler)(tagger, train, rare)


def own_tags(tagger: WindowModel, sentence: Sentence) -> list[str]:
    """Give the tags of a sentence in the scheme the model learns."""
    return schemes.convert(sentence.tags, tagger.config.scheme)
