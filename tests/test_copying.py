"""Deep copies and pickles of graphs."""

import copy
import gc
import pickle

import pytest

from micrograd import Value, topological_order, weighted_sum

DEEP = 30_000


def both(thing):
    return [copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))]


def test_a_deep_chain_is_copied_and_pickled_without_recursion():
    x = out = Value(1.5, label="x")
    for _ in range(DEEP):
        out = out + 1.0
    for twin in both(out):
        order = topological_order(twin)
        assert len(order) == 2 * DEEP + 1
        assert order[0].label == "x"
        twin.backward()
        assert order[0].grad == 1.0
    assert x.grad == 0.0


def test_what_two_results_share_their_copies_share():
    x = Value(2.0)
    middle = x * 3.0
    end = middle + x
    for twin_end, twin_middle, twin_x in both((end, middle, x)):
        assert twin_end.parents == (twin_middle, twin_x)
        twin_end.backward()
        assert twin_x.grad == 4.0


def test_two_pickles_in_a_row_do_not_disturb_each_other():
    x = Value(2.0)
    first, second = x * 3.0, x + 1.0
    pickle.dumps(first)
    twin = pickle.loads(pickle.dumps(second))
    assert [p.data for p in twin.parents] == [2.0, 1.0]


def test_everything_a_node_carries_is_copied():
    x = Value(2.0, label="x")
    x.scope, x.grad, x.m, x.note = "layer 0", 7.0, 0.5, [1]
    for twin in both(x):
        assert (twin.data, twin.grad, twin.label, twin.scope) == (2.0, 7.0, "x", "layer 0")
        assert (twin.m, twin.note) == (0.5, [1])
        assert twin.note is not x.note


def test_neurons_copied_keep_their_shared_tuples():
    w, x = (Value(1.0), Value(2.0)), (Value(3.0), Value(4.0))
    outs = [weighted_sum(w, x), weighted_sum(w, x)]
    for a, b in both(outs):
        assert a.parents == b.parents
        assert a.data == 11.0
        assert a.forward() == 11.0


def test_a_shallow_copy_shares_its_operands():
    x = Value(2.0)
    out = x * 3.0
    twin = copy.copy(out)
    assert twin is not out
    assert twin.parents == out.parents


def test_a_subclass_stays_itself():
    class Mine(Value):
        pass

    assert type(copy.deepcopy(Mine(1.0))) is Mine


def test_an_assigned_backward_survives_a_deep_copy_and_explains_itself_to_pickle():
    x = Value(3.0)
    out = Value(9.0, (x,), "square")
    out._backward = lambda: None
    assert copy.deepcopy(out)._op == "square"
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(out)


def test_copies_make_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        both(Value(1.0) * 2.0)
        assert gc.collect() == 0
    finally:
        gc.enable()
