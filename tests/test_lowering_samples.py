"""What is no sample, no batch and no parameter is refused in the project's words."""

from collections import OrderedDict, deque
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import Embedding
from tests.lowering_models import values

OWN_PART: list = [1.0]
OWN_PART.append(OWN_PART)
DEEP: list = [1.0]
for _ in range(40):
    DEEP = [DEEP]

# What is no sample of numbers, and what is said of it.
BAD = {
    "text": ("abc", r"'abc' \(str\); give a number"),
    "empty text": ("", r"'' \(str\)"),
    "bytes": (b"ab", r"\(bytes\)"),
    "bytearray": (bytearray(b"ab"), r"\(bytearray\)"),
    "None": (None, r"None \(NoneType\)"),
    "dict": ({"a": 1.0}, "arguments of their own"),
    "ordered dict": (OrderedDict(a=1.0), "arguments of their own"),
    "set": ({1.0, 2.0}, r"list\(\.\.\.\)"),
    "frozenset": (frozenset([1.0]), r"list\(\.\.\.\)"),
    "keys": ({1.0: 2}.keys(), r"list\(\.\.\.\)"),
    "generator": ((float(i) for i in range(2)), r"list\(\.\.\.\)"),
    "map": (map(float, [1, 2]), r"list\(\.\.\.\)"),
    "zip": (zip([1.0], [2.0]), r"list\(\.\.\.\)"),
    "iterator": (iter([1.0]), r"list\(\.\.\.\)"),
    "object": (SimpleNamespace(), "SimpleNamespace"),
    "function": (len, "built-in function"),
    "class": (int, "class 'int'"),
    "complex": (1 + 2j, "complex"),
    "decimal": (Decimal("1.5"), "Decimal"),
    "text inside": ([1.0, "b"], r"\[1\] is 'b' \(str\)"),
    "None inside": ([1.0, None], r"\[1\] is None"),
    "dict inside": ([[1.0], {"a": 2}], r"\[1\] is \{'a': 2\}"),
    "text in a row": ([[1.0, 2.0], [3.0, "x"]], r"\[1\]\[1\] is 'x'"),
    "rows of two lengths": ([[1.0, 2.0], [3.0]], "ragged"),
    "a number beside a row": ([[1.0], 2.0], "ragged"),
    "a row beside a number": ([1.0, [2.0]], "ragged"),
    "ragged far inside": ([[[1.0], [2.0]], [[3.0], [4.0, 5.0]]], "ragged"),
    "a row that is empty": ([[1.0], []], "empty"),
    "its own part": (OWN_PART, "deep, or its own part"),
    "too deep": (DEEP, "(deep, or its own part|has the shape)"),
    "array of text": (np.array(["a", "b"]), r"\[0\] is 'a'"),
    "array of objects": (np.array([object()]), "object"),
    "array of None": (np.array([1.0, None]), r"\[1\] is None"),
    "complex array": (np.array([1j]), "complex"),
    "array of dates": (np.array(["2020-01-01"], "datetime64[D]"), "date"),
    "record array": (np.array([(1, b"a")], dtype=[("a", int), ("b", "S1")]), r"\[0\]\[1\] is b'a'"),
    "masked array": (np.ma.array([1.0, 2.0], mask=[0, 1]), "masked"),
    "a number too large": ([10**400], "finite"),
}
NOT_FINITE = {"nan": float("nan"), "inf": [1.0, float("inf")], "nan array": np.array([[np.nan]])}
EMPTY = {"empty list": [], "empty tuple": (), "empty array": np.zeros(0), "no rows": [[], []]}
SAMPLES = [pytest.param(x, said, id=name) for name, (x, said) in BAD.items()]
SAMPLES += [pytest.param(x, "finite", id=name) for name, x in NOT_FINITE.items()]
SAMPLES += [pytest.param(x, "empty", id=name) for name, x in EMPTY.items()]


@pytest.mark.parametrize(("sample", "said"), SAMPLES)
def test_what_is_no_sample(sample, said):
    with pytest.raises((TypeError, ValueError), match=rf"x\b.*{said}"):
        lower(lambda x: Value(1.0), sample)


# These are read once: the sample's table has used them up.
FRESH = {
    "generator": lambda: (float(i) for i in range(2)),
    "map": lambda: map(float, [1, 2]),
    "zip": lambda: zip([1.0], [2.0]),
    "iterator": lambda: iter([1.0]),
}
BATCHES = [pytest.param(FRESH.get(n, lambda x=x: x)(), said, id=n) for n, (x, said) in BAD.items()]
BATCHES += [
    pytest.param([], "empty", id="no samples"),
    pytest.param(np.zeros((0, 2)), "empty", id="an array of no samples"),
    pytest.param([[Value(1.0), Value(2.0)]], "holds Values", id="Values"),
    pytest.param(Value(1.0), "holds Values", id="a Value"),
    pytest.param([[1.0, Value(2.0)]], "holds Values", id="a Value inside"),
    pytest.param([1.0, 2.0], r"one sample; .*give \[x\]", id="one sample"),
    pytest.param(1.0, r"has the shape \(1,\); it must be \(1, 2\)", id="a number"),
    pytest.param([[1.0, 2.0, 3.0]], r"\(1, 3\); it must be \(1, 2\)", id="too long"),
    pytest.param([[[1.0, 2.0]]], r"\(1, 1, 2\); it must be", id="too many axes"),
]


@pytest.mark.parametrize(("batch", "said"), BATCHES)
@pytest.mark.parametrize("call", ["__call__", "value_and_grad"])
def test_what_is_no_batch(batch, said, call):
    program = lower(lambda x: x[0] * x[1], [0.1, 0.2])
    if hasattr(batch, "__next__"):
        batch = iter([]) if call == "value_and_grad" else batch
    with pytest.raises((TypeError, ValueError), match=rf"x\b.*{said}"):
        getattr(program, call)(batch)


@pytest.mark.parametrize(
    "batch",
    [
        [[1, 2]],
        ((1, 2),),
        np.array([[1, 2]], np.int8),
        np.array([[1, 2]], np.float32),
        [np.array([1.0, 2.0])],
        [[True, 2]],
        deque([[1, 2]]),
        np.array([[1, 2]], object),
        np.asfortranarray(np.array([[1.0, 2.0]])),
        np.ma.array([[1.0, 2.0]]),
        [range(1, 3)],
    ],
)
def test_batches_of_any_numbers(batch):
    assert lower(lambda x: x[0] * x[1], [0.1, 0.2])(batch) == 2.0


@pytest.mark.parametrize(
    "sample",
    [
        [1, 2],
        (1.0, 2.0),
        range(1, 3),
        deque([1, 2]),
        np.array([1, 2]),
        [np.float32(1), True],
        [Value(1.0), 2],
        np.array([Value(1.0), Value(2.0)]),
    ],
)
def test_samples_of_any_numbers(sample):
    assert lower(lambda x: x[0] * x[1], sample)([[3.0, 4.0]]) == 12.0


@pytest.mark.parametrize(
    "ids",
    [
        ["a"],
        [None],
        [1.5],
        [float("nan")],
        [True],
        [],
        [[0, 1]],
        "ab",
        [Value(1.0)],
        {"a": 1},
        [10**30],
    ],
)
def test_what_are_no_ids(ids):
    table = Embedding(3, 2)
    with pytest.raises(
        (TypeError, ValueError), match="i\\b.*(id|number|empty|shape|Values|arguments)"
    ):
        lower(lambda i: sum(table(i)), 1)(ids)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ([1.0], "give a dict"),
        ("abc", "give a dict"),
        (3, "give a dict"),
        ({1: values([1.0])}, "cannot name"),
        ({"": values([1.0])}, "cannot name"),
        ({"+": values([1.0])}, "cannot name"),
        ({"w": [1.0]}, "something else than Values"),
        ({"w": "abc"}, "something else"),
        ({"w": None}, "something else"),
        ({"w": []}, "w is"),
        ({"w": [values([1.0, 2.0]), values([1.0])]}, "ragged"),
        ({"w": np.array([1.0])}, "something else"),
    ],
)
def test_what_are_no_parameters(parameters, said):
    with pytest.raises((TypeError, ValueError), match=said):
        lower(lambda x: x[0] * x[1], [0.1, 0.2], parameters=parameters)


def test_a_value_is_in_one_array():
    w = values([1.0, 2.0])
    with pytest.raises(ValueError, match="u and w share a Value"):
        lower(lambda x: w[0] * x, 0.1, parameters={"u": w, "w": w})


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((3, [1.0]), {}, r"takes a function of one sample, or a Value, not 3 \(int\)"),
        (("f", [1.0]), {}, "not 'f'"),
        ((None,), {}, "not None"),
        ((lambda x, y: x * y, 1.0), {}, "one for each argument"),
        ((lambda x: x, 1.0, 2.0), {}, "does not take 2 samples"),
        ((Value(1.0) * 2, [1.0]), {}, "1 sample beside a recorded loss"),
        ((lambda x: x, 1.0), {"names": [1]}, r"1 \(int\) is no name"),
        ((lambda x: x, 1.0), {"names": ["a", "b"]}, "2 names"),
    ],
)
def test_what_cannot_be_lowered(arguments, options, said):
    with pytest.raises((TypeError, ValueError), match=said):
        lower(*arguments, **options)
