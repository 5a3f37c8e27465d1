"""Golden files: what lowering prints, exports, explains and finds, model by model.

`golden/NAME.txt` holds it for each model of `golden_models.py`. A change of lowering that is meant
to change none of it leaves them as they are; where one is meant to, rewrite them and read the
difference, line by line, before it is committed:

    python -m tests.test_golden --write [NAME ...]
    git diff tests/golden
"""

from __future__ import annotations

import difflib
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from micrograd.engine import Value
from micrograd.lowering import Program
from tests.golden_models import MODELS, Model
from tests.lowering_oracle import (
    by_engine,
    by_export,
    by_program,
    by_source,
    difference,
)
from tests.notation_reader import misread

FOLDER = Path(__file__).parent / "golden"
WIDTH = 160  # of a line of data that is kept whole
TABLE = re.compile(r"((?:^[-\d ]+\n){2})(?:^[-\d ]+\n){2,}", re.MULTILINE)
TARGETS = ("numpy", "jax", "torch")
WHERE = "where: nodes of one operation; the elements in the line, and in that of the gradient"
SEARCHED = 24  # Values per model that are asked for by `find`, which takes milliseconds for each
_made: dict[str, Model] = {}


def made(name: str) -> Model:
    """Return a model, made once."""
    if name not in _made:
        _made[name] = MODELS[name]()
    return _made[name]


def golden(program: Program) -> str:
    """Return all that is kept of a program, in sections."""
    source = shortened(program.source)
    exports = [shortened(without_leaves(program.export(target))) for target in TARGETS]
    parts = {
        "source": source,
        "export numpy": exports[0].replace(source, "... the source, as above"),
        "export jax, beside numpy": changes(exports[0], exports[1]),
        "export torch, beside numpy": changes(exports[0], exports[2]),
        "explain": shortened(program.explain()),
        "leaves": "\n".join(leaves(program)),
        WHERE: "\n".join(where(program)),
        "find": "\n".join(finds(program)),
    }
    return "\n".join(f"==== {title}\n{text.strip()}\n" for title, text in parts.items())


def without_leaves(text: str) -> str:
    """Return a module without the numbers of its leaves, which the model's seed tells."""
    return re.sub(r"(?<=^LEAVES = \{\n)(    .*\n)+", "    ...\n", text, flags=re.MULTILINE)


def shortened(text: str) -> str:
    """Return a text with a digest in place of most of a long line, or of a table of numbers."""
    return TABLE.sub(
        lambda table: f"{table[1]}... {digest(table[0])}\n",
        "\n".join(
            line
            if len(line) <= WIDTH
            else f"{line[:60]} ... {len(line)} characters, {digest(line)}"
            for line in text.splitlines()
        ),
    )


def digest(data: Any) -> str:
    return hashlib.sha256(str(data).encode()).hexdigest()[:12]


def changes(a: str, b: str) -> str:
    """Return the lines that are in one of two texts only."""
    first, second = a.splitlines(), b.splitlines()
    gone = [f"- {line}".rstrip() for line in first if line not in second]
    return "\n".join(gone + [f"+ {line}".rstrip() for line in second if line not in first])


def leaves(program: Program) -> Iterator[str]:
    """Yield the inputs, and the names, shapes and labels of the leaf arrays."""
    yield f"inputs {' '.join(program.inputs)}"
    for kind in ("parameters", "constants"):
        for name, data in getattr(program, kind).items():
            labels = [v.label for v in program.leaf_values(name).ravel().tolist()]
            yield f"{kind} {name} {data.shape} {runs(dict.fromkeys(labels), 3)}"


def where(program: Program) -> Iterator[str]:
    """Yield, for nodes of one operation in one place, what `line` tells of them and gradients."""
    groups: dict[tuple[Any, ...], list[tuple[Any, Any]]] = {}
    for value in program.graph.values:
        here, gradient = program.line(value), program.line_of_gradient(value)
        key = (value._op or "leaf", here._replace(at=()), gradient._replace(at=()))
        groups.setdefault(key, []).append((here.at, gradient.at))
    yield f"root {program.root._op or 'leaf'} {shown(program.line(program.root))}"
    for (op, here, gradient), places in groups.items():
        ats = " | ".join(runs(column, 4) for column in zip(*places))
        yield (
            f"{len(places):5} {op:8} {shown(here)} | {shown(gradient)}\n"
            f"          at {ats}; {digest(places)}"
        )


def shown(spot: Any) -> str:
    """Return a Spot in a few words."""
    number = f"line {spot.line}, " if spot.line else ""
    return f"{number}{spot.how or 'unsaid'} {spot.name}{' of each' * spot.batched}".rstrip()


def runs(parts: Iterable[Any], most: int) -> str:
    """Return the first few of some parts, those that repeat counted, and the last."""
    counts: list[list[Any]] = []
    for part in parts:
        if not counts or counts[-1][0] != part:
            counts.append([part, 0])
        counts[-1][1] += 1
    texts = [f"{part}{f'×{count}' if count > 1 else ''}".replace(" ", "") for part, count in counts]
    return " ".join(texts if len(texts) <= most + 1 else [*texts[:most], "...", texts[-1]])


def finds(program: Program) -> Iterator[str]:
    """Yield what `find` tells of some of the Values, evenly spread."""
    values = list(program.graph.values)
    for n in dict.fromkeys(len(values) * i // SEARCHED for i in range(SEARCHED)):
        yield f"v{n} {values[n]._op or 'leaf'} {place_of(program, values[n])}"


def place_of(program: Program, value: Value) -> str:
    try:
        name, place = program.find(value)
    except ValueError as error:
        return re.sub(r"^.* is ", "is ", str(error))
    return f"{name} {place}"


@pytest.mark.parametrize("name", MODELS)
def test_what_is_printed_is_what_is_kept(name):
    kept = (FOLDER / f"{name}.txt").read_text("utf-8")
    now = golden(made(name).program)
    if now != kept:
        diff = difflib.unified_diff(
            kept.splitlines(), now.splitlines(), f"golden/{name}.txt", "now", lineterm=""
        )
        pytest.fail(
            "\n".join([*diff, "", f"If this is meant: python -m tests.test_golden --write {name}"]),
            pytrace=False,
        )


def test_every_golden_file_has_a_model():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_equal_backward(name):
    program, batch, loss, reduce = made(name)
    right = by_engine(program, loss, batch, reduce)
    ways = (by_program, by_export, by_source)
    assert {way.__name__: difference(way(program, batch), right) for way in ways} == {
        way.__name__: "" for way in ways
    }
    assert misread(program, batch, right) == ""


def write(names: Iterable[str]) -> None:
    """Write the golden files of some models."""
    for name in names:
        path, text = FOLDER / f"{name}.txt", golden(made(name).program)
        before = path.read_text() if path.exists() else ""
        path.write_text(text)
        print(f"{path.name:24} {len(text.splitlines()):5} lines{', changed' * (text != before)}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit(__doc__)
    write(sys.argv[2:] or MODELS)
