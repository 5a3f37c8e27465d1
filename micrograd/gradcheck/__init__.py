"""Gradients checked against numbers: is what backward() computes the slope of the function?"""

from micrograd.gradcheck.report import METHODS, Entry, Report, gradcheck

__all__ = ["METHODS", "Entry", "Report", "gradcheck"]
