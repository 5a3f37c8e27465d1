"""The step-through page: one self-contained HTML file of a graph's two passes."""

from __future__ import annotations

import base64
import gzip
import html
import os
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from micrograd.content_policy import digest
from micrograd.engine import Value
from micrograd.expressions import parse
from micrograd.files import atomic_write
from micrograd.graph import Graph
from micrograd.ops import ROWS
from micrograd.printing import shorten
from micrograd.render.network import LEVEL
from micrograd.stepper.array_program import ArrayProgram, listing, named, of_graph
from micrograd.stepper.data import page_data
from micrograd.stepper.examples import EXAMPLES
from micrograd.stepper.expression import source_of, written_out
from micrograd.stepper.interface import PLAYGROUND
from micrograd.stepper.javascript import rows_source
from micrograd.stepper.plain import json_text
from micrograd.stepper.tokens import Sentence, tokens
from micrograd.stepper.trace import one_root
from micrograd.stepper.walk import Walk

Words = Mapping[str, dict[str, str]]

SCRIPTS = (
    "engine.js",
    "numbers.js",
    "formulas.js",
    "title.js",
    "passes.js",
    "ordering.js",
    "layout.js",
    "placing.js",
    "camera.js",
    "picture.js",
    "network.js",
    "panel.js",
    "app.js",
    "frame.js",
    "listing.js",
    "address.js",
    "whatif.js",
    "program.js",
    "columns.js",
    "plane.js",
    "training.js",
    "controls.js",
    "grammar.js",
    "shapes.js",
    "reader.js",
    "playground.js",
    "start.js",
)
STYLES = ("page.css", "program.css", "tokens.css", "training.css")
ONLY = {
    "program.js": "program",
    "network.js": "network",
    "program.css": "program",
    "tokens.css": "tokens",
    "training.css": "training",
    "columns.js": "training",
    "plane.js": "training",
    "training.js": "training",
    "grammar.js": "field",
    "shapes.js": "field",
    "reader.js": "field",
    "playground.js": "field",
}


def page(
    root: Value | Graph,
    title: str | Mapping[str, str] = "",
    walk: Walk | None = None,
    seed: float = 1.0,
    program: ArrayProgram | None = None,
    sentences: Sequence[Sentence] = (),
) -> str:
    """Return the step-through of the graph below `root` as HTML that needs no other file.

    `title` is one for all languages or has one for each; without it the page shows the formula.
    `walk` is a named selection of steps to show first. With the `program` that `lower(...)` made of
    the graph, each step shows its line of array code; `root` is then `program.root`. A graph that
    an expression can make carries it in a field where it can be changed. The `sentences` that the
    graph was recorded of stand below the title, as tokens. Raises ValueError for a graph of several
    roots, and for the program of another graph.
    """
    graph = one_root(root)
    of_graph(program, graph)
    if walk is not None and not isinstance(walk, Walk):
        raise TypeError(f"a walk is a Walk of its stops, not {shorten(walk)}")
    data = page_data(graph, walk, seed, program)
    titles = titles_of(title)
    data |= {"title": titles} if titles else {}
    parts = {"program"} if program else set()
    parts |= {"tokens"} if sentences else set()
    parts |= {"network"} if LEVEL in data["views"] else set()
    if seed == 1 and not (walk or program) and (source := source_of(graph))[0]:
        data |= _playground(*source, data["words"])
        parts.add("field")
    typed = "field" in parts
    rows = rows_source([row.name for row in ROWS] if typed else graph.ops, told=typed)
    heading = titles.get("en") or written_out(named(graph, program))
    filling = {"LINES": listing(program) if program else "", "TOKENS": tokens(sentences)}
    return assembled(data, rows, heading, filling, parts)


def titles_of(title: str | Mapping[str, str]) -> dict[str, str]:
    """Return a title by language; one for all languages stands as the English one.

    Raises TypeError where it is none, ValueError where there is none in English.
    """
    given = title if isinstance(title, Mapping) else {"en": title}
    if not all(isinstance(text, str) for text in given.values()):
        raise TypeError(f"a title is a text, or texts by language, not {shorten(title)}")
    titles = {language: text for language, text in given.items() if text}
    if titles and "en" not in titles:
        raise ValueError(
            f"a title by language has one for 'en' at least, not only {shorten([*titles])}"
        )
    return titles


def notebook_page(graph: Graph) -> str:
    """Return the page as a notebook embeds it: the graph is the notebook's, not the reader's."""
    rows, data = rows_source(graph.ops), page_data(graph, None, 1.0)
    parts = {"network"} if LEVEL in data["views"] else set()
    return assembled(data, rows, written_out(graph), {}, parts, fold=False)


def play_page() -> str:
    """Return the playground: the page of the first example."""
    _, text, at = EXAMPLES[0]
    return page(parse(text, at))


def _playground(text: str, at: Mapping[str, float], words: Words) -> dict[str, Any]:
    """Return what the page has to know to read expressions."""
    examples = [{"name": name, "text": text, "at": [*at.items()]} for name, text, at in EXAMPLES]
    return {
        "words": {language: words[language] | PLAYGROUND[language] for language in words},
        "playground": {"text": text, "at": [*at.items()], "examples": examples},
    }


def assembled(
    data: Any,
    rows: str,
    heading: str,
    more: Mapping[str, str],
    parts: set[str],
    fold: bool = True,
) -> str:
    """Return the page of these data, with the optional `parts` of its frame, style and script.

    The script is folded: a loader unfolds it, and the policy lets just these two run.
    """
    style, script = (
        "".join(map(_asset, (n for n in names if ONLY.get(n, "") in parts | {""})))
        for names in (STYLES, SCRIPTS)
    )
    style = re.sub(r"\s*([{};,])\s*", r"\1", _minified(style))
    script = _tight(_minified(f"'use strict';\nconst ROWS={rows};\n{script}"))
    loader = _asset("loader.js")
    filling = {
        "TITLE": html.escape(heading),
        "POLICY": f"default-src 'none'; script-src {digest(loader)} {digest(script)}; "
        f"style-src {digest(style)}",
        "CSS": style,
        "CODE": packed(script) if fold else "",
        "SCRIPT": loader if fold else script,
        "DATA": json_text(data),
        **more,
    }
    frame = _asset("page.html")
    for part in {"program", "field", "tokens", "training"} - parts:
        frame = re.sub(f"<!--{part}-->.*?<!--/{part}-->", "", frame, flags=re.S)
    text = re.sub("@([A-Z]+)@", lambda match: filling[match[1]], frame)
    return text.encode("utf-8", "replace").decode("utf-8")


def save_page(
    root: Value | Graph,
    path: str | os.PathLike[str],
    title: str | Mapping[str, str] = "",
    walk: Walk | None = None,
    program: ArrayProgram | None = None,
    sentences: Sequence[Sentence] = (),
) -> Path:
    """Write the page to `path` and return it. Raises OSError where it cannot be written."""
    return atomic_write(path, page(root, title, walk, 1.0, program, sentences))


def _asset(name: str) -> str:
    return resources.files("micrograd.stepper.browser").joinpath(name).read_text("utf-8")


def _minified(text: str) -> str:
    """Drop indentation, empty lines and whole-line remarks."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _tight(script: str) -> str:
    """Drop remarks at the ends of lines, and spaces around signs where a line has no text in it."""
    lines = re.sub(r" // [^\"'`\n]*$", "", script, flags=re.M).split("\n")
    sign = r" ?([{}()\[\];,=*<>?:&|!]+) ?"  # not + and -: of two of them, another sign would come
    return "\n".join(
        line if re.search(r"[\"'`/]", line) else re.sub(sign, r"\1", line) for line in lines
    )


def packed(text: str) -> str:
    """Return a text compressed, in letters: what a browser's DecompressionStream unfolds."""
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode()
