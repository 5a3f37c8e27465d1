"""What is switched on around a computation: per context, restored whatever happens."""

import asyncio
import contextlib
import gc
import math
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from micrograd import AnomalyError, Value, detect_anomaly, grad, hessian, no_grad, scope
from micrograd.core.modes import MODE, Block, comparisons_reported
from micrograd.gradcheck import gradcheck
from micrograd.nn import MLP


def records():
    x = Value(2.0)
    return (x * x).parents == (x, x)


def in_a_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.parametrize(
    ("block", "field"),
    [
        (no_grad, "recording"),
        (detect_anomaly, "checking"),
        (lambda: scope("here"), "scope"),
        (lambda: comparisons_reported(print), "on_comparison"),
    ],
)
def test_a_block_of_one_thread_leaves_the_others_alone(block, field):
    outside = getattr(MODE, field)
    with block():
        assert getattr(MODE, field) != outside
        assert in_a_thread(lambda: getattr(MODE, field)) == outside
    assert getattr(MODE, field) == outside


def test_gradients_in_one_thread_while_another_records_nothing():
    inside, done = threading.Event(), threading.Event()

    def evaluate():
        with no_grad():
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=evaluate)
    thread.start()
    inside.wait(10)
    x = Value(3.0)
    (x * x).backward()
    done.set()
    thread.join()
    assert x.grad == 6.0


def finished(function):
    """Return what a coroutine gives, run in a thread: this one may have a browser's loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(function())).result()


def test_tasks_that_wait_in_blocks_do_not_disturb_each_other():
    async def evaluate():
        with no_grad():
            await asyncio.sleep(0.01)
            return records()

    async def train():
        await asyncio.sleep(0)
        return records()

    async def both():
        return await asyncio.gather(evaluate(), train(), evaluate())

    assert finished(both) == [False, True, False]


def test_blocks_that_overlap_leave_nothing_behind():
    first, second, third = no_grad(), no_grad(), scope("a")
    first.__enter__()
    third.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not records()
    third.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert records()
    assert MODE.scope == ""


def test_one_block_can_be_entered_again_and_within_itself():
    block = no_grad()
    with block, block:
        assert not records()
    assert records()
    with block:
        with block:
            pass
        assert not records()
    assert records()


def test_a_block_left_by_an_error_is_over():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert records()


def test_ctrl_c_in_a_loop_of_blocks_leaves_recording_on():
    """Interrupts at any instruction, also within a block's own entry and exit."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # an error within a callback of the collector would be lost
    try:
        for i in range(150):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 1e-4 + 1e-6 * i)
                end = time.monotonic() + 5
                while time.monotonic() < end:
                    with no_grad(), scope("a"):
                        pass
            assert records()
            assert MODE.scope == ""
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def test_a_decorated_generator_records_nothing_and_its_user_does():
    @no_grad()
    def numbers():
        sent = yield records()
        try:
            yield sent, records()
        except KeyError:
            yield "thrown", records()
        return "end"

    generator = numbers()
    assert next(generator) is False
    assert records()
    assert generator.send(5) == (5, False)
    assert generator.throw(KeyError()) == ("thrown", False)
    assert records()
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    assert list(no_grad()(lambda: iter([1]))()) == [1]
    generator = numbers()
    next(generator)
    generator.close()
    assert list(generator) == []


def test_decorated_coroutines_and_asynchronous_generators_record_nothing():
    @no_grad()
    async def evaluate():
        await asyncio.sleep(0)
        return records()

    @no_grad()
    async def several():
        for _ in range(2):
            await asyncio.sleep(0)
            yield records()

    async def run():
        return [await evaluate(), *[(inside, records()) async for inside in several()]]

    assert finished(run) == [False, (False, True), (False, True)]


def test_a_decorated_function_keeps_its_name_and_may_call_itself():
    @no_grad()
    def down(n):
        return records() if n == 0 else down(n - 1)

    assert (down(3), down.__name__, records()) == (False, "down", True)


def test_a_block_nobody_holds_any_more_counts_no_more():
    block = no_grad()
    block.__enter__()
    assert not records()
    del block
    assert MODE.recording
    assert records()


def test_blocks_can_be_had_in_an_exit_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        assert not records()
    assert records()
    assert isinstance(no_grad(), Block)


def test_what_has_to_record_is_refused_under_no_grad():
    """Else a Hessian would be 0, and a right gradient would differ."""
    x = Value(2.0)
    y = x**3
    for what in (
        lambda: grad(y, [x], create_graph=True),
        lambda: hessian(y, [x]),
        lambda: gradcheck(lambda x: x**3, [2.0]),
        lambda: gradcheck(MLP(1, [1]), [2.0]),
        lambda: gradcheck(y, order=2),
    ):
        with no_grad(), pytest.raises(ValueError, match=r"under no_grad\(\): nothing is recorded"):
            what()
    with no_grad():
        assert grad(y, [x]) == [12.0] == [step.contribution for step in y.steps()]
        assert gradcheck(y)
    assert hessian(y, [x]) == [[12.0]]


def test_a_node_that_was_nan_and_stays_nan_was_not_edited():
    x, y = Value(math.inf), Value(1.0)
    out = (x - x) * y
    with detect_anomaly(), pytest.raises(AnomalyError, match="^the gradient that"):
        out.backward()  # what it hands on is nan: nothing was edited
    y.data = math.nan
    with detect_anomaly(), pytest.raises(AnomalyError, match="^the gradient that"):
        out.backward()
    other = Value(2.0) * y
    other.data = 3.0
    with detect_anomaly(), pytest.raises(AnomalyError, match="holds 3.0, but .* now give nan"):
        other.backward()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="errors take no notes")
def test_an_error_of_a_users_backward_step_says_what_leaves_hold():
    x = Value(2.0)
    out = Value(4.0, (x,), "own")

    def backward():
        raise ValueError("mine")

    out._backward = backward
    with pytest.raises(ValueError, match="mine\nleaves hold what backward.* before it failed here"):
        (out + x).backward()
    assert x.grad == 1.0


GOES_BACK = [
    lambda y, x: list(y.steps()),
    lambda y, x: grad(y, [x]),
    lambda y, x: grad(y, [x], create_graph=True),
    lambda y, x: hessian(y, [x]),
]


@pytest.mark.parametrize("goes_back", GOES_BACK)
def test_anomalies_are_found_on_every_way_back(goes_back):
    base, exponent = Value(-1.0), Value(3.0, label="e")
    with detect_anomaly(), pytest.raises(AnomalyError, match="nan") as raised:
        goes_back(base**exponent * 2, exponent)
    assert "<formula" not in str(raised.value)  # a line that a person can open
    x = Value(3.0)
    y = (x * x).exp()
    goes_back(y, x)
    x.data = 5.0
    goes_back(y, x)  # as asked: at the data as they are now
    with detect_anomaly(), pytest.raises(AnomalyError, match="edited after it was computed"):
        goes_back(y, x)
