"""A neuron, the same with its bias folded in, and a layer of neurons, drawn (L1, L2).

A neuron computes a = σ(wᵀx + b); with a 1 appended to x the bias is one more weight,
a = σ([wᵀ b] · [x; 1]). A layer stacks neurons: z = Wx + b, a = f(z). With a path, writes
three pictures: picture-neuron.svg, picture-folded.svg, picture-layer.svg:

    python demos/neuron.py [picture.svg]
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from micrograd import Value, weighted_sum
from micrograd.nn import Layer, Neuron
from micrograd.render import render

X = (0.5, -1.0)


def inputs() -> list[Value]:
    """Return x as Values."""
    return [Value(x, label=f"x{i}") for i, x in enumerate(X)]


def neuron() -> tuple[Neuron, Value]:
    """Return a sigmoid neuron, and its output for x."""
    random.seed(1)
    unit = Neuron(2, activation="sigmoid")
    unit.b.data = 0.25
    return unit, labelled(unit(inputs()), "a")


def folded(unit: Neuron) -> tuple[list[Value], Value]:
    """Return [wᵀ b] of the neuron as one list of weights, and its output for [x; 1]."""
    weights = [labelled(p.detach(), p.label) for p in (*unit.w, unit.b)]
    z = labelled(weighted_sum(weights, [*inputs(), Value(1, label="1")]), "z")
    return weights, labelled(z.sigmoid(), "a")


def layer() -> tuple[Layer, Value]:
    """Return a layer of three neurons, and s, the sum of its outputs for x."""
    random.seed(2)
    units = Layer(2, 3, activation="sigmoid")
    outs = [labelled(a, f"a{i}") for i, a in enumerate(units(inputs()))]
    return units, labelled(sum(outs[1:], outs[0]), "s")


def labelled(value: Value, label: str) -> Value:
    """Return the Value with this label."""
    value.label = label
    return value


def report(unit: Neuron, a: Value, weights: list[Value], same: Value, units: Layer) -> None:
    """Print that both forms agree in value and gradients, and the W and b of the layer."""
    a.backward()
    same.backward()
    print(f"{'':<22}{'a':>10}{'∂a/∂w0':>10}{'∂a/∂w1':>10}{'∂a/∂b':>10}")
    rows = [("σ(wᵀx + b)", a, [*unit.w, unit.b]), ("σ([wᵀ b] · [x; 1])", same, weights)]
    for form, out, parameters in rows:
        print(f"{form:<22}{out.data:10.6f}" + "".join(f"{p.grad:10.6f}" for p in parameters))
    print("The bias is a weight whose input is always 1.\n")
    print("a layer of 3: z = Wx + b, W (3, 2), b (3,)")
    for row in units.neurons:
        print("  W " + "".join(f"{w.data:9.4f}" for w in row.w) + f"    b {row.b.data:7.4f}")


def main(path: str | None = None) -> tuple[Value, Value, Value]:
    """Print the report; write the pictures where a path is given; return what they draw."""
    unit, a = neuron()
    weights, same = folded(unit)
    units, s = layer()
    report(unit, a, weights, same, units)
    if path:
        pictures = {"neuron": render(a), "folded": render(same), "layer": render(s, level="neuron")}
        for name, picture in pictures.items():
            file = Path(path)
            print(f"wrote {picture.save(file.with_stem(f'{file.stem}-{name}'))}")
    return a, same, s


if __name__ == "__main__":
    main(*sys.argv[1:2])
