"""The rule of an optimiser as C, written down while it runs on symbols in place of numbers."""

from __future__ import annotations

from typing import Any

from micrograd.lowering.native.c.text import number
from micrograd.optim import BY_NAME


class UntraceableError(TypeError):
    """Report steps that C cannot have."""


class Symbol:
    """A number that C will have: one for all elements, or one of each.

    `true` says of an option whether it is other than 0: another branch is another rule.
    """

    def __init__(self, rule: Rule, text: str, of_each: bool, true: bool = False) -> None:
        self.rule, self.text, self.of_each, self.true = rule, text, of_each, true

    def __bool__(self) -> bool:
        return self.true

    def __pow__(self, other: Any) -> Symbol:
        if not isinstance(other, Symbol) and other == 0.5:
            return self.rule.binary("sqrt({})", self)
        return self.rule.binary("pow({}, {})", self, other)


for _name, _sign in {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}.items():
    _form = f"{{}} {_sign} {{}}"
    setattr(Symbol, f"__{_name}__", lambda x, y, form=_form: x.rule.binary(form, x, y))
    setattr(Symbol, f"__r{_name}__", lambda x, y, form=_form: x.rule.binary(form, y, x))


class Rule:
    """A rule of this library's, traced: a function of C that moves an array in place.

    It reads `options`, sorted by name, and the states that are one number for all elements, which
    it changes. Raises UntraceableError for an optimiser of a user's own: what its code may read or
    do besides, nobody knows.
    """

    def __init__(self, optimizer: Any, options: Any, state: dict[str, Any], name: str) -> None:
        kind = type(optimizer)
        replaced = any(hasattr(kind, name) for name in vars(optimizer))
        if kind not in BY_NAME.values() or replaced:
            raise UntraceableError("an optimiser with a rule or a step of its own")
        self.name, self.once, self.each, self.count = name, list[str](), list[str](), 0
        self.slots = optimizer.slots
        self.numbers = [key for key in state if key not in self.slots]
        given = {
            key: Symbol(self, f"o[{n}]", False, bool(option))
            for n, (key, option) in enumerate(sorted(vars(options).items()))
        }
        symbols = {slot: Symbol(self, f"{slot}_[i]", True) for slot in self.slots}
        symbols |= {key: Symbol(self, f"t[{n}]", False) for n, key in enumerate(self.numbers)}
        before = dict(symbols)
        of_each = (Symbol(self, f"{letter}[i]", True) for letter in "xg")
        x = optimizer.rule(*of_each, symbols, type(options)(**given))
        changed = [key for key in symbols if symbols[key] is not before[key]]
        self.each += [f"{before[k].text} = {symbols[k].text};" for k in changed if k in self.slots]
        self.each.append(f"x[i] = {x.text};")
        self.after = [
            f"{before[k].text} = {symbols[k].text};" for k in changed if k in self.numbers
        ]

    def binary(self, form: str, *operands: Any) -> Symbol:
        """Write an operation down; return its result."""
        of_each = any(isinstance(x, Symbol) and x.of_each for x in operands)
        self.count += 1
        texts = (x.text if isinstance(x, Symbol) else number(float(x)) for x in operands)
        line = f"const double e{self.count} = {form.format(*texts)};"
        (self.each if of_each else self.once).append(line)
        return Symbol(self, f"e{self.count}", of_each)

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
