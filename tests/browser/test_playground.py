"""The playground in a real browser: typing, examples, links, zoom, and every size of screen."""

import random
import re

import pytest

from micrograd.expressions import parse
from micrograd.nn import MLP
from micrograd.stepper import page
from micrograd.stepper.document import play_page
from micrograd.stepper.examples import EXAMPLES
from tests.browser.test_step_page import boxes, place
from tests.stepper_graphs import worked_example


@pytest.fixture(scope="module")
def play():
    return play_page()


def test_it_is_one_small_file(play):
    assert len(play.encode()) <= 150_000
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\(", play)
    assert "default-src 'none'" in play
    assert len(page(worked_example()).encode()) <= 80_000


def test_typing_draws_computes_and_steps(opened, play):
    shown = opened(play)
    shown.locator("#expression").fill("h = tanh(w * x); h * h - w")
    assert shown.locator("h1").inner_text().startswith("f = tanh(w · x) · tanh(w · x) − w")
    assert [*boxes(shown)] == ["x", "w", "a", "h", "b", "f"]
    shown.get_by_role("textbox", name="w", exact=True).fill("-0.5")
    shown.get_by_role("slider", name="x", exact=True).fill("2")
    shown.locator("#last").click()
    root = parse("h = tanh(w * x); h * h - w", {"w": -0.5, "x": 2.0})
    root.backward()
    told = boxes(shown)
    assert told["f"] == ("1.08", "1") and told["w"][1] == f"{root.parents[1].grad:.4g}".replace(
        "-", "−"
    )
    assert "e=h%20%3D%20tanh" in shown.evaluate("location.href") and {"w=-0.5", "x=2"} <= set(
        shown.evaluate("location.href").split("&")
    )


def test_a_link_shows_what_was_seen(opened, play):
    first = opened(play)
    first.locator("#expression").fill("step * e + 2")
    first.get_by_role("textbox", name="step", exact=True).fill("3")
    first.locator("#language").select_option("zh")
    for _ in range(3):
        first.locator("#next").click()
    hash = first.evaluate("location.href").partition("#")[2]
    second = opened(play, f"#{hash}")
    assert second.evaluate("location.href").partition("#")[2] == hash
    assert place(second) == "4 / 8" and boxes(second)["f"] == ("5", "1")
    assert boxes(second)["step"][0] == "3"
    assert second.locator("#next").inner_text() == "下一步"
    assert second.locator("#expression").input_value() == "step * e + 2"


NAMED = "a_name_that_is_longer_than_a_picture_shows"


@pytest.mark.parametrize(
    ("text", "edits", "values"),
    [
        ("2 * x + 3", {"2 in a": "5", "x": "-0", "3 in f": "1e-300"}, ["5", "-0", "1e-300"]),
        ("2 * x + 3", {"2 in a": "1e21", "x": "-1e+308"}, ["1e+21", "-1e+308", "3"]),
        ("k = 4; k * x", {"k": "inf", "x": "7"}, ["inf", "7"]),
        (f"{NAMED} * z", {NAMED[:21]: "6", "z": "0.1"}, ["6", "0.1"]),
        ("שלום * z", {"שלום": "6"}, ["6", "0"]),
    ],
)
def test_a_link_holds_every_edit(opened, play, text, edits, values):
    first = opened(play)
    first.locator("#expression").fill(text)
    for name, number in edits.items():
        first.locator("#leaves").get_by_role("textbox", name=name).fill(number)
    first.locator("#next").click()
    seen = "[page.record.data, page.record.steps, page.at].map(String).join()"
    hash = first.evaluate("location.href").partition("#")[2]
    second = opened(play, f"#{hash}")
    fields = [field.input_value() for field in second.locator("[data-leaf]").all()]
    assert sorted(fields) == sorted(values)
    assert second.evaluate(seen) == first.evaluate(seen)
    assert second.evaluate("location.href").partition("#")[2] == hash
    first.locator("#expression").fill(f"{text} + 1")  # what was given by name stays
    given = {name: number for name, number in edits.items() if " in " not in name and name != "k"}
    for name, number in given.items():
        assert first.locator("#leaves").get_by_role("textbox", name=name).input_value() == number


DAMAGED = {
    "#.9=3": ".9",
    "#.0=banana": ".0",
    "#.3=1": ".3",
    "#e=%28%28&step=2": "e",
    "#x=banana": "x",
    "#x=1e400": "x",
    "#step=-4": "step",
    "#lang=tlh": "lang",
    "#view=none&by=magic": "view, by",
    "#e=9**9**9": "e",
    "#x=1&y=2&nosuch=3": "",
}


def test_a_damaged_link_gives_the_default_and_says_so(opened, play):
    shown = opened(play, "#x=banana")
    for hash, said in DAMAGED.items():
        shown.evaluate("hash => { location.hash = hash; }", hash)
        shown.wait_for_function("location.hash.startsWith('#e=(x')")  # it writes its own
        outcome = shown.locator("#outcome").inner_text()
        assert (f"The link's {said} cannot be read" in outcome) == bool(said), hash
        assert boxes(shown)["a"] and shown.locator("#picture g:has(> .box)").count() == 6


HOSTILE = [
    "(",
    "detach(x)",
    "x +",
    "9**9**9",
    "__import__('os')",
    "(" * 500 + "x" + ")" * 500,
    "x + " * 6000 + "x",
    "log(x - 5)",
    "<img src=x onerror=alert(1)>",
    "x = 1; x = 2",
    "x * 2; -x",
    "constructor(x)",
    "a" * 30_000,
    "",
    "1e999 * x",
    "tanh()",
    " + ".join(f"x{i}" for i in range(600)),
]


def test_what_cannot_be_drawn_is_said_and_the_last_picture_stays(opened, play):
    shown = opened(play)
    field, trouble = shown.locator("#expression"), shown.locator("#trouble")
    for text in HOSTILE:
        before = boxes(shown)
        field.fill(text)
        said = trouble.inner_text()
        assert len(said) > 10 and "{" not in said and boxes(shown) == before, text[:40]
        assert field.get_attribute("aria-invalid") == "true", text[:40]
        field.fill("x * 2")
        assert trouble.inner_text() == "" and [*boxes(shown)] == ["x", "2", "f"], text[:40]


def test_every_example_is_what_python_makes_of_it(opened, play):
    shown = opened(play)
    for number, (_, text, at) in enumerate(EXAMPLES):
        shown.locator("#examples").select_option(str(number))
        assert shown.locator("#trouble").inner_text() == ""
        shown.locator("#last").click()
        root = parse(text, at)
        name = root.label
        assert boxes(shown)[name][1] == "1" and len(boxes(shown)) > 3
        assert float(boxes(shown)[name][0].replace("−", "-")) == pytest.approx(root.data, abs=1e-3)


def test_it_is_moved_and_enlarged(opened, play):
    shown = opened(play)

    def seen():
        return [float(x) for x in shown.locator("#picture svg").get_attribute("viewBox").split()]

    whole = seen()
    shown.locator("#closer").click()
    assert seen()[2] == pytest.approx(whole[2] / 1.25, rel=1e-3)
    shown.keyboard.press("-")
    assert seen()[::2] == pytest.approx(whole[::2], abs=0.1)  # its height may follow the panel
    frame = shown.locator("#picture").bounding_box()
    for _ in range(4):
        shown.keyboard.press("+")
    middle = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    large = seen()
    shown.mouse.move(*middle)
    shown.mouse.down()
    shown.mouse.move(middle[0] - 60, middle[1], steps=4)
    shown.mouse.up()
    assert seen()[0] > large[0] + 10
    shown.locator("#picture").focus()
    shown.mouse.wheel(0, -200)
    shown.wait_for_function(
        f"document.querySelector('#picture svg').viewBox.baseVal.width < {large[2]}"
    )
    shown.locator("#whole").click()
    assert seen()[::2] == pytest.approx(whole[::2], abs=0.1)


def test_what_the_reader_chose_to_see_stays_where_the_window_changes(opened, play):
    shown = opened(play, width=1280, height=720)
    shown.locator("#expression").fill(long_expression(40))
    shown.wait_for_function(f"{NAMES}.length > 80")
    for _ in range(3):
        shown.locator("#farther").click()
    chosen = shown.evaluate("picture.camera.scale")
    fitted = shown.evaluate("Camera.fitting(picture.frame, picture.size())")
    assert chosen < 0.6 * fitted
    shown.evaluate("picture.svg.dataset.old = 1")
    shown.set_viewport_size({"width": 1100, "height": 700})
    shown.wait_for_function("!picture.svg.dataset.old")  # drawn anew for its frame
    assert shown.evaluate("picture.camera.scale") == chosen
    shown.locator("#whole").click()
    assert shown.evaluate("picture.camera.scale") != chosen


# What lies over one another: numbers on edges, numbers and boxes, texts of one box.
OVERLAPS = """() => {
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const framed = e => [e.textContent || 'box', e.getBoundingClientRect()];
  const all = name => [...document.querySelectorAll(`#picture ${name}`)];
  const pairs = (firsts, seconds) => firsts.flatMap(([a, of], i) =>
    seconds(i).filter(([, other]) => over(of, other)).map(([b]) => `${a} | ${b}`));
  const chips = all(':is(.pill, .times)').filter(e => e.getAttribute('visibility') !== 'hidden')
    .map(e => [e.textContent, e.querySelector('rect').getBoundingClientRect()]);
  const boxes = all('.boxes rect.box').map(framed);
  const inside = all('.boxes g:has(> .box)').flatMap(group => {
    const texts = [...group.querySelectorAll('text')].filter(text => text.textContent).map(framed);
    return pairs(texts, i => texts.slice(i + 1));
  });
  return [...pairs(chips, i => [...chips.slice(i + 1), ...boxes]), ...inside];
}"""


@pytest.mark.parametrize("width, height", [(1280, 720), (390, 844)])
def test_no_number_lies_over_another(opened, play, width, height):
    shown = opened(play, "#x=0.37&y=-1.213", width=width, height=height)
    for text in (
        "s = sigmoid(3.3*x - 0.71*y); -log(s)*1.234 + 0.01234*x**2",
        "h1 = tanh(0.77*x - 0.123); h2 = relu(x*y); (h1*1.11 + h2*0.0371 - y)**2",
    ):
        shown.locator("#expression").fill(text)
        for by in ("edge", "node"):
            shown.locator("#by").select_option(by)
            for at in range(shown.evaluate("stops.length")):
                shown.evaluate(f"go({at})")
                assert shown.evaluate(OVERLAPS) == [], (text, by, at)


def test_two_edges_between_the_same_boxes_have_room_for_long_numbers(opened, play):
    hash = "#e=exp(w)*((w/y)*(u/u))&y=3&w=-1.2e-7&u=-1.2e-7&by=node"
    shown = opened(play, hash, width=390, height=844)
    for at in range(shown.evaluate("stops.length")):
        shown.evaluate(f"go({at})")
        assert shown.evaluate(OVERLAPS) == [], at


def test_a_presenters_remote_steps(opened, play):
    shown = opened(play)
    for key, at in (("PageDown", 2), ("PageDown", 3), ("PageUp", 2)):
        shown.keyboard.press(key)
        assert place(shown) == f"{at} / 11"


def test_a_network_opens_by_its_layers(opened):
    shown = opened(page(MLP(3, [4, 1])([1.0, 2.0, 3.0])))
    assert [*boxes(shown)] == ["1", "2", "3", "layer 0", "layer 1"]


SEEN = """() => {
  const frame = document.querySelector('#picture').getBoundingClientRect();
  return [...document.querySelectorAll('#picture g:has(> .box)')].filter(box => {
    const r = box.getBoundingClientRect();
    const across = r.left < frame.right && r.right > frame.left;
    const down = r.top < frame.bottom && r.bottom > frame.top;
    return across && down;
  }).length;
}"""
NAMES = "[...document.querySelectorAll('#picture .boxes .name')].map(name => name.textContent)"


def long_expression(count):
    """Return results that each take one close by and one from anywhere: a tall, wide picture."""
    given = random.Random(3)
    names = [*"xyzuv", *(f"t{i}" for i in range(count))]
    lines = (
        f"{name} = {names[i + 4]} + tanh({given.choice(names[: i + 4])})"
        for i, name in enumerate(names[5:])
    )
    return "; ".join([*lines, f"{names[-1]} * x"])


def test_what_is_in_view_is_drawn_first_and_the_rest_in_its_order(opened, play):
    shown = opened(play, width=1280, height=720)
    typing = f"""() => {{
      const field = document.querySelector('#expression');
      field.value = {long_expression(150)!r};
      field.dispatchEvent(new Event('input'));
      return [{NAMES}.length, ({SEEN})()];
    }}"""
    drawn, seen = shown.evaluate(typing)
    assert 3 <= seen <= drawn < 60  # a large picture does not open on an empty corner
    shown.locator("#farther").click()
    shown.wait_for_function(f"({SEEN})() > {seen}")  # what comes into view is drawn
    shown.wait_for_function(f"{NAMES}.length > 300")
    order = shown.evaluate("view().boxes.map(box => graph.nodes[box.members[0]].name)")
    assert shown.evaluate(NAMES) == order


def test_what_is_drawn_later_shows_the_same_step(opened, play):
    shown = opened(play, width=1280, height=720)
    shown.locator("#expression").fill(long_expression(150))
    shown.locator("#last").click()
    at = {"x": 1.0, "y": 2.0, "z": 0.0, "u": 1.0, "v": 1.0}  # the page's own, and new names at 1
    root = parse(long_expression(150), at)
    root.backward()
    shown.wait_for_function(f"{NAMES}.length > 300")
    assert boxes(shown)["t149"] == (f"{root.parents[0].data:.4g}", "1")
    dashes = shown.locator("#picture .boxes .g").all_text_contents()
    assert len(dashes) > 300 and "–" not in dashes


def test_what_is_said_of_the_numbers_is_of_this_expression_and_in_this_language(opened, play):
    shown = opened(play)
    outcome, trouble = shown.locator("#outcome"), shown.locator("#trouble")
    shown.get_by_role("textbox", name="x", exact=True).fill("5")
    assert outcome.inner_text() == "f is now 14 (recorded: 6)."
    shown.locator("#language").select_option("zh")
    assert outcome.inner_text() == "f 现在是 14（原为 6）。"
    shown.get_by_role("textbox", name="x", exact=True).fill("?")
    shown.locator("#by").select_option("node")  # the number in force stands in the field again
    assert outcome.inner_text() == "f 现在是 14（原为 6）。"
    shown.locator("#expression").fill("x * (")
    shown.locator("#language").select_option("en")
    assert trouble.inner_text() == "This cannot be read at character 6."
    shown.locator("#expression").fill("x * x")
    assert outcome.inner_text() == trouble.inner_text() == ""
    assert shown.locator("#expression").get_attribute("aria-invalid") is None
