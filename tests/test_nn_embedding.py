"""Tables of vectors: which row an id chooses, and what is no id."""

import random

import numpy as np
import pytest

from micrograd.core.modes import lookups_reported
from micrograd.engine import Value
from micrograd.losses import cross_entropy
from micrograd.nn import MLP, Embedding, Module, one_hot
from micrograd.optim import SGD


@pytest.fixture
def table():
    random.seed(3)
    return Embedding(5, 3)


def test_the_numbers_are_drawn_row_by_row(table):
    random.seed(3)
    assert [v.data for row in table.rows for v in row] == [random.gauss(0, 1) for _ in range(15)]
    assert repr(table) == "Embedding(5, 3)"
    assert (table.rows[2][1].scope, table.rows[2][1].label) == ("row 2", "E1")


@pytest.mark.parametrize("index", [2, np.int64(2), np.array(2), Value(2.0), Value(np.float64(2))])
def test_an_id_chooses_a_row(table, index):
    assert table(index) == table.rows[2]
    assert [v.data for v in one_hot(index, 4)] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "ids", [[4, 0, 4], (4, 0, 4), np.array([4, 0, 4]), [Value(4), 0, Value(4)]]
)
def test_ids_choose_rows(table, ids):
    assert table(ids) == [table.rows[4], table.rows[0], table.rows[4]]
    assert [[v.data for v in row] for row in one_hot(ids, 5)] == np.eye(5)[[4, 0, 4]].tolist()


def test_nested_ids_keep_their_nesting(table):
    assert table([[1, 2], [3, 3]]) == [[table.rows[1], table.rows[2]], [table.rows[3]] * 2]
    assert table([]) == []


def test_what_is_returned_may_be_changed(table):
    row = table(1)
    row += [Value(7.0)]
    assert len(table.rows[1]) == 3


@pytest.mark.parametrize(
    ("index", "error", "said"),
    [
        (5, ValueError, r"Embedding\(5, 3\) has the ids 0 to 4, not 5"),
        (-1, ValueError, "ids 0 to 4, not -1; there is no counting from the end"),
        (Value(7.0), ValueError, "not 7"),
        ([0, 9], ValueError, "not 9"),
        (Value(1.5), ValueError, "whole numbers as ids, not 1.5"),
        (Value(float("nan")), ValueError, "not nan"),
        (Value(float("inf")), ValueError, "not inf"),
        (2.0, TypeError, r"an int as the id, or a Value that holds one, not 2.0 \(float\)"),
        (True, TypeError, "bool"),
        ("a", TypeError, "not 'a'"),
        (None, TypeError, "NoneType"),
    ],
)
def test_what_is_no_id(table, index, error, said):
    with pytest.raises(error, match=said):
        table(index)
    with pytest.raises(error, match=said.replace(r"Embedding\(5, 3\)", "one_hot of 5 classes")):
        one_hot(index, 5)


@pytest.mark.parametrize("size", [(0, 3), (3, 0)])
def test_a_table_has_rows_and_columns(size):
    with pytest.raises(ValueError, match="the number of (rows|columns) is 1 or more, not 0"):
        Embedding(*size)


class Bigram(Module):
    def __init__(self):
        self.embedding, self.net = Embedding(4, 2), MLP(2, [4])

    def __call__(self, token):
        return self.net(self.embedding(token))


def test_rows_are_parameters_and_state(tmp_path):
    model = Bigram()
    assert list(model.named_parameters())[:3] == [
        "embedding.rows.0.0",
        "embedding.rows.0.1",
        "embedding.rows.1.0",
    ]
    assert len(model.parameters()) == 4 * 2 + 2 * 4 + 4
    path = model.save(tmp_path / "model.json")
    other = Bigram().load(path)
    assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]


def test_only_the_row_in_use_gets_a_gradient_and_moves():
    random.seed(0)
    model = Bigram()
    before = [[v.data for v in row] for row in model.embedding.rows]
    optimizer = SGD(model.parameters(), lr=0.1)
    cross_entropy(model(2), 3).backward()
    optimizer.step()
    moved = [[v.data for v in row] != old for row, old in zip(model.embedding.rows, before)]
    assert moved == [False, False, True, False]


def test_a_class_as_one_hot_gives_the_same_loss_as_its_number():
    logits = [Value(0.3), Value(-1.0), Value(2.0)]
    assert cross_entropy(logits, one_hot(Value(1.0), 3)).data == pytest.approx(
        cross_entropy(logits, 1).data, rel=1e-15
    )


def test_whoever_traces_is_told_of_lookups_by_values(table):
    told = []

    def report(rows, index, row):
        told.append((rows, index.data, [v.data for v in row]))
        return [Value(9.0)] if rows is None else None

    with lookups_reported(report):
        assert table(Value(1.0)) == table.rows[1]
        assert one_hot(Value(0.0), 2)[0].data == 9.0
        assert table(2) == table.rows[2]
    table(Value(3.0))
    assert told == [(table.rows, 1.0, [v.data for v in table.rows[1]]), (None, 0.0, [1.0, 0.0])]
