"""Networks: neurons, layers, and what is built of them."""

from micrograd.engine import Value  # programs written for micrograd import it from here too
from micrograd.nn.dropout import Dropout, monte_carlo, sampled
from micrograd.nn.embedding import Embedding, one_hot
from micrograd.nn.feedforward import MLP, Layer, Neuron
from micrograd.nn.module import Module
from micrograd.nn.recurrent import Recurrent
from micrograd.nn.softmax import SoftmaxClassifier

__all__ = [
    "MLP",
    "Dropout",
    "Embedding",
    "Layer",
    "Module",
    "Neuron",
    "Recurrent",
    "SoftmaxClassifier",
    "Value",
    "monte_carlo",
    "one_hot",
    "sampled",
]
