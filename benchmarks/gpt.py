"""The GPT of `demos/gpt.py` against PyTorch, JAX and the eager engine.

    python benchmarks/gpt.py [--batches 1 8 32] [--repeats N] [--small] [--without PEER ...]

The peers are the same model written by hand over arrays, with the fused softmax and log-softmax of
their libraries, in float64. The engine takes names as they are, of 6 letters or so, and filled up
to the 16 positions that arrays have, which is the same work. The contenders take turns in one
process and one thread; a figure is the median of CPU time. Before anything is timed, gradients are
compared with the program's.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lowering import NEEDS, available, check, shown, timed  # first: it pins the threads

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "demos")]

import microgpt  # noqa: E402
import numpy as np  # noqa: E402
import peers  # noqa: E402

from micrograd.lowering import lower  # noqa: E402
from micrograd.lowering.native.compiler import available as available_compiler  # noqa: E402

NAMES = ("ids", "targets", "weights", "past")
EAGER_STEPS = 20


def clock() -> float:
    """Return the CPU time of this process and its compilers."""
    return sum(os.times()[:4])


def loss(p: Any, ids: Any, targets: Any, weights: Any, past: Any, xp: Any) -> Any:
    """Return the mean loss of a batch over the arrays of `xp`, jax.numpy or torch."""
    softmax, log_softmax = fused(xp)
    batch, length = ids.shape
    x = normalised(p["wte"][ids] + p["wpe"][:length])
    z = normalised(x)
    q, k, v = (by_head(z @ p[f"layer0_attn_w{name}"].T, xp) for name in "qkv")
    attention = softmax(past[:, None] + q @ xp.swapaxes(k, -1, -2) / q.shape[-1] ** 0.5, -1)
    joined = xp.swapaxes(attention @ v, 1, 2).reshape(batch, length, -1)
    x = joined @ p["layer0_attn_wo"].T + x
    hidden = normalised(x) @ p["layer0_mlp_fc1"].T
    x = (hidden * (hidden > 0)) ** 2 @ p["layer0_mlp_fc2"].T + x
    logs = log_softmax(x @ p["lm_head"].T, -1)
    rows, columns = xp.arange(batch)[:, None], xp.arange(length)
    return -(logs[rows, columns, targets] * weights).sum() / batch


def fused(xp: Any) -> tuple[Any, Any]:
    if hasattr(xp, "softmax"):
        return xp.softmax, xp.log_softmax
    import jax

    return jax.nn.softmax, jax.nn.log_softmax


def normalised(x: Any) -> Any:
    return x * ((x * x).mean(-1)[..., None] + 1e-5) ** -0.5


def by_head(x: Any, xp: Any, heads: int = 4) -> Any:
    batch, length, _ = x.shape
    return xp.swapaxes(x.reshape(batch, length, heads, -1), 1, 2)


def contenders(programs: dict[str, Any], batch: Any, without: list[str]) -> Iterator[Any]:
    """Yield (contender, step, tolerance of its gradients)."""
    columns = list(batch.values())
    for name, program in programs.items():
        yield name, lambda program=program: dense(program.value_and_grad(*columns)), 1e-12
    arrays = {name: np.array(x) for name, x in programs["lowered"].parameters.items()}
    floats = {name: x for name, x in batch.items() if x.dtype == float}
    whole = {name: x for name, x in batch.items() if name not in floats}

    def of(p: Any, weights: Any, past: Any, xp: Any) -> Any:
        ids, targets = (xp.asarray(column) for column in whole.values())
        return loss(p, ids, targets, weights, past, xp)

    if available("JAX jit", without):
        yield "JAX jit", peers.jax_step(of, arrays, floats, False), 1e-9
    if available("PyTorch", without):
        yield "PyTorch", peers.torch_step(of, arrays, floats, False), 1e-9
    if available("torch.compile", without):
        yield "torch.compile", peers.torch_step(of, arrays, floats, False, compiled=True), 1e-9


def dense(done: Any) -> Any:
    value, gradients = done
    return value, {name: microgpt.dense(gradient) for name, gradient in gradients.items()}


def documents(count: int, block: int) -> dict[str, Any]:
    """Return a batch of names as arrays."""
    rows = [microgpt.document(name, block) for name in microgpt.NAMES[:count]]
    return {name: np.array(column) for name, column in zip(NAMES, zip(*rows))}


def training(steps: int) -> dict[str, Any]:
    """Time the way of the demo, batch 1: lowering, the steps, sampling; return the programs."""
    eager = dict[str, float]()
    for what, filled in {"names as they are": False, "16 positions, as the arrays": True}.items():
        start = clock()  # first: the collector looks through all that is alive, lowered graphs too
        microgpt.by_the_engine(microgpt.GPT(), steps, 42, EAGER_STEPS, filled)
        eager[what] = (clock() - start) / EAGER_STEPS * steps
    programs, seconds = {}, {}
    one = microgpt.document(microgpt.NAMES[0], 16)
    for name, backend in {"lowered": "numpy", "compiled": "c"}.items():
        if backend == "c" and not available_compiler():
            print("compiled: left out, there is no C compiler")
            continue
        model, start = microgpt.GPT(), clock()
        program = lower(model.loss, *one, parameters=model.matrices, backend=backend)
        program.value_and_grad(*([column] for column in one))
        between = clock()
        microgpt.trained(model, program, steps, 42)
        trained = clock()
        program.write_back()
        logits = lower(model.logits, one[0], one[3], parameters=model.matrices, backend=backend)
        microgpt.sampled(model, logits, 20, 42)
        parts = between - start, trained - between, clock() - trained
        programs[name], seconds[name] = program, (sum(parts[:2]), parts)
    for name, (whole, parts) in seconds.items():
        print(
            f"{name}: {whole:.2f} s for {steps} steps, lowering included "
            "(lowering {:.2f} s, steps {:.2f} s, sampling {:.2f} s)".format(*parts)
        )
    for what, taken in eager.items():
        less = (f"{taken / whole:.0f} times that {name}" for name, (whole, _) in seconds.items())
        print(f"eager, {what}: {taken:.0f} s, from {EAGER_STEPS} steps: {', '.join(less)}")
    return programs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 8, 32], metavar="N")
    parser.add_argument("--small", action="store_true", help="few steps, to try the script")
    parser.add_argument("--repeats", type=int, default=15, help="turns for every contender")
    parser.add_argument("--without", nargs="*", default=[], choices=list(NEEDS), metavar="PEER")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what compilers of other packages say about themselves
    programs = training(20 if options.small else 1000)
    for size in options.batches[:1] if options.small else options.batches:
        batch, steps = documents(size, 16), {}
        wanted = dense(programs["lowered"].value_and_grad(*batch.values()))[1]
        for name, step, tolerance in contenders(programs, batch, options.without):
            check(name, step, wanted, tolerance)
            steps[name] = step
        seconds = timed(steps, 1 if options.small else options.repeats)
        print(f"\nbatch {size:<12}{'per step':>10}   lowered takes")
        for name, taken in seconds.items():
            print(f"{name:18}{shown(taken):>10}   {seconds['lowered'] / taken:>12.3g}x")


if __name__ == "__main__":
    main()
