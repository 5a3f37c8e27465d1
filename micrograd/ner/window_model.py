"""A window model with its words, its tags and its thresholds: what training works on."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging import ranking
from micrograd.ner.model import paths
from micrograd.ner.model.config import Config
from micrograd.ner.model.features import CASES, WORDS, Vocabularies, Vocabulary, collect, folded
from micrograd.ner.model.network import Arrays, Floats, above, initial, pre_activations, products
from micrograd.ner.model.windows import Windows, windows
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Sentence, types_in
from micrograd.nn import vectors
from micrograd.printing import counted, shorten

NUMBERS = ("threshold", "lower", "capital", "slope", "offset")  # of a model, set on the dev set
CHUNK = 131_072  # windows whose words are multiplied together
BLOCK = 512  # of them looked at together: what stays near the processor


class WindowModel:
    """The model half of a tagger: words, tags, parameters, scores, and the tags they decide on."""

    def __init__(self, config: Config | None = None) -> None:
        if not isinstance(config, (Config, type(None))):
            raise TypeError(
                f"a tagger is made of a Config, not {shorten(config)}; Tagger.load reads one"
            )
        self.config = config or Config()
        self.vocabularies: Vocabularies = {WORDS: Vocabulary()}
        self.labels: list[str] = []
        self.arrays: Arrays = {}
        # A name has a word above the threshold, and all above lower, or capital if they are
        # capitalised; where there is a score for every tag, O counts where it is ahead of the
        # others by the threshold. Slope and offset make a probability of a margin scorer's score.
        self.threshold, self.lower, self.capital = 0.0, np.inf, np.inf
        self.slope, self.offset = 1.0, 0.0

    def __repr__(self) -> str:
        finds = ", ".join(self.labels) or "not trained yet"
        numbers = sum(array.size for array in self.arrays.values())
        return (
            f"{type(self).__name__}({self.config.kind}, windows of {self.config.width} words, "
            f"finds: {finds}; {counted(len(self.vocabulary), 'word')}, "
            f"{counted(numbers, 'parameter')})"
        )

    def _repr_html_(self) -> str:
        from micrograd.displays import table_html

        rows = [
            (name, " × ".join(map(str, a.shape)), float(a.mean()), float(a.std()))
            for name, a in self.arrays.items()
        ]
        return table_html(("parameter", "shape", "mean", "deviation"), rows, repr(self))

    @property
    def vocabulary(self) -> Vocabulary:
        """Give the known words."""
        return self.vocabularies[WORDS]

    @property
    def label(self) -> str | None:
        """Give the one type the margin scorer finds; None for a model that finds all."""
        return self.config.label if self.config.kind == "margin" else None

    @property
    def types(self) -> list[str]:
        """List the types of names that it finds, sorted."""
        if self.label:
            return [self.label]
        return sorted({schemes.split_tag(tag)[1] for tag in self.labels} - {""})

    @property
    def form(self) -> Callable[[str], str]:
        """Give what makes a word's form to look up."""
        return partial(folded, lower=self.config.lower, digits=self.config.fold_digits)

    @property
    def moves(self) -> NDArray[np.bool_] | None:
        """Say which tag may follow which; None for a margin scorer, which has none."""
        return None if self.label else paths.legal(self.labels, self.config.scheme)

    def start(
        self,
        train: Sequence[Sentence],
        seed: int = 0,
        pretrained: str | os.PathLike[str] | None = None,
        others: Sequence[Sentence] = (),
    ) -> vectors.Vectors | None:
        """Collect words and tags and draw the parameters; return the vectors read, if any.

        Words of `others` (dev, test) get a row where the pretrained vectors have one.
        """
        config = self.config
        self.vocabularies = collect(train, config.features, self.form, config.min_count)
        self.labels = [config.label] if self.label else _labels(train, config.scheme)
        if not pretrained:
            self.arrays = self.drawn(seed)
            return None
        known, every = self.vocabulary.words, [w for s in (*train, *others) for w in s.words]
        found = vectors.read_vectors(pretrained, [*known, *map(self.form, every)], config.dim)
        if not found.rows:
            none = f"none of the {counted(found.asked, 'word')} has a vector in it"
            raise ValueError(f"{pretrained}: {none}; take vectors of the texts' language")
        words = dict.fromkeys([*known, *found.rows])
        self.vocabularies[WORDS] = Vocabulary(list(words), self.form)
        self.arrays = self.drawn(seed)
        for word, row in zip(words, self.arrays[WORDS]):
            row[:] = found.rows.get(word, row)
        return found

    def drawn(self, seed: int = 0) -> Arrays:
        """Draw parameters for the words and tags there are."""
        rows = {table: len(forms) for table, forms in self.vocabularies.items()}
        return initial(self.config, len(self.labels), rows, np.random.default_rng(seed))

    def check_trained(self) -> None:
        """Raise ValueError before there is a model."""
        if not self.arrays:
            raise ValueError("this tagger is not trained: fit it, or load one that is")

    def windows(self, sentences: Sequence[Sentence]) -> Windows:
        """Cut sentences into the model's windows. ValueError before there is a model."""
        self.check_trained()
        return windows(sentences, self.vocabularies, self.config.width)

    def outputs(self, cut: Windows) -> Floats:
        """Compute the scores of every window: one, or one per tag, (windows, outputs).

        In single precision: twice as fast. No threshold lies within its rounding of a dev score.
        """
        config = self.config
        arrays = {name: array.astype(np.float32) for name, array in self.arrays.items()}
        out = np.empty((len(cut), len(self.labels)))
        for start in range(0, len(cut), CHUNK):
            part = slice(start, start + CHUNK)
            used, kinds = np.unique(cut.kinds[cut.places[part]], return_inverse=True)
            parts = products(config, arrays, cut.ids[used])
            rows = kinds.reshape(-1, config.width)
            for first in range(0, len(rows), BLOCK):
                z = pre_activations(parts, rows[first : first + BLOCK], arrays["b"])
                out[start + first :][: len(z)] = above(config, None, z, arrays).s
        return out

    def decide(self, out: Floats, cut: Windows) -> NDArray[np.intp]:
        """Decide on one tag per window, a place in `labels`; for a margin scorer whether it is one.

        The tags of a sentence are legal if `legal` says so.
        """
        if self.label:
            low = np.where(self.capitals(cut), self.capital, self.lower)
            names = ranking.above(out[:, 0], self.threshold, low, cut.lengths)
            return names.astype(np.intp)
        if not len(out):
            return np.zeros(0, np.intp)
        led = out - self.threshold * (np.array(self.labels) == "O")
        if not self.legal:
            return np.asarray(led.argmax(1))
        return paths.best_tags(led, cut.lengths, self.transitions())

    def capitals(self, cut: Windows) -> NDArray[np.bool_]:
        """Say which tokens are capitalised; none for a model that does not see it."""
        if CASES not in self.vocabularies:
            return np.zeros(len(cut), bool)
        forms = np.array(self.vocabularies[CASES].words)
        cases = cut.ids[cut.kinds[:-2], list(self.vocabularies).index(CASES)]
        return np.asarray(np.isin(forms, ("initial", "all caps"))[cases])

    @property
    def legal(self) -> bool:
        """Say whether the tags decided on are always legal."""
        return self.config.viterbi or self.config.kind == "sequence"

    def transitions(self) -> Floats:
        """Give the scores of transitions, −∞ where they are not legal."""
        legal = paths.legal(self.labels, self.config.scheme)
        return paths.forbidding(legal, self.arrays.get("A", 0.0))

    def tags(self, decided: NDArray[np.intp], cut: Windows) -> list[list[str]]:
        """Write what was decided in BIO, sentence by sentence."""
        if self.label:
            return cut.split(ranking.tags_of(decided > 0, cut.lengths, self.label))
        labels = list(map(schemes.in_bio, self.labels)) if self.legal else self.labels
        written = cut.split([labels[tag] for tag in decided.tolist()])
        return written if self.legal else [schemes.convert(tags, "BIO") for tags in written]


def _labels(train: Sequence[Sentence], scheme: str) -> list[str]:
    return ["O", *(f"{x}-{kind}" for kind in types_in(train) for x in scheme.replace("O", ""))]
