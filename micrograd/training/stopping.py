"""When a training ends before its last epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from micrograd.checkpoint import capture
from micrograd.core.checks import check_state, check_whole, is_any, is_count, is_real
from micrograd.printing import counted, shorten


class EarlyStopping:
    """Stop when `monitor` has had no better value for `patience` epochs; go back to the best."""

    def __init__(self, monitor: str = "loss", patience: int = 5, best: str = "min") -> None:
        if not isinstance(best, str) or best not in ("min", "max"):
            raise ValueError(f"best is 'min' or 'max', not {shorten(best)}")
        check_whole("patience", patience, 1)
        self.monitor, self.patience, self.sign = monitor, patience, 1 if best == "min" else -1
        self.begin()

    def __repr__(self) -> str:
        return f"EarlyStopping({', '.join(f'{k}={v!r}' for k, v in self.settings().items())})"

    def begin(self) -> None:
        """Forget the epochs of another run, whose best parameters are no business of this one."""
        self.best, self.waited, self.kept = math.inf, 0, None

    def report(self, row: Mapping[str, float], state: Any) -> str:
        """Take note of an epoch; return why to stop, or nothing."""
        if self.monitor not in row:
            raise ValueError(f"early stopping watches {self.monitor!r}; there are {', '.join(row)}")
        value = self.sign * row[self.monitor]
        if value < self.best:
            self.best, self.waited, self.kept = value, 0, capture(state)
            return ""
        self.waited += 1
        done = self.waited >= self.patience
        return f"no better {self.monitor} for {counted(self.waited, 'epoch')}" if done else ""

    def settings(self) -> dict[str, Any]:
        """Return how it was made."""
        best = "min" if self.sign == 1 else "max"
        return {"monitor": self.monitor, "patience": self.patience, "best": best}

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, the state then, and the epochs since."""
        return {"best": self.best, "waited": self.waited, "kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises ValueError where it is none."""
        check_state(self, state, best=is_real, waited=is_count, kept=is_any)
        self.best, self.waited, self.kept = state["best"], state["waited"], state["kept"]
