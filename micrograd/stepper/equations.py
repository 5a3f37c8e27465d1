"""Both passes as a chain of equations in TeX: what a lecturer writes on the board."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from micrograd.engine import Value
from micrograd.graph import Graph
from micrograd.render.captions import names_of
from micrograd.render.numerals import shown
from micrograd.render.tikz import SIGNS, tex
from micrograd.stepper.trace import one_root, trace


def equations(root: Value | Graph) -> str:
    """Return the equations below `root` as an align*: values forward, gradients backward.

    Raises ValueError for a graph of several roots.
    """
    graph = one_root(root)
    names, steps = [_text(name) for name in names_of(graph)], trace(graph)["steps"]
    lines = [
        f"{names[s['node']]} &= {_text(s['formula'])} = {_text(s['numbers'])} = "
        f"{_text(shown(s['value']))}"
        for s in steps
        if s["kind"] == "forward"
    ]
    lines += [
        f"{_slope(names, graph.roots[0], s['node'])} &= {_text(shown(s['value']))}"
        for s in steps
        if s["kind"] == "seed"
    ]
    backward = [s for s in steps if s["kind"] == "backward"]
    reaching: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for step in backward:
        reaching[step["operand"]].append(step)
    lines += [
        _gradient(names, graph.roots[0], reaching[s["operand"]]) for s in backward if not s["left"]
    ]
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def _gradient(names: list[str], root: int, steps: list[dict[str, Any]]) -> str:
    """Return one gradient: the chain rule over every user, its numbers, and their sum."""
    operand, total = steps[-1]["operand"], _text(shown(steps[-1]["total"]))
    rule = " + ".join(
        rf"{_slope(names, root, s['node'])} {_slope(names, s['node'], operand)}" for s in steps
    )
    numbers = " + ".join(rf"{_factor(s['upstream'])} \cdot {_factor(s['local'])}" for s in steps)
    return f"{_slope(names, root, operand)} &= {rule} = {numbers} = {total}"


def _slope(names: list[str], of: int, by: int) -> str:
    return rf"\frac{{\partial {names[of]}}}{{\partial {names[by]}}}"


def _factor(x: float) -> str:
    return f"({_text(shown(x))})" if x < 0 else _text(shown(x))


def _text(text: str) -> str:
    """Return a formula within mathematics: names of one letter as they are, longer ones upright."""
    return "".join(map(_part, re.split(r"([A-Za-z_][A-Za-z0-9_]*)", text)))


def _part(text: str) -> str:
    plain = tex(text).replace("$", "")
    if not text.isascii() and any(c.isalpha() and c not in SIGNS for c in text):
        return rf"\text{{{tex(text)}}}"
    return rf"\mathrm{{{plain}}}" if len(text) > 1 and text.isidentifier() else plain
