"""Tapes of C: each node of a chain takes the number before it from a register."""

import random

import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.lowering.native.compiler import available
from tests.lowering_oracle import by_engine, by_native, difference

pytestmark = pytest.mark.skipif(not available(), reason="no C compiler on this machine")
OWN = (
    "v",
    "d",
    "loss",
    "values",
    "gradients",
    "now",
    "place",
    "up",
    "near",
    "first",
    "last",
    "groups",
)


def chain(seed: int, leaves: list[Value]) -> Value:
    """Return a chain whose nodes use the one before, twice, on either side, or an older one."""
    draw, nodes = random.Random(seed), list(leaves)
    for _ in range(60):
        x, y, last = draw.choice(leaves), draw.choice(nodes[-3:]), nodes[-1]
        steps = (last * last, last * x, x + last, last.tanh(), last - y, (y * last).exp(), last + y)
        nodes.append(draw.choice(steps).tanh())
    return nodes[-1]


@pytest.mark.parametrize("seed", range(3))
def test_a_chain(seed, irregular):
    leaves = [Value(0.1 * n - 0.4, label=f"x{n}") for n in range(5)]
    program = lower(chain(seed, leaves))
    assert difference(by_native(program, ()), by_engine(program)) == ""


def test_leaves_that_are_named_as_the_tape_names_its_own(irregular):
    leaves = [Value(0.1 * n - 0.4, label=name) for n, name in enumerate(OWN)]
    program = lower(chain(3, leaves))
    assert difference(by_native(program, ()), by_engine(program)) == ""


def test_the_first_node_may_use_the_last_leaf(irregular):
    leaf = Value(0.5, label="x")
    program = lower((leaf * leaf).tanh() * leaf)
    assert difference(by_native(program, ()), by_engine(program)) == ""
