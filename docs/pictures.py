"""Draw the animated pictures of README: python docs/pictures.py

`report.png` is a photograph of the report that `micrograd train` writes:

    chromium --headless --window-size=1000,780 --screenshot=docs/pictures/report.png \\
        micrograd-ner/report.html

`training.png` is one of the page that `demos/watch.py moons moons.html` writes, at
`moons.html#frame=24&sample=9`, 1280 by 720.
"""

from pathlib import Path

from micrograd import Value
from micrograd.files import atomic_write
from micrograd.render import render

FOLDER = Path(__file__).parent / "pictures"
DARK = "@media (prefers-color-scheme: dark)"


def worked_example() -> dict[str, str]:
    """Return the worked example of the lectures (L13), its passes animated, for either paper.

    README's <picture> chooses by the reader's setting, so each has the colours of one.
    """
    x, y, z = Value(1.0, label="x"), Value(2.0, label="y"), Value(0.0, label="z")
    a, b = x + y, y.max(z)
    f = a * b
    a.label, b.label, f.label = "a", "b", "f"
    svg = render(f).animated_svg()
    return {"light": svg.replace(DARK, "@media not all"), "dark": svg.replace(DARK, "@media all")}


if __name__ == "__main__":
    for paper, svg in worked_example().items():
        atomic_write(FOLDER / f"worked-example-{paper}.svg", svg)
