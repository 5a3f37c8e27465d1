"""The gradient to the word vectors: one part for each word, and the rows it moves (L8).

For a window ∇ₓJ = Wᵀδ has 20 numbers, 4 for each of the 5 words: ∇ₓJ = [∇museums, ∇in, ∇Paris,
∇are, ∇amazing]. A step x ← x − α∇ₓJ takes them as rows of the table of all vectors; the rows of
words in neither window have no gradient:

    python demos/sparse_rows.py sparse_rows.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, say, t, table
from window_score import CORRUPT, TRUE, WORDS, Scorer

from micrograd.losses import max_margin
from micrograd.optim import SGD

OTHERS = ["London", "the", "river"]  # in the table, in neither window
ALL = [*WORDS, *OTHERS]
BOTH = [word for word in TRUE if word in CORRUPT]
FIGURE = (
    "By how much a step changes each row of the table of word vectors",
    "一步更新使词向量表的每一行改变多少",
)


class Measured(NamedTuple):
    """∇ₓJ of each window, a row for each word, and the change of every row of the table."""

    true: Any
    corrupt: Any
    by_hand: Any
    changes: dict[str, Any]
    expected: dict[str, Any]
    both: str = ", ".join(BOTH)

    def still(self) -> set[str]:
        """Return the words whose rows stay."""
        return {word for word, change in self.changes.items() if not change.any()}


def by_hand(scorer: Scorer, window: list[str], sign: int) -> Any:
    """Return Wᵀδ, δ = ±f′(z) ∘ u, a row for each word."""
    W, b, u = scorer.arrays()
    h = np.tanh(W @ np.array([v.data for v in scorer.x(window)]) + b)
    return (W.T @ (sign * (1 - h * h) * u)).reshape(5, 4)


def measure(seed: int = 3) -> Measured:
    """Take one step with the rate 1 on J of the pair."""
    scorer = Scorer(seed, ALL)
    parts = by_hand(scorer, TRUE, -1), by_hand(scorer, CORRUPT, 1)
    copies = [[v.detach() for v in scorer.x(window)] for window in (TRUE, CORRUPT)]
    max_margin(*map(scorer.of, copies)).backward()
    true, corrupt = (np.reshape([v.grad for v in x], (5, 4)) for x in copies)
    rows = np.array([[v.data for v in row] for row in scorer.table.rows])
    scorer.zero_grad()
    max_margin(scorer(TRUE), scorer(CORRUPT)).backward()
    SGD(scorer.table.parameters(), lr=1.0).step()
    moved = np.array([[v.data for v in row] for row in scorer.table.rows]) - rows
    return Measured(true, corrupt, parts, dict(zip(ALL, moved)), shares(true, corrupt))


def shares(true: Any, corrupt: Any) -> dict[str, Any]:
    """Return −(the sum of a word's parts), word by word."""
    found = {word: np.zeros(4) for word in ALL}
    for word, part in [*zip(TRUE, true), *zip(CORRUPT, corrupt)]:
        found[word] = found[word] - part
    return found


def show(r: Measured) -> None:
    """Print the parts of both windows, word by word, and what became of each row."""
    for name, window, parts in (
        (t("true window", "真窗口"), TRUE, r.true),
        (t("corrupt window", "假窗口"), CORRUPT, r.corrupt),
    ):
        print(f"{name}: ∇ₓJ = Wᵀδ")
        table(*([f"   {w}", *(f"{x:.4f}" for x in part)] for w, part in zip(window, parts)))
    say(t("a step with α = 1 changes the row of", "α = 1 的一步，各行的变化"))
    table(*([f"   {w}", *(f"{x:.4f}" for x in change)] for w, change in r.changes.items()))


@claim("∇ₓJ of both windows equals Wᵀδ by hand.", "两个窗口的 ∇ₓJ 都等于手算的 Wᵀδ。")
def equals_w_t_delta(r: Measured) -> bool:
    return bool(np.allclose((r.true, r.corrupt), r.by_hand, rtol=0, atol=1e-12))


@claim(
    "Only rows of words in the windows change; London, the and river stay as they were.",
    "只有窗口里的词所在的行改变；London、the、river 保持原样。",
)
def only_rows_in_the_windows_change(r: Measured) -> bool:
    return r.still() == {*OTHERS}


@claim(
    "{r.both} are in both windows: their rows change by the sum of both parts.",
    "{r.both} 同时出现在两个窗口：它们的行按两部分之和改变。",
)
def words_of_both_windows_sum_their_parts(r: Measured) -> bool:
    same = all(np.allclose(r.changes[w], r.expected[w], atol=1e-12) for w in ALL)
    return same and r.both == "museums, in, Paris"


def draw(r: Measured) -> Any:
    """Draw the table of changes, signs and all."""
    from figures import matrix, panels

    figure, (panel,) = panels()
    title = t(
        "change of each row by one step on one pair of windows", "在一对窗口上更新一步，各行的变化"
    )
    matrix(panel, np.array(list(r.changes.values())), title, 0.6)
    marks = {word: t("  (both windows)", "（两个窗口）") for word in BOTH}
    panel.set_yticks(range(len(ALL)), [word + marks.get(word, "") for word in ALL])
    return figure


if __name__ == "__main__":
    run(__name__)
