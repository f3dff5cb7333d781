"""What the rules of `simplify` work with."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

from fn.core import Atom, Equation, Literal, Primitive, Variable, is_complex, is_integer
from fn.xla.passes._walk import Builder

# What rules look through, from the equation that uses a value to the one that made it.
_SEEN = frozenset({
    "broadcast", "concatenate", "convert", "iota", "mul", "neg", "not", "pad", "reshape", "reverse",
    "slice", "sub", "transpose",
})  # fmt: skip


class Scope(Builder):
    """The equations so far, and how their values were made."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Variable, Equation] = {}
        # Arrays that are zero outside of these pieces along an axis: the axis; begin, end and value of each.
        self.pieces: dict[Atom, tuple[int, list[tuple[int, int, Atom]]]] = {}

    def read(self, equation: Equation) -> Equation:
        """`equation` on what stands for its inputs now."""
        instead = self.instead
        if instead:
            for a in equation.inputs:
                if a.__class__ is Variable and a in instead:
                    inputs = tuple([self.at(a) for a in equation.inputs])
                    return Equation(
                        equation.primitive,
                        inputs,
                        equation.outputs,
                        equation.params,
                        equation.source,
                    )
        return equation

    def write(self, equation: Equation) -> None:
        """Append `equation`."""
        self.equations.append(equation)
        if equation.primitive.name in _SEEN:
            self._made[equation.outputs[0]] = equation

    def made(self, atom: Atom, name: str) -> Equation | None:
        """The equation that made `atom`, if it is one of the primitive called `name`."""
        if atom.__class__ is not Variable:
            return None
        found = self._made.get(atom)
        return found if found is not None and found.primitive.name == name else None


Rule: TypeAlias = Callable[[Scope, Equation], Equation | Atom | None]


def instead(equation: Equation, name: str, *inputs: Atom, **params: Any) -> Equation:
    """An equation of another primitive for the same output."""
    return Equation(Primitive.named[name], inputs, equation.outputs, params, equation.source)


def same(equation: Equation, atom: Atom) -> Atom | None:
    """`atom` as the result of `equation`, if it has just its type."""
    return atom if atom.type is equation.outputs[0].type else None


def is_number(atom: Atom, value: Any) -> bool:
    """Whether `atom` is a real literal of this value; a zero that is a float has to have its sign."""
    if not isinstance(atom, Literal) or is_complex(atom.type.dtype) or atom.value != value:
        return False
    if value == 0 and not is_integer(atom.type.dtype):
        signs = [math.copysign(1.0, v) for v in (atom.value, value)]
        return signs[0] == signs[1]
    return True
