"""The demos of gradients and training (L1, L2, L6, L15, L17, L20, L22-L26) show what they say."""

import importlib
import inspect
import math
import sys
import xml.etree.ElementTree as ET
from importlib.util import find_spec

import numpy as np
import pytest

from micrograd import schedules
from micrograd.core.formulas import FLOATS
from micrograd.gradcheck import gradcheck
from micrograd.ops import BY_NAME
from tests.conftest import ROOT

DEMOS = ROOT / "demos"
SMALL = {
    "neuron": {},
    "backprop_program": {},
    "all_gradients": {"widths": (2, 4), "most": 10**4},
    "difference_errors": {"steps": [1e-2, 1e-3, 1e-5, 1e-12]},
    "activations": {},
    "initialisation": {"depth": 6, "width": 24, "samples": 4},
    "learning_rates": {"steps": 12},
    "optimisers": {"steps": 40},
    "vectorised": {"sizes": (6, 4, 3), "patience": 0.0},
    "gradient_norms": {"depth": 8, "width": 12},
    "dead_units": {"steps": 120},
}
TIMED = ("all_gradients", "vectorised")


@pytest.fixture
def demo(monkeypatch):
    """Return the function that imports a demo as `python demos/NAME.py` finds it."""
    monkeypatch.setattr(sys, "path", [str(DEMOS), *sys.path])
    return importlib.import_module


def ran(demo, name):
    return demo(name).main(**SMALL[name])


@pytest.mark.parametrize("name", [name for name in SMALL if name not in TIMED])
def test_prints_the_same_each_time(name, demo, capsys):
    ran(demo, name)
    first = capsys.readouterr().out
    ran(demo, name)
    assert capsys.readouterr().out == first
    assert max(map(len, first.splitlines())) <= 100  # what a projector shows


@pytest.mark.parametrize(
    "name", [name for name in SMALL if name not in ("neuron", "backprop_program")]
)
@pytest.mark.skipif(not find_spec("matplotlib"), reason="matplotlib is not installed")
def test_draws_a_figure(name, demo, tmp_path, capsys):
    path = tmp_path / "figure.svg"
    demo(name).main(path, **SMALL[name])
    assert capsys.readouterr().out.endswith(f"wrote {path}\n")
    assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_neuron_and_the_one_with_its_bias_folded_in_are_one(demo, tmp_path, capsys):
    a, same, s = demo("neuron").main(str(tmp_path / "p.svg"))
    w, b, x = (-0.7312715117751976, 0.6948674738744653), 0.25, (0.5, -1.0)
    assert a.data == pytest.approx(1 / (1 + math.exp(-(w[0] * x[0] + w[1] * x[1] + b))))
    forms = [line.split()[-4:] for line in capsys.readouterr().out.splitlines()[1:3]]
    assert forms[0] == forms[1]
    assert same.data == pytest.approx(a.data) and s.parents
    texts = [(tmp_path / f"p-{name}.svg").read_text("utf-8") for name in ("neuron", "folded")]
    assert "w1 · x1 + b · 1" in texts[1] and "w1 · x1 + b · 1" not in texts[0]
    assert "neuron 2" in (tmp_path / "p-layer.svg").read_text("utf-8")


def test_backward_costs_a_constant_times_forward_and_differences_one_pass_per_parameter(demo):
    module = demo("all_gradients")
    costs = [module.counted(width) for width in (2, 8, 32)]
    assert costs[-1].parameters > 50 * costs[0].parameters
    for c in costs:
        assert c.forward < c.backward <= 2 * c.forward
        assert c.differences == 2 * c.parameters * c.forward
    model, loss = module.network(3)
    root = loss()
    root.backward()
    gradients = [p.grad for p in model.parameters()]
    assert any(gradients)
    assert module.differences(loss, model.parameters()) == pytest.approx(gradients, abs=1e-8)


def test_only_small_graphs_wait_for_differences(demo, capsys):
    small, large = demo("all_gradients").main(widths=(2, 8), most=10**4)
    assert small.differences_time is not None and large.differences_time is None
    assert capsys.readouterr().out.splitlines()[3].split()[-1] == "-"


def test_the_central_error_falls_by_h_squared_until_rounding(demo):
    module = demo("difference_errors")
    error = module.error
    assert math.log10(error("central", 1e-2) / error("central", 1e-3)) == pytest.approx(2, abs=0.01)
    ratio = error("one-sided", 1e-2) / error("one-sided", 1e-3)
    assert math.log10(ratio) == pytest.approx(1, abs=0.02)
    assert error("central", 1e-12) > 1e3 * error("central", 1e-5)
    assert error("complex", 1e-20) < 1e-15


def test_every_activation_of_the_notes_is_drawn_from_its_row(demo):
    module = demo("activations")
    rows = module.activations()
    notes = {"sigmoid", "tanh", "hard_tanh", "soft_sign", "relu", "leaky_relu"}
    assert notes <= {row.name for row in rows}
    assert not {"exp", "sin", "abs", "neg", "sqrt"} & {row.name for row in rows}
    for row in rows:
        assert gradcheck(row)
        k = row.constants[-1] if row.constants else None
        ((value, slope),) = module.curve(row, [-0.3])
        assert value == FLOATS.value(row)(-0.3, None, k)
        numeric = (FLOATS.value(row)(-0.299, None, k) - FLOATS.value(row)(-0.301, None, k)) / 0.002
        assert slope == pytest.approx(numeric, rel=1e-5)


def test_a_row_that_could_be_an_activation_is_drawn_too(demo, monkeypatch):
    module = demo("activations")
    sin = BY_NAME["sin"]
    monkeypatch.setattr(module, "ROWS", (*module.ROWS, BY_NAME["tanh"], sin))
    assert len(module.activations()) == 8  # the second tanh, and no sine, which falls


def test_xavier_keeps_both_variances_and_the_others_do_not(demo):
    found = ran(demo, "initialisation")
    for rule in ("xavier_uniform", "xavier_normal"):
        for column in found[rule][:2]:
            assert 1 / 30 < column[-1] / column[0] < 30
        assert found[rule].saturated < 0.1
    small, large, zero = found["normal"], found[""], found["zero"]
    assert small.activations[-1] < 1e-8 * small.activations[0]
    assert small.gradients[0] < 1e-8 * small.gradients[-1]
    assert large.gradients[0] > 10 * large.gradients[-1] and large.saturated > 0.3
    assert not any(zero.activations) and not any(zero.gradients[:-1])


def test_every_schedule_is_drawn(demo):
    module = demo("learning_rates")
    functions = inspect.getmembers(schedules, inspect.isfunction)
    drawn = " ".join(module.SCHEDULES)
    assert all(name in drawn for name, f in functions if f.__module__ == schedules.__name__)
    rates = module.plateau()
    assert rates[:61] == [1.0] * 61 and rates[90] == 0.5


def test_descent_diverges_above_the_bound_that_the_hessian_gives(demo):
    module = demo("learning_rates")
    bound = module.fit(0.01, 0)[1]
    below, above = module.fit(0.97 * bound, 300)[0], module.fit(1.03 * bound, 300)[0]
    assert below[-1] < 0.1 * below[0]
    assert above[-1] > 10 * above[0]
    losses, again = ran(demo, "learning_rates")
    assert again == bound
    assert {rate for rate, column in losses.items() if column[-1] > column[0]} == {1.0, 10.0}


def test_all_optimisers_go_down_the_valley_and_sgd_is_the_last(demo):
    paths, rows = demo("optimisers").main(steps=80)
    last = {name: path[-1][2] for name, path in paths.items()}
    assert all(loss < 0.01 * paths[name][0][2] for name, loss in last.items())
    assert max(last, key=last.get) == "SGD"
    assert len(set(last.values())) == len(last)


def test_only_adam_moves_a_row_between_its_batches(demo):
    _, rows = ran(demo, "optimisers")
    for name, seen in rows.items():
        assert (seen[0] == seen[9]) == (name != "Adam")
        assert seen[10] != seen[9]


def test_gradients_vanish_and_explode(demo):
    norms = ran(demo, "gradient_norms")
    deep, recurrent = ({n: c[0] / c[-1] for n, c in columns.items()} for columns in norms.values())
    assert deep["sigmoid"] < 1e-3 and 0.05 < deep["tanh"] < 20 and deep["ReLU, W × 3"] > 50
    assert 0.05 < deep["ReLU, W × √2"] < 20
    assert recurrent["tanh, W × 0.5"] < 1e-3 and recurrent["linear, W × 1.5"] > 100


def test_dead_units_stay_dead_and_equal_units_stay_equal(demo):
    dead, equal = ran(demo, "dead_units")
    killed, leaky = dead["ReLU, first α = 3"], dead["leaky, first α = 3"]
    assert killed.dead[0] == 0 and killed.dead == sorted(killed.dead) and killed.dead[-1] == 8
    assert killed.loss[-1] == pytest.approx(1.0)
    assert not any(leaky.dead) and leaky.loss[-1] < 0.6
    assert not any(dead["ReLU"].dead) and dead["ReLU"].loss[-1] < 1e-3
    assert equal["Xavier"].different[-1] == 8 and equal["Xavier"].loss[-1] < 1e-3
    for start in ("all 0.5", "all 0"):
        assert set(equal[start].different) == {1} and equal[start].loss[-1] > 0.9


def test_all_ways_to_vectorise_give_the_same_numbers(demo):
    for ways in ran(demo, "vectorised").values():
        first, *others = (np.array(way()) for way in ways.values())
        assert first.any() and len(others) == 2
        for other in others:
            np.testing.assert_allclose(other, first, rtol=1e-12, atol=1e-15)


def test_the_lowered_program_is_the_notes_back_propagation(demo):
    program, apart = demo("backprop_program").main()
    lines = [line.split("  #")[0].strip() for line in program.source.splitlines()]
    assert "delta1 = delta2[:, None] * W2[0] * (1 - h1 * h1)" in lines
    assert "dW1 = delta1_c.T @ x_c + delta1.T @ x" in lines
    assert set(apart) == {"W1", "b1", "W2", "b2"} and max(apart.values()) < 1e-14
    batch = np.random.default_rng(1).uniform(-1, 1, (2, 5, 20))
    assert all(
        abs(g).max() > 0.01 for g in program.value_and_grad(*batch)[1].values() if g.size > 1
    )


def test_the_table_of_demos_has_every_row_and_every_demo():
    text = (DEMOS / "README.md").read_text("utf-8")
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| L")]
    assert rows == [f"| L{i}" for i in range(1, 27)]
    programs = {p.name for p in DEMOS.glob("*.py") if "__main__" in p.read_text("utf-8")}
    assert not {name for name in programs if f"]({name})" not in text}
