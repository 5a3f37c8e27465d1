"""What type checkers and editors know of Value, against the table: one line for each method.

`python -m tests.test_declared --write` writes the declarations anew after a row was added.
"""

import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import micrograd
from micrograd import Value
from micrograd.ops import ROWS

FILE = Path(__file__).parent.parent / "micrograd" / "core" / "declared.py"
BUILT_IN = tuple(ROWS)  # other tests register rows
HEAD = '''"""The methods of the rows, for type checkers and editors: made from the table of `ops`.

`python -m tests.test_declared --write` writes this file; a test holds it against the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from micrograd.engine import Value

    class Declared:
        """Declare what `engine` gives Value: a method for each row, and its operators."""

'''


def lines(row):
    """Yield the declarations of a row."""
    operand = {1: "", 2: ", y: Value | float"}[row.arity]
    constant = f", k: float = {row.constants[0]}" if row.constants else ""
    yield f"        def {row.name}(self{operand}{constant}) -> Value: ..."
    if row.operator:
        yield f"        def __{row.operator}__(self{operand}) -> Value: ..."
    if row.operator and row.arity == 2:
        yield f"        def __r{row.operator}__(self, y: float) -> Value: ..."


def text():
    return HEAD + "\n".join(line for row in BUILT_IN for line in lines(row)) + "\n"


def test_the_declarations_are_those_of_the_table():
    assert FILE.read_text(encoding="utf-8") == text(), __doc__


def test_the_methods_have_the_declared_parameters():
    scope = {}
    exec(text().replace("if TYPE_CHECKING", "if Value"), globals() | {"Value": Value}, scope)
    for name, declared in vars(scope["Declared"]).items():
        if not inspect.isfunction(declared) or name == "pow":  # takes a Value too
            continue
        method = vars(Value)[name]
        parameters = inspect.signature(method).parameters
        assert [*parameters][1:] == [*inspect.signature(declared).parameters][1:], name
        defaults = [p.default for p in parameters.values()]
        assert defaults == [p.default for p in inspect.signature(declared).parameters.values()]
        assert method.__name__ == name and method.__doc__.startswith("Return ")


CHECKED = """
from micrograd import Value
from micrograd.nn import Neuron

x = Value(2.0)
reveal_type(x.tanh())
reveal_type(1 + x.elu(0.5) / 2)
reveal_type(x.max(3.0) ** x)
reveal_type(x.grad)
x.m = 0.0
x.relo()
x.tanh(1, 2)
"""


def test_a_type_checker_knows_every_operation(tmp_path):
    pytest.importorskip("mypy", reason="runs a type checker")
    (tmp_path / "use.py").write_text(CHECKED)
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--follow-imports=silent", "--no-incremental", "use.py"],
        cwd=tmp_path,
        env={"MYPYPATH": str(FILE.parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
    )
    said = [line.partition(" ")[2] for line in run.stdout.splitlines()]
    assert [line.count('type is "micrograd.engine.Value"') for line in said[:3]] == [1, 1, 1], said
    assert 'type is "float"' in said[3], said
    assert '"Value" has no attribute "relo"' in said[4] and "error" in said[5], said
    assert len(said) == 7, said


def test_help_of_value_is_a_page_to_read():
    page = pydoc.plain(pydoc.render_doc(Value))
    for words in ("f.backward()", "`label` is the name", "micrograd.register", "_backward"):
        assert words in page, words
    assert "Return tanh(x). Local gradient: 1 - out * out." in page
    assert "Return y - x." in page  # of __rsub__
    assert "lambda" not in page and "second" not in page


def public_modules():
    """Return the modules that people import from: those at the root, and the folders."""
    package = Path(micrograd.__file__).parent
    files = [*package.glob("*.py"), *package.glob("*/__init__.py")]
    return sorted(f for f in files if f.name != "__main__.py")


@pytest.mark.parametrize("file", public_modules(), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_module_says_what_is_public(file):
    scope = {}
    parts = file.relative_to(file.parents[1 if file.parent.name == "micrograd" else 2])
    name = ".".join(parts.with_suffix("").parts).removesuffix(".__init__")
    exec(f"from {name} import *", scope)
    module = sys.modules[name]
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert set(module.__all__) <= scope.keys()
    assert all(not name.startswith("_") for name in module.__all__)


if __name__ == "__main__" and "--write" in sys.argv:
    FILE.write_text(text(), encoding="utf-8")
