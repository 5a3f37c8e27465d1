"""Whole training steps as C: batch, gradient, update, many steps in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from micrograd.lowering.native.c.module import Module, layout
from micrograd.lowering.native.compiler import ctypes, loaded
from micrograd.lowering.native.rules import UntraceableError, traced
from micrograd.lowering.native.run import address
from micrograd.lowering.trace.declared import INPUT
from micrograd.optim.gradients import is_array
from micrograd.optim.stretches import Stretch, in_a_row

STEP = """\
/* `watch`: stop before an update where an operation gave a number that is not finite. */
int train(long steps, const long long *counts, const long long *rows, void **data, void **batch,
          void **leaves, double *results, void **state, const double *options, long stride,
          double *losses, int watch) {{
    for (long step = 0; step < steps; step++) {{
        const long B = (long)counts[step];
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
        if (rows)
            for (long i = 0; i < B; i++)
                memcpy((char *)batch[{n}] + {bytes} * i, (char *)data[{n}] + {bytes} * rows[i],
                       {bytes});"""


@dataclass(frozen=True)
class _Moved:
    """A parameter: which leaf it is, and where its gradient lies among the results."""

    name: str
    array: Any
    leaf: int
    start: int

    def beside(self, other: _Moved) -> bool:
        """Return whether another one lies behind it, and its gradient too."""
        size = self.array.size
        behind = address(self.array) + 8 * size == address(other.array)
        return bool(behind and self.start + size == other.start)


class NativeTraining:
    """The steps of a program with an optimiser, compiled.

    What the optimiser remembers of parameters that lie side by side is laid side by side too, so
    that its rule runs once for all of them. Raises UntraceableError where a gradient is sparse,
    gradients are clipped, or the rule computes with more than + - * / ** of numbers.
    """

    def __init__(self, module: Module, held: Mapping[str, Any], names: Any, optimizer: Any) -> None:
        self.module, self.optimizer = module, optimizer
        if module.sparse or optimizer.clip:
            raise UntraceableError("sparse gradients, or gradients that are clipped together")
        self._inputs = [a for a in module.arguments if a.kind == INPUT]
        leaves = [(a, names[a]) for a in module.arguments if a.kind != INPUT]
        starts, end, of_sample = layout(module.results)
        assert not of_sample
        self._moved = [
            _Moved(name, held[name], place, starts[module.gradients[leaf]])
            for place, (leaf, name) in enumerate(leaves)
            if leaf in module.gradients and name in optimizer.parameters
        ]
        self._leaves = _pointers([*(held[name] for _, name in leaves), *module.tables])
        self._data, self._batch = _pointers(self._inputs), _pointers(self._inputs)
        self._results = np.empty(end)
        self._one = np.ones(1, np.int64), np.empty(1)
        self._where = [address(x) for x in (*self._one, self._results)]
        self._lists = [ctypes.addressof(x) for x in (self._data, self._batch, self._leaves)]
        self._plans: dict[Any, _Plan] = {}
        self._last: Any = None, None, None, False
        self._built_for = self._built()
        self._planned(1)

    def __call__(self, counts: Sequence[int], rows: Any, data: Sequence[Any], watch: bool) -> Any:
        """Do steps on batches, the next of the `rows` of the data, `counts` of them each.

        Without `rows` the data are the batch. Return the losses, and how it ended: 0 at the end,
        -n where the loss of step n is not finite, n before the update of step n, where an
        operation gave what is not. Schedules may want a call of their own for later steps.
        """
        plan, table, steps = self._planned(len(counts))
        (sizes, losses), where = self._one, self._where
        if steps > 1:
            sizes, losses = np.array(counts[:steps], np.int64), np.empty(steps)
            where = [address(sizes), address(losses), where[-1]]
        sizes[0] = counts[0]
        for n, x in enumerate(data):
            self._data[n] = self._batch[n] = address(x)
        if rows is not None:
            buffers = [np.empty(int(sizes.max()) * a.size) for a in self._inputs]
            self._batch[:] = _pointers(buffers)
        ended = plan.call(
            steps,
            where[0],
            None if rows is None else address(rows),
            *self._lists,
            where[2],
            plan.states(),
            *table,
            where[1],
            watch,
        )
        plan.keep(steps if not ended else abs(ended) - (ended > 0))
        return losses[: abs(ended) or steps], ended

    def _planned(self, steps: int) -> tuple[_Plan, tuple[int, int], int]:
        """Return the plan for the present options, where these are, and for how many steps.

        A schedule may lead the rule to another branch: that is for the next call.
        """
        if self._built() != self._built_for:
            raise ValueError(
                "clip, dense, step, rule or parameters of the optimiser are others than when its "
                "trainer was made; make another by program.trainer(optimizer)"
            )
        now = [option for group in self.optimizer.groups for option in group.values()]
        if now != self._last[0] or self._last[3] or not self._last[1].whole():
            scheduled = any(map(callable, now))
            options = self._options(steps)
            # what decides which branches a rule takes
            keys = [tuple(bool(v) for now in row for v in vars(now).values()) for row in options]
            alike = next((n for n, key in enumerate(keys) if key != keys[0]), len(keys))
            plan = self._plan_of(keys[0], options[0])
            self._last = now, plan, plan.table(options[:alike]), scheduled
            return plan, self._last[2], alike if scheduled else steps
        return *self._last[1:3], steps

    def _built(self) -> list[Any]:
        """Return what the steps were compiled for, beside options."""
        optimizer, own = self.optimizer, vars(self.optimizer)
        dense = [group.get("dense") for group in optimizer.groups]
        parameters = map(id, optimizer.parameters.values())
        return [optimizer.clip, own.get("rule"), own.get("step"), *dense, *parameters]

    def _options(self, steps: int) -> list[list[Any]]:
        """Return the options of every group, for every step; for one, where none is a schedule."""
        optimizer, first = self.optimizer, self.optimizer.steps_done
        optimizer._check_groups()
        constant = not any(callable(v) for group in optimizer.groups for v in group.values())
        options = []
        try:
            for step in range(1 if constant else steps):
                optimizer.steps_done = first + step
                options.append([optimizer._options(group) for group in optimizer.groups])
        finally:  # a schedule may give what is no rate
            optimizer.steps_done = first
        return options

    def _plan_of(self, branches: Any, options: list[Any]) -> _Plan:
        rows = self._rows()
        key = branches, tuple(map(len, rows))
        if key not in self._plans:
            self._plans[key] = _Plan(self.optimizer, rows, self.module, self._inputs, options)
        return self._plans[key]

    def _rows(self) -> list[list[_Moved]]:
        """Return the parameters, those together that lie side by side and are moved alike."""
        states, group = self.optimizer.state, self.optimizer._group_of
        moved = {parameter.name: parameter for parameter in self._moved}
        first = next(iter(moved), None)
        numbers = [key for key, x in states.get(first, {}).items() if not is_array(x)]

        def follows(x: str, y: str) -> bool:
            return group[x] == group[y] and moved[x].beside(moved[y])

        return [[moved[name] for name in row] for row in in_a_row(moved, states, numbers, follows)]


class _Moving:
    """Parameters side by side, what is remembered of them, and the rule that moves them."""

    def __init__(self, optimizer: Any, parameters: list[_Moved], options: Any, name: str) -> None:
        self.first = parameters[0]
        self.group = optimizer._group_of[self.first.name]
        states = optimizer.state
        self.rule = traced(optimizer, options[self.group], states[self.first.name], name)
        arrays = {parameter.name: parameter.array for parameter in parameters}
        for slot in self.rule.slots:
            if any(states[name][slot].shape != x.shape for name, x in arrays.items()):
                raise UntraceableError(f"{slot} has not the shape of its parameter")
        self.stretch = Stretch(arrays, self.rule.slots, self.rule.numbers)
        self.numbers = np.zeros(max(1, len(self.rule.numbers)))

    def lay(self, states: Any) -> None:
        """Lay what is remembered side by side, and its numbers where C changes them."""
        now = self.stretch.lay(states)
        for n, key in enumerate(self.rule.numbers):
            self.numbers[n] = now[key]

    def keep(self, states: Any) -> None:
        """Take over the states that are numbers, of the kind they were."""
        first = states[self.first.name]
        numbers = {
            key: int(x) if isinstance(first[key], int) and x.is_integer() else x
            for key, x in zip(self.rule.numbers, self.numbers.tolist())
        }
        self.stretch.keep(self.stretch.memory | numbers, states)


class _Plan:
    """The compiled steps for one set of branches, with what they read and change besides."""

    def __init__(
        self, optimizer: Any, rows: Any, module: Module, inputs: Any, options: list[Any]
    ) -> None:
        self.optimizer = optimizer
        self.moving = [
            _Moving(optimizer, parameters, options, f"move{n}")
            for n, parameters in enumerate(rows, 1)
        ]
        self.call = self._compiled(module, inputs)
        memory = [x for m in self.moving for x in (*m.stretch.memory.values(), m.numbers)]
        self._states = _pointers(memory)

    def whole(self) -> bool:
        """Return whether the parameters still belong together as they did."""
        return all(moving.stretch.whole(self.optimizer.state) for moving in self.moving)

    def states(self) -> int:
        """Return where the states are, as they are now."""
        for moving in self.moving:
            moving.lay(self.optimizer.state)
        return ctypes.addressof(self._states)

    def table(self, options: list[list[Any]]) -> tuple[int, int]:
        """Return where the options are, those of all that moves, and how far apart for steps."""
        rows = [
            [float(getattr(now[m.group], k)) for m in self.moving for k in m.rule.options]
            for now in options
        ]
        self._options = np.array(rows)
        return address(self._options), len(rows[0]) if len(rows) > 1 else 0

    def keep(self, done: int) -> None:
        """Take over the states that are numbers."""
        self.optimizer.steps_done += done
        for moving in self.moving:
            moving.keep(self.optimizer.state)

    def _compiled(self, module: Module, inputs: Any) -> Callable[..., int]:
        gathered = [GATHER.format(n=n, bytes=8 * a.size) for n, a in enumerate(inputs)]
        step = STEP.format(
            gathered="\n".join(gathered),
            inputs="".join(f", batch[{n}]" for n in range(len(inputs))),
            updates="\n".join(self._updates()),
        )
        rules = [moving.rule.text() for moving in self.moving]
        train = loaded("\n\n".join([module.source, *rules, step]) + "\n").train
        pointer = ctypes.c_void_p
        train.argtypes = [ctypes.c_long, *[pointer] * 8, ctypes.c_long, pointer, ctypes.c_int]
        return train  # type: ignore[no-any-return]

    def _updates(self) -> list[str]:
        """Return the calls that move the parameters."""
        calls = []
        option = slot = 0
        for moving in self.moving:
            rule, first = moving.rule, moving.first
            states = "".join(f"state[{slot + n}], " for n in range(len(rule.slots)))
            calls.append(
                f"        {rule.name}({moving.stretch.size}, leaves[{first.leaf}], "
                f"results + {first.start}, {states}o + {option}, state[{slot + len(rule.slots)}]);"
            )
            option, slot = option + len(rule.options), slot + len(rule.slots) + 1
        return calls


def _pointers(arrays: Sequence[Any]) -> Any:
    """Return where arrays are; of what is no array yet, a place to say so."""
    where = [address(x) if isinstance(x, np.ndarray) else None for x in arrays]
    return (ctypes.c_void_p * max(1, len(where)))(*where)
