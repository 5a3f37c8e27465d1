"""What the demos state holds, for five seeds, and nothing is stated that is not a claim."""

import ast
import os
import re
from pathlib import Path

import pytest
import stage

from micrograd.ner import Sentence
from tests.conftest import WHOLE
from tests.demo_programs import (
    DEMOS,
    FILES,
    NAMES,
    PROGRAMS,
    SMALL,
    TIMED,
    demo,
    measured,
    printed,
    runs,
    strings,
)

ROWS = 37
WORDS = re.compile(r"\b(only|most|never|always|grows?|none)\b", re.IGNORECASE)


@pytest.mark.parametrize("name, seed", runs())
def test_every_claim_holds(name, seed):
    r = measured(name, seed)
    wrong = [claim.sentence(r) for claim in stage.claims(demo(name)) if not claim.holds(r)]
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_demo_makes_claims_in_both_languages(name, capsys):
    r, found = measured(name), stage.claims(demo(name))
    assert len(found) >= 1 and len({claim.name for claim in found}) == len(found)
    english, chinese = (printed(name, r, language, capsys) for language in ("en", "zh"))
    assert not re.search("[一-鿿]", english) and re.search("[一-鿿]", chinese)
    for claim in found:
        fields = [re.findall(r"\{(r\.[^}:]*)", text) for text in (claim.en, claim.zh)]
        assert set(fields[0]) == set(fields[1])


@WHOLE
@pytest.mark.parametrize("name", [name for name in NAMES if name not in TIMED])
def test_a_demo_prints_the_same_each_time(name, capsys):
    again = demo(name).measure(**SMALL.get(name, {}))
    assert printed(name, again, "en", capsys) == printed(name, measured(name), "en", capsys)


def test_a_claim_that_does_not_hold_says_so():
    claim = stage.claim("It is {r}.", "它是 {r}。")(lambda r: r > 1)
    assert claim.sentence(2) == "It is 2." and claim.sentence(0) == "NOT IN THIS RUN: It is 0."


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_said_outside_of_claims_says_nothing(path):
    for text in strings(path) if path.stem not in PROGRAMS else ():
        assert not text.rstrip().endswith(("。",)) and not re.search(r"[a-z]\.\s*$", text), text
        assert not WORDS.search(text), text


@pytest.mark.parametrize("name", NAMES)
def test_a_docstring_says_what_is_done_and_shows_its_formula(name):
    text = demo(name).__doc__
    assert not WORDS.search(text), WORDS.search(text)
    assert re.search(r"\(L\d+(, L\d+)*\)", text) or name == "slips"
    assert any(sign in text for sign in "=∈·∂δ≤²√←ᵀ∘≈") or name == "slips"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_demo_is_one_file_that_can_be_read_in_one_sitting(path):
    assert code_lines(path) < 120


def code_lines(path):
    """Count the lines of a file but for blank ones, docstrings and the sentences of claims."""
    text = path.read_text("utf-8")
    skipped = set()
    for node in ast.walk(ast.parse(text)):
        if getattr(node, "body", None) and isinstance(
            node, (ast.Module, ast.ClassDef, ast.FunctionDef)
        ):
            first = node.body[0]
            spans = [first] if isinstance(getattr(first, "value", None), ast.Constant) else []
            for span in (*spans, *getattr(node, "decorator_list", [])):
                skipped |= {*range(span.lineno, span.end_lineno + 1)}
    lines = enumerate(text.splitlines(), 1)
    return sum(bool(line.strip()) and number not in skipped for number, line in lines)


def test_every_row_of_the_lectures_has_a_demo():
    texts = " ".join(demo(name).__doc__.split("\n\n")[0] for name in NAMES)
    assert {int(row) for row in re.findall(r"L(\d+)", texts)} == {*range(1, ROWS + 1)}


def test_25_slips_are_shown():
    slips = demo("slips")
    assert len(slips.SLIPS) == len({slip.about for slip in slips.SLIPS}) == 25
    for printed_form, right in measured("slips").outcomes:
        assert not printed_form.accepted and right.accepted
        assert printed_form.report and right.report


def chinese_runs(text, length=16):
    """Return every run of so many Chinese characters, whatever stands between them."""
    only = "".join(re.findall("[一-鿿]", text))
    return {only[i : i + length] for i in range(len(only) - length + 1)}


def test_no_sentence_is_taken_from_the_notes():
    folder = os.environ.get("LECTURE_NOTES", "")
    if not folder:
        pytest.skip("LECTURE_NOTES does not name the folder with the notes")
    notes = set().union(*(chinese_runs(p.read_text("utf-8")) for p in Path(folder).glob("*.txt")))
    assert notes
    for path in (*DEMOS.rglob("*.py"), *DEMOS.rglob("*.md")):
        assert not chinese_runs(path.read_text("utf-8")) & notes, path


# Wider than 80 columns: the checker's reports, programs, sentences, formulas beside numbers.
WIDE = {"activations", "error_sharing", "gate", "gpt", "hinge", "jacobians", "slips"}
WIDE |= {"backprop_program"}


@pytest.mark.parametrize("name", sorted({*NAMES} - WIDE))
def test_tables_fit_80_columns(name, capsys):
    for language in ("en", "zh"):
        said = {claim.sentence(measured(name)) for claim in stage.claims(demo(name))}
        stage.speak(language)
        said |= {claim.sentence(measured(name)) for claim in stage.claims(demo(name))}
        lines = printed(name, measured(name), language, capsys).splitlines()
        assert [line for line in lines if line not in said and stage.width(line) > 80] == []


def test_what_is_said_of_the_hard_sentences_counts_no_other():
    tags = [["O"] * 2, *([["O"] * 2] * 4)]
    easy, *hard = (Sentence(["a", "b"], ["B-X", "O"]) for _ in tags)
    hard[0] = Sentence(["a", "b"], ["O", "O"])
    r = demo("tagged_sentence").Measured([easy, *hard], tags, 0.0, set())
    assert (r.whole, r.right) == (1, 5 / 8)
