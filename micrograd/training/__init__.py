"""The training loop: mini-batches, progress, early stopping, exact resumption."""

from micrograd.training.history import History
from micrograd.training.loop import descent, fit
from micrograd.training.progress import Interrupts, Progress
from micrograd.training.recording import Recording
from micrograd.training.run import Interrupted
from micrograd.training.stopping import EarlyStopping

__all__ = [
    "EarlyStopping",
    "History",
    "Interrupted",
    "Interrupts",
    "Progress",
    "Recording",
    "descent",
    "fit",
]
