"""Ctrl-C anywhere in `lower` leaves nothing changed: in a notebook the program goes on."""

import gc
import sys

import pytest

from micrograd import Value
from micrograd.core.modes import mode
from micrograd.lowering import lower
from micrograd.lowering.trace import watch

FILES = ("trace/watch.py", "lowering/lower.py", "core/modes.py", "contextlib.py")


def interrupted(function, at):
    """Call a function, interrupt it at one of its calls in FILES; return whether it had so many.

    Python looks for signals where a function of its own begins and one in C has ended.
    """

    def profile(frame, event, _):
        nonlocal at
        at -= event in ("call", "c_return") and frame.f_code.co_filename.endswith(FILES)
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
