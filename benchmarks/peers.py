"""The dense workloads of `lowering.py` as people write them by hand, to be measured against.

Every function takes the parameters and the batch as arrays and returns a step: a function of no
arguments that gives the loss and the gradients by name.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Arrays = dict[str, Any]
Step = Callable[[], tuple[Any, dict[str, Any]]]


def numpy_moons(p: Arrays, x: Any, t: Any) -> Step:
    """NumPy as in the notes, every array made once."""
    B = len(x)
    W1, b1, W2, b2, W3, b3 = (p[name] for name in ("W1", "b1", "W2", "b2", "W3", "b3"))
    h = len(b1)
    h1, h2, delta1, delta2 = (np.empty((B, h)) for _ in range(4))
    s, m, ds, on = np.empty(B), np.empty(B), np.empty(B), np.empty(B, bool)
    on1, on2 = np.empty((B, h), bool), np.empty((B, h), bool)
    dW1, db1, dW2, db2, dW3, db3 = gradients = [np.empty_like(w) for w in (W1, b1, W2, b2, W3, b3)]
    decays = [(w, dw, np.empty_like(w)) for w, dw in zip((W1, b1, W2, b2, W3, b3), gradients)]
    flat = [w.reshape(-1) for w in (W1, b1, W2, b2, W3, b3)]
    ones, slope, w3, dw3, column = np.ones(B), -t / B, W3[0], dW3[0], ds[:, None]
    W1T, W2T, delta1T, delta2T = W1.T, W2.T, delta1.T, delta2.T
    named = dict(zip(("W1", "b1", "W2", "b2", "W3", "b3"), gradients))
    dot, add, multiply, maximum = np.dot, np.add, np.multiply, np.maximum

    def step() -> tuple[Any, dict[str, Any]]:
        dot(x, W1T, h1)
        add(h1, b1, h1)
        maximum(h1, 0.0, out=h1)
        dot(h1, W2T, h2)
        add(h2, b2, h2)
        maximum(h2, 0.0, out=h2)
        dot(h2, w3, s)
        add(s, b3, s)
        multiply(s, t, m)
        np.subtract(1.0, m, m)
        np.greater(m, 0.0, on)
        multiply(slope, on, ds)
        maximum(m, 0.0, out=m)
        loss = dot(m, ones) / B + 1e-4 * sum([dot(w, w) for w in flat])
        dot(ds, h2, dw3)
        db3[0] = dot(ds, ones)
        multiply(column, w3, delta2)
        np.greater(h2, 0.0, on2)
        multiply(delta2, on2, delta2)
        dot(delta2T, h1, dW2)
        dot(ones, delta2, db2)
        dot(delta2, W2, delta1)
        np.greater(h1, 0.0, on1)
        multiply(delta1, on1, delta1)
        dot(delta1T, x, dW1)
        dot(ones, delta1, db1)
        for w, dw, decay in decays:
            multiply(w, 2e-4, decay)
            add(dw, decay, dw)
        return loss, named

    return step


def packed_moons(p: Arrays, x: Any, t: Any) -> Step:
    """NumPy, every array made once, in a layout of the program's own.

    Activations carry a column of ones and weights their bias as the last column, so that one
    product gives z, and one gives the gradients of both; all parameters lie in one vector, so
    that the penalty is one product.
    """
    B, n, h = len(x), x.shape[1], len(p["b1"])
    shapes = [(h, n + 1), (h, h + 1), (1, h + 1)]
    vector, (V1, V2, V3) = laid_out(shapes)
    gradient, (dV1, dV2, dV3) = laid_out(shapes)
    for i, V in enumerate((V1, V2, V3), 1):
        V[:, :-1], V[:, -1] = p[f"W{i}"], p[f"b{i}"]
    x1, a1, a2 = (np.ones((B, width + 1)) for width in (n, h, h))
    x1[:, :-1] = x
    z1, z2, d1, d2 = (np.empty((B, h)) for _ in range(4))
    s, m, ds = (np.empty((B, 1)) for _ in range(3))
    on, on1, on2 = np.empty((B, 1), bool), np.empty((B, h), bool), np.empty((B, h), bool)
    h1, h2, t1, slope = a1[:, :-1], a2[:, :-1], t[:, None], -t[:, None] / B
    V1T, V2T, V3T, W2, W3 = V1.T, V2.T, V3.T, V2[:, :-1], V3[:, :-1]
    dsT, d1T, d2T, flat = ds.T, d1.T, d2.T, m[:, 0]
    penalty = np.empty_like(vector)
    mean = np.full(B, 1.0 / B)
    dot, maximum, multiply, subtract, greater = (
        np.dot,
        np.maximum,
        np.multiply,
        np.subtract,
        np.greater,
    )
    named = {f"W{i}": dV[:, :-1] for i, dV in enumerate((dV1, dV2, dV3), 1)}
    named |= {f"b{i}": dV[:, -1] for i, dV in enumerate((dV1, dV2, dV3), 1)}

    def step() -> tuple[Any, dict[str, Any]]:
        dot(x1, V1T, z1)
        maximum(z1, 0.0, out=h1)
        dot(a1, V2T, z2)
        maximum(z2, 0.0, out=h2)
        dot(a2, V3T, s)
        multiply(s, t1, m)
        subtract(1.0, m, m)
        greater(m, 0.0, on)
        multiply(slope, on, ds)
        maximum(m, 0.0, out=m)
        loss = dot(flat, mean) + 1e-4 * dot(vector, vector)
        dot(dsT, a2, dV3)
        dot(ds, W3, d2)
        greater(z2, 0.0, on2)
        multiply(d2, on2, d2)
        dot(d2T, a1, dV2)
        dot(d2, W2, d1)
        greater(z1, 0.0, on1)
        multiply(d1, on1, d1)
        dot(d1T, x1, dV1)
        multiply(vector, 2e-4, penalty)
        np.add(gradient, penalty, gradient)
        return loss, named

    return step


def laid_out(shapes: list[tuple[int, int]]) -> tuple[Any, list[Any]]:
    """Return one vector, and matrices of `shapes` that lie in it."""
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    vector = np.zeros(ends[-1])
    return vector, [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes)]


def numpy_window(p: Arrays, x: Any, x_c: Any) -> Step:
    """NumPy as in the notes, every array made once."""
    B, W, b, u = len(x), p["W1"], p["b1"], p["u"]
    h, h_c, delta, delta_c, slope = (np.empty((B, len(u))) for _ in range(5))
    s, s_c, m, ds, ds_c, on = (*(np.empty(B) for _ in range(5)), np.empty(B, bool))
    dW, db, du, dW_c, db_c, du_c = (np.empty_like(a) for a in (W, b, u, W, b, u))
    dx, dx_c, ones, WT, deltaT, delta_cT = (
        np.empty_like(x),
        np.empty_like(x),
        np.ones(B),
        W.T,
        delta.T,
        delta_c.T,
    )
    column, column_c = ds[:, None], ds_c[:, None]
    named = {"W1": dW, "b1": db, "u": du, "x": dx, "x_c": dx_c}
    dot, add, multiply, subtract = np.dot, np.add, np.multiply, np.subtract

    def step() -> tuple[Any, dict[str, Any]]:
        dot(x, WT, h)
        add(h, b, h)
        np.tanh(h, h)
        dot(x_c, WT, h_c)
        add(h_c, b, h_c)
        np.tanh(h_c, h_c)
        dot(h, u, s)
        dot(h_c, u, s_c)
        subtract(s_c, s, m)
        add(m, 1.0, m)
        np.greater(m, 0.0, on)
        multiply(on, 1.0 / B, ds_c)
        np.negative(ds_c, ds)
        np.maximum(m, 0.0, out=m)
        loss = dot(m, ones) / B
        multiply(h, h, slope)
        subtract(1.0, slope, slope)
        multiply(slope, u, slope)
        multiply(slope, column, delta)
        multiply(h_c, h_c, slope)
        subtract(1.0, slope, slope)
        multiply(slope, u, slope)
        multiply(slope, column_c, delta_c)
        dot(ds, h, du)
        add(du, dot(ds_c, h_c, du_c), du)
        dot(ones, delta, db)
        add(db, dot(ones, delta_c, db_c), db)
        dot(deltaT, x, dW)
        add(dW, dot(delta_cT, x_c, dW_c), dW)
        dot(delta, W, dx)
        dot(delta_c, W, dx_c)
        return loss, named

    return step


def packed_window(p: Arrays, x: Any, x_c: Any) -> Step:
    """NumPy, every array made once, in a layout of the program's own.

    The true and the corrupt windows lie in one array, so that one product serves both.
    """
    (B, n), k = x.shape, len(p["u"])
    W, b, u = p["W1"].copy(), p["b1"].copy(), p["u"].copy()
    both = np.concatenate([x, x_c])
    h, delta, slope, dx = (np.empty((2 * B, width)) for width in (k, k, k, n))
    s, ds, m, on = np.empty(2 * B), np.empty(2 * B), np.empty(B), np.empty(B, bool)
    dW, db, du, ones, mean = (
        np.empty((k, n)),
        np.empty(k),
        np.empty(k),
        np.ones(2 * B),
        np.full(B, 1.0 / B),
    )
    WT, deltaT, true, corrupt = W.T, delta.T, slice(None, B), slice(B, None)
    s_t, s_c, ds_t, ds_c = s[true], s[corrupt], ds[true], ds[corrupt]
    ds2, named = ds[:, None], {"W1": dW, "b1": db, "u": du, "x": dx[true], "x_c": dx[corrupt]}
    dot, multiply, subtract = np.dot, np.multiply, np.subtract

    def step() -> tuple[Any, dict[str, Any]]:
        dot(both, WT, h)
        np.add(h, b, h)
        np.tanh(h, h)
        dot(h, u, s)
        subtract(s_c, s_t, m)
        np.add(m, 1.0, m)
        np.greater(m, 0.0, on)
        multiply(on, 1.0 / B, ds_c)
        np.negative(ds_c, ds_t)
        np.maximum(m, 0.0, out=m)
        loss = dot(m, mean)
        dot(ds, h, du)
        multiply(h, h, slope)
        subtract(1.0, slope, slope)
        multiply(slope, u, slope)
        multiply(slope, ds2, delta)
        dot(ones, delta, db)
        dot(deltaT, both, dW)
        dot(delta, W, dx)
        return loss, named

    return step


def moons_loss(p: Arrays, x: Any, t: Any, xp: Any) -> Any:
    """Return the loss of moons over the arrays of `xp`, jax.numpy or torch."""
    h = xp.maximum(x @ p["W1"].T + p["b1"], xp.zeros_like(p["b1"]))
    h = xp.maximum(h @ p["W2"].T + p["b2"], xp.zeros_like(p["b2"]))
    s = (h @ p["W3"].T + p["b3"])[:, 0]
    m = 1 - t * s
    return xp.maximum(m, xp.zeros_like(m)).mean() + 1e-4 * sum((w * w).sum() for w in p.values())


def window_loss(p: Arrays, x: Any, x_c: Any, xp: Any) -> Any:
    """Return the loss of the window model over the arrays of `xp`."""

    def score(x: Any) -> Any:
        return xp.tanh(x @ p["W1"].T + p["b1"]) @ p["u"]

    m = 1 - score(x) + score(x_c)
    return xp.maximum(m, xp.zeros_like(m)).mean()


def jax_step(loss: Callable[..., Any], p: Arrays, batch: Arrays, wrt_inputs: bool) -> Step:
    """JAX: value_and_grad under jit."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    p = {name: jnp.asarray(array) for name, array in p.items()}
    inputs = [jnp.asarray(array) for array in batch.values()]
    which = tuple(range(1 + len(inputs))) if wrt_inputs else (0,)

    def of(p: Arrays, *inputs: Any) -> Any:
        return loss(p, *inputs, jnp)

    compiled = jax.jit(jax.value_and_grad(of, which))

    def step() -> tuple[Any, dict[str, Any]]:
        value, (gradients, *of_inputs) = jax.block_until_ready(compiled(p, *inputs))
        return value, gradients | dict(zip(batch, of_inputs))

    return step


def torch_step(
    loss: Callable[..., Any], p: Arrays, batch: Arrays, wrt_inputs: bool, compiled: bool = False
) -> Step:
    """PyTorch: autograd, op by op, or of the loss under torch.compile."""
    import torch

    torch.set_num_threads(1)
    p = {name: torch.tensor(x, requires_grad=True) for name, x in p.items()}
    batch = {name: torch.tensor(x, requires_grad=wrt_inputs) for name, x in batch.items()}
    of = torch.compile(loss) if compiled else loss
    wanted = p | batch if wrt_inputs else p
    tensors, inputs = list(wanted.values()), list(batch.values())

    def step() -> tuple[Any, dict[str, Any]]:
        value = of(p, *inputs, torch)
        return value.detach(), dict(zip(wanted, torch.autograd.grad(value, tensors)))

    return step


def c_step(
    compiler: Sequence[str], family: str, p: Arrays, batch: Arrays, wrt_inputs: bool
) -> Step:
    """`peers.c`, compiled with all that a compiler has, -ffast-math included."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(__file__).with_name("peers.c"), Path(folder, "peers.so")
        hidden, width = p["W1"].shape
        flags = ["-O3", "-march=native", "-ffast-math", "-fPIC", "-shared", "-w"]
        flags += [f"-DH={hidden}", f"-DN={hidden}", f"-DD={width}"]
        subprocess.run([*compiler, *flags, str(source), "-o", str(library), "-lm"], check=True)
        function = getattr(ctypes.CDLL(str(library)), family)
    function.restype = ctypes.c_double
    gradients = {name: np.empty_like(array) for name, array in p.items()}
    gradients |= {name: np.empty_like(array) for name, array in batch.items() if wrt_inputs}
    arrays = [*batch.values(), *p.values(), *gradients.values()]
    pointers = [ctypes.c_void_p(a.__array_interface__["data"][0]) for a in arrays]
    size = ctypes.c_long(len(arrays[0]))

    def step() -> tuple[Any, dict[str, Any]]:
        return function(size, *pointers), gradients

    return step
