"""A readable C file that stands alone: forward and value_and_grad, one sample after the other."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import Array
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.native.c.function import Function
from micrograd.lowering.native.c.memory import Tables
from micrograd.lowering.native.c.module import WIDTH, array_text, data_of, task
from micrograd.lowering.native.c.tape import Tape

HEAD = """\
/* Lowered by micrograd to C99. B is the number of samples, one after the other in every input;
   {results} Nothing is allocated.
   cc -O2 FILE.c -lm{more} */
#include <math.h>
{includes}
#ifdef __cplusplus
#define restrict __restrict
#endif"""
RESULTS = {  # by what forward returns
    "double": "the loss is returned, the gradients are written to the last arguments.",
    "void": """forward writes the outputs to its last argument; value_and_grad returns their sum
   times upstream, and writes the gradients.""",
}


def exported(
    forms: Any, forward: Any, leaves: Mapping[str, Any], sample: Mapping[str, Any], main: bool
) -> str:
    """Return the C file; with `main`, a program that prints what the traced sample gives.

    `leaves` are the present data of parameters and constants, `sample` those of the inputs.
    """
    of: dict[Array, list[Array]] = {}  # the leaves that an array is the gradient of
    for leaf, gradient in forms["adjoints"].gradients.items() if forms["adjoints"] else ():
        of.setdefault(gradient, []).append(leaf)
    tables: Tables = {}
    functions = [
        _function(f, name, tables) for name, f in (("forward", forward), ("value_and_grad", forms))
    ]
    texts = [_head(f, of) + _body(f) for f in functions]
    called = dict(item for f in functions for item in f.formulas.called.items())
    data: dict[str, Any] = {}
    for f, form in zip(functions, (forward, forms)):
        data |= f.tables if isinstance(f, Tape) else data_of(f, form)
    body = "\n\n".join(texts)
    wanted = {"stdio": main, "string": "memset(" in body or main}
    parts = [
        HEAD.format(
            results=RESULTS[functions[0].task.kind],
            includes="\n".join(f"#include <{name}.h>" for name in wanted if wanted[name]),
            more=" && ./a.out" if main else "",
        ),
        "\n".join(called.values()),
        "\n".join(array_text(name, values) for name, values in data.items()),
        body.replace("STATIC ", "static "),
        _main(functions[1], {**leaves, **sample}) if main else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _function(forms: Any, name: str, tables: Tables) -> Function | Tape:
    if isinstance(forms["arrays"], Levels):
        return Tape(forms["arrays"], forms["wanted"], name, sparse=False)
    return Function(task(forms, name, sparse_rows=False)[0], False, (), tables)


def _head(function: Function | Tape, of: Mapping[Array, Sequence[Array]]) -> str:
    """Return the head of a function, beside its arguments their shapes and what they are for."""
    lines = [("long B", "the number of samples")]
    for text, item in function.parameters():
        if isinstance(item, Array):
            shape = str(item.sizes)
            leaves = " and ".join(function.task.names[leaf] for leaf in of.get(item, ()))
            role = f", result: the gradient of {leaves}" if leaves else ", result"
            lines.append((text, shape + (role if item in function.task.results else "")))
    width = max(len(text) for text, _ in lines) + 1
    last = len(lines) - 1
    rows = [
        f"    {text + (',' if i < last else ')'):<{width}}  /* {remark} */"
        for i, (text, remark) in enumerate(lines)
    ]
    return "\n".join([f"{function.task.kind} {function.task.name}(", *rows])


def _body(function: Function | Tape) -> str:
    """Return what stands behind the head; of what it does not use it says so, or cc would warn."""
    body = function.text().partition(") {")[2]
    words = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", body)))
    names = ["B", *(re.findall(r"\w+", text)[-1] for text, _ in function.parameters())]
    unused = [f"(void){name};" for name in names if name not in words]
    return " {" + (f"\n    {' '.join(unused)}" if unused else "") + body


def _main(function: Function | Tape, data: Mapping[str, Any]) -> str:
    """Return a program that calls a function on data and prints all results."""
    names, results = function.task.names, function.task.results
    arrays, arguments = [], ["1"]
    for text, item in function.parameters():
        if isinstance(item, Array) and item not in results:
            values = np.asarray(data[names.original[item]])
            whole = text.startswith("const long long")
            array = array_text(
                f"{names[item]}_data", np.rint(values).astype(int) if whole else values
            )
            arrays.append(array.replace("const int", "const long long") if whole else array)
            arguments.append(f"{names[item]}_data")
        elif isinstance(item, Array):
            arguments.append(names[item])
    declared = [f"    static double {names[a]}[{a.size}];" for a in results]
    printed = [
        f"    for (int i = 0; i < {a.size}; i++) "
        f'printf("{names[a]}[%d] %.17g\\n", i, {names[a]}[i]);'
        for a in results
    ]
    call = textwrap.wrap(
        f"double loss = value_and_grad({', '.join(arguments)});",
        WIDTH,
        initial_indent="    ",
        subsequent_indent="        ",
        break_long_words=False,
    )
    lines = ["int main(void) {", *declared, *call, '    printf("loss %.17g\\n", loss);', *printed]
    return "\n".join([*arrays, "", *lines, "    return 0;", "}"])
