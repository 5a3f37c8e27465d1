"""A GPT over the choices that one has, and how far its program's gradients are from the engine's.

All of them, a line each, which takes minutes:

    PYTHONPATH=demos python -m tests.gpt_models
"""

from __future__ import annotations

import random
from itertools import product

import microgpt
import numpy as np
from microgpt import added, linear, normalised

from micrograd import dot, mean, softmax
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.nn import Embedding, one_hot
from tests.lowering_models import matrix
from tests.lowering_oracle import by_engine, by_export, by_program, difference

WORDS = 6
EVERY = list(product((8, 16), (1, 2), (1, 2, 4), (True, False), (1, 2), (True, False)))


def gpt(length, layers, heads, tied, power, appended, dim=8, seed=0):
    """Return the loss of a text, the matrices by name and a batch of two texts.

    A position looks at those before it: `appended`, it has no others, as karpathy writes it; else
    `past` adds −10⁹ to the scores of those to come. `power` is that of the ReLU.
    """
    rng, size = random.Random(seed), dim // heads
    P = {"wte": matrix(rng, WORDS, dim), "wpe": matrix(rng, length, dim)}
    for i in range(layers):
        P |= {f"layer{i}.w{name}": matrix(rng, dim, dim) for name in "qkvo"}
        P |= {
            f"layer{i}.fc1": matrix(rng, 4 * dim, dim),
            f"layer{i}.fc2": matrix(rng, dim, 4 * dim),
        }
    P |= {} if tied else {"head": matrix(rng, WORDS, dim)}
    tokens = Embedding(WORDS, dim)
    tokens.rows = P["wte"]

    def attended(q, k, v, past):
        if not appended:
            return microgpt.head(q, k, v, past)[1]
        rows = []
        for n, a in enumerate(q, 1):
            weights = softmax([dot(a, b) / size**0.5 for b in k[:n]])
            rows.append([dot(weights, column) for column in zip(*v[:n])])
        return rows

    def layer(xs, i, past):
        normal = [normalised(x) for x in xs]
        q, k, v = ([linear(x, P[f"layer{i}.w{name}"]) for x in normal] for name in "qkv")
        parts = [slice(first, first + size) for first in range(0, dim, size)]
        out = [attended(*([x[part] for x in rows] for rows in (q, k, v)), past) for part in parts]
        joined = [[x for rows in out for x in rows[n]] for n in range(length)]
        xs = added([linear(x, P[f"layer{i}.wo"]) for x in joined], xs)
        hidden = [linear(normalised(x), P[f"layer{i}.fc1"]) for x in xs]
        hidden = [[z.relu() if power == 1 else z.relu() ** power for z in row] for row in hidden]
        return added([linear(h, P[f"layer{i}.fc2"]) for h in hidden], xs)

    def loss(ids, targets, past):
        xs = [normalised(x) for x in added(tokens(ids), P["wpe"])]
        for i in range(layers):
            xs = layer(xs, i, past)
        logits = [linear(x, P["wte" if tied else "head"]) for x in xs]
        return mean([cross_entropy(z, one_hot(y, WORDS)) for z, y in zip(logits, targets)])

    def text(ids, targets):
        return loss(ids, targets, microgpt.past(length))

    ids = [np.random.default_rng(seed + n).integers(WORDS, size=(2, length)) for n in (1, 2)]
    masks = np.array([microgpt.past(length)] * 2)
    return (text, P, ids) if appended else (loss, P, [*ids, masks])


def lowered(*choices):
    """Return the loss of a text, its program and a batch."""
    loss, P, batch = gpt(*choices)
    return loss, lower(loss, *(part[0].tolist() for part in batch), parameters=P), batch


def fault(loss, program, batch):
    """Say how the loss or a gradient differs from the engine's by more than 10⁻¹²; else nothing."""
    samples = [part.tolist() if part.dtype.kind == "i" else part for part in batch]
    right = by_engine(program, loss, samples)
    ways = (way(program, batch) for way in (by_program, by_export))
    return "".join(difference(result, right) for result in ways)


def apart(loss, program, batch):
    """Return the largest difference of a gradient from the engine's, and the largest gradient."""
    right = by_engine(program, loss, batch).gradients
    gradients = by_program(program, batch)[1]
    pairs = [(gradients[name], wanted) for name, wanted in right.items() if name in gradients]
    return max(abs(a - b).max() for a, b in pairs), max(abs(b).max() for _, b in pairs)


if __name__ == "__main__":
    for choices in EVERY:
        parts = lowered(*choices)
        lines = parts[1].source.count("  # (")
        print(*choices, lines, "lines", *map("{:.1e}".format, apart(*parts)), fault(*parts)[:200])
