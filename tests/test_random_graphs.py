"""Random graphs: shared nodes, repeated operands, constants, fused sums, in any mixture."""

import copy
import pickle
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micrograd import Value, grad, topological_order, weighted_sum
from micrograd.gradcheck import gradcheck
from micrograd.ops import BY_NAME

# Operations with a value and a slope for every operand, so that any mixture has one.
UNARY = ("tanh", "sigmoid", "sin", "cos", "soft_sign", "softplus", "neg")
BINARY = ("add", "sub", "mul")


@st.composite
def graphs(draw, most=40, kinks=False):
    """Draw (leaves, root): every node takes any earlier ones, itself twice included."""
    number = st.floats(-2, 2).map(lambda x: round(x, 3))
    nodes = [Value(draw(number)) for _ in range(draw(st.integers(1, 5)))]
    leaves = list(nodes)
    names = UNARY + BINARY + ("constant", "sum") + (("relu", "max", "abs") if kinks else ())
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=most)):
        pick = st.integers(0, len(nodes) - 1).map(nodes.__getitem__)
        x = draw(pick)
        if name == "constant":
            node = x * draw(number)
        elif name == "sum":
            pairs = draw(st.lists(st.tuples(pick, pick), max_size=3))
            node = weighted_sum([p for p, _ in pairs], [q for _, q in pairs], x)
        elif name in (*BINARY, "max"):
            node = getattr(x, name)(draw(pick))
        else:
            node = getattr(x, name)()
        nodes.append(node.tanh() if abs(node.data) > 100 else node)
    return leaves, sum(nodes[-3:])


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_gradients_agree_with_complex_step(graph):
    leaves, root = graph
    report = gradcheck(root, leaves, method="complex", tolerance=1e-7)
    # where all that is added up cancels, rounding is all that is left: no verdict, never "differs"
    assert all(entry.agrees or entry.doubt for entry in report.entries), report


@settings(max_examples=100, deadline=None)
@given(graphs(kinks=True))
def test_backward_and_steps_do_the_same_contribution_by_contribution(graph):
    leaves, root = graph
    order = topological_order(root)
    root.backward()
    steps = list(root.steps())
    totals = {root: 1.0} | {step.operand: step.total for step in steps}
    for node in order:
        assert node.grad == totals[node]
    # The user nearest the root contributes first, and an edge contributes once.
    edges = [(node, position) for node in reversed(order) for position in range(len(node.parents))]
    assert [(step.node, step.position) for step in steps] == edges
    for step in steps:
        assert step.contribution == step.upstream * step.local
        assert step.local == step.node.local_gradients()[step.position]


@settings(max_examples=100, deadline=None)
@given(graphs(kinks=True))
def test_one_call_of_backward_of_a_node_is_its_steps(graph):
    _, root = graph
    for node in topological_order(root):
        for parent in node.parents:
            parent.grad = 0.0
        if node in node.parents:
            continue
        node.grad = 0.75
        node._backward()
        expected = {}
        for parent, local in zip(node.parents, node.local_gradients()):
            expected[parent] = expected.get(parent, 0.0) + 0.75 * local
        assert {parent: parent.grad for parent in node.parents} == expected


@settings(max_examples=60, deadline=None)
@given(graphs(kinks=True))
def test_a_replay_a_copy_and_a_pickle_are_the_same_graph(graph):
    leaves, root = graph
    value = root.data
    assert root.forward() == value
    gradients = grad(root, leaves)
    for twin_leaves, twin in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        assert twin.forward() == value
        assert grad(twin, twin_leaves) == gradients
        assert len(topological_order(twin)) == len(topological_order(root))
        assert twin not in topological_order(root)


@settings(max_examples=40, deadline=None)
@given(graphs(most=12))
def test_gradients_as_values_equal_the_floats(graph):
    leaves, root = graph
    for as_value, as_float in zip(grad(root, leaves, create_graph=True), grad(root, leaves)):
        assert as_value.data == pytest.approx(as_float, rel=1e-9, abs=1e-12)


def test_graphs_of_a_thousand_nodes_agree_with_complex_step():
    draw = random.Random(11)
    for _ in range(3):
        leaves = [Value(draw.uniform(-1, 1)) for _ in range(12)]
        nodes = list(leaves)
        while len(nodes) < 1000:
            x, y = draw.choice(nodes[-200:]), draw.choice(nodes)
            name = draw.choice(["tanh", "sin", "mul", "sub", "sigmoid"])
            nodes.append(getattr(x, name)(*[y][: BY_NAME[name].arity - 1]))
        report = gradcheck(sum(nodes[-40:]), leaves, method="complex", tolerance=1e-7)
        assert report, report
