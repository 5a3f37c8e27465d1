"""Slips in networks and in back-propagation, on one small network: z = Wx + b, a = tanh(z), s = uᵀa."""

from __future__ import annotations

from typing import Any

import numpy as np

from micrograd import Value, dot, weighted_sum
from printed.form import Outcome, Slip, gradients, same

RNG = np.random.default_rng(13)
X, B, U = RNG.uniform(-1, 1, (3, 3))
W, V = RNG.uniform(-1, 1, (2, 3, 3))  # square: a wrong index still fits


def h(b: Any = B) -> Any:
    """Return a = tanh(Wx + b)."""
    return np.tanh(W @ X + b)


def delta() -> Any:
    """Return δ = u ∘ f′(z), the error at z."""
    return U * (1 - h() ** 2)


def by_bias(slopes: Any) -> Outcome:
    """Check ∂s/∂b."""
    return gradients(lambda *b: float(U @ h(np.array(b))), lambda *b: slopes(h(np.array(b))), B)


def by_weights(slopes: Any) -> Outcome:
    """Check ∂s/∂W, written as a function of row and column."""
    numbers = [slopes(i, j) for i in range(3) for j in range(3)]
    return gradients(
        lambda *w: float(U @ np.tanh(np.reshape(w, (3, 3)) @ X + B)), lambda *w: numbers, W.ravel()
    )


def by_lower_layer(indices: str) -> Outcome:
    """Check δ⁽ᵏ⁾ at z⁽ᵏ⁾ where a⁽ᵏ⁾ = tanh(z⁽ᵏ⁾) and s = uᵀ tanh(V a⁽ᵏ⁾)."""
    z = W @ X + B
    upper = U * (1 - np.tanh(V @ np.tanh(z)) ** 2)
    found = (1 - np.tanh(z) ** 2) * np.einsum(indices, upper, V)
    return gradients(lambda *z: float(U @ np.tanh(V @ np.tanh(z))), lambda *_: found, z)


def folded(left: list[float], right: list[float]) -> Outcome:
    """Compare the bias folded in with wᵀx + b."""
    try:
        got = dot([Value(x) for x in left], right).data
    except ValueError as error:
        return Outcome(False, f"ValueError: {error}")
    return same("wᵀx + b", got, weighted_sum([*map(Value, W[0])], [*X], Value(B[0])).data)


def layers(every: bool) -> Outcome:
    """Compare x with a⁽ᵏ⁾: of every layer k, or of the first."""
    a = [X, h(), np.array([U @ h()])]
    outcomes = [same(f"a⁽{'¹²³'[k]}⁾", a[k], X) for k in range(3 if every else 1)]
    return next((o for o in outcomes if not o.accepted), outcomes[0])


def activations(biases: Any) -> Outcome:
    """Compare a₁ … a_m with those of a layer with a bias for each unit."""
    units = [(dot([*map(Value, row)], [*X]) + b).tanh().data for row, b in zip(W, B)]
    return same("a", np.tanh(W @ X + biases), units)


SLIPS = (
    Slip(
        ("the gradient of the bias", "偏置的梯度"),
        "∂s/∂b = hᵀ ∘ f′(z)",
        "∂s/∂b = uᵀ ∘ f′(z)",
        lambda: by_bias(lambda h: h * (1 - h * h)),
        lambda: by_bias(lambda h: U * (1 - h * h)),
    ),
    Slip(
        ("the gradient of a weight", "权重的梯度"),
        "∂s/∂Wᵢⱼ = δⱼ aⱼ",
        "∂s/∂Wᵢⱼ = δᵢ aⱼ",
        lambda: by_weights(lambda i, j: delta()[j] * X[j]),
        lambda: by_weights(lambda i, j: delta()[i] * X[j]),
    ),
    Slip(
        ("the recursion of δ", "δ 的递推"),
        "δᵢ⁽ᵏ⁾ = f′(zⱼ⁽ᵏ⁾) Σᵢ δᵢ⁽ᵏ⁺¹⁾ Wᵢⱼ⁽ᵏ⁾",
        "δⱼ⁽ᵏ⁾ = f′(zⱼ⁽ᵏ⁾) Σᵢ δᵢ⁽ᵏ⁺¹⁾ Wᵢⱼ⁽ᵏ⁾",
        lambda: by_lower_layer("i,ij->i"),  # the index on the left is the one that is summed
        lambda: by_lower_layer("i,ij->j"),
    ),
    Slip(
        ("the bias folded in", "把偏置并入权重"),
        "[wᵀ x] · [x 1]",
        "[wᵀ b] · [x; 1]",
        lambda: folded([*W[0], *X], [*X, 1.0]),
        lambda: folded([*W[0], B[0]], [*X, 1.0]),
    ),
    Slip(
        ("∂f(z)/∂z in the derivation", "推导中的 ∂f(z)/∂z"),
        "Wᵢ⁽²⁾ f(zᵢ)/∂zᵢ ∂zᵢ/∂Wᵢⱼ",
        "Wᵢ⁽²⁾ ∂f(zᵢ)/∂zᵢ ∂zᵢ/∂Wᵢⱼ",
        lambda: by_weights(lambda i, j: U[i] * h()[i] * X[j]),
        lambda: by_weights(lambda i, j: U[i] * (1 - h()[i] ** 2) * X[j]),
    ),
    Slip(
        ("the input layer", "输入层"),
        "xᵢ⁽ᵏ⁾ = zᵢ⁽ᵏ⁾ = aᵢ⁽ᵏ⁾",
        "xⱼ = zⱼ⁽¹⁾ = aⱼ⁽¹⁾",
        lambda: layers(True),
        lambda: layers(False),
    ),
    Slip(
        ("the biases of a layer", "一层的偏置"),
        "a₁ = σ(w⁽¹⁾ᵀx + b), …, a_m = σ(w⁽ᵐ⁾ᵀx + b)",
        "aᵢ = σ(w⁽ⁱ⁾ᵀx + bᵢ)",
        lambda: activations(B[0]),
        lambda: activations(B),
    ),
)
