"""One window at a computed place: dynamic_slice with dynamic_update_slice."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.core import ArrayType, Linear, Primitive, bind, is_integer, public
from fn.ops._elementwise import clamp, convert
from fn.ops._gather import gather
from fn.ops._rules import Batched, require, result_weak, types_text
from fn.ops._scatter import scatter_set
from fn.ops._shape import broadcast, full, move_axis, reshape
from fn.ops._slicing import concatenate

Ints = tuple[int, ...]


def _bounds(whole: Ints, part: Ints) -> list[int]:
    """The last start at which the part is inside, per axis."""
    return [n - m for n, m in zip(whole, part, strict=True)]


def _check_starts(name: str, x: ArrayType, starts: tuple[ArrayType, ...]) -> None:
    require(
        len(starts) == x.ndim and all(s.ndim == 0 and is_integer(s.dtype) for s in starts),
        f"{name}: the starts do not fit", expected=f"{x.ndim} scalar integers, one for each axis",
        got=f"{types_text(starts) or 'none'} for {types_text([x])}",
    )  # fmt: skip


def _index_dtype(bounds: list[int]) -> np.dtype[Any]:
    """Holds every start once it is clamped."""
    return np.dtype(np.int32 if max(bounds, default=0) <= np.iinfo(np.int32).max else np.int64)


def _moving(starts: Any, dims: Any, bounds: list[int], size: int) -> tuple[Any, Ints]:
    """Index vectors for batched starts, clamped, and the axes they move along: those with room to move."""
    axes = tuple([a for a, bound in enumerate(bounds) if bound > 0])
    dtype = _index_dtype(bounds)
    columns = []
    for a in axes:
        start = starts[a]
        if isinstance(start, int):
            column = full(dtype.type(min(max(start, 0), bounds[a])), (size, 1))
        else:
            most = min(bounds[a], int(np.iinfo(start.dtype).max))
            inside = convert(clamp(start.dtype.type(0), start, start.dtype.type(most)), dtype=dtype)
            column = (
                full(inside, (size, 1)) if dims[a] is None else reshape(inside, shape=(size, 1))
            )
        columns.append(column)
    return concatenate(*columns, axis=1), axes


def _lower_starts(emit: Any, starts: Any, bounds: list[int]) -> list[Any]:
    """Starts of one type that can hold the sizes XLA compares them with."""
    dtypes = {s.type.dtype for s in starts}
    if len(dtypes) == 1 and dtypes.pop().itemsize >= 4:
        return list(starts)
    dtype, same = _index_dtype(bounds), []
    for start, bound in zip(starts, bounds, strict=True):
        most = min(bound, int(np.iinfo(start.type.dtype).max))
        low, high = (emit.constant(n, start.type) for n in (0, most))
        start = emit.op("stablehlo.clamp", low, start, high, type=start.type)
        same.append(emit.op("stablehlo.convert", start, type=start.type.with_dtype(dtype)))
    return same


# --- dynamic_slice ----------------------------------------------------------------------
@public
def dynamic_slice(x: Any, *starts: Any, sizes: Ints) -> Any:
    """The part of `x` of these sizes that begins at `starts`, moved inside if it would stick out.

    Args:
        x: array.
        starts: a scalar integer for each axis.
        sizes: size of the result along each axis.

    >>> import fn, numpy as np
    >>> fn.ops.dynamic_slice(np.arange(5), 2, sizes=(2,)).tolist()
    [2, 3]
    """
    return bind(dynamic_slice_p, x, *starts, sizes=sizes)


def _dynamic_slice_type(x: ArrayType, *starts: ArrayType, sizes: Ints) -> ArrayType:
    _check_starts("dynamic_slice", x, starts)
    fits = len(sizes) == x.ndim and all(0 <= n <= m for n, m in zip(sizes, x.shape, strict=True))
    require(
        fits, "dynamic_slice: sizes do not fit", got=f"{sizes} for {types_text([x])}",
        expected="for each axis a size from 0 to that of the axis",
    )  # fmt: skip
    return x.with_shape(sizes)


def _dynamic_slice_jvp(args: Any, tangents: Any, *, sizes: Ints) -> tuple[Any, Any]:
    out, t = dynamic_slice(*args, sizes=sizes), tangents[0]
    return out, None if t is None else dynamic_slice(t, *args[1:], sizes=sizes)


def _dynamic_slice_transpose(ct: Any, x: Any, *starts: Any, sizes: Ints) -> tuple[Any, ...]:
    zeros = full(x.type.dtype.type(0), x.type.shape)
    return dynamic_update_slice(zeros, ct, *starts), *[None] * len(starts)


def _dynamic_slice_batch(axis: Any, args: Any, dims: Any, *, sizes: Ints) -> Batched:
    x, *starts = args
    with_x = dims[0] is not None
    x = move_axis(x, dims[0], 0) if with_x else x
    bounds = _bounds(x.shape[1:] if with_x else x.shape, sizes)
    if not any(bounds):
        return x, 0 if with_x else None
    if all(d is None for d in dims[1:]):
        return dynamic_slice(x, 0, *starts, sizes=(axis.size, *sizes)), 0
    indices, axes = _moving(starts, dims[1:], bounds, axis.size)
    out = gather(
        x, indices, offset_axes=tuple(range(1, len(sizes) + 1)), collapsed_axes=(),
        index_map=tuple([a + with_x for a in axes]), x_batch_axes=(0,) if with_x else (),
        index_batch_axes=(0,) if with_x else (), mode="promise", unique=with_x, sorted=with_x,
        slice_sizes=(min(axis.size, 1), *sizes) if with_x else sizes,
    )  # fmt: skip
    return out, 0


def _dynamic_slice_lower(emit: Any, x: Any, *starts: Any, sizes: Ints) -> Any:
    starts = tuple(_lower_starts(emit, starts, _bounds(x.type.shape, sizes)))
    return emit.op(
        "stablehlo.dynamic_slice", x, *starts, attrs=f"slice_sizes = {emit.integers(sizes)}"
    )


dynamic_slice_p = Primitive(
    name="dynamic_slice", type=_dynamic_slice_type, jvp=_dynamic_slice_jvp,
    transpose=_dynamic_slice_transpose, batch=_dynamic_slice_batch, lower=_dynamic_slice_lower,
)  # fmt: skip


# --- dynamic_update_slice ---------------------------------------------------------------
@public
def dynamic_update_slice(x: Any, update: Any, *starts: Any) -> Any:
    """`x` with `update` in place of the part that begins at `starts`, moved inside as by `dynamic_slice`.

    >>> import fn, numpy as np
    >>> fn.ops.dynamic_update_slice(np.arange(5), np.array([9, 9]), 1).tolist()
    [0, 9, 9, 3, 4]
    """
    return bind(dynamic_update_slice_p, x, update, *starts)


def _dynamic_update_slice_type(x: ArrayType, update: ArrayType, *starts: ArrayType) -> ArrayType:
    _check_starts("dynamic_update_slice", x, starts)
    fits = update.dtype == x.dtype and update.ndim == x.ndim
    require(
        fits and all(n <= m for n, m in zip(update.shape, x.shape, strict=True)),
        "dynamic_update_slice: the update does not fit", got=types_text([x, update]),
        expected="an update of the array's dtype and rank, along no axis larger than it",
    )  # fmt: skip
    return ArrayType(x.shape, x.dtype, result_weak(x, update))


def _dynamic_update_slice_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    x, update, *starts = args
    tx, tu, *_ = tangents
    out = dynamic_update_slice(x, update, *starts)
    if tx is None and tu is None:
        return out, None
    tx, tu = (
        full(out.dtype.type(0), np.shape(a)) if t is None else t for a, t in ((x, tx), (update, tu))
    )
    return out, dynamic_update_slice(tx, tu, *starts)


def _dynamic_update_slice_transpose(ct: Any, x: Any, update: Any, *starts: Any) -> tuple[Any, ...]:
    shape = update.type.shape if isinstance(update, Linear) else np.shape(update)
    old = new = None
    if isinstance(x, Linear):
        old = dynamic_update_slice(ct, full(ct.dtype.type(0), shape), *starts)
    if isinstance(update, Linear):
        new = dynamic_slice(ct, *starts, sizes=shape)
    return old, new, *[None] * len(starts)


def _dynamic_update_slice_batch(axis: Any, args: Any, dims: Any) -> Batched:
    x, update = (
        broadcast(a, shape=(axis.size, *np.shape(a)), axes=tuple(range(1, np.ndim(a) + 1)))
        if d is None else move_axis(a, d, 0)
        for a, d in zip(args[:2], dims[:2], strict=True)
    )  # fmt: skip
    starts, start_dims = args[2:], dims[2:]
    bounds = _bounds(x.shape[1:], update.shape[1:])
    if not any(bounds):
        return update, 0
    if all(d is None for d in start_dims):
        return dynamic_update_slice(x, update, 0, *starts), 0
    indices, axes = _moving(starts, start_dims, bounds, axis.size)
    out = scatter_set(
        x, indices, update, update_window_axes=tuple(range(1, x.ndim)), inserted_axes=(),
        index_map=tuple([a + 1 for a in axes]), x_batch_axes=(0,), index_batch_axes=(0,),
        mode="promise", unique=True, sorted=True,
    )  # fmt: skip
    return out, 0


def _dynamic_update_slice_lower(emit: Any, x: Any, update: Any, *starts: Any) -> Any:
    starts = tuple(_lower_starts(emit, starts, _bounds(x.type.shape, update.type.shape)))
    return emit.op("stablehlo.dynamic_update_slice", x, update, *starts)


dynamic_update_slice_p = Primitive(
    name="dynamic_update_slice", type=_dynamic_update_slice_type, jvp=_dynamic_update_slice_jvp,
    transpose=_dynamic_update_slice_transpose, batch=_dynamic_update_slice_batch,
    lower=_dynamic_update_slice_lower,
)  # fmt: skip
