"""The picture a training run leaves behind: the graph of one sample of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from micrograd.engine import Value, topological_order
from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE
from micrograd.ner.judging.evaluation import true_mask
from micrograd.ner.model.features import Ids
from micrograd.ner.model.losses import Target
from micrograd.ner.model.windows import Windows
from micrograd.ner.text import schemes
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training.engines import Batch, ScalarEngine
from micrograd.render.numerals import shown
from micrograd.stepper.tokens import Sentence as Line

if TYPE_CHECKING:
    from micrograd.ner.tagger import Tagger

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
        loss = f" = {shown(self.loss.data)}"
        if self.pair:
            formula = f"J = max(0, Δ + s_c − s){loss}"
            return {
                "en": f"True against corrupt window: {formula}",
                "zh": f"真窗口与假窗口：{formula}",
            }
        return {"en": f"The loss of one sample: J{loss}", "zh": f"一个样本的损失：J{loss}"}

    def scores(self) -> list[str]:
        """Say the score of every window of a pair and its gradient."""
        if not self.pair:
            return [""] * len(self.windows)
        return [
            f"{s.label} = {shown(s.data)}, ∂J/∂{s.label} = {_signed(s.grad)}" for s in self.pair
        ]


def _signed(x: float) -> str:
    return f"+{shown(x)}" if x > 0 else shown(x)


def example(tagger: Tagger, sentences: Sequence[Sentence]) -> Example:
    """Record the loss of one sample of the model, and its backward pass.

    The margin scorer's is the lectures' pair, "Museums in Paris are amazing" against "Not all
    museums in Paris". Where the model keeps its margin there, and so sends nothing back, the
    corrupt window is the one of highest score in `sentences`, and the true one, if need be, that
    of lowest. A classifier's is one window, a sequence model's a short sentence.
    """
    samples = _pairs(tagger, sentences) if tagger.label else iter([_classified(tagger)])
    tried: list[Example] = []
    for title, windows, target in samples:
        lines, ids = zip(*windows)
        loss = _recorded(tagger, Batch(np.stack(ids), target))
        tried.append(Example(title, list(lines), loss))
        if tried[-1].loss.data > 0:
            break
    best = next((one for one in tried if one.loss.data > 0), tried[0])
    best.loss.backward()
    return best


def _recorded(tagger: Tagger, batch: Batch) -> Value:
    names = {table: forms.words for table, forms in tagger.vocabularies.items()}
    return ScalarEngine(tagger.config, tagger.moves).record(tagger.arrays, batch, names)


Window = tuple[Line, Ids]  # without the pads, as a person reads it, and with them
Sample = tuple[str, list[Window], Target]


def _pairs(tagger: Tagger, sentences: Sequence[Sentence]) -> Iterator[Sample]:
    true, corrupt = (
        _window([sentence], tagger.windows([sentence]), len(sentence.words) // 2)
        for sentence in (TRUE_SENTENCE, CORRUPT_SENTENCE)
    )
    yield _pair(true, corrupt)
    low, high = _hardest(tagger, sentences)
    yield _pair(true, high)
    yield _pair(low, high)


def _pair(true: Window, corrupt: Window) -> Sample:
    lines = true[0]._replace(name="s"), corrupt[0]._replace(role="corrupt", name="s_c")
    title = " against ".join(map(_said, lines))
    windows = [(lines[0], true[1]), (lines[1], corrupt[1])]
    return title, windows, Target(np.zeros(0, np.int64), [])


def _said(window: Line) -> str:
    return f"{window.words[window.centre]!r} in {' '.join(window.words)!r}"


def _classified(tagger: Tagger) -> Sample:
    sequence = tagger.config.kind == "sequence"
    sentence = SHORT if sequence else TRUE_SENTENCE
    places = range(len(sentence.words)) if sequence else [len(sentence.words) // 2]
    cut = tagger.windows([sentence])
    windows = [_window([sentence], cut, place) for place in places]
    written = schemes.convert(sentence.tags, tagger.config.scheme)
    tags = [tagger.labels.index(written[p]) if written[p] in tagger.labels else 0 for p in places]
    title = f"the sentence {' '.join(sentence.words)!r}" if sequence else _said(windows[0][0])
    return title, windows, Target(np.array(tags), [len(tags)])


def _window(sentences: Sequence[Sentence], cut: Windows, number: int) -> Window:
    words = [word for sentence in sentences for word in sentence.words]
    places = [place for place in cut.places[number].tolist() if place < len(words)]
    line = Line("true", "", [words[place] for place in places], places.index(number))
    return line, cut.rows(number)


def _hardest(tagger: Tagger, sentences: Sequence[Sentence]) -> tuple[Window, Window]:
    """Choose the true window of lowest score and the false one of highest."""
    cut = tagger.windows(sentences)
    scores, true = tagger.outputs(cut)[:, 0], true_mask(sentences, tagger.config.label)
    low = int(np.where(true, scores, np.inf).argmin())
    high = int(np.where(true, -np.inf, scores).argmax())
    return _window(sentences, cut, low), _window(sentences, cut, high)


def write_example(
    tagger: Tagger, sentences: Sequence[Sentence], folder: Path, say: Callable[[str], None]
) -> Example | None:
    """Write the picture and the step-through page of one sample, pair.svg and pair.html."""
    weights = tagger.arrays["W"].size
    if weights > LARGEST:
        say(
            f"no picture of the graph: {weights:,} weights are too many to draw "
            f"(up to {LARGEST:,} are drawn; train a smaller model to see one)"
        )
        return None
    from micrograd.lowering import lower
    from micrograd.render import render
    from micrograd.stepper import save_page

    chosen = example(tagger, sentences)
    say(f"the graph that is drawn: {chosen.title}, J = {shown(chosen.loss.data)}")
    render(chosen.loss).save(folder / "pair.svg")
    program = lower(chosen.loss)
    save_page(
        chosen.loss,
        folder / "pair.html",
        chosen.heading(),
        program=program,
        sentences=chosen.windows,
    )
    return chosen
