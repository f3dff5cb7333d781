"""Batching for users: `vmap`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from jax.tree_util import tree_flatten

from fn.core import (
    ArgumentError,
    Arguments,
    BatchError,
    Traced,
    argument_paths,
    broadcast_prefix,
    context,
    execute,
    leaf_paths,
    public,
    split_arguments,
    trace_call,
)
from fn.ops import concatenate, move_axis, slice_axis
from fn.transforms._batch import BatchAxis, batch_program, insert_axis, program_mentions_axis
from fn.transforms._deferred import bind_vmap
from fn.transforms._leaves import as_array, check_callable

_SCALARS = (bool, int, float, complex)


def vmap(
    function: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    *,
    axis_size: int | None = None,
    axis_name: Any = None,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Map `function` over an axis of its arguments, as one batched computation.

    Args:
        function: of one entry.
        in_axes: the axis to map over: an integer (negative counts from the end), None for an
            argument used as it is, a tuple with an entry per positional argument (each a prefix of
            the argument's tree), or a dict from parameter name to such an entry, with 0 for those it
            does not name. Keyword arguments are mapped over axis 0 unless named. Python numbers and
            static leaves inside a tree are used as they are.
        out_axes: where the results have the axis; a prefix of the output's tree. None for results
            that do not depend on the mapped arguments.
        axis_size: size of the axis; needed only if nothing is mapped.
        axis_name: a name by which collectives such as `fn.psum` refer to the axis.
        chunk_size: at most this many entries at a time, to bound memory; the last chunk may be
            smaller.

    Returns:
        A function of batched arguments.

    Raises:
        BatchError: when called, if sizes differ, with each argument's path and size.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(np.dot, in_axes=(0, None))(np.ones((4, 3)), np.ones(3)).shape
    (4,)
    """
    check_callable("vmap", function)

    @wraps(function)
    @public
    def batched(*args: Any, **kwargs: Any) -> Any:
        split = split_arguments("vmap", function, args, kwargs)
        dims = _array_dims(function, args, kwargs, split, in_axes)
        size = _axis_size(function, args, kwargs, split, dims, axis_size)
        types = []
        for dim, t in zip(dims, _array_types(split), strict=True):
            types.append(t if dim is None else t.with_shape(t.shape[:dim] + t.shape[dim + 1 :]))
        values = [a if d is None else None for a, d in zip(split.arrays, dims, strict=True)]
        traced = trace_call(
            "vmap", function, args, kwargs, split, types=types, values=values,
            axes={} if axis_name is None else {axis_name: size},
        )  # fmt: skip
        if chunk_size is None or chunk_size >= size:
            outs, out_dims = _run(traced, BatchAxis(size, axis_name), split.arrays, dims)
        else:
            outs, out_dims = _run_chunks(traced, size, axis_name, split.arrays, dims, chunk_size)
        return _place(traced, outs, out_dims, out_axes, size)

    return batched


def _array_types(split: Arguments) -> list[Any]:
    return [t for t in split.types if t is not None]


def _array_dims(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    split: Arguments,
    in_axes: Any,
) -> list[int | None]:
    """Where each array leaf has the mapped axis, normalised and checked."""
    by_argument, by_keyword = _axes_by_argument(function, args, kwargs, in_axes)
    spread: list[Any] = []
    for arg, axes, name in [
        *zip(args, by_argument, _names(function, args), strict=True),
        *((kwargs[k], by_keyword[k], k) for k in sorted(kwargs)),
    ]:
        spread += broadcast_prefix(axes, arg, f"vmap: in_axes for `{name}`")
    leaves = tree_flatten((args, kwargs))[0]
    dims: list[int | None] = []
    for position, (leaf, dim, kind) in enumerate(zip(leaves, spread, split.types, strict=True)):
        if kind is None:
            continue
        if dim is not None and not isinstance(dim, int):
            raise BatchError(
                "vmap: in_axes holds something that is not an axis",
                expected="integers and None",
                got=repr(type(dim).__name__),
            )
        if dim is None or isinstance(leaf, _SCALARS):
            dims.append(None)
            continue
        if not -kind.ndim <= dim < kind.ndim:
            path = argument_paths(function, args, kwargs)[position]
            raise BatchError(
                f"vmap: `{path}` has no axis {dim} to map over",
                expected=f"an array with at least {dim + 1 if dim >= 0 else -dim} axes",
                got=str(kind),
                fix=f"pass in_axes=None for `{path}` to use it as it is",
            )
        dims.append(dim % kind.ndim)
    return dims


def _names(function: Callable[..., Any], args: tuple[Any, ...]) -> list[str]:
    names: list[str] = []
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            break
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            names.append(parameter.name)
    return [names[i] if i < len(names) else f"argument {i}" for i in range(len(args))]


def _axes_by_argument(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], in_axes: Any
) -> tuple[list[Any], dict[str, Any]]:
    names = _names(function, args)
    if isinstance(in_axes, dict):
        unknown = set(in_axes) - set(names) - set(kwargs)
        if unknown:
            raise BatchError(
                "vmap: in_axes names parameters the call does not have",
                expected=f"some of {', '.join([*names, *kwargs])}",
                got=", ".join(map(str, sorted(unknown, key=str))),
            )
        return [in_axes.get(n, 0) for n in names], {k: in_axes.get(k, 0) for k in kwargs}
    by_keyword = dict.fromkeys(kwargs, 0)
    if isinstance(in_axes, (tuple, list)):
        if len(in_axes) != len(args):
            raise BatchError(
                "vmap: in_axes and the positional arguments differ in number",
                expected=f"{len(args)} entries, for {', '.join(names) or 'no arguments'}",
                got=f"{len(in_axes)} entries",
                fix="give one entry per positional argument, or a dict by name",
            )
        return list(in_axes), by_keyword
    return [in_axes] * len(args), by_keyword


def _axis_size(
    function: Callable[..., Any],
    args: Any,
    kwargs: Any,
    split: Arguments,
    dims: list[int | None],
    axis_size: int | None,
) -> int:
    sizes = [
        (position, t.shape[d])
        for position, (t, d) in enumerate(zip(_array_types(split), dims, strict=True))
        if d is not None
    ]
    distinct = {n for _, n in sizes} | ({axis_size} if axis_size is not None else set())
    if len(distinct) == 1:
        (size,) = distinct
        return size
    if not distinct:
        raise BatchError(
            "vmap: nothing is mapped, so the size of the axis is unknown",
            expected="an array argument with an axis in in_axes, or axis_size=",
            got=f"in_axes of None for all {len(split.types)} leaves",
            fix="pass axis_size=",
        )
    paths = [
        p for p, t in zip(argument_paths(function, args, kwargs), split.types, strict=True) if t
    ]
    listed = [f"`{paths[i]}`: size {n} on axis {dims[i]}" for i, n in sizes]
    if axis_size is not None:
        listed.append(f"axis_size={axis_size}")
    raise BatchError(
        "vmap: the mapped axes have different sizes",
        expected="one size for all of them",
        got="; ".join(listed),
        fix="use in_axes=None for arguments that are not batched",
    )


def _run(
    traced: Traced, axis: BatchAxis, arrays: list[Any], dims: list[int | None], start: int = 0
) -> tuple[list[Any], tuple[int | None, ...]]:
    effects = traced.program.effects
    if effects and ("check" in effects or ("tag" in effects and context.trace is not None)):
        return bind_vmap(traced.program, axis, dims, arrays, start)
    captured = traced.program.captured
    program, out_dims = batch_program(traced.program, axis, (*dims, *[None] * len(captured)))
    return execute(program, [*arrays, *captured]), out_dims


def _run_chunks(
    traced: Traced,
    size: int,
    axis_name: Any,
    arrays: list[Any],
    dims: list[int | None],
    chunk_size: int,
) -> tuple[list[Any], tuple[int | None, ...]]:
    if chunk_size < 1:
        raise BatchError(
            "vmap: chunk_size is not positive", expected="at least 1", got=str(chunk_size)
        )
    if axis_name is not None and program_mentions_axis(traced.program, axis_name):
        raise ArgumentError(
            f"vmap: a collective over {axis_name!r} needs the whole axis at once",
            expected="no chunk_size with collectives",
            got=f"chunk_size={chunk_size} for an axis of size {size}",
            fix="leave out chunk_size, or reduce outside of vmap",
        )
    parts: list[list[Any]] = []
    out_dims: tuple[int | None, ...] = ()
    for start in range(0, size, chunk_size):
        stop = min(start + chunk_size, size)
        piece = [
            a if d is None else slice_axis(as_array(a), start, stop, d)
            for a, d in zip(arrays, dims, strict=True)
        ]
        outs, out_dims = _run(traced, BatchAxis(stop - start), piece, dims, start)
        parts.append(outs)
    joined = [
        column[0] if d is None else concatenate(*column, axis=d)
        for column, d in zip(zip(*parts, strict=True), out_dims, strict=True)
    ]
    return joined, out_dims


def _place(
    traced: Traced, outs: list[Any], dims: tuple[int | None, ...], out_axes: Any, size: int
) -> Any:
    """Move the mapped axis of each result to where `out_axes` wants it."""
    example = traced.rebuild(traced.program.out_types)
    wanted = broadcast_prefix(out_axes, example, "vmap: out_axes", "result")
    statics = {position for position, _ in traced.out_static}
    per_array = [w for position, w in enumerate(wanted) if position not in statics]
    placed = []
    for index, (out, dim, axis, t) in enumerate(
        zip(outs, dims, per_array, traced.program.out_types, strict=True)
    ):
        out = as_array(out)
        if axis is None:
            if dim is not None:
                paths = [p for i, p in enumerate(leaf_paths(example, "result")) if i not in statics]
                raise BatchError(
                    f"vmap: out_axes is None for `{paths[index]}`, which depends on mapped arguments",
                    expected="an axis for it in out_axes",
                    got=f"None, for a result of type {t} per entry",
                    fix="give an axis, or reduce over the mapped axis (fn.psum with axis_name)",
                )
            placed.append(out)
            continue
        rank = t.ndim + 1
        if not isinstance(axis, int) or not -rank <= axis < rank:
            raise BatchError(
                "vmap: out_axes holds something that is not an axis of the result",
                expected=f"None or an integer from {-rank} to {rank - 1}",
                got=repr(axis),
            )
        target = axis % rank
        placed.append(
            insert_axis(out, size, target) if dim is None else move_axis(out, dim, target)
        )
    return traced.rebuild(placed)
