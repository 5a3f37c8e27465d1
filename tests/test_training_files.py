"""State files: exact, refused when anything is wrong with them, whole at every moment."""

import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from micrograd.checkpoint import capture, load_state, restore, save_state
from micrograd.engine import Value
from micrograd.nn import MLP, Dropout, Module, SoftmaxClassifier

STATE = {
    "numbers": [0.1, -0.0, 1e-320, 1 / 3, math.inf, -math.inf, 7, 2**80, True, None, "a / b"],
    "arrays": {"floats": np.array([[0.1, np.inf], [-0.0, np.nan]]), "empty": np.zeros((0, 3))},
    "kinds": [np.arange(3), np.array([True, False]), np.array(2.5), np.float32([0.1, 0.2])],
    "number": np.float64(0.3),
}


class Dropping(Module):
    """A network with a random generator of its own."""

    def __init__(self):
        self.body, self.dropout = MLP(2, [3, 2], activation="tanh"), Dropout(0.5, seed=3)

    def __call__(self, x):
        return self.dropout(self.body(x))


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_state_comes_back_exactly(ending, tmp_path):
    path = save_state(tmp_path / f"s.{ending}", STATE)
    loaded = load_state(path)
    np.testing.assert_equal(loaded, STATE | {"number": 0.3})
    assert repr(loaded["numbers"]) == repr(STATE["numbers"])
    for ours, theirs in zip(loaded["kinds"], STATE["kinds"]):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert math.copysign(1, loaded["arrays"]["floats"][1, 0]) == -1


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_network_comes_back_exactly(ending, tmp_path):
    random.seed(1)
    model, other = Dropping(), Dropping()
    model([0.3, 0.2])  # the generator moves on
    path = model.save(tmp_path / f"m.{ending}")
    assert other.load(path) is other
    for _ in range(3):
        expected = [out.data for out in model([0.3, -0.4])]
        assert [out.data for out in other([0.3, -0.4])] == expected


def test_json_is_plain_json(tmp_path):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    path = save_state(tmp_path / "s.json", STATE)
    file = json.loads(path.read_text(), parse_constant=refuse)
    assert (file["format"], file["version"]) == ("micrograd state", 2)


def test_a_scalar_network_is_saved_without_numpy(tmp_path):
    code = (
        "import sys; from micrograd.nn import MLP; m = MLP(2, [3, 1]); "
        f"m.save({str(tmp_path / 'm.json')!r}); m.load({str(tmp_path / 'm.json')!r}); "
        "assert 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.json or \.npz"):
        MLP(2, [1]).save(tmp_path / "model.pkl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_file_cut_off_anywhere_is_refused(ending, tmp_path):
    model = Dropping()
    whole = model.save(tmp_path / f"m.{ending}").read_bytes()
    before = model.state_dict()
    cut = tmp_path / f"cut.{ending}"
    for length in {0, 1, 2, 5, *range(0, len(whole) - 2, len(whole) // 40), len(whole) - 2}:
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=f"cut.{ending}: "):
            model.load(cut)
    assert model.state_dict() == before


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_changed_byte_is_refused_or_harmless(ending, tmp_path):
    model, rng = MLP(2, [2, 1]), random.Random(5)
    whole = model.save(tmp_path / f"m.{ending}").read_bytes()
    before, refused = model.state_dict(), 0
    for _ in range(150):
        at = rng.randrange(len(whole))
        changed = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        (tmp_path / f"c.{ending}").write_bytes(changed)
        try:
            model.load(tmp_path / f"c.{ending}")
        except ValueError as error:
            refused += 1
            assert f"c.{ending}" in str(error)
        assert model.state_dict() == before
    assert refused > 100


def test_a_hand_edited_number_is_refused(tmp_path):
    model = MLP(1, [1])
    path = model.save(tmp_path / "m.json")
    file = json.loads(path.read_text())
    file["state"]["layers.0.neurons.0.b"] = 5.0
    path.write_text(json.dumps(file))
    with pytest.raises(ValueError, match="changed after it was written"):
        model.load(path)
    assert model.parameters()[1].data == 0


FOREIGN = {
    "text.json": b"hello",
    "binary.json": bytes(range(256)),
    "list.json": b"[1, 2]",
    "other.json": b'{"layers": []}',
    "version.json": b'{"format": "micrograd state", "version": 3, "state": {}}',
    "nan.json": b'{"format": "micrograd state", "version": 1, "sha256": NaN}',
    "zip.npz": b"PK\x03\x04 not really",
    "pickle.npz": b"\x80\x04\x95",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_files_are_refused_with_the_reason(name, tmp_path):
    (tmp_path / name).write_bytes(FOREIGN[name])
    with pytest.raises(ValueError, match=rf"{name}: (this is no|it is of version 3|its checksum)"):
        load_state(tmp_path / name)


def test_a_pickle_within_npz_is_never_loaded(tmp_path):
    np.savez(tmp_path / "p.npz", head=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="no saved state"):
        load_state(tmp_path / "p.npz")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        MLP(1, [1]).load(tmp_path / "nothing.json")


def test_the_state_of_another_network_is_refused(tmp_path):
    path = MLP(2, [4, 1]).save(tmp_path / "m.json")
    for other in (MLP(2, [3, 1]), MLP(2, [5, 1]), SoftmaxClassifier(2, 2)):
        before = other.state_dict()
        with pytest.raises(ValueError, match=r"m\.json: the state does not fit: it (lacks|has) "):
            other.load(path)
        assert other.state_dict() == before


def test_a_state_is_restored_wholly_or_not_at_all():
    def parts():
        return {
            "value": Value(1.0),
            "array": np.ones(2),
            "rng": random.Random(1),
            "numpy": np.random.default_rng(1),
            "list": [Value(2.0)],
        }

    item = parts()
    before, good = capture(item), capture(parts())
    good["value"], good["list"] = 3.0, [4.0]
    for name, wrong in [
        ("array", np.ones(3)),
        ("array", [1.0, 1.0]),
        ("rng", [1, 2]),
        ("numpy", {"bit_generator": "other"}),
        ("list", [1.0, 2.0]),
        ("list", None),
        ("list", ["x"]),
    ]:
        with pytest.raises(ValueError, match="does not fit"):
            restore(item, good | {name: wrong})
        np.testing.assert_equal(capture(item), before)
    restore(item, good)
    assert (item["value"].data, item["list"][0].data) == (3.0, 4.0)


def test_what_has_no_state_is_refused():
    with pytest.raises(TypeError, match=r"has no state that can be kept \(function\)"):
        capture({"f": lambda: None})


NURSERY = """
import os, sys
from micrograd.checkpoint import save_state
path, n = sys.argv[1], 0
make = list
if path.endswith("npz"):
    from numpy import array as make

def write_for_ever(n):
    while True:
        n += 1
        save_state(path, {"n": n, "same": make([float(n)] * 3000)})

for line in sys.stdin:  # one writer for each line; killed by the test
    writer = os.fork()
    if writer == 0:
        write_for_ever(int(line))
    print(writer, flush=True)
    os.waitpid(writer, 0)
    print("gone", flush=True)
"""


@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="writers are forked, which takes a POSIX system"
)
@pytest.mark.parametrize("ending", ["json", "npz"])
def test_a_writer_killed_at_any_moment_leaves_a_whole_file(ending, tmp_path):
    path, rng, seen = tmp_path / f"s.{ending}", random.Random(9), set()
    save_state(path, {"n": 0, "same": [0.0]})
    command = [sys.executable, "-c", NURSERY, path]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as nursery:
        for kill in range(60):
            nursery.stdin.write(f"{1000 * kill}\n")
            writer = int(nursery.stdout.readline())
            time.sleep(rng.uniform(0, 0.05))
            os.kill(writer, signal.SIGKILL)
            assert nursery.stdout.readline() == "gone\n"
            state = load_state(path)
            assert set(state["same"]) == {state["n"]}
            seen.add(state["n"])
    assert len(seen) > 1


TRAINER = """
import os, random, signal, sys
from micrograd import losses
from micrograd.nn import MLP
from micrograd.optim import Adam
from micrograd.training import descent, fit
random.seed(4)
model = MLP(2, [3, 1], activation="tanh", fused=True)
optimizer = Adam(model.parameters(), lr=0.05)
points = [((x, y), 1 if x > y else -1) for x in range(-3, 4) for y in range(-3, 4)]
loss = lambda batch: sum(losses.binary_hinge(model(x), y) for x, y in batch)
step, left = descent(model, loss, optimizer), int(sys.argv[2])

def killed_in_time(batch):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(batch)

history = fit(killed_in_time, points, 12, batch_size=10, seed=1, progress=False,
              checkpoint=sys.argv[1], resume=True, state=[model, optimizer])
print(len(history), [p.data for p in model.parameters()], history.rows)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_training_killed_again_and_again_ends_as_if_it_was_not(tmp_path):
    def train(path, kill_at=0):
        command = [sys.executable, "-c", TRAINER, path, str(kill_at)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == (-signal.SIGKILL if kill_at else 0), run.stderr
        return run.stdout

    expected = train(tmp_path / "whole.json")
    assert expected.startswith("12 [")
    for kill_at in (2, 7, 5, 13, 8, 23):  # batches, of which an epoch has 5
        train(tmp_path / "killed.json", kill_at)
    assert load_state(tmp_path / "killed.json")["epoch"] == 8
    assert train(tmp_path / "killed.json") == expected


def test_nothing_but_the_file_is_left(tmp_path):
    save_state(tmp_path / "s.json", STATE)
    save_state(tmp_path / "s.json", STATE)
    assert [Path(p).name for p in tmp_path.iterdir()] == ["s.json"]
