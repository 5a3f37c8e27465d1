"""The training loop: order, metrics, early stopping, interruption, exact resumption."""

import csv
import math
import os
import random
import signal
import sys
import threading
import warnings

import numpy as np
import pytest

from micrograd import losses
from micrograd.checkpoint import load_state
from micrograd.engine import Value
from micrograd.files import ENDING
from micrograd.nn import MLP
from micrograd.optim import SGD, Adam
from micrograd.schedules import Plateau, cosine
from micrograd.training import EarlyStopping, Interrupted, descent, fit
from micrograd.training.history import History

POINTS = [((x / 4, y / 4), 1 if x * y > 0 else -1) for x in (-3, -1, 1, 3) for y in (-3, -1, 1, 3)]


class Scalar:
    """A small network trained on Values."""

    def __init__(self):
        random.seed(3)
        self.model = MLP(2, [4, 1], activation="tanh", fused=True)
        self.optimizer = Adam(self.model.parameters(), lr=cosine(0.1, 60))
        self.state = {"model": self.model, "optimizer": self.optimizer}
        self.step = descent(self.model, self.loss, self.optimizer)

    def loss(self, batch):
        hinges = [losses.binary_hinge(self.model(x), y) for x, y in batch]
        return sum(hinges) / len(hinges) + losses.l2(self.model, 1e-3)

    def numbers(self):
        return [p.data for p in self.model.parameters()]


class Arrays:
    """A linear model on arrays, with noise from three random generators."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.inputs = rng.normal(size=(16, 3))
        self.targets = self.inputs @ [1.0, -2.0, 0.5]
        self.parameters = {"w": np.zeros(3)}
        self.optimizer = SGD(self.parameters, lr=0.05, momentum=0.9)
        self.rng, self.plateau = np.random.default_rng(4), Plateau(0.05, 0.5, patience=0)
        self.optimizer.lr = self.plateau
        self.state = [self.parameters, self.optimizer, self.rng]

    def step(self, rows):
        noise = 0.01 * (random.random() + np.random.rand() + self.rng.normal())
        error = self.inputs[rows] @ self.parameters["w"] - self.targets[rows] + noise
        self.optimizer.step({"w": 2 * self.inputs[rows].T @ error / len(rows)})
        return {"loss": float((error**2).mean()), "worst": float(abs(error).max())}

    def numbers(self):
        return [*self.parameters["w"], *self.optimizer.state["w"]["velocity"]]


class Remembering(SGD):
    """A rule and a step of one's own, which remember things in attributes."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr=lr)
        self.calls, self.norms, self.sums = 0, {"of": []}, np.zeros(3)

    def rule(self, x, g, s, o):
        self.calls += 1
        self.sums = self.sums + abs(g)
        return x - o.lr * g / (1 + self.calls / 50 + self.sums)

    def step(self, gradients=None):
        self.norms["of"].append(float(abs(gradients["w"]).max()))
        super().step({name: g / (1 + len(self.norms["of"])) for name, g in gradients.items()})
        self.last = self.norms["of"][-1]


class Attributes(Arrays):
    def __init__(self):
        super().__init__()
        self.optimizer = Remembering(self.parameters, lr=0.05)
        self.optimizer.lr = self.plateau
        self.state = [self.parameters, self.optimizer, self.rng]


def run(kind, interrupted_at=None, epochs=6, **options):
    """Train a fresh `kind`; with `interrupted_at` press Ctrl-C in that batch."""
    random.seed(11)
    np.random.seed(11)
    task, done = kind(), []

    def step(batch):
        done.append(batch)
        if len(done) == interrupted_at:
            os.kill(os.getpid(), signal.SIGINT)
        return task.step(batch)

    data = POINTS if kind is Scalar else range(16)
    after = []
    if kind is not Scalar:
        after = [lambda row: task.plateau.report(row["loss"])]
        task.state = [*task.state, task.plateau]
    history = fit(
        step,
        data,
        epochs,
        batch_size=5,
        seed=2,
        state=task.state,
        progress=False,
        after_epoch=after,
        **options,
    )
    return task.numbers(), history


@pytest.mark.parametrize("kind", [Scalar, Arrays, Attributes])
@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("batch", [1, 4, 6, 24])
def test_interrupted_and_resumed_is_uninterrupted(kind, ending, batch, tmp_path):
    whole, whole_history = run(kind)
    file = tmp_path / f"run.{ending}"
    with pytest.raises(Interrupted, match="resume=True") as stopped:
        run(kind, interrupted_at=batch, checkpoint=file)
    assert len(stopped.value.history) == batch // 4
    resumed, history = run(kind, checkpoint=file, resume=True)
    assert resumed == whole
    assert history.rows == whole_history.rows


def test_a_finished_run_is_not_trained_again_but_goes_on_for_more_epochs(tmp_path):
    file = tmp_path / "run.npz"
    whole, _ = run(Arrays, epochs=9)
    short, _ = run(Arrays, epochs=6, checkpoint=file)
    again, history = run(Arrays, epochs=6, checkpoint=file, resume=True)
    assert again == short
    assert len(history) == 6
    longer, history = run(Arrays, epochs=9, checkpoint=file, resume=True)
    assert longer == whole
    assert history["epoch"] == list(range(1, 10))


def test_without_resume_a_checkpoint_is_written_anew(tmp_path):
    file = tmp_path / "run.json"
    first, _ = run(Scalar, epochs=2, checkpoint=file)
    second, history = run(Scalar, epochs=2, checkpoint=file)
    assert first == second
    assert len(history) == 2
    third, _ = run(Scalar, epochs=2, checkpoint=tmp_path / "none.json", resume=True)
    assert third == first


def test_the_checkpoint_of_another_run_is_refused(tmp_path):
    file, task = tmp_path / "run.json", Scalar()
    options = {"checkpoint": file, "progress": False}
    fit(task.step, POINTS, 1, seed=1, state=task.state, **options)
    before = task.numbers()
    with pytest.raises(ValueError, match=r"run\.json is another run's: seed 1 there, 2 here"):
        fit(task.step, POINTS, 1, seed=2, state=task.state, resume=True, **options)
    with pytest.raises(
        ValueError, match=r"run\.json is another run's: state\.optimizer .* there, 'nothing' here"
    ):
        fit(task.step, POINTS, 1, seed=1, state={"model": task.model}, resume=True, **options)
    file.write_text(file.read_text()[:-30])
    with pytest.raises(ValueError, match=r"run\.json: .*cut off"):
        fit(task.step, POINTS, 1, seed=1, state=task.state, resume=True, **options)
    assert task.numbers() == before


def orders(epochs, seed, data=range(7), batch_size=3):
    seen = []
    fit(
        lambda batch: seen.append(batch) or 0.0,
        data,
        epochs,
        batch_size=batch_size,
        seed=seed,
        progress=False,
    )
    return seen


def test_every_example_comes_once_an_epoch_in_an_order_that_the_seed_gives():
    batches = orders(2, seed=5)
    assert [len(batch) for batch in batches] == [3, 3, 1] * 2
    epochs = [[i for batch in part for i in batch] for part in (batches[:3], batches[3:])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(7))] * 2
    assert epochs[0] != epochs[1]
    assert orders(2, seed=5) == batches != orders(2, seed=6)
    assert orders(1, seed=None) == [[0, 1, 2], [3, 4, 5], [6]]


class Table:
    """What pandas calls a DataFrame: indexed by numbers it gives columns, by `iloc` rows."""

    def __init__(self, rows):
        self.iloc, self.shape = rows, rows.shape

    def __len__(self):
        return len(self.iloc)

    def __getitem__(self, columns):
        return self.iloc[:, columns]


def test_tables_are_cut_into_rows():
    taken = []
    table = Table(np.arange(16.0).reshape(4, 4))
    fit(lambda rows: taken.append(rows) or 0.5, table, 1, batch_size=3, seed=None, progress=False)
    assert [rows.tolist() for rows in taken] == [
        [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]],
        [[12, 13, 14, 15]],
    ]


def test_arrays_are_cut_into_arrays():
    data = np.arange(10).reshape(5, 2)
    first, second = orders(1, None, data, batch_size=4)
    np.testing.assert_array_equal(first, data[:4])
    np.testing.assert_array_equal(second, data[4:])


def test_losses_are_averaged_over_examples_and_metrics_added():
    epochs = iter([0.5, 0.75])
    history = fit(
        lambda batch: {"loss": sum(batch), "size": len(batch)},
        [1, 2, 3, 4, 5],
        2,
        batch_size=2,
        seed=None,
        evaluate=lambda: {"dev_f1": next(epochs)},
        progress=False,
    )
    assert history.rows[0] == {
        "epoch": 1,
        "loss": (3 * 2 + 7 * 2 + 5) / 5,
        "size": 9 / 5,
        "dev_f1": 0.5,
    }
    assert history["dev_f1"] == [0.5, 0.75]
    assert history.columns == ["epoch", "loss", "size", "dev_f1"]
    assert repr(history).startswith("History(2 epochs; last: epoch 2, loss 5")


def test_a_step_may_return_a_value_and_functions_see_each_row():
    rows = []
    history = fit(lambda _: Value(2.0), [1], 3, after_epoch=[rows.append], progress=False)
    assert history["loss"] == [2.0] * 3
    assert rows == history.rows


class Scored:
    """A training whose score is given, and whose state is the number of epochs."""

    def __init__(self, scores):
        self.scores, self.epochs = scores, np.zeros(1)

    def fit(self, epochs=20, **options):
        def evaluate():
            self.epochs += 1
            return {"f1": self.scores[int(self.epochs[0]) - 1]}

        return fit(
            lambda _: 0.0,
            [1],
            epochs,
            evaluate=evaluate,
            state=self.epochs,
            progress=False,
            **options,
        )


@pytest.mark.parametrize(
    "best, scores, length, kept",
    [
        ("max", [1, 3, 2, 3, 9, 9], 4, 2),
        ("min", [5, 4, 4.5, 3, 6, 7, 1], 6, 4),
        ("max", [1, 2, 3, 4, 5], 5, 5),
        ("max", [1, 2, 5, 4], 4, 3),
    ],
)
def test_early_stopping_goes_back_to_the_best_epoch(best, scores, length, kept):
    task = Scored(scores)
    history = task.fit(len(scores), stop=EarlyStopping("f1", patience=2, best=best))
    assert (len(history), task.epochs[0]) == (length, kept)
    expected = "no better f1 for 2 epochs" if length < len(scores) or best == "min" else ""
    assert history.stopped == (expected if scores[-1] != 4 else "")


def test_early_stopping_is_resumed_with_its_best_state(tmp_path):
    scores, file = [1, 5, 4, 3, 2, 1, 1], tmp_path / "run.npz"
    task = Scored(scores)
    task.fit(3, stop=EarlyStopping("f1", 3, "max"), checkpoint=file)
    task = Scored(scores)
    history = task.fit(20, stop=EarlyStopping("f1", 3, "max"), checkpoint=file, resume=True)
    assert (history["f1"], task.epochs[0]) == ([1, 5, 4, 3, 2], 2)


def test_early_stopping_begins_anew_with_every_run():
    stop, runs = EarlyStopping(patience=2), []
    for rate in (0.1, 1e-9):  # the second is never as good as the first
        task = Scalar()
        task.optimizer.lr = rate
        step = descent(task.model, task.loss, task.optimizer)
        history = fit(step, POINTS, 6, stop=stop, progress=False)
        runs.append((len(history["loss"]), [p.data for p in task.model.parameters()]))
    alone = Scalar()
    alone.optimizer.lr = 1e-9
    step = descent(alone.model, alone.loss, alone.optimizer)
    history = fit(step, POINTS, 6, stop=EarlyStopping(patience=2), progress=False)
    expected = len(history["loss"]), [p.data for p in alone.model.parameters()]
    assert runs[1] == expected and runs[0] != expected


def test_early_stopping_says_how_it_is_made():
    shown = "EarlyStopping(monitor='f1', patience=2, best='max')"
    assert repr(EarlyStopping("f1", best="max", patience=2)) == shown


def test_early_stopping_refuses_what_it_cannot_watch():
    with pytest.raises(ValueError, match="watches 'dev_f1'; there are epoch, loss, f1"):
        Scored([1]).fit(1, stop=EarlyStopping("dev_f1"))
    with pytest.raises(ValueError, match="'min' or 'max'"):
        EarlyStopping(best="high")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training_and_leaves_the_checkpoint(
    bad, tmp_path, capsys
):
    losses_given, file = iter([1.0, 1.0, 1.0, bad]), tmp_path / "run.json"
    history = fit(
        lambda _: next(losses_given),
        [1, 2],
        5,
        batch_size=1,
        checkpoint=file,
        state=[],
    )
    assert history.stopped == f"the loss was {bad} in epoch 2, batch 2"
    assert len(history) == load_state(file)["epoch"] == 1
    (last,) = capsys.readouterr().err.splitlines()[1:]
    assert last.startswith(f"epoch 2/5  loss {bad}  ")
    assert repr(history).endswith(f"loss 1; stopped: {history.stopped})")


def test_a_second_interrupt_does_not_wait_for_the_batch():
    def step(_):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the second Ctrl-C comes at once")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        fit(step, [1], 1, progress=False)
    assert not isinstance(interrupt.value, Interrupted)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_training_that_ignores_ctrl_c_goes_on_ignoring_it():
    """A shell starts so what a script runs in the background: Ctrl-C is for another program."""

    def step(_):
        signal.raise_signal(signal.SIGINT)
        return 0.0

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert len(fit(step, [1, 2], 3, batch_size=1, progress=False)) == 3
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    except Interrupted as interrupt:
        pytest.fail(str(interrupt))
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupted_without_a_checkpoint_says_so():
    def step(_):
        os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    with pytest.raises(Interrupted, match=r"^stopped in epoch 1$"):
        fit(step, [1, 2], 3, batch_size=1, progress=False)


def test_training_in_a_thread_leaves_signals_alone():
    results = []
    thread = threading.Thread(
        target=lambda: results.append(fit(lambda _: 1.0, [1], 2, progress=False))
    )
    thread.start()
    thread.join()
    assert len(results[0]) == 2


@pytest.mark.parametrize("data, batch_size", [([], 3), ([1], 0)])
def test_nothing_to_train_on_is_refused(data, batch_size):
    with pytest.raises(ValueError, match="nothing to train on|batch_size is 1 or more"):
        fit(lambda _: 0.0, data, 1, batch_size=batch_size)


@pytest.mark.parametrize(
    "options, error, reason",
    [
        ({"checkpoint": "run.pt"}, ValueError, r"ends in \.json or \.npz"),
        ({"checkpoint": "no/such/run.json"}, OSError, "there is no folder no/such"),
        ({"resume": True}, ValueError, "from which checkpoint"),
    ],
)
def test_a_checkpoint_that_cannot_be_is_refused_before_training(options, error, reason):
    trained = []
    with pytest.raises(error, match=reason):
        fit(trained.append, [1], 1, progress=False, **options)
    assert trained == []


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        ("1.0", TypeError, "loss is '1.0'"),
        ([1.0], TypeError, r"loss is \[1.0\]"),
        (1j, TypeError, "loss is 1j"),
        (10**400, TypeError, "loss is 1000000"),
        ({}, ValueError, "numbers with a 'loss'; there are none"),
        ({1: 1.0}, ValueError, "numbers with a 'loss'; there are 1"),
        ({"loss": 1.0, 2: 1.0}, ValueError, "names its numbers by text"),
        ({"loss": 1.0, "epoch": 7}, ValueError, "by text, none of them epoch"),
        ({"loss": 1.0, "norm": "2"}, TypeError, "norm is '2'"),
    ],
)
def test_what_a_step_may_not_return_is_said(result, error, message):
    with pytest.raises(error, match=message):
        fit(lambda batch: result, [1, 2], 1, progress=False)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"seed": 7}, ValueError, "settings gives another seed than fit notes"),
        ({"width": 5, "data": 1, "stop": 2}, ValueError, "settings gives another data, stop than"),
        ([("width", 5)], TypeError, "settings is a dict of options by name"),
        ("width", TypeError, "settings is a dict of options by name"),
    ],
)
def test_settings_of_ones_own_have_names_of_their_own(settings, error, message, tmp_path):
    """Else another seed would be taken for the same run."""
    options = {"checkpoint": tmp_path / "c.npz", "state": {}, "progress": False}
    with pytest.raises(error, match=message):
        fit(lambda batch: 1.0, [1, 2], 1, settings=settings, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"step": lambda: 1.0}, r"step is called with 1 argument, but takes \(\)"),
        ({"step": lambda x, y: 1.0}, r"step is called with 1 argument, but takes \(x, y\)"),
        ({"evaluate": lambda epoch: {}}, r"evaluate is called with 0 arguments, but takes"),
        ({"after_epoch": [lambda: None]}, "a function of after_epoch is called with 1 argument"),
    ],
)
def test_functions_that_take_something_else_are_refused_before_training(options, message):
    batches = []
    with pytest.raises(TypeError, match=message):
        fit(**{"step": batches.append, "data": [1, 2], "epochs": 1, "progress": False} | options)
    assert not batches


def test_descent_trains_and_switches_to_training():
    task = Scalar()
    task.model.eval()
    history = fit(task.step, POINTS, 30, batch_size=8, state=task.state, progress=False)
    assert task.model.training
    assert history["loss"][-1] < 0.8 * history["loss"][0]


def test_without_a_terminal_there_is_a_line_for_each_epoch(capsys):
    fit(lambda _: 0.123456, [1, 2], 2, evaluate=lambda: {"dev_f1": 50.0})
    lines = capsys.readouterr().err.splitlines()
    assert [line.rsplit("  ", 1)[0] for line in lines] == [
        "epoch 1/2  loss 0.1235  dev_f1 50",
        "epoch 2/2  loss 0.1235  dev_f1 50",
    ]


def test_history_as_csv_can_be_read_back_exactly(tmp_path):
    history = History([{"epoch": 1, "loss": 1 / 3}, {"epoch": 2, "loss": 0.1, "f1": 2 / 7}])
    text = history.save_csv(tmp_path / "h.csv").read_bytes().decode()
    assert text.startswith("epoch,loss,f1\n1,0.333") and "\r" not in text
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["loss"]) for row in rows] == [1 / 3, 0.1]
    assert [row["f1"] for row in rows] == ["", repr(2 / 7)]
    assert history["f1"] == [2 / 7]
    with pytest.raises(KeyError, match="no column 'dev'; there are epoch, loss, f1"):
        history["dev"]
    assert repr(History()) == "History(0 epochs; last: empty)"
    long = History([{"epoch": 12_345, "loss": 0.123456}])
    assert repr(long) == "History(1 epoch; last: epoch 12345, loss 0.1235)"


def test_a_plot_names_scores_in_chinese(tmp_path):
    manager = pytest.importorskip("matplotlib.font_manager").fontManager
    if not any("CJK" in font.name for font in manager.ttflist):
        pytest.skip("no font here has Chinese signs")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of letters that it draws as boxes
        History([{"epoch": 1, "loss": 1.0, "准确率": 0.5}]).plot(tmp_path / "h.png")


def test_a_plot_names_scores_with_dollars(tmp_path):
    pytest.importorskip("matplotlib")
    History([{"epoch": 1, "loss": 1.0, "$ per $x^": 0.5}]).plot(tmp_path / "h.png")


@pytest.mark.parametrize("ending", ["PNG", "svg"])
def test_history_plots_itself(ending, tmp_path):
    pytest.importorskip("matplotlib")
    rows = [{"epoch": e, "loss": 1 / e, "dev_loss": 2 / e, "dev_f1": 50.0 + e} for e in (1, 2, 3)]
    del rows[0]["dev_f1"]
    figure = History(rows).plot(tmp_path / f"h.{ending}")
    losses_panel, scores_panel = figure.axes
    assert [line.get_label() for line in losses_panel.lines] == ["loss", "dev_loss"]
    assert list(scores_panel.lines[0].get_xdata()) == [2, 3]
    for panel in figure.axes:
        labels = [line.get_label() for line in panel.lines]
        assert [text.get_text() for text in panel.get_legend().get_texts()] == labels
        assert all(tick == int(tick) for tick in panel.get_xticks())  # there is no epoch 1.5
        assert panel.get_xlabel() == "epoch"
    width, height = figure.get_size_inches()
    assert 1.2 * height < width / 2 < 2 * height
    assert (tmp_path / f"h.{ending}").stat().st_size > 1000
    with pytest.raises(ValueError, match="nothing to draw"):
        History().plot()


BEGUN = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", BEGUN)
def test_a_plot_is_the_same_for_the_same_history(ending, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    history = History([{"epoch": 1, "loss": 1.0, "f1": 2.0}, {"epoch": 2, "loss": 0.5, "f1": 3.0}])
    written = []
    for day in ("1000000000", "1700000000"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", day)
        history.plot(tmp_path / f"h.{ending}")
        written.append((tmp_path / f"h.{ending}").read_bytes())
    assert written[0] == written[1] and written[0].startswith(BEGUN[ending])


def test_rows_are_plotted_at_their_epochs_or_else_in_their_order():
    pytest.importorskip("matplotlib")
    for rows, at in (([{}, {}], [1, 2]), ([{"epoch": 3}, {"epoch": 7}, {}], [3, 7, 3])):
        figure = History([row | {"loss": 1.0} for row in rows]).plot()
        assert list(figure.axes[0].lines[0].get_xdata()) == at


def test_the_lines_of_a_plot_are_told_apart_without_colours():
    pytest.importorskip("matplotlib")
    row = {f"loss {n}": 1.0 for n in range(6)}
    lines = History([row, row]).plot().axes[0].lines
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == len(row)


def test_a_plot_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"h\.doc: a plot is written as png, svg, pdf, not as doc"):
        History([{"epoch": 1, "loss": 1.0}]).plot(tmp_path / "h.doc")


def test_plots_without_matplotlib_name_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "micrograd-graph\[plots\]"'):
        History([{"epoch": 1, "loss": 1.0}]).plot()


def sometimes(batch):
    return {"loss": 1.0, "right": 1.0} if 1 in batch else {"loss": 1.0}


@pytest.mark.parametrize(
    "change, error, said",
    [
        ({"step": sometimes}, ValueError, "right was not among them every time"),
        ({"evaluate": lambda: {1: 0.5}}, TypeError, "evaluate\\(\\) names its numbers by text"),
        ({"data": np.array(1.0)}, TypeError, "data is a sequence or an array, not array\\(1.\\)"),
        ({"seed": "a"}, TypeError, "seed is a whole number, not 'a'"),
        ({"seed": 1.5}, TypeError, "seed is a whole number, not 1.5"),
        ({"seed": -1}, ValueError, "seed is 0 or more, not -1"),
    ],
)
def test_what_a_run_cannot_take_is_said(change, error, said):
    options = {"step": lambda batch: 1.0, "data": [1, 2, 3], "epochs": 2, "batch_size": 1}
    with pytest.raises(error, match=said):
        fit(**{**options, **change}, progress=False)


def test_a_descent_says_what_it_takes():
    model = MLP(1, [1])
    optimizer = SGD(model.parameters())
    for wrong in ((model.__call__, model, optimizer), (model, 3, optimizer), (model, abs, abs)):
        with pytest.raises(TypeError, match="descent takes a Module, its loss as a function"):
            descent(*wrong)
    with pytest.raises(TypeError, match="the loss of a descent is a Value, not 3.0"):
        descent(model, lambda batch: 3.0, optimizer)([1])


def test_a_score_that_is_never_a_number_stops_and_keeps_what_was_trained():
    run = Scalar()
    history = fit(
        *(run.step, POINTS, 9),
        evaluate=lambda: {"f1": math.nan},
        stop=EarlyStopping("f1", patience=2, best="max"),
        progress=False,
    )
    trained = run.numbers()
    assert len(history) == 2 and trained != Scalar().numbers()


def test_a_history_is_made_of_numbers():
    with pytest.raises(TypeError, match="a list of dicts of numbers"):
        History([{"epoch": 1, "loss": "a"}])


def test_what_a_killed_writer_left_goes_when_a_training_begins(tmp_path):
    left = tmp_path / f".run.npz.0123abcd{ENDING}"
    left.write_bytes(b"half")
    with pytest.raises(ZeroDivisionError):
        fit(lambda batch: 1 / 0, [1], 1, checkpoint=tmp_path / "run.npz", state=[np.zeros(1)])
    assert not left.exists()


def test_a_rate_that_is_set_while_training_is_kept_without_a_warning(tmp_path):
    run = Scalar()

    def halve(row):
        run.optimizer.lr = run.optimizer.lr / 2

    fit(
        *(run.step, POINTS, 3),
        checkpoint=tmp_path / "run.npz",
        after_epoch=[halve],
        progress=False,
    )


@pytest.mark.parametrize("count, more", [(3, False), (4, True)])
def test_three_differences_are_named(count, more, tmp_path):
    def train(number):
        settings = {f"option{i}": number for i in range(count)}
        options = {"checkpoint": tmp_path / "run.json", "state": [Value(1.0)], "progress": False}
        fit(lambda batch: 1.0, [1], 1, settings=settings, resume=bool(number), **options)

    train(0)
    with pytest.raises(ValueError, match="is another run's: option0 0 there, 1 here") as caught:
        train(1)
    assert ("; and 1 more" in str(caught.value)) is more and "and 0 more" not in str(caught.value)
