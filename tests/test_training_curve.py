"""The learning curve that needs no library: all of it is seen, and it says what there is."""

import itertools
import math
import re
from xml.etree import ElementTree

import pytest

from micrograd.render.text import width
from micrograd.training.curve import BOTTOM, HEIGHT, curve
from micrograd.training.history import History


def curve_of(*rows):
    """Return the learning curve of rows of (loss, loss on dev, F1)."""
    names = ("epoch", "loss", "dev_loss", "f1")
    history = History([dict(zip(names, (n, *row))) for n, row in enumerate(rows, 1)])
    return ElementTree.fromstring(curve(history, 1, {name: name for name in names[1:]}))


def texts_of(svg):
    """Return (text, left, right, line) of every text of a curve, about as wide as it is drawn."""
    for text in svg.iter("{http://www.w3.org/2000/svg}text"):
        wide, x = width(text.text, 11, bold=text.get("class") == "title"), float(text.get("x"))
        shift = {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor")]
        yield text.text, x - shift, x - shift + wide, float(text.get("y"))


@pytest.mark.parametrize("share", [1 / 3, 1 - 1e-4, 1 - 1e-7])
@pytest.mark.parametrize("scale", [1e-300, -1.2345e-05, 0.00699, 1.0, 123456.0])
def test_every_text_of_a_curve_is_seen_and_none_lies_over_another(scale, share):
    least = scale * share
    found = [*texts_of(curve_of((scale, least, scale), (least, scale, least)))]
    assert all(left >= 0 and right <= 600 for _, left, right, _ in found), found
    for (one, *a), (other, *b) in itertools.combinations(found, 2):
        apart = abs(a[2] - b[2]) >= 11 or a[1] <= b[0] or b[1] <= a[0]
        assert apart, (one, other)


@pytest.mark.parametrize(
    "losses, zero",
    [((1.0, 0.1), True), ((1.0, 0.9), False), ((-1.0, -5.0), False), ((2.0, -3.0), False)],
)
def test_a_curve_begins_at_0_where_that_hides_nothing(losses, zero):
    svg = curve_of(*((loss, loss, 0.5) for loss in losses))
    lines = svg.findall("{http://www.w3.org/2000/svg}polyline")
    lowest = max(float(point.split(",")[1]) for point in lines[0].get("points").split())
    axis = HEIGHT - BOTTOM
    assert lowest < axis if zero else lowest == pytest.approx(axis)


@pytest.mark.parametrize(
    "low, high, texts",
    [
        (0.69306, 0.69315, ("0.69306", "0.69315")),  # not 0.693 twice
        (99.95, 99.99, ("99.95", "99.99")),  # not 100
        (0.6789, 1.0986, ("0.679", "1.1")),
        (-0.0, 0.0, ("0", "1")),
    ],
)
def test_the_ends_of_an_axis_are_told_apart(low, high, texts):
    texts_there = [text for text, *_ in texts_of(curve_of((low, low, low), (high, high, high)))]
    assert [text for text in texts_there if text in texts][:2] == [*texts]


def test_every_text_stands_at_what_it_is_of():
    svg = curve_of((1.0, 0.4, 0.25), (0.5, 0.2, 0.75))
    tag = "{http://www.w3.org/2000/svg}"
    found = [*texts_of(svg)]
    axes = [re.findall(r"[\d.]+", path.get("d")) for path in svg.findall(f"{tag}path")]
    assert svg.get("viewBox") == f"0 0 {svg.get('width')} {svg.get('height')}"
    assert max(right for _, _, right, _ in found) <= float(svg.get("width")) == 300 * len(axes)
    ends = [("0", "1"), ("0", "0.75")]
    for panel, (axis, (low, high)) in enumerate(zip(axes, ends)):
        left, top, bottom, right = map(float, axis)
        here = [told for told in found if 300 * panel <= told[1] < 300 * (panel + 1)]
        for end, y in ((low, bottom), (high, top)):  # beside the axis, on its level
            assert any(
                t == end and left - 10 < r < left and abs(b - 4 - y) < 2 for t, _, r, b in here
            )
        for epoch, x in (("1", left), ("epoch", (left + right) / 2), ("2", right)):
            middles = [((a + r) / 2, b) for t, a, r, b in here if t == epoch and b > bottom]
            assert any(abs(m - x) < 1 and b < float(svg.get("height")) for m, b in middles)
    keys = [(float(x.get("x2")), float(x.get("y1"))) for x in svg.iter(f"{tag}line")]
    for name in ("loss", "dev_loss", "f1"):  # beside the line that it names
        (_, x, _, y), *others = (told for told in found if told[0] == name)
        assert not others and any(0 < x - end < 10 and abs(y - 4 - at) < 1 for end, at in keys)


def test_a_curve_leaves_out_what_is_not_finite_and_shows_a_single_epoch():
    svg = curve_of((0.5, math.inf, 0.0), (math.nan, 0.25, 0.0), (0.25, 0.5, 1.0))
    points = [
        line.get("points").split() for line in svg.iter("{http://www.w3.org/2000/svg}polyline")
    ]
    assert [len(line) for line in points] == [2, 2, 3]
    assert {"0.25", "0.5", "1", "3"} <= {text for text, *_ in texts_of(svg)}  # of axes
    one = curve_of((0.5, math.nan, 1.0))
    assert len([*one.iter("{http://www.w3.org/2000/svg}circle")]) == 2
    assert {"1", "2"} <= {text for text, *_ in texts_of(curve_of((0.5,)))}
    assert "inf" not in {text for text, *_ in texts_of(curve_of((math.inf, math.nan, math.nan)))}


@pytest.mark.parametrize(
    "losses, ends",
    [((0.25, 0.75), ("0", "0.75")), ((0.5, 0.75), ("0.5", "0.75")), ((2.0, 2.0), ("2", "3"))],
)
def test_the_axis_says_from_where_to_where_it_goes(losses, ends):
    texts = [text for text, *_ in texts_of(curve_of(*((loss,) for loss in losses)))]
    assert set(ends) <= set(texts)


def test_a_history_is_drawn_without_a_file():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    figure = History([{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.5}]).plot()
    assert [*figure.axes[0].lines[0].get_ydata()] == [1.0, 0.5]


@pytest.mark.parametrize("kept", range(1, 7))
def test_every_line_has_its_title_and_the_kept_epoch_its_mark_within_the_panel(kept):
    history = History([{"epoch": n, "loss": 1 / n, "dev_loss": 2 / n} for n in range(1, 7)])
    titles = {"loss": "training", "dev_loss": "<held> & out"}
    svg = ElementTree.fromstring(curve(history, kept, titles))
    found = {text: place for text, *place in texts_of(svg)}
    assert {"training", "<held> & out", "kept"} <= set(found)
    assert svg.get("aria-label") == f"Learning curve over 6 epochs; epoch {kept} was kept"
    assert all(left >= 0 and right <= 300 for left, right, _ in found.values())


@pytest.mark.parametrize("path", [3, b"x.png", ["x.png"]])
def test_a_picture_goes_to_a_named_file(path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    with pytest.raises((TypeError, ValueError), match="give the name of a file|a plot is written"):
        History([{"epoch": 1, "loss": 1.0}]).plot(path)
