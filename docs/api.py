"""Write a page for every public module, from the docstrings: python docs/api.py FOLDER."""

import sys
import typing
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "micrograd"
PARTS = (
    *("ops", "engine", "functions", "derivatives", "graph", "gradcheck", "losses", "init"),
    *("preprocessing", "schedules", "optim", "checkpoint", "nn", "training", "expressions"),
    *("metrics", "render", "stepper", "lowering", "ner"),
)
MODULES = [PACKAGE, *(f"{PACKAGE}.{part}" for part in PARTS)]


def main(folder: str) -> None:
    """Write the pages. A name that cannot be resolved, or a dead link, is an error."""
    try:
        import pdoc
    except ImportError:
        sys.exit('the pages are made by pdoc: pip install ".[docs]"')
    sys.path.insert(0, str(Path(__file__).parents[1]))  # the sources here, not an installed copy
    for name in MODULES:
        resolve(import_module(name))
    sys.modules[PACKAGE].__all__ += PARTS  # the first page leads to the others
    pdoc.render.configure(docformat="markdown")
    pdoc.pdoc(PACKAGE, output_directory=Path(folder))


def resolve(module: ModuleType) -> None:
    """Give the constructors of named tuples their types, which they hold as text."""
    for item in vars(module).values():
        if isinstance(item, type) and hasattr(item, "_fields") and issubclass(item, tuple):
            made: Any = item.__new__
            made.__annotations__ = typing.get_type_hints(item)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
