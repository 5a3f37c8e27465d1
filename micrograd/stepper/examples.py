"""Expressions to begin with: the lectures' graphs, as the playground offers them."""

from __future__ import annotations

from typing import NamedTuple

_SHARES = "softmax + cross-entropy"


class Example(NamedTuple):
    """One expression, its name by language, and the point to start at."""

    name: dict[str, str]
    text: str
    at: dict[str, float]


EXAMPLES = (
    Example(
        {"en": "the worked example", "zh": "讲义例题"},
        "(x + y) * max(y, z)",
        {"x": 1, "y": 2, "z": 0},
    ),
    Example(
        {"en": "a neuron", "zh": "一个神经元"},
        "z = w1 * x1 + w2 * x2 + b; a = tanh(z)",
        {"w1": -3, "x1": 2, "w2": 1, "x2": 0, "b": 6.5},
    ),
    Example(
        {"en": "sigmoid by parts", "zh": "拆开的 sigmoid"},
        "z = w * x + b; 1 / (1 + exp(-z))",
        {"w": 2, "x": -1, "b": 3},
    ),
    Example(
        {"en": "hinge (max-margin)", "zh": "合页损失（最大间隔）"},
        "J = max(0, 1 - s + s_c)",
        {"s": 0.6, "s_c": 0.3},
    ),
    Example(
        {"en": _SHARES, "zh": "softmax 与交叉熵"},
        "e1 = exp(f1); e2 = exp(f2); e3 = exp(f3); p = e2 / (e1 + e2 + e3); J = -log(p)",
        {"f1": 0.5, "f2": 1.5, "f3": -1},
    ),
    Example(
        {"en": "a two-layer net", "zh": "两层网络"},
        "h1 = tanh(w11 * x1 + w12 * x2); h2 = tanh(w21 * x1 + w22 * x2); s = u1 * h1 + u2 * h2",
        {"w11": 0.5, "x1": 1, "w12": -0.3, "x2": 2, "w21": -0.8, "w22": 0.7, "u1": 1.2, "u2": -0.5},
    ),
    Example(
        {"en": "a gate with two users", "zh": "有两个使用者的门"},
        "a = x * y; a * a + exp(a)",
        {"x": 0.5, "y": 2},
    ),
)
