"""Read and write files: a crash leaves the old file whole, a failure names the file and why."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from micrograd.printing import shorten

__all__ = ["atomic_write", "file_errors", "read_bytes", "remove_leftovers", "worded"]

try:
    import fcntl
except ImportError:  # elsewhere than on POSIX systems a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

GONE = "the folder that it was started in is gone; change to one that is there"
DENIED = "permission is denied; see who may read and write it and its folder"
if os.name == "nt":
    DENIED += ", and what program has it open"
ENDING = ".writing"  # of the hidden files that writers make, and dead ones leave

REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "this is a folder; name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "this is a file; name a folder",
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: "it is on a disk that can only be read; choose another place",
    errno.ENOSPC: "the disk is full; make room, or choose another place",
    errno.EDQUOT: "your share of the disk is full; make room, or choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "its links lead back to themselves",
}


def check_path(path: object) -> None:
    """Raise TypeError where `path` is no name of a file."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"give the name of a file, not {shorten(path)}")


@contextmanager
def file_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Word the system's errors in the block for people: `path`, and what is wrong with it."""
    check_path(path)
    if "\0" in os.fspath(path):
        raise ValueError(f"{os.fspath(path)!r}: the name of a file holds no zero byte")
    try:
        yield
    except OSError as error:
        if error.errno is None:  # worded already
            raise
        raise type(error)(worded(path, error)) from None


def worded(path: str | os.PathLike[str], error: OSError) -> str:
    """Return which file an error of the system is about, and what is wrong with it."""
    return f"{os.fspath(path) or repr('')}: {_reason(path, error)}"


def _reason(path: str | os.PathLike[str], error: OSError) -> str:
    folder = Path(path).parent
    if error.errno == errno.ENOENT and _is_gone(path):
        return GONE
    if error.errno == errno.ENOENT and not folder.exists():
        return f"there is no folder {folder}; make it first"
    return REASONS.get(error.errno or 0, (error.strerror or "it failed").lower())


def _is_gone(path: str | os.PathLike[str]) -> bool:
    """Return whether a path begins in the folder of this process, and somebody removed that."""
    try:
        os.path.abspath(path)
    except OSError as error:
        return error.errno == errno.ENOENT
    return False


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return a file's content. Raises OSError that says what is wrong with the file."""
    with file_errors(path):
        return Path(path).read_bytes()


def atomic_write(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace `path` by `content` (text as UTF-8) in one step; return the path.

    What writers of this file left that were killed is removed. What is no regular file, such as
    a device or a pipe, is written to. Raises OSError, which names `path`, where it cannot be.
    """
    check_path(path)
    named = Path(path)
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with file_errors(path):
        _check_around(path)
        _write(Path(os.path.realpath(named)), data)  # a link stays one: the file behind it changes
    return named


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise now the OSError that writing a file would raise after the work.

    A folder stands there, none is around it, or nothing can be made in that one: it is tried.
    """
    with file_errors(path):
        _check_around(path)
        target = Path(os.path.realpath(path))
        if target.is_file() or not target.exists():
            handle, temporary = _created(target, 0o600)
            os.close(handle)
            os.unlink(temporary)


def _check_around(path: str | os.PathLike[str]) -> None:
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, "")
    if _is_gone(path) or not Path(path).parent.exists():
        raise FileNotFoundError(errno.ENOENT, "")
    with suppress(FileNotFoundError):
        os.lstat(path)  # a name that is too long, a file where a folder should be


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what writers of `path` left when they were killed."""
    target = Path(os.path.realpath(path))
    for leftover in target.parent.glob(f".{escape(target.name)}.*{ENDING}"):
        with suppress(OSError):  # its writer is alive, or somebody else has removed it
            _remove_unlocked(leftover)


def _write(target: Path, data: bytes) -> None:
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    remove_leftovers(target)
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    handle, temporary = _created(target, 0o666 if mode is None else mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if mode is not None:
                with suppress(OSError):  # of disks without permissions; it has no more than these
                    os.chmod(temporary, mode)
            if not fcntl:
                file.close()  # there a file that is open cannot be renamed either
            os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)  # Ctrl-C may come when it has its name
        raise


def _created(target: Path, mode: int) -> tuple[int, Path]:
    """Make a file beside `target`, locked while its writer lives; the system masks its mode."""
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{ENDING}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        with suppress(OSError):  # of disks without locks, where nobody can take it for a leftover
            _lock(handle)
        if temporary.exists():
            return handle, temporary
        os.close(handle)  # taken for a leftover before it was locked


def _remove_unlocked(leftover: Path) -> None:
    with open(leftover, "rb") as file:
        _lock(file.fileno(), wait=False)
        os.unlink(leftover)


def _lock(handle: int, wait: bool = True) -> None:
    """Lock a file until it is closed. Raises OSError where another has, and not to `wait`."""
    if fcntl:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
