"""The `switch` of a tape: a loop over groups of nodes, a case for each operation, from its row."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.native.c.text import Formulas, bracketed
from micrograd.ops import BY_NAME, WEIGHTED_SUM, Row

NEAR = 64  # operands that are laid side by side
UP = "const double up = i == place ? now : d[i];"


class Switch:
    """Write the loops over the groups of a tape, which has the names and the tables.

    In chains a node uses the one before it: `now` is the number computed last, so that none has to
    reach memory and come back before the next; on the way back, it is the gradient at `place`.
    """

    def __init__(self, levels: Levels, formulas: Formulas, tape: Any) -> None:
        self.levels, self.formulas, self.tape = levels, formulas, tape

    def text(self, backward: bool = False) -> list[str]:
        """Return the loop over the groups, in which a `switch` finds the operation."""
        bounds = np.array(self.levels.bounds)
        ends = np.stack((bounds[:-1], bounds[1:]), 1)
        groups = self.tape.table("groups", np.hstack((self.levels.which[:, None], ends)))
        count = len(ends)
        head = (
            f"for (int g = {count - 1}; g >= 0; g--)"
            if backward
            else f"for (int g = 0; g < {count}; g++)"
        )
        places = f"const int first = {groups}[3 * g + 1], last = {groups}[3 * g + 2];"
        cases = [
            line
            for n, op in enumerate(self.levels.operations)
            for line in self._case(n, op, backward)
        ]
        body = [places, f"switch ({groups}[3 * g]) {{", *cases, "}"]
        return [f"{head} {{", *(f"    {line}" for line in body), "}"]

    def _case(self, number: int, op: str, backward: bool) -> list[str]:
        """Return the case of an operation, from its row."""
        head = f"case {number}: /* {op} */"
        each = "for (int i = first; i < last; i++)"
        if op == WEIGHTED_SUM.name:
            return [head, *(f"    {x}" for x in self._sum(each, backward)), "    break;"]
        row = BY_NAME[op]
        columns = ("x", self.levels.x), ("y", self.levels.y)
        of = {c: f"{self.tape.table(f'{c}_of', column)}[i]" for c, column in columns}
        if backward:
            letters = {"x": f"v[{of['x']}]", "y": f"v[{of['y']}]", "out": "v[i]"}
        else:
            letters = {c: f"({place} == i - 1 ? now : v[{place}])" for c, place in of.items()}
        letters |= {"k": f"v[{of['y']}]"} if row.constants else {}
        if not backward:
            return [head, *self._values(row, letters, each), "    break;"]
        added = [bracketed(self.formulas.text(text, None, letters)) for text in row.local]
        return [head, *(f"    {x}" for x in self._added(each, of, added)), "    break;"]

    def _added(self, each: str, of: dict[str, str], local: list[str]) -> list[str]:
        """Return the loop that adds gradients to those of operands, x last: it may be y too."""
        lines = [f"d[{of['y']}] += up * {of_y};" for of_y in local[1:]]
        lines += [f"place = {of['x']};", f"d[place] = now = d[place] + up * {local[0]};"]
        return [f"{each} {{", f"    {UP}", *(f"    {line}" for line in lines), "}"]

    def _values(self, row: Row, letters: dict[str, str], each: str) -> list[str]:
        """Return the loop of values; where these take long, from operands laid side by side."""
        value = self.formulas.text(row.value, None, letters)
        if row.arity != 1 or "(" not in value or "k" in letters:
            return [f"    {each}", f"        v[i] = now = {value};"]
        operand = f"v[{self.tape.table('x_of', self.levels.x)}[i + j]]"
        near = self.formulas.text(row.value, None, {"x": "near[j]"})
        return [
            "    if (last - first < 4) {",
            f"        {each} v[i] = now = {value};",
            "        break;",
            "    }",
            f"    for (int i = first; i < last; i += {NEAR}) {{",
            f"        const int count = last - i < {NEAR} ? last - i : {NEAR};",
            f"        double near[{NEAR}];",
            f"        for (int j = 0; j < count; j++) near[j] = {operand};",
            f"        for (int j = 0; j < count; j++) v[i + j] = {near};",
            "    }",
            "    now = v[last - 1];",
        ]

    def _sum(self, each: str, backward: bool) -> list[str]:
        starts = self.tape.table("starts", self.levels.start)
        terms = self.tape.table("terms", self.levels.term)
        inner = f"for (int t = {starts}[i]; t < {starts}[i + 1]; t++)"
        if backward:
            line = f"place = {terms}[t], d[place] = now = d[place] + up;"
            return [f"{each} {{", f"    {UP}", f"    {inner}", f"        {line}", "}"]
        body = [
            "double sum = 0.0;",
            inner,
            f"    sum += v[{terms}[t]];",
            "v[i] = now = sum;",
        ]
        return [f"{each} {{", *(f"    {line}" for line in body), "}"]
