"""Training: it learns, repeats itself exactly, resumes exactly, and says what is wrong."""

import signal
from dataclasses import replace

import numpy as np
import pytest

from micrograd import optim, schedules
from micrograd.checkpoint import load_state, restore, save_state
from micrograd.metrics import fit_logistic
from micrograd.ner.corpus import shipped
from micrograd.ner.judging.ranking import true_mask
from micrograd.ner.model.config import KINDS, Config, Training, defaults
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll, notation
from micrograd.ner.text.sentence import Sentence
from micrograd.ner.training import fitting
from micrograd.ner.training.engines import Gradients, ScalarEngine
from micrograd.ner.training.judge import Judge
from micrograd.ner.window_model import NUMBERS
from micrograd.training import Interrupted
from micrograd.training.history import History

NAMES = ("Paris", "Rome", "Oslo", "Ulm")
WORDS = ("goes", "sees", "has", "reads")


def toy(count, seed=0, kind="LOC"):
    """Give sentences in which a name follows "in"."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        words = ["she", str(rng.choice(WORDS)), "in", str(rng.choice(NAMES)), "."]
        out.append(Sentence(words, ["O", "O", "O", f"B-{kind}", "O"]))
    return out


def small(kind="margin", **changes):
    sizes = {"dim": 4, "hidden": 5, "features": (), "dropout": 0.0, "epochs": 3, "patience": 9}
    config, training = defaults(kind, **sizes | changes)
    return Tagger(config), training


def trained(kind="margin", sentences=None, **changes):
    tagger, training = small(kind, **changes)
    history = tagger.fit(sentences or toy(12), toy(6, 1), training)
    return tagger, history


@pytest.mark.parametrize(
    ("kind", "rate"), [("margin", 0.1), ("softmax", 0.3), ("multiclass", 0.2), ("sequence", 0.3)]
)
def test_a_model_learns(kind, rate):
    tagger, history = trained(kind, rate=rate, epochs=10, batch=4)
    assert history["dev_f1"][-1] == 100.0
    assert tagger.predict([Sentence(["she", "has", "in", "Ulm", "."])]) == [
        ["O", "O", "O", "B-LOC", "O"]
    ]
    active = [] if kind == "softmax" else ["active"]
    assert history.columns == ["epoch", "loss", *active, "dev_loss", "dev_f1"]
    assert history["dev_loss"][-1] <= history["dev_loss"][0]


def same(one, other):
    return all((one.arrays[name] == other.arrays[name]).all() for name in one.arrays)


def untold(count):
    """Give sentences whose names are told once in three times: O is the likelier tag."""
    told = toy(count)
    return [s if n % 3 == 0 else Sentence(s.words, ["O"] * 5) for n, s in enumerate(told)]


@pytest.mark.parametrize("kind", ["softmax", "sequence"])
def test_o_has_to_lead_where_dev_has_more_names_than_training(kind, tmp_path):
    tagger, _ = trained(kind, untold(60), loss="likelihood", rate=0.3, epochs=6, batch=4)
    assert tagger.threshold > 0
    sentences = toy(5, 2)
    assert tagger.predict(sentences) == [s.tags for s in sentences]
    again = Tagger.load(tagger.save(tmp_path / "model.npz"))
    assert again.predict(sentences) == [s.tags for s in sentences]
    tagger.threshold = 0.0
    assert tagger.predict(sentences) == [["O"] * 5] * 5


def test_o_need_not_lead_where_nothing_is_gained_or_in_the_lectures_form():
    assert trained("softmax", toy(120), rate=0.5)[0].threshold == 0
    assert trained("softmax", untold(60), viterbi=False, rate=0.3, epochs=6)[0].threshold == 0


def test_a_seed_repeats_and_another_does_not():
    assert same(trained()[0], trained()[0])
    assert not same(trained()[0], trained(seed=1)[0])


@pytest.mark.parametrize("name", list(optim.BY_NAME))
def test_every_optimiser_trains(name):
    _, history = trained(optimizer=name, rate=0.05)
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("name", schedules.BY_NAME)
def test_every_schedule_trains(name):
    _, history = trained(schedule=name, epochs=5)
    assert history["loss"][-1] < history["loss"][0]
    assert 0 < fitting.schedule(Training(schedule=name, epochs=5), 7)(0) <= 0.1


def test_decay_is_once_an_epoch():
    rate = fitting.schedule(Training(schedule="decay"), 7)
    assert rate(6) == 0.1 and rate(7) == pytest.approx(0.1 / 1.3)
    assert rate(14) == pytest.approx(0.1 / 1.6)


@pytest.mark.parametrize("sampler", ["window", "word"])
def test_both_samplers_train(sampler):
    assert trained(sampler=sampler, epochs=8)[1]["dev_f1"][-1] == 100.0


def test_frozen_vectors_do_not_move():
    tagger, training = small(frozen=True, features=("case",), case_dim=2)
    tagger.start(toy(12), training.seed)
    before = tagger.arrays["E"].copy()
    tagger.fit(toy(12), toy(6, 1), training)
    assert (tagger.arrays["E"] == before).all()
    moved, _ = trained(features=("case",), case_dim=2)
    assert not (moved.arrays["E"] == before).all()


def test_only_words_that_were_seen_move():
    tagger, training = small("softmax", epochs=1)
    tagger.start(toy(12), training.seed)
    before = tagger.arrays["E"].copy()
    trainer = fitting.Trainer(tagger, toy(12), training)
    trainer.step(np.array([0]))
    moved = np.flatnonzero((tagger.arrays["E"] != before).any(axis=1))
    seen = trainer.sampler.take(np.array([0])).ids
    assert set(moved.tolist()) == set(seen.ravel().tolist())


class StopError(Exception):
    pass


RUNS = {  # what is drawn, and what an optimiser and a schedule remember, beside the arrays
    "pairs": {"optimizer": "adagrad"},
    "words": {"sampler": "word", "features": ("case",), "case_dim": 2, "schedule": "plateau"},
    "dropout": {"kind": "softmax", "dropout": 0.4, "optimizer": "adam", "rate": 0.02, "batch": 2},
    "rare": {"kind": "sequence", "rare": 30, "optimizer": "adagrad", "batch": 2},
    "likelihood": {"kind": "sequence", "loss": "likelihood", "schedule": "cosine", "batch": 3},
    "rows": {"kind": "multiclass", "optimizer": "sparseadam", "batch": 1, "frozen": True},
}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("share", [0.2, 0.4, 0.9])
@pytest.mark.parametrize("killed", [False, True])
def test_resumed_training_is_the_uninterrupted_one(tmp_path, monkeypatch, run, share, killed):
    """After Ctrl-C it goes on where it was, after a crash at the end of the last epoch."""
    options, path, calls = {"epochs": 4, **RUNS[run]}, tmp_path / "run.npz", []
    real = fitting.Trainer.step

    def step(self, numbers):
        calls.append(1)
        if len(calls) == cut and killed:
            raise StopError
        if len(calls) == cut:
            signal.raise_signal(signal.SIGINT)
        return real(self, numbers)

    cut = 0
    monkeypatch.setattr(fitting.Trainer, "step", step)
    whole, history = trained(**options)
    cut = int(share * len(calls))
    calls.clear()
    tagger, training = small(**options)
    with pytest.raises((StopError, Interrupted)):
        tagger.fit(toy(12), toy(6, 1), training, checkpoint=path)
    again, training = small(**options)
    resumed = again.fit(toy(12), toy(6, 1), training, checkpoint=path, resume=True)
    assert resumed.rows == history.rows and same(again, whole)
    assert [getattr(again, n) for n in NUMBERS] == [getattr(whole, n) for n in NUMBERS]


@pytest.mark.parametrize(
    ("name", "changed", "told"),
    [
        ("numbers", [0.0] * 4, "the state of this Tagger has the offset None"),
        ("numbers", [0.0] * 6, "the state of this Tagger has threshold, lower, "),
        ("numbers", [0.0, "1", 0.0, 0.0, 0.0], "the state of this Tagger has the lower '1'"),
        ("numbers", 1.0, "the state of this Trainer has the numbers 1.0"),
        ("epoch", -1, "the state of this Trainer has the epoch -1"),
        ("epoch", None, "the state of this Trainer has the epoch None"),
        ("arrays", {}, "it lacks "),
        ("optimizer", 1, "this is not the state of this SGD: it is 1"),
        ("more", 1, "the state of this Trainer has arrays, optimizer, numbers, epoch, not "),
    ],
)
def test_a_checkpoint_of_other_parts_is_refused_and_changes_nothing(tmp_path, name, changed, told):
    path = tmp_path / "run.npz"
    tagger, training = small(epochs=1)
    tagger.fit(toy(12), toy(6, 1), training, checkpoint=path)
    trainer = fitting.Trainer(tagger, toy(12), training)
    before = trainer.state_dict()
    with pytest.raises(ValueError, match=f"the state does not fit: {told}"):
        restore(trainer, before | {name: changed})
    assert trainer.state_dict()["numbers"] == before["numbers"] and trainer.epoch == 0
    state = load_state(path)
    state["state"][name] = changed
    save_state(path, state)
    other, training = small(epochs=2)
    with pytest.raises(
        ValueError, match=rf"run\.npz: the state does not fit: .*{told}.*begin anew"
    ):
        other.fit(toy(12), toy(6, 1), training, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("kind", "rate", "seed"),
    [("margin", 0.1, 0), ("softmax", 3, 1), ("sequence", 3, 0), ("multiclass", 1, 1)],
)
def test_the_best_epoch_is_kept_with_its_threshold(kind, rate, seed):
    options = {"rate": rate, "seed": seed, "epochs": 5, "batch": 4, "schedule": "constant"}
    (tagger, history), dev = trained(kind, untold(24), **options), toy(6, 1)
    assert tagger.evaluate(dev).f1 == pytest.approx(max(history["dev_f1"]))
    if kind == "margin":
        scores = tagger.outputs(tagger.windows(dev))[:, 0]
        fitted = fit_logistic(scores, true_mask(dev, "LOC"))
        assert (tagger.slope, tagger.offset) == pytest.approx(fitted)


def test_a_corrupt_window_is_a_real_one_or_the_true_one_with_another_centre():
    for kind in ("window", "word"):
        tagger, training = small(sampler=kind, width=7)
        tagger.start(toy(12), 0)
        sampler = fitting.Trainer(tagger, toy(12), training).sampler
        true, corrupt = np.split(sampler.take(np.arange(20)).ids[:, :, 0], 2)
        real = {tuple(row) for row in tagger.windows(toy(12)).rows()[:, :, 0].tolist()}
        around = [0, 1, 2, 4, 5, 6]
        assert (true[:, around] == corrupt[:, around]).all() == (kind == "word")
        assert (true[:, 3] != corrupt[:, 3]).all()
        assert {tuple(row) for row in corrupt.tolist()} <= real or kind == "word"


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_on_dev_is_the_mean_over_all_its_samples(kind, monkeypatch):
    """However many are taken together, and however long they are."""
    tagger, _ = trained(kind, epochs=1)
    dev = [*toy(5, 1), Sentence(["she", "has", "Oslo"] * 9, ["O", "O", "B-LOC"] * 9)]
    judge = Judge(tagger, dev)
    every = judge.sampler.take(np.arange(len(judge.sampler)))
    whole = ScalarEngine(tagger.config, tagger.moves)(tagger.arrays, every).loss
    for together in (1, 4, 1000):
        monkeypatch.setattr("micrograd.ner.training.judge.JUDGED", together)
        assert judge.loss() == {"dev_loss": pytest.approx(whole)}


@pytest.mark.parametrize(
    ("kind", "words", "tags", "told"),
    [
        ("margin", "Oslo", "B-LOC", False),  # every word is a name
        ("margin", "in Oslo", "O B-LOC", True),
        ("softmax", "in Ann", "O B-PER", False),  # no tag is known
        ("softmax", "in New York", "O B-LOC I-LOC", True),  # every tag is there
    ],
)
def test_dev_sentences_that_have_no_loss(kind, words, tags, told):
    tagger, training = small(kind, epochs=1, **({} if kind == "margin" else {"scheme": "BIO"}))
    history = tagger.fit(toy(12), [Sentence(words.split(), tags.split())], training)
    assert ("dev_loss" in history.columns) == told


def test_an_epoch_draws_pairs_of_its_own_and_the_rate_stands_still():
    tagger, training = small(batch=7)
    tagger.start(toy(12), 0)
    trainer, drawn = fitting.Trainer(tagger, toy(12), training), []
    for epoch in (1, 2, 1):
        trainer.epoch = epoch - 1
        trainer.next_epoch(0.0)
        drawn.append(np.concatenate(trainer.sampler.pairs).tolist())
    assert drawn[0] == drawn[2] != drawn[1]
    updates = -(-len(trainer.sampler) // 7)
    assert trainer.rate(0) == trainer.rate(updates - 1) > trainer.rate(updates)


def test_a_batch_without_a_loss_moves_nothing_but_the_schedule():
    tagger, training = small("multiclass", optimizer="adam", batch=12)
    tagger.start(toy(12), 0)
    trainer = fitting.Trainer(tagger, toy(12), training)
    assert trainer.step(np.arange(12))["active"] == 100
    before = {name: array.copy() for name, array in tagger.arrays.items()}
    trainer.engine = lambda *_: Gradients(0.0, 0.0, {})
    assert trainer.step(np.arange(12)) == {"loss": 0.0, "active": 0.0}
    assert trainer.optimizer.steps_done == 2
    assert all((tagger.arrays[name] == array).all() for name, array in before.items())


def test_what_is_trained_on_is_told_and_other_words_have_vectors(tmp_path):
    (tmp_path / "v").write_text("she 1 2\nOslo 3 4\nUlm 5 6\nnowhere 7 8\n")
    tagger, training = small("softmax", epochs=1, dim=2, min_count=1)
    train = [Sentence(["she", "in", "Rome"], ["O", "O", "B-LOC"])] * 4
    dev, test = [Sentence(["Oslo", "x"], ["B-LOC", "O"])], [Sentence(["Ulm"], ["B-LOC"])]
    said = []
    options = {"pretrained": tmp_path / "v", "others": test}
    tagger.fit(train, dev, training, say=said.append, **options)
    assert "3 of 9 words have a vector" in said[0]
    assert said[1] == "4 samples an epoch, 8 words; 50.0 % of the dev tokens are unknown words"
    assert len(said) == 2
    assert [tagger.vocabulary.id(word) > 0 for word in ("Oslo", "Ulm", "x")] == [True, True, False]
    with pytest.raises(ValueError, match="the dev sentences hold no entity; there is nothing"):
        tagger.fit(train, [Sentence(["x"], ["O"])], training)


def test_dropped_inputs_depend_on_seed_epoch_and_batch():
    """The others are larger by as much, so that the mean stays (L19)."""
    tagger, training = small("softmax", dropout=0.25, width=9, dim=50)
    tagger.start(toy(12), 0)
    masks = []
    for seed, epoch, first in ((0, 0, 0), (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
        trainer = fitting.Trainer(tagger, toy(12), replace(training, seed=seed))
        trainer.epoch = epoch
        batch = trainer.sampler.take(np.arange(12))
        masks.append(trainer._dropped(batch, first).mask)
    assert masks[0].shape == (60, 450) and set(masks[0].ravel()) == {0.0, 1 / 0.75}
    assert masks[0].mean() == pytest.approx(1, abs=0.02)
    assert [(masks[0] == mask).all() for mask in masks] == [True, True, False, False, False]


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    tagger, training = small()
    tagger.fit(toy(12), toy(6, 1), training, checkpoint=path)
    other, _ = small(hidden=7)
    with pytest.raises(ValueError, match=r"run\.npz is another run's: hidden 5 there, 7 here"):
        other.fit(toy(12), toy(6, 1), training, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"activation": "relu"}, "activation 'tanh' there, 'relu' here"),
        ({"delta": 2.0}, r"delta 1\.0 there, 2\.0 here"),
        ({"rate": 0.05}, r"rate 0\.1 there, 0\.05 here"),
        ({"sampler": "word"}, "sampler 'window' there, 'word' here"),
        ({"schedule": "cosine"}, "schedule 'decay' there, 'cosine' here"),
        ({"optimizer": "adagrad"}, "optimizer 'sgd' there, 'adagrad' here"),
        ({"patience": 3}, "patience 9 there, 3 here"),
        ({"corrupt": 6}, "corrupt 5 there, 6 here"),
        ({"seed": 1}, "seed 0 there, 1 here"),
        ({"sentences": toy(12, 5)}, "training sentences '[0-9a-f]{12}' there"),
        ({"sentences": untold(12)}, "training sentences '[0-9a-f]{12}' there"),
        ({"dev": toy(6, 7)}, "dev sentences '[0-9a-f]{12}' there"),
        ({"dev": untold(6)}, "dev sentences '[0-9a-f]{12}' there"),
    ],
)
def test_a_checkpoint_made_otherwise_is_refused_and_the_difference_named(change, said, tmp_path):
    def fit(resume, sentences=None, dev=None, **changes):
        tagger, training = small(epochs=1, **changes)
        tagger.fit(
            sentences or toy(12),
            dev or toy(6, 1),
            training,
            checkpoint=tmp_path / "run.npz",
            resume=resume,
        )

    fit(False)
    with pytest.raises(ValueError, match=rf"run\.npz is another run's: .*{said}"):
        fit(True, **change)
    fit(True)  # as it began


def test_renamed_labels_are_another_run(tmp_path):
    sentences, options = toy(12), {"checkpoint": tmp_path / "run.npz"}
    tagger, training = small("softmax", epochs=1)
    tagger.fit(sentences, toy(6, 1), training, **options)
    again, _ = small("softmax", epochs=1)
    with pytest.raises(ValueError, match="labels.*'B-LOC' there, 'B-PER' here"):
        again.fit(toy(12, kind="PER"), toy(6, 1, "PER"), training, resume=True, **options)


def test_the_best_epoch_is_kept():
    splits = shipped()
    tagger = Tagger(Config(dim=4, hidden=4))
    training = Training(epochs=3, patience=3, rate=0.3)
    train, dev = splits.train.sentences[:60], splits.dev.sentences
    history = tagger.fit(train, dev, training)
    assert tagger.evaluate(dev).f1 == pytest.approx(max(history["dev_f1"]))


def test_early_stopping_is_said():
    said = []
    tagger, training = small(epochs=30, patience=2)
    history = tagger.fit(toy(12), toy(6, 1), training, say=said.append)
    assert len(history) < 30
    assert any("stopped after epoch" in text for text in said)
    assert "samples an epoch" in said[0]


def test_a_loss_that_is_no_number_stops_training():
    tagger, training = small("softmax", rate=1e307, epochs=4, batch=4)
    with pytest.raises(
        ValueError, match=r"(?s)the loss was (nan|inf).*learning rate 1e\+307 is too high"
    ):
        tagger.fit(toy(12), toy(6, 1), training)


def test_a_mean_loss_that_is_no_number_is_no_success(monkeypatch):
    """Every batch's loss is finite, and their sum is not."""
    tagger, training = small("softmax", epochs=1, batch=4)
    monkeypatch.setattr(fitting.Trainer, "step", lambda self, numbers: {"loss": 1e308})
    with pytest.raises(ValueError, match="the loss was inf in epoch 1; .*try --rate"):
        tagger.fit(toy(12), toy(6, 1), training)


def test_a_plateau_of_dev_f1_reduces_the_rate():
    tagger, training = small(schedule="plateau")
    tagger.start(toy(12))
    trainer = fitting.Trainer(tagger, toy(12), training)
    for f1 in range(20):
        trainer.next_epoch(float(f1))
    assert trainer.rate(0) == training.rate
    for _ in range(20):
        trainer.next_epoch(19.0)
    assert trainer.rate(0) < training.rate


def test_scores_that_are_no_numbers_stop_training(monkeypatch):
    tagger, training = small("softmax", epochs=2, batch=4)
    real = fitting.Trainer.next_epoch

    def spoil(self, f1):
        real(self, f1)
        tagger.arrays["c"][:] = np.inf

    monkeypatch.setattr(fitting.Trainer, "next_epoch", spoil)
    monkeypatch.setattr(fitting.Trainer, "step", lambda self, numbers: {"loss": 1.0})
    with pytest.raises(ValueError, match=r"dev scores are no numbers any more.*try --rate"):
        tagger.fit(toy(12), toy(6, 1), training)


def test_collapse_is_said():
    def history(*pairs):
        return History([{"loss": loss, "active": active} for loss, active in pairs])

    assert fitting.collapsed(history((0.2, 12.0), (0.4, 30.0)))
    assert not fitting.collapsed(history((0.2, 12.0), (0.1, 30.0)))
    assert not fitting.collapsed(history((0.2, 12.0), (0.4, 3.0)))
    assert not fitting.collapsed(history((0.2, 12.0)))
    assert fitting.collapsed(history((0.2, 12.0), (0.1, 1.0), (0.3, 30.0)))
    assert not fitting.collapsed(history((0.2, 12.0), (0.9, 50.0), (0.1, 30.0)))


def test_collapse_of_a_training_names_the_remedy():
    said = []
    tagger, training = small(rate=4.0, schedule="constant", corrupt=3, epochs=4)
    history = tagger.fit(toy(12), toy(6, 1), training, say=said.append)
    loss, active = history["loss"], history["active"]
    figures = f"from {loss[0]:.4g} to {loss[-1]:.4g}, with {active[-1]:.0f} % of the samples active"
    assert "has collapsed" in said[-1] and f"rose {figures}; the learning rate 4" in said[-1]
    assert said[-1].endswith("try --rate 1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "lion"}, "unknown optimizer 'lion'"),
        ({"schedule": "fast"}, "unknown schedule 'fast'"),
        ({"rate": 0.0}, "learning rate 0.0: it must be above 0"),
        ({"engine": "warp"}, "unknown engine 'warp'"),
        ({"label": "CITY"}, "hold no entity of type CITY; they have LOC: choose another --type"),
        ({"batch": 0}, "batch is 1 or more, not 0"),
        ({"epochs": 0}, "epochs is 1 or more, not 0"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ValueError, match=message):
        trained(**changes)


@pytest.mark.parametrize("wrong", [{"optimizer": "sdg"}, {"schedule": "dayly"}, {"rate": -0.1}])
def test_a_training_is_refused_before_files_are_read(wrong):
    with pytest.raises(ValueError, match="sdg.*sgd|dayly.*decay|above 0"):
        Training(**wrong)


def test_files_without_entities_are_refused():
    plain = [Sentence(["a", "b"], ["O", "O"])]
    for kind in KINDS:  # no other --type is there
        with pytest.raises(ValueError, match="the training sentences hold no entity; .* nothing"):
            trained(kind, plain)
    tagger, training = small("margin")
    people = [Sentence(["a", "b"], ["B-PER", "O"])]
    with pytest.raises(ValueError, match="the dev .* they have PER: choose another --type or --d"):
        tagger.fit(toy(12), people, training)


@pytest.mark.parametrize("kind", KINDS)
def test_sentences_without_words_change_nothing(kind):
    nothing, other = Sentence([]), Sentence(["x", "Ulm"])
    runs = []
    for train, dev in ((toy(12), toy(6, 1)), ([nothing, *toy(12)], [*toy(6, 1), nothing])):
        tagger, training = small(kind, epochs=1, batch=99, corrupt=1)
        tagger.fit(train, dev, training)
        runs.append(tagger.evaluate([nothing, *toy(6, 1)]).f1)
        assert tagger.predict([nothing, other, nothing]) == [[], *tagger.predict([other]), []]
        assert tagger.analyse([nothing, other])[1].tags == tagger.analyse([other])[0].tags
    assert runs[0] == runs[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("sentences", "error", "message"),
    [
        ([["she", "saw", "Ulm"]], TypeError, "expected a Sentence of words, not \\['she'"),
        (["she saw Ulm"], TypeError, "expected a Sentence of words, not 'she saw Ulm'"),
        ([Sentence(["Ulm"], ["LOC"])], ValueError, "unknown tag 'LOC'"),
        ([Sentence(["Ulm"])], ValueError, "sentences without tags"),
    ],
)
def test_what_cannot_be_judged(kind, sentences, error, message):
    """A margin scorer counted a tag without a letter as none, and every F1 was 0."""
    tagger, _ = small(kind)
    tagger.start(toy(12))
    with pytest.raises(error, match=message):
        tagger.predict(sentences) if error is TypeError else tagger.evaluate(sentences)


@pytest.mark.parametrize("words", ["Ann saw", ["a", 1], [None], [b"a"]])
def test_words_are_a_list_of_texts(words):
    with pytest.raises(TypeError, match="words are a list of texts, not"):
        Sentence(words)


def test_one_word_sentences_train():
    sentences = [Sentence([w], ["B-LOC" if w in NAMES else "O"]) for w in (*NAMES, *WORDS) * 3]
    tagger, training = small(min_count=1, epochs=10)
    history = tagger.fit(sentences, sentences, training)
    assert history["dev_f1"][-1] == 100.0


def test_other_types_and_schemes_train():
    text = "".join(f"x\tO\n{n}\tI-creative-work\n{n}\tI-creative-work\n\n" for n in NAMES * 3)
    sentences = notation.normalise(conll.parse(text)).sentences
    tagger, training = small("softmax", epochs=20, batch=4, min_count=1)
    history = tagger.fit(sentences, sentences, training)
    assert history["dev_f1"][-1] == 100.0
    assert "E-creative-work" in tagger.labels


def test_the_example_of_the_package_runs(tmp_path, monkeypatch):
    import textwrap

    import micrograd.ner
    from micrograd.ner import Corpus, write

    monkeypatch.chdir(tmp_path)
    for name in ("train", "dev"):
        write(Corpus(toy(12)), f"{name}.conll")
    program = textwrap.dedent(micrograd.ner.__doc__.split("\n\n", 1)[1])
    exec(program.replace('label="LOC"', 'label="LOC", epochs=1'), {})
    assert (tmp_path / "model.npz").exists()
