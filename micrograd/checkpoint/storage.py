"""States in files: JSON or npz, with a checksum; read without trust in what they say."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from micrograd.checkpoint.packing import KINDS_NPZ, packed, unpacked
from micrograd.files import atomic_write, check_path, read_bytes
from micrograd.printing import shorten

FORMAT, VERSION = "micrograd state", 2
READ = (1, 2)  # version 1 had no tuples
HEAD = "head.npy"


def save_state(path: str | os.PathLike[str], state: Any) -> Path:
    """Write `state` to `path`, whose ending .json or .npz chooses the format, atomically.

    Raises TypeError or ValueError, and writes nothing, where an entry could not come back equal.
    """
    return atomic_write(path, file_content(path, state))


def file_content(path: str | os.PathLike[str], state: Any) -> bytes:
    """Return what `save_state` writes. Raises what it does."""
    return _npz_file(state) if checked_path(path).suffix == ".npz" else _json_file(state)


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Return `path`. Raises ValueError or OSError where no state can be written there."""
    check_path(path)
    checked = Path(path)
    if checked.suffix not in (".json", ".npz"):
        raise ValueError(f"{path}: a state is written to a file that ends in .json or .npz")
    if not checked.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {checked.parent}")
    return checked


def load_state(path: str | os.PathLike[str]) -> Any:
    """Return the state that `save_state` wrote.

    Raises ValueError where the file is damaged, was edited, or is of another program.
    """
    content = read_bytes(path)
    try:
        return _npz_state(content) if content.startswith(b"PK") else _json_state(content)
    except RecursionError:
        raise ValueError(f"{path}: this is no saved state: it is nested too deep") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def digest(state: Any) -> str:
    """Return a short text that differs where states do. Raises what `save_state` does."""
    arrays: list[Any] = []
    tree = packed(state, arrays)
    return _checksum(tree, arrays)[:12]


def _json_file(state: Any) -> bytes:
    tree = packed(state, None)
    return (json.dumps(_headed(tree, _checksum(tree, [])), allow_nan=False) + "\n").encode()


def _npz_file(state: Any) -> bytes:
    import numpy as np

    arrays: list[Any] = []
    tree = packed(state, arrays)
    head = json.dumps(_headed(tree, _checksum(tree, arrays))).encode()
    file = BytesIO()
    np.savez(file, *arrays, head=np.frombuffer(head, np.uint8))
    return file.getvalue()


def _headed(tree: Any, checksum: str) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "sha256": checksum, "state": tree}


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(
            "this is no saved state, or it was cut off: it is neither npz nor JSON"
        ) from None


def _json_state(content: bytes) -> Any:
    return unpacked(_checked(_parsed(content), []), None)


def _npz_state(content: bytes) -> Any:
    with _damage():
        archive = zipfile.ZipFile(BytesIO(content))
    _check_sizes(archive.infolist(), len(content))
    with _damage():
        members = {name: archive.read(name) for name in archive.namelist()}
        tree = _parsed(_array(members.pop(HEAD)).tobytes())
        arrays = [_array(members[f"arr_{i}.npy"]) for i in range(len(members))]
    return unpacked(_checked(tree, arrays), arrays)


@contextmanager
def _damage() -> Iterator[None]:
    """Raise ValueError for what zipfile, zlib and NumPy raise at damaged files: what they like."""
    try:
        yield
    except Exception:
        raise ValueError(
            "this is no saved state, or it was damaged; take it from where it is whole"
        ) from None


def _check_sizes(members: list[zipfile.ZipInfo], size: int) -> None:
    """Raise ValueError where members are compressed, or are more than the file: it is a bomb."""
    compressed = any(member.compress_type != zipfile.ZIP_STORED for member in members)
    if compressed or sum(member.file_size for member in members) > size:
        raise ValueError("it unpacks to more than was written; states are not compressed")


def _array(content: bytes) -> Any:
    """Return the array in an npy file. Raises ValueError where it is not all there, or a pickle."""
    import numpy as np

    file = BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("its arrays are of another format")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in KINDS_NPZ:
        raise ValueError(f"it holds an array of {dtype}")
    order: Any = "F" if by_columns else "C"
    return np.ndarray(shape, dtype, content, file.tell(), order=order).copy(order)


def _checked(tree: Any, arrays: list[Any]) -> Any:
    """Return the state within `tree`. Raises ValueError where it is not as it was written."""
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError(f"this is no file of the format '{FORMAT}'")
    if tree.get("version") not in READ:
        raise ValueError(
            f"it is of version {shorten(tree.get('version'))}; this program reads "
            f"{' and '.join(map(str, READ))}"
        )
    if tree.get("sha256") != _checksum(tree.get("state"), arrays):
        raise ValueError(
            "its checksum is wrong: it was changed after it was written; take it from where it "
            "is whole"
        )
    return tree["state"]


def _checksum(tree: Any, arrays: list[Any]) -> str:
    total = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for array in arrays:
        total.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return total.hexdigest()
