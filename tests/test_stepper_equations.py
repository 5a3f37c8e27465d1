"""The equations of random expressions, read back and computed: each side is the number it is of."""

import math
import re

import pytest

from micrograd.expressions import parse
from micrograd.graph import snapshot
from micrograd.render.numerals import shown
from micrograd.stepper.equations import equations
from tests.formula_reader import number_of
from tests.test_stepper_playground import random_expressions

# Powers of so much that a rounded exponent is another number; names that are cut or turned round.
UNREADABLE = ("12345.678", "1e6", "more_than_22", "שלום")


def plain(tex):
    """Return a formula of TeX as readers write it in a line."""
    tex = re.sub(r"\\mathrm\{e\}\{(-?\d+)\}", r"e\1", tex)
    tex = re.sub(r"\\(?:mathrm|text)\{([^{}]*)\}", r"\1", tex).replace("\\_", "_")
    tex = re.sub(r"([A-Za-z])_\{(\d+)\}", r"\1\2", tex)
    return tex.replace("\\cdot", "·").replace("^{", "^(").replace("}", ")")


def test_every_side_of_an_equation_is_its_number():
    compared = 0
    for text, at in random_expressions(120):
        if any(number in text for number in UNREADABLE):
            continue
        graph = snapshot(parse(text, at))
        names = {label: x for label, x in zip(graph.labels, graph.data) if label}
        try:
            text = equations(graph).partition("{align*}\n")[2].partition("\\end")[0]
        except ValueError:  # there is no slope
            continue
        values = names | {"inf": math.inf}
        rounded = {name: number_of(shown(x), {"inf": math.inf}) for name, x in values.items()}
        whole_lines = text.replace(" \\\\\n&\\quad{}", "").replace(" \\\\\n&=", " =")
        for line in whole_lines.splitlines():
            rule = line.partition(" = ")[0].partition("&= ")[2].split(" + ")
            assert "frac" not in line or len(rule) == len({*rule}), line  # a user is one term
            left, *sides = map(plain, line.removesuffix(" \\\\").replace("&=", "=").split(" = "))
            if "frac" in left:
                left, *sides = sides[-2:]
                assert "(0)" not in left, line  # in brackets is what has a sign
            used = [abs(values.get(name, 0)) for name in re.findall(r"\w+", " ".join(sides))]
            whole = number_of(re.sub("(?<!e)-", "", left), values) if "·" in left else 0.0
            ours = number_of(left, values)
            near = 2e-3 * max([*used, whole, abs(ours)])  # numbers have four digits
            for side in sides:
                theirs = number_of(side, values)
                alike = pytest.approx(number_of(sides[0], rounded), rel=1e-6, nan_ok=True)
                assert theirs == pytest.approx(ours, abs=near, nan_ok=True) or theirs == alike, line
            compared += len(sides)
    assert compared > 400
