"""What optimisers have in common: parameters in groups, options, a step, and their state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from numbers import Real
from types import SimpleNamespace
from typing import Any

from micrograd.core.checks import check_call, is_count, is_finite, is_list, is_real
from micrograd.core.numbers import data_of as number_in
from micrograd.optim.gradients import (
    Gradient,
    Rows,
    checked_gradient,
    dense,
    is_array,
    keep_own,
    zeros_like,
)
from micrograd.optim.groups import by_name, data_of, grouped
from micrograd.optim.options import called, changed, check_option, current, named, option_state
from micrograd.printing import counted, cut, shorten

Data = Any  # a float, an array, or some rows of one: a rule does not care
State = dict[str, Any]
Clip = Callable[[list[Gradient]], list[Gradient]]
STATE = {"rule", "steps_done", "options", "state"}
OURS = {  # what every optimiser holds; a class of others may add to it
    *("clip", "steps_done", "groups", "parameters", "state"),
    *("_group_of", "_accepted", "_numbers", "_vectors"),
}


class Optimizer:
    """Hold parameters, what a rule remembers of each, and the number of steps done.

    `clip` is applied to all gradients together before a step. A gradient that is Rows of a table
    leaves the other rows as they are; with the option `dense` it is taken for a whole table, 0
    in the others, as an eager step takes it.
    """

    slots: tuple[str, ...] = ()  # what the rule remembers, each of the parameter's shape
    takes_rows = False  # whether the rule leaves rows without a gradient as they are
    # Said by a class of its own rule, not inherited: it takes each number by itself, and remembers
    # what its slots name.
    elementwise: bool

    def __init__(self, params: Any, clip: Clip | None = None, **options: Any) -> None:
        if clip is not None:
            if not callable(clip):
                raise TypeError(f"clip is a function of a list of gradients, not {shorten(clip)}")
            check_call("clip", clip, [])
        self.clip, self.steps_done = clip, 0
        self.groups = [{"scale": 1.0} | options | group for group in grouped(params)]
        self.parameters: dict[str, Any] = {}
        self._group_of: dict[str, int] = {}
        for number, group in enumerate(self.groups):
            params = group.pop("params")
            self._check_group(group, {*options, "scale"})
            for name, parameter in by_name(params, len(self.parameters)):
                self._add(name, parameter, number)
        self._accepted = [dict(group) for group in self.groups]
        if not self.parameters:
            raise ValueError("there are no parameters to train")
        self.state: dict[str, State] = {n: self._start(p) for n, p in self.parameters.items()}
        names = {id(p): name for name, p in self.parameters.items()}
        for name, p in self.parameters.items():
            if (other := names[id(p)]) != name:
                raise ValueError(
                    f"a parameter is given twice, as {name} and {other}; it would be moved twice"
                )
        self._numbers = {n for n, p in self.parameters.items() if not is_array(data_of(p))}
        arrays = {n: data_of(p) for n, p in self.parameters.items() if n not in self._numbers}
        if len(arrays) > 1:  # NumPy is loaded for arrays only
            from micrograd.optim.stretches import check_apart

            check_apart(arrays)
        self._vectors = _vectors(self) if "elementwise" in vars(type(self)) else None

    def _add(self, name: str, parameter: Any, group: int) -> None:
        if name in self.parameters:
            raise ValueError(f"two parameters are named {name}")
        self.parameters[name], self._group_of[name] = parameter, group

    def _check_group(self, group: dict[str, Any], known: set[str]) -> None:
        if unknown := group.keys() - known:
            raise ValueError(
                f"{type(self).__name__} has no option {cut(', '.join(map(str, unknown)))}; "
                f"it has {', '.join(sorted(known))}"
            )
        if lost := known - group.keys():
            raise ValueError(f"a group of this {type(self).__name__} has lost {', '.join(lost)}")
        for name, option in group.items():
            check_option(name, option)

    def __repr__(self) -> str:
        texts = (", ".join(f"{k}={named(v)}" for k, v in group.items()) for group in self.groups)
        about = (
            f"{counted(len(self.parameters), 'parameter')}, {counted(self.steps_done, 'step')} done"
        )
        return f"{type(self).__name__}({'; '.join([about, *texts])})"

    @property
    def lr(self) -> float:
        """Give or set the learning rate, that of the first group; setting it sets every group's."""
        return current("lr", self.groups[0]["lr"], self.steps_done)

    @lr.setter
    def lr(self, lr: float | Callable[[int], float]) -> None:
        check_option("lr", lr)
        for group in self.groups:
            group["lr"] = lr

    def rule(self, x: Data, g: Data, s: State, o: Any) -> Data:
        """Return the new x, from the gradient g, the state s (changed) and the options o."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter that is a Value to 0."""
        for name in self._numbers:
            self.parameters[name].grad = 0.0

    def step(self, gradients: Any = None) -> None:
        """Update every parameter once; without `gradients`, by the `grad` of the Values.

        Raises ValueError, and changes nothing, where a gradient does not fit its parameter.
        """
        clipped = self._gradients(gradients)
        if self.clip:
            clipped = self._clipped(self.clip, clipped)
        self._check_groups()
        options = [self._options(group) for group in self.groups]
        mine = self.parameters  # a float each: a number of NumPy's has few bits, and keeps them
        numbers = {name: number_in(mine[name]) for name in clipped if name in self._numbers}
        self.steps_done += 1
        if self._vectors and "rule" not in vars(self):  # a rule put in its place may be another
            self._vectors.move(self, clipped, options)
        for name, gradient in clipped.items():
            parameter, state = self.parameters[name], self.state[name]
            now = options[self._group_of[name]]
            if name in self._numbers:
                parameter.data = self.rule(numbers[name], gradient, state, now)
            elif isinstance(gradient, Rows):
                self._update_rows(data_of(parameter), gradient, state, now)
            else:
                data = data_of(parameter)
                new = self.rule(data, gradient, state, now)
                keep_own(state, data, gradient)
                data[...] = new

    def settings(self) -> dict[str, Any]:
        """Return the rule's name and its options; functions are named, not written out."""
        groups = [{k: named(v) for k, v in group.items()} for group in self.groups]
        return {"rule": type(self).__name__, "clip": called(self.clip), "groups": groups}

    def state_dict(self) -> dict[str, Any]:
        """Return rule, number of steps done, options, and what the rule remembers.

        A schedule is kept by what it gave at some of the steps done; of a class of your own its
        attributes that are numbers, texts, arrays, or lists, tuples and dicts of these.
        """
        return {
            "rule": type(self).__name__,
            "steps_done": self.steps_done,
            "options": [
                {k: option_state(v, self.steps_done) for k, v in group.items()}
                for group in self.groups
            ],
            "state": {name: {k: v * 1 for k, v in s.items()} for name, s in self.state.items()},
            **({"own": deepcopy(own)} if (own := self._own()) else {}),
        }

    def _own(self) -> dict[str, Any]:
        """Return the numbers, texts, arrays, and lists of these, that a class of others added."""
        return {k: v for k, v in vars(self).items() if _is_free(k) and _is_plain(v)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` gave; ValueError where it is another optimiser's."""
        if error := self._mismatch(state):
            raise ValueError(f"this is not the state of this {type(self).__name__}: {error}")
        for group, options in zip(self.groups, state["options"]):
            for name, value in options.items():
                if hasattr(group[name], "load_state_dict"):
                    group[name].load_state_dict(value)
                elif not callable(group[name]):
                    group[name] = value
        self.steps_done = int(state["steps_done"])
        self.state = {name: {k: v * 1 for k, v in s.items()} for name, s in state["state"].items()}
        vars(self).update(deepcopy(state.get("own", {})))

    def _mismatch(self, state: Mapping[str, Any]) -> str:
        if not isinstance(state, Mapping):
            return f"it is {shorten(state)}"
        if set(state) - {"own"} != STATE:
            return f"it has {cut(', '.join(map(str, state))) or 'nothing'}"
        if not isinstance(rule := state["rule"], str) or rule != type(self).__name__:
            return f"it is of the rule {rule!s:.40}"
        if not is_count(state["steps_done"]):
            return f"it has done {shorten(state['steps_done'])} steps"
        if not is_list(state["options"]) or not _are_dicts(state["options"]):
            return f"its options are {shorten(state['options'])}"
        if not isinstance(kept := state["state"], Mapping) or not _are_dicts(kept.values()):
            return f"it keeps {shorten(kept)}"
        if _forms(state["state"]) != _forms(self.state):
            return "its parameters differ in number, name or shape"
        if list(map(set, state["options"])) != list(map(set, self.groups)):
            return "its options differ"
        own = state.get("own", {})
        if not isinstance(own, Mapping) or not all(map(_is_free, own)):
            return f"it has the attributes {shorten(own)}"
        for group, was in zip(self.groups, state["options"]):
            for name in group:
                if error := changed(name, group[name], was[name]):
                    return error
                if not callable(group[name]) and not is_finite(was[name]):
                    return f"{name} was {shorten(was[name])}"
        return ""

    def _start(self, parameter: Any) -> State:
        data = data_of(parameter)
        if is_array(data) and getattr(data.dtype, "kind", "") != "f":
            raise TypeError(f"an array of {data.dtype} cannot be trained; use floats of NumPy's")
        if is_array(data) and not data.flags.writeable:
            raise ValueError(f"the array {shorten(data)} can only be read; train a copy of it")
        if not is_array(data) and not isinstance(data, Real):
            raise TypeError(
                f"a parameter is a Value or an array of floats, not {shorten(parameter)}"
            )
        return {name: _zero(data) for name in self.slots}

    def _check_groups(self) -> None:
        """Raise ValueError where somebody has edited `groups` into what no step can be taken by."""
        if self.groups == self._accepted:
            return
        if len(self.groups) != len(self._accepted):
            raise ValueError("groups are made with the optimiser; make another for more parameters")
        for group, accepted in zip(self.groups, self._accepted):
            self._check_group(group, set(accepted))
        self._accepted = [dict(group) for group in self.groups]

    def _options(self, group: dict[str, Any]) -> SimpleNamespace:
        now = SimpleNamespace(**{k: current(k, v, self.steps_done) for k, v in group.items()})
        now.lr = now.lr * now.scale
        return now

    def _gradients(self, gradients: Any) -> dict[str, Gradient]:
        """Return the gradients that there are, by parameter name."""
        names = list(self.parameters)
        if gradients is None:
            gradients = [getattr(p, "grad", None) for p in self.parameters.values()]
            if all(gradient is None for gradient in gradients):
                raise ValueError("step() of arrays needs their gradients: step(gradients)")
        elif not isinstance(gradients, Mapping) and not is_list(gradients):
            raise TypeError(f"step takes gradients, a list or a dict, not {shorten(gradients)}")
        elif not isinstance(gradients, Mapping) and len(gradients) != len(names):
            raise ValueError(
                f"{counted(len(gradients), 'gradient')} for {counted(len(names), 'parameter')}"
            )
        given = gradients if isinstance(gradients, Mapping) else dict(zip(names, gradients))
        if unknown := set(given) - set(names):
            raise ValueError(
                f"gradients of no parameter: {cut(', '.join(map(str, unknown)))}; give those of "
                "the optimiser's: {name: gradients[name] for name in optimizer.parameters}"
            )
        fits = self._numbers  # a float fits a number: the usual case, and many of them
        return {
            name: g if g.__class__ is float and name in fits else self._checked(name, g)
            for name, g in given.items()
            if g is not None
        }

    def _clipped(self, clip: Clip, gradients: dict[str, Gradient]) -> dict[str, Gradient]:
        changed = clip(list(gradients.values()))
        if not is_list(changed) or len(changed) != len(gradients):
            raise ValueError(
                f"clip got {counted(len(gradients), 'gradient')}, and returns as many, not "
                f"{shorten(changed)}"
            )
        return self._gradients(dict(zip(gradients, changed)))

    def _checked(self, name: str, gradient: Gradient) -> Gradient:
        parameter = self.parameters[name]
        alike = gradient.__class__ is parameter.__class__ and name not in self._numbers
        if alike and gradient.shape == parameter.shape and gradient.dtype == float:  # as most are
            return gradient
        data, group = data_of(parameter), self.groups[self._group_of[name]]
        moves_all = not self.takes_rows or group.get("momentum") or group.get("weight_decay")
        if isinstance(gradient, tuple) and moves_all and not group["dense"]:
            raise ValueError(
                f"{type(self).__name__} with these options moves the rows of {name} that have no "
                "gradient; say dense=True, which moves every row, or use AdaGrad, SparseAdam or "
                "plain SGD, which leave them"
            )
        checked = checked_gradient(name, data, gradient)
        if name in self._numbers:
            return float(checked)
        return dense(data, checked) if isinstance(checked, Rows) and group["dense"] else checked

    def _update_rows(self, data: Any, gradient: Rows, state: State, options: Any) -> None:
        at = gradient.indices
        part = {k: v[at] if is_array(v) else v for k, v in state.items()}
        data[at] = self.rule(data[at], gradient.rows, part, options)
        for name, new in part.items():
            if is_array(state[name]):
                state[name][at] = new
            else:
                state[name] = new


def _is_free(name: str) -> bool:
    return name not in OURS and not hasattr(Optimizer, name)


def _is_plain(item: Any) -> bool:
    if isinstance(item, Mapping):
        return all(isinstance(key, str) and _is_plain(part) for key, part in item.items())
    if isinstance(item, (list, tuple)):
        return all(map(_is_plain, item))
    return is_array(item) or item is None or isinstance(item, (bool, int, float, str))


def _vectors(optimizer: Optimizer) -> Any:
    """Return what moves arrays, where there are some; NumPy is loaded for arrays only."""
    if len(optimizer.parameters) == len(optimizer._numbers):
        return None
    from micrograd.optim.stretches import Vectors

    return Vectors()


def _zero(data: Data) -> Data:
    """Return 0 in the form of `data`, an array of its own, of enough bits for squares."""
    if not is_array(data):
        return 0.0
    return zeros_like(data.astype(float) if data.dtype.itemsize < 4 else data)


def _are_dicts(parts: Iterable[Any]) -> bool:
    return all(isinstance(part, Mapping) for part in parts)


def _forms(state: Mapping[str, State]) -> dict[str, dict[str, Any]]:
    return {n: {k: _form(v) for k, v in s.items()} for n, s in state.items()}


def _form(part: Any) -> Any:
    """Return the shape of an array of floats, () for a number; of anything else its type."""
    if is_array(part) and part.dtype.kind == "f":
        return tuple(part.shape)
    return () if is_real(part) else type(part)
