"""Max-margin over a whole sentence: Viterbi's path, its cost, and ∂J/∂s = ±1 (L4, L11, L12).

Three words, three tags (BIO of one type). Each word has a score for each tag, transitions have
scores too, and I must follow B or I. J = max_y [s(y) + cost(y, y*)] − s(y*), the cost 1 for
each wrong tag; its graph is recorded, walked backward, and compared with all paths written out:

    python demos/viterbi.py viterbi.svg
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, say, t, table

from micrograd import Value
from micrograd.losses import path_margin
from micrograd.ner.model.paths import best_tags, forbidding, legal
from micrograd.render import render

ENDING = ".svg"
TRIALS = 50
WORDS = ["visit", "New", "York"]
TAGS = ["O", "B", "I"]
TRUE = (0, 1, 2)  # O B I
SCORES = [[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.8, 1.5, 0.9]]
TRANSITIONS = [[0.2, 0.1, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0], [0.1, 0.0, 0.2, 0.0], [0.0] * 4]
LEGAL = legal(["O", "B-LOC", "I-LOC"], "BIO")


class Path(NamedTuple):
    """A legal path, its score s(y), and its cost against the true one."""

    tags: tuple[int, ...]
    score: float
    cost: int

    @property
    def offence(self) -> float:
        """Return s(y) + cost(y, y*)."""
        return self.score + self.cost


class Sentence(NamedTuple):
    """All legal paths, the worst offender first; Viterbi's path; J and the scores, walked back."""

    paths: list[Path]
    viterbi: tuple[int, ...]
    J: Value
    rows: list[list[Value]]


class Measured(NamedTuple):
    """The sentence that is shown, and others with random scores."""

    shown: Sentence
    others: list[Sentence]

    @property
    def trials(self) -> int:
        """Return how many others there are."""
        return len(self.others)


def spelled(tags: tuple[int, ...]) -> str:
    """Return the tags as they are written."""
    return " ".join(TAGS[tag] for tag in tags)


def true(sentence: Sentence) -> Path:
    """Return the true path."""
    return next(path for path in sentence.paths if path.tags == TRUE)


def every_path(scores: Any, transitions: Any) -> list[Path]:
    """Return every legal path, the worst offender first."""
    paths = []
    for tags in itertools.product(range(3), repeat=3):
        steps = list(itertools.pairwise((3, *tags, 3)))
        if all(LEGAL[a][b] for a, b in steps):
            score = sum(transitions[a][b] for a, b in steps)
            score += sum(row[tag] for row, tag in zip(scores, tags))
            paths.append(Path(tags, score, sum(a != b for a, b in zip(tags, TRUE))))
    return sorted(paths, key=lambda path: -path.offence)


def labelled_rows(names: list[str], numbers: Any, form: str) -> list[list[Value]]:
    """Return rows of Values, labelled by their row and column."""
    columns = [*TAGS, "border"]
    return [
        [Value(float(x), label=form.format(name, column)) for column, x in zip(columns, row)]
        for name, row in zip(names, numbers)
    ]


def solve(scores: Any, transitions: Any) -> Sentence:
    """Record J of one sentence and walk it backward; write out all paths beside it."""
    rows = labelled_rows(WORDS, scores, "s({}, {})")
    A = labelled_rows([*TAGS, "border"], transitions, "{}→{}")
    J = path_margin(rows, TRUE, A, LEGAL)
    J.label = "J"
    J.backward()
    allowed = forbidding(LEGAL, np.array(transitions))
    viterbi = tuple(int(tag) for tag in best_tags(np.array(scores), [3], allowed))
    return Sentence(every_path(scores, transitions), viterbi, J, rows)


def measure(seed: int = 1) -> Measured:
    """Solve the sentence above, and sentences whose scores are drawn at random."""
    rng = np.random.default_rng(seed)
    others = [solve(rng.normal(0, 2, (3, 3)), rng.normal(0, 1, (4, 4))) for _ in range(TRIALS)]
    return Measured(solve(SCORES, TRANSITIONS), others)


def show(r: Measured) -> None:
    """Print every path, Viterbi's, and the gradient of J to each score."""
    head = [t("path", "路径"), "s(y)", t("cost", "代价"), t("s(y) + cost", "s(y) + 代价"), ""]
    marks = {TRUE: t("← the true one", "← 正确路径")}
    rows = [
        [spelled(p.tags), f"{p.score:.2f}", p.cost, f"{p.offence:.2f}", marks.get(p.tags, "")]
        for p in r.shown.paths
    ]
    table(head, *rows)
    say(t("Viterbi's path without the cost:", "不计代价时维特比的路径："), spelled(r.shown.viterbi))
    worst, right = r.shown.paths[0].offence, true(r.shown).score
    print(f"J = {worst:.2f} − {right:.2f} = {r.shown.J.data:.2f}\n")
    gradients = [
        [word, *(f"{value.grad + 0:+g}" for value in row)] for word, row in zip(WORDS, r.shown.rows)
    ]
    table(["∂J/∂s", *TAGS], *gradients)


def sentences(r: Measured) -> list[Sentence]:
    """Return the sentence that is shown and the others."""
    return [r.shown, *r.others]


@claim(
    "J by Viterbi is J over all paths written out, here and for {r.trials} random scores.",
    "维特比求得的 J 等于写出全部路径求得的 J，此处如此，{r.trials} 组随机分数也如此。",
)
def viterbi_is_enumeration(r: Measured) -> bool:
    return all(
        abs(s.J.data - max(0.0, s.paths[0].offence - true(s).score)) < 1e-12 for s in sentences(r)
    )


@claim(
    "Viterbi's path without the cost is the path of the highest score.",
    "不计代价时，维特比的路径就是分数最高的路径。",
)
def viterbi_is_best(r: Measured) -> bool:
    return all(s.viterbi == max(s.paths, key=lambda p: p.score).tags for s in sentences(r))


@claim(
    "∂J/∂s is +1 on the path that breaks the margin, −1 on the true one, 0 where they agree.",
    "∂J/∂s 在越过间隔的路径上为 +1，在正确路径上为 −1，两者一致处为 0。",
)
def slopes_are_signs(r: Measured) -> bool:
    return all(
        value.grad == (tag == s.paths[0].tags[i]) - (tag == TRUE[i])
        for s in sentences(r)
        for i, row in enumerate(s.rows)
        for tag, value in enumerate(row)
    )


def page(r: Measured, path: str) -> None:
    """Draw the graph of J."""
    render(r.shown.J).save(path)


if __name__ == "__main__":
    run(__name__)
