"""Whole training steps as C: batch, gradient, update, many steps in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.lowering.native.c.module import Module, layout
from micrograd.lowering.native.compiler import ctypes, loaded
from micrograd.lowering.native.rules import Rule, UntraceableError
from micrograd.lowering.native.run import address
from micrograd.lowering.trace.declared import INPUT

STEP = """\
/* `watch`: stop before an update where an operation gave a number that is not finite. */
int train(long steps, const long long *counts, const long long *rows, void **data, void **batch,
          void **leaves, void **state, double *results, const double *options, long stride,
          double *losses, int watch) {{
    double *t = state[{numbers}];
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


class _Moved(NamedTuple):
    """A parameter: how large, which leaf it is, and where its gradient lies among the results."""

    name: str
    size: int
    leaf: int
    start: int


class NativeTraining:
    """The steps of a program with an optimiser, compiled.

    Raises UntraceableError where a gradient is sparse, gradients are clipped, or the optimiser has
    a rule of a user's own.
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
            _Moved(name, leaf.size, place, starts[module.gradients[leaf]])
            for place, (leaf, name) in enumerate(leaves)
            if leaf in module.gradients and name in optimizer.parameters
        ]
        remembered = [
            (m.name, *item) for m in self._moved for item in optimizer.state[m.name].items()
        ]
        self._arrays = [(n, k, np.empty(x.shape)) for n, k, x in remembered if k in optimizer.slots]
        self._numbers = [(name, key) for name, key, _ in remembered if key not in optimizer.slots]
        self._counts = np.zeros(len(self._numbers))
        self._leaves = _pointers([*(held[name] for _, name in leaves), *module.tables])
        self._data, self._batch = _pointers(self._inputs), _pointers(self._inputs)
        self._states = _pointers([*(array for *_, array in self._arrays), self._counts])
        self._results = np.empty(end)
        self._one = np.ones(1, np.int64), np.empty(1)
        self._where = [address(x) for x in (*self._one, self._results)]
        lists = self._data, self._batch, self._leaves, self._states
        self._lists = [ctypes.addressof(x) for x in lists]
        self._calls: dict[Any, Callable[..., int]] = {}
        self._last: Any = None
        self._built_for = self._built()
        self._planned(1)

    def __call__(self, counts: Sequence[int], rows: Any, data: Sequence[Any], watch: bool) -> Any:
        """Do steps on batches, the next of the `rows` of the data, `counts` of them each.

        Without `rows` the data are the batch. Return the losses, and how it ended: 0 at the end,
        -n where the loss of step n is not finite, n before the update of step n, where an
        operation gave what is not. Schedules may want a call of their own for later steps.
        """
        call, options, steps = self._planned(len(counts))
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
        self._lay()
        ended = call(
            steps,
            where[0],
            None if rows is None else address(rows),
            *self._lists,
            where[2],
            *options,
            where[1],
            watch,
        )
        self._keep(steps if not ended else abs(ended) - (ended > 0))
        return losses[: abs(ended) or steps], ended

    def _planned(self, steps: int) -> tuple[Callable[..., int], tuple[int, int], int]:
        """Return what runs with the present options, where these are, and for how many steps.

        A schedule may lead the rule to another branch: that is for the next call.
        """
        if self._built() != self._built_for:
            raise ValueError(
                "clip, dense, step, rule or parameters of the optimiser are others than when its "
                "trainer was made; make another by program.trainer(optimizer)"
            )
        now = [option for group in self.optimizer.groups for option in group.values()]
        if now != self._last or any(map(callable, now)):
            options = self._options(steps)
            table = [[v for now in row for _, v in sorted(vars(now).items())] for row in options]
            # what decides which branches a rule takes
            keys = [tuple(map(bool, row)) for row in table]
            alike = next((n for n, key in enumerate(keys) if key != keys[0]), len(keys))
            if keys[0] not in self._calls:
                self._calls[keys[0]] = self._compiled(options[0])
            self._table = np.array(table[:alike])
            where = address(self._table), len(table[0]) if alike > 1 else 0
            self._last, self._plan = now, (self._calls[keys[0]], where)
            return *self._plan, alike if len(table) > 1 else steps
        return *self._plan, steps

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

    def _lay(self) -> None:
        """Lay what is remembered where C changes it; arrays stay there until they are replaced."""
        states = self.optimizer.state
        for name, slot, array in self._arrays:
            state = states[name]
            if state[slot] is not array:
                array[...] = state[slot]
                state[slot] = array
        for n, (name, key) in enumerate(self._numbers):
            self._counts[n] = states[name][key]

    def _keep(self, done: int) -> None:
        """Take over the states that are numbers, of the kind they were."""
        self.optimizer.steps_done += done
        states = self.optimizer.state
        for (name, key), x in zip(self._numbers, self._counts.tolist()):
            states[name][key] = int(x) if isinstance(states[name][key], int) else x

    def _compiled(self, options: Sequence[Any]) -> Callable[..., int]:
        """Return the function of the steps, whose rules take the branches of these options."""
        group_of, states = self.optimizer._group_of, self.optimizer.state
        first = {group_of[m.name]: m.name for m in reversed(self._moved)}
        rules = {
            group: Rule(self.optimizer, options[group], states[name], f"move{group + 1}")
            for group, name in first.items()
        }
        updates, slot, number, width = [], 0, 0, len(vars(options[0]))
        for moved in self._moved:
            group = group_of[moved.name]
            rule = rules[group]
            arrays = "".join(f"state[{slot + n}], " for n in range(len(rule.slots)))
            updates.append(
                f"        {rule.name}({moved.size}, leaves[{moved.leaf}], "
                f"results + {moved.start}, {arrays}o + {width * group}, t + {number});"
            )
            slot, number = slot + len(rule.slots), number + len(rule.numbers)
        step = STEP.format(
            gathered="\n".join(
                GATHER.format(n=n, bytes=8 * a.size) for n, a in enumerate(self._inputs)
            ),
            inputs="".join(f", batch[{n}]" for n in range(len(self._inputs))),
            numbers=len(self._arrays),
            updates="\n".join(updates),
        )
        texts = [self.module.source, *(rule.text() for rule in rules.values()), step]
        train = loaded("\n\n".join(texts) + "\n").train
        pointer = ctypes.c_void_p
        train.argtypes = [ctypes.c_long, *[pointer] * 8, ctypes.c_long, pointer, ctypes.c_int]
        return train  # type: ignore[no-any-return]


def _pointers(arrays: Sequence[Any]) -> Any:
    """Return where arrays are; of what is no array yet, a place to say so."""
    where = [address(x) if isinstance(x, np.ndarray) else None for x in arrays]
    return (ctypes.c_void_p * max(1, len(where)))(*where)
