"""The array program beside the steps, in a real browser."""

import re

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from demos.error_sharing import network as four_two_one
from demos.error_sharing import walk
from micrograd.expressions import parse
from micrograd.lowering import lower
from micrograd.stepper import page
from tests.lowering_models import window_model
from tests.stepper_graphs import network

ARGUMENTS = "3 inputs are elements of these arguments."


def program_page(program):
    return page(program.root, program=program)


@pytest.fixture(scope="module")
def example():
    return program_page(lower(parse("(x + y) * max(y, z)", {"x": 1, "y": 2, "z": 0})))


@pytest.fixture(scope="module")
def window():
    loss, parameters = window_model(inputs=4, hidden=3)
    return program_page(
        lower(loss, [0.1, 0.2, 0.3, 0.4], [0.5, 0.2, 0.1, 0.7], parameters=parameters)
    )


def lines(shown):
    """Return [line, what is said of it] of the step."""
    rows = shown.evaluate("""() => [...document.querySelectorAll('#lines > div')].map(row =>
      [...row.querySelectorAll('.code, p')].map(part =>
        part.matches('p') ? part.textContent : [...part.children].map(e => e.textContent).join(' ')
      ))""")
    return [[" ".join(text.split()) for text in row] for row in rows]


def marked(shown):
    """Return the numbers of the marked lines of the program."""
    return shown.evaluate(
        "[...document.querySelectorAll('#source li')].flatMap((li, i) =>"
        " li.getAttribute('aria-current') === 'step' ? [i + 1] : [])"
    )


def test_every_step_shows_its_line(opened, example):
    shown = opened(example)
    told = []
    for at in range(11):
        told.append((lines(shown), marked(shown)))
        if at < 10:
            shown.locator("#next").click()
    assert told == [
        ([["line 4 def value_and_grad(x, y, z):", ARGUMENTS]], [4]),
        ([["line 7 a = x + y # ()"]], [7]),
        ([["line 6 b = maximum(y, z) # ()"]], [6]),
        ([["line 8 f = a * b # ()"]], [8]),
        ([["∂f/∂f is 1: it needs no line of its own."]], []),
        ([["line 6 b = maximum(y, z) # ()", "∂f/∂a equals b."]], [6]),
        ([["line 7 a = x + y # ()", "∂f/∂b equals a."]], [7]),
        ([["line 12 dy = b + (y >= z) * a # ()", "∂f/∂y is dy."]], [12]),
        ([["line 11 dz = ~(y >= z) * a # ()", "∂f/∂z is dz."]], [11]),
        ([["line 13 dx = b.copy() # ()", "∂f/∂x is dx."]], [13]),
        ([["line 12 dy = b + (y >= z) * a # ()", "∂f/∂y is dy."]], [12]),
    ]
    assert shown.locator("#steps tr td:last-child").all_inner_texts() == [
        "4",
        "7",
        "6",
        "8",
        "",
        "6",
        "7",
        "12",
        "11",
        "13",
        "12",
    ]


def test_a_line_leads_to_its_first_step(opened, window):
    shown = opened(window)
    shown.locator("#program summary").click()
    items = shown.locator("#source li")
    assert "26 values" in items.nth(3).inner_text()
    assert "27 values" in items.nth(6).inner_text() and "1 value" in items.nth(13).inner_text()
    button = shown.get_by_role("button", name="27 values: first step of line 7", exact=True)
    button.click()
    assert marked(shown) == [7]
    assert lines(shown)[0][0] == "line 7 z1 = x @ W1.T + b1 # (B, 3)"
    assert re.fullmatch(
        r"z1\[\d\] is element \d of z1, for one sample of the batch\.", lines(shown)[0][1]
    )
    backward = items.filter(has_text="dW1 = ").get_by_role("button")
    assert backward.inner_text() == "12 gradients"
    backward.focus()
    shown.keyboard.press("Enter")
    assert 23 in marked(shown)


def test_the_marked_line_is_in_sight(opened, window):
    shown = opened(window, height=700)
    shown.evaluate("document.querySelector('.source').style.maxHeight = '120px'")
    shown.locator("#last").click()
    shown.locator("#program summary").click()
    inside = """(() => {
        const room = document.querySelector('.source').getBoundingClientRect();
        const seen = document.querySelector('#source [aria-current]').getBoundingClientRect();
        return room.top <= seen.top && seen.bottom <= room.bottom;
    })()"""
    shown.wait_for_function(inside)
    shown.locator("#first").click()
    assert shown.evaluate(inside)


def test_steps_of_boxes_show_several_lines(opened):
    shown = opened(program_page(lower(network(3, 4))), "#step=16&view=neuron")
    assert lines(shown) == [
        ["line 12 delta2 = 1 - h2 * h2 # (4,)", "∂loss/∂z2[0] is element 0 of delta2."],
        [
            "line 13 delta1 = delta2 @ W2 * (1 - h1 * h1) # (4,)",
            "4 gradients of this step are computed here.",
        ],
        [
            "line 14 dW2 = delta2[:, None] * h1 # (4, 4)",
            "4 gradients of this step are computed here.",
        ],
    ]
    assert marked(shown) == [12, 13, 14]


def test_a_walk_shows_lines_too(opened):
    net = four_two_one()
    program = lower(net.s)
    shown = opened(page(net.s, walk=walk(net), program=program))
    while not shown.locator("#next").is_disabled():
        shown.locator("#next").click()
    assert lines(shown)[0][0].startswith("line ") and len(marked(shown)) == 1


def test_chinese(opened, example):
    shown = opened(example, "#step=8&lang=zh")
    assert lines(shown) == [["第 12 行 dy = b + (y >= z) * a # ()", "∂f/∂y 就是 dy。"]]
    assert shown.locator("#program summary").inner_text() == "数组程序"
    shown.locator("#program summary").click()
    assert shown.locator("#program p").inner_text().startswith("图中的 6 个值")
    assert shown.locator("#source li").nth(3).get_by_role("button").inner_text() == "3 个值"


@pytest.mark.parametrize("hash", ["#step=9", "#step=30&view=neuron"])
def test_a_phone(opened, window, hash):
    shown = opened(window, hash, width=390, height=844, has_touch=True, is_mobile=True)
    shown.locator("#program summary").click()
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    assert shown.evaluate("document.querySelector('.source').scrollWidth") <= 390


def test_it_prints_on_one_page(opened, example):
    pdf = opened(example, "#step=8").pdf(format="A4", prefer_css_page_size=False)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1


def test_without_a_script_the_program_is_there(opened, example):
    shown = opened(example, java_script_enabled=False)
    shown.locator("#program summary").click()
    assert "dz = ~(y >= z) * a" in shown.locator("#source").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, axe, window, scheme):
    for hash in ("#step=9", "#step=30"):
        shown = opened(window, hash, color_scheme=scheme)
        shown.add_style_tag(content="* { transition: none !important; }")
        shown.locator("#program summary").click()
        shown.evaluate(axe)
        run = "axe.run().then(r => r.violations.map(v => [v.id, v.nodes[0].html]))"
        assert shown.evaluate(run) == []


def test_inputs_to_change_take_the_room_beside_a_tall_panel(opened, window):
    shown = opened(window, width=1280, height=720)
    count, shows, needs, room = shown.evaluate(
        """() => {
      const [leaves, all] = ['#leaves', '#whatif'].map(id => document.querySelector(id));
      const reset = document.querySelector('#reset').getBoundingClientRect();
      return [leaves.children.length, leaves.clientHeight, leaves.scrollHeight,
              all.getBoundingClientRect().bottom - reset.bottom];
    }"""
    )
    assert count > 3  # more than the least height has room for
    assert shows == needs or room < 20


def test_a_program_that_is_not_open_is_not_printed(opened, example):
    shown = opened(example)
    shown.emulate_media(media="print")
    assert not shown.locator("#program summary").is_visible()
    shown.locator("#program").evaluate("part => part.open = true")
    assert shown.locator("#program #source").is_visible()
