"""State as files: what training changes, captured, written, read and restored exactly.

A state is a tree of dicts, lists, numbers, text and arrays. It is written as JSON or as npz, with
a checksum, atomically, never as pickle; what does not check out is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.optim.gradients import is_array

FORMAT, VERSION = "micrograd state", 1
ARRAY, FLOAT = "__array__", "__float__"  # the keys that stand for what JSON lacks


def capture(item: Any) -> Any:
    """Return a copy of the state of `item`.

    It is an object with a `state_dict`, a random generator of Python or NumPy, an array, a
    Value, or a dict or list of such. Raises TypeError for anything else.
    """
    if hasattr(item, "state_dict"):
        return item.state_dict()
    if isinstance(item, Mapping):
        return {name: capture(part) for name, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [capture(part) for part in item]
    if hasattr(item, "getstate"):
        return item.getstate()
    if hasattr(item, "bit_generator"):
        return item.bit_generator.state
    if is_array(item):
        return item.copy()
    if isinstance(item, Value):
        return item.data
    raise TypeError(f"a {type(item).__name__} has no state that can be kept: {item!r}")


def restore(item: Any, state: Any) -> None:
    """Put `item` into the `state` captured from its like.

    Raises ValueError, and changes nothing, where `state` does not fit.
    """
    before = capture(item)
    try:
        _restore(item, state)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        _restore(item, before)
        raise ValueError(f"the state does not fit: {error}") from error


def _restore(item: Any, state: Any) -> None:
    if hasattr(item, "load_state_dict"):
        item.load_state_dict(state)
    elif isinstance(item, Mapping):
        _check_names(set(item), set(state))
        for name, part in item.items():
            _restore(part, state[name])
    elif isinstance(item, (list, tuple)):
        _check_names(set(range(len(item))), set(range(len(state))))
        for part, part_state in zip(item, state):
            _restore(part, part_state)
    elif hasattr(item, "setstate"):
        item.setstate(_tuples(state))
    elif hasattr(item, "bit_generator"):
        item.bit_generator.state = state
    elif is_array(item):
        _fill(item, state)
    else:
        item.data = _number(state)


def _check_names(expected: set[Any], found: set[Any]) -> None:
    lacking, extra = (sorted(map(str, part))[:3] for part in (expected - found, found - expected))
    wrong = [f"it lacks {', '.join(lacking)}"] * bool(lacking)
    wrong += [f"it has {', '.join(extra)} too much"] * bool(extra)
    if wrong:
        raise ValueError(" and ".join(wrong))


def _fill(array: Any, state: Any) -> None:
    expected, found = (array.shape, array.dtype.str), (state.shape, state.dtype.str)
    if expected != found:
        raise ValueError(f"an array {expected} was expected, not {found}")
    array[...] = state


def _number(state: Any) -> float:
    if isinstance(state, (int, float)):
        return float(state)
    raise ValueError(f"a number was expected, not {state!r}")


def _tuples(state: Any) -> Any:
    return tuple(map(_tuples, state)) if isinstance(state, (list, tuple)) else state


def save_state(path: str | os.PathLike[str], state: Any) -> Path:
    """Write `state` to `path`, whose ending .json or .npz chooses the format, atomically."""
    npz = checked_path(path).suffix == ".npz"
    return atomic_write(path, _npz_file(state) if npz else _json_file(state))


def checked_path(path: str | os.PathLike[str]) -> Path:
    """Return `path`. Raises ValueError or OSError where no state can be written there."""
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
    content = Path(path).read_bytes()
    try:
        return _npz_state(content) if content.startswith(b"PK") else _json_state(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _json_file(state: Any) -> str:
    tree = _packed(state, None)
    return json.dumps(_headed(tree, _checksum(tree, [])), allow_nan=False) + "\n"


def _npz_file(state: Any) -> bytes:
    import numpy as np

    arrays: list[Any] = []
    tree = _packed(state, arrays)
    head = json.dumps(_headed(tree, _checksum(tree, arrays))).encode()
    file = BytesIO()
    np.savez(file, *arrays, head=np.frombuffer(head, np.uint8))
    return file.getvalue()


def _headed(tree: Any, checksum: str) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "sha256": checksum, "state": tree}


def _json_state(content: bytes) -> Any:
    try:
        tree = json.loads(content)
    except ValueError:
        raise ValueError("this is no saved state, or it was cut off: it is not JSON") from None
    return _unpacked(_checked(tree, []), None)


def _npz_state(content: bytes) -> Any:
    import numpy as np

    try:
        with np.load(BytesIO(content), allow_pickle=False) as file:
            tree = json.loads(file["head"].tobytes())
            arrays = [file[f"arr_{i}"] for i in range(len(file.files) - 1)]
    except Exception as error:  # zipfile, zlib and NumPy raise what they like at damaged files
        raise ValueError(f"this is no saved state, or it was damaged: {error}") from None
    return _unpacked(_checked(tree, arrays), arrays)


def _checked(tree: Any, arrays: list[Any]) -> Any:
    """Return the state within `tree`. Raises ValueError where it is not as it was written."""
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError(f"this is no file of the format '{FORMAT}'")
    if tree.get("version") != VERSION:
        raise ValueError(f"it is of version {tree.get('version')!r}; this program reads {VERSION}")
    if tree.get("sha256") != _checksum(tree.get("state"), arrays):
        raise ValueError("its checksum is wrong: it was changed after it was written; "
                         "take it from where it is whole")  # fmt: skip
    return tree["state"]


def _checksum(tree: Any, arrays: list[Any]) -> str:
    digest = hashlib.sha256(json.dumps(tree, sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()


def _packed(item: Any, arrays: list[Any] | None) -> Any:
    """Return `item` as JSON has it; arrays go to `arrays`, or into it where that is None."""
    if isinstance(item, Mapping):
        return {str(name): _packed(part, arrays) for name, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [_packed(part, arrays) for part in item]
    if is_array(item):
        if arrays is None:
            numbers = _packed(item.ravel().tolist(), None)
            return {ARRAY: [item.dtype.str, list(item.shape), numbers]}
        arrays.append(item)
        return {ARRAY: len(arrays) - 1}
    if hasattr(item, "ndim"):
        item = item.item()
    if isinstance(item, float) and not math.isfinite(item):
        return {FLOAT: repr(item)}
    return item


def _unpacked(item: Any, arrays: list[Any] | None) -> Any:
    if isinstance(item, list):
        return [_unpacked(part, arrays) for part in item]
    if not isinstance(item, dict):
        return item
    if FLOAT in item:
        return float(item[FLOAT])
    if ARRAY not in item:
        return {name: _unpacked(part, arrays) for name, part in item.items()}
    if arrays is not None:
        return arrays[item[ARRAY]]
    import numpy as np

    kind, shape, numbers = item[ARRAY]
    return np.array(_unpacked(numbers, None), dtype=kind).reshape(shape)
