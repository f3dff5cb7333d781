"""Order among effects: a value handed from one to the next, so that none can run before its turn.

XLA runs what does not depend on each other in any order. On the way to it, each ordered callback is
given a number that comes from the one before, through calls, branches and the rounds of loops.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.control._callback import ordered_callback_p
from fn.control._derive import derived
from fn.control._extend import COUNT, Frame, How, extend
from fn.core import Equation, Program, bind, evaluate


class _InOrder(How):
    effects = frozenset({"ordered"})
    states = (COUNT,)

    def leaf(self, frame: Frame, equation: Equation, args: list[Any]) -> Sequence[Any]:
        if equation.primitive is ordered_callback_p:  # it has its place
            outs: Sequence[Any] = bind(ordered_callback_p, *args, **equation.params)
            return outs
        host, results = equation.params["host"], equation.params.get("results", ())
        outs = bind(ordered_callback_p, *frame.state, *args, host=host, results=results)
        frame.state = [outs[0]]
        return outs[1:]


def in_order(program: Program) -> Program:
    """`program`, closed, with its ordered callbacks tied to each other. To be compiled, not transformed."""
    if "ordered" not in program.effects:
        return program
    count = len(program.outputs)
    inner = extend(program.closed(), _InOrder()).program

    def run(*args: Any) -> list[Any]:
        return evaluate(inner, [*args, np.int32(0)])[:count]

    return derived(program, ("in_order",), run, program.in_types, program.name)
