"""What a training shows in the terminal, and how it takes Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


class Interrupts:
    """Note the first Ctrl-C in `pending`, to be acted on between two batches.

    The second one interrupts at once. Elsewhere than in the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.pending = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: object) -> None:
        self.pending = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


class Progress:
    """Show a bar for the batches of an epoch, and a line for each finished epoch, on stderr.

    Where stderr is no terminal, or rich is not installed, there are only the lines.
    """

    def __init__(self, wanted: bool, epochs: int) -> None:
        self.epochs, self.wanted = epochs, wanted
        self.bar: Any = None
        if wanted:
            with suppress(ImportError):
                self._prepare()

    def _prepare(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
        )
        self.bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.task = self.bar.add_task("", numbers="")

    def __enter__(self) -> Progress:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar:
            self.bar.stop()

    def start(self, epoch: int, batches: int, done: int) -> None:
        """Show that an epoch begins, `done` of its batches being done."""
        self.began = time.monotonic()
        if self.bar:
            self.bar.reset(
                self.task,
                total=batches,
                completed=done,
                numbers="",
                description=f"epoch {epoch + 1}/{self.epochs}",
            )

    def advance(self, numbers: Mapping[str, float]) -> None:
        """Show that a batch is done."""
        if self.bar:
            self.bar.update(self.task, advance=1, numbers=_shown(numbers))

    def finish(self, row: Mapping[str, float]) -> None:
        """Show the numbers of a finished epoch."""
        if self.wanted:
            numbers = _shown({name: n for name, n in row.items() if name != "epoch"})
            seconds = time.monotonic() - self.began
            line = f"epoch {row['epoch']}/{self.epochs}  {numbers}  {seconds:.1f} s"
            self._print(line)

    def say(self, remark: str) -> None:
        """Show a remark on a line of its own."""
        if self.wanted:
            self._print(remark)

    def _print(self, line: str) -> None:
        if self.bar:
            self.bar.console.print(line, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)


def _shown(numbers: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {number:.4g}" for name, number in numbers.items())
