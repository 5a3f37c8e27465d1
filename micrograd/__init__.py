"""A scalar autograd engine to read, step through, draw, and train with."""

from micrograd.engine import Value
from micrograd.modes import detect_anomaly, no_grad, scope

__all__ = ["Value", "detect_anomaly", "no_grad", "scope"]
