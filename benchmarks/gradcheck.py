"""The gradient checker on random functions at scales 1e-8 to 1e8, beside PyTorch's.

    python benchmarks/gradcheck.py [--functions N] [--seed N] [--torch]

The truth is mpmath's derivative of the same function in 60 digits. Every function is checked with
its right slopes, which must not differ, and with wrong ones, which must not agree: a false alarm
is a right slope said to differ, a false certificate a wrong one said to agree.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import mpmath

from micrograd import Value, grad
from micrograd.gradcheck import Report, gradcheck
from micrograd.ops import DomainError

UNARY = ("tanh", "sigmoid", "sin", "cos", "exp", "log", "sqrt", "softplus", "relu", "abs")
BINARY = ("add", "sub", "mul", "div", "max")
WRONG = (0.0, -1.0, 0.5, 2.0, 100.0, 1.001, 0.9999, 1.00002)  # times the right slope
DIGITS = 60
Tree = Any  # an int (an operand), a float, or (operation, trees)


def tree(draw: random.Random, inputs: int, depth: int) -> Tree:
    """Return a random function of some inputs."""
    if depth == 0 or draw.random() < 0.1:
        return draw.randrange(inputs) if draw.random() < 0.8 else round(draw.uniform(-2, 2), 3)
    if draw.random() < 0.5:
        return draw.choice(UNARY), tree(draw, inputs, depth - 1)
    operands = [tree(draw, inputs, depth - 1) for _ in range(2)]
    return draw.choice(BINARY), *operands


def value(t: Tree, xs: list[Any], call: Callable[..., Any]) -> Any:
    """Return the value of a tree at `xs`, by `call(operation, *operands)`."""
    if isinstance(t, int):
        return xs[t]
    if isinstance(t, float):
        return t
    return call(t[0], *(value(operand, xs, call) for operand in t[1:]))


def by_engine(name: str, *operands: Any) -> Any:
    first, *rest = operands
    return getattr(first if isinstance(first, Value) else Value(first), name)(*rest)


def by_mpmath(name: str, *operands: Any) -> Any:
    rules = {
        "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
        "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
        "relu": lambda x: max(x, mpmath.mpf(0)),
        "abs": abs,
        "max": max,
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
    }
    return (rules.get(name) or getattr(mpmath, name))(*map(mpmath.mpf, operands))


def by_torch(name: str, *operands: Any) -> Any:
    import torch

    tensors = [torch.as_tensor(operand, dtype=torch.float64) for operand in operands]
    names = {"softplus": "nn.functional.softplus", "max": "maximum"}
    function: Any = torch
    for part in names.get(name, name).split("."):
        function = getattr(function, part)
    return function(*tensors)


class Case:
    """A random function: inputs of one scale, a result of another, perhaps beside a large term."""

    def __init__(self, draw: random.Random) -> None:
        self.inner, self.outer = 10.0 ** draw.uniform(-8, 8), 10.0 ** draw.uniform(-8, 8)
        self.beside = draw.choice((0.0, 0.0, 0.0, 10.0 ** draw.uniform(-8, 8)))
        inputs = draw.randrange(1, 4)
        self.tree = tree(draw, inputs, draw.randrange(1, 5))
        self.xs = [self.inner * draw.uniform(-3, 3) for _ in range(inputs)]

    def of(self, xs: list[Any], call: Callable[..., Any]) -> Any:
        scaled = [x / self.inner for x in xs]
        result = call("mul", value(self.tree, scaled, call), self.outer)
        return call("add", result, self.beside) if self.beside else result

    def slopes(self) -> list[float] | None:
        """Return the slopes as the engine has them; None where they are not the true ones.

        At a point without a value, at a corner, and where rounding within the function spoils the
        slope itself.
        """
        leaves = list(map(Value, self.xs))
        try:
            ours = grad(self.of(leaves, by_engine), leaves)
            truths = [self.truth(i) for i in range(len(leaves))]
        except (DomainError, ArithmeticError, ValueError, TypeError):
            return None
        close = [abs(a - t) <= 1e-9 * abs(t) for a, t in zip(ours, truths)]
        return ours if all(close) else None

    def truth(self, i: int) -> Any:
        def along(x: Any) -> Any:
            xs = [mpmath.mpf(y) for y in self.xs]
            return self.of([*xs[:i], x, *xs[i + 1 :]], by_mpmath)

        x = mpmath.mpf(self.xs[i])
        return mpmath.diff(along, x, h=mpmath.mpf(10) ** -20 * self.inner)


def ours(case: Case, slopes: list[float]) -> str:
    """Return the verdict on a function whose backward step hands on `slopes`."""

    def function(*xs: Value) -> Value:
        return Value(case.of(list(xs), by_engine).data, xs, slopes)

    return verdict(gradcheck(function, case.xs))


def verdict(report: Report) -> str:
    if report:
        return "agrees"
    differs = any(not e.agrees and not e.doubt for e in report.entries)
    return "differs" if differs else "cannot tell"


def torchs(case: Case, slopes: list[float]) -> str:
    """Return what PyTorch's checker says of the same."""
    import torch

    class Claimed(torch.autograd.Function):
        @staticmethod
        def forward(_: Any, *xs: Any) -> Any:
            return case.of(list(xs), by_torch).reshape(())

        @staticmethod
        def backward(_: Any, upstream: Any) -> Any:
            return tuple(upstream * slope for slope in slopes)

    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in case.xs]
    agrees = torch.autograd.gradcheck(Claimed.apply, xs, raise_exception=False)
    return "agrees" if agrees else "differs"


def run(functions: int, seed: int, checkers: dict[str, Callable[..., str]]) -> dict[str, Counter]:
    """Return how often each checker said what, of right and of wrong slopes."""
    draw = random.Random(seed)
    said: dict[str, Counter] = {
        f"{name}, {kind}": Counter() for name in checkers for kind in ("right", "wrong")
    }
    checked = 0
    while checked < functions:
        case = Case(draw)
        slopes = case.slopes()
        if slopes is None:
            continue
        checked += 1
        i, factor = draw.randrange(len(slopes)), draw.choice(WRONG)
        wrong = [s * factor if j == i else s for j, s in enumerate(slopes)]
        wrong[i] = wrong[i] if slopes[i] else draw.choice((1e-12, 1.0)) * case.outer / case.inner
        for name, check in checkers.items():
            for kind, claimed in (("right", slopes), ("wrong", wrong)):
                answer = check(case, claimed)
                said[f"{name}, {kind}"][answer] += 1
                if (kind, answer) in (("right", "differs"), ("wrong", "agrees")) and check is ours:
                    print(f"{kind} slopes {claimed} {answer}: {case.__dict__}")
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--torch", action="store_true", help="ask PyTorch's checker too")
    options = parser.parse_args()
    mpmath.mp.dps = DIGITS
    checkers = {"micrograd": ours} | ({"torch": torchs} if options.torch else {})
    print(f"{'':>18}{'agrees':>12}{'differs':>12}{'cannot tell':>12}")
    for name, counts in run(options.functions, options.seed, checkers).items():
        row = "".join(f"{counts[answer]:12}" for answer in ("agrees", "differs", "cannot tell"))
        print(f"{name:>18}{row}")


if __name__ == "__main__":
    main()
