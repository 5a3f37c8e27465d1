"""Recurrent networks: what is done with their states is one line, for any number of steps."""

import random

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot, logsumexp, softmax
from micrograd.lowering import cache, lower, passes
from micrograd.lowering.scalars.heights import together
from tests.lowering_fuzz import failures_on_a_batch
from tests.lowering_models import values


def times(matrix, x):
    return [dot(row, x) for row in matrix]


def added(*vectors):
    return [sum(rest, first) for first, *rest in zip(*vectors)]


class Cells:
    """A random network of recurrent cells; a call returns a state for each of some inputs."""

    def __init__(self, rng, inputs, hidden):
        self.kind = rng.choice(["tanh", "relu", "linear", "gated", "joined"])
        self.biased = rng.random() < 0.6
        self.W, self.Z = drawn(rng, hidden, inputs), drawn(rng, hidden, inputs)
        self.U, self.V = drawn(rng, hidden, hidden), drawn(rng, hidden, hidden)
        self.J, self.b = drawn(rng, hidden, inputs + hidden), drawn(rng, hidden)
        draw = rng.random()
        self.first = drawn(rng, hidden) if draw < 0.3 else [0.0] * hidden
        if draw > 0.6:
            self.first = [Value(0.0) for _ in self.b]

    def __call__(self, xs):
        h, states = self.first, []
        for x in xs:
            h = self.step(x, h)
            states.append(h)
        return states

    def step(self, x, h):
        if self.kind == "joined":
            return [z.tanh() for z in added(times(self.J, [*x, *h]), self.b)]
        z = added(times(self.W, x), times(self.U, h), *[self.b] * self.biased)
        if self.kind == "linear":
            return z
        new = [v.relu() if self.kind == "relu" else v.tanh() for v in z]
        if self.kind != "gated":
            return new
        gates = [v.sigmoid() for v in added(times(self.Z, x), times(self.V, h))]
        return [g * old + (1 - g) * v for g, old, v in zip(gates, h, new)]


def drawn(rng, *shape):
    return values(
        np.round(np.reshape([rng.gauss(0, 0.7) for _ in range(int(np.prod(shape)))], shape), 2)
    )


def network(rng):
    """Return a random loss of the states of recurrent cells, and a sample."""
    steps, size, hidden, outs = (
        rng.randint(2, 4),
        rng.randint(1, 3),
        rng.randint(1, 3),
        rng.randint(1, 3),
    )
    cells, backward = Cells(rng, size, hidden), Cells(rng, size, hidden)
    second = Cells(rng, hidden, hidden)
    V, c, A, v = (
        drawn(rng, outs, hidden),
        drawn(rng, outs),
        drawn(rng, hidden, hidden),
        drawn(rng, hidden),
    )
    both, two = rng.random() < 0.25, rng.random() < 0.2
    head = rng.choice(HEADS)

    def loss(xs, ys):
        states = cells(xs)
        if both:
            states = [added(h, g) for h, g in zip(states, backward(xs[::-1])[::-1])]
        if two:
            states = second(states)
        return head(states, ys, V, c, A, v)

    xs = np.round([[rng.gauss(0, 1) for _ in range(size)] for _ in range(steps)], 1)
    return loss, (xs, np.round([rng.uniform(0.2, 1) for _ in range(steps)], 1))


def surprise(states, ys, V, c, A, v):
    logits = [added(times(V, h), c) for h in states]
    return sum(logsumexp(z) - z[0] for z in logits) / len(states)


def running(states, ys, V, c, A, v):
    total = 0
    for h, y in zip(states, ys):
        z = times(V, h)
        total = total + logsumexp(z) - y * z[-1]
    return total


def squares(states, ys, V, c, A, v):
    return sum((z - y) ** 2 for h, y in zip(states, ys) for z in added(times(V, h), c))


def attention(states, ys, V, c, A, v):
    weights = softmax([dot(v, [z.tanh() for z in times(A, h)]) for h in states])
    context = [dot(weights, column) for column in zip(*states)]
    return sum(z.tanh() for z in times(V, context))


def decoder(states, ys, V, c, A, v):
    """Look back at all states from each of its own, which begin with the last of them."""
    s, total = states[-1], 0
    for y in ys:
        weights = softmax([dot(s, h) for h in states])
        s = [z.tanh() for z in times(A, [dot(weights, column) for column in zip(*states)])]
        total = total + (dot(V[0], s) - y) ** 2
    return total


def every(states, ys, V, c, A, v):
    whole = [z for h in states for z in h]
    return dot(range(1, len(whole) + 1), whole).tanh()


def largest(states, ys, V, c, A, v):
    m = states[0]
    for h in states[1:]:
        m = [a.max(b) for a, b in zip(m, h)]
    return sum(times(V, m))


def pairs(states, ys, V, c, A, v):
    return sum(dot(h, times(A, g)) for h in states for g in states)


def mixed(states, ys, V, c, A, v):
    scores = [dot(v, h) for h in states]
    return sum(s.tanh() if t % 2 else (s - y) ** 2 for t, (s, y) in enumerate(zip(scores, ys)))


def weighed(states, ys, V, c, A, v):
    return sum(y * z for h, y in zip(states, ys) for z in h).tanh() + dot(v, states[0])


HEADS = (surprise, running, squares, attention, decoder, every, largest, pairs, mixed, weighed)


@pytest.mark.parametrize("seed", range(6))
def test_random_recurrent_networks(seed):
    for number in range(10 * seed, 10 * seed + 10):
        loss, sample = network(random.Random(number))
        assert failures_on_a_batch(loss, sample, number) == {}, number


@pytest.mark.parametrize("seed", range(60))
def test_what_waits_stands_over_its_operands(seed, monkeypatch):
    seen = []

    def watched(form, level, parameters):
        seen.append((form, level, together(form, level, parameters)))
        return seen[-1][-1]

    monkeypatch.setattr(passes, "together", watched)
    cache.forget()
    loss, sample = (wired if seed % 3 else network)(random.Random(seed))
    lower(loss, *(x.tolist() for x in sample))
    ((form, level, waiting),) = seen
    if waiting is None:
        return
    alone = np.flatnonzero(form.remaining & ~np.isin(np.arange(len(level)), form.sums))
    edges = [(alone, form.graph.x[alone]), (alone, form.graph.y[alone])]
    for user, operand in (*edges, (form.owner, form.a), (form.owner, form.b)):
        assert (waiting[user] > waiting[operand])[operand >= 0].all()
    assert (waiting >= level).all() and waiting[form.graph.root] == level[form.graph.root]


def language_model(steps, hidden, gated):
    rng = random.Random(0)
    cells = Cells(rng, 2, hidden)
    cells.kind, cells.biased = "gated" if gated else "tanh", True
    V, c = drawn(rng, 3, hidden), drawn(rng, 3)
    program = lower(lambda xs: surprise(cells(xs), (), V, c, (), ()), [[0.1, 0.2]] * steps)
    return program.explain("arrays").splitlines()


@pytest.mark.parametrize("gated", [False, True])
def test_a_step_more_is_a_step_of_the_cells_more(gated):
    """What follows on the states is as long for any number of steps."""
    three, four, five = (len(language_model(steps, 2, gated)) for steps in (3, 4, 5))
    assert five - four == four - three == (6 if gated else 2)


def test_many_steps_of_gates_are_no_irregular_graph():
    """Where the arrays are filled, as those of 40 steps of eight gates are."""
    assert 200 < len(language_model(40, 8, gated=True)) < 350


def test_states_of_one_height_stay_apart():
    """Those of two networks that are compared, as the windows of the lecture are."""
    rng = random.Random(0)
    cells, A, v = Cells(rng, 2, 2), drawn(rng, 2, 2), drawn(rng, 2)

    def score(x):
        h = cells(x)[-1]
        for _ in range(2):
            h = [z.tanh() for z in times(A, h)]
        return dot(v, h)

    pair = lower(lambda x, y: (score(y) - score(x)).relu(), [[0.1, 0.2]] * 3, [[0.3, 0.4]] * 3)
    assert "stack(" not in pair.source


def test_a_first_state_of_parameters_alone_lies_apart():
    """Those behind it depend on the samples."""
    cells, v = Cells(random.Random(0), 2, 2), drawn(random.Random(1), 2)
    cells.kind = "tanh"

    def loss(x):
        first = cells.first = [b.tanh() for b in cells.b]
        return sum(dot(v, h).tanh() for h in (first, *cells(x)))

    program = lower(loss, [[0.1, 0.2]] * 3)
    assert "hs = stack((h, h_2, h_3), -2)" in program.source
    assert failures_on_a_batch(loss, [np.ones((3, 2))], 0) == {}


def test_states_lie_side_by_side_once():
    """Where two sums have two of them each, all four times the same parameters."""
    rng = random.Random(0)
    cells, v = Cells(rng, 2, 2), drawn(rng, 2)

    def loss(x):
        first, second, third, fourth = (dot(v, h) for h in cells(x))
        return (first + second).tanh() + (third + fourth).tanh()

    forms = lower(loss, [[0.1, 0.2]] * 4).explain("arrays")
    assert forms.count(" at [0,") == 1


def wired(rng):
    """Return a random loss of vectors that are made of earlier ones, and a sample."""
    matrices = [drawn(rng, 2, 2) for _ in range(2)]
    plan = [(rng.randrange(4), rng.random(), rng.random(), rng.choice(matrices)) for _ in range(12)]

    def loss(x):
        made = [x]
        for kind, i, j, matrix in plan:
            a, b = made[int(i * len(made))], made[int(j * len(made))]
            if kind == 0:
                made.append([z.tanh() for z in times(matrix, a)])
            elif kind == 1:
                made.append(times(matrix, b))
            else:
                made.append([p * q if kind == 2 else p + q.tanh() for p, q in zip(a, b)])
        return sum(z for vector in made[-6:] for z in vector)

    return loss, (np.round([rng.gauss(0, 1), rng.gauss(0, 1)], 1),)


@pytest.mark.parametrize("kind", ["tanh", "relu", "joined"])
def test_a_first_state_of_0_is_one_of_zeros(kind):
    cells = Cells(random.Random(0), 2, 3)
    cells.kind, cells.first = kind, [0.0] * 3
    head = drawn(random.Random(1), 3)
    program = lower(lambda xs: dot(head, cells(xs)[-1]), [[0.1, 0.2]] * 2)
    assert "c = np.zeros(3, dtype=float)" in program.source
    assert "@ c" in program.source and "0 *" not in program.source


def test_a_first_state_of_0_times_inf_is_no_number():
    cells = Cells(random.Random(0), 2, 3)
    cells.kind, cells.first = "tanh", [0.0] * 3
    loss = lower(lambda xs: sum(cells(xs)[0]), [[0.1, 0.2]])
    loss.parameters["U"][0, 0] = np.inf
    assert np.isnan(loss([[[0.1, 0.2]]]))
