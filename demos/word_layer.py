"""Word vectors as a layer: x = Le, e one-hot, and all that is trained, θ ∈ R^{Cd + Vd} (L29).

L ∈ R^{d×V} has a column for every word. Le picks the column of the word that e marks, so a look-up
gives the same x, and the same gradients: ∂J/∂L = (∂J/∂x) eᵀ is 0 in every other column. With W ∈
R^{C×d} on top, the parameters are W and L together:

    python demos/word_layer.py word_layer.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, dot
from micrograd.losses import cross_entropy
from micrograd.nn import Embedding, one_hot

V, D, C = 6, 3, 2  # words, numbers of each, classes
WORD, CLASS = 4, 1
FIGURE = (
    "L, the one-hot e, x = Le, and the gradient of L by the product and by the look-up",
    "L、独热向量 e、x = Le，以及用乘积和查表得到的 L 的梯度",
)


class Way(NamedTuple):
    """x, J, and the gradients of L (d, V) and W (C, d), by one way."""

    x: Any
    J: float
    dL: Any
    dW: Any
    products: int  # of single numbers, to get x


class Measured(NamedTuple):
    """L and e, both ways, and the number of parameters."""

    L: Any
    e: Any
    product: Way
    lookup: Way
    parameters: int
    vocabulary: float  # the share of the parameters that is L, for a real vocabulary


def by_product(table: Embedding, W: Any) -> Way:
    """Compute x = Le as a matrix product."""
    e = one_hot(WORD, V)
    x = [dot(row, e) for row in zip(*table.rows)]
    return finished(table, W, x, V * D)


def by_lookup(table: Embedding, W: Any) -> Way:
    """Take x from its row of the table, which is the column of L."""
    return finished(table, W, table(WORD), 0)


def finished(table: Embedding, W: Any, x: list[Value], products: int) -> Way:
    """Return the loss of x, with the gradients."""
    for parameter in (*table.parameters(), *(w for row in W for w in row)):
        parameter.grad = 0.0
    J = cross_entropy([dot(row, x) for row in W], CLASS)
    J.backward()
    dL = np.array([[v.grad for v in row] for row in table.rows]).T
    return Way(
        np.array([v.data for v in x]),
        J.data,
        dL,
        np.array([[w.grad for w in row] for row in W]),
        products,
    )


def measure(seed: int = 1) -> Measured:
    """Classify a word by both ways."""
    random.seed(seed)
    words = Embedding(V, D)
    W = [[Value(random.gauss(0, 1)) for _ in range(D)] for _ in range(C)]
    L = np.array([[v.data for v in row] for row in words.rows]).T
    e = np.array([v.data for v in one_hot(WORD, V)])
    count = len(words.parameters()) + sum(map(len, W))
    real = 100_000 * 300 / (100_000 * 300 + 5 * 300)
    return Measured(L, e, by_product(words, W), by_lookup(words, W), count, real)


def show(r: Measured) -> None:
    """Print x and J by both ways."""
    table(
        ["", *(f"x{i}" for i in "₁₂₃"), "J", t("products", "乘法次数")],
        *(
            [name, *(f"{x:.4f}" for x in way.x), f"{way.J:.4f}", way.products]
            for name, way in (("Le", r.product), (t("look-up", "查表"), r.lookup))
        ),
    )


@claim(
    "x = Le and the look-up have the same value, loss and gradients.",
    "x = Le 与查表的值、损失与梯度都相同。",
)
def a_lookup_is_a_product(r: Measured) -> bool:
    return all(np.allclose(a, b, rtol=0, atol=1e-15) for a, b in zip(r.product[:4], r.lookup[:4]))


@claim("Only the column of the word has a gradient.", "只有这个词所在的列有梯度。")
def only_one_column_has_a_gradient(r: Measured) -> bool:
    return [bool(column.any()) for column in r.lookup.dL.T] == [i == WORD for i in range(V)]


@claim(
    "θ has Cd + Vd = {r.parameters} numbers; with 100,000 words of 300 numbers and 5 classes, "
    "{r.vocabulary:.3%} of them are word vectors.",
    "θ 共有 Cd + Vd = {r.parameters} 个数；若有 100,000 个 300 维的词和 5 个类别，"
    "其中 {r.vocabulary:.3%} 是词向量。",
)
def most_parameters_are_words(r: Measured) -> bool:
    return r.parameters == C * D + V * D and r.vocabulary > 0.999


def draw(r: Measured) -> Any:
    """Draw L, e, x and the gradient."""
    from figures import matrix, panels

    figure, axes = panels(2, 2, width_ratios=[4, 1])
    matrix(axes[0], r.L, t("L: a column for each of 6 words", "L：6 个词各一列"), 2)
    matrix(axes[1], r.product.x[:, None], "x = Le", 2)
    matrix(axes[2], r.lookup.dL, t("∂J/∂L: one column", "∂J/∂L：只有一列"), 0.5)
    matrix(axes[3], r.e[:, None], "e", 1)
    return figure


if __name__ == "__main__":
    run(__name__)
