"""The softmax classifier: a linear layer whose outputs are read as log-odds of classes."""

from __future__ import annotations

from typing import Any

from micrograd.core.checks import check_whole
from micrograd.engine import Value
from micrograd.functions import softmax
from micrograd.nn.feedforward import Layer
from micrograd.nn.module import Module


class SoftmaxClassifier(Module):
    """Give p(y|x) = exp(W_y·x + b_y) / Σ exp(W_c·x + b_c) over `nclasses` classes (L10)."""

    def __init__(self, nin: int, nclasses: int, fused: bool = False) -> None:
        check_whole("the number of classes", nclasses, 2)
        self.layer = Layer(nin, nclasses, nonlin=False, fused=fused)

    def __call__(self, x: Any) -> list[Value]:
        """Return the logits, which `losses.cross_entropy` takes."""
        return self.layer(x)  # type: ignore[no-any-return]

    def probabilities(self, x: Any) -> list[Value]:
        """Return the probability of every class."""
        return softmax(self(x))

    def predict(self, x: Any) -> int:
        """Return the most probable class."""
        logits = [logit.data for logit in self(x)]
        return logits.index(max(logits))

    def __repr__(self) -> str:
        return f"SoftmaxClassifier({self.layer.neurons[0].fan_in}, {len(self.layer.neurons)})"
