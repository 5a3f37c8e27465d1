"""Preprocessing against closed forms, SciPy and scikit-learn; what is guarded and refused."""

import numpy as np
import pytest

from micrograd.preprocessing import MeanSubtraction, Normalisation, Whitening

RNG = np.random.default_rng(7)
MIXING = RNG.normal(size=(4, 4))
TRAIN = RNG.normal(size=(200, 4)) @ MIXING + [5, -3, 0, 100]
TEST = RNG.normal(size=(50, 4)) @ MIXING + [5, -3, 0, 100]
KINDS = {
    "mean": MeanSubtraction,
    "normalised": Normalisation,
    "pca": Whitening,
    "zca": lambda: Whitening("zca"),
}


def assert_close(ours, expected):
    """Compare within 1e-12 of the largest number."""
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_and_centre(kind):
    preprocessing = KINDS[kind]().fit(TRAIN)
    np.testing.assert_allclose(preprocessing.apply(TRAIN).mean(0), 0, atol=1e-12)
    for data in (TRAIN, TEST):
        assert_close(preprocessing.undo(preprocessing.apply(data)), data)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rest_is_measured_by_the_training_set(kind):
    preprocessing = KINDS[kind]().fit(TRAIN)
    together = preprocessing.apply(np.concatenate([TRAIN, TEST]))
    np.testing.assert_allclose(together[200:], preprocessing.apply(TEST), rtol=1e-12, atol=1e-13)
    assert abs(preprocessing.apply(TEST).mean(0)).max() > 0.01


def test_normalisation_follows_scipy():
    stats = pytest.importorskip("scipy.stats")
    ours = Normalisation().fit(TRAIN).apply(TEST)
    assert_close(ours, stats.zmap(TEST, TRAIN))


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_whitened_covariance_is_the_identity(kind):
    white = Whitening(kind).fit(TRAIN).apply(TRAIN)
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(4), atol=1e-12)


def test_pca_follows_scikit_learn_but_for_signs():
    decomposition = pytest.importorskip("sklearn.decomposition")
    theirs = decomposition.PCA(whiten=True, svd_solver="full").fit(TRAIN).transform(TEST)
    theirs *= (200 / 199) ** 0.5  # it divides by n - 1
    ours = Whitening().fit(TRAIN).apply(TEST)
    assert_close(abs(ours), abs(theirs))


def test_zca_is_the_inverse_root_of_the_covariance():
    linalg = pytest.importorskip("scipy.linalg")
    covariance = np.cov(TRAIN.T, bias=True)
    expected = (TEST - TRAIN.mean(0)) @ linalg.inv(linalg.sqrtm(covariance))
    assert_close(Whitening("zca").fit(TRAIN).apply(TEST), expected)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_an_axis_of_noise_is_not_blown_up(kind):
    flat = np.column_stack([TRAIN, TRAIN[:, 0] + TRAIN[:, 1]])
    whitening = Whitening(kind).fit(flat)
    white = whitening.apply(flat)
    assert np.isfinite(white).all()
    values = np.linalg.eigvalsh(white.T @ white / len(white))
    np.testing.assert_allclose(values, [0, 1, 1, 1, 1], atol=1e-10)
    assert_close(whitening.undo(white), flat)


@pytest.mark.parametrize("kind", ["pca", "zca"])
def test_a_small_feature_is_no_rounding_of_another_one(kind):
    x, y = TRAIN[:, 0], TRAIN[:, 1]
    data = np.column_stack([x + 1e10, y * 1e-5])
    white = Whitening(kind).fit(data).apply(data)
    np.testing.assert_allclose(white.std(0), 1)
    alike = np.column_stack([x + 1e10, x + 1e10 / 3])
    assert np.isinf(Whitening(kind).fit(alike).scale[1])


def test_fewer_examples_than_features():
    few = TRAIN[:3]
    white = Whitening("zca").fit(few).apply(TEST)
    assert white.shape == TEST.shape
    assert np.isfinite(white).all()
    np.testing.assert_allclose(Whitening().fit(few).undo(Whitening().fit(few).apply(few)), few)


@pytest.mark.parametrize("number", [0.0, 0.1, 1e9 / 7])
def test_data_that_are_all_the_same(number):
    same = np.full((11, 3), number)
    for kind in KINDS.values():
        np.testing.assert_allclose(kind().fit(same).apply(same), 0, atol=1e-15 * number)


@pytest.mark.parametrize("repeated", [1, 500])
@pytest.mark.parametrize("constant", [0.1, 1e10 + 0.3, 0.0])
def test_a_constant_feature_is_not_divided(constant, repeated):
    data = np.tile(np.column_stack([TRAIN, np.full(200, constant)]), (repeated, 1))
    normalisation = Normalisation().fit(data)
    assert np.isinf(Whitening(guard=0).fit(data).scale[4])
    assert normalisation.deviation[4] == 1
    moved = normalisation.apply(np.array([[0, 0, 0, 0, constant + 2.0]]))
    assert moved[0, 4] == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_was_not_fitted_for_is_refused(kind):
    preprocessing = KINDS[kind]()
    for use in (preprocessing.apply, preprocessing.undo):
        with pytest.raises(ValueError, match="fit\\(train\\) first"):
            use(TEST)
    preprocessing.fit(TRAIN)
    for use in (preprocessing.apply, preprocessing.undo):
        with pytest.raises(ValueError, match="fitted to 4 features; the data have 3"):
            use(TEST[:, :3])
        with pytest.raises(ValueError, match="fitted to 4 features; the data have 8"):
            use(np.hstack((TEST, TEST)))
    with pytest.raises(ValueError, match="not the shape"):
        preprocessing.apply(TEST[0])
    with pytest.raises(ValueError, match="not the shape"):
        preprocessing.fit(TEST[:0])
    spoilt = TEST.copy()
    spoilt[3, 2] = np.nan
    with pytest.raises(ValueError, match="example 3 has nan as feature 2"):
        preprocessing.fit(spoilt)
    with pytest.raises(ValueError, match="'pca' or 'zca'"):
        Whitening("svd")


@pytest.mark.parametrize("kind", KINDS)
def test_state_goes_over_exactly(kind):
    fitted, other = KINDS[kind]().fit(TRAIN), KINDS[kind]()
    other.load_state_dict(fitted.state_dict())
    np.testing.assert_array_equal(other.apply(TEST), fitted.apply(TEST))
    with pytest.raises(ValueError, match="keeps mean"):
        other.load_state_dict({"median": 1})
    with pytest.raises(ValueError, match="keeps mean"):  # of another kind, which keeps more
        other.load_state_dict(fitted.state_dict() | {"median": 1})
    with pytest.raises(ValueError, match="no statistics yet"):
        KINDS[kind]().state_dict()


def test_a_state_of_the_other_whitening_is_refused():
    state = Whitening("zca").fit(TRAIN).state_dict()
    with pytest.raises(ValueError, match="this is a whitening 'pca', and the state is of 'zca'"):
        Whitening().load_state_dict(state)
    del state["kind"]  # of a file from before
    Whitening().load_state_dict(state)


@pytest.mark.parametrize("size", [1e-200, 1e-8, 1.0, 1e200])
def test_features_of_any_size_are_normalised(size):
    data = size * np.array([[1.0, 5.0], [2.0, -5.0], [6.0, 1.0]])
    applied = Normalisation().fit(data).apply(data)
    np.testing.assert_allclose((applied**2).mean(0), 1, rtol=1e-12)


@pytest.mark.parametrize(
    "data", [[["a", "b"]], [[1.0], [1.0, 2.0]], [[1j]], [[None, {}]], [[10**400]]]
)
def test_what_is_no_table_of_numbers_is_told(data):
    with pytest.raises(ValueError, match="rows of numbers, equally many|example 0 has nan"):
        Normalisation().fit(data)


@pytest.mark.parametrize(
    "kind, change",
    [
        (Normalisation, {"deviation": np.ones(4)}),
        (Whitening, {"axes": np.ones((3, 2))}),
        (Whitening, {"scale": np.ones(2)}),
        (MeanSubtraction, {"mean": np.ones((3, 3))}),
    ],
)
def test_a_state_of_mixed_sizes_is_refused_and_changes_nothing(kind, change):
    data = np.random.default_rng(0).normal(size=(9, 3))
    fitted = kind().fit(data)
    before, state = fitted.apply(data), fitted.state_dict()
    with pytest.raises(ValueError, match="keeps one number of features, not mean "):
        fitted.load_state_dict(state | change)
    np.testing.assert_array_equal(fitted.apply(data), before)
    fitted.load_state_dict(state)
    state["mean"] += 1  # it is a copy
    np.testing.assert_array_equal(fitted.apply(data), before)


@pytest.mark.parametrize(
    "kind, name, number",
    [
        (MeanSubtraction, "mean", np.nan),
        (MeanSubtraction, "mean", 10**400),
        (Normalisation, "deviation", 0.0),
        (Whitening, "scale", 0.0),
    ],
)
def test_a_state_of_what_cannot_be_computed_with_is_refused(kind, name, number):
    state = kind().fit(TRAIN).state_dict()
    with pytest.raises(ValueError, match=f"the {name} of a state is made of numbers"):
        kind().load_state_dict(state | {name: [1.0, number, 1.0, 1.0]})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data, said",
    [
        (np.array([[1.0, 1j]]), "rows of numbers"),
        (np.ma.masked_array([[1.0, 2.0]], [[False, True]]), "example 0 has nan as feature 1"),
        ([[1.0], [-1e308]], "example 1 has -1e\\+308 as feature 0"),
        (np.zeros((3, 0)), "not the shape \\(3, 0\\)"),
    ],
    ids=["complex", "masked", "huge", "no features"],
)
def test_what_would_be_lost_in_silence_is_refused(kind, data, said):
    with pytest.raises(ValueError, match=said):
        KINDS[kind]().fit(data)


@pytest.mark.parametrize("guard", [None, np.nan, -1, 1, "a", 2.0])
def test_a_guard_is_a_part_of_the_largest(guard):
    with pytest.raises(ValueError, match="guard is 0 or more and below 1, not"):
        Whitening(guard=guard)


@pytest.mark.parametrize("guard, kept", [(0, 2), (0.2, 2), (0.3, 1)])
def test_an_axis_below_the_guard_becomes_0(guard, kept):
    data = np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    white = Whitening(guard=guard).fit(data).apply(data)
    assert (abs(white).max(0) > 0).sum() == kept


def test_a_preprocessing_says_how_it_is_made():
    kinds = [MeanSubtraction(), Normalisation(), Whitening("zca", guard=1e-6)]
    shown = ["MeanSubtraction()", "Normalisation()", "Whitening(kind='zca', guard=1e-06)"]
    assert [repr(kind.fit([[1.0, 2.0], [3.0, 5.0]])) for kind in kinds] == shown
