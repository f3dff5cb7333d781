"""Reading by index: `x[...]` in all of NumPy's forms, `take` and `take_along_axis`.

Indices known while tracing become slices; scalars that are not become one `dynamic_slice`; index
arrays become one `gather`. As in JAX, reading out of bounds gives the nearest element.
"""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_inexact, is_integer, type_of
from fn.numpy._habits import fused
from fn.numpy._index_parts import (
    Index,
    NewAxis,
    Part,
    Place,
    Range,
    from_front,
    join_vectors,
    take_apart,
)
from fn.numpy._promotion import Shape, array, literal, one_axis

MODES = {"fill": "fill", "drop": "fill", "clip": "clip", "promise_in_bounds": "promise"}


def read(
    name: str, x: Any, index: Any, mode: str | None = None, fill: Any = None, unique: bool = False
) -> Any:
    """`x[index]`, with a mode for index arrays."""
    plain = mode is None or mode == "promise_in_bounds"
    found = take_apart(name, x.shape, index, strict=plain)
    out_of_reach = not plain and any(
        isinstance(p, Place) and type(p.index) is int and not 0 <= p.index < x.shape[p.axis]
        for p in found.parts
    )
    if not found.has_arrays and not out_of_reach:
        return _basic(x, found)
    if (
        plain
        and found.block == ()
        and all(isinstance(p, (Place, NewAxis)) or p.step in (1, -1) for p in found.parts)
    ):
        return _dynamic(x, found)
    return _gathered(name, x, found, mode, fill, unique, out_of_reach)


def final_shape(found: Index, kept: Shape = ()) -> Shape:
    """Shape of the result: slices and new axes in place, the block of index arrays where it belongs."""
    shape: list[int] = []
    block_at = 0
    for i, part in enumerate(found.parts):
        if i == found.block_at:
            block_at = len(shape)
        if isinstance(part, Range):
            shape.append(part.length)
        elif isinstance(part, NewAxis):
            shape.append(1)
    shape[block_at:block_at] = found.block
    return tuple(shape)


def _basic(x: Any, found: Index) -> Any:
    """Slices and integers only: slice, reverse what runs backwards, drop and add axes."""
    x = _cut(x, found)
    return ops.reshape(x, shape=final_shape(found))


def _cut(x: Any, found: Index) -> Any:
    """The part of `x` that slices and integers leave, with all its axes."""
    starts, limits, strides = [0] * x.ndim, list(x.shape), [1] * x.ndim
    backwards = []
    for part in found.parts:
        if isinstance(part, Range):
            start, step, count = part.start, part.step, part.length
            if step < 0:
                start, step = start + (count - 1) * step, -step
                if count > 1:
                    backwards.append(part.axis)
            a = part.axis
            starts[a] = start if count else 0
            limits[a] = starts[a] + (count - 1) * step + 1 if count else 0
            strides[a] = step if count > 1 else 1
        elif isinstance(part, Place) and type(part.index) is int:
            starts[part.axis], limits[part.axis] = part.index, part.index + 1
    x = ops.slice(x, starts=tuple(starts), limits=tuple(limits), strides=tuple(strides))
    return ops.reverse(x, axes=tuple(backwards))


def _dynamic(x: Any, found: Index) -> Any:
    """Slices without steps and scalars: one dynamic_slice."""
    starts: list[Any] = [numpy.int32(0)] * x.ndim
    sizes, backwards = list(x.shape), []
    for part in found.parts:
        if isinstance(part, Range):
            forward = part.step > 0 or not part.length
            first = part.start if forward else part.start - part.length + 1
            starts[part.axis], sizes[part.axis] = numpy.int32(first), part.length
            if not forward:
                backwards.append(part.axis)
        elif isinstance(part, Place):
            index = part.index
            known = type(index) is int
            starts[part.axis] = (
                numpy.int32(index) if known else from_front(index, x.shape[part.axis])
            )
            sizes[part.axis] = 1
    kind = {s.dtype for s in starts if not isinstance(s, numpy.generic)}
    if len(kind) > 1 or kind != {numpy.dtype(numpy.int32)}:
        wide = numpy.dtype(numpy.int64 if any(k.itemsize == 8 for k in kind) else numpy.int32)
        starts = [
            wide.type(s) if isinstance(s, numpy.generic) else ops.convert(s, dtype=wide)
            for s in starts
        ]
    out = ops.reverse(ops.dynamic_slice(x, *starts, sizes=tuple(sizes)), axes=tuple(backwards))
    return ops.reshape(out, shape=final_shape(found))


def _gathered(
    name: str, x: Any, found: Index, mode: str | None, fill: Any, unique: bool, all_places: bool
) -> Any:
    """Index arrays: what slices leave of `x`, gathered from."""

    def moves(part: Part) -> bool:
        return isinstance(part, Place) and (all_places or type(part.index) is not int)

    dynamic = [p for p in found.parts if isinstance(p, Place) and moves(p)]
    static = Index(tuple([p for p in found.parts if not moves(p)]), (), 0)
    sizes = [x.shape[p.axis] for p in dynamic]
    x = _cut(x, static)
    gone = [p.axis for p in static.parts if isinstance(p, Place)]
    if gone:
        x = ops.reshape(x, shape=tuple([n for i, n in enumerate(x.shape) if i not in gone]))
    axes = tuple([p.axis - sum(g < p.axis for g in gone) for p in dynamic])
    vectors = join_vectors(name, [p.index for p in dynamic], sizes, found.block)
    block_at = _block_position(found)
    windows = x.ndim - len(axes)
    offset = tuple([i + len(found.block) * (i >= block_at) for i in range(windows)])
    out = ops.gather(
        x, vectors.values, offset_axes=offset, collapsed_axes=tuple(sorted(axes)), index_map=axes,
        slice_sizes=tuple([min(1, n) if i in axes else n for i, n in enumerate(x.shape)]),
        mode="promise" if vectors.inside else read_mode(name, mode), fill=filling(x.dtype, fill),
        unique=unique or vectors.unique,
    )  # fmt: skip
    return ops.reshape(out, shape=final_shape(found))


def _block_position(found: Index) -> int:
    """How many sliced axes come before the block of index arrays."""
    return sum(isinstance(p, Range) for p in found.parts[: found.block_at])


def read_mode(name: str, mode: str | None) -> str:
    """The gather mode for a mode of `x.at[...]`; clip by default."""
    if mode is None:
        return "clip"
    if mode not in MODES:
        raise ArgumentError(f"{name}: unknown mode", expected=", ".join(MODES), got=repr(mode))
    return MODES[mode]


def filling(dtype: numpy.dtype[Any], value: Any = None) -> Any:
    """What is read out of bounds in mode "fill": NaN, or the number least likely to be meant."""
    if value is not None:
        return numpy.asarray(value).astype(dtype).item() if not is_inexact(dtype) else float(value)
    if is_inexact(dtype):
        return math.nan
    if not is_integer(dtype):
        return 1
    limits = ml_dtypes.iinfo(dtype)
    return int(limits.min if dtype.kind == "i" else limits.max)


# --- functions --------------------------------------------------------------------------


@fused
def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """Elements of `a` at these positions along an axis; of the flattened array if `axis` is None.

    Args:
        a: array.
        indices: integers; negative ones count from the end.
        axis: axis to take along, which the axes of `indices` replace.
        mode: what is read out of bounds: "fill" (the default) a fill value, "clip" the nearest
            element, "wrap" counts on from the other end.
        unique_indices: promise that no element is taken twice.
        indices_are_sorted: promise that indices rise.
        fill_value: NaN by default, and for integers the number least likely to be meant.

    >>> import fn.numpy as np
    >>> print(np.take(np.array([10, 20, 30]), np.array([0, 2, -1])))
    [10 30 30]
    """
    a = array("take", a)
    if axis is None:
        a = ops.reshape(a, shape=(a.size,))
    place = 0 if axis is None else one_axis("take", axis, a.ndim)
    if isinstance(indices, int) and not isinstance(indices, bool):
        indices = numpy.int32(indices)
    found = type_of(indices)
    if isinstance(indices, (list, tuple)):
        indices = numpy.asarray(indices, numpy.int32)
    elif found is None or not is_integer(found.dtype):
        raise ArgumentError(
            "take: the indices are not integers",
            expected="integers",
            got=str(found or type(indices).__name__),
        )
    if mode in ("wrap", "clip"):
        indices = array("take", indices, 1)
        zero, size = literal(0, indices.dtype), literal(a.shape[place], indices.dtype)
        if mode == "clip":  # in this mode negative indices do not count from the end
            indices = ops.maximum(indices, zero)
        else:
            rest = ops.rem(indices, size)
            indices = ops.select(ops.lt(rest, zero), ops.add(rest, size), rest)
            mode = "promise_in_bounds"
    index = (*[slice(None)] * place, indices)
    return read("take", a, index, "fill" if mode is None else mode, fill_value, unique_indices)


@fused
def take_along_axis(
    arr: Any, indices: Any, axis: int | None = -1, mode: str | None = None, fill_value: Any = None
) -> Any:
    """For each line of `arr` along an axis, the elements at the positions in the same line of `indices`.

    Args:
        arr: array.
        indices: integers, of as many axes as `arr`, which broadcast with it along the others.
        axis: axis to take along; None takes from the flattened array.
        mode: what is read out of bounds: "fill" (the default) a fill value, or "clip" the nearest.
        fill_value: NaN by default, and for integers the number least likely to be meant.

    >>> import fn.numpy as np
    >>> x = np.array([[10, 30, 20], [6, 5, 4]])
    >>> print(np.take_along_axis(x, np.argsort(x, axis=1), axis=1))
    [[10 20 30]
     [ 4  5  6]]
    """
    arr, indices = array("take_along_axis", arr), array("take_along_axis", indices, 1)
    if axis is None:
        arr, axis = ops.reshape(arr, shape=(arr.size,)), 0
    place = one_axis("take_along_axis", axis, arr.ndim)
    if not is_integer(indices.dtype) or indices.ndim != arr.ndim:
        raise ArgumentError(
            "take_along_axis: the indices do not fit", expected=f"integers of {arr.ndim} axes",
            got=f"{indices.dtype}{list(indices.shape)}",
        )  # fmt: skip
    arr, indices = _lined_up(arr, indices, place)
    others = tuple([i for i in range(arr.ndim) if i != place])
    return ops.gather(
        arr, ops.expand(from_front(indices, arr.shape[place]), (arr.ndim,)), offset_axes=(),
        collapsed_axes=(place,), index_map=(place,), x_batch_axes=others, index_batch_axes=others,
        mode=read_mode("take_along_axis", mode or "fill"), fill=filling(arr.dtype, fill_value),
        slice_sizes=tuple([min(1, n) for n in arr.shape]),
    )  # fmt: skip


def _lined_up(x: Any, indices: Any, axis: int) -> tuple[Any, Any]:
    """Both with equal sizes along all axes but one."""
    out = []
    for a, b in ((x, indices), (indices, x)):
        shape = tuple([
            n if i == axis or n == m or m == 1 else m
            for i, (n, m) in enumerate(zip(a.shape, b.shape, strict=True))
        ])  # fmt: skip
        out.append(a if shape == a.shape else _repeated(a, shape))
    return out[0], out[1]


def _repeated(x: Any, shape: Shape) -> Any:
    axes = tuple([i for i, n in enumerate(x.shape) if n == shape[i]])
    kept = tuple([shape[i] for i in axes])
    if math.prod(kept) != x.size:
        raise ArgumentError(
            "take_along_axis: array and indices do not broadcast together", got=f"{x.shape} and {shape}",
            expected="along all axes but one, equal sizes or 1",
        )  # fmt: skip
    return ops.broadcast(ops.reshape(x, shape=kept), shape=shape, axes=axes)
