"""Programs made of Programs: one equation alone, its tangents, and whether these move with the point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fn.control import quiet
from fn.core import (
    ArrayType,
    Equation,
    Literal,
    Program,
    Trace,
    Variable,
    checked,
    dce,
    recording,
)
from fn.transforms import jvp_program

Flags = tuple[bool, ...]


def record(
    function: Callable[..., Sequence[Any]], types: Sequence[ArrayType], name: str
) -> Program:
    """The Program of `function(*arrays)`, which returns a list of arrays."""
    trace = Trace(name)
    with recording(trace):
        outs = function(*[trace.input(t) for t in types])
        return checked(dce(trace.finish(outs, name)))


def captured_first(program: Program) -> tuple[Program, tuple[Any, ...]]:
    """`program` with what it captured as its first inputs, and the captured values."""
    if not program.captured:
        return program, ()
    own = len(program.inputs) - len(program.captured)
    inputs = program.inputs[own:] + program.inputs[:own]
    closed = Program(inputs, program.equations, program.outputs, (), program.name)
    return closed, program.captured


def alone(equation: Equation) -> Program:
    """The Program of one equation: its inputs that are not literals, to its outputs."""
    atoms = tuple([a if type(a) is Literal else Variable(a.type) for a in equation.inputs])
    copy = equation.with_inputs(atoms)
    inputs = tuple([a for a in atoms if type(a) is Variable])
    return Program(inputs, (copy,), copy.outputs, (), equation.primitive.name)


def tangent_program(program: Program, moving: Flags) -> tuple[Program, Flags]:
    """The derivative alone: inputs, then tangents where `moving`, to the output tangents there are.

    Effects belong to the values, not to it: what is printed is printed once.

    Returns:
        The Program, and per output of `program` whether it has a tangent.
    """
    key = ("tangent_program", moving)
    if key not in program.cache:
        both, given = jvp_program(quiet(program), moving)
        outputs = both.outputs[len(program.outputs) :]
        name = f"tangent_{program.name}"
        tangents = dce(Program(both.inputs, both.equations, outputs, both.captured, name))
        program.cache[key] = tangents, given
    found: tuple[Program, Flags] = program.cache[key]
    return found


def is_straight(program: Program, moving: Flags) -> bool:
    """Whether the derivative is the same all around the point: `program` is linear, or has kinks only.

    Then every order of a Taylor series goes through the derivative as it is, and no second derivative
    is worth computing. It holds of linear operations, and of selecting, sorting and gathering.
    """
    tangents, given = tangent_program(program, moving)
    if not any(given):
        return True
    fixed = (False,) * (len(tangents.inputs) - len(moving))
    return not any(jvp_program(tangents, moving + fixed)[1])
