"""The lectures' worked example, f = (x + y) · max(y, z) at x = 1, y = 2, z = 0 (LECTURES L14).

Prints both passes step by step, and writes the page to step through them in a browser:

    python demos/worked_example.py worked_example.html
"""

import sys

from micrograd import Value
from micrograd.stepper import save_page
from micrograd.stepper.terminal import Walkthrough


def worked_example() -> Value:
    """Return f, with its inputs and its two parts a and b labelled."""
    x, y, z = Value(1, label="x"), Value(2, label="y"), Value(0, label="z")
    a, b = x + y, y.max(z)
    a.label, b.label = "a", "b"
    f = a * b
    f.label = "f"
    return f


if __name__ == "__main__":
    f = worked_example()
    Walkthrough(f).transcript()
    for path in sys.argv[1:]:
        print(f"wrote {save_page(f, path)}")
