"""Lowering: from a loss written over single numbers to a program over arrays."""

from micrograd.lowering.lower import lower
from micrograd.lowering.program import Program

__all__ = ["Program", "lower"]
