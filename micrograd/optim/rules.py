"""Optimisers: one rule each, for Values, for arrays, and for the touched rows of a table (L24).

    Adam(model.parameters(), lr=0.01).step()              Values: their .grad is read
    optimizer = SGD({"W": W, "E": E}, lr=cosine(0.1, 1000))
    optimizer.step({"W": dW, "E": (indices, rows)})       arrays: changed in place
    SGD([{"params": slow, "lr": 0.01}, {"params": fast}], lr=0.1)

Parameters come as a list or by name, or as groups with options of their own; gradients come in
the same way. A parameter whose gradient is None stays as it is. Every option may be a schedule,
a function of the number of steps done (`micrograd.schedules`). `scale` multiplies the rate.
Rows of a table without a gradient stay as they are (SGD, AdaGrad, SparseAdam); with `dense=True`
they are moved as by a gradient of 0, which every rule can.
"""

from __future__ import annotations

from typing import Any

from micrograd.optim.optimizer import Clip, Data, Optimizer, State
from micrograd.printing import shorten


class SGD(Optimizer):
    """Gradient descent; with `momentum` μ: v = μv − α∇, x += v (L24).

    `nesterov` looks ahead, x += μv − α∇; `weight_decay` adds λx to the gradient.
    """

    slots, takes_rows = ("velocity",), True
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        momentum: Any = 0.0,
        nesterov: bool = False,
        weight_decay: Any = 0.0,
        dense: bool = False,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(
            params,
            clip,
            lr=lr,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            dense=dense,
        )

    def rule(self, x: Data, g: Data, s: State, o: Any) -> Data:
        if o.weight_decay:
            g = g + o.weight_decay * x
        if not o.momentum:
            return x - o.lr * g
        v = s["velocity"] = o.momentum * s["velocity"] - o.lr * g
        return x + o.momentum * v - o.lr * g if o.nesterov else x + v


class AdaGrad(Optimizer):
    """Divide each rate by the root of the sum of squared gradients (Duchi et al. 2011)."""

    slots, takes_rows = ("squares",), True
    elementwise = True

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        eps: float = 1e-10,
        weight_decay: Any = 0.0,
        dense: bool = False,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(params, clip, lr=lr, eps=eps, weight_decay=weight_decay, dense=dense)

    def rule(self, x: Data, g: Data, s: State, o: Any) -> Data:
        if o.weight_decay:
            g = g + o.weight_decay * x
        s["squares"] = s["squares"] + g * g
        return x - o.lr * g / (s["squares"] ** 0.5 + o.eps)


class RMSProp(Optimizer):
    """AdaGrad with a moving average in place of the sum (Tieleman and Hinton 2012)."""

    slots, elementwise = ("squares",), True

    def __init__(
        self,
        params: Any,
        lr: Any = 0.01,
        decay: float = 0.99,
        eps: float = 1e-8,
        weight_decay: Any = 0.0,
        dense: bool = False,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(
            params, clip, lr=lr, decay=decay, eps=eps, weight_decay=weight_decay, dense=dense
        )

    def rule(self, x: Data, g: Data, s: State, o: Any) -> Data:
        if o.weight_decay:
            g = g + o.weight_decay * x
        s["squares"] = o.decay * s["squares"] + (1 - o.decay) * g * g
        return x - o.lr * g / (s["squares"] ** 0.5 + o.eps)


class Adam(Optimizer):
    """Moving averages of gradient and squared gradient (Kingma and Ba 2015, algorithm 1).

    `bias_correction` divides them by 1 − βᵗ; without it is the form the notes print.
    """

    slots, elementwise = ("m", "v"), True

    def __init__(
        self,
        params: Any,
        lr: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: Any = 0.0,
        bias_correction: bool = True,
        dense: bool = False,
        clip: Clip | None = None,
    ) -> None:
        super().__init__(
            params,
            clip,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            eps=eps,
            weight_decay=weight_decay,
            bias_correction=bias_correction,
            dense=dense,
        )

    def _start(self, parameter: Any) -> State:
        return {**super()._start(parameter), "t": 0}

    def rule(self, x: Data, g: Data, s: State, o: Any) -> Data:
        s["t"] += 1
        x, g = self.decayed(x, g, o)
        m = s["m"] = o.beta1 * s["m"] + (1 - o.beta1) * g
        v = s["v"] = o.beta2 * s["v"] + (1 - o.beta2) * g * g
        if not o.bias_correction:
            return x - o.lr * m / (v**0.5 + o.eps)
        first, second = 1 - o.beta1 ** s["t"], 1 - o.beta2 ** s["t"]
        return x - o.lr / first * m / self.root(v, second, o.eps)

    def decayed(self, x: Data, g: Data, o: Any) -> tuple[Data, Data]:
        """Return x and g with the weight decay applied to one of them."""
        return x, g + o.weight_decay * x if o.weight_decay else g

    def root(self, v: Data, correction: float, eps: float) -> Data:
        """Return the root of v̂, kept from 0 by ε."""
        return (v / correction) ** 0.5 + eps


class AdamW(Adam):
    """Adam with the weight decay off the gradient: x shrinks by αλ (Loshchilov, Hutter 2019)."""

    elementwise = True

    def decayed(self, x: Data, g: Data, o: Any) -> tuple[Data, Data]:
        return x - o.lr * o.weight_decay * x, g


class SparseAdam(Adam):
    """Adam for tables: only the rows that have a gradient move, and only their averages.

    ε stands beside the root of v, before its correction, as in section 2 of the paper and in
    PyTorch's optimiser of this name.
    """

    takes_rows = elementwise = True

    def root(self, v: Data, correction: float, eps: float) -> Data:
        return (v**0.5 + eps) / correction**0.5


BY_NAME = {kind.__name__.lower(): kind for kind in (SGD, AdaGrad, RMSProp, Adam, AdamW, SparseAdam)}


def fan_in_groups(model: Any) -> list[dict[str, Any]]:
    """Return one group per neuron of `model`, its rate scaled by 1/√fan_in (Collobert 2004).

    Parameters that are in no neuron, such as those of an Embedding, are the last group, unscaled.
    """
    if not hasattr(model, "modules"):
        raise TypeError(f"fan_in_groups takes a Module, not {shorten(model)}")
    units = [module for module in model.modules() if hasattr(module, "fan_in")]
    left = {id(p): p for p in model.parameters()}
    groups = []
    for unit in units:
        own = [left.pop(id(p)) for p in unit.parameters() if id(p) in left]
        groups.append({"params": own, "scale": unit.fan_in**-0.5})
    return [*groups, {"params": [*left.values()]}] if left else groups
