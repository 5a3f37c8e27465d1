"""BIO on the notes' sentence, and what makes names hard, tagged by a trained model (L11, L33).

B-X begins an entity of the type X, I-X goes on with it, O is outside. Hard are: where an entity
begins (First National Bank), whether it is one (Future School), names that are new (Zig Ziglar), and
types that the context decides (Charles Schwab, Paris Hilton). The window softmax classifier is
trained on the package's corpus, which these sentences are not in, and tags them; F1 = 2PR / (P + R):

    python demos/tagged_sentence.py tagged_sentence.svg
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stage import claim, run, say, t, table

from micrograd.ner import Sentence, Tagger, defaults, shipped

NOTES = Sentence(
    ["Foreign", "Ministry", "spokesman", "Shen", "Guofang", "told", "Reuters", "that"],
    ["B-ORG", "I-ORG", "O", "B-PER", "I-PER", "O", "B-ORG", "O"],
)
HARD = {
    "boundary": Sentence(
        ["First", "National", "Bank", "donates", "2", "vans", "to", "Future", "School", "."],
        ["B-ORG", "I-ORG", "I-ORG", "O", "O", "O", "O", "B-ORG", "I-ORG", "O"],
    ),
    "unseen": Sentence(
        ["To", "find", "out", "more", "about", "Zig", "Ziglar", ",", "read", "on", "."],
        ["O", "O", "O", "O", "O", "B-PER", "I-PER", "O", "O", "O", "O"],
    ),
    "type": Sentence(
        ["where", "Larry", "Ellison", "and", "Charles", "Schwab", "can", "live", "discreetly"],
        ["O", "B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "O", "O"],
    ),
    "place or person": Sentence(
        ["Paris", "Hilton", "flew", "from", "Paris", "to", "Paris", ",", "Texas", "."],
        ["B-PER", "I-PER", "O", "O", "B-LOC", "O", "B-LOC", "O", "B-LOC", "O"],
    ),
}
OPPOSITES = {
    "to sanction": ("to permit", "to punish"),
    "to seed": ("to place seeds", "to remove seeds"),
}
FIGURE = (
    "The notes' sentence and four hard ones: true tags above, the model's below",
    "讲义中的句子与四个难例：上为正确标签，下为模型标签",
)


class Measured(NamedTuple):
    """The sentences, the model's tags for them, and F1 on the test set."""

    sentences: list[Sentence]
    tags: list[list[str]]
    f1: float
    seen: set[str]

    @property
    def right(self) -> float:
        """Return the share of the words of the hard sentences that are tagged right."""
        hard = zip(self.sentences[1:], self.tags[1:])
        pairs = [(a, b) for s, tags in hard for a, b in zip(s.tags, tags)]
        return sum(a == b for a, b in pairs) / len(pairs)

    @property
    def whole(self) -> int:
        """Return how many of the hard sentences have every tag right."""
        pairs = zip(self.sentences[1:], self.tags[1:])
        return sum(list(s.tags) == tags for s, tags in pairs)


def measure(seed: int = 0) -> Measured:
    """Train the classifier for four epochs, and tag."""
    corpus = shipped()
    config, training = defaults("softmax", hidden=50, epochs=4, seed=seed)
    tagger = Tagger(config)
    tagger.fit(corpus.train.sentences, corpus.dev.sentences, training)
    sentences = [NOTES, *HARD.values()]
    f1 = tagger.evaluate(corpus.test.sentences).entities.overall.f1
    seen = {word for sentence in corpus.train.sentences for word in sentence.words}
    return Measured(sentences, tagger.predict(sentences), f1, seen)


def show(r: Measured) -> None:
    """Print each sentence with both rows of tags."""
    true, ours = t("true", "正确"), t("model", "模型")
    for sentence, tags in zip(r.sentences, r.tags):
        table(["", *sentence.words], [true, *sentence.tags], [ours, *tags], left=99)
    for verb, (one, other) in OPPOSITES.items():
        say(
            t(
                f"“{verb}” means {one}, or {other}: the window decides",
                f"“{verb}” 可以是 {one}，也可以是 {other}：由窗口决定",
            )
        )


@claim("Zig Ziglar is in no sentence of the training set.", "训练集的任何句子里都没有 Zig Ziglar。")
def the_name_is_unseen(r: Measured) -> bool:
    return not {"Zig", "Ziglar"} & r.seen


@claim(
    "On its test set the model reaches an F1 of {r.f1:.0f}; of the 4 hard sentences it tags "
    "{r.whole} without a mistake, and {r.right:.0%} of all their words right.",
    "模型在测试集上的 F1 为 {r.f1:.0f}；4 个难句中有 {r.whole} 句全部标对，这 4 句的词中标对 {r.right:.0%}。",
)
def hard_sentences_are_measured(r: Measured) -> bool:
    return r.f1 > 40 and 0.5 < r.right <= 1 and len(r.sentences) == 5


def draw(r: Measured) -> Any:
    """Write the sentences with their tags, the wrong ones boxed."""
    from figures import BLUE, ORANGE, SMALL, panels

    figure, axes = panels(1, len(r.sentences))
    for panel, sentence, tags in zip(axes, r.sentences, r.tags):
        panel.set_axis_off()
        panel.set(xlim=(0, 90), ylim=(0, 3))
        at = 0
        for word, true, tag in zip(sentence.words, sentence.tags, tags):
            panel.text(at, 2.2, word)
            panel.text(at, 1.2, true, color=BLUE, fontsize=SMALL)
            box = {} if tag == true else {"bbox": {"edgecolor": ORANGE, "facecolor": "none"}}
            panel.text(at, 0.2, tag, color=ORANGE, fontsize=SMALL, **box)
            at += max(len(word), 6) + 2
    axes[0].set_title(
        t(
            "blue: true tags · orange: the model's, boxed where wrong",
            "蓝：正确标签 · 橙：模型标签，加框为错",
        )
    )
    return figure


if __name__ == "__main__":
    run(__name__)
