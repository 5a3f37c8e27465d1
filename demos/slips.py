"""The slips of the notes: what is printed and what is right, each with the checker's report.

A wrong derivative, index or program is refused, the right one accepted; where a formula is no
gradient, what is compared is its value, or it is run as it is printed:

    python demos/slips.py slips.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

from printed import functions, networks, training
from printed.form import Outcome, Slip
from stage import claim, run, say, t

SLIPS: tuple[Slip, ...] = (*functions.SLIPS, *networks.SLIPS, *training.SLIPS)
FIGURE = (
    "The slips of the notes: printed, refused; right, accepted",
    "讲义中的笔误：印出的被拒绝，正确的被接受",
)


class Measured(NamedTuple):
    """The outcome of the printed and of the right form, slip by slip."""

    outcomes: list[tuple[Outcome, Outcome]]

    @property
    def refused(self) -> int:
        """Return how many printed forms are refused."""
        return sum(not printed.accepted for printed, _ in self.outcomes)

    @property
    def accepted(self) -> int:
        """Return how many right forms are accepted."""
        return sum(right.accepted for _, right in self.outcomes)


def measure() -> Measured:
    """Judge both forms of every slip."""
    return Measured([(slip.judge_printed(), slip.judge_right()) for slip in SLIPS])


def show(r: Measured) -> None:
    """Print both forms of each slip, with their reports."""
    for number, (slip, outcomes) in enumerate(zip(SLIPS, r.outcomes), 1):
        say(f"\n{number}. {t(*slip.about)}")
        for name, form, outcome in zip(
            (t("printed", "印出"), t("right", "正确")), (slip.printed, slip.right), outcomes
        ):
            verdict = t("accepted", "接受") if outcome.accepted else t("refused", "拒绝")
            print(f"   {name}: {form}   [{verdict}]")
            print("\n".join(f"      {line}" for line in outcome.report.splitlines()))
    print()


@claim("All {r.refused} printed forms are refused.", "{r.refused} 个印出的写法全部被拒绝。")
def printed_forms_are_refused(r: Measured) -> bool:
    return r.refused == len(SLIPS) == 25


@claim("All {r.accepted} right forms are accepted.", "{r.accepted} 个正确的写法全部被接受。")
def right_forms_are_accepted(r: Measured) -> bool:
    return r.accepted == len(SLIPS) == 25


def draw(r: Measured) -> Any:
    """Write the printed forms beside the right ones, in two columns of a slide."""
    from figures import BLUE, ORANGE, SMALL, panels

    figure, (panel,) = panels()
    panel.set_axis_off()
    panel.set(xlim=(0, 100), ylim=(len(SLIPS), -1.5))
    for at, title in ((0, ""), (24, t("printed", "印出")), (62, t("right", "正确"))):
        panel.text(at, -1, title, weight="bold")
    for row, slip in enumerate(SLIPS):
        panel.text(0, row, t(*slip.about)[:34], fontsize=SMALL)
        panel.text(24, row, shortened(slip.printed), fontsize=SMALL, color=ORANGE)
        panel.text(62, row, shortened(slip.right), fontsize=SMALL, color=BLUE)
    return figure


def shortened(form: str, most: int = 42) -> str:
    """Return a form that fits into its column."""
    return form if len(form) <= most else form[: most - 1] + "…"


if __name__ == "__main__":
    run(__name__)
