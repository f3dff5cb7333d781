"""The derivative of a custom function with a vjp rule, as one equation that is linear in tangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.control._call import call
from fn.core import (
    PURE,
    ArrayType,
    MissingRuleError,
    Primitive,
    Program,
    Trace,
    bind,
    checked,
    dce,
    evaluate,
    recording,
    type_of,
)
from fn.ops import full, move_axis, reduce_sum
from fn.transforms import BatchAxis, batch_program, insert_axis, jvp_program

Dim = int | None


# --- custom_linear ----------------------------------------------------------------------
# The derivative of a custom function that has a vjp rule, as a map of tangents: `backward` is its
# transpose, and `forward` the map itself if there is a jvp rule as well.
def _custom_linear_type(*types: ArrayType, residuals: int, **params: Any) -> tuple[ArrayType, ...]:
    backward: Program = params["backward"]
    return tuple([t.strong() for t in backward.in_types[residuals:]])


def _custom_linear_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    first = len(args) - len(params["given"])
    outs = bind(custom_linear_p, *args, **params)
    if all(t is None for t in tangents[:first]):  # a linear map is its own derivative
        filled = [
            zeros_like(a) if t is None else t
            for a, t in zip(args[first:], tangents[first:], strict=True)
        ]
        return outs, bind(custom_linear_p, *args[:first], *filled, **params)
    forward = params["forward"]
    if forward is None:
        raise no_forward_mode(params["name"])
    residuals = params["residuals"]
    program, out_nonzero = jvp_program(
        forward, tuple([t is not None for t in tangents[residuals:]])
    )
    moving = [t for t in tangents[residuals:] if t is not None]
    results = call(program, *args[residuals:], *moving)
    return outs, expand(results[len(outs) :], out_nonzero)


def _custom_linear_transpose(cts: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    backward, residuals, given = params["backward"], params["residuals"], params["given"]
    first = len(args) - len(given)
    kinds = backward.in_types[residuals:]
    filled = [full(t.dtype.type(0), t.shape) if c is None else c for c, t in zip(cts, kinds)]
    found = call(backward, *args[:residuals], *filled)
    return (*[None] * first, *expand(found, given))


def _custom_linear_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    residuals, given, forward = params["residuals"], params["given"], params["forward"]
    dims = tuple(dims)
    tangents = dims[len(args) - len(given) :]
    outs = len(params["backward"].inputs) - residuals
    places = tuple([d for d, g in zip(tangents, given, strict=True) if g])
    backward = batch_to(params["backward"], axis, (*dims[:residuals], *[0] * outs), places)
    params["backward"], held = captured_first(backward)
    around: tuple[Any, ...] = ()
    if forward is not None:
        params["forward"], around = captured_first(batch_to(forward, axis, dims[residuals:]))
    params["residuals"] = residuals + len(held)
    operands = [*held, *args[:residuals], *around, *args[residuals:]]
    return bind(custom_linear_p, *operands, **params), (0,) * outs


def _custom_linear_lower(emit: Any, *args: Any, forward: Program | None, **params: Any) -> Any:
    if forward is None:
        raise no_forward_mode(params["name"])
    return emit.call(forward, *args[params["residuals"] :])


custom_linear_p = Primitive(
    name="custom_linear", type=_custom_linear_type, jvp=_custom_linear_jvp,
    transpose=_custom_linear_transpose, batch=_custom_linear_batch, lower=_custom_linear_lower,
    multiple=True, effect=lambda forward, **_: PURE if forward is None else forward.effects,
)  # fmt: skip


# --- shared with the call itself --------------------------------------------------------


def no_forward_mode(name: str) -> MissingRuleError:
    return MissingRuleError(
        f"custom {name}: forward mode needs its jvp rule, and it has only a vjp rule",
        expected="jvp= beside vjp=",
        got="vjp= alone",
        fix=f"give fn.custom({name}, jvp=..., vjp=...), or use reverse mode (fn.grad, fn.vjp)",
    )


def expand(found: Sequence[Any], given: Sequence[bool]) -> list[Any]:
    left = iter(found)
    return [next(left) if g else None for g in given]


def zeros_like(x: Any) -> Any:
    kind = type_of(x)
    assert kind is not None
    return full(kind.dtype.type(0), kind.shape)


# --- batching Programs to given places --------------------------------------------------


def captured_first(program: Program) -> tuple[Program, tuple[Any, ...]]:
    """`program` with its captured inputs as ordinary ones ahead of the others, and their values."""
    if not program.captured:
        return program, ()
    own = len(program.inputs) - len(program.captured)
    inputs = (*program.inputs[own:], *program.inputs[:own])
    closed = Program(inputs, program.equations, program.outputs, (), program.name)
    return closed, program.captured


KEEP = "keep"


def batch_to(
    program: Program,
    axis: BatchAxis,
    dims: tuple[Dim, ...],
    places: Sequence[Dim | str] | None = None,
) -> Program:
    """`program` batched, with the axis of each output at `places`, by default 0.

    None there sums over the axis; KEEP leaves the output as it is, batched or not.
    """
    wanted: tuple[Any, ...] = (0,) * len(program.outputs) if places is None else tuple(places)
    key = ("batch to", axis, dims, wanted)
    if key not in program.cache:
        batched, found = batch_program(program, axis, dims)
        trace = Trace(f"vmap({program.name})")
        with recording(trace):
            own = len(batched.inputs) - len(batched.captured)
            args = [trace.input(t) for t in batched.in_types[:own]]
            outs = [
                _placed(out, axis.size, dim, want)
                for out, dim, want in zip(evaluate(batched, args), found, wanted, strict=True)
            ]
            program.cache[key] = checked(dce(trace.finish(outs, batched.name)))
    result: Program = program.cache[key]
    return result


def _placed(x: Any, size: int, dim: Dim, want: Any) -> Any:
    if want == KEEP:
        return x
    if want is None:
        dim = 0 if (spread := dim is None) else dim
        return reduce_sum(insert_axis(x, size, 0) if spread else x, axes=(dim,))
    return insert_axis(x, size, want) if dim is None else move_axis(x, dim, want)
