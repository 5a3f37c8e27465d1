import json
import math
import string
from collections import Counter

import pytest
from hypothesis import given, settings

from micrograd import Value, topological_order
from micrograd.graph import snapshot
from micrograd.stepper import trace
from micrograd.stepper.interface import INTERFACE, LINES, PLAYGROUND, PROGRAM, TERMINAL, TRAINING
from micrograd.stepper.plain import json_text
from micrograd.stepper.words import SENTENCES
from tests.stepper_graphs import batch, every_row, network, worked_example
from tests.test_random_graphs import graphs

ADDED = [
    PLAYGROUND,
    PROGRAM,
    TERMINAL,
    TRAINING,
]  # to those words, by parts of a page


def backward_steps(root, **options):
    return [step for step in trace(root, **options)["steps"] if step["kind"] == "backward"]


@pytest.mark.parametrize("make", [worked_example, every_row, batch, lambda: network(2, 3)])
def test_the_steps_are_what_backward_does(make):
    root = make()
    told, order = trace(root), topological_order(root)
    last = {step["operand"]: step["total"] for step in told["steps"] if step["kind"] == "backward"}
    assert all(value.grad == 0 for value in order)
    root.backward()
    assert {id: order[id].grad for id in last} == last
    assert set(last) == {i for i, value in enumerate(order) if value is not root}
    for step in told["steps"]:
        if step["kind"] == "backward":
            assert step["contribution"] == step["upstream"] * step["local"]
            assert step["upstream"] == order[step["node"]].grad


@settings(max_examples=60, deadline=None)
@given(graphs(kinks=True))
def test_a_node_hands_on_when_all_has_come_and_a_gradient_says_what_it_waits_for(graph):
    _, root = graph
    told = trace(root)
    backward = [step for step in told["steps"] if step["kind"] == "backward"]
    coming, come = Counter(step["operand"] for step in backward), Counter()
    gradients = {told["root"]: 1.0}
    for step in backward:
        node, operand = step["node"], step["operand"]
        assert come[node] == coming[node] and step["upstream"] == gradients[node]
        assert step["first"] == (not come[operand])
        come[operand] += 1
        assert step["left"] == coming[operand] - come[operand]
        gradients[operand] = gradients.get(operand, 0.0) + step["contribution"]
        assert step["total"] == gradients[operand]
        assert ("several times" in step["sentence"]) == (not step["left"] and come[operand] > 1)
        assert ("so far" in step["sentence"]) == (step["left"] > 0)


def test_the_worked_example_in_words():
    told = trace(worked_example())
    assert [step["kind"] for step in told["steps"]] == (
        ["inputs"] + 3 * ["forward"] + ["seed"] + 6 * ["backward"]
    )
    names = [node["name"] for node in told["nodes"]]
    walked = [
        (
            names[s["node"]],
            names[s["operand"]],
            s["upstream"],
            s["formula"],
            s["local"],
            s["contribution"],
            s["total"],
        )
        for s in told["steps"][5:]
    ]
    assert walked == [
        ("f", "a", 1, "b", 2, 2, 2),
        ("f", "b", 1, "a", 3, 3, 3),
        ("b", "y", 3, "1 if y ≥ z else 0", 1, 3, 3),
        ("b", "z", 3, "0 if y ≥ z else 1", 0, 0, 0),
        ("a", "x", 2, "1", 1, 2, 2),
        ("a", "y", 2, "1", 1, 2, 5),
    ]
    sentences = [step["sentence"] for step in told["steps"]]
    assert sentences[1] == "a is x + y; with its operands known, its value is 3."
    assert sentences[5] == "× switches: the gradient to a is upstream times the value of b, 2."
    assert sentences[7] == (
        "max picked y, so the whole upstream gradient is routed to y. "
        "The gradient of y so far is 3; one more contribution is to come."
    )
    assert [step["left"] for step in told["steps"][5:]] == [0, 0, 1, 0, 0, 0]
    assert sentences[8] == "max did not pick z, so none of the upstream gradient reaches it."
    assert sentences[9] == "+ distributes: x gets the whole upstream gradient."
    assert sentences[10].endswith("so the contributions sum: now 5.")
    assert told["steps"][2] | {"sentence": ""} == {
        "step": 3,
        "kind": "forward",
        "node": 4,
        "operands": [1, 2],
        "formula": "max(y, z)",
        "numbers": "max(2, 0)",
        "value": 2.0,
        "sentence": "",
    }


def test_the_same_operand_twice_is_two_steps():
    x = Value(3, label="x")
    first, second = backward_steps(x * x)
    assert (first["position"], second["position"]) == (0, 1)
    assert (first["total"], second["total"]) == (3, 6)
    assert first["first"] and not second["first"]
    assert second["sentence"].endswith("x is used several times, so the contributions sum: now 6.")


def test_a_zero_upstream_gradient_goes_on_as_zero():
    x, y = Value(-1, label="x"), Value(2, label="y")
    root = (x * y).relu()
    told = backward_steps(root)
    assert [(step["upstream"], step["contribution"]) for step in told] == [
        (1, 0),
        (0, 0),
        (0, -0.0),
    ]
    assert told[0]["reason"] == "scales.zero"


def test_reasons_by_role():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    assert [s["reason"] for s in backward_steps(x - y)] == ["distributes", "distributes.turned"]
    assert [s["reason"] for s in backward_steps(x.min(y))] == ["routes", "routes.zero"]
    assert [s["reason"] for s in backward_steps(x.tanh())] == ["scales"]
    assert [s["reason"] for s in backward_steps(y * Value(0.0))] == ["switches", "switches"]
    bias = backward_steps(every_row())[-1]
    assert bias["reason"] == "distributes" or bias["kind"] == "backward"


def test_a_weighted_sum_switches_and_its_bias_is_distributed():
    from micrograd import weighted_sum

    w, x, b = Value(2, label="w"), Value(5, label="x"), Value(1, label="b")
    steps = backward_steps(weighted_sum([w], [x], b))
    assert [(s["reason"], s["local"], s["formula"]) for s in steps] == [
        ("switches", 5, "x"),
        ("switches", 2, "w"),
        ("distributes", 1, "1"),
    ]
    for products in (1, 2, 3):
        steps = backward_steps(weighted_sum([w] * products, [x] * products))
        assert [s["reason"] for s in steps] == ["switches"] * 2 * products


def test_a_backward_function_of_the_users_own_is_stepped():
    x = Value(2.0, label="x")
    out = Value(8.0, (x,), "cube", label="out")

    def give():
        x.grad += 12 * out.grad

    out._backward = give
    (step,) = backward_steps(out)
    assert (step["contribution"], step["reason"], step["formula"]) == (12, "handmade", "")
    assert x.grad == 0


@pytest.mark.parametrize("given", [5.0, 0.0])
def test_no_local_gradient_is_read_off_an_upstream_gradient_of_0(given):
    x = Value(2.0, label="x")
    out = Value(8.0, (x,), "cube", label="out")

    def give():
        x.grad += given

    out._backward = give
    step = backward_steps(out * 0.0)[-1]
    assert (step["upstream"], step["contribution"], step["reason"]) == (
        0,
        given,
        "handmade.unknown",
    )
    assert math.isnan(step["local"])


def test_another_seed_scales_every_step():
    once, twice = backward_steps(worked_example()), backward_steps(worked_example(), seed=2.0)
    assert [2 * step["total"] for step in once] == [step["total"] for step in twice]


def test_it_is_strict_json_whatever_the_numbers():
    root = Value(float("inf"), label="</script>") * 0.0 + Value(-0.0) + 1e-300
    told = trace(root)
    text = json_text(told)
    assert "<" not in text and "NaN" in text
    again = json.loads(text, parse_constant=pytest.fail)
    assert float(again["nodes"][0]["value"]) == float("inf")
    assert json.loads(json_text(-0.0)) == 0 and json_text(-0.0) == "-0.0"
    assert json.loads(json_text({"a": [-float("inf"), "<&>\u2028"]})) == {
        "a": ["-Infinity", "<&>\u2028"]
    }


def test_one_root_is_needed():
    x = Value(1)
    with pytest.raises(ValueError, match="2 roots"):
        trace(snapshot(x + 1, x + 2))
    with pytest.raises(TypeError, match="cannot step through 3"):
        trace(3)
    assert trace(snapshot(x + 1))["root"] == 2


def test_a_seed_is_a_number_and_is_told():
    told = trace(worked_example(), seed=3)
    start = next(step for step in told["steps"] if step["kind"] == "seed")
    assert type(told["seed"]) is type(start["value"]) is float and start["value"] == 3
    assert "3" in start["sentence"] and told["seed"] == 3
    with pytest.raises(TypeError, match="'a'"):
        trace(worked_example(), seed="a")


def test_a_leaf_alone_is_its_inputs_and_the_seed():
    assert [step["kind"] for step in trace(Value(4))["steps"]] == ["inputs", "seed"]


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("words", [SENTENCES, INTERFACE, LINES, *ADDED])
def test_both_languages_say_the_same_things(words):
    assert words["en"].keys() == words["zh"].keys()
    for key in words["en"]:
        assert placeholders(words["en"][key]) == placeholders(words["zh"][key]), key


def test_no_part_of_a_page_says_a_word_of_the_interface_otherwise():
    keys = [key for words in (INTERFACE, *ADDED) for key in words["en"]]
    assert len(keys) == len(set(keys))


def test_chinese_sentences():
    told = trace(worked_example(), language="zh")["steps"]
    assert told[7]["sentence"] == (
        "max 选中了 y，上游梯度全部传给 y。y 的梯度目前是 3，还有一路未到。"
    )
