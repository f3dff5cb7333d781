"""Evaluating a Program: run its equations through `bind`, so that evaluation can itself be traced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fn.core._program import Literal, Program, Variable
from fn.core._trace import Tracer, bind, check_open, context, from_source

Repeater = Callable[[Program, list[Any]], "list[Any] | None"]


def _never(program: Program, values: list[Any]) -> list[Any] | None:
    return None


# Filled together with the slot for eager evaluation, wired in `fn/__init__.py`.
_repeater: Repeater = _never


def set_repeater(repeater: Repeater) -> None:
    """Fill the slot that runs a Program seen before as one executable, or returns None."""
    global _repeater
    _repeater = repeater


def execute(program: Program, args: Sequence[Any]) -> list[Any]:
    """`evaluate`, in one go where the Program has been seen before and is worth compiling.

    Transforms evaluate through this: a gradient in a loop is the most common research pattern.
    """
    if context.trace is None:
        values = [*args, *program.captured]
        for value in values:
            if type(value) is Tracer:
                check_open(value, program.name)
        results = _repeater(program, values)
        if results is not None:
            return results
    return evaluate(program, args)


def evaluate(program: Program, args: Sequence[Any]) -> list[Any]:
    """Outputs of `program` on `args`, one value per input that is not captured.

    Args:
        program: any Program; its captured arrays are supplied by itself.
        args: arrays or tracers, in the order of `program.inputs`.

    Returns:
        One value per output. Under a trace the equations are recorded, otherwise evaluated.

    >>> import fn
    >>> program = fn.trace(lambda x, y: x * y)(1.0, 1.0)
    >>> [float(out) for out in fn.evaluate(program, [2.0, 3.0])]
    [6.0]
    """
    values = [*args, *program.captured]
    trace = context.trace
    if trace is not None:
        return trace.splice(program, values)
    for value in values:
        if type(value) is Tracer:
            check_open(value, program.name)
    env: dict[Variable, Any] = dict(zip(program.inputs, values, strict=True))
    last = _last_uses(program)
    pure = not program.effects
    for index, equation in enumerate(program.equations):
        inputs = [a.operand if isinstance(a, Literal) else env[a] for a in equation.inputs]
        if pure or not equation.effects:
            result = bind(equation.primitive, *inputs, **equation.params)
        else:  # it may have something to say, and says where
            with from_source(equation.source):
                result = bind(equation.primitive, *inputs, **equation.params)
        env.update(
            zip(equation.outputs, result if equation.primitive.multiple else (result,), strict=True)
        )
        for variable in last.get(index, ()):
            env.pop(variable, None)
    return [_array(a.operand if isinstance(a, Literal) else env[a]) for a in program.outputs]


def _array(value: Any) -> Any:
    """A result that is a literal or an input as it came: still an array, and not one others may change."""
    if isinstance(value, jax.Array):
        return value
    return jax.device_put(value.copy() if isinstance(value, np.ndarray) else value)


def _last_uses(program: Program) -> dict[int, list[Variable]]:
    """Which variables each equation is the last to need, so that memory is freed as we go."""
    found: dict[int, list[Variable]] | None = program.cache.get("last_uses")
    if found is None:
        found, seen = {}, {a for a in program.outputs if isinstance(a, Variable)}
        for index in range(len(program.equations) - 1, -1, -1):
            equation = program.equations[index]
            for atom in (*equation.inputs, *equation.outputs):
                if isinstance(atom, Variable) and atom not in seen:
                    seen.add(atom)
                    found.setdefault(index, []).append(atom)
        program.cache["last_uses"] = found
    return found
