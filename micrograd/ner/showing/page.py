"""Self-contained HTML pages: a text with its names, and report.html, what a training run reached.

A text keeps its own spacing and paragraphs.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from micrograd.content_policy import digest
from micrograd.ner.judging.evaluation import Evaluation
from micrograd.ner.judging.scoring import Error, Report, counted
from micrograd.ner.showing import report
from micrograd.ner.showing.entities import Entity, numbered, pieces
from micrograd.ner.showing.pictures import Example
from micrograd.printing import printable
from micrograd.render.numerals import shown
from micrograd.stepper.tokens import Sentence
from micrograd.training import curve
from micrograd.training.history import History

FOLDER = resources.files("micrograd.ner.showing")
COLOURS = 6  # of types, in page.css
ACTIVE = "A sample has a loss while its margin is broken: the share of such samples should fall."
SHOWN = 20  # errors
TITLES = {
    "loss": "loss in training",
    "dev_loss": "loss on dev",
    "dev_f1": "entity F1 on dev, %",
    "active": "samples that still have a loss, %",
}


def page(text: str, found: Sequence[Entity], title: str) -> str:
    """Give a page of a text with its names marked, their probabilities on hover."""
    return document(title, _file("page.css"), tagged(text, found))


def _file(name: str) -> str:
    return FOLDER.joinpath(name).read_text("utf-8")


def document(title: str, styles: str, body: str, images: str = "") -> str:
    """Give a whole page that loads nothing, or `images` from its own folder."""
    policy = f"default-src 'none'; style-src {digest(styles)}{images}"
    return _file("page.html").format(title=escaped(title), style=styles, body=body, policy=policy)


def escaped(text: str) -> str:
    """Write a text as HTML, signs that a page must not hold spelled out."""
    return html.escape(printable(text.replace("\r\n", "\n")))


def tagged(text: str, found: Sequence[Entity]) -> str:
    """Give a text as HTML with its names marked, and above it the types in their colours."""
    kinds = numbered((entity.type for entity in found), COLOURS)
    marks = (f'<mark class="kind{hue}">{escaped(kind)}</mark>' for kind, hue in kinds.items())
    legend = " ".join(marks) or "no names found"
    coloured = "".join(
        escaped(part) + (_mark(entity, kinds[entity.type]) if entity else "")
        for part, entity in pieces(text, found)
    )
    return f'<p>{legend}</p>\n<div class="text" dir="auto">{coloured}</div>'


def _mark(entity: Entity, number: int) -> str:
    """Give a name with its type, which stays beside its last word."""
    title = escaped(f"{entity.type}, probability {entity.probability:.2f}")
    name = f"{escaped(entity.text)}<small>{escaped(entity.type)}</small>"
    return f'<mark class="kind{number}" title="{title}">{name}</mark>'


class Run(NamedTuple):
    """What the page tells of: the results, examples, the drawn sample."""

    title: str
    result: Evaluation
    baselines: Mapping[str, Report]
    history: History
    text: str
    found: Sequence[Entity]
    example: Example | None


def report_page(run: Run) -> str:
    """Give the whole page, self-contained."""
    sentences = f"<h2>Sentences, tagged</h2>{tagged(run.text, run.found)}"
    parts = [_scores(run), _curve(run.history), sentences, _errors(run), _example(run.example)]
    styles = _file("page.css") + _file("report.css") + curve.STYLE
    return document(run.title, styles, "\n".join(filter(None, parts)), "; img-src 'self' file:")


def _scores(run: Run) -> str:
    head = "".join(f"<th scope=col>{name}</th>" for name in report.COLUMNS)
    body = "".join(
        f"\n<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in (name, *cells))}</tr>"
        for name, cells in report.scores(run.result, run.baselines).items()
    )
    return (
        f"<div class=wide tabindex=0><table><caption>{report.MODE}, in percent"
        f"</caption><tr><td></td>{head}</tr>{body}</table></div>"
    )


def learning_curve(history: History, **options: str) -> str:
    """Draw what a run measured after each epoch; the best on dev is the one that was kept."""
    best = max(history.rows, key=lambda row: row["dev_f1"])
    return curve.curve(history, int(best["epoch"]), TITLES, **options)


def _curve(history: History) -> str:
    words = ACTIVE if "active" in history.columns else ""
    picture = learning_curve(history, style="")
    return f"<h2>How it learned</h2><div class=wide tabindex=0>{picture}</div><p>{words}</p>"


def _errors(run: Run) -> str:
    if not run.result.errors:
        return ""
    said = counted(run.result.errors)
    items = "\n".join(map(_error, run.result.errors[:SHOWN]))
    return f"<h2>Hardest errors</h2><p>{said}; the surest mistakes first.</p><ol>\n{items}</ol>"


def _error(error: Error) -> str:
    before, name, after = map(escaped, error.context(6))
    where = f"{error.confidence:.2f}; {escaped(error.place)}"
    what = f"{error.kind}: <bdi>{escaped(error.types())}</bdi>, {where}"
    return f"<li><bdi>{before} <b>{name}</b> {after}</bdi> <small>({what})</small></li>"


def _example(example: Example | None) -> str:
    if example is None:
        return ""
    windows = "\n".join(map(_window, example.windows, example.scores()))
    return (
        f"<h2>The sample that is drawn</h2>{windows}<p><b>J = {shown(example.loss.data)}</b>. "
        'Both passes of its graph: <a href="pair.html">step by step</a>, '
        '<a href="pair.svg">the picture</a>.</p>'
        '<div class=wide tabindex=0><img src="pair.svg" alt="The graph of the sample"></div>'
    )


def _window(window: Sentence, score: str) -> str:
    marks = " ".join(
        f'<span class="{"centre" if n == window.centre else ""}">{escaped(word)}</span>'
        for n, word in enumerate(window.words)
    )
    return f'<p class="window {window.role}">{window.role} window: {marks} {escaped(score)}</p>'
