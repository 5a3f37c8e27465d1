"""The model of `gpt.py`, its training and sampling, after karpathy's microgpt.

The model is lists of Values and loops over them.

One function serves names of all lengths: a name is filled up to the block with the mark that ends
it. The weight of a position is 1 / length within the name and 0 in the filling, which adds 0 to the
loss and to all gradients. `past` is 0 where a position may look and −10⁹ where it may not, so that
exp gives 0 there.
"""

import random
from pathlib import Path
from string import ascii_lowercase

import numpy as np

from micrograd import Value, dot, labelled, mean, no_grad, softmax
from micrograd.losses import cross_entropy
from micrograd.nn import Embedding, one_hot
from micrograd.optim import Adam


def read(path):
    """Return the names in a file, one a line."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeError as error:
        raise SystemExit(f"{path}: {error}; save it as UTF-8") from None
    names = [*filter(None, map(str.strip, lines))]
    if not names:
        raise SystemExit(f"{path}: there are no names; write one a line")
    return names


NAMES = read(Path(__file__).with_name("names.txt"))
LETTERS = (
    "".join(sorted({*ascii_lowercase, *"".join(NAMES)})) + "\n"
)  # which begins and ends a name
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
        """Return the logits of every position; of the last layer, each head's attention and qkv."""
        xs = [normalised(x) for x in added(self.tokens(ids), self.matrices["wpe"])]
        for i in range(self.layers):
            W = {name: self.matrices[f"layer{i}.{name}"] for name in LAYER}
            normal, size = [normalised(x) for x in xs], DIM // self.heads
            q, k, v = ([linear(x, W[f"attn_w{name}"]) for x in normal] for name in "qkv")
            for name, rows in zip("qkv", (q, k, v)):
                labelled(rows, name)
            parts = [slice(first, first + size) for first in range(0, DIM, size)]
            qkv = [[[x[part] for x in rows] for rows in (q, k, v)] for part in parts]
            heads = [head(*rows, past) for rows in qkv]
            joined = [[x for _, out in heads for x in out[n]] for n in range(len(xs))]
            xs = added([linear(x, W["attn_wo"]) for x in joined], xs)
            hidden = [[z.relu() ** 2 for z in linear(normalised(x), W["mlp_fc1"])] for x in xs]
            xs = added([linear(h, W["mlp_fc2"]) for h in hidden], xs)
        return [linear(x, self.matrices["lm_head"]) for x in xs], [a for a, _ in heads], qkv

    def loss(self, ids, targets, weights, past):
        logits = self.logits(ids, past)
        losses = [cross_entropy(z, one_hot(y, len(LETTERS))) for z, y in zip(logits, targets)]
        return dot(losses, weights)

    def logits(self, ids, past):
        return self(ids, past)[0]


def last_layer(model, name):
    """Return, of the last layer's heads, the attention over the letters of a name; q, k and v."""
    ids, _, _, mask = document(name, min(len(name) + 1, model.block))
    with no_grad():
        _, heads, qkv = model(ids, mask)
    return [np.array([[a.data for a in row] for row in rows]) for rows in heads], qkv


def document(name, length):
    """Return ids, targets and weights of a name, filled up to a length, and `past`."""
    ids = [END, *map(LETTERS.index, name), END][: length + 1]
    count = len(ids) - 1
    filled = ids + [END] * (length - count)
    weights = [1 / count] * count + [0.0] * (length - count)
    return filled[:length], filled[1 : length + 1], weights, past(length)


def past(length):
    return [[0.0 if at <= now else -1e9 for at in range(length)] for now in range(length)]


def order(steps, seed):
    """Return the names in the order in which they are trained on."""
    names = NAMES * (steps // len(NAMES) + 1)
    random.Random(seed).shuffle(names)
    return names[:steps]


def adam(parameters, steps):
    rate = lambda step: 0.01 * (1 - step / steps)  # noqa: E731
    return Adam(parameters, lr=rate, beta1=0.85, beta2=0.99, dense=True)


def trained(model, program, steps, seed):
    """Train the program's parameters on a name per step; return the losses."""
    documents = zip(*(document(name, model.block) for name in NAMES))
    trainer = program.trainer(adam(program.parameters, steps))
    step = trainer.on(*(np.array(column) for column in documents))
    return step.many([[NAMES.index(name)] for name in order(steps, seed)])


def by_the_engine(model, steps, seed, count=5, filled=False):
    """Take the first `count` steps by `backward()`, on names as they are, or filled up."""
    values = [v for rows in model.matrices.values() for row in rows for v in row]
    optimizer, losses = adam(values, steps), []
    for name in order(steps, seed)[:count]:
        length = model.block if filled else min(len(name) + 1, model.block)
        loss = model.loss(*document(name, length))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.data)
    return losses


def sampled(model, program, count, seed, temperature=0.5):
    """Draw names, all of them letter by letter at the same time."""
    rng = np.random.default_rng(seed)
    ids = np.full((count, model.block), END)
    for at in range(model.block):
        logits = program(ids, [past(model.block)] * count)[:, at] / temperature
        noise = rng.gumbel(size=logits.shape)  # the largest of logit + noise: a draw from softmax
        letters = (logits + noise).argmax(-1)
        if at + 1 < model.block:
            ids[:, at + 1] = letters
    texts = ("".join(LETTERS[i] for i in row) for row in ids[:, 1:])
    return [text.partition("\n")[0] for text in texts]


def filling(model, program):
    """Return by how much loss and gradients change where a name's filling is another one."""
    ids, targets, weights, mask = document(NAMES[0], model.block)
    count = len(NAMES[0]) + 1
    others = [
        [*row[:count], *(n % END for n in range(model.block - count))] for row in (ids, targets)
    ]
    (a, ours), (b, theirs) = (
        program.value_and_grad([i], [y], [weights], [mask]) for i, y in ((ids, targets), others)
    )
    pairs = ((dense(ours[name]), dense(theirs[name])) for name in ours)
    return max(abs(a - b), *(abs(x - y).max() for x, y in pairs))


def dense(gradient):
    """Return a gradient as one array; the rows of a table that change, as a whole table."""
    if not isinstance(gradient, tuple):
        return gradient
    whole = np.zeros((len(LETTERS), DIM))
    whole[gradient.indices] = gradient.rows
    return whole


def attention(source):
    """Return the lines of the forward pass from q to what the heads give."""
    lines = [line.strip() for line in source.splitlines()]
    first = next(n for n, line in enumerate(lines) if line.startswith("q = "))
    last = next(n for n, line in enumerate(lines) if line.startswith("attention = "))
    return lines[first : last + 2]
