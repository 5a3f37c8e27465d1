"""Run compiled functions on the arrays of a program."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import accumulate
from math import prod
from typing import Any

import numpy as np

from micrograd.lowering.arrays.ir import Array, Rows, Term
from micrograd.lowering.arrays.reads import flat_places
from micrograd.lowering.code.helpers.numpy import sparse_rows
from micrograd.lowering.native.c.module import Module, module
from micrograd.lowering.native.compiler import command, compiler, ctypes, loaded, works
from micrograd.lowering.passes import Lowered
from micrograd.lowering.trace.declared import FORWARD
from micrograd.optim.gradients import Rows as RowsOfTable

RECORD = 2**28 - 1  # numbers: a record of NumPy's ends at 2 GB
Result = tuple[float, dict[str, Any], bool]
_modules: weakref.WeakKeyDictionary[Lowered, dict[Any, Module]] = weakref.WeakKeyDictionary()


def chosen(backend: str, lowered: Lowered, held: Mapping[str, Any]) -> Native | None:
    """Return what runs a program natively; None where its text is to run.

    Raises CompilerError for "c" where there is no compiler.
    """
    if backend == "numpy" or (backend == "auto" and not works()):
        return None
    compiler()
    return Native(lowered, held)


class Native:
    """The functions of a program, compiled when they are first wanted.

    They read parameters and constants where they lie: `held` are changed in place only. A call
    gives new arrays, so that several threads may call at the same time.
    """

    def __init__(self, lowered: Lowered, held: Mapping[str, Any]) -> None:
        self.lowered, self.held = lowered, held
        self._functions: dict[str, _Function] = {}

    def module(self, wanted: str, sparse_rows: bool = True) -> Module:
        """Return the C of a function; `wanted` is FORWARD, PARAMETER or INPUT."""
        modules = _modules.setdefault(self.lowered, {})
        key = wanted, sparse_rows or not self.lowered.lookups
        if key not in modules:
            name = "forward" if wanted == FORWARD else "value_and_grad"
            modules[key] = module(self.lowered.forms(wanted), name, key[1])
        return modules[key]

    def told(self, wanted: str) -> str:
        """Return what runs: the compiler's command, and the function as it is compiled."""
        source = self.module(wanted).source
        name = "forward" if wanted == FORWARD else "value_and_grad"
        start = source.index(f"static double {name}(")
        return f"/* {' '.join(command())} */\n{source[start : source.index('int run(')].rstrip()}"

    def __call__(self, wanted: str, inputs: Sequence[Any]) -> Result:
        """Return the loss of a batch, gradients by name, and whether a number left the floats.

        Raises CompilerError where there is no compiler, or where it fails.
        """
        return (self._functions.get(wanted) or self.function(wanted))(inputs)

    def function(self, wanted: str) -> _Function:
        """Return a function, compiled."""
        function = self._functions.get(wanted)
        if function is None:
            function = _Function(self.module(wanted), self.held, self.lowered.names)
            self._functions[wanted] = function
        return function


class _Function:
    """One compiled function with the arrays that it reads."""

    def __init__(self, module: Module, held: Mapping[str, Any], names: Mapping[Any, str]) -> None:
        self.module, self.held, self.names = module, held, names
        own = [held[names[a]] for a in module.arguments if names[a] in held]
        own += module.tables
        self._leaves = (ctypes.c_void_p * max(1, len(own)))(*map(address, own))
        self._where = ctypes.addressof(self._leaves)
        self._inputs = [names[a] for a in module.arguments if names[a] not in held]
        self._call = loaded(module.source).run
        pointers = [ctypes.c_void_p] * (2 + len(self._inputs))
        self._call.argtypes = [ctypes.c_long, *pointers]
        results = sorted(module.results, key=lambda array: array.batched)  # as C lays them out
        self._field = {array: str(n) for n, array in enumerate(results)}
        self._laid = self._laid_out(0)
        found = [(names[leaf], array) for leaf, array in module.gradients.items()]
        sparse = module.sparse
        self._dense = [(name, self._field[a]) for name, a in found if a not in sparse]
        self._sparse = [(name, a) for name, a in found if a in sparse]

    def _laid_out(self, size: int) -> tuple[int, int, Any]:
        """Return `size`, how many numbers C writes for a batch of it, and as what: a record, whose
        fields are quick, or the shapes of its parts where these are more than one can hold."""
        shapes = {n: (size,) * a.batched + a.shape for a, n in self._field.items()}
        count = 1 + sum(map(prod, shapes.values()))
        if count > RECORD:
            return size, count, {"loss": (), **shapes}
        fields = ((n, float, shape) for n, shape in shapes.items())
        return size, count, np.dtype([("loss", float), *fields])

    def __call__(self, inputs: Sequence[Any]) -> Result:
        arguments, record = self._prepared(inputs)
        strange = self._call(*arguments)
        return float(record["loss"]), self._gradients(record, inputs), bool(strange)

    def bound(self, inputs: Sequence[Any]) -> tuple[Callable[[], int], dict[str, Any]]:
        """Return a call of C alone, and the gradients that it writes.

        It knows where arrays lie: whoever calls it keeps the program and the inputs.
        """
        arguments, record = self._prepared(inputs)
        return partial(self._call, *arguments), self._gradients(record, inputs)

    def _prepared(self, inputs: Sequence[Any]) -> tuple[list[int], Any]:
        """Return what C takes, and the record that it writes."""
        size = len(inputs[0]) if inputs else 1
        known, count, kind = self._laid  # of the last batch: most have its size
        if size != known:
            _, count, kind = self._laid = self._laid_out(size)
        flat = np.empty(count)
        arguments = [size, self._where, *map(address, (flat, *inputs))]
        if isinstance(kind, dict):
            parts = np.split(flat, [*accumulate(map(prod, kind.values()))][:-1])
            return arguments, {n: x.reshape(kind[n]) for n, x in zip(kind, parts)}
        return arguments, np.ndarray((), kind, flat)

    def _gradients(self, record: Any, inputs: Sequence[Any]) -> dict[str, Any]:
        gradients: dict[str, Any] = {name: record[field] for name, field in self._dense}
        for name, adjoint in self._sparse:
            gradients[name] = self._rows(name, adjoint, record, inputs)
        return gradients

    def _rows(self, name: str, adjoint: Array, record: Any, inputs: Any) -> RowsOfTable:
        batch = dict(zip(self._inputs, inputs))
        pairs: list[Any] = []
        for term, part in zip(adjoint.terms, self.module.sparse[adjoint]):
            pairs += [self._ids(term, batch), record[self._field[part]]]
        return RowsOfTable(*sparse_rows(self.held[name], *pairs))

    def _ids(self, term: Term, batch: Mapping[str, Any]) -> Any:
        """Return the rows that a term is added to, for every sample."""
        assert isinstance(term.at, Rows)
        read = term.at.ids
        sizes = {v: int(n) for v, n in term.kept if v in read.vars}  # type: ignore[arg-type]
        places = np.asarray(flat_places(read, sizes))
        order = [read.vars.index(v) for v, _ in term.kept if v in read.vars]
        ids = batch[self.names[read.array]]
        return ids.reshape(len(ids), -1)[:, places.transpose(order).reshape(-1)]


def address(array: Any) -> int:
    """Return where the numbers of an array are."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # five times as fast
    except (TypeError, ValueError):  # of an array that is read only, or has no numbers
        address: int = array.__array_interface__["data"][0]
        return address
