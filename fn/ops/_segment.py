"""Segments: rows of an array combined by the number each belongs to. The names of `jax.ops`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fn.core import ArgumentError, ArrayType, ConcretizationError, is_integer, public, type_of
from fn.ops._gather import scatter_add
from fn.ops._reduce import reduce_max, reduce_min, reduce_prod
from fn.ops._rules import types_text
from fn.ops._scatter import scatter_max, scatter_min, scatter_mul
from fn.ops._shape import full, reduce_sum, reshape
from fn.ops._slicing import concatenate

_MODES = {
    None: "fill", "fill": "fill", "drop": "fill", "clip": "clip", "promise_in_bounds": "promise",
}  # fmt: skip


@public
def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: None = None,
) -> Any:
    """The sum of the rows of each segment; 0 for a segment without rows.

    Args:
        data: numbers, `[n, ...]`.
        segment_ids: integers `[n]`: the segment of each row.
        num_segments: how many there are; by default one more than the largest number, which has to be
            known then. Rows of other segments are dropped.
        indices_are_sorted: promise that `segment_ids` rise.
        unique_indices: promise that no segment has two rows.
        bucket_size: combine so many rows at a time, then what that gives, which rounds less.
        mode: what becomes of rows of other segments: "drop" (the default), "clip" for the first or last
            segment, or "promise_in_bounds": there are none.
        out_sharding: not taken.

    Returns:
        `[num_segments, ...]`.

    Raises:
        ArgumentError: if the arguments do not fit together.
        ConcretizationError: if `num_segments` is not given and `segment_ids` is traced.

    >>> import fn, fn.numpy as np
    >>> fn.ops.segment_sum(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    Array([5., 0., 2.], dtype=float32)
    """
    return _combine(
        "segment_sum", scatter_add, reduce_sum, lambda dtype: dtype.type(0), data, segment_ids,
        num_segments, indices_are_sorted, unique_indices, bucket_size, mode, out_sharding,
    )  # fmt: skip


@public
def segment_prod(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: None = None,
) -> Any:
    """The product of the rows of each segment; 1 for a segment without rows. See `segment_sum`.

    >>> import fn, fn.numpy as np
    >>> fn.ops.segment_prod(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    Array([4., 1., 2.], dtype=float32)
    """
    return _combine(
        "segment_prod", scatter_mul, reduce_prod, lambda dtype: dtype.type(1), data, segment_ids,
        num_segments, indices_are_sorted, unique_indices, bucket_size, mode, out_sharding,
    )  # fmt: skip


@public
def segment_max(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: None = None,
) -> Any:
    """The largest of the rows of each segment; the smallest number of the dtype without rows. See `segment_sum`.

    >>> import fn, fn.numpy as np
    >>> fn.ops.segment_max(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    Array([  4., -inf,   2.], dtype=float32)
    """
    return _combine(
        "segment_max", scatter_max, reduce_max, lambda dtype: _extreme(dtype, -1), data, segment_ids,
        num_segments, indices_are_sorted, unique_indices, bucket_size, mode, out_sharding,
    )  # fmt: skip


@public
def segment_min(
    data: Any,
    segment_ids: Any,
    num_segments: int | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    bucket_size: int | None = None,
    mode: Any = None,
    out_sharding: None = None,
) -> Any:
    """The smallest of the rows of each segment; the largest number of the dtype without rows. See `segment_sum`.

    >>> import fn, fn.numpy as np
    >>> fn.ops.segment_min(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    Array([ 1., inf,  2.], dtype=float32)
    """
    return _combine(
        "segment_min", scatter_min, reduce_min, lambda dtype: _extreme(dtype, 1), data, segment_ids,
        num_segments, indices_are_sorted, unique_indices, bucket_size, mode, out_sharding,
    )  # fmt: skip


def _extreme(dtype: np.dtype[Any], sign: int) -> Any:
    """The smallest number there is, or the largest."""
    if dtype == np.bool_:
        return np.bool_(sign > 0)
    if is_integer(dtype):
        info = ml_dtypes.iinfo(dtype)
        return dtype.type(int(info.max if sign > 0 else info.min))
    return dtype.type(sign * math.inf)


def _combine(
    name: str,
    scatter: Callable[..., Any],
    reduce: Callable[..., Any],
    neutral: Callable[[np.dtype[Any]], Any],
    data: Any,
    ids: Any,
    num_segments: int | None,
    is_sorted: bool,
    unique: bool,
    bucket_size: int | None,
    mode: Any,
    out_sharding: Any,
) -> Any:
    if out_sharding is not None:
        raise ArgumentError(
            f"{name}: out_sharding= is not taken", expected="None", got=type(out_sharding).__name__,
            fix="place the result with jax.device_put(x, sharding)",
        )  # fmt: skip
    rows, kind = _checked(name, data, ids)
    count = (
        _segments(name, ids) if num_segments is None else _whole(name, "num_segments", num_segments)
    )
    how = _mode(name, mode)
    n, rest = rows.shape[0], rows.shape[1:]
    if bucket_size is None:
        out = full(neutral(rows.dtype), (count, *rest))
        return scatter(
            out, reshape(ids, shape=(n, 1)), data, update_window_axes=tuple(range(1, rows.ndim)),
            inserted_axes=(0,), index_map=(0,), mode=how, unique=bool(unique), sorted=bool(is_sorted),
        )  # fmt: skip
    size = _whole(name, "bucket_size", bucket_size, 1)
    buckets = np.arange(n, dtype=kind.dtype) // kind.dtype.type(size)
    out = full(neutral(rows.dtype), (-(-n // size), count, *rest))
    places = concatenate(buckets.reshape(n, 1), reshape(ids, shape=(n, 1)), axis=1)
    parts = scatter(
        out, places, data, update_window_axes=tuple(range(1, rows.ndim)), inserted_axes=(0, 1),
        index_map=(0, 1), mode=how, unique=bool(unique), sorted=False,
    )  # fmt: skip
    return reduce(parts, axes=(0,))


def _checked(name: str, data: Any, ids: Any) -> tuple[ArrayType, ArrayType]:
    rows, kind = type_of(data), type_of(ids)
    found = [str(t or type(x).__name__) for t, x in ((rows, data), (kind, ids))]
    if rows is None or kind is None or not is_integer(kind.dtype):
        raise ArgumentError(
            f"{name}: not an array and the segments of its rows", got=" and ".join(found),
            expected="an array and integers",
        )  # fmt: skip
    if rows.ndim < 1 or kind.shape != rows.shape[:1]:
        raise ArgumentError(
            f"{name}: the segments do not fit the rows", got=types_text([rows, kind]),
            expected="one integer for each entry along the first axis",
        )  # fmt: skip
    return rows, kind


def _segments(name: str, ids: Any) -> int:
    """One more than the largest number."""
    try:
        values = np.asarray(ids)
    except ConcretizationError:
        raise ConcretizationError(
            f"{name}: how many segments there are is not known while tracing",
            expected="num_segments", got="None",
            fix=f"{name}(data, segment_ids, num_segments=n)",
        ) from None  # fmt: skip
    return max(0, int(values.max()) + 1) if values.size else 0


def _whole(name: str, argument: str, value: Any, least: int = 0) -> int:
    try:
        found = int(value.__index__())
    except (AttributeError, TypeError):
        found = -1
    if found < least:
        raise ArgumentError(
            f"{name}: {argument} is no count", expected=f"an integer from {least} up", got=repr(value)
        )  # fmt: skip
    return found


def _mode(name: str, mode: Any) -> str:
    given = (
        mode if mode is None or isinstance(mode, str) else str(getattr(mode, "name", mode)).lower()
    )
    given = "fill" if given == "fill_or_drop" else given
    if given not in _MODES:
        raise ArgumentError(
            f"{name}: unknown mode", expected='"drop", "clip" or "promise_in_bounds"', got=repr(mode)
        )  # fmt: skip
    return _MODES[given]
