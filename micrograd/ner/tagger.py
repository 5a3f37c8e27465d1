"""The tagger: trained, it finds names in text; it is judged, saved and loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from micrograd import metrics
from micrograd.checkpoint import load_state, restore, save_state
from micrograd.core import checks
from micrograd.ner.judging import evaluation, ranking
from micrograd.ner.judging.scoring import only
from micrograd.ner.model import paths
from micrograd.ner.model.config import Config, Training, defaults
from micrograd.ner.model.features import FORMS, WORDS, Vocabulary
from micrograd.ner.model.network import Floats
from micrograd.ner.model.windows import Windows
from micrograd.ner.showing.entities import Entity, entities
from micrograd.ner.text import tokens
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training import fitting
from micrograd.ner.window_model import NUMBERS, WindowModel
from micrograd.printing import cut
from micrograd.training.history import History

VERSION = 3  # of a model file


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
        return fitting.train(self, train, dev, training or defaults(self.config.kind)[1], **options)

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
        checks.check_shares(threshold=threshold)
        cut = self.windows(sentences)
        tagged = self._tagged(sentences, cut, self.outputs(cut))
        return [one.above(threshold) for one in tagged] if threshold else tagged

    def _tagged(self, sentences: Sequence[Sentence], cut: Windows, out: Floats) -> list[Sentence]:
        decided = self.decide(out, cut)
        if self.label:
            name = metrics.logistic(self.slope * out[:, 0] + self.offset)
            every = np.stack((1 - name, name), 1)
        else:
            every = paths.probabilities(out, cut.lengths, self.transitions())
        sure = np.split(every[np.arange(len(out)), decided], np.cumsum(cut.lengths)[:-1])
        return [
            replace(sentence, tags=tags, probabilities=numbers)
            for sentence, tags, numbers in zip(sentences, self.tags(decided, cut), sure)
        ]

    def tag(self, text: str, threshold: float = 0.0) -> list[Entity]:
        """Find the names in a text: their types, places and probabilities."""
        checks.check_text("what is tagged", text)
        tagged = self.analyse(tokens.sentences(text), threshold)
        return [entity for sentence in tagged for entity in entities(text, sentence)]

    def evaluate(self, sentences: Sequence[Sentence]) -> evaluation.Evaluation:
        """Measure the predictions; those of the margin scorer on its type only."""
        if any(len(sentence.tags) < len(sentence.words) for sentence in sentences):
            raise ValueError("sentences without tags cannot be evaluated; read a tag column")
        cut = self.windows(sentences)
        out = self.outputs(cut)
        true = [only(sentence.tags, self.label) for sentence in sentences]
        result = evaluation.evaluate(true, self._tagged(sentences, cut, out))
        if self.label:
            mask = ranking.true_mask(sentences, self.label)
            result.average_precision = metrics.average_precision(out[:, 0], mask)
            result.pair_accuracy = metrics.pair_accuracy(out[:, 0], mask)
        return result

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to one file that ends in .npz, atomically, where it is trained."""
        self.check_trained()
        state = {
            "tagger": VERSION,
            "config": asdict(self.config),
            "words": {table: forms.words for table, forms in self.vocabularies.items()},
            "labels": self.labels,
            "numbers": {name: getattr(self, name) for name in NUMBERS},
            "arrays": self.arrays,
        }
        return save_state(path, state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Tagger:
        """Read a model back. ValueError where the file is none, damaged, or of another version."""
        state = load_state(path)
        version = state.get("tagger") if isinstance(state, dict) else None
        if not isinstance(version, int):
            raise ValueError(f"{path}: a saved state, but not that of a tagger")
        if version != VERSION:
            raise ValueError(f"{path}: of version {version}, not of {VERSION}; train it again")
        try:
            parts = dict.fromkeys(("config", "words", "numbers", "arrays"), checks.is_named)
            checks.check_state(cls(), state, tagger=checks.is_any, labels=checks.are_texts, **parts)
            if unknown := sorted(set(state["config"]) - set(asdict(Config()))):
                raise ValueError(f"its configuration has {cut(', '.join(unknown))}")
            tagger = cls(Config(**state["config"]))
            tagger._restore(state)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}: damaged model file ({error}); train it again") from None
        return tagger

    def _restore(self, state: dict[str, Any]) -> None:
        tables = [table for table, _ in self.config.tables]
        checks.check_state(self, state["words"], **dict.fromkeys(tables, checks.are_texts))
        for table in tables:
            form = self.form if table == WORDS else FORMS[table]
            self.vocabularies[table] = Vocabulary(state["words"][table], form)
        numbers = {"capital": state["numbers"].get("lower"), **state["numbers"]}  # once the same
        checks.check_state(self, numbers, **dict.fromkeys(NUMBERS, checks.is_real))
        vars(self).update(numbers, labels=state["labels"])
        if not (self.labels and self.types):  # the latter raises where one is no tag
            raise ValueError("it has no labels")
        self.arrays = self.drawn()
        restore(self.arrays, state["arrays"])
        if bad := [name for name, array in self.arrays.items() if not np.isfinite(array).all()]:
            raise ValueError(f"{', '.join(bad)} holds nan or inf")
