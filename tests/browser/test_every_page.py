"""Every kind of page on every screen: controls in view, nothing clipped, no violation by axe.

A page is opened once; its size, theme and language change while it is open.
"""

import itertools
import random
import shutil

import pytest

pytest.importorskip("numpy", reason="numpy is not installed")

from micrograd import Value
from micrograd.nn import MLP
from micrograd.render import draw_dot, render
from micrograd.stepper import page, training_page
from micrograd.stepper.document import play_page
from tests.browser.conftest import DRAWN
from tests.stepper_graphs import batch, worked_example
from tests.test_stepper_training import POINTS, TARGETS, recorded, squared

SIZES = {(1280, 720): 12, (390, 844): 0, (1920, 1080): 16}  # and the least size of text there
PAGES = ("step", "play", "batch", "network", "training", "pair", "report", "tags")
WHOLE = ("step", "play", "network", "training")  # pictures that a projector shows whole
# Rows of long lists are alike, and so are the lines of a network: axe would take a minute for all,
# and longer still to leave out each of them, so they are taken away.
AXE = """() => {
  for (const name of ['#steps tr', '#source li', '#picture .wire'])
    document.querySelectorAll(`${name}:nth-child(n+12)`).forEach(e => e.remove());
  return axe.run({ resultTypes: ['violations'] })
    .then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 200)]));
}"""

# What lies outside the window of the controls, and of what is to be seen with them.
OUTSIDE = """() => [...document.querySelectorAll(
    '.controls :is(button, select, input), #expression, #picture, #plane, #tiles')]
  .filter(e => e.checkVisibility())
  .filter(e => {
    const r = e.getBoundingClientRect(), held = e.closest('.controls') || innerWidth > 640;
    const across = r.left >= 0 && r.right <= innerWidth + 0.5;
    return !across || (held && (r.top < 0 || r.bottom > innerHeight + 0.5));
  }).map(e => e.id || e.outerHTML.slice(0, 80))"""
# What is wider than the page, or cut off without a way to scroll there.
CLIPPED = """() => [
  ...(document.documentElement.scrollWidth > innerWidth ? ['the page'] : []),
  ...[...document.querySelectorAll('body *:not(select, option, canvas, svg *)')]
    .filter(e => e.checkVisibility())
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .filter(e => {
      const style = getComputedStyle(e);
      const hides = style.overflowX === 'hidden' && style.clipPath === 'none';
      return hides && e.scrollWidth > e.clientWidth + 1;
    }).map(e => e.outerHTML.slice(0, 80))]"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll(
    '#picture text, header *, .strip *, .controls *, #training *')]
  .filter(e => e.checkVisibility() && !e.closest('[visibility=hidden], option'))
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  .map(e => parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM?.().a ?? 1)))"""
# Texts of the picture that reach beyond their box, and boxes beyond the picture's frame.
BEYOND = """whole => {
  const frame = document.querySelector('#picture').getBoundingClientRect(), beyond = [];
  for (const box of document.querySelectorAll('#picture g:has(> .box)')) {
    const r = box.querySelector(':scope > .box').getBoundingClientRect();
    for (const text of box.querySelectorAll(':scope > text:not(.neuron > .name)')) {
      const t = text.getBoundingClientRect();
      const inside = t.left >= r.left - 1 && t.right <= r.right + 1;
      if (t.width && !inside) beyond.push(text.textContent);
    }
    const across = r.left >= frame.left - 1 && r.right <= frame.right + 1;
    const seen = across && r.bottom <= frame.bottom + 1;
    if (whole && !seen) beyond.push(box.querySelector('title').textContent);
  }
  return beyond;
}"""


def four_two_one():
    random.seed(3)
    root = MLP(4, [2, 1], activation="tanh")([Value(0.5 * i, label=f"x{i}") for i in range(4)])
    root.label = "s"
    return root


def written(name, request, beside):
    if name in ("pair", "report", "tags"):
        folder = request.getfixturevalue("tagger")
        shutil.copy(folder / "pair.svg", beside)  # the report shows it
        return (folder / f"{name}.html").read_text("utf-8")
    make = {
        "step": lambda: page(worked_example()),
        "play": play_page,
        "batch": lambda: page(batch(30)),
        "network": lambda: page(four_two_one()),
        "training": lambda: training_page(recorded(60), POINTS, TARGETS, squared, "XOR"),
    }
    return make[name]()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_on_every_screen(opened, axe, request, name, tmp_path):
    hash = {"network": "#view=network&step=9", "training": "#frame=9"}.get(name, "#step=8")
    html = written(name, request, tmp_path)
    shown = opened(html, hash, locale="en-US")
    shown.add_style_tag(content="* { transition: none !important; }")
    shown.evaluate(axe)
    stepped = bool(shown.locator("#place").count())
    for (width, height), scheme in itertools.product(SIZES, ("light", "dark")):
        shown.set_viewport_size({"width": width, "height": height})
        shown.emulate_media(color_scheme=scheme)
        for language in ("en", "zh") if stepped else ("en",):
            if stepped:
                shown.locator("#language").select_option(language)
                shown.wait_for_function(DRAWN)
            where = (width, height, scheme, language)
            assert shown.evaluate(OUTSIDE) == [], where
            assert shown.evaluate(CLIPPED) == [], where
            if stepped:
                assert shown.evaluate(BEYOND, name in WHOLE and width > 1000) == [], where
                assert shown.evaluate(SMALLEST) >= SIZES[width, height] - 0.01, where
            assert shown.evaluate(AXE) == [], where


@pytest.mark.parametrize("name", [*WHOLE, "pair"])
@pytest.mark.parametrize("width, height", [(1366, 633), (1024, 768), (900, 600)])
def test_a_small_window_shows_the_picture_whole(opened, request, name, width, height, tmp_path):
    hash = "#view=network&step=1" if name == "network" else "#step=1"
    shown = opened(written(name, request, tmp_path), hash, width=width, height=height)
    shown.wait_for_function(DRAWN)
    assert shown.evaluate(BEYOND, True) == []
    assert shown.evaluate(SMALLEST) >= 8.99
    shown.set_viewport_size({"width": 1280, "height": 720})
    shown.wait_for_function(DRAWN)
    assert shown.evaluate(SMALLEST) >= 11.99


@pytest.mark.parametrize("name", ["full", "batch", "network", "classic"])
def test_a_picture_holds_all_that_it_draws(opened, name, tmp_path):
    svg = {
        "full": lambda: render(worked_example()).svg,
        "batch": lambda: render(batch(30)).svg,
        "network": lambda: render(four_two_one(), level="network").svg,
        "classic": lambda: draw_dot(worked_example()).pipe("svg").decode(),
    }[name]()
    shown = opened(f"<!doctype html><body style='margin:0'>{svg[svg.index('<svg') :]}", width=1280)
    beyond = """() => {
      const frame = document.querySelector('svg').getBoundingClientRect();
      return [...document.querySelectorAll('svg text')].filter(e => {
        const r = e.getBoundingClientRect();
        return r.left < frame.left || r.right > frame.right + 0.5 || r.bottom > frame.bottom + 0.5;
      }).map(e => e.textContent);
    }"""
    for scheme in ("light", "dark"):
        shown.emulate_media(color_scheme=scheme)
        assert shown.evaluate(beyond) == []
    assert shown.locator("svg text").count() > 5
