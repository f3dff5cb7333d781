"""Linearization: one walk gives a primal Program that returns residuals, and a linear Program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from fn.core import (
    Atom,
    Equation,
    Program,
    Trace,
    Variable,
    checked,
    dce,
    recording,
)
from fn.transforms._jvp import push_forward


class Linearized(NamedTuple):
    """A function split at a point into what is known there and what is linear in the tangents."""

    primal: Program
    """Inputs to outputs, then the residuals that are computed."""
    linear: Program
    """Residuals, then the tangents there are, to the output tangents there are."""
    forwarded: tuple[int, ...]
    """The inputs that are residuals themselves; they come before the computed ones."""
    residuals: int
    """How many residuals there are."""
    out_nonzero: tuple[bool, ...]
    """Per output, whether it has a tangent."""

    def split(self, args: Sequence[Any], results: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The outputs and the residuals, from the arguments and results of the primal Program."""
        count = len(self.out_nonzero)
        return list(results[:count]), [*(args[i] for i in self.forwarded), *results[count:]]


def linearize_program(program: Program, nonzero: tuple[bool, ...]) -> Linearized:
    """Split `program` with tangents for the inputs where `nonzero`; remembered on the Program."""
    key = ("linearize", nonzero)
    if key not in program.cache:
        program.cache[key] = _linearize(program, nonzero)
    found: Linearized = program.cache[key]
    return found


def _linearize(program: Program, nonzero: tuple[bool, ...]) -> Linearized:
    trace = Trace(f"linearize({program.name})")
    with recording(trace):
        primals = [trace.input(t) for t in program.in_types]
        tangents = [
            trace.input(t.strong()) if n else None
            for t, n in zip(program.in_types, nonzero, strict=True)
        ]
        outs, moved = push_forward(trace, program, primals, tangents, split=True)
        out_atoms = tuple([trace.atom(o) for o in outs])
        moved_atoms = tuple([trace.atom(t) for t in moved if t is not None])
        linear_inputs = [trace.atom(t) for t in tangents if t is not None]

    # What depends on a tangent is the linear part; everything else is known at the point.
    linear_variables: set[Atom] = set(linear_inputs)
    known: list[Equation] = []
    linear: list[Equation] = []
    for equation in trace.equations:
        if any(a in linear_variables for a in equation.inputs):
            linear.append(equation)
            linear_variables.update(equation.outputs)
        else:
            known.append(equation)
    body = dce(Program((), tuple(linear), moved_atoms))
    needed: dict[Variable, None] = {}
    for atom in [a for e in body.equations for a in e.inputs] + list(moved_atoms):
        if isinstance(atom, Variable) and atom not in linear_variables:
            needed[atom] = None
    inputs = tuple(trace.inputs[: len(program.inputs)])
    forwarded = tuple([i for i, v in enumerate(inputs) if v in needed])
    computed = tuple([v for v in needed if v not in set(inputs)])
    residuals = (*(inputs[i] for i in forwarded), *computed)
    tangent_inputs = tuple([v for v in trace.inputs if v in linear_variables])
    # A rule may have used arrays of its own; they are captured inputs of the primal Program.
    hidden, values = trace.captured()
    primal_program = dce(
        Program(inputs + hidden, tuple(known), out_atoms + computed, values, program.name)
    )
    linear_program = Program(
        residuals + tangent_inputs, body.equations, moved_atoms, (), f"linear_{program.name}"
    )
    return Linearized(
        checked(primal_program), checked(linear_program), forwarded, len(residuals),
        tuple([t is not None for t in moved]),
    )  # fmt: skip
