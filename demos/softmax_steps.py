"""Softmax in two steps, the cross-entropy, and ∂J/∂f = p − y read off the graph (L10, L28).

1. a score for every class, f_c = W_c · x; 2. p_c = exp(f_c) / Σ exp(f_c′), which sums to 1. Then
H(p, q) = −Σ p(c) log q(c) between the true distribution and the computed one: with all of p on the
class y, −log q(y) is left. J is its mean over N examples. ∂J/∂f = q − p; the notes call the
computed one p and the true one y, and write p − y; a lowered program has it as a line. The picture
is the graph of one example, from its scores on:

    python demos/softmax_steps.py softmax_steps.svg
"""

from __future__ import annotations

import math
import random
import re
from typing import NamedTuple

from stage import claim, labelled, run, say, t, table

from micrograd import Value, dot, mean
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.nn import one_hot
from micrograd.render import render

X, CLASSES = (1.0, -2.0, 0.5), ("PER", "LOC", "ORG")
ENDING = ".svg"


class Example(NamedTuple):
    """The graph of one example: scores, exponentials, probabilities, and the loss −log q_y."""

    f: list[Value]
    exp: list[Value]
    q: list[Value]
    y: int
    loss: Value


class Measured(NamedTuple):
    """One example with its gradients ∂J/∂f, and N of them with J and the gradients of J."""

    one: Example
    grads: list[float]
    long: float  # H(p, q) with its whole sum
    losses: list[float]
    J: float
    mean_grads: list[list[float]]
    minus: list[list[float]]  # (q − y) / N
    line: str  # of the lowered program: ∂J/∂f of all examples


def example(W: list[list[float]], x: tuple[float, ...], y: int) -> Example:
    """Record both steps and the loss."""
    return of_scores([labelled(dot(row, x), f"f_{name}") for row, name in zip(W, CLASSES)], y)


def of_scores(f: list[Value], y: int) -> Example:
    """Record the second step and the loss."""
    powers = [labelled(score.exp(), f"exp f_{name}") for score, name in zip(f, CLASSES)]
    total = labelled(sum(powers[1:], powers[0]), "Σ")
    q = [labelled(part / total, f"q_{name}") for part, name in zip(powers, CLASSES)]
    return Example(f, powers, q, y, labelled(-q[y].log(), "J"))


def measure(seed: int = 3, n: int = 4) -> Measured:
    """Compute one example step by step, and the mean of n."""
    rng = random.Random(seed)
    W = [[rng.uniform(-1, 1) for _ in X] for _ in CLASSES]
    one = example(W, X, 1)
    one.loss.backward()
    long = -sum((c == one.y) * math.log(q.data) for c, q in enumerate(one.q))
    data = [(tuple(rng.uniform(-1, 1) for _ in X), rng.randrange(3)) for _ in range(n)]
    many = [example(W, x, y) for x, y in data]
    J = mean([m.loss for m in many])
    J.backward()
    minus = [[(q.data - (c == m.y)) / n for c, q in enumerate(m.q)] for m in many]
    V = [[Value(w, label="W") for w in row] for row in W]
    program = lower(lambda x, y: cross_entropy([dot(w, x) for w in V], one_hot(y, 3)), X, 1)
    (line,) = (line for line in program.source.splitlines() if line.startswith("    delta = "))
    return Measured(
        one,
        [f.grad for f in one.f],
        long,
        [m.loss.data for m in many],
        J.data,
        [[f.grad for f in m.f] for m in many],
        minus,
        line.partition("#")[0].strip(),
    )


def show(r: Measured) -> None:
    """Print both steps, and the gradient."""
    one = r.one
    table(
        [t("class", "类别"), "f", "exp f", "q", "p", "∂J/∂f", "q − p"],
        *(
            [
                name,
                f"{f.data:.4f}",
                f"{e.data:.4f}",
                f"{q.data:.4f}",
                int(c == one.y),
                f"{g:.4f}",
                f"{q.data - (c == one.y):.4f}",
            ]
            for c, (name, f, e, q, g) in enumerate(zip(CLASSES, one.f, one.exp, one.q, r.grads))
        ),
    )
    say(f"H(p, q) = −Σ p log q = −log q_{CLASSES[one.y]} = {one.loss.data:.4f}")
    total = " + ".join(f"{x:.3f}" for x in r.losses)
    say(f"J = (1/N) Σ −log q_y = ({total}) / {len(r.losses)} = {r.J:.4f}")
    say(t("lowered, for all N:", "降级程序，对全部 N 个样本："), r.line)


@claim(
    "The exponentials, divided by their sum, are above 0 and sum to 1.",
    "指数除以它们的和之后，都大于 0，且总和为 1。",
)
def probabilities_sum_to_1(r: Measured) -> bool:
    return abs(sum(q.data for q in r.one.q) - 1) < 1e-12 and all(q.data > 0 for q in r.one.q)


@claim(
    "Of H(p, q) only −log q_y is left, and `cross_entropy` gives the same.",
    "H(p, q) 只剩下 −log q_y 一项，`cross_entropy` 的结果相同。",
)
def one_hot_leaves_one_term(r: Measured) -> bool:
    library = cross_entropy([f.detach() for f in r.one.f], r.one.y).data
    return abs(r.long - r.one.loss.data) < 1e-12 and abs(library - r.long) < 1e-12


@claim(
    "Read off the graph, ∂J/∂f = q − p: the computed distribution minus the true one.",
    "从图上读出 ∂J/∂f = q − p：算出的分布减去真实分布。",
)
def the_gradient_is_the_difference(r: Measured) -> bool:
    return all(
        abs(g - (q.data - (c == r.one.y))) < 1e-12 for c, (g, q) in enumerate(zip(r.grads, r.one.q))
    )


@claim(
    "J is the mean over N = 4 examples, and each has 1/N of its gradient.",
    "J 是 N = 4 个样本的平均，每个样本的梯度占 1/N。",
)
def the_mean_divides_gradients(r: Measured) -> bool:
    apart = [abs(a - b) for left, right in zip(r.mean_grads, r.minus) for a, b in zip(left, right)]
    return len(r.losses) == 4 and abs(r.J - sum(r.losses) / 4) < 1e-12 and max(apart) < 1e-12


@claim(
    "Lowered to arrays, the difference is one line: softmax less the target, divided by N.",
    "在降级程序里，这个差是一行：softmax 减去目标，再除以 N。",
)
def the_program_has_the_difference(r: Measured) -> bool:
    return bool(re.fullmatch(r"delta = \(t\d+ / t\d+\[:, None\] - one_hot\) / B", r.line))


def page(r: Measured, path: str) -> None:
    """Draw the graph of one example, from its scores on."""
    drawn = of_scores([Value(f.data, label=f.label) for f in r.one.f], r.one.y)
    drawn.loss.backward()
    render(drawn.loss).save(path)


if __name__ == "__main__":
    run(__name__)
