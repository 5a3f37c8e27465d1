"""report.html: one page of what a training run reached, and what it is still wrong about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from micrograd.ner.judging.errors import KINDS, Error
from micrograd.ner.judging.evaluation import Evaluation
from micrograd.ner.judging.scoring import Report
from micrograd.ner.showing import page, report
from micrograd.ner.showing.entities import Entity, numbered
from micrograd.ner.showing.pictures import Example
from micrograd.render.numerals import shown
from micrograd.stepper.tokens import Sentence
from micrograd.training import curve
from micrograd.training.history import History

SHOWN = 20
TITLES = {
    "loss": "loss in training",
    "dev_loss": "loss on dev",
    "dev_f1": "entity F1 on dev, %",
    "active": "samples that still have a loss, %",
}


class Run(NamedTuple):
    """What the page tells of: where it was measured, the results, examples, the drawn sample."""

    title: str
    path: str
    result: Evaluation
    baselines: Mapping[str, Report]
    history: History
    text: str
    found: Sequence[Entity]
    example: Example | None


def report_page(run: Run) -> str:
    """Give the whole page, self-contained."""
    parts = [_scores(run), _curve(run), _examples(run), _errors(run), _example(run.example)]
    body = "\n".join(filter(None, parts))
    style = page.style("page.css", "report.css") + curve.STYLE
    return page.document(run.title, style, body, "; img-src 'self' file:")


def _scores(run: Run) -> str:
    head = "".join(f"<th scope=col>{name}</th>" for name in report.COLUMNS)
    rows = report.scores(run.result, run.baselines).items()
    body = "\n".join(f"<tr>{_cells([name, *report.cells(row)])}</tr>" for name, row in rows)
    caption = f"{report.MODE.capitalize()}, in percent"
    return (
        f"<div class=wide tabindex=0><table><caption>{caption}</caption><tr><td></td>{head}</tr>\n"
        f"{body}</table></div>"
    )


def _cells(cells: Sequence[str]) -> str:
    return "".join(f"<td>{page.escaped(cell)}</td>" for cell in cells)


def learning_curve(history: History, **options: str) -> str:
    """Draw what a run measured after each epoch; the best on dev is the one that was kept."""
    best = max(history.rows, key=lambda row: row.get("dev_f1", 0.0))
    return curve.curve(history, int(best["epoch"]), TITLES, **options)


def _curve(run: Run) -> str:
    words = (
        "A sample has a loss while its margin is broken: the share of such samples should fall."
        if "active" in run.history.columns
        else ""
    )
    picture = learning_curve(run.history, style="")
    return f"<h2>How it learned</h2><div class=wide tabindex=0>{picture}</div><p>{words}</p>"


def _examples(run: Run) -> str:
    kinds = numbered((entity.type for entity in run.found), page.COLOURS)
    text = page.coloured(run.text, run.found, kinds)
    return f'<h2>Sentences, tagged</h2><p>{page.legend(kinds)}</p><div class="text">{text}</div>'


def _errors(run: Run) -> str:
    if not run.result.errors:
        return ""
    counts = Counter(error.kind for error in run.result.errors)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)
    items = "\n".join(_error(error, run.path) for error in run.result.errors[:SHOWN])
    return f"<h2>Hardest errors</h2><p>{said}; the surest mistakes first.</p><ol>\n{items}</ol>"


def _error(error: Error, path: str) -> str:
    before, name, after = map(page.escaped, error.context(6))
    what = page.escaped(f"{error.kind}: {error.types()}, {error.confidence:.2f}")
    where = page.escaped(f"{path}:{error.line}")
    return f"<li>{before} <b>{name}</b> {after} <small>({what}; {where})</small></li>"


def _example(example: Example | None) -> str:
    if example is None:
        return ""
    windows = "\n".join(map(_window, example.windows, example.scores()))
    loss = f"J = {shown(example.loss.data)}"
    return (
        f"<h2>The sample that is drawn</h2>{windows}<p><b>{loss}</b>. "
        'Both passes of its graph: <a href="pair.html">step by step</a>, '
        '<a href="pair.svg">the picture</a>.</p>'
        '<div class=wide tabindex=0><img src="pair.svg" alt="The graph of the sample"></div>'
    )


def _window(window: Sentence, score: str) -> str:
    marks = "".join(
        f'<span class="{"centre" if n == window.centre else ""}">{page.escaped(word)}</span>'
        for n, word in enumerate(window.words)
    )
    role = window.role
    return f'<p class="window {role}">{role} window: {marks} {page.escaped(score)}</p>'
