"""Equations that do the same to different values, done once on an array of these values, the lanes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from fn.core import Atom, Equation, Literal, Variable, elementwise
from fn.xla.passes._walk import Builder, pure

LEAST = 4
"""Fewer lanes than this are left as they are."""
# Deeper than this, lanes mostly wait for each other.
_DEEPEST = 64
_COMMUTATIVE = frozenset({"add", "mul", "and", "or", "xor", "eq", "ne"})

Shape = tuple[tuple[int, ...], Any]


class Unprofitable(Exception):
    """The lanes depend on each other, or are too different."""


def shape_of(atom: Atom) -> Shape:
    """What values must share to be lanes of one array: shape and dtype."""
    return atom.type.shape, atom.type.dtype


def _front(n: int, shape: Any) -> tuple[int, ...]:
    return (n, *shape)


def _behind(axes: Any) -> tuple[int, ...]:
    return tuple([a + 1 for a in axes])


# Parameters of operations that keep to their lane, with the axis of lanes put in front.
_SHIFTED: dict[str, Callable[[int, dict[str, Any]], dict[str, Any]]] = {
    "broadcast": lambda n, p: {"shape": _front(n, p["shape"]), "axes": (0, *_behind(p["axes"]))},
    "reshape": lambda n, p: {"shape": _front(n, p["shape"])},
    "transpose": lambda n, p: {"permutation": (0, *_behind(p["permutation"]))},
    "reverse": lambda n, p: {"axes": _behind(p["axes"])},
    **{
        f"reduce_{name}": lambda n, p: {"axes": _behind(p["axes"])}
        for name in ("sum", "max", "min", "prod", "and", "or")
    },
}


class Lanes(Builder):
    """A program being written: which values are lanes of which arrays.

    Lanes are looked for from the results upwards: values wanted together are computed together where one
    operation computes them all, from operands that are then wanted together.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Atom, Equation] = {}
        self._home: dict[Atom, tuple[Variable, int]] = {}
        self._arrays: dict[tuple[Atom, ...], Variable] = {}
        self._depth = 0
        self._left = 0

    def allow(self, lanes: int) -> None:
        """From here on, at most so many lanes may be worked on."""
        self._depth, self._left = 0, lanes

    def define(self, equation: Equation) -> None:
        """`equation` is how its outputs are computed."""
        self._made.update(dict.fromkeys(equation.outputs, equation))

    def give(self, array: Variable, atoms: Sequence[Atom]) -> None:
        """`atoms` are the lanes of `array`, which is there."""
        self._arrays[tuple(atoms)] = array
        for lane, atom in enumerate(atoms):
            if isinstance(atom, Variable):
                self._home.setdefault(atom, (array, lane))

    def one(self, atom: Atom) -> Atom:
        """`atom` by itself."""
        return self.at(atom)

    def origin(self, atom: Atom) -> Any:
        """What kind of value `atom` is, that is not computed here."""
        return None

    def stacked(self, atoms: tuple[Atom, ...]) -> Variable | None:
        """An array that arrives with these lanes, if they can be had so."""
        return None

    # --- roles ---

    def role(self, atom: Atom, depth: int = 2) -> Any:
        """How `atom` is computed, a few steps back: equal for what might be lanes of one array."""
        if isinstance(atom, Literal):
            return "literal"
        made = self._made.get(atom)
        if made is None:
            return self.origin(atom)
        if depth == 0:
            return made.primitive.name
        parts = [self.role(a, depth - 1) for a in made.inputs]
        if made.primitive.name in _COMMUTATIVE:
            parts.sort(key=str)
        return (self._operation(made), *parts)

    def _operation(self, equation: Equation) -> Any:
        """Equal for equations that are one operation on lanes."""
        params = tuple([repr(v) if isinstance(v, float) else v for v in equation.params.values()])
        return equation.primitive, params, *map(shape_of, equation.inputs)

    def _fits(self, equation: Equation) -> bool:
        primitive = equation.primitive
        return pure(equation) and (primitive.batch is elementwise or primitive.name in _SHIFTED)

    # --- lanes of arrays ---

    def taken(self, array: Variable, lane: int, axis: int) -> Atom:
        """Entry `lane` of `array` along `axis`."""
        shape = array.type.shape
        starts = tuple([lane if i == axis else 0 for i in range(len(shape))])
        limits = tuple([lane + 1 if i == axis else n for i, n in enumerate(shape)])
        part = self.add("slice", array, starts=starts, limits=limits, strides=(1,) * len(shape))
        return self.add("reshape", part, shape=(*shape[:axis], *shape[axis + 1 :]))

    def _piece(self, array: Variable, first: int, count: int, step: int) -> Variable:
        """So many lanes from `first` on; backwards if `step` is negative."""
        shape = array.type.shape
        if step < 0:
            forwards = self._piece(array, first + (count - 1) * step, count, -step)
            return self.add("reverse", forwards, axes=(0,))
        if count == shape[0]:
            return array
        rest = shape[1:]
        return self.add(
            "slice", array, starts=(first, *[0] * len(rest)),
            limits=(first + (count - 1) * step + 1, *rest), strides=(step, *[1] * len(rest)),
        )  # fmt: skip

    def array(self, atoms: Sequence[Atom]) -> Variable:
        """An array with these values for lanes."""
        key = tuple(atoms)
        found = self._arrays.get(key)
        if found is None:
            self._depth += 1
            self._left -= len(key) if self._depth > 1 else 0
            if self._depth > _DEEPEST or self._left < 0:
                raise Unprofitable
            found = self._assembled(key)
            self._arrays[key] = found
            self._depth -= 1
        return found

    def _assembled(self, atoms: tuple[Atom, ...]) -> Variable:
        if all(a == atoms[0] for a in atoms):
            return self._repeated(atoms[0], len(atoms))
        found = self.stacked(atoms)
        if found is not None:
            return found
        self._compute(atoms)
        pieces: list[Variable] = []
        at = 0
        while at < len(atoms):
            array, first, count, step = self._run(atoms, at)
            if array is not None:
                pieces.append(self._piece(array, first, count, step))
            else:
                pieces.append(self._repeated(atoms[at], 1))
            at += count
        self._left -= len(pieces)
        return pieces[0] if len(pieces) == 1 else self.add("concatenate", *pieces, axis=0)

    def _run(self, atoms: tuple[Atom, ...], at: int) -> tuple[Variable | None, int, int, int]:
        """The longest row of lanes of one array, evenly spaced, from `at` on."""
        home = self._home.get(atoms[at])
        if home is None:
            return None, 0, 1, 1
        array, first = home
        count, step = 1, 1
        for atom in atoms[at + 1 :]:
            following = self._home.get(atom)
            if following is None or following[0] is not array:
                break
            if count == 1:
                step = following[1] - first
            if step == 0 or following[1] != first + count * step:
                break
            count += 1
        return array, first, count, step if count > 1 else 1

    def _repeated(self, atom: Atom, count: int) -> Variable:
        single = self.one(atom)
        shape = single.type.shape
        axes = tuple(range(1, len(shape) + 1))
        return self.add("broadcast", single, shape=(count, *shape), axes=axes)

    def _compute(self, atoms: tuple[Atom, ...]) -> None:
        """Compute those of `atoms` that are nowhere yet, together where one operation does it."""
        alike: dict[Any, list[Atom]] = {}
        for atom in dict.fromkeys(atoms):
            if isinstance(atom, Literal) or atom in self._home:
                continue
            made = self._made.get(atom)
            if made is None:
                alike.setdefault(self.origin(atom), []).append(atom)
            elif self._fits(made):
                alike.setdefault(self._operation(made), []).append(atom)
        for group in alike.values():
            if len(group) < LEAST:
                continue
            if group[0] in self._made:
                self._together([self._made[a] for a in group])
            else:
                self.stacked(tuple(group))

    def _together(self, equations: Sequence[Equation]) -> None:
        """One equation on arrays for many on their lanes."""
        first, n = equations[0], len(equations)
        out = first.outputs[0].type.shape
        columns = list(zip(*self._aligned(equations), strict=True))
        operands = [self._operand(column, out) for column in columns]
        if first.primitive.batch is elementwise:
            full = (n, *out)
            if not any(a.type.shape == full for a in operands):
                raise Unprofitable  # the same computed many times: not for this pass
            params = dict(first.params)
            if params.get("weak"):
                params["weak"] = False
        else:
            if (
                operands[0].type.shape[:1] != (n,)
                or len(operands[0].type.shape) != first.inputs[0].type.ndim + 1
            ):
                raise Unprofitable
            params = _SHIFTED[first.primitive.name](n, dict(first.params))
        array = self.add_all(first.primitive.name, operands, params, first.source)[0]
        for lane, equation in enumerate(equations):
            self._home.setdefault(equation.outputs[0], (array, lane))

    def _operand(self, column: tuple[Atom, ...], out: tuple[int, ...]) -> Atom:
        """The operand of an equation on arrays: lanes, or what is the same for all of them."""
        shape = column[0].type.shape
        if shape == () and all(a == column[0] for a in column):
            return self.one(column[0])
        array = self.array(column)
        if shape != out and out:
            return self.add("broadcast", array, shape=(len(column), *out), axes=(0,))
        return array

    def _aligned(self, equations: Sequence[Equation]) -> list[tuple[Atom, ...]]:
        """The inputs of each equation, those of commutative ones in the order most of them have."""
        rows = [e.inputs for e in equations]
        if equations[0].primitive.name not in _COMMUTATIVE:
            return rows
        kinds = [tuple([self._whence(a) for a in row]) for row in rows]
        usual = Counter(kinds).most_common(1)[0][0]
        return [
            row[::-1] if kind != usual and kind[::-1] == usual else row
            for row, kind in zip(rows, kinds, strict=True)
        ]

    def _whence(self, atom: Atom) -> Any:
        home = self._home.get(atom)
        return id(home[0]) if home is not None else self.role(atom, 1)
