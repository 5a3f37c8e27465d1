"""The tagger's pages, read back out of their HTML: the text, its names, the scores, the errors."""

import base64
import hashlib
import random
import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from micrograd import Value
from micrograd.ner.judging import evaluation
from micrograd.ner.judging.scoring import KINDS, Error
from micrograd.ner.showing import page, report
from micrograd.ner.showing.entities import Entity, marked
from micrograd.ner.showing.pictures import Example
from micrograd.ner.text.schemes import Span
from micrograd.ner.text.sentence import Sentence
from micrograd.printing import printable
from micrograd.stepper.tokens import Sentence as Line
from micrograd.training.history import History

SIGNS = [
    "a",
    "Paris",
    " ",
    "  ",
    "\n",
    "\r\n",
    "<b>",
    "&amp;",
    '"',
    "'",
    "\x1b[2J",
    "北京",
    "{x}",
    "%s",
]
TYPES = ["LOC", "PER", "<i>", "a & b", '"', "{}", "地名", "T8"]


class Parts(HTMLParser):
    """Hold (tag, attributes, all text within) of every element, and text where none belongs."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.loose = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])
        if tag not in ("meta", "img"):
            self.open.append(self.found[-1])

    def handle_endtag(self, tag):
        if self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1][0] in ("html", "head", "body", "main", "table", "tr", "ol"):
            self.loose += data.strip()
        if self.open and self.open[-1][1].get("class") == "wide":
            self.loose += data.strip()
        for part in self.open:
            part[2] += data

    def all(self, tag, cls=None):
        return [p for p in self.found if p[0] == tag and cls in (None, p[1].get("class", ""))]

    def texts(self, tag):
        return [text for _, _, text in self.all(tag)]


def random_text(chosen):
    """Return a text and the entities in it, in their order."""
    text, found = "", []
    for _ in range(chosen.randint(0, 12)):
        text += "".join(chosen.choices(SIGNS, k=chosen.randint(0, 4)))
        if chosen.random() < 0.5:
            name = "".join(chosen.choices(SIGNS, k=chosen.randint(1, 3)))
            kind = chosen.choice(TYPES)
            found.append(Entity(kind, name, len(text), len(text) + len(name), chosen.random()))
            text += name
    return text, found


def as_shown(text):
    return printable(text.replace("\r\n", "\n"))


@pytest.mark.parametrize("seed", range(60))
def test_a_page_holds_its_text_and_every_name_of_it(seed):
    chosen = random.Random(seed)
    text, found = random_text(chosen)
    title = chosen.choice(["A title", "<b> & {x}", "北京"])
    html = page.page(text, chosen.sample(found, len(found)), title)
    parts = Parts(html)
    assert parts.texts("title") == parts.texts("h1") == [title]
    ((_, _, shown),) = parts.all("div", "text")
    beside = [as_shown(part) for e in found for part in (e.text, e.type)]
    plain, at = "", 0
    for entity in found:
        plain += as_shown(text[at : entity.start]) + as_shown(entity.text) + as_shown(entity.type)
        at = entity.end
    assert shown == plain + as_shown(text[at:])
    (_, _, legend), *_ = parts.all("p")
    kinds = sorted({entity.type for entity in found})
    assert legend == (" ".join(map(as_shown, kinds)) or "no names found")
    marks = parts.all("mark")
    classes = {text: attributes["class"] for _, attributes, text in marks[: len(kinds)]}
    assert [*classes.values()] == [f"kind{i % 6}" for i in range(len(kinds))]
    for (_, attributes, told), e in zip(marks[len(kinds) :], found, strict=True):
        assert told == as_shown(e.text) + as_shown(e.type)
        assert attributes["class"] == classes[as_shown(e.type)]
        assert attributes["title"] == f"{as_shown(e.type)}, probability {e.probability:.2f}"
    assert parts.texts("small") == beside[1::2]
    (_, _, whole), *_ = parts.all("main")
    assert "".join(whole.split("\n")) == "".join(f"{title}{legend}{shown}".split("\n"))
    assert marked(text, found[::-1]).plain == marked(text, found).plain


def test_every_type_has_its_colour_and_those_begin_again_after_the_last():
    found = [Entity(kind, "x", n, n + 1, 0.5) for n, kind in enumerate(TYPES)]
    html = page.page("x" * len(TYPES), found, "t")
    legend = Parts(html).all("mark")[: len(TYPES)]
    hues = [int(attributes["class"].removeprefix("kind")) for _, attributes, _ in legend]
    assert hues[: max(hues) + 1] == [*range(max(hues) + 1)] and hues[max(hues) + 1] == 0
    assert all(f".kind{hue} {{ --hue: " in html for hue in hues)


@pytest.mark.parametrize("whole", [False, True])
def test_a_page_runs_nothing_and_loads_nothing_but_its_picture(whole):
    html = page.report_page(run()) if whole else page.page("Paris", [], "t")
    policy = re.search('Content-Security-Policy" content="(.*?)"', html)[1]
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    images = "; img-src 'self' file:" if whole else ""
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'{images}"
    assert not {"script", "link", "img"} & {tag for tag, _, _ in Parts(html).found}


def error(number):
    true, said = Span(7, 9, "LOC"), Span(8, 9, "PER")
    kind = KINDS[number % 4]
    spans = {"missed": (true, None), "invented": (None, said)}.get(kind, (true, said))
    words = [f"w{number}.{i}" for i in range(20)]
    return Error(kind, words, *spans, f"news.conll:{number}", 1 - number / 100)


def run(**changes):
    true, said = [["B-LOC", "O", "B-PER"]] * 2, [["B-LOC", "O", "O"], ["O", "O", "B-PER"]]
    tagged = [Sentence(["a", "b", "c"], tags) for tags in said]
    result = evaluation.evaluate(true, tagged)
    result.errors = [*map(error, range(45))]
    rows = [{"epoch": n, "loss": 1 / n, "dev_loss": 1.0, "dev_f1": 50.0} for n in (1, 2, 3)]
    made = page.Run("A run", result, {"words": result.strict}, History(rows), "x", [], None)
    return made._replace(**changes)


def test_a_report_holds_the_scores_under_their_names():
    made = run()
    parts = Parts(page.report_page(made))
    cells = [text for tag, _, text in parts.found if tag in ("td", "th")]
    width = len(report.COLUMNS) + 1
    lines = [cells[i : i + width] for i in range(0, len(cells), width)]
    assert lines[0] == ["", *report.COLUMNS]
    told = report.scores(made.result, made.baselines)
    ((_, _, table),) = parts.all("table")
    caption = f"{report.MODE}, in percent"
    assert "".join(table.split("\n")) == "".join([caption, *cells])
    assert lines[1:] == [[name, *row] for name, row in told.items()] and len(told) > 5
    assert parts.texts("caption") == [caption]
    assert parts.texts("h2") == ["How it learned", "Sentences, tagged", "Hardest errors"]


def test_a_report_lists_the_surest_errors_in_their_context():
    parts = Parts(page.report_page(run()))
    said = next(text for text in parts.texts("p") if "missed" in text)
    assert said.startswith("12 wrong type, 11 wrong border, 11 missed, 11 invented;")
    items = parts.texts("li")
    assert len(items) == 20
    for number, item in enumerate(items):
        one = error(number)
        start = 7 if one.kind == "missed" else 8
        words = " ".join(one.words[start - 6 : 15])
        types = {"missed": "LOC", "invented": "PER"}.get(one.kind, "LOC as PER")
        where = f"{1 - number / 100:.2f}; news.conll:{number}"
        assert item == f"{words} ({one.kind}: {types}, {where})"
    assert parts.texts("b")[:3] == ["w0.8", "w1.8", "w2.7 w2.8"]


def test_a_report_explains_the_share_of_active_samples_where_there_is_one():
    rows = [{"epoch": 1, "loss": 1.0, "dev_f1": 0.0, "active": 90.0}]
    with_share = page.report_page(run(history=History(rows)))
    assert page.ACTIVE in Parts(with_share).texts("p")
    assert page.ACTIVE not in page.report_page(run()) and "" in Parts(
        page.report_page(run())
    ).texts("p")
    for html, titles in ((with_share, 3), (page.report_page(run()), 3)):
        assert sum(f">{title}</text>" in html for title in page.TITLES.values()) == titles


def test_a_report_shows_the_windows_of_its_sample():
    s, s_c = Value(0.25, label="s"), Value(0.5, label="s_c")
    loss = (1 + s_c - s).relu()
    loss.label = "J"
    loss.backward()
    windows = [Line("true", "s", ["in", "<b>", "."], 1), Line("corrupt", "s_c", ["all", "in"], 0)]
    html = page.report_page(run(example=Example("t", windows, loss)))
    parts = Parts(html)
    told = [(a["class"], text) for _, a, text in parts.all("p") if "window" in a.get("class", "")]
    assert told == [
        ("window true", "true window: in <b> . s = 0.25, ∂J/∂s = −1"),
        ("window corrupt", "corrupt window: all in s_c = 0.5, ∂J/∂s_c = +1"),
    ]
    assert [text for _, _, text in parts.all("span", "centre")] == ["<b>", "all"]
    assert "J = 1.25" in parts.texts("b")
    assert [a["href"] for _, a, _ in parts.all("a")] == ["pair.html", "pair.svg"]
    assert [a["src"] for _, a, _ in parts.all("img")] == ["pair.svg"]
    assert parts.loose == Parts(page.report_page(run())).loose == ""
    assert "The sample that is drawn" not in page.report_page(run())
