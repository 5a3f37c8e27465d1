"""Deep copies and pickles of graphs."""

import copy
import gc
import io
import pickle
import random

import pytest

from micrograd import Value, topological_order, weighted_sum
from micrograd.core import copying
from micrograd.nn import MLP
from micrograd.training import History, Interrupted, Recording

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


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickle.dumps])
def test_of_many_nodes_each_is_walked_to_once(duplicate, monkeypatch):
    """The states of a recurrent network, say; it took a second for 2,500 of them."""
    walked, states = 0, [Value(0.5)]
    for _ in range(300):
        states.append(states[-1].tanh())

    def order(*roots, **options):
        nonlocal walked
        found = topological_order(*roots, **options)
        walked += len(found)
        return found

    monkeypatch.setattr(copying, "topological_order", order)
    for listed in (states, states[::-1], states[::7], {"a": states[100], "b": states}):
        walked = 0
        duplicate(listed)
        assert walked <= len(states)


def test_many_nodes_come_back_with_what_they_share():
    rng, nodes = random.Random(3), [Value(i / 10) for i in range(5)]
    for _ in range(400):
        x, y = rng.sample(nodes[-30:], 2) if len(nodes) > 30 else rng.sample(nodes, 2)
        nodes.append(rng.choice([x + y, x * y, x.tanh(), weighted_sum([x, y], [y, x])]))
    for _ in range(20):
        chosen = rng.sample(nodes, 40)
        for twins in both(chosen):
            twin_of = dict(zip(chosen, twins, strict=True))
            for node in reversed(topological_order(*chosen)):
                twin = twin_of[node]
                assert twin is not node and twin.data == node.data and twin._op == node._op
                for parent, other in zip(node.parents, twin.parents, strict=True):
                    assert twin_of.setdefault(parent, other) is other
            assert len(topological_order(*twins)) == len(set(twin_of.values())) == len(twin_of)


def test_a_pickler_that_stays_disturbs_no_other():
    out, middle = Value(1.0), None
    for i in range(4000):
        out = out.tanh()
        middle = out if i == 2000 else middle
    file = io.BytesIO()
    pickler = pickle.Pickler(file)
    pickler.dump(middle)
    for _ in range(2):
        assert len(topological_order(pickle.loads(pickle.dumps(out)))) == 4001
        pickler.dump(out)
    reader = pickle.Unpickler(io.BytesIO(file.getvalue()))
    twins = [reader.load() for _ in range(3)]
    assert twins[1] is twins[2] and twins[0] in topological_order(twins[1])


def test_what_a_memo_has_is_shared():
    x = Value(2.0)
    end = (x * 3.0) * x
    twin = copy.deepcopy(end, {id(x): x})
    assert twin is not end and twin.parents[1] is x and twin.parents[0].parents[0] is x


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


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_assigned_backward_is_not_copied_since_it_would_serve_the_original(duplicate):
    x = Value(3.0)
    out = Value(9.0, (x,), "square")
    assert copy.deepcopy(out)._op == "square"
    out._backward = print  # a function that pickle could write
    for thing in (out, out * 2.0) if duplicate is not copy.copy else (out,):
        with pytest.raises(TypeError, match=r"square\(3.0\).*build the graph anew"):
            duplicate(thing)


def test_local_gradients_given_as_numbers_are_copied():
    x = Value(3.0)
    for twin in both(Value(9.0, (x,), (6.0,)) * 2.0):
        twin.backward()
        assert topological_order(twin)[0].grad == 12.0


def test_an_attribute_may_refer_to_a_newer_node():
    x = Value(2.0)
    middle = x * 3.0
    middle.user = end = middle * x * 2.0
    for twin in both(end):
        twin.backward()
        assert topological_order(twin)[0].grad == 24.0
    x.user = end
    for twin in both(x):
        twin.user.backward()
        assert twin.grad == 24.0


def test_attributes_with_graphs_of_their_own_are_pickled_without_recursion():
    out = Value(1.0)
    for i in range(3000):
        out = out + 1.0
        if i % 1000 == 0:
            out.note = Value(5.0) * 2.0
    twin = pickle.loads(pickle.dumps(out))
    assert len(topological_order(twin)) == 6001
    assert [n.note.data for n in topological_order(twin) if "note" in n.__dict__] == [10.0] * 3


def test_a_pickle_that_failed_does_not_disturb_the_next():
    x = out = Value(1.0)
    for _ in range(3000):
        out = out + 1.0
    out.note = lambda: None
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(out)
    del out.note
    x.note = lambda: None
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(out)
    del x.note
    assert len(topological_order(pickle.loads(pickle.dumps(out)))) == 6001


def test_copies_make_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        both(Value(1.0) * 2.0)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_an_interruption_and_a_recording_go_to_another_process(twin):
    interrupted = twin(Interrupted("stopped", History([{"epoch": 1, "loss": 2.0}])))
    assert str(interrupted) == "stopped" and interrupted.history["loss"] == [2.0]
    recording = Recording(MLP(1, [1]))
    recording.note(3.0)
    assert twin(recording).losses == [3.0]
