"""Scalar models that the tests lower."""

import random

import numpy as np

from micrograd.engine import Value


def function(program) -> str:
    """Return the source of a program without its head: what stands before `value_and_grad`."""
    return program.source[program.source.index("def value_and_grad") :]


def forward(program) -> str:
    """Return the lines of the forward pass, a line each."""
    return function(program).partition("# forward\n")[2].partition("    # backward\n")[0]


def values(array) -> list:
    """Return an array as nested lists of Values."""
    array = np.asarray(array, float)
    return [values(row) for row in array] if array.ndim > 1 else [Value(v) for v in array.tolist()]


def matrix(rng: random.Random, rows: int, columns: int) -> list[list[Value]]:
    return [[Value(rng.gauss(0, 0.4)) for _ in range(columns)] for _ in range(rows)]


def score(x, W, b, u):
    """Return s = uᵀ tanh(Wx + b) (L3)."""
    h = [(sum(w * v for w, v in zip(row, x)) + bias).tanh() for row, bias in zip(W, b)]
    return sum(a * v for a, v in zip(u, h))


def window_model(seed: int = 0, inputs: int = 20, hidden: int = 8):
    """Return the max-margin loss of a window pair (L4), and its parameters."""
    rng = random.Random(seed)
    W, (b, u) = matrix(rng, hidden, inputs), matrix(rng, 2, hidden)

    def loss(x, x_c):
        s, s_c = score(x, W, b, u), score(x_c, W, b, u)
        s.label, s_c.label = "s", "s_c"
        J = (s_c - s + 1).relu()
        J.label = "J"
        return J

    return loss, {"W1": W, "b1": b, "u": u}


def linear(x, W):
    return [sum(w * v for w, v in zip(row, x)) for row in W]


def softmax(xs):
    powers = [x.exp() for x in xs]
    total = sum(powers)
    return [p / total for p in powers]


def normalised(x):
    scale = (sum(v * v for v in x) / len(x) + 1e-5) ** -0.5
    return [v * scale for v in x]


def attend(xs, heads, query_first):
    """Let rows attend to one another, head by head, with the loop over the queries out or in."""
    size, rows = len(xs[0]) // heads, range(len(xs))
    parts = [range(first, first + size) for first in range(0, heads * size, size)]

    def head(x, part):
        p = softmax([sum(x[j] * y[j] for j in part) for y in xs])
        return [sum(a * y[j] for a, y in zip(p, xs)) for j in part]

    if query_first:
        return [[z for part in parts for z in head(x, part)] for x in xs]
    outs = [[head(x, part) for x in xs] for part in parts]
    return [[z for out in outs for z in out[t]] for t in rows]


def transformer(dims: int = 8, heads: int = 2, positions: int = 5, words: int = 7, seed: int = 1):
    """Return the loss of a one-layer causal transformer on a sequence, and its parameters."""
    rng = random.Random(seed)
    P = {"E": matrix(rng, words, dims), "P": matrix(rng, positions, dims)}
    P |= {name: matrix(rng, dims, dims) for name in ("Wq", "Wk", "Wv", "Wo")}
    P |= {"W1": matrix(rng, 2 * dims, dims), "W2": matrix(rng, dims, 2 * dims)}
    P["U"] = matrix(rng, words, dims)
    size = dims // heads
    tokens = [rng.randrange(words) for _ in range(positions + 1)]
    keys, stored, losses = [], [], []
    for t in range(positions):
        x = normalised([a + b for a, b in zip(P["E"][tokens[t]], P["P"][t])])
        q, k, v = (linear(x, P[name]) for name in ("Wq", "Wk", "Wv"))
        keys.append(k)
        stored.append(v)
        out = []
        for first in range(0, dims, size):
            here = range(first, first + size)
            logits = [sum(q[j] * k[j] for j in here) / size**0.5 for k in keys]
            p = softmax(logits)
            out += [sum(a * v[j] for a, v in zip(p, stored)) for j in here]
        x = [a + b for a, b in zip(linear(out, P["Wo"]), x)]
        h = [v.relu() ** 2 for v in linear(normalised(x), P["W1"])]
        x = [a + b for a, b in zip(linear(h, P["W2"]), x)]
        losses.append(-softmax(linear(x, P["U"]))[tokens[t + 1]].log())
    return sum(losses) / positions, P


def all_to_all_attention(positions: int = 3, dims: int = 4, seed: int = 2):
    """Return a loss of a sequence of vectors that all attend to all, and its parameters."""
    rng = random.Random(seed)
    P = {name: matrix(rng, dims, dims) for name in ("Wq", "Wk", "Wv")}
    u = matrix(rng, 1, dims)[0]

    def loss(xs):
        q, k, v = ([linear(x, P[name]) for x in xs] for name in ("Wq", "Wk", "Wv"))
        total = 0
        for query in q:
            p = softmax([sum(a * b for a, b in zip(query, key)) for key in k])
            out = [sum(a * row[j] for a, row in zip(p, v)) for j in range(dims)]
            total = total + sum(a * b for a, b in zip(u, out)).tanh()
        return total

    return loss, P | {"u": u}
