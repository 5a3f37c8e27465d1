"""The step-through page in a real browser: controls, keys, predict, what-if, language, theme."""

import itertools
import math
import random
import re
from html import escape

import pytest

from micrograd import Value, scope, topological_order, weighted_sum
from micrograd.graph import snapshot
from micrograd.nn import MLP
from micrograd.render.numerals import shown as shown_number
from micrograd.stepper import Stop, Walk, page
from micrograd.stepper.expression import written_out
from tests.stepper_graphs import batch, network, worked_example


@pytest.fixture(scope="module")
def example():
    return page(worked_example())


def place(shown):
    return shown.locator("#place").inner_text()


def chips(shown):
    """Return the chips' texts, joined part by part: innerText depends on the layout."""
    return shown.evaluate(
        "[...document.querySelectorAll('.chip')].map(chip => [...chip.children]"
        ".map(part => part.textContent.trim().replace(/\\s+/g, ' ')).join(' '))"
    )


def boxes(shown):
    """Return name: (value, gradient) for every box of the picture."""
    texts = shown.evaluate(
        "[...document.querySelectorAll('#picture g:has(> .box)')].map(g =>"
        " ['.name', '.v', '.g'].map(c => g.querySelector(c).textContent))"
    )
    return {name: (value, gradient) for name, value, gradient in texts}


def test_it_starts_paused_with_nothing_but_the_inputs(opened, example):
    shown = opened(example)
    assert shown.locator("h1").inner_text() == "f = (x + y) · max(y, z) at x = 1, y = 2, z = 0"
    assert place(shown) == "1 / 11"
    shown.clock.install()
    shown.clock.fast_forward(20_000)
    assert place(shown) == "1 / 11"
    assert boxes(shown) == {
        "x": ("1", "–"),
        "y": ("2", "–"),
        "z": ("0", "–"),
        "a": ("–", "–"),
        "b": ("–", "–"),
        "f": ("–", "–"),
    }
    assert shown.locator("#first").is_disabled() and shown.locator("#back").is_disabled()


def test_the_buttons_and_the_scrub_bar(opened, example):
    shown = opened(example)
    for button, at in (("Next", 2), ("Last", 11), ("Back", 10), ("First", 1)):
        shown.get_by_role("button", name=button, exact=True).click()
        assert place(shown) == f"{at} / 11"
        assert shown.evaluate("location.href").endswith(f"step={at}")
    shown.locator("#scrub").fill("8")
    assert place(shown) == "8 / 11"
    assert shown.locator("#heading").inner_text() == "Backward pass: b → y"
    assert chips(shown) == [
        "downstream 3",
        "upstream ∂f/∂b 3",
        "local ∂b/∂y 1 = 1 if y ≥ z else 0",
        "∂f/∂y so far 3 one more to come",
    ]
    sentence = shown.locator("[aria-live] #sentence").inner_text()
    assert sentence == (
        "max picked y, so the whole upstream gradient is routed to y. "
        "The gradient of y so far is 3; one more contribution is to come."
    )
    shown.get_by_role("button", name="Last", exact=True).click()
    assert chips(shown)[-1] == "∂f/∂y = 3 + 2 5"
    assert boxes(shown) == {
        "x": ("1", "2"),
        "y": ("2", "5"),
        "z": ("0", "0"),
        "a": ("3", "2"),
        "b": ("2", "3"),
        "f": ("6", "1"),
    }
    assert shown.locator("#next").is_disabled()


def test_the_picture_shows_what_takes_part(opened, example):
    shown = opened(example, "#step=7")
    assert shown.locator("g.gives .name").text_content() == "f"
    assert shown.locator("g.receives .name").text_content() == "b"
    assert shown.locator("g:has(> .v.used) .name").text_content() == "a"
    pills = shown.locator(".pill[visibility=visible]")
    assert pills.all_text_contents() == ["2", "3"]
    assert shown.locator(".times[visibility=visible]").all_text_contents() == ["×3"]
    assert shown.locator(".edge.backward").count() == 1
    shown.keyboard.press("Home")
    shown.keyboard.press("ArrowRight")
    assert shown.locator("g.forward .name").text_content() == "a"
    assert shown.locator(".edge.forward").count() == 2
    assert boxes(shown)["a"] == ("3", "–")


def test_the_keyboard_alone(opened, example):
    shown = opened(example)
    for key, at in (
        ("ArrowRight", 2),
        ("ArrowRight", 3),
        ("ArrowLeft", 2),
        ("End", 11),
        ("ArrowRight", 11),
        ("Home", 1),
        ("ArrowLeft", 1),
    ):
        shown.keyboard.press(key)
        assert place(shown) == f"{at} / 11"
    shown.locator("#scrub").focus()
    shown.keyboard.press("ArrowRight")
    assert place(shown) == "2 / 11"
    shown.locator("#next").focus()
    shown.keyboard.press("Space")
    assert place(shown) == "3 / 11" and shown.locator("#play").inner_text() == "Play"
    shown.keyboard.press("Enter")
    assert place(shown) == "4 / 11"


def test_everything_is_reached_by_tab(opened, example):
    shown = opened(example, "#step=5")
    seen = set()
    for _ in range(60):
        shown.keyboard.press("Tab")
        seen.add(shown.evaluate("document.activeElement.id"))
    assert seen >= {
        "language",
        "theme",
        "first",
        "back",
        "play",
        "next",
        "last",
        "scrub",
        "speed",
        "by",
        "predict",
    }


def test_play_runs_to_the_end_and_pauses(opened, example):
    shown = opened(example)
    shown.clock.install()
    shown.clock.pause_at(shown.evaluate("Date.now() + 1000"))
    shown.locator("#speed").select_option("fast")
    shown.keyboard.press("Escape")
    shown.locator("h1").click()
    shown.keyboard.press("Space")
    assert shown.locator("#play").inner_text() == "Pause"
    shown.clock.run_for(1300)
    assert place(shown) == "3 / 11"
    shown.locator("#play").click()
    shown.clock.run_for(5000)
    assert place(shown) == "3 / 11" and shown.locator("#play").inner_text() == "Play"
    shown.locator("#play").click()
    shown.clock.run_for(600 * 12)
    assert place(shown) == "11 / 11" and shown.locator("#play").inner_text() == "Play"
    shown.locator("#speed").select_option("slow")
    shown.locator("#play").click()
    assert place(shown) == "1 / 11"
    shown.clock.run_for(2900)
    assert place(shown) == "1 / 11"
    shown.clock.run_for(200)
    assert place(shown) == "2 / 11"


@pytest.mark.parametrize(
    "hash, at", [("#step=9", 9), ("#step=99", 11), ("#step=-3", 1), ("#step=x", 1), ("#", 1)]
)
def test_deep_links(opened, example, hash, at):
    assert place(opened(example, hash)) == f"{at} / 11"


def test_a_link_followed_within_the_page(opened, example):
    shown = opened(example, "#step=2")
    shown.evaluate("location.hash = '#step=6&by=node&lang=zh'")
    shown.wait_for_function("document.documentElement.lang === 'zh-Hans'")
    assert place(shown) == "6 / 8"
    assert shown.locator("#by").input_value() == "node"


def test_steps_by_node(opened, example):
    shown = opened(example)
    shown.locator("#by").select_option("each node")
    shown.keyboard.press("Escape")
    shown.locator("#last").click()
    assert place(shown) == "8 / 8"
    assert shown.locator("#heading").inner_text() == "Backward pass: a → x, y"
    assert chips(shown)[3] == "∂f/∂x 2" and chips(shown)[7] == "∂f/∂y = 3 + 2 5"
    assert shown.locator(".edge.backward").count() == 2


def test_predict_hides_then_reveals(opened, example):
    shown = opened(example, "#step=7")
    shown.locator("#predict").check()
    assert "3" not in chips(shown)[0] and chips(shown)[0] == "downstream ?"
    assert shown.locator("#sentence").inner_text() == "What does f hand to b?"
    assert boxes(shown)["b"] == ("2", "?")
    assert shown.locator(".pill[visibility=visible]").all_text_contents() == ["2", "?"]
    for no_number in ("", "3,0", "x"):
        shown.locator("#answer").fill(no_number)
        shown.locator("#answer").press("Enter")
        assert shown.locator("#sentence").inner_text().startswith("Give a number. What does f")
        assert chips(shown)[0] == "downstream ?"
    shown.locator("#answer").fill("2")
    shown.locator("#answer").press("Enter")
    assert shown.locator("#sentence").inner_text().startswith("Not quite: it is 3.")
    assert chips(shown)[0] == "downstream 3"
    shown.locator("#next").click()
    assert boxes(shown)["y"] == ("2", "?")
    shown.locator("#answer").fill("3.0")
    shown.get_by_role("button", name="Check").click()
    assert shown.locator("#sentence").inner_text().startswith("Right: 3.")
    shown.keyboard.press("ArrowRight")
    assert place(shown) == "9 / 11" and shown.locator("#guess").is_visible()
    shown.keyboard.press("ArrowRight")
    assert place(shown) == "9 / 11" and not shown.locator("#guess").is_visible()
    shown.locator("#back").click()
    shown.locator("#reveal").click()
    assert not shown.locator("#guess").is_visible()
    assert shown.locator("#steps td").all_inner_texts().count("?") == 2 * 3
    shown.locator("#predict").uncheck()
    assert "?" not in shown.locator("#steps td").all_inner_texts()


def test_what_if_recomputes_both_passes(opened, example):
    shown = opened(example, "#step=11")
    shown.get_by_role("textbox", name="y", exact=True).fill("−3")
    assert boxes(shown) == {
        "x": ("1", "0"),
        "y": ("−3", "0"),
        "z": ("0", "−2"),
        "a": ("−2", "0"),
        "b": ("0", "−2"),
        "f": ("0", "1"),
    }
    assert shown.locator("#outcome").inner_text() == "f is now 0 (recorded: 6)."
    assert shown.locator("#inputs").inner_text() == "at x = 1, y = −3, z = 0"
    shown.locator("#scrub").fill("8")
    assert "did not pick y" in shown.locator("#sentence").inner_text()
    shown.get_by_role("textbox", name="z", exact=True).fill("4e")
    assert shown.locator("#outcome").inner_text() == "Give a number."
    assert (
        shown.get_by_role("textbox", name="z", exact=True).get_attribute("aria-invalid") == "true"
    )
    shown.get_by_role("textbox", name="z", exact=True).fill("4")
    assert boxes(shown)["f"][0] == "−8"
    shown.locator("#reset").click()
    assert boxes(shown)["f"][0] == "6"
    assert shown.get_by_role("textbox", name="y", exact=True).input_value() == "2"
    for special, told in (("inf", "inf"), ("nan", "nan"), ("−0", "0"), ("1e-300", "1e−300")):
        shown.get_by_role("textbox", name="x", exact=True).fill(special)
        assert boxes(shown)["x"][0] == told


def test_a_field_whose_number_is_not_in_force_says_so(opened):
    shown = opened(page((Value(5.0, label="x") - Value(1.0, label="y")).log()), "#step=4")
    x, y = (shown.get_by_role("textbox", name=name, exact=True) for name in "xy")
    said = shown.locator("#outcome")

    def marked():
        return [field.get_attribute("aria-invalid") for field in (x, y)]

    x.fill("abc")
    y.fill("2")
    assert marked() == ["true", None] and boxes(shown)["v2"][0] == "3"
    x.fill("1")
    assert marked() == ["true", None] and "no finite value" in said.inner_text()
    y.fill("1")
    assert marked() == ["true", "true"] and boxes(shown)["v2"][0] == "3"
    y.fill("-3")  # with the 1 that stands in the other field
    assert marked() == [None, None] and boxes(shown)["v2"][0] == "4"
    assert boxes(shown)["x"][0] == "1"
    shown.locator("#reset").click()
    assert [x.input_value(), y.input_value()] == ["5", "1"]


LAID_OVER = """() => {
  const pills = [...document.querySelectorAll('#picture .pill[visibility=visible] rect')];
  const seen = pills.map(rect => rect.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return seen.filter((a, i) => seen.some((b, j) => i < j && meet(a, b))).length;
}"""


@pytest.mark.parametrize("width, height", [(390, 844), (1280, 720)])
def test_fields_and_list_show_numbers_and_names_whole(opened, width, height):
    x, y = Value(1.2345678901234e-09, label="x"), Value(-0.000123456789, label="a_rather_long_name")
    shown = opened(page(x * y), width=width, height=height)
    for field in shown.locator("[data-leaf]").all():
        assert field.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), field.input_value()
    assert (
        len({round(e.bounding_box()["x"]) for e in shown.locator(".leaf [type=range]").all()}) == 1
    )


def test_the_picture_does_not_shrink_for_boxes_that_are_too_far_apart_all_the_same(opened):
    x = Value(0.5, label="x")
    far = x.tanh()
    for _ in range(20):
        far = far.tanh()
    shown = opened(page(far * x), width=1280, height=720)
    scales = set()
    for step in range(int(place(shown).split(" / ")[1])):
        shown.evaluate(f"go({step})")
        scales.add(shown.evaluate("picture.camera.scale * 13"))
    assert min(scales) >= 11.99


def test_long_numbers_of_neighbours_are_read_on_a_phone(opened):
    x, y, z, w = (Value(number) for number in (-0.05, -0.02588, -0.06, -0.01588))
    shown = opened(page((x + y) * (z + w)), width=390, height=844)
    shown.locator("#last").click()
    assert shown.locator("#picture .pill[visibility=visible]").count() == 6
    assert shown.evaluate(LAID_OVER) == 0


def test_small_numbers_stay_in_their_boxes_on_a_phone(opened):
    shown = opened(page(Value(-1.2345e-10, label="x") * 1.0), width=390, height=844)
    shown.locator("#last").click()
    ends = shown.evaluate(
        "[...document.querySelectorAll('#picture g:has(> .box)')].map(box => ['.v', '.box']"
        ".map(part => box.querySelector(part).getBoundingClientRect().left))"
    )
    assert len(ends) == 3 and all(number > box for number, box in ends)


def test_a_negative_contribution_is_added_in_brackets(opened):
    x = Value(2.0, label="x")
    shown = opened(page(x - x * 3.0))
    texts = []
    for _ in range(shown.evaluate("stops.length")):
        texts += chips(shown)
        shown.keyboard.press("ArrowRight")
    assert "∂v3/∂x = 1 + (−3) −2" in texts


def test_a_slider_reaches_to_the_largest_numbers(opened):
    shown = opened(page(Value(1e308, label="x").tanh()))
    slider = shown.get_by_role("slider", name="x")
    assert slider.evaluate("s => [s.min, s.max, s.value].map(Number)") == [-8e307, 8e307, 8e307]
    slider.press("Home")
    assert boxes(shown)["x"][0] == "−8e307"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (320, 256)])  # 320: 400 % of 1280
def test_a_badge_that_keys_reach_is_seen(opened, width, height):
    shown = opened(page(network(3, 4)), width=width, height=height)
    badges = shown.locator("#picture .badge").count()
    shown.locator("#picture").focus()
    for _ in range(badges):
        shown.keyboard.press("Tab")
        seen = shown.evaluate(
            "() => { const { left, top, width, height } = document.activeElement"
            ".getBoundingClientRect(); return document.activeElement.contains("
            "document.elementFromPoint(left + width / 2, top + height / 2)); }"
        )
        assert shown.locator(".badge:focus").count() and seen


@pytest.mark.parametrize("width", [390, 1280])
def test_without_a_script_nothing_is_there_that_would_not_work(opened, example, width):
    shown = opened(example, width=width, java_script_enabled=False)
    assert shown.locator("h1").inner_text().startswith("f = (x + y) · max(y, z)")
    assert "Allow them for this page" in shown.locator("noscript").first.inner_text()
    dead = "button, input, select, summary, #panel, #picture"
    assert not [part for part in shown.locator(dead).all() if part.is_visible()]


def test_a_browser_that_is_too_old_is_told(chromium, example, tmp_path):
    (tmp_path / "page.html").write_text(example, "utf-8")
    shown = chromium.new_page()
    shown.add_init_script("delete globalThis.DecompressionStream")
    shown.goto((tmp_path / "page.html").as_uri())
    assert "a browser of 2023 or later" in shown.locator("#heading").inner_text()
    shown.close()


@pytest.mark.parametrize("make", [worked_example, lambda: network(3, 2)])
def test_a_walk_adds_up_in_its_own_order(opened, make):
    root, rng = make(), random.Random(4)
    order, steps = topological_order(root), [*root.steps()]
    stops = [Stop({"en": "."}, step.node, step.operand) for step in steps]
    stops += [Stop({"en": "."}, step.operand) for step in steps]
    rng.shuffle(stops)
    walk, handed = Walk({"en": "random"}, stops), {}
    shown = opened(page(root, walk=walk))
    for at, told in enumerate(walk.steps(root)):
        node, operand = stops[at].node, stops[at].operand
        for step in steps:
            if (step.operand is node) if operand is None else (step[:2] == (node, operand)):
                handed.setdefault(step.operand, {})[step.node, step.position] = step.contribution
        so_far = sum(handed[operand or node].values())
        assert told["gradient"] == pytest.approx(so_far, rel=1e-12), (at, told)
        now = shown.evaluate(
            "([at, id]) => { go(at); return state.grads.get(id); }",
            [at, order.index(operand or node)],
        )
        assert now == pytest.approx(told["gradient"], rel=1e-12)


def test_what_if_in_a_collapsed_graph_is_what_the_engine_says(opened):
    root = network(3, 4)
    x0, x1, x2 = (v for v in topological_order(root) if v.label.startswith("x"))
    shown = opened(page(root), "#view=neuron")
    shown.locator("#last").click()
    assert shown.locator("#leaves [data-leaf]").count() == 3
    shown.get_by_role("textbox", name="x0").fill("-2.25")
    x0.data = -2.25
    root.forward()
    root.backward()
    told = boxes(shown)
    assert {name: told[name] for name in ("x0", "x1", "x2", "loss Σ")} == {
        "x0": ("−2.25", shown_number(x0.grad)),
        "x1": (shown_number(x1.data), shown_number(x1.grad)),
        "x2": (shown_number(x2.data), shown_number(x2.grad)),
        "loss Σ": (shown_number(root.data), "1"),
    }


def test_a_link_holds_edits_where_there_is_no_expression(opened):
    html = page(Value(2.0, label="a b").tanh() * Value(3.0, label="c"))
    first = opened(html)
    first.get_by_role("textbox", name="a b").fill("0.5")
    hash = first.evaluate("location.hash")
    second = opened(html, hash)
    assert second.get_by_role("textbox", name="a b").input_value() == "0.5"
    assert second.locator("#outcome").inner_text() == first.locator("#outcome").inner_text() != ""
    second.locator("#reset").click()
    assert second.evaluate("location.hash") == "#step=1"


def test_what_if_changes_numbers_of_the_formula(opened):
    x = Value(3, label="x")
    a = x * 2
    f = a + 1
    a.label, f.label = "a", "f"
    shown = opened(page(f), "#step=2")
    assert shown.locator("#sentence").inner_text().startswith("a is x · 2;")
    labels = shown.locator("#leaves label").all_inner_texts()
    assert [text.strip() for text in labels] == ["x", "2 in a", "1 in f"]
    shown.get_by_role("textbox", name="2 in a").fill("-5")
    assert boxes(shown)["−5"][0] == "−5" and boxes(shown)["a"][0] == "−15"
    assert shown.locator("#title").inner_text() == "f = x · (−5) + 1"
    assert shown.title() == "f = x · (−5) + 1 · step by step"
    assert shown.locator("#sentence").inner_text().startswith("a is x · (−5);")
    assert shown.locator("#outcome").inner_text() == "f is now −14 (recorded: 7)."
    assert shown.get_by_role("textbox", name="2 in a").evaluate(
        "field => field === document.activeElement"
    )
    shown.locator("#reset").click()
    assert boxes(shown)["2"][0] == "2" and boxes(shown)["a"][0] == "6"
    assert shown.locator("#title").inner_text() == "f = x · 2 + 1"


def test_the_heading_is_pythons(opened):
    """A number that is changed, and sums of which a few terms more are too many."""
    shown = opened(page(Value(2.0)))
    assert shown.locator("#title").inner_text() == "2"
    shown.locator("[data-leaf]").fill("3")
    assert shown.locator("#title").inner_text() == "3"
    for count in (19, 20):
        w, x = ([Value(1.0, label=f"{name}{i}") for i in range(count)] for name in "wx")
        root = weighted_sum(w, x)
        text = written_out(snapshot(root))
        assert opened(page(root)).locator("#title").inner_text() == text
        assert ("…" in text) == (count == 19)


def test_a_slider_follows_what_is_typed_at_once(opened, example):
    shown = opened(example)
    shown.get_by_role("textbox", name="x", exact=True).fill("-1.5")
    slider = shown.get_by_role("slider", name="x", exact=True)
    assert float(slider.input_value()) == pytest.approx(-1.5)


def test_what_if_refuses_where_the_engine_would(opened):
    x = Value(2, label="x")
    root = x.log()
    root.label = "f"
    shown = opened(page(root))
    shown.get_by_role("textbox", name="x", exact=True).fill("0")
    text = shown.locator("#outcome").inner_text()
    assert text == "f = log(x) has no finite value there; the last numbers stay."
    assert boxes(shown)["x"] == ("2", "–")


def test_a_slope_without_a_formula_has_no_equals_sign(opened):
    x = Value(2.0, label="x")
    by_hand = Value(8.0, (x,), "cube")
    by_hand._backward = lambda: setattr(x, "grad", x.grad + 12.0 * by_hand.grad)
    for root in (by_hand, Value(8.0, (x,), (12.0,))):
        shown = opened(page(root))
        shown.keyboard.press("End")
        assert "local ∂v1/∂x 12" in [chip.strip() for chip in chips(shown)]


def test_a_backward_function_of_ones_own_below_an_upstream_gradient_of_0(opened):
    x = Value(2.0, label="x")
    by_hand = Value(8.0, (x,), "cube", label="h")
    by_hand._backward = lambda: setattr(x, "grad", x.grad + 5.0)
    shown = opened(page(by_hand * 0.0))
    shown.keyboard.press("End")
    assert [chip.strip() for chip in chips(shown)][2] == "local ∂h/∂x nan"
    assert shown.locator("#sentence").inner_text() == (
        "h has a backward function of its own; it hands x its share, of which no local gradient "
        "can be read off."
    )


def test_what_if_writes_numbers_as_the_boxes_do(opened):
    root = Value(math.nan, label="x") * Value(-math.inf, label="y") + Value(math.inf, label="z")
    shown = opened(page(root))
    written = shown.evaluate("[...document.querySelectorAll('[data-leaf]')].map(f => f.value)")
    assert written == ["nan", "−inf", "inf"]
    shown.get_by_label("x", exact=True).first.fill("−inf")
    assert boxes(shown)["x"][0] == "−inf"


def test_what_if_without_formulas_says_so(opened):
    x = Value(2.0, label="x")
    out = Value(8.0, (x,), "cube", label="out")
    out._backward = lambda: setattr(x, "grad", x.grad + 12 * out.grad)
    shown = opened(page(out), "#step=4")
    assert chips(shown)[0] == "downstream 12"
    assert "backward function of its own" in shown.locator("#whatif p").first.inner_text()
    assert shown.locator("#leaves input").count() == 0


def test_chinese(opened, example):
    shown = opened(example, "#step=8")
    shown.locator("#language").select_option("zh")
    assert shown.locator("html").get_attribute("lang") == "zh-Hans"
    assert shown.locator("#play").inner_text() == "播放"
    sentence = "max 选中了 y，上游梯度全部传给 y。y 的梯度目前是 3，还有一路未到。"
    assert shown.locator("#sentence").inner_text() == sentence
    assert shown.title() == "f = (x + y) · max(y, z) · 逐步演示"
    assert shown.locator("#heading").inner_text() == "反向传播：b → y"
    told = shown.locator("#scrub").get_attribute("aria-valuetext")
    assert told == "8 / 11：反向传播：b → y"
    assert "a：x + y" in shown.locator("#picture title").all_text_contents()
    assert "lang=zh" in shown.evaluate("location.href")
    english = re.compile("[A-Za-z]{4,}")
    text = shown.locator("body").inner_text().replace("English", "")
    assert not [
        w
        for w in english.findall(text)
        if w not in ("else", "Home", "Page", "Down", "sigmoid", "softmax")
    ]
    shown.locator("#language").select_option("en")
    assert shown.locator("#play").inner_text() == "Play"


def test_a_chinese_reader_gets_chinese(opened, example):
    assert opened(example, locale="zh-CN").locator("#next").inner_text() == "下一步"


def paper(shown):
    return shown.evaluate("getComputedStyle(document.body).backgroundColor")


def test_themes(opened, example):
    light, dark = "rgb(255, 255, 255)", "rgb(20, 24, 29)"
    shown = opened(example, color_scheme="dark")
    assert paper(shown) == dark
    shown.locator("#theme").select_option("light")
    assert paper(shown) == light
    shown.locator("#theme").select_option("dark")
    assert paper(shown) == dark
    shown.locator("#theme").select_option("system")
    shown.emulate_media(color_scheme="light")
    assert paper(shown) == light


def test_reduced_motion(opened, example):
    shown = opened(example, reduced_motion="reduce")
    durations = "getComputedStyle(document.querySelector('svg .box')).transitionDuration"
    assert shown.evaluate(durations) == "0s"
    shown.emulate_media(reduced_motion="no-preference")
    assert shown.evaluate(durations) != "0s"


def test_all_steps_are_listed_as_text_and_link(opened, example):
    shown = opened(example)
    rows = shown.locator("#steps tr")
    assert rows.count() == 11
    assert rows.nth(10).locator("td").all_inner_texts() == [
        "11",
        "Backward pass",
        "a → y",
        "2 × 1 = 2",
        "+ distributes: y gets the whole upstream gradient. y is used several times, so "
        "the contributions sum: now 5.",
    ]
    rows.nth(6).get_by_role("link").click()
    assert place(shown) == "7 / 11"
    assert rows.nth(6).get_attribute("aria-current") == "step"
    assert shown.locator("[aria-current]").count() == 1


def test_a_phone(opened, example):
    shown = opened(example, "#step=8", width=390, height=844, has_touch=True, is_mobile=True)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.evaluate("document.querySelector('#picture').scrollWidth") <= 390
    sizes = shown.evaluate(
        "[...document.querySelectorAll('.controls button:not([hidden])')]"
        ".map(b => b.getBoundingClientRect())"
    )
    assert len(sizes) == 5 and all(size["height"] >= 44 and size["width"] >= 44 for size in sizes)
    font = "document.querySelector('svg .v').getBoundingClientRect().height"
    assert shown.evaluate(font) >= 12
    shown.locator("#next").tap()
    assert place(shown) == "9 / 11"


def test_short_names_are_whole_on_a_phone(opened):
    with scope("layer 3"):
        root = (network(3, 4, 3) - 100.0).tanh()
    shown = opened(page(root), "#view=layer", width=390, height=844)
    names = shown.locator("#picture .name").all_text_contents()
    assert {"layer 0", "layer 1", "layer 2", "layer 3"} <= {*names} and "…" not in str(names)
    notes = shown.locator("#picture .note").all_text_contents()
    assert all(len(note) > 2 for note in notes if "…" in note)


@pytest.mark.parametrize("width", [390, 1200])
def test_boxes_do_not_overlap_and_edges_run_between_them(opened, example, width):
    shown = opened(example, width=width)
    rects = shown.evaluate(
        "[...document.querySelectorAll('svg .box')].map(b => b.getBoundingClientRect().toJSON())"
    )
    for i, one in enumerate(rects):
        for other in rects[:i]:
            beside = one["right"] <= other["left"] or other["right"] <= one["left"]
            assert beside or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
    leaves, results = rects[:3], rects[3:]
    ahead = ("bottom", "top") if width == 390 else ("right", "left")
    assert max(r[ahead[0]] for r in leaves) < min(r[ahead[1]] for r in results)


def test_it_prints_on_one_page(opened, example):
    shown = opened(example, "#step=8")
    for format in ("A4", "Letter"):
        pdf = shown.pdf(format=format, prefer_css_page_size=False)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_numbers_into_one_box_stand_apart_on_a_phone(opened, inputs):
    x = [Value(0.5 + i, label=f"x{i}") for i in range(inputs)]
    random.seed(0)
    shown = opened(page(MLP(inputs, [3, 1], activation="tanh")(x)), width=390, height=844)
    shown.locator("#last").click()
    places = shown.locator("#picture .pill[visibility=visible] rect").evaluate_all(
        "rects => rects.map(rect => { const at = rect.getBoundingClientRect();"
        " return [at.left, at.top, at.right, at.bottom]; })"
    )
    assert len(places) == inputs
    for a, b in itertools.combinations(places, 2):
        assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)


COVERED = """(() => {
    const frame = document.querySelector('#picture').getBoundingClientRect();
    const buttons = document.querySelector('.zoom').getBoundingClientRect();
    const boxes = [...document.querySelectorAll('.boxes g:is(.forward, .receives, .gives) > .box')];
    return boxes.map(box => box.getBoundingClientRect()).filter(at =>
        at.left < frame.left || at.right > frame.right || at.top < frame.top
        || at.bottom > frame.bottom || (at.right > buttons.left && at.bottom > buttons.top)).length;
})()"""


@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080)])
def test_the_boxes_of_a_step_are_seen_whole_beside_the_buttons(opened, width, height):
    x, y, z = (Value(n, label=label) for n, label in ((1.0, "x"), (-2.0, "y"), (0.5, "z")))
    f = ((x * y).tanh() + y.exp() * z - x * z) * y.max(z)
    f.label = "f"
    shown = opened(page(f), width=width, height=height)
    shown.wait_for_timeout(300)  # the picture is fitted anew 0.1 s after its room has changed
    count = int(place(shown).split(" / ")[1])
    hidden = []
    for _ in range(count - 1):
        shown.locator("#next").click()
        if shown.evaluate(COVERED):
            hidden.append(place(shown))
    assert not hidden


def softmax(count):
    exps = [Value(0.7 * i - 1.3, label=f"s{i}").exp() for i in range(count)]
    total = sum(exps[1:], exps[0])
    return -(exps[0] / total).log()


def lstm_cell():
    x, h, c = (Value(n, label=label) for n, label in ((-0.7863, "x"), (0.4052, "h"), (0.31, "c")))
    random.seed(5)
    gates = []
    for gate in "ifog":
        w, u, b = (Value(random.uniform(-1, 1), label=f"{name}_{gate}") for name in "wub")
        gates.append(w * x + u * h + b)
    i, f, o, g = *(gate.sigmoid() for gate in gates[:3]), gates[3].tanh()
    return o * (f * c + i * g).tanh()


def early_values_used_late():
    x, y = Value(2.367e-8, label="x"), Value(-0.8726, label="b")
    early = [x.sigmoid(), x.tanh() * y, x * y, y.relu() * x]
    late = x * y + x
    for _ in range(5):
        late = (late * y).tanh()
    return sum(early, late)


def wide_sum():
    weights, inputs = ([Value(0.3 * i - 1, label=f"{x}{i}") for i in range(8)] for x in "wx")
    return weighted_sum(weights, inputs, Value(0.5, label="bias")).tanh()


# What of a step cannot be read: its numbers where they lie on others, or out of sight, and the box
# that computes; and texts of a box that lie on each other.
UNREAD = """(() => {
    const at = e => ['left', 'top', 'right', 'bottom'].map(side => e.getBoundingClientRect()[side]);
    const over = (a, b) =>
        [0, 1].every(i => Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]) > 1);
    const holder = document.querySelector('#picture'), frame = at(holder);
    const beyond = a => [0, 1].some(i => a[i] < frame[i] - 1 || a[i + 2] > frame[i + 2] + 1);
    const all = (kind, root = holder) => [...root.querySelectorAll(kind)];
    const pairs = es => es.flatMap((a, i) =>
        es.slice(i + 1).filter(b => over(at(a), at(b))).map(b => [a, b]));
    const numbers = all(':is(.pill, .times)[visibility=visible] > rect');
    const rows = all('.boxes > g').map(g =>
        all('.g, :has(+ .g)', g).filter(e => e.textContent));
    const edges = picture.edges.map(({ made }) => made);
    const step = [...edges.filter(made => made?.active === 'backward')
        .flatMap(({ pill, times }) => [pill.made, times.made]),
        ...all('.boxes g:is(.forward, .gives) > .box')].filter(Boolean);
    return [...pairs(numbers.filter(e => over(at(e), frame))), ...rows.flatMap(pairs)]
        .map(pair => pair.map(e => e.parentNode.textContent))
        .concat(step.filter(e => beyond(at(e))).map(e => e.outerHTML));
})()"""


@pytest.mark.parametrize("width, height", [(390, 844), (1280, 720)])
@pytest.mark.parametrize("make", [lambda: softmax(4), lstm_cell, early_values_used_late, wide_sum])
def test_the_numbers_of_every_step_can_be_read(opened, make, width, height):
    shown = opened(page(make()), width=width, height=height)
    shown.add_style_tag(content="* { transition: none !important; }")
    count = int(place(shown).split(" / ")[1])
    unread = {}
    for step in range(count):
        shown.evaluate(f"go({step}); refit()")  # the panel's height changes the picture's
        if found := shown.evaluate(UNREAD):
            unread[step] = found
    assert not unread


def test_a_network_shows_roles_by_colour_and_weights_by_width(opened):
    net = MLP(3, [2, 1], activation="tanh")
    for neuron in net.layers[0].neurons:
        for weight, x in zip(neuron.w, (0.1, 1.4, 0.1)):
            weight.data = x
    root = net([Value(0.5, label=f"x{i}") for i in range(3)])
    shown = opened(page(root), "#view=network")
    kinds = "[...document.querySelectorAll('.neuron text')].map(e => e.classList[0]).join(' ')"
    assert shown.evaluate(kinds) == " ".join(["name v v g"] * 3)
    wide = shown.locator(".wire .edge").evaluate_all(
        "edges => edges.map(e => Number(e.style.getPropertyValue('--wide')))"
    )
    assert wide[1] > 2 > 1 > wide[0] > 0


@pytest.mark.parametrize("sizes", [[3, 1, 5, 1], [4, 5, 1], [2, 3, 3, 1], [3, 3, 1]])
def test_the_numbers_of_a_network_stand_apart(opened, sizes):
    random.seed(3)
    net = MLP(sizes[0], sizes[1:], activation="tanh")
    root = net([Value(random.uniform(-1e-3, 1e-3), label=f"x{i}") for i in range(sizes[0])])
    shown = opened(page(root), "#view=network", width=1280, height=720)
    lying = """(() => {
        const rects = [...document.querySelectorAll(
            '#picture :is(:is(.pill, .times)[visibility=visible] > rect, .boxes .box)')]
            .map(e => e.getBoundingClientRect());
        return rects.flatMap((a, i) => rects.slice(i + 1).filter(b =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1)).length;
    })()"""
    for step in range(int(place(shown).split(" / ")[1])):
        shown.evaluate(f"go({step}); refit()")
        assert shown.evaluate(lying) == 0, step


@pytest.mark.parametrize("width, height", [(320, 256), (844, 390)])
def test_the_controls_leave_a_low_window_to_the_picture(opened, example, width, height):
    shown = opened(example, "#step=8", width=width, height=height)
    share = "document.querySelector('.controls').getBoundingClientRect().height / innerHeight"
    assert shown.evaluate(share) < 0.3
    seen = "document.querySelector('.scene').getBoundingClientRect().height / innerHeight"
    assert shown.evaluate(seen) <= 0.71


def test_collapsed_graphs_step_by_box_and_open(opened):
    shown = opened(page(network(3, 4)))
    assert shown.locator("#view").input_value() == "layer"
    shown.locator("#view").select_option("neuron")
    assert place(shown) == "1 / 20"
    assert shown.locator("#view").input_value() == "neuron"
    shown.locator("#next").click()
    sentence = shown.locator("#sentence").inner_text()
    assert sentence == "layer 0 / neuron 0 is computed; operations in it: 7."
    shown.wait_for_timeout(200)  # the picture is fitted anew 0.1 s after its room has changed
    shown.get_by_role("button", name="Open layer 0 / neuron 1, 11 values").click()
    assert shown.locator("#close").is_visible()
    assert shown.locator("#picture g:has(> .box)").count() == 17
    inside = shown.locator("#picture g.inside .name").all_text_contents()
    assert len(inside) == 6 and "x0" not in inside
    shown.get_by_role("button", name="Open layer 0 / neuron 2, 11 values").focus()
    shown.keyboard.press("Enter")
    assert "neuron%202" in shown.evaluate("location.href")
    shown.locator("#close").click()
    assert shown.locator("#picture g:has(> .box)").count() == 12
    shown.locator("#view").select_option("layers")
    assert shown.locator("#picture g:has(> .box)").count() < 12
    shown.locator("#view").select_option("every value")
    shown.locator("#last").click()
    assert int(place(shown).split(" / ")[1]) > 100
    shown.reload()
    assert shown.locator("#view").input_value() == "full"


def test_the_keys_stay_at_their_box_where_the_window_changes(opened):
    shown = opened(page(network(3, 4)), "#view=neuron", width=1280, height=720)
    badge = shown.get_by_role("button", name="Open layer 0 / neuron 2, 11 values")
    badge.focus()
    shown.evaluate("picture.svg.dataset.old = 1")
    shown.set_viewport_size({"width": 1100, "height": 700})
    shown.wait_for_function("!picture.svg.dataset.old")  # drawn anew for its frame
    assert badge.evaluate("badge => badge === document.activeElement")
    shown.keyboard.press("Enter")
    assert "neuron%202" in shown.evaluate("location.href")


def test_a_batch_shows_one_sample_and_counts_all(opened):
    root = batch(30)
    shown = opened(page(root))
    shown.locator("#last").click()
    root.backward()
    assert "1 of 30" in shown.locator("#picture .note").all_text_contents()
    told = shown.locator("#picture title").all_text_contents()
    assert [title for title in told if title.endswith(": 1 of 30 samples")]
    text = shown.locator("#steps").inner_text()
    assert "the rest of the batch (29)" in text


def test_the_seed_is_shown_with_its_number(opened):
    shown = opened(page(worked_example()), "#step=5")
    assert chips(shown) == ["∂f/∂f 1"]
    weighed = opened(page(worked_example(), seed=-2.5), "#step=5")
    assert chips(weighed) == ["∂f/∂f −2.5"]


def test_only_in_a_notebook_the_picture_has_a_height_of_its_own(opened):
    html = page(worked_example())
    height = "document.querySelector('#picture').style.height"
    assert not opened(html).evaluate(height)
    embedded = opened(html.replace("<html", "<html class=embedded"))
    assert embedded.evaluate(f"{height} === `${{picture.height()}}px` && picture.height() > 50")


def test_a_batch_of_two_says_so_at_the_node_that_adds_them(opened):
    model = MLP(2, [3, 1])
    shown = opened(page(model([1.0, 2.0]) + model([0.5, -1.0])), "#view=layer")
    assert "1 of 2" in shown.locator("#picture .note").all_text_contents()
    steps = shown.locator("#steps tr").all_inner_texts()
    place = [n for n, text in enumerate(steps) if "the rest of the batch (1)" in text]
    assert place and "inputs" not in steps[place[0] - 1]  # not before the sample that is drawn


HOSTILE = [
    "<script>alert(1)</script>",
    '"];alert(1);//',
    "</script><img src=x onerror=alert(1)>",
    "a|b",
    "\"'`${alert(1)}",
    "@DATA@ @SCRIPT@",
    "line\nbreak\ttab",
    "x" * 10_000,
    "שלום עולם",
    "مرحبا",
    "🧠🚀",
    "\u202eevil",
    "&lt;b&gt;",
    "--><!--",
    "]]>",
    "\x1b[31m",
    "",
]


def test_labels_are_text_whatever_they_hold(opened):
    root = None
    for label in HOSTILE:
        leaf = Value(1.5, label=label)
        root = leaf if root is None else root * leaf
    root.label = HOSTILE[0]
    shown = opened(page(root, HOSTILE[0]), "#step=20")
    assert shown.locator("script").count() == 4
    assert shown.locator("img, b:not(.row > b)").count() == 0
    names = shown.locator("#leaves").inner_text()
    assert "<script>alert(1)</scr" in names and "🧠🚀" in names and "שלום" in names
    for button in ("#first", "#last"):
        shown.locator(button).click()
    shown.locator("#language").select_option("zh")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 1200
    assert shown.locator("#title").inner_text() == HOSTILE[0]


def test_within_a_notebook_the_picture_is_as_high_as_it_needs(opened, example):
    shown = opened(example.replace("<html", "<html class=embedded"), width=900, height=700)
    needs = shown.evaluate("picture.height()")
    held = shown.locator("#picture").evaluate("e => e.getBoundingClientRect().height")
    assert 100 < needs < 500 and held == needs


def test_a_page_that_was_given_no_address_says_nothing_of_it(opened, example):
    assert opened(example).locator("#outcome").inner_text() == ""
    assert opened(example, "#lang=fr").locator("#outcome").inner_text() != ""


def test_what_a_link_lacks_is_said_until_something_is_chosen(opened, example):
    shown = opened(example, "#lang=fr&x=2&y=one")
    said = shown.locator("#outcome")
    assert said.inner_text() == "The link's lang, y cannot be read; the default stands."
    shown.locator("#language").select_option("zh")
    assert said.inner_text() == "链接中的 lang, y 无法识别，采用默认值。"
    shown.get_by_role("textbox", name="x", exact=True).fill("3")
    assert said.inner_text() == "f 现在是 10（原为 8）。"
    changes = {
        "#by": lambda part: part.select_option("node"),
        "#reset": lambda part: part.click(),
        "#expression": lambda part: part.fill("x * y"),
    }
    for name, change in changes.items():
        shown = opened(example, "#step=x")
        change(shown.locator(name))
        assert shown.locator("#outcome").inner_text() == ""


def test_it_works_within_a_frame_of_a_notebook(opened, example):
    frame = f"<!doctype html><iframe style='width:900px;height:700px' srcdoc=\"{escape(example)}\">"
    shown = opened(frame).frame_locator("iframe")
    shown.locator("#last").click()
    assert shown.locator("#place").inner_text() == "11 / 11"
    shown.locator("#back").click()
    assert shown.locator("#place").inner_text() == "10 / 11"


def test_the_policy_lets_nothing_else_run(chromium, tmp_path, example):
    """Without Playwright's bypass: the page works, and a script put into it does not run."""
    path = tmp_path / "page.html"
    path.write_text(example, "utf-8")
    context = chromium.new_context()
    shown = context.new_page()
    shown.goto(path.as_uri() + "#step=8")
    assert place(shown) == "8 / 11"
    assert paper(shown) == "rgb(255, 255, 255)"
    shown.evaluate(
        "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); }"
    )
    assert shown.evaluate("window.ran") is None
    context.close()


def test_numbers_at_the_edge_are_shown(opened):
    values = {"n": float("nan"), "p": float("inf"), "q": float("-inf"), "z": -0.0, "t": 1e-300}
    root = None
    for name, number in values.items():
        leaf = Value(number, label=name)
        root = leaf if root is None else root * leaf
    root.label = "f"
    shown = opened(page(root), "#step=10")
    texts = {name: value for name, (value, _) in boxes(shown).items()}
    assert [texts[name] for name in values] == ["nan", "inf", "−inf", "0", "1e−300"]
    shown.locator("#last").click()
    assert boxes(shown)["t"][1] == "nan"


def test_axe_finds_no_violation_while_a_reader_predicts(opened, axe, example):
    shown = opened(example, "#step=7")
    shown.add_style_tag(content="* { transition: none !important; }")
    shown.evaluate(axe)
    shown.locator("#predict").check()
    for language in ("en", "zh"):
        shown.locator("#language").select_option(language)
        run = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))"
        assert shown.evaluate(run) == []


def test_how_many_samples_there_are_is_read_on_a_phone_too(opened):
    root = batch(30)
    for language, said in (("en", "1 of 30"), ("zh", "1/30")):
        shown = opened(page(root), f"#lang={language}", width=390, height=844)
        shown.locator("#last").click()
        assert said in shown.locator("#picture .note").all_text_contents()
