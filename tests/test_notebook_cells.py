"""What fails in a cell of a notebook is told by its number: nobody can read its file."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

MADE = """import random
from micrograd import Value, detect_anomaly
from micrograd.lowering import lower
w, made = Value(2.0, label="w"), [1]
def reads(x):
    return x * w.data
"""
# Run after the one above; each with the cell and the line that its error has to name.
CELLS = {
    "lower(reads, 1.0)": (1, "line 6: the data of 'w' is read"),
    "lower(lambda x: x * w if x < 1 else x, 1.0)": (2, "line 1: a Value is compared"),
    "lower(lambda x: x * [1, 2].index(x), 1.0)": (2, "line 1: "),
    "def f(x):\n return x * w if x == 1 else x\nlower(f, 1.0)": (2, "line 2: an input is compared"),
    "def f(x):\n return (x - 5).log()\nlower(f, 1.0)": (2, "line 2: log(x) has no finite value"),
    "def f(x):\n return [w][x]\nlower(f, 1)": (2, "line 2: list indices"),
    "def f(x):\n return x + random.random()\nlower(f, 1.0)": (2, "line 2: a number of the graph"),
    "def f(x):\n return made.pop() * x\nlower(f, 1.0)": (2, "line 1: f, called a second time"),
    "with detect_anomaly():\n Value(1e300) * 1e300": (2, "line 2"),
    "with detect_anomaly():\n a = w * 1e-200\n (a * 1e200 * 1e200).backward()": (2, "line 3"),
}
RUN = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance(history_load_length=0)
shell.history_manager.enabled = False
shell.showtraceback = lambda *args, **named: None
said = []
made, cells = json.load(sys.stdin)
for cell in cells:
    shell.execution_count = 1
    for source in (made, cell):
        result = shell.run_cell(source, store_history=True)
    said.append(str(result.error_in_exec))
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said():
    """What each of the cells raises, run in one IPython of its own."""
    pytest.importorskip("IPython", reason="IPython is not installed")
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([MADE, [*CELLS]]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return dict(zip(CELLS, json.loads(ran.stdout.splitlines()[-1])))


@pytest.mark.parametrize("cell", CELLS)
def test_an_error_names_the_cell(said, cell):
    number, rest = CELLS[cell]
    assert f"Cell In[{number}], {rest}" in said[cell]
