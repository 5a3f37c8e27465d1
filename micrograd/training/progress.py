"""What a training shows of its progress, and how it takes Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from micrograd.core.places import shell

WIDE = 60  # columns of a terminal that has room for a bar
SECONDS = 0.1  # between two writings of a notebook's line: each is a message to the browser


class Interrupts:
    """Note the first Ctrl-C in `pending`, to be acted on between two batches.

    The second one interrupts at once. Elsewhere than in the main thread nothing is changed, nor
    where Ctrl-C is ignored, as in what a script runs in the background: it is meant for others.
    """

    def __init__(self) -> None:
        self.pending = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        heard = signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None)  # None: not Python's
        if heard and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: object) -> None:
        self.pending = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Progress:
    """Show how far a training is: one line that is written anew, or a line for each epoch.

    In a terminal it is a bar on stderr, in a notebook a line of the cell's output; both end as the
    last epoch's numbers. Elsewhere, as in IDLE and Spyder, and where rich is not installed, every
    epoch has its line.
    """

    def __init__(self, wanted: bool, epochs: int) -> None:
        self.epochs = epochs
        self.shown = _surface() if wanted else Surface()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._show(self.shown.close)

    def start(self, epoch: int, batches: int, done: int) -> None:
        """Show that an epoch begins, `done` of its batches being done."""
        self.began = time.monotonic()
        self._show(self.shown.begin, f"epoch {epoch + 1}/{self.epochs}", batches, done)

    def advance(self, numbers: Mapping[str, float]) -> None:
        """Show that a batch is done."""
        self._show(self.shown.advance, _written(numbers))

    def finish(self, row: Mapping[str, float]) -> None:
        """Show the numbers of a finished epoch."""
        numbers = _written({name: n for name, n in row.items() if name != "epoch"})
        seconds = time.monotonic() - self.began
        self._show(
            self.shown.end, f"epoch {row['epoch']}/{self.epochs}", f"{numbers}  {seconds:.1f} s"
        )

    def say(self, remark: str) -> None:
        """Show a remark on a line of its own, which stays."""
        self._show(self.shown.say, remark)

    def _show(self, do: Callable[..., None], *what: Any) -> None:
        """Show something; where nobody can see it any more, training goes on."""
        with suppress(OSError, ValueError):  # the disk is full, the reader or the terminal gone
            do(*what)


class Surface:
    """Where progress is shown; this one shows nothing."""

    def begin(self, epoch: str, batches: int, done: int) -> None:
        """Show that an epoch begins."""

    def advance(self, numbers: str) -> None:
        """Show a batch's numbers."""

    def end(self, epoch: str, numbers: str) -> None:
        """Show an epoch's numbers."""

    def say(self, remark: str) -> None:
        """Show a remark."""

    def close(self) -> None:
        """Leave what is to stay."""


class Lines(Surface):
    """A line on stderr for every epoch."""

    def end(self, epoch: str, numbers: str) -> None:
        self.say(f"{epoch}  {numbers}")

    def say(self, remark: str) -> None:
        print(remark, file=sys.stderr, flush=True)


class Bar(Surface):
    """A bar on a terminal, with the numbers of the last epoch, in the first of the last batch."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.table import Column

        console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        self.whole = named, counted = Column(no_wrap=True), Column(no_wrap=True)
        columns = (
            TextColumn("{task.description}", table_column=named),
            *([BarColumn(bar_width=None)] if console.width >= WIDE else []),
            MofNCompleteColumn(table_column=counted),
            TextColumn("{task.fields[numbers]}", markup=False, table_column=Column(no_wrap=True)),
        )
        self.last = ""
        self.bar = Progress(*columns, console=console, transient=True)
        self.task = self.bar.add_task("", numbers="")
        self.bar.start()

    def begin(self, epoch: str, batches: int, done: int) -> None:
        for column, text in zip(self.whole, (epoch, f"{batches}/{batches}")):
            column.min_width = len(text)  # what is cut are the numbers
        self.bar.reset(self.task, total=batches, completed=done, description=epoch)

    def advance(self, numbers: str) -> None:
        self.bar.advance(self.task)
        if not self.last:
            self.bar.update(self.task, numbers=numbers)

    def end(self, epoch: str, numbers: str) -> None:
        self.last = f"{epoch}  {numbers}"
        self.bar.update(self.task, numbers=numbers)

    def say(self, remark: str) -> None:
        self.bar.console.print(remark, soft_wrap=True)

    def close(self) -> None:
        self.bar.stop()
        if self.last:
            self.say(self.last)


class Output(Surface):
    """A line in the output of a notebook's cell."""

    def __init__(self) -> None:
        from IPython.display import display

        show: Any = display  # untyped
        self.handle = show({"text/plain": ""}, raw=True, display_id=True)
        self.next_time = 0.0

    def begin(self, epoch: str, batches: int, done: int) -> None:
        self.epoch, self.batches, self.done = epoch, batches, done

    def advance(self, numbers: str) -> None:
        self.done += 1
        if time.monotonic() >= self.next_time:
            self._write(f"{self.epoch}  batch {self.done}/{self.batches}  {numbers}")

    def end(self, epoch: str, numbers: str) -> None:
        self.last = f"{epoch}  {numbers}"
        if time.monotonic() >= self.next_time:
            self._write(self.last)

    def say(self, remark: str) -> None:
        print(remark)

    def close(self) -> None:
        self._write(getattr(self, "last", ""))

    def _write(self, text: str) -> None:
        self.handle.update({"text/plain": text}, raw=True)
        self.next_time = time.monotonic() + SECONDS


def _surface() -> Surface:
    """Return the best that there is where this runs."""
    try:
        return Output() if _in_a_notebook() else Bar() if _on_a_terminal() else Lines()
    except (ImportError, OSError, ValueError):  # without rich; or the terminal is gone already
        return Lines()


def _on_a_terminal() -> bool:
    if not getattr(sys.stderr, "isatty", bool)() or os.environ.get("TERM") == "dumb":
        return False
    from rich.console import Console

    return Console(stderr=True).is_terminal  # IDLE says that it is one


def _in_a_notebook() -> bool:
    kernel = getattr(shell(), "kernel", None)  # Spyder writes nothing anew, as notebooks do
    return kernel is not None and not type(kernel).__module__.startswith("spyder_kernels")


def _written(numbers: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {number:.4g}" for name, number in numbers.items())
