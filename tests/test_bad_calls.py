"""Bad arguments of public functions, row by row: the errors are worded as a person needs them."""

import math
from functools import partial

import pytest

from micrograd import Value
from micrograd.expressions import load, parse, point, read
from micrograd.files import atomic_write, read_bytes
from micrograd.ner.model.config import Config, Training, defaults
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll, schemes
from micrograd.nn import MLP
from micrograd.nn.vectors import read_vectors
from micrograd.render import render
from micrograd.stepper import page, save_page, trace
from micrograd.stepper.terminal import Walkthrough
from micrograd.training.history import History
from tests.bad_inputs import STOCK, write_files

NO_WHOLE = (math.nan, math.inf, 2.5, "3", None, True, [])
NO_NUMBER = (math.nan, math.inf, "1", None, [], 1j)
NO_FLAG = (math.nan, "no", None, 2, [])
NO_TEXT = (math.nan, 3, None, True, [], b"x")
CONFIG = {
    **dict.fromkeys(("hidden", "rare", "corrupt", "min_count", "width", "dim"), NO_WHOLE),
    **dict.fromkeys(("delta", "dropout"), NO_NUMBER),
    **dict.fromkeys(("average", "viterbi", "lower", "fold_digits", "frozen"), NO_FLAG),
    **dict.fromkeys(("kind", "loss", "label", "scheme", "activation", "sampler"), NO_TEXT),
    "features": ("case", None, 3, [3], {"case": 1}),
}
TRAINING = {
    **dict.fromkeys(("epochs", "batch", "patience", "seed"), (*NO_WHOLE, -1)),
    **dict.fromkeys(("optimizer", "schedule", "engine"), NO_TEXT),
    "rate": NO_NUMBER,
}
X = Value(2.0, label="x")
Y = X * X + 1
ROWS = {
    "parse a number": (lambda: parse(3, {}), "is no text"),
    "parse None": (lambda: parse(None, {}), "is no text"),
    "parse a Value": (lambda: parse(Y, {}), "is no text"),
    "read a list": (lambda: read(["x"], {}), "is no text"),
    "point of a dict": (lambda: point({"x": 1}), "is no text"),
    "point of nan": (lambda: point("x=nan"), "is not finite"),
    "parse, deep": (lambda: parse("(" * 400 + "x" + ")" * 400, {"x": 1}), "nested too deeply"),
    "parse, long": (lambda: parse("+".join("x" * 20_000), {"x": 1}), "nested too deeply"),
    "parse, very long": (lambda: parse("x y " * 150, {"x": 1}), "cannot read"),
    "parse a zero byte": (lambda: parse("x\0", {"x": 1}), "cannot read"),
    "parse half a character": (lambda: parse("\ud800", {}), "cannot read"),
    "load a folder": (lambda: load("folder", "x"), "this is a folder"),
    "load nothing": (lambda: load("nowhere.py", "x"), "there is no such file"),
    "load a zero byte": (lambda: load("a\0.py", "x"), "zero byte"),
    "write to nowhere": (lambda: atomic_write("nowhere/x", ""), "there is no folder nowhere"),
    "write to a folder": (lambda: atomic_write("folder", ""), "this is a folder"),
    "write to ''": (lambda: atomic_write("", ""), "'': this is a folder"),
    "write a zero byte": (lambda: atomic_write("a\0", ""), "zero byte"),
    "write a long name": (lambda: atomic_write("x" * 999, ""), "the name is too long"),
    "write below a file": (lambda: atomic_write("notes.txt/x", ""), "is a file, not a folder"),
    "read a long name": (lambda: read_bytes("x" * 999), "the name is too long"),
    "read None": (lambda: read_bytes(None), "give the name of a file, not None"),
    "read a number": (lambda: read_bytes(3), "give the name of a file, not 3"),
    "write None": (lambda: atomic_write(None, ""), "give the name of a file, not None"),
    "read nothing": (lambda: read_bytes("nowhere"), "there is no such file"),
    "draw a number": (lambda: render(3.0), "give the Value"),
    "draw None": (lambda: render(None), "give the Value"),
    "draw a list": (lambda: render([Y]), "give the Value"),
    "draw in no mode": (lambda: render(Y, "prop"), "there is no mode 'prop'"),
    "draw at no level": (lambda: render(Y, level="word"), "there is no level 'word'"),
    "draw at a level that is not named": (lambda: render(Y, level="word"), "parts, network"),
    "unfold one text": (lambda: render(Y, unfolded="layer"), "such as ['layer 0'], not 'layer'"),
    "unfold numbers": (lambda: render(Y, unfolded=[3]), "such as ['layer 0'], not [3]"),
    "unfold a number": (lambda: render(Y, unfolded=3), "such as ['layer 0'], not 3"),
    "draw in no format": (lambda: render(Y).to("bmp"), "there is no format 'bmp'; give one of svg"),
    "save in no format": (lambda: render(Y).save("x.svg", "bmp"), "there is no format 'bmp'"),
    "a title that is a number": (lambda: page(Y, 5), "a title is a text"),
    "a title in French": (lambda: page(Y, {"fr": "y"}), "has one for 'en' at least"),
    "steps in French": (lambda: trace(Y, language="fr"), "there is no language 'fr'"),
    "steps in a French terminal": (lambda: Walkthrough(Y, "fr"), "there is no language 'fr'"),
    "draw in no layout": (lambda: render(Y, layout="neato"), "there is no layout 'neato'"),
    "save as .bmp": (lambda: render(Y).save("x.bmp"), "the ending must be one of"),
    "save as nothing": (lambda: render(Y).save("x"), "the ending must be one of"),
    "save to nowhere": (lambda: render(Y).save("nowhere/x.svg"), "there is no folder nowhere"),
    "page to nowhere": (lambda: save_page(Y, "nowhere/x.html"), "there is no folder nowhere"),
    "page of a number": (lambda: page(3.0), "Value"),
    "steps of a number": (lambda: Walkthrough(3.0), "Value"),
    "plot nothing": (lambda: History().plot(), "the history is empty"),
    "plot as .xyz": (lambda: HISTORY.plot("x.xyz"), "a plot is written as"),
    "csv to nowhere": (lambda: HISTORY.save_csv("nowhere/x.csv"), "there is no folder nowhere"),
    "no column": (lambda: HISTORY["los"], "there is no column 'los'"),
    "even width": (lambda: Config(width=4), "it must be odd"),
    "no dim": (lambda: Config(dim=0), "is 1 or more"),
    "negative margin": (lambda: Config(delta=-1.0), "below 0"),
    "no activation": (lambda: Config(activation="gelu"), "unknown activation"),
    "no scheme": (lambda: Config(scheme="IO"), "expected one of BIO, BIOES"),
    "no epochs": (lambda: Training(epochs=0), "is 1 or more"),
    "no model": (lambda: defaults("crf"), "unknown model 'crf'"),
    "no tagger": (lambda: Tagger.load("notes.txt"), "no saved state"),
    "tag None": (lambda: Tagger().tag(None), "what is tagged is text, not None"),
    "tag words": (lambda: Tagger().tag(["Oslo"]), "what is tagged is text, not ['Oslo']"),
    "tag untrained": (lambda: Tagger().tag("Oslo"), "not trained: fit it, or load one"),
    "tag above 1": (lambda: Tagger().tag("Oslo", 2), "threshold is from 0 to 1, not 2"),
    "tag above nan": (lambda: Tagger().analyse([], math.nan), "a finite number, not nan"),
    "tag nothing": (lambda: conll.read("empty.txt"), "no token in it"),
    "read a model": (lambda: conll.read("model.npz"), "an archive or a saved model"),
    "read no file": (lambda: conll.read("nowhere"), "there is no such file"),
    "read no encoding": (lambda: conll.read("train.conll", encoding="x"), "unknown encoding"),
    "read base64": (lambda: conll.read("train.conll", encoding="base64"), "unknown encoding"),
    "read undefined": (lambda: conll.read("train.conll", encoding="undefined"), "unknown encoding"),
    "read no column": (lambda: conll.read("train.conll", word_column=9), "no word column 9"),
    "write no folder": (lambda: conll.write(conll.parse("a O"), "no/x"), "there is no folder no"),
    "no tag": (lambda: schemes.split_tag("LOC"), "unknown tag 'LOC'"),
    "no such scheme": (lambda: schemes.convert(["B-X"], "BILOU"), "unknown tag scheme"),
    "no vectors": (lambda: read_vectors("nowhere", ["a"]), "there is no such file"),
    "empty vectors": (lambda: read_vectors("empty.txt", ["a"]), "no word vectors"),
    "bad vectors": (lambda: read_vectors("badvectors.txt", ["Oslo"]), "badvectors.txt:2"),
    "vector folder": (lambda: read_vectors("folder", ["a"]), "this is a folder"),
    "log of 0": (lambda: Value(0.0).log(), "needs x > 0"),
    "root of -1": (lambda: Value(-1.0).sqrt(), "needs x >= 0"),
    "1 / 0": (lambda: 1 / Value(0.0), "a divisor other than 0"),
    "exp of 1000": (lambda: Value(1000.0).exp(), "below 709.8"),
    "short input": (lambda: MLP(3, [1])([1.0]), "3"),
}
ROWS |= {
    f"{kind.__name__} {name}={value!r}": (partial(kind, **{name: value}), f"{name} ")
    for kind, names in ((Config, CONFIG), (Training, TRAINING))
    for name, values in names.items()
    for value in values
}
HISTORY = History([{"epoch": 1, "loss": math.e}, {"epoch": 2, "loss": 1.0}])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Give a folder with the files that the rows name."""
    folder = tmp_path_factory.mktemp("bad")
    write_files(folder)
    return folder


@pytest.mark.parametrize(("call", "part"), ROWS.values(), ids=ROWS)
def test_bad_call(folder, monkeypatch, call, part):
    monkeypatch.chdir(folder)
    with pytest.raises((ValueError, TypeError, OSError, KeyError)) as caught:
        call()
    message = str(caught.value)
    assert part in message and not STOCK.search(message)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
