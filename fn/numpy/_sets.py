"""Arrays as sets: their distinct elements, and what two of them have in common.

Inside a trace `size` says how many distinct elements there are room for; see `_searching.py`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import fn.ops as ops
from fn.core import is_inexact
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import public
from fn.numpy._indexing import take
from fn.numpy._joining import concatenate
from fn.numpy._promotion import array, cast, literal, one_axis, promote
from fn.numpy._searching import flat_positions
from fn.numpy._sorting import searchsorted

# --- distinct elements ------------------------------------------------------------------


class _Sorted(NamedTuple):
    """The elements in order (rows, if the array has more axes), and where each run of equals begins."""

    values: Any
    order: Any
    first: Any


def _differ(a: Any, b: Any, equal_nan: bool) -> Any:
    out = ops.ne(a, b)
    if equal_nan and is_inexact(a.dtype):
        both = ops.logical_and(ops.ne(a, a), ops.ne(b, b))
        out = ops.logical_and(out, ops.logical_not(both))
    return out


def _sorted(x: Any, equal_nan: bool) -> _Sorted:
    n = x.shape[0]
    places = ops.iota(dtype=int_dtype(), shape=(n,), axis=0)
    if x.ndim == 1:
        values, order = ops.sort(x, places, axis=0, keys=1, stable=True)
        changes = _differ(
            ops.slice_axis(values, 1, n, 0), ops.slice_axis(values, 0, n - 1, 0), equal_nan
        )
    else:
        width = math.prod(x.shape[1:])
        rows = ops.reshape(x, shape=(n, width))
        columns = [ops.reshape(ops.slice_axis(rows, i, i + 1, 1), shape=(n,)) for i in range(width)]
        order = ops.sort(*columns, places, axis=0, keys=width, stable=True)[-1] if width else places
        values = take(x, order, 0, mode="clip")
        rows = ops.reshape(values, shape=(n, width))
        changes = ops.reduce_or(
            _differ(ops.slice_axis(rows, 1, n, 0), ops.slice_axis(rows, 0, n - 1, 0), equal_nan), axes=(1,)
        )  # fmt: skip
    return _Sorted(values, order, ops.concatenate(ops.full(True, (1,)), changes, axis=0))


@public
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements in rising order.

    Args:
        ar: array.
        return_index: also give where each occurs first.
        return_inverse: also give where each element of `ar` is in the result.
        return_counts: also give how often each occurs.
        axis: compare the parts along this axis instead of elements.
        equal_nan: whether all NaNs are one.
        size: how many to give. Needed inside a trace.
        fill_value: what stands where there are fewer; the smallest element by default.
        sorted: accepted for NumPy's sake; the result is always sorted.

    Returns:
        The elements, or a tuple of them and what else was asked for.

    >>> import fn.numpy as np
    >>> print(np.unique(np.array([3, 1, 3])))
    [1 3]
    """
    x = array("unique", ar)
    shape = x.shape
    place = 0 if axis is None else one_axis("unique", axis, x.ndim)
    x = ops.reshape(x, shape=(x.size,)) if axis is None else ops.move_axis(x, place, 0)
    n, kind = x.shape[0], int_dtype()
    if n == 0:
        return _of_nothing(x, shape, axis, size or 0, (return_index, return_inverse, return_counts))
    found = _sorted(x, equal_nan)
    places, there = flat_positions("unique", found.first, size)
    starts = places if there is None else ops.select(there, places, literal(0, kind))
    values = take(found.values, starts, 0, mode="clip")
    if there is not None and fill_value is not None:
        mask = ops.broadcast(there, shape=values.shape, axes=(0,))
        values = ops.select(mask, values, cast(fill_value, values.dtype))
    out = [ops.move_axis(values, 0, place)]
    if return_index:
        out.append(take(found.order, starts, 0, mode="clip"))
    if return_inverse:
        run = ops.sub(ops.cumsum(ops.convert(found.first, dtype=kind), axis=0), literal(1, kind))
        inverse = ops.scatter_set(
            ops.full(literal(0, kind), (n,)), ops.reshape(found.order, shape=(n, 1)), run,
            update_window_axes=(), index_map=(0,), inserted_axes=(0,), sorted=False, unique=True,
            mode="promise",
        )  # fmt: skip
        out.append(ops.reshape(inverse, shape=shape) if axis is None else inverse)
    if return_counts:
        ends = places if there is None else ops.select(there, places, literal(n, kind))
        ends = ops.concatenate(ends, ops.full(literal(n, kind), (1,)), axis=0)
        last = ends.shape[0]
        out.append(ops.sub(ops.slice_axis(ends, 1, last, 0), ops.slice_axis(ends, 0, last - 1, 0)))
    return tuple(out) if len(out) > 1 else out[0]


def _of_nothing(
    x: Any, shape: tuple[int, ...], axis: int | None, size: int, wanted: tuple[bool, bool, bool]
) -> Any:
    kind = int_dtype()
    values = ops.full(literal(0, x.dtype), (size, *x.shape[1:]))
    zeros = ops.full(literal(0, kind), (size,))
    inverse = ops.full(literal(0, kind), shape if axis is None else (0,))
    if axis is not None:
        values = ops.move_axis(values, 0, one_axis("unique", axis, x.ndim))
    parts = [p for p, w in zip((zeros, inverse, zeros), wanted, strict=True) if w]
    return (values, *parts) if parts else values


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Any
    inverse_indices: Any


@public
def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The distinct elements, where each occurs first, which one each element is, and how often they occur.

    Args:
        x: array; every NaN is one of its own.
        size, fill_value: as in `unique`.

    >>> import fn.numpy as np
    >>> print(np.unique_all(np.array([3, 1, 3])).counts)
    [1 2]
    """
    return UniqueAll(
        *unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    )


@public
def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The distinct elements, and how often they occur; see `unique_all`.

    >>> import fn.numpy as np
    >>> print(np.unique_counts(np.array([3, 1, 3])).counts)
    [1 2]
    """
    return UniqueCounts(
        *unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value)
    )


@public
def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The distinct elements, and which one each element is; see `unique_all`.

    >>> import fn.numpy as np
    >>> print(np.unique_inverse(np.array([3, 1, 3])).inverse_indices)
    [1 0 1]
    """
    return UniqueInverse(
        *unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value)
    )


@public
def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements in rising order; see `unique_all`.

    >>> import fn.numpy as np
    >>> print(np.unique_values(np.array([3, 1, 3])))
    [1 3]
    """
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# --- two sets ---------------------------------------------------------------------------


@public
def isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Any:
    """Whether each element is one of `test_elements`.

    Args:
        element: array of any shape.
        test_elements: array of any shape.
        assume_unique, method: accepted for JAX's sake.
        invert: whether it is none of them, instead.

    >>> import fn.numpy as np
    >>> print(np.isin(np.array([1, 2, 3]), np.array([3, 1])))
    [ True False  True]
    """
    x, y = _flat_pair("isin", element, test_elements)
    shape = array("isin", element).shape
    n, m = x.shape[0], y.shape[0]
    if m == 0:
        found = ops.full(False, (n,))
    elif n * m <= _COMPARED:
        both = (n, m)
        equal = ops.eq(
            ops.broadcast(x, shape=both, axes=(0,)), ops.broadcast(y, shape=both, axes=(1,))
        )
        found = ops.reduce_or(equal, axes=(1,))
    else:
        (ranked,) = ops.sort(y, axis=0, stable=False)
        found = ops.eq(take(ranked, searchsorted(ranked, x), 0, mode="clip"), x)
    found = ops.reshape(found, shape=shape)
    return ops.logical_not(found) if invert else found


# Up to so many pairs are compared one by one; beyond, searching a sorted array is faster.
_COMPARED = 1 << 16


def _flat_pair(name: str, a: Any, b: Any) -> tuple[Any, Any]:
    """Two arrays flattened, in one dtype."""
    x, y = array(name, a), array(name, b, 1)
    x, y = ops.reshape(x, shape=(x.size,)), ops.reshape(y, shape=(y.size,))
    x, y = promote(name, x, y)
    return x, y


def _kept(name: str, x: Any, keep: Any, size: int | None, fill_value: Any) -> tuple[Any, Any, Any]:
    """Of the distinct elements of `x` those with `keep(values)`; their places in `x`; which count."""
    if x.shape[0] == 0:
        nothing = ops.full(literal(0, int_dtype()), (size or 0,))
        return ops.full(literal(0, x.dtype), (size or 0,)), nothing, ops.lt(nothing, nothing)
    found = _sorted(x, True)
    places, there = flat_positions(name, ops.logical_and(found.first, keep(found.values)), size)
    starts = places if there is None else ops.select(there, places, literal(0, places.dtype))
    values = take(found.values, starts, 0, mode="clip")
    if there is not None and fill_value is not None:
        values = ops.select(there, values, cast(fill_value, values.dtype))
    elif there is not None and size:
        smallest = ops.reshape(ops.slice_axis(values, 0, 1, 0), shape=())
        values = ops.select(there, values, smallest)
    return values, take(found.order, starts, 0, mode="clip"), there


@public
def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of two arrays in rising order.

    Args:
        ar1, ar2: arrays, which are flattened.
        size: how many to give. Needed inside a trace.
        fill_value: what stands where there are fewer; the smallest by default.

    >>> import fn.numpy as np
    >>> print(np.union1d(np.array([3, 1]), np.array([2, 3])))
    [1 2 3]
    """
    return unique(concatenate([ar1, ar2], None), size=size, fill_value=fill_value)


@public
def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that two arrays have in common, in rising order.

    Args:
        ar1, ar2: arrays, which are flattened.
        assume_unique: accepted for NumPy's sake.
        return_indices: also give where they occur first in each.
        size: how many to give. Needed inside a trace.
        fill_value: what stands where there are fewer; the smallest by default.

    >>> import fn.numpy as np
    >>> print(np.intersect1d(np.array([3, 1, 2]), np.array([2, 3])))
    [2 3]
    """
    x, y = _flat_pair("intersect1d", ar1, ar2)
    values, first, there = _kept("intersect1d", x, lambda v: isin(v, y), size, fill_value)
    if not return_indices:
        return values
    places = ops.iota(dtype=int_dtype(), shape=y.shape, axis=0)
    ranked, order = ops.sort(y, places, axis=0, keys=1, stable=True)
    second = take(order, searchsorted(ranked, values), 0, mode="clip")
    if there is not None:
        first = ops.select(there, first, literal(x.size, first.dtype))
        second = ops.select(there, second, literal(y.size, second.dtype))
    return values, first, second


@public
def setdiff1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements of one array that are not in the other, in rising order; see `union1d`.

    >>> import fn.numpy as np
    >>> print(np.setdiff1d(np.array([3, 1, 2]), np.array([2])))
    [1 3]
    """
    if assume_unique and size is None:
        x, y = _flat_pair("setdiff1d", ar1, ar2)
        return take(x, flat_positions("setdiff1d", isin(x, y, invert=True), None)[0])
    x, y = _flat_pair("setdiff1d", ar1, ar2)
    fill = 0 if fill_value is None else fill_value
    return _kept("setdiff1d", x, lambda v: isin(v, y, invert=True), size, fill)[0]


@public
def setxor1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that are in just one of two arrays, in rising order; see `union1d`.

    >>> import fn.numpy as np
    >>> print(np.setxor1d(np.array([3, 1, 2]), np.array([2, 4])))
    [1 3 4]
    """
    x, y = _flat_pair("setxor1d", ar1, ar2)

    def in_one(v: Any) -> Any:
        return ops.ne(isin(v, x), isin(v, y))

    return _kept("setxor1d", concatenate([x, y]), in_one, size, fill_value)[0]
