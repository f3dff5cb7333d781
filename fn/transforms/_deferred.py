"""`vmap` as an equation: a Program of one entry, batched only when it is compiled.

Batching a Program right away loses which axis of what is the batch. Where something inside is to be
found again entry by entry (`fn.tag`) or to be told with its index (`fn.check`), batching waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.core import (
    ArrayType,
    Atom,
    Equation,
    Linear,
    Primitive,
    Program,
    Trace,
    Tracer,
    TypeRuleError,
    Variable,
    bind,
    checked,
    dce,
    evaluate,
    recording,
    used_inputs,
)
from fn.ops import move_axis
from fn.transforms._batch import BatchAxis, Dim, batch_program, insert_axis
from fn.transforms._jvp import jvp_program
from fn.transforms._linearize import linearize_program
from fn.transforms._transpose import transpose_program

Flags = tuple[bool, ...]


# --- vmap -------------------------------------------------------------------------------
def bind_vmap(
    program: Program, axis: BatchAxis, dims: Sequence[Dim], args: Sequence[Any], start: int = 0,
    force: Flags | None = None,
) -> tuple[list[Any], tuple[Dim, ...]]:  # fmt: skip
    """One `vmap` equation; results that have the axis have it in front.

    Args:
        program: of one entry; its captured arrays become arguments.
        dims: per argument that is not captured, where it has the axis, or None.
        start: the index of the first entry, where this is a part of a longer axis.
        force: results that get the axis even if they do not depend on what is mapped.
    """
    everywhere = (*dims, *[None] * len(program.captured))
    closed = program.closed()
    mapped = tuple([d is not None for d in batch_program(closed, axis, everywhere)[1]])
    if force is not None:
        mapped = tuple([a or b for a, b in zip(mapped, force, strict=True)])
    outs = bind(
        vmap_p, *args, *program.captured, program=closed, size=axis.size, name=axis.name,
        axes=everywhere, mapped=mapped, start=start,
    )  # fmt: skip
    return list(outs), tuple([0 if m else None for m in mapped])


def _vmap_type(
    *types: ArrayType, program: Program, size: int, axes: tuple[Dim, ...], mapped: Flags, **_: Any
) -> tuple[ArrayType, ...]:
    wanted = [
        (*t.shape[:d], size, *t.shape[d:]) if d is not None else t.shape
        for t, d in zip(program.in_types, axes, strict=True)
    ]
    dtypes = [t.dtype for t in program.in_types]
    if [(t.shape, t.dtype) for t in types] != list(zip(wanted, dtypes, strict=True)):
        raise TypeRuleError(
            f"vmap: the arguments do not fit program {program.name!r}",
            expected=f"those of {program!r}, mapped over axes {axes} of size {size}",
            got=", ".join(map(str, types)) or "no arguments",
        )
    return tuple(
        [
            t.with_shape((size, *t.shape)) if m else t
            for t, m in zip(program.out_types, mapped, strict=True)
        ]
    )


def expansion(
    program: Program, size: int, name: Any, axes: tuple[Dim, ...], mapped: Flags, **_: Any
) -> Program:
    """What a `vmap` equation stands for: the batched Program."""
    axis = BatchAxis(size, name)
    key = ("expansion", axis, axes, mapped)
    if key not in program.cache:
        batched, found = batch_program(program, axis, axes)
        trace = Trace(batched.name)
        with recording(trace):
            own = len(batched.inputs) - len(batched.captured)
            outs = evaluate(batched, [trace.input(t) for t in batched.in_types[:own]])
            placed = [
                x if not m else insert_axis(x, size, 0) if d is None else move_axis(x, d, 0)
                for x, d, m in zip(outs, found, mapped, strict=True)
            ]
            program.cache[key] = checked(dce(trace.finish(placed, batched.name)))
    result: Program = program.cache[key]
    return result


def _parts(params: dict[str, Any]) -> tuple[Program, BatchAxis, tuple[Dim, ...], int, Flags]:
    axis = BatchAxis(params["size"], params["name"])
    return params["program"], axis, params["axes"], params["start"], params["mapped"]


def _vmap_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    program, axis, dims, start, mapped = _parts(params)
    derived, out_nonzero = jvp_program(program, tuple([t is not None for t in tangents]))
    moving = [d for d, t in zip(dims, tangents, strict=True) if t is not None]
    force = mapped + tuple([m for m, n in zip(mapped, out_nonzero, strict=True) if n])
    values = [*args, *[t for t in tangents if t is not None]]
    results, _ = bind_vmap(derived, axis, (*dims, *moving), values, start, force)
    left = iter(results[len(mapped) :])
    return results[: len(mapped)], [next(left) if n else None for n in out_nonzero]


def _vmap_linearize(args: Any, nonzero: Flags, **params: Any) -> tuple[Any, ...]:
    program, axis, dims, start, mapped = _parts(params)
    lin = linearize_program(program, nonzero)
    computed = len(lin.primal.outputs) - len(mapped)
    force = mapped + (False,) * computed
    results, found = bind_vmap(lin.primal, axis, dims, args, start, force)
    outs, residuals = lin.split(args, results)
    where = (*[dims[i] for i in lin.forwarded], *found[len(mapped) :])
    where += tuple([d for d, n in zip(dims, nonzero, strict=True) if n])
    out_mapped = tuple([m for m, n in zip(mapped, lin.out_nonzero, strict=True) if n])

    def linear_map(tangents: Sequence[Any]) -> list[Any]:
        linear = expansion(lin.linear, axis.size, axis.name, where, out_mapped)
        return evaluate(linear, [*residuals, *tangents])

    return outs, lin.out_nonzero, linear_map


def _vmap_transpose(cts: Any, *args: Any, **params: Any) -> tuple[Any, ...]:
    linear = tuple([isinstance(a, Linear) for a in args])
    nonzero = tuple([c is not None for c in cts])
    backward, given = transpose_program(expansion(**params).closed(), linear, nonzero)
    known = [a for a in args if not isinstance(a, Linear)]
    found = iter(evaluate(backward, [*known, *[c for c in cts if c is not None]]))
    per_linear = iter([next(found) if g else None for g in given])
    return tuple([next(per_linear) if is_linear else None for is_linear in linear])


def _vmap_batch(axis: Any, args: Any, dims: Any, **params: Any) -> tuple[Any, Any]:
    batched, out_dims = batch_program(expansion(**params).closed(), axis, tuple(dims))
    return evaluate(batched, args), out_dims


def _vmap_lower(emit: Any, *args: Any, **params: Any) -> Any:
    return emit.call(expansion(**params).closed(), *args)


def _vmap_prune(
    used: Flags, inputs: tuple[Atom, ...], *, program: Program, axes: Any, mapped: Flags, **params: Any
) -> tuple[tuple[Atom, ...], dict[str, Any]]:  # fmt: skip
    smaller = dce(program, used)
    needed = used_inputs(smaller)
    kept = tuple([v for v, n in zip(smaller.inputs, needed, strict=True) if n])
    changed = {
        "program": Program(kept, smaller.equations, smaller.outputs, (), program.name),
        "axes": tuple([d for d, n in zip(axes, needed, strict=True) if n]),
        "mapped": tuple([m for m, u in zip(mapped, used, strict=True) if u]),
    }
    return tuple([a for a, n in zip(inputs, needed, strict=True) if n]), {**params, **changed}


vmap_p = Primitive(
    name="vmap", type=_vmap_type, jvp=_vmap_jvp, linearize=_vmap_linearize, transpose=_vmap_transpose,
    batch=_vmap_batch, lower=_vmap_lower, prune=_vmap_prune, multiple=True,
)  # fmt: skip


def expanded(program: Program) -> Program:
    """`program` with what each of its `vmap` equations stands for in its place, also inside."""
    if not _has_vmap(program):
        return program
    found: Program | None = program.cache.get("expanded")
    if found is None:
        trace = Trace(program.name)
        with recording(trace):
            own = len(program.inputs) - len(program.captured)
            outs = _expand(trace, program, [trace.input(t) for t in program.in_types[:own]])
            found = program.cache["expanded"] = checked(dce(trace.finish(outs, program.name)))
    return found


def _expand(trace: Trace, program: Program, args: Sequence[Any]) -> list[Any]:
    values: dict[Variable, Any] = dict(zip(program.inputs, [*args, *program.captured], strict=True))
    for equation in program.equations:
        inputs = [
            values[a] if isinstance(a, Variable) else Tracer(trace, a) for a in equation.inputs
        ]
        if equation.primitive is vmap_p:
            outs: Sequence[Any] = evaluate(expanded(expansion(**equation.params)), inputs)
        else:
            params = {k: _inside(v) for k, v in equation.params.items()}
            changed = Equation(
                equation.primitive, equation.inputs, equation.outputs, params, equation.source
            )
            outs = trace.append(changed, tuple(map(trace.atom, inputs)))
        values.update(zip(equation.outputs, outs, strict=True))
    return [values[a] if isinstance(a, Variable) else Tracer(trace, a) for a in program.outputs]


def _inside(value: Any) -> Any:
    if isinstance(value, Program):
        return expanded(value)
    return tuple(map(_inside, value)) if isinstance(value, tuple) else value


def _has_vmap(program: Program) -> bool:
    found: bool | None = program.cache.get("has_vmap")
    if found is None:
        found = any(e.primitive is vmap_p for e in program.equations)
        found = found or any(map(_has_vmap, program.subprograms()))
        program.cache["has_vmap"] = found
    return found
