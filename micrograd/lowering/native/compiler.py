"""Compile C and load it; what was compiled is kept on disk, by text, compiler and flags."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from micrograd.files import atomic_write

try:
    import ctypes as ctypes

    _opened = partial(ctypes.CDLL, winmode=0)  # on Windows PATH leads to the libraries of MinGW
except ImportError:  # of a Python that was built where libffi was not
    ctypes = None  # type: ignore[assignment]

# Sums have the order in which they are written, but for those of loops that say so; nan and inf
# keep their meaning.
FLAGS = (
    "-O2",
    "-std=gnu99",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-fopenmp-simd",
    "-fPIC",
    "-shared",
    "-w",
    "-DSTATIC=static __thread",  # a function may run in several threads
)
# What -O2 of GCC lacks to make vectors as clang's does; -O3 takes three times as long to compile.
# Not of statements side by side: in vectors of 512 bits GCC 12.2 puts elements in wrong places.
OF_GCC = (
    *("-ftree-loop-vectorize", "-fno-tree-slp-vectorize", "-fvect-cost-model=dynamic"),
    *("-fpeel-loops", "-funswitch-loops"),
)
ADVICE = 'install gcc or clang, or `pip install "micrograd-graph[native]"`'
OTHERWISE = (
    "let CC name a compiler that works and TMPDIR a folder that has room and may hold programs, "
    'or take backend="numpy"'
)


class CompilerError(RuntimeError):
    """Report that there is no C compiler, or that it failed."""


@cache
def compiler() -> tuple[str, ...]:
    """Return the command of the C compiler: $CC, else cc, gcc or clang, else that of ziglang.

    Raises CompilerError where there is none, or where CC names none.
    """
    if not ctypes:
        raise CompilerError('this Python has no ctypes, which backend="c" needs: install another')
    if named := os.environ.get("CC", "").strip():
        return _named(named)
    for name in filter(shutil.which, ("cc", "gcc", "clang")):
        return (name,)
    if importlib.util.find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    raise CompilerError(f'backend="c" needs a C compiler, and there is none: {ADVICE}')


def _named(named: str) -> tuple[str, ...]:
    """Return the command that CC holds: a program, or words as a shell reads them."""
    with suppress(ValueError):  # a quotation mark that is not closed
        for words in ([named], shlex.split(named)):
            if shutil.which(words[0]):
                return tuple(words)
    raise CompilerError(f"CC={named!r} names no program that can be run; correct or unset it")


def available() -> bool:
    """Return whether there is a compiler."""
    with suppress(CompilerError):
        return bool(compiler())
    return False


@cache
def works() -> bool:
    """Return whether there is a compiler whose libraries load; warn of one that fails."""
    if not (os.environ.get("CC", "").strip() or available()):
        return False  # nobody asked for one: no warning
    try:
        loaded("int run(void) { return 0; }\n")
    except CompilerError as error:
        warnings.warn(f"programs run as NumPy text: {error}", RuntimeWarning, stacklevel=5)
        return False
    return True


@cache
def version() -> str:
    """Return what the compiler says that it is, in full: the cache goes by it."""
    return f"{' '.join(compiler())} {_ran([*compiler(), '--version']).stdout}"


@cache
def processor() -> str:
    """Return the processor with what it can do: code for one may not run on another."""
    told = {platform.machine(), platform.processor()}
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        told |= {x for x in lines if x.startswith(("model name", "flags", "Features", "CPU part"))}
    return " ".join(sorted(told))


def folder() -> Path:
    """Return the folder of what was compiled; nothing is kept for a user who has no home."""
    places = os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~/.cache")
    return Path(next(filter(os.path.isabs, places), os.devnull), "micrograd")  # none is relative


@cache
def loaded(source: str) -> Any:
    """Return the library of a text of C, compiled or from the disk.

    Raises CompilerError where there is no compiler, or where it fails.
    """
    try:
        return _loaded(source)
    except OSError as error:  # no folder to write to, a full disk, or one that nothing runs from
        raise CompilerError(f"the program could not be compiled: {error}; {OTHERWISE}") from None


def _loaded(source: str) -> Any:
    told = "\0".join([source, version(), *command(), processor()])
    name = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    path = folder() / f"{name}.so"
    if _sound(path):
        with suppress(OSError):  # taken away meanwhile, or of another system
            return _opened(str(path))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:  # Windows: in use
        new = compiled(source, Path(temporary))
        with suppress(OSError):  # kept on a disk that nothing runs from
            return _opened(str(_kept(new, path)))
        return _opened(str(new))


def command() -> list[str]:
    """Return the compiler's command with its flags, without files."""
    return [*compiler(), *FLAGS, *(OF_GCC if "Free Software Foundation" in version() else ())]


def compiled(source: str, place: Path) -> Path:
    """Return the file of a library. Raises CompilerError where the compiler fails."""
    text, library = place / "program.c", place / "program.so"
    text.write_text(source, encoding="utf-8")
    for more in (("-march=native",), ()):  # not every compiler knows the processor that it runs on
        result = _ran([*command(), *more, str(text), "-o", str(library), "-lm"])
        if result.returncode == 0 and library.exists():
            return library
    reason = (result.stderr or result.stdout).strip() or f"it ended with {result.returncode}"
    raise CompilerError(
        f"{' '.join(compiler())} could not compile the program: {reason[:500]}; {OTHERWISE}"
    )


def _ran(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the compiler; what it says may be in any encoding."""
    try:
        return subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace")
    except OSError as error:
        raise CompilerError(f"{words[0]} cannot be run: {error}; {ADVICE}") from None


def _sound(path: Path) -> bool:
    """Return whether a library is as it was when it was compiled."""
    with suppress(OSError, ValueError):
        return path.with_suffix(".sha256").read_text(encoding="ascii") == _digest(path)
    return False


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _kept(new: Path, path: Path) -> Path:
    """Move a library to the folder of what was compiled; return where it is.

    Where that cannot be written to, it stays where it is.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, new.read_bytes())
        atomic_write(str(path.with_suffix(".sha256")), _digest(new))
    except OSError:
        return new
    return path
