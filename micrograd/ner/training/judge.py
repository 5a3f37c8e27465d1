"""Judge a tagger by its dev set, after every epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from micrograd.metrics import fit_logistic
from micrograd.ner.judging.ranking import TypeEvaluation
from micrograd.ner.judging.scoring import score
from micrograd.ner.model.network import Floats
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.engines import ArrayEngine
from micrograd.ner.training.sampling import Sampler, make_sampler, own_tags
from micrograd.ner.window_model import WindowModel

JUDGED = 64  # samples whose loss is taken together
# How far O may have to be ahead of the other tags of a sequence: where names are rare, or unlike
# those of the training set, too few are found else. The smallest of about equal ones is taken.
LEADS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
ABOUT_EQUAL = 0.5  # points of F1


class Judge:
    """Measure loss and entity F1 on the dev set after every epoch, and set the thresholds by it.

    There is no loss where nothing can be sampled: no tag is known, or every word is a name.
    """

    def __init__(self, tagger: WindowModel, dev: Sequence[Sentence]) -> None:
        self.tagger, self.cut = tagger, tagger.windows(dev)
        self.true = [sentence.tags for sentence in dev]
        self.table = TypeEvaluation(dev, tagger.label) if tagger.label else None
        self.sampler = self._sampler(dev)
        if self.sampler:
            self.sampler.draw(np.random.default_rng(0))

    def _sampler(self, dev: Sequence[Sentence]) -> Sampler | None:
        tagger = self.tagger
        if self.table:
            return None if self.table.mask.all() else make_sampler(tagger, dev)
        known = [s for s in dev if set(own_tags(tagger, s)) <= set(tagger.labels)]
        return make_sampler(tagger, known) if known else None

    def loss(self) -> dict[str, float]:
        """Give the mean loss of the dev samples whose tags the model knows, nothing dropped."""
        if self.sampler is None:
            return {}
        tagger, count = self.tagger, len(self.sampler)
        engine = ArrayEngine(tagger.config, tagger.moves)
        groups = np.array_split(np.arange(count), -(-count // JUDGED))
        judged = (engine.judged(tagger.arrays, self.sampler.take(some))[1] for some in groups)
        return {"dev_loss": float(np.concatenate([one.losses for one in judged]).mean())}

    def f1(self) -> float:
        """Give the dev F1 in percent. ValueError where a score is no number."""
        out = self.tagger.outputs(self.cut)
        if not np.isfinite(out).all():
            raise ValueError("the dev scores are no numbers any more")
        if self.table:
            thresholds, best = self.table.calibrate(out[:, 0], self.tagger.capitals(self.cut))
            self.tagger.threshold, self.tagger.lower, self.tagger.capital = thresholds
            self.tagger.slope, self.tagger.offset = fit_logistic(out[:, 0], self.table.mask)
            return best
        f1s = [self._f1(out, lead) for lead in LEADS[: None if self.tagger.legal else 1]]
        best = next(n for n, f1 in enumerate(f1s) if f1 >= max(f1s) - ABOUT_EQUAL)
        self.tagger.threshold = LEADS[best]
        return f1s[best]

    def _f1(self, out: Floats, lead: float) -> float:
        """Give the F1 where O has to be ahead of the other tags by a `lead`."""
        self.tagger.threshold = lead
        decided = self.tagger.decide(out, self.cut)
        return score(self.true, self.tagger.tags(decided, self.cut)).f1
