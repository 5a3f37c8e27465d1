"""Helpers of programs that run under PyTorch, and its functions under NumPy's names."""

from __future__ import annotations

from typing import Any

import torch


class Slices:
    """Return what stands in brackets."""

    def __getitem__(self, key: Any) -> Any:
        return key


s_ = Slices()


def of_tensors(function: Any) -> Any:
    """Return a function of tensors as one that takes numbers too."""

    def call(*values: Any) -> Any:
        return function(*(torch.as_tensor(v, dtype=torch.float64) for v in values))

    return call


exp = of_tensors(torch.exp)
log = of_tensors(torch.log)
log1p = of_tensors(torch.log1p)
sqrt = of_tensors(torch.sqrt)
sin = of_tensors(torch.sin)
cos = of_tensors(torch.cos)
tanh = of_tensors(torch.tanh)
expm1 = of_tensors(torch.expm1)
log2 = of_tensors(torch.log2)
log10 = of_tensors(torch.log10)
tan = of_tensors(torch.tan)
sinh = of_tensors(torch.sinh)
cosh = of_tensors(torch.cosh)
arcsin = of_tensors(torch.arcsin)
arccos = of_tensors(torch.arccos)
arctan = of_tensors(torch.arctan)
arcsinh = of_tensors(torch.arcsinh)
arccosh = of_tensors(torch.arccosh)
arctanh = of_tensors(torch.arctanh)
maximum = of_tensors(torch.maximum)
minimum = of_tensors(torch.minimum)
abs = of_tensors(torch.abs)
zeros = torch.zeros
arange = torch.arange
eye = torch.eye
einsum = torch.einsum
concatenate = torch.concatenate
transpose = torch.permute


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where a condition holds, b elsewhere."""
    numbers = (torch.as_tensor(v, dtype=torch.float64) for v in (a, b))
    return torch.where(condition, *numbers)


def broadcast_to(values: Any, shape: Any) -> Any:
    """Return a view of values, repeated to a shape."""
    return torch.as_tensor(values, dtype=torch.float64).broadcast_to(shape)


def stack(parts: Any, axis: int = 0) -> Any:
    """Return parts laid side by side along a new axis; numbers among them are tensors too."""
    return torch.stack([torch.as_tensor(part, dtype=torch.float64) for part in parts], axis)


def full(shape: Any, value: Any) -> Any:
    """Return a new array of a shape, filled with a value."""
    return broadcast_to(value, shape).clone()


def scatter(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values added at key, where places may repeat."""
    out = torch.zeros(shape, dtype=torch.float64)
    places = torch.arange(out.numel()).reshape(shape)[key]
    return out.flatten().index_add(0, places.flatten(), values.flatten()).reshape(shape)


def add_at(total: Any, places: Any, values: Any) -> None:
    """Add values to total at places, which may repeat."""
    total.index_add_(0, places, values)


def embed(values: Any, shape: Any, key: Any) -> Any:
    """Return zeros with values at key."""
    out = torch.zeros(shape, dtype=torch.float64)
    out[key] = torch.as_tensor(values, dtype=torch.float64)
    return out


def first_true(hits: Any, axis: int) -> Any:
    """Mark the first true element along an axis; the last, where none is, since one is nan."""
    hits = hits.swapaxes(axis, -1)
    count = torch.arange(hits.shape[-1])
    place = torch.where(hits, count, len(count) - 1).amin(-1)
    return (count == place[..., None]).swapaxes(axis, -1)


def first_within(hits: Any, axes: Any) -> Any:
    """Mark the first true element of those along several axes, row by row."""
    last = tuple(range(-len(axes), 0))
    moved = torch.moveaxis(hits, axes, last)
    marked = first_true(moved.reshape(*moved.shape[: last[0]], -1), -1)
    return torch.moveaxis(marked.reshape(moved.shape), last, axes)


def add_rows(out: Any, *pairs: Any) -> Any:
    """Return out with values added to the rows of ids, for each pair of ids and values."""
    for ids, values in zip(pairs[::2], pairs[1::2]):
        out = out.index_add(0, ids.flatten(), values.reshape(-1, out.shape[1]))
    return out


def rows(table: Any, *pairs: Any) -> Any:
    """Return the gradient of a table: zeros with values added to the rows of ids."""
    return add_rows(torch.zeros(table.shape, dtype=torch.float64), *pairs)


def read_table(shape: Any, text: str) -> Any:
    """Return the integers of a text as an array."""
    return torch.tensor([int(number) for number in text.split()]).reshape(shape)
