"""CPU time of a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def cpu_seconds(function: Callable[[], Any], patience: float = 0.1) -> float:
    """Return the time of the fastest call among those begun within `patience` seconds."""
    times, end = [], time.process_time() + patience
    while not times or time.process_time() < end:
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)
