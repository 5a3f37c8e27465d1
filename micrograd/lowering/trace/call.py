"""One call of a scalar function on Values, followed by whoever traces it."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from micrograd.core.modes import (
    comparisons_reported,
    detachments_reported,
    lookups_reported,
    nodes_reported,
)
from micrograd.core.order import topological_order
from micrograd.core.places import called, line_of, user_line
from micrograd.engine import Value, stopped
from micrograd.functions import dot
from micrograd.lowering.scalars.columns import ScalarGraph, Steps, scalar_graph
from micrograd.lowering.trace.declared import INPUT, UPSTREAM, Declared, declared, values_in
from micrograd.lowering.trace.lookups import Lookups
from micrograd.lowering.trace.samples import lists, shown
from micrograd.lowering.trace.watch import Sampled, watched
from micrograd.ops import DomainError

# What Python and NumPy say to a Value, or to lists of them, in place of numbers and arrays.
_REMEDIES = {
    r"indices.* tuple$|'list' .* attr": "A sample comes as nested lists of Values: x[0][1], sum(x)",
    r"(int\(\)|round\(\)|indices must be integers).* not '?(Value|Watched|Sampled)|"
    r"indices must be of integer|valid indices|'(Value|Watched|Sampled)' object cannot be interp|"
    r"a class is an int, not Value|^Value\(.*\)$|(Value\(.*\) is|: x) not in list": (
        "While the function is traced, a number of the sample chooses nothing, or the program "
        "would choose the same for every sample; look rows up by micrograd.nn.Embedding, give a "
        "class as nn.one_hot(y, count)"
    ),
    r"must be (a )?real number, not '?Value|argument must be .* not 'Value'": (
        "Write it as an operation of the Value: x.exp(), x.log(), x.tanh()"
    ),
}


@dataclass(frozen=True, eq=False)
class Call:
    """What a call recorded: loss, inputs and lookups; nodes from `start` on are its own.

    `made` are those of operations, in the order they were made, whether the loss needs them or not.
    """

    root: Value
    inputs: list[Declared]
    lookups: Lookups
    start: int
    made: list[Value]

    @cached_property
    def graph(self) -> ScalarGraph:
        """Return the graph of the loss."""
        return Steps(self.made, self.root).graph() or scalar_graph(topological_order(self.root))


class Lines(dict[Value, str]):
    """Take nodes, and hold the line of the user's code that made each."""

    def append(self, node: Value) -> None:
        self[node] = user_line()


def call(
    function: Callable[..., Any],
    names: Sequence[str],
    values: Sequence[Any],
    made: Any,
) -> Call:
    """Call `function` on nested lists of Values, one for each of `names`.

    The nodes it makes are appended to `made`.
    Raises ValueError, with the line, where it compares Values or takes one for a number, and
    where it returns no Value.
    """
    start = Value(0.0)._index
    inputs = [declared(name, INPUT, nested) for name, nested in zip(names, values)]
    lookups = Lookups(inputs)
    with (
        nodes_reported(made),
        comparisons_reported(_refuse),
        lookups_reported(lookups),
        detachments_reported(_stopped),
    ):
        root = _result(function, values)
        other = next(_others(root), "")
        if _is_list(root) and not other:
            root = _weighted(root, inputs)
    if isinstance(root, Coroutine):
        root.close()  # or Python warns that nobody awaited it
    elif not isinstance(root, Value):
        with watched(values_in(values), Sampled):  # where it chose by ==, that is what to tell
            _result(function, values)
    if not isinstance(root, Value):
        raise ValueError(f"{called(function)} returned {other}; give one Value, or Values in lists")
    return Call(root, inputs, lookups, start, made)


def _others(root: Any, place: str = "") -> Iterator[str]:
    """Yield what is neither a Value nor a list of them, and its place."""
    if _is_list(root) and root:
        yield from (x for i, part in enumerate(root) for x in _others(part, f"{place}[{i}]"))
    elif not isinstance(root, Value):
        yield shown(root) + (place and f" at {place}")


def _weighted(outputs: Any, inputs: list[Declared]) -> Value:
    """Return Σ upstream · output, upstream being one more input. ValueError for ragged outputs."""
    flat = declared("what the function returns", INPUT, outputs).values
    upstream = flat.copy()
    upstream.reshape(-1)[:] = [Value(1.0) for _ in range(flat.size)]
    inputs.append(declared(UPSTREAM, INPUT, upstream.tolist()))
    return dot(flat.ravel().tolist(), upstream.ravel().tolist())


def _is_list(root: Any) -> bool:
    return isinstance(root, (list, tuple))


def _stopped(node: Value) -> Value:
    result = stopped(node)
    if node.label:
        result.label = node.label
    return result


def _result(function: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Call the function, on lists that it may change; its numeric errors name its line."""
    try:
        return function(*map(lists, values))
    except DomainError as error:
        raise DomainError(f"{line_of(error)}: {error}") from error
    except (TypeError, LookupError, ValueError, AttributeError) as error:
        if isinstance(error, AttributeError) and not [*values_in(error.obj)]:
            raise  # of what holds no Values
        for said, remedy in _REMEDIES.items():
            if re.search(said, str(error)):
                raise ValueError(f"{line_of(error)}: {error}. {remedy}") from error
        raise


def _refuse() -> None:
    raise ValueError(
        f"{user_line()}: a Value is compared while the function "
        "is traced, so the program would follow this one sample's branch for every sample; write "
        "the choice as an operation: x.max(y), x.min(y), x.relu(), x.abs(), your own by register()"
    )
