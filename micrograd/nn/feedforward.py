"""Neurons, layers of neurons, networks of layers."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.core.checks import (
    NO_LISTS,
    check_flags,
    check_ordered,
    check_whole,
    is_list,
    is_several,
)
from micrograd.core.modes import MODE, SEPARATOR, mode, scope, scope_path
from micrograd.engine import (
    Inputs,
    Value,
    operand,
    record_weighted_sum,
    sum_of_products,
    weighted_sum,
)
from micrograd.near_misses import near_function
from micrograd.nn.module import Module
from micrograd.ops import BY_NAME
from micrograd.printing import counted, shorten

Activation = str | Callable[[Value], Value] | None
LINEAR = "linear"


def inputs(x: Any) -> Inputs:
    """Return the number or numbers `x` as Values. Raises TypeError where they are neither."""
    if isinstance(x, Value) or not is_several(x):
        return Inputs((operand(x),))
    if not isinstance(x, (bytes, bytearray)):  # the pixels of a picture
        check_ordered("inputs", x)
    return x if isinstance(x, Inputs) else Inputs(map(operand, x))


class Neuron(Module):
    """Compute f(w·x + b); `nonlin=False` leaves out f, the activation, `bias=False` b.

    `activation` is an operation of one operand by name, "linear", or a function of a Value. `fused`
    records w·x + b as one node in place of 2n, and then `w` is a tuple.
    Weights are drawn by `random.uniform(-1, 1)`, one call each, in order; the bias is 0.
    """

    scope, activation, fused = "", "relu", False
    b: Any

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        activation: Activation = "relu",
        fused: bool = False,
        bias: bool = True,
    ) -> None:
        check_size(nin, "inputs")
        check_flags(nonlin=nonlin, fused=fused, bias=bias)
        weights = (parameter(random.uniform(-1, 1), f"w{i}") for i in range(nin))
        self.w: Any = tuple(weights) if fused else list(weights)
        self.b = parameter(0.0, "b") if bias else None
        self.activation = checked(activation)
        self.nonlin = bool(nonlin) and self.activation != LINEAR
        self.fused, self.scope = fused, MODE.scope

    @property
    def fan_in(self) -> int:
        """Return the number of inputs."""
        return len(self.w)

    def __call__(self, x: Any) -> Value:
        """Return f(w·x + b). Raises ValueError where the number of inputs is wrong."""
        weights, values = self.w, x if x.__class__ is Inputs else inputs(x)
        if len(values) != len(weights):
            raise ValueError(
                f"{self!r}{f' in {self.scope}' if self.scope else ''} takes "
                f"{counted(len(weights), 'input')}, not {len(values)}"
            )
        here = mode()
        own = nested(here.scope, self.scope) if here.scope else self.scope
        try:  # all in one place: calls in between would double the cost of a fused neuron
            if self.fused:
                total = record_weighted_sum(tuple(weights), values, self.b, own)
            else:
                total = sum_of_products(weights, values, self.b, own)
        except AttributeError:  # there is no b, or numbers were assigned to w or b
            with scope_path(own):
                total = self._uncommon_sum(values)
        if not self.nonlin:
            return total
        f: Any = self.activation
        if f.__class__ is str and not here.special:
            out: Value = getattr(total, f)()
            out.scope = own
            return out
        with scope_path(own):
            return f(total) if callable(f) else getattr(total, f)()  # type: ignore[no-any-return]

    def _uncommon_sum(self, values: Inputs) -> Value:
        """Return w·x + b where not all of w and b are Values."""
        weights = [operand(weight) for weight in self.w]
        if self.fused:
            return weighted_sum(weights, values, None if self.b is None else operand(self.b))
        first = weights[0] * values[0] if self.b is None else operand(self.b)
        rest = int(self.b is None)
        return sum_of_products(weights[rest:], values[rest:], first)

    def __repr__(self) -> str:
        return f"{shown(self.activation) if self.nonlin else 'Linear'}Neuron({len(self.w)})"


_CALL = Neuron.__call__  # a neuron with a call of its own takes what was given


class Layer(Module):
    """Apply `nout` neurons to the same inputs: z = Wx + b, a = f(z).

    `options` go to every Neuron. Returns a list, or the bare Value where there is one neuron.
    """

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        check_size(nout, "neurons")
        kind, taken = part(Neuron, options)
        self.neurons = [made(f"neuron {i}", kind, nin, **taken) for i in range(nout)]

    def __call__(self, x: Any) -> Any:
        """Return the outputs of the neurons, of one neuron the bare Value."""
        values = inputs(x)
        given = x if is_list(x) else values  # an iterator is used up by now
        out = [n(values if type(n).__call__ is _CALL else given) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Apply layers of `nouts` neurons, one after the other.

    `activation` goes to every layer but the last, which is linear; a list gives one per layer.
    `fused` and other `options`, those of a Neuron, go to every layer.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: Activation | Sequence[Activation] = "relu",
        fused: bool = False,
        **options: Any,
    ) -> None:
        if isinstance(nouts, (str, *NO_LISTS)) or not is_several(nouts):
            raise TypeError(
                f"an MLP takes its layers' sizes as a list, like [4, 1], not {shorten(nouts)}"
            )
        sizes = [nin, *nouts]
        each = per_layer(activation, len(sizes) - 1)
        self.layers = []
        for i, f in enumerate(each):
            kind, taken = part(Layer, {"activation": f, "fused": fused, **options})
            self.layers.append(made(f"layer {i}", kind, sizes[i], sizes[i + 1], **taken))

    def __call__(self, x: Any) -> Any:
        """Return what the last layer gives."""
        for layer in self.layers:
            x = layer(x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


# A program may put classes of its own into micrograd.nn: they are used where micrograd uses them.
_INIT = {Neuron: Neuron.__init__, Layer: Layer.__init__}


def now(name: str) -> Any:
    """Return what is called `name` in micrograd.nn now."""
    return getattr(sys.modules["micrograd.nn"], name)


def parameter(number: float, label: str) -> Value:
    """Return a leaf of the class that is Value now."""
    leaf: Value = now("Value")(number)
    leaf.label = label
    return leaf


def part(ours: type[Module], options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the class that is Neuron or Layer now, and its options.

    One that is not `ours` knows micrograd's own, `nonlin`, and is given others where they are used.
    """
    kind, activation = now(ours.__name__), options.get("activation", "relu")
    if kind.__init__ is _INIT[ours]:
        return kind, options
    taken = {name: options[name] for name in options if name != "activation"}
    if not taken.get("fused", True):
        del taken["fused"]
    if activation in ("relu", LINEAR, None):
        nonlin = options.get("nonlin", True) and activation == "relu"
        return kind, {**taken, "nonlin": nonlin}
    return kind, {**taken, "activation": activation}


def made(name: str, kind: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return a `kind` whose parameters and nodes carry the scope `name`."""
    with scope(name):
        return kind(*arguments, **options)


def check_size(size: Any, what: str) -> None:
    """Raise TypeError where a number of inputs or neurons is no integer, ValueError below 1."""
    check_whole(f"the number of {what}", size, 1)


def nested(outer: str, own: str) -> str:
    """Return the scope `own` within `outer`, unless it was made there and says so itself."""
    inside = (own + SEPARATOR).startswith(outer + SEPARATOR)
    return own if inside else f"{outer}{SEPARATOR}{own}" if own else outer


def checked(activation: Activation) -> Any:
    """Return `activation`, LINEAR for None. Raises ValueError where it names no operation."""
    if activation is None or (isinstance(activation, str) and activation == LINEAR):
        return LINEAR
    known = [row.name for row in BY_NAME.values() if row.arity == 1]
    if callable(activation) or (isinstance(activation, str) and activation in known):
        return activation
    near = near_function(activation) if isinstance(activation, str) else ""
    raise ValueError(
        f"there is no activation {shorten(activation)}{near}; give a function of a Value, "
        f"'{LINEAR}', or one of {', '.join(known)}"
    )


def shown(activation: Any) -> str:
    """Return the name of an activation as `repr` shows it: ReLU, Tanh."""
    if callable(activation):
        return getattr(activation, "__name__", type(activation).__name__)
    symbol = BY_NAME[activation].symbol
    return symbol[0].upper() + symbol[1:]


def per_layer(activation: Any, count: int) -> list[Activation]:
    """Return one activation per layer. Raises ValueError where a list is of another length."""
    if activation is None or isinstance(activation, str) or callable(activation):
        checked(activation)  # a single layer, which is linear, does not look at it
        return [activation] * (count - 1) + [LINEAR] * (count > 0)
    check_ordered("activations", activation)
    if not is_several(activation):
        checked(activation)
    if len(activation) != count:
        raise ValueError(
            f"{counted(len(activation), 'activation')} for {counted(count, 'layer')}: "
            f"{shorten(activation)}"
        )
    return list(activation)
