"""What an equation that carries Programs runs, told by its own lowering rule.

A primitive such as `call`, `remat` or `reversible` lowers to calls of Programs, derived ones perhaps.
Run on a stand-in for the emitter that only notes these calls, the rule gives a Program made of calls.
Loops and branches have regions of their own, which are known by name here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.control import call_p
from fn.core import Equation, Program, Variable, from_source

LOOPS = ("scan", "while_loop")
BRANCHES = "switch"
_BARRIER = "stablehlo.optimization_barrier"


class _NotCalls(Exception):
    """The rule writes something else than calls."""


class _Note:
    """Stands for the emitter in a lowering rule: writes `call` equations."""

    platform = "gpu"

    def __init__(self, equation: Equation) -> None:
        self.types = tuple([v.type for v in equation.outputs])
        self.equations: list[Equation] = []
        self._source = equation.source

    @property
    def type(self) -> Any:
        return self.types[0]

    def call(self, program: Program, *operands: Variable, **_: Any) -> tuple[Variable, ...]:
        outputs = tuple([Variable(t) for t in program.out_types])
        self.equations.append(
            Equation(call_p, operands, outputs, {"program": program}, self._source)
        )
        return outputs

    def op(self, name: str, *operands: Variable, **_: Any) -> tuple[Variable, ...]:
        if name != _BARRIER:
            raise _NotCalls
        return operands

    def __getattr__(self, name: str) -> Any:
        raise _NotCalls


def expansion(equation: Equation) -> Program | None:
    """A Program of calls that does what `equation` does, without a name; or None if its rule writes operations."""
    primitive = equation.primitive
    if primitive.name in (*LOOPS, BRANCHES) or not callable(primitive.lower):
        return None
    inputs = tuple([Variable(a.type) for a in equation.inputs])
    note = _Note(equation)
    try:
        with from_source(
            equation.source
        ):  # what it derives now comes from that line, not from ours
            found = primitive.lower(note, *inputs, **equation.params)
    except Exception:  # it asks for more than calls: it writes operations
        return None
    outputs = tuple(found) if primitive.multiple else (found,)
    if not note.equations or not all(isinstance(v, Variable) for v in outputs):
        return None
    return Program(inputs, tuple(note.equations), outputs, (), "")


def carries_programs(equation: Equation) -> bool:
    """Whether a parameter of `equation` is a Program, or a tuple with one."""
    return any(
        isinstance(v, Program) or (isinstance(v, tuple) and any(isinstance(p, Program) for p in v))
        for v in equation.params.values()
    )


def loop_parts(equation: Equation, inputs: Sequence[Any]) -> tuple[list[Any], ...]:
    """The operands of a loop: for `scan`, constants, carry, xs; for `while_loop`, those of both, carry."""
    p = equation.params
    names = (
        ("consts", "carry") if equation.primitive.name == "scan" else ("cond_consts", "body_consts")
    )
    first, second = p[names[0]], p[names[1]]
    values = list(inputs)
    return values[:first], values[first : first + second], values[first + second :]
