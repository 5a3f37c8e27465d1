"""Window models side by side: the simplest, softmax, and what the margin scorer owes to what (L37).

p(y|x) = exp(W_y·x) / Σ exp(W_c·x) on the window's vectors is the first model to try; the margin
scorer J = Σ max(0, Δ + s_c − s) sees K corrupt windows per true one. Each row changes one thing,
and is trained on the package's corpus; F1 is by entity, of LOC alone:

    python demos/window_table.py window_table.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd.ner import Tagger, defaults, shipped

EPOCHS = 4
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "margin": ("margin", {}),
    "averaged": ("margin", {"average": True}),
    "Δ = 0": ("margin", {"delta": 0.0}),
    "K = 1": ("margin", {"corrupt": 1}),
    "K = 20": ("margin", {"corrupt": 20}),
    "softmax": ("softmax", {}),
}
NAMES = {
    "margin": ("margin scorer: concatenated, Δ = 1, K = 5", "间隔评分：拼接，Δ = 1，K = 5"),
    "averaged": ("its window averaged", "窗口取平均"),
    "Δ = 0": ("without the margin, Δ = 0", "没有间隔，Δ = 0"),
    "K = 1": ("one corrupt window per true one, K = 1", "每个真窗口一个假窗口，K = 1"),
    "K = 20": ("twenty of them, K = 20", "二十个假窗口，K = 20"),
    "softmax": ("softmax over all tags", "对所有标签的 softmax"),
}
FIGURE = ("F1 of LOC on the test set, for six window models", "六种窗口模型在测试集上的 LOC F1")


class Measured(NamedTuple):
    """F1 of LOC by model."""

    f1: dict[str, float]


def measure(seed: int = 0, epochs: int = EPOCHS) -> Measured:
    """Train each model for a few epochs."""
    return Measured({name: trained(*how, seed, epochs) for name, how in MODELS.items()})


def trained(kind: str, changes: dict[str, Any], seed: int, epochs: int) -> float:
    """Return the F1 of LOC on the test set."""
    corpus = shipped()
    config, training = defaults(kind, epochs=epochs, seed=seed, **changes)
    tagger = Tagger(config)
    tagger.fit(corpus.train.sentences, corpus.dev.sentences, training)
    types = tagger.evaluate(corpus.test.sentences).entities.types
    return types["LOC"].f1 if "LOC" in types else 0.0


def show(r: Measured) -> None:
    """Print the table."""
    table(
        [t("model", "模型"), "F1, LOC"],
        *([t(*NAMES[name]), f"{f1:.1f}"] for name, f1 in r.f1.items()),
    )


@claim(
    "Averaged windows are far behind: {r.f1[averaged]:.1f} against {r.f1[margin]:.1f}.",
    "窗口取平均远远落后：{r.f1[averaged]:.1f} 对 {r.f1[margin]:.1f}。",
)
def averaging_loses_positions(r: Measured) -> bool:
    return r.f1["averaged"] < r.f1["margin"] - 20


@claim(
    "Softmax, the simplest, is above the margin scorer or less than 15 points below it: "
    "{r.f1[softmax]:.1f} against {r.f1[margin]:.1f}.",
    "最简单的 softmax 高于间隔评分，或低不到 15 分：{r.f1[softmax]:.1f} 对 {r.f1[margin]:.1f}。",
)
def softmax_is_a_fair_first_model(r: Measured) -> bool:
    return r.f1["softmax"] > r.f1["margin"] - 15


def draw(r: Measured) -> Any:
    """Draw the table as bars."""
    from figures import BLUE, panels

    figure, (panel,) = panels()
    bars = panel.barh([t(*NAMES[name]) for name in r.f1], list(r.f1.values()), color=BLUE)
    panel.bar_label(bars, [f"{f1:.1f}" for f1 in r.f1.values()], padding=5)
    panel.invert_yaxis()
    panel.set(xlim=(0, 100), xlabel="F1, LOC", title=t(*FIGURE))
    return figure


if __name__ == "__main__":
    run(__name__)
