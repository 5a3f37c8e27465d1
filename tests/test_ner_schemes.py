"""Tag schemes, spans and the scores, against conlleval's rules and seqeval."""

import random
import warnings
from pathlib import Path

import numpy as np
import pytest

from micrograd.ner.judging import evaluation, scoring
from micrograd.ner.text import conll, notation, schemes
from micrograd.ner.text.schemes import Span
from micrograd.ner.text.sentence import Sentence

DATA = Path(__file__).parents[2] / "shared" / "data"
ENTITIES = [Span(0, 1, "LOC"), Span(1, 3, "LOC"), Span(4, 7, "PER"), Span(7, 8, "ORG")]
WRITTEN = {
    "BIO": "B-LOC B-LOC I-LOC O B-PER I-PER I-PER B-ORG",
    "IOB1": "I-LOC B-LOC I-LOC O I-PER I-PER I-PER I-ORG",
    "BIOES": "S-LOC B-LOC E-LOC O B-PER I-PER E-PER S-ORG",
    "IO": "I-LOC I-LOC I-LOC O I-PER I-PER I-PER I-ORG",
}


@pytest.mark.parametrize("scheme", schemes.SCHEMES)
def test_entities_are_written_and_detected(scheme):
    tags = WRITTEN[scheme].split()
    assert schemes.encode(ENTITIES, 8, scheme) == tags
    assert schemes.detect([tags]) == scheme
    assert schemes.illegal(tags, scheme) == []
    assert schemes.strict_spans(tags, scheme) == schemes.spans(tags)
    if scheme != "IO":
        assert schemes.spans(tags) == ENTITIES
        assert schemes.convert(tags, "BIO") == WRITTEN["BIO"].split()


def test_io_joins_neighbours_of_one_type():
    assert schemes.spans(WRITTEN["IO"].split())[0] == Span(0, 3, "LOC")


def test_other_letters_of_bioes():
    tags = ["U-LOC", "B-PER", "I-PER", "L-PER"]
    assert schemes.spans(tags) == [Span(0, 1, "LOC"), Span(1, 4, "PER")]


def test_types_may_hold_dashes():
    assert schemes.split_tag("B-creative-work") == ("B", "creative-work")


@pytest.mark.parametrize("tag", ["LOC", "B", "-LOC", "B-", "X-LOC", "", "o"])
def test_unknown_tags_are_named(tag):
    with pytest.raises(ValueError, match="unknown tag"):
        schemes.split_tag(tag)


def test_unknown_scheme_is_named():
    with pytest.raises(ValueError, match="unknown tag scheme 'BMX'"):
        schemes.encode(ENTITIES, 8, "BMX")


def test_a_few_errors_do_not_change_the_scheme():
    good = WRITTEN["BIO"].split()
    assert schemes.detect([good, good, ["O", "I-LOC"]]) == "BIO"
    assert schemes.illegal(["O", "I-LOC", "I-PER"], "BIO") == [1, 2]
    assert schemes.illegal(["B-LOC", "O"], "IOB1") == [0]
    assert schemes.illegal(["B-LOC", "O", "I-LOC"], "BIOES") == [0, 2]


@pytest.mark.parametrize("scheme", schemes.SCHEMES)
def test_types_that_end_alike_are_apart(scheme):
    entities = [(0, 1, "geo-LOC"), (1, 3, "LOC"), (3, 4, "geo-LOC"), (5, 6, "LOC")]
    tags = schemes.encode([schemes.Span(*one) for one in entities], 7, scheme)
    assert schemes.spans(tags) == entities and not schemes.illegal(tags, scheme)


# Cases of conlleval's documentation and code: (tags, entities it counts).
CONLLEVAL = [
    ("I-LOC I-LOC O I-LOC", [(0, 2, "LOC"), (3, 4, "LOC")]),
    ("B-LOC I-PER", [(0, 1, "LOC"), (1, 2, "PER")]),
    ("B-LOC B-LOC", [(0, 1, "LOC"), (1, 2, "LOC")]),
    ("E-LOC I-LOC", [(0, 1, "LOC"), (1, 2, "LOC")]),
    ("E-LOC E-LOC", [(0, 1, "LOC"), (1, 2, "LOC")]),
    ("S-LOC I-LOC", [(0, 1, "LOC"), (1, 2, "LOC")]),
    ("B-LOC E-LOC E-LOC", [(0, 2, "LOC"), (2, 3, "LOC")]),
    ("O O", []),
    ("", []),
]


@pytest.mark.parametrize(("tags", "expected"), CONLLEVAL)
def test_spans_follow_conlleval(tags, expected):
    assert schemes.spans(tags.split()) == expected


def test_a_score_by_hand():
    gold = [["B-LOC", "I-LOC", "O", "B-PER"], ["B-ORG", "O"]]
    guess = [["B-LOC", "O", "O", "B-PER"], ["I-ORG", "B-LOC"]]
    report = scoring.score(gold, guess)
    assert (report.overall.right, report.overall.predicted, report.overall.true) == (2, 4, 3)
    assert str(report.overall) == "P 50.00 R 66.67 F1 57.14"
    assert report["LOC"].f1 == 0.0 and report["none"].f1 == report["none"].precision == 0.0
    assert report["none"].recall == 0.0
    strict = scoring.strict_score(gold, guess)
    assert (strict.overall.right, strict.overall.predicted) == (1, 3)
    absent = report["NOWHERE"]
    assert (absent.right, absent.predicted, absent.true, absent.f1) == (0, 0, 0, 0.0)
    tokens = scoring.token_score(gold, guess)
    assert (tokens.overall.right, tokens.overall.predicted, tokens.overall.true) == (3, 4, 4)
    assert (report.mode, strict.mode, tokens.mode) == ("conlleval", "strict", "token level")


def test_averages_over_types_by_hand():
    gold = [["B-A", "B-A", "B-A", "B-B"], ["O", "O", "O", "O"]]
    guess = [["B-A", "O", "O", "B-B"], ["B-B", "O", "O", "B-C"]]
    report = scoring.score(gold, guess)  # F1 of A 50, of B 2/3, of C 0; true 3, 1, 0
    assert report.macro.f1 == pytest.approx((50 + 200 / 3 + 0) / 3)
    assert report.weighted.f1 == pytest.approx((3 * 50 + 200 / 3) / 4)
    assert report.macro.precision == pytest.approx((100 + 50 + 0) / 3)
    assert report.weighted.recall == pytest.approx((3 * 100 / 3 + 100) / 4)
    nothing = scoring.score([["O"]], [["O"]])
    assert (nothing.macro.f1, nothing.weighted.f1) == (0.0, 0.0)


def test_score_refuses_other_lengths():
    with pytest.raises(ValueError, match="sentence 1: 1 true tags, 2 predicted"):
        scoring.score([["O"]], [["O", "O"]])
    for true, predicted, said in (([["O"]], [], "1 true tags, 0"), ([], [["O"]], "0 true tags, 1")):
        with pytest.raises(ValueError, match=f"sentence 1: {said} predicted"):
            scoring.score(true, predicted)


def random_tags(rng, letters):
    kinds = ["O", *(f"{p}-{t}" for p in letters for t in ("LOC", "PER"))]
    return [[rng.choice(kinds) for _ in range(rng.randint(1, 9))] for _ in range(60)]


@pytest.mark.parametrize(("letters", "name"), [("I", "IOB1"), ("BI", "BIO"), ("BIES", "BIOES")])
@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_seqeval(letters, name, seed):
    metrics = pytest.importorskip("seqeval.metrics")
    from seqeval.scheme import IOB1, IOB2, IOBES

    rng = random.Random(seed)
    gold = random_tags(rng, letters)
    guess = [[tag if rng.random() < 0.7 else "O" for tag in tags] for tags in gold]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = scoring.score(gold, guess).f1
        assert ours == pytest.approx(100 * metrics.f1_score(gold, guess), abs=1e-9)
        scheme = {"IOB1": IOB1, "BIO": IOB2, "BIOES": IOBES}[name]
        strict = scoring.strict_score(gold, guess, name).f1
        theirs = metrics.f1_score(gold, guess, mode="strict", scheme=scheme)
        assert strict == pytest.approx(100 * theirs, abs=1e-9)


def test_lexicon_takes_the_longest_match_and_the_majority():
    corpus = notation.normalise(
        conll.parse(
            "New\tB-LOC\nYork\tI-LOC\nTimes\tO\n\nNew\tB-ORG\nYork\tI-ORG\nTimes\tI-ORG\n\n"
            "Jordan\tB-PER\n\nJordan\tB-PER\n\nJordan\tB-LOC\n"
        )
    )
    lexicon = evaluation.Lexicon(corpus)
    text = conll.parse("Jordan\nread\nNew\nYork\nTimes\nin\nNew\nYork\n", tag_column=None)
    assert " ".join(*lexicon.predict(text)) == "B-PER O B-ORG I-ORG I-ORG O B-LOC I-LOC"
    assert evaluation.Lexicon(corpus, "LOC").predict(text)[0][0] == "B-LOC"
    inner = evaluation.Lexicon([Sentence(["New", "York", "York"], ["B-LOC", "I-LOC", "B-LOC"])])
    assert inner.predict([Sentence(["New", "York"])]) == [["B-LOC", "I-LOC"]]
    assert scoring.only(["B-LOC", "B-PER"], "LOC") == ["B-LOC", "O"]
    assert scoring.only(["B-creative-work", "B-work"], "work") == ["O", "B-work"]


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("BILOU", "BIOES"), ("iobes", "BIOES"), ("IOB2", "BIO"), ("io", "IO"), ("X-B,BIO", "BIO")],
)
def test_a_scheme_is_said_by_any_of_its_names(said, scheme):
    assert notation.normalise(conll.parse("a\tO\n"), tags=said).scheme == scheme


def test_a_scheme_that_is_said_is_not_found_out():
    text = "a\tI-X\nb\tB-X\n"
    assert notation.normalise(conll.parse(text)).scheme == "IOB1"
    with pytest.raises(ValueError, match="<text>:1: I-X may not stand here in BIO"):
        notation.normalise(conll.parse(text), tags="BIO")
    with pytest.raises(ValueError, match="some of IO, IOB1, BIO, BIOES, B-X, B_X, X-B, X_B, B, X$"):
        notation.normalise(conll.parse(text), tags="BILOUX")
    assert schemes.detect([["S-X"]]) == "BIOES"
    assert schemes.encode([Span(1, 2, "X"), Span(0, 1, "X")], 2, "IOB1") == ["I-X", "B-X"]


def test_e_may_end_a_name_of_bio():
    assert schemes.strict_spans(["B-X", "E-X", "S-X", "I-X"]) == [Span(0, 2, "X"), Span(2, 3, "X")]


def test_a_curve_has_one_row_for_names_that_are_as_probable():
    tagged = Sentence(["a", "b", "c"], ["B-X"] * 3, probabilities=np.array([0.5, 0.9, 0.5]))
    curve = evaluation.curve([["B-X", "O", "B-X"]], [tagged])
    assert curve == [(0.9, scoring.Score(0, 1, 2)), (0.5, scoring.Score(2, 3, 2))]


@pytest.mark.skipif(not DATA.exists(), reason="the reference corpora are not here")
def test_lexicon_reaches_the_reference_figures():
    train, test = (conll.read(DATA / f"wikigold/{name}.bio") for name in ("train", "test"))
    report = scoring.score([s.tags for s in test], evaluation.Lexicon(train).predict(test))
    assert round(report.f1, 2) == 18.37
    assert round(report["LOC"].f1, 2) == 31.62


def test_tags_said_to_be_bio_are_written_so(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("New\tB-LOC\nYork\tE-LOC\nOslo\tS-LOC\n")
    assert conll.read(path, tags="BIO").sentences[0].tags == ["B-LOC", "I-LOC", "B-LOC"]
