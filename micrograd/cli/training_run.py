"""What `micrograd train` does: read, train, report, and write everything into a folder."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from micrograd.cli.reading import only_in, quoted, rename_types
from micrograd.files import atomic_write, check_place
from micrograd.ner import corpus
from micrograd.ner.judging import evaluation
from micrograd.ner.model.config import Config, Training
from micrograd.ner.showing import report
from micrograd.ner.showing.entities import marked
from micrograd.ner.showing.page import Run, learning_curve, report_page
from micrograd.ner.showing.pictures import write_example
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll
from micrograd.ner.text.sentence import Corpus, types_in
from micrograd.printing import counted, printable
from micrograd.training import Interrupted
from micrograd.training.history import History

EXAMPLES = (
    "Museums in Paris are amazing. Not all museums in Paris. Paris Hilton flew from Oaxaca to "
    "Washington. Jordan grew up in Jordan, near the border with Syria."
)
PICTURES = ("pair.svg", "pair.html")
WRITTEN = [
    "model.npz",
    "history.csv",
    *PICTURES,
    "learning-curve.svg",
    "errors.csv",
    "report.html",
]


class Session:
    """The corpora, the tagger and the folder of one run."""

    def __init__(self, splits: corpus.Splits, options: argparse.Namespace) -> None:
        self.train, self.dev, self.test = splits
        self.options = options
        self.folder = Path(options.out)
        self.console = Console(highlight=False, emoji=False)

    @classmethod
    def open(cls, options: argparse.Namespace) -> Session:
        """Read the files that were named, or the corpus that ships; write nothing yet."""
        if not options.train and (options.dev or options.test):
            raise ValueError("--dev or --test without TRAIN: name the file to train on too")
        return cls(corpus.shipped() if not options.train else _read(options), options)

    def run(self, config: Config, training: Training) -> bool:
        """Train and report; return whether training came to its end."""
        self._describe()
        tagger = Tagger(config)
        made = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        checkpoint = self.folder / "checkpoint.npz"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in WRITTEN:  # before minutes of training, not after
                check_place(self.folder / name)
            if self.options.resume and not checkpoint.exists():
                self._say(f"no checkpoint in {self.folder}: training starts afresh")
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
            where = str(stopped).partition(";")[0]  # behind it is what fit would be given
            self._say(f"{where}; go on with the same command and --resume")
            return False
        except BaseException:  # a second Ctrl-C too
            for folder in made:
                with suppress(OSError):  # the checkpoint is in it
                    folder.rmdir()
            raise
        tagger.save(self.folder / "model.npz")
        history.save_csv(self.folder / "history.csv")
        self._report(tagger, history)
        checkpoint.unlink(missing_ok=True)  # not before what it led to is safe
        return True

    def _say(self, text: str) -> None:
        self.console.print(printable(text), soft_wrap=True, markup=False)

    def _describe(self) -> None:
        for part in dict.fromkeys((self.train, self.dev, self.test)):
            self._say(part.describe())
        known = {tuple(sentence.words) for sentence in self.train}
        for part in dict.fromkeys((self.dev, self.test)):
            seen = sum(tuple(sentence.words) in known for sentence in part)
            if 2 * seen > len(part):
                self._say(
                    f"{seen:,} of the {counted(len(part), 'sentence')} of {part.path} are trained "
                    "on too; its scores say little about other texts"
                )
        held_out = self.options.train and self.options.dev is None
        for part in dict.fromkeys((self.dev, self.test)):
            if held_out and part is self.dev:
                continue  # its types are spelled alike: there is nothing to rename
            mine, theirs = ((one.path, types_in(one)) for one in (self.train, part))
            for line in (*only_in(*mine, *theirs), *only_in(*theirs, *mine)):
                self._say(line)
        if held_out:
            self._say(
                f"no --dev: every {corpus.HELD_OUT}th part of the training file was held out for it"
            )
        if self.test is self.dev:
            self._say("no --test: the report is on dev, on which the model was also chosen")

    def _report(self, tagger: Tagger, history: History) -> None:
        test = self.test.sentences
        result = tagger.evaluate(test)
        rows = evaluation.baselines(self.train.sentences, test, tagger.label)
        title = f"{tagger.label or 'All types'} in {self.test.path}"
        self._say(f"{title}:")
        report.print_evaluation(result, rows, self.console)
        report.print_errors(result.errors, self.console)
        found = tagger.tag(EXAMPLES)
        self._say("\nSome sentences, tagged:")
        self.console.print(marked(EXAMPLES, found), soft_wrap=True)
        sample = write_example(tagger, test, self.folder, self._say)
        page = report_page(Run(title, result, rows, history, EXAMPLES, found, sample))
        written = {
            "learning-curve.svg": learning_curve(history),
            "errors.csv": report.errors_csv(result.errors),
            "report.html": page,
        }
        for file, content in written.items():
            atomic_write(self.folder / file, content)
        for name in () if sample else PICTURES:
            if (self.folder / name).exists():  # of another model, trained here before
                (self.folder / name).unlink()
                self._say(f"removed {self.folder / name}, which an earlier model left here")
        names = [name for name in WRITTEN if sample or name not in PICTURES]
        self._say("Written: " + ", ".join(str(self.folder / name) for name in names))
        self._say(f"Use it:  micrograd tag {quoted(str(self.folder / 'model.npz'))} < text")
        self._say(f"See it:  {self.folder / 'report.html'}")


def _read(options: argparse.Namespace) -> corpus.Splits:
    def read(path: str) -> Corpus:
        return conll.read(
            path,
            encoding=options.encoding,
            word_column=options.word_column,
            tag_column=options.tag_column,
            repair=options.repair,
            tags=options.tags,
        )

    parts = [read(path) for path in options.train]
    others = [read(path) for path in (options.dev, options.test) if path is not None]
    rename_types([*parts, *others], options)
    train = corpus.together(parts)
    train, dev = corpus.hold_out(train) if options.dev is None else (train, others[0])
    return corpus.Splits(train, dev, dev if options.test is None else others[-1])
