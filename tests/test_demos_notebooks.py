"""The notebooks run from the first cell to the last, and show what they should."""

import os

import pytest

from tests.conftest import ROOT
from tests.demo_programs import DEMOS

NOTEBOOKS = sorted((DEMOS / "notebooks").glob("*.py"))
SHOWN = {
    "1_engine": "6.0 2.0 5.0 0.0",
    "2_gradient_check": "kink suspected",
    "3_neuron_to_network": "177 parameters",
    "4_error_sharing_and_lowering": "delta1.T @ x",
    "5_training": "[False, True, True, False]",
    "6_tagging": "Paris/",
}


def test_there_are_six():
    assert [path.stem for path in NOTEBOOKS] == [*SHOWN]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, monkeypatch, tmp_path):
    jupytext = pytest.importorskip("jupytext", reason="jupytext is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = jupytext.read(path)
    nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    texts = [
        str(output.get("text", ""))
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert any(SHOWN[path.stem] in text for text in texts)
