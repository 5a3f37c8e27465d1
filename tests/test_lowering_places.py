"""Random arrays read at random places: shifted, reversed, halved, on diagonals, in triangles."""

import random

import numpy as np
import pytest

from tests.lowering_fuzz import TEXTS, Ready, failures_of
from tests.lowering_oracle import by_engine
from tests.test_lowering_outputs import wrong

SETUP = """
from functools import reduce
from micrograd import Value
from micrograd.lowering import lower


def values(numbers):
    return list(map(values, numbers)) if isinstance(numbers, list) else Value(numbers)


def total(nested):
    return sum(map(total, nested), Value(0.0)) if isinstance(nested, list) else nested


def largest(parts):
    return reduce(Value.max, parts, Value(-1.0))
"""
MAPPED = ("{}.tanh()", "(1.5 + {}.tanh()).log()", "(1 - {})", "(2 * {})", "{}.relu()")
JOINED = ("({} + {})", "({} - {})", "({} * {})", "{}.max({})", "({} / ({} ** 2 + 1))")
WITHIN = ("range({0})", "range({0} + 1)", "range({0}, {1})", "range({0} + 1, {1})")
CHOSEN = ("{} < {}", "{} == {}", "{} != {}", "({} + {}) % 2")
NUMBERS = (0.0, 1.0, -1.0, 2.0, 0.5, -0.75, 1.25, 0.1)


class Places:
    """Draw the text of a function of x with the parameters W and u, and a batch of it.

    Axes that have nothing to do with each other are equally long.
    """

    def __init__(self, seed):
        self.rng, self.seed = random.Random(seed), seed
        self.sizes = self.rng.choice(([2], [3], [1, 2], [2, 3], [2, 4]))
        self.shapes = {name: self.shape(1, 3) for name in "Wux"}
        self.lines = [self.array(f"t{n}") for n in range(self.rng.randint(1, 4))]

    def shape(self, least, most):
        return [self.rng.choice(self.sizes) for _ in range(self.rng.randint(least, most))]

    def array(self, name):
        shape = self.shape(0, 3)
        text = self.element([*zip("ijk", shape)], self.rng.randint(1, 3))
        for letter, size in reversed([*zip("ijk", shape)]):
            text = f"[{text} for {letter} in range({size})]"
        self.shapes[name] = shape
        return f"    {name} = {text}\n"

    def element(self, loops, depth):
        """Return the text of a number at the places that loops run through: letters with sizes."""
        kind = self.rng.choice(("mapped", "joined", "joined", "sum", "chosen") if depth else ("",))
        if kind == "mapped":
            return self.rng.choice(MAPPED).format(self.element(loops, depth - 1))
        if kind == "sum":
            letter, size = "lmn"[depth - 1], self.rng.choice(self.sizes)
            numbers = f"range({size})"
            if loops and self.rng.random() < 0.3:  # a triangle
                outer, size = self.rng.choice(loops)
                numbers = self.rng.choice(WITHIN).format(outer, size)
            inner = self.element([*loops, (letter, size)], depth - 1)
            of = self.rng.choice(("total", "total", "largest"))
            return f"{of}([{inner} for {letter} in {numbers}])"
        if not kind or (kind == "chosen" and not loops):
            return self.read(loops)
        one, other = self.element(loops, depth - 1), self.element(loops, depth - 1)
        if kind == "joined":
            return self.rng.choice(JOINED).format(one, other)
        letters = self.rng.choice(loops)[0], self.rng.choice([*loops, "1"])[0]
        return f"({one} if {self.rng.choice(CHOSEN).format(*letters)} else {other})"

    def read(self, loops):
        name = self.rng.choice([*self.shapes])
        return name + "".join(f"[{self.place(size, loops)}]" for size in self.shapes[name])

    def place(self, size, loops):
        kind, (letter, length) = self.rng.random(), self.rng.choice(loops or [("0", 1)])
        if kind < 0.5 and length <= size:
            return letter
        if kind < 0.7 and length <= size:
            return f"{size - 1} - {letter}"
        other = self.rng.choice([*loops, *"012"])[0]
        return f"({self.rng.randint(1, 2)} * {letter} + {other}) % {size}"

    def module(self, returned):
        """Return the text of a module with a program, a batch of it, and what it is made of."""
        W, u, x, *batch = (self.numbers(self.shapes[name]) for name in "Wuxxx")
        return (
            f"{SETUP}\n\nW, u = values({W}), values({u})\n\n\ndef loss(x):\n{''.join(self.lines)}"
            f"    return {returned}\n\n\nbatch, reduction = [{batch}], 'mean'\n"
            f"program = lower(loss, {x}, parameters={{'W': W, 'u': u}})\n"
        )

    def numbers(self, shape):
        return np.array(self.rng.choices(NUMBERS, k=int(np.prod(shape)))).reshape(shape).tolist()

    def __str__(self):
        """Return a module whose function returns its last array, twice."""
        return self.module("[{0}, {0}]".format(f"t{len(self.lines) - 1}"))


@pytest.mark.parametrize("first", range(0, 90, 15))
def test_losses(first):
    for seed in range(first, first + 15):
        places, module = Places(seed), {}
        text = places.module(" + ".join(f"total(t{n})" for n in range(len(places.lines))))
        exec(text, module)
        program, loss, batch = (module[name] for name in ("program", "loss", "batch"))
        case = Ready(program, None, batch, by_engine(program, loss, batch))
        assert failures_of(case, TEXTS) == {}, text


@pytest.mark.parametrize("first", range(0, 150, 25))
def test_outputs(first):
    for seed in range(first, first + 25):
        assert wrong(Places(seed)) == "", str(Places(seed))
