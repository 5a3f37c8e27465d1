"""Every figure and page of the demos on one page, made by one command.

Runs each demo as a student would, and writes what it draws into the folder, with index.html, which
shows the figures with their alternative texts and links to the pages:

    python demos/gallery.py gallery/
"""

from __future__ import annotations

import contextlib
import html
import importlib
import io
import time
from pathlib import Path
from typing import Any

import stage

from micrograd.files import atomic_write

STYLE = """body{font:17px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
img{max-width:100%;background:#fff}figure{margin:0 0 3rem}
.graph{overflow-x:auto}.graph img{max-width:none}h2{margin-top:3rem}pre{overflow:auto}
:root{color-scheme:light dark}"""


def demos() -> list[str]:
    """Return the demos that draw something, by the rows of the lectures."""
    here = Path(__file__).parent
    texts = {path.stem: path.read_text("utf-8") for path in here.glob("*.py")}
    names = [name for name, text in texts.items() if "\nFIGURE =" in text or "\nENDING =" in text]
    return sorted(names, key=lambda name: (row(texts[name]), name))


def row(text: str) -> int:
    """Return the first row of the lectures that a docstring names; the slips come last."""
    first = text.split("\n\n")[0]
    return int(first.split("(L")[1].split(")")[0].split(",")[0]) if "(L" in first else 99


def performed(name: str, folder: Path, language: str) -> str:
    """Run a demo, write its figure or page, and return its part of the gallery."""
    demo: Any = importlib.import_module(name)
    file = name + (".svg" if hasattr(demo, "draw") else demo.ENDING)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        r = stage.perform(demo, str(folder / file), language)
    text = html.escape("\n".join(out.getvalue().splitlines()[:-1]))
    alt = html.escape(alternative(demo, r))
    # a graph has a size of its own: it scrolls
    kind = "" if hasattr(demo, "draw") else ' class="graph" tabindex="0"'
    shown = "<br>".join(
        f'<a href="{one}">{stage.t("step through it", "逐步查看")}: {one}</a>'
        if one.endswith(".html")
        else f'<div{kind}><img src="{one}" alt="{alt}" loading="lazy"></div>'
        for one in stage.written(demo, file)
    )
    title = html.escape((demo.__doc__ or name).split("\n")[0])
    return f"<h2 id={name}>{title}</h2><figure>{shown}<pre>{text}</pre></figure>"


def alternative(demo: Any, r: Any) -> str:
    """Return the alternative text of a figure, or of a picture of a graph."""
    if hasattr(demo, "FIGURE"):
        return stage.alternative(demo, r)
    return " ".join(claim.sentence(r) for claim in stage.claims(demo))


def build(folder: Path, language: str) -> Path:
    """Write the gallery; return its page."""
    parts, start = [], time.process_time()
    for name in demos():
        begin = time.process_time()
        parts.append(performed(name, folder, language))
        print(f"{name:24}{time.process_time() - begin:6.1f} s")
    print(f"{'CPU time of all':24}{time.process_time() - start:6.1f} s")
    title = stage.t("Demos of micrograd", "micrograd 演示")
    page = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>{title}</h1>{''.join(parts)}</html>\n"
    )
    return atomic_write(folder / "index.html", page)


if __name__ == "__main__":
    parser = stage.parser_of(__doc__)
    parser.add_argument("folder", type=stage.folder)
    parser.add_argument("--language", choices=stage.LANGUAGES, default="en")
    chosen = parser.parse_args()
    with stage.failures():
        print(build(chosen.folder, chosen.language))
