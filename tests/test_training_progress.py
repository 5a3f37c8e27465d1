"""What `fit` shows: one line written anew in a terminal and in a notebook, lines in a pipe."""

import io
import re
import sys
from types import SimpleNamespace

import pytest

from micrograd.training import fit
from micrograd.training import progress as module

LAST = r"epoch 3/3  loss 0\.5  f1 \[a\]:key: 7  \d+\.\d s"  # the name is no markup


def train():
    return fit(lambda batch: 0.5, [1, 2], 3, batch_size=1, evaluate=lambda: {"f1 [a]:key:": 7})


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def notebook(monkeypatch):
    """Stand in for IPython in a notebook; return the texts that its output showed."""
    shown = []

    def show(data, raw):
        assert raw and set(data) == {"text/plain"}
        shown.append(data["text/plain"])

    def display(data, raw, display_id):
        assert display_id
        show(data, raw)
        return SimpleNamespace(update=show)

    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return shown


def test_a_pipe_gets_a_line_for_every_epoch(capsys):
    train()
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert re.fullmatch(LAST, lines[-1]) and not printed.out


def test_the_seconds_are_those_of_the_epoch(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def step(batch):
        now[0] += 1.25
        return 0.5

    fit(step, [1, 2], 2, batch_size=1)
    ends = [line.rpartition("  ")[2] for line in capsys.readouterr().err.splitlines()]
    assert ends == ["2.5 s", "2.5 s"]


@pytest.mark.parametrize("columns", [80, 40])
def test_a_terminal_keeps_one_line(columns, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in (("TERM", "xterm"), ("COLUMNS", str(columns)), ("LINES", "24")):
        monkeypatch.setenv(name, value)
    train()
    kept = stream.getvalue().rpartition("\x1b[2K")[2].lstrip("\r")
    assert re.fullmatch(LAST + "\n", re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", kept))
    assert not re.search(r"epoch [12]/3  loss", stream.getvalue())


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_narrow_terminal_cuts_the_numbers_not_what_is_counted(columns, monkeypatch):
    pytest.importorskip("rich", reason="rich is not installed")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name, value in (("TERM", "xterm"), ("COLUMNS", str(columns)), ("LINES", "24")):
        monkeypatch.setenv(name, value)
    bar = module.Bar()
    bar.begin("epoch 998/1000", 1065, 7)
    bar.end("epoch 998/1000", "loss 0.06498  active 6.479  dev_loss 0.05804  dev_f1 76.92  0.1 s")
    bar.begin("epoch 999/1000", 1065, 7)
    bar.bar.refresh()
    shown = re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", stream.getvalue().rpartition("\r")[2])
    bar.close()
    assert re.match(r"epoch 999/1000 +7/1065 loss 0\.0", shown) and len(shown) <= columns


def test_a_notebook_has_one_output_that_ends_as_the_last_epoch(notebook, capsys):
    train()
    assert notebook[1].startswith("epoch 1/3  batch 1/2  ")
    assert re.fullmatch(LAST, notebook[-1])
    assert len(notebook) <= 4 and not capsys.readouterr().err  # no message for every batch


def test_a_notebook_shows_batches_of_a_long_epoch(notebook, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.0)
    train()
    assert "epoch 2/3  batch 2/2  loss 0.5" in notebook


def test_ipython_in_a_terminal_is_no_notebook(monkeypatch, capsys):
    ipython = SimpleNamespace(get_ipython=lambda: SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    train()
    assert "epoch 3/3" in capsys.readouterr().err


def test_idle_gets_lines(monkeypatch):
    """IDLE's streams say that they are terminals, and show what moves a cursor as it is."""
    stream, typed = Terminal(), type("StdInputFile", (io.StringIO,), {"__module__": "idlelib.run"})
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "stdin", typed())
    monkeypatch.setenv("TERM", "xterm")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    train()
    assert len(stream.getvalue().splitlines()) == 3


def test_spyder_gets_lines(notebook, monkeypatch, capsys):
    """Its console shows what is displayed, and nothing that is written in its place."""
    kernel = type("SpyderKernel", (), {"__module__": "spyder_kernels.console.kernel"})()
    shell = SimpleNamespace(kernel=kernel)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    train()
    assert len(capsys.readouterr().err.splitlines()) == 3 and not notebook


def test_a_terminal_that_moves_no_cursor_gets_lines(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "dumb")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    train()
    assert len(stream.getvalue().splitlines()) == 3 and "\x1b" not in stream.getvalue()


def test_nothing_is_shown_where_no_progress_is_wanted(capsys):
    fit(lambda batch: 0.5, [1, 2], 3, progress=False)
    assert capsys.readouterr() == ("", "")


class Gone(Terminal):
    """A terminal that goes away after some writings, as that of a training left to itself."""

    left = 0

    def write(self, text):
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")
        return super().write(text)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("term", ["xterm", "dumb"])
@pytest.mark.parametrize("left", [None, 0, 1, 2, 3])
def test_a_training_outlives_its_terminal(term, left, monkeypatch):
    stderr = Gone()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", term)
    if left is None:
        stderr.close()
    else:
        stderr.left = left
    assert len(train()) == 3 and (left is None or stderr.left < 0)


@pytest.mark.parametrize("surface", [module.Lines, module.Bar])
def test_a_remark_stays_on_a_line_of_its_own(surface, monkeypatch):
    pytest.importorskip("rich", reason="rich is not installed")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    shown = surface()
    shown.say("a unit [dead] :key:")
    shown.close()
    assert "a unit [dead] :key:\n" in stream.getvalue()
    assert "epoch" not in stream.getvalue()


def test_without_rich_a_terminal_gets_lines(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    for name in ("rich.console", "rich.progress", "rich.table"):
        monkeypatch.setitem(sys.modules, name, None)
    train()
    assert len(stream.getvalue().splitlines()) == 3


def test_a_bar_counts_batches_and_shows_the_numbers_of_the_last_epoch():
    pytest.importorskip("rich", reason="rich is not installed")
    bar = module.Bar()
    task = bar.bar.tasks[0]
    bar.begin("epoch 1", 4, 1)
    bar.advance("loss 2")
    assert (task.completed, task.total, task.fields["numbers"]) == (2, 4, "loss 2")
    bar.end("epoch 1", "loss 1")
    bar.begin("epoch 2", 4, 0)
    bar.advance("loss 9")  # of one batch: a line that jumps
    assert (task.completed, task.description, task.fields["numbers"]) == (1, "epoch 2", "loss 1")
    bar.close()
