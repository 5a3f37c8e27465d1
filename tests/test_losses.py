"""Losses against PyTorch (values and gradients), their corners, and what they refuse."""

import itertools
import math
import random

import numpy as np
import pytest

from micrograd import losses
from micrograd.engine import Value
from micrograd.functions import log_softmax
from micrograd.gradcheck import gradcheck
from micrograd.nn import MLP, SoftmaxClassifier

SCORES = [0.4, -1.3, 2.2, 0.9]
WILD = [800.0, -900.0, 3.0, 790.0]  # where exp overflows
Q = [0.1, 0.2, 0.6, 0.1]


def values(numbers):
    return [Value(x) for x in numbers]


def check(ours, theirs, numbers, *arguments):
    """Compare a loss and its gradients with PyTorch's function of a tensor."""
    torch = pytest.importorskip("torch")
    leaves, tensor = values(numbers), torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    loss, expected = ours(leaves, *arguments), theirs(torch, tensor)
    loss.backward()
    expected.backward()
    rounding = 1e-15
    assert loss.data == pytest.approx(expected.item(), rel=1e-12, abs=rounding)
    assert [leaf.grad for leaf in leaves] == pytest.approx(
        tensor.grad.tolist(), rel=1e-12, abs=rounding
    )


@pytest.mark.parametrize("numbers", [SCORES, WILD])
@pytest.mark.parametrize("label", range(4))
def test_cross_entropy_of_a_class(numbers, label):
    def theirs(torch, x):
        return torch.nn.functional.cross_entropy(x, torch.tensor(label))

    check(losses.cross_entropy, theirs, numbers, label)
    check(lambda x: losses.nll(log_softmax(x), label), theirs, numbers)


@pytest.mark.parametrize("numbers", [SCORES, WILD])
def test_cross_entropy_of_a_distribution(numbers):
    def theirs(torch, x):
        return torch.nn.functional.cross_entropy(x, torch.tensor(Q, dtype=torch.float64))

    check(losses.cross_entropy, theirs, numbers, Q)
    check(losses.cross_entropy, theirs, numbers, values(Q))


@pytest.mark.parametrize("label", range(4))
@pytest.mark.parametrize("margin", [1.0, 0.25])
def test_multiclass_hinge(label, margin):
    def theirs(torch, x):  # PyTorch divides by the number of classes
        return 4 * torch.nn.functional.multi_margin_loss(x, torch.tensor(label), margin=margin)

    check(losses.multiclass_hinge, theirs, SCORES, label, margin)


@pytest.mark.parametrize("margin", [1.0, 0.0, 2.5])
def test_max_margin(margin):
    def theirs(torch, x):
        ones = torch.ones(3, dtype=torch.float64)
        ranking = torch.nn.functional.margin_ranking_loss
        return ranking(x[0] * ones, x[1:], ones, margin=margin, reduction="sum")

    check(lambda x: losses.max_margin(x[0], x[1:], margin), theirs, SCORES)


@pytest.mark.parametrize("label", [-1, 1])
@pytest.mark.parametrize("score", [-2.0, 0.3, 1.7])
def test_binary_hinge(label, score):
    def theirs(torch, x):
        return torch.clamp(1 - label * x[0], min=0)

    check(lambda x: losses.binary_hinge(x[0], label), theirs, [score])
    check(lambda x: losses.binary_hinge(x[0], Value(label)), theirs, [score])


@pytest.mark.parametrize("label", [np.uint8(1), np.uint64(1), np.array(1), np.array(-1, "i1")])
def test_a_label_of_numpys_is_the_number_that_it_holds(label):
    expected = losses.binary_hinge(Value(0.5), int(label)).data
    assert losses.binary_hinge(Value(0.5), label).data == expected


def test_mse():
    targets = [1.0, 0.5, -0.2, 3.0]

    def theirs(torch, x):
        return torch.nn.functional.mse_loss(x, torch.tensor(targets, dtype=torch.float64))

    check(losses.mse, theirs, SCORES, targets)


def test_penalties_follow_torch():
    check(lambda x: losses.l2(x, 0.3), lambda _, x: 0.3 * (x**2).sum(), SCORES)
    check(lambda x: losses.l2(x, 0.3, squared=False), lambda _, x: 0.3 * x.norm(), SCORES)
    check(lambda x: losses.l1(x, 0.3), lambda _, x: 0.3 * x.abs().sum(), SCORES)


def test_penalties_leave_biases_out():
    random.seed(0)
    model = MLP(2, [3, 1])
    weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.b.data = 100.0
    assert losses.l2(model, 0.5).data == pytest.approx(0.5 * sum(w * w for w in weights))
    assert losses.l1(model).data == pytest.approx(sum(map(abs, weights)))
    losses.l2(model).backward()
    assert all(neuron.b.grad == 0 for layer in model.layers for neuron in layer.neurons)
    assert losses.l2(SoftmaxClassifier(2, 2)).data > 0
    assert losses.l1([]).data == 0


def test_margin_gradients_stop_when_the_margin_is_met():
    for s_c, expected in [(0.5, (-1, 1)), (-3.0, (0, 0))]:
        s, corrupt = Value(1.0), Value(s_c)
        losses.max_margin(s, corrupt).backward()
        assert (s.grad, corrupt.grad) == expected


def test_without_a_margin_a_tie_teaches_nothing():
    tie = Value(1.0), Value(1.0)
    loss = losses.max_margin(*tie, margin=0.0)
    loss.backward()
    assert (loss.data, tie[0].grad) == (0, 0)
    assert losses.max_margin(*tie).data == 1


def test_gradients_pass_the_checker():
    assert gradcheck(lambda *x: losses.cross_entropy(x, 2), at=SCORES)
    assert gradcheck(lambda *x: losses.multiclass_hinge(x, 1), at=SCORES)
    assert gradcheck(lambda *x: losses.mse(x, Q), at=SCORES)


def test_a_sure_prediction_has_a_loss_that_is_finite():
    assert losses.cross_entropy(values([0.0, 2000.0]), 1).data == 0
    assert losses.cross_entropy(values([0.0, 2000.0]), 0).data == 2000
    assert math.isfinite(losses.cross_entropy(values(WILD), 1).data)


def test_what_makes_no_sense_is_refused():
    scores = values(SCORES)
    for label in (4, -1, 1.5, True):
        for loss in (losses.cross_entropy, losses.multiclass_hinge):
            with pytest.raises(ValueError, match="there is no class"):
                loss(scores, label)
    for label in (0, 2):
        with pytest.raises(ValueError, match="is -1 or 1"):
            losses.binary_hinge(scores[0], label)
    with pytest.raises(ValueError, match="over 2 classes for 4"):
        losses.cross_entropy(scores, [0.5, 0.5])
    for wrong in ([0.5, 0.5, 0.5, 0.5], [1.5, -0.5, 0, 0]):
        with pytest.raises(ValueError, match="sums to 1"):
            losses.cross_entropy(scores, wrong)
    with pytest.raises(ValueError, match="4 predictions for 1 target"):
        losses.mse(scores, [1.0])


INTEGERS = [1, np.int64(1), np.uint8(1), np.array(1), np.array(1, "i2"), 1.0, np.float32(1)]


@pytest.mark.parametrize("label", INTEGERS, ids=lambda label: type(label).__name__)
@pytest.mark.parametrize("loss", [losses.cross_entropy, losses.multiclass_hinge, losses.nll])
def test_a_class_is_told_by_being_an_integer(loss, label):
    assert loss(values(SCORES), label).data == loss(values(SCORES), 1).data


Q = [0, 0.25, 0.75, 0]


@pytest.mark.parametrize("q", [Q, tuple(Q), np.array(Q)])
def test_a_distribution_is_any_sequence_of_probabilities(q):
    expected = losses.cross_entropy(values(SCORES), [0.0, 0.25, 0.75, 0.0]).data
    for distribution in (q, values(q), iter(q)):
        assert losses.cross_entropy(values(SCORES), distribution).data == expected


def test_a_distribution_of_many_classes_in_few_bits_is_added_up_in_full():
    weights = np.exp(np.random.default_rng(1).normal(size=5000) * 3).astype("f")
    q = weights / weights.sum()
    assert abs(sum(q) - 1) > 1e-6  # as NumPy adds them, one after the other
    assert losses.nll([-1.0] * 5000, q).data == pytest.approx(1, abs=1e-6)


BARE = Value(1.0)
SENSELESS = [
    (lambda: losses.cross_entropy(values(SCORES), "abcd"), "a class is an int, not 'abcd'"),
    (lambda: losses.cross_entropy(values(SCORES), None), "a class is an int, not None"),
    (lambda: losses.cross_entropy(values(SCORES), BARE), r"an int.*one_hot\(id, classes"),
    (lambda: losses.cross_entropy(values(SCORES), float("nan")), "there is no class nan"),
    (lambda: losses.cross_entropy(values(SCORES), np.float64(1.5)), "there is no class"),
    (lambda: losses.cross_entropy(values(SCORES), 4), "the classes are 0 to 3"),
    (lambda: losses.cross_entropy(values(SCORES), [float("nan"), 0, 0, 1]), "sums to 1, unlike"),
    (
        lambda: losses.cross_entropy(values(SCORES), [0.5, 0.5, 1e-5, 0]),
        r"sums to 1, .* to 1.00001$",
    ),
    (lambda: losses.cross_entropy(values(SCORES), [-1e-9, 1.0, 0, 0]), "nowhere negative"),
    (lambda: losses.cross_entropy([], 0), r"scores are a list, one of each class, not \[\]"),
    (lambda: losses.cross_entropy(BARE, 0), "scores are a list, one of each class, not Value"),
    (lambda: losses.nll(BARE, 0), "scores are a list"),
    (lambda: losses.multiclass_hinge(BARE, 0), "scores are a list"),
    (lambda: losses.mse(BARE, [1.0]), "a list of predictions and one of targets, not Value"),
    (lambda: losses.mse([BARE], 1.0), "a list of predictions and one of targets, not 1.0"),
    (lambda: losses.mse([BARE], np.ones((1, 1))), "one of targets, not array"),
    (lambda: losses.mse([[BARE]], [[1.0]]), r"cannot hold \[Value.*make one Value for each"),
    (lambda: losses.max_margin(BARE, np.array(2.0)), r"one or many, not array\(2"),
    (lambda: losses.l2(np.array(2.0)), r"takes weights, .* not array\(2"),
    (lambda: losses.mse([], []), "0 predictions for 0 targets"),
    (lambda: losses.mse([BARE], [1.0, 2.0]), "1 prediction for 2 targets"),
]


@pytest.mark.parametrize("call, reason", SENSELESS, ids=range(len(SENSELESS)))
def test_what_makes_no_sense_is_said_in_words(call, reason):
    with pytest.raises((TypeError, ValueError), match=reason):
        call()


def test_a_distribution_may_be_off_by_a_millionth():
    for q in ([0.5, 0.5 + 9e-7, 0, 0], [0.5, 0.5 - 9e-7, 0, 0]):
        losses.cross_entropy(values(SCORES), q)


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("restricted", [False, True])
def test_losses_of_paths_over_all_paths_written_out(words, count, restricted):
    rng = np.random.default_rng([words, count])
    s, A = rng.normal(size=(words, count)), rng.normal(size=(count + 1, count + 1))
    tags = rng.integers(0, count, size=words).tolist()
    steps = [*itertools.pairwise((count, *tags, count))]
    legal = rng.random(A.shape) < 0.6
    legal[tuple(zip(*steps))] = True  # the tags' own path is

    def score(y):
        moves = itertools.pairwise((count, *y, count))
        return sum(s[t][k] for t, k in enumerate(y)) + sum(A[i][j] for i, j in moves)

    def may(y):
        return all(legal[i][j] for i, j in itertools.pairwise((count, *y, count)))

    paths = [y for y in itertools.product(range(count), repeat=words) if may(y) or not restricted]
    costs = [sum(a != b for a, b in zip(y, tags)) for y in paths]
    margin = max(score(y) + 0.5 * cost for y, cost in zip(paths, costs)) - score(tags)
    likelihood = np.log(sum(np.exp(score(y)) for y in paths)) - score(tags)
    rows, moves = ([[Value(x) for x in row] for row in table.tolist()] for table in (s, A))
    table = legal.tolist() if restricted else None
    ours = losses.path_margin(rows, tags, moves, table, margin=0.5)
    assert ours.data == pytest.approx(margin, abs=1e-12)
    ours = losses.path_likelihood(rows, tags, moves, table)
    assert ours.data == pytest.approx(likelihood, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tags": [1]}, "a tag for every row of scores"),
        ({"scores": [], "tags": []}, "a tag for every row of scores"),
        ({"tags": [1, 2]}, "there is no class 2"),
        ({"scores": [[Value(1.0)] * 2, [Value(1.0)] * 3]}, r"as many scores, not \[2, 3\]"),
        ({"transitions": [[Value(0.0)] * 2] * 2}, "transitions is 3 rows of 3"),
        ({"transitions": [[Value(0.0)] * n for n in (3, 3, 2)]}, "transitions is 3 rows of 3"),
        ({"legal": [[True] * 3] * 2}, "legal is 3 rows of 3"),
        ({"legal": [[False] * 3] * 3}, r"path \[0, 1\] is not legal: legal\[2\]\[0\] is False"),
        ({"legal": [[True, False, True], *[[True] * 3] * 2]}, r"not legal: legal\[0\]\[1\]"),
        ({"legal": [[True] * 3, [True, True, False], [True] * 3]}, r"not legal: legal\[1\]\[2\]"),
    ],
)
def test_paths_that_cannot_be(changes, message):
    given = {
        "scores": [[Value(1.0)] * 2] * 2,
        "tags": [0, 1],
        "transitions": [[Value(0.0)] * 3] * 3,
    }
    for loss in (losses.path_margin, losses.path_likelihood):
        with pytest.raises(ValueError, match=message):
            loss(**given | changes)
