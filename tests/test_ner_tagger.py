"""The tagger's outside: predictions, measures, the model file, pages, and refusals."""

import csv
import io

import numpy as np
import pytest
from rich.console import Console

from micrograd import Value, metrics
from micrograd.checkpoint import load_state, save_state
from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE, shipped
from micrograd.ner.judging import evaluation, ranking, scoring
from micrograd.ner.judging.ranking import NEAR, TypeEvaluation, above, runs, tags_of
from micrograd.ner.model.config import Config, defaults
from micrograd.ner.showing import entities, page, pictures, report
from micrograd.ner.showing.entities import Entity
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll, schemes
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training import fitting
from micrograd.printing import printable
from micrograd.stepper.tokens import Sentence as Line
from micrograd.training.history import History

SPLITS = shipped()
TRAIN, DEV = SPLITS.train.sentences, SPLITS.dev.sentences
KINDS = ("margin", "softmax", "multiclass", "sequence")


def started(kind="margin", **changes):
    tagger = Tagger(Config(kind, **changes))
    tagger.start(TRAIN, seed=1)
    return tagger


def test_runs_do_not_cross_sentences():
    mask = np.array([1, 1, 0, 1, 1, 1, 0, 1], bool)
    assert runs(mask, [4, 1, 3]).tolist() == [[0, 2], [3, 4], [4, 5], [5, 6], [7, 8]]
    assert runs(mask[:0], []).tolist() == []


def test_fast_f1_is_the_scorer_s():
    rng = np.random.default_rng(0)
    table = TypeEvaluation(DEV, "LOC")
    true = [scoring.only(s.tags, "LOC") for s in DEV]
    for _ in range(5):
        scores = table.mask + rng.normal(0, 0.5, len(table.mask))
        mask = above(scores, 0.7, 0.3, table.lengths)
        flat, cut = iter(tags_of(mask, table.lengths, "LOC")), []
        for length in table.lengths:
            cut.append([next(flat) for _ in range(length)])
        assert table.f1(mask) == pytest.approx(scoring.score(true, cut).f1)
    (high, *_), best = table.calibrate(table.mask.astype(float), table.mask)
    assert high < 1 and best == table.f1(table.mask)


def test_a_name_goes_on_while_the_model_is_not_against_it():
    scores = np.array([0.9, 0.4, 0.1, 0.4, 0.4, 0.9, 0.4, 0.9, 0.4])
    mask = above(scores, 0.8, 0.3, [3, 3, 1, 2])
    assert mask.tolist() == [True, True, False, True, True, True, False, True, True]
    assert tags_of(mask, [3, 3, 1, 2], "LOC")[3:] == [
        *("B-LOC", "I-LOC", "I-LOC", "O"),
        *("B-LOC", "I-LOC"),
    ]
    assert above(scores, 0.5, 0.5, [9]).tolist() == (scores > 0.5).tolist()
    assert above(scores, 0.5, 0.9, [9]).tolist() == (scores > 0.5).tolist()
    assert above(scores[:0], 0.5, 0.5, []).tolist() == []


def test_a_score_equal_to_a_threshold_is_not_above_it():
    scores = np.array([1.0, 2.0, 2.0, 1.0, 3.0, 2.0])
    assert not above(scores, 3, 0, [6]).any()
    assert above(scores, 2, 1, [6]).tolist() == [False] * 4 + [True] * 2


def test_capitals_go_on_with_a_name_above_a_threshold_of_their_own():
    tagger = started("margin")
    words = ["by", "New", "York", "City", "and", "the", "Great", "park"]
    cut = tagger.windows([Sentence(words, [])])
    assert tagger.capitals(cut).tolist() == [word.istitle() for word in words]
    out = np.array([0.2, 0.9, 0.1, 0.3, 0.2, 0.1, 0.2, 0.9])[:, None]
    tagger.threshold, tagger.lower, tagger.capital = 0.8, 0.5, 0.05
    assert tagger.decide(out, cut).tolist() == [0, 1, 1, 1, 0, 0, 1, 1]
    tagger.capital = np.inf
    assert tagger.decide(out, cut).tolist() == [0, 1, 0, 0, 0, 0, 0, 1]


def test_a_model_that_does_not_see_capitals_does_not_decide_by_them():
    tagger = started("margin", features=("shape",))
    assert not tagger.capitals(tagger.windows(DEV)).any()


def test_thresholds_are_learned_for_capitals():
    words = ["in", "New", "York", "and", "Oslo", "now"]
    tags = ["O", "B-LOC", "I-LOC", "O", "B-LOC", "O"]
    table = TypeEvaluation([Sentence(words, tags)] * 4, "LOC")
    scores = np.array([0.4, 0.9, 0.2, 0.3, 0.8, 0.1] * 4)
    capitals = np.array([word.istitle() for word in words] * 4)
    (high, low, capital), best = table.calibrate(scores, capitals)
    assert best == 100 and capital < 0.2 and 0.4 < low == high < 0.8
    (high, low, capital), best = table.calibrate(scores, capitals & False)
    assert best < 100 and low == capital  # every word may go on


def test_thresholds_are_the_best_as_a_mean_over_those_nearby():
    mask = np.random.default_rng(0).random(300) < 0.2
    sentences = [Sentence(["x"], ["B-LOC" if name else "O"]) for name in mask]
    table, differ = TypeEvaluation(sentences, "LOC"), 0
    for seed in range(5):
        scores = mask + np.random.default_rng(seed).normal(0, 0.6, len(mask))

        def f1(threshold, scores=scores):
            return table.f1(scores > threshold)

        (high, *_), _ = table.calibrate(scores, mask)
        assert high == metrics.best_threshold(scores, f1, 0.2 * scores.std())[0]
        differ += high != metrics.best_threshold(scores, f1)[0]
    assert differ > 2


@pytest.mark.parametrize("seen", [True, False])
def test_the_f1_of_thresholds_is_that_of_what_they_choose(seen):
    rng = np.random.default_rng(1)
    table = TypeEvaluation(DEV, "LOC")
    capitals = np.array([seen and word[:1].isupper() for s in DEV for word in s.words])
    for noise in (0.3, 0.6, 1.0):
        scores = table.mask + rng.normal(0, noise, len(table.mask))
        near = scores.std() * NEAR
        _, one = metrics.best_threshold(scores, lambda t, s=scores: table.f1(s > t), near)
        (high, low, capital), best = table.calibrate(scores, capitals)
        lows = np.where(capitals, capital, low)
        assert best > one - 1 and best == table.f1(above(scores, high, lows, table.lengths))
        assert low == (high if seen else capital)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_legal_bio(kind):
    tagger = started(kind)
    tagged = tagger.predict(DEV)
    assert [len(tags) for tags in tagged] == [len(s.words) for s in DEV]
    assert not any(schemes.illegal(tags, "BIO") for tags in tagged)
    assert any(tag != "O" for tags in tagged for tag in tags)
    analysed = tagger.analyse(DEV)
    assert [one.tags for one in analysed] == tagged
    sure = np.concatenate([one.probabilities for one in analysed])
    assert len(sure) == sum(len(s.words) for s in DEV) and (sure >= 0).all() and (sure <= 1).all()
    none = tagger.analyse(DEV, threshold=1.0)
    assert sum(tag != "O" for one in none for tag in one.tags) == 0 or kind == "sequence"


def test_labels_of_the_schemes():
    assert started("softmax", scheme="BIO").labels[:3] == ["O", "B-LOC", "I-LOC"]
    assert len(started("softmax").labels) == 17


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(tmp_path, kind):
    tagger = started(kind)
    tagger.threshold = 0.25
    loaded = Tagger.load(tagger.save(tmp_path / "model.npz"))
    assert loaded.config == tagger.config and loaded.threshold == 0.25
    for old, new in zip(tagger.analyse(DEV), loaded.analyse(DEV), strict=True):
        assert (old.probabilities == new.probabilities).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(tagger=7), "model.npz: of version 7, not of 3; train it again"),
        (lambda s: s.pop("tagger"), "a saved state, but not that of a tagger"),
        (lambda s: s.pop("numbers"), "damaged model file .the state of this Tagger has"),
        (lambda s: s["config"].update(width=4), "damaged model file .window width 4"),
        (lambda s: s["config"].update(colour=4), "damaged model file .its config.* has colour"),
        (lambda s: s["config"].update(hidden=3), r"fit: W: an array \(\(3, .*"),
        (lambda s: s.update(config=[1]), r"damaged model file .the state .* has the config \[1\]"),
        (
            lambda s: s["words"]["E"].pop(),
            "damaged model file .the state does not fit: E: an array",
        ),
        (lambda s: s["labels"].clear(), "damaged model file .it has no labels"),
        (
            lambda s: s["words"].update(ZZ=["a"]),
            "damaged model file .the state of this Tagger has E, C, F, not .*'ZZ'",
        ),
        (lambda s: s["words"]["E"].append(s["words"]["E"][-1]), "damaged model file .the state of"),
        (lambda s: s.update(labels="LOC"), "damaged model file .* has the labels 'LOC'"),
        (lambda s: s["arrays"]["W"].fill(np.nan), "W holds nan or inf"),
        (
            lambda s: s["arrays"].update(u=s["arrays"]["u"].astype(str)),
            "fit: u: an array .*<f8.* not .*U",
        ),
        (lambda s: s["arrays"].update(u=[1.0]), r"fit: u: an array .* not \[1.0\]"),
        (
            lambda s: s["numbers"].update(threshold=10**400),
            "damaged model file .* has the threshold",
        ),
        (lambda s: s["numbers"].pop("offset"), "Tagger has threshold, lower, .*, not"),
        (lambda s: s["numbers"].update(more=1.0), "Tagger has threshold, lower, .*, not .*more"),
        (lambda s: s.update(numbers=np.ones(2)), "damaged model file .* has the numbers array"),
        (lambda s: s.update(tagger=np.ones(2)), "a saved state, but not that of a tagger"),
    ],
)
def test_model_files_of_others_are_refused(tmp_path, change, message):
    path = started().save(tmp_path / "model.npz")
    state = load_state(path)
    change(state)
    save_state(path, state)
    with pytest.raises(ValueError, match=message):
        Tagger.load(path)


def test_a_model_file_without_a_threshold_for_capitals_tags_as_it_did(tmp_path):
    tagger = started()
    tagger.threshold, tagger.lower = np.quantile(tagger.outputs(tagger.windows(DEV)), (0.9, 0.7))
    tagger.capital = tagger.lower
    state = load_state(tagger.save(tmp_path / "model.npz"))
    del state["numbers"]["capital"]
    old = Tagger.load(save_state(tmp_path / "old.npz", state))
    assert old.capital == tagger.lower
    assert old.predict(DEV) == tagger.predict(DEV)


def test_broken_model_files_are_refused(tmp_path):
    path = started().save(tmp_path / "model.npz")
    data = path.read_bytes()
    for size in (0, 1, 100, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:size])
        with pytest.raises(ValueError, match=r"model\.npz: this is no saved state"):
            Tagger.load(path)


def test_evaluation_of_a_model():
    tagger = started()
    result = tagger.evaluate(DEV)
    assert set(result.entities.types) == {"LOC"}
    assert result.entities["LOC"].true == len(TypeEvaluation(DEV, "LOC").entities)
    assert 0 < result.average_precision < 1 and 0 < result.pair_accuracy < 1
    assert result.errors[0].confidence == max(error.confidence for error in result.errors)
    assert {error.kind for error in result.errors} <= set(scoring.KINDS)
    with pytest.raises(ValueError, match="sentences without tags"):
        tagger.evaluate([Sentence(["Paris"])])


def test_strict_reads_predictions_as_written():
    result = evaluation.evaluate([["B-LOC", "I-LOC"]], [Sentence(["a", "b"], ["I-LOC", "I-LOC"])])
    assert (result.f1, result.strict.f1, result.tokens.f1) == (100.0, 0.0, 100.0)
    wide = evaluation.evaluate(
        [["B-LOC", "I-LOC"]], [Sentence(["a", "b"], ["B-LOC", "E-LOC"])], "BIOES"
    )
    assert wide.strict.f1 == 100.0


def test_baselines_of_one_type():
    rows = evaluation.baselines(TRAIN, DEV, "LOC")
    assert rows["all O"].f1 == 0.0 and rows["lexicon"].f1 > 30
    assert set(rows["lexicon"].types) == {"LOC"}


def test_pretrained_vectors_fill_their_rows(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("paris 1 2 3\nzanzibar 4 5 6\n<unk> 7 8 9\nunused 0 0 0\n")
    tagger = Tagger(Config(dim=3))
    others = [Sentence(["Zanzibar"])]
    found = tagger.start(TRAIN, 0, path, others)
    assert sorted(found.rows) == ["<unk>", "paris", "zanzibar"]
    words = tagger.vocabulary
    assert tagger.arrays["E"][words.id("Zanzibar")].tolist() == [4, 5, 6]
    assert tagger.arrays["E"][0].tolist() == [7, 8, 9]
    with pytest.raises(ValueError, match="vectors of width 3, but the model's is 10"):
        Tagger(Config()).start(TRAIN, 0, path)


def test_refusals():
    with pytest.raises(
        ValueError, match="unknown tag scheme to train in 'IO': expected one of BIO, BIOES"
    ):
        Config(scheme="IO")
    with pytest.raises(ValueError, match="unknown model 'crf'"):
        defaults("crf")
    none = [Sentence(["x"], ["O"])]
    with pytest.raises(ValueError, match="the training sentences hold no entity"):
        Tagger(Config("softmax")).fit(none, none)


def test_defaults_are_changed_by_name():
    config, training = defaults("softmax", hidden=7, rate=0.25)
    assert (config.hidden, config.dim, training.rate, training.batch) == (7, 50, 0.25, 8)
    with pytest.raises(TypeError, match="colour"):
        defaults("margin", colour=3)


TEXT = "Ann  <b> in\nNew York"
FOUND = [Entity("PER", "Ann", 0, 3, 0.9), Entity("LOC", "New York", 12, 20, 0.5)]


def test_terminal_view_keeps_the_spacing():
    assert entities.marked(TEXT, FOUND).plain == "[Ann PER]  <b> in\n[New York LOC]"
    lines = "in\r\nNew\r\nYork\r\n"
    found = [Entity("LOC", "New\r\nYork", 4, 13, 0.5)]
    assert entities.marked(lines, found).plain == "in\n[New\nYork LOC]\n"


def test_html_page():
    text = page.page(TEXT, FOUND, "Names & <places>")
    assert "Names &amp; &lt;places&gt;" in text and "&lt;b&gt; in\n" in text and "<b>" not in text
    assert text.count("<mark") == 4 and 'title="LOC, probability 0.50"' in text
    assert ">New York<small>LOC</small></mark>" in text
    assert "no names found" in page.page("x", [], "x")
    assert "http:" not in text and "https:" not in text
    assert "a\nb\\rc</div>" in page.page("a\r\nb\rc", [], "x")


@pytest.mark.parametrize(
    ("scores", "kept"), [([1.0, 5.0, 3.0], 2), ([0.0, 4.0, 4.0], 2), ([2.0], 1)]
)
def test_the_curve_marks_the_epoch_that_training_keeps(scores, kept):
    rows = [{"epoch": n, "loss": 1.0, "dev_f1": f1} for n, f1 in enumerate(scores, 1)]
    assert f"epoch {kept} is kept" in page.learning_curve(History(rows))


def test_pages_hold_words_types_and_places_as_text():
    bad = '"><i>\x1b&amp;'
    said = [Sentence([bad, "x"], [f"B-{bad}", "O"], [3, 4], path=bad)] * 25
    result = evaluation.evaluate([["O", f"B-{bad}"]] * 25, said)
    sample = pictures.Example("", [Line("true", "", [bad, "x"], 1)], Value(2.5, label="J"))
    found = [Entity(bad, bad, 0, len(bad), 0.5)]
    rows = {bad: result.entities}
    history = History([{"epoch": 1, "loss": 1.0, "dev_f1": 0.0}])
    run = page.Run(bad, result, rows, history, bad, found, sample)
    text = page.report_page(run)
    for html in (text, page.page(bad, found, bad)):
        assert "<i>" not in html and "\x1b" not in html and "&amp;gt;" not in html
        assert '&quot;&gt;&lt;i&gt;\\x1b&amp;amp;, probability 0.50"' in html
    assert text.count("<li>") == page.SHOWN == 20 and "25 missed, 25 invented" in text
    assert text.count("<style>") == 1 and page.ACTIVE not in text  # of a margin alone
    assert '<span class="centre">x</span>' in text and "<b>J = 2.5</b>" in text
    assert "; img-src 'self' file:" in text  # pair.svg beside it; a page of a text has no pictures
    assert "img-src" not in page.page(bad, found, bad) and "<h2>Hardest errors</h2>" in text
    right = evaluation.evaluate([["O"]], [Sentence(["x"], ["O"])])
    assert "Hardest" not in page.report_page(run._replace(result=right))


def printed(show, *shown, width=200):
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(*shown, console)
    return console.file.getvalue()


def test_what_is_printed_of_words_types_and_places_is_text():
    bad = "[red]\x1b[31m:key:"
    said = [Sentence([f"1{bad}", f"2{bad}", "x"], [f"B-{bad}", "O", "O"], [3, 4, 5], path=bad)] * 25
    result = evaluation.evaluate([["O", "O", f"B-{bad}"]] * 25, said)
    plain = printable(bad)
    errors = printed(report.print_errors, result.errors).splitlines()
    assert errors[0] == "Errors: 0 wrong type, 0 wrong border, 25 missed, 25 invented"
    assert len(errors) == 2 + report.SHOWN_ERRORS == 10
    assert errors[2] == f"  {plain}:3 invented {plain}: [1{plain}] 2{plain} x  (1.00)"
    assert printed(report.print_errors, result.errors[-1:]).endswith(
        f"  {plain}:5 missed {plain}: 1{plain} 2{plain} [x]  (1.00)\n"
    )
    assert not printed(report.print_errors, [])
    scores = printed(report.print_evaluation, result, {})
    confused = printed(report.print_confusion, result.confusion)
    assert plain in scores and "\x1b" not in scores + confused
    assert [line.split("┃")[1:-1] for line in confused.splitlines() if f"┃ {plain}" in line]
    cells = [[c.strip() for c in row.split("│")[1:-1]] for row in confused.splitlines()[4:-1]]
    assert cells == [[plain, "0", "25"], ["O", "25", ""]]
    assert report.errors_csv(result.errors[-1:]).splitlines()[1:] == [
        f"{bad}:5,missed,2-3 {bad},,x,1.0000,1{bad} 2{bad} x"
    ]


def test_a_table_is_printed_as_one_where_no_number_of_it_is_cut():
    rows = {
        "a long name": ["100.00", "1.25", "2.50", "1234567890", "3", ""],
        "b": ["0.00"] * 6,
    }
    tables = {
        width: printed(
            lambda *t: report._print_table(t[-1], "t", report.COLUMNS, rows), width=width
        )
        for width in range(50, 90)
    }
    least = min(width for width, text in tables.items() if "│" in text)
    table = tables[least].splitlines()
    assert {len(line) for line in table[1:]} == {least}
    assert all(whole in tables[least] for whole in ("1234567890", "100.00", "precision"))
    assert any(line.startswith("│ b   ") and "│      0.00 │" in line for line in table)
    below = tables[least - 1]
    assert "precision 100.00, recall 1.25" in below and "true \n" not in below + "\n"


def test_a_type_called_as_an_average_is_told_apart():
    found = scoring.score([["B-micro", "B-x"]], [["B-micro", "O"]])
    assert [*report.rows(found)] == ["type micro", "x", "micro", "macro", "weighted"]


def test_entities_have_offsets_and_probabilities():
    text = "Ann saw  New\nYork."
    tagged = Sentence(
        text.split(),
        ["B-PER", "O", "B-LOC", "I-LOC"],
        offsets=[(0, 3), (4, 7), (9, 12), (13, 18)],
        probabilities=np.array([0.4, 1.0, 0.9, 0.7]),
    )
    first, second = entities.entities(text, tagged)
    assert second == Entity("LOC", "New\nYork.", 9, 18, 0.7) and first.probability == 0.4
    assert tagged.above(0.5).tags == ["O", "O", "B-LOC", "I-LOC"]
    assert entities.record(text, [second])["label"] == [[9, 18, "LOC"]]
    named = Entity("LOC", "Oslo", 0, 4, 2 / 3).as_dict()
    assert named == {"type": "LOC", "text": "Oslo", "start": 0, "end": 4, "probability": 0.6667}


@pytest.mark.parametrize("kind", KINDS)
def test_tagging_a_text(kind):
    tagger = started(kind)
    if kind == "margin":
        tagger.threshold = -9.0
    text = "She moved  from Oslo to\nChelsea.\n\nIt rained."
    found = tagger.tag(text)
    assert found and all(text[e.start : e.end] == e.text for e in found)
    assert tagger.tag("") == tagger.tag(" \n\n ") == []


def test_a_type_keeps_its_colour_from_piece_to_piece():
    name = Entity("PER", "Ann", 0, 3, 0.9)
    alone = entities.marked("Ann left", [name])
    among = entities.marked("Ann left", [name], {"LOC": 0, "PER": 1})
    assert [span.style for span in alone.spans] == [entities.STYLES[0]]
    assert [span.style for span in among.spans] == [entities.STYLES[1]]


@pytest.mark.parametrize("state", [[1, 2], {"tagger": "3"}, {}])
def test_another_saved_state_is_no_model(tmp_path, state):
    path = save_state(tmp_path / "x.npz", state)
    with pytest.raises(ValueError, match="a saved state, but not that of a tagger"):
        Tagger.load(path)


def test_an_error_of_borders_shows_what_was_said():
    said, true = schemes.Span(0, 2, "LOC"), schemes.Span(1, 2, "LOC")
    words = ["The", "Strait", "was", "calm"]
    error = scoring.Error("wrong border", words, true, said, "x:1", 0.5)
    assert error.context(1) == ("", "The Strait", "was")
    assert error._replace(predicted=None).context(1) == ("The", "Strait", "was")


def test_a_tagger_without_a_configuration_is_the_lectures():
    assert Tagger().config == Config()


@pytest.mark.parametrize("viterbi", [True, False])
def test_only_the_plain_form_takes_the_best_tag_of_each_word(viterbi):
    tagger = started("softmax", viterbi=viterbi)
    cut = tagger.windows([Sentence(["a", "b"])])
    out = np.zeros((2, len(tagger.labels)))
    out[0, tagger.labels.index("O")] = out[1, tagger.labels.index("I-LOC")] = 9.0
    decided = [tagger.labels[tag] for tag in tagger.decide(out, cut)]
    assert decided == (["O", "O"] if viterbi else ["O", "I-LOC"])


def test_kinds_of_errors():
    true = ["B-LOC", "I-LOC", "O", "B-PER", "O", "B-ORG", "B-ORG"]
    said = ["B-LOC", "O", "B-LOC", "B-LOC", "O", "O", "B-ORG"]
    tagged = Sentence(list("abcdefg"), said, probabilities=np.linspace(0.1, 0.7, 7))
    found = scoring.find([true], [tagged])
    assert sorted((e.kind, e.types()) for e in found) == [
        ("invented", "LOC"),
        ("missed", "ORG"),
        ("wrong border", "LOC"),
        ("wrong type", "PER as LOC"),
    ]
    counts = scoring.confusion([true], [said])
    assert counts["PER", "LOC"] == 1 and counts["ORG", "ORG"] == 1 and counts["O", "LOC"] == 2


def test_the_curve_ends_at_the_report():
    tagger = started("softmax")
    result = tagger.evaluate(DEV)
    thresholds = [threshold for threshold, _ in result.curve]
    assert thresholds == sorted(set(thresholds), reverse=True)
    assert result.curve[-1][1] == result.entities.overall
    middle = thresholds[len(thresholds) // 2]
    kept = [one.tags for one in tagger.analyse(DEV, middle)]
    assert scoring.score([s.tags for s in DEV], kept).overall == dict(result.curve)[middle]


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_is_scored_in_one_pass(kind, monkeypatch):
    tagger, passes = started(kind), []
    real = tagger.outputs
    monkeypatch.setattr(tagger, "outputs", lambda cut: passes.append(len(cut)) or real(cut))
    result = tagger.evaluate(DEV)
    assert passes == [sum(len(s.words) for s in DEV)]
    true = [scoring.only(s.tags, tagger.label) for s in DEV]
    assert result.confusion == scoring.confusion(true, tagger.predict(DEV))


def test_report_names_every_measure():
    console = Console(file=io.StringIO(), width=100, highlight=False)
    tagger = started("multiclass")
    result = tagger.evaluate(DEV)
    report.print_evaluation(result, baselines=evaluation.baselines(TRAIN, DEV), console=console)
    report.print_errors(result.errors, console)
    shown = console.file.getvalue()
    for name in (
        "conlleval",
        "all types",
        "macro average",
        "baseline: all O",
        "baseline: lexicon",
        "strict mode",
        "token level",
        "Hardest errors",
    ):
        assert name in shown, name
    assert shown.count("dev.conll:") == report.SHOWN_ERRORS and "ranking" not in shown
    result = started().evaluate(DEV)
    report.print_evaluation(result, console=console)
    added = console.file.getvalue().removeprefix(shown)
    one, other = 100 * result.average_precision, 100 * result.pair_accuracy
    assert f"average precision {one:.2f}, pair accuracy {other:.2f}\n" in added
    assert "all types" not in added


def test_files_of_scores_have_a_cell_for_each_column_and_the_words_of_each_error():
    result = started().evaluate(DEV)
    texts = [report.curve_csv(result), report.as_csv(result.entities)]
    texts.append(report.errors_csv(result.errors))
    for header, *rows in (csv.reader(io.StringIO(text)) for text in texts):
        assert rows and {len(row) for row in rows} == {len(header)}
    for row in csv.DictReader(io.StringIO(texts[-1])):
        start, end = map(int, (row["predicted"] or row["true"]).split()[0].split("-"))
        assert row["words"].split() == row["sentence"].split()[start:end]


def test_unnormalised_reading(tmp_path):
    path = tmp_path / "p"
    path.write_text("a\tI-LOC\nb\tB-LOC\nc\tI-PER\n")
    corpus = conll.read(path, scheme=None)
    assert corpus.sentences[0].tags == ["I-LOC", "B-LOC", "I-PER"]


def test_the_pair_that_is_drawn_is_the_lectures():
    title, windows, root = pictures.example(started(), DEV)
    assert (
        title == "'Paris' in 'Museums in Paris are amazing' against 'museums' in "
        "'Not all museums in Paris'"
    )
    assert [window.words[window.centre] for window in windows] == ["Paris", "museums"]
    assert root.data > 0 and root.label == "J"
    assert any(node.grad for node in root.parents)


def test_a_quiet_pair_gives_way_to_a_harder_one():
    tagger = started()
    tagger.arrays["u"][:] = 0
    for delta, expected in ((0.0, "'museums' in"), (1.0, "'museums' in")):
        tagger.config = Config(delta=delta)
        assert expected in pictures.example(tagger, DEV).title
    tagger = started(delta=0.0)
    chosen = pictures.example(tagger, DEV)
    assert chosen.loss.data > 0
    corpus = [TRUE_SENTENCE, CORRUPT_SENTENCE, *DEV]
    cut = tagger.windows(corpus)
    pairs = [tuple(pair) for pair in pictures._samples(tagger, corpus, cut)]
    lines = [[pictures._line(corpus, cut, token).words for token in pair] for pair in pairs]
    assert len(set(pairs)) == 3 and [window.words for window in chosen.windows] in lines


QUIET, PEOPLE = {"delta": 0.0}, [Sentence(["Ann", "left"], ["B-PER", "O"])]


@pytest.mark.parametrize(
    ("label", "sentences", "options", "drawn"),
    [
        ("PER", PEOPLE, {}, ["Ann", "left"]),  # Paris is no true window of a scorer of people
        ("PER", PEOPLE, QUIET, ["Ann", "left"]),
        ("PER", DEV[:1], {}, None),  # which has none
        ("LOC", PEOPLE, {}, ["Paris", "museums"]),
        ("LOC", PEOPLE, QUIET, ["Paris", "museums"]),
    ],
)
def test_the_true_window_that_is_drawn_is_of_the_models_type(
    tmp_path, label, sentences, options, drawn
):
    tagger, said = started(label=label, **options), []
    if options:
        tagger.arrays["u"][:] = 0  # every margin is kept
    chosen = pictures.write_example(tagger, sentences, tmp_path, said.append)
    assert drawn == (chosen and [window.words[window.centre] for window in chosen.windows])
    assert drawn or said == ["no picture of the graph: the sentences have no PER"]


@pytest.mark.parametrize("kind", ["softmax", "multiclass", "sequence"])
def test_a_model_whose_labels_are_no_tags_is_refused(tmp_path, kind):
    path = started(kind).save(tmp_path / "model.npz")
    for labels, message in (
        (["O", "PER"], "damaged model file .unknown tag 'PER'"),
        (["O"], "no labels"),
        ([], "no labels"),
        (["O", "B-LOC", "O"], "has the labels"),
    ):
        state = load_state(path)
        state["labels"] = labels
        save_state(tmp_path / "other.npz", state)
        with pytest.raises(ValueError, match=message):
            Tagger.load(tmp_path / "other.npz")


@pytest.mark.parametrize("kind", ["softmax", "multiclass", "sequence"])
def test_other_models_are_drawn_by_their_sample(tmp_path, kind):
    tagger = started(kind, hidden=4, dim=3, scheme="BIO", features=())
    said = []
    chosen = pictures.write_example(tagger, DEV, tmp_path, said.append)
    centres = [window.words[window.centre] for window in chosen.windows]
    assert centres == (["in", "Paris", "."] if kind == "sequence" else ["Paris"])
    assert "Paris" in said[0]
    assert (tmp_path / "pair.svg").exists()
    assert (tmp_path / "pair.html").read_text("utf-8").count('<p class="true">') == len(
        chosen.windows
    )


def test_what_was_learned_of_transitions_decides():
    tagger = started("sequence")
    tagger.arrays["A"][-1, tagger.labels.index("S-LOC")] = 1000.0
    assert {tags[0] for tags in tagger.predict(DEV)} == {"B-LOC"}
    tagger.arrays["A"][-1, tagger.labels.index("S-LOC")] = -1000.0
    assert "B-LOC" not in {tags[0] for tags in tagger.predict(DEV) if len(tags) == 1}


@pytest.mark.parametrize(
    ("kind", "viterbi", "legal"),
    [("sequence", False, True), ("softmax", True, True), ("softmax", False, False)],
)
def test_tags_are_written_in_bio_by_conllevals_rules(kind, viterbi, legal):
    tagger = started(kind, viterbi=viterbi)
    assert tagger.legal == legal
    cut = tagger.windows([Sentence(["a", "b", "c"])])
    decided = [
        tagger.labels.index(x)
        for x in (("B-LOC", "E-LOC", "O"), ("I-LOC", "O", "E-LOC"))[not legal]
    ]
    written = [["B-LOC", "I-LOC", "O"]] if legal else [["B-LOC", "O", "B-LOC"]]
    assert tagger.tags(np.array(decided), cut) == written


def test_a_tagger_without_a_model_is_not_saved(tmp_path):
    with pytest.raises(ValueError, match="this tagger is not trained: fit it"):
        Tagger().save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def test_a_tagger_says_what_it_is_and_folds_what_it_was_told():
    assert "finds: not trained yet; 3 words, 0 parameters" in repr(Tagger())
    tagger = started("softmax")
    numbers = sum(array.size for array in tagger.arrays.values())
    words = len(tagger.vocabulary)
    assert "finds: O, B-LOC, " in repr(tagger)
    assert f"; {words:,} words, {numbers:,} parameters)" in repr(tagger)
    for lower, digits, form in ((True, True, "a0"), (False, True, "A0"), (True, False, "a7")):
        assert Tagger(Config(lower=lower, fold_digits=digits)).form("A7") == form


def test_a_large_graph_is_not_drawn(tmp_path):
    said = []
    tagger = started("softmax", hidden=300)
    assert pictures.write_example(tagger, DEV, tmp_path, said.append) is None
    assert "weights are too many to draw" in said[0]


def test_a_type_is_not_its_last_word():
    sentences = [Sentence(["a", "b"], ["B-creative-work", "B-work"])]
    assert ranking.true_mask(sentences, "work").tolist() == [False, True]


def test_a_type_may_be_called_as_an_average_is():
    truth = [["B-micro", "O", "B-macro", "B-PER"]]
    scored = scoring.score(truth, [["B-micro", "O", "O", "B-micro"]])
    names = [line.partition(",")[0] for line in report.as_csv(scored).splitlines()]
    assert {"type micro", "type macro", "PER", "micro", "macro", "weighted"} <= {*names}
    named = report.rows(scored)
    assert named["type micro"] is scored.types["micro"] and named["micro"] == scored.overall


def test_a_margin_scorers_probability_is_the_logistic_of_its_score():
    sentences = [Sentence(["Oslo", "is", "in", "Oslo"], ["B-LOC", "O", "O", "B-LOC"])]
    tagger = Tagger()
    tagger.start(sentences)
    tagger.slope, tagger.offset = 2.0, -1.0
    (tagged,) = tagger.analyse(sentences)
    score = tagger.outputs(tagger.windows(sentences))[:, 0]
    name = 1 / (1 + np.exp(1 - 2 * score))
    expected = np.where([tag == "O" for tag in tagged.tags], 1 - name, name)
    assert tagged.probabilities == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_tagger_is_trained_as_its_kind_is_by_default(monkeypatch, kind):
    asked = []
    monkeypatch.setattr(fitting, "train", lambda *arguments: asked.append(arguments[-1]))
    config, training = defaults(kind)
    Tagger(config).fit([], [])
    assert asked == [training]
