"""The training loop: mini-batches, progress, early stopping, exact resumption."""

from micrograd.training.history import History
from micrograd.training.loop import EarlyStopping, Interrupted, descent, fit
from micrograd.training.progress import Interrupts, Progress

__all__ = [
    "EarlyStopping",
    "History",
    "Interrupted",
    "Interrupts",
    "Progress",
    "descent",
    "fit",
]
