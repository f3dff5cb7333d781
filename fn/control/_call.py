"""`call`: apply a Program as one equation, so that what is written once stays one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fn.core import (
    ArrayType,
    Atom,
    Linear,
    Primitive,
    Program,
    TypeRuleError,
    bind,
    dce,
    used_inputs,
)
from fn.transforms import (
    batch_program,
    jvp_program,
    linearize_program,
    transpose_program,
)


# --- call -------------------------------------------------------------------------------
def call(program: Program, *args: Any) -> tuple[Any, ...]:
    """Apply `program` to `args` as one equation.

    Args:
        program: any Program; its captured arrays become arguments of the equation.
        args: one per input that is not captured.
    """
    result: tuple[Any, ...] = bind(call_p, *args, *program.captured, program=program.closed())
    return result


def _call_type(*types: ArrayType, program: Program) -> tuple[ArrayType, ...]:
    expected = program.in_types
    if [(t.shape, t.dtype) for t in types] != [(t.shape, t.dtype) for t in expected]:
        raise TypeRuleError(
            f"call: the arguments do not fit program {program.name!r}",
            expected=", ".join(map(str, expected)) or "no arguments",
            got=", ".join(map(str, types)) or "no arguments",
        )
    return program.out_types


def _call_jvp(args: Any, tangents: Any, *, program: Program) -> tuple[Any, Any]:
    derived, out_nonzero = jvp_program(program, tuple([t is not None for t in tangents]))
    results = call(derived, *args, *[t for t in tangents if t is not None])
    count = len(program.outputs)
    left = iter(results[count:])
    return results[:count], [next(left) if n else None for n in out_nonzero]


def _call_linearize(args: Any, nonzero: tuple[bool, ...], *, program: Program) -> tuple[Any, ...]:
    lin = linearize_program(program, nonzero)
    outs, residuals = lin.split(args, call(lin.primal, *args))

    def linear_map(tangents: Sequence[Any]) -> tuple[Any, ...]:
        return call(lin.linear, *residuals, *tangents) if lin.linear.outputs else ()

    return outs, lin.out_nonzero, linear_map


def _call_transpose(cts: Any, *args: Any, program: Program) -> tuple[Any, ...]:
    linear = tuple([isinstance(a, Linear) for a in args])
    backward, given = transpose_program(program, linear, tuple([c is not None for c in cts]))
    known = [a for a in args if not isinstance(a, Linear)]
    found = iter(call(backward, *known, *[c for c in cts if c is not None]) if any(given) else ())
    per_linear = iter([next(found) if g else None for g in given])
    return tuple([next(per_linear) if is_linear else None for is_linear in linear])


def _call_batch(axis: Any, args: Any, dims: Any, *, program: Program) -> tuple[Any, Any]:
    batched, out_dims = batch_program(program, axis, tuple(dims))
    return call(batched, *args), out_dims


def _call_lower(emit: Any, *args: Any, program: Program) -> Any:
    return emit.call(program, *args)


def _call_prune(
    used: tuple[bool, ...], inputs: tuple[Atom, ...], *, program: Program
) -> tuple[tuple[Atom, ...], dict[str, Any]]:
    key = ("pruned", used)
    if key not in program.cache:
        smaller = dce(program, used)
        needed = used_inputs(smaller)
        kept = tuple([v for v, n in zip(smaller.inputs, needed, strict=True) if n])
        small = Program(kept, smaller.equations, smaller.outputs, (), program.name)
        program.cache[key] = small, needed
    small, needed = program.cache[key]
    return tuple([a for a, n in zip(inputs, needed, strict=True) if n]), {"program": small}


call_p = Primitive(
    name="call", type=_call_type, jvp=_call_jvp, linearize=_call_linearize,
    transpose=_call_transpose, batch=_call_batch, lower=_call_lower, prune=_call_prune, multiple=True,
)  # fmt: skip
