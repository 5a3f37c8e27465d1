"""One run of `micrograd train`: read, train, report, and write everything into a folder."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from micrograd.ner.judging import evaluation, report
from micrograd.ner.judging.page import terminal
from micrograd.ner.judging.pictures import write_example
from micrograd.ner.model.config import Config, Training
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll, corpus, tokens
from micrograd.ner.text.sentence import Corpus, Sentence
from micrograd.ner.training.fitting import check_tags
from micrograd.training import Interrupted
from micrograd.training.history import History

EXAMPLES = (
    "Museums in Paris are amazing. Not all museums in Paris. Paris Hilton flew from Oaxaca to "
    "Washington. Jordan grew up in Jordan, near the border with Syria."
)
HELD_OUT = 10


class Session:
    """The corpora, the tagger and the folder of one run."""

    def __init__(self, splits: corpus.Splits, options: argparse.Namespace) -> None:
        self.train, self.dev, self.test = splits
        self.options = options
        self.folder = Path(options.out)
        self.console = Console(highlight=False)

    @classmethod
    def open(cls, options: argparse.Namespace) -> Session:
        """Read the files that were named, or the corpus that ships; write nothing yet."""
        if options.train is None and (options.dev or options.test):
            raise ValueError("--dev or --test without TRAIN: name the file to train on too")
        return cls(corpus.shipped() if options.train is None else _read(options), options)

    def run(self, config: Config, training: Training) -> bool:
        """Train and report; return whether training came to its end."""
        self._describe()
        tagger = Tagger(config)
        check_tags(self.train.sentences, self.dev.sentences, tagger.label)
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoint = self.folder / "checkpoint.npz"
        try:
            history = tagger.fit(
                self.train.sentences,
                self.dev.sentences,
                training,
                pretrained=self.options.vectors,
                others=self.test.sentences,
                checkpoint=checkpoint,
                resume=self.options.resume,
                say=self._say,
                progress=True,
            )
        except Interrupted as stopped:
            self._say(f"{stopped}; or go on with the same command and --resume")
            return False
        checkpoint.unlink(missing_ok=True)
        self._report(tagger, self._write(tagger, history))
        return True

    def _write(self, tagger: Tagger, history: History) -> list[str]:
        """Write the model and the course of its training; return the names of the files."""
        tagger.save(self.folder / "model.npz")
        history.save_csv(self.folder / "history.csv")
        try:
            history.plot(self.folder / "learning-curve.svg")
        except ImportError as error:
            self._say(f"no learning curve: {error}")
            return ["model.npz", "history.csv"]
        return ["model.npz", "history.csv", "learning-curve.svg"]

    def _say(self, text: str) -> None:
        self.console.print(text, soft_wrap=True, markup=False)

    def _describe(self) -> None:
        for part in dict.fromkeys((self.train, self.dev, self.test)):
            self._say(part.describe())
        if self.options.train is not None and self.options.dev is None:
            self._say(f"no --dev: every {HELD_OUT}th part of the training file was held out for it")
        if self.test is self.dev:
            self._say("no --test: the report is on dev, on which the model was also chosen")

    def _report(self, tagger: Tagger, written: list[str]) -> None:
        test = self.test.sentences
        result = tagger.evaluate(test)
        rows = evaluation.baselines(self.train.sentences, test, tagger.label)
        name = Path(self.test.path).name
        title = f"{tagger.label or 'All types'} in {name}: entities by conlleval's rules"
        report.print_evaluation(result, title, rows, self.console)
        report.print_errors(result.errors or (), name.split(" ")[0], self.console)
        self._examples(tagger)
        if write_example(tagger, test, self.folder, self._say):
            written = [*written, "pair.svg", "pair.html"]
        self._say("Written: " + ", ".join(str(self.folder / name) for name in written))
        self._say(f"Use it:  micrograd tag {self.folder / 'model.npz'} < text")

    def _examples(self, tagger: Tagger) -> None:
        sentences = tokens.sentences(EXAMPLES)
        self._say("\nSome sentences, tagged:")
        self.console.print(terminal(sentences, tagger.predict(sentences)), soft_wrap=True)


def _read(options: argparse.Namespace) -> corpus.Splits:
    def read(path: str) -> Corpus:
        return conll.read(
            path,
            encoding=options.encoding,
            word_column=options.word_column,
            tag_column=options.tag_column,
            repair=options.repair,
        )

    train = read(options.train)
    if options.dev is None:
        train, dev = hold_out(train)
    else:
        dev = read(options.dev)
    return corpus.Splits(train, dev, dev if options.test is None else read(options.test))


def hold_out(whole: Corpus) -> tuple[Corpus, Corpus]:
    """Split off every tenth document, or sentence where there are fewer than ten documents."""
    by_document = whole.documents >= HELD_OUT
    parts: tuple[list[Sentence], list[Sentence]] = ([], [])
    for number, sentence in enumerate(whole):
        unit = sentence.document if by_document else number
        parts[unit % HELD_OUT == HELD_OUT - 1].append(sentence)
    if not parts[1]:
        raise ValueError(
            f"{whole.path}: {len(whole)} sentences are too few to hold any out; name a --dev file"
        )
    train, dev = (_part(whole, sentences) for sentences in parts)
    return train, dev


def _part(whole: Corpus, sentences: Sequence[Sentence]) -> Corpus:
    return Corpus(list(sentences), whole.path, whole.scheme, whole.separator, whole.marked)
