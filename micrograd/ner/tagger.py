"""The tagger: a window model with its words, its tags and its threshold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging import evaluation, ranking
from micrograd.ner.judging.scoring import only
from micrograd.ner.model import vectors
from micrograd.ner.model.config import Config, Training, defaults
from micrograd.ner.model.embedding import Places, gather
from micrograd.ner.model.models import Arrays, Shape, initial, outputs
from micrograd.ner.model.storage import read_model, write_model
from micrograd.ner.model.vocabulary import Vocabulary
from micrograd.ner.model.windows import Windows, windows
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Sentence
from micrograd.training.history import History

Floats = NDArray[np.float64]
CHUNK = 8192


class Tagger:
    """Find names in text: `fit`, then `predict`, `evaluate`, `save`; `load` gives one back."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.vocabulary = Vocabulary()
        self.labels: list[str] = []
        self.arrays: Arrays = {}
        self.threshold = 0.0

    @property
    def label(self) -> str | None:
        """Give the one type the margin scorer finds; None for a classifier, which finds all."""
        return self.config.label if self.config.kind == "margin" else None

    @property
    def shape(self) -> Shape:
        """Give the sizes of the model."""
        return self.config.shape(len(self.labels))

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
        self.vocabulary = Vocabulary.of(
            train,
            min_count=config.min_count,
            lower=config.lower,
            fold_digits=config.fold_digits,
        )
        self.labels = [config.label] if self.label else _labels(train, config.scheme)
        found = self._read_vectors(pretrained, [*train, *others]) if pretrained else None
        rng = np.random.default_rng(seed)
        self.arrays = initial(self.shape, len(self.vocabulary), rng)
        if found:
            for word, row in found.rows.items():
                self.arrays["E"][self.vocabulary.row(word)] = row
        return found

    def _read_vectors(
        self, path: str | os.PathLike[str], sentences: Sequence[Sentence]
    ) -> vectors.Vectors:
        old = self.vocabulary
        seen = dict.fromkeys(old.fold(word) for s in sentences for word in s.words)
        found = vectors.read_vectors(path, [*old.words, *seen], self.config.dim)
        words = list(dict.fromkeys([*old.words, *found.rows]))
        self.vocabulary = Vocabulary(words, old.lower, old.fold_digits)
        return found

    def fit(
        self,
        train: Sequence[Sentence],
        dev: Sequence[Sentence],
        training: Training | None = None,
        **options: Any,
    ) -> History:
        """Train on `train`, stop and set the threshold by `dev`; see `fitting.train`."""
        from micrograd.ner.training import fitting

        chosen = training or defaults(self.config.kind)[1]
        return fitting.train(self, train, dev, chosen, **options)

    def windows(self, sentences: Sequence[Sentence]) -> Windows:
        """Cut sentences into the model's windows."""
        return windows(sentences, self.vocabulary, self.config.width)

    def outputs(self, cut: Windows) -> Floats:
        """Compute the score of every window, or its logits."""
        shape, parts = self.shape, []
        for start in range(0, len(cut), CHUNK):
            places = Places(cut.ids, cut.cases).take(slice(start, start + CHUNK))
            parts.append(outputs(shape, gather(shape, self.arrays, places), self.arrays))
        return np.concatenate(parts) if parts else np.zeros((0,))

    def tags(self, out: Floats, lengths: Sequence[int]) -> list[str]:
        """Decide on one tag per window, in the model's own scheme."""
        if self.label:
            return evaluation.tags_above(out, self.threshold, lengths, self.label)
        return [self.labels[best] for best in out.argmax(1).tolist()] if len(out) else []

    def predict(self, sentences: Sequence[Sentence]) -> list[list[str]]:
        """Tag sentences in BIO."""
        cut = self.windows(sentences)
        per_sentence = cut.split(self.tags(self.outputs(cut), cut.lengths))
        return per_sentence if self.label else [schemes.convert(t, "BIO") for t in per_sentence]

    def confidences(self, sentences: Sequence[Sentence]) -> list[Floats]:
        """Give per token how far it is from another decision.

        The margin scorer's score above its threshold (negative: not a name); a classifier's
        best logit above the second best.
        """
        cut = self.windows(sentences)
        out = self.outputs(cut)
        if self.label:
            distance = out - self.threshold
        else:
            ordered = np.sort(out.reshape(-1, len(self.labels)), axis=1)
            distance = ordered[:, -1] - ordered[:, -2]
        return np.split(distance, np.cumsum(cut.lengths)[:-1])

    def evaluate(self, sentences: Sequence[Sentence]) -> evaluation.Evaluation:
        """Measure the predictions; those of the margin scorer on its type only."""
        if not all(sentence.tags for sentence in sentences):
            raise ValueError("sentences without tags cannot be evaluated; read a tag column")
        predicted = self.predict(sentences)
        true = [only(sentence.tags, self.label) for sentence in sentences]
        result = evaluation.evaluate_tags(true, predicted)
        sure = self.confidences(sentences)
        result.errors = evaluation.find_errors(sentences, predicted, sure, self.label)
        if self.label:
            scores = np.concatenate(sure)
            mask = evaluation.true_mask(sentences, self.label)
            result.average_precision = ranking.average_precision(scores, mask)
            result.pair_accuracy = ranking.pair_accuracy(scores, mask)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one file, atomically."""
        words = {"words": self.vocabulary.words, "labels": self.labels}
        return write_model(path, self.config, words, self.threshold, self.arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tagger:
        """Read a model back; ValueError where the file is damaged or of another version."""
        config, words, threshold, arrays = read_model(path)
        tagger = cls(config)
        tagger.vocabulary = Vocabulary(words["words"], config.lower, config.fold_digits)
        tagger.labels, tagger.threshold, tagger.arrays = words["labels"], threshold, arrays
        return tagger


def _labels(train: Sequence[Sentence], scheme: str) -> list[str]:
    tags = {tag for sentence in train for tag in sentence.tags}
    kinds = sorted({schemes.split_tag(tag)[1] for tag in tags} - {""})
    if not kinds:
        raise ValueError("the training file has no entity: there is nothing to learn from")
    return ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in scheme if prefix != "O")]
