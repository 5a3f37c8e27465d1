"""Optimisers (L24): one rule for a float, an array, and some rows of a table."""

from micrograd.optim.gradients import Rows, clip_norm, clip_value
from micrograd.optim.optimizer import Optimizer
from micrograd.optim.rules import (
    BY_NAME,
    SGD,
    AdaGrad,
    Adam,
    AdamW,
    RMSProp,
    SparseAdam,
    fan_in_groups,
)

__all__ = [
    "BY_NAME",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSProp",
    "Rows",
    "SparseAdam",
    "clip_norm",
    "clip_value",
    "fan_in_groups",
]
