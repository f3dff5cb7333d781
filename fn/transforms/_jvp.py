"""Forward mode on Programs: apply each equation's jvp rule, with zeros kept symbolic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.core import (
    ArrayType,
    Equation,
    FnError,
    Literal,
    Program,
    Property,
    Trace,
    Tracer,
    Variable,
    checked,
    dce,
    from_source,
    is_inexact,
    recording,
    through,
    type_of,
)
from fn.ops import add

Tangents = list[Any]
"""One entry per value; None is zero."""


def jvp_program(program: Program, nonzero: tuple[bool, ...]) -> tuple[Program, tuple[bool, ...]]:
    """The Program that maps inputs and tangents to outputs and their tangents.

    Args:
        program: the function; captured inputs count as ordinary ones.
        nonzero: per input, whether it has a tangent.

    Returns:
        A Program from inputs and the tangents there are to outputs and the tangents there are, and
        per output whether it has one.
    """
    key = ("jvp", nonzero)
    if key not in program.cache:
        trace = Trace(f"jvp({program.name})")
        with recording(trace):
            primals = [trace.input(t) for t in program.in_types]
            tangents = [
                trace.input(t.strong()) if n else None
                for t, n in zip(program.in_types, nonzero, strict=True)
            ]
            outs, out_tangents = push_forward(trace, program, primals, tangents)
            given = [t for t in out_tangents if t is not None]
            result = checked(dce(trace.finish([*outs, *given], f"jvp_{program.name}")))
        program.cache[key] = result, tuple([t is not None for t in out_tangents])
    found: tuple[Program, tuple[bool, ...]] = program.cache[key]
    return found


def push_forward(
    trace: Trace,
    program: Program,
    primals: Sequence[Any],
    tangents: Sequence[Any],
    split: bool = False,
) -> tuple[list[Any], Tangents]:
    """Record `program` and its derivative into the running `trace`.

    With `split`, primitives that carry Programs use their `linearize` rule, which keeps what depends
    on tangents in equations of its own.
    """
    primal: dict[Variable, Tracer] = {}
    tangent: dict[Variable, Any] = {}
    for variable, p, t in zip(program.inputs, primals, tangents, strict=True):
        primal[variable] = p
        if t is not None:
            tangent[variable] = t
    for equation in program.equations:
        inputs = equation.inputs
        given = [tangent.get(a) if type(a) is Variable else None for a in inputs]
        if given.count(None) == len(given) or equation.primitive.jvp is Property.CONSTANT:
            outs: Sequence[Any] = _copy(trace, equation, primal)
            primal.update(zip(equation.outputs, outs, strict=True))
            continue
        with from_source(through(equation.source, "jvp")):
            outs, moved = _differentiate(trace, equation, primal, given, split)
        for variable, out, t in zip(equation.outputs, outs, moved, strict=True):
            primal[variable] = out
            if t is not None and is_inexact(variable.type.dtype):
                check_derivative(equation.primitive.name, "jvp", "tangent", variable.type, t)
                tangent[variable] = t
    outs = [primal[a] if type(a) is Variable else Tracer(trace, a) for a in program.outputs]
    return list(outs), [tangent.get(a) if type(a) is Variable else None for a in program.outputs]


def _copy(trace: Trace, equation: Equation, primal: dict[Variable, Tracer]) -> list[Tracer]:
    return trace.append(
        equation,
        tuple([a if type(a) is Literal else primal[a]._atom for a in equation.inputs]),  # type: ignore[index]
    )


def _differentiate(
    trace: Trace, equation: Equation, primal: dict[Variable, Tracer], given: Tangents, split: bool
) -> tuple[Sequence[Any], Tangents]:
    primitive, params = equation.primitive, equation.params
    args = [a.operand if type(a) is Literal else primal[a] for a in equation.inputs]  # type: ignore[index]
    if split and primitive.linearize is not None:
        nonzero = tuple([t is not None for t in given])
        outs, out_nonzero, linear_map = primitive.linearize(args, nonzero, **params)
        results = iter(linear_map([t for t in given if t is not None]))
        return outs, [next(results) if n else None for n in out_nonzero]
    rule = primitive.rule("jvp")
    if rule is Property.LINEAR:
        outs = _copy(trace, equation, primal)
        return outs, [trace.bind(primitive, (given[0],), dict(params))]
    if isinstance(rule, tuple):
        (out,) = outs = _copy(trace, equation, primal)
        total = None
        if len(rule) != len(given):
            raise FnError(
                f"{primitive.name}: its jvp has {len(rule)} rules for {len(given)} arguments"
            )
        for part, t in zip(rule, given, strict=True):
            if part is not None and t is not None:
                piece = part(t, out, *args, **params)
                total = piece if total is None else add(total, piece)
        return outs, [total]
    outs, moved = rule(args, given, **params)
    return (outs, moved) if primitive.multiple else ((outs,), [moved])


def check_derivative(name: str, rule: str, what: str, expected: ArrayType, value: Any) -> None:
    """Raise unless what a rule gave has the shape and dtype of the value it belongs to."""
    got = type_of(value)
    if got is None or got.shape != expected.shape or got.dtype != expected.dtype:
        raise FnError(
            f"{name}: its {rule} rule gave a {what} of the wrong type",
            expected=str(expected.strong()),
            got=str(got or type(value).__name__),
            fix=f"a {what} has the shape and dtype of the value it belongs to",
        )
