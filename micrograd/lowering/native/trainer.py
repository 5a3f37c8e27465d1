"""Whole training steps as C: batch, gradient, update, many steps in one call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from micrograd.lowering.native.compiler import loaded
from micrograd.lowering.native.module import Module
from micrograd.lowering.native.rules import Rule, UntraceableError
from micrograd.lowering.native.run import address
from micrograd.lowering.trace.declared import INPUT

STEP = """\
/* `watch`: stop before an update where an operation gave a number that is not finite. */
int train(long steps, const long *counts, const long long *rows, void **data, void **batch,
          void **leaves, double *results, void **state, const double *options, long stride,
          double *losses, int watch) {{
    for (long step = 0; step < steps; step++) {{
        const long B = counts[step];
{gathered}
        int strange = run(B, leaves, results{inputs});
        losses[step] = results[0];
        if (strange && watch) return (int)step + 1;
        const double *o = options + step * stride;
{updates}
        if (rows) rows += B;
        if (!(results[0] - results[0] == 0.0)) return -(int)step - 1;
    }}
    return 0;
}}"""
GATHER = """\
static void gather(long count, long size, const long long *rows, const void *from, void *to) {
    for (long i = 0; i < count; i++)
        memcpy((char *)to + 8 * i * size, (const char *)from + 8 * rows[i] * size, 8 * size);
}
"""


class NativeTraining:
    """The steps of a program with an optimiser, compiled.

    Raises UntraceableError where a gradient is sparse, gradients are clipped, or the optimiser's
    rule computes with more than + - * / ** of numbers.
    """

    def __init__(self, module: Module, held: Mapping[str, Any], names: Any, optimizer: Any) -> None:
        self.module, self.optimizer = module, optimizer
        if module.sparse or optimizer.clip:
            raise UntraceableError("sparse gradients, or gradients that are clipped together")
        self._inputs = [a for a in module.arguments if a.kind == INPUT]
        leaves = [names[a] for a in module.arguments if a.kind != INPUT]
        self._moved = [
            (name, leaves.index(name), adjoint)
            for leaf, adjoint in module.gradients.items()
            if (name := names[leaf]) in optimizer.parameters
        ]
        own = [*(held[name] for name in leaves), *module.tables]
        self._leaves = _pointers(own)
        self._results = np.empty(1 + sum(a.size for a in module.results))
        self._plans: dict[Any, _Plan] = {}
        self._last: Any = None, None, None
        self._planned(1)

    def __call__(self, counts: Sequence[int], rows: Any, data: Sequence[Any], watch: bool) -> Any:
        """Do steps on batches, the next of the `rows` of the data, `counts` of them each.

        Without `rows` the data are the batch. Return the losses, and how it ended: 0 at the end,
        -n where the loss of step n is not finite, n before the update of step n, where an
        operation gave what is not. Schedules may want a call of their own for later steps.
        """
        plan, table, steps = self._planned(len(counts))
        counts = counts[:steps]
        sizes, losses = np.array(counts, np.int64), np.empty(steps)
        if rows is None:
            places, batch = None, _pointers(data)
        else:
            buffers = [np.empty(int(sizes.max()) * a.size) for a in self._inputs]
            places, batch = address(rows), _pointers(buffers)
        ended = plan.call(
            steps, address(sizes), places, _pointers(data), batch, self._leaves,
            address(self._results), plan.states(), *table, address(losses), watch,
        )  # fmt: skip
        done = steps if not ended else abs(ended) - (ended > 0)
        plan.keep(done)
        return losses[: abs(ended) or steps], ended

    def _planned(self, steps: int) -> tuple[_Plan, tuple[int, int], int]:
        """Return the plan for the present options, where these are, and for how many steps.

        A schedule may lead the rule to another branch: that is for the next call.
        """
        now = [option for group in self.optimizer.groups for option in group.values()]
        scheduled = any(map(callable, now))
        if now != self._last[0] or scheduled:
            options = self._options(steps)
            keys = [_branches(row) for row in options]
            alike = next((n for n, key in enumerate(keys) if key != keys[0]), len(keys))
            plan = self._plan_of(keys[0], options[0])
            self._last = now, plan, plan.table(options[:alike])
            return plan, self._last[2], alike if scheduled else steps
        return *self._last[1:], steps

    def _options(self, steps: int) -> list[list[Any]]:
        """Return the options of every group, for every step; for one, where none is a schedule."""
        optimizer, first = self.optimizer, self.optimizer.steps_done
        constant = not any(callable(v) for group in optimizer.groups for v in group.values())
        options = []
        for step in range(1 if constant else steps):
            optimizer.steps_done = first + step
            options.append([optimizer._options(group) for group in optimizer.groups])
        optimizer.steps_done = first
        return options

    def _plan_of(self, key: Any, options: list[Any]) -> _Plan:
        if key not in self._plans:
            self._plans[key] = _Plan(
                self.optimizer, self._moved, self.module, self._inputs, options
            )
        return self._plans[key]


def _branches(options: list[Any]) -> tuple[bool, ...]:
    """Return what decides which branches a rule takes."""
    return tuple(bool(value) for group in options for value in vars(group).values())


class _Plan:
    """The compiled steps for one set of branches, with what they read and change besides."""

    def __init__(
        self, optimizer: Any, moved: Any, module: Module, inputs: Any, options: list[Any]
    ) -> None:
        self.optimizer, self.moved = optimizer, moved
        groups = [optimizer._group_of[name] for name, _, _ in moved]
        self.rules = [
            Rule(optimizer.rule, options[group], optimizer.state[name], f"move{n + 1}")
            for n, (group, (name, _, _)) in enumerate(zip(groups, moved))
        ]
        self.groups = groups
        self.numbers = [np.zeros(max(1, len(rule.numbers))) for rule in self.rules]
        self.call = self._compiled(module, inputs)
        self._arrays: list[Any] = []
        self._states = _pointers([])

    def states(self) -> Any:
        """Return where the states are: what the optimiser remembers may have been replaced."""
        arrays = []
        for rule, own, (name, _, _) in zip(self.rules, self.numbers, self.moved):
            state = self.optimizer.state[name]
            for n, key in enumerate(rule.numbers):
                own[n] = state[key]
            arrays += [state[slot] for slot in rule.slots]
            arrays.append(own)
        if len(arrays) != len(self._arrays) or any(
            a is not b for a, b in zip(arrays, self._arrays)
        ):
            self._arrays, self._states = arrays, _pointers(arrays)
        return self._states

    def table(self, options: list[list[Any]]) -> tuple[int, int]:
        """Return where the options are, those of every parameter, and how far apart for steps."""
        rows = [
            [
                float(getattr(now[g], k))
                for g, rule in zip(self.groups, self.rules)
                for k in rule.options
            ]
            for now in options
        ]
        self._options = np.array(rows)
        return address(self._options), len(rows[0]) if len(rows) > 1 else 0

    def keep(self, done: int) -> None:
        """Take over the states that are numbers, of the kind they were."""
        self.optimizer.steps_done += done
        for rule, own, (name, _, _) in zip(self.rules, self.numbers, self.moved):
            state = self.optimizer.state[name]
            for key, value in zip(rule.numbers, own.tolist()):
                state[key] = type(state[key])(value)

    def _compiled(self, module: Module, inputs: Any) -> Callable[..., int]:
        text = "\n\n".join([module.source, GATHER, *(rule.text() for rule in self.rules)])
        gathered = [
            f"        if (rows) gather(B, {a.size}, rows, data[{n}], batch[{n}]);"
            for n, a in enumerate(inputs)
        ]
        step = STEP.format(
            gathered="\n".join(gathered),
            inputs="".join(f", batch[{n}]" for n in range(len(inputs))),
            updates="\n".join(self._updates(module)),
        )
        train = loaded(f"{text}\n\n{step}\n").train
        pointer = ctypes.c_void_p
        train.argtypes = [ctypes.c_long, *[pointer] * 8, ctypes.c_long, pointer, ctypes.c_int]
        return train  # type: ignore[no-any-return]

    def _updates(self, module: Module) -> Iterable[str]:
        """Yield the calls that move the parameters."""
        starts, start = {}, 1
        for array in module.results:
            starts[array], start = start, start + array.size
        option = slot = 0
        for rule, (_, place, adjoint) in zip(self.rules, self.moved):
            states = "".join(f"state[{slot + n}], " for n in range(len(rule.slots)))
            yield (
                f"        {rule.name}({adjoint.size}, leaves[{place}], "
                f"results + {starts[adjoint]}, "
                f"{states}o + {option}, state[{slot + len(rule.slots)}]);"
            )
            option, slot = option + len(rule.options), slot + len(rule.slots) + 1


def _pointers(arrays: Sequence[Any]) -> Any:
    return (ctypes.c_void_p * max(1, len(arrays)))(*map(address, arrays))
