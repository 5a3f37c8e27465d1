"""What notebooks show of texts, tables and curves, read back out of the HTML."""

import math
import random
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from micrograd.displays import curves_html, table_html, text_html

SVG = "{http://www.w3.org/2000/svg}svg"
NASTY = ["<b>", "a & b", 'say "x"', "学习率", "f1 [dev]", "100 %", "#1", "it's", "loss", "&lt;"]


class Parts(HTMLParser):
    """Collect (tag, attributes, text until the next tag) of everything in a display."""

    def __init__(self, html):
        super().__init__()
        self.parts = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.parts.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        self.parts[-1][2] += data

    def texts(self, tag):
        return [text for name, _, text in self.parts if name == tag]

    def images(self):
        """Return the attributes of each image, and the root of its picture."""
        found = [attributes for tag, attributes, _ in self.parts if tag == "img"]
        assert not any("#" in image["src"] for image in found)  # it would end the address
        pictures = [image["src"].partition("data:image/svg+xml;charset=utf-8,") for image in found]
        return [(a, ElementTree.fromstring(unquote(p))) for a, (_, _, p) in zip(found, pictures)]


@pytest.mark.parametrize("text", ["", "a", "if x < 1 & y:\n    <b>\n\n", "学习率" * 30, "é" * 9])
def test_a_text_is_kept_and_has_the_room_of_its_longest_line(text):
    ((_, _, _), (tag, attributes, told)) = Parts(text_html(text)).parts
    assert (tag, told) == ("pre", text)
    room = float(attributes["style"].partition("min-width:")[2].removesuffix("em"))
    wide = [sum(1.0 if c > "\u2e80" else 0.6 for c in line) for line in text.split("\n")]
    assert max(wide) <= room <= 1.4 * max(wide) + 1


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 57])
def test_a_table_has_the_last_rows_and_says_so(count):
    chosen = random.Random(count)
    rows = [[chosen.choice(NASTY), chosen.gauss(0, 1e5), True, None, n] for n in range(count)]
    parts = Parts(table_html(NASTY[:5], rows, "a <caption>"))
    assert parts.texts("th") == NASTY[:5]
    told = [f"{x:.6g}" if isinstance(x, float) else str(x) for row in rows[-20:] for x in row]
    assert parts.texts("td") == told and len(parts.texts("tr")) == 1 + min(count, 20)
    cut = f" (the last 20 of {count} rows)" if count > 20 else ""
    assert parts.texts("figcaption") == [f"a <caption>{cut}"]
    read = "".join(text for tag, _, text in parts.parts if tag != "style")
    assert read == "".join([f"a <caption>{cut}", *NASTY[:5], *told])  # and nothing beside


def columns(chosen):
    """Return random columns of one length, in which not every epoch has every number."""
    length, odd = chosen.choice([1, 2, 3, 9]), [None, math.nan, math.inf, -math.inf]
    numbers = [lambda: chosen.gauss(0, 3), lambda: 1e-9 * chosen.random(), lambda: 7]
    makes = [chosen.choice(numbers) for _ in range(chosen.randint(0, 10))]
    share = chosen.choice([0, 0.3, 0.9])
    return {
        name: [chosen.choice(odd) if chosen.random() < share else make() for _ in range(length)]
        for name, make in zip(NASTY, makes)
    }


@pytest.mark.parametrize("seed", range(40))
def test_curves_stand_where_their_numbers_are_and_are_told_apart(seed):
    numbers_of = columns(random.Random(seed))
    parts = Parts(curves_html(numbers_of))
    points_of = {
        name: [(i, y) for i, y in enumerate(column) if y is not None and math.isfinite(y)]
        for name, column in numbers_of.items()
    }
    drawn = {name: points for name, points in points_of.items() if len(points) > 1}
    if not drawn:
        assert parts.parts == []
        return
    (shown, picture), *entries = parts.images()
    assert shown["alt"] == f"Curves of {', '.join(drawn)}"
    width, height = (float(picture.attrib[name]) for name in ("width", "height"))
    legend = [text for tag, _, text in parts.parts if tag == "img"][1:]
    assert {one.tag for one in (picture, *(entry for _, entry in entries))} == {SVG}
    assert len(picture) == len(entries) == len(legend) == len(drawn)
    for line, (name, points), (_, entry), told in zip(picture, drawn.items(), entries, legend):
        heights = [y for _, y in points]
        spread = max(heights) - min(heights)
        for written, (i, y) in zip(line.attrib["points"].split(), points, strict=True):
            x_there, y_there = map(float, written.split(","))
            share = (max(heights) - y) / spread if spread else 0
            assert x_there == pytest.approx(
                6 + (width - 12) * i / (len(numbers_of[name]) - 1), abs=0.1
            )
            assert y_there == pytest.approx(6 + (height - 12) * share, abs=0.1)
        known = [y for y in numbers_of[name] if y is not None]
        ends = [f"{y:.6g}" for y in map(float, (known[0], known[-1], min(heights), max(heights)))]
        assert told == " {}: {} → {}, least {}, greatest {}".format(name, *ends)
        look = [(e.attrib["stroke"], e.attrib["stroke-dasharray"]) for e in (line, entry[0])]
        assert look[0] == look[1] and line.attrib["fill"] == "none"
    assert "".join(text for _, _, text in parts.parts) == "".join(legend)
    looks = [(line.attrib["stroke"], line.attrib["stroke-dasharray"]) for line in picture]
    assert len(set(looks)) == len(looks)


def test_losses_are_drawn_over_one_range():
    curves = curves_html({"loss": [4.0, 1.0], "dev_loss": [5.0, 3.0], "f1": [10.0, 90.0]})
    (_, picture), *_ = Parts(curves).images()
    loss, dev_loss, f1 = (
        [float(point.split(",")[1]) for point in line.attrib["points"].split()] for line in picture
    )
    assert (max(loss), min(dev_loss)) == (max(f1), min(f1))  # the ends of the picture
    assert all(above < below for above, below in zip(dev_loss, loss))


def brightness(colour):
    """Return the relative luminance of #rrggbb, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_curves_are_seen_on_light_and_dark_paper():
    html = curves_html({f"column {i}": [0.0, 1.0] for i in range(4)})
    (_, picture), *_ = Parts(html).images()
    for line in picture:
        assert re.fullmatch("#[0-9a-f]{6}", line.attrib["stroke"])
        assert re.fullmatch(r"(\d+ \d+( |$))*", line.attrib["stroke-dasharray"])
        for paper in ("#ffffff", "#111111"):
            low, high = sorted(brightness(c) + 0.05 for c in (paper, line.attrib["stroke"]))
            assert high / low >= 4
