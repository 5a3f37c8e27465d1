"""States that are none of an object's own: refused in our words, and nothing is changed."""

import copy
import math

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

import numpy as np

from micrograd import Value, optim, schedules
from micrograd.nn import MLP, Dropout, Embedding, Recurrent
from micrograd.preprocessing import MeanSubtraction, Normalisation, Whitening
from micrograd.training import EarlyStopping, Recording
from tests.bad_inputs import STOCK
from tests.test_bad_sweep import STRANGE, told


def plateau():
    made = schedules.Plateau(0.1, 0.5, 2)
    made.report(1.0)
    return made


def stepped(kind, **options):
    optimizer = kind({"w": np.ones((2, 3)), "x": Value(1.0)}, **options)
    optimizer.step({"w": np.ones((2, 3)), "x": 0.5})
    return optimizer


def recorded():
    recording = Recording(MLP(2, [1]), every=2)
    for loss in (3.0, 2.0, 1.0):
        recording.note(loss)
    return recording


def stopping():
    made = EarlyStopping("loss", 3)
    made.report({"loss": 1.0}, [np.ones(2)])
    return made


def fitted(kind):
    return kind().fit([[1.0, 2.0], [3.0, 5.0], [0.0, 7.0]])


OWNERS = {
    "plateau": plateau,
    "sgd": lambda: stepped(optim.SGD, lr=0.1, momentum=0.9),
    "adam": lambda: stepped(optim.Adam, lr=plateau()),
    "recording": recorded,
    "stopping": stopping,
    "mean": lambda: fitted(MeanSubtraction),
    "normalisation": lambda: fitted(Normalisation),
    "whitening": lambda: fitted(Whitening),
    "network": lambda: MLP(2, [1]),
    "recurrent": lambda: Recurrent(1, 1),
    "embedding": lambda: Embedding(2, 1),
    "dropout": lambda: Dropout(0.5, variational=True),
}


def replaced(state, strange):
    """Yield the state with each of its parts replaced by `strange`, and without it."""
    yield strange
    if isinstance(state, dict):
        for name, part in state.items():
            yield {key: other for key, other in state.items() if key != name}
            for other in replaced(part, strange):
                yield state | {name: other}
    elif isinstance(state, list):
        for at, part in enumerate(state):
            yield state[:at] + state[at + 1 :]
            for other in replaced(part, strange):
                yield [*state[:at], other, *state[at + 1 :]]


@pytest.mark.parametrize("name", OWNERS)
def test_a_state_with_a_strange_part_is_taken_or_refused_whole(name):
    owner, wrong = OWNERS[name](), []
    before = copy.deepcopy(owner.state_dict())
    for strange in STRANGE:
        for state in replaced(before, strange):
            try:
                owner.load_state_dict(state)
            except ValueError as error:
                if STOCK.search(told(error)):
                    wrong.append((state, str(error)))
                np.testing.assert_equal(owner.state_dict(), before)
            except Exception as error:
                wrong.append((state, repr(error)))
            else:
                owner.load_state_dict(before)
    assert not wrong


@pytest.mark.parametrize(
    "name, change",
    [
        ("plateau", {"rate": -0.1}),
        ("plateau", {"rate": math.nan}),
        ("plateau", {"best": None}),
        ("plateau", {"waited": 0.5}),
        ("stopping", {"best": "low"}),
        ("stopping", {"waited": -1}),
        ("recording", {"losses": [1.0, None, 2.0]}),
        ("recording", {"frames": [[0, [1.0]]]}),
        ("sgd", {"steps_done": -1}),
        ("sgd", {"steps_done": True}),
        ("sgd", {"state": {"w": {"velocity": np.ones((2, 3))}, "x": {"velocity": Value(1.0)}}}),
        ("sgd", {"state": {"w": {"velocity": np.ones((2, 3), int)}, "x": {"velocity": 1.0}}}),
        ("normalisation", {"deviation": [0.0, 1.0]}),
        ("normalisation", {"mean": [math.nan, 1.0]}),
        ("whitening", {"axes": True}),
    ],
)
def test_a_state_that_nothing_could_go_on_with_is_refused(name, change):
    owner = OWNERS[name]()
    before = copy.deepcopy(owner.state_dict())
    with pytest.raises(ValueError):
        owner.load_state_dict(before | change)
    np.testing.assert_equal(owner.state_dict(), before)
