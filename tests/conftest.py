import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest

import micrograd
from micrograd import Value
from micrograd.lowering import cache, passes
from micrograd.lowering.arrays import group
from micrograd.ops import BY_NAME, ROWS

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT / "demos"))  # a demo finds those beside it, as when it is run
ALL = os.environ.get("DEMOS") == "all"  # five seeds, every command, whole trainings: minutes
WHOLE = pytest.mark.skipif(not ALL, reason="DEMOS=all is not set: minutes")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_addoption(parser):
    parser.addoption(
        "--passed", type=Path, help="file of tests to leave out; those that pass are added"
    )


def pytest_configure(config):
    """Refuse to test another package of the same name, PyPI has one; leave the user's cache alone.

    What tests compile is kept with what pytest keeps, so that the next run need not compile it.
    Where Ctrl-C is ignored, as in what a script runs in the background, tests hear it all the same.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not Path(micrograd.__file__).is_relative_to(ROOT):
        raise pytest.UsageError(
            f"the tests would run against {micrograd.__file__}, not this checkout; "
            f"install it with: pip install -e '{ROOT}[test]'"
        )
    os.environ.pop("COLUMNS", None)  # what is printed is compared at the width of no terminal
    kept = getattr(config, "cache", None)  # there is none with -p no:cacheprovider
    folder = kept.mkdir("compiled") if kept else tempfile.mkdtemp()
    os.environ["XDG_CACHE_HOME"] = str(folder)
    if not kept:
        config.add_cleanup(lambda: shutil.rmtree(folder))


def pytest_collection_modifyitems(config, items):
    """Leave out what passed in another run, so that a richer environment tries only the rest."""
    record = config.getoption("passed")
    if record is None or not record.exists():
        return
    passed = set(record.read_text().splitlines())
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in passed])
    items[:] = [item for item in items if item.nodeid not in passed]


def pytest_sessionfinish(session):
    record = session.config.getoption("passed")
    if record is None or hasattr(session.config, "workerinput"):  # a worker of pytest-xdist
        return
    reports = session.config.pluginmanager.getplugin("terminalreporter").stats.get("passed", [])
    with record.open("a") as file:
        file.writelines(f"{report.nodeid}\n" for report in reports)


@pytest.fixture(autouse=True, scope="module")
def _rows_of_a_module_only():
    """Take back the operations that tests register: others go over all rows there are."""
    known = len(ROWS)
    yield
    for row in ROWS[known:]:
        del BY_NAME[row.name]
        delattr(Value, row.name)
    del ROWS[known:]


@pytest.fixture(autouse=True)
def _same_random_numbers():
    """Begin every test with the same random numbers, whichever ran before it in its process."""
    random.seed(0)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium, driven by Playwright: one for all tests, since a second one is refused."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no chromium on this machine")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def irregular(monkeypatch):
    """Take every graph for irregular."""
    monkeypatch.setattr(passes, "MOST_ARRAYS", -(10**6))
    monkeypatch.setattr(group, "MOST_FILLED", -(10**6))
    cache.forget()
    yield
    cache.forget()
