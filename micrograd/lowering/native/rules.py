"""The rule of an optimiser as C, written down while it runs on symbols in place of numbers."""

from __future__ import annotations

import builtins
import dis
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from micrograd.core.checks import is_real
from micrograd.core.places import of_user
from micrograd.lowering.native.c.text import number
from micrograd.lowering.trace.around import codes_in
from micrograd.optim import Optimizer


class UntraceableError(TypeError):
    """Report a rule that does with numbers what no symbol can."""


class Symbol:
    """A number that C will have: one for all elements, or one of each.

    `true` says of an option whether it is other than 0: another branch is another rule. It does not
    tell what it is: NumPy's functions, and rules that choose by that, would take it for one number.
    """

    def __init__(self, rule: Rule, text: str, of_each: bool, true: bool | None = None) -> None:
        self.rule, self.text, self.of_each, self.true = rule, text, of_each, true

    def __bool__(self) -> bool:
        if self.true is None:
            raise UntraceableError("a rule that chooses by numbers")
        return self.true

    def __eq__(self, other: object) -> bool:
        raise UntraceableError("a rule that compares numbers")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise UntraceableError("a rule that needs whole arrays")

    def __getattr__(self, name: str) -> Any:
        raise UntraceableError(f"a rule that needs .{name} of arrays")

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise UntraceableError("a rule that asks what its numbers are")

    def __pow__(self, other: Any) -> Symbol:
        if not isinstance(other, Symbol) and other == 0.5:
            return self.rule.binary("sqrt({})", self)
        return self.rule.binary("pow({}, {})", self, other)

    def __rpow__(self, other: Any) -> Symbol:
        return self.rule.binary("pow({}, {})", other, self)

    def __neg__(self) -> Symbol:
        return self.rule.binary("-{}", self)

    def __abs__(self) -> Symbol:
        return self.rule.binary("fabs({})", self)


for _name, _sign in {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}.items():
    _form = f"{{}} {_sign} {{}}"
    setattr(Symbol, f"__{_name}__", lambda x, y, form=_form: x.rule.binary(form, x, y))
    setattr(Symbol, f"__r{_name}__", lambda x, y, form=_form: x.rule.binary(form, y, x))


def traced(optimizer: Any, options: Any, state: dict[str, Any], name: str) -> Rule:
    """Return the rule of an optimiser, found to be the same whenever it runs.

    It runs twice, and may read nothing but its arguments: what an optimiser, a class or a module
    holds may be another thing at the next step. Raises UntraceableError where it does, is another
    one the second time, or where this optimiser has a step of its own.
    """
    kind = type(optimizer)
    if kind.step is not Optimizer.step or {"rule", "step"} & vars(optimizer).keys():
        raise UntraceableError("an optimiser with a step of its own")
    rules = [Rule(_methods_of(kind).rule, options, state, name) for _ in range(2)]
    if rules[0].text() != rules[1].text():
        raise UntraceableError("a rule that is another one from step to step")
    return rules[0]


def _methods_of(kind: type[Optimizer]) -> Any:
    """Return an optimiser that has methods, which read nothing, and nothing else."""

    class Methods(kind):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            for owner in kind.__mro__:  # one may call another's by super()
                if name in vars(owner):
                    _check_reads(f"self.{name}", vars(owner)[name], ())
            return object.__getattribute__(self, name)

        def __setattr__(self, name: str, _: Any) -> None:
            raise UntraceableError(f"a rule that sets self.{name}")

    return object.__new__(Methods)


def _check_reads(name: str, item: Any, within: tuple[Any, ...]) -> None:
    """Raise UntraceableError for what is no function, or one of the user's that reads such."""
    function = getattr(item, "__func__", item)  # of a class or static method
    if isinstance(function, FunctionType):
        if of_user(function.__globals__) and function not in within:
            for read, part in _read(function):
                _check_reads(read, part, (*within, function))
        return
    of_library = isinstance(item, ModuleType) and not of_user(vars(item))
    plain = isinstance(item, BuiltinFunctionType) or vars(builtins).get(name) is item is not type
    if not (of_library or plain):
        raise UntraceableError(f"a rule that reads {name}; give it such numbers as options")


def _read(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield what a function reads from around it, by name."""
    scope = {**vars(builtins), **function.__globals__}
    for code in codes_in(function.__code__):
        for step in dis.get_instructions(code):
            if "EXC_MATCH" in step.opname:  # what it does instead, no symbol would see
                raise UntraceableError("a rule that catches errors")
            if step.opname == "LOAD_GLOBAL" and step.argval in scope:
                yield step.argval, scope[step.argval]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        if name != "__class__":
            yield name, cell.cell_contents


class Rule:
    """A rule, traced: a function of C that moves an array in place.

    `options` are read in their order, then the states that are one number for all elements, which
    it changes. Raises UntraceableError where the rule needs numbers.
    """

    def __init__(
        self, rule: Callable[..., Any], options: Any, state: dict[str, Any], name: str
    ) -> None:
        self.name, self.once, self.each, self.count = name, list[str](), list[str](), 0
        self.slots = [slot for slot, data in state.items() if hasattr(data, "ndim")]
        self.numbers = [slot for slot in state if slot not in self.slots]
        self.options = [*vars(options)]
        named = enumerate(vars(options).items())
        given = {k: Symbol(self, f"o[{n}]", False, bool(v)) for n, (k, v) in named}
        symbols: dict[str, Any] = {k: self._at(f"{k}_[i]", True) for k in self.slots}
        symbols |= {k: self._at(f"t[{n}]", False) for n, k in enumerate(self.numbers)}
        before, now = dict(symbols), SimpleNamespace(**given)
        try:
            x = rule(self._at("x[i]", True), self._at("g[i]", True), symbols, now)
        except UntraceableError:
            raise
        except Exception as error:  # what a rule does with a symbol that it takes for a number
            raise UntraceableError(str(error)) from error
        changed = [k for k in symbols if symbols[k] is not before.get(k)]
        arrays = {k for k, v in symbols.items() if isinstance(v, Symbol) and v.of_each}
        plain = all(is_real(state[k]) for k in self.numbers) and arrays.isdisjoint(self.numbers)
        if set(symbols) != set(before) or not plain or not isinstance(x, Symbol):
            raise UntraceableError("a rule that remembers other things than it began with")
        if [*map(id, vars(now).values())] != [*map(id, given.values())]:
            raise UntraceableError("a rule that changes its options")
        self.each += [f"{k}_[i] = {self._text(symbols[k])};" for k in changed if k in self.slots]
        self.each.append(f"x[i] = {x.text};")
        self.after = [f"t[{n}] = {self._text(symbols[k])};" for n, k in enumerate(self.numbers)]

    def _at(self, place: str, of_each: bool) -> Symbol:
        """Write down what is at a place before the rule changes it."""
        return self.binary("{}", Symbol(self, place, of_each))

    def binary(self, form: str, *operands: Any) -> Symbol:
        """Write an operation down; return its result."""
        of_each = any(isinstance(x, Symbol) and x.of_each for x in operands)
        self.count += 1
        text = form.format(*map(self._text, operands))
        (self.each if of_each else self.once).append(f"const double e{self.count} = {text};")
        return Symbol(self, f"e{self.count}", of_each)

    def _text(self, operand: Any) -> str:
        if isinstance(operand, Symbol):
            return operand.text
        if isinstance(operand, (int, float)):
            return number(float(operand)) if operand >= 0 else f"({number(float(operand))})"
        raise UntraceableError(f"a rule that computes with {operand!r}")

    def text(self) -> str:
        """Return the function."""
        slots = "".join(f", double *restrict {slot}_" for slot in self.slots)
        head = (
            f"static void {self.name}(long n, double *restrict x, const double *restrict g{slots}, "
            "const double *o, double *t) {"
        )
        return "\n".join(
            [
                head,
                *(f"    {line}" for line in self.once),
                "    for (long i = 0; i < n; i++) {",
                *(f"        {line}" for line in self.each),
                "    }",
                *(f"    {line}" for line in self.after),
                "}",
            ]
        )
