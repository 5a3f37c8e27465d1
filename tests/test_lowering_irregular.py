"""Irregular graphs as text: what is printed runs, exports to every library, and stays short."""

import random
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd.cli import main
from micrograd.engine import Value
from micrograd.lowering import cache, lower, passes
from micrograd.lowering.trace.samples import as_values
from micrograd.ops import ROWS, DomainError
from tests.irregular_models import batch_of_model, chain, dag, every_row, model
from tests.lowering_models import values
from tests.test_lowering_graphs import CLOSE, assert_same, random_graph, scalar_gradients

TARGETS = ["numpy", "jax", "torch"]
pytestmark = pytest.mark.usefixtures("irregular")


def shown(program) -> dict:
    """Return what the printed source defines, with the tables that it asks for put in."""
    scope: dict = {}
    exec(program.source, scope)
    scope["value_and_grad"] = partial(scope["value_and_grad"], **program.tables)
    return scope


def assert_source_runs(program, *batch) -> None:
    """Compare the printed source with the program, which other tests hold to `backward()`."""
    arguments = [*batch, *program.parameters.values(), *program.constants.values()]
    value, gradients = shown(program)["value_and_grad"](*arguments)
    right, expected = program.value_and_grad(*batch)
    assert value == pytest.approx(right, rel=CLOSE, abs=CLOSE)
    assert_same(gradients, expected)


def assert_exported(target: str, program, *batch) -> None:
    """Compare an exported file with the program; under JAX, compiled."""
    library, scope = pytest.importorskip(target), {}
    exec(program.export(target), scope)
    leaves = scope["LEAVES"]
    forward, both = scope["forward"], scope["value_and_grad"]
    if target == "jax":
        forward, both = library.jit(forward), library.jit(both)
    if target == "torch":
        batch = [library.tensor(x) for x in batch]
    value, gradients = both(*batch, **leaves)
    right, expected = program.value_and_grad(*[np.asarray(x) for x in batch])
    assert float(value) == pytest.approx(right, rel=CLOSE, abs=CLOSE)
    assert float(forward(*batch, **leaves)) == pytest.approx(right, rel=CLOSE, abs=CLOSE)
    assert_same({name: np.asarray(g) for name, g in gradients.items()}, expected)


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=40, deadline=None)
def test_the_source_equals_backward_on_random_graphs(seed, size):
    root = random_graph(seed, size)
    program = lower(root)
    leaves = [*program.parameters.values(), *program.constants.values()]
    value, gradients = shown(program)["value_and_grad"](*leaves)
    assert value == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
    assert_same(gradients, scalar_gradients(root, program))


def test_the_source_of_a_chain_is_as_long_as_that_of_a_short_one():
    short, long = lower(chain(3_000)), lower(chain(100_000))  # tables are arguments
    assert re.sub(r"[\d ]+", "", short.source) == re.sub(r"[\d ]+", "", long.source)
    assert len(long.source.splitlines()) <= 60
    root = chain(2_000)
    program = lower(root)
    value, gradients = shown(program)["value_and_grad"](*program.parameters.values())
    assert value == pytest.approx(root.data, rel=CLOSE)
    assert_same(gradients, scalar_gradients(root, program))


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_the_source_runs_batches(reduce):
    program, loss = model(reduce)
    assert program.inputs == ["x", "y", "mask"]
    batch = batch_of_model()
    losses = [loss(*sample) for sample in zip(*map(as_values, batch))]
    total = sum(losses) * (1 / 5 if reduce == "mean" else 1)
    value, gradients = shown(program)["value_and_grad"](
        *batch, **program.parameters, **program.constants
    )
    assert value == pytest.approx(total.data, rel=CLOSE)
    assert_same(gradients, scalar_gradients(total, program))
    assert gradients["unused"].tolist() == [0, 0] and gradients["u"][4] == 0
    assert gradients["u"][:4].all()


@pytest.mark.parametrize("seed", range(24))
def test_sums_of_random_signs(seed):
    """One may be a number, and one side of it a sum itself, as in 0 - (a + b) - c + d * e."""
    rng = random.Random(seed)
    w = values([rng.gauss(0, 1) for _ in range(5)])

    def term(depth):
        kind = rng.randrange(5 if depth else 3)
        if kind > 2:
            total = rng.choice((0, term(depth - 1)))
            for _ in range(rng.randint(1, 4)):
                other = term(depth - 1)
                total = total + other if rng.random() < 0.5 else total - other
            return total.max(0.1) if rng.random() < 0.2 else total
        a, b = rng.choice(w), rng.choice(w)
        return (a, a * b, a.tanh())[kind]

    root = term(3).tanh() - term(3) + term(2)
    program = lower(root, parameters={"w": w})
    value, gradients = shown(program)["value_and_grad"](*program.parameters.values())
    assert value == pytest.approx(root.data, rel=CLOSE, abs=CLOSE)
    assert_same(gradients, scalar_gradients(root, program))


def test_constants_and_a_loss_that_needs_no_sample():
    c, w = Value(3.0), Value(2.0, label="w")
    recorded = lower((c * w).tanh() + c, parameters={"w": w})
    assert list(recorded.constants)
    assert_source_runs(recorded)
    for reduce, value in (("mean", 4.0), ("sum", 12.0)):
        program = lower(lambda x: w * w, 1.0, reduce=reduce, parameters={"w": w})
        assert program.value_and_grad([1.0, 2, 3])[0] == value
        assert_source_runs(program, np.array([1.0, 2, 3]))


def test_formulas_stay_few_whatever_the_number_of_constants():
    rng, x = random.Random(5), Value(0.5, label="x")
    root = x.leaky_relu(0.3)
    for _ in range(50):
        root = (1.5 + root.tanh()) ** rng.uniform(-2, 2) + root.leaky_relu(rng.random())
    many = lower(root)
    assert many.source.count("x ** y") == 1 and many.source.count("lambda d") < 10
    assert_source_runs(many)
    assert_same(many.value_and_grad()[1], scalar_gradients(root, many))
    for target in TARGETS:
        assert_exported(target, many)


def test_a_constant_may_be_nan():
    x = Value(0.5, label="x")
    program = lower((x.tanh() ** float("nan")).exp() + x**2)
    loss, gradients = program.value_and_grad()
    assert np.isnan(loss) and np.isnan(gradients["x"]).all()
    assert np.isnan(shown(program)["value_and_grad"](**program.parameters)[0])


def test_names_of_leaves_and_of_the_text_do_not_clash():
    names = ("v", "d", "x", "x_slots", "numbers", "groups", "out", "slots_of_numbers", "dv", "op")
    parameters = {name: Value(0.1 * i + 0.1) for i, name in enumerate(names)}
    root = Value(1.0)
    for p in parameters.values():
        root = (root * p + 1).tanh()
    program = lower(root, parameters=parameters)
    assert_source_runs(program)
    assert_exported("numpy", program)
    assert program.find(root)[0] == "v_"


@pytest.mark.parametrize("target", TARGETS)
def test_exported_graphs_agree(target):
    for root in (random_graph(5, 40), chain(200), dag(400)):
        assert_exported(target, lower(root))


@pytest.mark.parametrize("target", TARGETS)
def test_every_operation_is_exported(target):
    root = every_row()
    program = lower(root)
    assert len(program.lowered.arrays.operations) >= len(ROWS)
    assert_same(program.value_and_grad()[1], scalar_gradients(root, program))
    assert_exported(target, program)
    assert_source_runs(program)


@pytest.mark.parametrize("target", TARGETS)
def test_exported_batches_agree(target):
    assert_exported(target, model()[0], *batch_of_model())
    assert_exported(target, model("sum")[0], *batch_of_model())


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_may_be_integers(target):
    w = values([0.5, -2.0])
    program = lower(lambda x: (w[0] * x[0] + w[1]).tanh() * x[1], [1.0, 2.0], parameters={"w": w})
    assert_exported(target, program, np.array([[1, 2], [-3, 0]]))


def test_an_exported_file_is_compact_and_needs_nothing_of_ours(tmp_path):
    root = dag(20_000)
    program = lower(root)
    text = program.export("numpy", str(tmp_path / "graph.py"))
    assert len(text) < 40 * len(program.graph) and max(map(len, text.splitlines())) < 10_000
    code = (
        "import sys; sys.modules['micrograd'] = None; import graph\n"
        "print(repr(float(graph.forward(**graph.LEAVES))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert float(done.stdout) == pytest.approx(root.data, rel=CLOSE), done.stderr
    with pytest.raises(ValueError, match="numpy, jax, torch"):
        program.export("fortran")


@pytest.mark.parametrize("seed", range(5))
def test_find_gives_the_place_in_v(seed):
    program = lower(random_graph(seed, 40))
    scope, kept = shown(program), []
    run = scope["forward_pass"]
    scope["forward_pass"] = lambda *given: kept.append(run(*given)) or kept[0]
    scope["value_and_grad"](*program.parameters.values(), *program.constants.values())
    user = {p: value for value in program.graph.values for p in value.parents}
    partial = added = 0
    for value in program.graph.values:
        if value.data == 0 and not value.parents:
            added += 1
            with pytest.raises(ValueError, match="it is the 0 that Python's sum"):
                program.find(value)
            continue
        name, place = program.find(value)
        assert name == "v" and program.line(value).at == (place,)
        if kept[0][place] != pytest.approx(value.data, rel=CLOSE):
            partial += 1  # a part of a sum is found where the sum is
            assert value._op == "+" and program.find(user[value]) == (name, place)
    assert added and partial < len(program.graph) / 3


def test_explain_tells_of_leaves_and_groups():
    program, _ = model()
    lines = program.explain().splitlines()
    assert (
        "too irregular for an array for each" in program.explain() and program.lowered.arrays.groups
    )
    assert any(re.fullmatch(r"  W  # \(4, 3\); v\[0\] to v\[\d+\]; layer 0.*", x) for x in lines)
    assert any(
        re.fullmatch(r"  u  # \(5,\); v\[\d+\] to v\[\d+\]; 1 without effect", x) for x in lines
    )
    assert "  unused  # (2,); 2 without effect" in lines
    rows = [
        line.split() for line in lines[lines.index("   nodes  groups  biggest  operation") + 1 :]
    ]
    biggest = [int(row[2]) for row in rows]
    assert rows[0][:4] == ["21", "4", "12", "mul:"] and biggest == sorted(biggest, reverse=True)
    counted = program.lowered.arrays.data["groups"]
    assert sum(int(row[1]) for row in rows) == len(counted)


def test_the_command_exports_irregular_functions(tmp_path, capsys):
    path = tmp_path / "program.py"
    path.write_text("def loss(x=[0.1, 0.2]):\n    return (x[0] * x[1]).tanh() + x[0]\n")
    assert main(["lower", f"{path}:loss", "--export", "numpy"]) == 0
    scope = {}
    exec(capsys.readouterr().out, scope)
    x = np.array([[0.5, 2.0], [1.0, -1.0]])
    right = np.mean(np.tanh(x[:, 0] * x[:, 1]) + x[:, 0])
    assert scope["forward"](x) == pytest.approx(right, rel=CLOSE)
    assert main(["lower", f"{path}:loss", "--check", "--explain"]) == 0
    assert "irregular" in capsys.readouterr().out


def test_numbers_of_the_code_are_found_in_no_array(monkeypatch):
    monkeypatch.setattr(passes, "MOST_ARRAYS", 200)  # an array program, this time
    cache.forget()
    w = values([1.0, 2.0, 3.0])
    program = lower(sum(a * a for a in w).tanh() * 2, parameters={"w": w})
    numbers = [v for v in program.graph.values if not v.parents and v not in w]
    said = []
    for value in numbers:
        with pytest.raises(ValueError) as error:
            program.find(value)
        said.append(str(error.value).rpartition(": ")[2])
    assert said[0].startswith("it is the 0 that Python's sum() starts from")
    assert said[1] == "it is a number of the code"
    assert program.find(w[1]) == ("w", 1)
    cache.forget()


def test_a_value_that_has_no_slope_is_computed_where_no_gradient_is_asked_for():
    w = Value(1.0, label="w")
    h = w**0.5
    for _ in range(3000):
        h = (h * 1.01).tanh()
    program = lower(h)
    program.parameters["w"] = 0.0
    assert program() == 0.0 and w.data == 1.0
    with pytest.raises(DomainError):
        program.value_and_grad()
