"""What initialisation does to a deep network: variance of activations and gradients (L22).

Ten layers of 40 tanh units. Xavier's rule draws W from U[−√(6/(fan_in + fan_out)), +√(…)], so that
Var(W) = 2/(fan_in + fan_out), and b = 0. Weights too small let the signal fade on its way forward
and the gradient on its way back; too large, and the units saturate; all 0, and nothing passes:

    python demos/initialisation.py initialisation.svg
"""

from __future__ import annotations

import random
from statistics import pvariance
from typing import Any, NamedTuple

from stage import claim, low, run, t, table

from micrograd import Value
from micrograd.init import initialise
from micrograd.nn import MLP

DEPTH, WIDTH, SAMPLES = 10, 40, 6
RULES = {
    "normal": ("N(0, 0.01²): too small", "N(0, 0.01²)：过小"),
    "xavier_uniform": ("Xavier, uniform", "Xavier，均匀分布"),
    "xavier_normal": ("Xavier, normal", "Xavier，正态分布"),
    "large": ("U(−1, 1): too large", "U(−1, 1)：过大"),
    "zero": ("all 0", "全 0"),
}
FIGURE = (
    "The variance of activations and of gradients, layer by layer, for four rules",
    "四种初始化下各层激活与梯度的方差",
)


class Variances(NamedTuple):
    """Variances per layer, and the share of saturated units in all of them, |h| > 0.95."""

    activations: list[float]
    gradients: list[float]
    saturated: float

    @property
    def spread(self) -> float:
        """Return the largest ratio between two layers, of activations or gradients."""
        return max(max(column) / (min(column) or 1e-300) for column in self[:2])


class Measured(NamedTuple):
    """The variances by rule, and that of Xavier's weights themselves times (fan_in + fan_out)/2."""

    rules: dict[str, Variances]
    weights: float


def network(rule: str, seed: int) -> MLP:
    """Return tanh layers, their weights drawn by `rule`; "large" leaves those of Neuron itself."""
    random.seed(seed)
    model = MLP(WIDTH, [WIDTH] * DEPTH, activation=["tanh"] * DEPTH, fused=True)
    return model if rule == "large" else initialise(model, rule, seed=seed)


def variances(model: MLP, seed: int) -> Variances:
    """Return the variances after passes forward and back from noise."""
    rng = random.Random(seed)
    each: list[list[Value]] = [[] for _ in model.layers]
    for _ in range(SAMPLES):
        h: Any = [rng.gauss(0, 1) for _ in range(WIDTH)]
        for layer, units in zip(model.layers, each):
            h = layer(h)
            units += h
        sum(unit * rng.gauss(0, 1) for unit in h).backward()
    units = [unit for layer in each for unit in layer]
    return Variances(
        [pvariance(u.data for u in layer) for layer in each],
        [pvariance(u.grad for u in layer) for layer in each],
        sum(abs(u.data) > 0.95 for u in units) / len(units),
    )


def measure(seed: int = 22) -> Measured:
    """Measure each rule."""
    drawn = [w.data for w in network("xavier_uniform", seed).weights()]
    rules = {rule: variances(network(rule, seed), seed) for rule in RULES}
    return Measured(rules, pvariance(drawn) * WIDTH)


def show(r: Measured) -> None:
    """Print both variances in the first, a middle and the last layer."""
    places = (0, DEPTH // 2, DEPTH - 1)
    table(
        [
            t("variances in layers", "各层的方差"),
            *(f"h{low(place + 1)}" for place in places),
            *(f"∂J/∂h{low(place + 1)}" for place in places),
            t("saturated", "饱和"),
        ],
        *(
            [
                t(*RULES[rule]),
                *(f"{column[p]:.0e}" for column in v[:2] for p in places),
                f"{v.saturated:.0%}",
            ]
            for rule, v in r.rules.items()
        ),
    )


@claim(
    "Xavier's weights have the variance 2/(fan_in + fan_out), times {r.weights:.2f}.",
    "Xavier 权重的方差是 2/(fan_in + fan_out) 的 {r.weights:.2f} 倍。",
)
def xavier_has_its_variance(r: Measured) -> bool:
    return abs(r.weights - 1) < 0.05


@claim(
    "Only Xavier's rules keep both variances within a factor of 30 over ten layers, and not by "
    "saturation.",
    "只有 Xavier 能在十层之内把两种方差都保持在 30 倍以内，而且不靠饱和。",
)
def only_xavier_keeps_both(r: Measured) -> bool:
    kept = {rule for rule, v in r.rules.items() if v.spread < 30 and v.saturated < 0.1}
    return kept == {"xavier_uniform", "xavier_normal"}


@claim(
    "With weights all 0 no activation and, below the last layer, no gradient is left.",
    "权重全为 0 时，没有激活，最后一层以下也没有梯度。",
)
def zeros_pass_nothing(r: Measured) -> bool:
    zero = r.rules["zero"]
    return not any(zero.activations) and not any(zero.gradients[:-1]) and zero.gradients[-1] > 0


def draw(r: Measured) -> Any:
    """Draw both variances against the layer; 0 cannot be drawn on a logarithmic axis."""
    from figures import STYLES, panels

    figure, axes = panels(2)
    shown = {rule: v for rule, v in r.rules.items() if rule != "zero"}
    for (rule, v), style in zip(shown.items(), STYLES):
        for panel, column in zip(axes, v):
            panel.semilogy(range(1, DEPTH + 1), column, label=t(*RULES[rule]), **style)
    titles = (
        t("activations h, forward →", "激活 h，前向 →"),
        t("gradients ∂J/∂h, ← back", "梯度 ∂J/∂h，← 反向"),
    )
    for panel, title in zip(axes, titles):
        panel.set(
            title=title,
            xlabel=t("layer", "层"),
            ylabel=t("variance", "方差"),
            xticks=range(1, DEPTH + 1),
        )
    axes[0].legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(__name__)
