"""Forward mode for users: `jvp` and `linearize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fn.core import (
    ArgumentError,
    Traced,
    execute,
    is_inexact,
    public,
    split_arguments,
    trace_call,
)
from fn.transforms._jvp import jvp_program
from fn.transforms._leaves import check_callable, fit_leaves, rebuild_zeros, zeros
from fn.transforms._linearize import linearize_program


def trace_at(
    operation: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any
) -> Any:
    """Trace `function` at concrete arguments, which Python may look at meanwhile."""
    check_callable(operation, function)
    split = split_arguments(operation, function, args, kwargs)
    traced = trace_call(operation, function, args, kwargs, split, values=split.arrays)
    return split, traced


def split_aux(operation: str, traced: Traced, has_aux: bool) -> int:
    """How many output leaves belong to the result proper, the others to `aux`.

    Raises:
        ArgumentError: if `has_aux` and the function did not return a pair.
    """
    if not has_aux:
        return len(traced.program.outputs)
    children = traced.out_tree.children()
    result = traced.rebuild(traced.program.out_types)
    if len(children) != 2 or not isinstance(result, (tuple, list)):
        raise ArgumentError(
            f"{operation}: has_aux=True, but the function did not return a pair",
            expected="(output, aux)",
            got=str(traced.out_tree),
            fix="return (output, aux), or leave out has_aux",
        )
    statics = {position for position, _ in traced.out_static}
    return sum(position not in statics for position in range(children[0].num_leaves))


@public
def jvp(
    function: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of `function` at `primals` and its derivative along `tangents`.

    Args:
        function: of positional arguments, any pytrees.
        primals: tuple or list of the arguments.
        tangents: tuple or list of the same structure; None where there is no tangent. Leaves that
            are not floating or complex have none.
        has_aux: whether the function returns `(output, aux)`; `aux` is not differentiated.

    Returns:
        `(output, output_tangent)`, or `(output, output_tangent, aux)`. The tangent has the structure
        of the output, with None for leaves that are not floating or complex.

    Raises:
        TreeError: if primals and tangents differ in structure.
        ArgumentError: if a tangent has the wrong shape or dtype.

    >>> import fn, fn.numpy as np
    >>> y, dy = fn.jvp(np.sin, (0.0,), (1.0,))
    >>> float(y), float(dy)
    (0.0, 1.0)
    """
    for name, value in (("primals", primals), ("tangents", tangents)):
        if not isinstance(value, (tuple, list)):
            raise ArgumentError(
                f"jvp: {name} is not a tuple or list of arguments",
                expected="a tuple with one entry per argument of the function",
                got=type(value).__name__,
                fix=f"write ({name},) for a single argument",
            )
    split, traced = trace_at("jvp", function, tuple(primals), {})
    given = fit_leaves("jvp", "tangents", tuple(tangents), tuple(primals), "primals")
    moving = _array_entries(split, given)
    program = traced.program
    nonzero = tuple([t is not None for t in moving]) + (False,) * len(program.captured)
    derived, out_nonzero = jvp_program(program, nonzero)
    results = execute(
        derived, [*split.arrays, *program.captured, *[t for t in moving if t is not None]]
    )
    count = len(program.outputs)
    left = iter(results[count:])
    moved = [next(left) if n else None for n in out_nonzero]
    return _with_aux("jvp", traced, results[:count], rebuild_zeros(traced, moved), has_aux)


def _array_entries(split: Any, per_leaf: list[Any]) -> list[Any]:
    """Of one entry per leaf, those of the array leaves."""
    return [entry for entry, kind in zip(per_leaf, split.types, strict=True) if kind is not None]


def _with_aux(
    operation: str, traced: Traced, outs: list[Any], tangent: Any, has_aux: bool
) -> tuple[Any, ...]:
    result = traced.rebuild(outs)
    if not has_aux:
        return result, tangent
    split_aux(operation, traced, has_aux)
    return result[0], tangent[0], result[1]


@public
def linearize(
    function: Callable[..., Any], *primals: Any, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of `function` at `primals`, and the linear function of its tangents there.

    Unlike `jvp`, the work at the point is done once, however many tangents follow.

    Args:
        function: of positional arguments, any pytrees.
        primals: the arguments.
        has_aux: whether the function returns `(output, aux)`.

    Returns:
        `(output, f_jvp)`, or `(output, f_jvp, aux)`; `f_jvp(*tangents)` gives the output's tangent.

    >>> import fn, fn.numpy as np
    >>> y, f_jvp = fn.linearize(lambda x: x * x, 3.0)
    >>> float(y), float(f_jvp(2.0))
    (9.0, 12.0)
    """
    split, traced = trace_at("linearize", function, primals, {})
    program = traced.program
    inexact = tuple([is_inexact(k.dtype) for k in split.types if k is not None])
    nonzero = inexact + (False,) * len(program.captured)
    lin = linearize_program(program, nonzero)
    inputs = [*split.arrays, *program.captured]
    outs, residuals = lin.split(inputs, execute(lin.primal, inputs))

    @public
    def f_jvp(*tangents: Any) -> Any:
        given = fit_leaves("linearize", "tangents", tangents, primals, "primals")
        moving = [t for t, n in zip(_array_entries(split, given), inexact, strict=True) if n]
        kinds = lin.linear.in_types[len(residuals) :]
        filled = [zeros(k) if t is None else t for t, k in zip(moving, kinds, strict=True)]
        left = iter(execute(lin.linear, [*residuals, *filled]))
        moved = rebuild_zeros(traced, [next(left) if n else None for n in lin.out_nonzero])
        return moved[0] if has_aux else moved

    result = traced.rebuild(outs)
    if has_aux:
        split_aux("linearize", traced, has_aux)
        return result[0], f_jvp, result[1]
    return result, f_jvp
