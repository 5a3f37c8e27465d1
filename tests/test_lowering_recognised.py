"""Textbook models over lists of Values: equal to the engine, in lines as a book has them."""

import random
from collections import defaultdict
from functools import reduce
from itertools import pairwise, product
from math import prod

import numpy as np
import pytest

from micrograd.derivatives import grad
from micrograd.engine import Value
from micrograd.functions import dot, logsumexp, softmax
from micrograd.lowering import lower
from tests.lowering_fuzz import failures_on_a_batch
from tests.lowering_models import values
from tests.test_lowering_pairs import batches, equal_to_backward

RNG = np.random.default_rng(0)
ADJACENT = [[0.5, 0.5, 0.0], [0.25, 0.5, 0.25], [0.0, 0.5, 0.5]]
BITS, PARITY = [[0, 0], [1, 0], [0, 1], [1, 1], [0, 1]], [0, 1, 1, 0, 1]


def drawn(**shapes):
    return {name: values(RNG.uniform(0.1, 1, shape)) for name, shape in shapes.items()}


def times(W, x):
    return [dot(row, x) for row in W]


def windows(x, length):
    return [x[first : first + length] for first in range(len(x) - length + 1)]


def signals(p, x):
    """Slide each kernel along a signal."""
    return sum(z.tanh() for kernel in p["K"] for z in times(windows(x, 3), kernel))


def images(p, x):
    """Slide each kernel over an image, along rows and columns."""
    return sum(
        sum((dot(row, part[j : j + 2]) for row, part in zip(kernel, rows)), 0.0).tanh()
        for kernel in p["K"]
        for rows in windows(x, 2)
        for j in range(len(x[0]) - 1)
    )


def padded(p, x):
    """Slide a window over an image with zeros around it."""
    x = [[0.0] * 6, *([0.0, *row, 0.0] for row in x), [0.0] * 6]
    z = [
        [sum(dot(row, values[j : j + 3]) for row, values in zip(p["K"], rows)) for j in range(4)]
        for rows in windows(x, 3)
    ]
    return dot([v.tanh() for row in z for v in row], range(20))


def pooled(p, x):
    """Take the largest of every square of what kernels give."""
    total = 0.0
    for kernel in p["K"]:
        h = [[(x[i][j] * kernel[0] + kernel[1]).tanh() for j in range(4)] for i in range(6)]
        for i in range(0, 6, 2):
            for j in range(0, 4, 2):
                total += h[i][j].max(h[i][j + 1]).max(h[i + 1][j]).max(h[i + 1][j + 1]) ** 2
    return total


def spread(p, x):
    """Give each element of a signal to several places, as a transposed convolution does."""
    parts = defaultdict(list)
    for (i, value), (k, weight) in product(enumerate(x), enumerate(p["w"])):
        parts[2 * i + k].append(value * weight)
    return dot([sum(part).tanh() for part in parts.values()], range(len(parts)))


def residual(p, x):
    """Add to x what each layer makes of it."""
    for layer in p["W"]:
        x = [a + b.relu() for a, b in zip(x, times(layer, x))]
    return dot(p["v"], x)


def recurrent(p, x):
    """Read the vectors of a sequence, from a state that is learned."""
    h = p["h0"]
    for vector in x:
        h = [(a + b + c).tanh() for a, b, c in zip(times(p["W"], vector), times(p["U"], h), p["b"])]
    return dot(h, h)


def language_model(p, x):
    """Give at every step of a recurrent network the surprise at the next of three letters."""
    h, loss = p["h0"], 0
    for step in x:
        letter, following = step[:3], step[3:]
        h = [(a + b).tanh() for a, b in zip(times(p["W"], letter), times(p["U"], h))]
        logits = [a + b for a, b in zip(times(p["V"], h), p["c"])]
        loss = loss + logsumexp(logits) - dot(logits, following)
    return loss / len(x)


def attending(p, x):
    """Weigh the states of a recurrent network by their scores."""
    h, states = p["h0"], []
    for step in x:
        h = [(a + b).tanh() for a, b in zip(times(p["W"], step), times(p["U"], h))]
        states.append(h)
    weights = softmax([dot(p["v"], [z.tanh() for z in times(p["A"], h)]) for h in states])
    return dot([dot(weights, column) for column in zip(*states)], p["u"])


def joined(p, x):
    """Read the vectors of a sequence, each joined to the state, by one matrix."""
    h = p["h0"]
    for vector in x:
        h = [z.tanh() for z in times(p["W"], [*vector, *h])]
    return dot(h, h)


def polynomial(p, x):
    """Evaluate a polynomial by Horner's rule."""
    total = p["a"][-1]
    for coefficient in p["a"][-2::-1]:
        total = total * x + coefficient
    return total


def forward_algorithm(p, x):
    """Add up all paths through the states of a hidden Markov model."""
    state = x[0]
    for emitted in x[1:]:
        inward = [[a * row[j] for a, row in zip(state, p["T"])] for j in range(3)]
        state = [sum(ways, 0.0) * e for ways, e in zip(inward, emitted)]
    return sum(state, 0.0).log()


def graph_convolution(p, x):
    """Mix the rows of neighbours, then each row by itself, twice."""
    for _ in range(2):
        mixed = [[dot(row, column) for column in zip(*x)] for row in ADJACENT]
        x = [[h.tanh() for h in times(p["W"], row)] for row in mixed]
    return sum(h for row in x for h in row)


def fitted(p, x):
    """Fit a network to data that the code holds, numbers and whole rows of it again and again."""
    hidden = [[(z + b).tanh() for z, b in zip(times(p["W"], row), p["b"])] for row in BITS]
    return sum((dot(p["v"], h) - y) ** 2 for h, y in zip(hidden, PARITY)) * x[0]


def repeated(p, x):
    """Score rows of numbers that are all alike."""
    return reduce(Value.max, [dot(row, h) for row in ((1, 0.5), (1, 0.5)) for h in p["W"]]) * x[0]


def weighed(p, x):
    """Weigh the rows of an input by numbers of the code."""
    parts = [
        [w * h / n for h in times(p["W"], row)] for w, n, row in zip((1, 0.5, 1), (3, 1, 3), x)
    ]
    return sum(h.tanh() for part in parts for h in part)


def pinball(p, x):
    """Measure by what quantiles are missed, above or below."""
    missed = [(q, z - x[0]) for q, z in zip((0.1, 0.5, 0.9), times(p["W"], x))]
    return sum((q * e).max((q - 1) * e) for q, e in missed)


def energy(p, x):
    """Take away, in a loop, what each pair of spins has, and each spin alone."""
    total = 0.0
    for row, right in pairwise(x):
        for a, b in zip(row, right):
            total = total - p["J"][0] * a * b - p["h"][0] * a
    return total


def surprise(p, x):
    """Take the logarithms of probabilities from 0, one by one."""
    total = 0
    for row in x:
        total -= dot(p["w"], row).sigmoid().log()
    return total / len(x)


def tagging(p, x):
    """Return −log p of tags by a chain of transitions, those of all sequences added up."""
    tags = (0, 2, 1, 1)
    score, total = x[0][tags[0]], x[0]
    for row, (i, j) in zip(x[1:], pairwise(tags)):
        score = score + p["T"][i][j] + row[j]
    for row in x[1:]:
        total = [logsumexp([t + to[j] for t, to in zip(total, p["T"])]) + row[j] for j in range(3)]
    return logsumexp(total) - score


def steepness(p, x):
    """Hold the slope of a network of relus to 1, as a critic's is (Gulrajani et al. 2017)."""
    h = [z.relu() for z in times(p["W"], x)]
    out = dot(p["v"], h)
    slopes = grad(out, x, create_graph=True)
    return out + (dot(slopes, slopes).sqrt() - 1) ** 2


def adapted(p, x):
    """Take a step on one point, and the loss on another (Finn et al. 2017)."""
    loss = (dot(p["w"], x[:2]) - x[2]) ** 2
    slopes = grad(loss, p["w"], create_graph=True)
    w = [a - 0.1 * slope for a, slope in zip(p["w"], slopes)]
    return (dot(w, x[3:5]) - x[5]) ** 2


def equation(p, x):
    """Hold a network to u'' = −u: derivatives of it are in the loss."""
    h = [(a * x + b).tanh() for a, b in zip(p["a"], p["b"])]
    u = dot(p["v"], h)
    (slope,) = grad(u, [x], create_graph=True)
    (bend,) = grad(slope, [x], create_graph=True)
    return (bend + u) ** 2


def confidence(p, x):
    y = softmax([dot(w, x) for w in p["W"]])
    return -dot(y, [u.log() for u in y])


def warmer(p, x):
    y = softmax([dot(w, x) / 0.7 for w in p["W"]])
    return -y[1].log()


def centred(p, x):
    return (sum(x) / 4 - p["w"][0]) ** 2 * dot(p["v"], x)


def normalised(p, rows):
    """Return a loss of features with mean 0 and variance 1, feature by feature."""
    z = [[dot(w, x) for w in p["W"]] for x in rows]
    total = 0.0
    for i, b in enumerate(p["b"]):
        mean = sum(row[i] for row in z) / len(z)
        variance = sum((row[i] - mean) ** 2 for row in z) / len(z)
        total += sum(((row[i] - mean) / (variance + 0.1) ** 0.5 * b).tanh() for row in z)
    return total


BOOK = {
    normalised: (
        {"W": (3, 2), "b": (3,)},
        (4, 2),
        ["t1 = z - (z.sum(-2) / 4)[:, None, :] ", "t5 = tanh(t4 * b) ", "(t9 - 0.25 * t9.sum(-2)["],
    ),
    centred: ({"w": (1,), "v": (4,)}, (4,), ["-2 * (t1 * t2).mean()"]),
    warmer: (
        {"W": (3, 2)},
        (2,),
        ["t1 = z / 0.7 ", "delta = (t2 / t3[:, None] - eye(3)[1]) / 0.7 / B "],
    ),
    confidence: ({"W": (3, 2)}, (2,), ["t5 = -t3 - 1 ", "t2 * (t5 - (t5 * t2).sum(-1)[:, None]) "]),
    fitted: (
        {"W": (3, 2), "b": (3,), "v": (3,)},
        (2,),
        ["z = c @ W.T + b ", "t1 = h @ v - c1 ", "dW = delta.T @ c "],
    ),
    repeated: ({"W": (4, 2)}, (1,), ["broadcast_to(W @ c, (2, 4)) "]),
    weighed: ({"W": (2, 4)}, (3, 4), ["z = x @ W.T ", "tanh(c[:, None] * z / c1[:, None]) "]),
    pinball: ({"W": (3, 2)}, (2,), ["t1 = c * (z - x[:, 0, None])[:, :, None] "]),
    energy: (
        {"J": (1,), "h": (1,)},
        (4, 3),
        ["t2 = -(h[0] * x[:, :3]).sum((1, 2)) - t1.sum((1, 2)) "],
    ),
    surprise: ({"w": (2,)}, (4, 2), ["h = sigmoid(z) ", "t1 = -log(h).sum(-1) / 4 "]),
    signals: (
        {"K": (2, 3)},
        (7,),
        ["i1 = np.arange(5)[:, None] + np.arange(3)", "xs = x[:, i1] ", "K @ xs.swapaxes(-1, -2)"],
    ),
    images: (
        {"K": (3, 2, 2)},
        (5, 4),
        ["K.reshape(3, 4) @ ", "i1 = 4 * np.arange(4)[:, None, None, None] + np.arange(3)[:, None"],
    ),
    pooled: (
        {"K": (2, 2)},
        (6, 4),
        [
            ".reshape(-1, 2, 3, 2, 2, 2).max((3, 5)) ",
            "first_within(t1.reshape(-1, 2, 3, 2, 2, 2) == m[:, :, :, None, :, None], (3, 5))",
        ],
    ),
    padded: (
        {"K": (3, 3)},
        (5, 4),
        ["x_padded = embed(x, (B, 7, 6), s_[:, 1:6, 1:5]) ", "x_padded.reshape(-1, 42)[:, i1]"],
    ),
    spread: (
        {"w": (3,)},
        (5,),
        ["i1 = 2 * np.arange(5)[:, None] + np.arange(3)", "dw = x.reshape(-1) @ t3[:, i1].resh"],
    ),
    residual: ({"W": (3, 4, 4), "v": (4,)}, (4,), ["dW = stack((delta.T @ x, delta_2.T @ t1, "]),
    recurrent: (
        {"W": (3, 2), "U": (3, 3), "b": (3,), "h0": (3,)},
        (3, 2),
        [
            "z_2 = x[:, 1] @ W.T + h @ U.T + b ",
        ],
    ),
    language_model: (
        {"W": (2, 3), "U": (2, 2), "V": (3, 2), "c": (3,), "h0": (2,)},
        (4, 6),
        [
            "hs = stack((h, h_2, h_3, h_4), -2) ",
            "z_5 = hs @ V.T + c ",
            "dhs = delta_5 @ V ",
            "delta_3 = (dhs[:, 2] + delta_4 @ U) * (1 - h_3 * h_3) ",
            "dV = delta_5.reshape(-1, 3).T @ hs.reshape(-1, 2) ",
        ],
    ),
    attending: (
        {"W": (2, 3), "U": (2, 2), "A": (2, 2), "v": (2,), "u": (2,), "h0": (2,)},
        (3, 3),
        [
            "hs = stack((h, h_2, h_3), -2) ",
            "z_4 = hs @ A.T ",
            " = einsum('bk,bkj->bj', t3, hs) ",
            "t5 = t3 * (dt3 - (dt3 * t3).sum(-1)[:, None]) ",
            "dhs = dt4 * t3[:, :, None] + delta_4 @ A ",
        ],
    ),
    joined: (
        {"W": (3, 5), "h0": (3,)},
        (3, 2),
        ["dW = concatenate((", "W[:, 2:] @ h0", "delta_3.T @ x[:, 2]"],
    ),
    equation: (
        {"a": (4,), "b": (4,), "v": (4,)},
        (),
        ["t1 = tanh(x[:, None] * a + b) ", "t3 = 2 * t1 * t2 ", "t4 = 1 - t1 * t1 ", "t5 @ a "],
    ),
    steepness: (
        {"W": (4, 3), "v": (4,)},
        (3,),
        ["t1 = where(z > 0, 1.0, 0.0) ", " @ W ", "dW = "],
    ),
    adapted: ({"w": (2,)}, (6,), ["z = x[:, :2] @ w ", " - 0.2 * (z - x[:, 2])"]),
    tagging: ({"T": (3, 3)}, (4, 3), ["= x[:, 0, :, None] + T ", "= T + (x[:, 1] + "]),
    polynomial: ({"a": (5,)}, (), ["da = stack((1.0, ", "x * (x * (x * a[4] + a[3])"]),
    forward_algorithm: ({"T": (3, 3)}, (3, 3), ["z_2 = t1 @ T ", "dT = t1.T @ delta_2 + "]),
    graph_convolution: ({"W": (2, 2)}, (3, 2), ["t1 = c @ x ", "t2 = c @ h "]),
}


FORMULAS = {
    signals: "= Σk x[j+k] K[i,k] ",
    images: "= Σlm x[j+l,k+m] K[i,l,m] ",
    padded: "= Σkl x_padded[i+k,j+l] K[k,l] ",
    spread: "= x[j] w[k] at [2j+k] ",
    pooled: "= maxl<2,n<2 t1[i,2j+l,2k+n] ",
    tagging: "= x[0,i] + T[i,j] ",
    equation: "= 2 t1[i] t2[i] ",
    language_model: "= h[j] at [0,j] + h_2[j] at [1,j] + h_3[j] at [2,j] + h_4[j] at [3,j] ",
    attending: "= Σk hs[i,k] A[j,k] ",
    recurrent: "= Σj x[1,j] W[i,j] + Σj h[j] U[i,j] + b[i] ",
}


@pytest.mark.parametrize("model", FORMULAS, ids=lambda model: model.__name__)
def test_index_notation_is_the_formula_of_the_book(model):
    shapes, sample, _ = BOOK[model]
    parameters = drawn(**shapes)
    x = RNG.normal(size=sample).tolist()
    program = lower(lambda x: model(parameters, x), x, parameters=parameters)
    assert FORMULAS[model] in program.explain("arrays")


@pytest.mark.parametrize("model", BOOK, ids=lambda model: model.__name__)
def test_a_book_would_have_it_so(model):
    shapes, sample, lines = BOOK[model]
    parameters = drawn(**shapes)
    (batch,) = batches(1, *sample)
    source = equal_to_backward(lambda x: model(parameters, x), parameters, abs(batch))
    assert [line for line in lines if line not in source] == [], source
    assert ("embed" in source) == (model is padded)


def test_a_part_with_gaps_is_no_whole():
    parameters = drawn(W=(3,))
    every_other = parameters["W"][::2]
    source = equal_to_backward(lambda x: dot(every_other, x).tanh(), parameters, *batches(1, 2))
    assert "dW = embed(" in source and "s_[::2]" in source


def convolution(rng):
    """Return a random loss of an image whose elements are spread by a kernel, and an image."""
    rank, channels = rng.randint(1, 2), rng.choice([0, 0, 2, 3])
    shape, size, strides, steps = ([rng.randint(1, 3) for _ in range(rank)] for _ in range(4))
    channel = range(channels) if channels else [()]
    kernel = {k: [Value(rng.uniform(-1, 1)) for _ in channel] for k in grid(size)}
    pairs = [*product(grid(shape), kernel)]
    if rng.random() < 0.3:
        pairs.sort(key=lambda pair: pair[1])
    if rng.random() < 0.3:
        pairs = rng.sample(pairs, rng.randint(1, len(pairs)))
    pairs *= rng.choice((1, 1, 2))
    hidden = rng.random() < 0.5

    def loss(x):
        parts = defaultdict(list)
        for at, k in pairs:
            values = np.atleast_1d(np.array(x, object)[at])
            place = tuple(s * i + d * j for i, j, s, d in zip(at, k, strides, steps))
            parts[place] += [w * (v.tanh() if hidden else v) for w, v in zip(kernel[k], values)]
        return sum(sum(parts[place]).tanh() for place in sorted(parts))

    return loss, rng_array(rng, shape + [channels] * bool(channels))


def grid(shape):
    return [*product(*map(range, shape))]


@pytest.mark.parametrize("seed", range(4))
def test_random_sums_of_different_lengths(seed):
    for number in range(10 * seed, 10 * seed + 10):
        loss, image = convolution(random.Random(number))
        assert failures_on_a_batch(loss, [image], number) == {}, number


def layers_with_zeros_around(rng):
    """Return random convolutions over images with 0s around them, and an image."""
    rank, layers = rng.randint(1, 2), rng.randint(1, 2)
    shape = [rng.randint(2, 5) for _ in range(rank)]
    size = [rng.randint(1, 3) for _ in range(rank)]
    stride, step, before, after = (
        [rng.choice(several) for _ in range(rank)]
        for several in ((1, 1, 2), (1, 1, 2), (0, 1, 2), (0, 1, 2))
    )
    channels = rng.choice([(1, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 1)])
    kernels = [values(rng_array(rng, [o, c, *size])) for c, o in pairwise(channels)]
    zero = rng.choice([float, lambda: Value(0.0)])
    order, biased, active = rng.random() < 0.7, rng.random() < 0.5, rng.random() < 0.7
    biases = values(rng_array(rng, [2]))

    def convolved(images, kernel):
        """Return the images of a layer: arrays of Values."""
        whole = [
            np.empty([n + a + b for n, a, b in zip(x.shape, before, after)], object) for x in images
        ]
        for padded, x in zip(whole, images):
            padded[:] = np.frompyfunc(lambda _: zero(), 1, 1)(padded)
            padded[tuple(slice(a, a + n) for a, n in zip(before, x.shape))] = x
        many = [
            (n - d * (m - 1) - 1) // s + 1 for n, m, s, d in zip(whole[0].shape, size, stride, step)
        ]
        out = [np.empty([max(0, n) for n in many], object) for _ in kernel]
        for (o, weights), at in product(enumerate(kernel), grid(out[0].shape)):
            pairs = [
                (element(w, k), x[tuple(s * i + d * j for s, i, d, j in zip(stride, at, step, k))])
                for w, x in zip(weights, whole)
                for k in grid(size)
            ]
            total = sum(w * x if order else x * w for w, x in pairs) + (biases[o] if biased else 0)
            out[o][at] = total.tanh() if active else total
        return out

    def loss(x):
        images = [np.array(image, object) for image in (x if channels[0] > 1 else [x])]
        for kernel in kernels[:layers]:
            images = convolved(images, kernel)
        flat = [v for values in (x, *images) for v in np.array(values, object).ravel().tolist()]
        return dot(flat, [1 + n / 8 for n in range(len(flat))])

    return loss, rng_array(rng, ([channels[0]] if channels[0] > 1 else []) + shape)


def element(nested, place):
    for at in place:
        nested = nested[at]
    return nested


def rng_array(rng, shape):
    return np.round([rng.gauss(0, 1) for _ in range(prod(shape))], 1).reshape(shape)


@pytest.mark.parametrize("seed", range(4))
def test_random_windows_over_the_edge_of_an_image(seed):
    for number in range(10 * seed, 10 * seed + 10):
        loss, image = layers_with_zeros_around(random.Random(number))
        assert failures_on_a_batch(loss, [image], number) == {}, number


@pytest.mark.parametrize("seed", range(40))
def test_zeros_elsewhere_are_no_edge(seed):
    """Windows with a 0 in the midst, shorter ones, or uneven ones, are no longer array's."""
    rng = random.Random(seed)
    w, count = values([0.5, -1.0, 2.0]), rng.randint(3, 6)
    places = [[i + k - 1 for k in range(3)] for i in range(count)]
    for _ in range(rng.randint(1, 2)):
        place = rng.choice((None, -1, rng.randrange(count)))
        places[rng.randrange(count)][rng.randrange(3)] = place

    def window(x, row):
        read = [(a, i) for a, i in zip(w, row) if i is not None]
        return sum(a * (x[i] if 0 <= i < count else 0.0) for a, i in read)

    def loss(x):
        return sum(window(x, row).tanh() for row in places)

    assert failures_on_a_batch(loss, [np.arange(1.0, count + 1)], seed) == {}


def test_windows_beyond_the_edge_leave_the_others_an_array():
    w = drawn(w=(3,))["w"]
    far = lambda x: [0.0] * 3 + x + [0.0] * 3  # noqa: E731
    model = lambda x: sum(dot(w, part).tanh() for part in windows(far(x), 3))  # noqa: E731
    source = equal_to_backward(model, {"w": w}, *batches(1, 4))
    assert "x_padded = embed(x, (B, 8), s_[:, 2:6])" in source


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("weight", [np.inf, -np.inf, np.nan])
def test_zeros_around_an_image_are_multiplied_as_the_engine_does(weight):
    """At an edge 0 times an infinite weight is nan, between them nothing is."""
    w = values([1.0, 2.0, 3.0])
    padded = lambda x: [0.0, *x, 0.0]  # noqa: E731
    model = lambda x: [dot(w, part) for part in windows(padded(x), 3)]  # noqa: E731
    program = lower(model, [0.5, -1.0, 2.0, 3.0], parameters={"w": w})
    w[0].data = program.parameters["w"][0] = weight
    sample = [1.0, 2.0, -3.0, 4.0]
    right = [v.data for v in model([Value(number) for number in sample])]
    np.testing.assert_array_equal(program([sample])[0], right)


def contraction(rng):
    """Return a random sum of products of two inputs, over one index or two, and the inputs."""
    rows, columns, common = (letters[: rng.randint(1, 2)] for letters in ("ij", "kl", "mn"))
    size = {c: rng.randint(2, 3) for c in rows + columns + common}
    kept, left, right = (
        rng.sample(letters, len(letters))
        for letters in (rows + columns, rows + common, common + columns)
    )

    def loss(x, y):
        sums = defaultdict(list)
        for place in product(*map(range, size.values())):
            at = dict(zip(size, place))
            factors = ((x, left), (y, right))
            pair = [element(values, [at[c] for c in side]) for values, side in factors]
            sums[tuple(at[c] for c in kept)].append(pair[0] * pair[1])
        return sum(sum(sums[place]).tanh() for place in sorted(sums))

    return loss, [rng_array(rng, [size[c] for c in side]) for side in (left, right)]


@pytest.mark.parametrize("seed", range(12))
def test_random_contractions(seed):
    loss, sides = contraction(random.Random(seed))
    assert failures_on_a_batch(loss, sides, seed) == {}


def test_stacks_of_matrices_that_come_out_otherwise_are_an_einsum():
    def products(x, y):
        pairs = product(x, y)
        return [[dot(a, b) for a, b in zip(zip(*p), zip(*q))] for p, q in pairs]

    assert "einsum('bjml,bkml->bjkl', x, y)" in lower(products, *2 * [[[[0.1] * 2] * 3] * 2]).source
