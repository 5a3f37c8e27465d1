"""Each δ kept and used again, against the chain rule written out for every weight (L6, L15, L31).

δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾) uses δ⁽ᵏ⁺¹⁾, which is there already. Written out, ∂J/∂W⁽ᵏ⁾ᵢⱼ is a
sum over all paths from the weight to J, every path a product of its factors. Both are done here,
for networks of growing depth, and the products counted:

    python demos/kept_errors.py kept_errors.svg
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import Value, topological_order
from micrograd.nn import MLP

WIDTH, DEPTHS = 3, (1, 2, 3, 4, 5)
FIGURE = (
    "Products for all gradients against the depth: δ kept, and every path written out",
    "求全部梯度的乘法次数随深度的变化：保留 δ，以及逐路径写出",
)


class Counted(NamedTuple):
    """The products of one sweep and of all paths, and how far their gradients are apart."""

    sweep: int
    paths: int
    apart: float


class Measured(NamedTuple):
    """What was counted at each depth."""

    by_depth: dict[int, Counted]
    first: Counted
    last: Counted
    growth: list[float]
    steps: list[int]


Users = dict[Value, list[tuple[Value, float]]]


def users(root: Value) -> Users:
    """Return the users of every node, each with the local gradient of the edge."""
    found: Users = {node: [] for node in topological_order(root)}
    for node in found:
        for operand, local in zip(node.parents, node.local_gradients()):
            found[operand].append((node, float(local)))
    return found


def written_out(node: Value, root: Value, of: Users) -> tuple[float, int]:
    """Return ∂root/∂node as a sum over paths, nothing kept, and the products it takes."""
    if node is root:
        return 1.0, 0
    total, products = 0.0, 0
    for user, local in of[node]:
        upstream, below = written_out(user, root, of)
        total += upstream * local
        products += below + 1
    return total, products


def counted(depth: int, seed: int) -> Counted:
    """Compute all gradients of a network both ways."""
    random.seed(seed)
    model = MLP(WIDTH, [WIDTH] * depth + [1], "tanh", fused=True)
    root = model([random.uniform(-1, 1) for _ in range(WIDTH)])
    root.backward()
    sweep, of = sum(1 for _ in root.steps()), users(root)
    found = [written_out(p, root, of) for p in model.parameters()]
    apart = max(abs(p.grad - g) for p, (g, _) in zip(model.parameters(), found))
    return Counted(sweep, sum(products for _, products in found), apart)


def measure(seed: int = 0) -> Measured:
    """Count at each depth."""
    by_depth = {depth: counted(depth, seed) for depth in DEPTHS}
    rows = list(by_depth.values())
    growth = [b.paths / a.paths for a, b in pairwise(rows)]
    return Measured(
        by_depth, rows[0], rows[-1], growth, [b.sweep - a.sweep for a, b in pairwise(rows)]
    )


def show(r: Measured) -> None:
    """Print the counts."""
    table(
        [
            t("hidden layers", "隐藏层数"),
            t("products, δ kept", "乘法次数，保留 δ"),
            t("every path", "逐路径"),
            t("gradients differ by", "梯度之差"),
        ],
        *([d, c.sweep, c.paths, f"{c.apart:.0e}"] for d, c in r.by_depth.items()),
        left=0,
    )


@claim("Both ways give the same gradients.", "两种做法得到的梯度相同。")
def the_gradients_are_equal(r: Measured) -> bool:
    return all(c.apart < 1e-12 for c in r.by_depth.values())


@claim(
    "With δ kept every further layer costs the same {r.steps[0]} products; path by path each "
    "multiplies the cost, at {r.last.paths} against {r.last.sweep} with five hidden layers.",
    "保留 δ 时每多一层都多 {r.steps[0]} 次乘法；逐路径时每层都成倍增加，"
    "五个隐藏层为 {r.last.paths} 对 {r.last.sweep}。",
)
def keeping_delta_makes_it_cheap(r: Measured) -> bool:
    return len(set(r.steps)) == 1 and min(r.growth) > WIDTH


def draw(r: Measured) -> Any:
    """Draw both counts against the depth."""
    from figures import STYLES, panels

    figure, (panel,) = panels()
    columns = (
        (t("δ kept: one sweep", "保留 δ：一次回传"), 0),
        (t("every path written out", "逐路径写出"), 1),
    )
    for style, (name, i) in zip(STYLES, columns):
        panel.semilogy(DEPTHS, [c[i] for c in r.by_depth.values()], label=name, **style)
    panel.set(
        xlabel=t("hidden layers of 3 units", "隐藏层数（每层 3 个单元）"),
        xticks=DEPTHS,
        ylabel=t("products for all gradients", "求全部梯度的乘法次数"),
        title=t(*FIGURE),
    )
    panel.legend()
    return figure


if __name__ == "__main__":
    run(__name__)
