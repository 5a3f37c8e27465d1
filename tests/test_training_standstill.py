"""A loss that stands still while units of ReLU are dead: fit says so, and changes nothing by it."""

import random

import pytest

from micrograd import Value, no_grad
from micrograd.nn import MLP, Dropout
from micrograd.optim import SGD
from micrograd.training import descent, fit
from micrograd.training import run as run_module
from micrograd.training.standstill import EPOCHS, looked_at, remark, stands_still

XOR = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]


def trained(seed, epochs=200, noise=0.0, **options):
    random.seed(seed)
    model = MLP(2, [4, 1])

    def loss(batch):
        return sum((model(x) - y + noise * random.random()) ** 2 for x, y in batch) / len(batch)

    step = descent(model, loss, SGD(model.parameters(), 0.1))
    return model, fit(step, XOR, epochs, batch_size=4, **options)


def silent(model):
    """Return the units of the first layer that give 0 for every example, by hand."""
    return [
        neuron.scope
        for neuron in model.layers[0].neurons
        if all(neuron([*map(Value, x)]).data == 0 for x, _ in XOR)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_the_units_that_it_names_are_dead(seed, capsys):
    model, history = trained(seed, progress=True)
    lines = capsys.readouterr().err.splitlines()
    said = [line for line in lines if "stood still" in line]
    assert len(said) == bool(history.remark) == len(lines) - len(history)
    if history.remark:
        dead = silent(model)
        assert f"{len(dead)} of 4 ReLU units are dead" in history.remark
        assert all(name in history.remark for name in dead) and "leaky_relu" in history.remark


def test_some_trainings_of_xor_stand_still_and_one_that_learns_is_not_blamed():
    histories = [trained(seed, 200, progress=False)[1] for seed in range(12)]
    assert sum(bool(history.remark) for history in histories) >= 3
    assert not any(history.remark for history in histories if history["loss"][-1] < 0.01)


def test_saying_so_changes_no_number(monkeypatch):
    """The loss draws random numbers: those of the training stay what they are."""
    seed = next(s for s in range(20) if trained(s, progress=False, noise=1e-5)[1].remark)
    model, history = trained(seed, progress=False, noise=1e-5)
    monkeypatch.setattr(run_module, "stands_still", lambda losses: False)
    other, plain = trained(seed, progress=False, noise=1e-5)
    assert history.remark and not plain.remark and history.rows == plain.rows
    assert [p.data for p in model.parameters()] == [p.data for p in other.parameters()]


@pytest.mark.parametrize("epochs", [10, 12])
def test_a_training_that_goes_on_says_what_one_that_was_not_stopped_does(epochs, tmp_path):
    def train(epochs, **options):
        random.seed(0)
        layer = MLP(1, [1, 1]).layers[0]
        layer.neurons[0].w[0].data, layer.neurons[0].b.data = 0.0, -1.0  # a dead unit
        step = descent(
            layer, lambda _: layer([1.0]) + 1 + 4e-4 * random.random(), SGD(layer.parameters())
        )
        history = fit(step, [1, 2], epochs, progress=False, **options)
        return history.rows, history.remark

    file = tmp_path / "run.json"
    train(10, checkpoint=file)
    rows, remark = train(epochs, checkpoint=file, resume=True)
    assert (rows, remark) == train(epochs) and "stood still at 1" in remark


def test_standing_still_is_a_matter_of_its_own_size():
    assert stands_still([3.0] + [0.25] * EPOCHS) and stands_still([1e-9] * EPOCHS)
    assert not stands_still([0.25] * (EPOCHS - 1)) and not stands_still([0.0] * EPOCHS)
    assert not stands_still([0.25 - 0.001 * i for i in range(EPOCHS)])
    assert stands_still([999.0] + [1000.0] * 9) and not stands_still([998.0] + [1000.0] * 9)


def test_a_unit_is_dead_only_where_it_is_so_throughout():
    model = MLP(1, [2, 1])
    first, second = model.layers[0].neurons
    first.w[0].data, second.w[0].data, second.b.data = 1.0, 0.0, -1.0
    losses = [model([Value(x)]) for x in (-1.0, 2.0)]
    assert looked_at(losses, [first.w[0]]) == ([second.scope], 2, True)
    assert not looked_at(losses, [Value(1.0)]).reached


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_unit_that_lives_for_any_one_example_is_not_dead(place):
    model = MLP(1, [2, 1])
    for neuron, w, b in zip(model.layers[0].neurons, (1.0, 0.0), (0.0, -1.0)):
        neuron.w[0].data, neuron.b.data = w, b
    data = [[-1.0], [-1.0]]
    data.insert(place, [1.0])
    step = descent(
        model, lambda batch: sum(model(x) + 9 for x in batch), SGD(model.parameters(), 1e-9)
    )
    remark = fit(step, data, 12, batch_size=1, progress=False).remark
    assert "1 of 2 ReLU units are dead, 0 for every example: layer 0 / neuron 1." in remark


@pytest.mark.parametrize("count", [1, 4, 5])
def test_some_of_many_dead_units_are_named(count):
    model = MLP(1, [6, 1])
    for number, neuron in enumerate(model.layers[0].neurons):
        neuron.w[0].data, neuron.b.data = 0.0, -1.0 if number < count else 1.0
    names = ", ".join(f"layer 0 / neuron {i}" for i in range(min(count, 4))) + ", …" * (count > 4)
    said = remark([0.25], [model([1.0])], [])
    assert f" {count} of 6 ReLU units are dead, 0 for every example: {names}. Begin " in said


@pytest.mark.parametrize("wrong", ["data", "other", "no_grad", ""])
def test_a_loss_that_reaches_nothing_that_is_trained_is_told(wrong, capsys):
    model, other = MLP(1, [2, 1], activation="tanh"), MLP(1, [1])

    def loss(batch):
        values = [(model([x]) - 1) ** 2 for x in batch]
        return Value(sum(v.data for v in values)) if wrong == "data" else sum(values)

    trained = (other if wrong == "other" else model).parameters()
    step = descent(model, no_grad()(loss) if wrong == "no_grad" else loss, SGD(trained, 0.1))
    history = fit(step, [0.5] * 4, 1, progress=False)
    said = f"it depends on none of the {len(trained)} parameters of the optimizer"
    assert (said in history.remark) == bool(wrong)


def test_a_loss_that_depends_on_parameters_for_some_batches_is_none_of_these():
    model = MLP(1, [1])
    step = descent(
        model,
        lambda batch: sum(map(model, [[x] for x in batch if x > 0]), Value(0)) ** 2,
        SGD(model.parameters(), 0.1),
    )
    assert not fit(step, [-1.0, -2.0, 3.0], 1, batch_size=1, seed=None, progress=False).remark


def test_a_descent_takes_an_optimizer_not_its_class():
    model = MLP(1, [1])
    for wrong in ((MLP, abs, SGD(model.parameters())), (model, abs, SGD)):
        with pytest.raises(TypeError, match="^descent takes a Module"):
            descent(*wrong)


def test_a_loss_of_any_step_may_stand_still():
    history = fit(lambda batch: 1.0, [1, 2], 15, progress=False)
    assert (len(history), history.remark) == (15, "")


def test_the_graphs_of_a_step_are_those_of_prediction():
    model, dropout = MLP(1, [1]), Dropout(0.5, seed=0)
    model.dropout = dropout
    seen = []

    def loss(batch):
        seen.append((model.training, dropout.training))
        return model([1.0])

    step = descent(model, loss, SGD(model.parameters()))
    list(step.graphs([[1], [2]]))
    assert seen == [(False, False)] * 2 and model.training and dropout.training


@pytest.mark.parametrize("what", ["a part that predicts", "a generator", "no graph"])
def test_looking_changes_nothing_that_the_loss_uses(what, monkeypatch):
    def run():
        random.seed(1)
        model, own = MLP(1, [2, 1]), random.Random(5)
        model.dropout = Dropout(0.5, seed=3).eval()

        def loss(batch):
            if what == "no graph" and not model.training:
                raise ValueError("what predicts gives a class")
            hidden = model.dropout(model.layers[0](batch))
            return (model.layers[1](hidden) - 1e3 - own.random()) ** 2

        step = descent(model, loss, SGD(model.parameters(), 1e-9))
        state = {"step": step.state, "own": own}
        rows = fit(step, [0.5, 0.6], 25, batch_size=1, state=state, progress=False).rows
        return rows, model.state_dict(), own.random()

    looked = run()
    monkeypatch.setattr(run_module, "stands_still", lambda losses: False)
    assert looked == run()


def test_an_optimiser_of_ones_own_need_not_say_what_it_trains():
    class Nothing:
        parameters = ()  # no dict of them, as ours have

        def zero_grad(self):
            pass

        def step(self):
            pass

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            assert state == {}

    model = MLP(1, [2, 1], activation="tanh")
    step = descent(model, lambda batch: sum(model([x]) ** 2 for x in batch), Nothing())
    assert fit(step, [0.5] * 4, 12, progress=False).remark == ""
