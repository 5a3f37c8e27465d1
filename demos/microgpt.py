"""The model of `gpt.py`, after karpathy's microgpt: lists of Values and loops over them.

One function serves names of all lengths: a name is filled up to the block with the mark that ends
it. The weight of a position is 1 / length within the name and 0 in the filling, which adds 0 to the
loss and to all gradients. `past` is 0 where a position may look and −10⁹ where it may not, so that
exp gives 0 there.
"""

import random

from micrograd import Value, dot, labelled, mean, softmax
from micrograd.losses import cross_entropy
from micrograd.nn import Embedding, one_hot

LETTERS = "abcdefghijklmnopqrstuvwxyz."  # the dot begins and ends a name
END, DIM = len(LETTERS) - 1, 16
LAYER = {f"attn_w{name}": (DIM, DIM) for name in "qkvo"}
LAYER |= {"mlp_fc1": (4 * DIM, DIM), "mlp_fc2": (DIM, 4 * DIM)}


def linear(x, W):
    return [dot(x, row) for row in W]


def normalised(x):
    scale = (mean([v * v for v in x]) + 1e-5) ** -0.5
    return [v * scale for v in x]


def added(xs, ys):
    return [[a + b for a, b in zip(x, y)] for x, y in zip(xs, ys)]


def head(q, k, v, past):
    """Return what each position attends to, and what it takes from there."""
    rows = [[p + dot(a, b) / len(a) ** 0.5 for b, p in zip(k, row)] for a, row in zip(q, past)]
    scores = labelled(rows, "scores")
    attention = labelled([softmax(row) for row in scores], "attention")
    return attention, [[dot(row, column) for column in zip(*v)] for row in attention]


class GPT:
    """Matrices by the names they have in microgpt, and the forward pass over lists of Values."""

    def __init__(self, layers=1, heads=4, block=16, seed=42):
        rng = random.Random(seed)
        sizes = {"wte": (len(LETTERS), DIM), "wpe": (block, DIM), "lm_head": (len(LETTERS), DIM)}
        for i in range(layers):
            sizes |= {f"layer{i}.{name}": size for name, size in LAYER.items()}
        self.matrices = {
            name: [[Value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
            for name, (rows, columns) in sizes.items()
        }
        self.layers, self.heads, self.block = layers, heads, block
        self.tokens = Embedding(len(LETTERS), DIM)
        self.tokens.rows = self.matrices["wte"]

    def __call__(self, ids, past):
        """Return the logits of every position, and the attention of the heads of the last layer."""
        xs = [normalised(x) for x in added(self.tokens(ids), self.matrices["wpe"])]
        for i in range(self.layers):
            W = {name: self.matrices[f"layer{i}.{name}"] for name in LAYER}
            normal, size = [normalised(x) for x in xs], DIM // self.heads
            q, k, v = ([linear(x, W[f"attn_w{name}"]) for x in normal] for name in "qkv")
            for name, rows in zip("qkv", (q, k, v)):
                labelled(rows, name)
            parts = [slice(first, first + size) for first in range(0, DIM, size)]
            heads = [head(*([x[part] for x in rows] for rows in (q, k, v)), past) for part in parts]
            joined = [sum((out[n] for _, out in heads), []) for n in range(len(xs))]
            xs = added([linear(x, W["attn_wo"]) for x in joined], xs)
            hidden = [[z.relu() ** 2 for z in linear(normalised(x), W["mlp_fc1"])] for x in xs]
            xs = added([linear(h, W["mlp_fc2"]) for h in hidden], xs)
        return [linear(x, self.matrices["lm_head"]) for x in xs], [a for a, _ in heads]

    def loss(self, ids, targets, weights, past):
        logits, _ = self(ids, past)
        losses = [cross_entropy(z, one_hot(y, len(LETTERS))) for z, y in zip(logits, targets)]
        return dot(losses, weights)

    def logits(self, ids, past):
        return self(ids, past)[0]


def document(name, length):
    """Return ids, targets and weights of a name, filled up to a length, and `past`."""
    ids = [END, *map(LETTERS.index, name), END][: length + 1]
    count = len(ids) - 1
    filled = ids + [END] * (length - count)
    weights = [1 / count] * count + [0.0] * (length - count)
    return filled[:length], filled[1 : length + 1], weights, past(length)


def past(length):
    return [[0.0 if at <= now else -1e9 for at in range(length)] for now in range(length)]
