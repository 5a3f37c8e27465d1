"""The layered layout: boxes do not overlap, edges go right, the result never changes."""

import itertools
import random

import pytest

from micrograd.render.layout import Link, Size, layout
from micrograd.render.ordering import _inversions


def random_case(seed, boxes=40):
    chooser = random.Random(seed)
    sizes = [Size(str(i), chooser.randint(60, 200), chooser.randint(40, 160)) for i in range(boxes)]
    links = []
    for i in range(boxes // 3, boxes):
        for port in range(chooser.randint(1, 4)):
            links.append(Link(str(chooser.randrange(i)), str(i), port, chooser.randint(0, 120)))
    return sizes, links


def overlap(a, b):
    (ax, ay, aw, ah), (bx, by, bw, bh) = a, b
    return ax < bx + bw and bx < ax + aw and ay < by + bh and by < ay + ah


@pytest.mark.parametrize("seed", range(8))
def test_boxes_lie_apart_within_the_picture(seed):
    result = layout(*random_case(seed))
    places = list(result.boxes.values())
    assert not any(overlap(a, b) for i, a in enumerate(places) for b in places[:i])
    for x, y, width, height in places:
        assert x >= 0 and y >= -0.1
        assert x + width <= result.width + 0.1 and y + height <= result.height + 0.1


@pytest.mark.parametrize("seed", range(8))
def test_edges_run_from_the_right_side_to_the_left_side(seed):
    sizes, links = random_case(seed)
    result = layout(sizes, links)
    for link, path in zip(links, result.paths):
        x, y, width, height = result.boxes[link.source]
        assert path[0][0] == pytest.approx(x + width, abs=0.11) and y <= path[0][1] <= y + height
        x, y, _, height = result.boxes[link.target]
        assert path[-1][0] == pytest.approx(x) and y <= path[-1][1] <= y + height
        assert path[-1][1] == path[-2][1] and path[-1][0] - path[-2][0] >= link.room
        assert [a for a, _ in path] == sorted(a for a, _ in path)


@pytest.mark.parametrize("seed", range(8))
def test_long_edges_go_round_the_boxes_they_pass(seed):
    sizes, links = random_case(seed)
    result = layout(sizes, links)
    ends = {x: round(x + width, 1) for x, _, width, _ in result.boxes.values()}
    columns, passing = sorted(ends), {}
    for link, path in zip(links, result.paths):
        places = [columns.index(result.boxes[id][0]) for id in (link.source, link.target)]
        assert len(path) == 3 + 2 * (places[1] - places[0] - 1)
        passed = zip(path[1:-2:2], path[2:-2:2])
        for x, ((left, y), (right, level)) in zip(columns[places[0] + 1 :], passed):
            assert left <= x and right == pytest.approx(ends[x], abs=0.11)
            assert y == level and all(abs(y - other) > 15.8 for other in passing.get(right, []))
            passing.setdefault(right, []).append(y)
            for id, (x, top, width, height) in result.boxes.items():
                if id not in (link.source, link.target) and left <= x and x + width <= right:
                    assert not top < y < top + height


def test_ports_enter_in_order():
    links = [Link("a", "f", 1), Link("b", "f", 0), Link("a", "f", 2)]
    result = layout([Size("a", 50, 50), Size("b", 50, 50), Size("f", 50, 90)], links)
    entries = {link.port: path[-1][1] for link, path in zip(links, result.paths)}
    assert entries[0] < entries[1] < entries[2]


def test_the_same_input_gives_the_same_layout():
    assert layout(*random_case(3)) == layout(*random_case(3))


def test_crossings_that_can_be_avoided_are_avoided():
    sizes = [Size(name, 50, 50) for name in "abcdef"]
    result = layout(sizes, [Link("a", "f"), Link("b", "e"), Link("c", "d")])
    heights = {id: y for id, (_, y, _, _) in result.boxes.items()}
    assert (heights["a"] < heights["b"]) == (heights["f"] < heights["e"])
    assert (heights["b"] < heights["c"]) == (heights["e"] < heights["d"])


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_trees_have_no_crossings(seed, backward):
    chooser = random.Random(seed)
    links, names, layers = [], ["root"], [["root"]]
    for width in (3, 9):
        children = [f"{width}.{i}" for i in range(width)]
        chooser.shuffle(children)
        parents = [parent for parent in layers[-1] for _ in range(3)]
        pairs = [*zip(children, parents, [0, 1, 2] * len(layers[-1]))]
        chooser.shuffle(pairs)
        links += [Link(b, a) if backward else Link(a, b, port) for a, b, port in pairs]
        layers.append(children)
        names += children
    order = names if backward else names[::-1]
    result = layout([Size(name, 50, 50) for name in order], links)
    ends = [(path[0], path[-1]) for path in result.paths]
    for (a, b), (c, d) in itertools.combinations(ends, 2):
        assert a[0] != c[0] or (a[1] - c[1]) * (b[1] - d[1]) >= 0


def test_sources_stand_next_to_their_user():
    links = [Link("x", "a"), Link("a", "b"), Link("b", "c", 0), Link("y", "c", 1)]
    result = layout([Size(name, 50, 50) for name in ("x", "y", "a", "b", "c")], links)
    assert result.boxes["y"][0] == result.boxes["b"][0]


def test_a_chain_lies_level():
    names = [str(i) for i in range(30)]
    links = [Link(a, b) for a, b in itertools.pairwise(names)]
    result = layout([Size(n, 50, 50) for n in names], links)
    assert len({y for _, y, _, _ in result.boxes.values()}) == 1


@pytest.mark.parametrize("backward", [False, True])
def test_a_box_stands_in_the_middle_of_those_it_has_edges_with(backward):
    names = [f"x{i}" for i in range(7)]
    groups = {"f": names[:5], "g": names[5:]}
    boxes = ["f", "g", *names] if backward else [*names, "f", "g"]
    links = [
        Link(one, name) if backward else Link(name, one, i)
        for one, group in groups.items()
        for i, name in enumerate(group)
    ]
    result = layout([Size(n, 50, 50) for n in boxes], links)
    middles = {id: y + height / 2 for id, (_, y, _, height) in result.boxes.items()}
    assert [middles[name] for name in names] == [25 + 76 * i for i in range(7)]
    expected = [25 + 76 * 2, 25 + 76 * 5.5]
    assert [middles["f"], middles["g"]] == pytest.approx(expected, abs=0.11)
    assert result.height == 76 * 7 - 26


def test_a_source_gives_way_to_the_chain_that_it_joins():
    sizes = [Size(name, 50, 50) for name in ("x", "s", "a", "b", "c")]
    links = [Link("x", "a"), Link("a", "b", 0), Link("s", "b", 1), Link("b", "c")]
    result = layout(sizes, links)
    heights = {id: y for id, (_, y, _, _) in result.boxes.items()}
    assert max(abs(heights["a"] - heights[id]) for id in "xbc") < 25
    assert heights["s"] == heights["a"] + 76


def test_nothing_and_one_box():
    assert layout([], []).boxes == {}
    assert layout([Size("x", 50, 40)], []) == (50, 40, {"x": (0, 0, 50, 40)}, [])


def test_edges_too_many_to_lead_round_run_straight():
    names = [str(i) for i in range(300)]
    links = [Link(a, b) for a, b in itertools.pairwise(names)]
    links += [Link("0", b, 1) for b in names[1:]]
    result = layout([Size(n, 50, 50) for n in names], links)
    assert all(len(path) == 3 for path in result.paths)


def test_inversions_are_counted():
    chooser = random.Random(1)
    numbers = [chooser.randrange(9) for _ in range(60)]
    expected = sum(a > b for i, b in enumerate(numbers) for a in numbers[:i])
    assert _inversions(numbers) == expected
