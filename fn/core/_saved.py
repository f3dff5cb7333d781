"""Programs in files: a header that names the format's version, then the text that prints them.

    fn program 1
    program @main(a: f32[3]) {
      b: f32[3] = mul a a
      return b
    }

A file holds no arrays: what a Program captured is passed again when it is loaded. Loading runs no code
and imports nothing, and takes time and memory in proportion to the file, whatever is in it; see
`fn.core._limits` for what a file may hold at most.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.core import _limits as limits
from fn.core._errors import ArgumentError, ProgramFormatError
from fn.core._parse import Reader, read
from fn.core._print import format_program
from fn.core._program import Equation, Program
from fn.core._source import public
from fn.core._types import DTYPES, ArrayType

HEADER = "fn program 1"
_SCALARS = (bool, int, float, str, type(None), np.bool_, np.integer, np.floating)


@public
def dumps(program: Program) -> str:
    """The text that `save` writes.

    Args:
        program: any Program whose parameters have a text form; see `save`.

    Returns:
        A line `fn program 1`, then `str(program)`, then a newline.

    Raises:
        ArgumentError: for a parameter without a text form, such as the rules of `fn.custom`.

    >>> import fn
    >>> print(fn.trace(lambda x: x * x)(1.0).dumps(), end="")
    fn program 1
    program @_lambda_(a: ~f32[]) {
      b: ~f32[] = mul a a
      return b
    }
    """
    _check_text_form(program)
    text = f"{HEADER}\n{format_program(program)}\n"
    if _read(text, program.captured) != program:
        raise ArgumentError(
            f"Program.save: the text of {program.name!r} does not read back as the same Program",
            fix="save only Programs of primitives whose parameters print and parse",
        )
    return text


@public
def save(program: Program, path: str | os.PathLike[str]) -> None:
    """Write a Program to a file, whole or not at all.

    Arrays that the Program captured are not written, only their types: keep them beside it (with
    `numpy.savez(path, *program.captured)`, for example) and pass them to `load`.

    Args:
        program: any Program whose parameters have a text form. Those of `fn.custom` (Python rules) and
            of a rematerialisation policy that is a function do not.
        path: of the file; one that is there is replaced.

    Raises:
        ArgumentError: for a parameter without a text form, naming its line.
        OSError: if the file cannot be written; then nothing is.

    >>> import fn, tempfile, os
    >>> path = os.path.join(tempfile.mkdtemp(), "square.fn")
    >>> fn.trace(lambda x: x * x)(1.0).save(path)
    >>> fn.Program.load(path)
    <Program _lambda_: (~f32[]) -> (~f32[]), 1 equations>
    """
    data = dumps(program).encode()
    target = os.path.realpath(path)
    draft = f"{target}.{secrets.token_hex(6)}.part"
    try:
        with open(draft, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise


@public
def load(path: str | os.PathLike[str], captured: Sequence[Any] = ()) -> Program:
    """Read a Program that `save` wrote.

    Nothing in the file is run and nothing is imported for it: a primitive must have been defined
    before. Any file is read or refused in time and memory in proportion to its length.

    Args:
        path: of a regular file of at most 32 MiB.
        captured: arrays for the captured inputs, in order, of exactly their types.

    Returns:
        A Program equal to the saved one, without the lines it came from.

    Raises:
        ProgramFormatError: if the file is not exactly what `save` writes, with the line.
        OSError: if there is no such file, or it cannot be read.
    """
    with open(path, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _refused("not a regular file", expected="a file that Program.save wrote")
        data = file.read(limits.CHARACTERS + 1)
    if len(data) > limits.CHARACTERS:
        raise _refused("the file is too long", expected=f"at most {limits.CHARACTERS:,} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refused("not a text", line, expected="UTF-8") from None
    return _read(text, captured)


@public
def loads(text: str, captured: Sequence[Any] = ()) -> Program:
    """Read a Program from what `dumps` gave.

    Args:
        text: with its header.
        captured: arrays for the captured inputs, in order.

    Raises:
        ProgramFormatError: if the text is not exactly what `dumps` gives, with the line.

    >>> import fn
    >>> square = fn.trace(lambda x: x * x)(1.0)
    >>> fn.Program.loads(square.dumps()) == square
    True
    """
    return _read(text, captured)


def _read(text: str, captured: Sequence[Any]) -> Program:
    header, newline, _ = text[: len(HEADER) + 40].partition("\n")
    if header.rstrip("\r") != HEADER or not newline:
        newer = header.rstrip("0123456789\r") == HEADER.rstrip("1")
        what = "another version of the format" if newer else "the header is not that of a Program"
        raise _refused(what, 1, expected=repr(HEADER), got=repr(header[:40]))
    return read(
        Reader(text[len(header) + 1 :], "Program.load", ProgramFormatError, lines_before=1),
        captured,
    )


def _refused(
    what: str, line: int | None = None, *, expected: str, got: str | None = None
) -> ProgramFormatError:
    where = "" if line is None else f", at line {line}"
    error = ProgramFormatError(
        f"Program.load: {what}{where}", expected=expected, got=got,
        fix="load a file that Program.save wrote",
    )  # fmt: skip
    error.line = line
    return error


# --- what has a text form ---------------------------------------------------------------


def _check_text_form(program: Program) -> None:
    seen: set[int] = set()
    todo = [program]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for equation in current.equations:
            for name, value in equation.params.items():
                if not _has_text_form(value):
                    raise _no_text_form(equation, name, value)
        todo += current.subprograms()


def _has_text_form(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_has_text_form, value))
    if isinstance(value, np.dtype):
        return value in DTYPES.values()
    return isinstance(value, (Program, ArrayType)) or type(value) in _SCALARS or isinstance(
        value, (np.bool_, np.integer, np.floating)
    )  # fmt: skip


def _no_text_form(equation: Equation, name: str, value: Any) -> ArgumentError:
    operation = equation.primitive.name
    python = operation.startswith("custom")
    return ArgumentError(
        f"Program.save: {operation} at {equation.source or 'an unknown line'} has no text form",
        expected="parameters that are numbers, strings, dtypes, types, Programs or tuples of these",
        got=f"{name}={type(value).__name__}",
        fix="rules of fn.custom are Python functions: save a Program of the function without them"
        if python
        else "use a parameter that prints, such as the name of a policy",
    )


# `program.save(path)`; attached here because files need Programs, not they files.
Program.save = save
Program.load = staticmethod(load)
Program.dumps = dumps
Program.loads = staticmethod(loads)
