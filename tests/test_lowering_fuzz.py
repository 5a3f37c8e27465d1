"""Random losses over parts of inputs: what is lowered gives what `backward()` gives."""

from math import inf

import numpy as np
import pytest

from tests.fuzz_cases import Case, Term
from tests.fuzz_draw import Draw
from tests.lowering_fuzz import TEXTS, failures, report
from tests.lowering_oracle import Right, difference

CASES, BLOCK = 200, 25


@pytest.mark.parametrize("first", range(0, CASES, BLOCK))
def test_random_losses(first):
    for seed in range(first, first + BLOCK):
        case = Draw(seed).case()
        for way in failures(case, TEXTS):
            pytest.fail(report(case, way), pytrace=False)


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_random_losses_exported(library):
    pytest.importorskip(library)
    for seed in range(1000, 1000 + BLOCK):
        case = Draw(seed).case()
        for way in failures(case, [library]):
            pytest.fail(report(case, way), pytrace=False)


def of(setup: dict[str, str], text: str, sample: object, *batch: object, name: str = "x") -> Case:
    return Case(0, setup, {name: (sample, list(batch))}, Term(text))


HEAD, TABLE = {"m": "MLP(3, [1])"}, {"E": "Embedding(4, 3)"}
ROWS = np.random.default_rng(0).normal(size=(3, 4, 3)).tolist()
VECTORS = [1.0, 2.0, 3.0], [-0.5, 0.25, -4.0]
KNOWN = {
    "rows of one head": of(HEAD, "max_margin(m(x[0]), [m(x[1]), m(x[2])])", *ROWS),
    "element": of({}, "x[1]", [0.0, 0.0, 0.0], *VECTORS),
    "element of a looked-up row": of(TABLE, "E(i)[1]", 1, 2, 0, name="i"),
    "element of a one-hot row": of({}, "one_hot(i, 3)[1]", 1, 1, 0, name="i"),
    "element of weights": of({"w": "[Value(0.5), Value(-2.0)]"}, "w[0]", [0.0] * 3, *VECTORS),
    "weight of an input of one": of({}, "dot(x, [Value(-0.5)])", [-0.25], [2.0], [-3.0]),
    **{
        text: of(HEAD, text, [0.0, 0.0, 0.0], *VECTORS)
        for text in ("m(x)", "(m(x) * 2)", "(-m(x))", "(1 - m(x))", "(m(x) + m(x))")
    },
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_a_runner_beside_the_text_got_wrong(name):
    assert failures(KNOWN[name], TEXTS) == {}


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_in_what_share_of_the_samples_a_bias_counts(library):
    pytest.importorskip(library)
    for text in ("(x[0] + w[0]).relu()", "(x[0] + w[0]).max(w[1])", "w[0].min(x[0] * w[1])"):
        case = of({"w": "[Value(0.5), Value(-2.0)]"}, text, [0.0] * 3, *VECTORS, [-1.0, 0.0, 1.0])
        assert failures(case, [library]) == {}, text


PARTS = """
[::-1] [::2] [::-2] [1: zip(* E(i) E(j) (j[0]) one_hot(i .rows fused=True tanh max_margin(m .max(
reduce(Value.max reduce(Value.min l2(m l1(m .parameters() softmax( cross_entropy( dot( mse( mean(
sum( label= parameters={ 'sum' h1 Neuron( Layer( MLP( Value( multiclass_hinge( logsumexp(
"""


def test_the_losses_reach_every_kind_of_part():
    text = "".join(str(Draw(seed).case()).partition("random.seed")[2] for seed in range(CASES))
    assert [part for part in PARTS.split() if part not in text] == []


@pytest.mark.parametrize("wrong", [1e-9, -1e-9, inf, np.nan])
def test_a_wrong_number_is_noticed(wrong):
    right = Right(2.0, {"w": np.array([3.0, 0.0])}, 2.0, {"w": np.array([3.0, 1.0])})
    assert difference((2.0, right.gradients), right) == ""
    assert difference((2.0 + wrong, right.gradients), right).startswith("loss")
    assert "of w" in difference((2.0, {"w": np.array([3.0, wrong])}), right)
    assert "shape ()" in difference((2.0, {"w": np.array(3.0)}), right)
