import pytest

from micrograd import Value, scope, weighted_sum
from micrograd.graph import HANDMADE, LEAF, snapshot


def example():
    x, y, z = Value(1.0, label="x"), Value(2.0, label="y"), Value(0.0, label="z")
    with scope("f"):
        out = (x + y) * y.max(z) ** 3
    return x, y, z, out


def test_a_snapshot_lists_nodes_in_topological_order_with_operands_by_id():
    x, y, z, out = example()
    graph = snapshot(out)
    assert graph.ops == (LEAF, LEAF, LEAF, "add", "max", "pow", "mul")
    assert graph.operands == ((), (), (), (0, 1), (1, 2), (4,), (3, 5))
    assert graph.roots == (6,)
    assert (graph.ids[z], graph.values[2]) == (2, z)
    assert graph.edges[0] == (0, 3, 0)
    assert len(graph) == 7


def test_a_node_tells_everything_about_itself():
    *_, out = example()
    out.backward()
    node = snapshot(out)[5]
    assert (node.op, node.symbol, node.k, node.data) == ("pow", "**3", 3, 8.0)
    assert (node.grad, node.scope, node.operands) == (3.0, "f", (4,))


def test_formulas_use_the_names_of_the_operands():
    *_, out = example()
    graph = snapshot(out * 0.5)
    formulas = [graph.formula(i) for i in range(len(graph)) if graph.ops[i]]
    assert formulas == ["x + y", "max(y, z)", "v4 ** 3", "v3 * v5", "v6 * 0.5"]


def test_a_label_that_is_a_letter_of_the_row_is_not_replaced_twice():
    y, x = Value(1.0, label="y"), Value(2.0, label="x")
    graph = snapshot(y / x)
    assert graph.formula(2) == "y / x"


def test_a_node_without_a_label_is_not_called_as_another_that_has_one():
    x = Value(2.0, label="v2")
    graph = snapshot((x * 3.0) ** 2)
    assert [graph.name(id) for id in range(4)] == ["v2", "3", "v2_", "v3"]


def test_several_roots_share_one_snapshot():
    x = Value(2.0)
    a, b = x * 3.0, x + 1.0
    graph = snapshot(a, b)
    assert [graph.values[i] for i in graph.roots] == [a, b]
    assert list(graph.values).count(x) == 1


@pytest.mark.parametrize(
    ("make", "op", "formula"),
    [
        (lambda x: weighted_sum([x, x], [x, x], x), "weighted_sum", "Σ(a, a, a, a, ...)"),
        (lambda x: Value(1.0, (x,), "mine"), HANDMADE, "mine(a)"),
    ],
)
def test_nodes_without_a_formula_of_letters_list_their_operands(make, op, formula):
    graph = snapshot(make(Value(1.0, label="a")))
    assert (graph.ops[1], graph.formula(1), graph.constants[1]) == (op, formula, None)


def test_labels_that_were_assigned_are_text_in_the_snapshot():
    x = Value(2.0)
    x.label = 3
    assert snapshot(x * 1.0).labels[:1] == ("3",)
    x.label = None
    assert snapshot(x * 1.0).labels[:1] == ("",)
    x.label = ["x"]
    with pytest.raises(TypeError, match="a label is text, not"):
        snapshot(x * 1.0)


@pytest.mark.parametrize("label", [" ", "\t\n", "\u3000"])
def test_a_label_of_blanks_is_none(label):
    graph = snapshot(Value(2.0, label=label) * 3)
    assert (graph.labels, graph.name(0)) == (("", "", ""), "2")
