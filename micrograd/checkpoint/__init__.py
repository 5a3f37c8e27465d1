"""State as files: what training changes, captured, written, read and restored exactly.

A state is a tree of dicts, lists, tuples, numbers, text and arrays. It is written as JSON or as
npz, with a checksum, atomically, never as pickle. What could not come back equal is refused when
it is written, what does not check out when it is read.
"""

from micrograd.checkpoint.live import capture, check_kept, restore
from micrograd.checkpoint.storage import checked_path, digest, file_content, load_state, save_state

__all__ = [
    "capture",
    "check_kept",
    "checked_path",
    "digest",
    "file_content",
    "load_state",
    "restore",
    "save_state",
]
