"""Samples without a gradient leave a block of a compiled program, and nobody outside sees it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from micrograd import Value, dot
from micrograd.lowering import lower
from micrograd.lowering.native.compiler import available
from micrograd.lowering.trace.declared import INPUT
from micrograd.nn import Embedding, Layer
from micrograd.optim.gradients import Rows

pytestmark = pytest.mark.skipif(not available(), reason="there is no C compiler")

NIN, HIDDEN = 80, 100
HUGE = [1e31, -1e200, np.inf, -np.inf, np.nan]


@cache
def scorer(activation="tanh"):
    """Return the loss of two windows: 0, and flat, where the first scores `margin` more."""
    layer = Layer(NIN, HIDDEN, activation=activation, fused=True)
    u = [Value((-1) ** i / HIDDEN, label=f"u{i}") for i in range(HIDDEN)]

    def score(x):
        return dot(u, layer(x))

    def pair(x, x_c, margin):
        return (margin - score(x) + score(x_c)).relu()

    return pair


def drawn(size, active, seed=0):
    """Return a batch of which `active` samples have a gradient."""
    rng = np.random.default_rng(seed)
    margin = np.full(size, -100.0)
    margin[rng.permutation(size)[:active]] = 100.0
    return [rng.normal(size=(size, NIN)), rng.normal(size=(size, NIN)), margin]


@cache
def programs(loss):
    """Return the program compiled, and as text."""
    sample = [np.linspace(-1, 1, NIN)] * (loss.__code__.co_argcount - 1)
    made = [lower(loss, *sample, 0.5, backend=b) for b in ("c", "numpy")]
    assert "alive(" in made[0].native.module(INPUT).source
    return made


def both(loss, batch):
    """Return what the compiled program gives and what its text gives."""
    with np.errstate(all="ignore"):
        return [p.value_and_grad(*batch, wrt_inputs=True) for p in programs(loss)]


def assert_equal(results):
    (ours, gradients), (right, wanted) = results
    np.testing.assert_allclose(ours, right, rtol=1e-12)
    assert gradients.keys() == wanted.keys()
    for name, gradient in wanted.items():
        scale = np.abs(gradient[np.isfinite(gradient)]).max(initial=0.0)
        np.testing.assert_allclose(gradients[name], gradient, rtol=1e-12, atol=1e-13 * scale)


@pytest.mark.parametrize("size", [1, 2, 31, 47, 48, 49, 65, 200])
@pytest.mark.parametrize("part", [0.0, 0.1, 0.6, 0.95, 1.0])
def test_any_part_of_a_batch_may_be_active(size, part):
    assert_equal(both(scorer(), drawn(size, round(size * part), seed=size)))


@pytest.mark.parametrize("seed", range(20))
def test_random_parts(seed):
    rng = np.random.default_rng(seed)
    batch = drawn(int(rng.integers(1, 150)), 0, seed)
    batch[2] = rng.normal(size=len(batch[2])) / 3  # some near the kink
    assert_equal(both(scorer("relu" if seed % 2 else "tanh"), batch))


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("active", [0, 5, 64])
def test_nothing_times_infinity_is_not_nothing(huge, active):
    batch = drawn(64, active)
    batch[0][17, 3] = huge
    batch[1][41, 0] = huge
    assert_equal(both(scorer(), batch))
    assert_equal(both(scorer("relu"), batch))


@pytest.mark.parametrize("huge", HUGE)
def test_a_weight_that_is_huge(huge):
    layer = Layer(NIN, HIDDEN, activation="tanh", fused=True)
    u = [Value(1.0 / HIDDEN) for _ in range(HIDDEN)]
    u[5].data = huge

    def loss(x, x_c, margin):
        return (margin - dot(u, layer(x)) + dot(u, layer(x_c))).relu()

    assert_equal(both(loss, drawn(64, 5)))


def test_a_gradient_below_0_is_one():
    pair = scorer()

    def loss(x, x_c, margin):
        return pair(x, x_c, margin) * -2.0

    assert_equal(both(loss, drawn(64, 9)))


def test_a_margin_that_is_nan_stays_in():
    batch = drawn(64, 5)
    batch[2][[3, 40]] = np.nan, np.inf
    assert_equal(both(scorer(), batch))


def test_several_losses_of_a_sample_are_all_to_be_flat():
    layer, last = Layer(NIN, HIDDEN, activation="tanh", fused=True), Layer(HIDDEN, 4, fused=True)

    def loss(x, margin):
        return sum((s - margin).relu() for s in last(layer(x)))

    x, _, _ = drawn(130, 0)
    margin = np.where(np.arange(130) % 3 == 0, -0.1, 50.0)
    assert_equal(both(loss, [x, margin]))


def test_rows_that_are_looked_up():
    table = Embedding(50, 40)
    layer = Layer(NIN, HIDDEN, activation="tanh", fused=True)
    u = [Value(1.0 / HIDDEN) for _ in range(HIDDEN)]

    def score(ids):
        return dot(u, layer([v for i in ids for v in table(i)]))

    def loss(ids, others, margin):
        return (margin - score(ids) + score(others)).relu()

    rng = np.random.default_rng(0)
    ids, others = rng.integers(0, 50, (2, 90, 2))
    margin = np.where(np.arange(90) % 4 == 0, 5.0, -5.0)
    made = [lower(loss, ids[0], others[0], margin[0], backend=b) for b in ("c", "numpy")]
    assert "alive(" in made[0].explain("calls")
    results = [p.value_and_grad(ids, others, margin) for p in made]
    for _, gradients in results:
        for name in [name for name, g in gradients.items() if isinstance(g, Rows)]:
            dense = np.zeros((50, 40))
            np.add.at(dense, *gradients[name])
            gradients[name] = dense
    assert_equal(results)


def test_where_a_factor_may_be_infinite_all_samples_stay():
    layer = Layer(NIN, HIDDEN, activation="exp", fused=True)

    def loss(x, margin):
        return (margin - sum((h * h + 1.0).log() for h in layer(x))).relu()

    x, _, margin = drawn(64, 9)
    program = lower(loss, x[0], margin[0], backend="c")
    assert "alive(" not in program.explain("calls")
