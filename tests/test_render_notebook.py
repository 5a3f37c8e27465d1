"""Notebooks: an image and a table that need no trust, the step-through where scripts run."""

import base64
import gzip
import math
import random
import re
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

import micrograd.render.notebook as notebook
import micrograd.render.picture as picture
from micrograd import Value, topological_order
from micrograd.gradcheck import gradcheck
from micrograd.graph import snapshot
from micrograd.lowering import lower
from micrograd.ner import Tagger, shipped
from micrograd.nn import MLP
from micrograd.render import render
from micrograd.render.sheet import DARK, LIGHT
from micrograd.stepper.document import notebook_page
from micrograd.training.history import History
from tests.pictures import bad_graph, worked_example


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.setdefault(tag, dict(attrs))

    def handle_data(self, data):
        self.texts.append(data)


def image_of(html):
    """Return the SVG in the address of the first image."""
    kind, _, data = Reader(html).attributes["img"]["src"].partition(",")
    assert kind == "data:image/svg+xml;charset=utf-8"
    return unquote(data)


def page_of(html):
    letters = re.search('data-page="([^"]+)"', html)[1].translate(str.maketrans(",.:", "&<>"))
    return gzip.decompress(base64.b85decode(letters)).decode()


def test_what_is_shown_without_trust_is_image_and_table():
    f = worked_example()
    bundle = picture.mimebundle(f)
    assert bundle["text/plain"] == repr(f)
    read = Reader(bundle["text/html"])
    assert not {"script", "iframe", "svg"} & set(read.tags)
    texts = re.findall("<text[^>]*>([^<]*)<", image_of(bundle["text/html"]))
    assert texts == re.findall("<text[^>]*>([^<]*)<", render(f).svg)
    assert ElementTree.fromstring(image_of(bundle["text/html"])).tag.endswith("svg")
    assert read.attributes["img"]["alt"] == "Computation graph of f, backward pass: 6 Values"
    assert read.tags.count("tr") == 7
    cells = [text for text in read.texts if text.strip()]
    assert cells[cells.index("f") :][:4] == ["f", "a · b", "6", "1"]


def test_the_step_through_is_there_to_be_opened():
    html = picture.mimebundle(worked_example())["text/html"]
    assert page_of(html) == notebook_page(snapshot(worked_example()))
    assert (
        "ontoggle" in html and ' id="' not in html.replace(page_of(html), "").split("data-page")[0]
    )


def test_displays_are_small():
    random.seed(1)
    assert len(picture.mimebundle(Value(1.0))["text/html"].encode()) <= 4_000
    network = MLP(3, [4, 1])([1.0, 2.0, 3.0])
    total = Value(0.5, label="x")
    for i in range(29):
        other = Value(float(i), label=f"x{i}")
        total = total * other if i % 2 else total + other
    crossed = [Value(1.0, label="x"), Value(2.0, label="y")]
    while len(crossed) < 60:
        crossed.append(random.choice(crossed) * random.choice(crossed[-5:]))
    for root in (network, total, sum(crossed[-8:-1], crossed[-1])):
        assert 50 <= len(topological_order(root)) <= 61
        assert len(picture.mimebundle(root)["text/html"].encode()) <= 60_000


def test_large_graphs_are_not_stepped(monkeypatch):
    monkeypatch.setattr(notebook, "MOST_STEPPED", 5)
    assert "data-page" not in picture.mimebundle(worked_example())["text/html"]


def test_histories_checks_programs_and_modules_show_themselves():
    history = History([{"epoch": i, "loss": 1 / i, "<b>": float(i)} for i in range(1, 41)])
    report = gradcheck(worked_example())
    program = lower(worked_example())
    for shown, word in (
        (history, "the last 20 of 40"),
        (report, "gradients agree"),
        (program, "def value_and_grad"),
        (MLP(2, [1]), "layers.0"),
        (trained_tagger(), "20 × 100"),
    ):
        html = shown._repr_html_()
        assert word in html and "<b>" not in html and "script" not in Reader(html).tags
    assert ElementTree.fromstring(image_of(history._repr_html_()))[0].tag.endswith("polyline")
    assert "loss: 1 → 0.025, least 0.025, greatest 1" in history._repr_html_()


def test_a_number_of_some_epochs_is_drawn_where_they_are():
    rows = [{"epoch": i, "loss": 1.0} | ({"f1": i / 2} if i % 2 else {}) for i in range(1, 5)]
    html = History(rows)._repr_html_()
    places = [line.attrib["points"].split() for line in ElementTree.fromstring(image_of(html))]
    assert places[1] == ["6.0,144.0", "278.0,6.0"]
    assert "f1: 0.5 → 1.5, least 0.5, greatest 1.5" in html


def trained_tagger():
    tagger = Tagger()
    assert "not trained yet" in repr(tagger) and "<table>" in tagger._repr_html_()
    tagger.start(shipped().train.sentences)
    assert "finds: LOC; 421 words" in repr(tagger)
    return tagger


def test_a_plot_shows_itself():
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    figure = History([{"epoch": i, "loss": 1 / i} for i in range(1, 5)]).plot()
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_a_history_without_a_curve_shows_its_table():
    for rows in ([], [{"epoch": 1, "loss": 2.0}], [{"epoch": 1, "loss": math.nan}] * 2):
        html = History(rows)._repr_html_()
        assert "<img" not in html and "<table>" in html


def test_very_large_graphs_and_cycles_are_shown_as_text(monkeypatch):
    monkeypatch.setattr(picture, "MOST_VALUES", 5)
    assert set(picture.mimebundle(worked_example())) == {"text/plain"}
    a = Value(1.0)
    b = a + 1
    a._prev = (b,)
    assert picture.mimebundle(b) == {"text/plain": repr(b)}


@pytest.mark.parametrize("layout", ["built-in", "dot"])
def test_an_image_shrinks_to_half_its_width_and_scrolls_below(layout):
    drawn = render(worked_example(), layout=layout)
    width = float(re.search(r'width="([\d.]+)(?:pt)?"', drawn.svg)[1])
    assert f"min-width:{int(width / 2)}px" in notebook.figure(drawn)


def test_an_image_is_light_and_dark_where_the_notebook_is():
    image = image_of(notebook.figure(render(worked_example())))
    sheet = re.search("<style>(.*?)</style>", image)[1]
    light, dark = sheet.split("@media (prefers-color-scheme:dark)")
    for name in ("paper", "value", "gradient", "line"):
        assert LIGHT[name] in light and DARK[name] in dark
    assert DARK["value"] not in light and LIGHT["value"] not in dark


def test_a_picture_shows_itself():
    drawn = render(worked_example(), "fprop")
    bundle = drawn._repr_mimebundle_()
    assert bundle["text/plain"] == "Picture(6 Values, 6 boxes, 6 edges, fprop)"
    assert "forward pass" in bundle["text/html"]


def test_a_page_of_a_large_graph_holds_picture_and_table(monkeypatch):
    monkeypatch.setattr(notebook, "MOST_STEPPED", 5)
    page = render(worked_example(), "both").html()
    read = Reader(page)
    assert page.startswith("<!doctype html>") and read.tags.count("svg") == 1
    assert "both passes" in page and "script" not in read.tags
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_page_is_the_step_through():
    assert 'id="steps"' in render(worked_example()).html()


def test_labels_are_text(monkeypatch):
    monkeypatch.setattr(notebook, "MOST_STEPPED", 5)
    drawn = render(bad_graph(), level="full")
    ElementTree.fromstring(image_of(notebook.figure(drawn)))
    for html in (notebook.figure(drawn), drawn.html()):
        read = Reader(html)
        assert read.tags.count("img") <= 1 and "script" not in read.tags
        assert "<script>alert(1)</scr…" in read.texts
