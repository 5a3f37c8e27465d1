"""Names for arrays, as the lectures have them: x, W1, b1, z1, h1, u, s, J, delta1."""

from __future__ import annotations

import builtins
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from keyword import iskeyword
from typing import Any, NamedTuple

from micrograd.engine import Value
from micrograd.lowering.arrays.ir import LEAVES, Array, Read, Term
from micrograd.lowering.trace.declared import CONSTANT, NUMBER, PARAMETER
from micrograd.ops import BY_NAME, FUNCTIONS, Row, for_each_row
from micrograd.printing import unnumbered

# What the text of programs calls, besides the functions of formulas: a test holds the kinds of
# expressions and the helpers against it.
CALLED = """
    np jnp jax torch len B LEAVES value_and_grad forward loss nan inf
    where maximum minimum abs einsum transpose broadcast_to full zeros eye arange scatter embed s_
    stack concatenate first_true first_within rows sparse_rows Rows add_rows add_at read_table
    of_tensors Slices
"""
RESERVED = frozenset((*FUNCTIONS, *CALLED.split()))
_TAKEN = RESERVED | {*dir(builtins)}
FUNCTION_OF: dict[str, str] = {}  # the rows that a text writes as functions, by their value


def _learn(row: Row) -> None:
    """Let texts say sigmoid(z), whose formula has its operand four times."""
    often = row.value.count("(") and len(re.findall(r"\bx\b", row.value)) > 1
    if often and row.arity == 1 and not row.constants and row.name not in _TAKEN:
        FUNCTION_OF.setdefault(row.value, row.name)


for_each_row(_learn)


class Name(NamedTuple):
    """What an array would best be called; a `temporary` is what no person would name.

    `layer` and `window` are the 1 and the _c of z1_c.
    """

    stem: str
    layer: str = ""
    window: str = ""
    temporary: bool = False

    def __str__(self) -> str:
        return self.stem + self.layer + self.window


# W, or another capital, with what is around it: layer0_, q, 1, _enc of layer0_wq, Wq, W1, W_enc.
_MATRIX = re.compile(
    r"(?:(\w+?)_)?(?:[Ww]|(?<!_)[A-Z](?=[a-z]?(?:\d|_|$)))(?:s$|([a-z]{0,3}))(_?\d+|)(_[^\W\d]\w*)?"
)
_NO_UNITS = {"neg", "pow", "square", "exp", "log"}  # above a z, but no hidden units
TEMPORARY = Name("t", temporary=True)
LOSS = Name("loss")


def normal(name: str) -> str:
    """Return a name as Python reads it: two that look alike may be one."""
    return unicodedata.normalize("NFKC", name)


def check_declared(names: Sequence[str]) -> None:
    """Raise ValueError where a program cannot have arrays of these names."""
    same = Counter(map(normal, names))
    for name in names:
        if not name.isidentifier() or iskeyword(name):
            raise ValueError(f"{name!r} cannot name an array: it is no Python name")
        if not usable(name):
            raise ValueError(
                f"{name!r} cannot name an array: the program needs it for itself; choose another "
                "name, or give names=[...], one for each argument of the function"
            )
        if same[normal(name)] > 1:
            raise ValueError(f"two arrays are named {name!r}; name each differently")


def identifier(text: str) -> str:
    """Return a text as a name of Python; nothing where it cannot be one."""
    name = normal(re.sub(r"\W+", "_", text).strip("_"))
    if not name.isidentifier():
        return ""
    return f"{name}_" if iskeyword(name) else name


def usable(name: str) -> bool:
    """Return whether a Python name is none that programs need for themselves."""
    return normal(name) not in RESERVED and normal(name) not in FUNCTION_OF.values()


def parsed(name: str) -> Name:
    """Return the parts of a name that was given: z1_c is z, 1, _c."""
    parts = re.fullmatch(r"(.*?)(\d*)(_[^\W\d_]\w*)?", name)
    return Name(parts[1], parts[2], parts[3] or "") if parts else Name(name)


def wanted(arrays: Iterable[Array], values: Sequence[Value]) -> dict[Array, Name]:
    """Return what each forward array would best be called."""
    names: dict[Array, Name] = {}
    for array in arrays:
        if array.kind != NUMBER:
            names[array] = _wanted(array, values, names)
    return names


def _wanted(array: Array, values: Sequence[Value], names: Mapping[Array, Name]) -> Name:
    if array.name or array.stem:
        return parsed(array.name or array.stem)
    if array.kind in LEAVES:
        return Name(_leaf(array))
    labels = {unnumbered(label) for label in {values[i].label for i in array.nodes.tolist()}}
    label = labels.pop() if len(labels) == 1 else ""
    own = label and identifier(label) == label != LOSS.stem  # which the program has of its own
    return parsed(label) if own else _computed(array, names)


def _leaf(array: Array) -> str:
    rank = len(array.shape)
    if array.kind == PARAMETER:
        return "W" if rank == 2 else "b"
    return "x" if rank == 2 and array.kind == CONSTANT and array.data is None else "c"


def _computed(array: Array, names: Mapping[Array, Name]) -> Name:
    if array.formula:
        operand = array.formula.reads[0].array
        of = names.get(operand, TEMPORARY)
        row = BY_NAME[array.formula.op]
        hidden = len(array.formula.reads) == 1 == row.arity and row.name not in _NO_UNITS
        return Name("h", of.layer, of.window) if hidden and of.stem == "z" else TEMPORARY
    if array.choice:
        return Name("m", window=names.get(array.choice.read.array, TEMPORARY).window)
    if not array.nodes.size:
        return _longer(array, names)
    products = [name for term in array.terms if (name := _product(term, names))]
    return _common(products or _added(array, names))


def _common(names: Sequence[Name]) -> Name:
    """Return z_f of W_f x + U_f h, and z of Wx x + Wh h, or of what several windows give."""
    name, *others = names or [TEMPORARY]
    if any(other.layer != name.layer and other.layer.startswith("_") for other in others):
        name = name._replace(layer="")
    return name._replace(window="") if any(o.window != name.window for o in others) else name


def _added(array: Array, names: Mapping[Array, Name]) -> list[Name]:
    """Return of a sum of z's what they are called: it is no line of its own, but h is above it."""
    found = [names.get(read.array, TEMPORARY)._replace(temporary=True) for read in array.reads]
    several = any(len(term.factors) > 1 or term.summed for term in array.terms)
    return [] if several or any(name.stem != "z" for name in found) else found


def _longer(array: Array, names: Mapping[Array, Name]) -> Name:
    """Return x_padded for x with 0s around it, hs for h, h_2, ... side by side, x for rows."""
    of = [names.get(read.array, TEMPORARY) for read in array.reads]
    if len(of) == 1 and next(array.reads).table is not None:
        return of_parts(of[0], names)
    stems = {name.stem for name in of}
    if len(stems) > 1 or of[0].temporary:
        return TEMPORARY
    return Name(f"{of[0]}_padded" if len(of) == 1 else f"{of[0].stem}s")


def of_parts(table: Name, names: Mapping[Array, Name]) -> Name:
    """Return what parts of a table are called: x, E_parts beside another x."""
    return Name(f"{table}_parts") if Name("x") in names.values() else Name("x")


def _product(term: Term, names: Mapping[Array, Name]) -> Name | None:
    """Return z1 for what W1 multiplies, z_enc for what W_enc does, s for what u does."""
    if len(term.factors) != 2:
        return None
    x, w = (factor.array for factor in term.factors if isinstance(factor, Read))
    if w.kind != PARAMETER or x is w or not (term.summed or 1 in w.shape[1:]):
        return None
    weights = names[w]
    first = next(array for array, name in names.items() if name == weights)
    if first is not w or not usable(str(weights)):  # it will be called otherwise
        return None
    window, layer = names[x].window if x in names else "", _after(str(weights), len(w.shape))
    if layer is not None:
        return Name("z", layer, "" if window == layer else window)
    return Name("s", window=window) if str(weights) == "u" else None


def _after(weights: str, rank: int) -> str | None:
    """Return what follows the z of weights: the 1 of W1, 1_G of G_W1, _layer0_q of layer0_wq."""
    parts = _MATRIX.fullmatch(weights)
    if not parts:
        return f"_{weights}" if rank == 2 and len(weights) > 1 else None
    above, letters, number, of = (part or "" for part in parts.groups())
    if letters:
        return "".join(f"_{part}" for part in (above, letters) if part) + number + of
    return number + (f"_{above}" if above else "") + of


class Names(dict[Any, str]):
    """The names of arrays and tables in one text: no two are alike, none is what the text calls."""

    def __init__(
        self,
        names: Mapping[Array, Name],
        tables: Iterable[Any] = (),
        lines: Sequence[Array] = (),
        after: Mapping[Array, Array] | None = None,
    ) -> None:
        super().__init__()
        after, line = after or {}, {array: n for n, array in enumerate(lines)}
        self._taken = {*_TAKEN, *FUNCTION_OF.values()}
        for array in (array for array in names if array.name):
            self._enter(array, normal(array.name))
        for array, name in names.items():
            if not name.temporary and array not in self:
                self._enter(array, self._free(normal(str(name))))
        for array in (array for array in lines if array.stem and array not in names):
            self._enter(array, self._free(identifier(array.stem)))
        for adjoint, array in after.items():
            if array in self:  # what has a stem is no sum: rows of a table Z
                sums = names[array].stem == "z" and array.terms and not array.stem
                wanted = f"delta{self[array][1:]}" if sums else f"d{self[array]}"
                self._enter(adjoint, self._free(wanted))
        temporaries = [a for a in dict.fromkeys((*names, *after, *lines)) if a not in self]
        temporaries.sort(key=lambda array: line.get(array, len(line)))
        self._number(temporaries, line)
        for table, number in zip(tables, self.numbered("i")):
            self._enter(table, number)

    def _enter(self, item: Any, name: str) -> None:
        self[item] = name
        self._taken.add(name)

    def numbered(self, name: str) -> Iterator[str]:
        """Yield free names: t1, t2, ..., of which dt1, dt2, ... are free too."""
        for number in count(1):
            if self._taken.isdisjoint((f"{name}{number}", f"d{name}{number}")):
                yield f"{name}{number}"

    def _free(self, name: str) -> str:
        """Return `name`, numbered if it is taken."""
        if name not in self._taken:
            return name
        between, first = ("", 1) if name == "c" else ("_", 2)
        every = (f"{name}{between}{number}" for number in count(first))
        return next(other for other in every if other not in self._taken)

    def _number(self, temporaries: Sequence[Array], line: Mapping[Array, int]) -> None:
        """Number the temporaries 1, 2, ... in the order of their lines; dt1 is the adjoint of t1.

        The adjoint of what has no line of its own is numbered as a temporary itself.
        """
        numbered = self.numbered("t")
        for array in temporaries:
            of = array.of
            if of is not None and of in self and of in line:
                self._enter(array, self._free(f"d{self[of]}"))
            else:
                self._enter(array, next(numbered))
