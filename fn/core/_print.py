"""The stable text form of Programs. Sub-programs are printed once, before the program that uses them.

    program @square(a: f32[3]) {
      b: f32[3] = mul a a
      return b
    }
    program @main(a: f32[3]; b: f32[3]) {
      c: f32[3] = call[program=@square] a
      d: f32[3] = add c b
      return d 1.0:~f32[]
    }

Inputs after the semicolon are captured arrays, which have no text form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import numpy as np

from fn.core._program import Atom, Literal, Program, Variable
from fn.core._types import DTYPES, ArrayType, dtype_name

_NUMBERS = ("inf", "nan")


def variable_names() -> Iterator[str]:
    """a, b, …, z, aa, ab, …, without the words that are numbers."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    count = 0
    while True:
        name, n = "", count
        while n >= 0:
            name = letters[n % 26] + name
            n = n // 26 - 1
        if name not in _NUMBERS:
            yield name
        count += 1


def program_names(program: Program) -> dict[int, str]:
    """A distinct printable name for `program` and each of its sub-programs, by identity, subs first."""
    order: dict[int, Program] = {}

    def visit(p: Program) -> None:
        if id(p) in order:
            return
        for sub in p.subprograms():
            visit(sub)
        order[id(p)] = p

    visit(program)
    names: dict[int, str] = {}
    taken: set[str] = set()
    for key, p in order.items():
        base = re.sub(r"\W", "_", p.name) or "program"
        base = base if not base[0].isdigit() else f"_{base}"
        name, count = base, 1
        while name in taken:
            name, count = f"{base}_{count}", count + 1
        taken.add(name)
        names[key] = name
    return names


def format_program(program: Program, own_only: bool = False) -> str:
    """The text of `program`; `own_only` leaves out its sub-programs."""
    names = program_names(program)
    if own_only:
        return _format_one(program, names)
    found: dict[int, Program] = {}

    def collect(p: Program) -> None:
        if id(p) not in found:
            for sub in p.subprograms():
                collect(sub)
            found[id(p)] = p

    collect(program)
    return "\n".join(_format_one(found[key], names) for key in names)


def _format_one(program: Program, names: dict[int, str]) -> str:
    fresh = variable_names()
    env: dict[Variable, str] = {}

    def define(variable: Variable) -> str:
        if isinstance(variable, Variable):
            env[variable] = next(fresh)
        return f"{env.get(variable, repr(variable))}: {variable.type}"

    def atom(a: Atom) -> str:
        return (
            format_literal(a) if isinstance(a, Literal) else env.get(a, f"?{getattr(a, 'type', a)}")
        )

    own = len(program.inputs) - len(program.captured)
    inputs = ", ".join(map(define, program.inputs[:own]))
    if program.captured:
        inputs += "; " + ", ".join(map(define, program.inputs[own:]))
    lines = [f"program @{names[id(program)]}({inputs}) {{"]
    for e in program.equations:
        operands = [atom(a) for a in e.inputs]
        outputs = ", ".join(map(define, e.outputs))
        params = ", ".join(f"{k}={format_param(v, names)}" for k, v in sorted(e.params.items()))
        head = f"{e.primitive.name}[{params}]" if params else e.primitive.name
        lines.append("  " + " ".join([f"{outputs} =" if outputs else "=", head, *operands]))
    lines.append(" ".join(["  return", *map(atom, program.outputs)]))
    lines.append("}")
    return "\n".join(lines)


def format_literal(literal: Literal) -> str:
    """`2.0:f32[]`; not-a-number keeps its bits: `nan(0x7fc00000):f32[]`."""
    return f"{_number(literal.value)}:{literal.type}"


def _number(value: Any) -> str:
    if value.dtype.kind == "c":
        return f"({_number(value.real)},{_number(value.imag)})"
    if value.dtype.kind == "b":
        return str(bool(value))
    if value.dtype.kind in "iu" or dtype_name(value.dtype) in ("i4", "u4"):
        return str(int(value))
    number = float(value)
    if math.isnan(number):
        return f"nan(0x{value.tobytes()[::-1].hex()})"
    # float32 and narrower: the shortest decimal that reads back as this value.
    return repr(number) if value.dtype.itemsize == 8 else _shortest(value)


def _shortest(value: Any) -> str:
    number = float(value)
    if math.isinf(number):
        return repr(number)
    text = np.format_float_scientific(np.float32(number), trim="0", exp_digits=1)
    plain = repr(float(text))
    return plain


def format_param(value: Any, names: dict[int, str]) -> str:
    """One parameter: numbers, strings, tuples, dtypes, types and Programs read back; others do not."""
    if isinstance(value, Program):
        return f"@{names[id(value)]}"
    if isinstance(value, tuple):
        inner = ", ".join(format_param(v, names) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, ArrayType):
        return str(value)
    if isinstance(value, np.dtype):
        name = dtype_name(value)
        return f"{name}" if name in DTYPES else repr(value.name)
    if isinstance(value, np.generic):
        return repr(value.item())
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    return f"<{getattr(value, '__qualname__', type(value).__name__)}>"


# A Program prints itself; the method lives here because printing needs Programs, not they it.
Program.__str__ = format_program  # type: ignore[method-assign, assignment]
