"""Programs as they run: the lines a debugger shows, threads, results that are the caller's."""

import copy
import gc
import inspect
import linecache
import pickle
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from micrograd import DomainError, Value, mean, no_grad
from micrograd.lowering import cache, lower
from micrograd.lowering.program import Program
from micrograd.lowering.trace.declared import FORWARD, PARAMETER
from micrograd.nn import MLP
from micrograd.optim import SGD
from tests.golden_models import MODELS
from tests.lowering_models import function, window_model
from tests.test_golden import made
from tests.test_lowering_models import batches


def window():
    loss, parameters = window_model(inputs=4, hidden=3)
    return lower(loss, [0.1] * 4, [0.2] * 4, parameters=parameters)


def run_of(program, wanted=PARAMETER):
    """Return the function that a call of the program runs."""
    return program.lowered.forms(wanted)["text"].function


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_a_program_is_bound_to_its_arrays_and_not_copied(duplicate, backend):
    root = (Value(2.0, label="w") * 3.0).tanh()
    program = lower(root, backend=backend)
    for thing in (program, [program]) if duplicate is not copy.copy else (program,):
        with pytest.raises(TypeError, match=r"<Program of .* lower its function again.*export\("):
            duplicate(thing)
    if duplicate is not copy.copy:
        with pytest.raises(TypeError, match="lower its function again"):
            duplicate(program.trainer(SGD(program.parameters, 0.1)))


# what a debugger shows


def test_the_source_of_what_runs_is_the_printed_one():
    program = window()
    assert inspect.getsource(run_of(program)) == function(program)
    file = run_of(program).__code__.co_filename
    assert "".join(linecache.getlines(file)) == program.source
    forward = inspect.getsource(run_of(program, FORWARD))
    assert forward.startswith("def forward(x, x_c, W1, b1, u):") and "# backward" not in forward


def test_a_traceback_shows_the_line_of_the_program():
    program = window()
    arrays = [np.zeros((2, 4)), np.zeros((2, 4)), np.zeros((3, 4)), np.zeros(3), np.zeros(5)]
    with pytest.raises(ValueError) as error:
        run_of(program)(*arrays)
    frame = traceback.extract_tb(error.value.__traceback__)[-1]
    assert frame.name == "value_and_grad" and frame.filename.startswith("<micrograd program ")
    assert frame.line.startswith("s = h1 @ u ")
    assert program.source.splitlines()[frame.lineno - 1].strip() == frame.line


def test_lines_go_with_the_last_program():
    cache.forget()
    program = window()
    file = run_of(program).__code__.co_filename
    assert file in linecache.cache
    cache.forget()
    del program
    gc.collect()
    assert file not in linecache.cache


# threads


def test_threads_run_one_program_on_their_own_batches():
    program = window()
    several = [batches((n, 4), (n, 4)) for n in (1, 2, 3, 5, 8, 13)]
    alone = [window().value_and_grad(*batch, wrt_inputs=True) for batch in several]
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda b: program.value_and_grad(*b, wrt_inputs=True), several * 20))
    for n, (value, gradients) in enumerate(runs):
        right, wanted = alone[n % len(several)]
        assert value == right
        for name, gradient in wanted.items():
            np.testing.assert_array_equal(gradients[name], gradient)


@pytest.fixture
def threads_take_turns():
    """Let threads take turns every few microseconds."""
    kept = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(kept)


def test_threads_replay_one_graph(threads_take_turns):
    root = x = Value(0.3, label="x")
    for _ in range(400):
        root = (root * 0.9 + x).tanh()
    programs = [lower(root), lower(root)]
    programs[1].parameters["x"][...] = -2.0
    assert all(p._replayed for p in programs)
    alone = [p.value_and_grad() for p in programs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: programs[n].value_and_grad(), [0, 1] * 20)) == alone * 20
    assert root.grad == x.grad == 0.0


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_programs_of_one_network_hand_its_numbers_on(backend):
    net = MLP(2, [3, 1], activation="tanh")
    samples = [[0.5, -1.0], [2.0, 0.25]]
    program = lower(lambda x: (net(x) - 1) ** 2, samples[0], backend=backend)
    predict = lower(lambda x: [net(x)], samples[0], backend=backend)
    for array in program.parameters.values():
        array *= -2
    before = predict(samples).tolist()
    program.write_back()
    assert predict(samples).tolist() == before
    predict.refresh()
    wanted = [[net(x).data] for x in samples]
    assert before != wanted
    np.testing.assert_allclose(predict(samples), wanted, rtol=1e-12)


def test_a_replayed_graph_gives_its_gradients_where_nothing_is_recorded():
    root = x = Value(0.3, label="x")
    for _ in range(400):
        root = (root * 0.9 + x).tanh()
    program = lower(root)
    assert program._replayed
    with no_grad():
        loss, gradients = program.value_and_grad()
    root.backward()
    assert (loss, gradients["x"]) == (root.data, x.grad)


def test_a_replayed_graph_that_was_wired_since_is_computed_in_its_order():
    root = x = Value(0.3, label="x")
    nodes = [root := (root * 0.9 + x).tanh() for _ in range(400)]
    program = lower(root)
    nodes[-2]._prev = (0.5 * x,)  # made after its users
    program.parameters["x"][...] = x.data = 1.2
    loss, gradients = program.value_and_grad()
    assert root.forward() == loss
    root.backward()
    assert gradients["x"] == x.grad


def test_threads_are_told_of_their_own_batches_without_a_value(threads_take_turns):
    def long_way(x):
        for _ in range(99):
            x = [x[0] * 1.0, x[0] * x[1]]
        return x[1].log()

    program = lower(long_way, [2.0, 1.0])

    def told(batch):
        try:
            return program(batch)
        except DomainError as error:
            return str(error)

    several = [[[-1.0 * i, 1.0]] if i % 2 else [[0.5 * i, 1.0]] for i in range(1, 9)]
    alone = [told(batch) for batch in several]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(told, several * 20)) == alone * 20


# the sample it was traced on


def test_a_program_that_is_wrong_says_so(monkeypatch):
    monkeypatch.setattr(Program, "_call", lambda self, kind, inputs: (1e3, {}))
    with pytest.warns(RuntimeWarning, match=r"gives 1000\.0 on the sample .* the engine gives "):
        assert window()(*batches((2, 4), (2, 4))) == 1e3


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_a_program_may_be_changed_before_it_runs(backend):
    w = [Value(0.5, label="w0"), Value(-0.25, label="w1")]
    program = lower(lambda x: (w[0] * x[0]).sqrt() + w[1], [0.0, 1.0], backend=backend)
    program.parameters["w"][:] = 2.0, 3.0
    program.write_back()
    w[0].data = 7.0
    loss, gradients = program.value_and_grad([[2.0, 0.0]])  # there is no slope at 0
    assert loss == 5.0 and gradients["w"].tolist() == [0.5, 1.0]
    assert w[0].data == 7.0


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_what_is_assigned_to_a_parameter_is_copied_into_it(backend):
    """A step by hand, `parameters["W"] -= 0.1 * dW`, is that of plain SGD, whatever runs it."""
    (x, x_c), (loss, arrays) = batches((5, 4), (5, 4)), window_model(inputs=4, hidden=3)
    by_hand, by_rule = (
        lower(loss, [0.1] * 4, [0.2] * 4, parameters=arrays, backend=backend) for _ in range(2)
    )
    optimizer, held = SGD(by_rule.parameters, lr=0.1), {**by_hand.parameters}
    for _ in range(5):
        now, gradients = by_hand.value_and_grad(x, x_c)
        for name, gradient in gradients.items():
            by_hand.parameters[name] -= 0.1 * gradient
        assert now == by_rule.value_and_grad(x, x_c)[0]
        optimizer.step(by_rule.value_and_grad(x, x_c)[1])
    by_hand.parameters.update(b1=[1, 2, 3])
    by_rule.parameters["b1"][...] = 1, 2, 3
    assert by_hand(x, x_c) == by_rule(x, x_c)
    assert all(by_hand.parameters[name] is array for name, array in held.items())
    recorded = lower(mean([Value(number) * Value(0.5, label="w") for number in (1.0, 2.0)]))
    recorded.constants["c"] = [5.0, 3.0]
    assert recorded() == 2.0


def test_a_trainer_says_what_it_trains_by_what():
    program = window()
    told = repr(program.trainer(SGD(program.parameters, lr=0.25)))
    assert told.startswith("Trainer(<Program of ") and "SGD(" in told and "lr=0.25" in told


def test_what_is_no_part_of_a_program_is_told():
    program = window()
    for asked, kind, told in (
        (lambda: program.leaf_values("V"), KeyError, "no array 'V'; there are .*W1"),
        (lambda: program.find(3), TypeError, "a node is a Value, not 3"),
        (lambda: program.line("x"), TypeError, "a node is a Value, not 'x'"),
        (lambda: program.trainer(0.1), TypeError, "trainer takes an optimiser, not 0.1"),
        (lambda: program.trainer(SGD), TypeError, "trainer takes an optimiser, not "),
    ):
        with pytest.raises(kind, match=told):
            asked()


def test_what_does_not_fit_a_parameter_is_not_assigned():
    parameters = window().parameters
    before = copy.deepcopy(parameters)
    for change, kind, told in (
        (lambda: parameters.update(u=0.0), ValueError, r"u has the shape \(3,\), .* has \(\)"),
        (lambda: parameters.update(W1=[[1.0]]), ValueError, "W1 has the shape"),
        (lambda: parameters.update(W1=[[1.0], [1.0, 2.0]]), ValueError, "W1 .* ragged"),
        (lambda: parameters.update(V=[1.0]), KeyError, "no array 'V'; there are .*W1"),
        (lambda: parameters["V"], KeyError, "no array 'V'; there are .*W1"),
        (lambda: parameters.update(u=[1.0, None, 2.0]), TypeError, "u is made of real numbers"),
        (lambda: parameters.update(u=list("123")), TypeError, "u is made of real numbers"),
        (lambda: parameters.update(u=[*map(Value, range(3))]), TypeError, "give the data"),
        (lambda: parameters.update(u=np.ma.masked_less(np.ones(3), 2)), TypeError, "not masked"),
        (lambda: parameters.pop("u"), TypeError, "u stays"),
        (parameters.clear, TypeError, "stays"),
    ):
        with pytest.raises(kind, match=told):
            change()
    np.testing.assert_equal({**parameters}, {**before})


@pytest.mark.parametrize("backend", ["numpy", "auto"])
def test_the_traced_sample_need_not_have_a_value_later(backend):
    w = Value(1.0, label="w")
    program = lower(lambda x: (w * x[0]).log(), [1.0], backend=backend)
    program.parameters["w"][...] = -1.0
    assert program([[-1.0]]) == 0.0


# results


def arrays_of(gradients):
    """Yield each array of some gradients with a name; Rows are two."""
    for name, gradient in gradients.items():
        parts = gradient._asdict() if isinstance(gradient, tuple) else {"": gradient}
        yield from ((f"{name} {part}", np.asarray(array)) for part, array in parts.items())


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_new_arrays(name):
    program, batch, *_ = made(name)
    inputs = [np.asarray(x) for x in batch]
    options = {"wrt_inputs": bool(inputs)}
    first = dict(arrays_of(program.value_and_grad(*inputs, **options)[1]))
    kept = {name: array.copy() for name, array in first.items()}
    second = dict(arrays_of(program.value_and_grad(*[x[:1] for x in inputs], **options)[1]))
    again = dict(arrays_of(program.value_and_grad(*inputs, **options)[1]))
    held = dict(enumerate(inputs)) | dict(program.parameters) | dict(program.constants)
    held |= {f"{name}, called again": array for name, array in (second | again).items()}
    held |= dict(program.tables)
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])
        assert array.dtype == (np.int64 if name.endswith("indices") else float), name
        others = {other: x for other, x in first.items() if other != name} | held
        shared = [other for other, x in others.items() if np.shares_memory(array, x)]
        assert not shared, (name, shared)
        assert array.flags.writeable or not array.shape, name


def test_what_a_caller_does_to_gradients_changes_nothing():
    program = window()
    batch = batches((3, 4), (3, 4))
    value, gradients = program.value_and_grad(*batch, wrt_inputs=True)
    before = {name: gradient.copy() for name, gradient in gradients.items()}
    for gradient in gradients.values():
        gradient *= 0.0
    again = program.value_and_grad(*batch, wrt_inputs=True)
    assert again[0] == value
    for name, gradient in before.items():
        np.testing.assert_array_equal(again[1][name], gradient)


def test_a_program_tells_its_leaves_and_what_runs_it():
    model = MLP(2, [3, 1])
    program = lower(lambda x, t: (model(x) - t) ** 2, [1.0, 2.0], 1.0)
    text = repr(program)
    assert f"{len(program.graph)} scalars" in text and text.endswith("; numpy>")
    assert "inputs x, t; parameters W1, b1, W2, b2" in text


@pytest.mark.parametrize("name", ("parameters", "constants", "backend"))
def test_what_a_program_reads_is_not_replaced(name):
    program = lower(lambda x: x[0] * x[1], [1.0, 2.0])
    with pytest.raises(AttributeError, match=name):
        setattr(program, name, {})


def test_a_batch_unlike_the_last_one_is_looked_at_again():
    """Most are like the last one, and taken as they are."""
    program, rng = window(), np.random.default_rng(0)
    x, x_c = rng.normal(size=(2, 5, 4))
    right = program(x, x_c)
    for other in (
        (x.tolist(), x_c),
        (x.astype(np.float32).astype(float), x_c),
        (np.asfortranarray(x), x_c),
        (np.repeat(x, 2, axis=1)[:, ::2], x_c),
        (x.astype(">f8"), x_c),
        (np.ma.array(x).data, x_c),
    ):
        assert program(*other) == pytest.approx(right, rel=1e-7)
        assert program(x, x_c) == right
    for other, told in (
        ((x[:3], x_c), "x_c has the shape"),
        ((x[:, :2], x_c), "x has the shape"),
        ((x,), "1 input; the program takes 2"),
        ((x.astype(complex), x_c), "x"),
        ((np.ma.masked_less(x, 0.0), x_c), "x"),
    ):
        with pytest.raises((ValueError, TypeError), match=told):
            program(*other)
        assert program(x, x_c) == right
    assert program(x[:2], x_c[:2]) == pytest.approx(program.value_and_grad(x[:2], x_c[:2])[0])
