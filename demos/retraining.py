"""Retraining word vectors: the word that stays behind (L9).

A classifier of single words is trained on the vectors as they are (frozen), and together with them
(fine-tuned), by the rows of each batch (L8): "TV" and "telly" move, "television", which is in no
training example, stays where it was and ends on the wrong side. The vectors are made by hand, two
numbers per word, so that they can be drawn; the training is real:

    python demos/retraining.py [retraining.svg]
"""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering import lower
from micrograd.nn import Neuron
from micrograd.optim import SGD
from micrograd.optim.gradients import Rows
from micrograd.training import fit

VECTORS = {
    "TV": (0.85, 1.10), "telly": (1.15, 1.06), "television": (1.08, 0.95),
    "stone": (0.30, 0.45), "river": (0.48, 0.25), "garden": (0.65, 0.50), "rain": (0.85, 0.30),
    "horse": (1.05, 0.52), "bread": (1.25, 0.28), "winter": (1.45, 0.45), "apple": (1.65, 0.25),
}  # fmt: skip
WORDS, UNSEEN = list(VECTORS), "television"
# Positive: about television. These two words are seen five times each, the others once.
EXAMPLES = [("TV", 1.0), ("telly", 1.0)] * 5 + [(word, -1.0) for word in WORDS[3:]]


class Outcome(NamedTuple):
    """The table of vectors, the line w·x + b = 0, and the score of every word."""

    table: Any
    line: tuple[float, float, float]
    scores: dict[str, float]


def classifier(fine_tune: bool, epochs: int) -> Outcome:
    """Train w and b on log(1 + exp(−y s)), s = w·x + b; the rows of the table too if so wanted."""
    table, neuron = np.array(list(VECTORS.values())), Neuron(2, nonlin=False, fused=True)
    for value, number in zip(neuron.parameters(), (-0.3, 0.4, 0.1)):
        value.data = number
    program = lower(lambda x, y: (-y * neuron(x)).softplus(), table[0], 1.0)
    trained = {**program.parameters, **({"E": table} if fine_tune else {})}
    optimizer = SGD(trained, lr=1.0)

    def step(batch: list[tuple[str, float]]) -> float:
        rows = np.array([WORDS.index(word) for word, _ in batch])
        y = np.array([label for _, label in batch])
        loss, gradients = program.value_and_grad(table[rows], y, wrt_inputs=True)
        gradients = gradients | {"E": Rows(rows, gradients["x"])}
        optimizer.step({name: gradients[name] for name in trained})
        return loss

    fit(step, EXAMPLES, epochs, batch_size=6, progress=False)
    w, b = program.parameters["w"], program.parameters["b"]
    return Outcome(table, (*w.tolist(), b.item()), dict(zip(WORDS, (table @ w + b).tolist())))


def show_scores(outcomes: dict[str, Outcome]) -> None:
    """Print the scores of the words about television, and how many examples are right."""
    print(f"{'score s > 0: television':24}" + "".join(f"{name:>12}" for name in outcomes))
    for word in WORDS[:3]:
        name = f"{word} (unseen)" if word == UNSEEN else word
        print(f"{name:24}" + "".join(f"{o.scores[word]:12.2f}" for o in outcomes.values()))
    shares = [np.mean([o.scores[w] * y > 0 for w, y in EXAMPLES]) for o in outcomes.values()]
    print(f"{'training examples right':24}" + "".join(f"{share:12.0%}" for share in shares))
    print("Both learn all examples; fine-tuned, the unseen word is on the wrong side of the line.")


def draw(outcomes: dict[str, Outcome], path: str) -> None:
    """Draw words and line, frozen beside fine-tuned, with arrows for what moved."""
    from figures import panels, save

    before, *after = outcomes.items()
    figure, axes = panels(2, 1, 5.4, 4.4)
    for panel, (name, outcome) in zip(axes, after):
        draw_words(panel, outcome)
        for line, style in ((before[1].line, "k:"), (outcome.line, "k-")):
            x = np.array([-0.6, 2.4])
            panel.plot(x, -(line[0] * x + line[2]) / line[1], style)
        side = "right" if outcome.scores[UNSEEN] > 0 else "wrong"
        panel.set(title=f"{name}: “{UNSEEN}” on the {side} side", xlim=(-0.6, 2.4),
                  ylim=(-1.2, 3.2), xlabel="dimension 1", ylabel="dimension 2")  # fmt: skip
    handles = [*axes[0].get_legend_handles_labels()[0], *axes[0].lines[-2:]]
    labels = [*axes[0].get_legend_handles_labels()[1], "line before training", "line after it"]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    save(figure, path)


def draw_words(panel: Any, outcome: Outcome) -> None:
    """Draw the words at their places, with an arrow from where they were."""
    from figures import BLUE, ORANGE, PURPLE

    kinds = (("about television", WORDS[:2], "o", BLUE), ("about something else", WORDS[3:], "s",
             ORANGE), ("about television, unseen", [UNSEEN], "*", PURPLE))  # fmt: skip
    for label, words, marker, color in kinds:
        places = np.array([outcome.table[WORDS.index(word)] for word in words])
        panel.scatter(*places.T, marker=marker, color=color, s=40, label=label, zorder=3)
        for word, place in zip(words, places):
            panel.annotate(
                "", place, VECTORS[word], arrowprops={"arrowstyle": "->", "color": "0.5"}
            )
            if word in WORDS[:3]:
                down = -5 if word == UNSEEN else 5
                panel.annotate(word, place, (7, down), textcoords="offset points", fontsize=8)


def main(path: str | None = None, epochs: int = 200) -> dict[str, Outcome]:
    """Print the scores; return the outcomes, and draw them where a path is given."""
    outcomes = {
        "before": classifier(False, 0),
        "frozen": classifier(False, epochs),
        "fine-tuned": classifier(True, epochs),
    }
    show_scores(outcomes)
    if path:
        draw(outcomes, path)
    return outcomes


if __name__ == "__main__":
    main(*sys.argv[1:2])
