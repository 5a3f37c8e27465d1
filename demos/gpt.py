"""A GPT in scalars, after karpathy's microgpt, trained as arrays from the same loops (L6, L8, L10).

Each head computes softmax(past + q kᵀ / √n) v. The model is `microgpt.py`; what `lower` makes of it
takes 1,000 steps, the engine itself 5, and both have the same losses:

    python demos/gpt.py gpt.svg --steps 300

The 200 names, invented for this demo, are in `names.txt`; put others there, one a line, of letters
of any script. `gpt.html`, beside the figure, steps through a head.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
from microgpt import (
    GPT,
    LETTERS,
    NAMES,
    attention,
    by_the_engine,
    document,
    filling,
    head,
    last_layer,
    past,
    sampled,
    trained,
)
from stage import claim, run, say, t, table

from micrograd import Value, labelled
from micrograd.lowering.lower import BACKENDS, lower
from micrograd.printing import width
from micrograd.stepper import save_page

MOST = {"layers": 8, "block": 64, "steps": 100_000}  # the longest name takes a block of 12
OPTIONS = MOST | {"heads": (1, 2, 4, 8, 16), "backend": BACKENDS}
COUNT, EVEN = 20, np.log(len(LETTERS))
FIGURE = (
    "A GPT's loss, step by step, and whom the letters of a name attend to",
    "一个 GPT 逐步的损失，以及一个名字的各字母注意到谁",
)


class Measured(NamedTuple):
    """The model and its program, losses and seconds per step of both, what was sampled."""

    model: GPT
    program: Any
    losses: list[float]
    eager: list[float]
    seconds: float
    eager_seconds: float
    names: list[str]
    filling: float
    tables: int

    @property
    def ratio(self) -> float:
        """Return how many times faster a step of the program is."""
        return self.eager_seconds / self.seconds

    @property
    def apart(self) -> float:
        """Return the largest difference of the losses that both have."""
        return max(abs(a - b) for a, b in zip(self.eager, self.losses))

    @property
    def late(self) -> float:
        """Return the mean of the last fifth of the losses."""
        part = self.losses[-max(1, len(self.losses) // 5) :]
        return sum(part) / len(part)


def measure(
    layers: int = 1,
    heads: int = 4,
    block: int = 16,
    steps: int = 1000,
    backend: str = "numpy",
    seed: int = 42,
) -> Measured:
    """Lower the model, train it, sample from it; take the first steps by the engine too."""
    model, one = GPT(layers, heads, block, seed), document(NAMES[0], block)
    start = time.process_time()
    eager = by_the_engine(GPT(layers, heads, block, seed), steps, seed)
    between = time.process_time()
    program = lower(model.loss, *one, parameters=model.matrices, backend=backend)
    filled = filling(model, program)
    before = time.process_time()
    losses = trained(model, program, steps, seed)
    end = time.process_time()
    program.write_back()
    logits = lower(model.logits, one[0], one[3], parameters=model.matrices, backend=backend)
    names = sampled(model, logits, COUNT, seed)
    tables = sum(line.count("[:, i") for line in attention(program.source))
    seconds = (end - before) / steps, (between - start) / len(eager)
    return Measured(model, program, losses, eager, *seconds, names, filled, tables)


def show(r: Measured) -> None:
    """Print the attention of the program, losses and seconds of both ways, sampled names."""
    lines = [line for line in r.program.source.splitlines() if "  # (" in line]
    say(t("scalars", "标量"), len(r.program.graph), t("lines of arrays", "数组行"), len(lines))
    print(*(line.partition("  # ")[0].rstrip() for line in attention(r.program.source)), sep="\n")
    table(
        (t("step", "步"), t("engine", "引擎"), t("arrays", "数组")),
        *((n + 1, f"{a:.12f}", f"{b:.12f}") for n, (a, b) in enumerate(zip(r.eager, r.losses))),
    )
    times = f"{1000 * r.eager_seconds:.0f} / {1000 * r.seconds:.2f} = {r.ratio:.0f}"
    say(t("milliseconds per step, engine / arrays", "每步毫秒，引擎 / 数组"), times)
    for first in range(0, len(r.names), 4):
        print(*(name + " " * (16 - width(name)) for name in r.names[first : first + 4]))


@claim(
    "Every loss of the engine's is the program's, to 10⁻¹².",
    "引擎的每个损失都与程序的相同，误差在 10⁻¹² 以内。",
)
def the_losses_are_the_engines(r: Measured) -> bool:
    return r.apart < 1e-12


@claim(
    "What a name is filled up with changes loss and gradients by exactly {r.filling:g}.",
    "名字后面填充什么，对损失和梯度的影响恰好是 {r.filling:g}。",
)
def filling_has_no_effect(r: Measured) -> bool:
    return r.filling == 0


@claim(
    "The heads read by {r.tables} tables of places.",
    "各注意力头用到的位置表有 {r.tables} 个。",
)
def heads_need_no_table(r: Measured) -> bool:
    return r.tables == 0


@claim(
    "The mean loss of the last fifth, {r.late:.2f}, is below that of even chances, "
    f"log {len(LETTERS)} = {EVEN:.2f}.",
    f"最后五分之一步的平均损失为 {{r.late:.2f}}，低于均匀猜测的 log {len(LETTERS)} = {EVEN:.2f}。",
)
def it_learns(r: Measured) -> bool:
    return r.late < EVEN


def draw(r: Measured) -> Any:
    """Draw the losses, and the attention of the first head over a name."""
    from figures import BLUE, matrix, panels

    figure, (left, right) = panels(2)
    size = max(1, len(r.losses) // 50)
    means = np.convolve(r.losses, np.ones(size) / size, "valid")
    left.plot(np.arange(len(means)) + size, means, color=BLUE, linewidth=3)
    left.set_xlabel(t("step", "步"))
    left.set_title(t(f"loss, mean of {size} steps", f"损失，{size} 步的平均"))
    name = NAMES[0]
    letters = [*("." + name)[: r.model.block]]
    title = t("whom a letter attends to (row: who)", "每个字母注意到谁（行：谁）")
    matrix(right, last_layer(r.model, name)[0][0], title, 1)
    right.set_xticks(range(len(letters)), letters)
    right.set_yticks(range(len(letters)), letters)
    return figure


def page(r: Measured, path: str) -> None:
    """Write the page of the first number that the first head gives at a name's first letter."""
    letters = ("." + NAMES[0][0])[: r.model.block]  # a block of one has the beginning only
    _, qkv = last_layer(r.model, letters[1:])
    q, k, v = (
        labelled([[Value(x.data) for x in row] for row in rows], name)
        for name, rows in zip("qkv", qkv[0])
    )
    out = labelled(head(q, k, v, past(len(letters)))[1], "out")
    save_page(out[-1][0], path, {"en": "A head of attention", "zh": "一个注意力头"})


if __name__ == "__main__":
    run(__name__)
