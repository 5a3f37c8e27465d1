"""Every activation with its derivative, read off the rows of `micrograd.ops` (L20).

σ′ = σ(1 − σ), tanh′ = 1 − tanh², and so on: f′(z) is what an error is multiplied by on its way back
through a unit, and where it is near 0, the unit is saturated. An operation that is defined
everywhere, with slopes from 0 to 1, is drawn, so a new row appears by itself:

    python demos/activations.py activations.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stage import claim, run, t, table

from micrograd import Value
from micrograd.gradcheck import gradcheck
from micrograd.ops import REAL, ROWS, Row

POINTS = [i / 40 for i in range(-200, 201)]
NOTES = {"sigmoid", "tanh", "hard_tanh", "soft_sign", "relu", "leaky_relu"}
FIGURE = ("Each activation, solid, and its slope, dashed", "各激活函数（实线）及其斜率（虚线）")


class Curve(NamedTuple):
    """A row, its values and slopes at POINTS as the engine has them, and the checker's word."""

    row: Row
    values: list[float]
    slopes: list[float]
    checked: bool

    def at(self, x: float) -> tuple[float, float]:
        """Return value and slope at one of the points."""
        i = POINTS.index(x)
        return self.values[i], self.slopes[i]

    @property
    def name(self) -> str:
        """Return the row's name, with its constant."""
        return (
            f"{self.row.name}, k = {self.row.constants[-1]}"
            if self.row.constants
            else self.row.name
        )


class Measured(NamedTuple):
    """A curve for each activation."""

    curves: dict[str, Curve]


def curve(row: Row) -> Curve:
    """Return the curve of a row; a leak of 0.2 can be seen, the default of 0.01 cannot."""
    outs = [getattr(Value(x), row.name)(*row.constants[-1:]) for x in POINTS]
    slopes = [float(out.local_gradients()[0]) for out in outs]
    return Curve(row, [out.data for out in outs], slopes, bool(gradcheck(row, method="complex")))


def measure() -> Measured:
    """Compute the curves of the rows that can be a unit's non-linearity."""
    curves = [curve(row) for row in ROWS if row.domain == (REAL,)]
    return Measured({c.row.name: c for c in curves if all(0 <= slope <= 1 for slope in c.slopes)})


def show(r: Measured) -> None:
    """Print values, and slopes at 0 and far from it."""
    table(
        [
            t("activation", "激活函数"),
            "f(−4)",
            "f(0)",
            "f(4)",
            "f′(−4)",
            "f′(0)",
            "f′(4)",
            "f′(z) =",
        ],
        *(
            [
                c.name,
                *(f"{c.at(x)[0]:.3f}" for x in (-4.0, 0.0, 4.0)),
                *(f"{c.at(x)[1]:.4f}" for x in (-4.0, 0.0, 4.0)),
                c.row.local[0],
            ]
            for c in r.curves.values()
        ),
    )


@claim(
    "Every activation of the notes is there, and the checker accepts each slope.",
    "讲义中的每个激活函数都在其中，检查器接受每一个斜率。",
)
def the_notes_are_covered(r: Measured) -> bool:
    return {*r.curves} >= NOTES and all(c.checked for c in r.curves.values())


@claim(
    "Sigmoid lets at most a quarter of an error back, and at ±4 it and tanh less than a fiftieth.",
    "sigmoid 至多让四分之一的误差传回；在 ±4 处，它和 tanh 传回不到五十分之一。",
)
def sigmoid_and_tanh_saturate(r: Measured) -> bool:
    far = [r.curves[name].at(x)[1] for name in ("sigmoid", "tanh") for x in (-4.0, 4.0)]
    return max(r.curves["sigmoid"].slopes) == 0.25 and max(far) < 1 / 50


@claim(
    "ReLU lets all of it back or nothing; leaky ReLU always something.",
    "ReLU 要么全部传回，要么不传；leaky ReLU 总会传回一些。",
)
def relu_is_all_or_nothing(r: Measured) -> bool:
    return {*r.curves["relu"].slopes} == {0, 1} and min(r.curves["leaky_relu"].slopes) > 0


def draw(r: Measured) -> Any:
    """Draw one panel for each row."""
    from figures import BLUE, ORANGE, panels

    figure, axes = panels(4, -(-len(r.curves) // 4))
    for panel, c in zip(axes, r.curves.values()):
        panel.plot(POINTS, c.values, color=BLUE, linewidth=3)
        panel.plot(POINTS, c.slopes, color=ORANGE, linestyle="--", linewidth=3)
        panel.set(title=c.name, ylim=(-1.4, 2.4), xticks=(-4, 0, 4), yticks=(-1, 0, 1, 2))
    spare = axes[len(r.curves) :]
    for panel in spare:
        panel.set_axis_off()
    spare[0].text(0, 0.6, t("solid: f(z)", "实线：f(z)"), color=BLUE)
    spare[0].text(0, 0.3, t("dashed: f′(z)", "虚线：f′(z)"), color=ORANGE)
    return figure


if __name__ == "__main__":
    run(__name__)
