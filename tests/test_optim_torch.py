"""Every optimiser against PyTorch's over 50 steps, on Values and on arrays."""

import random

import numpy as np
import pytest

from micrograd import losses
from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.optim import SGD, AdaGrad, Adam, AdamW, RMSProp, SparseAdam
from micrograd.optim.gradients import clip_norm, clip_value

torch = pytest.importorskip("torch")

CASES = {
    "sgd": (SGD, {}, "SGD", {}),
    "momentum": (SGD, {"momentum": 0.9}, "SGD", {"momentum": 0.9}),
    "nesterov": (
        SGD,
        {"momentum": 0.8, "nesterov": True},
        "SGD",
        {"momentum": 0.8, "nesterov": True},
    ),
    "decay": (
        SGD,
        {"momentum": 0.9, "weight_decay": 0.1},
        "SGD",
        {"momentum": 0.9, "weight_decay": 0.1},
    ),
    "adagrad": (AdaGrad, {"weight_decay": 0.05}, "Adagrad", {"weight_decay": 0.05}),
    "rmsprop": (
        RMSProp,
        {"decay": 0.9, "weight_decay": 0.05},
        "RMSprop",
        {"alpha": 0.9, "weight_decay": 0.05},
    ),
    "adam": (Adam, {"beta1": 0.8, "beta2": 0.99}, "Adam", {"betas": (0.8, 0.99)}),
    "adam decay": (Adam, {"weight_decay": 0.1}, "Adam", {"weight_decay": 0.1}),
    "adamw": (AdamW, {"weight_decay": 0.1}, "AdamW", {"weight_decay": 0.1}),
}
LR, STEPS, SIZE = 0.03, 50, 6


def start():
    return np.random.default_rng(5).normal(size=SIZE)


def bowl(x, t):
    """Return the gradient of a tilted bowl, with noise of the step t."""
    noise = np.random.default_rng(t).normal(size=SIZE)
    return np.arange(1, SIZE + 1) * x + np.sin(3 * x) + noise


def torch_trajectory(kind, options):
    x = torch.tensor(start(), requires_grad=True)
    optimizer = getattr(torch.optim, kind)([x], lr=LR, **options)
    for t in range(STEPS):
        x.grad = torch.tensor(bowl(x.detach().numpy(), t))
        optimizer.step()
        yield x.detach().numpy().copy()


@pytest.mark.parametrize("case", CASES)
def test_values_and_arrays_follow_torch(case):
    kind, options, torch_kind, torch_options = CASES[case]
    array, values = start(), [Value(x) for x in start()]
    on_array = kind([array], lr=LR, **options)
    on_values = kind(values, lr=LR, **options)
    for t, expected in enumerate(torch_trajectory(torch_kind, torch_options)):
        for value, gradient in zip(values, bowl(np.array([v.data for v in values]), t)):
            value.grad = float(gradient)
        on_values.step()
        on_array.step([bowl(array, t)])
        np.testing.assert_allclose(array, expected, rtol=1e-12)
        np.testing.assert_allclose([v.data for v in values], expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@pytest.mark.parametrize(
    "kind, torch_kind", [(SGD, "SGD"), (AdaGrad, "Adagrad"), (SparseAdam, "SparseAdam")]
)
def test_sparse_steps_follow_torch(kind, torch_kind):
    rng = np.random.default_rng(1)
    table = rng.normal(size=(9, 3))
    x = torch.tensor(table.copy(), requires_grad=True)
    theirs = getattr(torch.optim, torch_kind)([x], lr=LR)
    ours = kind({"E": table}, lr=LR)
    for _ in range(STEPS):
        indices, rows = rng.integers(0, 7, size=4), rng.normal(size=(4, 3))
        x.grad = torch.sparse_coo_tensor(
            torch.tensor(indices[None]), torch.tensor(rows), (9, 3), check_invariants=True
        )
        theirs.step()
        ours.step({"E": (indices, rows)})
        np.testing.assert_allclose(table, x.detach().numpy(), rtol=1e-12)


def test_clipping_follows_torch():
    rng = random.Random(2)
    gradients = [rng.uniform(-3, 3) for _ in range(20)]
    x = torch.zeros(20, dtype=torch.float64, requires_grad=True)
    x.grad = torch.tensor(gradients, dtype=torch.float64)
    torch.nn.utils.clip_grad_value_(x, 1.5)
    np.testing.assert_array_equal(clip_value(1.5)(gradients), x.grad.numpy())
    x.grad = torch.tensor(gradients, dtype=torch.float64)
    norm = float(torch.nn.utils.clip_grad_norm_(x, 2.0))
    # torch divides by norm + 1e-6, which leaves the norm a little below the limit
    expected = x.grad.numpy() * ((norm + 1e-6) / norm)
    np.testing.assert_allclose(clip_norm(2.0)(gradients), expected, rtol=1e-12)


ACTIVATIONS = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "silu": torch.nn.functional.silu,
    "relu": torch.relu,
}
LOSSES = {
    "mse": (losses.mse, torch.nn.functional.mse_loss),
    "cross_entropy": (losses.cross_entropy, torch.nn.functional.cross_entropy),
}


def batch(draw, loss, inputs, outputs):
    """Return random inputs, and numbers or classes as targets."""
    xs = [[draw.uniform(-2, 2) for _ in range(inputs)] for _ in range(3)]
    if loss == "cross_entropy":
        return xs, [draw.randrange(outputs) for _ in xs]
    return xs, [[draw.uniform(-1, 1) for _ in range(outputs)] for _ in xs]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("loss", LOSSES)
def test_whole_trainings_follow_torch(case, loss):
    """A network, its loss and penalty, two batches whose gradients are added, a step; again."""
    kind, options, torch_kind, torch_options = CASES[case]
    draw = random.Random(f"{case} {loss}")
    sizes = [draw.randint(1, 3), draw.randint(1, 4), draw.randint(2, 4), draw.randint(2, 3)]
    functions = [draw.choice(list(ACTIVATIONS)) for _ in sizes[2:]] + ["linear"]
    model = MLP(sizes[0], sizes[1:], activation=functions, fused=draw.random() < 0.5)
    rows = [[[w.data for w in neuron.w] for neuron in layer.neurons] for layer in model.layers]
    weights = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in rows]
    biases = [torch.zeros(len(w), dtype=torch.float64, requires_grad=True) for w in rows]

    def network(x):
        for w, b, name in zip(weights, biases, functions):
            x = ACTIVATIONS.get(name, lambda z: z)(x @ w.T + b)
        return x

    ours = kind(model.parameters(), lr=LR, **options)
    theirs = getattr(torch.optim, torch_kind)([*weights, *biases], lr=LR, **torch_options)
    own, other = LOSSES[loss]
    for _ in range(8):
        ours.zero_grad()
        theirs.zero_grad()
        for _ in range(2):
            xs, targets = batch(draw, loss, sizes[0], sizes[-1])
            total = sum(own(model(x), t) for x, t in zip(xs, targets)) / 3 + losses.l2(model, 0.1)
            total.backward()
            x = torch.tensor(xs, dtype=torch.float64)
            t = torch.tensor(targets, dtype=torch.float64 if loss == "mse" else torch.int64)
            expected = other(network(x), t) + 0.1 * sum((w**2).sum() for w in weights)
            expected.backward()
            assert total.data == pytest.approx(expected.item(), rel=1e-10)
        ours.step()
        theirs.step()
    for layer, w, b in zip(model.layers, weights, biases):
        ours_w = [[v.data for v in neuron.w] for neuron in layer.neurons]
        np.testing.assert_allclose(ours_w, w.detach().numpy(), rtol=1e-9, atol=1e-12)
        ours_b = [neuron.b.data for neuron in layer.neurons]
        np.testing.assert_allclose(ours_b, b.detach().numpy(), rtol=1e-9, atol=1e-12)
