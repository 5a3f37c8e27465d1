"""The three commands as a person calls them: results, files written, refusals, exit codes."""

import contextlib
import csv
import errno
import gzip
import io
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import ChainMap, Counter
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from micrograd import files, printing
from micrograd.cli import _parsers, main, tag
from micrograd.cli.training_run import PICTURES, WRITTEN
from micrograd.ner import corpus
from micrograd.ner.corpus import FOLDER
from micrograd.ner.judging import evaluation, scoring
from micrograd.ner.model.config import KINDS, defaults
from micrograd.ner.model.features import NAMES
from micrograd.ner.showing import report
from micrograd.ner.showing.page import ACTIVE
from micrograd.ner.tagger import Tagger
from micrograd.ner.text.sentence import Corpus, Sentence
from micrograd.printing import printable

ROOT = Path(__file__).parents[1]
TEXT = "Museums in Paris are amazing. Ann saw Oslo."
FAST = ["--epochs", "2", "--hidden", "6", "--dim", "4", "--case-dim", "3"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Train once on the shipped corpus; give the folder with the results."""
    folder = tmp_path_factory.mktemp("run") / "out"
    assert main(["train", "--out", str(folder), *FAST]) == 0
    return folder


def stdin(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))


def test_training_without_arguments_writes_everything(model):
    assert {path.name for path in model.iterdir()} == {*WRITTEN}
    head, *rows = (model / "history.csv").read_text().splitlines()
    assert head == "epoch,loss,active,dev_loss,dev_f1" and len(rows) == 2
    assert "true window" in (model / "pair.svg").read_text("utf-8")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_folder_in_the_place_of_a_result_is_refused_before_training(name, tmp_path, capsys):
    (tmp_path / name).mkdir()
    assert main(["train", "--out", str(tmp_path), *FAST]) == 2
    said = capsys.readouterr()
    assert printable(f"{tmp_path / name}: this is a folder; name a file") in said.err
    assert "epoch" not in said.out + said.err.replace("an epoch", "")


def test_the_learning_curve(model):
    picture = (model / "learning-curve.svg").read_text()
    assert picture.count("<polyline") == 4 and "kept" in picture and "loss on dev" in picture


def test_the_report_page(model):
    page = (model / "report.html").read_text("utf-8")
    for part in (
        "baseline: lexicon",
        "<polyline",
        "<mark",
        "∂J/∂s_c = +1",
        'class="centre"',
        ACTIVE,
    ):
        assert part in page, part
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "")
    assert '<div class="text" dir="auto">' in page  # words may run from right to left
    assert page.count("<li><bdi>") == page.count(": <bdi>LOC</bdi>, 0.") > 0


def test_the_page_of_a_classifier_shows_its_window(tmp_path):
    arguments = ["train", "--out", str(tmp_path), "--model", "softmax", "--features", "case"]
    assert main([*arguments, *FAST]) == 0
    assert (tmp_path / "report.html").read_text("utf-8").count('<p class="window true">') == 1


def test_the_report(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path), "--corrupt", "1", *FAST]) == 0
    out = capsys.readouterr().out
    for part in (
        "read as BIO",
        "LOC in test.conll of the package",
        "baseline: lexicon",
        "Hardest errors",
        "Museums in",
        f"Written: {tmp_path / 'model.npz'}, {tmp_path / 'history.csv'}, {tmp_path / 'pair.svg'}",
        "micrograd tag",
    ):
        assert printable(part) in out, part


CHOSEN = [  # options, the field of the configuration they set, and what it becomes
    ("--features prefix,case", "features", ("prefix", "case")),
    ("--features none", "features", ()),
    ("--type PER", "label", "PER"),
    ("--width 99", "width", 99),
    ("--affix-dim 4 --features suffix", "affix_dim", 4),
    ("--dropout 0", "dropout", 0.0),
    ("--rare 2", "rare", 2),
    ("--activation relu", "activation", "relu"),
    ("--average", "average", True),
    ("--delta 0.5", "delta", 0.5),
    ("--corrupt 2", "corrupt", 2),
    ("--sampler word", "sampler", "word"),
    ("--min-count 3", "min_count", 3),
    ("--keep-case", "lower", False),
    ("--keep-digits", "fold_digits", False),
    ("--freeze", "frozen", True),
    ("--model softmax --scheme BIO", "scheme", "BIO"),
    ("--model sequence --loss likelihood", "loss", "likelihood"),
    ("--model multiclass --plain", "viterbi", False),
    ("--engine scalar", "engine", "scalar"),
    ("--epochs ' 7'", "epochs", 7),
    ("--patience 2", "patience", 2),
    ("--batch 9", "batch", 9),
    ("--optimizer adam", "optimizer", "adam"),
    ("--rate 0.3", "rate", 0.3),
    ("--schedule plateau", "schedule", "plateau"),
    ("--seed 4", "seed", 4),
]


@pytest.mark.parametrize(("options", "field", "value"), CHOSEN)
def test_options_reach_the_model_and_the_training(options, field, value, monkeypatch):
    seen = {}
    run = SimpleNamespace(run=lambda *both: [seen.update(vars(one)) for one in both])
    monkeypatch.setattr("micrograd.cli.training_run.Session.open", lambda options: run)
    assert main(["train", *shlex.split(options)]) == 0
    assert seen[field] == value


def test_the_help_names_the_defaults():
    """Behind the words, as (10; classifiers 50): what a model takes unless told."""
    chosen = {kind: dict(ChainMap(*map(asdict, defaults(kind)))) for kind in KINDS}
    found, told = {kind: {} for kind in KINDS}, {kind: {} for kind in KINDS}
    for action in _parsers()[1]["train"]._actions:
        ends = r"\(([^;()]+)(?:; classifiers ([^,()]+))?(?:, sequence (.+))?\)$"
        shown = re.search(ends, action.help)
        known = shown and action.dest in {*chosen["margin"]} - {"kind"}
        for kind in KINDS if known else ():
            margin, other, own = shown.groups()
            texts = {"margin": margin, "sequence": own or other or margin}
            told[kind][action.dest] = texts.get(kind, other or margin)
            value = chosen[kind][action.dest]
            value = "all" if value == NAMES else f"{value:g}" if isinstance(value, float) else value
            found[kind][action.dest] = ",".join(value) if isinstance(value, tuple) else str(value)
    assert found == told and len(told["margin"]) > 20


def test_own_files_and_a_classifier(tmp_path, capsys):
    arguments = [
        "train",
        str(FOLDER / "dev.conll"),
        "--out",
        str(tmp_path),
        "--model",
        "softmax",
        "--epochs",
        "1",
    ]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "every 10th part of the training file was held out" in out
    assert "the report is on dev" in out and "no picture of the graph" in out
    assert Tagger.load(tmp_path / "model.npz").config.kind == "softmax"


def test_engines_train_alike(tmp_path):
    taggers = []
    for engine in ("scalar", "arrays"):
        folder = tmp_path / engine
        arguments = ["train", str(FOLDER / "dev.conll"), "--engine", engine, "--out", str(folder)]
        assert main([*arguments, *FAST]) == 0
        taggers.append(Tagger.load(folder / "model.npz"))
    one, other = taggers
    for name, array in one.arrays.items():
        assert other.arrays[name] == pytest.approx(array, abs=1e-9)


def test_tag_text(model, monkeypatch, capsys):
    stdin(monkeypatch, TEXT)
    assert main(["tag", str(model / "model.npz")]) == 0
    out = capsys.readouterr().out
    assert out.replace("[", "").replace(" LOC]", "") == TEXT + "\n"


def test_tag_keeps_tabs_where_the_output_is_no_terminal(model, monkeypatch, capsys):
    text = "Ann\tsaw  Oslo.\n\n\t\tBob :smile: [b]left[/b].\t\n"
    stdin(monkeypatch, text)
    assert main(["tag", str(model / "model.npz")]) == 0
    assert re.sub(r"\[(\w+) LOC\]", r"\1", capsys.readouterr().out) == text


@pytest.mark.parametrize("command", ["tag model.npz", "evaluate model.npz test.conll"])
def test_a_reader_that_has_seen_enough_is_no_failure(model, tmp_path, command):
    shutil.copy(model / "model.npz", tmp_path)
    shutil.copy(FOLDER / "test.conll", tmp_path)
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", "micrograd", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=b"Ann saw Oslo.\n" * 50,
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


def test_tag_as_json(model, monkeypatch, capsys):
    for option in ("--json", "--jsonl"):
        stdin(monkeypatch, TEXT)
        assert main(["tag", str(model / "model.npz"), option]) == 0
    whole, lines = capsys.readouterr().out.split("]\n{", 1)
    entities = json.loads(whole + "]")
    records = [json.loads(line) for line in ("{" + lines).splitlines()]
    assert "".join(record["text"] for record in records) == TEXT
    assert len(records) == 2
    for entity in entities:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]
    for record in records:
        for start, end, _ in record["label"]:
            assert record["text"][start:end] in [e["text"] for e in record["entities"]]
    assert len(entities) == sum(len(record["entities"]) for record in records)


@pytest.mark.parametrize(
    "option",
    ["tag {model}", "tag {model} --json", "tag {model} --jsonl", "evaluate {pred} --format csv"],
)
def test_what_programs_read_is_utf_8_wherever(model, tmp_path, option):
    """Where a stream has few characters people are shown others, as " for “."""
    (tmp_path / "pred").write_text("a B-“σ” B-“σ”\n", "utf-8")
    command = option.format(model=model / "model.npz", pred=tmp_path / "pred").split()
    shown = []
    for name in ("ascii", "utf-8"):
        run = subprocess.run(
            [sys.executable, "-m", "micrograd", *command],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": name},
            input="He said “hi” in Oslo “σ”.\n".encode(),
            stdout=subprocess.PIPE,
        )
        shown.append(run.stdout.decode())
    assert shown[0] == shown[1] and ("json" in option or "“σ”" in shown[0])


@pytest.mark.parametrize("option", [[], ["--jsonl"]])
def test_a_sentence_comes_out_before_the_last_is_read(model, option):
    command = [sys.executable, "-m", "micrograd", "tag", str(model / "model.npz"), *option]

    def text():
        line = run.stdout.readline().decode()
        return json.loads(line)["text"] if option else re.sub(r"\[(\w+) LOC\]", r"\1", line)

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        run.stdin.write(b"Ann saw Oslo.\nIt rained.\n")
        run.stdin.flush()
        assert text() == "Ann saw Oslo.\n"
        run.stdin.close()
        assert text() == "It rained.\n"
    assert run.returncode == 0


def test_tag_conll_appends_or_replaces(model, tmp_path, capsys):
    path = tmp_path / "in.conll"
    text = "1 Paris NNP O\n2 is  VBZ O\r\n\n# a = b\n1 Ann NNP O"
    path.write_bytes(text.encode())
    arguments = ["tag", str(model / "model.npz"), "--conll", "--word-column", "1", "--input"]
    assert main([*arguments, str(path)]) == 0
    appended = capsys.readouterr().out
    assert re.sub(r"(?<= O) (O|[BI]-LOC)", "", appended) == text
    assert appended.count(" O") >= 3
    assert main([*arguments, str(path), "--tag-column", "2"]) == 0
    replaced = capsys.readouterr().out
    assert re.sub(r"(O|[BI]-LOC)(?= O)", "?", replaced) == re.sub("NNP|VBZ", "?", text)
    path.write_text("Paris\nis\n")
    assert main(["tag", str(model / "model.npz"), "--conll", "--input", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("is\t")


def test_the_words_of_predictions_can_stand_in_any_column(tmp_path, capsys):
    path = tmp_path / "p.conll"
    path.write_text("1 Ann NNP B-PER O\n2 saw VBD O O\n3 Oslo NNP B-LOC B-LOC\n")
    assert main(["evaluate", str(path)]) == 2
    assert "p.conll:1: word column 0 counts the tokens" in capsys.readouterr().err
    assert main(["evaluate", str(path), "--word-column", "1"]) == 0
    path.write_text("7 NNP O O\n30 NNP O O\n4 NNP B-LOC B-LOC\n")  # numbers may be words
    assert main(["evaluate", str(path)]) == 0
    assert "missed PER: [Ann] saw Oslo" in capsys.readouterr().out


def test_tag_conll_leaves_what_is_no_word_as_it_is(model, tmp_path, capsys):
    """What is in the column of the tags tells a comment of as many words; empty words stay so."""
    path = tmp_path / "in.conll"
    path.write_text("; a remark\nParis X O\nis Y O\n")
    arguments = ["tag", str(model / "model.npz"), "--conll", "--input", str(path)]
    assert main([*arguments, "--tag-column", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "; a remark"
    path.write_text("Paris\tX\n\tX\n")
    assert main(arguments) == 0
    assert re.fullmatch("Paris\tX\t.*\n\tX\t.*\n", capsys.readouterr().out)


@pytest.mark.parametrize("threshold", [[], ["--threshold", "0.6"]])
def test_sentences_that_are_tagged_apart_have_the_tags_of_all_together(
    model, monkeypatch, capsys, threshold
):
    whole = ["tag", str(model / "model.npz"), "--conll", "--input", str(FOLDER / "dev.conll")]
    printed = []
    for at_once in (tag.AT_ONCE, 7):
        monkeypatch.setattr(tag, "AT_ONCE", at_once)
        assert main([*whole, *threshold]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and "B-LOC" in printed[0]


def test_a_threshold_leaves_names_out_of_conll_too(model, capsys):
    whole = ["tag", str(model / "model.npz"), "--conll", "--input", str(FOLDER / "dev.conll")]
    counts = []
    for threshold in ([], ["--threshold", "0.7"], ["--threshold", "1"]):
        assert main([*whole, *threshold]) == 0
        tags = [line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()]
        counts.append(tags.count("B-LOC"))
    assert counts[0] > counts[1] > counts[2] == 0


def test_tag_page(model, tmp_path, monkeypatch):
    stdin(monkeypatch, TEXT)
    page = tmp_path / "page.html"
    assert main(["tag", str(model / "model.npz"), "--html", str(page)]) == 0
    assert "Museums" in page.read_text()


@pytest.mark.parametrize("option", [[], ["--json"], ["--jsonl"], ["--conll"]])
@pytest.mark.parametrize("text", ["", " \n\n"])
def test_no_text_gives_no_names(model, monkeypatch, capsys, option, text):
    stdin(monkeypatch, text)
    assert main(["tag", str(model / "model.npz"), *option]) == 0
    out = capsys.readouterr().out
    assert out == text if option == ["--conll"] else 'entities": [{' not in out


@pytest.mark.parametrize("option", ["", "--json", "--jsonl", "--html x.html"])
def test_a_threshold_leaves_all_names_out(model, tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    command = ["tag", str(model / "model.npz"), "--input", str(FOLDER / "dev.conll")]
    shown = []
    for threshold in ("0", "1"):
        assert main([*command, "--threshold", threshold, *option.split()]) == 0
        out, err = capsys.readouterr()
        shown.append(out if "html" not in option else Path("x.html").read_text())
        assert err == ("wrote x.html\n" if "html" in option else "")
    assert "LOC" in shown[0] and "LOC" not in shown[1].replace("B-LOC", "").replace("I-LOC", "")


def test_line_ends_stay_and_standard_input_too(model, monkeypatch, capsys):
    text = "Ann saw\r\nOslo.\rIt rained.\n"
    stdin(monkeypatch, text)
    assert main(["tag", str(model / "model.npz"), "--jsonl"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "".join(record["text"] for record in records) == text
    assert not sys.stdin.buffer.closed


def test_text_in_another_encoding(model, tmp_path, capsys):
    (tmp_path / "x").write_bytes("Zürich.".encode("latin-1"))
    command = ["tag", str(model / "model.npz"), "--input", str(tmp_path / "x")]
    assert main([*command, "--encoding", "latin-1"]) == 0
    assert "Zürich" in capsys.readouterr().out


def test_a_terminal_shows_names_in_colour(model, monkeypatch, capsys):
    text = "On 5 May Ann saw Oslo. " * 9 + "It rained.\n"
    shown = []
    for colours in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", colours)
        stdin(monkeypatch, text)
        assert main(["tag", str(model / "model.npz")]) == 0
        shown.append(capsys.readouterr().out)
    plain, coloured = shown
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    assert re.sub(r"\x1b\[1;36m(\[[^]]+ LOC\])\x1b\[0m", r"\1", coloured) == plain


@pytest.mark.parametrize("options", ["", "--conll"])
def test_standard_input_is_called_so(model, monkeypatch, capsys, options):
    stdin(monkeypatch, "Ann O\n\0 O\n")
    assert "<stdin>:2: a zero byte" in failure(capsys, "tag", model / "model.npz", *options.split())


@pytest.mark.parametrize("code", ["latin-1", "utf-16-le", "utf-32", "utf-8"])
def test_conll_comes_back_in_its_encoding(model, tmp_path, capsysbinary, code):
    path, data = tmp_path / "x", "Zürich O\nist O\n".encode(code)
    path.write_bytes(data)
    command = ["tag", str(model / "model.npz"), "--conll", "--tag-column", "1", "--encoding", code]
    assert main([*command, "--input", str(path)]) == 0
    assert capsysbinary.readouterr().out.replace("B-LOC".encode(code), "O".encode(code)) == data


def test_conll_comes_back_where_the_output_takes_text(model, monkeypatch):
    stdin(monkeypatch, "Zürich\n")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["tag", str(model / "model.npz"), "--conll"]) == 0
    assert out.getvalue().startswith("Zürich\t")


def test_evaluate_a_model(model, capsys):
    assert main(["evaluate", str(model / "model.npz"), str(FOLDER / "test.conll")]) == 0
    out = capsys.readouterr().out
    assert "conlleval" in out and "strict mode" in out and "average precision" in out
    assert "predicted type" not in out  # of one type there is nothing to confuse


@pytest.mark.parametrize(
    ("options", "row", "code"),
    [
        ("", "{0} {1}", "utf-8"),
        ("--word-column 1 --tag-column 0", "{1} {0}", "utf-8"),
        ("--encoding latin-1", "{0} {1}", "latin-1"),
        ("--repair", "{0} {1}", "utf-8"),
        ("--map CITY=LOC", "{0} {2}", "utf-8"),
    ],
)
def test_a_file_is_scored_however_it_is_laid_out(model, tmp_path, capsys, options, row, code):
    tagger, sentences = Tagger.load(model / "model.npz"), corpus.shipped().dev.sentences
    sentences = [sentences[0], Sentence(["Zürich"], ["B-LOC"]), *sentences[:20]]
    lines = [
        "".join(row.format(w, t, t.replace("LOC", "CITY")) + "\n" for w, t in zip(s.words, s.tags))
        for s in sentences
    ]
    repaired = "Ann\n" if "repair" in options else ""
    (tmp_path / "x").write_bytes(("\n".join(lines) + repaired).encode(code))
    command = ["evaluate", str(model / "model.npz"), str(tmp_path / "x"), "--format", "json"]
    assert main([*command, *options.split()]) == 0
    wanted = report.as_dict(tagger.evaluate(sentences))["entities"]
    assert json.loads(capsys.readouterr().out)["entities"]["LOC"] == wanted["LOC"]


@pytest.mark.parametrize(
    ("rows", "options", "type", "strict"),
    [
        ("a S-X B-X,b S-X S-X", "", "X", 1),
        ("a B-X B-X,b B-X B-X", "", "X", 2),
        ("a S-B S-B,b O O", "--tags X-B", "S", 1),
        ("a S-B S-B,b O O", "", "B", 1),
        ("a I-X I-X,b O O,c I-Y I-Y,d B-Y B-Y", "", "Y", 3),
        ("a B-X I-X,b I-X I-X,c B-X I-X", "", "X", 1),
        ("a B-X I-X,b I-X B-X,c B-X I-X", "--tags BIO", "X", 1),
    ],
)
def test_predictions_are_read_by_their_scheme(tmp_path, capsys, rows, options, type, strict):
    (tmp_path / "x").write_text(rows.replace(",", "\n"))
    assert main(["evaluate", str(tmp_path / "x"), "--format", "json", *options.split()]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert type in scores["entities"] and scores["strict"]["predicted"] == strict


def test_what_io_cannot_tell_apart_is_no_hit_in_strict_mode(tmp_path, capsys):
    (tmp_path / "x").write_text("a B-X I-X\nb B-X I-X\n\nc B-X I-X\n")
    assert main(["evaluate", str(tmp_path / "x"), "--format", "json"]) == 0
    strict = json.loads(capsys.readouterr().out)["strict"]
    assert (strict["right"], strict["predicted"], strict["true"]) == (1, 2, 3)


@pytest.mark.parametrize("words", ["x ", ""])
def test_evaluate_predictions(tmp_path, capsys, words):
    path = tmp_path / "pred"
    rows = ["B-LOC B-LOC", "I-LOC I-LOC", "O I-PER", "", "B-PER O"]
    path.write_text("\n".join(row and words + row for row in rows) + "\n")
    assert main(["evaluate", str(path)]) == 0
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines()]
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows if len(row) == 7}
    assert cells["PER"] == ["0.00", "0.00", "0.00", "0", "1", "1"]
    assert cells["all types"] == ["50.00", "50.00", "50.00", "1", "2", "2"]
    assert cells["strict mode"] == ["100.00", "50.00", "66.67", "1", "1", "2"]


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("tag {model} --input {}", "dev.conll"),
        ("tag {model} --conll --input {}", "dev.conll"),
        ("tag {} --conll --input dev.conll", "{model}"),
        ("evaluate {model} {}", "dev.conll"),
        ("evaluate {} dev.conll", "{model}"),
        ("evaluate {}", "predictions"),
        ("train {} --out out", "dev.conll"),
        ("train dev.conll --vectors {} --out out", "vectors"),
        ("train dev.conll --vectors {} --out out", "packed"),
    ],
)
@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no names of open files")
def test_what_comes_through_a_pipe_is_read_whole(
    model, tmp_path, monkeypatch, capsys, command, file
):
    """As `<(unzip -p names.zip)` gives it: it can be read only once."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(FOLDER / "dev.conll", tmp_path)
    Path("predictions").write_text("a B-X B-X\nb O I-X\n" * 500)
    rows = [*(f"w{n}" for n in range(500)), "in"]  # the last is of the texts' words
    Path("vectors").write_text("".join(f"{word} 1 2 3 4\n" for word in rows))
    Path("packed").write_bytes(gzip.compress(Path("vectors").read_bytes()))
    (tmp_path / "model.npz").write_bytes((model / "model.npz").read_bytes())
    options = FAST if command.startswith("train") else []
    name, said = file.format(model="model.npz"), []
    for piped in (False, True):
        reader, writer = os.pipe()
        place = f"/dev/fd/{reader}" if piped else name
        with open(writer, "wb") as pipe:
            pipe.write(Path(name).read_bytes())
        assert main([*command.format(place, model="model.npz").split(), *options]) == 0
        os.close(reader)
        said.append(capsys.readouterr().out.replace(place, name))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "command", ["{0} {1} {2} {3}", "{2} {0} {1} {3}", "{2} {0}={1} {3}", "{2} {3} {0} {1}"]
)
def test_options_stand_anywhere(model, capsys, command):
    parts = "--format", "csv", model / "model.npz", FOLDER / "dev.conll"
    assert main(["evaluate", *command.format(*parts).split()]) == 0
    assert capsys.readouterr().out.startswith("type,precision")


def test_texts_with_spans_are_no_predictions(tmp_path, capsys):
    """They were scored against themselves."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "Ann saw Oslo.", "label": [[8, 12, "LOC"]]}\n')
    assert "x.jsonl:1: this looks like JSON; expected" in failure(capsys, "evaluate", path)


def failure(capsys, *arguments):
    """Give the message of a command that must fail with code 2."""
    assert main([str(argument) for argument in arguments]) == 2
    *others, error = capsys.readouterr().err.splitlines()
    assert error.startswith(f"micrograd {arguments[0]}: ")
    assert all(line.startswith("epoch ") for line in others)
    return error


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": no token in it"),
        (b"a\tO\nb\tO\n", "hold no entity; there is nothing"),
        (b"a\tB-LOC\nb\n", ":2: no tag"),
        (b"a\tB-LOC\nb\tQ-LOC\n", ":2: unknown tag 'Q-LOC'"),
        (b"a\tB-LOC\nb\tB-PER\nc\tI-LOC\n\nd\tB-LOC\n", ":3: I-LOC may not stand here"),
        (b"caf\xe9\tB-LOC\n", ":1: byte 0xe9 is not utf-8"),
        (b"a\tB-LOC\n" + b"x" * 10_000_000, ":2: a line of 10,000,000 characters"),
        (b"a\tB-LOC\n", "too few to hold any out, 1 sentence; name a --dev"),
    ],
)
def test_bad_training_files(tmp_path, capsys, content, message):
    path, out = tmp_path / "train", tmp_path / "out"
    path.write_bytes(content)
    dev = [] if "too few" in message else ["--dev", path]
    assert message in failure(capsys, "train", path, *dev, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--type", "CITY"], "no entity of type CITY; they have LOC, MISC, ORG, PER"),
        (["train", "--width", "4"], "'4' is not an odd whole number"),
        (["train", "--activation", "gelu"], "unknown activation 'gelu'"),
        (["train", "--optimizer", "lion"], "unknown optimizer 'lion'"),
        (["train", "--dev", "x"], "--dev or --test without TRAIN"),
        (["train", "nowhere"], "nowhere"),
        (["tag", "nowhere"], "nowhere"),
        (["evaluate", "a", "b", "c"], "3 files given"),
        (["evaluate", str(FOLDER / "dev.conll")], "unknown tag"),
        (["tag", str(FOLDER / "dev.conll")], "no saved state"),
    ],
)
def test_refusals(tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert message in failure(capsys, *arguments)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "{model}", "{text}", "--errors", "no/e.csv"],
        ["evaluate", "{model}", "{text}", "--curve", "no/c.csv"],
        ["tag", "{model}", "--input", "{text}", "--html", "no/p.html"],
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    model, tmp_path, capsys, monkeypatch, arguments
):
    monkeypatch.chdir(tmp_path)
    names = {"model": model / "model.npz", "text": FOLDER / "dev.conll"}
    assert main([argument.format(**names) for argument in arguments]) == 2
    said = capsys.readouterr()
    assert "there is no folder no; make it first" in said.err and not said.out


def test_a_failed_training_leaves_the_old_model(tmp_path, capsys):
    model = tmp_path / "model.npz"
    model.write_text("old")
    arguments = ["train", "--rate", "1e307", "--model", "softmax", *FAST[2:], "--epochs", "4"]
    error = failure(capsys, *arguments, "--out", tmp_path)
    assert "learning rate 1e+307 is too high" in error
    assert model.read_text() == "old"


def test_a_truncated_model(model, tmp_path, capsys):
    broken = tmp_path / "broken.npz"
    broken.write_bytes((model / "model.npz").read_bytes()[:3000])
    assert "broken.npz" in failure(capsys, "tag", broken)


def test_bytes_that_are_no_text(model, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a\nCaf\xe9 b\n")))
    assert "<stdin>:" in failure(capsys, "tag", model / "model.npz")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ("tag model.npz --input own.conll --html own.conll", "--html"),
        ("tag model.npz --input ./own.conll --html link.conll", "--html"),
        ("tag model.npz --html model.npz", "--html"),
        ("evaluate model.npz own.conll --errors own.conll", "--errors"),
        ("evaluate model.npz own.conll --curve model.npz", "--curve"),
        ("evaluate own.conll --errors own.conll", "--errors"),
        ("evaluate model.npz own.conll --errors new.csv --curve ./new.csv", "--curve"),
        ("train errors.csv --out .", "--out (errors.csv)"),
        ("train own.conll --vectors history.csv --out .", "--out (history.csv)"),
    ],
)
def test_no_command_writes_over_what_it_reads(
    model, tmp_path, capsys, monkeypatch, arguments, option
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(model / "model.npz", "model.npz")
    shutil.copy(FOLDER / "test.conll", "own.conll")
    shutil.copy(FOLDER / "test.conll", "errors.csv")
    Path("link.conll").symlink_to("own.conll")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert f"{option} would overwrite" in failure(capsys, *arguments.split())
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_evaluate_writes_files(model, tmp_path, capsys):
    curve, errors = tmp_path / "curve.csv", tmp_path / "errors.csv"
    arguments = ["evaluate", str(model / "model.npz"), str(FOLDER / "test.conll")]
    arguments += ["--curve", str(curve), "--errors", str(errors), "--format"]
    assert main([*arguments, "json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert main([*arguments, "csv"]) == 0
    rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert rows[1][0] == "LOC" and float(rows[1][3]) == round(scores["entities"]["LOC"]["f1"], 2)
    assert len(errors.read_text().splitlines()) == 1 + sum(scores["errors"].values())
    assert curve.read_text().startswith("threshold,precision,recall,f1\n")


def test_a_threshold_of_the_curve_gives_what_its_row_says(model):
    tagger, sentences = Tagger.load(model / "model.npz"), corpus.shipped().test.sentences
    true = [scoring.only(sentence.tags, tagger.label) for sentence in sentences]
    rows = [*csv.DictReader(io.StringIO(report.curve_csv(tagger.evaluate(sentences))))]
    for row in rows[:: max(1, len(rows) // 10)]:
        found = tagger.analyse(sentences, float(row["threshold"]))
        assert f"{scoring.score(true, [one.tags for one in found]).f1:.2f}" == row["f1"]


def test_several_files_renamed_types_and_what_does_not_meet(tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("Ulm\tB-GPE\nis\tO\n\n" * 8 + "Ann\tB-PER\n\n")
    other.write_text("Oslo\tB-LOC\nis\tO\n\n" * 8)
    arguments = ["train", str(one), str(other), "--dev", str(other), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--map", "GPE=LOC", *FAST]) == 0
    out = capsys.readouterr().out
    assert "17 sentences" in out and "PER: only in" in out and "GPE" not in out
    assert main([*arguments, "--map", "GPE=LOC", "--drop", "PER", *FAST]) == 0
    assert "only in" not in capsys.readouterr().out
    arguments[3] = "--test"  # in a part of the same files that is held out is nothing to rename
    assert main([*arguments, "--map", "GPE=LOC", *FAST]) == 0
    out = capsys.readouterr().out
    assert "held out: 1 sentence" in out and re.findall("(.*): only in .*, not in (.*);", out) == [
        ("PER", printable(str(other)))
    ]
    for option in ("--map=GEO=LOC", "--drop=GEO"):
        error = failure(capsys, *arguments, option)
        assert "GEO: no file has this type; they have GPE, LOC, PER" in error
    score = ["evaluate", str(tmp_path / "out" / "model.npz"), str(one), "--format", "json"]
    assert main([*score, "--map", "GPE=LOC"]) == 0
    assert json.loads(capsys.readouterr().out)["entities"]["LOC"]["true"] == 8


def test_sentences_that_are_trained_and_judged_on_are_told(tmp_path, capsys):
    def file(name, numbers):
        path = tmp_path / name
        path.write_text("".join(f"Ann{n}\tB-LOC\nsaw\tO\n\n" for n in numbers))
        return str(path)

    train, other = file("train.conll", range(20)), file("other.conll", range(20, 30))
    half, more = file("half.conll", range(10, 30)), file("more.conll", range(9, 29))
    for options, told in (
        (["--dev", train], ["20 of the 20 sentences of train.conll"]),
        (["--dev", other], []),
        (["--dev", half], []),
        (["--dev", more, "--test", train], ["11 of the 20", "20 of the 20"]),
        ([more], ["3 of the 4 sentences of "]),
        ([], []),
    ):
        assert main(["train", train, *options, "--out", str(tmp_path / "run"), *FAST]) == 0
        out = capsys.readouterr().out.replace(f"{tmp_path}/", "")
        lines = [line for line in out.splitlines() if "are trained on too" in line]
        assert len(lines) == len(told) and all(map(str.startswith, lines, told)), lines


def test_a_folder_that_was_there_stays_where_training_fails(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    for folder in ("mine/a/b", "mine"):
        failure(capsys, "train", "--type", "NONE", "--out", tmp_path / folder)
        assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_vectors_of_another_width(tmp_path, capsys):
    path = tmp_path / "v.txt"
    path.write_text("in 1 2 3\n")
    error = failure(capsys, "train", "--vectors", path, "--out", tmp_path / "out")
    assert "vectors of width 3, but the model's is 10" in error


def test_vectors_of_another_language(tmp_path, capsys):
    path = tmp_path / "v.txt"
    path.write_text("ὁ 1 2 3 4\nἄνθρωπος 1 1 1 1\n", encoding="utf-8")
    error = failure(capsys, "train", "--vectors", path, "--out", tmp_path / "out", *FAST)
    assert "v.txt: none of the 1,584 words has a vector in it" in error
    assert not (tmp_path / "out").exists()


def test_vectors_report_their_hit_rate(tmp_path, capsys):
    path = tmp_path / "v.txt"
    path.write_text("in 1 2 3 4\nParis 1 1 1 1\n")
    main(["train", "--vectors", str(path), "--out", str(tmp_path / "out"), *FAST])
    assert "2 of 1,584 words have a vector (0.1 %), 1 of them" in capsys.readouterr().out


@pytest.mark.parametrize("file", WRITTEN)
def test_a_result_that_cannot_be_written_leaves_the_checkpoint_to_go_on_from(
    file, model, tmp_path, capsys, monkeypatch
):
    real = files._write

    def full(target, data):
        if target.name == file:
            raise OSError(errno.ENOSPC, "")
        real(target, data)

    command = ["train", "--out", str(tmp_path), *FAST]
    with monkeypatch.context() as patched:
        patched.setattr(files, "_write", full)
        assert main(command) == 2
    assert (tmp_path / "checkpoint.npz").exists()
    assert f"{file}: the disk is full" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert "epoch 1/" not in capsys.readouterr().err  # nothing is trained again
    assert {path.name for path in tmp_path.iterdir()} == {*WRITTEN}
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (model / name).read_bytes(), name


def test_a_resume_without_a_checkpoint_says_that_it_starts_afresh(tmp_path, capsys):
    options = ["--out", str(tmp_path / "new"), *FAST]
    assert main(["train", "--resume", *options]) == 0
    assert (
        printable(f"no checkpoint in {tmp_path / 'new'}: training starts afresh")
        in capsys.readouterr().out
    )
    whole = (tmp_path / "new" / "model.npz").read_bytes()
    assert main(["train", *options]) == 0
    assert "starts afresh" not in capsys.readouterr().out
    assert (tmp_path / "new" / "model.npz").read_bytes() == whole


def test_interrupt_and_resume(tmp_path, monkeypatch, capsys):
    import signal

    from micrograd.ner.training import fitting

    real, calls = fitting.Trainer.step, []

    def step(self, numbers):
        calls.append(1)
        if len(calls) == 1500:
            signal.raise_signal(signal.SIGINT)
        return real(self, numbers)

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert main(["train", "--out", str(whole), *FAST]) == 0
    monkeypatch.setattr(fitting.Trainer, "step", step)
    assert main(["train", "--out", str(parts), *FAST]) == 130
    said = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"stopped in epoch \d; go on with the same command and --resume", said)
    assert sorted(path.name for path in parts.iterdir()) == ["checkpoint.npz"]
    monkeypatch.undo()
    assert main(["train", "--out", str(parts), "--resume", *FAST]) == 0
    for name in ("history.csv", "model.npz"):
        assert (whole / name).read_bytes() == (parts / name).read_bytes(), name
    assert not (parts / "checkpoint.npz").exists()


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupt_that_keeps_nothing_leaves_no_folder(times, tmp_path, monkeypatch):
    """One before the training begins, or a second one within its first epoch."""
    import signal

    from micrograd.ner.training import fitting

    def interrupted(self, *_):
        for _ in range(times):
            signal.raise_signal(signal.SIGINT)

    where = "step" if times == 2 else "_draw"
    monkeypatch.setattr(fitting.Trainer, where, interrupted)
    assert main(["train", "--out", str(tmp_path / "a" / "b"), *FAST]) == 130
    assert not (tmp_path / "a").exists()


def test_what_cannot_be_begun_leaves_no_folder(tmp_path, monkeypatch, capsys):
    def full(path):
        raise OSError(f"{path}: the disk is full")

    monkeypatch.setattr("micrograd.cli.training_run.check_place", full)
    assert "the disk is full" in failure(capsys, "train", "--out", tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()


def test_held_out_parts():
    sentences = [Sentence(["x"], ["O"], document=number // 2) for number in range(40)]
    train, dev = corpus.hold_out(Corpus(sentences))
    assert {s.document for s in dev} == {9, 19} and len(train) == 36
    train, dev = corpus.hold_out(Corpus([Sentence(["x"], ["O"]) for _ in range(25)]))
    assert (len(train), len(dev)) == (23, 2)


def test_repair_is_opt_in_and_says_what_it_did(tmp_path, capsys):
    path = tmp_path / "bare"
    path.write_text("Ulm\tB-LOC\nis\n\nOslo\tI-LOC\n\n" * 10)
    arguments = ["train", path, "--out", tmp_path / "out", *FAST]
    assert "--repair" in failure(capsys, *arguments)
    assert main([str(argument) for argument in [*arguments, "--repair"]]) == 0
    out = capsys.readouterr().out
    assert out.count(printable(f"repaired: 10 lines without a tag; first {path}:2")) == 1
    assert "repaired: 10 tags out of sequence; first" in out


@pytest.mark.parametrize("width", [40, 77, 78, 100])
def test_no_number_is_cut_in_a_narrow_terminal(width):
    true, said = [["B-LOC", "O", "B-LOC"]], [["B-LOC", "O", "O"]]
    stream, baselines = io.StringIO(), {"lexicon": scoring.score(true, said)}
    console = Console(file=stream, width=width)
    result = evaluation.evaluate(true, [Sentence(["a", "b", "c"], said[0])])
    report.print_evaluation(result, baselines, console)
    printed = " ".join(stream.getvalue().split())
    assert "…" not in printed and "baseline: lexicon" in printed
    assert all(number in printed for number in ("100.00", "50.00", "66.67"))


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("count", [2, 5, 20])
@pytest.mark.parametrize("name", ["very-long-organisation", "地名组织机构名称类别"])
def test_many_types_are_shown_whole(width, count, name):
    """In a table, or in lines which end between a name and its number never."""
    kinds = [f"{name if n % 2 else 'T'}{n}" for n in range(count)]
    confused = Counter({(a, b): 12_000 + n for n, (a, b) in enumerate(itertools.pairwise(kinds))})
    stream = io.StringIO()
    report.print_confusion(confused, Console(file=stream, width=width))
    lines = stream.getvalue().splitlines()
    shown = re.sub(r"[\s│]", "", stream.getvalue())
    assert "…" not in shown and all(str(number) in shown for number in confused.values())
    assert all(printing.width(line) <= width for line in lines)
    assert not any(line.startswith("  1") for line in lines)


@pytest.mark.parametrize(
    ("label", "labels", "types"),
    [
        ("LOC", ["LOC"], ["LOC"]),
        (None, ["O", "B-ORG", "I-ORG", "S-MY-TYPE"], ["MY-TYPE", "ORG"]),
    ],
)
def test_the_types_of_a_model_are_those_of_its_tags(label, labels, types):
    assert Tagger.types.fget(SimpleNamespace(label=label, labels=labels)) == types


def test_an_error_names_its_own_file(tmp_path, capsys, monkeypatch):
    """Where several files were joined, and where a name holds blanks, as in `my names.conll`."""
    monkeypatch.chdir(tmp_path)
    names = [Path("my names.conll"), Path("others.conll")]
    for path, word in zip(names, ("Ulm", "Oslo")):
        path.write_text(f"{word}\tB-LOC\nis\tO\n\n{word}y\tO\n\nThe\tO\n\n" * 20)
    arguments = ["--out", str(tmp_path / "out"), "--features", "none", "--epochs", "1"]
    assert main(["train", *map(str, names), *arguments, "--freeze", "--hidden", "1"]) == 0
    out = capsys.readouterr().out
    places = (tmp_path / "out" / "errors.csv").read_text().splitlines()[1:]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert places and f"LOC in {names[0]} + {names[1]}, held out" in out
    for row in places:
        path, _, line = row.split(",")[0].rpartition(":")
        word = row.rpartition(",")[2].split()[0]
        assert word in Path(path).read_text().splitlines()[int(line) - 1]
    assert f"{places[0].split(',')[0]} " in out and f"; {places[0].split(',')[0]})" in page


def test_how_the_tags_of_every_file_are_written_is_said(tmp_path, capsys):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("New\tLOC-B\nYork\tLOC-I\n\n" * 20)
    other.write_text("New\tI-LOC\nYork\tI-LOC\nis\tO\n\n" * 20)
    arguments = ["--out", str(tmp_path / "out"), "--epochs", "1", "--hidden", "2"]
    assert main(["train", str(one), str(other), *arguments]) == 0
    assert "read as BIO + IO (tags written X-B + B-X), types" in capsys.readouterr().out


def test_how_the_tags_of_the_only_file_are_written_is_said(tmp_path, capsys):
    path = tmp_path / "own[b]:key:.conll"  # no markup, and no picture of a key
    path.write_text("Ulm\tLOC-B\nis\tO\n\n" * 20)
    arguments = ["--out", str(tmp_path / "my out"), "--epochs", "1", "--hidden", "2"]
    assert main(["train", str(path), *arguments]) == 0
    out = capsys.readouterr().out
    assert (
        "own[b]:key:.conll: 18 sentences, 36 tokens, 1 document, read as BIO (tags written X-B)"
        in out
    )
    assert "stopped after" not in out  # it came to its end
    assert f"micrograd tag '{tmp_path / 'my out' / 'model.npz'}' < text" in out


def test_a_model_that_is_not_drawn_leaves_no_picture_of_the_one_before(tmp_path, capsys):
    folder = tmp_path / "out"
    assert main(["train", "--out", str(folder), *FAST]) == 0
    large = ["--model", "softmax", "--epochs", "1", "--hidden", "99"]
    assert main(["train", "--out", str(folder), *large]) == 0
    out = capsys.readouterr().out
    assert {path.name for path in folder.iterdir()} == {*WRITTEN} - {*PICTURES}
    assert all(
        printable(f"removed {folder / name}, which an earlier model left") in out
        for name in PICTURES
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--map LOC=PLACE", "LOC: only in the model, not in own.conll; --map A=B renames"),
        ("--drop LOC --format json", "LOC: only in the model, not in own.conll"),
        ("--drop LOCATION", "LOCATION: no file has this type; they have LOC, MISC, ORG, PER"),
        ("--map LOCATION=LOC", "LOCATION: no file has this type"),
        ("--map ORG=LOC --map ORG=PER", "ORG: it is named twice"),
        ("--map ORG=LOC --drop ORG", "ORG: it is named twice"),
        ("--map ORG=PER", ""),  # a scorer of LOC does not look at it
    ],
)
def test_evaluate_says_which_types_do_not_meet(model, tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FOLDER / "test.conll", "own.conll")
    main(["evaluate", str(model / "model.npz"), "own.conll", *options.split()])
    text = "".join(capsys.readouterr())
    assert said in text if said else "only in" not in text


def test_evaluate_says_which_types_a_classifier_has_not(tmp_path, capsys):
    path, other = tmp_path / "own.conll", tmp_path / "other.conll"
    path.write_text("Ulm\tB-LOC\nis\tO\n\n" * 20)
    other.write_text("Ulm\tB-GPE\nis\tO\n\n")
    small = ["--model", "softmax", "--hidden", "2", "--epochs", "1"]
    assert main(["train", str(path), "--out", str(tmp_path / "out"), *small]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "out" / "model.npz"), str(other)]) == 0
    out, err = capsys.readouterr()
    assert not err and "Entities by true type (rows)" in out
    assert printable(f"LOC: only in the model, not in {other}") in out
    assert printable(f"GPE: only in {other}, not in the model") in out


def test_what_was_repaired_in_either_column_is_said_on_its_own_line(tmp_path, capsys):
    path = tmp_path / "own.conll"
    path.write_text("Ulm B-LOC B-LOC\nis O PER\nnow I-PER O\n\n")
    assert main(["evaluate", str(path), "--repair"]) == 0
    head, *notes = capsys.readouterr().out.splitlines()[:3]
    assert head.endswith("; the last column is scored against the one before it")
    assert printable(f"first {path}:3: I-PER may not stand here in BIO") in notes[0]
    assert printable(f"first {path}:2: unknown tag 'PER'") in notes[1]
    path.write_text("Paris\tB-LOC\tB-LOC\n\tO\tO\n")  # a fault of the line, not of a column
    assert main(["evaluate", str(path), "--repair"]) == 0
    assert capsys.readouterr().out.count("the word column is empty") == 1
    path.write_text("Paris S-LOC S-LOC\nUlm S-LOC S-LOC\n")
    assert main(["evaluate", str(path)]) == 0
    assert "E and S count as in seqeval's default mode" in capsys.readouterr().out
