"""Pictures in a real browser: labels do nothing, nothing is cut off, no trust is needed."""

import pytest

from micrograd import Value
from micrograd.nn import MLP
from micrograd.render import render
from micrograd.render.picture import mimebundle
from micrograd.render.sheet import DARK, LIGHT, style, unstyled
from tests.pictures import bad_graph, worked_example

# The texts that stick out of their box or chip, and the chips that lie over one another.
OVERFLOW = """() => {
  const found = [];
  for (const box of document.querySelectorAll('.box')) {
    const frame = box.querySelector('.frame').getBoundingClientRect();
    for (const text of box.querySelectorAll('text')) {
      const r = text.getBoundingClientRect();
      if (r.left < frame.left || r.right > frame.right || r.bottom > frame.bottom)
        found.push(text.textContent);
    }
    const [name, note] = ['.name', '.note'].map(k => box.querySelector(k).getBoundingClientRect());
    if (name.right > note.left) found.push(box.textContent);
  }
  const chips = [...document.querySelectorAll('.chip')];
  for (const chip of chips) {
    const [r, t] = ['rect', 'text'].map(k => chip.querySelector(k).getBoundingClientRect());
    if (t.left < r.left || t.right > r.right) found.push(chip.textContent);
  }
  const places = chips.map(chip => chip.getBoundingClientRect());
  places.forEach((a, i) => places.slice(0, i).forEach(b => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      found.push('chips overlap');
  }));
  return found;
}"""


@pytest.fixture
def page(chromium):
    """A page that fails the test where anything runs that should not, or is fetched."""
    page = chromium.new_page()
    events = []
    page.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: events.append(str(error)))
    page.on("request", lambda request: events.append(request.url))
    yield page
    page.close()
    assert [e for e in events if not e.startswith(("data:", "file:", "about:"))] == []


def opened(page, path):
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize("make", [worked_example, bad_graph])
@pytest.mark.parametrize("mode", ["fprop", "bprop"])
def test_every_text_lies_within_its_box(page, tmp_path, make, mode):
    path = render(make(), mode, level="full").save(tmp_path / "x.svg")
    assert opened(page, path).evaluate(OVERFLOW) == []


def test_labels_do_nothing_and_are_all_there(page, tmp_path):
    opened(page, render(bad_graph(), level="full").save(tmp_path / "x.svg"))
    names = page.locator(".name").all_text_contents()
    assert "<script>alert(1)</scr…" in names and '"];' in names
    assert page.locator("script, img").count() == 0


def test_dark_and_light(page, tmp_path):
    path = render(worked_example()).save(tmp_path / "x.svg")
    for scheme, colours in (("light", LIGHT), ("dark", DARK)):
        page.emulate_media(color_scheme=scheme)
        paper = opened(page, path).locator(".paper")
        colour = paper.evaluate("e => getComputedStyle(e).fill")
        red, green, blue = (int(colours["paper"][i : i + 2], 16) for i in (1, 3, 5))
        assert colour == f"rgb({red}, {green}, {blue})"


LOOKS = """() => [...document.querySelectorAll(
    'svg :is(text, rect, path, circle, polygon)')].map(e => {
  const seen = getComputedStyle(e);
  return ['fill', 'stroke', 'strokeWidth', 'strokeOpacity', 'fontSize', 'fontWeight', 'textAnchor']
    .map(name => seen[name]).join(' ');
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("level", ["full", "sums", "neuron", "layer", "network"])
def test_the_attributes_say_what_the_style_sheet_says(page, level, scheme):
    """A notebook's picture has the sheet, a file has the attributes."""
    svg = render(MLP(3, [2, 2, 1])([0.5, -1.0, Value(2.0)]), level=level).svg
    page.emulate_media(color_scheme=scheme)
    page.set_content(svg)
    written = page.evaluate(LOOKS)
    body = unstyled(svg.partition("</style>")[2])
    page.set_content(f'<svg class="micrograd"><style>{style(body, light=True)}</style>{body}')
    assert page.evaluate(LOOKS) == written and len({*written}) > 5


def test_an_untrusted_notebook_shows_image_and_table(page, tmp_path):
    """What is opened untrusted has no scripts, no iframes, and no SVG of its own."""
    html = mimebundle(worked_example())["text/html"]
    path = tmp_path / "notebook.html"
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
    path.write_text(head + html, encoding="utf-8")
    opened(page, path)
    assert page.locator("img").evaluate("e => e.naturalWidth") > 500
    page.get_by_text("Table of values and gradients").click()
    assert page.locator("table").is_visible()
    assert page.locator("tbody tr").count() == 6


def test_a_trusted_notebook_shows_the_step_through(page, tmp_path):
    pytest.importorskip("micrograd.stepper")
    path = tmp_path / "notebook.html"
    html = mimebundle(worked_example())["text/html"]
    path.write_text(f'<meta charset="utf-8">{html}', encoding="utf-8")
    opened(page, path)
    page.locator("summary", has_text="Step through").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("button").first.wait_for()
    assert frame.get_by_role("button").count() >= 5
    assert page.locator("table").count() == 1
