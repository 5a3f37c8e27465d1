"""The same picture for papers, Markdown, slides and libraries that know little of SVG."""

import os
import random
import re
import shutil
import subprocess
import sys
from io import BytesIO
from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from micrograd import Value, weighted_sum
from micrograd.graph import snapshot
from micrograd.nn import MLP
from micrograd.render import programs, render
from micrograd.render.animation import animated, frame, timeline
from micrograd.render.captions import caption, label
from micrograd.render.picture import FORMATS
from micrograd.render.sheet import DARK, LIGHT
from micrograd.render.svg import draw
from micrograd.render.text import width
from micrograd.render.tikz import SIGNS, tex
from micrograd.stepper import trace
from micrograd.training import History
from micrograd.training.curve import curve
from tests.pictures import BAD_LABELS, bad_graph, cairo, worked_example

SVG = "{http://www.w3.org/2000/svg}"


def test_colours_are_literal_with_a_dark_rule_on_top():
    svg = render(worked_example()).svg
    assert "var(" not in svg and "--" not in svg
    _, dark, light = re.split("</?style>", svg)
    assert dark.strip().startswith("@media (prefers-color-scheme: dark)")
    assert DARK["value"] in dark and LIGHT["value"] in light
    assert LIGHT["value"] not in dark and DARK["value"] not in light


SHOWN = {"text": ("fill", "font-size"), "path": ("fill", "stroke"), "polyline": ("fill", "stroke")}
SHOWN |= dict.fromkeys(("rect", "circle", "polygon"), ("fill",)) | {"line": ("stroke",)}


@pytest.mark.parametrize(
    "make",
    [
        lambda: render(worked_example()).svg,
        lambda: render(worked_example(), mode="both").svg,
        lambda: render(worked_example()).animated_svg(),
        lambda: render(MLP(2, [3, 1])([0.5, -1.0])).svg,
        lambda: render(MLP(2, [3, 1])([0.5, -1.0]), level="network").svg,
        lambda: curve(History([{"epoch": 1, "loss": 1.0}]), 1, {"loss": "loss"}),
        lambda: curve(History([{"epoch": n, "loss": 1.0} for n in (1, 2)]), 1, {"loss": "loss"}),
    ],
)
def test_elements_say_how_they_look_without_a_style_sheet(make):
    """LibreOffice drew black boxes: it knows few selectors, and takes a dark rule for any."""
    root = ElementTree.fromstring(re.sub("<style>.*?</style>", "", make(), flags=re.S))
    kinds = {element: element.tag.partition("}")[2] for element in root.iter()}
    assert {"text", "path"} <= {*kinds.values()}
    for element, kind in kinds.items():
        for name in SHOWN.get(kind, ()):
            assert name in {**root.attrib, **element.attrib}, (kind, element.attrib)


def test_cairo_draws_the_colours():
    cairosvg = cairo()
    images = pytest.importorskip("PIL.Image")
    png = cairosvg.svg2png(bytestring=render(worked_example()).svg.encode())
    colours = {c for _, c in images.open(BytesIO(png)).convert("RGB").getcolors(1 << 20)}
    for name in ("paper", "box", "value", "gradient", "local-soft"):
        assert tuple(bytes.fromhex(LIGHT[name][1:])) in colours, name


@pytest.fixture
def fonts(tmp_path, monkeypatch):
    """Have two fonts, one of Latin letters and the usual signs, and one of Chinese ones."""
    usual, other = "Usual\\n20-7e b7 d7 5d0-5ea 2190-22ff", "Wide\\n20-7e b7 d7 2190-22ff 4e00-9fff"
    program = tmp_path / "fc-match"
    program.write_text(f'#!/bin/sh\ncase "$*" in *charset=*) printf "{other}";; *) ')
    with program.open("a") as file:
        file.write(f'printf "{usual}";; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(programs, "_said", set())
    drawn = SimpleNamespace(svg2png=lambda bytestring, scale: bytestring, svg2pdf=None)
    monkeypatch.setitem(sys.modules, "cairosvg", drawn)
    programs._font.cache_clear()
    yield
    programs._font.cache_clear()


def texts_drawn(*labels):
    """Give the texts that an image of a product is drawn with, and the fonts named for them."""
    x, y = (Value(2.0, label=label) for label in labels)
    root = ElementTree.fromstring(render(x * y).to("png"))
    return {text.text: text.get("font-family") for text in root.iter(f"{SVG}text")}


@pytest.mark.skipif(os.name == "nt", reason="the fonts are told by a script of the shell")
def test_an_image_is_drawn_in_fonts_that_have_its_letters(fonts, capsys):
    """cairo takes one font for a text, and draws a box for each letter that it lacks."""
    drawn = texts_drawn("学习率", "rate < 1")
    assert (drawn["学习率"], drawn["rate < 1"], drawn["2"]) == ("Wide", None, None)
    assert not capsys.readouterr().err
    assert texts_drawn("学 é", "⌀")["⌀"] is None  # which stands right behind those of the usual
    assert capsys.readouterr().err.startswith("micrograd: no font here has é⌀ and what is beside: ")
    drawn = texts_drawn("שלום 12", "b")
    assert drawn["12 םולש"] is None and "שלום 12" not in drawn
    assert texts_drawn("a\u200db\ufe0f", "b")["ab"] is None  # nobody sees these


@pytest.mark.skipif(os.name == "nt", reason="the fonts are told by a script of the shell")
@pytest.mark.parametrize("there", [False, True])
def test_without_fontconfig_an_image_is_drawn_in_the_usual_font(
    there, fonts, tmp_path, monkeypatch, capsys
):
    (tmp_path / "fc-match").write_text("#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path) if there else "")
    assert {*texts_drawn("学", "αβ₁").values()} == {None}
    assert "no font here has 学 and" in capsys.readouterr().err


def test_tikz_has_every_box_and_edge():
    picture = render(worked_example())
    text = picture.to_tikz()
    assert text.count("\\node") == 6 and text.count("\\draw") == 6
    assert "$\\partial$f/$\\partial$y\\hfill\\textcolor{mggradient}{5}" in text
    assert not re.search("[^\\x00-\\x7f]", text)


@pytest.mark.parametrize("mode", ["fprop", "bprop"])
def test_tikz_has_room_for_its_texts_and_edges_from_box_to_box(mode):
    long = Value(-1.2345e-7, label="a name of 22 letters..")
    many = weighted_sum([long] * 5, [Value(2.0, label="x")] * 5)
    picture = render(((long * many).max(2.0) + long) * many.tanh(), mode, level="full")
    text, view = picture.to_tikz(), picture.view
    node = r"text width=(\S+)pt, minimum height=(\S+)pt\] \(n\d+\) at \((\S+), (\S+)\)"
    frames = [[*map(float, frame)] for frame in re.findall(node, text)]
    frames = [(x - w / 2 - 4, y - h / 2, x + w / 2 + 4, y + h / 2) for w, h, x, y in frames]
    least = []
    for i, (left, top, right, bottom) in enumerate(frames):
        said = caption(view, view.boxes[i], picture.passes)
        rows = [(said.name, said.note), ("value", said.value), (said.of, said.gradient)]
        widths = [
            sum(width(part, 7) for part in row) for row in rows[: 3 if mode == "bprop" else 2]
        ]
        assert max(widths) + 20 <= right - left
        least.append(max(widths) + 40)
        for x, y, u, v in frames[:i]:
            assert left >= u or x >= right or top >= v or y >= bottom
    for left in {left for left, *_ in frames}:  # a column is as wide as its widest box has to be
        column = [i for i, frame in enumerate(frames) if frame[0] == left]
        assert frames[column[0]][2] - left <= max(120, *(least[i] for i in column))
    draws = [line for line in text.splitlines() if line.startswith(r"\draw")]
    entries = {}
    for edge, line in zip(view.edges, draws, strict=True):
        way, _, chip = line.partition("] ")[2].partition(" node")
        assert chip.partition("{")[2] == (
            f"{tex(label(view, edge, picture.passes).contribution)}}};" if mode == "bprop" else ""
        )
        curves = re.split(r" \.\. (?:controls )?", way)
        points = [[*map(float, p)] for p in re.findall(r"\((\S+), (\S+?)\)", " ".join(curves))]
        (x, y), (before, _), (u, v) = points[0], points[-2], points[-1]
        source, target = frames[edge.source], frames[edge.target]
        assert x == pytest.approx(source[2], abs=1) and source[1] < y < source[3]
        assert u == pytest.approx(target[0], abs=1) and target[1] < v < target[3]
        assert u - before >= 35.9  # for the number
        entries.setdefault(edge.target, []).append(v)
        for (x, y), (a, b), (c, d), (u, v), (_, w) in zip(*(points[i::4] for i in range(5))):
            assert (b, d, w) == (y, v, v) and a == c == pytest.approx((x + u) / 2, abs=0.01)
    assert all(low - high > 17.9 for into in entries.values() for high, low in pairwise(into))


@pytest.mark.parametrize(
    ("label", "set"),
    [
        ("a--b", "a-{}-b"),
        ("a-b", "a-b"),
        ("x\u0302", r"$\hat{x}$"),
        ("σ\u0304²", r"$\bar{\sigma}$$^{2}$"),
        ("hₜ₋₁", "h$_{t-1}$"),
        ("uᵀh′", "u$^{T}$h$'$"),
        ("∇f ≠ √2", r"$\nabla$f $\ne$ $\surd$2"),
        ("a_b|50%", r"a\_b\textbar{}50\%"),
    ],
)
def test_signs_of_labels_are_set_by_tex_s_own_fonts(label, set):
    assert tex(label) == set


def test_a_tikzpicture_ends_where_tex_does():
    deep = Value(0.0, label="x")
    for _ in range(100):
        deep = deep.tanh()
    for root, smaller in ((deep.sqrt(), True), (Value(0.0).sqrt(), False)):
        text = render(root, level="full").to_tikz()
        lengths = [float(x) for x in re.findall(r"(?<=[(=])[\d.]+(?=pt|,)", text)]
        assert (max(lengths) > 10_000) == smaller and max(lengths) <= 14_000
        scale = re.search(r"font=.footnotesize(?:, scale=(\S+))?}", text)[1]
        assert bool(scale) == smaller
        if scale:
            right = float(re.findall(r"at \((\S+),", text)[-2])  # the last is what ends early
            wide = float(re.findall(r"text width=(\S+)pt", text)[-2]) + 8
            assert right + wide / 2 * float(scale) == pytest.approx(14_000, rel=1e-3)


def test_mermaid_has_every_box_and_edge():
    lines = render(worked_example()).to_mermaid().splitlines()
    assert lines[0] == "flowchart LR" and len(lines) == 13
    assert '    n1["<b>y</b> input<br>value 2<br>∂f/∂y 5"]' in lines
    assert '    n1 -->|"3"| n4' in lines


def test_labels_stay_text_in_every_format():
    picture = render(bad_graph(), level="full")
    box, arrow = r'n\d+\["[^"\[\]]*"\]', r'n\d+ -->(\|"[^"|]*"\|)? n\d+'
    for line in picture.to_mermaid().splitlines()[1:]:
        assert re.fullmatch(f"    ({box}|{arrow})", line), line
    tikz = picture.to_tikz()
    for special in "#&%_":
        assert not re.search(rf"(?<!\\){special}", tikz.partition("tikzpicture")[2]), special
    assert len(BAD_LABELS) < tikz.count("\\node")
    ElementTree.fromstring(picture.animated_svg())


@pytest.mark.parametrize("label", [r"\nu", "$$x^2$$", "fa:fa-car", r"\\n$$", "a: b"])
def test_mermaid_acts_on_no_part_of_a_label(label):
    told = re.sub(
        "#(\\d+);", lambda m: chr(int(m[1])), render(Value(1.0, label=label)).to_mermaid()
    )
    assert not re.search(r"\\n|[$][$]|fa:fa", told)
    assert f"<b>{label}</b> input<br>" in told.replace("\u2060", "")


def test_tex_says_which_package_it_needs():
    picture = render(worked_example())
    assert picture.to_tikz().startswith("% \\usepackage{tikz}")
    assert picture.to_tex().startswith("% \\usepackage{amsmath}")


@pytest.mark.parametrize(
    ("label", "lacks"),
    [
        ("学习率", "习学率"),
        ("x😀", "😀"),
        ("«x»", "«»"),
        ("Größe", ""),
        ("σ\u0302² ≤ ∂", ""),
        ("שלום", "ולםש"),
    ],
)
def test_tex_says_which_letters_pdflatex_lacks(label, lacks):
    picture = render(Value(2.0, label=label) * 3.0)
    for text in (picture.to_tikz(), picture.to_tex()):
        needs = [line for line in text.splitlines() if line.startswith("%")]
        assert len(needs) == 1 + bool(lacks)
        if lacks:
            assert needs[1].startswith(f"% pdflatex may have no {lacks}: run lualatex or xelatex")
        assert "\u2068" not in text and "\u2069" not in text  # TeX sets no isolates


def test_mermaid_says_where_most_readers_draw_no_more():
    """A directive within the picture could not raise its limits: they are for initialize()."""
    x = Value(1.0, label="x")
    for count in (250, 251, 700):
        root = x
        for _ in range(count):
            root = root + x
        picture = render(root, level="full")
        lines = picture.to_mermaid().splitlines()
        told = [line.strip() for line in lines if "%%" in line]
        assert lines[0] == "flowchart LR" and lines[1 : 1 + len(told)] == [f"    {t}" for t in told]
        assert len(picture.view.edges) == 2 * count and not re.search("[{}]", "".join(told))
        sizes = [rf"%% {2 * count:,} edges: .* 500 at most, .* maxEdges;"] * (count > 250)
        if len(picture.to_mermaid()) > 51_000:
            sizes.append(r"%% [\d,]+ characters: .* 50,000 at most, .* maxTextSize;")
        assert len(told) == len(sizes) and all(map(re.match, sizes, told))


def test_the_equations_are_the_steps():
    lines = render(worked_example()).to_tex().splitlines()[1:]  # below what they need
    assert "b &= \\mathrm{max}(y, z) = \\mathrm{max}(2, 0) = 2 \\\\" in lines
    slope = "\\frac{{\\partial {}}}{{\\partial {}}}".format
    over = [f"{slope('f', part)} {slope(part, 'y')}" for part in "ba"]
    numbers = "3 \\cdot 1 + 2 \\cdot 1 = 5"
    y = f"{slope('f', 'y')} &= {' + '.join(over)} = {numbers}"
    assert lines[-2] == y
    backward = [s for s in trace(worked_example())["steps"] if s["kind"] == "backward"]
    assert len(lines) == 2 + 3 + 1 + len({s["operand"] for s in backward})


def test_names_and_numbers_are_set_as_mathematics():
    x, y = Value(2.0, label="x1"), Value(4e-5, label="θ")
    odd = [Value(1.5, label=label) for label in ("layer 0.w", "50% & #\\^{}~", "a_b")]
    f = x**0.5 + y**2 + x**-1.5 + x ** odd[0] + odd[1].abs() ** 2 + odd[2] * 1e9
    f.label = "J"
    lines = render(f).to_tex().splitlines()
    named = r"\text{50\% \& \#\textbackslash{}\textasciicircum{}\{\}\textasciitilde{}}"
    for right in (
        "x_{1}^{0.5} = 2^{0.5} = 1.414",
        r"\theta^{2} = (4\mathrm{e}{-5})^{2} = 1.6\mathrm{e}{-9}",
        r"x_{1}^{(-1.5)} = 2^{(-1.5)} = 0.3536",
        r"x_{1}^{\text{layer 0.w}} = 2^{1.5} = 2.828",
        rf"|{named}| = |1.5| = 1.5",
        r"\mathrm{a\_b} \cdot 1\mathrm{e}{9} = 1.5 \cdot 1\mathrm{e}{9} = 1.5\mathrm{e}{9}",
    ):
        assert any(line.endswith((f"&= {right}", rf"&= {right} \\")) for line in lines), right
    assert sum(r"\partial J}{\partial \theta}" in line for line in lines) == 1
    assert not any(r"\partial 1\mathrm" in line for line in lines)  # no gradient by a number


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_tex_compiles(tmp_path):
    """Names of every kind, and a graph whose boxes would stand in a row longer than TeX can set."""
    draw, names = random.Random(0), [*BAD_LABELS, "θ", "x1", "a|b", "f(x)^2", "<b>", "1e−5"]
    names += [*SIGNS, "ŷ⁺ᵀ", "hₜ₋₁ x\u0302"]
    drawn = [
        name for name in names if name.isprintable() and (name.isascii() or name not in BAD_LABELS)
    ]
    values = [Value(draw.uniform(0.2, 2) * 10 ** draw.choice([0, 0, -6, 7])) for _ in drawn]
    for value, name in zip(values, drawn):
        value.label = name
    for _ in range(10):
        a, b = draw.choice(values), draw.choice(values)
        values.append(draw.choice([a + b, a * b, a - b, a**2, a.tanh(), a.abs() ** 1.5, -a]))
    picture = render(sum(values, Value(0.0, label="J")), level="full")
    network = render(MLP(len(drawn), [3, 1])(values[: len(drawn)]), level="network")
    text = (
        r"\documentclass{article}\usepackage{amsmath, tikz}\begin{document}\allowdisplaybreaks"
        f"\n{picture.to_tex()}\n{picture.to_tikz()}\n{network.to_tikz()}\\end{{document}}"
    )
    (tmp_path / "a.tex").write_text(text, "utf-8")
    told = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "a.tex"], cwd=tmp_path, capture_output=True
    )
    assert not told.returncode, told.stdout.decode(errors="replace")[-2000:]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_equations_of_many_lines_and_long_sums_stay_on_the_page(tmp_path):
    """amsmath breaks neither a display nor a line by itself: they ran off the page."""
    x = Value(0.5, label="x")
    equations = render(sum((x * n).tanh() ** 2 for n in range(20))).to_tex()
    document = r"\documentclass{article}\usepackage{amsmath}\begin{document}"
    (tmp_path / "a.tex").write_text(f"{document}\n{equations}\\end{{document}}", "utf-8")
    told = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "a.tex"], cwd=tmp_path, capture_output=True
    )
    assert not told.returncode and b"Overfull" not in told.stdout


def test_numbers_come_up_as_the_passes_compute_them():
    picture = render(worked_example())
    times = timeline(picture.view)
    ids = dict(zip("xyzabf", map(str, range(6))))
    assert times.values == {ids["a"]: 1, ids["b"]: 2, ids["f"]: 3} and times.steps == 10
    assert times.gradients[ids["f"]] == 4
    order = sorted(times.gradients, key=times.gradients.get)
    assert order == [ids[name] for name in "fabzxy"]  # y waits for both of its users
    still = draw(picture.view, picture.passes, adaptive=False)
    numbers = [
        re.findall('class="gradient"[^>]*(hidden)?[^>]*>', frame(still, picture.view, t))
        for t in range(times.steps + 1)
    ]
    hidden = [frame(still, picture.view, t).count('visibility="hidden"') for t in range(11)]
    assert hidden == sorted(hidden, reverse=True) and hidden[0] > 9 and hidden[-1] == 0 and numbers
    moving = animated(picture.svg, picture.view)
    assert moving.count("<animate") == hidden[0]
    ElementTree.fromstring(moving)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_come_up_in_the_order_of_the_engine_s_steps(seed):
    chance = random.Random(seed)
    values = [Value(chance.uniform(-1, 1), label=f"x{i}") for i in range(3)]
    for _ in range(8):
        x, y = chance.choice(values), chance.choice(values)
        made = x + y, x * y, x.max(y), x.tanh(), weighted_sum([x, y], [y, x], x)
        values.append(chance.choice(made))
    root = values[-1] * values[-2]
    picture, graph = render(root, level="full"), snapshot(root)
    computed = [id for id, op in enumerate(graph.ops) if op]
    value = {id: computed.index(id) + 1 if id in computed else 0 for id in range(len(graph))}
    gradient, edges = {len(graph) - 1: len(computed) + 1}, {}
    for time, step in enumerate(root.steps(), len(computed) + 2):
        ids = graph.ids[step.operand], graph.ids[step.node], step.position
        gradient[ids[0]] = edges["-".join(map(str, ids))] = time
    still = draw(picture.view, picture.passes, adaptive=False)
    end = len(computed) + 2 + len(edges)
    for now in range(end):
        seen = ElementTree.fromstring(frame(still, picture.view, now))
        for group in seen.iter("{http://www.w3.org/2000/svg}g"):
            for part in group:
                kind, hidden = part.get("class", ""), part.get("visibility") == "hidden"
                if id := group.get("data-box"):
                    begins = {"value": value, "gradient": gradient}.get(kind, {}).get(int(id), 0)
                    assert hidden == (now < begins)
                if (id := group.get("data-edge")) and "chip" in kind:
                    assert hidden == (now < edges[id])
    moving = animated(still, picture.view)
    shown = re.findall(r'keyTimes="0;(\S+)" dur="(\S+)s"', moving)
    times = [round(float(key) * float(dur) / 0.9, 1) for key, dur in shown]
    begun = [*value.values(), *gradient.values(), *edges.values(), *edges.values()]
    assert sorted(times) == pytest.approx(sorted(time for time in begun if time), abs=0.2)
    assert {dur for _, dur in shown} == {f"{(end + 3) * 0.9:g}"}  # the end stays


def test_a_gif_has_a_frame_for_every_step():
    cairo()
    images = pytest.importorskip("PIL.Image")
    image = images.open(BytesIO(render(worked_example()).to("gif")))
    assert image.n_frames == 11 and image.info["loop"] == 0
    times = []
    for number in range(11):
        image.seek(number)
        times.append(image.info["duration"])
    assert times == [900] * 10 + [3600]


def test_a_gif_of_a_wide_picture_keeps_to_a_size_and_to_its_colours():
    cairo()
    images = pytest.importorskip("PIL.Image")
    product = Value(1.0)
    for factor in range(5):
        product *= Value(2.0, label=f"a long label of the factor {factor}")
    image = images.open(BytesIO(render(product).to("gif")))
    assert max(image.size) == 4_000
    image.seek(image.n_frames - 1)
    colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 16)}
    blue, orange = (0, 90, 171), (180, 65, 6)
    for wanted in (blue, orange, (255, 255, 255)):
        assert any(max(abs(a - b) for a, b in zip(wanted, c)) < 24 for c in colours), wanted


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"png", "pdf", "gif"}))
def test_one_value_and_a_folded_graph_are_drawn_in_every_format(format):
    total = sum(Value(float(i)) * Value(2.0) for i in range(40))
    for root in (Value(-0.0), total, snapshot(worked_example())):
        assert render(root).to(format)


@pytest.mark.parametrize("format", ["dot", "mermaid", "tikz"])
def test_every_format_says_where_a_backward_pass_ends_early(format):
    picture = render(Value(0.0, label="x_1|<").sqrt() * 2)
    assert "the backward pass ends early" in picture.to(format)
    assert "ends early" not in render(Value(1.0).sqrt() * 2).to(format)
    assert "ends early" not in render(Value(0.0).sqrt() * 2, "fprop").to(format)
