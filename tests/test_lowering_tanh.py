"""The tanh of lowered programs, against Python's own."""

import math
import threading

import numpy as np
import pytest

from micrograd.lowering.tanh import CHUNK, SMALL, tanh

SCALES = (1e-308, 1e-8, 1e-3, 0.004, 0.01, 0.1, 1, 3, 10, 30, 1e20)


def expected(x):
    return np.array([math.tanh(v) for v in x.ravel().tolist()]).reshape(x.shape)


@pytest.mark.parametrize("scale", SCALES)
def test_within_a_few_units_in_the_last_place(scale):
    x = np.random.default_rng(0).normal(0, scale, 20_000)
    np.testing.assert_allclose(tanh(x, np.empty_like(x)), expected(x), rtol=1e-15, atol=5e-324)


def test_grid_points_and_half_way_between():
    x = np.arange(-22 * 256, 22 * 256) / 256
    np.testing.assert_allclose(tanh(x, np.empty_like(x)), expected(x), rtol=1e-15)


def test_special_numbers():
    x = np.zeros(SMALL)
    x[:6] = [0.0, np.inf, -np.inf, np.nan, 5e-324, -1e308]
    found = tanh(x, np.empty_like(x))
    np.testing.assert_array_equal(found[:6], [0.0, 1, -1, np.nan, 5e-324, -1])


@pytest.mark.parametrize("shape", [(), (3,), (SMALL,), (CHUNK + 1,), (40, 300), (3, 100, 50)])
def test_shapes_and_in_place(shape):
    x = np.random.default_rng(1).normal(size=shape)
    wanted = expected(x)
    np.testing.assert_allclose(tanh(x, np.empty(shape)), wanted, rtol=1e-15)
    np.testing.assert_allclose(tanh(x, x), wanted, rtol=1e-15)
    np.testing.assert_allclose(x, wanted, rtol=1e-15)


@pytest.mark.parametrize(("a", "b"), [("C", "F"), ("F", "F"), ("F", "C")])
def test_layouts(a, b):
    x = np.asarray(np.random.default_rng(2).normal(size=(60, 70)), order=a)
    np.testing.assert_allclose(tanh(x, np.empty((60, 70), order=b)), expected(x), rtol=1e-15)
    np.testing.assert_allclose(tanh(x[::2], np.empty((30, 70))), expected(x[::2]), rtol=1e-15)


def test_threads_do_not_share_what_lies_between():
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=CHUNK * 8) for _ in range(4)]
    results = [np.empty_like(x) for x in arrays]

    def work(x, out):
        for _ in range(20):
            tanh(x, out)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(arrays, results)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for x, found in zip(arrays, results):
        np.testing.assert_allclose(found, expected(x), rtol=1e-15)
