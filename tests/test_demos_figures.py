"""The demos' figures can be read from the back row, in both languages."""

import itertools

import pytest

pytest.importorskip("matplotlib", reason="figures need matplotlib")

import numpy as np
import stage
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from micrograd.printing import printable
from tests.demo_programs import NAMES, demo, measured

DRAWN = [name for name in NAMES if hasattr(demo(name), "draw")]
PIXELS = 24  # the smallest text, on a slide of 1920 × 1080


@pytest.fixture(params=["en", "zh"])
def language(request):
    figures = pytest.importorskip("figures")
    if request.param == "zh" and not figures.has_chinese():
        pytest.skip("no font with Chinese characters")
    stage.speak(request.param)
    yield request.param
    stage.speak("en")


def laid_out(name):
    """Return the figure of a demo, laid out, with its renderer."""
    from figures import finished

    figure = finished(demo(name).draw(measured(name)))
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return figure, canvas.get_renderer()


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_a_slide_whose_text_can_be_read(name, language):
    figure, renderer = laid_out(name)
    assert tuple(figure.bbox.size) == (1920, 1080)
    texts = [x for x in figure.findobj(Text) if x.get_visible() and x.get_text().strip()]
    assert texts
    for text in texts:
        assert text.get_fontsize() * figure.dpi / 72 >= PIXELS, text
    for text in written(figure):
        box = text.get_window_extent(renderer)
        assert box.x0 >= -2 and box.y0 >= -2 and box.x1 <= 1922 and box.y1 <= 1082, text


def written(figure):
    """Return titles, labels and texts; ticks beyond the limits of an axis are not drawn."""
    found = list(figure.texts)
    for panel in figure.axes:
        axes = [panel.xaxis.label, panel.yaxis.label] if panel.axison else []
        found += [*panel.texts, panel.title, *axes]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


@pytest.mark.parametrize("name", DRAWN)
def test_no_panel_lies_over_another(name, language):
    figure, renderer = laid_out(name)
    boxes = [panel.get_window_extent(renderer) for panel in figure.axes]
    for a, b in itertools.combinations(boxes, 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_lies_on_a_curve_or_a_point(name, language):
    figure, renderer = laid_out(name)
    for panel in figure.axes:
        places = [Text.get_window_extent(text, renderer) for text in panel.texts]
        legend = panel.get_legend()
        places += [legend.get_window_extent(renderer)] if legend else []
        drawn = [drawn_at(line) for line in panel.lines if line.get_visible()]
        for box in (place.padded(-3) for place in places if place.width):
            inside = [((box.min < xy) & (xy < box.max)).all(1).any() for xy in drawn]
            assert not any(inside), (box, inside.index(True))


def drawn_at(line):
    """Return pixels that a line goes through, or where its markers are."""
    corners = np.column_stack(line.get_data(orig=False)).astype(float)
    xy = line.get_transform().transform(corners)
    xy = xy[np.isfinite(xy).all(1)]
    if line.get_linestyle() == "None" or len(xy) < 2:
        return xy
    return np.concatenate([np.linspace(a, b, 200) for a, b in itertools.pairwise(xy)])


@pytest.mark.parametrize("name", DRAWN[:3])
def test_the_alternative_text_is_in_the_file(name, tmp_path, capsys):
    path = tmp_path / "figure.svg"
    r = stage.perform(demo(name), str(path))
    text = path.read_text("utf-8")
    assert stage.t(*demo(name).FIGURE).split("’")[0][:20] in text
    sentence = stage.claims(demo(name))[0].sentence(r)
    assert sentence.replace("&", "&amp;").replace("<", "&lt;") in text
    assert capsys.readouterr().out.endswith(printable(f"wrote {path}\n"))


@pytest.mark.parametrize("name", NAMES)
def test_every_demo_has_a_figure_or_a_page(name):
    assert hasattr(demo(name), "draw") or hasattr(demo(name), "page")


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="there is no language 'fr'"):
        stage.speak("fr")
