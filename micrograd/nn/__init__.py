"""Networks: neurons, layers, and what is built of them."""

from micrograd.nn.feedforward import MLP, Layer, Neuron
from micrograd.nn.module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron"]
