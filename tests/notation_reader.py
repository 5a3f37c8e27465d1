"""Index notation read as a person reads it: what `explain("arrays")` says, as numbers.

Nothing but the text is used. What stands side by side is multiplied; Σ and max take the product
behind them, up to the next + or −; [..] is 1 where it holds. A letter runs along its axis of the
left side; any other as far as there are elements where it stands alone at an index, and no further
than it is said to: Σj<3, [j<3].
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.core.formulas import Namespace
from micrograd.lowering import Program
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.trace.declared import INPUT, NUMBER, PARAMETER
from micrograd.ops import FUNCTIONS, ROWS
from tests.lowering_oracle import Right, difference

Arrays = dict[str, Any]
Grids = Mapping[str, Any]

LINE = re.compile(r"(\w+)(?:\[([a-zA-Z,]+)\])? += (.*?) +# \((.*?)\)")
SIGNS = re.compile(r"Σ(\S+) ")
BOUND = re.compile(r"([a-zA-Z])(?:<(\d+))?")
CHOICE = re.compile(r"(max|min)([a-zA-Z](?:<\d+)?(?:,?[a-zA-Z](?:<\d+)?)*) ")
NUMBER_TEXT = re.compile(r"\d[\d.]*(?:e[+-]?\d+)?(?:/B)?")
NAME = re.compile(r"[^\W\d]\w*")
SIGN = re.compile(r"\*\*|[<>=!]=|[-+*/<>]")
INDEX = re.compile(r"(?:\d*[a-zA-Z]\+)*(?:\d*[a-zA-Z]|\d+)")
LISTED = re.compile(r"(\(.*\))([a-zA-Z]+)")
JOINED = re.compile(r"(?:b,)?place (.*) of ([\d×]+)")
FIRST = re.compile(r"([a-zA-Z](?:,[a-zA-Z])*) is the first with (.*) = (.*)")
FORMULAS = {name: getattr(np, name) for name in (*FUNCTIONS, "where", "maximum", "minimum")}
CALLED = FORMULAS | {"abs": np.abs, "max": np.maximum, "min": np.minimum}
CALLED |= {
    row.name: Namespace(FORMULAS | {"abs": np.abs}).value(row)
    for row in ROWS
    if not row.operator and not row.constants
}


DIGITS = 1e-9  # numbers are written with 12


class Listed(NamedTuple):
    """Places that stand in the text, by letters: (0,3,1)i."""

    letters: str
    places: Any


class UnsaidError(Exception):
    """Say that a text leaves to a table which elements are read."""


def misread(program: Program, batch: Sequence[Any], right: Right) -> str:
    """Say how what the notation says differs from what is right; it may leave it unsaid."""
    try:
        return difference(by_notation(program, batch), right, DIGITS)
    except UnsaidError:
        return ""


def by_notation(program: Program, batch: Sequence[Any]) -> tuple[float, Arrays]:
    """Return what the index notation of both passes says; raise UnsaidError where it is silent."""
    forms = program.lowered.forms(INPUT if program.inputs else PARAMETER)
    arrays, adjoints = forms["arrays"], forms["adjoints"]
    if isinstance(arrays, Levels):
        raise UnsaidError("nothing but levels")
    names = forms["inlined"].names
    known = {**dict(zip(program.inputs, batch)), **program.parameters, **program.constants}
    kept = [a for a in arrays.arrays if a.data is not None and a.kind != NUMBER]
    known |= {names[array]: array.data for array in kept}
    text = written((*arrays.arrays, *adjoints.arrays), names)
    with np.errstate(all="ignore"):
        found = numbers(text, known, len(batch[0]) if batch else 1)
    gradients = {names[leaf]: found[names[d]] for leaf, d in adjoints.gradients.items()}
    return float(found["loss"]), gradients


def numbers(text: str, known: Mapping[str, Any], batch: int) -> Arrays:
    """Return the arrays that lines of index notation define, beside those that are known.

    `known` are numbers by name, those of samples with the batch in front.
    """
    arrays = {name: np.asarray(x, float) for name, x in known.items()}
    for line in text.splitlines():
        found = LINE.match(line)
        assert found, line
        name, own, right, sizes = found.groups()
        shape = [batch if size == "B" else int(size) for size in re.findall(r"\w+", sizes)]
        own = (own or "").replace(",", "")
        arrays[name] = np.zeros(shape)
        sign = 1
        for part in split(right, r" [+-] "):
            if part in (" + ", " - "):
                sign = 1 if part == " + " else -1
            else:
                arrays[name] += sign * Term(part, own, shape, arrays, batch).value()
    return arrays


def split(text: str, between: str) -> Iterator[str]:
    """Yield the parts of a text, and what matches between them, outside of all brackets."""
    depth, start, place = 0, 0, 0
    while place < len(text):
        depth += (text[place] in "([") - (text[place] in ")]")
        found = None if depth else re.compile(between).match(text, place)
        if found:
            yield from (text[start:place], found[0])
            place = start = found.end()
        else:
            place += 1
    yield text[start:]


def closing(text: str, place: int) -> int:
    """Return where the bracket at a place is closed."""
    depth = 0
    for end in range(place, len(text)):
        depth += (text[end] in "([") - (text[end] in ")]")
        if not depth:
            return end
    raise AssertionError(f"a bracket stays open in {text!r}")


def _joined(indices: str) -> list[int]:
    """Return the sizes of axes that stand for those of an array: place i,j of 2×12."""
    found = JOINED.fullmatch(indices)
    return [int(n) for n in found[2].split("×")] if found else []


class Term:
    """One term of a line. It is read twice: to see how far the letters run, and for its numbers."""

    def __init__(
        self, text: str, own: str, shape: Sequence[int], arrays: Arrays, batch: int
    ) -> None:
        self.own, self.shape, self.arrays, self.batch = own, shape, arrays, batch
        self.batched = len(shape) > len(own)
        body, *where = list(split(text, " at "))[::2]
        self.where = where[0][1:-1] if where else ",".join(own)
        self.minus, body = body.startswith("-"), body.removeprefix("-")
        signs = SIGNS.match(body)
        self.body = body[signs.end() :] if signs else body
        summed = dict(BOUND.findall(signs[1])) if signs else {}
        self.summed, self.chosen = [*summed], set[str]()
        self.said = {letter: int(n) for letter, n in summed.items() if n}
        self.reach: dict[str, list[int]] = {}
        self.grids: dict[str, Any] = {}
        self._read_on(self.body)
        self._left(bool(where))
        self.sizes = {"b": batch} | {c: self._size(c) for c in sorted(self._letters())}
        shapes = np.eye(len(self.sizes), dtype=int)
        for (letter, size), axis in zip(self.sizes.items(), shapes):
            self.grids[letter] = np.arange(size).reshape(np.where(axis, size, 1))

    def _left(self, added: bool) -> None:
        """Note how far letters run along the left side, or where a term is `added`."""
        axes = zip(self.own, self.shape[self.batched :])
        if not added:
            self.reach |= {letter: [size] for letter, size in axes}
            return
        for place, size in zip(self._indices(self.where), _joined(self.where)):
            self._reached(place, size)
        if JOINED.fullmatch(self.where):
            return
        for place, (mine, size) in zip(self._indices(self.where), axes):
            self._reached(place, size)
            if place == ([(1, mine)], 0):
                self.reach[mine] = [size]

    def _letters(self) -> set[str]:
        return {*self.reach, *self.said, *self.summed} - {"b"}

    def _size(self, letter: str) -> int:
        sizes = [*self.reach.get(letter, []), *[n for c, n in self.said.items() if c == letter]]
        assert sizes, f"nobody knows how far {letter} runs in {self.body!r}"
        return min(sizes)

    def value(self) -> Any:
        """Return the array of the term."""
        value, kept = self._read_on(self.body), [*self.sizes]
        value = np.broadcast_to(value, [*self.sizes.values()])
        for letter in (*self.summed, *self.chosen):
            axis = kept.index(letter)
            value = value.sum(axis) if letter in self.summed else value.take(0, axis)
            kept.remove(letter)
        if not self.batched and "b" in kept and "b" not in self.reach:
            value = value[0]
            kept.remove("b")
        grids = dict(zip(kept, np.ogrid[tuple(map(slice, value.shape))] if kept else ()))
        places = [self._places(p, grids) for p in self._indices(self.where)] if self.own else []
        sizes = _joined(self.where) or self.shape[self.batched :]
        result = np.zeros([*self.shape[: self.batched], *sizes])
        np.add.at(result, tuple([grids["b"], *places] if self.batched else places), value)
        result = result.reshape(self.shape)
        return -result if self.minus else result

    # indices

    def _indices(self, text: str) -> list[Any]:
        """Return what stands at each index: letters with their steps and a start, or a text."""
        joined = JOINED.fullmatch(text)
        return [self._index(part) for part in [*split(joined[1] if joined else text, ",")][::2]]

    def _index(self, text: str) -> Any:
        if text.startswith("place("):
            raise UnsaidError(text)
        if listed := LISTED.fullmatch(text):
            return Listed(listed[2], np.array(eval(listed[1])))
        variable = text in self.own or text in self._letters()
        variable |= text == "b" and not self.batched  # samples, where they are added up
        if not INDEX.fullmatch(text) or (text in self.arrays and not variable):
            return text
        walks = re.findall(r"(\d*)([a-zA-Z])", text)
        start = re.search(r"(?:^|\+)(\d+)$", text)
        return [(int(n or 1), letter) for n, letter in walks], int(start[1]) if start else 0

    def _reached(self, index: Any, size: int) -> None:
        """Note how far letters run at an index of an axis."""
        if isinstance(index, str):
            self._read_on(index)
            return
        if isinstance(index, Listed):
            for letter, length in zip(index.letters, index.places.shape):
                self.reach.setdefault(letter, []).append(length)
            return
        walks, start = index
        for step, letter in walks:
            reach = self.reach.setdefault(letter, [])
            if len(walks) == 1 and letter != "b":
                reach.append((size - 1 - start) // step + 1)

    def _places(self, index: Any, grids: Grids) -> Any:
        if isinstance(index, str):
            return self._read_on(index).astype(int)
        if isinstance(index, Listed):
            return index.places[tuple(grids[letter] for letter in index.letters)]
        walks, start = index
        return sum((step * grids[letter] for step, letter in walks), np.asarray(start))

    # what is read

    def _read_on(self, text: str) -> Any:
        """Return what a text says, over all letters; 1 for what is read before they are known."""
        code: list[str] = []
        names: dict[str, Any] = {}
        rest, side_by_side = text, False
        while rest:
            sign = SIGN.match(rest)
            if sign or rest[0] == " ":
                end, side_by_side = (sign.end(), False) if sign else (1, side_by_side)
                code += [sign[0]] if sign else []
            else:
                thing, end = self._thing(rest)
                names[f"_{len(names)}"] = thing
                code += ["*"] * side_by_side + [f"_{len(names) - 1}"]
                side_by_side = True
            rest = rest[end:]
        return np.asarray(eval(" ".join(code), names))

    def _thing(self, text: str) -> tuple[Any, int]:
        """Return the one thing that a text begins with, and where it ends."""
        if found := CHOICE.match(text):
            value, end = self._thing(text[found.end() :])
            return self._best(value, *found.groups()), found.end() + end
        if found := NUMBER_TEXT.match(text):
            return eval(found[0], {"B": self.batch}), found.end()
        found = NAME.match(text)
        start = found.end() if found else 0
        bracket = text[start : start + 1]
        end = closing(text, start) if bracket in ("(", "[") else start - 1
        inside = text[start + 1 : end]
        if not found:
            return (self._read_on if bracket == "(" else self._holds)(inside), end + 1
        if bracket == "(":
            parts = [self._read_on(part.strip()) for part in [*split(inside, ", ")][::2]]
            return CALLED[found[0]](*parts), end + 1
        if found[0] in ("B", "nan", "inf"):
            return self.batch if found[0] == "B" else float(found[0]), end + 1
        return self._read(found[0], inside), end + 1

    def _read(self, name: str, inside: str) -> Any:
        array, shape = self.arrays[name], _joined(inside)
        indices = self._indices(inside) if inside else []
        if shape:  # the axes of a sample as if they were others
            whole = array.size == np.prod(shape)
            array = array.reshape(shape if whole else [self.batch, *shape])
        if len(indices) == array.ndim - 1:
            indices.insert(0, ([(1, "b")], 0))
        assert len(indices) == array.ndim, (name, inside, array.shape)
        if not self.grids:
            for index, size in zip(indices, array.shape):
                self._reached(index, size)
            return np.ones(())
        return array[tuple(self._places(index, self.grids) for index in indices)]

    def _axis(self, letter: str) -> int:
        return [*self.sizes].index(letter) - len(self.sizes)

    def _best(self, value: Any, op: str, over: str) -> Any:
        """Return the largest or smallest of what is read over letters."""
        bounds = dict(BOUND.findall(over))
        self.chosen |= {*bounds}
        self.said |= {letter: int(bound) for letter, bound in bounds.items() if bound}
        if not self.grids:
            return value
        value = value + sum(0 * self.grids[letter] for letter in bounds)
        return getattr(np, op)(value, axis=tuple(map(self._axis, bounds)), keepdims=True)

    def _holds(self, text: str) -> Any:
        """Return 1 where it does: [i<3], [ids[j] = i], [j is the first with s[j] = m]."""
        if bound := re.fullmatch(r"([a-zA-Z])<(\d+)", text):
            self.said[bound[1]] = int(bound[2])
            return np.ones(())
        if first := FIRST.fullmatch(text):
            equal = self._read_on(first[2]) == self._read_on(first[3])
            if not self.grids:
                return np.ones(())
            letters = first[1].split(",")
            equal = equal & (sum(self.grids[letter] for letter in letters) >= 0)
            axes, behind = [*map(self._axis, letters)], range(-len(letters), 0)
            moved = np.moveaxis(equal, axes, behind)
            flat = moved.reshape(*moved.shape[: -len(letters)], -1)
            last = np.arange(flat.shape[-1]) == flat.shape[-1] - 1
            once = flat & (np.cumsum(flat, -1) == 1)
            once |= ~flat.any(-1, keepdims=True) & last
            return np.moveaxis(once.reshape(moved.shape), behind, axes) * 1.0
        ids, letter = text.split(" = ")
        return (self._read_on(ids) == self.grids[letter]) * 1.0 if self.grids else np.ones(())
