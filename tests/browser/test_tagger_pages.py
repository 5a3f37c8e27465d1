"""What the first command ends with, in a real browser: the page of its pair, seen whole."""

import pytest

from tests.browser.conftest import DRAWN

pytest.importorskip("numpy", reason="numpy is not installed")


def test_the_network_of_the_pair_and_its_names_are_seen_whole(opened, tagger):
    shown = opened((tagger / "pair.html").read_text("utf-8"), width=1280, height=720)
    assert shown.locator("#view").input_value() == "network"
    assert "Museums" in shown.locator("#tokens").inner_text()
    names = shown.locator("#picture .name").all_text_contents()
    assert {"word museums", "case initial", "shape Xx"} <= {*names}
    assert not [name for name in names if "…" in name]
    for size in ({"width": 1280, "height": 720}, {"width": 1920, "height": 1080}):
        shown.set_viewport_size(size)
        shown.wait_for_function(DRAWN)
        ends = shown.evaluate(
            "['#picture', '#picture circle'].map(name => Math.max(...[...document."
            "querySelectorAll(name)].map(part => part.getBoundingClientRect().bottom)))"
        )
        assert ends[1] <= ends[0]


# Names whose type stands in a line below their last character.
PARTED = """[...document.querySelectorAll('mark:has(small)')].filter(mark => {
  const name = document.createRange();
  name.selectNodeContents(mark.firstChild);
  const last = [...name.getClientRects()].at(-1);
  return mark.querySelector('small').getBoundingClientRect().top > last.bottom;
}).length"""


@pytest.mark.parametrize("name", ["Paris", "北京", "W" * 90])
def test_a_word_of_any_length_stays_in_the_page_and_a_type_at_its_name(opened, name):
    from micrograd.ner.showing.entities import Entity
    from micrograd.ner.showing.page import page

    texts, found, at = [], [], 0
    for gap in range(1, 60):  # the name ends at every column
        text = "." * gap + f" {name} {'x' * (gap * len(name) % 90)}\n"
        found.append(Entity("LOC", name, at + gap + 1, at + gap + 1 + len(name), 0.5))
        texts.append(text)
        at += len(text)
    shown = opened(page("".join(texts), found, "t"), width=390, height=844)
    for width in (390, 700):
        shown.set_viewport_size({"width": width, "height": 844})
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert len(name) > 9 or shown.evaluate(PARTED) == 0


def test_the_caption_of_the_scores_can_be_read_on_a_phone(opened, tagger):
    page = (tagger / "report.html").read_text("utf-8").replace(' src="pair.svg"', "")
    shown = opened(page, width=390, height=844)
    captions = shown.evaluate(
        "[...document.querySelectorAll('caption')].map(c => c.getBoundingClientRect().right)"
    )
    assert captions and max(captions) <= 390


@pytest.mark.parametrize("width", [390, 1280])
def test_the_scores_stand_beside_types_of_any_length(opened, tagger, width):
    page = (tagger / "report.html").read_text("utf-8").replace(' src="pair.svg"', "")
    rows = page.replace("<td>strict mode</td>", f"<td>{'B' * 300}</td>")
    shown = opened(rows, width=width, height=844)
    right = (
        shown.locator("tr", has_text="BBB")
        .locator("td")
        .nth(1)
        .evaluate("cell => cell.getBoundingClientRect().right")
    )
    assert right <= width


# The least contrast of the learning curve's texts and lines with the page behind them.
CONTRAST = """(() => {
  const light = colour => {
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(x => x / 255)
      .map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const pen = document.createElement('canvas')
    .getContext('2d', { willReadFrequently: true });
  const paper = light(getComputedStyle(document.documentElement).backgroundColor);
  const least = (kind, part) => Math.min(...[...document.querySelectorAll(`svg.curve ${kind}`)]
    .map(e => light(getComputedStyle(e)[part]))
    .map(own => Math.max(own, paper) / Math.min(own, paper)));
  return [least('text', 'fill'), least(':is(line, polyline)', 'stroke')];
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_learning_curve_is_seen_in_light_and_dark(opened, tagger, scheme):
    html = (tagger / "report.html").read_text("utf-8")
    shown = opened(html.replace('src="pair.svg"', ""), color_scheme=scheme)
    assert min(shown.evaluate(CONTRAST)) >= 4.5


def test_nothing_of_a_printed_report_is_cut_off(opened, tagger):
    page = (tagger / "report.html").read_text("utf-8").replace('src="pair.svg"', "")
    shown = opened(page, width=700)
    shown.emulate_media(media="print")
    assert (
        shown.evaluate("""() => [...document.querySelectorAll('.wide > svg, table')]
        .filter(e => e.getBoundingClientRect().right > innerWidth).length""")
        == 0
    )
