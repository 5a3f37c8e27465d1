"""The compiler of C: found, told of where it is missing or fails; what it made is kept on disk."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.lowering.native import compiler
from micrograd.lowering.native.compiler import CompilerError
from tests.conftest import ROOT

needs_compiler = pytest.mark.skipif(
    not compiler.available(), reason="no C compiler on this machine"
)
PROGRAM = """
from micrograd.engine import Value
from micrograd.lowering import lower
w = Value(0.5, label="w")
program = lower(lambda x: (w * x).tanh(), 1.0, backend={!r})
print(program.backend, program.value_and_grad([1.0, 2.0])[1]["w"])
"""


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """An empty folder of what was compiled, and nothing remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "micrograd"
    forget()


def forget():
    for function in (compiler.compiler, compiler.version, compiler.loaded, compiler.works):
        function.cache_clear()


def program(backend="c"):
    w = Value(0.5, label="w")
    return lower(lambda x: (w * x).tanh(), 1.0, backend=backend)


def gradient(backend="c"):
    return float(program(backend).value_and_grad([1.0, 2.0])[1]["w"])


RIGHT = float(np.mean([1 - np.tanh(0.5) ** 2, 2 * (1 - np.tanh(1.0) ** 2)]))


def none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(compiler.importlib.util, "find_spec", lambda name: None)


def test_no_compiler_is_one_sentence(fresh, monkeypatch):
    none(monkeypatch)
    with pytest.raises(CompilerError) as error:
        program()
    words = str(error.value)
    assert words.startswith('backend="c" needs a C compiler, and there is none: install gcc')
    assert "micrograd-graph[native]" in words and "\n" not in words


def test_without_a_compiler_the_text_goes_on(fresh, monkeypatch):
    none(monkeypatch)
    assert program("auto").backend == program("numpy").backend == "numpy"
    assert gradient("auto") == pytest.approx(RIGHT, rel=1e-12)


def test_a_back_end_that_there_is_not():
    with pytest.raises(ValueError, match="backend='cuda'; give one of numpy, c, auto"):
        program("cuda")


@needs_compiler
def test_auto_takes_c(fresh):
    assert program("auto").backend == program("c").backend == "c"
    assert program("numpy").backend == "numpy"
    assert gradient("auto") == pytest.approx(RIGHT, rel=1e-12)


def compiler_of(tmp_path, monkeypatch, script):
    path = tmp_path / "cc of mine"  # more than a word
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("CC", str(path))


def test_a_compiler_that_fails_is_quoted(fresh, tmp_path, monkeypatch):
    compiler_of(tmp_path, monkeypatch, "echo 'no room for you' >&2; exit 3")
    with pytest.raises(
        CompilerError, match="could not compile the program: no room for you; .*numpy"
    ):
        gradient()
    assert not list(fresh.glob("*")) if fresh.exists() else True


def test_where_the_compiler_fails_auto_says_so_and_the_text_goes_on(fresh, tmp_path, monkeypatch):
    compiler_of(tmp_path, monkeypatch, "exit 3")
    with pytest.warns(
        RuntimeWarning, match="programs run as NumPy text: .* it ended with 3"
    ) as told:
        assert program("auto").backend == "numpy"
    assert told[0].filename == __file__
    assert gradient("auto") == pytest.approx(RIGHT, rel=1e-12)  # and is not told again


NO_PROGRAMS = ["nosuch", "nosuch gcc", "/nowhere/cc", "/", "'nosuch", "''"]


@pytest.mark.parametrize("named", NO_PROGRAMS)
def test_what_cc_names_is_not_passed_over(fresh, monkeypatch, named):
    monkeypatch.setenv("CC", named)
    with pytest.raises(CompilerError) as error:
        program()
    assert str(error.value).startswith(f"CC={named!r} names no program that can be run; ")
    with pytest.warns(RuntimeWarning, match="NumPy text: CC=.* names no program"):
        assert program("auto").backend == "numpy"


@pytest.mark.parametrize(
    "text, words",
    [
        (" {} ", ["{}"]),
        ("'{}' -m64", ["{}", "-m64"]),
        ('"{}" -DX="a b"', ["{}", "-DX=a b"]),
        ("sh '{}'", ["sh", "{}"]),
    ],
)
def test_cc_may_hold_arguments_as_a_shell_reads_them(fresh, tmp_path, monkeypatch, text, words):
    compiler_of(tmp_path, monkeypatch, "")
    path = os.environ["CC"]
    monkeypatch.setenv("CC", text.format(path))
    assert compiler.compiler() == tuple(word.format(path) for word in words)


@pytest.mark.parametrize("named", ["", " "])
def test_an_empty_cc_names_nothing(fresh, monkeypatch, named):
    none(monkeypatch)
    monkeypatch.setenv("CC", named)
    with pytest.raises(CompilerError, match="there is none"):
        program()


def test_a_python_without_ctypes_runs_the_text():
    """One built where libffi was not has none."""
    code = f"import sys; sys.modules['_ctypes'] = None\n{PROGRAM}"
    for backend, said in (("auto", f"numpy {RIGHT}"[:12]), ("c", "this Python has no ctypes")):
        command = [sys.executable, "-c", code.format(backend)]
        run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert said in run.stdout + run.stderr


def test_a_compiler_that_makes_nothing(fresh, tmp_path, monkeypatch):
    compiler_of(tmp_path, monkeypatch, "exit 0")
    with pytest.raises(CompilerError, match="it ended with 0"):
        gradient()


def test_tests_leave_the_users_cache_alone():
    assert not compiler.folder().is_relative_to(Path.home() / ".cache")


@needs_compiler
def test_what_was_compiled_is_not_compiled_again(fresh, tmp_path, monkeypatch):
    real = " ".join(compiler.compiler())
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    kept = sorted(file.name for file in fresh.iterdir())
    assert [Path(name).suffix for name in kept] == [".sha256", ".so"]
    monkeypatch.setattr(compiler, "compiled", lambda *_: pytest.fail("compiled again"))
    compiler.loaded.cache_clear()
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert real == " ".join(compiler.compiler())


@needs_compiler
@pytest.mark.parametrize("damage", [b"", b"\x7fELF", None])
def test_a_damaged_object_is_made_anew(fresh, damage):
    gradient()
    (library,) = fresh.glob("*.so")
    right = library.read_bytes()
    compiler.loaded.cache_clear()
    new = library.with_name("new")
    new.write_bytes(right[: len(right) // 2] if damage is None else damage)
    os.replace(new, library)  # what is loaded is another file
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert compiler._sound(library)


@needs_compiler
@pytest.mark.parametrize("text", ["", "\xff", "0" * 64])
def test_a_damaged_checksum(fresh, text):
    gradient()
    (told,) = fresh.glob("*.sha256")
    told.write_text(text, encoding="latin-1")
    compiler.loaded.cache_clear()
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert compiler._sound(told.with_suffix(".so"))


@needs_compiler
def test_a_folder_that_cannot_be_written_to(fresh):
    fresh.parent.mkdir()
    fresh.write_text("a file where the folder would be")
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert fresh.is_file()


@needs_compiler
def test_a_full_disk(fresh, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert not list(fresh.glob("*"))


@needs_compiler
@pytest.mark.parametrize("barred", ["cache", ""])
def test_a_disk_that_nothing_runs_from(fresh, monkeypatch, barred):
    real = compiler._opened

    def mounted_noexec(path):
        if barred in path:
            raise OSError(f"{path}: failed to map segment from shared object")
        return real(path)

    monkeypatch.setattr(compiler, "_opened", mounted_noexec)
    if barred:
        assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    else:
        with pytest.raises(CompilerError, match="failed to map .*TMPDIR .*numpy"):
            gradient()


@needs_compiler
def test_no_folder_for_what_passes(fresh, monkeypatch):
    def none(*_, **__):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(compiler.tempfile, "TemporaryDirectory", none)
    with pytest.raises(CompilerError, match="No usable temporary directory .*TMPDIR .*numpy"):
        gradient()


@needs_compiler
def test_a_user_without_a_home(fresh, tmp_path, monkeypatch):
    def unknown(_):
        raise KeyError("getpwuid(): uid not found")

    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.chdir(tmp_path)
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    assert not list(tmp_path.iterdir())


@needs_compiler
@pytest.mark.parametrize("name", ["XDG_CACHE_HOME", "HOME"])
def test_a_relative_folder_of_what_is_kept_counts_for_nothing(fresh, tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv(name, "here")
    monkeypatch.chdir(tmp_path)
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)
    home = [".cache"] if name == "XDG_CACHE_HOME" else []
    assert [x.name for x in (tmp_path / "home").glob("*")] == home
    assert not (tmp_path / "here").exists()


@needs_compiler
def test_a_library_that_can_be_neither_kept_nor_removed_runs(fresh, monkeypatch):
    """Windows removes no library that is loaded, and there may be no home to keep it in."""
    real = os.unlink

    def unlink(path, **options):
        if str(path).endswith("program.so"):
            raise PermissionError(13, "in use")
        real(path, **options)

    monkeypatch.setattr(os.path, "isabs", lambda path: False)
    monkeypatch.setattr(os, "unlink", unlink)
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)


def test_a_compiler_speaks_any_encoding(fresh, tmp_path, monkeypatch):
    compiler_of(tmp_path, monkeypatch, r"printf '\374'; printf '\374' >&2; exit 3")
    with pytest.raises(CompilerError, match="could not compile the program: \ufffd; "):
        gradient()


@needs_compiler
@pytest.mark.skipif(os.name == "nt", reason="file names are no bytes there")
def test_a_compiler_whose_name_is_of_any_bytes(fresh, tmp_path, monkeypatch):
    path = tmp_path / os.fsdecode(b"cc-\xe9")
    path.symlink_to(shutil.which(compiler.compiler()[0]))
    forget()
    monkeypatch.setenv("CC", str(path))
    assert gradient() == pytest.approx(RIGHT, rel=1e-12)


def test_a_compiler_that_is_no_program(fresh, tmp_path, monkeypatch):
    compiler_of(tmp_path, monkeypatch, "")
    (tmp_path / "cc of mine").write_bytes(b"\x7fELF")
    with pytest.raises(CompilerError, match="cannot be run: .*Exec format error"):
        gradient()


@needs_compiler
def test_other_flags_and_compilers_make_other_objects(fresh, monkeypatch):
    gradient()
    compiler.loaded.cache_clear()
    monkeypatch.setattr(compiler, "FLAGS", (*compiler.FLAGS, "-DOTHER"))
    gradient()
    compiler.loaded.cache_clear()
    monkeypatch.setattr(compiler, "processor", lambda: "another one")
    gradient()
    compiler.loaded.cache_clear()
    of_gcc = compiler.OF_GCC[-1] in compiler.command()
    monkeypatch.setattr(compiler, "OF_GCC", compiler.OF_GCC[:-1])
    gradient()
    assert len(list(fresh.glob("*.so"))) == 3 + of_gcc


@needs_compiler
def test_several_processes_and_threads_at_once(fresh):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", PROGRAM.format("c")]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    with ThreadPoolExecutor(3) as pool:
        own = list(pool.map(lambda _: gradient(), range(6)))
    told = [process.communicate(timeout=60)[0].split() for process in running]
    assert {name for name, _ in told} == {"c"}
    assert {float(number) for _, number in told} == set(own)
    assert [file.suffix for file in sorted(fresh.iterdir())] == [".sha256", ".so"]


def test_import_and_programs_of_numpy_ask_for_no_compiler(tmp_path):
    environment = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PATH": "",
        "XDG_CACHE_HOME": str(tmp_path),
    }
    command = [sys.executable, "-c", PROGRAM.format("numpy")]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.split()[0] == "numpy"
    assert not list(tmp_path.iterdir())
