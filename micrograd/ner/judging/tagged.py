"""What a model says of a sentence: tags, and how probable they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from micrograd.ner.text.schemes import Span, encode, spans


class Tagged(NamedTuple):
    """What a model says of a sentence: a tag per word, in BIO, and how probable each is."""

    tags: list[str]
    probabilities: NDArray[np.float64]

    def probability(self, span: Span) -> float:
        """Give the probability of an entity: that of its least probable tag."""
        return float(self.probabilities[span.start : span.end].min())

    def above(self, threshold: float) -> Tagged:
        """Leave out the entities whose probability is below a threshold."""
        kept = [span for span in spans(self.tags) if self.probability(span) >= threshold]
        return Tagged(encode(kept, len(self.tags)), self.probabilities)
