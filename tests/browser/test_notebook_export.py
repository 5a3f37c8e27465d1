"""A notebook is run, exported by nbconvert, and opened: everything in it shows itself."""

import os

import pytest

from micrograd.displays import text_html
from micrograd.render.picture import mimebundle
from tests.conftest import ROOT
from tests.stepper_graphs import worked_example

CELLS = {
    "value": """from micrograd import Value
x, y, z = Value(1.0, label="x"), Value(2.0, label="y"), Value(0.0, label="z")
f = (x + y) * y.max(z)
f""",
    "again": "f.backward(); f",
    "network": """from micrograd.nn import MLP
model = MLP(2, [3, 1], activation="tanh")
model([1.0, 2.0])""",
    "module": "model",
    "history": """from micrograd.losses import binary_hinge
from micrograd.optim import SGD
from micrograd.training import descent, fit
optimizer = SGD(model.parameters(), lr=0.1)
step = descent(model, lambda batch: sum(binary_hinge(model(x), t) for x, t in batch), optimizer)
history = fit(step, [([0.0, 1.0], 1), ([1.0, 0.0], -1)], 4)
history""",
    "plot": "history.plot()",
    "check": "from micrograd.gradcheck import gradcheck\ngradcheck(f)",
    "program": "from micrograd.lowering import lower\nlower(lambda a: model(a), [1.0, 2.0])",
    "tagger": "from micrograd.ner import Tagger\nTagger()",
}
PLAIN = {"value", "again", "network", "module", "history", "check", "program", "tagger"}


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The notebook, run from its first cell to its last."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    pytest.importorskip("matplotlib", reason="plots need matplotlib")
    made = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS.values())])
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        nbclient.NotebookClient(made, resources={"metadata": {"path": str(folder)}}).execute()
    return made


@pytest.mark.filterwarnings("ignore")
def test_every_cell_shows_itself(notebook):
    for name, cell in zip(CELLS, notebook.cells):
        data = cell.outputs[-1].data
        assert ("text/html" in data) == (name in PLAIN) and "text/plain" in data, name
    shown = dict(zip(CELLS, notebook.cells))
    assert "image/png" in shown["plot"].outputs[-1].data
    progress, _ = shown["history"].outputs
    assert progress.data["text/plain"].startswith("epoch 4/4  loss ")


@pytest.mark.filterwarnings("ignore")
def test_nbconvert_makes_a_page_whose_graphs_step(notebook, chromium, tmp_path):
    nbconvert = pytest.importorskip("nbconvert", reason="nbconvert is not installed")
    html, _ = nbconvert.HTMLExporter().from_notebook_node(notebook)
    path = tmp_path / "notebook.html"
    path.write_text(html, "utf-8")
    page, problems = chromium.new_page(), []
    page.route("http*://**", lambda route: route.abort())  # nbconvert's own links to MathJax
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    assert page.locator("figure.micrograd-figure img").count() == 3
    page.wait_for_function("[...document.images].every(img => img.complete && img.naturalWidth)")
    for frame in range(3):
        page.locator("summary:has-text('Step through')").first.click()
        page.wait_for_function(f"document.querySelectorAll('iframe').length > {frame}")
    frames = [frame for frame in page.frames if frame.parent_frame]
    for frame in frames:
        frame.wait_for_selector("#steps", state="attached")
    assert len(frames) == 3 and not problems
    page.close()


# As an editor shows outputs: set as innerHTML in a page that lets inline scripts run, fetches
# nothing, and draws the body in the colours of the editor; the class says which those are.
EDITOR = """<!doctype html><html><head><meta http-equiv="Content-Security-Policy" content="
default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline';
img-src https: data:; child-src https: data:;"><style>
table, thead, tr, th, td, tbody {{ border: none !important; border-spacing: 0; }}
table {{ width: 100%; }}
body {{ background: {paper}; color: gray; }}</style></head>
<body class="vscode-{kind}"><div id="container"></div></body></html>"""


@pytest.mark.parametrize("kind, paper", [("dark", "#1e1e1e"), ("light", "white")])
def test_an_editors_webview_steps_in_its_own_colours(chromium, tmp_path, kind, paper):
    path, f = tmp_path / "webview.html", worked_example()
    path.write_text(EDITOR.format(kind=kind, paper=paper), "utf-8")
    page, problems = chromium.new_page(color_scheme="light" if kind == "dark" else "dark"), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.goto(path.as_uri())
    page.evaluate(
        "html => { document.querySelector('#container').innerHTML = html + html; }",
        mimebundle(f)["text/html"],
    )
    schemes = "all => all.map(img => [getComputedStyle(img).colorScheme, img.naturalWidth > 0])"
    page.wait_for_function("[...document.images].every(img => img.complete)")
    assert page.eval_on_selector_all("img", schemes) == [[kind, True]] * 2
    for frame in range(2):
        page.locator("summary:has-text('Step through')").first.click()
        page.wait_for_function(f"document.querySelectorAll('iframe').length > {frame}")
    for frame in [frame for frame in page.frames if frame.parent_frame]:
        frame.wait_for_selector("#steps tr", state="attached")
        frame.locator("#last").click()
        assert frame.locator("#place").inner_text() == "11 / 11"
        assert frame.evaluate("document.documentElement.dataset.theme") == kind
    assert not problems
    page.close()


def test_a_notebook_breaks_no_line_of_a_program(chromium):
    page = chromium.new_page(viewport={"width": 400, "height": 400})
    page.set_content("<style>pre { white-space: pre-wrap; word-break: break-all }</style>")
    line = "return loss, {" + ", ".join(f"'W{i}': dW{i}" for i in range(20)) + "}"
    page.evaluate("html => { document.body.innerHTML = html; }", text_html(f"{line}\n{line}"))
    height, width, room = page.eval_on_selector(
        "pre", "pre => [pre.clientHeight, pre.parentElement.scrollWidth, innerWidth]"
    )
    assert height < 60 and width > room
    page.close()
