"""The Program: a pure function as typed data. Read it, check it, transform it, send it to XLA."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np

from fn.core._primitive import Primitive
from fn.core._source import Source
from fn.core._types import ArrayType, type_of


class Variable:
    """A value inside one Program, known by its type; two variables are the same only by identity.

    >>> import fn
    >>> program = fn.trace(lambda x: 2 * x)(1.0)
    >>> variable = program.inputs[0]
    >>> variable.type
    ~f32[]
    """

    __slots__ = ("type",)

    def __init__(self, type: ArrayType) -> None:
        self.type = type

    def __repr__(self) -> str:
        return f"Variable({self.type})"


class Literal:
    """A scalar constant written into a Program: a Python or NumPy scalar and its type.

    >>> import fn
    >>> float(fn.Literal(2.0).value), fn.Literal(2.0).type
    (2.0, ~f32[])
    """

    __slots__ = ("value", "type", "_key")

    def __init__(self, value: Any, type: ArrayType | None = None) -> None:
        if type is None:
            type = type_of(value)
        if type is None or type.shape != ():
            raise TypeError(f"a Literal holds a scalar; got {type or value.__class__.__name__}")
        # The stored value is a NumPy scalar of exactly this dtype, so that equal literals have
        # equal bytes; wrapping around is what XLA does with an integer that does not fit.
        exact = type.dtype.type
        if value.__class__ is not exact:
            small = value.__class__ in (float, int) and 0 <= value <= 100
            if small and type.dtype.kind in "fiuc":  # NumPy's own number types hold it
                value = exact(value)
            else:
                with np.errstate(over="ignore", invalid="ignore"):
                    value = np.asarray(value).astype(type.dtype)[()]
        self.type, self.value = type, value
        self._key = type, value.tobytes()

    @property
    def operand(self) -> Any:
        """The value to evaluate with: a Python scalar where the type is weak."""
        return self.value.item() if self.type.weak else self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Literal({self.value}: {self.type})"


Atom: TypeAlias = Variable | Literal

PURE: frozenset[str] = frozenset()
"""The effects of what has none."""


class Equation:
    """`outputs = primitive[params](inputs)`, and the user's line it came from.

    >>> import fn
    >>> program = fn.trace(lambda x: 2 * x)(1.0)
    >>> equation = program.equations[0]
    >>> equation.primitive.name, len(equation.inputs), len(equation.outputs)
    ('mul', 2, 1)
    """

    __slots__ = ("primitive", "inputs", "outputs", "params", "source")

    def __init__(
        self,
        primitive: Primitive,
        inputs: tuple[Atom, ...],
        outputs: tuple[Variable, ...],
        params: Mapping[str, Any],
        source: Source | None = None,
    ) -> None:
        self.primitive, self.inputs, self.outputs = primitive, inputs, outputs
        self.params, self.source = params, source

    @property
    def effects(self) -> frozenset[str]:
        """What running it does besides computing outputs (`Primitive.effect`), sub-programs included."""
        effect = self.primitive.effect
        if effect is not None:
            return frozenset((effect,)) if isinstance(effect, str) else effect(**self.params)
        found = PURE
        for value in self.params.values():
            if isinstance(value, Program):
                found |= value.effects
            elif isinstance(value, tuple):
                for program in programs_in(value):
                    found |= program.effects
        return found

    def with_inputs(self, inputs: tuple[Atom, ...]) -> Equation:
        """The same operation on other inputs of the same types, with new output variables."""
        outputs = tuple([Variable(v.type) for v in self.outputs])
        return Equation(self.primitive, inputs, outputs, self.params, self.source)

    def __repr__(self) -> str:
        types = ", ".join(str(i.type) for i in self.inputs)
        return f"<{self.primitive.name}({types}) at {self.source}>"


class Program:
    """A pure function of arrays as data: inputs, equations in order, outputs.

    Frozen: transforms make new Programs. `captured` holds the arrays that the traced function closed
    over; they belong to the last `len(captured)` inputs, as hidden arguments.

    Programs compare by structure: equal up to the names of variables, with captured arrays compared
    by identity. `str(program)` is stable and `Program.parse` reads it back.

    >>> import fn
    >>> program = fn.trace(lambda x: 2 * x)(fn.ArrayType((3,), "float32"))
    >>> len(program.equations), program.out_types
    (1, (f32[3],))
    >>> fn.Program.parse(str(program)) == program
    True
    """

    __slots__ = (
        "inputs", "equations", "outputs", "captured", "name", "cache", "_hash", "__weakref__",
    )  # fmt: skip
    inputs: tuple[Variable, ...]
    equations: tuple[Equation, ...]
    outputs: tuple[Atom, ...]
    captured: tuple[Any, ...]
    name: str
    cache: dict[Any, Any]
    """What transforms derived from this Program, so that shared programs stay shared."""

    def __init__(
        self,
        inputs: tuple[Variable, ...],
        equations: tuple[Equation, ...],
        outputs: tuple[Atom, ...],
        captured: tuple[Any, ...] = (),
        name: str = "main",
    ) -> None:
        values: tuple[Any, ...] = (
            tuple(inputs),
            tuple(equations),
            tuple(outputs),
            tuple(captured),
            name,
            {},
            None,
        )
        for slot, value in zip(self.__slots__, values, strict=False):
            object.__setattr__(self, slot, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Program is frozen; make a new one instead of setting {name!r}")

    @property
    def in_types(self) -> tuple[ArrayType, ...]:
        """Types of all inputs, the captured ones last."""
        return tuple([v.type for v in self.inputs])

    @property
    def out_types(self) -> tuple[ArrayType, ...]:
        """Types of the outputs."""
        return tuple([a.type for a in self.outputs])

    @property
    def effects(self) -> frozenset[str]:
        """The effects of its equations; empty for a pure function. Looked for once."""
        found: frozenset[str] | None = self.cache.get("effects")
        if found is None:
            found = self.cache["effects"] = PURE.union(*[e.effects for e in self.equations])
        return found

    def closed(self) -> Program:
        """This Program with its captured inputs made ordinary ones, so that it can be a parameter."""
        if not self.captured:
            return self
        found: Program | None = self.cache.get("closed")
        if found is None:
            found = Program(self.inputs, self.equations, self.outputs, (), self.name)
            self.cache["closed"] = found
        return found

    def subprograms(self) -> Iterator[Program]:
        """The Programs that this one's equations carry as parameters, in order, with repeats.

        Parameters go by name, as they are printed, so that the text does not depend on who wrote them.
        """
        for equation in self.equations:
            for _, value in sorted(equation.params.items()):
                yield from programs_in(value)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Program):
            return NotImplemented
        return _equal(self, other, {})

    def __hash__(self) -> int:
        known: int | None = self._hash
        if known is None:
            names = tuple([e.primitive.name for e in self.equations])
            known = hash((names, self.in_types, self.out_types, tuple(map(id, self.captured))))
            object.__setattr__(self, "_hash", known)
        return known

    _hash: int | None
    parse: ClassVar[Callable[..., Program]]
    """`Program.parse(text, captured=())`: read back what `str(program)` wrote."""
    save: ClassVar[Callable[..., None]]
    """`program.save(path)`: write it to a file."""
    load: ClassVar[Callable[..., Program]]
    """`Program.load(path, captured=())`: read back what `save` wrote."""
    dumps: ClassVar[Callable[..., str]]
    """`program.dumps()`: what `save` writes, as a string."""
    loads: ClassVar[Callable[..., Program]]
    """`Program.loads(text, captured=())`: read back what `dumps` gave."""

    def __repr__(self) -> str:
        ins, outs = (", ".join(map(str, types)) for types in (self.in_types, self.out_types))
        return f"<Program {self.name}: ({ins}) -> ({outs}), {len(self.equations)} equations>"


def programs_in(param: Any) -> Iterator[Program]:
    """The Programs in one equation parameter, which may be a tuple of them."""
    if isinstance(param, Program):
        yield param
    elif isinstance(param, tuple):
        for part in param:
            yield from programs_in(part)


_Known = dict[tuple[int, int], bool]


def _equal(p: Program, q: Program, known: _Known) -> bool:
    """Equality up to renaming. A Program shared by many is compared once: `known` has the answers."""
    if p is q:
        return True
    key = id(p), id(q)
    if key not in known:
        known[key] = hash(p) == hash(q) and _same(p, q, known)
    return known[key]


def _same(p: Program, q: Program, known: _Known) -> bool:
    """Equality up to renaming; variables are numbered in the order they appear."""
    if len(p.equations) != len(q.equations) or len(p.captured) != len(q.captured):
        return False
    if any(a is not b for a, b in zip(p.captured, q.captured, strict=True)):
        return False
    if p.in_types != q.in_types:
        return False
    twin: dict[Variable, Variable] = dict(zip(p.inputs, q.inputs, strict=True))

    def match(a: Atom, b: Atom) -> bool:
        if isinstance(a, Literal):
            return a == b
        return twin.get(a) is b

    for e, g in zip(p.equations, q.equations, strict=True):
        if e.primitive is not g.primitive or len(e.inputs) != len(g.inputs):
            return False
        if not all(map(match, e.inputs, g.inputs)) or not _same_params(e.params, g.params, known):
            return False
        if [v.type for v in e.outputs] != [v.type for v in g.outputs]:
            return False
        twin.update(zip(e.outputs, g.outputs, strict=True))
    return len(p.outputs) == len(q.outputs) and all(map(match, p.outputs, q.outputs))


def _same_params(p: Any, q: Any, known: _Known) -> bool:
    """Equality of parameters in which not-a-number equals itself."""
    if isinstance(p, Mapping):
        return p.keys() == q.keys() and all(_same_params(p[k], q[k], known) for k in p)
    if isinstance(p, tuple) and isinstance(q, tuple):
        return len(p) == len(q) and all(_same_params(a, b, known) for a, b in zip(p, q))
    if isinstance(p, Program) and isinstance(q, Program):
        return _equal(p, q, known)
    return bool(p == q) or (p != p and q != q)
