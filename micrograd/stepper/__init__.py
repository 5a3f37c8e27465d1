"""Step through both passes of a graph: as plain data, as one HTML page, in the terminal."""

from micrograd.stepper.document import page, save_page
from micrograd.stepper.trace import trace
from micrograd.stepper.training_page import save_training_page, training_page
from micrograd.stepper.walk import Stop, Walk

__all__ = ["Stop", "Walk", "page", "save_page", "save_training_page", "trace", "training_page"]
