"""Fifteen exercises: write a function for each, and have it judged.

`new` writes a file for each task, `check` judges what is in them: an answer that is not right is
refused with a sentence that says where to look:

    python demos/exercises.py new my-answers
    python demos/exercises.py check my-answers
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from stage import failures, named, parser_of, say
from tasks import TASKS, RefusedError, Task

from micrograd.files import atomic_write, file_errors, read_bytes
from micrograd.printing import shorten


def new(folder: Path) -> int:
    """Write a file for each task that has none yet; return 0."""
    with file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for number, task in enumerate(TASKS, 1):
        path = folder / f"{number:02}_{task.name}.py"
        if not path.exists():
            atomic_write(path, task.template)
    say(f"{len(TASKS)} tasks in {folder}: write them, then check")
    return 0


def verdict(task: Task, source: str | bytes) -> str:
    """Return why an answer is refused, or "" where it is right."""
    names: dict[str, Any] = {}
    returned: list[Any] = []

    def answer(*given: Any) -> Any:
        returned[:] = [names[task.function](*given)]
        return returned[0]

    try:
        exec(compile(source, task.name, "exec"), names)
        if task.function not in names:
            return f"there is no function {task.function} in it"
        task.check(answer)
    except NotImplementedError:
        return "not written yet"
    except RefusedError as refused:
        return str(refused)
    except SyntaxError as error:
        return f"line {error.lineno} is not Python: {error.msg}"
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == task.name]
        if lines:
            return f"line {lines[-1]} does not run: {type(error).__name__}: {error}"
        if not returned:
            return f"it is not a function to be called as {task.head}"
        return f"it returns {shorten(returned[0])}, which is not what is asked for: {task.ask}"
    return ""


def check(folder: Path) -> int:
    """Judge every answer; return 0 where all are right."""
    if not folder.is_dir():
        say(f"there is no folder {folder}: python demos/exercises.py new {folder}")
        return 1
    right = 0
    for number, task in enumerate(TASKS, 1):
        path = folder / f"{number:02}_{task.name}.py"
        why = verdict(task, read_bytes(path)) if path.exists() else f"{path} is missing"
        right += not why
        say(f"{number:2}. {task.name:16}{why or 'right'}")
    print(f"{right} of {len(TASKS)} right")
    return int(right < len(TASKS))


if __name__ == "__main__":
    parser = parser_of(__doc__)
    parser.add_argument("action", choices=("new", "check"))
    parser.add_argument("folder", type=named)
    chosen = parser.parse_args()
    with failures():
        raise SystemExit((new if chosen.action == "new" else check)(chosen.folder))
