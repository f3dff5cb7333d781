"""Reading and adding at computed places: gather with scatter_add, and what every scatter is made of."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fn.core import ArrayType, Linear, Primitive, bind, dtype_name, is_inexact, is_integer, public
from fn.ops._placement import (
    Ints,
    Placement,
    as_gather,
    as_scatter,
    clip_indices,
    inside,
    wide_indices,
)
from fn.ops._rules import Batched, require, result_weak, types_text
from fn.ops._shape import broadcast, full, move_axis
from fn.ops._table import Kind, number, ordered


# --- gather -----------------------------------------------------------------------------
@public
def gather(
    x: Any,
    indices: Any,
    *,
    offset_axes: Ints,
    collapsed_axes: Ints,
    index_map: Ints,
    x_batch_axes: Ints = (),
    index_batch_axes: Ints = (),
    slice_sizes: Ints,
    mode: str = "fill",
    fill: Any = 0,
    unique: bool = False,
    sorted: bool = False,
) -> Any:
    """Placement of `x` that start at `indices`; the transpose of `scatter_add`.

    Args:
        x: array to read from.
        indices: integers. The last axis holds index vectors; the others become axes of the result.
        offset_axes: axes of the result that run through a window, rising.
        collapsed_axes: axes of `x`, rising, of window size one, which the result does not have.
        index_map: axis of `x` that each component of an index vector moves along.
        x_batch_axes: axes of `x`, rising, that pair with `index_batch_axes`: entry `i` of `indices`
            reads in entry `i` of `x`.
        index_batch_axes: axes of `indices`.
        slice_sizes: size of a window along each axis of `x`.
        mode: what becomes of a window that is not wholly inside: "fill" fills it with `fill`, "clip"
            moves it inside, "promise" says there is none.
        fill: a real Python number.
        unique: promise that windows do not overlap.
        sorted: promise that index vectors rise in lexicographic order.

    >>> import fn, numpy as np
    >>> x, rows = np.arange(6).reshape(3, 2), np.array([[2], [0]])
    >>> fn.ops.gather(
    ...     x, rows, offset_axes=(1,), collapsed_axes=(0,), index_map=(0,), slice_sizes=(1, 2)
    ... ).tolist()
    [[4, 5], [0, 1]]
    """
    # A NaN is not equal to itself, and a program that holds one would not be either.
    fill = "nan" if isinstance(fill, float) and math.isnan(fill) else fill
    return bind(
        gather_p, x, indices, offset_axes=offset_axes, collapsed_axes=collapsed_axes, index_map=index_map,
        x_batch_axes=x_batch_axes, index_batch_axes=index_batch_axes, slice_sizes=slice_sizes, mode=mode,
        fill=fill, unique=unique, sorted=sorted,
    )  # fmt: skip


def _gather_type(
    x: ArrayType, indices: ArrayType, *, slice_sizes: Ints, fill: Any, **params: Any
) -> ArrayType:
    placed, places = Placement.of(params), indices.shape[:-1]
    placed.check("gather", x, indices, params["mode"])
    fits = len(slice_sizes) == x.ndim and all(
        n >= 0 and (n <= size or 0 in places)
        and (n == 1 or a not in placed.dropped) and (n == min(size, 1) or a not in placed.x_batch)
        for a, (n, size) in enumerate(zip(slice_sizes, x.shape, strict=True))
    )  # fmt: skip
    require(
        fits, "gather: slice_sizes do not fit", got=f"{slice_sizes} for {types_text([x])}",
        expected="a size from 0 to that of each axis, 1 along collapsed and batch axes",
    )  # fmt: skip
    require(
        _fits(fill, x.dtype), "gather: the fill value does not fit the array", got=repr(fill),
        expected=f"a real Python number that {dtype_name(x.dtype)} can hold",
    )  # fmt: skip
    return x.with_shape(placed.updates(slice_sizes, places))


def _fits(fill: Any, dtype: np.dtype[Any]) -> bool:
    if fill == "nan" or isinstance(fill, float):
        return is_inexact(dtype)
    if isinstance(fill, int) and is_integer(dtype):
        return bool(np.array(fill).astype(dtype) == fill)
    return isinstance(fill, int) and (dtype != np.bool_ or fill in (0, 1))


def _gather_jvp(t: Any, out: Any, x: Any, indices: Any, **params: Any) -> Any:
    return gather(t, indices, **{**params, "fill": 0})


def _gather_transpose(ct: Any, x: Any, indices: Any, **params: Any) -> tuple[Any, ...]:
    return scatter_add(zeros(x.type.shape, x.type.dtype), indices, ct, **as_scatter(params)), None


def _gather_batch(
    axis: Any, args: Any, dims: Any, *, slice_sizes: Ints, fill: Any, **params: Any
) -> Batched:
    x, indices = (a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True))
    with_x, with_indices = (d is not None for d in dims)
    if with_x:
        slice_sizes = (min(axis.size, 1) if with_indices else axis.size, *slice_sizes)
    else:  # two entries may read the same window
        params |= {"unique": False, "sorted": False}
    params = as_gather(params, Placement.of(params).batched(with_x, with_indices))
    return gather(x, indices, slice_sizes=slice_sizes, fill=fill, **params), 0


def _gather_lower(
    emit: Any,
    x: Any,
    indices: Any,
    *,
    slice_sizes: Ints,
    fill: Any,
    mode: str,
    sorted: bool,
    **params: Any,
) -> Any:
    out, placed = emit.type, Placement.of(params)
    if out.size == 0:
        return emit.constant(0, out)
    indices = wide_indices(emit, indices)
    window, dropped, index_map, x_batch, index_batch = (list(axes) for axes in placed)
    read = emit.op(
        "stablehlo.gather", x, indices,
        attrs=f"dimension_numbers = #stablehlo.gather<offset_dims = {window}, "
        f"collapsed_slice_dims = {dropped}, operand_batching_dims = {x_batch}, "
        f"start_indices_batching_dims = {index_batch}, start_index_map = {index_map}, "
        f"index_vector_dim = {indices.type.ndim - 1}>, slice_sizes = {emit.integers(slice_sizes)}, "
        f"indices_are_sorted = {str(sorted).lower()}",
    )  # fmt: skip
    # StableHLO clips by itself.
    if mode != "fill" or not index_map:
        return read
    valid = inside(emit, indices, placed.bounds(x.type.shape, slice_sizes))
    places = [a for a in range(out.ndim) if a not in window]
    filling = emit.constant(math.nan if fill == "nan" else fill, out)
    return emit.op("stablehlo.select", emit.broadcast(valid, out.shape, places), read, filling)


gather_p = Primitive(
    name="gather", type=_gather_type, jvp=(_gather_jvp, None), transpose=_gather_transpose,
    batch=_gather_batch, lower=_gather_lower,
)  # fmt: skip


def read_back(x: Any, indices: Any, updates: Ints, params: dict[str, Any]) -> Any:
    """What `x` holds where a scatter of updates of this shape writes; 0 for updates it drops."""
    sizes = Placement.of(params).sizes(x.shape, updates)
    return gather(x, indices, slice_sizes=sizes, **as_gather(params))


def zeros(shape: Ints, dtype: np.dtype[Any]) -> Any:
    """Zeros to scatter into."""
    return full(dtype.type(0), shape)


# --- what every scatter is made of ------------------------------------------------------
def scatter_primitive(
    name: str,
    combine: str | None,
    *,
    kind: Kind,
    jvp: Callable[..., Any],
    transpose: Callable[..., Any] | str,
) -> Primitive:
    """A scatter. `combine` is the StableHLO operation of old and new element; None keeps the new one."""

    def type_rule(x: ArrayType, indices: ArrayType, updates: ArrayType, **params: Any) -> ArrayType:
        return _scatter_type(name, kind, x, indices, updates, params)

    def batch(axis: Any, args: Any, dims: Any, **params: Any) -> Batched:
        x, updates = (
            move_axis(a, d, 0) if d is not None
            else broadcast(a, shape=(axis.size, *np.shape(a)), axes=tuple(range(1, np.ndim(a) + 1)))
            for a, d in zip((args[0], args[2]), (dims[0], dims[2]), strict=True)
        )  # fmt: skip
        indices = args[1] if dims[1] is None else move_axis(args[1], dims[1], 0)
        params = as_scatter(params, Placement.of(params).batched(True, dims[1] is not None))
        return bind(primitive, x, indices, updates, **params), 0

    def lower(emit: Any, x: Any, indices: Any, updates: Any, **params: Any) -> Any:
        return _scatter_lower(emit, x, indices, updates, combine, params)

    primitive = Primitive(
        name=name, type=type_rule, jvp=jvp, transpose=transpose, batch=batch, lower=lower
    )
    return primitive


def _scatter_type(
    name: str,
    kind: Kind,
    x: ArrayType,
    indices: ArrayType,
    updates: ArrayType,
    params: dict[str, Any],
) -> ArrayType:
    placed, got = Placement.of(params), types_text([x, indices, updates])
    placed.check(name, x, indices, params["mode"])
    extra = ", numbers" if kind is number else ", not complex" if kind is ordered else ""
    require(
        x.dtype == updates.dtype and kind(x.dtype), f"{name}: wrong dtypes", got=got,
        expected=f"array and updates of one dtype{extra}",
    )  # fmt: skip
    most = placed.updates(x.shape, indices.shape[:-1])
    fits = updates.ndim == len(most) and all(
        n == m or (n < m and a in placed.window)
        for a, (n, m) in enumerate(zip(updates.shape, most, strict=True))
    )
    require(
        fits, f"{name}: the updates do not fit", got=got,
        expected=f"updates of shape {most}, or smaller along the window axes {placed.window}",
    )  # fmt: skip
    return ArrayType(x.shape, x.dtype, result_weak(x, updates))


def _scatter_lower(
    emit: Any, x: Any, indices: Any, updates: Any, combine: str | None, params: dict[str, Any]
) -> Any:
    if x.type.size == 0 or updates.type.size == 0:
        return x
    placed, indices = Placement.of(params), wide_indices(emit, indices)
    # StableHLO drops what is not wholly inside by itself.
    if params["mode"] == "clip" and placed.index_map:
        sizes = placed.sizes(x.type.shape, updates.type.shape)
        indices = clip_indices(emit, indices, placed.bounds(x.type.shape, sizes))
    if (
        emit.platform not in ("cuda", "rocm")
        or x.type.dtype != np.complex128
        or combine == "multiply"
    ):
        return _emit_scatter(emit, x, indices, updates, combine, params)
    # GPUs have no atomic operation on 128 bits; the halves are independent.
    halves = []
    for part in ("stablehlo.real", "stablehlo.imag"):
        a, b = (emit.op(part, v, type=v.type.with_dtype(np.float64)) for v in (x, updates))
        halves.append(_emit_scatter(emit, a, indices, b, combine, params))
    return emit.op("stablehlo.complex", *halves)


def _emit_scatter(
    emit: Any, x: Any, indices: Any, updates: Any, combine: str | None, params: dict[str, Any]
) -> Any:
    window, dropped, index_map, x_batch, index_batch = (list(axes) for axes in Placement.of(params))
    scalar = ArrayType((), x.type.dtype)

    def body(old: Any, new: Any) -> list[Any]:
        return [emit.op(f"stablehlo.{combine}", old, new, type=scalar) if combine else new]

    return emit.op(
        "stablehlo.scatter", x, indices, updates, type=x.type, regions=[emit.region([scalar, scalar], body)],
        attrs=f"scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = {window}, "
        f"inserted_window_dims = {dropped}, input_batching_dims = {x_batch}, "
        f"scatter_indices_batching_dims = {index_batch}, scatter_dims_to_operand_dims = {index_map}, "
        f"index_vector_dim = {indices.type.ndim - 1}>, "
        f"indices_are_sorted = {str(params['sorted']).lower()}, "
        f"unique_indices = {str(params['unique']).lower()}",
    )  # fmt: skip


def scatter_op(primitive: Primitive, doc: str, middle: int) -> Callable[..., Any]:
    """The public function of a scatter; `middle` is what its example puts at index 1."""

    def op(
        x: Any,
        indices: Any,
        updates: Any,
        *,
        update_window_axes: Ints,
        inserted_axes: Ints,
        index_map: Ints,
        x_batch_axes: Ints = (),
        index_batch_axes: Ints = (),
        mode: str = "fill",
        unique: bool = False,
        sorted: bool = False,
    ) -> Any:
        return bind(
            primitive, x, indices, updates, update_window_axes=update_window_axes,
            inserted_axes=inserted_axes, index_map=index_map, x_batch_axes=x_batch_axes,
            index_batch_axes=index_batch_axes, mode=mode, unique=unique, sorted=sorted,
        )  # fmt: skip

    op.__name__ = op.__qualname__ = primitive.name
    op.__doc__ = f"""{doc}

    The parameters are those of `gather`, with `update_window_axes` for `offset_axes`, axes of
    `updates`, and `inserted_axes` for `collapsed_axes`. Mode "fill" drops updates that are not wholly
    inside.

    >>> import fn, numpy as np
    >>> x, indices, updates = np.array([5, 8, 5]), np.array([[1]]), np.array([7])
    >>> fn.ops.{primitive.name}(
    ...     x, indices, updates, update_window_axes=(), inserted_axes=(0,), index_map=(0,)
    ... ).tolist()
    [5, {middle}, 5]
    """
    return op


# --- scatter_add ------------------------------------------------------------------------
def _scatter_add_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    x, indices, updates = args
    tx, _, tu = tangents
    out = scatter_add(x, indices, updates, **params)
    if tu is None:
        return out, tx
    return out, scatter_add(
        zeros(out.shape, out.dtype) if tx is None else tx, indices, tu, **params
    )


def _scatter_add_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> tuple[Any, ...]:
    back = (
        read_back(ct, indices, updates.type.shape, params) if isinstance(updates, Linear) else None
    )
    return ct if isinstance(x, Linear) else None, None, back


scatter_add_p = scatter_primitive(
    "scatter_add", "add", kind=number, jvp=_scatter_add_jvp, transpose=_scatter_add_transpose
)
scatter_add = scatter_op(scatter_add_p, "`x` with `updates` added to its windows at `indices`.", 15)
