"""Slips in activations and their derivatives."""

from __future__ import annotations

import math

from printed.form import Slip, slope


def sigma(z: float) -> float:
    """Return the sigmoid."""
    return 1 / (1 + math.exp(-z))


def falling(z: float) -> float:
    """Return the sigmoid with exp(z) in place of exp(−z)."""
    return 1 / (1 + math.exp(z))


def softsign(z: float) -> float:
    """Return z / (1 + |z|)."""
    return z / (1 + abs(z))


def relu(z: float) -> float:
    """Return max(0, z)."""
    return max(0.0, z)


def hardtanh(z: float) -> float:
    """Return z between −1 and 1, and the nearer of them elsewhere."""
    return max(-1.0, min(1.0, z))


def box(z: float) -> float:
    """Return 1 between −1 and 1, 0 elsewhere."""
    return float(abs(z) <= 1)


def printed_hardtanh(z: float) -> float:
    """Return what is printed: −1 for z < 1, which comes first; z; 1 for z > 1."""
    return -1.0 if z < 1 else z if z <= 1 else 1.0


SLIPS = (
    Slip(
        ("the derivative of the sigmoid", "sigmoid 的导数"),
        "σ′(z) = −exp(−z) / (1 + exp(−z))",
        "σ′(z) = exp(−z) / (1 + exp(−z))² = σ(z)(1 − σ(z))",
        lambda: slope(sigma, lambda z: -math.exp(-z) / (1 + math.exp(-z))),
        lambda: slope(sigma, lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    ),
    Slip(
        ("σ of a vector", "向量形式的 σ"),
        "σ(z) = [1 / (1 + exp(z₁)), …]",
        "σ(z) = [1 / (1 + exp(−z₁)), …]",
        lambda: slope(falling, lambda z: falling(z) * (1 - falling(z))),
        lambda: slope(sigma, lambda z: sigma(z) * (1 - sigma(z))),
    ),
    Slip(
        ("tanh by σ", "用 σ 表示 tanh"),
        "tanh(z) = 2σ(2z), with tanh′ = 1 − tanh²",
        "tanh(z) = 2σ(2z) − 1",
        lambda: slope(lambda z: 2 * sigma(2 * z), lambda z: 1 - (2 * sigma(2 * z)) ** 2),
        lambda: slope(lambda z: 2 * sigma(2 * z) - 1, lambda z: 1 - (2 * sigma(2 * z) - 1) ** 2),
    ),
    Slip(
        ("the derivative of tanh", "tanh 的导数"),
        "tanh′(z) = ((exp(z) − exp(−z)) / (exp(z) + exp(−z)))²",
        "tanh′(z) = 1 − tanh²(z)",
        lambda: slope(math.tanh, lambda z: math.tanh(z) ** 2),
        lambda: slope(math.tanh, lambda z: 1 - math.tanh(z) ** 2),
    ),
    Slip(
        ("the derivative of soft sign", "soft sign 的导数"),
        "softsign′(z) = sgn(z) / (1 + z)²",
        "softsign′(z) = 1 / (1 + |z|)²",
        lambda: slope(softsign, lambda z: math.copysign(1, z) / (1 + z) ** 2),
        lambda: slope(softsign, lambda z: 1 / (1 + abs(z)) ** 2),
    ),
    Slip(
        ("the derivative of ReLU", "ReLU 的导数"),
        "rect′(z) = 1 for z > 1",
        "rect′(z) = 1 for z > 0",
        lambda: slope(relu, lambda z: float(z > 1)),
        lambda: slope(relu, lambda z: float(z > 0)),
    ),
    Slip(
        ("hard tanh", "hard tanh 的定义"),
        "hardtanh(z) = −1 for z < 1",
        "hardtanh(z) = −1 for z < −1",
        lambda: slope(printed_hardtanh, box),
        lambda: slope(hardtanh, box),
    ),
    Slip(
        ("the heading of hard tanh′", "hard tanh′ 的标题"),
        "hardtanh(z) = 1 for −1 ≤ z ≤ 1, 0 otherwise",
        "hardtanh′(z) = 1 for −1 ≤ z ≤ 1, 0 otherwise",
        lambda: slope(box, box),
        lambda: slope(hardtanh, box),
    ),
)
