"""Random functions that return lists of Values: outputs and gradients are those of the engine."""

from __future__ import annotations

import ctypes
import os
import random
import shlex
import subprocess
import tempfile
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from micrograd import Value
from micrograd.lowering import lower
from micrograd.lowering.native import run as native
from micrograd.lowering.native.compiler import available
from micrograd.lowering.trace.declared import OUTPUT
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


def by_export(program: Any, batch: Any, target: str = "numpy") -> Any:
    """Return the outputs by `forward` of an exported module."""
    module: dict = {}
    exec(program.export(target), module)
    leaves = {name: np.asarray(leaf) for name, leaf in module["LEAVES"].items()}
    if target == "torch":
        batch = [*map(module["torch"].tensor, batch)]
        leaves = {name: module["torch"].tensor(leaf) for name, leaf in leaves.items()}
    return np.asarray(module["forward"](*batch, **leaves))


def by_c(program: Any, batch: Any, folder: Path) -> Any:
    """Return the outputs by `forward` of an exported file of C."""
    folder = Path(tempfile.mkdtemp(dir=folder))  # a library of one path is loaded once
    source, library = folder / "net.c", folder / "net.so"
    program.export("c", str(source))
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", "-fPIC", "-Wall", "-Werror"]
    subprocess.run([*command, str(source), "-o", str(library), "-lm"], check=True)
    data = dict(zip(program.inputs, batch)) | program._held
    names = signature(program._text(OUTPUT).function).parameters
    result = np.full((len(batch[0]), *program.arguments.shapes[-1]), np.nan)
    arrays = [np.ascontiguousarray(data[name]) for name in names if name in data]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (*arrays, result)]
    ctypes.CDLL(str(library)).forward(ctypes.c_long(len(batch[0])), *pointers)
    return result


def wrong(case: Case, native: bool = False, exports: Any = (by_export,)) -> str:
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
    ids = program.arguments.counts
    arrays = [
        np.asarray(x, np.int64 if name in ids else float) for name, x in zip(program.inputs, batch)
    ]
    by = [export(program, arrays) for export in exports]
    for result in (outputs, program(*batch), *by):  # beside gradients, and alone
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
def test_random_outputs_in_c(seed, tmp_path):
    exported = partial(by_c, folder=tmp_path)
    assert wrong(drawn(seed), native=True, exports=[exported]) == "", str(drawn(seed))


@pytest.mark.parametrize("target", ["jax", "torch"])
def test_random_outputs_exported(target):
    pytest.importorskip(target)
    for seed in range(2000, 2006):
        exported = partial(by_export, target=target)
        assert wrong(drawn(seed), exports=[exported]) == "", str(drawn(seed))


@pytest.mark.parametrize("target", ["numpy", "jax", "torch", "c"])
def test_random_outputs_of_irregular_graphs(target, tmp_path, irregular):
    if target in ("jax", "torch"):
        pytest.importorskip(target)
    if target == "c" and not available():
        pytest.skip("no C compiler")
    export = partial(by_c, folder=tmp_path) if target == "c" else partial(by_export, target=target)
    for seed in range(3000, 3040 if target == "numpy" else 3004):
        case = drawn(seed)
        assert wrong(case, native=target == "c", exports=[export]) == "", str(case)


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_a_call_asks_for_its_own_inputs(backend):
    program = lower(lambda x, y: [x[0] * y, x[1] + y], [0.5, 0.25], 1.0, backend=backend)
    x, y = [[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0]
    assert program(x, y).tolist() == [[5.0, 7.0], [18.0, 10.0]]
    for batch in ((x,), (x, y, x)):
        with pytest.raises(ValueError, match=r"^\d inputs?; the program takes 2: x, y; a b"):
            program(*batch)
    with pytest.raises(ValueError, match="the program takes 3: x, y, upstream"):
        program.value_and_grad(x, y)
    with pytest.raises(ValueError, match=r"x is empty"):
        program([], [])


@pytest.mark.parametrize("grid", [True, False])
@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_outputs_of_parameters_alone(grid, backend, request):
    if not grid:
        request.getfixturevalue("irregular")
    w = [Value(0.5, label="w0"), Value(-0.25, label="w1")]
    program = lower(lambda: [w[0] * w[1], w[1].log1p()], backend=backend)
    assert program().tolist() == [pytest.approx([-0.125, np.log(0.75)])]
    assert by_export(program, []).tolist() == program().tolist()


@pytest.mark.skipif(not available(), reason="no C compiler")
def test_outputs_in_c_are_not_taken_for_strange(monkeypatch):
    program = lower(lambda x: [x[0].log(), x[0]], [2.0], backend="c")
    monkeypatch.setattr(native.np, "empty", lambda size: np.full(size, np.nan))
    monkeypatch.setattr(type(program), "diagnose", lambda *_: pytest.fail("it is in order"))
    assert program([[1.0]]).tolist() == [[0.0, 1.0]]
