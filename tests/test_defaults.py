"""Defaults are part of the product: those of the papers, of the notes, and of karpathy's code."""

import inspect

import pytest

from micrograd import losses, nn, optim, preprocessing, schedules, training

DEFAULTS = [
    (nn.Neuron, {"nonlin": True, "activation": "relu", "fused": False, "bias": True}),
    (nn.MLP, {"activation": "relu", "fused": False}),
    (nn.Dropout, {"p": 0.5, "inverted": True, "variational": False, "seed": None}),
    (nn.monte_carlo, {"samples": 50}),
    (nn.SoftmaxClassifier, {"fused": False}),
    (optim.SGD, {"lr": 0.01, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
    (optim.AdaGrad, {"lr": 0.01, "eps": 1e-10, "weight_decay": 0.0}),
    (optim.RMSProp, {"lr": 0.01, "decay": 0.99, "eps": 1e-8, "weight_decay": 0.0}),
    (optim.Adam, {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}),
    (optim.Adam, {"bias_correction": True, "dense": False, "clip": None}),
    (schedules.step, {"factor": 0.5}),
    (schedules.cosine, {"last": 0.0}),
    (schedules.one_cycle, {"rise": 0.3, "start": 25.0, "end": 1e4}),
    (schedules.warm_up, {"start": 0.0}),
    (schedules.Plateau, {"factor": 0.1, "patience": 10, "threshold": 1e-4, "least": 0.0}),
    (losses.max_margin, {"margin": 1.0}),
    (losses.multiclass_hinge, {"margin": 1.0}),
    (losses.path_margin, {"legal": None, "margin": 1.0}),
    (losses.l2, {"strength": 1.0, "squared": True}),
    (losses.l1, {"strength": 1.0}),
    (preprocessing.Whitening, {"kind": "pca", "guard": 1e-10}),
    (training.EarlyStopping, {"monitor": "loss", "patience": 5, "best": "min"}),
    (training.fit, {"batch_size": 32, "seed": 0, "resume": False, "progress": True}),
]


@pytest.mark.parametrize("function, defaults", DEFAULTS)
def test_defaults(function, defaults):
    parameters = inspect.signature(function).parameters
    assert {name: parameters[name].default for name in defaults} == defaults
