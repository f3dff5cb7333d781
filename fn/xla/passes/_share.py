"""Calls that stay calls: which shared Programs XLA's CPU compiler is told not to inline.

Sharing is a fact of the Program: a nested `jit` called twice, a repeated layer, a block the outliner found
are `call` equations that refer to one Program, emitted as one function. Left to itself XLA inlines all of
them. Kept apart, each is compiled on its own, so that nothing grows faster than the number of calls, and
fusion ends at its border.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fn.control import call_p
from fn.core import Equation, Program
from fn.xla.passes._outline_cost import program_work
from fn.xla.passes._outline_report import Shared, noted
from fn.xla.passes._walk import recursive, with_equations

# A call that is kept apart costs some microseconds and whatever fusion would have saved at its border.
_LEAST_WORK_NS = 20_000.0
_LEAST_EQUATIONS = 16
SITES = 4
"""From how many calls on. XLA's CPU compiler copies a function for each call in any case: keeping two or
three apart saves nothing. At twelve it halves the memory of a step, and keeps compile time linear."""


def _lower(emit: Any, *args: Any, program: Program) -> Any:
    return emit.call(program, *args, inline=emit.platform != "cpu")


# Without a prune rule: calls that give the same stay calls of the same, whoever takes what.
call_apart_p = replace(call_p, name="call_apart", lower=_lower, prune=None)
"""`call`, kept out of line where XLA compiles for the CPU."""


@recursive
def share(program: Program) -> Program:
    """`program` with calls of large Programs, several of the same, kept apart."""
    sites: dict[Program, list[int]] = {}
    for index, equation in enumerate(program.equations):
        if equation.primitive is call_p:
            sites.setdefault(equation.params["program"], []).append(index)
    kept = {p: found for p, found in sites.items() if len(found) >= SITES and worth(p)}
    if not kept:
        return program
    chosen = {i for found in kept.values() for i in found}
    equations = [apart(e) if i in chosen else e for i, e in enumerate(program.equations)]
    found = [Shared(p.name, len(at), len(p.equations)) for p, at in kept.items()]
    return noted(with_equations(program, equations), *found)


def apart(equation: Equation) -> Equation:
    """A `call` equation, kept apart."""
    return Equation(
        call_apart_p, equation.inputs, equation.outputs, equation.params, equation.source
    )


def worth(program: Program) -> bool:
    """Whether a call of `program` does so much that keeping it apart costs next to nothing."""
    return len(program.equations) >= _LEAST_EQUATIONS and program_work(program) >= _LEAST_WORK_NS
