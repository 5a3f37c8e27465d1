"""The demos as the tests see them: which there are, what they measure, in what time."""

import ast
import importlib
import inspect
import re
from functools import cache

import stage

from tests.conftest import ALL, ROOT

DEMOS = ROOT / "demos"
FILES = sorted(path for path in DEMOS.glob("*.py") if "__main__" in path.read_text("utf-8"))
PROGRAMS = ("exercises", "gallery", "moons", "watch")  # which claim nothing that is measured
NAMES = [path.stem for path in FILES if path.stem not in PROGRAMS]
SMALL = {
    "all_gradients": {"widths": (2, 4, 8)},
    "gpt": {"block": 12, "steps": 60},
    "penalties": {"steps": 400},
}
SEEDS = range(5)
TIMED = ("all_gradients", "gpt", "vectorised")  # print CPU times
SLOW = ("vectorised",)  # for one seed


def demo(name):
    """Import a demo as `python demos/NAME.py` finds it."""
    return importlib.import_module(name)


@cache
def measured(name, seed=None):
    """Return what a demo measures, by its own seed or another."""
    seeds = {} if seed is None else {"seed": seed}
    return demo(name).measure(**SMALL.get(name, {}), **seeds)


def runs():
    """Return every demo, with its own seed, or with every seed it is to hold for."""
    pairs = []
    for name in NAMES:
        seeded = "seed" in inspect.signature(demo(name).measure).parameters
        pairs += (
            [(name, seed) for seed in SEEDS]
            if ALL and seeded and name not in SLOW
            else [(name, None)]
        )
    return pairs


def printed(name, r, language, capsys):
    """Return what a demo prints of what it has measured."""
    stage.speak(language)
    try:
        capsys.readouterr()
        demo(name).show(r)
        for claim in stage.claims(demo(name)):
            print(claim.sentence(r))
        return capsys.readouterr().out
    finally:
        stage.speak("en")


def strings(path):
    """Return the strings of a file that are printed or drawn: no docstring, and no claim's."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("t", "print"):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def commands(text):
    """Return the command lines in a docstring or in the `sh` blocks of a page."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks).splitlines() if "```" in text else text.splitlines()
    starts = ("python demos/", "micrograd ")
    return [line.strip() for line in lines if line.strip().startswith(starts)]
