"""States: what can be written comes back equal, what cannot is refused with the entry's name."""

import json
import os
import pickle
import random
import re
import types
import zipfile
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from micrograd.checkpoint import capture, digest, load_state, restore, save_state
from micrograd.engine import Value
from micrograd.nn import MLP
from micrograd.preprocessing import Whitening

DTYPES = st.sampled_from(["?", "i1", "<i4", ">i8", "u1", "u8", "f2", "<f4", ">f8"])
SHAPES = arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4)
ARRAYS = DTYPES.flatmap(lambda kind: arrays.arrays(kind, SHAPES))
ANY_ARRAYS = st.sampled_from(
    ["c8", "c16", "U3", "S2", "M8[s]", "m8[us]", "O", "i4,f8", np.longdouble]
).flatmap(lambda kind: arrays.arrays(kind, SHAPES))
ATOMS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.text()
    | st.floats(width=32).map(np.float32)
    | st.integers(0, 255).map(np.uint8)
)
ODD = (
    st.complex_numbers()
    | st.binary()
    | st.sampled_from([{1, 2}, 1j, 2**10_000, object(), len, Value(1.0), range(3), "\ud800"])
    | st.sampled_from([np.float64, np.complex64(1), np.longdouble(1), np.datetime64("2020")])
    | ANY_ARRAYS
)


def trees(leaves, keys):
    return st.recursive(
        leaves,
        lambda parts: (
            st.lists(parts, max_size=4)
            | st.dictionaries(keys, parts, max_size=4)
            | st.tuples(parts, parts)
            | st.builds(types.MappingProxyType, st.dictionaries(keys, parts, max_size=2))
        ),
        max_leaves=12,
    )


STATES = trees(ATOMS | ARRAYS, st.text(max_size=5))
WILD = trees(ATOMS | ARRAYS | ODD, st.text() | st.integers() | st.sampled_from(["__array__", None]))


def same(mine, theirs):
    """Return whether two states are equal: kinds of containers, dtypes, nan and -0.0 included."""
    if isinstance(mine, np.ndarray) and mine.dtype.kind in "fc" and mine.dtype == theirs.dtype:
        return mine.shape == theirs.shape and np.array_equal(mine, theirs, equal_nan=True)
    if isinstance(mine, np.ndarray):
        alike = (mine.dtype, mine.shape) == (theirs.dtype, theirs.shape)
        return alike and mine.tobytes() == theirs.tobytes()
    if isinstance(mine, (dict, types.MappingProxyType)):
        return set(mine) == set(theirs) and all(same(mine[k], theirs[k]) for k in mine)
    if isinstance(mine, (list, tuple)):
        alike = isinstance(theirs, type(mine)) and len(mine) == len(theirs)
        return alike and all(map(same, mine, theirs))
    plain = mine.item() if isinstance(mine, np.generic) else mine
    return type(plain) is type(theirs) and repr(plain) == repr(theirs)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


@pytest.mark.parametrize("ending", ["json", "npz"])
@settings(max_examples=80, deadline=None)
@given(state=STATES)
def test_what_is_written_comes_back_equal(ending, folder, state):
    assert same(state, load_state(save_state(folder / f"s.{ending}", state)))


@pytest.mark.parametrize("ending", ["json", "npz"])
@settings(max_examples=150, deadline=None)
@given(state=WILD)
def test_whatever_is_not_refused_comes_back_equal(ending, folder, state):
    path = folder / f"w.{ending}"
    path.unlink(missing_ok=True)
    try:
        save_state(path, state)
    except (TypeError, ValueError) as error:
        assert str(error).startswith(("the entry ", "the state "))
        assert not path.exists()
    else:
        assert same(state, load_state(path))


MASKED = np.ma.masked_array([1.0, 2.0], [True, False])
REFUSED = [
    ({"a": [{1: 2.0}]}, "both", r"the entry 'a\.0' has the key 1 \(int\)"),
    ({"a": {"__tuple__": 1}}, "both", "the entry 'a' has the key '__tuple__', which files use"),
    ({"a": 1j}, "both", "the entry 'a' is a complex, which cannot be written"),
    ({"a": {"b": np.array([1, "x", None])}}, "both", r"the entry 'a\.b' is an array .* object"),
    ({"a": np.array([1j])}, "json", "the entry 'a' is an array of the kind complex128, which JSON"),
    ({"a": MASKED}, "both", "the entry 'a' is an array of the kind masked"),
    ({"a": {1, 2}}, "both", "the entry 'a' is a set"),
    ([0, Value(1.0)], "both", "the entry '1' is a Value"),
    (10**4000, "both", "the state is an integer of 13288 bits"),
    ({"a": "\udcff"}, "both", "the entry 'a' is no text that can be written"),
    ({"\ud800": 1}, "both", "is no text that can be written"),
]


@pytest.mark.parametrize("state, where, reason", REFUSED)
def test_what_could_not_come_back_is_refused_by_name(state, where, reason, tmp_path):
    for ending in ["json", "npz"] if where == "both" else [where]:
        with pytest.raises((TypeError, ValueError), match=reason):
            save_state(tmp_path / f"s.{ending}", state)
    assert list(tmp_path.iterdir()) == []


def test_what_is_nested_too_deep_or_in_itself_is_refused(tmp_path):
    circle, deep = [], []
    circle.append(circle)
    for _ in range(100_000):
        deep = [deep]
    for state in (circle, deep):
        with pytest.raises(ValueError, match="nested deeper than 100 levels, or within itself"):
            save_state(tmp_path / "s.json", {"a": state})
    state = 1
    for _ in range(100):
        state = (state,)
    assert load_state(save_state(tmp_path / "s.json", state)) == state


def rewritten(path, change, **options):
    """Write the npz file `path` anew, its members, by name, as `change` makes them."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(array, **options):
    file = BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "change", [lambda a: a.view("<i8"), lambda a: a.reshape(3, 2), lambda a: a.astype(">f8")]
)
def test_a_changed_dtype_or_shape_is_refused(change, tmp_path):
    array = np.arange(6.0).reshape(2, 3)
    path = save_state(tmp_path / "s.npz", [array])
    rewritten(path, lambda members: members.update({"arr_0.npy": npy(array)}))
    np.testing.assert_equal(load_state(path), [array])  # as it was: the helper changes nothing
    rewritten(path, lambda members: members.update({"arr_0.npy": npy(change(array))}))
    with pytest.raises(ValueError, match=r"s\.npz: its checksum is wrong"):
        load_state(path)


def test_a_small_file_of_much_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = save_state(tmp_path / "s.npz", [np.zeros(1)])
    bomb = npy(np.zeros(0)) + bytes(50_000_000)
    rewritten(path, lambda m: m.update({"arr_0.npy": bomb}), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(zipfile.ZipFile, "read", None)  # nothing is read
    with pytest.raises(ValueError, match=r"s\.npz: .* unpacks to more than was written"):
        load_state(path)


def test_members_that_lie_one_over_the_other_are_refused(tmp_path, monkeypatch):
    path = save_state(tmp_path / "s.npz", [np.zeros(1000)])
    content = path.read_bytes()
    real = zipfile.ZipFile.infolist
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda self: real(self) * 2)
    with pytest.raises(ValueError, match="unpacks to more than was written"):
        load_state(path)
    monkeypatch.undo()
    assert len(load_state(path)[0]) == 1000 and path.read_bytes() == content


def test_an_array_larger_than_its_file_is_refused(tmp_path):
    path = save_state(tmp_path / "s.npz", [np.zeros(10)])
    header = npy(np.zeros(10)).replace(b"(10,), }      ", b"(10000000000,), }")[:128]
    assert b"10000000000" in header
    rewritten(path, lambda members: members.update({"arr_0.npy": header + bytes(80)}))
    with pytest.raises(ValueError, match=r"s\.npz: this is no saved state, or it was damaged"):
        load_state(path)


class Trap:
    """What makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("member", ["head.npy", "arr_0.npy"])
def test_a_pickle_in_an_npz_is_never_loaded(member, tmp_path):
    trap, path = tmp_path / "sprung", save_state(tmp_path / "s.npz", [np.zeros(1)])
    pickled = npy(np.array([Trap(str(trap))], dtype=object), allow_pickle=True)
    np.lib.format.read_array(BytesIO(pickled), allow_pickle=True)
    assert trap.exists()  # the trap works
    trap.rmdir()
    for content in (pickled, pickle.dumps(Trap(str(trap)))):
        rewritten(path, lambda members, c=content: members.update({member: c}))
        with pytest.raises(ValueError, match=r"s\.npz: this is no saved state, or it was damaged"):
            load_state(path)
    assert not trap.exists()


def test_what_is_wrong_with_damaged_archives_is_said_in_our_words(tmp_path):
    """Not in those of zipfile, zlib or NumPy: "Bad magic number for central directory"."""
    from micrograd.nn.vectors import read_vectors

    rng, packed = random.Random(5), tmp_path / "v.zip"
    whole = save_state(tmp_path / "s.npz", {"a": [np.arange(3.0), 1]}).read_bytes()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("v.txt", "a 1 2 3\nb 4 5 6\n")
    for content, read, told in (
        (whole, load_state, "no saved state|its checksum|it unpacks|no file of the format|version"),
        (packed.read_bytes(), lambda p: read_vectors(p, ["a"]), "archive|vectors|after|the file"),
    ):
        path, refused = tmp_path / "d.npz", 0
        for _ in range(300):
            at, size = rng.randrange(len(content)), rng.choice([0, 1, 8])
            path.write_bytes(content[:at] + rng.randbytes(size) + content[at + size :])
            try:
                read(path)
            except ValueError as error:
                refused += 1
                assert re.search(told, str(error)) and "Bad" not in str(error), str(error)
        assert refused > 100


def sealed(tree):
    """Return a file with the right checksum around any tree."""
    from micrograd.checkpoint.storage import _checksum, _headed

    return json.dumps(_headed(tree, _checksum(tree, [])))


@pytest.mark.parametrize(
    "tree",
    [
        {"__float__": "abc"},
        {"__float__": []},
        {"__tuple__": 5},
        {"__array__": 7},
        {"__array__": ["<f8", [2], [1.0]]},
        {"__array__": ["O", [1], [{"a": 1}]]},
        {"__array__": ["V1000000000000", [1], [1]]},
        {"__array__": ["U1000000000000", [1], ["a"]]},
        {"__array__": ["f8,f8", [1], [1]]},
        {"__array__": ["f8", ["x"], [1]]},
        {"__array__": ["nothing", [1], [1]]},
        {"__array__": ["u1", [1], [300]]},
        {"__array__": ["u1", [1], [-1]]},
        {"__array__": ["i8", [1], [1.5]]},
        {"__array__": ["f4", [1], [0.1]]},
        {"__array__": ["b1", [1], [2]]},
        {"__array__": ["i8", [], 3]},
        {"__array__": ["f8", [1], [None, {}]]},
    ],
)
def test_sealed_nonsense_is_refused_in_one_line(tree, tmp_path):
    path = tmp_path / "s.json"
    path.write_text(sealed({"a": [tree]}))
    with pytest.raises(ValueError, match=r"s\.json: this is no saved state: ") as refusal:
        load_state(path)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("opening, closing", ["[]", ('{"a":', "}")])
@pytest.mark.parametrize("depth", [900, 100_000])
def test_nested_brackets_are_refused_in_one_line(opening, closing, depth, tmp_path):
    path = tmp_path / "s.json"
    nest = opening * depth + "1" + closing * depth
    head = '{"format": "micrograd state", "version": 2, "sha256": "", "state": '
    for text in (nest, f"{head}{nest}}}"):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"s\.json: ") as refusal:
            load_state(path)
        assert len(str(refusal.value)) < 300


# As version 1 wrote it, byte by byte: what writes and reads today has no part in it.
OLD = """{"format": "micrograd state", "version": 1, "sha256": \
"a367fdfa1b4906775394393f82cb7b92d2e546a229eff91af1b2a0d82520157b", "state": \
{"a": [1.5, {"__float__": "nan"}, {"__array__": ["<f8", [2], [0.1, 0.2]]}]}}
"""


def test_a_stored_state_of_version_1_is_read(tmp_path):
    path = tmp_path / "s.json"
    path.write_text(OLD)
    loaded = load_state(path)["a"]
    assert loaded[0] == 1.5 and loaded[1] != loaded[1] and loaded[2].tolist() == [0.1, 0.2]
    for version, told in (("0", "0"), ("3", "3"), ('"1"', "'1'"), ("null", "None")):
        path.write_text(OLD.replace('"version": 1', f'"version": {version}'))
        with pytest.raises(ValueError, match=rf"json: it is of version {told}; .* reads 1 and 2$"):
            load_state(path)


def test_digests_differ_where_states_do():
    states = [
        *({}, [], None, 0, 0.0, -0.0, "0", [0], (0,), {"a": 0}, [0, 0], [[0], 0], True, "", ()),
        *(np.zeros(2), np.zeros(2, "f4"), np.zeros((2, 1)), np.ones(2), np.zeros(0), [0.0, 0.0]),
    ]
    assert len(set(map(digest, states))) == len(states)
    assert digest({"a": 1, "b": np.ones(3)}) == digest({"b": np.ones(3), "a": 1})


def test_a_captured_state_does_not_change_with_what_it_was_taken_of():
    whitening = Whitening().fit(np.random.default_rng(0).normal(size=(9, 3)))
    state = capture({"w": whitening})
    mean = whitening.mean.copy()
    whitening.mean += 1
    np.testing.assert_equal(state["w"]["mean"], mean)


@pytest.mark.parametrize(
    "item, state, reason",
    [
        ({"a": Value(1.0)}, None, "expected names and their states, not None"),
        ({"a": Value(1.0)}, {"b": 1.0}, "it lacks a and it has b too much"),
        ([Value(1.0)], "x", "expected a list, not 'x'"),
        ([Value(1.0)], [1.0, 2.0], "it has 1 too much"),
        (Value(1.0), "x", "cannot hold 'x' .str.: give one real number"),
        (Value(1.0), 10**400, "holds a float, and 1000.* is too large"),
        (np.zeros(2), None, r"an array \(\(2,\), '<f8'\) was expected, not None"),
        (np.zeros(2), np.zeros(2, "f4"), "an array .*'<f8'.* was expected, not .*'<f4'"),
        (random.Random(1), (3, (1, 2), None), ""),
    ],
)
def test_a_state_that_does_not_fit_is_told_and_changes_nothing(item, state, reason):
    before = capture(item)
    with pytest.raises(ValueError, match=f"the state does not fit: .*{reason}"):
        restore(item, state)
    np.testing.assert_equal(capture(item), before)


def test_the_entry_that_does_not_fit_is_named():
    model = MLP(2, [2, 1])
    state = {"model": model, "arrays": [np.zeros(2), np.zeros(3)]}
    kept = capture(state)
    for change, said in (
        (
            {"model": {**kept["model"], "layers.1.neurons.0.b": "a"}},
            r"model: layers.1.neurons.0.b: ",
        ),
        ({"arrays": [np.zeros(2), np.zeros(2)]}, r"arrays: 1: an array \(\(3,\)"),
        ({"arrays": [np.zeros(2)]}, r"arrays: it lacks 1"),
    ):
        with pytest.raises(ValueError, match=f"the state does not fit: {said}"):
            restore(state, kept | change)


def test_an_empty_file_is_called_no_file_of_ours(tmp_path):
    for name in ("state.npz", "state.json"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(ValueError, match=f"{name}: .*cut off: it is neither npz nor JSON$"):
            load_state(tmp_path / name)
