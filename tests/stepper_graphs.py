"""Graphs that the stepper's tests walk through, and JavaScript run by node."""

import json
import random
import shutil
import subprocess
from importlib import resources

import pytest

from demos.worked_example import worked_example
from micrograd import Value, grad, scope, weighted_sum
from micrograd.ops import ROWS
from micrograd.stepper.plain import json_text

__all__ = ["batch", "every_row", "network", "node", "worked_example"]


def every_row():
    """Return a root that uses every row once, what slopes are made of, and a weighted sum."""
    random.seed(7)
    parts = []
    for row in ROWS:
        for k in row.constants or (None,):
            operands = [
                Value(random.uniform(*interval), label=f"{row.name}_{letter}")
                for interval, letter in zip(row.domain, "xy")
            ]
            parts.append(getattr(operands[0], row.name)(*operands[1:], *([k] if k else [])))
    for function in (Value.relu, lambda x: x.max(0.3)):  # with the slopes x > 0 and x >= 0.3
        x = Value(random.uniform(-1, 1), label=f"x{len(parts)}")
        parts += grad(function(x) * x, [x], create_graph=True)
    ws = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(len(parts))]
    root = weighted_sum(ws, parts, Value(0.5, label="bias"))
    root.label = "L"
    return root


def network(inputs, hidden, layers=2):
    """Return the sum of the outputs of a small net with scopes."""
    random.seed(1)
    values = [Value(random.uniform(-1, 1), label=f"x{i}") for i in range(inputs)]
    for layer in range(layers):
        with scope(f"layer {layer}"):
            values = [_neuron(values, j) for j in range(hidden)]
    root = sum(values[1:], values[0])
    root.label = "loss"
    return root


def _neuron(inputs, number):
    with scope(f"neuron {number}"):
        total = Value(0.1, label="b")
        for i, x in enumerate(inputs):
            total = total + Value(random.uniform(-1, 1), label=f"w{i}") * x
        return total.tanh()


def batch(samples=5):
    """Return a loss summed over samples through shared parameters."""
    with scope("neuron"):
        w, b = Value(0.7, label="w"), Value(-0.2, label="b")
    total = None
    for i in range(samples):
        x = Value(i / 3, label="x")
        with scope("neuron"):
            out = (w * x + b).tanh()
        total = out if total is None else total + out
    total.label = "J"
    return total


def node(script, *assets, data=None, head=""):
    """Run the page's scripts and then `script` in node; return what `answer(...)` was given."""
    program = shutil.which("node")
    if not program:
        pytest.skip("node is not installed")
    source = [
        resources.files("micrograd.stepper.browser").joinpath(name).read_text("utf-8")
        for name in assets
    ]
    given = f"const INPUT = {json_text(data)};\nconst answer = x => console.log(JSON.stringify(x));"
    text = "\n".join(["'use strict';", given, head, *source, script])
    run = subprocess.run(
        [program, "-"], input=text, capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
