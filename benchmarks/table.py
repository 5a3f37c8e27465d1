"""The table of README, written by `lowering.py --readme` between two comments."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from micrograd.files import atomic_write
from micrograd.lowering.native.compiler import available, compiler

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = {
    "compiled": "as C",
    "lowered": "as NumPy",
    "NumPy by hand": "NumPy by hand",
    "C by hand": "C by hand",
    "JAX jit": "JAX jit",
    "PyTorch": "PyTorch",
    "torch.compile": "torch.compile",
    "eager": "the engine",
}
PAGES = {  # before the columns, and behind the table
    "README.md": (
        "a step of",
        "A step is the loss and all gradients, called from Python, float64, one thread: medians of "
        "{repeats} turns; bold is the fastest. {machine}.",
    ),
    "README.zh.md": (
        "每步",
        "一步是损失和全部梯度，从 Python 调用，float64，单线程：{repeats} 轮的中位数；"
        "粗体最快。{machine}。",
    ),
}
MARKS = "<!-- benchmarks -->", "<!-- end of benchmarks -->"
Seconds = Mapping[str, Mapping[str, float]]  # by workload and contender


def write(results: Seconds, repeats: int) -> None:
    """Put the table of some results into the pages."""
    for page in PAGES:
        path = ROOT / page
        text = path.read_text(encoding="utf-8")
        atomic_write(str(path), updated(text, markdown(results, page, repeats, machine())))


def updated(text: str, table: str) -> str:
    """Return a page with another table. Raises ValueError where it has no place for one."""
    first, last = MARKS
    pattern = re.compile(f"{re.escape(first)}.*?{re.escape(last)}", re.S)
    if not pattern.search(text):
        raise ValueError(f"the page has no {first} ... {last}")
    return pattern.sub(lambda _: f"{first}\n{table}\n{last}", text, count=1)


def markdown(results: Seconds, page: str, repeats: int, where: str) -> str:
    """Return the table: a workload in each row, a contender in each column."""
    corner, below = PAGES[page]
    columns = [c for c in COLUMNS if any(c in row for row in results.values())]
    rows = [[corner, *(COLUMNS[c] for c in columns)], ["---", *["---:"] * len(columns)]]
    for name, row in results.items():
        fastest = min(row[c] for c in columns if c in row)
        cells = [shown(row[c], row[c] == fastest) if c in row else "" for c in columns]
        rows.append([name, *cells])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\n{below.format(repeats=repeats, machine=where)}"


def shown(seconds: float, bold: bool) -> str:
    """Return a time to three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            text = f"{float(f'{seconds / size:.3g}'):,g} {unit}"
            break
    return f"**{text}**" if bold else text


def machine() -> str:
    """Return the processor, the versions of what was measured, and how busy it all was."""
    versions = [f"Python {platform.python_version()}"]
    for name, package in (("NumPy", "numpy"), ("JAX", "jax"), ("PyTorch", "torch")):
        try:
            versions.append(f"{name} {version(package)}")
        except PackageNotFoundError:
            continue
    if available():
        told = subprocess.run([*compiler(), "--version"], capture_output=True, text=True).stdout
        versions.append(told.partition("\n")[0])
    if hasattr(os, "getloadavg"):
        versions.append(f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    return ", ".join([processor(), *versions])


def processor() -> str:
    """Return the name of the processor."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        told = ""
    name = re.search(r"model name\s*: (.*)", told)
    return name[1].strip() if name else platform.processor() or platform.machine()
