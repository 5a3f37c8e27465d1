"""The step-through page: one self-contained HTML file of a graph's two passes."""

from __future__ import annotations

import html
import os
import re
from importlib import resources
from pathlib import Path

from micrograd.content_policy import digest
from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.graph import Graph
from micrograd.ops import BY_NAME
from micrograd.stepper.array_program import ArrayProgram, listing, named, of_graph
from micrograd.stepper.data import page_data
from micrograd.stepper.expression import written_out
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.plain import json_text
from micrograd.stepper.trace import one_root
from micrograd.stepper.walk import Walk

SCRIPTS = ("engine.js", "numbers.js", "passes.js", "picture.js", "panel.js", "app.js",
           "program.js", "controls.js")  # fmt: skip
STYLES = ("page.css", "program.css")
PROGRAM_ONLY = ("program.js", "program.css")


def page(root: Value | Graph, title: str = "", walk: Walk | None = None, seed: float = 1.0,
         program: ArrayProgram | None = None) -> str:  # fmt: skip
    """Return the step-through of the graph below `root` as HTML that needs no other file.

    `walk` is a named selection of steps to show first. With the `program` that `lower(...)` made of
    the graph, each step shows its line of array code; `root` is then `program.root`. Without a
    title the page shows the formula. Raises ValueError for a graph of several roots, and for the
    program of another graph.
    """
    graph = one_root(root)
    of_graph(program, graph)
    title = title or written_out(named(graph, program))
    rows = rows_source(op for op in graph.ops if op in BY_NAME)
    style, script = ("".join(_asset(name) for name in names if program or name not in PROGRAM_ONLY)
                     for names in (STYLES, SCRIPTS))  # fmt: skip
    style = re.sub(r"\s*([{};,])\s*", r"\1", _minified(style)).replace(": ", ":")
    script = f"'use strict';\nconst ROWS={rows};\n{script}"
    script = _minified(script)
    parts = {
        "TITLE": html.escape(title),
        "POLICY": f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}",
        "CSS": style,
        "SCRIPT": script,
        "DATA": json_text(page_data(graph, walk, seed, program)),
        "LINES": listing(program) if program else "",
    }
    frame = _asset("page.html")
    if not program:
        frame = re.sub(r"<!--program-->.*?<!--/program-->", "", frame, flags=re.S)
    text = re.sub("@([A-Z]+)@", lambda match: parts[match[1]], frame)
    return text.encode("utf-8", "replace").decode("utf-8")


def save_page(root: Value | Graph, path: str | os.PathLike[str], title: str = "",
              walk: Walk | None = None, program: ArrayProgram | None = None) -> Path:  # fmt: skip
    """Write the page to `path` and return it. Raises OSError where it cannot be written."""
    return atomic_write(path, page(root, title, walk, program=program))


def _asset(name: str) -> str:
    return resources.files("micrograd.stepper").joinpath(name).read_text("utf-8")


def _minified(text: str) -> str:
    """Drop indentation, empty lines and whole-line remarks."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
