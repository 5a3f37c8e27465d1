"""Mean subtraction, normalisation and whitening, by the statistics of the training set (L21).

X′ = X − mean(X); divided by each feature's standard deviation; or, with X′ = U S Vᵀ (SVD, examples
as rows), rotated to the principal axes and scaled to variance 1, √n X′ V S⁻¹. A singular value that
is 0 but for rounding is guarded: dividing by it would blow rounding up. The test set is treated by
the training set's statistics:

    python demos/preprocessing.py preprocessing.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd.preprocessing import MeanSubtraction, Normalisation, Whitening

KINDS: dict[str, tuple[Any, tuple[str, str]]] = {
    "raw": (None, ("as measured", "原始数据")),
    "mean": (MeanSubtraction, ("mean subtraction", "减去均值")),
    "normal": (Normalisation, ("normalisation", "归一化")),
    "white": (Whitening, ("whitening", "白化")),
}
FIGURE = (
    "Points before and after each kind of preprocessing; crosses are the test set",
    "各种预处理前后的点；叉号为测试集",
)


class Measured(NamedTuple):
    """Training and test set after each kind; and a third feature that says nothing new, whitened."""

    sets: dict[str, tuple[Any, Any]]
    guarded: Any
    naive: Any

    @property
    def blown(self) -> float:
        """Return the largest number in the axis that holds rounding, without the guard."""
        return float(np.abs(self.naive[:, 2]).max())


def data(seed: int, train: int = 200, test: int = 30) -> tuple[Any, Any]:
    """Return made-up flats: floor area in m² and rent in 100 €, which rise together."""
    rng = np.random.default_rng(seed)
    area = rng.normal(80, 15, train + test)
    both = np.column_stack([area, 3 + 0.15 * area + rng.normal(0, 1.5, train + test)])
    return both[:train], both[train:]


def naive_whitening(train: Any, test: Any) -> Any:
    """Return the test set whitened by dividing by every singular value, however small."""
    centre = train.mean(0)
    _, singular, axes = np.linalg.svd(train - centre, full_matrices=False)
    return (test - centre) @ axes.T / (singular / np.sqrt(len(train)))


def measure(seed: int = 1) -> Measured:
    """Fit each kind to the training set, and apply it to both."""
    train, test = data(seed)
    sets = {"raw": (train, test)}
    for name, (kind, _) in list(KINDS.items())[1:]:
        fitted = kind().fit(train)
        sets[name] = fitted.apply(train), fitted.apply(test)
    more = [np.column_stack([part, part[:, 0] + 2 * part[:, 1]]) for part in (train, test)]
    more[1][:, 2] += 0.01  # the test set strays a little from what was a law in training
    return Measured(sets, Whitening().fit(more[0]).apply(more[1]), naive_whitening(*more))


def show(r: Measured) -> None:
    """Print mean and covariance of the training set, and the mean of the test set."""
    table(
        [
            "",
            t("mean", "均值"),
            "",
            t("variances", "方差"),
            "",
            t("covariance", "协方差"),
            t("test mean", "测试集均值"),
            "",
        ],
        *(
            [t(*KINDS[name][1]), *(f"{x + 0.0:.2f}" for x in np.round(statistics(*both), 2))]
            for name, both in r.sets.items()
        ),
    )


def statistics(train: Any, test: Any) -> list[float]:
    """Return mean, variances and covariance of the training set, and the mean of the test set."""
    (a, b), (_, c) = np.cov(train.T, bias=True)
    return [*train.mean(0), a, c, b, *test.mean(0)]


@claim(
    "Each kind brings the training set's mean to 0, normalisation its variances to 1, whitening "
    "its covariance to I.",
    "每种处理都使训练集均值为 0；归一化使方差为 1；白化使协方差为 I。",
)
def statistics_become_what_they_should(r: Measured) -> bool:
    found = {name: np.array(statistics(*both)) for name, both in r.sets.items()}
    means = all(np.allclose(found[name][:2], 0) for name in ("mean", "normal", "white"))
    white = np.allclose(found["white"][2:5], (1, 1, 0))
    return bool(means and np.allclose(found["normal"][2:4], 1) and white)


@claim(
    "The test set keeps a mean of its own: the statistics are never its own.",
    "测试集仍有自己的均值：统计量从不取自测试集。",
)
def the_test_set_keeps_its_mean(r: Measured) -> bool:
    return all(np.abs(test.mean(0)).max() > 0.01 for _, test in r.sets.values())


@claim(
    "A third feature that is a sum of the others has a singular value that is rounding; divided "
    "by it, a deviation of 0.01 becomes {r.blown:.0e}; guarded, it becomes 0.",
    "第三个特征是前两个之和时，有一个奇异值只剩舍入误差；除以它，0.01 的偏差变成 {r.blown:.0e}；"
    "有保护时变成 0。",
)
def tiny_singular_values_are_guarded(r: Measured) -> bool:
    return r.blown > 1e6 and not r.guarded[:, 2].any() and np.abs(r.guarded).max() < 10


def draw(r: Measured) -> Any:
    """Draw the points of each kind."""
    from figures import BLUE, ORANGE, panels

    figure, axes = panels(2, 2)
    for panel, (name, (train, test)) in zip(axes, r.sets.items()):
        panel.plot(*train.T, ".", color=BLUE, markersize=9, label=t("training set", "训练集"))
        panel.plot(*test.T, "x", color=ORANGE, markersize=12, label=t("test set", "测试集"))
        panel.set(title=t(*KINDS[name][1]))
        if name != "raw":
            panel.axhline(0, color="black", linewidth=1)
            panel.axvline(0, color="black", linewidth=1)
    axes[0].legend(loc="upper left")
    axes[0].set(xlabel=t("area in m²", "面积（m²）"), ylabel=t("rent in 100 €", "租金（100 €）"))
    return figure


if __name__ == "__main__":
    run(__name__)
