"""What lowering says to ids that have no row, and to choices that it cannot follow."""

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot
from micrograd.losses import cross_entropy
from micrograd.lowering import lower
from micrograd.nn import one_hot
from tests.test_lowering_embedding import bigram, seeded


@pytest.mark.parametrize(
    ("batch", "error", "said"),
    [
        (
            [[1, 2], [3, 9]],
            ValueError,
            "ids: sample 1 has the id 9; the table E has 7 rows, 0 to 6",
        ),
        ([[1, -1]], ValueError, "sample 0 has the id -1"),
        ([[1, 2.5]], ValueError, "sample 0 has the id 2.5; ids are whole numbers"),
        ([[1, float("nan")]], ValueError, "id nan"),
        ([[1, float("inf")]], ValueError, "id inf"),
        ([["a", "b"]], TypeError, r"ids\[0\]\[0\] is 'a' \(str\)"),
        ([[True, False]], TypeError, "not bool"),
        ([[1, 2, 3]], ValueError, r"ids has the shape \(1, 3\)"),
    ],
)
def test_ids_are_checked_before_anything_is_computed(batch, error, said):
    (embedding,) = seeded((7, 2))
    program = lower(lambda ids: dot(*embedding(ids)), [1, 2])
    with pytest.raises(error, match=said):
        program.value_and_grad(batch)
    assert program([[1.0, 2.0]]) == program(np.array([[1, 2]], np.uint8)) == program([(1, 2)])


def test_the_range_of_classes_is_checked():
    with pytest.raises(ValueError, match="target: sample 0 has the id 6; the one-hot is of 6 cl"):
        lower(bigram(), 1, 2)([1], [6])


def test_what_cannot_be_traced():
    (embedding,) = seeded((3, 2))
    with pytest.raises(ValueError, match=r"ids\.py:\d+: .*\+\(1\.0, 1\.0\), which is computed"):
        lower(lambda i: embedding(i + 1)[0], 1)
    with pytest.raises(ValueError, match="i is looked up in a table and used as numbers too"):
        lower(lambda i: embedding(i)[0] * i, 1)
    with pytest.raises(ValueError, match="ids 0 to 2, not 3"):
        lower(lambda i: embedding(i)[0], 3)
    constant = Value(2.0)
    program = lower(lambda i: dot(embedding(i), embedding(constant)), 1)
    assert program([2]) == pytest.approx(sum(v.data**2 for v in embedding.rows[2]))


LOGITS = [Value(1.0), Value(2.0)]


@pytest.mark.parametrize(
    ("choose", "said"),
    [
        (lambda y: LOGITS[y], "list indices must be integers"),
        (lambda y: tuple(LOGITS)[y], "tuple indices must be integers"),
        (lambda y: np.array(LOGITS, dtype=object)[y], "valid indices"),
        (lambda y: {1: LOGITS[0]}[y], r"Value\(data=1.0"),
        (lambda y: cross_entropy(LOGITS, y), r"not Value\(data=1.0"),
        (lambda y: sum(LOGITS[0] for _ in range(y)), "'Value' object cannot be interpreted"),
    ],
)
def test_a_choice_by_a_number_of_the_sample_is_told_with_the_remedy(choose, said):
    line = choose.__code__.co_firstlineno
    with pytest.raises(
        ValueError,
        match=rf"test_lowering_ids\.py:{line}: .*{said}.*"
        r"nn\.Embedding, give a class as nn\.one_hot",
    ):
        lower(choose, 1)


def test_a_choice_within_the_package_names_who_called_lower():
    from functools import partial

    with pytest.raises(ValueError, match=r"ids\.py:\d+: .*nn\.one_hot"):
        lower(partial(cross_entropy, LOGITS), 1, names=["y"])


def test_a_table_that_is_computed_is_refused():
    """Its rows would be parameters of their own, and nothing would go back through them."""
    (embedding,) = seeded((4, 2))
    embedding.rows = [[2 * value for value in row] for row in embedding.rows]
    with pytest.raises(
        ValueError, match=r"ids\.py:\d+: a row .* holds a result of \*, which is comp"
    ):
        lower(lambda i: dot(embedding(i), [1.0, 2.0]), 1)


def test_other_errors_of_the_function_are_left_as_they_are():
    with pytest.raises(TypeError, match="cannot hold 'a'"):
        lower(lambda x: x + "a", 1.0)
    with pytest.raises(KeyError, match="'key'"):
        lower(lambda x: {}["key"], 1.0)
    with pytest.raises(TypeError, match="list indices must be integers"):
        LOGITS[Value(1.0)]


def test_domain_errors_are_found_at_the_rows_of_the_sample():
    (embedding,) = seeded((4, 2))
    for row, data in zip(embedding.rows, (1.0, 2.0, -3.0, 4.0)):
        for value in row:
            value.data = data
    program = lower(lambda i, q: dot([v.log() for v in embedding(i)], one_hot(q, 2)), 0, 1)
    with pytest.raises(ValueError, match=r"log\(x\) has no finite value at x = -3\.0"):
        program.value_and_grad([1, 2], [0, 1])
    assert program([1, 3], [0, 1]) == pytest.approx(np.log(8) / 2)
