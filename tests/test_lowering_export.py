"""Exported files: run alone, under NumPy, JAX and PyTorch, and sharded over devices."""

import os
import subprocess
import sys

import numpy as np
import pytest

from micrograd.functions import dot
from micrograd.lowering import lower
from micrograd.nn import Embedding
from tests.lowering_models import transformer, window_model
from tests.test_lowering_graphs import assert_same, random_graph
from tests.test_lowering_models import batches


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
def test_exported_programs_agree(target):
    pytest.importorskip(target)
    graphs = [(random_graph(seed, 30), None) for seed in (5, 9)]
    graphs.append(transformer(dims=4, positions=3))
    for root, parameters in graphs:
        program = lower(root, parameters=parameters)
        value, gradients = program.value_and_grad()
        scope: dict = {}
        exec(program.export(target), scope)
        leaves = [scope["LEAVES"][n] for n in (*program.parameters, *program.constants)]
        found, same = scope["value_and_grad"](*leaves)
        assert float(found) == pytest.approx(value, rel=1e-12)
        assert float(scope["forward"](*leaves)) == pytest.approx(value, rel=1e-12)
        assert_same({n: np.asarray(g) for n, g in same.items()}, gradients)


def test_an_exported_file_needs_nothing_of_ours(tmp_path):
    loss, parameters = window_model(inputs=3, hidden=2)
    path = tmp_path / "window.py"
    program = lower(loss, [0.1] * 3, [0.2] * 3, parameters=parameters)
    text = program.export("numpy", str(path))
    assert path.read_text() == text and "micrograd" not in text.partition("import")[2]
    x, x_c = batches((4, 3), (4, 3))
    code = (
        f"import sys, numpy as np; sys.modules['micrograd'] = None; import window\n"
        f"print(repr(float(window.forward(np.array({x.tolist()}), np.array({x_c.tolist()}), "
        "**window.LEAVES))))"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True)
    assert float(done.stdout) == pytest.approx(program(x, x_c), rel=1e-12), done.stderr
    with pytest.raises(ValueError, match="numpy, jax, torch"):
        program.export("fortran")


SHARDED = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import window
mesh = Mesh(np.array(jax.devices()), ("batch",))
by_batch = NamedSharding(mesh, PartitionSpec("batch"))
x, x_c = (jax.device_put(x, by_batch) for x in np.load("batch.npy"))
value, gradients = jax.jit(window.value_and_grad)(x, x_c, **window.LEAVES)
assert len(x.sharding.device_set) == 4
np.savez("result.npz", value=value, **gradients)
"""


def test_an_exported_program_runs_sharded_over_devices(tmp_path):
    pytest.importorskip("jax")
    loss, parameters = window_model(inputs=3, hidden=2)
    program = lower(loss, [0.1] * 3, [0.2] * 3, parameters=parameters)
    program.export("jax", str(tmp_path / "window.py"))
    x, x_c = batches((8, 3), (8, 3))
    np.save(tmp_path / "batch.npy", [x, x_c])
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | flags,
    )
    assert done.returncode == 0, done.stderr
    result = dict(np.load(tmp_path / "result.npz"))
    value, gradients = program.value_and_grad(x, x_c)
    assert result.pop("value") == pytest.approx(value, rel=1e-12)
    assert_same(result, gradients)


def test_a_jax_module_looks_traced_ids_up_in_its_own_leaves():
    jax = pytest.importorskip("jax")
    E = Embedding(3, 2)
    program = lower(lambda i, x: dot(E(i), x), 1, [0.5, -1.0])
    module = {}
    exec(program.export("jax"), module)

    def one(i, x):
        return module["forward"](i[None], x[None], **module["LEAVES"])

    ids, x = np.array([2, 0, 1]), np.arange(6.0).reshape(3, 2)
    losses = jax.jit(jax.vmap(one))(ids, x)
    np.testing.assert_allclose(losses, (program.parameters["E"][ids] * x).sum(1))
