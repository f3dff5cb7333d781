"""Algebraic simplification: equations replaced by simpler ones that give the same bits.

Rules are in `_shapes.py`, `_numbers.py` and `_constants.py`. None of them may change a result, not even
the sign of a zero: `x + 0.0` stays, as -0.0 + 0.0 is 0.0. The exceptions: bits inside a NaN, and the
order in which a matrix product adds up, which is XLA's own choice, when transposed operands are folded
into it.
"""

from __future__ import annotations

from typing import Any

from fn.core import Atom, Equation, Program, dce, elementwise
from fn.xla.passes._constants import folded
from fn.xla.passes._numbers import RULES as _NUMBERS
from fn.xla.passes._numbers import narrow
from fn.xla.passes._rules import Scope
from fn.xla.passes._shapes import RULES as _SHAPES
from fn.xla.passes._walk import recursive

_RULES = {**_SHAPES, **_NUMBERS}
# Each round of rules makes an equation simpler; the bound is there for rules that would not.
_ROUNDS = 16


@recursive
def simplify(program: Program) -> Program:
    """`program` with simpler equations, and without those nothing needs any more."""
    scope = Scope()
    changed = False
    for equation in program.equations:
        current = scope.read(equation)
        result = _simplest(scope, current)
        if isinstance(result, Equation):
            scope.write(result)
            changed = changed or result is not current
        else:
            scope.instead[equation.outputs[0]] = result
            changed = True
    return dce(scope.program(program)) if changed else program


def _simplest(scope: Scope, equation: Equation) -> Equation | Atom:
    for _ in range(_ROUNDS):
        found = _simpler(scope, equation)
        if found is None:
            return equation
        if not isinstance(found, Equation):
            return found
        equation = found
    return equation


def _simpler(scope: Scope, equation: Equation) -> Equation | Atom | None:
    """One step: an equation with the same outputs, what the output is already, or None."""
    primitive = equation.primitive
    found: Any = None
    if primitive.batch is elementwise:
        if len(equation.inputs) > 1:
            found = narrow(scope, equation)
        if found is None and not equation.outputs[0].type.shape:
            found = folded(equation)
        if found is not None:
            return found  # type: ignore[no-any-return]  # one of the rules' results
    rule = _RULES.get(primitive.name)
    return None if rule is None else rule(scope, equation)
