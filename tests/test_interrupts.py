"""Ctrl-C anywhere in `lower` leaves nothing changed: in a notebook the program goes on."""

import contextlib
import gc
import sys

import pytest

from micrograd import DomainError, Value, topological_order
from micrograd.core.modes import mode
from micrograd.lowering import lower, replay
from micrograd.lowering.trace import watch
from tests.irregular_models import chain

FILES = (
    *("trace/watch.py", "lowering/lower.py", "lowering/replay.py", "lowering/program.py"),
    *("core/modes.py", "contextlib.py"),
)


def interrupted(function, at):
    """Call a function, interrupt it at one of its calls in FILES; return whether it had so many.

    Python looks for signals where a function of its own begins and one in C has ended. From 3.14
    on also where `with lock:` has just taken a lock, which nobody gives back then. Before 3.11 a
    profiler that raises where a generator goes on skips its `finally`, which no signal does.
    """
    goes_on = sys.version_info >= (3, 11)

    def profile(frame, event, called):
        nonlocal at
        taken = getattr(called, "__name__", "") == "__enter__"
        begins = event == "call" and (goes_on or frame.f_lasti < 0)
        counts = begins or (event == "c_return" and not taken)
        at -= counts and frame.f_code.co_filename.endswith(FILES)
        if at == 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


def numbers_of(root):
    return [(v.data, v.grad) for v in topological_order(root)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["replayed", "diagnosed"])
def test_an_interrupted_program_gives_the_values_their_numbers_back(kind):
    w = Value(0.5, label="w")
    if kind == "replayed":
        root = chain(300)
        program, batch = lower(root), ()
        assert program._replayed
    else:
        program, batch = lower(lambda x: (x * w + 1).log(), 0.7), ([-9.0],)
        root = program.root
    before, at = numbers_of(root), 1
    if kind == "replayed":
        program.parameters["w"][...] = 0.25

    def run():
        with contextlib.suppress(DomainError):
            program.value_and_grad(*batch)

    while interrupted(run, at):
        assert numbers_of(root) == before and not replay._LOCK.locked(), at
        at += 1
    assert at > 10 and numbers_of(root) == before


def test_an_interrupt_of_giving_back_does_so_again(monkeypatch):
    nodes, again = [Value(1.0), Value(2.0)], []

    def put_back(*kept):
        again.append(kept)
        if len(again) == 1:
            raise KeyboardInterrupt
        for node, number, grad in zip(*kept):
            node.data, node.grad = number, grad

    def change(order):
        for node in order:
            node.data = 9.0

    monkeypatch.setattr(replay, "_put_back", put_back)
    with pytest.raises(KeyboardInterrupt):
        replay._restored([*nodes, nodes[0] * nodes[1]], [], change)
    assert [v.data for v in nodes] == [1.0, 2.0] and len(again) == 2


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_leaves_nothing_of_lowering_behind():
    w = [Value(2.0), Value(3.0)]
    at = 1
    while interrupted(lambda: lower(lambda x: w[0] * x.detach() + w[1] * x, 1.0), at):
        left = {*map(type, w)}, gc.isenabled(), mode().blocks, watch._WATCHING.get()
        assert left == ({Value}, True, (), False), at
        assert not w[0] > w[1]
        at += 1
    assert at > 200
