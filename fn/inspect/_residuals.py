"""What reverse mode keeps from the forward pass: types, bytes, and whose fault it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from fn.core import (
    ArrayType,
    Equation,
    Program,
    Source,
    array_paths,
    is_inexact,
    public,
    split_arguments,
    trace_call,
    used_inputs,
)
from fn.transforms import linearize_program, transpose_program


class Residual(NamedTuple):
    """One value kept for the backward pass.

    >>> import fn, fn.numpy as np
    >>> [kept] = fn.inspect.residuals(lambda x: np.exp(x).sum())(np.ones(3))
    >>> isinstance(kept, fn.inspect.Residual), kept.origin, kept.bytes
    (True, 'exp', 12)
    """

    type: ArrayType
    bytes: int
    origin: str
    """The primitive that computes it, `argument x`, or `captured array`."""
    name: str | None
    """What `fn.name` calls it."""
    source: Source | None
    """The user's line that computes it."""

    def __str__(self) -> str:
        name = f" {self.name!r}" if self.name else ""
        where = f"  {self.source.file}:{self.source.line}" if self.source else ""
        return f"{self.bytes:>12,}  {self.type!s:<20} {self.origin}{name}{where}"


class Residuals(list[Residual]):
    """The values kept, largest first; prints as a table.

    >>> import fn, fn.numpy as np
    >>> kept = fn.inspect.residuals(lambda x: np.exp(x).sum())(np.ones(3))
    >>> isinstance(kept, fn.inspect.Residuals), len(kept)
    (True, 1)
    """

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(r.bytes for r in self)

    @property
    def computed(self) -> Residuals:
        """Those that are no arguments: memory that would be free otherwise."""
        return Residuals([r for r in self if not r.origin.startswith(("argument", "captured"))])

    def __str__(self) -> str:
        return "\n".join([*map(str, self), f"{self.bytes:>12,}  bytes in {len(self)} values"])


def residuals(function: Callable[..., Any]) -> Callable[..., Residuals]:
    """A function that tells what `fn.grad` or `fn.vjp` of `function` keeps from the forward pass.

    Args:
        function: of arrays and pytrees, differentiated with respect to all floating and complex ones.

    Returns:
        A function of arrays or types that gives a list of `Residual(type, bytes, origin, name,
        source)`, largest first. Nothing is computed.

    >>> import fn, fn.numpy as np
    >>> [kept] = fn.inspect.residuals(lambda x: np.exp(x).sum())(np.ones((2, 3)))
    >>> kept.origin, kept.bytes, str(kept.type)
    ('exp', 24, 'f32[2,3]')
    """

    @wraps(function)
    @public
    def listed(*args: Any, **kwargs: Any) -> Residuals:
        split = split_arguments("residuals", function, args, kwargs)
        traced = trace_call("residuals", function, args, kwargs, split)
        program = traced.program
        kinds = [t for t in split.types if t is not None]
        nonzero = tuple([is_inexact(t.dtype) for t in kinds])
        lin = linearize_program(program, nonzero + (False,) * len(program.captured))
        linear = (False,) * lin.residuals + (True,) * (len(lin.linear.inputs) - lin.residuals)
        backward, _ = transpose_program(lin.linear, linear, (True,) * len(lin.linear.outputs))
        used = used_inputs(backward)[: lin.residuals]
        paths = [f"argument {p}" for p in array_paths(function, args, kwargs)]
        paths += ["captured array"] * (len(program.inputs) - len(paths))
        known = lin.primal
        atoms = [known.inputs[i] for i in lin.forwarded]
        atoms += known.outputs[len(program.outputs) :]  # type: ignore[arg-type]
        by_atom = dict(zip(known.inputs, paths, strict=False))
        found: dict[Any, Residual] = {}
        for atom, is_used in zip(atoms, used, strict=True):
            if is_used and atom not in found:
                found[atom] = _residual(known, atom, by_atom.get(atom, "captured array"))
        return Residuals(sorted(found.values(), key=lambda r: -r.bytes))

    return listed


def _residual(program: Program, atom: Any, origin: str) -> Residual:
    name = source = None
    definition = _definition(program, atom)
    if definition is not None:
        inside, equation = definition
        origin, source = equation.primitive.name, equation.source
        if origin == "name":  # what matters is where the value comes from, not where it was named
            name = equation.params["name"]
            before = _definition(inside, equation.inputs[0])
            origin = before[1].primitive.name if before is not None else origin
    return Residual(atom.type, int(atom.type.size * atom.type.dtype.itemsize), origin, name, source)


def _definition(program: Program, atom: Any) -> tuple[Program, Equation] | None:
    """The equation that computes `atom`, looked for inside the Programs of calls as well."""
    for equation in program.equations:
        if atom not in equation.outputs:
            continue
        inner = equation.params.get("program")
        if isinstance(inner, Program) and len(inner.outputs) == len(equation.outputs):
            result = inner.outputs[equation.outputs.index(atom)]
            if result in inner.inputs:
                return _definition(program, equation.inputs[inner.inputs.index(result)])
            return _definition(inner, result) or (program, equation)
        return program, equation
    return None
