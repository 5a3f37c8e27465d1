"""Expressions made simpler as they are built: they still give what NumPy gives, step by step."""

import random

import numpy as np
import pytest

from micrograd.lowering.arrays.ir import ALL, B
from micrograd.lowering.code import construct
from micrograd.lowering.code.expr import OPERATORS, Expr, num, ref
from micrograd.lowering.code.kinds import Printer, make

ROWS = 4
DRAW = np.random.default_rng(0)
SHAPES = {"x": (B, 3), "A": (2, 3), "C": (3, 2), "E": (1, 3), "b": (3,), "y": (B,), "s": ()}
ARRAYS = {name: DRAW.normal(size=[ROWS if n == B else n for n in SHAPES[name]]) for name in SHAPES}
NUMBERS = (0, 1, -1, 2, -3, 0.5, 0.7, 1e-200, 1e200)
Part = tuple[Expr, np.ndarray]


def leaf(rng: random.Random) -> Part:
    name = rng.choice([*SHAPES, "x", *["number", "batch", "mask"] * 3])
    if name == "number":
        number = rng.choice(NUMBERS)
        return num(number), np.array(float(number))
    if name == "batch":
        return make("batch", ()), np.array(float(ROWS))
    if name == "mask":
        name = rng.choice([*SHAPES])
        yes, no = rng.choice([(1, 0), (0, 1), (2, -1)])
        small = construct.binary("<", ref(name, SHAPES[name]), num(0.25))
        return construct.where(small, yes, no), np.where(ARRAYS[name] < 0.25, yes, no) * 1.0
    return ref(name, SHAPES[name]), ARRAYS[name]


def drawn(rng: random.Random, depth: int) -> Part:
    """Return a random expression, and what it is."""
    if not depth:
        return leaf(rng)
    e, right = drawn(rng, depth - 1)
    kind = rng.choice(
        ["binary"] * 6 + ["negative", "total", "total", "axis", "axis", "reshape", "turn", "repeat"]
    )
    if kind == "binary":
        other, its = drawn(rng, rng.randrange(depth))
        op = rng.choice("+-***///")
        sides = [(e, right), (other, its)]
        rng.shuffle(sides)
        (a, x), (b, y) = sides
        op = op if y.all() else "+"
        return construct.binary(op, a, b), OPERATORS[op].evaluate(x, y)
    if kind == "negative" or not e.shape:
        return construct.negative(e), -right
    axis = rng.randrange(len(e.shape))
    if kind == "total":
        how = rng.choice(["sum", "mean", "max"])
        return construct.total(e, (axis,), how), getattr(right, how)(axis)
    if kind == "axis":
        key = [ALL] * len(e.shape)
        key.insert(axis, None)
        return construct.indexed(e, tuple(key)), np.expand_dims(right, axis)
    if kind == "repeat":
        return construct.broadcast(e, (2, *e.shape)), np.stack((right, right))
    if kind == "turn":
        order = tuple(rng.sample(range(len(e.shape)), len(e.shape)))
        return construct.transpose(e, order), right.transpose(order)
    if B in e.shape:
        if e.shape[0] != B or B in e.shape[1:]:
            return e, right
        return construct.reshape(e, (*e.shape, 1)), right[..., None]
    shape = rng.choice([(right.size,), (1, right.size), (right.size, 1)])
    return construct.reshape(e, shape), right.reshape(shape)


@pytest.mark.parametrize("seed", range(4))
def test_random_expressions_are_what_numpy_makes_of_them(seed):
    known = {**vars(np), **ARRAYS, "B": ROWS}
    for number in range(1500 * seed, 1500 * seed + 1500):
        rng = random.Random(number)
        with np.errstate(all="ignore"):
            try:
                e, right = drawn(rng, rng.randint(1, 7))
            except ValueError:  # of shapes that do not go together
                continue
            if e.shape.count(B) > 1 or not np.isfinite(right).all():
                continue
            text = Printer({})(e)
            found = np.broadcast_to(eval(text, known), right.shape)
        size = abs(right).max()
        assert tuple(ROWS if n == B else n for n in e.shape) == right.shape, text
        np.testing.assert_allclose(found, right, 1e-9, 1e-12 * size, err_msg=f"{number}: {text}")


def test_what_is_laid_in_one_row_from_other_shapes_is_not_added_before():
    sides = [construct.reshape(ref(name, SHAPES[name]), (6,)) for name in "AC"]
    found = eval(Printer({})(construct.binary("+", *sides)), {**ARRAYS})
    np.testing.assert_array_equal(found, ARRAYS["A"].ravel() + ARRAYS["C"].ravel())


def test_what_an_operation_repeats_anyway_is_not_repeated_before():
    row, rows = (ref(name, SHAPES[name]) for name in "bx")
    repeated, read = construct.broadcast(row, (B, 3)), Printer({})
    for op in "+-*/":
        for sides in ((repeated, rows), (rows, repeated)):
            assert "broadcast_to" not in read(construct.binary(op, *sides))
        assert construct.binary(op, repeated, row).shape == (B, 3)
