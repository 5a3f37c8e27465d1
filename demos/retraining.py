"""Retraining word vectors: the word that stays behind (L9).

A logistic classifier of words, σ(w·x + b), is trained on vectors as they are (frozen), and together
with them (fine-tuned, ∇ₓJ = δw for the row of each word): "TV" and "telly" move, "television", in
no training example, stays. The vectors are made by hand, two numbers per word, so that they can be
drawn; the training is real:

    python demos/retraining.py retraining.svg
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from stage import claim, run, t, table

from micrograd import Value, mean
from micrograd.nn import Neuron
from micrograd.optim import SGD

VECTORS = {
    "TV": (0.85, 1.10),
    "telly": (1.15, 1.06),
    "television": (1.08, 0.95),
    "stone": (0.30, 0.45),
    "river": (0.48, 0.25),
    "garden": (0.65, 0.50),
    "rain": (0.85, 0.30),
    "horse": (1.05, 0.52),
    "bread": (1.25, 0.28),
    "winter": (1.45, 0.45),
    "apple": (1.65, 0.25),
}
WORDS, UNSEEN = list(VECTORS), "television"
# Positive: about television. These two words are seen five times each, the others once.
EXAMPLES = [("TV", 1.0), ("telly", 1.0)] * 5 + [(word, -1.0) for word in WORDS[3:]]
NAMES = {"TV": (-40, 8), "telly": (10, 8), "television": (16, -16)}  # where they are written
FIGURE = (
    "Word vectors and the boundary after training: vectors frozen, and fine-tuned",
    "训练后的词向量与分界线：词向量冻结，以及参与微调",
)


class Outcome(NamedTuple):
    """The table of vectors, the line w·x + b = 0, and the score of every word."""

    table: Any
    line: list[float]
    scores: dict[str, float]

    @property
    def unseen(self) -> float:
        """Return the score of the word that was not seen."""
        return self.scores[UNSEEN]

    @property
    def right(self) -> float:
        """Return the share of training examples on their side."""
        return sum(self.scores[w] * y > 0 for w, y in EXAMPLES) / len(EXAMPLES)


class Measured(NamedTuple):
    """What came of it with the vectors frozen, and fine-tuned."""

    frozen: Outcome
    tuned: Outcome

    @property
    def moved(self) -> set[str]:
        """Return the words that fine-tuning moved."""
        return {w for w, row in zip(WORDS, self.tuned.table) if tuple(row) != VECTORS[w]}


def trained(fine_tune: bool, seed: int, epochs: int) -> Outcome:
    """Train w and b on log(1 + exp(−y s)), s = w·x + b; the vectors too if so wanted."""
    rows = {word: [Value(number) for number in vector] for word, vector in VECTORS.items()}
    neuron, rng = Neuron(2, nonlin=False, fused=True), random.Random(seed)
    for value, number in zip(neuron.parameters(), (-0.3, 0.4, 0.1)):
        value.data = number
    vectors = [v for row in rows.values() for v in row]
    optimizer = SGD(neuron.parameters() + vectors * fine_tune, lr=1.0)
    for _ in range(epochs):
        batches = rng.sample(EXAMPLES, len(EXAMPLES))
        for start in range(0, len(batches), 6):
            some = batches[start : start + 6]
            optimizer.zero_grad()
            mean([(-y * neuron(rows[word])).softplus() for word, y in some]).backward()
            optimizer.step()
    scores = {word: neuron(row).data for word, row in rows.items()}
    table = np.array([[v.data for v in row] for row in rows.values()])
    return Outcome(table, [p.data for p in neuron.parameters()], scores)


def measure(seed: int = 0, epochs: int = 150) -> Measured:
    """Train with frozen vectors and with all of them."""
    return Measured(trained(False, seed, epochs), trained(True, seed, epochs))


def show(r: Measured) -> None:
    """Print the scores of the words about television."""
    table(
        [
            t("score s > 0: television", "得分 s > 0：电视"),
            t("frozen", "冻结"),
            t("fine-tuned", "微调"),
        ],
        *([w, *(f"{o.scores[w]:.2f}" for o in r)] for w in WORDS[:3]),
        [t("training examples right", "训练样本正确"), *(f"{o.right:.0%}" for o in r)],
    )


@claim("Both learn all of the training examples.", "两者都学会了全部训练样本。")
def both_learn_the_examples(r: Measured) -> bool:
    return r.frozen.right == r.tuned.right == 1


@claim(
    "Fine-tuning moves every word of the training set, and only those.",
    "微调移动了训练集中的每个词，也只移动它们。",
)
def the_unseen_word_stays(r: Measured) -> bool:
    return r.moved == {*WORDS} - {UNSEEN}


@claim(
    "So “television” ends on the wrong side, s = {r.tuned.unseen:.1f}; frozen it is on the right "
    "one, {r.frozen.unseen:.1f}.",
    "于是 “television” 落在错误的一侧，s = {r.tuned.unseen:.1f}；冻结时在正确的一侧，{r.frozen.unseen:.1f}。",
)
def the_unseen_word_is_left_behind(r: Measured) -> bool:
    return r.tuned.unseen < 0 < r.frozen.unseen


def draw(r: Measured) -> Any:
    """Draw words and line, with arrows for what moved."""
    from figures import BLUE, GREY, ORANGE, PURPLE, SMALL, panels

    figure, axes = panels(2)
    for panel, name, outcome in zip(axes, (t("frozen", "冻结"), t("fine-tuned", "微调")), r):
        for word, place in zip(WORDS, outcome.table):
            color = PURPLE if word == UNSEEN else BLUE if word in WORDS[:2] else ORANGE
            panel.plot(*place, "*" if word == UNSEEN else "o", color=color, markersize=14)
            panel.annotate("", place, VECTORS[word], arrowprops={"arrowstyle": "->", "color": GREY})
            if word in NAMES:
                how = {"textcoords": "offset points", "fontsize": SMALL}
                panel.annotate(word, place, NAMES[word], **how)
        (w1, w2, b), x = outcome.line, np.array([-0.6, 2.4])
        panel.plot(x, -(w1 * x + b) / w2, "k-")
        panel.set(
            title=f"{name}: s({UNSEEN}) = {outcome.unseen:.1f}",
            xlim=(-0.6, 2.6),
            ylim=(-1.2, 3.2),
            xlabel="x₁",
            ylabel="x₂",
        )
    return figure


if __name__ == "__main__":
    run(__name__)
