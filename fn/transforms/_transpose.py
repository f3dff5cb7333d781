"""Transposition: run a linear Program backwards, from cotangents of outputs to those of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.core import (
    Equation,
    FnError,
    Linear,
    Literal,
    Program,
    Trace,
    Variable,
    checked,
    dce,
    from_source,
    recording,
    through,
)
from fn.ops import add
from fn.transforms._jvp import check_derivative


def transpose_program(
    program: Program, linear: tuple[bool, ...], nonzero: tuple[bool, ...]
) -> tuple[Program, tuple[bool, ...]]:
    """The transpose of `program` with respect to some of its inputs.

    Args:
        program: linear in the inputs where `linear`.
        linear: per input, whether to transpose with respect to it.
        nonzero: per output, whether it has a cotangent.

    Returns:
        A Program from the inputs that are not linear and the cotangents there are, to the
        cotangents of the linear inputs that are not zero; and per linear input whether it has one.
    """
    key = ("transpose", linear, nonzero)
    if key not in program.cache:
        trace = Trace(f"transpose({program.name})")
        with recording(trace):
            args = [
                Linear(t) if is_linear else trace.input(t)
                for t, is_linear in zip(program.in_types, linear, strict=True)
            ]
            cts = [
                trace.input(t.strong()) if n else None
                for t, n in zip(program.out_types, nonzero, strict=True)
            ]
            results = pull_back(trace, program, args, cts)
            wanted = [c for c, is_linear in zip(results, linear, strict=True) if is_linear]
            given = [c for c in wanted if c is not None]
            result = checked(dce(trace.finish(given, f"transpose_{program.name}")))
        program.cache[key] = result, tuple([c is not None for c in wanted])
    found: tuple[Program, tuple[bool, ...]] = program.cache[key]
    return found


def pull_back(trace: Trace, program: Program, args: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
    """Record the transpose of `program` into the running `trace`.

    Args:
        args: per input, a value or `Linear(type)`.
        cts: per output, a cotangent or None for zero.

    Returns:
        Per input, its cotangent; None for zero and for inputs that are not linear.
    """
    known: dict[Variable, Any] = {}
    linear: set[Variable] = set()
    for variable, arg in zip(program.inputs, args, strict=True):
        if isinstance(arg, Linear):
            linear.add(variable)
        else:
            known[variable] = arg
    todo: list[Equation] = []
    for equation in program.equations:
        if any(type(a) is Variable and a in linear for a in equation.inputs):
            todo.append(equation)
            linear.update(equation.outputs)
        else:
            atoms = [a if type(a) is Literal else trace.atom(known[a]) for a in equation.inputs]  # type: ignore[index]
            known.update(zip(equation.outputs, trace.append(equation, tuple(atoms)), strict=True))

    total: dict[Variable, Any] = {}

    def accumulate(atom: Any, ct: Any) -> None:
        if type(atom) is Variable and atom in linear and ct is not None:
            total[atom] = add(total[atom], ct) if atom in total else ct

    for atom, ct in zip(program.outputs, cts, strict=True):
        accumulate(atom, ct)
    for equation in reversed(todo):
        out_cts = [total.pop(v, None) for v in equation.outputs]
        primitive = equation.primitive
        if all(c is None for c in out_cts):
            if not out_cts and primitive.effect is not None:
                primitive.rule("transpose")  # raises: dropping it would go unnoticed
            continue
        values = [_argument(primitive.name, a, known, linear) for a in equation.inputs]
        rule = primitive.rule("transpose")
        with from_source(through(equation.source, "transpose")):
            ct = tuple(out_cts) if primitive.multiple else out_cts[0]
            results = rule(ct, *values, **equation.params)
            if len(results) != len(values):
                raise FnError(
                    f"{primitive.name}: its transpose rule gave {len(results)} cotangents",
                    expected=f"one per argument, {len(values)}",
                    got=str(len(results)),
                )
            for atom, result in zip(equation.inputs, results, strict=True):
                if result is not None:
                    check_derivative(primitive.name, "transpose", "cotangent", atom.type, result)
                accumulate(atom, result)
    return [total.get(v) if v in linear else None for v in program.inputs]


def _argument(name: str, atom: Any, known: dict[Variable, Any], linear: set[Variable]) -> Any:
    if type(atom) is Literal:
        return atom.operand
    return Linear(atom.type, name) if atom in linear else known[atom]
