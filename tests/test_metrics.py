"""Measures of a scorer and its threshold: by hand, against scikit-learn, and what they refuse."""

import math

import numpy as np
import pytest

from micrograd import metrics


def test_average_precision_by_hand():
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    assert metrics.average_precision(scores, np.array([1, 0, 1, 0], bool)) == pytest.approx(5 / 6)
    assert metrics.average_precision(scores, np.zeros(4, bool)) == 0.0
    assert metrics.average_precision(np.ones(4), np.array([0, 0, 0, 1], bool)) == 0.25


def test_ranking_equals_scikit_learn():
    other = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    scores, positive = rng.integers(0, 30, 400) / 10, rng.random(400) < 0.2
    ours = metrics.average_precision(scores, positive)
    assert ours == pytest.approx(other.average_precision_score(positive, scores))
    area = other.roc_auc_score(positive, scores)
    assert metrics.pair_accuracy(scores, positive) == pytest.approx(area)


def test_pair_accuracy_needs_both_kinds():
    assert metrics.pair_accuracy(np.ones(3), np.ones(3, bool)) == 0.0
    assert metrics.pair_accuracy(np.array([1.0, 1.0]), np.array([True, False])) == 0.5


def test_threshold_is_the_best_one():
    scores = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    positive = np.array([0, 0, 1, 0, 1], bool)

    def f1(threshold):
        chosen = scores > threshold
        return 200 * float((chosen & positive).sum()) / float(chosen.sum() + positive.sum())

    assert metrics.best_threshold(scores, f1) == (1.5, 80.0)
    assert metrics.best_threshold(scores, lambda threshold: threshold)[0] == 5.0
    with pytest.raises(ValueError, match="no finite score"):
        metrics.best_threshold(np.array([np.nan]), f1)
    with pytest.raises(ValueError, match="within -1: a distance of thresholds"):
        metrics.best_threshold(scores, f1, within=-1)


def test_a_plateau_is_a_better_threshold_than_a_peak():
    scores = np.array([0.0, 1.0, 2.0, 3.0, 3.1, 5.0])

    def f1(threshold):
        return 60.0 if 3.0 < threshold < 3.1 else 50.0 if threshold < 2.0 else 10.0

    assert metrics.best_threshold(scores, f1) == (3.05, 60.0)
    assert metrics.best_threshold(scores, f1, within=0.5) == (1.5, 50.0)


@pytest.mark.parametrize("seed", range(20))
def test_near_thresholds_are_averaged(seed):
    rng = np.random.default_rng(seed)
    scores, within = rng.normal(0, 3, rng.integers(1, 40)), float(rng.uniform(0.01, 4))
    heights = {}

    def f1(threshold):
        return heights.setdefault(threshold, float(rng.integers(0, 5)))

    chosen, found = metrics.best_threshold(scores, f1, within)
    tried = np.array(list(heights))

    def mean(at):  # the step of the nearest threshold, point by point
        points = np.linspace(at - within, at + within, 20001)
        nearest = abs(points[:, None] - tried).argmin(1)
        return np.mean(np.array(list(heights.values()))[nearest])

    assert found == heights[chosen]
    assert mean(chosen) >= max(map(mean, tried)) - 0.005


@pytest.mark.parametrize("seed", range(5))
def test_rounding_moves_no_threshold_between_equal_scores(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 400, 3000) / 100  # many windows occur again and again
    positive = rng.random(3000) < scores / 40

    def f1(scores):
        def measured(threshold):
            chosen = scores > threshold
            return 200 * float((chosen & positive).sum()) / float(chosen.sum() + positive.sum())

        return measured

    rounded = scores.astype(np.float32) * (1 + rng.uniform(-1e-7, 1e-7, 3000))
    threshold, best = metrics.best_threshold(scores, f1(scores))
    again = metrics.best_threshold(rounded, f1(rounded))
    assert again == (pytest.approx(threshold, rel=1e-5), best)
    assert ((rounded > again[0]) == (scores > threshold)).all()


def test_a_logistic_fit_is_the_most_likely_one():
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 30, 4000)
    positive = rng.random(4000) < metrics.logistic(0.1 * scores - 1)
    slope, offset = metrics.fit_logistic(scores, positive)
    assert (slope, offset) == (pytest.approx(0.1, rel=0.1), pytest.approx(-1, rel=0.1))
    apart = metrics.fit_logistic(np.array([-1.0, 1.0]), np.array([False, True]))
    assert np.isfinite(apart).all() and apart[0] > 0
    assert metrics.logistic([-1e4, 0.0, 1e4]).tolist() == [0.0, 0.5, 1.0]
    far = np.linspace(-700, -20, 50)
    assert metrics.logistic(far) == pytest.approx(1 / (1 + np.exp(-far)), rel=1e-12, abs=0)


def test_a_logistic_fit_stands_where_the_likelihood_is_level_wherever_the_scores_are():
    rng = np.random.default_rng(4)
    for _ in range(200):
        scores = (rng.normal(size=rng.integers(2, 40)) + rng.choice([0, 12, -300])) * 10.0 ** (
            rng.integers(-4, 5)
        )
        positive = rng.random(len(scores)) < rng.random()
        slope, offset = metrics.fit_logistic(scores, positive)
        count = positive.sum()
        target = np.where(positive, (count + 1) / (count + 2), 1 / (len(scores) - count + 2))
        error = metrics.logistic(slope * scores + offset) - target
        assert abs(error.mean()) < 1e-6
        assert abs((error * (scores - scores.mean())).mean()) < 1e-6 * scores.std()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("outlier", [0.0, 1e2, 1e4, -1e6])
def test_a_logistic_fit_of_scores_far_apart_is_the_most_likely_one(outlier, seed):
    rng = np.random.default_rng(seed)
    scores = np.append(rng.normal(size=3000), outlier)
    positive = scores > 0 if seed % 2 else rng.random(3001) < metrics.logistic(3 * scores)
    slope, offset = metrics.fit_logistic(scores, positive)
    count = positive.sum()
    target = np.where(positive, (count + 1) / (count + 2), 1 / (len(scores) - count + 2))

    def cost(slope, offset):
        z = slope * scores + offset
        return np.sum(np.logaddexp(0, z) - target * z)

    best = cost(slope, offset)
    for other in (0.9, 0.99, 1.01, 1.1):
        assert cost(slope * other, offset) > best < cost(slope, offset * other)


@pytest.mark.parametrize(
    ("scores", "positive", "error", "message"),
    [
        ([1.0, 2.0], [True], ValueError, "1 mark of what is positive for 2 scores"),
        ([1.0, np.nan], [True, False], ValueError, "finite numbers in one row"),
        ([[1.0]], [[True]], ValueError, "finite numbers in one row"),
        ([1.0, 2.0], [1, 0], TypeError, "a mask of True and False"),
        (["a"], [True], TypeError, "scores are numbers"),
    ],
)
def test_what_is_refused(scores, positive, error, message):
    for measure in (metrics.average_precision, metrics.pair_accuracy, metrics.fit_logistic):
        with pytest.raises(error, match=message):
            measure(scores, positive)


def test_small_scores_are_told_apart():
    scores, positive = np.array([1.0, 2.0, 3.0, 4.0]) * 1e-6, np.array([False, False, True, True])

    def f1(threshold):
        marked = scores > threshold
        return 2.0 * (marked & positive).sum() / max(1, marked.sum() + positive.sum())

    threshold, best = metrics.best_threshold(scores, f1)
    assert (threshold, best) == (pytest.approx(2.5e-6), 1.0)


@pytest.mark.parametrize("count", [1, 7, 300])
def test_the_threshold_may_be_below_all_scores(count):
    scores = np.linspace(-2.0, 3.0, count)
    threshold, best = metrics.best_threshold(scores, lambda t: float((scores > t).sum()))
    assert best == count and threshold < -2.0


def test_every_threshold_is_tried_where_there_are_few():
    scores = np.arange(150.0)
    for best in range(150):
        found = metrics.best_threshold(scores, lambda t, best=best: float(int(t) == best))
        assert found == (best + (0.5 if best < 149 else 1.0), 1.0) or best == 149


@pytest.mark.parametrize(
    "f1, said",
    [
        (lambda t: math.nan, "f1 is a finite number, not nan as at"),
        (lambda t: "a", "f1 is a finite number, not 'a' as at"),
        (lambda t, u: 1.0, "f1 is called with 1 argument"),
        (5, "f1 is a function of the threshold, not 5"),
    ],
)
def test_what_is_no_f1_is_said(f1, said):
    with pytest.raises((TypeError, ValueError), match=said):
        metrics.best_threshold([1.0, 2.0], f1)


def test_an_f1_may_be_an_array_of_one_number():
    assert metrics.best_threshold([1.0, 2.0], lambda t: np.array(t)) == (3.0, 3.0)


@pytest.mark.parametrize("size", [1e-200, 1e-14, 1.0, 1e14])
def test_probabilities_do_not_depend_on_the_size_of_scores(size):
    scores, positive = np.array([-1.0, 0.5, -0.2, 2.0]), np.array([False, False, True, True])
    slope, offset = metrics.fit_logistic(scores, positive)
    assert metrics.fit_logistic(scores * size, positive) == pytest.approx(
        (slope / size, offset), rel=1e-7
    )  # a maximum is known to the root of what its height is


@pytest.mark.parametrize("score", [0.0, 1.0, -0.1, 1e9 / 7])
def test_rounding_makes_no_score_more_probable(score):
    scores = np.array([score, score, score, np.nextafter(score, 2 * score)])
    positive = np.array([False, True, False, True])
    assert metrics.fit_logistic(scores, positive) == (0.0, pytest.approx(0.0, abs=1e-9))


def test_no_score_has_no_probability():
    with pytest.raises(ValueError, match="no score to fit a probability to"):
        metrics.fit_logistic([], np.array([], bool))
