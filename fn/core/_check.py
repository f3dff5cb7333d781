"""The law of Programs: scoping, arity and types. The checker reprints the program around a fault."""

from __future__ import annotations

import os
from typing import Any

from fn.core._errors import FnError, ProgramError
from fn.core._infer import infer
from fn.core._print import format_program
from fn.core._program import Literal, Program, Variable
from fn.core._trace import from_source
from fn.core._types import type_of

_AROUND = 5


def check(program: Program) -> Program:
    """Verify that `program` keeps the law, and return it.

    Every variable is defined once, before its use; every equation has hashable parameters and the
    output types its primitive's type rule gives; sub-programs keep the law and capture nothing;
    captured arrays have the types of their inputs.

    Raises:
        ProgramError: with the program printed around the fault.

    >>> import fn
    >>> program = fn.trace(lambda x: 2 * x)(1.0)
    >>> fn.check_program(program) is program
    True
    """
    if program.cache.get("checked"):
        return program
    defined: set[Variable] = set()

    def fault(message: str, index: int | None = None) -> ProgramError:
        return ProgramError(f"program {program.name!r}: {message}\n{_excerpt(program, index)}")

    def define(variable: Variable, index: int | None) -> None:
        if not isinstance(variable, Variable):
            raise fault(f"{variable!r} is defined, but only a Variable can be", index)
        if variable in defined:
            raise fault(f"a variable of type {variable.type} is defined twice", index)
        defined.add(variable)

    def use(atom: Any, index: int | None) -> None:
        if isinstance(atom, Variable):
            if atom not in defined:
                raise fault(f"a variable of type {atom.type} is used before it is defined", index)
        elif not isinstance(atom, Literal):
            raise fault(f"{type(atom).__name__} is neither a Variable nor a Literal", index)

    for variable in program.inputs:
        define(variable, None)
    if len(program.captured) > len(program.inputs):
        raise fault("more captured arrays than inputs")
    for variable, value in zip(reversed(program.inputs), reversed(program.captured), strict=False):
        if type_of(value) is not variable.type:
            raise fault(f"a captured input of type {variable.type} holds {type_of(value)}")
    for index, equation in enumerate(program.equations):
        name = equation.primitive.name
        for atom in equation.inputs:
            use(atom, index)
        try:
            with from_source(equation.source):
                types = infer(
                    equation.primitive,
                    tuple([a.type for a in equation.inputs]),
                    dict(equation.params),
                )
        except FnError as error:
            raise fault(f"{name} does not take its inputs: {error}", index) from error
        if len(types) != len(equation.outputs):
            raise fault(
                f"{name} has {len(equation.outputs)} outputs, its type rule {len(types)}", index
            )
        for output, expected in zip(equation.outputs, types, strict=True):
            if output.type is not expected:
                raise fault(f"{name} gives {expected}, but its output says {output.type}", index)
            define(output, index)
        for sub in equation.params.values():
            if isinstance(sub, Program) and sub.captured:
                raise fault(f"the sub-program {sub.name!r} of {name} has captured arrays", index)
    for atom in program.outputs:
        use(atom, len(program.equations))
    for sub in program.subprograms():
        check(sub)
    program.cache["checked"] = True
    return program


def checked(program: Program) -> Program:
    """`check(program)` where checking is switched on by `FN_CHECK=1`, else `program` as it is."""
    return check(program) if _checking() else program


def _checking() -> bool:
    return os.environ.get("FN_CHECK") == "1"


def _excerpt(program: Program, index: int | None) -> str:
    lines = format_program(program, own_only=True).splitlines()
    if index is None:
        return "\n".join(f"    {line}" for line in lines[: _AROUND * 2])
    at = index + 1
    first, last = max(0, at - _AROUND), at + _AROUND + 1
    return "\n".join(
        f"{'--> ' if i == at else '    '}{line}"
        for i, line in enumerate(lines)
        if first <= i < last
    )
