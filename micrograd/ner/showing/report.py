"""Print results: the headline is entity F1 by conlleval's rules, the others stand below, named."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from micrograd.ner.judging.errors import KINDS, Error
from micrograd.ner.judging.evaluation import Evaluation
from micrograd.ner.judging.scoring import Average, Report, Score
from micrograd.printing import printable

SHOWN_ERRORS = 8
WIDE = 78  # columns that a table of scores takes
MODE = "entities as conlleval and seqeval's default mode count them"


def print_evaluation(
    result: Evaluation,
    title: str = MODE.capitalize(),
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
        _row(table, "macro average", result.entities.macro)
        _row(table, "weighted average", result.entities.weighted)
    table.add_section()
    for name, report in (rows or {}).items():
        _row(table, f"baseline: {name}", report.overall)
    _row(table, "strict mode", result.strict.overall, "dim")
    _row(table, "token level", result.tokens.overall, "dim")
    _print_table(table, console)
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


def _print_table(table: Table, console: Console) -> None:
    """Print a table; where its numbers would be cut, a line for each of its rows."""
    if console.width >= WIDE:
        console.print(table)
        return
    console.print(table.title or "")
    names = [column.header for column in table.columns[1:]]
    for label, *cells in zip(*(column.cells for column in table.columns)):
        numbers = ", ".join(f"{name} {cell}" for name, cell in zip(names, cells) if cell)
        console.print(Text(f"{label}: {numbers}"))


def _row(table: Table, name: str, score: Score | Average, style: str = "") -> None:
    shares = (f"{value:.2f}" for value in (score.precision, score.recall, score.f1))
    whole = (score.right, score.predicted, score.true) if isinstance(score, Score) else ()
    counts = map(str, whole)
    table.add_row(Text(printable(name)), *shares, *counts, style=style)


def print_errors(errors: Sequence[Error], path: str, console: Console | None = None) -> None:
    """Print how many mistakes there are of each kind, and those the model was surest of."""
    console = console or Console(highlight=False)
    if not errors:
        return
    counts = Counter(error.kind for error in errors)
    console.print("Errors: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS))
    console.print("Hardest errors, the surest mistakes first:")
    for error in errors[:SHOWN_ERRORS]:
        console.print(_error(error, path), soft_wrap=True)


def _error(error: Error, path: str) -> Text:
    start, end, _ = error.span
    before, after = error.words[max(0, start - 4) : start], error.words[end : end + 4]
    text = Text(printable(f"  {path}:{error.line} {error.kind} {error.types()}: "))
    text.append(printable(" ".join([*before, ""])))
    text.append(printable(f"[{' '.join(error.words[start:end])}]"), "bold red")
    return text.append(printable(" ".join(["", *after])) + f"  ({error.confidence:.2f})")


def print_confusion(counts: Counter[tuple[str, str]], console: Console | None = None) -> None:
    """Print which types are taken for which; O is no entity."""
    console = console or Console(highlight=False)
    names = [*sorted({name for pair in counts for name in pair} - {"O"}), "O"]
    table = Table(title="Entities by true type (rows) and predicted type", title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(Text(printable(name)), justify="right")
    for true in names:
        cells = ["" if true == said == "O" else str(counts[true, said]) for said in names]
        table.add_row(Text(printable(true)), *cells)
    _print_table(table, console)


def rows(report: Report) -> dict[str, Score | Average]:
    """Name the scores by type, then the averages over them."""
    named: dict[str, Score | Average] = {**report.types}
    named |= {"micro": report.overall, "macro": report.macro, "weighted": report.weighted}
    return named


def as_csv(report: Report) -> str:
    """Write a report as CSV: a row per type and average."""
    lines = ["type,precision,recall,f1,right,predicted,true"]
    for name, row in rows(report).items():
        counts = (row.right, row.predicted, row.true) if isinstance(row, Score) else ("", "", "")
        shares = (f"{share:.2f}" for share in (row.precision, row.recall, row.f1))
        lines.append(",".join(map(str, (f'"{name}"' if "," in name else name, *shares, *counts))))
    return "\n".join(lines) + "\n"


def as_dict(result: Evaluation) -> dict[str, Any]:
    """Give all measures as JSON can hold them."""
    return {
        "entities": {name: _fields(row) for name, row in rows(result.entities).items()},
        "strict": _fields(result.strict.overall),
        "tokens": _fields(result.tokens.overall),
        "errors": dict(Counter(error.kind for error in result.errors)),
        "average_precision": result.average_precision,
        "pair_accuracy": result.pair_accuracy,
    }


def _fields(row: Score | Average) -> dict[str, float]:
    shares = {"precision": row.precision, "recall": row.recall, "f1": row.f1}
    return shares | (
        {"right": row.right, "predicted": row.predicted, "true": row.true}
        if isinstance(row, Score)
        else {}
    )


def curve_csv(result: Evaluation) -> str:
    """Write the precision-recall curve: a row per threshold of the probability."""
    lines = ["threshold,precision,recall,f1"]
    for threshold, score in result.curve:
        lines.append(f"{threshold:.6f},{score.precision:.2f},{score.recall:.2f},{score.f1:.2f}")
    return "\n".join(lines) + "\n"


def errors_csv(errors: Sequence[Error], path: str) -> str:
    """Write all errors: where, of which kind, true and predicted entity, probability."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("line", "kind", "true", "predicted", "words", "probability", "sentence"))
    for error in errors:
        start, end, _ = error.span
        sides = (f"{s.start}-{s.end} {s.type}" if s else "" for s in (error.true, error.predicted))
        words = " ".join(error.words[start:end])
        row = (f"{path}:{error.line}", error.kind, *sides, words, f"{error.confidence:.4f}")
        writer.writerow((*row, " ".join(error.words)))
    return out.getvalue()
