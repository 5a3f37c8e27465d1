"""Imports go one way, and `import micrograd` needs the standard library only."""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "micrograd"

# From the ground up: what stands in a folder may import those that stand before it. All that is
# in the package and in the folders of COMPLETE has to have a place.
STOREYS = {
    "": [
        ["printing"],
        ["content_policy", "displays", "encodings", "files", "ops"],
        ["core", "near_misses"],
        ["engine"],
        ["graph", "corners", "functions"],
        ["derivatives"],
        ["gradcheck"],
        ["registry"],
        ["init", "losses", "metrics", "preprocessing", "schedules"],
        ["optim"],
        ["checkpoint"],
        ["nn", "training"],
        ["user_files"],
        ["expressions", "render"],
        ["stepper"],
        ["lowering"],
        ["ner"],
        ["__init__"],
        ["cli"],
        ["__main__"],
    ],
    "core": [
        ["asked", "checks", "declared", "formulas", "numbers", "places", "remade"],
        ["modes"],
        ["kinds", "operators"],
        ["handmade"],
        ["order"],
        ["copying", "recording"],
        ["__init__"],
    ],
    "gradcheck": [["points"], ["claims"], ["slopes"], ["report"], ["__init__"]],
    "lowering": [
        ["scalars"],
        ["trace"],
        ["arrays"],
        ["adjoints"],
        ["code"],
        ["irregular"],
        ["passes", "where"],
        ["batch", "cache", "replay", "explain", "native"],
        ["train"],
        ["program"],
        ["outputs"],
        ["compare", "lower"],
        ["__init__"],
    ],
    "lowering.native": [["c"], ["compiler", "rules"], ["run"], ["trainer", "export"], ["__init__"]],
}
COMPLETE = {"", "core", "gradcheck", "lowering", "lowering.native"}

# The imports that run up, each within a function: what they fetch is loaded when it is shown.
UPWARD = {
    ("render.notebook", "stepper"),  # a notebook offers to step through a small graph
    ("render.notebook", "stepper.document"),
    ("render.picture", "stepper"),
    ("render.picture", "stepper.equations"),  # and a picture's steps can be had as equations
}


def dotted(path):
    """Return the name of a file's module below the package: `core.order`, `core`, `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {dotted(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def typing_only(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def statements(tree):
    """Yield the nodes of a syntax tree, functions' bodies too, but not what only types need."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [] if typing_only(node) else ast.iter_child_nodes(node)


def imports(path):
    """Yield the full names of what a file imports, wherever it does."""
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by dots; write the name out"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name):
    """Return the module that a full name is of, or is: `core.order` for micrograd.core.order.x."""
    package, _, rest = name.partition(".")
    if package != "micrograd":
        return None
    for candidate in (rest, rest.rpartition(".")[0]):
        if candidate in MODULES:
            return candidate
    return "__init__"


def imported():
    """Return for every module of the package the others that it imports, with their folders.

    Folders that the module is in itself are left out: they are being imported already.
    """
    edges = {}
    for module, path in MODULES.items():
        targets = {target for target in map(module_of, imports(path)) if target}
        targets |= {folder for target in targets for folder in folders(target)}
        edges[module] = targets - {module} - set(folders(module))
    return edges


def folders(module):
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


EDGES = imported()


def storey(folder, module):
    """Return the name and the storey of the part of `folder` that a module is in."""
    below = module[len(folder) + 1 :] if folder else module
    name = below.partition(".")[0] or "__init__"
    level = next((i for i, names in enumerate(STOREYS[folder]) if name in names), None)
    assert level is not None or folder not in COMPLETE, f"{folder}/{name} has no place in STOREYS"
    return name, level


def inside(folder, module):
    return not folder or module == folder or module.startswith(folder + ".")


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    for folder in STOREYS:
        if not inside(folder, module):
            continue
        own, level = storey(folder, module)
        for target in EDGES[module]:
            if not inside(folder, target) or (module, target) in UPWARD:
                continue
            other, below = storey(folder, target)
            allowed = own == other or level is None or below is None or below < level
            assert allowed, f"{module} imports {target}, which does not stand below it"


def test_the_imports_that_run_up_are_still_needed():
    for module, target in UPWARD:
        assert target in EDGES[module], f"{module} no longer imports {target}"


def circles(edges):
    """Return the strongly connected components of more than one module (Tarjan, 1972)."""
    number, low, path, done = {}, {}, [], []

    def visit(module):
        number[module] = low[module] = len(number)
        path.append(module)
        for target in sorted(edges[module]):
            if target not in number:
                visit(target)
            if target in path:
                low[module] = min(low[module], low[target])
        if low[module] == number[module]:
            component = path[path.index(module) :]
            del path[path.index(module) :]
            done.append(component)

    for module in edges:
        if module not in number:
            visit(module)
    return [component for component in done if len(component) > 1]


def test_no_modules_import_one_another_in_a_circle():
    up = {module: {target for other, target in UPWARD if other == module} for module in EDGES}
    assert circles({module: EDGES[module] - up[module] for module in EDGES}) == []


def test_a_circle_would_be_noticed():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert circles(edges) == [["a", "b", "c"]]


def test_imports_within_functions_are_read(tmp_path):
    file = tmp_path / "module.py"
    file.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from micrograd.cli import main\n"
        "def f():\n    from micrograd.engine import Value\n    import micrograd.stepper\n"
    )
    assert {module_of(name) for name in imports(file)} == {None, "engine", "stepper"}


# What C reads, the bits of floats and of sets, keys of two places: 64 bits where addresses have 32.
WIDE = {"batch", "train", "native.trainer", "native.c.memory"}
WIDE |= {"arrays.axes", "arrays.group", "scalars.chains", "scalars.columns"}


def test_places_are_as_wide_as_addresses():
    """NumPy takes none that are wider: on a 32-bit system nothing was lowered or trained."""
    wide = {name for name, path in MODULES.items() if "np.int64" in path.read_text("utf-8")}
    assert wide == {f"lowering.{name}" for name in WIDE}


@pytest.mark.parametrize(
    "used",
    [
        "import micrograd, micrograd.nn, micrograd.gradcheck, micrograd.graph",
        "from micrograd.cli import main; main(['step', 'x * y', '--at', 'x=1,y=2'])",
    ],
)
def test_what_is_simple_needs_the_standard_library_only(used):
    """The command in the terminal too: NumPy and rich take longer to load than it does."""
    code = (
        f"import sys; {used};"
        "tops = {name.partition('.')[0] for name in sys.modules};"
        # the last is Python 3.15's own, and not in its list
        "known = {*sys.stdlib_module_names, 'micrograd', '__main__', '_missing_stdlib_info'};"
        "print(sorted(tops - known), file=sys.stderr)"
    )
    command = [sys.executable, "-S", "-c", code]
    run = subprocess.run(
        command, capture_output=True, text=True, cwd=PACKAGE.parent, check=True, timeout=60
    )
    assert run.stderr.strip() == "[]"


def test_what_is_lowered_can_be_read_file_by_file():
    files = [*(PACKAGE / "lowering").rglob("*.py"), *(PACKAGE / "lowering").rglob("*.c")]
    beside = Counter(path.parent for path in files if path.name != "__init__.py")
    assert max(beside.values()) <= 10
    assert max(len(path.read_text(encoding="utf-8").splitlines()) for path in files) <= 300
