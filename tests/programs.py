"""Looking into Programs, for tests."""

from __future__ import annotations

from collections.abc import Iterator

from fn.core import Equation, Literal, Program, Variable


def programs(program: Program) -> Iterator[Program]:
    """`program` and the Programs inside it, each once."""
    seen: set[int] = set()
    todo = [program]
    while todo:
        current = todo.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            todo += current.subprograms()


def equations(program: Program) -> Iterator[Equation]:
    """All equations of `program` and of the Programs inside it."""
    for p in programs(program):
        yield from p.equations


def names(program: Program) -> list[str]:
    """The primitives' names, in order, of `program` alone."""
    return [e.primitive.name for e in program.equations]


# These write into an array, or over a part of one, and zeros are what is to be there before or after.
_WRITERS = {"scatter_add", "scatter_set", "dynamic_update_slice"}
# In these a sum begins at zero, or a derivative of a loop's state that at first does not move.
_LOOPS = {"scan", "while_loop", "bounded_while", "while_tangent", "while_adjoint", "reversible"}


def zeros_computed_with(program: Program) -> list[str]:
    """Equations that take an array of zeros made by spreading a literal 0: a zero not kept symbolic."""
    found = []
    for p in programs(program):
        zeros: set[Variable] = set()
        for equation in p.equations:
            takes_zeros = any(isinstance(a, Variable) and a in zeros for a in equation.inputs)
            if takes_zeros and equation.primitive.name not in _WRITERS | _LOOPS:
                found.append(str(equation))
            if equation.primitive.name == "broadcast" and _is_zero(equation.inputs[0]):
                zeros.update(equation.outputs)
    return found


def _is_zero(atom: object) -> bool:
    return isinstance(atom, Literal) and atom.value == 0
