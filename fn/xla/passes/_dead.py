"""Dead code: what no output needs, also inside the Programs that equations run."""

from __future__ import annotations

from fn.core import Program, dce
from fn.xla.passes._walk import recursive


@recursive
def dead(program: Program) -> Program:
    """`program` without equations its outputs do not need.

    Inputs and outputs stay as they are, here and in sub-programs; what a sub-program computes for
    nobody goes by the prune rule of the equation that carries it.
    """
    return dce(program)
