"""The passes of lowering, each on its own."""

import random

import numpy as np
import pytest

from micrograd.core.modes import scope
from micrograd.engine import Value, topological_order, weighted_sum
from micrograd.lowering import lower
from micrograd.lowering.arrays.axes import find_axes
from micrograd.lowering.arrays.ir import ALL, BATCH, COMPUTED, FIXED, Array, B, Index, Scale, Size
from micrograd.lowering.arrays.leaves import leaf_arrays
from micrograd.lowering.arrays.reads import brackets, coordinates, flat_places, read
from micrograd.lowering.code.construct import (
    binary,
    call,
    expression,
    indexed,
    negative,
    reshape,
    total,
    transpose,
)
from micrograd.lowering.code.contract import Indexed, contract
from micrograd.lowering.code.expr import Assign, num, ref
from micrograd.lowering.code.inline import Inliner
from micrograd.lowering.code.kinds import Printer, make
from micrograd.lowering.code.text import line
from micrograd.lowering.scalars.chains import chains
from micrograd.lowering.scalars.columns import NAMES, Steps, scalar_graph
from micrograd.lowering.scalars.heights import levels
from micrograd.lowering.trace.again import compare
from micrograd.lowering.trace.call import Call
from micrograd.lowering.trace.declared import INPUT
from micrograd.lowering.trace.lookups import Lookups
from micrograd.nn import Layer
from micrograd.ops import BY_NAME

A, X, V = ref("A", (3, 4)), ref("X", (B, 4)), ref("v", (4,))
shown = Printer({})


def form_of(root, known=()):
    graph = scalar_graph(topological_order(root))
    marked = np.array([v in known for v in graph.values])
    return chains(graph, marked, np.zeros_like(marked))


def terms(form, root):
    n = form.sums.tolist().index(form.graph.values.index(root))
    inside = slice(form.start[n], form.start[n + 1])
    name = {-1: None} | {i: v.label for i, v in enumerate(form.graph.values)}
    return [(name[a], name[b]) for a, b in zip(form.a[inside].tolist(), form.b[inside].tolist())]


# the graph


def test_a_graph_holds_operations_operands_and_constants():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    graph = scalar_graph(topological_order(x * y + x.leaky_relu(0.2)))
    assert [NAMES[code] for code in graph.op.tolist()] == ["", "", "mul", "leaky_relu", "add"]
    assert graph.x.tolist() == [-1, -1, 0, 0, 2] and graph.y.tolist() == [-1, -1, 1, -1, 3]
    assert graph.k[3] == 0.2 and np.isnan(graph.k[2])
    assert graph.uses().tolist() == [2, 1, 1, 1, 1]


def test_a_graph_wired_by_hand():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    z = x.tanh()
    late = Value(5.0, label="late")
    z._prev = (late,)
    graph = scalar_graph(topological_order(weighted_sum([y], [z], x)))
    labels = [v.label for v in graph.values]
    assert [labels[i] for i in (*graph.wide_w.tolist(), *graph.wide_bias.tolist())] == ["y", "x"]
    assert graph.x[graph.wide_x[0]] == labels.index("late")


STEPS = [
    lambda x, y, k: x * y,
    lambda x, y, k: x + 1.0,
    lambda x, y, k: x.tanh(),
    lambda x, y, k: x.leaky_relu(k),
    lambda x, y, k: weighted_sum([x, y], [y, x]),
    lambda x, y, k: weighted_sum([x], [x], y),
]


def made(seed, given, changed=None):
    """Return random operations, in order, on `given` and what they make; one of them `changed`."""
    rng, nodes = random.Random(seed), list(given)
    for i in range(60):
        x, y, k, step = (rng.randrange(n) for n in (len(nodes), len(nodes), 2, len(STEPS)))
        if i == changed:
            x, k, step = [(x - 1, k, step), (x, 1 - k, step), (x, k, step - 1)][i % 3]
        nodes.append(STEPS[step](nodes[x], nodes[y], 0.1 + k))
    return nodes[len(given) :]


@pytest.mark.parametrize("seed", range(40))
def test_the_graph_of_what_a_call_made_is_that_below_its_result(seed):
    nodes = made(seed, [Value(0.1 * i, label=f"x{i}") for i in range(4)])
    for root in random.Random(seed).sample(nodes, 3):
        graph, below = Steps(nodes, root).graph(), scalar_graph(topological_order(root))
        assert graph.values == below.values == topological_order(root)
        for name, column in vars(below).items():
            if isinstance(column, np.ndarray):
                np.testing.assert_array_equal(getattr(graph, name), column)


def test_what_was_wired_or_made_elsewhere_is_no_graph_of_a_call():
    x = Value(2.0)
    y, late = x.tanh(), x.exp()
    z = y * late
    assert Steps([y, z], z).graph() is None  # late is not told
    assert Steps([late, y, z], z).graph() is None  # nor told in order
    y._prev = (late,)
    assert Steps([y, late, z], z).graph() is None


def told(root):
    """Return a graph as text: every node once, numbered as it is met."""
    place, lines = {}, []

    def visit(node):
        if node not in place:
            for operand in node.parents:
                visit(operand)
            place[node] = len(place)
            number = node._k if node.parents and not isinstance(node._k, Value) else None
            own = number if node.parents else node.data
            lines.append(f"{node._op} {own} {[place[operand] for operand in node.parents]}")

    visit(root)
    return lines


@pytest.mark.parametrize("seed", range(40))
def test_calls_are_alike_where_each_made_the_same_of_the_same(seed):
    first, second = ([Value(0.1 * i) for i in range(4)] for _ in range(2))
    nodes = made(seed, first)
    for place in (None, *random.Random(seed).sample(range(60), 20)):
        for given in (second, first, second[:3] * 2, second[:1] + first[1:]):
            others = made(seed, given, place)
            calls = [Call(every[-1], [], Lookups([]), 0, every) for every in (nodes, others)]
            _, difference = compare(*calls)
            assert (difference is None) == (told(nodes[-1]) == told(others[-1]))


# chains


def test_a_chain_of_additions_is_one_sum_of_products():
    w, x = ([Value(1.0 + i, label=f"{c}{i}") for i in range(3)] for c in "wx")
    b = Value(0.5, label="b")
    root = sum((a * c for a, c in zip(w, x)), b)
    form = form_of(root)
    assert terms(form, root) == [("b", None), ("w0", "x0"), ("w1", "x1"), ("w2", "x2")]
    assert form.remaining.sum() == 8  # seven leaves and one sum


def test_the_zero_of_sum_is_dropped_but_a_zero_of_data_is_not():
    x = [Value(v, label=f"x{i}") for i, v in enumerate((0.0, 2.0))]
    root = sum(x)
    assert terms(form_of(root), root) == [("x0", None), ("x1", None)]
    root = Value(0.0, label="zero") + x[1]
    assert terms(form_of(root), root) == [("zero", None), ("x1", None)]


@pytest.mark.parametrize("stop", ["label", "use", "scope", "number"])
def test_a_chain_ends_where_a_person_would_name_it(stop):
    x = [Value(1.0, label=f"x{i}") for i in range(3)]
    with scope("inner"):
        inner = x[0] + x[1]
    if stop == "label":
        inner.label = "s"
    with scope("other" if stop == "scope" else "inner"):
        root = inner + (1.0 if stop == "number" else x[2])
        root = root * inner if stop == "use" else root
    assert len(form_of(root).sums) == 2


def test_products_of_two_that_lie_alike_are_summed_where_they_lie():
    x, y = (Indexed(ref(name, (B, 4)), (BATCH, 0)) for name in "xy")
    assert shown(contract([x, y], (0,), Scale()).expr) == "(x * y).sum(0)"


def test_a_sum_of_numbers_in_brackets_rounds_as_it_is_written():
    program = lower(lambda a, b, c: a + (b + c), 1.0, 2.0, 3.0)
    assert program([1.0], [1e16], [-1e16]) == 1.0


@pytest.mark.parametrize(
    "between",
    [
        "sums",
        "bias",
        "deeper",
        "twice",
        "label",
        "operation",
        "number",
        "plain",
        "weights",
        "scope",
    ],
)
def test_sums_of_sums_are_one_sum_unless_a_person_would_name_them(between):
    w, x = ([Value(1.0 + i, label=f"{c}{i}") for i in range(4)] for c in "wx")
    inner = [w[0] * x[0] + w[1] * x[1], w[2] * x[2] + w[3] * x[3]]
    if between == "label":
        inner[1].label = "s"
    if between == "weights":
        inner[1] = w[0] * x[2] + w[1] * x[3]
    if between == "twice":
        inner[1] = w[2] * x[2] + w[2] * x[3]
    if between == "scope":
        with scope("other"):
            inner[1] = w[2] * x[2] + w[3] * x[3]
    if between == "deeper":
        inner[1] = sum([inner[1], w[0] * x[1] + w[1] * x[0]])
    if between == "plain":
        inner[1] = sum([inner[1], x[0]])
    extra = {"bias": Value(1.0, label="b"), "operation": x[0].exp(), "number": 2.0}
    root = sum([*inner, *([extra[between]] if between in extra else [])])
    expected = {"sums": [4], "bias": [5], "deeper": [6], "operation": [2, 2, 3], "number": [2, 4]}
    expected |= {"plain": [2, 2, 3], "twice": [4]}
    lengths = np.diff(form_of(root).start).tolist()
    assert sorted(lengths) == expected.get(between, [2, 2, 2])


def test_weighted_sums_are_sums_too():
    x = [Value(1.0, label=f"x{i}") for i in range(3)]
    root = weighted_sum(x[:2], x[1:], x[0])
    assert terms(form_of(root), root) == [("x0", "x1"), ("x1", "x2"), ("x0", None)]


def test_levels_count_from_the_leaves():
    x, y = Value(1.0, label="x"), Value(2.0, label="y")
    form = form_of((x * y + x).tanh() * y)
    height = levels(form)
    assert [height[i] for i in np.flatnonzero(form.remaining)] == [0, 0, 1, 2, 3]


# leaves


def test_parameters_of_layers_are_named_and_shaped_by_scope():
    random.seed(0)
    with scope("layer 0"):
        layer = Layer(3, 2)
    form = form_of(sum(layer([1.0, 2.0, 3.0])), set(layer.parameters()))
    trainable = np.array([v in set(layer.parameters()) for v in form.graph.values])
    arrays = {a.stem: a.shape for a in leaf_arrays(form, [], trainable) if a.kind == "parameter"}
    assert arrays == {"W1": (2, 3), "b1": (2,)}


def test_unnamed_data_is_shaped_by_what_uses_it():
    W = [[Value(1.0, label=f"w{j}") for j in range(3)] for _ in range(2)]
    x = [[Value(0.1) for _ in range(3)] for _ in range(5)]
    root = sum(sum(a * b for a, b in zip(row, s)).tanh() for s in x for row in W)
    program = lower(root)
    assert program.constants["x"].shape == (5, 3)


# axes


def test_columns_that_fill_a_grid_are_the_axes():
    i, j = np.divmod(np.arange(6), 3)
    axes = find_axes([10 * j, i, 5 - i], 6)
    assert axes.shape == (2, 3)
    assert axes.place.tolist() == [0, 1, 2, 3, 4, 5]


def test_equal_members_are_merged_and_holes_make_a_list():
    assert find_axes([np.array([1, 0, 1])], 3).place.tolist() == [1, 0, 1]
    assert find_axes([np.array([1, 0, 1])], 3, [np.arange(3)]).shape == (3,)
    ragged = find_axes([np.array([0, 1, 1]), np.array([0, 0, 1])], 3)
    assert ragged.shape == (3,)


@pytest.mark.parametrize("ends", [(), (1,), (2, 1)])
def test_coordinates_of_many_places(ends):
    shape = (3, 91, 67)
    places = np.random.default_rng(1).integers(0, 3 * 91 * 67, (9001, *ends))
    found = coordinates(shape, places)
    assert [c.shape for c in found] == [places.shape] * 3
    np.testing.assert_array_equal((found[0] * 91 + found[1]) * 67 + found[2], places)


def test_arrays_are_read_by_rule_or_by_table():
    source = Array(INPUT, (4, 6), np.arange(24))
    i, j = np.indices((2, 3))
    rule = read(source, 6 + 2 * j, (0, 1))
    assert rule.index == (Index(FIXED, 1), Index(1, 0, 2)) and rule.vars == (1,)
    table = read(source, 6 * ((i * i + j) % 4) + j, (0, 1))
    assert table.table.shape == (2, 3) and table.vars == (0, 1)
    diagonal = read(source, 7 * np.arange(3), (0,))
    assert diagonal.table.tolist() == [0, 7, 14]
    whole = read(source, np.arange(24), (0,))
    assert whole.table is None and whole.split == (24,)
    halves = read(source, np.arange(24).reshape(4, 2, 3), (0, 1, 2))
    assert halves.split == (4, 2, 3) and halves.vars == (0, 1, 2)
    blocks = read(Array(INPUT, (24,), np.arange(24)), np.arange(12).reshape(2, 3, 2), (0, 1, 2))
    assert blocks.split == (4, 3, 2) and blocks.vars == (0, 1, 2)


@pytest.mark.parametrize(
    ("places", "rule"),
    [
        ([[0, 1, 2, 3], [8, 9, 10, 11]], [Index(0, 0, 2), Index(1)]),  # each second block of four
        ([[4, 5, 6, 7], [8, 9, 10, 11]], [Index(0, 1), Index(1)]),  # not the first
        ([[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]], [Index(1), Index(0)]),  # blocks inside
        ([[2, 3, 4, 5], [6, 7, 8, 9]], None),  # no block begins there
        ([[0, 1, 2], [4, 5, 6]], None),  # a part of each block
        ([[0, 1, 2, 3], [1, 2, 3, 4]], None),  # windows that overlap
        ([[3, 2, 1, 0], [7, 6, 5, 4]], None),
    ],
)
def test_axes_that_are_walked_in_blocks_are_divided(places, rule):
    found = read(Array(INPUT, (12,), np.arange(12)), np.array(places), (0, 1))
    assert found.split == (rule and (3, 4))
    assert list(found.index) == (rule or []) and (rule or found.table.tolist() == places)
    np.testing.assert_array_equal(
        flat_places(found, dict(enumerate(np.shape(places)))).transpose(np.argsort(found.vars)),
        places,
    )


def random_places(draw):
    """Return a shape, and places in it over a grid: all of axes, steps, blocks, tables."""
    sizes = [draw.choice((2, 2, 3)) for _ in range(draw.randint(1, 3))]
    blocks = [int(np.prod(sizes[n + 1 :])) for n in range(len(sizes))]
    shape, columns = [], []
    for _ in range(draw.randint(1, 4)):
        var, n = draw.randrange(len(sizes)), draw.choice((1, 2, 3, 5, 6, 8, 12))
        steps = [draw.choice((0, 0, 1, 2, 3)) for _ in blocks]
        if draw.random() < 0.5:
            steps = draw.choice((blocks, draw.sample(blocks, len(blocks)), [0] * len(blocks)))
        column = draw.choice((0, 0, 1, 4)) + np.tensordot(steps, np.indices(sizes), 1)
        if draw.random() < 0.3:
            column, n = np.indices(sizes)[var], sizes[var]
        columns.append((column if draw.random() < 0.9 else column[..., ::-1]) % n)
        shape.append(n)
    return tuple(shape), np.ravel_multi_index(columns, shape)


def test_a_rule_reads_the_places_that_it_was_found_for():
    draw, rules = random.Random(1), 0
    for _ in range(1200):
        shape, places = random_places(draw)
        found = read(Array(INPUT, shape, np.arange(np.prod(shape))), places, range(places.ndim))
        flat = flat_places(found, dict(enumerate(places.shape)))
        again = flat[tuple(np.indices(places.shape)[v] for v in found.vars)]
        np.testing.assert_array_equal(np.broadcast_to(again, places.shape), places, str(found))
        rules += found.table is None
    assert 300 < rules < 900


def test_what_stands_in_brackets_reads_the_places_of_a_table():
    draw, several = random.Random(2), 0
    i, j, k = np.indices((2, 3, 3))
    apart = (2, 5, 3, 5), np.ravel_multi_index((i, j * j, k, 4 - j * j), (2, 5, 3, 5))
    for shape, places in (apart, *(random_places(draw) for _ in range(1200))):
        operand = read(Array(INPUT, shape, np.arange(np.prod(shape))), places, range(places.ndim))
        if operand.table is None:
            continue
        divided, items, order = brackets(shape, operand.table, operand.variables)
        key = tuple(slice(None) if isinstance(item, tuple) else item for item in items)
        found = np.arange(np.prod(shape)).reshape(divided)[key]
        axes = [[*order].index(v) for v in operand.variables]
        np.testing.assert_array_equal(found.transpose(axes), operand.table, f"{shape} {items}")
        several += len(items) > 1
    assert several > 100


# expressions


@pytest.mark.parametrize(
    ("e", "text"),
    [
        (binary("*", num(1), A), "A"),
        (binary("+", A, num(0)), "A"),
        (binary("-", A, num(0)), "A"),
        (binary("*", num(-1), A), "-A"),
        (binary("*", num(2), binary("*", num(3), A)), "6 * A"),
        (binary("-", A, binary("-", A, A)), "A - (A - A)"),
        (binary("/", num(0), num(0)), "0 / 0"),
        (binary("*", binary("+", A, A), A), "(A + A) * A"),
        (binary("**", A, num(1)), "A"),
        (reshape(reshape(A, (12,)), (2, 6)), "A.reshape(2, 6)"),
        (reshape(reshape(A, (12,)), (3, 4)), "A"),
        (binary("**", binary("**", A, num(2)), num(-1)), "(A ** 2) ** -1"),
        (call("where", num(True), num(2), num(3)), "2"),
        (call("where", num(False), num(2), num(3)), "3"),
        (binary("*", A, call("where", binary(">", A, num(0)), num(1), num(0))), "(A > 0) * A"),
        (binary("*", A, call("where", binary(">", A, num(0)), num(0), num(1))), "~(A > 0) * A"),
        (indexed(A, (2, ALL)), "A[2]"),
        (indexed(A, (ALL, None, (0, 2, 1))), "A[:, None, :2]"),
        (make("matmul", (X, transpose(A, (1, 0)))), "X @ A.T"),
        (num(float("inf")), "inf"),
        (transpose(ref("T", (2, 3, 4)), (2, 0, 1)), "transpose(T, (2, 0, 1))"),
    ],
)
def test_expressions_are_simplified_and_shown(e, text):
    assert shown(e) == text


def random_expression(draw, depth):
    """Return an expression as it is simplified, and its value by NumPy alone."""
    if depth == 0 or draw.random() < 0.2:
        if draw.random() < 0.4:
            number = draw.choice([0, 1, -1, 2, -0.5, 3e15])
            return num(number), np.float64(number)
        return draw.choice([(A, NUMBERS["A"]), (ref("C", (3, 4)), NUMBERS["C"])])
    (a, x), (b, y) = (random_expression(draw, depth - 1) for _ in range(2))
    op = draw.choice([*"+-*/", "neg", "mask"])
    if op == "neg":
        return negative(a), -x
    if op == "mask":
        yes, no = draw.choice([(1, 0), (0, 1)])
        mask = call("where", binary(">", A, num(0)), num(yes), num(no))
        return binary("*", mask, b), np.where(NUMBERS["A"] > 0, yes, no) * y
    return binary(op, a, b), {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[op](
        x, y
    )


NUMBERS = dict(zip("AC", np.random.default_rng(3).normal(size=(2, 3, 4))))


def test_simplified_expressions_have_the_same_value():
    draw = random.Random(3)
    with np.errstate(all="ignore"):
        for _ in range(2000):
            e, value = random_expression(draw, 4)
            if np.isfinite(value).all() and "/ 0" not in shown(e):  # which has a sign
                found = eval(shown(e), {**vars(np), **NUMBERS})
                np.testing.assert_allclose(found, value, rtol=1e-9, atol=1e-9, err_msg=shown(e))


@pytest.mark.parametrize(
    "number, text", [(3e14, "300000000000000"), (3e15, "3000000000000000.0"), (1e300, "1e+300")]
)
def test_long_whole_numbers_are_floats(number, text):
    assert shown(num(number)) == text


def test_a_line_shows_the_shape():
    text = line(Assign("z", make("matmul", (X, V))), shown)
    assert text.split("#") == [f"{'z = X @ v':<44}  ", " (B,)"]


def test_formulas_of_rows_become_expressions():
    names = {"x": V, "out": ref("h", (4,))}
    assert shown(expression("1 - out * out", None, names)) == "1 - h * h"
    assert shown(expression("k * x ** where(k == 0, 1, k - 1)", 3, names)) == "3 * v ** 2"
    assert shown(expression("sigmoid(x)", None, names)) == "sigmoid(v)"
    assert shown(expression(BY_NAME["softplus"].value, None, names)) == "softplus(v)"
    number = {"x": num(0.5)}
    assert shown(expression("sigmoid(x)", None, number)) == "1 / (1 + exp(-abs(0.5)))"


@pytest.mark.parametrize(
    ("keep", "text"),
    [
        (tuple("ij"), "A @ B.T"),
        (("i",), "A @ B.sum(0)"),
        ((), "(A.sum(0) * B.sum(0)).sum()"),
    ],
)
def test_contractions_are_matrix_products(keep, text):
    var = {"i": 0, "j": 1}
    kept = tuple(var[v] for v in keep)
    factors = [Indexed(A, (0, 2)), Indexed(ref("B", (5, 4)), (1, 2))]
    product = contract(factors, kept, Scale())
    assert shown(product.expr) == text and product.vars == kept


def test_contractions_over_several_axes():
    delta = Indexed(ref("d", (B, 3, 4)), (BATCH, 0, 1))
    x = Indexed(ref("x", (B, 3, 5)), (BATCH, 0, 2))
    assert shown(contract([delta, x], (1, 2), Scale()).expr) == (
        "d.reshape(-1, 4).T @ x.reshape(-1, 5)"
    )
    batched = contract([delta, x], (BATCH, 1, 2), Scale())
    assert shown(batched.expr) == "d.swapaxes(-1, -2) @ x"


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (Scale(), "X.sum(0)"),
        (Scale(2.0, -1), "2 * X.mean(0)"),
        (Scale(1.0, 1), "X.sum(0) * B"),
        (Scale(-1.0), "-X.sum(0)"),
    ],
)
def test_a_sum_over_the_samples_divided_by_their_number_is_a_mean(scale, text):
    assert shown(contract([Indexed(X, (BATCH, 0))], (0,), scale).expr) == text


def test_what_no_factor_depends_on_multiplies_the_scale():
    assert Scale(2.0).over(3) == Scale(6.0) and Scale(2.0, -1).over(B) == Scale(2.0)
    assert Scale(2.0).over(Size(3)) == Scale(6.0, 1)
    assert shown(contract([], (), Scale(18.0)).expr) == "18"
    assert str(Scale(2.0, -1)) == "2/B" and str(Size(3)) == "B * 3"


def computed(name="", shape=(4,)):
    return Array(COMPUTED, shape, np.zeros(0, np.int64), name=name)


def test_inlining_writes_single_uses_in_and_keeps_names():
    t1, z, loss = computed("t1"), computed("z"), computed("loss", ())
    show = Printer({t1: "t1", z: "z", loss: "loss"})
    lines = [
        Assign(t1, binary("-", V, num(1))),
        Assign(z, binary("*", ref(t1, (4,)), V)),
        Assign(loss, total(ref(z, (4,)), (0,))),
    ]
    inliner = Inliner(lambda array: array is not t1, show)
    result = [f"{show(a.array)} = {show(a.expr)}" for a in inliner.lines(lines)]
    assert result == ["z = (v - 1) * v", "loss = z.sum()"]
    assert inliner.into == {t1: z}


@pytest.mark.parametrize("user", ["matmul", "long", "twice"])
def test_what_would_hide_work_or_be_too_long_keeps_its_line(user):
    t, z = computed("t"), computed("z")
    inner = binary("*", V, V)
    if user == "long":
        for _ in range(8):
            inner = binary("+", inner, call("tanh", V))
    use = {
        "matmul": make("matmul", (A, ref(t, (4,)))),
        "long": binary("+", ref(t, (4,)), num(1)),
        "twice": binary("*", ref(t, (4,)), ref(t, (4,))),
    }[user]
    lines = [Assign(t, inner), Assign(z, use)]
    inliner = Inliner(lambda array: array is z, Printer({t: "t", z: "z"}))
    assert inliner.lines(lines) == lines and not inliner.into
