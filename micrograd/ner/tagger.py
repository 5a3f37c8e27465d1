"""The tagger: a window model with its words, its tags and its threshold."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.judging import errors, evaluation, ranking
from micrograd.ner.judging.scoring import only
from micrograd.ner.model import paths, vectors
from micrograd.ner.model.config import Config, Training, defaults
from micrograd.ner.model.features import FEATURES, WORDS, Vocabularies, collect, folded
from micrograd.ner.model.losses import Rule
from micrograd.ner.model.network import Arrays, Shape, above, initial, pre_activations
from micrograd.ner.model.storage import NUMBERS, read_model, write_model
from micrograd.ner.model.vocabulary import Vocabulary
from micrograd.ner.model.windows import Windows, windows
from micrograd.ner.showing.entities import Entity, Tagged, entities
from micrograd.ner.text import schemes, tokens
from micrograd.ner.text.sentence import Sentence
from micrograd.training.history import History

Floats = NDArray[np.float64]
CHUNK = 8192


class Tagger:
    """Find names in text: `fit`, then `predict`, `evaluate`, `save`; `load` gives one back."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.vocabularies: Vocabularies = {WORDS: Vocabulary()}
        self.labels: list[str] = []
        self.arrays: Arrays = {}
        self.threshold, self.slope, self.offset = 0.0, 1.0, 0.0

    @property
    def vocabulary(self) -> Vocabulary:
        """Give the known words."""
        return self.vocabularies[WORDS]

    @property
    def label(self) -> str | None:
        """Give the one type the margin scorer finds; None for a model that finds all."""
        return self.config.label if self.config.kind == "margin" else None

    @property
    def shape(self) -> Shape:
        """Give the sizes of the network."""
        return self.config.shape(len(self.labels))

    @property
    def rule(self) -> Rule:
        """Give the margin, and which tag may follow which."""
        legal = None if self.label else paths.legal(self.labels, self.config.scheme)
        return Rule(self.config.delta, legal)

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
        self.vocabularies = collect(train, config.features, self._form(), config.min_count)
        self.labels = [config.label] if self.label else _labels(train, config.scheme)
        found = self._read_vectors(pretrained, [*train, *others]) if pretrained else None
        rows = {table: len(forms) for table, forms in self.vocabularies.items()}
        self.arrays = initial(self.shape, rows, np.random.default_rng(seed))
        if found:
            for word, row in found.rows.items():
                self.arrays[WORDS][self.vocabulary.row(word)] = row
        return found

    def _form(self) -> Callable[[str], str]:
        return partial(folded, lower=self.config.lower, digits=self.config.fold_digits)

    def _read_vectors(
        self, path: str | os.PathLike[str], sentences: Sequence[Sentence]
    ) -> vectors.Vectors:
        old = self.vocabulary
        seen = dict.fromkeys(old.form(word) for s in sentences for word in s.words)
        found = vectors.read_vectors(path, [*old.words, *seen], self.config.dim)
        self.vocabularies[WORDS] = Vocabulary(
            list(dict.fromkeys([*old.words, *found.rows])), old.form
        )
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
        return windows(sentences, self.vocabularies, self.config.width)

    def outputs(self, cut: Windows) -> Floats:
        """Compute the scores of every window: one, or one per tag, (windows, outputs).

        In single precision: twice as fast, and the seventh digit decides nothing.
        """
        shape = self.shape
        arrays = {name: array.astype(np.float32) for name, array in self.arrays.items()}
        out = np.empty((len(cut), shape.outputs))
        for start in range(0, len(cut), CHUNK):
            part = slice(start, start + CHUNK)
            used, kinds = np.unique(cut.kinds[cut.places[part]], return_inverse=True)
            kinds = kinds.reshape(-1, shape.width)
            z = pre_activations(shape, arrays, cut.ids[used], kinds)
            out[part] = above(shape, None, z, arrays).s
        return out

    def tags(self, out: Floats, lengths: Sequence[int]) -> list[str]:
        """Decide on one tag per window, in the model's own scheme."""
        if self.label:
            return evaluation.tags_above(out[:, 0], self.threshold, lengths, self.label)
        if not len(out):
            return []
        legal = self.config.viterbi or self.config.kind == "sequence"
        best = paths.best_tags(out, lengths, self._transitions()) if legal else out.argmax(1)
        return [self.labels[tag] for tag in best.tolist()]

    def _transitions(self) -> Floats:
        legal = paths.legal(self.labels, self.config.scheme)
        return paths.forbidding(legal, self.arrays.get("A", 0.0))

    def predict(self, sentences: Sequence[Sentence]) -> list[list[str]]:
        """Tag sentences in BIO."""
        cut = self.windows(sentences)
        per_sentence = cut.split(self.tags(self.outputs(cut), cut.lengths))
        return per_sentence if self.label else [schemes.convert(t, "BIO") for t in per_sentence]

    def analyse(self, sentences: Sequence[Sentence], threshold: float = 0.0) -> list[Tagged]:
        """Tag sentences in BIO, with the probability of every word's tag.

        A classifier's and a sequence model's are taken over all legal sequences of tags, a margin
        scorer's is the logistic function of its score that fits the dev set. Entities whose
        probability is below `threshold` are left out.
        """
        cut = self.windows(sentences)
        out = self.outputs(cut)
        own = self.tags(out, cut.lengths)
        sure = np.split(self._probabilities(out, cut.lengths, own), np.cumsum(cut.lengths)[:-1])
        per_sentence = (schemes.convert(tags, "BIO") for tags in cut.split(own))
        tagged = [Tagged(tags, numbers) for tags, numbers in zip(per_sentence, sure)]
        return [one.above(threshold) for one in tagged] if threshold else tagged

    def _probabilities(self, out: Floats, lengths: Sequence[int], own: Sequence[str]) -> Floats:
        if not len(out):
            return np.zeros(0)
        if self.label:
            name = ranking.logistic(self.slope * out[:, 0] + self.offset)
            return np.where([tag != "O" for tag in own], name, 1 - name)
        chosen = [self.labels.index(tag) for tag in own]
        every = paths.probabilities(out, lengths, self._transitions())
        return every[np.arange(len(out)), chosen]

    def tag(self, text: str, threshold: float = 0.0) -> list[Entity]:
        """Find the names in a text: their types, places and probabilities."""
        sentences = tokens.sentences(text)
        tagged = self.analyse(sentences, threshold)
        return [e for pair in zip(sentences, tagged) for e in entities(text, *pair)]

    def evaluate(self, sentences: Sequence[Sentence]) -> evaluation.Evaluation:
        """Measure the predictions; those of the margin scorer on its type only."""
        if not all(sentence.tags for sentence in sentences):
            raise ValueError("sentences without tags cannot be evaluated; read a tag column")
        tagged = self.analyse(sentences)
        true = [only(sentence.tags, self.label) for sentence in sentences]
        result = evaluation.evaluate_tags(true, [one.tags for one in tagged])
        result.errors = errors.find(sentences, true, tagged)
        result.curve = evaluation.curve(true, tagged)
        if self.label:
            scores = self.outputs(self.windows(sentences))[:, 0]
            mask = evaluation.true_mask(sentences, self.label)
            result.average_precision = ranking.average_precision(scores, mask)
            result.pair_accuracy = ranking.pair_accuracy(scores, mask)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one file, atomically."""
        words = {table: forms.words for table, forms in self.vocabularies.items()}
        numbers = {name: getattr(self, name) for name in NUMBERS}
        return write_model(path, self.config, words, self.labels, numbers, self.arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tagger:
        """Read a model back; ValueError where the file is damaged or of another version."""
        config, words, labels, numbers, arrays = read_model(path)
        tagger = cls(config)
        forms = {feature.table: feature.form for feature in FEATURES} | {WORDS: tagger._form()}
        tagger.vocabularies = {
            table: Vocabulary(known, forms[table]) for table, known in words.items()
        }
        tagger.labels, tagger.arrays = labels, arrays
        for name in NUMBERS:
            setattr(tagger, name, numbers[name])
        return tagger


def _labels(train: Sequence[Sentence], scheme: str) -> list[str]:
    tags = {tag for sentence in train for tag in sentence.tags}
    kinds = sorted({schemes.split_tag(tag)[1] for tag in tags} - {""})
    if not kinds:
        raise ValueError("the training file has no entity: there is nothing to learn from")
    return ["O", *(f"{prefix}-{kind}" for kind in kinds for prefix in scheme if prefix != "O")]
