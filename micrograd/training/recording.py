"""A training recorded as it goes: parameters every few steps, and the loss of each."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

from micrograd.core.checks import check_state, check_whole, is_count, is_list, is_real
from micrograd.printing import shorten
from micrograd.training.run import Step, numbers_of


class Recording:
    """Record the parameters of `model` before every `every`-th step, and the loss of every step.

        recording = Recording(model, every=5)
        fit(recording.of(descent(model, loss, optimizer)), data, epochs=100)

    A loop of one's own calls `recording.note(loss)` in each step, before it moves the parameters:
    then a loss stands beside the parameters that it was computed at. `frames` are the numbers of
    the steps with the parameters before them, in float32; `stepper.training_page` plays them.
    """

    def __init__(self, model: Any, every: int = 1) -> None:
        check_whole("every", every, 1)
        if not hasattr(model, "parameters"):
            raise TypeError(f"a Recording takes a Module, not {shorten(model)}")
        self.model, self.every = model, every
        self.parameters = model.parameters()
        self.losses: list[float] = []
        self._refresh: Callable[[], object] = _nothing
        self.frames: list[tuple[int, Sequence[float]]] = []

    def note(self, loss: float) -> None:
        """Note the loss of a step that has not moved the parameters yet."""
        if not is_real(getattr(loss, "data", loss)):
            raise TypeError(f"note takes the loss of a step, not {shorten(loss)}")
        self._note(loss, self.now() if self._due() else None)

    def of(self, step: Step) -> Step:
        """Return `step`, a step of `fit`, that notes what it does."""
        self._refresh = getattr(step, "write_back", self._refresh)
        return _Noted(step, self)

    def now(self) -> Sequence[float]:
        """Return the present parameters, in the order of `parameters`."""
        self._refresh()  # a step on arrays leaves the Values as they were
        return array("f", [parameter.data for parameter in self.parameters])

    def _due(self) -> bool:
        return len(self.losses) % self.every == 0

    def _note(self, loss: float, before: Sequence[float] | None) -> None:
        if before is not None:
            self.frames.append((len(self.losses), before))
        self.losses.append(float(getattr(loss, "data", loss)))

    def state_dict(self) -> dict[str, Any]:
        """Return what was noted."""
        frames = [[number, [*parameters]] for number, parameters in self.frames]
        return {"losses": [*self.losses], "frames": frames}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict()` gave. Raises ValueError where it is another model's."""
        check_state(self, state, losses=_is_numbers, frames=self._is_frames)
        self.losses = [*state["losses"]]
        self.frames = [(number, array("f", kept)) for number, kept in state["frames"]]

    def _is_frames(self, frames: Any) -> bool:
        pairs = is_list(frames) and all(is_list(pair) and len(pair) == 2 for pair in frames)
        many = len(self.parameters)
        return pairs and all(is_count(n) and _is_numbers(p) and len(p) == many for n, p in frames)


class _Noted:
    """A step of `fit` that is recorded; what it changes includes the recording."""

    def __init__(self, step: Any, recording: Recording) -> None:
        self.step, self.recording = step, recording
        self.state = {"step": getattr(step, "state", {}), "recording": recording}
        for name in ("graphs", "trained", "data"):
            if hasattr(step, name):
                setattr(self, name, getattr(step, name))

    @property
    def reached(self) -> Any:
        return getattr(self.step, "reached", None)

    def __call__(self, batch: Any) -> Any:
        before = self.recording.now() if self.recording._due() else None
        result = self.step(batch)
        self.recording._note(numbers_of(result)["loss"], before)
        return result


def _is_numbers(numbers: Any) -> bool:
    return is_list(numbers) and all(map(is_real, numbers))


def _nothing() -> None:
    """Stand for what brings a lowered program's parameters home; pickle knows it by name."""
