"""Ordering along an axis: sort and top_k, whose tangents are gathered by the order found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.core import ArrayType, Primitive, bind, is_complex, is_float, is_inexact, public
from fn.ops._gather import gather
from fn.ops._rules import require, require_axes, types_text
from fn.ops._shape import broadcast, expand, move_axis
from fn.ops._slicing import iota
from fn.ops._table import real


# --- take_along -------------------------------------------------------------------------
@public
def take_along(x: Any, indices: Any, *, axis: int, unique: bool = False) -> Any:
    """`out[.., i, ..] = x[.., indices[.., i, ..], ..]` along `axis`; other axes have equal sizes.

    Args:
        x: array to read from.
        indices: integers, all in the range of the axis.
        axis: the axis the indices run along.
        unique: promise that no element is taken twice.

    >>> import fn, numpy as np
    >>> fn.ops.take_along(np.array([10, 20, 30]), np.array([2, 0]), axis=0).tolist()
    [30, 10]
    """
    others = tuple([i for i in range(x.ndim) if i != axis])
    return gather(
        x, expand(indices, (x.ndim,)), offset_axes=(), collapsed_axes=(axis,), index_map=(axis,),
        x_batch_axes=others, index_batch_axes=others, mode="promise", unique=unique,
        slice_sizes=tuple([1 if i == axis else min(n, 1) for i, n in enumerate(x.shape)]),
    )  # fmt: skip


# --- sort -------------------------------------------------------------------------------
@public
def sort(*operands: Any, axis: int, keys: int = 1, stable: bool = True) -> tuple[Any, ...]:
    """Sort along `axis` by the first `keys` operands, and the others along with them.

    NaN comes last, -0 and 0 are equal, complex numbers go by real part, then imaginary part.

    Args:
        operands: arrays of one shape.
        axis: the axis to sort along.
        keys: how many operands are compared, the first one first.
        stable: whether elements with equal keys keep their order.

    Returns:
        A tuple with as many arrays as there are operands.

    >>> import fn, numpy as np
    >>> keys, along = fn.ops.sort(np.array([3, 1, 2]), np.array([30, 10, 20]), axis=0)
    >>> keys.tolist(), along.tolist()
    ([1, 2, 3], [10, 20, 30])
    """
    return tuple(bind(sort_p, *operands, axis=axis, keys=keys, stable=stable))


def _sort_type(*operands: ArrayType, axis: int, keys: int, stable: bool) -> tuple[ArrayType, ...]:
    require(1 <= keys <= len(operands), "sort: keys do not fit the operands",
            expected=f"1 to {len(operands)} keys", got=keys)  # fmt: skip
    require_axes("sort", (axis,), operands[0].ndim, operands[0])
    require(len({x.shape for x in operands}) == 1, "sort: the operands' shapes differ",
            expected="equal shapes", got=types_text(operands))  # fmt: skip
    return operands


def _sort_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    if all(t is None for t in tangents):
        return sort(*args, **params), (None,) * len(args)
    axis = params["axis"]
    *outs, order = sort(*args, iota(dtype=np.int32, shape=args[0].shape, axis=axis), **params)
    return tuple(outs), tuple(
        [None if t is None else take_along(t, order, axis=axis, unique=True) for t in tangents]
    )


def _sort_batch(axis_: Any, args: Any, dims: Any, *, axis: int, **params: Any) -> Any:
    if all(d == dims[0] for d in dims):
        return sort(*args, axis=axis + (axis >= dims[0]), **params), dims
    front = [
        broadcast(x, shape=(axis_.size, *x.shape), axes=tuple(range(1, x.ndim + 1)))
        if d is None else move_axis(x, d, 0)
        for x, d in zip(args, dims, strict=True)
    ]  # fmt: skip
    return sort(*front, axis=axis + 1, **params), (0,) * len(args)


def _sort_lower(emit: Any, *operands: Any, axis: int, keys: int, stable: bool) -> Any:
    shape, dtype = operands[0].type.shape, operands[0].type.dtype
    if 0 in shape:
        return operands
    small = dtype.itemsize <= 4 and not is_complex(dtype)
    # XLA sorts a lone array of integers on CPU several times faster than anything else.
    if emit.platform == "cpu" and keys == 1 and small and (len(operands) > 1 or is_float(dtype)):
        order = _packed_order(emit, operands[0], axis)
        return tuple([_arranged(emit, x, order, axis) for x in operands])
    scalars = [ArrayType((), x.type.dtype) for x in operands for _ in range(2)]
    body = emit.region(scalars, lambda *pairs: [_before(emit, pairs[: 2 * keys])])
    return emit.op(
        "stablehlo.sort", *operands, types=[ArrayType(shape, x.type.dtype) for x in operands],
        regions=[body], attrs=f"dimension = {axis} : i64, is_stable = {str(stable).lower()}",
    )  # fmt: skip


def _before(emit: Any, pairs: Sequence[Any]) -> Any:
    """Whether the left one of two tuples of scalars, given in pairs, comes first."""
    flags = ArrayType((), np.bool_)
    result = None
    for x, y in reversed(_comparable(emit, pairs)):
        less = _compare(emit, "LT", x, y)
        if result is None:
            result = less
        else:
            tie = emit.op("stablehlo.and", _compare(emit, "EQ", x, y), result, type=flags)
            result = emit.op("stablehlo.or", less, tie, type=flags)
    return result


def _comparable(emit: Any, pairs: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Pairs of real numbers whose total order is the order of the sort."""
    found = []
    for x, y in zip(pairs[::2], pairs[1::2], strict=True):
        if is_complex(x.type.dtype):
            half = ArrayType((), np.float32 if x.type.dtype == np.complex64 else np.float64)
            for part in ("stablehlo.real", "stablehlo.imag"):
                a, b = (_plain(emit, emit.op(part, v, type=half)) for v in (x, y))
                found.append((a, b))
        elif is_float(x.type.dtype):
            found.append((_plain(emit, x), _plain(emit, y)))
        else:
            found.append((x, y))
    return found


def _plain(emit: Any, x: Any) -> Any:
    """`x` with every zero positive and every NaN the same, so that bits order as values do."""
    zero, nan = (emit.constant(x.type.dtype.type(v), x.type) for v in (0, np.nan))
    x = emit.op(
        "stablehlo.select", _compare(emit, "EQ", x, zero, total=False), zero, x, type=x.type
    )
    return emit.op("stablehlo.select", _compare(emit, "NE", x, x, total=False), nan, x, type=x.type)


def _compare(emit: Any, direction: str, x: Any, y: Any, total: bool = True) -> Any:
    attrs = f"comparison_direction = #stablehlo<comparison_direction {direction}>"
    if total and is_float(x.type.dtype):
        attrs += ", compare_type = #stablehlo<comparison_type TOTALORDER>"
    return emit.op("stablehlo.compare", x, y, type=ArrayType(x.type.shape, np.bool_), attrs=attrs)


def _arranged(emit: Any, x: Any, order: Any, axis: int) -> Any:
    """`x` in another order along `axis`."""
    type = ArrayType(order.type.shape, x.type.dtype)
    others = [i for i in range(type.ndim) if i != axis]
    return emit.op(
        "stablehlo.gather", x, order, type=type,
        attrs=f"dimension_numbers = #stablehlo.gather<collapsed_slice_dims = [{axis}], "
        f"operand_batching_dims = {others}, start_indices_batching_dims = {others}, "
        f"start_index_map = [{axis}], index_vector_dim = {type.ndim}>, "
        f"slice_sizes = {emit.integers((1,) * type.ndim)}, indices_are_sorted = false",
    )  # fmt: skip


def _packed_order(emit: Any, x: Any, axis: int) -> Any:
    """The order that sorts `x`, by sorting 64-bit integers made of an element's rank and place."""
    shape = x.type.shape
    half = ArrayType(shape, np.int32)
    long = ArrayType(shape, np.uint64 if x.type.dtype == np.uint32 else np.int64)
    if is_float(x.type.dtype):
        wide = ArrayType(shape, np.float32)
        x = x if x.type.dtype == np.float32 else emit.op("stablehlo.convert", x, type=wide)
        x = emit.op("stablehlo.bitcast_convert", _plain(emit, x), type=half)
        # Negative floats order backwards as integers, so their bits are flipped.
        negative = _compare(emit, "LT", x, emit.constant(0, half))
        flipped = emit.op("stablehlo.xor", x, emit.constant(2**31 - 1, half), type=half)
        x = emit.op("stablehlo.select", negative, flipped, x, type=half)
    rank = emit.op("stablehlo.convert", x, type=long)
    rank = emit.op("stablehlo.shift_left", rank, emit.constant(32, long), type=long)
    place = emit.op("stablehlo.iota", type=long, attrs=f"iota_dimension = {axis} : i64")
    packed = emit.op("stablehlo.or", rank, place, type=long)
    scalar = ArrayType((), long.dtype)
    body = emit.region([scalar, scalar], lambda a, b: [_compare(emit, "LT", a, b)])
    packed = emit.op("stablehlo.sort", packed, type=long, regions=[body],
                     attrs=f"dimension = {axis} : i64, is_stable = false")  # fmt: skip
    return emit.op("stablehlo.convert", packed, type=half)


sort_p = Primitive(
    name="sort", type=_sort_type, jvp=_sort_jvp, transpose="it is not linear in its keys",
    batch=_sort_batch, lower=_sort_lower, multiple=True,
)  # fmt: skip


# --- top_k ------------------------------------------------------------------------------
@public
def top_k(x: Any, *, k: int, axis: int) -> tuple[Any, Any]:
    """The `k` largest along `axis`, largest first, and their positions; NaN counts as largest.

    Of equal elements the one with the lower position comes first.

    >>> import fn, numpy as np
    >>> values, places = fn.ops.top_k(np.array([3, 9, 4]), k=2, axis=0)
    >>> values.tolist(), places.tolist()
    ([9, 4], [1, 2])
    """
    values, indices = bind(top_k_p, x, k=k, axis=axis)
    return values, indices


def _top_k_type(x: ArrayType, *, k: int, axis: int) -> tuple[ArrayType, ArrayType]:
    require_axes("top_k", (axis,), x.ndim, x)
    require(real(x.dtype), "top_k: wrong dtype", expected="real numbers", got=types_text([x]))
    require(0 <= k <= x.shape[axis], "top_k: there are not so many elements",
            expected=f"k from 0 to {x.shape[axis]}", got=k)  # fmt: skip
    shape = (*x.shape[:axis], k, *x.shape[axis + 1 :])
    return x.with_shape(shape), ArrayType(shape, np.int32)


def _top_k_jvp(args: Any, tangents: Any, *, k: int, axis: int) -> tuple[Any, Any]:
    values, indices = top_k(args[0], k=k, axis=axis)
    (t,) = tangents
    t = None if t is None else take_along(t, indices, axis=axis, unique=True)
    return (values, indices), (t, None)


def _top_k_batch(axis_: Any, args: Any, dims: Any, *, k: int, axis: int) -> Any:
    return top_k(args[0], k=k, axis=axis + (axis >= dims[0])), (dims[0], dims[0])


def _top_k_lower(emit: Any, x: Any, *, k: int, axis: int) -> Any:
    types = emit.types
    if types[0].size == 0:
        return tuple([emit.constant(t.dtype.type(0), t) for t in types])
    # A NaN may carry a sign, which the comparison would heed.
    if is_inexact(x.type.dtype):
        nan = emit.constant(x.type.dtype.type(np.nan), x.type)
        x = emit.op(
            "stablehlo.select", _compare(emit, "NE", x, x, total=False), nan, x, type=x.type
        )
    order = list(range(x.type.ndim))
    order[axis], order[-1] = order[-1], order[axis]

    def swapped(value: Any) -> Any:
        type = ArrayType(tuple([value.type.shape[i] for i in order]), value.type.dtype)
        attrs = f"permutation = {emit.integers(order)}"
        return emit.op("stablehlo.transpose", value, type=type, attrs=attrs)

    x = swapped(x) if axis != order[axis] else x
    last = [ArrayType((*x.type.shape[:-1], k), t.dtype) for t in types]
    results = emit.op("chlo.top_k", x, types=last, attrs=f"k = {k} : i64")
    return tuple([swapped(r) if axis != order[axis] else r for r in results])


top_k_p = Primitive(
    name="top_k", type=_top_k_type, jvp=_top_k_jvp, transpose="it is not linear",
    batch=_top_k_batch, lower=_top_k_lower, multiple=True,
)  # fmt: skip
