"""Tasks on losses, training and tagging."""

from __future__ import annotations

from typing import Any

import numpy as np

from tasks.form import RefusedError, Task, near


def hinge(f: Any) -> None:
    J, ds, ds_c = f(1.0, [0.5, -3.0, 2.0])
    near(J, 2.5, "J at s = 1, s_c = 0.5, −3, 2", "sum max(0, 1 + s_c − s) over all corrupt windows")
    near(ds, -2, "∂J/∂s", "minus the number of windows that are active")
    near(ds_c, [1, 0, 1], "∂J/∂s_c", "1 for an active window, 0 for the others")
    J, ds, ds_c = f(3.0, [1.5, 2.5, 2.0])
    near(J, 0.5, "J at s = 3, s_c = 1.5, 2.5, 2", "sum max(0, 1 + s_c − s)")
    near(ds, -1, "∂J/∂s there", "a window is active while 1 + s_c − s > 0; at 0 nothing is updated")
    near(ds_c, [0, 1, 0], "∂J/∂s_c there", "of an active window, 1 + s_c − s > 0, it is 1")


def p_minus_y(f: Any) -> None:
    scores = np.array([1.0, 2.0, -1.0])
    p = np.exp(scores) / np.exp(scores).sum()
    near(
        f(scores.copy(), 1),
        p - [0, 1, 0],
        "∂J/∂f",
        "the computed probabilities minus the one-hot truth",
    )
    near(
        f(scores + 1000, 1),
        p - [0, 1, 0],
        "∂J/∂f of scores near 1000",
        "subtract the largest score first, or exp overflows",
    )


def sparse_rows(f: Any) -> None:
    table = np.ones((4, 2))
    got = f(table.copy(), [1, 2, 1], np.array([[1.0, 0], [0, 1], [2, 0]]), 0.1)
    expected = np.array([[1, 1], [0.7, 1], [1, 0.9], [1, 1]])
    near(
        np.asarray(got)[[0, 3]],
        expected[[0, 3]],
        "rows that were not looked up",
        "they stay as they are",
    )
    near(got, expected, "the table", "a word that occurs twice gets the sum of its gradients")


def whitening(f: Any) -> None:
    rng = np.random.default_rng(0)
    data = rng.normal(size=(200, 3)) @ np.array([[2, 1, 0], [0, 1, 0.5], [0, 0, 0.3]]) + 5
    white = np.asarray(f(data), float)
    near(white.mean(0), np.zeros(3), "the mean", "subtract the mean first", 1e-8)
    covariance = np.cov(white.T, bias=True)
    if np.allclose(covariance * len(data), np.eye(3), atol=1e-6):
        raise RefusedError(
            "the covariance is I/n, not I: multiply by √n, since S holds √n times the deviation"
        )
    near(
        covariance, np.eye(3), "the covariance", "rotate by the V of X′ = U S Vᵀ, then √n / S", 1e-6
    )


def xavier(f: Any) -> None:
    W = np.asarray(f(300, 100, np.random.default_rng(0)), float)
    if W.shape != (100, 300):
        raise RefusedError(f"W has the shape {W.shape}, not (fan_out, fan_in) = (100, 300)")
    limit = (6 / 400) ** 0.5
    if np.abs(W).max() > limit + 1e-12:
        raise RefusedError(
            "a weight lies outside ±√(6/(fan_in + fan_out)): is the root there, and the sum?"
        )
    near(W.var(), 2 / 400, "Var(W)", "uniform over ±√(6/(fan_in + fan_out))", 1e-4)


def adam(f: Any) -> None:
    x, m, v = 0.0, 0.0, 0.0
    for t in (1, 2, 3):
        x, m, v = f(x, m, v, t, 3.0)
        near(
            x,
            -0.1 * t,
            f"x after {t} steps of the gradient 3",
            "m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ): the step of a constant gradient is the rate",
        )
    x, m, v = f(1.0, 0.5, 0.25, 2, -1.0)
    near((m, v), (0.35, 0.25075), "(m, v)", "β₁ = 0.9 for m, and β₂ = 0.999 for v: two of them")
    expected = 1 - 0.1 * (0.35 / 0.19) / (0.25075 / 0.001999) ** 0.5
    near(x, expected, "x where the gradient turns", "the step is α m̂ / (√v̂ + ε), not α alone")
    near(f(1.0, 0.0, 0.0, 1, 0.0)[0], 1, "x after a gradient of 0", "ε keeps 0/0 away")


def dropout(f: Any) -> None:
    h = np.array([1.0, -2.0, 4.0])
    near(
        f(h.copy(), 0.8),
        0.8 * h,
        "h at test",
        "in training a unit is there with probability p, so that E[h] is p·h",
    )
    near(f(h.copy(), 0.5), 0.5 * h, "h at test, p = 0.5", "multiply by p")


def entities(f: Any) -> None:
    pairs = (
        ("B-ORG I-ORG O B-PER I-PER O B-ORG O", [(0, 2, "ORG"), (3, 5, "PER"), (6, 7, "ORG")], ""),
        ("B-LOC B-LOC O", [(0, 1, "LOC"), (1, 2, "LOC")], "a second B begins another entity"),
        ("O B-PER I-PER", [(1, 3, "PER")], "an entity may end with the sentence"),
        ("B-PER I-PER B-LOC", [(0, 2, "PER"), (2, 3, "LOC")], "the type belongs to the entity"),
    )
    for tags, expected, hint in pairs:
        got = [tuple(entity) for entity in f(tags.split())]
        if got != expected:
            raise RefusedError(f"{tags} gives {got}, not {expected}. {hint}")


TASKS = (
    Task(
        "hinge",
        "hinge(s, corrupt)",
        "Return J = Σ max(0, 1 + s_c − s), ∂J/∂s and the list of ∂J/∂s_c.",
        "active = [1 + c - s > 0 for c in corrupt]\n"
        "return sum(max(0, 1 + c - s) for c in corrupt), -sum(active), [int(a) for a in active]",
        hinge,
    ),
    Task(
        "p_minus_y",
        "score_gradient(scores, y)",
        "Return ∂J/∂f of J = −log softmax(f)_y.",
        "p = np.exp(scores - scores.max())\np = p / p.sum()\np[y] -= 1\nreturn p",
        p_minus_y,
    ),
    Task(
        "sparse_rows",
        "step(table, words, gradients, rate)",
        "Return the table after a step of SGD; gradients has a row for each word of the window.",
        "np.add.at(table, words, -rate * gradients)\nreturn table",
        sparse_rows,
    ),
    Task(
        "whitening",
        "whiten(data)",
        "Return the rows of data with mean 0 and covariance I (divided by n).",
        "centred = data - data.mean(0)\n_, S, axes = np.linalg.svd(centred, full_matrices=False)\n"
        "return centred @ axes.T * len(data) ** 0.5 / S",
        whitening,
    ),
    Task(
        "xavier",
        "xavier(fan_in, fan_out, rng)",
        "Return W (fan_out, fan_in) by Xavier's uniform rule.",
        "limit = (6 / (fan_in + fan_out)) ** 0.5\nreturn rng.uniform(-limit, limit, (fan_out, fan_in))",
        xavier,
    ),
    Task(
        "adam",
        "adam(x, m, v, t, g)",
        "Return x, m and v after step t: rate 0.1, β₁ = 0.9, β₂ = 0.999, ε = 1e-8, bias corrected.",
        "m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g\n"
        "step = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)\nreturn x - 0.1 * step, m, v",
        adam,
    ),
    Task(
        "dropout",
        "at_test(h, p)",
        "Return h at test, where training kept units with probability p and left them as they are.",
        "return h * p",
        dropout,
    ),
    Task(
        "entities",
        "entities(tags)",
        "Return (start, end, type) of every entity of a list of BIO tags.",
        "found = []\nfor i, tag in enumerate(tags):\n    if tag[0] == 'B':\n        found.append((i, i + 1, tag[2:]))\n"
        "    elif tag[0] == 'I' and found and found[-1][1] == i:\n        found[-1] = (found[-1][0], i + 1, found[-1][2])\nreturn found",
        entities,
    ),
)
