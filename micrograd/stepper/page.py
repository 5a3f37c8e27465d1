"""The step-through page: one self-contained HTML file of a graph's two passes."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from micrograd.engine import Value
from micrograd.files import atomic_write
from micrograd.graph import HANDMADE, LEAF, Graph
from micrograd.ops import BY_NAME, WEIGHTED_SUM
from micrograd.render.captions import names_of
from micrograd.render.formulas import shape
from micrograd.stepper.expression import written_out
from micrograd.stepper.geometry import views
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.plain import json_text
from micrograd.stepper.trace import one_root
from micrograd.stepper.walk import Walk
from micrograd.stepper.words import INTERFACE, SENTENCES, SYMBOLS

SCRIPTS = ("engine.js", "numbers.js", "passes.js", "picture.js", "panel.js", "app.js",
           "controls.js")  # fmt: skip


def page(root: Value | Graph, title: str = "", walk: Walk | None = None, seed: float = 1.0) -> str:
    """Return the step-through of the graph below `root` as HTML that needs no other file.

    `walk` is a named selection of steps to show first. Without a title the page shows the formula.
    Raises ValueError for a graph of several roots.
    """
    graph = one_root(root)
    title = title or written_out(graph)
    rows = rows_source(op for op in graph.ops if op in BY_NAME)
    style = _minified(_asset("page.css"))
    script = "\n".join(["'use strict';", f"const ROWS={rows};", *map(_asset, SCRIPTS)])
    script = _minified(script)
    parts = {
        "TITLE": html.escape(title),
        "POLICY": f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}",
        "CSS": style,
        "SCRIPT": script,
        "DATA": json_text(_data(graph, walk, seed)),
    }
    text = re.sub("@([A-Z]+)@", lambda match: parts[match[1]], _asset("page.html"))
    return text.encode("utf-8", "replace").decode("utf-8")


def save_page(root: Value | Graph, path: str | os.PathLike[str], title: str = "",
              walk: Walk | None = None) -> Path:  # fmt: skip
    """Write the page to `path` and return it. Raises OSError where it cannot be written."""
    return atomic_write(path, page(root, title, walk))


def _asset(name: str) -> str:
    return resources.files("micrograd.stepper").joinpath(name).read_text("utf-8")


def _minified(text: str) -> str:
    """Drop indentation, empty lines and whole-line remarks."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _digest(text: str) -> str:
    """Return the policy source that lets just this script or style run."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data(graph: Graph, walk: Walk | None, seed: float) -> dict[str, Any]:
    symbols = [value._op for value in graph.values]
    columns = [*zip(graph.ops, graph.constants, symbols)]
    kinds = {kind: i for i, kind in enumerate(dict.fromkeys(columns))}
    names = names_of(graph)
    root, ids = graph.values[graph.roots[0]], graph.ids
    return {
        "root": graph.roots[0],
        "seed": seed,
        "kinds": [_kind(*kind) for kind in kinds],
        "nodes": [
            [kinds[column], graph.operands[id], names[id], graph.data[id]]
            for id, column in enumerate(columns)
        ],
        "unnamed": [id for id, label in enumerate(graph.labels) if not label],
        "steps": [[ids[step.node], *step[2:]] for step in root.steps(seed)],
        **views(graph),
        "walk": walk.data(graph) if walk else None,
        "sentences": SENTENCES,
        "words": INTERFACE,
    }  # fmt: skip


def _kind(op: str, k: float | None, symbol: str) -> dict[str, Any]:
    """Return what the page has to know about the nodes of one operation and constant."""
    kind: dict[str, Any] = {"op": op, "word": SYMBOLS.get(op, symbol), "symbol": symbol}
    if op in (LEAF, HANDMADE):
        return kind
    row = BY_NAME[op]
    kind |= {"role": row.role, "k": k}
    if row is not WEIGHTED_SUM:
        kind["shown"], kind["locals"] = shape(op, k)
    return kind
