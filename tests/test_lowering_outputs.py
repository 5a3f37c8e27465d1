"""Random functions that return lists of Values: outputs and gradients are those of the engine."""

from __future__ import annotations

import random

import numpy as np
import pytest

from micrograd import Value
from micrograd.lowering.native.compiler import available
from tests.fuzz_cases import Case, Term
from tests.fuzz_draw import Draw
from tests.lowering_oracle import CLOSE, Right, as_values, by_engine, dense, difference, natively

CASES, BLOCK = 150, 25


def drawn(seed: int) -> Case:
    """Return a case of random outputs: a vector, a list of numbers or of equally long vectors."""
    draw = Draw(seed)
    case = draw.case()
    rng = random.Random(seed)
    depth = rng.randint(0, 3)
    kind = rng.choice(("vector", "numbers", "vectors"))
    if kind == "vector":
        outputs = draw.vector(depth)
    elif kind == "numbers":
        outputs = listed([draw.scalar(depth) for _ in range(rng.randint(1, 3))])
    else:
        first = draw.vector(depth)
        more = [draw.vector(depth, first.shape[0]) for _ in range(rng.randint(0, 2))]
        outputs = listed([first, *more])
    return case._replace(loss=outputs, reduction="sum")


def listed(parts: list[Term]) -> Term:
    text = ", ".join(f"{{{i}}}" for i in range(len(parts)))
    return Term(f"[{text}]", (len(parts), *parts[0].shape), tuple(parts))


def weighted(outputs: object, upstream: object) -> Value:
    if isinstance(outputs, (list, tuple)):
        return sum((weighted(y, u) for y, u in zip(outputs, upstream)), Value(0.0))
    return outputs * upstream


def wrong(case: Case, native: bool = False) -> str:
    """Say what of a case differs from the engine, if anything does."""
    module: dict = {}
    exec(str(case), module)
    program, batch, function = module["program"], module["batch"], module["loss"]
    program = natively(program) if native else program
    shape = np.shape(program(*batch))
    upstream = np.random.default_rng(case.seed).normal(size=shape)
    outputs, gradients = program.vjp(*batch, upstream=upstream, wrt_inputs=True)
    exact = [mapped(function(*map(as_values, sample))) for sample in zip(*batch)]
    right = by_engine(
        program,
        lambda *sample: weighted(function(*sample[:-1]), numbers(sample[-1])),
        [*batch, upstream],
        "sum",
    )
    for result in (outputs, program(*batch)):  # beside gradients, and alone
        if not np.allclose(result, exact, rtol=CLOSE, atol=CLOSE * right.size):
            return f"outputs {result.tolist()}, the engine gives {exact}"
    loss = float((np.asarray(exact) * upstream).sum())
    if missing := {*right.gradients} - {*gradients, "upstream"}:
        return f"no gradients of {missing}"
    found = {name: dense(g, program, name) for name, g in gradients.items()}
    return difference((loss, found), Right(loss, right.gradients, right.size, right.sizes))


def mapped(outputs: object) -> object:
    return [mapped(y) for y in outputs] if isinstance(outputs, (list, tuple)) else outputs.data


def numbers(values: object) -> object:
    return [numbers(v) for v in values] if isinstance(values, list) else values.data


@pytest.mark.parametrize("first", range(0, CASES, BLOCK))
def test_random_outputs(first):
    for seed in range(first, first + BLOCK):
        assert wrong(drawn(seed)) == "", str(drawn(seed))


@pytest.mark.skipif(not available(), reason="no C compiler")
@pytest.mark.parametrize("seed", range(1000, 1008))
def test_random_outputs_in_c(seed):
    assert wrong(drawn(seed), native=True) == "", str(drawn(seed))
