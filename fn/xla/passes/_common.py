"""Common subexpressions: what is computed twice from the same is computed once."""

from __future__ import annotations

from typing import Any

from fn.core import Equation, Primitive, Program
from fn.xla.passes._walk import Builder, pure, recursive

# What stands behind a barrier is there to be computed again.
_APART = frozenset({"optimization_barrier", "remat"})


@recursive
def common(program: Program) -> Program:
    """`program` with each value computed once; the first equation that does it, and its line, stay.

    Equal are: primitive, parameters and inputs. Effects are not, and neither is what is deliberately
    computed again behind an `optimization_barrier`.
    """
    known: dict[Any, Equation] = {}
    orders: dict[Primitive, tuple[str, ...]] = {}
    builder = Builder()
    for equation in program.equations:
        kept = builder.keep(equation)
        primitive, params = kept.primitive, kept.params
        key: tuple[Any, ...]
        if params:
            order = orders.setdefault(primitive, tuple(params))
            key = (primitive, kept.inputs, *[_exact(params.get(name)) for name in order])
        else:
            key = (primitive, kept.inputs)
        first = known.setdefault(key, kept)
        if first is kept:
            continue
        if primitive.name in _APART or not pure(kept):
            continue
        builder.equations.pop()
        builder.instead.update(zip(kept.outputs, first.outputs, strict=True))
    return builder.program(program) if builder.instead else program


def _exact(value: Any) -> Any:
    """A parameter to compare by: 0.0 and -0.0 are different."""
    return repr(value) if value.__class__ is float else value
