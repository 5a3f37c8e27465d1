"""Every kind of array expression: its shape, its text under every library, what the text calls."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from micrograd.lowering.arrays.ir import ALL, B, Size
from micrograd.lowering.arrays.names import RESERVED
from micrograd.lowering.code.construct import (
    binary,
    broadcast,
    call,
    indexed,
    reshape,
    total,
    transpose,
)
from micrograd.lowering.code.expr import Range, Table, num, ref
from micrograd.lowering.code.kinds import KINDS, Kind, Printer, make
from micrograd.lowering.code.module import TARGETS, free_names, module, ranges
from micrograd.lowering.code.module import _helpers as helpers
from micrograd.ops import FUNCTIONS

A, V, W = ref("A", (3, 4)), ref("V", (4,)), ref("W", (3,))
X, T, IDS = ref("X", (B, 4)), ref("T", (2, 3, 4)), ref("IDS", (B,))
PLACES = Table(np.array([3, 0, 0]))
NAMES = {PLACES: "i1"}
LETTERS = {"B", "A", "V", "W", "X", "T", "IDS", "i1"}
POSITIVE = binary(">", A, num(0))
EXAMPLES = {
    "ref": [A],
    "num": [num(2.5), num(-3), num(float("inf")), num(float("nan"))],
    "batch": [make("batch", ())],
    "bin": [binary(op, A, V) for op in ("+", "-", "*", "/", "<", "==")]
    + [binary("**", A, num(2)), binary("*", POSITIVE, A), binary("*", POSITIVE, num(2))],
    "neg": [make("neg", (A,)), make("neg", (binary("/", A, V),))],
    "not": [make("not", (POSITIVE,)), binary("*", make("not", (POSITIVE,)), A)],
    "call": [call(name, call("abs", A)) for name in FUNCTIONS]
    + [call("maximum", A, num(0)), call("minimum", A, V), call("where", POSITIVE, num(1), num(0))],
    "sum": [total(A, (1,)), total(A, (0, 1)), total(T, (0, 2)), total(X, (0,))],
    "mean": [total(X, (0,), "mean")],
    "max": [total(A, (axis,), "max") for axis in (0, 1)] + [total(V, (0,), "max")],
    "min": [total(A, (axis,), "min") for axis in (0, 1)] + [total(X, (1,), "min")],
    "matmul": [
        make("matmul", sides)
        for sides in (
            (X, transpose(A, (1, 0))),
            (A, V),
            (T, transpose(T, (0, 2, 1))),
            (A, transpose(T, (0, 2, 1))),
            (T, V),
            (V, transpose(A, (1, 0))),
        )
    ],
    "einsum": [make("einsum", (X, X), ("bi,bj->bij", (B, 4, 4)))],
    "transpose": [transpose(A, (1, 0)), transpose(T, (2, 0, 1))],
    "reshape": [reshape(A, (12,)), reshape(X, (B, 2, 2)), reshape(X, (Size(4),))],
    "index": [indexed(A, (1,)), indexed(A, ((0, 3, 2), None)), indexed(T, (0, (1, 3, 1), 2))],
    "broadcast": [broadcast(V, (3, 4)), broadcast(num(2), (B, 3))],
    "full": [make("full", (num(2),), (3,)), make("full", (total(V, (0,)),), (B, 2))],
    "copy": [make("copy", (A,))],
    "take": [
        make("take", (V,), (PLACES,)),
        make("take", (X,), (ALL, PLACES)),
        make("take", (A,), (Range(3), PLACES)),
        make("take", (transpose(T, (0, 2, 1)),), (1, PLACES, ALL)),
        make("take", (transpose(T, (1, 2, 0)),), (Range(3), PLACES, ALL)),
    ],
    "scatter": [
        make("scatter", (W,), ((PLACES,), (4,))),
        make("scatter", (indexed(X, (ALL, (0, 3, 1))),), ((ALL, PLACES), (B, 4))),
        make("scatter", (A,), ((PLACES, ALL), (5, 4))),
        make("scatter", (W,), ((PLACES, PLACES), (4, 5))),
    ],
    "embed": [
        make("embed", (V,), ((1,), (3, 4))),
        make("embed", (num(2),), ((0, (1, 3, 1)), (3, 4))),
        make("embed", (W,), ((Range(3), PLACES), (3, 4))),
    ],
    "eye": [make("eye", (), (4, place)) for place in (2, PLACES, Range(4))]
    + [make("eye", (IDS,), (4, None))],
    "stack": [make("stack", sides, 0) for sides in ((V, V), (total(V, (0,)), num(2), num(1)))]
    + [make("stack", (A, A), axis) for axis in (1, 2)],
    "concatenate": [make("concatenate", (A, A, indexed(T, (1,))), axis) for axis in (0, 1)],
    "first_true": [make("first_true", (POSITIVE,), axes) for axes in ((0,), (1,), (0, 1), (1, 0))],
    "lookup": [make("lookup", (A, IDS))],
    "rows": [make("rows", (A, IDS, X))],
    "add_rows": [make("add_rows", (A, IDS, X))],
}
EVERY = [
    pytest.param(e, id=f"{kind} {n}") for kind in EXAMPLES for n, e in enumerate(EXAMPLES[kind])
]


def evaluated(e, target, rows=5):
    """Return what the text of an expression gives under one library, in a module of its own."""
    printer = Printer(NAMES, target)
    rng = np.random.default_rng(0)
    arrays = {
        a.attr: rng.normal(size=tuple(rows if n == B else n for n in a.shape))
        for a in (A, V, W, X, T)
    } | {"IDS": rng.integers(0, 3, rows)}
    text = f"def evaluate(B, {', '.join(arrays)}):\n    return {printer(e)}\n"
    data = {name: table.places for table, name in NAMES.items()}
    scope: dict = {}
    exec(module(text, data, target), scope)
    if target == "torch":
        torch = pytest.importorskip("torch")
        arrays = {name: torch.tensor(array) for name, array in arrays.items()}
    with np.errstate(all="ignore"):
        return np.asarray(scope["evaluate"](rows, *arrays.values()))


def test_every_kind_has_examples():
    assert set(EXAMPLES) == set(KINDS)
    assert all(
        e.kind == kind or kind in {part.kind for part in e.walk()}
        for kind, examples in EXAMPLES.items()
        for e in examples
    )


@pytest.mark.parametrize("e", EVERY)
def test_the_text_gives_the_shape_that_the_row_says(e):
    assert evaluated(e, "numpy").shape == tuple(
        5 * n.times if isinstance(n, Size) else n for n in e.shape
    )


@pytest.mark.parametrize("target", [t for t in TARGETS if t != "numpy"])
@pytest.mark.parametrize("e", EVERY)
def test_every_library_gives_the_same(e, target):
    pytest.importorskip(target)
    right, result = evaluated(e, "numpy"), evaluated(e, target)
    assert result.shape == right.shape and (result.dtype == bool) == (right.dtype == bool)
    np.testing.assert_allclose(result, right, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (np.arange(6), "np.arange(6)"),
        (3 + np.add.outer(4 * np.arange(2), np.arange(3)), "3 + 4 * np.arange(2)[:, None] + np.ar"),
        (np.array([[0, 1, 2]] * 2), ""),  # the first axis would be lost
        (np.array([0, 1, 2, 4, 5, 6]), ""),
        (np.arange(3), ""),
        (np.arange(6.0), ""),
    ],
)
def test_tables_that_grow_evenly_are_ranges(table, text):
    found = ranges(table)
    assert found.startswith(text) and bool(found) == bool(text)
    assert not found or (eval(found) == table).all()


def test_names_that_texts_call_are_no_names_of_arrays():
    called = {
        name
        for target in ("", *TARGETS)
        for examples in EXAMPLES.values()
        for e in examples
        for name in free_names(Printer(NAMES, target)(e)) - LETTERS
    }
    assert called <= RESERVED, called - RESERVED
    defined = {name for target in TARGETS for name in helpers(target)}
    assert defined <= RESERVED, defined - RESERVED


def test_helpers_of_all_targets_are_the_same():
    """What is ours under one library is ours under all: PyTorch has more, under NumPy's names."""
    ours = {name for name in helpers("numpy") if name not in ("Rows", "sparse_rows", "add_at")}
    for target in TARGETS:
        assert ours <= set(helpers(target))


def test_what_a_text_calls_is_read_from_it():
    text = (
        "def forward(x, n):\n    y = [abs(exp(v)) for v in x]\n    return scatter(y, len(x), B.n)"
    )
    assert free_names(text) == {"abs", "exp", "scatter", "B"}
    for target in TARGETS:
        source = module("def forward(x):\n    return embed(exp(x), (3,), s_[1:])\n", {}, target)
        assert "scatter" not in source and "first_true" not in source  # nothing that is not called
        assert ("exp = of_tensors" if target == "torch" else "import exp\n") in source


def test_a_new_kind_is_one_row(monkeypatch):
    row = Kind(
        shape=lambda args, attr: args[0].shape,
        text=lambda e, show: f"roll({show(e.args[0])}, {e.attr})",
    )
    monkeypatch.setitem(KINDS, "roll", row)
    e = make("roll", (binary("+", V, num(1)),), 2)
    assert Printer({})(binary("*", e, V)) == "roll(V + 1, 2) * V" and e.shape == (4,)
    values = evaluated(V, "numpy") + 1
    for target in ("numpy", "jax"):
        pytest.importorskip(target)
        np.testing.assert_allclose(evaluated(e, target), np.roll(values, 2))


WRAPPED = {
    "-{}": lambda e: make("neg", (e,)),
    "{} * A": lambda e: make("bin", (e, A), "*"),
    "A - {}": lambda e: make("bin", (A, e), "-"),
    "A / {}": lambda e: make("bin", (A, e), "/"),
    "{} ** 2": lambda e: make("bin", (e, num(2)), "**"),
    "{}.sum(0)": lambda e: total(e, (0,)),
    "{} @ V": lambda e: make("matmul", (e, V)),
}


@pytest.mark.parametrize("form", WRAPPED)
def test_brackets_stand_where_python_needs_them(form):
    """Put texts into others: once as they are printed, once in brackets."""
    for e in (e for examples in EXAMPLES.values() for e in examples if e.shape == (3, 4)):
        whole = WRAPPED[form](e)
        if evaluated(e, "numpy").dtype == bool:
            continue  # NumPy has no -truth, and rows of truths are never added up
        result = evaluated(whole, "numpy")
        printer = Printer(NAMES, "numpy")
        text = form.format(f"({printer(e)})")
        kind = Kind(lambda args, attr: (), partial(lambda t, *_: t, text))
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(KINDS, "brackets", kind)
            np.testing.assert_array_equal(result, evaluated(make("brackets", ()), "numpy"))


ROW = """ROWS = [
    row("softcap", "k * tanh(x / k)", "1 - (out / k) ** 2", constants=(2.0, 3.0)),
"""
USE = """
import micrograd
from micrograd import Value
from micrograd.lowering import lower

assert micrograd.__file__.startswith({folder!r}), micrograd.__file__
w = [Value(0.5, label="w0"), Value(-1.5, label="w1")]
loss = lambda x: sum((a * b).softcap(2.0) for a, b in zip(w, x))
program = lower(loss, [0.1, 0.2])
value, gradients = program.value_and_grad([[1.0, 2.0]])
root = loss([Value(1.0), Value(2.0)])
root.backward()
assert abs(value - root.data) < 1e-14
assert abs(gradients["w"] - [v.grad for v in w]).max() < 1e-14
scope = {{}}
exec(program.export("torch"), scope)
print(program.source)
"""


def test_a_new_operation_is_one_row(tmp_path):
    for library in ("torch", "jax"):
        pytest.importorskip(library)
    package = Path(__file__).resolve().parents[1] / "micrograd"
    shutil.copytree(package, tmp_path / "micrograd", ignore=shutil.ignore_patterns("__pycache__"))
    ops = tmp_path / "micrograd" / "ops.py"
    text = ops.read_text("utf-8")
    assert text.count("ROWS = [\n") == 1
    ops.write_text(text.replace("ROWS = [\n", ROW), "utf-8")
    code = USE.format(folder=str(tmp_path))
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    assert "2 * tanh(" in run.stdout and " ** 2" in run.stdout
