"""Window scores with max-margin: 5 words × 4 dimensions, s = uᵀ tanh(Wx + b) (L3, L4, L11, L12).

A true window has a LOCATION at its centre, a corrupt one has not. Prints both scores, J and its
gradients; what is learned with and without the margin; and that a scorer of averaged vectors
cannot tell which word is at the centre. All of it is the package's tagger, on vectors drawn at
random:

    python demos/windows.py [windows.svg]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from micrograd import Value, grad, topological_order
from micrograd.ner.model.config import Config
from micrograd.ner.model.losses import Rule, Target
from micrograd.ner.model.network import Shape, forward, gather, initial
from micrograd.ner.training.engines import Batch, ScalarEngine
from micrograd.optim import SGD

TRUE = ["museums", "in", "Paris", "are", "amazing"]
CORRUPT = ["Not", "all", "museums", "in", "Paris"]
SWAPPED = ["museums", "Paris", "in", "are", "amazing"]
WORDS = sorted({*TRUE, *CORRUPT})
PARAMETERS = ("W", "b", "u")
Arrays = dict[str, Any]


def shape(**options: Any) -> Shape:
    """Return the lecture's sizes: x ∈ R²⁰, W ∈ R^{8×20}, b ∈ R⁸, u ∈ R⁸."""
    return Config(width=5, dim=4, features=(), hidden=8, **options).shape(1)


def start(sizes: Shape) -> Arrays:
    """Draw W and u by Xavier's rule, b = 0, and vectors unlike each other."""
    rng = np.random.default_rng(3)
    rows = {"E": len(WORDS)}
    return initial(sizes, rows, rng) | {"E": rng.normal(size=(len(WORDS), sizes.word_inputs))}


def places(*windows: list[str]) -> Any:
    """Return which rows of E some windows are made of, (windows, words, 1)."""
    return np.array([[[WORDS.index(word)] for word in window] for window in windows], np.int32)


def pair(true: list[str], corrupt: list[str]) -> Batch:
    """Return a true and a corrupt window to train on."""
    return Batch(places(true, corrupt), Target(np.zeros(0, np.int64), []))


def engine(sizes: Shape, delta: float = 1.0) -> ScalarEngine:
    """Return what records J of a pair as a graph and walks it backward."""
    return ScalarEngine(sizes, "margin", Rule(delta))


def scored(sizes: Shape, arrays: Arrays, window: list[str], noise: Any = 0.0) -> Any:
    """Return s of a window, its vectors disturbed by `noise`."""
    x = gather(sizes, arrays, places(window)) + noise
    return forward(sizes, x, arrays).s[:, 0]


def recorded(arrays: Arrays) -> tuple[Value, Value, Value]:
    """Return J, s and s_c of the pair (TRUE, CORRUPT) as Values."""
    J = engine(shape()).record(arrays, pair(TRUE, CORRUPT), {"E": WORDS})
    named = {value.label: value for value in topological_order(J)}
    return J, named["s"], named["s_c"]


def show_pair(when: str, arrays: Arrays) -> None:
    """Print J of the pair with its gradients to both scores."""
    J, s, s_c = recorded(arrays)
    ds, ds_c = grad(J, [s, s_c])
    numbers = f"{s.data:9.4f} {s_c.data:9.4f} {J.data:9.4f} {ds + 0:+9g} {ds_c + 0:+9g}"
    print(f"{when:16} {numbers}")


def trained(
    sizes: Shape, other: list[str], steps: int, delta: float = 1.0
) -> tuple[Arrays, list[float]]:
    """Train W, b, u on the pair (TRUE, other); return them and s − s_c before every step."""
    arrays, evaluate = start(sizes), engine(sizes, delta)
    optimizer = SGD({name: arrays[name] for name in PARAMETERS}, lr=0.01)
    gaps = []
    for _ in range(steps):
        gaps.append((scored(sizes, arrays, TRUE) - scored(sizes, arrays, other)).item())
        found = evaluate(arrays, pair(TRUE, other))
        optimizer.step(found.dense)  # empty at J = 0: there is nothing to update
    return arrays, gaps


def robustness(sizes: Shape, arrays: Arrays, samples: int = 2000) -> float:
    """Return the share of pairs still in order when noise disturbs the vectors."""
    noise = np.random.default_rng(0).normal(0, 0.2, (2, samples, sizes.inputs))
    s, s_c = (scored(sizes, arrays, w, n) for w, n in zip((TRUE, CORRUPT), noise))
    return float((s > s_c).mean())


def compare_margins(steps: int) -> dict[str, list[float]]:
    """Train with Δ = 0 and Δ = 1; print how far apart the scores get, and what that is worth."""
    print("\nloss                 J = 0 after    s − s_c   in order with noise in the vectors")
    curves = {}
    for delta in (0.0, 1.0):
        arrays, gaps = trained(shape(), CORRUPT, steps, delta)
        name = f"max(0, {delta:g} + s_c − s)"
        kept = robustness(shape(), arrays)
        done = sum(gap < delta for gap in gaps)
        print(f"{name:20} {done:5d} steps {gaps[-1]:10.4f} {kept:10.1%}")
        curves[f"Δ = {delta:g}"] = gaps
    print("Without the margin learning stops as soon as s is above s_c, by next to nothing.")
    return curves


def compare_averaging(steps: int) -> dict[str, list[float]]:
    """Train on a pair whose words are the same, two of them swapped."""
    print(f"\n{'window':31}  concatenated   averaged")
    curves, after = {}, []
    for name, average in (("concatenated", False), ("averaged", True)):
        arrays, curves[name] = trained(shape(average=average), SWAPPED, steps)
        after.append([scored(shape(average=average), arrays, w).item() for w in (TRUE, SWAPPED)])
    for window, concatenated, averaged in zip((TRUE, SWAPPED), *after):
        print(f"{' '.join(window):31} {concatenated:13.6f} {averaged:10.6f}")
    print("The average is the same for both windows, so nothing can be learned: s = s_c, J = 1.")
    return curves


def draw(margins: dict[str, list[float]], averaging: dict[str, list[float]], path: str) -> None:
    """Draw s − s_c against the steps."""
    from figures import STYLES, panels, save

    figure, axes = panels(2)
    titles = "Δ = 0 stops next to s = s_c", "two words swapped: the average cannot learn"
    for panel, title, curves in zip(axes, titles, (margins, averaging)):
        for style, (name, gaps) in zip(STYLES, curves.items()):
            panel.plot(gaps, label=name, **style, markevery=4)
        steps = len(gaps)
        panel.axhline(1, color="black", linewidth=0.8)
        panel.text(steps, 0.98, "from here on J = 0 with Δ = 1", ha="right", va="top")
        panel.set(title=title, xlabel="training step", ylabel="s − s_c", ylim=(None, 1.3))
        panel.legend(loc="center right")
    save(figure, path)


def main(path: str | None = None, steps: int = 40) -> None:
    """Print the pair, then both comparisons; draw them where a path is given."""
    arrays = start(shape())
    x = gather(shape(), arrays, places(TRUE))[0]
    sizes = [f"{name} {a.shape}" for name, a in {"x": x, **arrays}.items() if name != "E"]
    print(f"{'   '.join(sizes)}\ntrue: {' '.join(TRUE)}   corrupt: {' '.join(CORRUPT)}\n")
    print("                         s       s_c         J     ∂J/∂s   ∂J/∂s_c")
    show_pair("before training", arrays)
    show_pair("after it", trained(shape(), CORRUPT, steps)[0])
    print("While J > 0, s is pushed up and s_c down; at J = 0 there is nothing to update.")
    margins = compare_margins(steps)
    averaging = compare_averaging(steps)
    if path:
        draw(margins, averaging, path)


if __name__ == "__main__":
    main(*sys.argv[1:2])
