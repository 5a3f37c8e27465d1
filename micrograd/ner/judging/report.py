"""Print results: the headline is entity F1 by conlleval's rules, the others stand below, named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from micrograd.ner.judging.evaluation import Error, Evaluation
from micrograd.ner.judging.scoring import Report, Score
from micrograd.printing import printable

SHOWN_ERRORS = 8


def print_evaluation(
    result: Evaluation,
    title: str = "Entities, conlleval rules",
    rows: Mapping[str, Report] | None = None,
    console: Console | None = None,
) -> None:
    """Print precision, recall and F1 by type and overall, and the other measures by name."""
    console = console or Console(highlight=False)
    table = _table(title)
    for label, score in result.entities.types.items():
        _row(table, label, score)
    if len(result.entities.types) != 1:
        _row(table, "all types", result.entities.overall, "bold")
    table.add_section()
    for name, report in (rows or {}).items():
        _row(table, f"baseline: {name}", report.overall)
    _row(table, "strict mode", result.strict.overall, "dim")
    _row(table, "token level", result.tokens.overall, "dim")
    console.print(table)
    if result.average_precision is not None and result.pair_accuracy is not None:
        console.print(
            f"ranking of tokens: average precision {100 * result.average_precision:.2f}, "
            f"pair accuracy {100 * result.pair_accuracy:.2f}"
        )


def _table(title: str) -> Table:
    table = Table(title=Text(printable(title)), title_justify="left")
    table.add_column("")
    for name in ("precision", "recall", "F1", "right", "predicted", "true"):
        table.add_column(name, justify="right")
    return table


def _row(table: Table, name: str, score: Score, style: str = "") -> None:
    shares = (f"{value:.2f}" for value in (score.precision, score.recall, score.f1))
    counts = (str(value) for value in (score.right, score.predicted, score.true))
    table.add_row(Text(printable(name)), *shares, *counts, style=style)


def print_errors(errors: Iterable[Error], path: str, console: Console | None = None) -> None:
    """Print the mistakes the model was surest of, each with its place and its words."""
    console = console or Console(highlight=False)
    shown = list(errors)[:SHOWN_ERRORS]
    if shown:
        console.print("Hardest errors, the surest mistakes first:")
    for error in shown:
        console.print(_error(error, path), soft_wrap=True)


def _error(error: Error, path: str) -> Text:
    start, end, kind = error.span
    before, after = error.words[max(0, start - 4) : start], error.words[end : end + 4]
    text = Text(printable(f"  {path}:{error.line} {error.kind} {kind}: "))
    text.append(printable(" ".join([*before, ""])))
    text.append(printable(f"[{' '.join(error.words[start:end])}]"), "bold red")
    return text.append(printable(" ".join(["", *after])) + f"  ({error.confidence:.2f})")
