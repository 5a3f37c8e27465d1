"""Resuming: only from a checkpoint of the same run; and a step must say what it did."""

import hashlib
import json
import math
import random
import subprocess
import sys

import numpy as np
import pytest

from micrograd.checkpoint import load_state, save_state
from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam, AdamW, clip_norm, clip_value
from micrograd.schedules import Plateau, cosine, exponential
from micrograd.schedules import step as stepwise
from micrograd.training import EarlyStopping, Recording, descent, fit
from micrograd.training.settings import differences

DATA = [((x / 4, 1.0), x / 8) for x in range(8)]


def set_up(make=SGD, lr=0.05, activation="tanh", **options):
    random.seed(3)
    model = MLP(2, [2, 1], activation)
    optimizer = make(model.parameters(), lr=lr, **options)

    def loss(batch):
        return sum((model(x) - y) ** 2 for x, y in batch) / len(batch)

    return model, descent(model, loss, optimizer)


def train(path, epochs=2, data=DATA, step=None, stop=None, **options):
    model, own = set_up(
        **{k: options.pop(k) for k in ("make", "lr", "activation", "clip") if k in options}
    )
    fit(
        step or own,
        data,
        epochs,
        batch_size=3,
        checkpoint=path,
        stop=stop,
        progress=False,
        **options,
    )
    return [p.data for p in model.parameters()]


OTHERWISE = [
    ({"activation": "relu"}, r"layers\.0\.neurons\.0\.activation 'tanh' there, 'relu' here"),
    ({"clip": clip_norm(2.0)}, r"state\.optimizer\.clip None there, 'clip_norm\(2\.0\)' here"),
    ({"clip": clip_value(2.0)}, r"clip None there, 'clip_value\(2\.0\)' here"),
    ({"lr": 0.1}, r"state\.optimizer\.groups\.0\.lr 0\.05 there, 0\.1 here"),
    ({"make": Adam}, r"state\.optimizer\.rule 'SGD' there, 'Adam' here"),
    ({"lr": cosine(0.05, 9)}, r"groups\.0\.lr 0\.05 there, 'a schedule' here"),
    ({"lr": Plateau(0.05)}, r"groups\.0\.lr 0\.05 there, \{.*'Plateau'.*\} here"),
    ({"seed": 4}, "seed 0 there, 4 here"),
    ({"seed": None}, "seed 0 there, None here"),
    ({"data": DATA[::-1]}, "data '[0-9a-f]{12}' there, '[0-9a-f]{12}' here"),
    ({"data": DATA[:7]}, "examples 8 there, 7 here"),
    ({"data": np.arange(8.0)}, "data '"),
    ({"stop": EarlyStopping()}, r"stop None there, \{.*'patience': 5"),
    ({"settings": {"corpus": "b"}}, "corpus 'a' there, 'b' here"),
    ({"settings": {}}, "corpus 'a' there, 'nothing' here"),
    ({"settings": {"corpus": "a", "more": 1}}, "more 'nothing' there, 1 here"),
    ({"state": []}, r"state \{.*\} there, \[\] here"),
]


@pytest.mark.parametrize("change, said", OTHERWISE)
def test_a_run_made_otherwise_is_refused_and_what_differs_is_named(change, said, tmp_path):
    path, same = tmp_path / "run.npz", {"settings": {"corpus": "a"}}
    train(path, **same)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"run\.npz is another run's: .*{said}.*Resume as it"):
        train(path, resume=True, **{**same, **change})
    assert path.read_bytes() == before
    train(path, resume=True, **same)


class Table:
    """What pandas calls a DataFrame, of one column."""

    def __init__(self, *numbers):
        self.iloc = np.array([numbers]).T
        self.shape, self.to_numpy = self.iloc.shape, lambda: self.iloc

    def __len__(self):
        return len(self.iloc)

    def __getitem__(self, column):
        raise KeyError(column)


@pytest.mark.parametrize(
    ("data", "others", "told"),
    [
        (Table(1, 2, 3), Table(1, 2, 4), True),
        (np.arange(8), np.arange(1, 9), True),
        (range(8), range(1, 9), True),
        (["a"] * 8, ["a"] * 7 + ["b"], True),
        (["\ud800"] * 8, ["\ud801"] * 8, False),  # text that no file holds
        ([object()] * 8, [None] * 8, False),
    ],
)
def test_data_are_told_apart_where_they_could_be_written(data, others, told, tmp_path):
    def train(data, **options):
        fit(lambda batch: 0.5, data, 1, checkpoint=path, state=[], progress=False, **options)

    path = tmp_path / "run.json"
    train(data)
    train(data, resume=True)
    if told:
        with pytest.raises(ValueError, match="another run's: data '[0-9a-f]{12}' there"):
            train(others, resume=True)


@pytest.mark.parametrize(
    "wrapped", [lambda step: step, lambda step: Recording(MLP(1, [1])).of(step)]
)
def test_the_data_of_a_step_of_row_numbers_are_told_apart(wrapped, tmp_path):
    """`fit(trainer.on(x, y), range(n), ...)` went on with another x without a word."""

    def train(shift, **options):
        x, w = np.arange(6.0) + shift, Value(1.0)
        program = lower(lambda x: (w * x - 1) ** 2, 0.5)
        step = wrapped(program.trainer(SGD(program.parameters)).on(x))
        fit(step, range(6), 2, checkpoint=tmp_path / "run.npz", progress=False, **options)

    train(0.0)
    train(0.0, resume=True)
    with pytest.raises(ValueError, match="another run's: data of the step '[0-9a-f]{12}' there, "):
        train(1.0, resume=True)


SETTINGS = [np.arange(3.0), (np.zeros(2), 1), [math.nan, (1, 2)], math.nan, np.int64(3), None]
OTHERS = [
    np.arange(1.0, 4),
    np.arange(4.0),
    np.arange(3),
    0.0,
    "x",
    (np.zeros(2), 2),
    [1.0, (1, 2)],
]


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("ending", ["json", "npz"])
def test_settings_may_be_whatever_a_checkpoint_holds(setting, ending, tmp_path):
    def train(setting, name="how", **options):
        settings = {name: setting}
        options |= {"checkpoint": tmp_path / f"run.{ending}", "settings": settings, "state": []}
        fit(lambda batch: 0.5, [1, 2], 1, progress=False, **options)

    train(setting)
    train(setting, resume=True)
    for other in OTHERS:
        with pytest.raises(ValueError, match=r"is another run's: how(\.\d)* .* there, .* here\."):
            train(other, resume=True)
    with pytest.raises(ValueError, match="settings gives another data than fit notes"):
        train(setting, "data")


class Counter:
    """What counts epochs by a method that fit calls, and knows how to keep the number."""

    seen = 0

    def count(self, row):
        self.seen += 1

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


def test_the_owner_of_a_function_after_each_epoch_goes_on_too(tmp_path):
    def run(epochs, **options):
        counter = Counter()
        options |= {"checkpoint": tmp_path / "run.json", "state": [], "progress": False}
        fit(lambda batch: 0.5, DATA, epochs, after_epoch=[print, counter.count], **options)
        return counter.seen

    assert (run(2), run(5, resume=True), run(5, resume=True)) == (2, 5, 5)


class Counting(MLP):
    """A network that keeps what no checkpoint knows to be a part of its state."""

    def __init__(self):
        random.seed(3)
        super().__init__(2, [2, 1])
        self.mean, self.seen, self._cache = 0.0, np.zeros(2), 0

    def __call__(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x[0]
        self.seen += 1
        self._cache += 1
        return super().__call__(x)


def test_what_training_changes_and_a_checkpoint_does_not_keep_is_said(tmp_path):
    path = tmp_path / "run.json"

    def run(model, epochs, resume):
        step = descent(
            model, lambda batch: sum(model(x) ** 2 for x, _ in batch), SGD(model.parameters(), 0.01)
        )
        fit(step, DATA, epochs, checkpoint=path, resume=resume, progress=False)

    model = Counting()
    with pytest.warns(UserWarning, match=r"changes state\.model\.\w+ \(it was .*, now .*") as said:
        run(model, 3, resume=False)
    assert [str(w.message).split()[2] for w in said] == ["state.model.mean", "state.model.seen"]
    assert {w.filename for w in said} == {__file__}  # where fit is called
    assert "state.model.mean (it was 0.0, now 0." in str(said[0].message)
    for again in (Counting(), model):  # in another process, or in a notebook: it was said
        run(again, 3, resume=True)


def test_settings_of_a_network_are_what_makes_it():
    model = Counting()
    model.layers[0].neurons[0].activation = half
    model.sizes, model.nothing, model.unknown = [2, 1], None, float("nan")
    own = model.settings()
    assert own["layers.0.neurons.0.activation"] == "half" and own["sizes"] == [2, 1]
    assert own["unknown"] == "nan"  # of which one is the other
    assert {"nothing", "_cache", "training"}.isdisjoint(own)
    model.seen[1] = 3.0
    assert model.settings()["seen"] != own["seen"]


def half(x):
    return x * 0.5


class Foreign:
    """A network of another library: parameters by name and a state, but no `settings()`."""

    settings = "its own"

    def named_parameters(self):
        return {}

    def state_dict(self):
        return {"w": 1.0}

    def load_state_dict(self, state):
        pass


def test_a_network_of_another_library_may_be_the_state(tmp_path):
    for resume in (False, True):
        path = tmp_path / "run.json"
        fit(lambda batch: 0.5, DATA, 2, checkpoint=path, state=Foreign(), resume=resume)


@pytest.mark.parametrize("change", [{"patience": 6}, {"best": "max"}, {"monitor": "dev"}])
def test_early_stopping_made_otherwise_is_another_run(change, tmp_path):
    path, options = tmp_path / "run.json", {"evaluate": lambda: {"dev": 1.0}}
    train(path, stop=EarlyStopping(), **options)
    (name,) = change
    with pytest.raises(ValueError, match=rf"stop\.{name} .* there, .* here"):
        train(path, stop=EarlyStopping(**change), resume=True, **options)


@pytest.mark.parametrize(
    "old, new, said",
    [
        (cosine(0.1, 30), cosine(0.2, 30), r"lr was 0\.1 at step 0, where it is 0\.2 here"),
        (cosine(0.1, 30), cosine(0.1, 40), r"lr was 0\.0997\d* at step 1, where it is"),
        (exponential(0.1, 0.1), stepwise(0.1, 2), "at step 1, where"),
        (stepwise(0.1, 4), stepwise(0.1, 5), "at step 4, where"),
        (stepwise(0.1, 5), stepwise(0.1, 4), r"lr was 0\.1 at step 4"),
        (stepwise(0.1, 5), stepwise(0.1, 6), "at step 5, where"),
    ],
)
def test_a_schedule_with_another_past_is_another_run(old, new, said, tmp_path):
    path = tmp_path / "run.npz"
    train(path, lr=old)  # 6 steps: 0 to 5
    with pytest.raises(ValueError, match=rf"run\.npz: .*{said}"):
        train(path, lr=new, resume=True)


def test_a_schedule_with_another_future_is_the_run_it_would_have_been(tmp_path):
    new = lambda t: 0.1 if t < 6 else 0.01  # noqa: E731
    train(tmp_path / "run.npz", lr=lambda t: 0.1)
    resumed = train(tmp_path / "run.npz", 4, lr=new, resume=True)
    assert resumed == train(tmp_path / "whole.npz", 4, lr=new)


@pytest.mark.parametrize(
    "name, number",
    [
        ("rate", 0.2),
        ("factor", 0.5),
        ("patience", 3),
        ("threshold", 0.1),
        ("least", 1e-5),
    ],
)
def test_a_plateau_made_otherwise_is_another_run(name, number, tmp_path):
    options = {"rate": 0.1, "factor": 0.25, "patience": 2}
    train(tmp_path / "run.json", lr=Plateau(**options))
    shown = name.replace("rate", "start")
    with pytest.raises(ValueError, match=rf"lr\.{shown} .* there, {number} here\."):
        train(tmp_path / "run.json", lr=Plateau(**options | {name: number}), resume=True)
    train(tmp_path / "run.json", lr=Plateau(**options), resume=True)


def test_adam_and_adamw_are_two_rules(tmp_path):
    mine, other = (make([Value(1.0)], lr=0.1) for make in (Adam, AdamW))
    with pytest.raises(ValueError, match="it is of the rule Adam"):
        other.load_state_dict(mine.state_dict())
    for one, two in (
        (0.1, lambda t: 0.1),
        (lambda t: 0.1, 0.1),
        (0.1, Plateau(0.1)),
        (Plateau(0.1), 0.1),
        (Plateau(0.1), lambda t: 0.1),
    ):
        state = SGD([Value(1.0)], lr=one).state_dict()
        with pytest.raises(ValueError, match="not the state of this SGD: lr is "):
            SGD([Value(1.0)], lr=two).load_state_dict(state)


def test_a_checkpoint_needs_to_know_what_training_changes(tmp_path):
    _, step = set_up()
    options = {"checkpoint": tmp_path / "run.npz", "progress": False}
    for resume in (False, True):
        with pytest.raises(ValueError, match=r"without state= holds nothing to go on with"):
            fit(lambda batch: step(batch), DATA, 1, resume=resume, **options)
    assert list(tmp_path.iterdir()) == []
    fit(step, DATA, 1, **options)  # descent knows
    assert set(load_state(tmp_path / "run.npz")["state"]) == {"model", "optimizer"}


def test_a_step_of_descent_is_resumed_to_the_last_bit(tmp_path):
    make = {"make": Adam, "lr": cosine(0.1, 40)}
    train(tmp_path / "a.npz", 3, **make)
    resumed = train(tmp_path / "a.npz", 6, resume=True, **make)
    assert resumed == train(tmp_path / "b.npz", 6, **make)


def test_data_that_are_no_numbers_are_told_apart_by_their_number(tmp_path):
    _, step = set_up()
    data = [Value(1.0), Value(2.0)]
    options = {"checkpoint": tmp_path / "run.npz", "state": [], "progress": False}
    fit(lambda _: 0.5, data, 1, **options)
    fit(lambda _: 0.5, [Value(1.0), Value(3.0)], 2, resume=True, **options)
    with pytest.raises(ValueError, match="examples 2 there, 1 here"):
        fit(lambda _: 0.5, data[:1], 2, resume=True, **options)


def test_fewer_epochs_than_were_trained_are_refused(tmp_path):
    train(tmp_path / "run.npz", 3)
    with pytest.raises(ValueError, match="has 3 epochs behind it already; 2 were asked for"):
        train(tmp_path / "run.npz", 2, resume=True)


def stored(path, version, **changed):
    """Write a checkpoint of three examples after two epochs as earlier versions did."""
    state = {
        "settings": {"examples": 3, "batch_size": 2, "seed": 0},
        "epoch": 2,
        "batch": 0,
        "sums": {},
        "rows": [{"epoch": 1, "loss": 6.0}, {"epoch": 2, "loss": 12.0}],
        "stopped": "",
        "state": [{"__array__": ["<f8", [1], [12.0]]}],
        "stop": [],
        "after_epoch": [],
        "random": [3, [*range(624), 624], None],
        "numpy": None,
    } | changed
    checksum = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    head = {"format": "micrograd state", "version": version, "sha256": checksum}
    path.write_text(json.dumps(head | {"state": state}))


def sums_resumed(path):
    """Resume a training whose step adds its batch to a sum; return its history and that."""
    total = np.zeros(1)

    def step(batch):
        total[0] += sum(batch)
        return float(total[0])

    options = {"batch_size": 2, "checkpoint": path, "state": [total], "progress": False}
    return fit(step, [1.0, 2.0, 3.0], 3, resume=True, **options), total[0]


MADE_BY = {"data": "d4ab5ad55f1d", "state": [None], "stop": None}
MADE_BY |= {"examples": 3, "batch_size": 2, "seed": 0}


def test_a_checkpoint_from_before_remarks_is_resumed(tmp_path):
    stored(tmp_path / "run.json", 2, settings=MADE_BY, unkept=[])
    history, total = sums_resumed(tmp_path / "run.json")
    assert [row["epoch"] for row in history.rows] == [1, 2, 3] and total == 18.0
    assert history["loss"][:2] == [6.0, 12.0] and history.remark == ""


@pytest.mark.parametrize("version, changed", [(1, {}), (2, {"settings": MADE_BY})])
def test_a_checkpoint_of_an_earlier_fit_is_refused_as_that(version, changed, tmp_path):
    path = tmp_path / "run.json"
    stored(path, version, **changed)
    whole = path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.json is of an earlier version, .*; begin anew"):
        sums_resumed(path)
    assert path.read_bytes() == whole


DAMAGED = [
    ({"epoch": (1,)}, r"damaged: its epoch is \(1,\); begin anew without resume"),
    ({"epoch": np.zeros(2)}, r"damaged: its epoch is array\(\[0\., 0\.\]\)"),
    ({"epoch": "2"}, "damaged: its epoch is '2'"),
    ({"batch": -1}, "damaged: its batch is -1"),
    ({"sums": {"loss": "x"}}, "damaged: its sums is {'loss': 'x'}"),
    ({"sums": [1.0]}, r"damaged: its sums is \[1\.0\]"),
    ({"rows": np.array(["a"])}, r"damaged: its rows is array"),
    ({"rows": [{"epoch": 1}]}, r"damaged: its rows is \[{'epoch': 1}\]"),
    ({"rows": [{"loss": None}]}, r"damaged: its rows is \[{'loss': None}\]"),
    ({"rows": [[1.0]]}, r"damaged: its rows is \[\[1\.0\]\]"),
    ({"stopped": 1.0}, r"damaged: its stopped is 1\.0"),
    ({"unkept": None}, "damaged: its unkept is None"),
    ({"unkept": [1]}, r"damaged: its unkept is \[1\]"),
    ({"random": 1}, "does not fit: random: 1 is no state of random\\. Resume as it"),
    ({"numpy": {"state": 1}}, "does not fit: numpy: {'state': 1} is no state of numpy.random"),
]


@pytest.mark.parametrize("changed, said", DAMAGED)
def test_a_damaged_checkpoint_is_told_by_file_entry_and_remedy(changed, said, tmp_path):
    path = tmp_path / "run.npz"
    train(path)
    save_state(path, load_state(path) | changed)
    with pytest.raises(ValueError, match=rf"run\.npz: .*{said}"):
        train(path, 3, resume=True)


@pytest.mark.parametrize("part", ["model", "stop"])
def test_a_checkpoint_that_does_not_fit_changes_nothing(part, tmp_path):
    """The best epoch too, which training goes back to at its end."""

    def run(epochs, **options):
        stop = EarlyStopping("loss", 5)
        options |= {"batch_size": 2, "checkpoint": path, "progress": False, "stop": stop}
        fit(lambda batch: model.parameters()[0].data, DATA, epochs, state=[model], **options)

    path, model = tmp_path / "run.npz", MLP(1, [2])
    run(1)
    state = load_state(path)
    (state["state"] if part == "model" else state["stop"][0]["kept"])[0].popitem()
    save_state(path, state)
    model = MLP(1, [2])
    before = model.state_dict(), random.getstate()
    with pytest.raises(ValueError, match=r"run\.npz: the state does not fit: .*it lacks .*begin"):
        run(2, resume=True)
    assert (model.state_dict(), random.getstate()) == before


@pytest.mark.parametrize("state", [{"a": 1}, [1], None, {"epoch": 3, "settings": {}}])
def test_a_state_that_is_no_checkpoint_is_told(state, tmp_path):
    save_state(tmp_path / "run.npz", state)
    with pytest.raises(
        ValueError, match=r"run\.npz is a saved state, but not the checkpoint of a fit$"
    ):
        train(tmp_path / "run.npz", resume=True)


@pytest.mark.parametrize(
    "options, entry",
    [
        ({"state": {"a": {1: np.zeros(1)}}}, r"'state\.a' has the key 1"),
        ({"state": [np.zeros(1, complex)], "ending": "json"}, r"'state\.0' is an array"),
        ({"settings": {"file": {1, 2}}}, r"'settings\.file' is a set"),
    ],
)
def test_what_cannot_be_written_is_refused_before_training(options, entry, tmp_path):
    trained, path = [], tmp_path / f"run.{options.pop('ending', 'npz')}"
    with pytest.raises((TypeError, ValueError), match=f"the entry {entry}"):
        fit(trained.append, [1], 1, checkpoint=path, progress=False, **{"state": []} | options)
    assert trained == [] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "result, error, reason",
    [
        (lambda: Value(1.0) * 2, ValueError, r"backward\(\) was not called: it trains nothing"),
        (lambda: {"loss": Value(1.0) * 2}, ValueError, "it trains nothing"),
        (lambda: None, TypeError, "a step returns its loss, .* loss is None"),
        (lambda: "low", TypeError, "loss is 'low'"),
        (lambda: [1.0, 2.0], TypeError, "loss is "),
        (dict, ValueError, "a step returns numbers with a 'loss'"),
        (lambda: {"cost": 1.0}, ValueError, "with a 'loss'; there are cost"),
        (lambda: {"loss": 1.0, "f1": None}, TypeError, "f1 is None"),
    ],
)
def test_a_step_must_say_what_it_did(result, error, reason):
    with pytest.raises(error, match=reason):
        fit(lambda batch: result(), DATA, 3, progress=False)


@pytest.mark.parametrize("given", [[], [1.0] * 4])
def test_a_step_of_many_batches_gives_a_loss_of_each(given):
    def step(batch):
        raise AssertionError("one at a time")

    step.many = lambda batches: given
    with pytest.raises(ValueError, match=rf"its batches, here 3, .* not {len(given)}"):
        fit(step, [1, 2, 3], 1, batch_size=1, progress=False)


def test_a_loss_that_went_backward_is_what_a_step_did():
    def step(batch):
        loss = Value(3.0) * 2
        loss.backward()
        return loss

    assert fit(step, DATA, 1, progress=False)["loss"] == [6.0]
    both = fit(lambda _: {"loss": np.float32(0.5), "norm": Value(2.0)}, DATA, 1, progress=False)
    assert both.rows == [{"epoch": 1, "loss": 0.5, "norm": 2.0}]


@pytest.mark.parametrize(
    "scores, error, reason",
    [
        (None, TypeError, r"evaluate\(\) returns a dict of numbers by name, not None"),
        ({"f1": "high"}, TypeError, r"evaluate\(\) returns numbers; f1 is 'high'"),
        ({"loss": 1.0, "epoch": 2}, ValueError, "gives epoch, loss, which training gives already"),
    ],
)
def test_an_evaluation_must_give_new_numbers(scores, error, reason):
    with pytest.raises(error, match=reason):
        fit(lambda _: 0.0, [1], 1, evaluate=lambda: scores, progress=False)


@pytest.mark.parametrize(
    "data, options, error, reason",
    [
        ([1], {"epochs": 0}, ValueError, "epochs is 1 or more, not 0"),
        (iter([1]), {}, TypeError, r"a sequence or an array, not <list_itera"),
        ({0: 1}, {}, TypeError, r"a sequence or an array, not \{0: 1\}"),
        ({1, 2}, {}, TypeError, r"not \{1, 2\}"),
        ([1], {"resume": True}, ValueError, "say from which checkpoint"),
    ],
)
def test_what_cannot_be_trained_on_is_said(data, options, error, reason):
    with pytest.raises(error, match=reason):
        fit(lambda _: 0.0, data, **{"epochs": 1} | options)


def test_settings_of_early_stopping_say_how_it_was_made():
    made_by = EarlyStopping("f1", patience=2, best="max").settings()
    assert made_by == {"monitor": "f1", "patience": 2, "best": "max"}
    assert EarlyStopping().settings()["best"] == "min"


def test_patience_is_at_least_an_epoch():
    for patience in (0, -1):
        with pytest.raises(ValueError, match=f"patience is 1 or more, not {patience}"):
            EarlyStopping(patience=patience)
    for other in (math.nan, math.inf, 2.5, "3", None, True):
        with pytest.raises(TypeError, match="patience is a whole number, not"):
            EarlyStopping(patience=other)


def test_without_rich_there_are_plain_lines(monkeypatch, capsys):
    for name in ("rich", "rich.console", "rich.progress"):
        monkeypatch.setitem(sys.modules, name, None)
    fit(lambda _: 0.123456, [1, 2], 2, evaluate=lambda: {"dev_f1": 50.0})
    shown = capsys.readouterr()
    assert [line.rsplit("  ", 1)[0] for line in shown.err.splitlines()] == [
        "epoch 1/2  loss 0.1235  dev_f1 50",
        "epoch 2/2  loss 0.1235  dev_f1 50",
    ]
    fit(lambda _: 0.1, [1], 1, progress=False)
    assert capsys.readouterr() == ("", "") and shown.out == ""


def test_training_values_takes_the_standard_library_only():
    code = (
        "import sys; sys.modules['rich'] = sys.modules['numpy'] = None\n"
        "from micrograd.nn import MLP; from micrograd.optim import SGD\n"
        "from micrograd.training import descent, fit\n"
        "m = MLP(1, [1]); loss = lambda b: sum((m([x]) - x) ** 2 for x in b)\n"
        "print(len(fit(descent(m, loss, SGD(m.parameters())), [0.1, 0.2], 2)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout == "2\n" and run.stderr.count("epoch ") == 2


@pytest.mark.parametrize("option", ["checkpoint", "stop"])
def test_what_an_optimizer_moves_and_no_state_keeps_is_refused(option, tmp_path):
    model, scale = MLP(1, [1]), Value(0.5, label="scale")
    optimizer = SGD([*model.parameters(), scale], lr=0.1)
    step = descent(model, lambda batch: (model([0.5]) * scale - 1) ** 2, optimizer)
    options = {"checkpoint": tmp_path / "run.json", "stop": EarlyStopping()}
    kept = {option: options[option], "progress": False}
    with pytest.raises(ValueError, match=r"SGD moves the parameter 2, Value\(data=0.5.*name in st"):
        fit(step, DATA, 2, **kept)
    fit(step, DATA, 2, state=[model, scale, optimizer], **kept)
    fit(step, DATA, 2, progress=False)  # nothing goes back there


def test_arrays_that_an_optimizer_moves_may_be_parts_of_what_is_kept(tmp_path):
    both = np.zeros((2, 3))
    optimizer, path = SGD({"W": both[0], "b": both[1]}, lr=0.1), tmp_path / "run.npz"
    fit(lambda batch: 0.5, DATA, 2, checkpoint=path, state=[both, optimizer], progress=False)
    with pytest.raises(ValueError, match="SGD moves the parameter b"):
        fit(lambda batch: 0.5, DATA, 2, checkpoint=path, state=[both[0], optimizer], progress=False)


@pytest.mark.parametrize("there, here", [([1], None), ([1], 3), ({"a": 1}, [1]), ([1, 2], [1])])
def test_what_is_of_another_kind_differs_as_a_whole(there, here):
    assert [*differences(there, here, "x")] == [("x", repr(there), repr(here))]
    assert [*differences(here, there, "x")] == [("x", repr(here), repr(there))]
