"""The picture a training run leaves behind: the graph of one sample of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from micrograd.engine import Value, topological_order
from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE
from micrograd.ner.judging.ranking import true_mask
from micrograd.ner.model.losses import Target
from micrograd.ner.model.windows import Windows
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.engines import Batch, ScalarEngine
from micrograd.ner.training.sampling import own_tags
from micrograd.ner.window_model import WindowModel
from micrograd.render.numerals import shown
from micrograd.stepper.tokens import Sentence as Line

LARGEST = 3_000  # weights
SHORT = Sentence(["in", "Paris", "."], ["O", "B-LOC", "O"])


class Example(NamedTuple):
    """One sample whose graph is drawn, both passes done: its windows, and its loss J."""

    title: str
    windows: list[Line]
    loss: Value

    @property
    def pair(self) -> tuple[Value, ...]:
        """Give the scores s and s_c of a true and a corrupt window; nothing of other samples."""
        named = {value.label: value for value in topological_order(self.loss)}
        return (named["s"], named["s_c"]) if {"s", "s_c"} <= named.keys() else ()

    def heading(self) -> dict[str, str]:
        """Say in both languages what the page steps through."""
        loss = shown(self.loss.data)
        if self.pair:
            J = f"J = max(0, Δ + s_c − s) = {loss}"
            return {"en": f"True against corrupt window: {J}", "zh": f"真窗口与假窗口：{J}"}
        return {"en": f"The loss of one sample: J = {loss}", "zh": f"一个样本的损失：J = {loss}"}

    def scores(self) -> list[str]:
        """Say the score of every window of a pair and its gradient."""
        if not self.pair:
            return [""] * len(self.windows)
        return [
            f"{s.label} = {shown(s.data)}, ∂J/∂{s.label} = {'+' * (s.grad > 0)}{shown(s.grad)}"
            for s in self.pair
        ]


def example(tagger: WindowModel, sentences: Sequence[Sentence]) -> Example | None:
    """Record the loss of one sample of the model, and its backward pass; None where there is none.

    That of a scorer of LOC is the lectures' pair, "Museums in Paris are amazing" against "Not all
    museums in Paris". Where the model keeps its margin there, and so sends nothing back, the
    corrupt window is the one of highest score in `sentences`, and the true one, if need be or for
    another type, that of lowest. A classifier's is a window, a sequence model's a short sentence.
    """
    corpus = [SHORT if tagger.config.kind == "sequence" else TRUE_SENTENCE]
    if tagger.label:
        corpus += [CORRUPT_SENTENCE, *sentences]
    cut = tagger.windows(corpus)
    tried = (_recorded(tagger, corpus, cut, tokens) for tokens in _samples(tagger, corpus, cut))
    first = next(tried, None)
    best = next((one for one in chain([first], tried) if one and one.loss.data > 0), first)
    if best:
        best.loss.backward()
    return best


def _samples(tagger: WindowModel, corpus: Sequence[Sentence], cut: Windows) -> Iterator[list[int]]:
    """Give the tokens of samples: of pairs the lectures', then those with the hardest windows."""
    if not tagger.label:
        yield list(range(len(cut))) if tagger.config.kind == "sequence" else [len(cut) // 2]
        return
    first, second, *_ = cut.lengths
    scores, names = tagger.outputs(cut)[:, 0], true_mask(corpus, tagger.label)
    others = np.arange(len(cut)) >= first + second
    low = int(np.where(others & names, scores, np.inf).argmin())
    high = int(np.where(others & ~names, scores, -np.inf).argmax())
    if names[true := first // 2]:
        yield from ([true, first + second // 2], [true, high])
    if names[others].any():
        yield [low, high]


def _recorded(
    tagger: WindowModel, corpus: Sequence[Sentence], cut: Windows, tokens: list[int]
) -> Example:
    lines, target = [_line(corpus, cut, token) for token in tokens], Target()
    title = " against ".join(f"{x.words[x.centre]!r} in {' '.join(x.words)!r}" for x in lines)
    if tagger.label:
        lines = [lines[0]._replace(name="s"), lines[1]._replace(role="corrupt", name="s_c")]
    else:
        own, labels = own_tags(tagger, corpus[0]), tagger.labels
        tags = [labels.index(own[token]) if own[token] in labels else 0 for token in tokens]
        target = Target(np.array(tags), [len(tags)])
    if tagger.config.kind == "sequence":
        title = f"the sentence {' '.join(corpus[0].words)!r}"
    names = {table: forms.words for table, forms in tagger.vocabularies.items()}
    engine, batch = ScalarEngine(tagger.config, tagger.moves), Batch(cut.rows(tokens), target)
    return Example(title, lines, engine.record(tagger.arrays, batch, names))


def _line(corpus: Sequence[Sentence], cut: Windows, token: int) -> Line:
    """Give a window without its pads, as a person reads it."""
    words = [word for sentence in corpus for word in sentence.words]
    places = [place for place in cut.places[token].tolist() if place < len(words)]
    return Line("true", "", [words[place] for place in places], places.index(token))


def write_example(
    tagger: WindowModel, sentences: Sequence[Sentence], folder: Path, say: Callable[[str], None]
) -> Example | None:
    """Write the picture and the step-through page of one sample, pair.svg and pair.html."""
    why, weights = f"the sentences have no {tagger.label}", tagger.arrays["W"].size
    if weights > LARGEST:
        remedy = f"up to {LARGEST:,} are drawn; train a smaller model to see one"
        why = f"{weights:,} weights are too many to draw ({remedy})"
    if weights > LARGEST or not (chosen := example(tagger, sentences)):
        say(f"no picture of the graph: {why}")
        return None
    from micrograd.lowering import lower
    from micrograd.render import render
    from micrograd.stepper import save_page

    say(f"the graph that is drawn: {chosen.title}, J = {shown(chosen.loss.data)}")
    render(chosen.loss).save(folder / "pair.svg")
    save_page(
        chosen.loss,
        folder / "pair.html",
        chosen.heading(),
        program=lower(chosen.loss),
        sentences=chosen.windows,
    )
    return chosen
