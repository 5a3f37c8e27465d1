"""Read and write files: a crash leaves the old file whole, a failure names the file and why."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "this is a folder; name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "this is a file; name a folder",
    errno.EACCES: "permission is denied; see who may read and write it and its folder",
    errno.EPERM: "permission is denied; see who may read and write it and its folder",
    errno.EROFS: "it is on a disk that can only be read; choose another place",
    errno.ENOSPC: "the disk is full; make room, or choose another place",
    errno.EDQUOT: "your share of the disk is full; make room, or choose another place",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "its links lead back to themselves",
}


@contextmanager
def file_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Word the system's errors in the block for people: `path`, and what is wrong with it."""
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
    if error.errno == errno.ENOENT and not folder.exists():
        return f"there is no folder {folder}; make it first"
    return REASONS.get(error.errno or 0, (error.strerror or "it failed").lower())


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return a file's content. Raises OSError that says what is wrong with the file."""
    with file_errors(path):
        return Path(path).read_bytes()


def atomic_write(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace `path` by `content` (text as UTF-8) in one step; return the path.

    Raises OSError where the folder does not exist or cannot be written.
    """
    with file_errors(path):
        return _replaced(Path(path), content)


def _replaced(target: Path, content: str | bytes) -> Path:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "")
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, _mode(target))
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise
    return target


def _mode(target: Path) -> int:
    """Give the permissions the file has, or those a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
