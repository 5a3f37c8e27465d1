"""A scalar autograd engine to read, step through, draw, and train with."""

from micrograd.core.modes import AnomalyError, detect_anomaly, no_grad, scope
from micrograd.derivatives import grad, hessian, jacobian
from micrograd.engine import Step, Value, topological_order, weighted_sum
from micrograd.functions import dot, labelled, log_softmax, logsumexp, mean, softmax
from micrograd.ops import DomainError
from micrograd.registry import register

__version__ = "0.1.0"


def _notebook_picture(value: Value, **_: object) -> dict[str, str]:
    from micrograd.render.picture import mimebundle  # pictures are loaded when one is shown

    return mimebundle(value)


Value._repr_mimebundle_ = _notebook_picture  # type: ignore[attr-defined]

__all__ = [
    "AnomalyError",
    "DomainError",
    "Step",
    "Value",
    "detect_anomaly",
    "dot",
    "grad",
    "hessian",
    "jacobian",
    "labelled",
    "log_softmax",
    "logsumexp",
    "mean",
    "no_grad",
    "register",
    "scope",
    "softmax",
    "topological_order",
    "weighted_sum",
]
