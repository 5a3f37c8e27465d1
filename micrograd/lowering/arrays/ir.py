"""Index notation: what each element of an array is, over the variables i, j, k, ...

    z1[i] = Σj x[j] W1[i,j] + b1[i]             sums of products
    h1[i] = tanh(z1[i])                         an operation, element by element
    m     = max_j s[j]                          a choice
    x[i,j] = E[ids[i], j]                       rows looked up
    dW1[i,j] = Σb delta1[b,i] x[b,j]            an adjoint: the same notation, other names

Every computed array is a sum of terms, a term a product of factors. Variables are numbered:
0 to rank − 1 run over an array's own axes, higher ones are summed over, BATCH runs over the
samples: whatever depends on them has it as one more axis in front, which `shape` leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from micrograd.lowering.scalars.columns import Floats, Ints
from micrograd.lowering.trace.declared import CONSTANT, INPUT, NUMBER, PARAMETER

COMPUTED = "computed"
LEAVES = (INPUT, PARAMETER, CONSTANT, NUMBER)
BATCH = -1  # the variable of the batch axis
ALL = (0, None, 1)  # the whole of an axis, as (start, stop, step)
FIXED = -2  # in place of a variable: the axis is held at `start`


class Size(NamedTuple):
    """The length of an axis that grows with the batch: `times` the number of samples."""

    times: int = 1

    def __repr__(self) -> str:
        return "B" if self.times == 1 else f"B * {self.times}"


B = Size()
Axis = tuple[int, "int | Size"]  # a variable and how many values it has


class Scale(NamedTuple):
    """A number that multiplies a term: `value` times the batch size to the power `batch`."""

    value: float = 1.0
    batch: int = 0

    def times(self, value: float, batch: int = 0) -> Scale:
        """Return the product with another number."""
        return Scale(self.value * value, self.batch + batch)

    def over(self, size: int | Size) -> Scale:
        """Return the scale of a sum over a variable of a size that no factor has."""
        return self.times(size.times, 1) if isinstance(size, Size) else self.times(size)

    def __str__(self) -> str:
        number = f"{self.value:.12g}"
        return {0: number, 1: f"{number} B".removeprefix("1 "), -1: f"{number}/B"}[self.batch]


ONE = Scale()


class Index(NamedTuple):
    """Where one axis is read: at start + step · variable."""

    var: int
    start: int = 0
    step: int = 1


@dataclass(frozen=True, eq=False)
class Read:
    """What is read of an array.

    Either one Index per axis, the axes divided into the shape `split` first; or, without such a
    rule, a `table` of flat places with one axis per variable of `variables`.
    """

    array: Array
    index: tuple[Index, ...] = ()
    split: tuple[int, ...] | None = None
    table: Ints | None = None
    variables: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape that the indices refer to."""
        return self.array.shape if self.split is None else self.split

    @property
    def vars(self) -> tuple[int, ...]:
        """Return the variables read, in the order of the axes, without the batch."""
        return self.variables + tuple(i.var for i in self.index if i.var != FIXED)

    @property
    def every(self) -> tuple[int, ...]:
        """Return the variables read, the batch in front."""
        return (BATCH, *self.vars) if self.array.batched else self.vars

    @property
    def plain(self) -> bool:
        """Return whether every axis is walked from its beginning, one by one."""
        walked = all(i.var != FIXED and (i.start, i.step) == (0, 1) for i in self.index)
        return walked and self.table is None and self.split is None

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return itself: what a factor reads."""
        return (self,)

    def same(self, other: object) -> bool:
        """Return whether two read the same elements for the same variables."""
        return isinstance(other, Read) and self._key() == other._key()

    def _key(self) -> tuple[object, ...]:
        table = None if self.table is None else self.table.astype("intp", copy=False).tobytes()
        return id(self.array), self.index, self.split, self.variables, table


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula of an op row over what its letters read.

    `local` are its local gradients, over the same letters and `out`, the array that it defines.
    """

    op: str
    text: str
    k: float | None
    letters: tuple[tuple[str, Read], ...]
    local: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return what the letters read."""
        return tuple(read for _, read in self.letters)


@dataclass(frozen=True, eq=False)
class Choice:
    """The largest or smallest (`op`) of what `before` reads and what `read` has over `axes`."""

    op: str
    axes: tuple[Axis, ...]
    read: Read
    before: Read | None = None

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return what is chosen from."""
        return (self.read,) if self.before is None else (self.before, self.read)


@dataclass(frozen=True, eq=False)
class First:
    """1 where `read` is the first over `axes`, row by row, to equal `out`; else 0.

    Where none does, since one is nan, it is the last, as in the engine.
    """

    read: Read
    out: Read
    axes: tuple[Axis, ...]

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return what is compared."""
        return (self.read, self.out)


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of `table` at the ids that `ids` reads; without a table, those of an identity.

    As a term's `at` it says which rows the term is added to.
    """

    table: Array | None
    ids: Read

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return what the ids are read from, and the table."""
        return (self.ids,) if self.table is None else (self.ids, self.table.whole)


Factor = Read | Formula | Choice | First | Rows


@dataclass(frozen=True, eq=False)
class Term:
    """Stand for scale · Σ product of factors, over the variables `summed`.

    `kept` are the variables of the result. It is added where `at` reads the array that the term
    belongs to, or at the array's own variables. Sums of different lengths are one such term:
    `at` reads an element again and again.
    """

    factors: tuple[Factor, ...]
    kept: tuple[Axis, ...]
    summed: tuple[Axis, ...] = ()
    scale: Scale = ONE
    at: Read | Rows | None = None

    @property
    def reads(self) -> Iterator[Read]:
        """Yield all that is read."""
        for factor in self.factors:
            yield from factor.reads
        if isinstance(self.at, Rows):
            yield self.at.ids

    @property
    def sizes(self) -> dict[int, int | Size]:
        """Return the sizes of the variables, that of a choice too."""
        chosen = (axis for f in self.factors if isinstance(f, Choice) for axis in f.axes)
        return dict((*self.kept, *self.summed, *chosen))


@dataclass(frozen=True, eq=False)
class Array:
    """Hold one array of the program; `nodes` are the ids of its elements, row by row.

    A leaf's ids may be NONE: an element of a parameter that the result does not depend on. A
    NUMBER is a pool of the numbers written in the code; an operand reads one. A CONSTANT without
    nodes has its `data`. `name` is what it is called, `stem` what it would best be called; an
    adjoint is that `of` another array.
    """

    kind: str
    shape: tuple[int, ...]
    nodes: Ints
    batched: bool = False
    terms: tuple[Term, ...] = ()
    data: Floats | None = None
    name: str = ""
    stem: str = ""
    of: Array | None = None

    def __str__(self) -> str:
        return f"the adjoint of {self.of}" if self.of else self.name or self.stem or self.kind

    def __repr__(self) -> str:
        """Return what it is and its shape: all that it reads would be the whole program."""
        return f"<{self} {self.sizes}>"

    @property
    def size(self) -> int:
        """Return the number of elements, of one sample."""
        return prod(self.shape)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return the variables with their sizes, the batch in front."""
        return (((BATCH, B),) if self.batched else ()) + tuple(enumerate(self.shape))

    @property
    def sizes(self) -> tuple[int | Size, ...]:
        """Return the sizes of all axes, that of the batch in front."""
        return tuple(size for _, size in self.axes)

    @property
    def vars(self) -> tuple[int, ...]:
        """Return the variables, the batch in front."""
        return tuple(var for var, _ in self.axes)

    @property
    def whole(self) -> Read:
        """Return what reads every element at its own variables."""
        return Read(self, tuple(map(Index, range(len(self.shape)))))

    @property
    def reads(self) -> Iterator[Read]:
        """Yield all that is read."""
        for term in self.terms:
            yield from term.reads

    @property
    def only(self) -> Factor | None:
        """Return the one factor of an array that is nothing else."""
        factors = self.terms[0].factors if len(self.terms) == 1 else ()
        return factors[0] if len(factors) == 1 else None

    @property
    def formula(self) -> Formula | None:
        """Return the formula of an array that is one operation, element by element."""
        return self.only if isinstance(self.only, Formula) else None

    @property
    def choice(self) -> Choice | None:
        """Return the choice of an array that makes one."""
        return self.only if isinstance(self.only, Choice) else None

    @property
    def lookup(self) -> Rows | None:
        """Return the rows of an array that looks some up."""
        return self.only if isinstance(self.only, Rows) else None
