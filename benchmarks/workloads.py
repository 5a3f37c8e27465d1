"""The six workloads of `lowering.py`, written over single numbers; sizes are parameters.

moons, window and attention are programs as a user writes them; chain and random are what nobody
can vectorise by hand.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from micrograd import Value, dot, mean
from micrograd.nn import MLP, Layer

Nested = Any  # a Value, or lists of lists of Values


@dataclass(frozen=True, eq=False)
class Workload:
    """One workload: a function of a sample with a batch of samples, or a graph to record, or both.

    The loss of a batch is the mean of its samples' losses. `batch` holds one list per argument
    of `function`, its samples along the first axis; `record` builds the graph of the whole.
    `wrt_inputs`: gradients go to the inputs too.
    """

    name: str
    parameters: dict[str, Nested]
    function: Callable[..., Value] | None = None
    batch: tuple[list[Any], ...] = ()
    wrt_inputs: bool = False
    record: Callable[[], Value] | None = None

    @property
    def samples(self) -> list[tuple[Any, ...]]:
        """Return the samples of the batch."""
        return list(zip(*self.batch))

    def losses(self) -> Iterator[tuple[Value, tuple[Nested, ...]]]:
        """Yield the loss and the inputs of one sample after the other, as recorded graphs."""
        if self.function is None:
            yield self.record(), ()
        for sample in self.samples:
            inputs = tuple(map(as_values, sample))
            yield self.function(*inputs), inputs

    def recorded(self) -> Value:
        """Return the loss of the whole batch as one graph."""
        if self.record:
            return self.record()
        return mean([loss for loss, _ in self.losses()])

    def gradients(self) -> tuple[float, dict[str, Any]]:
        """Return the loss and its gradients by `backward()`, one sample's graph at a time."""
        for value in leaves(self.parameters.values()):
            value.grad = 0.0
        total, count = 0.0, max(1, len(self.samples))
        by_sample = []
        for loss, inputs in self.losses():
            loss.backward(1.0 / count)
            total += loss.data / count
            by_sample.append([grads(x) for x in inputs])
        found = {name: grads(nested) for name, nested in self.parameters.items()}
        if self.wrt_inputs:
            names = self.function.__code__.co_varnames
            found |= {n: list(column) for n, column in zip(names, zip(*by_sample))}
        return total, found


def mapped(function: Callable[[Any], Any], nested: Any) -> Any:
    """Return nested lists with `function` of every element."""
    if isinstance(nested, (list, tuple)):
        return [mapped(function, part) for part in nested]
    return function(nested)


as_values = partial(mapped, Value)
grads = partial(mapped, attrgetter("grad"))
numbers = partial(mapped, attrgetter("data"))


def leaves(nested: Nested) -> Iterator[Value]:
    """Yield every Value of nested lists."""
    if isinstance(nested, Value):
        yield nested
    else:
        for part in nested:
            yield from leaves(part)


def weights_of(layers: list[Layer]) -> dict[str, Nested]:
    """Return the parameters of layers as the notes name them: W1, b1, W2, b2."""
    named: dict[str, Nested] = {}
    for i, layer in enumerate(layers, 1):
        named[f"W{i}"] = [list(neuron.w) for neuron in layer.neurons]
        named[f"b{i}"] = [neuron.b for neuron in layer.neurons]
    return named


def moons(points: int = 100, hidden: int = 16, fused: bool = False, seed: int = 0) -> Workload:
    """Classify two half moons: MLP(2, [hidden, hidden, 1]), ReLU, hinge loss and L2 penalty."""
    random.seed(seed)
    model = MLP(2, [hidden, hidden, 1], fused=fused)
    weights = model.parameters()

    sides = [i % 2 for i in range(points)]
    batch = [moon(side) for side in sides], [2.0 * side - 1.0 for side in sides]

    def penalty() -> Value:
        return 1e-4 * sum(w * w for w in weights)

    def hinge(x: list[Value], target: Value | float) -> Value:
        return (1 - target * model(x)).relu()

    def loss(x: list[Value], target: Value) -> Value:
        return hinge(x, target) + penalty()

    def record() -> Value:
        losses = [hinge(as_values(x), target) for x, target in zip(*batch)]
        return sum(losses) * (1.0 / points) + penalty()

    return Workload("moons", weights_of(model.layers), loss, batch, record=record)


def moon(side: int) -> list[float]:
    """Return a point of the upper (0) or lower (1) half moon, with some noise."""
    angle = random.uniform(0, math.pi)
    x, y = math.cos(angle), math.sin(angle)
    x, y = (1 - x, 0.5 - y) if side else (x, y)
    return [random.gauss(x, 0.1), random.gauss(y, 0.1)]


def window(
    nin: int = 20, hidden: int = 8, pairs: int = 256, fused: bool = False, seed: int = 0
) -> Workload:
    """Score windows of words by u·tanh(Wx + b), true ones at least 1 above corrupt ones."""
    random.seed(seed)
    layer = Layer(nin, hidden, activation="tanh", fused=fused)
    for w in leaves([neuron.w for neuron in layer.neurons]):
        w.data /= math.sqrt(nin)
    u = [Value(random.uniform(-1, 1), label=f"u{i}") for i in range(hidden)]

    def score(x: list[Value]) -> Value:
        return dot(u, layer(x))

    def loss(x: list[Value], x_c: list[Value]) -> Value:
        return (1 - score(x) + score(x_c)).relu()

    batch = tuple([[random.gauss(0, 1) for _ in range(nin)] for _ in range(pairs)] for _ in "xc")
    return Workload(f"window {nin}-{hidden}", weights_of([layer]) | {"u": u}, loss, batch, True)


def chain(length: int = 100_000, seed: int = 0) -> Workload:
    """Multiply, add, tanh, and again: `length` operations, each on the result of the last."""
    random.seed(seed)
    start = Value(0.5, label="x")
    scales = [Value(random.uniform(0.5, 1.5), label=f"a{i}") for i in range(10)]
    shifts = [Value(random.uniform(-1, 1), label=f"b{i}") for i in range(10)]

    def record() -> Value:
        out = start
        for i in range(length):
            turn, kind = divmod(i, 3)
            scale, shift = scales[turn % 10], shifts[turn % 10]
            out = out.tanh() if kind == 2 else out + shift if kind else out * scale
        return out

    return Workload("chain", {"x": start, "a": scales, "b": shifts}, record=record)


def random_graph(nodes: int = 100_000, inputs: int = 1_000, seed: int = 0) -> Workload:
    """Combine earlier nodes, any of them, by add, mul, tanh and exp; add up what is left over."""
    random.seed(seed)
    leaf = [Value(random.uniform(-1, 1), label=f"x{i}") for i in range(inputs)]

    def record() -> Value:
        draw = random.Random(seed)
        made, unused = list(leaf), dict.fromkeys(leaf)
        while len(made) - inputs + len(unused) - 1 < nodes:
            out, operands = combined(draw, made)
            for x in operands:
                unused.pop(x, None)
            unused[out] = None
            made.append(out)
        return tree_sum(list(unused))

    return Workload("random", {"x": leaf}, record=record)


def combined(draw: random.Random, made: list[Value]) -> tuple[Value, tuple[Value, ...]]:
    """Return a new node and its operands; values stay between -10 and 10."""
    x, y, kind = draw.choice(made), draw.choice(made), draw.randrange(4)
    if kind == 0 and abs(x.data + y.data) < 10:
        return x + y, (x, y)
    if kind == 1 and abs(x.data * y.data) < 10:
        return x * y, (x, y)
    return (x.exp() if kind == 2 and x.data < 2 else x.tanh()), (x,)


def tree_sum(values: list[Value]) -> Value:
    """Return the sum of the values, added in pairs, then pairs of pairs."""
    while len(values) > 1:
        odd = values[len(values) & ~1 :]
        values = [x + y for x, y in zip(values[::2], values[1::2])] + odd
    return values[0]


def attention(
    width: int = 16, heads: int = 4, positions: int = 8, vocabulary: int = 27, seed: int = 0
) -> Workload:
    """Predict each next token by a transformer of one layer; the loss is the positions' mean."""
    draw = random.Random(seed)
    tokens = [draw.randrange(vocabulary) for _ in range(positions + 1)]

    def matrix(name: str, rows: int, columns: int) -> list[list[Value]]:
        return [
            [
                Value(draw.gauss(0, 1 / math.sqrt(columns)), label=f"{name}{i}_{j}")
                for j in range(columns)
            ]
            for i in range(rows)
        ]

    p = {"E": matrix("E", vocabulary, width), "P": matrix("P", positions, width)}
    p |= {name: matrix(name, width, width) for name in ("Wq", "Wk", "Wv", "Wo")}
    p |= {"W1": matrix("W1", 4 * width, width), "W2": matrix("W2", width, 4 * width)}
    p["U"] = matrix("U", vocabulary, width)

    def record() -> Value:
        keys: list[list[Value]] = []
        values: list[list[Value]] = []
        losses = []
        for position, (token, target) in enumerate(zip(tokens, tokens[1:])):  # noqa: RUF007
            x = added(p["E"][token], p["P"][position])
            normed = rms_norm(x)
            keys.append(times(p["Wk"], normed))
            values.append(times(p["Wv"], normed))
            mixed = attended(times(p["Wq"], normed), keys, values, heads)
            x = added(x, times(p["Wo"], mixed))
            active = [h.relu() ** 2 for h in times(p["W1"], rms_norm(x))]
            x = added(x, times(p["W2"], active))
            losses.append(cross_entropy(times(p["U"], rms_norm(x)), target))
        return total(losses) * (1.0 / positions)

    return Workload("attention", p, record=record)


def attended(
    query: list[Value], keys: list[list[Value]], values: list[list[Value]], heads: int
) -> list[Value]:
    """Return, head by head, the values so far, weighted by how well their keys fit the query."""
    size = len(query) // heads
    out = []
    for start in range(0, len(query), size):
        part = slice(start, start + size)
        weights = softmax([dot(query[part], key[part]) * size**-0.5 for key in keys])
        out += [dot(weights, column) for column in zip(*(value[part] for value in values))]
    return out


def softmax(scores: list[Value]) -> list[Value]:
    powers = [score.exp() for score in scores]
    whole = total(powers)
    return [power / whole for power in powers]


def cross_entropy(logits: list[Value], target: int) -> Value:
    return total([z.exp() for z in logits]).log() - logits[target]


def rms_norm(x: list[Value]) -> list[Value]:
    scale = (dot(x, x) * (1.0 / len(x)) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def times(rows: list[list[Value]], x: list[Value]) -> list[Value]:
    return [dot(row, x) for row in rows]


def added(x: list[Value], y: list[Value]) -> list[Value]:
    return [xi + yi for xi, yi in zip(x, y)]


def total(terms: list[Value]) -> Value:
    return sum(terms[1:], terms[0])


SMALL: dict[str, Callable[..., Workload]] = {
    "moons": lambda **options: moons(points=7, hidden=4, **options),
    "window-small": lambda **options: window(nin=6, hidden=3, pairs=5, **options),
    "window-large": lambda **options: window(nin=12, hidden=9, pairs=3, **options),
    "chain": lambda: chain(length=300),
    "random": lambda: random_graph(nodes=400, inputs=20),
    "attention": lambda: attention(width=8, heads=2, positions=4, vocabulary=5),
}
FULL: dict[str, Callable[..., Workload]] = {
    "moons": moons,
    "window-small": window,
    "window-large": lambda **options: window(nin=250, hidden=300, pairs=64, **options),
    "chain": chain,
    "random": random_graph,
    "attention": attention,
}
