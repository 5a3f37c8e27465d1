"""Write files so that a crash at any point leaves the old file whole."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from glob import escape
from pathlib import Path

try:
    import fcntl
except ImportError:  # elsewhere than on POSIX systems a file that is open cannot be removed
    fcntl = None  # type: ignore[assignment]

ENDING = ".writing"  # of the hidden files that writers make, and dead ones leave


def atomic_write(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Replace `path` by `content` (text as UTF-8) in one step; return the path.

    What writers of this file left that were killed is removed. What is no regular file, such as
    a device or a pipe, is written to. Raises OSError, which names `path`, where it cannot be.
    """
    named = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    target = Path(os.path.realpath(named))  # a link stays one, and the file behind it is replaced
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{named}: there is no folder {named.parent}")
    if target.is_dir():
        raise IsADirectoryError(f"{named} is a folder; name a file")
    try:
        _write(target, data)
    except OSError as error:
        raise type(error)(error.errno, error.strerror or str(error), str(named)) from error
    return named


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
                os.chmod(temporary, mode)
            os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _created(target: Path, mode: int) -> tuple[int, Path]:
    """Make a file beside `target`, locked while its writer lives; the system masks its mode."""
    while True:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{ENDING}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
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

