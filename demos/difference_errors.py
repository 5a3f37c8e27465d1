"""The error of numeric gradients against their step h: why the checker uses h = 1e-5 (L17).

A one-sided difference is wrong by O(h), a central one by O(h²); below a certain h both are lost
to rounding, because two almost equal numbers are subtracted. A complex step subtracts nothing.
The numbers are those of `gradcheck`, the truth is `backward()`.

    python demos/difference_errors.py [difference_errors.svg]
"""

from __future__ import annotations

import sys

from micrograd import Value
from micrograd.gradcheck import METHODS, gradcheck

Errors = dict[str, list[float]]
STEPS = [10 ** (-e / 2) for e in range(2, 29)]  # 0.1 ... 1e-14
ROUNDING = 2.0**-53  # of a float, relative


def function(x: Value) -> Value:
    """Return tanh(x) eˣ, a function without corners."""
    return x.tanh() * x.exp()  # type: ignore[no-any-return]


def error(method: str, h: float, at: float = 0.7) -> float:
    """Return how far the numeric gradient is from that of backward(), relative to it."""
    entry = gradcheck(function, at=[at], method=method, h=h).worst
    return abs(entry.numeric - entry.analytic) / abs(entry.analytic)


def table(errors: Errors, steps: list[float]) -> None:
    """Print every other step's errors, and where each method is best."""
    print(f"{'h':>8}" + "".join(f"{method:>12}" for method in errors))
    for i in range(0, len(steps), 2):
        print(f"{steps[i]:8.0e}" + "".join(f"{column[i]:12.1e}" for column in errors.values()))
    for method, column in errors.items():
        best = min(column)
        print(f"{method}: error {best:.0e} at best, at h = {steps[column.index(best)]:.0e}")
    print("A tenth of h takes two digits off the central error and one off the one-sided one,")
    print("until rounding takes over, from which only the complex step is safe.")


def draw(errors: Errors, steps: list[float], path: str) -> None:
    """Draw the errors, with lines of slope 1 and 2 beside them."""
    from figures import GREY, STYLES, panels, save

    figure, (panel,) = panels(1, width=6.4, height=4.4)
    names = {
        "central": "central, O(h²)",
        "one-sided": "one-sided, O(h)",
        "complex": "complex step, O(h²)",
    }
    for (method, column), style in zip(errors.items(), STYLES):
        panel.loglog(
            steps, [max(value, ROUNDING) for value in column], label=names[method], **style
        )
    panel.axvspan(1e-5, 1e-4, color=GREY, alpha=0.2, label="h of the notes")
    panel.axhline(ROUNDING, color=GREY, linewidth=0.8)
    panel.text(0.2, 1.5 * ROUNDING, "rounding; 0 is drawn here", ha="right", fontsize=8)
    panel.set(xlabel="step h", ylabel="relative error of the gradient", ylim=(3e-17, 1),
              title="numeric gradients of tanh(x) eˣ at x = 0.7")  # fmt: skip
    panel.legend(loc="upper center", ncols=2, fontsize=8)
    save(figure, path)


def main(path: str | None = None, steps: list[float] = STEPS) -> Errors:
    """Print the table; draw the figure where a path is given; return the errors by method."""
    errors = {method: [error(method, h) for h in steps] for method in METHODS}
    table(errors, steps)
    if path:
        draw(errors, steps, path)
    return errors


if __name__ == "__main__":
    main(*sys.argv[1:2])
