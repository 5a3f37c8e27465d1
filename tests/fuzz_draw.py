"""Random losses over parts of inputs, for `lowering_fuzz.py`."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.fuzz_cases import Case, Term

UNARY = (
    *("(-{0})", "(1 - {0})", "({0} * 2)", "(0.5 * {0} + 1)", "({0} / 4)", "({0} + {0})"),
    *("{0}.tanh()", "{0}.relu()", "{0}.sigmoid()", "{0}.softplus()", "{0}.sin()", "abs({0})"),
    *("({0} ** 2)", "{0}.tanh().exp()", "(1.5 + {0}.tanh()).log()", "{0}.leaky_relu(0.1)"),
)
BINARY = (
    *("({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / (1 + {1} * {1}))"),
    *("{0}.max({1})", "{0}.min({1})"),
)
REDUCED = (
    *("sum({0})", "mean({0})", "reduce(Value.max, {0})", "reduce(Value.min, {0})"),
    *("logsumexp({0})", "l2({0}, 0.1)", "l1({0}, 0.1)", "dot({0}, {0})", "dot({0}, {0}[::-1])"),
    *("reduce(Value.__sub__, {0})", "reduce(lambda left, a: left - a * a, {0}, 0)"),
    "reduce(Value.max, {0}, Value(0.1))",
)
HEADS = ("MLP({0}, [1])", "MLP({0}, [2, 1], activation='tanh')", "Neuron({0})", "Layer({0}, 1)")
LAYERS = ("Layer({0}, {1}, activation='tanh')", "MLP({0}, [{1}])", "MLP({0}, [2, {1}])")


class Draw:
    """Draw a case; the same one for the same seed."""

    def __init__(self, seed: int) -> None:
        self.rng, self.seed = random.Random(seed), seed
        self.setup: dict[str, str] = {}
        self.shared: list[Term] = []
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.ids: dict[str, tuple[int, ...]] = {}
        self.rows = self.rng.randint(2, 5)  # of every table

    def case(self) -> Case:
        for name in self.rng.sample("xyv", self.rng.choice((1, 1, 2, 3))):
            rank = self.rng.choice((0, 1, 1, 2, 2, 2, 3))
            self.inputs[name] = tuple(self.rng.randint(1, 4) for _ in range(rank))
        for name in self.rng.sample("ij", self.rng.choice((0, 0, 1, 2))):
            self.ids[name] = self.rng.choice(((), (self.rng.randint(1, 3),)))
        depth, count = self.rng.choice((0, 1, 2, 2, 3, 3, 4)), self.rng.randint(1, 5)
        loss = self.scalar(depth)
        rng = np.random.default_rng(self.seed)
        inputs = {name: self.numbers(rng, shape, count) for name, shape in self.inputs.items()}
        for name, shape in self.ids.items():
            batch = rng.integers(0, self.rows, (count + 1, *shape)).tolist()
            inputs[name] = batch[0], batch[1:]
        reduction, given = self.rng.choice(("mean", "sum")), self.rng.random() < 0.1
        return Case(self.seed, self.setup, inputs, loss, reduction, given)

    def numbers(self, rng: Any, shape: tuple[int, ...], count: int) -> tuple[Any, list[Any]]:
        """Return a sample between -1 and 1, and a batch of other sizes."""
        sample = rng.uniform(-1, 1, shape).round(3).tolist()
        return sample, rng.normal(0, rng.choice((0.3, 1, 3)), (count, *shape)).round(3).tolist()

    def drawn(self, makers: list[Callable[[int], Term | None]], depth: int) -> Term:
        """Return what one of the makers gives, or a variable in place of it, or as one."""
        term = None
        while term is None:
            term = self.rng.choice(makers)(depth - 1)
        known = [other for other in self.shared if other.shape == term.shape]
        if known and self.rng.random() < 0.3:
            return self.rng.choice(known)
        if term.parts and self.rng.random() < 0.15:
            term = term._replace(shared=True)
            self.shared.append(term)
        return term

    def scalar(self, depth: int) -> Term:
        makers = [self.element, self.element, self.of_a_vector, self.head]
        if depth > 0:
            makers += [self.unary, self.binary, self.of_a_vector, self.head]
            makers += [self.loss, self.margin, self.penalty]
        return self.drawn(makers, depth)

    def vector(self, depth: int, size: int | None = None) -> Term:
        if size is not None:
            return self.drawn([lambda depth: self.of_size(size, depth)], depth)
        makers = [self.row, self.row, self.lookup, self.weights]
        if depth > 0:
            makers += [self.layer, self.part, self.mapped, self.zipped, self.over_rows, self.scores]
        return self.drawn(makers, depth)

    def matrix(self, depth: int) -> Term:
        return self.drawn([self.rows_of_input, self.rows_of_input, self.rows_computed], depth)

    # scalars

    def element(self, depth: int) -> Term | None:
        flat = [Term(name) for name, shape in self.inputs.items() if shape == ()]
        if flat and self.rng.random() < 0.5:
            return self.rng.choice(flat)
        v = self.vector(depth)
        return Term(f"{{0}}[{self.rng.randrange(v.shape[0])}]", (), (v,))

    def of_a_vector(self, depth: int) -> Term:
        v = self.vector(depth)
        if self.rng.random() < 0.4:
            return Term("dot({0}, {1})", (), (v, self.vector(depth, v.shape[0])))
        return Term(self.rng.choice(REDUCED), (), (v,))

    def head(self, depth: int) -> Term:
        v = self.vector(depth)
        return Term(f"{self.module(HEADS, v.shape[0])}({{0}})", (), (v,))

    def unary(self, depth: int) -> Term:
        return Term(self.rng.choice(UNARY), (), (self.scalar(depth),))

    def binary(self, depth: int) -> Term:
        return Term(self.rng.choice(BINARY), (), (self.scalar(depth), self.scalar(depth)))

    def loss(self, depth: int) -> Term | None:
        v = self.vector(depth)
        size, kind = v.shape[0], self.rng.randrange(5)
        k = self.rng.randrange(size)
        if kind == 0:
            return Term("max_margin({0}, {1})", (), (self.scalar(depth), v))
        if kind == 1:
            return Term("mse({0}, {1})", (), (v, self.vector(depth, size)))
        if kind == 2:
            return Term(f"multiclass_hinge({{0}}, {k})", (), (v,)) if size > 1 else None
        if kind == 3 and size == self.rows and (i := self.id()):
            return Term(f"cross_entropy({{0}}, one_hot({i}, {size}))", (), (v,))
        return Term(f"cross_entropy({{0}}, {k})", (), (v,))

    def margin(self, depth: int) -> Term:
        """Return the loss of a row's score beside those of the other rows."""
        X = self.matrix(depth)
        head = self.module(HEADS, X.shape[1])
        return Term(f"max_margin({head}({{0}}[0]), [{head}(row) for row in {{0}}[1:]])", (), (X,))

    def penalty(self, depth: int) -> Term:
        loss = self.scalar(depth)
        modules = [name for name in self.setup if name[0] == "m"] or [self.module(HEADS, 2)]
        text = self.rng.choice(("l2({})", "l1({}, 0.1)", "sum(p * p for p in {}.parameters())"))
        return Term(f"({{0}} + {text.format(self.rng.choice(modules))})", (), (loss,))

    # vectors

    def row(self, depth: int) -> Term | None:
        flat = [Term(name, shape) for name, shape in self.inputs.items() if len(shape) == 1]
        if flat and self.rng.random() < 0.5:
            return self.part(0, self.rng.choice(flat))
        X = self.matrix(0)
        rows, columns = X.shape
        if self.rng.random() < 0.3:
            return Term(f"[row[{self.rng.randrange(columns)}] for row in {{0}}]", (rows,), (X,))
        row = Term(f"{{0}}[{self.rng.randrange(rows)}]", (columns,), (X,))
        return self.part(0, row) if self.rng.random() < 0.3 else row

    def part(self, depth: int, v: Term | None = None) -> Term:
        """Return all or some of a vector: a slice, every other number, reversed."""
        v = v or self.vector(depth)
        size, first = v.shape[0], self.rng.randrange(v.shape[0])
        last = self.rng.randint(first + 1, size)
        key = self.rng.choice(("", "[::-1]", "[::2]", "[::-2]", f"[{first}:{last}]", f"[{first}:]"))
        left = len(eval(f"range({size}){key}"))
        return Term(f"{{0}}{key}", (left,), (v,))

    def id(self) -> str | None:
        """Return an id: an input, or one of an input of several."""
        if not self.ids:
            return None
        name, shape = self.rng.choice(list(self.ids.items()))
        return f"{name}[{self.rng.randrange(shape[0])}]" if shape else name

    def lookup(self, depth: int) -> Term | None:
        i = self.id()
        if i is None or self.rng.random() < 0.1:
            i = str(self.rng.randrange(self.rows))
        if self.rng.random() < 0.3:
            return Term(f"one_hot({i}, {self.rows})", (self.rows,))
        table, columns = self.table()
        return Term(f"{table}({i})", (columns,))

    def table(self) -> tuple[str, int]:
        name = self.rng.choice(("E", "F"))
        self.setup.setdefault(name, f"Embedding({self.rows}, {self.rng.randint(1, 4)})")
        return name, int(re.findall(r"\d+", self.setup[name])[1])

    def weights(self, depth: int, size: int = 0) -> Term:
        size = size or self.rng.randint(1, 4)
        if self.rng.random() < 0.2:
            return Term(self.values(size), (size,))
        label = self.rng.choice("abc") * (self.rng.random() < 0.3)
        return Term(self.named("w", self.values(size, label), reuse=False), (size,))

    def values(self, size: int, label: str = "") -> str:
        """Return the text of a list of Values."""
        labels = [f", label='{label}{n}'" if label else "" for n in range(size)]
        return f"[{', '.join(f'Value({self.number()}{label})' for label in labels)}]"

    def number(self) -> float:
        return round(self.rng.uniform(-1, 1), 2)

    def layer(self, depth: int, size: int = 0) -> Term:
        v, size = self.vector(depth), size or self.rng.randint(2, 4)
        return Term(f"{self.module(LAYERS, v.shape[0], size)}({{0}})", (size,), (v,))

    def mapped(self, depth: int) -> Term:
        v = self.vector(depth)
        if self.rng.random() < 0.2:
            return Term("softmax({0})", v.shape, (v,))
        return Term(f"[{self.rng.choice(UNARY).format('a')} for a in {{0}}]", v.shape, (v,))

    def zipped(self, depth: int) -> Term:
        v = self.vector(depth)
        each = self.rng.choice(BINARY).format("a", "b")
        return Term(
            f"[{each} for a, b in zip({{0}}, {{1}})]", v.shape, (v, self.vector(depth, v.shape[0]))
        )

    def over_rows(self, depth: int) -> Term:
        X = self.matrix(depth)
        rows, columns = X.shape
        kind = self.rng.randrange(4)
        if kind == 3:
            rows = self.rng.randint(1, 4)
            data = [[self.rng.choice((0, 1, 1, -0.5)) for _ in range(columns)] for _ in range(rows)]
            return Term(
                f"[dot(row, a) for row in {data} for a in {{0}}]", (rows * X.shape[0],), (X,)
            )
        if kind == 0:
            head = self.module(HEADS, columns)
            return Term(f"[{head}(row) for row in {{0}}]", (rows,), (X,))
        if kind == 1:
            return Term("[dot(row, {1}) for row in {0}]", (rows,), (X, self.vector(depth, columns)))
        return Term(f"[{self.rng.choice(REDUCED).format('row')} for row in {{0}}]", (rows,), (X,))

    def scores(self, depth: int) -> Term:
        """Return several scalars as a list, some by one head."""
        count = self.rng.randint(1, 3)
        parts = tuple(self.scalar(depth) for _ in range(count))
        return Term(f"[{', '.join(f'{{{n}}}' for n in range(count))}]", (count,), parts)

    def of_size(self, size: int, depth: int) -> Term:
        """Return a vector of a size: any that happens to have it, or weights, or a layer's."""
        for _ in range(4):
            v = self.vector(depth)
            if v.shape == (size,):
                return v
        return self.weights(0, size) if size < 2 or depth < 1 else self.layer(depth, size)

    # matrices

    def rows_of_input(self, depth: int) -> Term | None:
        known = [Term(name, shape) for name, shape in self.inputs.items() if len(shape) == 2]
        for name, shape in self.inputs.items():
            if len(shape) == 3:
                first, second = map(self.rng.randrange, shape[:2])
                known.append(Term(f"{name}[{first}]", shape[1:]))
                known.append(Term(f"[part[{second}] for part in {name}]", shape[::2]))
        for name, shape in self.ids.items():
            if shape:
                table, columns = self.table()
                known.append(Term(f"{table}({name})", (shape[0], columns)))
        if not known:
            return self.rows_computed(depth)
        X = self.rng.choice(known)
        form = self.rng.choice(("{0}", "{0}", "{0}[::-1]", "list(zip(*{0}))", "{0}[1:]"))
        shape = X.shape[::-1] if "zip" in form else X.shape
        shape = (shape[0] - 1, shape[1]) if "1:" in form else shape
        return Term(form, shape, (X,)) if shape[0] else None

    def rows_computed(self, depth: int) -> Term:
        rows, columns = self.rng.randint(1, 3), self.rng.randint(1, 4)
        kind = self.rng.randrange(5 if depth > 0 else 2)
        if kind == 4:
            return self.attended(self.matrix(depth - 1))
        if kind == 1:
            table, columns = self.table()
            return Term(f"{table}.rows", (self.rows, columns))
        if kind > 1:
            X = self.matrix(depth - 1)
            layer = self.module(LAYERS, X.shape[1], columns := max(columns, 2))
            return Term(f"[{layer}(row) for row in {{0}}]", (X.shape[0], columns), (X,))
        text = ", ".join(self.values(columns) for _ in range(rows))
        return Term(self.named("W", f"[{text}]", reuse=False), (rows, columns))

    def attended(self, X: Term) -> Term:
        """Return rows that attend to one another, in one head or several, in either order."""
        columns = X.shape[1]
        heads = self.rng.choice([n for n in range(1, columns + 1) if columns % n == 0])
        return Term(f"attend({{0}}, {heads}, {self.rng.random() < 0.5})", X.shape, (X,))

    # what stands before the function

    def module(self, texts: tuple[str, ...], *sizes: int) -> str:
        text = self.rng.choice(texts).format(*sizes)
        if self.rng.random() < 0.3:
            text = f"{text[:-1]}, fused=True)"
        return self.named("m", text, reuse=self.rng.random() < 0.7)

    def named(self, letter: str, text: str, reuse: bool) -> str:
        """Return the name of what a text makes; one that is there already where it may be."""
        for name, other in self.setup.items():
            if reuse and other == text:
                return name
        name = f"{letter}{sum(n[0] == letter for n in self.setup) + 1}"
        self.setup[name] = text
        return name
