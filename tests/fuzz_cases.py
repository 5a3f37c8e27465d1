"""Cases of `lowering_fuzz.py`: losses as text that can be pasted, and made smaller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

IMPORTS = """\
import random
from functools import reduce

from micrograd import Value, dot, mean
from micrograd.functions import logsumexp, softmax
from micrograd.losses import cross_entropy, l1, l2, max_margin, mse, multiclass_hinge
from micrograd.lowering import lower
from micrograd.nn import MLP, Embedding, Layer, Neuron, one_hot
from tests.lowering_models import attend
"""


class Term(NamedTuple):
    """A piece of the text of a loss, with its parts in braces, and the shape of what it gives.

    One that is shared is a variable: it is computed once however often it is used.
    """

    text: str
    shape: tuple[int, ...] = ()
    parts: tuple[Term, ...] = ()
    shared: bool = False

    def written(self, variables: dict[str, str]) -> str:
        """Return the text, and note the variables it needs, by the text of what they hold."""
        text = self.text.format(*(part.written(variables) for part in self.parts))
        if self.shared and text not in variables:
            variables[text] = f"h{len(variables) + 1}"
        return variables[text] if self.shared else text

    def inner(self) -> Iterator[Term]:
        """Yield all parts, and theirs."""
        for part in self.parts:
            yield part
            yield from part.inner()

    def smaller(self) -> Iterator[Term]:
        """Yield what is left when a piece makes room for a part of its own, or is not shared."""
        yield from (part for part in self.inner() if part.shape == self.shape)
        if self.shared:
            yield self._replace(shared=False)
        for n, part in enumerate(self.parts):
            for other in part.smaller():
                yield self._replace(parts=(*self.parts[:n], other, *self.parts[n + 1 :]))


class Case(NamedTuple):
    """A random loss: what it uses, by name; its inputs, each a sample and a batch; its text."""

    seed: int
    setup: dict[str, str]
    inputs: dict[str, tuple[Any, list[Any]]]
    loss: Term
    reduction: str = "mean"
    given: bool = False  # whether `lower` is told which lists are the parameters

    def __str__(self) -> str:
        """Return a module with the loss, a sample and a batch."""
        variables: dict[str, str] = {}
        result = self.loss.written(variables)
        body = "".join(f"    {name} = {text}\n" for text, name in variables.items())
        setup = [f"{name} = {text}\n" for name, text in self.setup.items() if self.uses(name)]
        samples, batch = zip(*self.inputs.values())
        return (
            f"{IMPORTS}\nrandom.seed({self.seed})\n{''.join(setup)}\n\n"
            f"def loss({', '.join(self.inputs)}):\n{body}    return {result}\n\n\n"
            f"reduction, batch = {self.reduction!r}, {list(batch)}\n"
            f"program = lower(loss, {', '.join(map(str, samples))}, reduce=reduction"
            f"{self.parameters()})\n"
        )

    def parameters(self) -> str:
        lists = [f"{name!r}: {name}" for name in self.setup if name[0] in "wW" and self.uses(name)]
        return f", parameters={{{', '.join(lists)}}}" if self.given and lists else ""

    def uses(self, name: str) -> bool:
        texts = (self.loss.text, *(part.text for part in self.loss.inner()))
        return any(re.search(rf"\b{name}\b", text) for text in texts)

    def smaller(self) -> Iterator[Case]:
        """Yield cases with less of the loss, of the inputs, of the batch."""
        for loss in self.loss.smaller():
            yield self._replace(loss=loss)
        for name in self.inputs:
            if len(self.inputs) > 1 and not self.uses(name):
                yield self._replace(inputs={n: x for n, x in self.inputs.items() if n != name})
        if self.given:
            yield self._replace(given=False)
        if len(next(iter(self.inputs.values()))[1]) > 1:
            yield self._replace(inputs={n: (x, b[:1]) for n, (x, b) in self.inputs.items()})
