"""A row of word vectors that a batch in ten touches: AdaGrad, Adam, SparseAdam (L24).

The gradient of a table is 0 in every row that the batch does not hold. AdaGrad leaves such rows
alone; Adam over the whole table goes on moving them by what is left in m = β₁m + (1 − β₁)∇; SparseAdam keeps m and v
for each row and moves the rows that have a gradient:

    python demos/rare_words.py rare_words.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd.optim import AdaGrad, Adam, SparseAdam

KINDS = {"AdaGrad": AdaGrad, "Adam": Adam, "SparseAdam": SparseAdam}
STEPS, EVERY = 60, 10
FIGURE = (
    "A number in a rarely touched row, after every step",
    "很少出现的一行中的某个数，逐步的变化",
)


class Measured(NamedTuple):
    """The number in the rare row after every step, by optimiser."""

    seen: dict[str, list[float]]

    def still(self, name: str) -> bool:
        """Tell whether the row stays between its batches, from the first one on."""
        column = self.seen[name]
        return all(column[i] == column[i - 1] for i in range(1, STEPS) if i % EVERY)


def rare_row(kind: Any, target: float) -> list[float]:
    """Return the number, pulled towards the target whenever a batch holds its row."""
    E, seen = np.zeros((2, 1)), []
    optimizer = kind({"E": E}, lr=0.1)
    for step in range(STEPS):
        rows = np.array([1 if step % EVERY == 0 else 0])
        gradient: Any = (rows, E[rows] - target)  # of ½(E − target)²
        if kind is Adam:
            whole = np.zeros_like(E)
            whole[rows] = gradient[1]
            gradient = whole
        optimizer.step({"E": gradient})
        seen.append(float(E[1, 0]))
    return seen


def measure(seed: int = 0) -> Measured:
    """Pull the row to a random number."""
    target = np.random.default_rng(seed).uniform(1, 2)
    return Measured({name: rare_row(kind, target) for name, kind in KINDS.items()})


def show(r: Measured) -> None:
    """Print the number after the first batch with the row, and before the second."""
    table(
        ["", t("after its batch", "刚更新之后"), t("nine batches on", "九批之后")],
        *(
            [name, f"{column[0]:.4f}", f"{column[EVERY - 1]:.4f}"]
            for name, column in r.seen.items()
        ),
    )


@claim(
    "Only Adam over the whole table moves a row whose words were not seen.",
    "只有作用于整个表的 Adam 会移动没有出现过的词所在的行。",
)
def only_adam_moves_unseen_rows(r: Measured) -> bool:
    return [name for name in KINDS if not r.still(name)] == ["Adam"]


@claim(
    "In nine batches without the row Adam takes it from {r.seen[Adam][0]:.2f} to "
    "{r.seen[Adam][9]:.2f}.",
    "在没有该行的九批里，Adam 把它从 {r.seen[Adam][0]:.2f} 移到了 {r.seen[Adam][9]:.2f}。",
)
def momentum_goes_on(r: Measured) -> bool:
    return r.seen["Adam"][9] > 2 * r.seen["Adam"][0]


def draw(r: Measured) -> Any:
    """Draw the number as steps."""
    from figures import STYLES, panels

    figure, (panel,) = panels()
    for (name, seen), style in zip(r.seen.items(), STYLES):
        panel.step(range(1, STEPS + 1), seen, where="post", label=name, markevery=EVERY, **style)
    panel.set(
        title=t("a row held by every tenth batch", "每十批出现一次的行"),
        xlabel=t("step", "步"),
        ylabel=t("number in the row", "该行中的数"),
    )
    panel.legend()
    return figure


if __name__ == "__main__":
    run(__name__)
