"""What is handed on: the source distribution is the whole checkout, the wheel the package alone."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from tests.conftest import ROOT, WHOLE

BUILD = "from setuptools import build_meta; build_meta.build_sdist('out'); "
BUILD += "build_meta.build_wheel('out')"
FROM_A_ZIP = """
import micrograd
from micrograd import Value, lowering, ner, stepper
assert False, micrograd.__file__  # nothing under -OO
w = Value(0.5, label="w")
program = lowering.lower(lambda x: (w * x).sigmoid(), 0.0, backend="numpy")
stepper.page(w * 2)
print(program([0.0]), len(ner.shipped().train))
"""
WRITTEN = ("PKG-INFO", "setup.cfg", "micrograd_graph.egg-info/")
SOME = ["test_readme.py", "test_demos_index.py", "test_architecture.py"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of both distributions, built from the tracked files, and those files' names."""
    pytest.importorskip("setuptools", "70.1", reason="setuptools 70.1 is not installed")
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = {name for name in listed.stdout.decode().split("\0") if (ROOT / name).is_file()}
    folder = tmp_path_factory.mktemp("checkout")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, capture_output=True, check=True)
    return folder / "out", names - {".gitignore"}


def unpacked(built, folder):
    (path,) = built[0].glob("*.tar.gz")
    with tarfile.open(path) as archive:
        # Debian's Python 3.11.2 knows no filter; later ones warn without one
        archive.extractall(folder, **{"filter": "data"} if hasattr(tarfile, "data_filter") else {})
    (inside,) = folder.iterdir()
    return inside


def test_the_source_distribution_holds_all_that_is_tracked_and_nothing_else(built, tmp_path):
    inside = unpacked(built, tmp_path)
    held = {p.relative_to(inside).as_posix() for p in inside.rglob("*") if p.is_file()}
    assert built[1] - held == set()
    assert [name for name in held - built[1] if not name.startswith(WRITTEN)] == []
    for name in built[1] - {"setup.cfg"}:
        assert (inside / name).read_bytes() == (ROOT / name).read_bytes()


def test_the_wheel_holds_the_package_and_says_what_it_is(built):
    (path,) = built[0].glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        (metadata,) = [name for name in wheel.namelist() if name.endswith("/METADATA")]
        said = message_from_string(wheel.read(metadata).decode())
        assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    assert held == {name for name in built[1] if name.startswith("micrograd/")}
    assert said["Name"] == "micrograd-graph" and said["Requires-Python"] == ">=3.10"
    assert said["License"] == "MIT" and said.get_all("Project-URL") and said.get_all("Classifier")
    assert said.get_payload().lstrip().startswith("# micrograd")
    needed = [line for line in said.get_all("Requires-Dist") if "extra" not in line]
    assert needed == ["numpy>=1.25", "graphviz>=0.17", "rich>=14"]


def test_the_package_runs_from_a_zip_without_docstrings(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for path in (ROOT / "micrograd").rglob("*.*"):
            if path.suffix != ".pyc":
                packed.write(path, path.relative_to(ROOT))
    command = [sys.executable, "-OO", "-c", FROM_A_ZIP]
    where = {**os.environ, "PYTHONPATH": str(tmp_path / "all.zip")}
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=where)
    assert told.stdout.split() == ["0.5", "347"], told.stderr


@WHOLE
def test_the_tests_pass_from_the_source_distribution(built, tmp_path):
    inside = unpacked(built, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(str(Path("tests", name)) for name in SOME)],
        cwd=inside,
        env={**os.environ, "PYTHONPATH": str(inside), "DEMOS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
