"""The line of array code that a node became: the spots, and what page and terminal show of them."""

import re

import pytest

from micrograd import Value
from micrograd.expressions import parse
from micrograd.graph import LEAF
from tests.lowering_models import all_to_all_attention, transformer, window_model
from tests.stepper_graphs import batch, every_row, network

np = pytest.importorskip("numpy", reason="numpy is not installed")

from micrograd.lowering import lower  # noqa: E402

SAMPLE = [0.5, -0.3, 0.8, 0.1], [-0.2, 0.4, 0.3, -0.6]


def window():
    loss, parameters = window_model(inputs=4, hidden=3)
    return lower(loss, *SAMPLE, parameters=parameters)


def attention():
    loss, parameters = all_to_all_attention()
    return lower(loss, [[0.1, 0.2, -0.3, 0.4]] * 3, parameters=parameters)


def words():
    loss, parameters = transformer()
    return lower(loss, parameters=parameters)


def expression():
    return lower(parse("(x + y) * max(y, z) + 3 * log(y)", {"x": 1, "y": 2, "z": 0}))


PROGRAMS = [
    window, attention, words, expression,
    *(lambda make=make: lower(make()) for make in (batch, every_row, lambda: network(3, 4))),
]  # fmt: skip


def names_within(program):
    """Run both passes of a program on its own sample; return every array by its name."""
    head = re.sub(r"    return loss, \{[^}]*\}", "    return locals()", program.export("numpy"))
    module = {}
    exec(head, module)
    names = [*program.inputs, *program.parameters, *program.constants]
    inputs = [np.array([v.data for v in leaves.ravel()]).reshape(1, *leaves.shape)
              for leaves in map(program.leaf_values, program.inputs)]  # fmt: skip
    held = {**dict(zip(program.inputs, inputs)), **program.parameters, **program.constants}
    return module["value_and_grad"](*(held[name] for name in names))


def element(arrays, spot):
    array = np.asarray(arrays[spot.name])
    return array[(0,) * spot.batched + spot.index]


@pytest.mark.parametrize("make", PROGRAMS)
def test_the_named_element_of_the_named_line_is_the_value_and_the_gradient(make):
    program = make()
    arrays, lines = names_within(program), program.source.splitlines()
    program.root.backward()
    seen = set()
    for value in program.graph.values:
        for spot, number in ((program.line(value), value.data),
                             (program.line_of_gradient(value), value.grad)):  # fmt: skip
            seen.add(spot.how)
            if spot.how in ("element", "shared"):
                assert element(arrays, spot) == pytest.approx(number, rel=1e-12, abs=1e-12)
            if spot.how == "term":
                assert program.find(value)[0] == spot.name
            if spot.line > 1:
                assert lines[spot.line - 1].strip().startswith(f"{spot.name} = ")
            elif spot.line == 1:
                assert re.search(rf"\b{spot.name}\b", lines[0])
    assert {"element", "shared"} <= seen
