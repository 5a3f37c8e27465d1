"""Whole training steps, natively and by the text: the same numbers, the same resumption."""

import random

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.lowering.native.compiler import available
from micrograd.nn import Embedding
from micrograd.optim import SGD, AdaGrad, Adam, AdamW, Optimizer, RMSProp, SparseAdam, clip_norm
from micrograd.schedules import cosine
from micrograd.training import Interrupted, fit
from tests.golden_models import MODELS
from tests.lowering_oracle import natively

BACKENDS = [
    "numpy",
    pytest.param(
        "c", marks=pytest.mark.skipif(not available(), reason="no C compiler on this machine")
    ),
]
needs_compiler = pytest.mark.skipif(not available(), reason="no C compiler on this machine")


class Halving(Optimizer):
    """A rule of a user's own."""

    slots = ("last",)

    def __init__(self, params, lr=0.1):
        super().__init__(params, lr=lr)

    def _start(self, parameter):
        return {**super()._start(parameter), "rate": 1.0}

    def rule(self, x, g, s, o):
        s["rate"] = s["rate"] / 2
        s["last"] = abs(g) - 0.5 * s["last"]
        return x - o.lr * 2 ** -s["rate"] * g / (1 + s["last"]) - -0.001


class Doubling(SGD):
    """An optimiser with a step of its own."""

    def step(self, gradients=None):
        super().step({name: 2 * g for name, g in gradients.items()})
        for array in self.parameters.values():
            array *= 0.99


def replaced(name):
    """Return a plain optimiser one of whose methods is replaced."""

    def made(parameters):
        optimizer = AdamW(parameters)
        own = getattr(optimizer, name)
        setattr(optimizer, name, lambda *given: own(*given))
        return optimizer

    return made


RULES = {
    "plain": lambda p: SGD(p, lr=0.1),
    "momentum": lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "AdaGrad": lambda p: AdaGrad(p, weight_decay=0.1),
    "RMSProp": RMSProp,
    "Adam": Adam,
    "Adam of the notes": lambda p: Adam(p, bias_correction=False),
    "AdamW": lambda p: AdamW(p, weight_decay=0.1),
    "SparseAdam": SparseAdam,
    "schedules": lambda p: SGD(p, lr=cosine(0.1, 30), momentum=lambda t: 0.0 if t < 4 else 0.9),
    "groups": lambda p: Adam(
        [
            {"params": {k: v for k, v in p.items() if k == "W1"}, "lr": 0.1, "scale": 0.5},
            {"params": {k: v for k, v in p.items() if k == "b1"}},
        ]
    ),
    "asking for a rule of its own": Halving,
    "clipped": lambda p: SGD(p, lr=0.1, clip=clip_norm(0.1)),
    "asking for its own step": Doubling,
    **{f"asking for a new {name}": replaced(name) for name in ("rule", "step", "decayed")},
}


def made(backend):
    model = MODELS["moons"]()
    program = natively(model.program) if backend == "c" else model.program
    return program, [np.asarray(x) for x in model.batch]


def trained(backend, rule):
    program, batch = made(backend)
    optimizer = rule(program.parameters)
    trainer = program.trainer(optimizer)
    steps, size = trainer.on(*batch), len(batch[0])
    losses = [trainer(*batch) for _ in range(3)]
    losses += steps.many([[i % size, (2 * i + 1) % size, i % 2] for i in range(10)])
    losses += [steps([0, 2, 1])]
    return losses, program, optimizer, trainer


@needs_compiler
@pytest.mark.parametrize("name", RULES)
def test_steps_are_those_of_the_optimiser(name):
    right, ours = (trained(backend, RULES[name]) for backend in ("numpy", "c"))
    np.testing.assert_allclose(ours[0], right[0], rtol=1e-12)
    for key, array in right[1].parameters.items():
        np.testing.assert_allclose(ours[1].parameters[key], array, rtol=1e-11, atol=1e-13)
    assert ours[2].steps_done == right[2].steps_done == 14
    for key, state in right[2].state.items():
        for slot, data in state.items():
            assert type(ours[2].state[key][slot]) is type(data)
            np.testing.assert_allclose(ours[2].state[key][slot], data, rtol=1e-10, atol=1e-13)
    assert (ours[3].native is None) == name.startswith(("clipped", "asking"))


@needs_compiler
def test_what_cannot_be_native_says_why():
    assert "clipped" in trained("c", RULES["clipped"])[3].remark
    for name in RULES:
        if name.startswith("asking"):
            assert "of its own" in trained("c", RULES[name])[3].remark


LATER = {
    "clip": lambda optimizer: setattr(optimizer, "clip", clip_norm(0.1)),
    "rule": lambda optimizer: setattr(optimizer, "rule", lambda x, g, s, o: x),
    "step": lambda optimizer: setattr(optimizer, "step", lambda gradients: None),
    "dense": lambda optimizer: optimizer.groups[0].update(dense=True),
    "parameters": lambda optimizer: optimizer.parameters.update(b1=np.zeros(16)),
}


@needs_compiler
@pytest.mark.parametrize("what", LATER)
def test_what_the_steps_were_compiled_for_may_not_change(what):
    program, batch = made("c")
    trainer = program.trainer(SGD(program.parameters))
    trainer(*batch)
    LATER[what](trainer.optimizer)
    with pytest.raises(ValueError, match=rf"{what}.* others .*program\.trainer\(optimizer\)"):
        trainer(*batch)
    optimizer = SGD(program.parameters, clip=trainer.optimizer.clip)
    program.trainer(optimizer)(*batch)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_optimiser_of_other_arrays_is_refused(backend):
    program, _ = made(backend)
    with pytest.raises(ValueError, match="the optimiser moves W1, which is no parameter"):
        program.trainer(SGD({"W1": program.parameters["W1"].copy()}))


@pytest.mark.parametrize("backend", BACKENDS)
def test_rows_that_there_are_not(backend):
    program, batch = made(backend)
    steps = program.trainer(SGD(program.parameters)).on(*batch)
    with pytest.raises(IndexError, match="99"):
        steps([0, 99])


@needs_compiler
def test_the_state_may_be_replaced_between_steps():
    program, batch = made("c")
    optimizer = Adam(program.parameters)
    trainer = program.trainer(optimizer)
    trainer(*batch)
    kept = trainer.state_dict()
    losses = [trainer(*batch) for _ in range(4)]
    trainer.load_state_dict(kept)
    assert [trainer(*batch) for _ in range(4)] == losses
    optimizer.lr = 0.5
    before = program.parameters["W1"].copy()
    trainer(*batch)
    assert np.abs(program.parameters["W1"] - before).max() > 0.1


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loss_that_is_not_finite_ends_a_training(backend):
    w = Value(1.0, label="w")
    program = lower(lambda x: (w * x) * (w * x), 1.0, backend=backend)
    optimizer = SGD(program.parameters, lr=1.0)
    step = program.trainer(optimizer).on([1e150, 1.0, 1.0])
    history = fit(step, range(3), epochs=3, batch_size=1, seed=None, progress=False)
    assert "the loss was" in history.stopped and history.rows == []
    assert optimizer.steps_done == 2


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_domain_error_is_the_engines_and_moves_nothing(backend):
    w = Value(1.0, label="w")
    program = lower(lambda x: (w * x).log(), 1.0, backend=backend)
    optimizer = SGD(program.parameters, lr=0.1)
    step = program.trainer(optimizer).on([1.0, 2.0, -1.0])
    with pytest.raises(ValueError, match=r"log\(x\) has no finite value"):
        step.many([[0], [1], [2], [0]])
    assert optimizer.steps_done == 2
    assert program.parameters["w"] == pytest.approx(0.8 - 0.1 * (1 / 0.9 - 1), abs=0.02)


@needs_compiler
def test_infinite_data_train_as_the_text_does():
    found = []
    w = Value(0.5, label="w")
    for backend in ("numpy", "c"):
        program = lower(lambda x: (w * x).exp() * 0.0 + w * w, 1.0, backend=backend)
        step = program.trainer(SGD(program.parameters, lr=0.1)).on([1.0, -np.inf, 2.0])
        found.append((step.many([[0], [1], [2], [0]]), program.parameters["w"].tolist()))
    np.testing.assert_allclose(found[1][0], found[0][0])
    np.testing.assert_allclose(found[1][1], found[0][1])


@needs_compiler
def test_an_error_behind_data_that_are_infinite_is_still_told():
    w = Value(0.5, label="w")
    program = lower(lambda x, y: x.exp().min(5.0) + (w - y).abs().sqrt(), 1.0, 1.0, backend="c")
    data = [np.inf, 0.0, 0.0], [1.0, 1.0, 0.5]
    step = program.trainer(SGD(program.parameters, lr=0.0)).on(*data)
    right = [5 + 0.5**0.5, 1 + 0.5**0.5, 5 + 0.5**0.5]
    np.testing.assert_allclose(step.many([[0], [1], [0]]), right)
    with pytest.raises(ValueError, match="sqrt"):
        step.many([[0], [1], [2], [1]])


class Stop:
    def __init__(self, epochs):
        self.epochs = epochs

    def __call__(self, row):
        if row["epoch"] == self.epochs:
            raise KeyboardInterrupt


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_resumed_training_is_bit_equal_and_names_the_back_end(backend, tmp_path):
    def run(epochs, resume=False, where=None, stop=None):
        program, batch = made(backend)
        step = program.trainer(Adam(program.parameters)).on(*batch)
        fit(
            step,
            range(len(batch[0])),
            epochs=epochs,
            batch_size=2,
            progress=False,
            checkpoint=where,
            resume=resume,
            after_epoch=[stop] if stop else (),
        )
        return program.parameters

    whole = {name: array.copy() for name, array in run(4).items()}
    file = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt):
        run(4, where=file, stop=Stop(3))
    resumed = run(4, resume=True, where=file)
    assert all((resumed[name] == whole[name]).all() for name in whole)


@needs_compiler
def test_a_training_does_not_go_on_with_another_back_end(tmp_path):
    def run(backend, resume):
        program, batch = made(backend)
        step = program.trainer(Adam(program.parameters)).on(*batch)
        fit(
            step,
            range(len(batch[0])),
            epochs=2,
            progress=False,
            checkpoint=tmp_path / "run.npz",
            resume=resume,
        )

    run("c", False)
    with pytest.raises(ValueError, match="backend 'c' there, 'numpy' here"):
        run("numpy", True)


def test_many_steps_stop_between_two_calls(monkeypatch):
    from micrograd.training import run as running

    calls = []

    class Step:
        def __call__(self, batch):
            raise AssertionError("one at a time")

        def many(self, batches):
            calls.append(len(batches))
            if len(calls) == 2:
                running.os.kill(running.os.getpid(), 2)
            return [1.0] * len(batches)

    with pytest.raises(Interrupted):
        fit(Step(), range(100), epochs=1, batch_size=1, progress=False)
    assert calls == [running.AT_ONCE] * 2


@needs_compiler
def test_what_is_remembered_may_be_replaced_one_by_one():
    runs = []
    for backend in ("numpy", "c"):
        program, batch = made(backend)
        optimizer = Adam(program.parameters)
        trainer = program.trainer(optimizer)
        losses = [trainer(*batch) for _ in range(3)]
        optimizer.state["b1"]["m"] = np.full_like(program.parameters["b1"], 0.5)
        optimizer.state["W2"]["v"][...] = 2.0
        losses.append(trainer(*batch))
        optimizer.state["W1"]["t"] = 40  # it no longer goes with the others
        losses += [trainer(*batch) for _ in range(2)]
        optimizer.step({"b1": np.ones_like(program.parameters["b1"])})  # nor does this one
        losses += [trainer(*batch) for _ in range(2)]
        runs.append((losses, {name: s["t"] for name, s in optimizer.state.items()}))
    np.testing.assert_allclose(runs[1][0], runs[0][0], rtol=1e-12)
    assert runs[0][1] == runs[1][1] and len(set(runs[0][1].values())) == 3


@needs_compiler
def test_options_may_change_places():
    runs = []
    for backend in ("numpy", "c"):
        program, batch = made(backend)
        optimizer = Adam(program.parameters)
        trainer = program.trainer(optimizer)
        losses = [trainer(*batch)]
        group = optimizer.groups[0]
        group["beta1"] = group.pop("beta1") / 2
        runs.append([*losses, *(trainer(*batch) for _ in range(3))])
    np.testing.assert_allclose(runs[1], runs[0], rtol=1e-12)


def spelled(backend):
    """Return a program that looks rows of a table up, one of them twice in a sample."""
    rng = random.Random(2)
    table = Embedding(5, 2)
    table.rows = [[Value(rng.gauss(0, 1)) for _ in range(2)] for _ in range(5)]
    w = [Value(rng.gauss(0, 1)) for _ in range(6)]

    def loss(ids):
        return dot([x for row in table(ids) for x in row], w).tanh() ** 2

    return lower(loss, [1, 0, 1], parameters={"E": table.rows, "w": w}, backend=backend)


@needs_compiler
@pytest.mark.parametrize("kind", [Adam, SGD])
def test_a_table_that_is_moved_whole_is_trained_natively(kind):
    data = np.array([[0, 1, 2], [2, 2, 4], [1, 0, 1], [4, 3, 3]])
    results = []
    for backend in ("numpy", "c"):
        program = spelled(backend)
        trainer = program.trainer(kind(program.parameters, lr=0.05, dense=True))
        assert (trainer.native is not None) == (backend == "c")
        losses = trainer.on(data).many([[0, 1], [2], [3, 1, 0], [2, 2]] * 5)
        results.append((losses, *program.parameters.values()))
    for text, native in zip(*results):
        np.testing.assert_allclose(native, text, rtol=0, atol=1e-12)
    sparse = spelled("c")
    assert sparse.trainer(SGD(sparse.parameters)).native is None  # its rows alone are moved


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ({"momentun": 0.9}, "SGD has no option momentun"),
        ({"lr": lambda t: 0.1 if t < 2 else float("nan")}, "its schedule gave nan at step 2"),
    ],
)
def test_options_edited_later_are_checked_before_the_steps(backend, edit, reason):
    program, batch = made(backend)
    optimizer = SGD(program.parameters, lr=0.1)
    optimizer.groups[0].update(edit)
    with pytest.raises(ValueError, match=reason):
        program.trainer(optimizer).on(*batch).many([[0, 1], [1, 2], [2, 0], [0, 2]])
    # by the text the good steps before are done, natively a call is planned as a whole
    assert optimizer.steps_done in ((2, 0) if "lr" in edit else (0,))


ROWS = [[], [True, False], np.array([0.0, 1.0]), [[0, 1], [1, 0]], 2, slice(0, 2), {0, 1}, ["0"]]
ROWS += [[([0.1, 0.2], 1.0), ([0.3, 0.4], -1.0)]]  # samples, in place of their numbers


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_a_batch_is_a_list_of_row_numbers(rows, backend):
    program, batch = made(backend)
    before = {name: array.copy() for name, array in program.parameters.items()}
    steps = program.trainer(SGD(program.parameters)).on(*batch)
    with pytest.raises(TypeError, match="^rows is .*; give a list of row numbers"):
        steps.many([[0, 1], rows])
    for wrong in (-1, len(batch[0])):
        with pytest.raises(IndexError, match=f"no row {wrong}: the data have {len(batch[0])},"):
            steps.many([[0, 1], [0, wrong]])
    assert steps.many([]) == []
    for name, array in before.items():
        np.testing.assert_array_equal(program.parameters[name], array)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_takes_a_batch_of_each_input(backend):
    def loss(*xs):
        return sum((w * x for x in xs), w) ** 2

    columns = [[1.0, -1.0, 2.0], [0.5, 0.0, -3.0]]
    for count in (1, 2):
        w = Value(2.0, label="w")
        program = lower(loss, *(column[0] for column in columns[:count]), backend=backend)
        sums = [1 + sum(row) for row in zip(*columns[:count])]
        mean = sum(x * x for x in sums) / 3
        trainer = program.trainer(SGD(program.parameters, lr=0.01))
        assert trainer(*columns[:count]) == pytest.approx(4 * mean)
        assert program.parameters["w"] == pytest.approx(2 - 0.01 * 4 * mean)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recorded_loss_is_trained_by_steps_too(backend):
    program = lower((Value(3.0, label="w") * 2) ** 2, backend=backend)
    steps = program.trainer(SGD(program.parameters, lr=0.1)).on()
    np.testing.assert_allclose(steps.many([[0], [0]]), [36.0, 36.0 * 0.2**2])
