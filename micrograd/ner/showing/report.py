"""Print results: the headline is entity F1 by conlleval's rules, the others stand below, named."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from micrograd.ner.judging.evaluation import Evaluation
from micrograd.ner.judging.scoring import FIELDS, Average, Error, Report, Score, counted, numbers
from micrograd.printing import printable, width, wrapped

SHOWN_ERRORS = 8
COLUMNS = ("precision", "recall", "F1", "right", "predicted", "true")
STYLES = {"all types": "bold", "strict mode": "dim", "token level": "dim"}
KEPT = "\xa0"  # a blank at which no line ends
FOLDED = 17  # columns after which the name of a row is folded
MODE = "Entities as conlleval and seqeval's default mode count them"


def scores(
    result: Evaluation, baselines: Mapping[str, Report] | None = None
) -> dict[str, list[str]]:
    """Give the rows to show, under `COLUMNS`: by type, averages of several, then the others."""
    named = rows(result.entities, "all types", "macro average", "weighted average")
    if len(result.entities.types) == 1:
        named = {**result.entities.types}
    named |= {f"baseline: {name}": one.overall for name, one in (baselines or {}).items()}
    named |= {"strict mode": result.strict.overall, "token level": result.tokens.overall}
    return {name: cells(row) for name, row in named.items()}


def cells(row: Score | Average) -> list[str]:
    """Write a score under `COLUMNS`; an average has no counts."""
    own = numbers(row)
    return [f"{own[name]:.2f}" for name in FIELDS[:3]] + [str(own.get(n, "")) for n in FIELDS[3:]]


def print_evaluation(
    result: Evaluation,
    baselines: Mapping[str, Report] | None = None,
    console: Console | None = None,
) -> None:
    """Print precision, recall and F1 by type and overall, and the other measures by name."""
    console = console or Console(highlight=False)
    _print_table(console, MODE, COLUMNS, scores(result, baselines))
    ranking = {"average precision": result.average_precision, "pair accuracy": result.pair_accuracy}
    said = [f"{name} {100 * share:.2f}" for name, share in ranking.items() if share is not None]
    if said:
        console.print(f"ranking of tokens: {', '.join(said)}")


def _print_table(
    console: Console, title: str, columns: Sequence[str], rows: Mapping[str, Sequence[str]]
) -> None:
    """Print a table; where its numbers would be cut, a line for each of its rows."""
    console.print(Text(printable(title)))
    table = Table()
    for name in ("", *columns):
        justify: Any = "right" if name else "left"
        table.add_column(Text(printable(name)), justify=justify, overflow="fold")
    for name, cells in rows.items():
        table.add_row(Text(printable(name)), *cells, style=STYLES.get(name, ""))
    if console.width >= _width(columns, rows):
        console.print(table)
        return
    for name, cells in rows.items():
        parts = [f"{column} {cell}" for column, cell in zip(columns, cells) if cell]
        line = ", ".join(part.replace(" ", KEPT) for part in parts)
        lines = wrapped(printable(f"{name}: {line}"), console.width, "  ")
        console.print(Text(lines.replace(KEPT, " ")), soft_wrap=True)


def _width(columns: Sequence[str], rows: Mapping[str, Sequence[str]]) -> int:
    """Count the columns that a table takes: its numbers whole, its longer names folded."""
    names = min(FOLDED, max(map(width, rows)))
    numbers = (max(map(len, cells)) for cells in zip(*rows.values()))
    widths = [names, *(max(n, min(width(name), 9)) for n, name in zip(numbers, columns))]
    return sum(room + 3 for room in widths) + 1


def print_errors(errors: Sequence[Error], console: Console | None = None) -> None:
    """Print how many mistakes there are of each kind, and those the model was surest of."""
    console = console or Console(highlight=False)
    if not errors:
        return
    console.print(f"Errors: {counted(errors)}")
    console.print("Hardest errors, the surest mistakes first:")
    for error in errors[:SHOWN_ERRORS]:
        console.print(_error(error), soft_wrap=True)


def _error(error: Error) -> Text:
    before, name, after = error.context(4)
    text = Text(printable(f"  {error.place} {error.kind} {error.types()}: "))
    text.append(printable(f"{before} ".lstrip()))
    text.append(printable(f"[{name}]"), "bold red")
    return text.append(printable(f" {after}".rstrip()) + f"  ({error.confidence:.2f})")


def print_confusion(counts: Counter[tuple[str, str]], console: Console | None = None) -> None:
    """Print which types are taken for which, where some are; O is no entity."""
    names = [*sorted({name for pair in counts for name in pair} - {"O"}), "O"]
    title = "Entities by true type (rows) and predicted type"
    rows = {a: [str(counts[a, b] or "0" * (a == b != "O")) for b in names] for a in names}
    _print_table(console or Console(highlight=False), title, names, rows)


def rows(report: Report, *averages: str) -> dict[str, Score | Average]:
    """Name the scores by type, then the averages over them; a type called micro is "type micro"."""
    names = averages or ("micro", "macro", "weighted")
    types = {f"type {name}" if name in names else name: s for name, s in report.types.items()}
    return {**types, **dict(zip(names, (report.overall, report.macro, report.weighted)))}


def _csv(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *lines])
    return out.getvalue()


def as_csv(report: Report) -> str:
    """Write a report as CSV: a row per type and average."""
    return _csv(("type", *FIELDS), ((name, *cells(row)) for name, row in rows(report).items()))


def as_dict(result: Evaluation) -> dict[str, Any]:
    """Give all measures as JSON can hold them."""
    return {
        "entities": {name: numbers(row) for name, row in rows(result.entities).items()},
        "strict": numbers(result.strict.overall),
        "tokens": numbers(result.tokens.overall),
        "errors": dict(Counter(error.kind for error in result.errors)),
        "average_precision": result.average_precision,
        "pair_accuracy": result.pair_accuracy,
    }


def curve_csv(result: Evaluation) -> str:
    """Write the precision-recall curve: a row per threshold of the probability."""
    lines = ((threshold, *cells(score)[:3]) for threshold, score in result.curve)
    return _csv(("threshold", *FIELDS[:3]), lines)


def errors_csv(errors: Sequence[Error]) -> str:
    """Write all errors: where, of which kind, true and predicted entity, probability."""
    header = ("line", "kind", "true", "predicted", "words", "probability", "sentence")
    return _csv(header, map(_error_row, errors))


def _error_row(error: Error) -> list[str]:
    sides = (f"{s.start}-{s.end} {s.type}" if s else "" for s in (error.true, error.predicted))
    name, sure = error.context(0)[1], f"{error.confidence:.4f}"
    return [error.place, error.kind, *sides, name, sure, " ".join(error.words)]
