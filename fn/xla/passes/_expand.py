"""Equations that stand for a Program become calls of it, so that passes see what will run.

The derivative of a bounded loop, a switch by lanes, a linear solve: what they lower to is a call of a
Program that they derive from those they carry.
"""

from __future__ import annotations

from typing import Any

from fn.core import Equation, Program
from fn.xla.passes._walk import DEFERRED, Builder, with_subprograms


def expand(program: Program) -> Program:
    """`program` with calls in place of equations that stand for one, also inside."""
    found: Program | None = program.cache.get("expand")
    if found is None:
        found = program.cache["expand"] = with_subprograms(_expanded(program), expand)
    return found


def _expanded(program: Program) -> Program:
    if not any(e.primitive.name in DEFERRED for e in program.equations):
        return program
    builder = Builder()
    for equation in program.equations:
        equation = builder.keep(equation)
        called = _called(equation) if equation.primitive.name in DEFERRED else None
        if called is not None:
            builder.equations.pop()
            closed = {"program": called.program}
            found = builder.add_all("call", called.args, closed, equation.source)
            builder.replace(equation.outputs, found)
    return builder.program(program)


class _Listener:
    """Takes the place of the emitter, and remembers what it is asked to call."""

    platform = "cpu"

    def __init__(self, equation: Equation) -> None:
        self.types = tuple([v.type for v in equation.outputs])
        self.program: Program | None = None
        self.args: tuple[Any, ...] = ()

    def call(self, program: Program, *args: Any, inline: bool = True) -> Any:
        """Note the call; what it returns tells that nothing is done with its results."""
        self.program, self.args = program, args
        return self


def _called(equation: Equation) -> _Listener | None:
    """The call that `equation` lowers to, if it is nothing but a call."""
    listener = _Listener(equation)
    result = equation.primitive.rule("lower")(listener, *equation.inputs, **equation.params)
    fits = result is listener and listener.program is not None and not listener.program.captured
    return listener if fits else None
