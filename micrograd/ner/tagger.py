"""The tagger: trained, it finds names in text; it is judged, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging import evaluation, ranking
from micrograd.ner.judging.scoring import only
from micrograd.ner.model import paths
from micrograd.ner.model.config import Training, defaults
from micrograd.ner.model.storage import read_model, write_model
from micrograd.ner.model.windows import Windows
from micrograd.ner.showing.entities import Entity, entities
from micrograd.ner.text import tokens
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training import fitting
from micrograd.ner.window_model import WindowModel
from micrograd.training.history import History

Floats = NDArray[np.float64]


class Tagger(WindowModel):
    """Find names in text: `fit`, then `tag`, `evaluate`, `save`; `load` gives one back."""

    def fit(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        training: Training | None = None,
        **options: Any,
    ) -> History:
        """Train on `train`, stop and set the threshold by `dev`; see `fitting.train`."""
        chosen = training or defaults(self.config.kind)[1]
        return fitting.train(self, train, dev, chosen, **options)

    def predict(self, sentences: Sequence[Sentence]) -> list[list[str]]:
        """Tag sentences in BIO."""
        cut = self.windows(sentences)
        return self.tags(self.decide(self.outputs(cut), cut), cut)

    def analyse(self, sentences: Sequence[Sentence], threshold: float = 0.0) -> list[Sentence]:
        """Tag sentences in BIO, with the probability of every word's tag.

        A classifier's and a sequence model's are taken over all legal sequences of tags, a margin
        scorer's is the logistic function of its score that fits the dev set. A name may be less
        probable than one half, where dev has more names than training made likely. Entities whose
        probability is below `threshold` are left out.
        """
        cut = self.windows(sentences)
        tagged = self._tagged(sentences, cut, self.outputs(cut))
        return [one.above(threshold) for one in tagged] if threshold else tagged

    def _tagged(self, sentences: Sequence[Sentence], cut: Windows, out: Floats) -> list[Sentence]:
        decided = self.decide(out, cut)
        sure = np.split(self._probabilities(out, cut, decided), np.cumsum(cut.lengths)[:-1])
        return [
            replace(sentence, tags=tags, probabilities=numbers)
            for sentence, tags, numbers in zip(sentences, self.tags(decided, cut), sure)
        ]

    def _probabilities(self, out: Floats, cut: Windows, decided: NDArray[np.int64]) -> Floats:
        if not len(out):
            return np.zeros(0)
        if self.label:
            name = ranking.logistic(self.slope * out[:, 0] + self.offset)
            return np.where(decided, name, 1 - name)
        every = paths.probabilities(out, cut.lengths, self.transitions())
        return every[np.arange(len(out)), decided]

    def tag(self, text: str, threshold: float = 0.0) -> list[Entity]:
        """Find the names in a text: their types, places and probabilities."""
        tagged = self.analyse(tokens.sentences(text), threshold)
        return [entity for sentence in tagged for entity in entities(text, sentence)]

    def evaluate(self, sentences: Sequence[Sentence]) -> evaluation.Evaluation:
        """Measure the predictions; those of the margin scorer on its type only."""
        if not all(sentence.tags for sentence in sentences):
            raise ValueError("sentences without tags cannot be evaluated; read a tag column")
        cut = self.windows(sentences)
        out = self.outputs(cut)
        true = [only(sentence.tags, self.label) for sentence in sentences]
        result = evaluation.evaluate(true, self._tagged(sentences, cut, out))
        if self.label:
            mask = evaluation.true_mask(sentences, self.label)
            result.average_precision = ranking.average_precision(out[:, 0], mask)
            result.pair_accuracy = ranking.pair_accuracy(out[:, 0], mask)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one file, atomically."""
        return write_model(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tagger:
        """Read a model back; ValueError where the file is damaged or of another version."""
        return read_model(path, cls)
