"""Run a compiled function on NumPy arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np

from micrograd.lowering.arrays.axes import flat_places
from micrograd.lowering.arrays.ir import Array, Rows, Term
from micrograd.lowering.code.helpers.numpy import sparse_rows
from micrograd.lowering.native.compiler import loaded
from micrograd.lowering.native.module import Module

_POINTER = ctypes.c_void_p


class Native:
    """A compiled function: called with the arrays of its arguments by name."""

    def __init__(self, module: Module, names: Mapping[Any, str], gradients: Mapping[Array, Array]):
        self.module = module
        self.arguments = [names[a] for a in module.arguments]
        self.gradients = {names[leaf]: adjoint for leaf, adjoint in gradients.items()}
        self.names = names
        self.function = loaded(module.source).run
        self.count = len(module.arguments) + len(module.results)

    def __call__(self, arrays: Mapping[str, Any], size: int) -> tuple[float, dict[str, Any], bool]:
        """Return the loss, the gradients, and whether a number left the range of floats."""
        results = {
            a: np.empty((size, *a.shape) if a.batched else a.shape) for a in self.module.results
        }
        given = [arrays[name] for name in self.arguments]
        pointers = (_POINTER * self.count)(
            *(x.__array_interface__["data"][0] for x in (*given, *results.values()))
        )
        loss = ctypes.c_double()
        strange = self.function(ctypes.c_long(size), pointers, ctypes.byref(loss))
        gradients = {
            name: self._gradient(name, adjoint, results, arrays)
            for name, adjoint in self.gradients.items()
        }
        return loss.value, gradients, bool(strange)

    def _gradient(
        self, name: str, adjoint: Array, results: Mapping[Array, Any], arrays: Mapping[str, Any]
    ) -> Any:
        if adjoint not in self.module.sparse:
            return results[adjoint]
        pairs: list[Any] = []
        for term, part in zip(adjoint.terms, self.module.sparse[adjoint]):
            pairs += [self._ids(term, arrays), results[part]]
        return sparse_rows(arrays[name], *pairs)

    def _ids(self, term: Term, arrays: Mapping[str, Any]) -> Any:
        """Return the rows that a term is added to."""
        assert isinstance(term.at, Rows)
        read = term.at.ids
        ids = arrays[self.names[read.array]]
        sizes = {v: int(n) for v, n in term.kept if v in read.vars}  # type: ignore[arg-type]
        places = flat_places(read, sizes)
        order = [v for v, _ in term.kept if v in read.vars]
        places = np.asarray(places).transpose([read.vars.index(v) for v in order])
        return ids.reshape(len(ids), -1)[:, places.reshape(-1)]
