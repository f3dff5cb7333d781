"""Batching on Programs: apply each equation's batch rule; what is not batched stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fn.core import (
    Equation,
    Literal,
    Primitive,
    Program,
    Property,
    Trace,
    Tracer,
    Variable,
    bind,
    checked,
    dce,
    from_source,
    recording,
    through,
)
from fn.ops import broadcast, move_axis

Dim = int | None


@dataclass(frozen=True)
class BatchAxis:
    """The axis being added: its size, and its name if collectives may refer to it."""

    size: int
    name: Any = None


def batch_program(
    program: Program, axis: BatchAxis, dims: tuple[Dim, ...]
) -> tuple[Program, tuple[Dim, ...]]:
    """The Program that does what `program` does for each entry along a new axis.

    Args:
        program: the function of one entry.
        axis: the new axis.
        dims: per input, where it has that axis, or None.

    Returns:
        The batched Program, and per output where it has the axis, or None.
    """
    key = ("batch", axis, dims)
    if key not in program.cache:
        trace = Trace(f"vmap({program.name})")
        with recording(trace):
            args = []
            for t, dim in zip(program.in_types, dims, strict=True):
                shape = t.shape if dim is None else (*t.shape[:dim], axis.size, *t.shape[dim:])
                args.append(trace.input(t.with_shape(shape)))
            outs, out_dims = batch_into(trace, program, axis, args, dims)
            result = checked(dce(trace.finish(outs, f"vmap_{program.name}")))
        program.cache[key] = result, tuple(out_dims)
    found: tuple[Program, tuple[Dim, ...]] = program.cache[key]
    return found


def batch_into(
    trace: Trace, program: Program, axis: BatchAxis, args: Sequence[Any], dims: Sequence[Dim]
) -> tuple[list[Any], list[Dim]]:
    """Record the batched `program` into the running `trace`."""
    value: dict[Variable, Any] = dict(zip(program.inputs, args, strict=True))
    where: dict[Variable, Dim] = dict(zip(program.inputs, dims, strict=True))
    for equation in program.equations:
        in_dims = [where[a] if type(a) is Variable else None for a in equation.inputs]
        unbatched = in_dims.count(None) == len(in_dims)
        if unbatched and not (axis.name is not None and mentions_axis(equation, axis.name)):
            atoms = [a if type(a) is Literal else value[a]._atom for a in equation.inputs]  # type: ignore[index]
            outs: Sequence[Any] = trace.append(equation, tuple(atoms))
            out_dims: Sequence[Dim] = [None] * len(outs)
        else:
            inputs = [a.operand if type(a) is Literal else value[a] for a in equation.inputs]  # type: ignore[index]
            source = through(equation.source, "batch")
            with from_source(source):
                outs, out_dims = _batch_equation(equation, axis, inputs, in_dims)
            if source is not None:
                source.batched(axis.size, axis.name, out_dims)
        value.update(zip(equation.outputs, outs, strict=True))
        where.update(zip(equation.outputs, out_dims, strict=True))
    results = [value[a] if type(a) is Variable else Tracer(trace, a) for a in program.outputs]
    return results, [where[a] if type(a) is Variable else None for a in program.outputs]


def _batch_equation(
    equation: Equation, axis: BatchAxis, inputs: list[Any], dims: list[Dim]
) -> tuple[Sequence[Any], Sequence[Dim]]:
    primitive = equation.primitive
    rule = primitive.rule("batch")
    if rule is Property.ELEMENTWISE:
        out, dim = _elementwise(primitive, axis, inputs, dims, dict(equation.params))
        return [out], [dim]
    outs, out_dims = rule(axis, inputs, dims, **equation.params)
    return (outs, out_dims) if primitive.multiple else ([outs], [out_dims])


def _elementwise(
    primitive: Primitive, axis: BatchAxis, args: list[Any], dims: list[Dim], params: dict[str, Any]
) -> tuple[Any, int]:
    """Bring the operands' batch axes to one place; scalars that are not batched stay scalars."""
    ranks = [getattr(a, "ndim", 0) - (d is not None) for a, d in zip(args, dims, strict=True)]
    target = 0
    shape: tuple[int, ...] = ()
    for a, d, rank in zip(args, dims, ranks, strict=True):
        if d is not None and rank:
            target, shape = d, a.shape
            break
    else:
        for a, rank in zip(args, ranks, strict=True):
            if rank:
                shape = (axis.size, *a.shape)
                break
    spread = []
    for a, d, rank in zip(args, dims, ranks, strict=True):
        if d is not None and rank:
            a = move_axis(a, d, target)
        elif d is not None and shape:
            a = broadcast(a, shape=shape, axes=(target,))
        elif rank:
            a = insert_axis(a, axis.size, target)
        spread.append(a)
    return bind(primitive, *spread, **params), target


def insert_axis(x: Any, size: int, dim: int) -> Any:
    """`x` repeated `size` times along a new axis at `dim`."""
    shape = getattr(x, "shape", ())
    kept = tuple([i + (i >= dim) for i in range(len(shape))])
    return broadcast(x, shape=(*shape[:dim], size, *shape[dim:]), axes=kept)


def mentions_axis(equation: Equation, name: Any) -> bool:
    """Whether a collective over the axis `name` is in this equation or a Program it carries."""
    names = equation.params.get("axis_names")
    if names is not None and name in names:
        return True
    return any(program_mentions_axis(p, name) for p in Program((), (equation,), ()).subprograms())


def program_mentions_axis(program: Program, name: Any) -> bool:
    """Whether a collective over the axis `name` is in `program`."""
    key = ("mentions_axis", name)
    if key not in program.cache:
        program.cache[key] = any(mentions_axis(e, name) for e in program.equations)
    found: bool = program.cache[key]
    return found
