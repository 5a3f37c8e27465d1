"""Both passes as a chain of equations in TeX: what a lecturer writes on the board."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from micrograd.engine import Value
from micrograd.graph import LEAF, Graph
from micrograd.render.captions import names_of
from micrograd.render.formulas import binding, with_names
from micrograd.render.numerals import shown
from micrograd.render.tikz import GREEK, RAISED, input_file, tex
from micrograd.stepper.trace import one_root, trace

_MARK = "\ue000{}{}\ue001"  # stands for a node's name in a formula, and binds as it does
_LIKE = {0: " ≥ ", 1: "+", 2: "·", 3: "+", 4: "²"}
TERMS, ROW = 3, " \\\\\n&"  # of a sum in a line; the beginning of another line
PAGE = 15  # lines, of which amsmath would break none: what is longer than a page went off its end
_PARTS = re.compile(
    "\ue000(?P<node>[0-9]+)[^\ue001]*\ue001|(?P<number>[0-9.]+)e(?P<exponent>−?[0-9]+)|(?P<word>[A-Za-z]\\w*)"
    f"|(?P<sign>[{''.join(RAISED)}]+|.)",
    re.DOTALL,
)


def equations(root: Value | Graph) -> str:
    """Return the equations below `root` as an align*: values forward, gradients backward.

    They need amsmath. Numbers of the user's code have no gradient there: several have one name.
    Raises ValueError for a graph of several roots.
    """
    graph = one_root(root)
    start, steps, names = graph.roots[0], trace(graph)["steps"], names_of(graph)
    symbols = [_name(name) if _named(graph, id) else _text(name) for id, name in enumerate(names)]
    marks = [_mark(id, name) if _named(graph, id) else name for id, name in enumerate(names)]
    lines = []
    reaching: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for step in steps:
        if step["kind"] == "forward":
            node, value = step["node"], _text(shown(step["value"]))
            formula = _text(with_names(graph, node, marks), symbols)
            sides = dict.fromkeys((formula, _text(step["numbers"]), value))  # each said once
            lines.append(f"{symbols[node]} &= {' = '.join(sides)}")
        elif step["kind"] == "seed":
            lines.append(f"{_slope(symbols, start, start)} &= {_text(shown(step['value']))}")
        elif step["kind"] == "backward" and not graph.values[step["operand"]].constant:
            reaching[step["operand"]].append(step)
            if not step["left"]:
                lines.append(_gradient(symbols, start, reaching[step["operand"]]))
    written = " \\\\\n".join(lines)
    display = f"\\begin{{align*}}\n{written}\n\\end{{align*}}\n"
    if written.count("\n") > PAGE:
        display = f"{{\\allowdisplaybreaks\n{display}}}\n"
    return input_file("amsmath", display)


def _mark(id: int, name: str) -> str:
    return _MARK.format(id, _LIKE.get(binding(name), ""))


def _named(graph: Graph, id: int) -> bool:
    """Tell whether a node has a name that is no number."""
    return graph.ops[id] != LEAF or bool(graph.labels[id])


def _gradient(names: list[str], root: int, steps: list[dict[str, Any]]) -> str:
    """Return one gradient: the chain rule over every user, its numbers, and their sum."""
    operand, total = steps[-1]["operand"], _text(shown(steps[-1]["total"]))
    users: dict[int, list[dict[str, Any]]] = defaultdict(list)  # x * x is one, by two slopes
    for step in steps:
        users[step["node"]].append(step)
    rule = _sum([rf"{_slope(names, root, u)} {_slope(names, u, operand)}" for u in users])
    numbers = _sum(
        [rf"{_factor(some[0]['upstream'])} \cdot {_locals(some)}" for some in users.values()]
    )
    equals = " = " if len(users) < TERMS else f"{ROW}= "
    return f"{_slope(names, root, operand)} &= {rule}{equals}{numbers}{equals}{total}"


def _sum(terms: list[str]) -> str:
    """Return a sum in lines of so many terms that they are no wider than a page."""
    rows = (" + ".join(terms[i : i + TERMS]) for i in range(0, len(terms), TERMS))
    return f"{ROW}\\quad{{}} + ".join(rows)


def _locals(steps: list[dict[str, Any]]) -> str:
    factors = [_factor(step["local"]) for step in steps]
    return f"({' + '.join(factors)})" if factors[1:] else factors[0]


def _slope(names: list[str], of: int, by: int) -> str:
    return rf"\frac{{\partial {names[of]}}}{{\partial {names[by]}}}"


def _factor(x: float) -> str:
    return f"({_text(shown(x))})" if x < 0 else _text(shown(x))


def _name(text: str) -> str:
    """Return a name within mathematics: a letter with its number below it, others upright."""
    if lettered := re.fullmatch("([A-Za-z])([0-9]*)", text):
        letter, below = lettered.groups()
        return f"{letter}_{{{below}}}" if below else letter
    if text.isidentifier() and text.isascii():
        return rf"\mathrm{{{tex(text)}}}"
    return tex(text)[1:-1] if text in GREEK else rf"\text{{{tex(text)}}}"


def _text(text: str, names: Sequence[str] = ()) -> str:
    """Return a formula, or a number, within mathematics, with the names that it has marks for."""
    text = re.sub(r"\^(\([^()]*\)|[^ ,()|]+)", r"^{\1}", text)  # a power's exponent
    return "".join(_part(match, names) for match in _PARTS.finditer(text))


def _part(match: re.Match[str], names: Sequence[str]) -> str:
    if match["node"]:
        return names[int(match["node"])]
    if match["number"]:
        return rf"{match['number']}\mathrm{{e}}{{{_text(match['exponent'])}}}"
    if match["word"]:
        return _name(match["word"])
    return match[0] if match[0] in "^{}|<>" else tex(match[0]).replace("$", "")
