"""Draw the pictures of README.

    python docs/pictures.py                     # the worked example, light and dark
    python docs/pictures.py micrograd-ner       # and the learning curve of a trained tagger

`report.png` is a photograph of the report that `micrograd train` writes:

    chromium --headless --window-size=1000,760 --screenshot=docs/pictures/report.png \\
        micrograd-ner/report.html
"""

import sys
from pathlib import Path

from micrograd import Value
from micrograd.files import atomic_write
from micrograd.render import render

FOLDER = Path(__file__).parent / "pictures"
DARK = "@media (prefers-color-scheme: dark)"
PAPER = '<rect width="100%" height="100%" fill="#ffffff"/>'


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


def learning_curve(folder: Path) -> str:
    """Return the learning curve that training wrote, on paper of its own."""
    head, end, drawn = (folder / "learning-curve.svg").read_text("utf-8").partition("</style>")
    return head + end + PAPER + drawn


def main(folders: list[str]) -> None:
    """Write the pictures."""
    for paper, svg in worked_example().items():
        atomic_write(FOLDER / f"worked-example-{paper}.svg", svg)
    for folder in folders:
        atomic_write(FOLDER / "learning-curve.svg", learning_curve(Path(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
