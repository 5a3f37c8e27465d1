"""Max-margin over a whole sentence: Viterbi's path, its cost, and ∂J/∂s = ±1 where paths differ.

Three words, three tags (BIO of one type). Every word has a score for every tag, transitions have
scores too, and I may follow only B or I. J = max_y [s(y) + cost(y, y*)] − s(y*), the cost 1 for
each wrong tag; its graph is recorded, walked backward, and compared with all paths written out:

    python demos/viterbi.py [viterbi.svg]
"""

from __future__ import annotations

import itertools
import sys
from typing import Any

import numpy as np

from micrograd import Value
from micrograd.ner.model.graphs import path_margin
from micrograd.ner.model.paths import best_tags, forbidding, legal
from micrograd.render import render

WORDS = ["visit", "New", "York"]
TAGS = ["O", "B", "I"]
TRUE = (0, 1, 2)  # O B I
SCORES = [[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.8, 1.5, 1.0]]
TRANSITIONS = [[0.2, 0.1, 0.0, 0.0], [0.0, 0.0, 0.5, 0.0], [0.1, 0.0, 0.2, 0.0], [0.0] * 4]
LEGAL = legal(["O", "B-LOC", "I-LOC"], "BIO")


def leaves() -> tuple[list[list[Value]], list[list[Value]]]:
    """Return the scores of words and transitions as Values, labelled."""
    s = [
        [Value(x, label=f"s({word}, {tag})") for tag, x in zip(TAGS, row)]
        for word, row in zip(WORDS, SCORES)
    ]
    border = [*TAGS, "border"]
    A = [
        [Value(x, label=f"{a}→{b}") for b, x in zip(border, row)]
        for a, row in zip(border, TRANSITIONS)
    ]
    return s, A


def score(tags: tuple[int, ...]) -> float:
    """Add up a path's scores."""
    around = (3, *tags, 3)
    steps = sum(TRANSITIONS[a][b] for a, b in itertools.pairwise(around))
    return steps + sum(row[tag] for row, tag in zip(SCORES, tags))


def paths() -> list[tuple[float, int, tuple[int, ...]]]:
    """Return every legal path with its score and its cost, the worst offender first."""
    found = []
    for tags in itertools.product(range(3), repeat=3):
        if all(LEGAL[a][b] for a, b in itertools.pairwise((3, *tags, 3))):
            cost = sum(a != b for a, b in zip(tags, TRUE))
            found.append((score(tags), cost, tags))
    return sorted(found, key=lambda path: -path[0] - path[1])


def main(path: str | None = None) -> Any:
    """Print the paths, J, and its gradients; draw the graph where a path is given."""
    print("path    s(y)  cost   s(y) + cost")
    for s, cost, tags in paths():
        mark = "  ← the true one" if tags == TRUE else ""
        print(f"{' '.join(TAGS[t] for t in tags):6}{s:6.2f}{cost:6d}{s + cost:14.2f}{mark}")
    allowed = forbidding(LEGAL, np.array(TRANSITIONS))
    best = best_tags(np.array(SCORES), [3], allowed)
    print(f"Viterbi's path without the cost: {' '.join(TAGS[t] for t in best)}")
    rows, A = leaves()
    J = path_margin(rows, TRUE, 1.0, A, LEGAL)
    J.label = "J"
    J.backward()
    worst = paths()[0]
    print(f"J = {worst[0] + worst[1]:.2f} − {score(TRUE):.2f} = {J.data:.2f}\n")
    print(f"∂J/∂s   {'':3}" + "".join(f"{tag:>6}" for tag in TAGS))
    for word, row in zip(WORDS, rows):
        print(f"{word:11}" + "".join(f"{value.grad + 0:+6g}" for value in row))
    print("+1 on the path that breaks the margin, −1 on the true one, 0 where they agree.")
    if path:
        render(J).save(path)
    return J, rows, A


if __name__ == "__main__":
    main(*sys.argv[1:2])
