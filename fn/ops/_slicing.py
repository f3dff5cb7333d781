"""Cutting and joining with bounds known while tracing: iota, slice with pad, concatenate."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.core import ArrayType, Linear, Primitive, bind, constant, linear, public
from fn.ops._elementwise import add, imag_part, make_complex, real_part
from fn.ops._rules import Batched, require, result_weak, types_text
from fn.ops._shape import broadcast, move_axis

Ints = tuple[int, ...]


# --- iota -------------------------------------------------------------------------------
@public
def iota(*, dtype: Any, shape: Ints, axis: int) -> Any:
    """0, 1, 2, … along `axis`, repeated along the others.

    >>> import fn, numpy as np
    >>> fn.ops.iota(dtype=np.int32, shape=(2, 3), axis=1).tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    return bind(iota_p, dtype=np.dtype(dtype), shape=shape, axis=axis)


def _iota_type(*, dtype: np.dtype[Any], shape: Ints, axis: int) -> ArrayType:
    require(0 <= axis < len(shape), "iota: no such axis", expected=f"an axis of {shape}", got=axis)
    require(dtype != np.bool_, "iota: wrong dtype", expected="numbers", got="bool")
    return ArrayType(shape, dtype)


def _iota_lower(emit: Any, *, dtype: np.dtype[Any], shape: Ints, axis: int) -> Any:
    return emit.op("stablehlo.iota", attrs=f"iota_dimension = {axis} : i64")


iota_p = Primitive(
    name="iota", type=_iota_type, jvp=constant, transpose="it has no operand",
    batch="it has no operand, so nothing about it can be batched", lower=_iota_lower,
)  # fmt: skip


# --- slice ------------------------------------------------------------------------------
@public
def slice(x: Any, *, starts: Ints, limits: Ints, strides: Ints) -> Any:
    """Elements from `starts` to before `limits` in steps of `strides`, per axis.

    >>> import fn, numpy as np
    >>> fn.ops.slice(np.arange(6), starts=(1,), limits=(6,), strides=(2,)).tolist()
    [1, 3, 5]
    """
    if not any(starts) and limits == x.shape and all(s == 1 for s in strides):
        return x
    return bind(slice_p, x, starts=starts, limits=limits, strides=strides)


@public
def slice_axis(x: Any, start: int, limit: int, axis: int, stride: int = 1) -> Any:
    """`slice` along one axis.

    >>> import fn, numpy as np
    >>> fn.ops.slice_axis(np.arange(6), 1, 4, 0).tolist()
    [1, 2, 3]
    """
    starts, limits, strides = [0] * x.ndim, list(x.shape), [1] * x.ndim
    starts[axis], limits[axis], strides[axis] = start, limit, stride
    return slice(x, starts=tuple(starts), limits=tuple(limits), strides=tuple(strides))


def _slice_type(x: ArrayType, *, starts: Ints, limits: Ints, strides: Ints) -> ArrayType:
    fits = len(starts) == len(limits) == len(strides) == x.ndim and all(
        0 <= a <= b <= n and s > 0
        for a, b, s, n in zip(starts, limits, strides, x.shape, strict=True)
    )
    require(
        fits, "slice: bounds do not fit the operand",
        expected="0 <= start <= limit <= size and a positive stride for each axis",
        got=f"{types_text([x])} from {starts} to {limits} in steps of {strides}",
    )  # fmt: skip
    bounds = zip(starts, limits, strides, strict=True)
    return x.with_shape(tuple([-(-(b - a) // s) for a, b, s in bounds]))


def _slice_transpose(
    ct: Any, x: Any, *, starts: Ints, limits: Ints, strides: Ints
) -> tuple[Any, ...]:
    taken = zip(ct.shape, starts, strides, strict=True)
    ends = [a + (n - 1) * s + 1 if n else a for n, a, s in taken]
    high = tuple([size - end for size, end in zip(x.type.shape, ends, strict=True)])
    # With nothing taken along an axis, interior padding must not count: there are no gaps.
    interior = tuple([s - 1 if n else 0 for n, s in zip(ct.shape, strides, strict=True)])
    return (pad(ct, value=0, low=starts, high=high, interior=interior),)


def _slice_batch(
    axis: Any, args: Any, dims: Any, *, starts: Ints, limits: Ints, strides: Ints
) -> Batched:
    x = move_axis(args[0], dims[0], 0)
    out = slice(x, starts=(0, *starts), limits=(axis.size, *limits), strides=(1, *strides))
    return out, 0


def _slice_lower(emit: Any, x: Any, *, starts: Ints, limits: Ints, strides: Ints) -> Any:
    return emit.op(
        "stablehlo.slice", x,
        attrs=f"start_indices = {emit.integers(starts)}, limit_indices = {emit.integers(limits)}, "
        f"strides = {emit.integers(strides)}",
    )  # fmt: skip


slice_p = Primitive(
    name="slice", type=_slice_type, jvp=linear, transpose=_slice_transpose, batch=_slice_batch,
    lower=_slice_lower,
)  # fmt: skip


# --- pad --------------------------------------------------------------------------------
@public
def pad(x: Any, *, value: Any, low: Ints, high: Ints, interior: Ints | None = None) -> Any:
    """`x` with `value` before, after and between its elements, per axis.

    `value` is a Python number. Negative `low` and `high` cut elements off, after the interior
    padding.

    >>> import fn, numpy as np
    >>> fn.ops.pad(np.array([1, 2]), value=0, low=(1,), high=(2,)).tolist()
    [0, 1, 2, 0, 0]
    """
    interior = (0,) * len(low) if interior is None else interior
    if not any(low) and not any(high) and not any(interior):
        return x
    if isinstance(value, complex):
        # A parameter must print and parse back, which complex numbers do not.
        sides = {"low": low, "high": high, "interior": interior}
        real = pad(real_part(x), value=value.real, **sides)
        return make_complex(real, pad(imag_part(x), value=value.imag, **sides))
    return bind(pad_p, x, value=value, low=low, high=high, interior=interior)


def _padded(n: int, low: int, high: int, interior: int) -> int:
    return n + max(n - 1, 0) * interior + low + high


def _pad_type(x: ArrayType, *, value: Any, low: Ints, high: Ints, interior: Ints) -> ArrayType:
    fits = len(low) == len(high) == len(interior) == x.ndim and all(i >= 0 for i in interior)
    shape = tuple(map(_padded, x.shape, low, high, interior)) if fits else ()
    require(
        fits and all(n >= 0 for n in shape), "pad: padding does not fit the operand",
        expected="low, high and interior >= 0 for each axis, and no negative size in the result",
        got=f"{types_text([x])} with low={low}, high={high}, interior={interior}",
    )  # fmt: skip
    require(
        isinstance(value, (bool, int, float)), "pad: the fill value is not a Python number",
        expected="a number known while tracing", got=type(value).__name__,
        fix="pad with 0 and use select to put another array's values there",
    )  # fmt: skip
    return x.with_shape(shape)


def _pad_jvp(t: Any, out: Any, x: Any, *, value: Any, low: Ints, high: Ints, interior: Ints) -> Any:
    return pad(t, value=0, low=low, high=high, interior=interior)


def _pad_transpose(
    ct: Any, x: Any, *, value: Any, low: Ints, high: Ints, interior: Ints
) -> tuple[Any, ...]:
    # First undo the edges, which may add zeros where padding was negative; then take every
    # (interior + 1)th element.
    back = pad(ct, value=0, low=tuple([-n for n in low]), high=tuple([-n for n in high]))
    strides = tuple([i + 1 for i in interior])
    return (slice(back, starts=(0,) * len(low), limits=back.shape, strides=strides),)


def _pad_batch(
    axis: Any, args: Any, dims: Any, *, value: Any, low: Ints, high: Ints, interior: Ints
) -> Batched:
    x = move_axis(args[0], dims[0], 0)
    return pad(x, value=value, low=(0, *low), high=(0, *high), interior=(0, *interior)), 0


def _pad_lower(emit: Any, x: Any, *, value: Any, low: Ints, high: Ints, interior: Ints) -> Any:
    return emit.op(
        "stablehlo.pad", x, emit.constant(value, ArrayType((), x.type.dtype)),
        attrs=f"edge_padding_low = {emit.integers(low)}, edge_padding_high = {emit.integers(high)}, "
        f"interior_padding = {emit.integers(interior)}",
    )  # fmt: skip


pad_p = Primitive(
    name="pad", type=_pad_type, jvp=(_pad_jvp,), transpose=_pad_transpose, batch=_pad_batch,
    lower=_pad_lower,
)  # fmt: skip


# --- concatenate ------------------------------------------------------------------------
@public
def concatenate(*xs: Any, axis: int) -> Any:
    """Join arrays of one dtype along an existing axis.

    >>> import fn, numpy as np
    >>> fn.ops.concatenate(np.array([1, 2]), np.array([3]), axis=0).tolist()
    [1, 2, 3]
    """
    return xs[0] if len(xs) == 1 else bind(concatenate_p, *xs, axis=axis)


def _concatenate_type(*xs: ArrayType, axis: int) -> ArrayType:
    first = xs[0] if xs else None
    fits = first is not None and 0 <= axis < first.ndim
    if first is not None and fits:
        rest = first.shape[:axis] + first.shape[axis + 1 :]
        fits = all(
            x.ndim == first.ndim and x.dtype == first.dtype
            and x.shape[:axis] + x.shape[axis + 1 :] == rest
            for x in xs
        )  # fmt: skip
    require(
        fits, "concatenate: the operands do not fit together",
        expected=f"one dtype, and equal shapes except along axis {axis}", got=types_text(xs),
    )  # fmt: skip
    shape = list(xs[0].shape)
    shape[axis] = sum(x.shape[axis] for x in xs)
    return ArrayType(tuple(shape), xs[0].dtype, result_weak(*xs))


def _concatenate_jvp(xs: Any, tangents: Any, *, axis: int) -> tuple[Any, Any]:
    out = concatenate(*xs, axis=axis)
    given = [t is not None for t in tangents]
    if not any(given):
        return out, None
    if all(given):
        return out, concatenate(*tangents, axis=axis)
    # Pad each tangent there is instead of making zeros for those there are not.
    total, start, size = None, 0, out.shape[axis]
    for x, t in zip(xs, tangents, strict=True):
        end = start + x.shape[axis]
        if t is not None:
            low, high = [0] * out.ndim, [0] * out.ndim
            low[axis], high[axis] = start, size - end
            piece = pad(t, value=0, low=tuple(low), high=tuple(high))
            total = piece if total is None else add(total, piece)
        start = end
    return out, total


def _concatenate_transpose(ct: Any, *xs: Any, axis: int) -> tuple[Any, ...]:
    cts, start = [], 0
    for x in xs:
        size = (x.type if isinstance(x, Linear) else x).shape[axis]
        linear_here = isinstance(x, Linear)
        cts.append(slice_axis(ct, start, start + size, axis) if linear_here else None)
        start += size
    return tuple(cts)


def _concatenate_batch(axis_: Any, xs: Any, dims: Any, *, axis: int) -> Batched:
    moved = [
        broadcast(x, shape=(axis_.size, *x.shape), axes=tuple(range(1, x.ndim + 1)))
        if d is None else move_axis(x, d, 0)
        for x, d in zip(xs, dims, strict=True)
    ]  # fmt: skip
    return concatenate(*moved, axis=axis + 1), 0


def _concatenate_lower(emit: Any, *xs: Any, axis: int) -> Any:
    return emit.op("stablehlo.concatenate", *xs, attrs=f"dimension = {axis} : i64")


concatenate_p = Primitive(
    name="concatenate", type=_concatenate_type, jvp=_concatenate_jvp, transpose=_concatenate_transpose,
    batch=_concatenate_batch, lower=_concatenate_lower,
)  # fmt: skip
