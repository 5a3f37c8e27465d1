"""Expressions as NumPy calls into buffers: each compared with the same text run by NumPy."""

import numpy as np
import pytest

from micrograd.lowering.buffers import CALLED, Buffered
from micrograd.lowering.expr import Assign, binary, call, indexed, num, ref, reshape, total
from micrograd.lowering.text import shown

RNG = np.random.default_rng(0)
LEAVES = {"x": RNG.normal(size=4), "W": RNG.normal(size=(3, 4)), "b": RNG.normal(size=4)}
X, W, b = (ref(name, data.shape) for name, data in LEAVES.items())
SUM = binary("+", X, num(1))
FRONT = ((0, 2, 1),)


def ran(e):
    """Return what the buffered calls of an expression compute."""
    writer = Buffered(set(LEAVES), {})
    writer.statement(Assign("found", e))
    scope = dict(CALLED) | LEAVES
    exec("\n".join([*writer.setup, *writer.body]), scope)
    return scope["found"]


@pytest.mark.parametrize("e", [
    binary("*", SUM, call("exp", SUM)),
    binary("*", indexed(SUM, FRONT), indexed(call("exp", SUM), FRONT)),
    binary("*", reshape(SUM, (2, 2)), reshape(call("exp", SUM), (2, 2))),
    call("where", binary(">", SUM, num(0)), SUM, call("exp", binary("*", SUM, SUM))),
    binary("*", call("maximum", SUM, num(0)), binary("-", num(0), call("maximum", SUM, num(0)))),
    total(binary("*", W, b), (0, 1)),
    total(binary("*", W, W), (0, 1)),
    total(binary("*", indexed(W, (0,)), b), (0,)),
    total(call("exp", X), (0,)),
    total(binary(">", X, num(0)), (0,)),
], ids=shown)  # fmt: skip
def test_buffers_hold_what_is_still_to_be_read(e):
    expected = eval(shown(e), dict(CALLED) | {"where": np.where} | LEAVES)
    np.testing.assert_allclose(ran(e), expected, rtol=1e-14)
