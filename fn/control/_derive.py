"""Programs made from Programs, remembered on the one they come from: what the rules here share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fn.core import (
    ArrayType,
    Program,
    Trace,
    Tracer,
    checked,
    dce,
    evaluate,
    recording,
    used_inputs,
)
from fn.ops import full, move_axis
from fn.transforms import batch_program, insert_axis

Flags = tuple[bool, ...]


def record(
    function: Callable[..., Sequence[Any]], types: Sequence[ArrayType], name: str
) -> Program:
    """The Program of `function(*tracers)`, which returns a list; unlike `trace_call`, nothing is cached."""
    trace = Trace(name)
    with recording(trace):
        outs = function(*[trace.input(t) for t in types])
        return checked(dce(trace.finish(outs, name)))


def derived(
    program: Program,
    key: tuple[Any, ...],
    function: Callable[..., Sequence[Any]],
    types: Sequence[ArrayType],
    name: str,
) -> Program:
    """`record`, done once per `key` and remembered on `program`."""
    found: Program | None = program.cache.get(key)
    if found is None:
        found = program.cache[key] = record(function, types, name)
    return found


def zeros(type: ArrayType) -> Any:
    """Zeros of this type, where a loop or a branch has to hand out a derivative that is zero."""
    return full(type.dtype.type(0), type.shape)


def fill(values: Sequence[Any], types: Sequence[ArrayType]) -> list[Any]:
    """`values` with zeros in place of None."""
    return [zeros(t) if v is None else v for v, t in zip(values, types, strict=True)]


def spread(given: Flags, found: Sequence[Any]) -> list[Any]:
    """One entry per flag: the next of `found` where it is set, None elsewhere."""
    left = iter(found)
    return [next(left) if g else None for g in given]


def select_by(flags: Sequence[bool], values: Sequence[Any]) -> list[Any]:
    """The values whose flag is set."""
    return [v for v, f in zip(values, flags, strict=True) if f]


def either(*flags: Sequence[bool]) -> Flags:
    """Per position, whether any of the flags is set."""
    return tuple([any(column) for column in zip(*flags, strict=True)])


def known(values: Sequence[Any]) -> list[Any]:
    """The values that are not None."""
    return [v for v in values if v is not None]


def with_zeros(program: Program, lead: int, given: Flags, wanted: Flags, types: Any) -> Program:
    """`program`, whose outputs after the first `lead` are those `given`, with zeros for the others `wanted`."""
    if given == wanted:
        return program

    def filled(*args: Any) -> list[Any]:
        outs = evaluate(program, args)
        rest = spread(given, outs[lead:])
        return [*outs[:lead], *select_by(wanted, fill_where(rest, wanted, types))]

    own = len(program.inputs) - len(program.captured)
    key = ("with_zeros", lead, given, wanted, tuple(types))
    return derived(program, key, filled, program.in_types[:own], program.name)


def fill_where(values: Sequence[Any], wanted: Flags, types: Sequence[ArrayType]) -> list[Any]:
    """`values` with zeros for those missing that are `wanted`."""
    return [
        zeros(t.strong()) if v is None and w else v
        for v, w, t in zip(values, wanted, types, strict=True)
    ]


def batch_front(
    program: Program, axis: Any, flags: Flags, force: Flags | None = None
) -> tuple[Program, Flags]:
    """`program` batched where inputs are flagged, with every batch axis in front.

    Args:
        flags: per input, whether it has the axis, in front.
        force: outputs that get the axis even if they do not depend on it.

    Returns:
        The batched Program, and per output whether it has the axis.
    """
    batched, dims = batch_program(program, axis, tuple([0 if f else None for f in flags]))
    out_flags = tuple([d is not None for d in dims])
    if force is not None:
        out_flags = either(out_flags, force)
    if all(d == 0 if f else d is None for d, f in zip(dims, out_flags, strict=True)):
        return batched, out_flags

    def moved(*args: Any) -> list[Any]:
        outs = evaluate(batched, args)
        return [to_front(o, d, axis.size) if f else o for o, d, f in zip(outs, dims, out_flags)]

    own = len(batched.inputs) - len(batched.captured)
    key = ("batch_front", axis.size, dims, out_flags)
    return derived(batched, key, moved, batched.in_types[:own], batched.name), out_flags


def to_front(x: Any, dim: int | None, size: int) -> Any:
    """`x` with its batch axis in front; repeated along one if it has none."""
    return insert_axis(x, size, 0) if dim is None else move_axis(x, dim, 0)


def atoms(values: Sequence[Any]) -> list[Any]:
    """What each value is in its trace, to tell results that are arguments as they came."""
    return [v._atom if isinstance(v, Tracer) else None for v in values]


def uses(program: Program) -> list[bool]:
    """`used_inputs`, remembered."""
    found: list[bool] | None = program.cache.get("uses")
    if found is None:
        found = program.cache["uses"] = used_inputs(program)
    return found


def slice_program(
    program: Program, inputs: Sequence[int], outputs: Sequence[int], lead: Sequence[int] = ()
) -> Program:
    """The part of `program` that computes some outputs from some inputs, which must suffice.

    Args:
        inputs: positions of inputs, in the order they shall have.
        outputs: positions of outputs.
        lead: positions of inputs that are also handed out, after the outputs.
    """
    key = ("slice", tuple(inputs), tuple(outputs), tuple(lead))
    found: Program | None = program.cache.get(key)
    if found is None:
        results = [program.outputs[i] for i in outputs] + [program.inputs[i] for i in lead]
        whole = Program(program.inputs, program.equations, tuple(results), (), program.name)
        small = dce(whole)
        chosen = tuple([program.inputs[i] for i in inputs])
        found = checked(Program(chosen, small.equations, small.outputs, (), program.name))
        program.cache[key] = found
    return found


def dependent(program: Program, flags: Sequence[bool]) -> Flags:
    """Which outputs depend on the flagged inputs."""
    reached: set[Any] = {v for v, f in zip(program.inputs, flags, strict=True) if f}
    for equation in program.equations:
        if any(a in reached for a in equation.inputs):
            reached.update(equation.outputs)
    return tuple([a in reached for a in program.outputs])
