"""The workloads of the benchmarks, small: lowered, they give what `backward()` gives."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import workloads  # noqa: E402

from micrograd import topological_order  # noqa: E402
from micrograd.lowering import lower  # noqa: E402
from tests.lowering_models import forward, function  # noqa: E402

sys.path.remove(str(BENCHMARKS))

DENSE = ("moons", "window-small", "window-large")


def lowered(workload):
    """Return the program of a workload, and the loss and the gradients it gives."""
    if workload.function is None:
        program = lower(workload.record(), parameters=workload.parameters)
    else:
        program = lower(workload.function, *workload.samples[0], parameters=workload.parameters)
    return program, program.value_and_grad(*workload.batch, wrt_inputs=workload.wrt_inputs)


def assert_equal_gradients(found, wanted, tolerance=1e-12):
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        gradient = np.array(gradient)
        assert found[name].shape == gradient.shape, name
        error = np.abs(found[name] - gradient).max() / max(np.abs(gradient).max(), 1e-300)
        assert error <= tolerance, (name, error)


@pytest.mark.parametrize("name", workloads.SMALL)
def test_lowered_workload_equals_backward(name):
    workload = workloads.SMALL[name]()
    wanted, gradients = workload.gradients()
    _, (value, found) = lowered(workload)
    assert value == pytest.approx(wanted, rel=1e-12)
    assert_equal_gradients(found, gradients)


@pytest.mark.parametrize("name", DENSE)
def test_fused_neurons_lower_to_the_same_program(name):
    plain, _ = lowered(workloads.SMALL[name]())
    workload = workloads.SMALL[name](fused=True)
    fused, (_, found) = lowered(workload)
    assert fused.source == plain.source
    assert_equal_gradients(found, workload.gradients()[1])


@pytest.mark.parametrize("name", DENSE)
def test_recorded_batch_gives_the_gradients_of_its_samples(name):
    workload = workloads.SMALL[name]()
    wanted, gradients = workload.gradients()
    program = lower(workload.recorded(), parameters=workload.parameters)
    value, found = program.value_and_grad()
    assert value == pytest.approx(wanted, rel=1e-12)
    assert_equal_gradients(
        {name: found[name] for name in workload.parameters},
        {name: gradients[name] for name in workload.parameters},
    )


@pytest.mark.parametrize("target", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("name", ["moons", "window-small", "attention"])
def test_exported_file_equals_backward(name, target):
    library = pytest.importorskip(target)
    array = library.tensor if target == "torch" else np.array
    workload = workloads.SMALL[name]()
    program, _ = lowered(workload)
    module = {}
    exec(program.export(target), module)
    batch = [array(np.array(column)) for column in workload.batch]
    value, found = module["value_and_grad"](*batch, **module["LEAVES"])
    wanted, gradients = workload.gradients()
    assert float(value) == pytest.approx(wanted, rel=1e-12)
    assert_equal_gradients(
        {name: np.asarray(gradient) for name, gradient in found.items()},
        {name: gradients[name] for name in workload.parameters},
    )


def test_window_model_is_written_as_the_notes_write_it():
    program, _ = lowered(workloads.window(pairs=2))
    lines = code_lines(function(program))
    assert len(lines) <= 25, program.source
    assert not re.search(r"take|gather|\[\[|\[I|index", "\n".join(lines)), program.source
    assert any("x @ W1.T + b1" in line and "(B, 8)" in line for line in lines), program.source


def test_attention_groups_into_few_lines():
    program, _ = lowered(workloads.attention())
    lines = code_lines(forward(program))
    assert len(lines) <= 60, program.source


def code_lines(source):
    """Return the lines of a program without signatures, empty lines and docstrings."""
    others = ("def ", "#", '"""', "return")
    lines = [line for line in source.splitlines() if line.strip()]
    return [line for line in lines if not line.lstrip().startswith(others)]


@pytest.mark.parametrize(("name", "operations"), [("chain", 300), ("random", 400)])
def test_graphs_have_the_size_they_say_and_do_not_change(name, operations):
    first, second = (workloads.SMALL[name]().record() for _ in range(2))
    assert first.data == second.data
    assert sum(1 for node in topological_order(first) if node.parents) == operations
