"""Each demo shows what it claims to show; run small, with the figure where matplotlib is there."""

import runpy

import numpy as np
import pytest

from tests.conftest import ROOT

DEMOS = ROOT / "demos"
FIGURES = ["jacobians", "sparse_rows", "retraining", "boundaries", "windows", "penalties",
           "dropout", "recurrent_dropout", "preprocessing"]  # fmt: skip
SMALL = {
    "retraining": {"epochs": 5},
    "boundaries": {"each": 10, "steps": 5},
    "windows": {"steps": 3},
    "penalties": {"steps": 5, "strengths": [1e-6, 1.0]},
    "dropout": {"epochs": 2, "samples": 3},
    "recurrent_dropout": {"steps": 3},
    "preprocessing": {"train": 20, "test": 5},
}


@pytest.fixture
def demo(monkeypatch):
    """Load a demo as a script does: what is beside it can be imported."""
    monkeypatch.syspath_prepend(DEMOS)
    return lambda name: runpy.run_path(str(DEMOS / f"{name}.py"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_demo_writes_its_figure_and_says_so(name, demo, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    path = tmp_path / "figure.svg"
    demo(name)["main"](str(path), **SMALL.get(name, {}))
    assert capsys.readouterr().out.splitlines()[-1] == f"wrote {path}"
    assert "<svg" in path.read_text("utf-8")


def test_jacobians_equal_their_closed_forms(demo, capsys):
    jacobians = demo("jacobians")
    net = jacobians["layer"]()
    for _, found, _, closed in jacobians["four"](net):
        np.testing.assert_allclose(found, closed, rtol=0, atol=1e-15)
    ((_, row, _, shaped),) = jacobians["conventions"](net)
    assert np.shape(row) == (1, 6) and np.shape(shaped) == (2, 3)
    np.testing.assert_array_equal(np.ravel(row), shaped.ravel())
    delta = (1 - np.tanh([value.data for value in net.z]) ** 2) * jacobians["U"]
    np.testing.assert_allclose(shaped, np.outer(delta, jacobians["X"]), rtol=1e-14)
    jacobians["main"]()
    assert "diag(f′(z)) (2, 2)" in capsys.readouterr().out


def test_a_step_moves_only_the_rows_of_its_windows_by_their_part_of_the_gradient(demo, capsys):
    sparse = demo("sparse_rows")
    arrays = sparse["parameters"]()
    found = sparse["gradients"](arrays)
    true = sparse["by_hand"](arrays, sparse["TRUE"], -1)
    corrupt = sparse["by_hand"](arrays, sparse["CORRUPT"], 1)
    np.testing.assert_allclose(found["true"].reshape(5, 4), true, rtol=1e-12)
    np.testing.assert_allclose(found["corrupt"].reshape(5, 4), corrupt, rtol=1e-12)
    changes = dict(zip([*sparse["WORDS"], *sparse["OTHERS"]], sparse["main"]()))
    assert "by hand: equal" in capsys.readouterr().out
    assert {word for word, change in changes.items() if not change.any()} == {*sparse["OTHERS"]}
    np.testing.assert_allclose(changes["amazing"], -true[4], rtol=1e-12)
    np.testing.assert_allclose(changes["in"], -true[1] - corrupt[3], rtol=1e-12)


def test_the_unseen_word_changes_its_side_only_when_vectors_are_fine_tuned(demo, capsys):
    retraining = demo("retraining")
    before, frozen, tuned = retraining["main"]().values()
    start = np.array(list(retraining["VECTORS"].values()))
    unseen = retraining["WORDS"].index("television")
    assert before.scores["television"] > 0 and frozen.scores["television"] > 0
    assert tuned.scores["television"] < 0
    for outcome in (frozen, tuned):
        assert all(outcome.scores[word] * y > 0 for word, y in retraining["EXAMPLES"])
    assert "television" not in dict(retraining["EXAMPLES"])
    np.testing.assert_array_equal(frozen.table, start)
    moved = (tuned.table != start).any(1)
    assert not moved[unseen] and moved.sum() == len(start) - 1


def test_the_network_parts_what_straight_lines_cannot(demo):
    linear, network = demo("boundaries")["main"](each=30, steps=250).values()
    assert linear < 0.75 and network > 0.95


def test_the_pair_has_the_lectures_sizes_and_gradients(demo):
    windows = demo("windows")
    arrays = windows["start"](windows["shape"]())
    assert [arrays[name].shape for name in "Wbu"] == [(8, 20), (8,), (8,)]
    J, s, s_c = windows["recorded"](arrays)
    assert J.data == pytest.approx(1 + s_c.data - s.data) and J.data > 0
    assert windows["grad"](J, [s, s_c]) == [-1, 1]
    after, _ = windows["trained"](windows["shape"](), windows["CORRUPT"], 20)
    J, s, s_c = windows["recorded"](after)
    assert J.data == 0 and windows["grad"](J, [s, s_c]) == [0, 0]


def test_without_a_margin_scores_stay_close_and_noise_turns_them_over(demo, capsys):
    windows = demo("windows")
    kept = {}
    for delta in (0.0, 1.0):
        sizes = windows["shape"](delta=delta)
        arrays, gaps = windows["trained"](sizes, windows["CORRUPT"], 20)
        assert delta <= gaps[-1] < delta + 0.2
        kept[delta] = windows["robustness"](sizes, arrays)
    assert kept[0.0] < 0.7 and kept[1.0] > 0.99


def test_an_averaged_window_does_not_tell_swapped_words_apart(demo, capsys):
    gaps = demo("windows")["compare_averaging"](20)
    np.testing.assert_allclose(gaps["averaged"], 0, atol=1e-12)
    assert gaps["concatenated"][-1] > 1


def test_penalties_too_small_overfit_and_too_large_underfit(demo, capsys):
    sweeps = demo("penalties")["main"](steps=400, strengths=[1e-6, 3e-3, 1.0])
    for small, middle, large in sweeps.values():
        assert small.train < middle.train < large.train
        assert middle.test < small.test and middle.test < large.test
        assert middle.test - middle.train < small.test - small.train
    zero = {name: sum(abs(w) < 1e-3 for w in fits[1].weights) for name, fits in sweeps.items()}
    assert zero["L1"] > zero["L2"]


def test_penalties_leave_biases_out(demo):
    network = demo("penalties")["network"]()
    assert len(network.weights()) == 40 and len(network.parameters()) == 61


@pytest.mark.parametrize("inverted, at_test", [(True, 1.25), (False, 1.0)])
def test_dropout_matches_the_expectation(demo, inverted, at_test):
    trained, tested = demo("dropout")["expectation"](inverted, samples=4000)
    assert tested == pytest.approx(at_test) and trained == pytest.approx(at_test, rel=0.05)


def test_the_mean_of_sampled_networks_is_better_than_one_of_them(demo, capsys):
    dropout = demo("dropout")
    model = dropout["trained"](dropout["P"], epochs=60)
    one, averaged, full = dropout["show_ensemble"](model, 40).values()
    assert averaged < 0.8 * one and full == pytest.approx(averaged, rel=0.2)
    x, _, _, spread = dropout["show_spread"](model, 40)
    assert spread[abs(x) > 1.2].mean() > 1.5 * spread[(x > -1) & (x < 0.6)].mean()


def test_a_reused_mask_is_the_same_at_every_step(demo, capsys):
    fresh, reused = demo("recurrent_dropout")["main"]().values()
    assert fresh.shape == reused.shape == (8, 16)
    assert (reused == reused[0]).all() and not reused.all()
    assert len(np.unique(fresh, axis=0)) > 4


def test_preprocessing_does_to_mean_and_covariance_what_it_says(demo):
    preprocessing = demo("preprocessing")
    raw, centred, normal, pca, zca = preprocessing["prepared"](
        *preprocessing["data"](200, 30)
    ).values()
    covariance = preprocessing["covariance"]
    for train, test in (centred, normal, pca, zca):
        np.testing.assert_allclose(train.mean(0), 0, atol=1e-12)
        assert abs(test.mean(0)).max() > 0.01  # measured by the training set, not by itself
    np.testing.assert_allclose(covariance(centred[0]), covariance(raw[0]))
    np.testing.assert_allclose(np.diag(covariance(normal[0])), 1)
    assert covariance(normal[0])[0, 1] > 0.5
    for white in (pca, zca):
        np.testing.assert_allclose(covariance(white[0]), np.eye(2), atol=1e-12)
