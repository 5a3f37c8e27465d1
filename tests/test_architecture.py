"""Imports go one way, and `import micrograd` needs the standard library only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "micrograd"

# From the ground up: a module may import at its top those that stand before it.
ORDER = [
    ["files", "ops"],
    ["core"],
    ["engine"],
    ["graph", "derivatives", "functions"],
    ["gradcheck"],
    ["init", "losses", "preprocessing", "schedules"],
    ["optim"],
    ["checkpoint"],
    ["nn", "training"],
    ["expressions", "render"],
    ["stepper"],
    ["lowering"],
    ["ner"],
    ["cli"],
    ["__init__", "__main__"],
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names}
MODULES = sorted(PACKAGE.rglob("*.py"))


def part(path):
    """Return which part of the package a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Yield the parts of the package that a file imports when it is loaded."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("micrograd"):
            below = node.module.split(".")[1:] or [alias.name for alias in node.names]
            yield from (below[:1] if "." in node.module else below)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = part(path)
    assert own in LEVEL, f"{own} has no place in the order of tests/test_architecture.py"
    for other in imported(path):
        if own == "__init__":
            continue
        below = LEVEL.get(other, LEVEL["__init__"])
        assert own == other or below < LEVEL[own], f"{own} imports {other}, which stands above it"


def test_importing_the_package_touches_the_standard_library_only():
    code = (
        "import sys; import micrograd, micrograd.nn, micrograd.gradcheck, micrograd.graph;"
        "tops = {name.partition('.')[0] for name in sys.modules};"
        "print(sorted(tops - set(sys.stdlib_module_names) - {'micrograd', '__main__'}))"
    )
    command = [sys.executable, "-S", "-c", code]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=PACKAGE.parent, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"
