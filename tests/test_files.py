import errno
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from micrograd import files
from micrograd.files import (
    atomic_write,
    check_place,
    file_errors,
    read_bytes,
    remove_leftovers,
)
from micrograd.training import fit


def test_text_and_bytes_are_written(tmp_path):
    assert atomic_write(tmp_path / "a", "σ\n").read_bytes() == "σ\n".encode()
    assert atomic_write(str(tmp_path / "b"), b"\0").read_bytes() == b"\0"


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    atomic_write(tmp_path / "a", "old")

    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        atomic_write(tmp_path / "a", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_ctrl_c_at_the_end_of_a_write_is_no_missing_file(tmp_path, monkeypatch):
    real = os.replace

    def interrupted(*paths):
        real(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a", "new")
    assert [p.read_text() for p in tmp_path.iterdir()] == ["new"]


def test_permissions_are_those_of_the_old_file_or_of_a_new_one(tmp_path):
    (tmp_path / "plain").touch()
    assert atomic_write(tmp_path / "new", "").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "plain").chmod(0o600)
    assert atomic_write(tmp_path / "plain", "").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o664, 0o640, 0o644, 0o755, 0o400, 0o606])
def test_every_bit_of_the_old_permissions_stays(mode, tmp_path):
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(mode)
    assert stat.S_IMODE(atomic_write(tmp_path / "a", "new").stat().st_mode) == mode


@pytest.mark.parametrize("mask, mode", [(0o077, 0o600), (0o002, 0o664), (0o027, 0o640)])
def test_a_new_file_gets_what_the_mask_of_the_process_leaves(mask, mode, tmp_path):
    before = os.umask(mask)
    try:
        written = atomic_write(tmp_path / "a", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(written.stat().st_mode) == mode


def test_a_missing_folder_is_called_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none/a: there is no folder .*none; make it"):
        atomic_write(tmp_path / "none" / "a", "")


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be removed there")
def test_a_folder_that_is_gone_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    uses = [lambda: atomic_write("x", ""), lambda: check_place("x"), lambda: read_bytes("x/y")]
    for use in uses:
        with pytest.raises(FileNotFoundError, match="^x(/y)?: the folder that it was started in"):
            use()
    assert atomic_write(tmp_path / "x", "written").read_text() == "written"


def test_errors_name_the_file_and_never_the_temporary_one(tmp_path, monkeypatch):
    with pytest.raises(IsADirectoryError, match="is a folder; name a file"):
        atomic_write(tmp_path, "")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/secret/.a.writing")

    def trained(path):
        fit(lambda _: pytest.fail("not before the work"), [1], 1, checkpoint=path, state=[])

    uses = [(lambda path: atomic_write(path, "new"), name) for name in ("open", "fsync", "replace")]
    for use, name in (*uses, (check_place, "open"), (trained, "open")):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse)
            with pytest.raises(PermissionError) as refusal:
                use(tmp_path / "a.json")
        assert str(refusal.value).startswith(f"{tmp_path / 'a.json'}: permission is denied")
        assert ".writing" not in str(refusal.value)
    check_place(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["folder", "link"])
def test_a_checkpoint_that_cannot_be_written_is_told_before_training(there, tmp_path):
    path = tmp_path / "run.json"
    if there == "folder":
        path.mkdir()
    else:  # to a file in a folder that is not there
        path.symlink_to(tmp_path / "none" / "run.json")
    with pytest.raises(OSError, match=r"run\.json: (this is a folder|there is no)"):
        fit(lambda _: pytest.fail("not before"), [1], 1, checkpoint=path, state=[], progress=False)


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere" / "b")
    assert atomic_write(tmp_path / "a", "new") == tmp_path / "a"
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "elsewhere" / "b").read_text() == "new"


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        atomic_write(tmp_path / "pipe", "through")
        assert reader.stdout.read() == b"through"
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


WRITER = """
import os, sys, time
from micrograd import files
def for_ever(_):
    print("writing", flush=True)
    time.sleep(600)
os.fsync = for_ever
files.atomic_write(sys.argv[1], "half")
"""


@pytest.fixture
def writer(tmp_path):
    """Start a process that is writing tmp_path/"[a].npz", and stays at it."""
    command = [sys.executable, "-c", WRITER, tmp_path / "[a].npz"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_killed_writers_leave_goes_at_the_next_start(writer, tmp_path):
    (leftover,) = hidden(tmp_path)
    others = [".[a].npz.swp", ".[a].npz", ".b.npz.12345678.writing", ".a.npz.12345678.writing"]
    for name in others:
        (tmp_path / name).touch()
    remove_leftovers(tmp_path / "[a].npz")
    assert set(hidden(tmp_path)) == {leftover, *others}  # its writer is alive
    atomic_write(tmp_path / "[a].npz", "other")
    assert leftover in hidden(tmp_path)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert leftover in hidden(tmp_path)
    fit(lambda _: 0.0, [1], 1, checkpoint=tmp_path / "[a].npz", state=[], progress=False)
    assert set(hidden(tmp_path)) == set(others)


def test_a_start_that_writes_nothing_cleans_up_too(writer, tmp_path):
    options = {"checkpoint": tmp_path / "[a].npz", "state": [], "progress": False}
    fit(lambda _: 0.0, [1], 1, **options)
    assert len(hidden(tmp_path)) == 1
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    fit(lambda _: 0.0, [1], 1, resume=True, **options)  # it is finished already
    assert hidden(tmp_path) == []


def test_a_writer_waits_for_the_one_who_looks_whether_it_lives(tmp_path, monkeypatch):
    """Who clears leftovers locks each of them for a moment, a new writer's file too."""
    fcntl = pytest.importorskip("fcntl")
    real, looked = os.open, []

    def opened(path, flags, *mode):
        handle = real(path, flags, *mode)
        if str(path).endswith(".writing") and not looked:
            looked.append(real(path, os.O_RDONLY))
            fcntl.flock(looked[0], fcntl.LOCK_EX)
            threading.Timer(0.1, os.close, looked).start()
        return handle

    monkeypatch.setattr(os, "open", opened)
    atomic_write(tmp_path / "a.txt", "new")
    assert looked and (tmp_path / "a.txt").read_text() == "new"


def test_a_disk_without_locks_or_permissions_is_written_to(tmp_path, monkeypatch):
    """Some that are mounted over a network, or by FUSE, have none."""
    fcntl = pytest.importorskip("fcntl")

    def without(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    monkeypatch.setattr(os, "chmod", without)
    (tmp_path / ".a.0.writing").touch()
    for text in ("old", "new"):
        atomic_write(tmp_path / "a", text)
    check_place(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new"
    assert hidden(tmp_path) == [".a.0.writing"]  # whose writer may be alive


def test_an_error_of_the_system_that_is_rare_is_told_as_it_is():
    for error, reason in (
        (OSError(errno.EIO, "Input/output error"), "x: input/output error"),
        (OSError(errno.EIO, ""), "x: it failed"),
    ):
        with pytest.raises(OSError, match=reason), file_errors("x"):
            raise error


def test_many_writers_of_one_file_never_take_each_other_for_dead(tmp_path):
    code = (
        "import sys; from micrograd.files import atomic_write\n"
        "for i in range(150): atomic_write(sys.argv[1], sys.argv[2] * 1000)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "a", str(i)]) for i in range(4)
    ]
    end = time.monotonic() + 60
    while any(w.poll() is None for w in writers) and time.monotonic() < end:
        if (tmp_path / "a").exists():
            text = (tmp_path / "a").read_text()
            assert text == text[0] * 1000
    assert [w.wait() for w in writers] == [0] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of open files here")
def test_where_nothing_locks_a_file_is_closed_before_it_is_renamed(tmp_path, monkeypatch):
    """Windows has no fcntl, and renames no file that is open."""
    replace, target = os.replace, tmp_path / "a.txt"

    def careful(source, to):
        handles = Path("/proc/self/fd").iterdir()
        assert str(source) not in [os.readlink(h) for h in handles if os.path.islink(h)]
        replace(source, to)

    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(os, "replace", careful)
    for text in ("one", "two"):
        atomic_write(target, text)
    assert target.read_text() == "two" and [*tmp_path.iterdir()] == [target]
