"""Lowering: from a loss written over single numbers to a program over arrays."""

from sys import implementation

if implementation.name != "cpython":  # elsewhere an object is not where an array says it is
    raise ImportError(f"lowering needs CPython; {implementation.name} runs the scalar engine only")

from micrograd.lowering.lower import lower
from micrograd.lowering.program import Program

__all__ = ["Program", "lower"]
