"""A recorded training: what is kept, and that keeping it changes nothing."""

import random

import pytest

from micrograd import Value
from micrograd.nn import MLP
from micrograd.optim import SGD
from micrograd.training import Interrupted, Recording, descent, fit

XOR = [([0.0, 0.0], 0.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], 0.0)]


def task(seed=3):
    random.seed(seed)
    model = MLP(2, [4, 1])
    optimizer = SGD(model.parameters(), lr=0.1)

    def loss(batch):
        return sum((model(x) - t) ** 2 for x, t in batch) * (1 / len(batch))

    return model, descent(model, loss, optimizer)


def single(numbers):
    """Return numbers as float32 keeps them."""
    from array import array

    return [*array("f", numbers)]


def test_a_frame_is_what_the_loss_was_computed_at():
    model, step = task()
    recording = Recording(model, every=3)
    noted = recording.of(step)
    before, losses = [], []
    for _ in range(8):
        before.append([p.data for p in model.parameters()])
        losses.append(noted(XOR))
    assert recording.losses == losses
    assert [number for number, _ in recording.frames] == [0, 3, 6]
    for number, kept in recording.frames:
        assert [*kept] == single(before[number])
    assert [*recording.now()] == single(p.data for p in model.parameters())


def test_a_loop_of_ones_own_gives_the_same_recording():
    model, step = task()
    ours = Recording(model, every=2)
    for _ in range(5):
        ours.note(step.loss(XOR))  # of the parameters as they are
        step(XOR)
    model, step = task()
    theirs = Recording(model, every=2)
    fit(theirs.of(step), XOR, 5, batch_size=4, seed=None, progress=False)
    assert theirs.state_dict() == ours.state_dict()


def test_recording_changes_nothing():
    plain_model, plain = task()
    alone = fit(plain, XOR, 6, batch_size=2, progress=False)
    model, step = task()
    both = fit(Recording(model).of(step), XOR, 6, batch_size=2, progress=False)
    assert both.rows == alone.rows
    assert [p.data for p in model.parameters()] == [p.data for p in plain_model.parameters()]


def test_a_dead_unit_is_still_remarked():
    model, step = task(2)
    history = fit(Recording(model).of(step), XOR, 300, batch_size=4, progress=False)
    assert "2 of 4 ReLU units are dead" in history.remark


def test_a_loss_that_reaches_nothing_is_still_remarked():
    model, _ = task()
    step = descent(model, lambda batch: Value(1.0), SGD(model.parameters()))
    history = fit(Recording(model).of(step), XOR, 12, progress=False)
    assert "it depends on none of the" in history.remark


def test_a_recording_goes_on_with_its_run(tmp_path):
    def run(path, resume, stop_after=0):
        model, step = task()
        recording = Recording(model, every=3)
        calls = []

        def interrupted(row):
            calls.append(row)
            if len(calls) == stop_after:
                raise Interrupted("stopped", None)

        options = {"checkpoint": path, "resume": resume, "after_epoch": [interrupted]}
        noted = recording.of(step)
        try:
            fit(noted, XOR, 6, batch_size=2, progress=False, **options)
        except Interrupted:
            return None
        return recording.state_dict()

    whole = run(tmp_path / "whole.json", False)
    assert run(tmp_path / "part.json", False, stop_after=3) is None
    assert run(tmp_path / "part.json", True) == whole


def test_a_recording_of_another_model_is_refused():
    model, step = task()
    recording = Recording(model)
    recording.of(step)(XOR)
    with pytest.raises(ValueError, match="frames"):
        Recording(MLP(2, [1])).load_state_dict(recording.state_dict())
    state = recording.state_dict()
    (number, numbers) = state["frames"][0]
    for wrong in ([-1, numbers], [number], [number, numbers, 0], number):
        with pytest.raises(ValueError, match="the state of this Recording has the frames"):
            recording.load_state_dict(state | {"frames": [wrong]})


def test_a_training_on_arrays_is_recorded_too():
    pytest.importorskip("numpy", reason="numpy is not installed")
    from micrograd.lowering import lower

    model, _ = task()
    program = lower(lambda x, t: (model(x) - t) ** 2, [0.0, 0.0], 0.0)
    optimizer = SGD(program.parameters, lr=0.1)
    points, targets = [x for x, _ in XOR], [t for _, t in XOR]
    recording = Recording(model, every=2)
    step = recording.of(program.trainer(optimizer).on(points, targets))
    fit(step, range(4), 5, batch_size=4, seed=None, progress=False)
    model, step = task()
    ours = Recording(model, every=2)
    fit(ours.of(step), XOR, 5, batch_size=4, seed=None, progress=False)
    assert recording.losses == pytest.approx(ours.losses, rel=1e-12)
    pairs = zip([*recording.frames, (5, recording.now())], [*ours.frames, (5, ours.now())])
    for (number, kept), (other, own) in pairs:
        assert number == other and [*kept] == pytest.approx([*own], rel=1e-6)


@pytest.mark.parametrize("every", [0, -1, 1.5, "2"])
def test_every_is_a_number_of_steps(every):
    with pytest.raises((TypeError, ValueError), match="every"):
        Recording(MLP(2, [1]), every)


def test_a_loss_may_be_a_value():
    recording = Recording(MLP(2, [1]))
    recording.note(Value(2.0))
    assert recording.losses == [2.0]
    with pytest.raises(TypeError, match="note takes the loss of a step, not 'low'"):
        recording.note("low")
    assert len(recording.frames) == 1  # nothing is noted of it


@pytest.mark.parametrize("model", [3, None, [Value(1.0)]], ids=str)
def test_what_is_recorded_is_a_module(model):
    with pytest.raises(TypeError, match="a Recording takes a Module, not"):
        Recording(model)
