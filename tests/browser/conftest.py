"""Pages in a real browser, and axe-core to judge them."""

import os
from pathlib import Path

import pytest

# innerText of what is not laid out yet has no spaces between its parts: two frames see to it.
LAID_OUT = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
# The picture is drawn anew a while after the last change of its frame.
DRAWN = """() => {
  const { clientWidth, clientHeight } = document.querySelector('#picture');
  return picture.frame[0] === clientWidth && picture.frame[1] === clientHeight;
}"""


@pytest.fixture
def opened(chromium, tmp_path):
    """Return a function that opens HTML from disk; no page may fail or ask the network."""
    contexts, problems = [], []

    def open_page(html, hash="", width=1200, height=900, **options):
        path = tmp_path / f"page{len(contexts)}.html"
        path.write_text(html, "utf-8")
        context = chromium.new_context(
            viewport={"width": width, "height": height}, bypass_csp=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)  # of a loaded machine
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))
        page.on(
            "request",
            lambda request: request.url.startswith("file:") or problems.append(request.url),
        )
        page.goto(path.as_uri() + hash)
        if options.get("java_script_enabled", True):
            if 'id="code"' in html:  # it unfolds first
                page.wait_for_function("document.querySelector('#place').textContent")
            page.evaluate(LAID_OUT)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture(scope="session")
def axe():
    """Return the source of axe-core: the file that AXE names, or node_modules'."""
    places = [os.environ.get("AXE", ""), "node_modules/axe-core/axe.min.js"]
    for place in filter(None, places):
        if Path(place).is_file():
            return Path(place).read_text("utf-8")
    pytest.skip("axe-core is not installed: set AXE to its axe.min.js")


@pytest.fixture(scope="session")
def tagger(tmp_path_factory):
    """The folder that `micrograd train` leaves, and a text tagged by its model."""
    pytest.importorskip("numpy", reason="numpy is not installed")
    from micrograd.cli import main

    folder = tmp_path_factory.mktemp("tagger")
    assert main(["train", "--epochs", "2", "--out", str(folder)]) == 0
    (folder / "news.txt").write_text("Museums in Paris are amazing . John lives in New York .\n")
    told = ["--input", str(folder / "news.txt"), "--html", str(folder / "tags.html")]
    assert main(["tag", str(folder / "model.npz"), *told]) == 0
    return folder
