"""Paths of tags: Viterbi and sums over paths against every path written out, and scalar graphs."""

import itertools

import numpy as np
import pytest

from micrograd import Value, topological_order
from micrograd.ner.model import losses, paths
from micrograd.ner.model.losses import Target
from micrograd.ner.text import schemes

LABELS = ["O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"]


def random_case(seed, scheme="BIOES"):
    """Give scores of some sentences, their lengths, transitions, and which are legal."""
    rng = np.random.default_rng(seed)
    labels = LABELS[:5] if scheme == "BIOES" else ["O", "B-X", "I-X", "B-Y", "I-Y"]
    lengths = rng.integers(1, 5, 4).tolist()
    k = len(labels)
    return (
        rng.normal(0, 2, (sum(lengths), k)),
        lengths,
        rng.normal(size=(k + 1, k + 1)),
        paths.legal(labels, scheme),
        labels,
    )


def every_path(k, length, legal):
    for tags in itertools.product(range(k), repeat=length):
        around = (k, *tags, k)
        if all(legal[a][b] for a, b in itertools.pairwise(around)):
            yield tags


def score(s, A, tags):
    k = s.shape[1]
    around = (k, *tags, k)
    steps = sum(A[a][b] for a, b in itertools.pairwise(around))
    return steps + sum(row[tag] for row, tag in zip(s, tags))


def sentences(s, lengths):
    return np.split(s, np.cumsum(lengths)[:-1])


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_legal_transitions_are_those_of_the_scheme(scheme):
    _, _, _, legal, labels = random_case(0, scheme)
    for length in (1, 2, 3):
        for tags in itertools.product(range(len(labels)), repeat=length):
            around = (len(labels), *tags, len(labels))
            allowed = all(legal[a][b] for a, b in itertools.pairwise(around))
            assert allowed == (not schemes.illegal([labels[t] for t in tags], scheme))


@pytest.mark.parametrize("seed", range(6))
def test_the_sweeps_equal_every_path_written_out(seed):
    s, lengths, A, legal, labels = random_case(seed, ("BIO", "BIOES")[seed % 2])
    allowed = paths.forbidding(legal, A)
    best = paths.sweep(s, lengths, allowed, paths.largest)
    total = paths.sweep(s, lengths, allowed, paths.log_sum)
    shares = sentences(total.scores, lengths)
    tags = sentences(paths.best_tags(s, lengths, allowed), lengths)
    for number, part in enumerate(sentences(s, lengths)):
        known = {p: score(part, A, p) for p in every_path(len(labels), len(part), legal)}
        assert best.values[number] == pytest.approx(max(known.values()))
        assert tuple(tags[number].tolist()) == max(known, key=known.get)
        z = np.logaddexp.reduce(list(known.values()))
        assert total.values[number] == pytest.approx(z)
        expected = np.zeros_like(part)
        for path, value in known.items():
            expected[np.arange(len(part)), path] += np.exp(value - z)
        assert shares[number] == pytest.approx(expected, abs=1e-12)
    assert total.transitions.sum() == pytest.approx(sum(lengths) + len(lengths))
    assert not total.transitions[~legal].any()


@pytest.mark.parametrize("seed", range(4))
def test_batches_do_not_mix_sentences(seed):
    s, lengths, A, legal, _ = random_case(seed)
    allowed = paths.forbidding(legal, A)
    whole = paths.sweep(s, lengths, allowed, paths.log_sum)
    alone = [paths.sweep(p, [len(p)], allowed, paths.log_sum) for p in sentences(s, lengths)]
    assert whole.values == pytest.approx(np.concatenate([p.values for p in alone]))
    assert whole.scores == pytest.approx(np.concatenate([p.scores for p in alone]))
    assert whole.transitions == pytest.approx(sum(p.transitions for p in alone))


@pytest.mark.parametrize("seed", range(8))
def test_the_short_way_is_the_same_path(seed):
    s, lengths, _, legal, _ = random_case(seed, ("BIO", "BIOES")[seed % 2])
    allowed = paths.forbidding(legal)
    whole = paths.sweep(s, lengths, allowed, paths.largest).scores.argmax(1)
    assert paths.best_tags(s, lengths, allowed).tolist() == whole.tolist()


def test_chunks_do_not_show(monkeypatch):
    s, lengths, A, legal, _ = random_case(3)
    allowed = paths.forbidding(legal, A)
    whole = paths.probabilities(s, lengths, allowed)
    monkeypatch.setattr(paths, "CHUNK", 3)
    assert paths.probabilities(s, lengths, allowed) == pytest.approx(whole)


def test_equal_scores_give_one_path():
    legal = paths.legal(LABELS, "BIOES")
    tags = paths.best_tags(np.zeros((7, len(LABELS))), [3, 4], paths.forbidding(legal))
    assert len(tags) == 7
    assert not schemes.illegal([LABELS[t] for t in tags[:3]], "BIOES")


def test_large_scores_do_not_overflow():
    legal = paths.legal(LABELS, "BIOES")
    s = np.random.default_rng(0).normal(0, 1e4, (9, len(LABELS)))
    found = paths.sweep(s, [5, 4], paths.forbidding(legal), paths.log_sum)
    assert np.isfinite(found.values).all() and found.scores.sum(1) == pytest.approx(np.ones(9))


def graph(s, tags, A, legal, loss):
    """Record a loss of one sentence; give J, the Values of the scores, and those of A."""
    rows = [[Value(x) for x in row] for row in s.tolist()]
    moves = [[Value(x) for x in row] for row in A.tolist()]
    return losses.LOSSES[loss].graph(rows, tags, 1.0, moves, legal), rows, moves


def grads(rows):
    return np.array([[value.grad for value in row] for row in rows])


@pytest.mark.parametrize("loss", ["sequence margin", "sequence likelihood"])
@pytest.mark.parametrize("seed", range(5))
def test_the_graph_of_a_sentence_equals_the_batched_form(loss, seed):
    s, lengths, A, legal, labels = random_case(seed)
    part = s[: lengths[0]]
    possible = list(every_path(len(labels), len(part), legal))
    tags = possible[seed % len(possible)]
    J, rows, moves = graph(part, tags, A, legal, loss)
    J.backward()
    target = Target(np.array(tags), [len(part)])
    judged = losses.LOSSES[loss].arrays(part, target, 1.0, paths.forbidding(legal, A))
    assert judged.losses[0] == pytest.approx(J.data, abs=1e-12)
    assert judged.upstream == pytest.approx(grads(rows), abs=1e-12)
    assert judged.transitions == pytest.approx(grads(moves), abs=1e-12)


def test_the_gradient_is_one_where_the_paths_differ():
    legal = paths.legal(LABELS[:5], "BIOES")
    s = np.array([[2.0, 0, 0, 0, 1], [2.0, 0, 0, 0, 0], [0, 0, 0, 0, 3.0]])
    tags = [4, 0, 4]  # S O S, where the best path is O O S
    J, rows, _ = graph(s, tags, np.zeros((6, 6)), legal, "sequence margin")
    J.backward()
    assert grads(rows).tolist() == [[1, 0, 0, 0, -1], [0] * 5, [0] * 5]
    assert J.data == 2.0  # 1 too much for O, and its cost 1
    assert len(topological_order(J)) < 400


def test_no_path_is_better_than_the_margin_says():
    for seed in range(5):
        s, lengths, A, legal, labels = random_case(seed)
        true = [next(iter(every_path(len(labels), n, legal))) for n in lengths]
        target = Target(np.concatenate(true), lengths)
        judged = losses.path_margin(s, target, 0.5, paths.forbidding(legal, A))
        for loss, part, tags in zip(judged.losses, sentences(s, lengths), true):
            worst = max(
                score(part, A, p) + 0.5 * sum(a != b for a, b in zip(p, tags))
                for p in every_path(len(labels), len(part), legal)
            )
            assert loss == pytest.approx(worst - score(part, A, tags)) and loss >= 0
