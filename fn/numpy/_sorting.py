"""Sorting and searching along an axis."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_inexact
from fn.numpy._dtypes import int_dtype, result_type
from fn.numpy._habits import fused, public
from fn.numpy._indexing import take
from fn.numpy._promotion import DTypeLike, array, check_dtype, like, literal, one_axis, promote

_BOOL = numpy.dtype(bool)


def _prepared(name: str, x: Any, axis: int | None) -> tuple[Any, int]:
    x = array(name, x)
    if axis is None:
        return ops.reshape(x, shape=(x.size,)), 0
    return x, one_axis(name, axis, x.ndim)


@fused
def sort(a: Any, axis: int | None = -1, *, stable: bool = True, descending: bool = False) -> Any:
    """Elements in rising order along an axis; NaN comes last.

    Args:
        a: array.
        axis: axis to sort along; None sorts the flattened array.
        stable: whether equal elements keep their order.
        descending: falling order instead.

    >>> import fn.numpy as np
    >>> print(np.sort(np.array([3, 1, 2])))
    [1 2 3]
    """
    a, place = _prepared("sort", a, axis)
    (out,) = ops.sort(a, axis=place, stable=stable)
    return ops.reverse(out, axes=(place,)) if descending else out


@fused
def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    stable: bool = True,
    descending: bool = False,
    dtype: DTypeLike = None,
) -> Any:
    """Positions of the elements in rising order along an axis.

    Args:
        a: array.
        axis: axis to sort along; None sorts the flattened array.
        stable: whether equal elements keep their order.
        descending: falling order instead.
        dtype: integer dtype of the positions; `int` by default.

    >>> import fn.numpy as np
    >>> print(np.argsort(np.array([30, 10, 20])))
    [1 2 0]
    """
    a, place = _prepared("argsort", a, axis)
    kind = int_dtype() if dtype is None else check_dtype("argsort", dtype)
    places = ops.iota(dtype=kind, shape=a.shape, axis=place)
    if descending:  # of equal elements the first stays first, so sort backwards and turn around
        a, places = ops.reverse(a, axes=(place,)), ops.reverse(places, axes=(place,))
    out = ops.sort(a, places, axis=place, keys=1, stable=stable)[1]
    return ops.reverse(out, axes=(place,)) if descending else out


@fused
def searchsorted(
    a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan"
) -> Any:
    """Where to insert `v` into sorted `a` so that it stays sorted.

    Args:
        a: rising array of one axis.
        v: array or scalar of any shape.
        side: "left" for the first such place, "right" for the last.
        sorter: positions that sort `a`, which then need not be sorted.
        method: accepted for JAX's sake: elements are compared all at once.

    >>> import fn.numpy as np
    >>> print(np.searchsorted(np.array([1, 3, 5]), np.array([3, 4])))
    [1 2]
    """
    if side not in ("left", "right"):
        raise ArgumentError(
            "searchsorted: unknown side", expected="'left' or 'right'", got=repr(side)
        )
    a, v = array("searchsorted", a), array("searchsorted", v, 1)
    if sorter is not None:
        a = take(a, sorter)
    if a.ndim != 1:
        raise ArgumentError(
            "searchsorted: not one axis", expected="an array of one axis", got=f"shape {a.shape}"
        )
    a, v = promote("searchsorted", a, v)
    v = array("searchsorted", v)
    if a.size * v.size <= _COMPARED:
        out = _by_comparing(a, ops.reshape(v, shape=(v.size,)), side)
    else:
        out = _by_halving(a, ops.reshape(v, shape=(v.size,)), side)
    return ops.reshape(out, shape=v.shape)


# Up to so many pairs are compared at once; beyond, halving the array is faster.
_COMPARED = 1 << 16


def _before(a: Any, v: Any, side: str) -> Any:
    """Whether elements come before the places of `v`; NaN counts as the largest number."""
    before = ops.lt(a, v) if side == "left" else ops.le(a, v)
    if not is_inexact(a.dtype):
        return before
    number = ops.eq(a, a) if side == "left" else ops.eq(like(0, a), like(0, a))
    return ops.logical_or(before, ops.logical_and(ops.ne(v, v), number))


def _by_comparing(a: Any, v: Any, side: str) -> Any:
    shape = (v.size, a.size)
    a, v = ops.broadcast(a, shape=shape, axes=(1,)), ops.broadcast(v, shape=shape, axes=(0,))
    return ops.reduce_sum(ops.convert(_before(a, v, side), dtype=int_dtype()), axes=(1,))


def _by_halving(a: Any, v: Any, side: str) -> Any:
    """How many come before: bit by bit from the highest."""
    kind = int_dtype()
    out = ops.full(literal(0, kind), v.shape)
    for bit in reversed(range(a.size.bit_length())):
        more = ops.add(out, literal(1 << bit, kind))
        last = take(a, ops.sub(more, literal(1, kind)), mode="clip")
        fits = ops.logical_and(ops.le(more, literal(a.size, kind)), _before(last, v, side))
        out = ops.select(fits, more, out)
    return out


@fused
def lexsort(keys: Any, axis: int = -1, *, batch_size: int | None = None) -> Any:
    """Positions that sort by several keys, the last of which counts most.

    Args:
        keys: arrays of one shape.
        axis: the axis to sort along.
        batch_size: accepted for JAX's sake: the keys are sorted all at once.

    >>> import fn.numpy as np
    >>> print(np.lexsort((np.array([2, 1, 0]), np.array([0, 1, 0]))))
    [2 0 1]
    """
    arrays = [array("lexsort", k, i) for i, k in enumerate(keys)]
    place = one_axis("lexsort", axis, arrays[0].ndim)
    places = ops.iota(dtype=int_dtype(), shape=arrays[0].shape, axis=place)
    return ops.sort(*reversed(arrays), places, axis=place, keys=len(arrays), stable=True)[-1]


@fused
def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """`a` with the element in its place that sorting would put at `kth`, smaller ones before it.

    Args:
        a: array.
        kth: the position.
        axis: the axis.

    >>> import fn.numpy as np
    >>> print(np.partition(np.array([3, 1, 2]), 1)[1])
    2
    """
    x, place = _prepared("partition", a, axis)
    one_axis("partition", kth, x.shape[place], "kth")
    return sort(x, place)


@fused
def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """Positions of the elements as `partition` puts them.

    >>> import fn.numpy as np
    >>> print(np.argpartition(np.array([3, 1, 2]), 1)[1])
    2
    """
    x, place = _prepared("argpartition", a, axis)
    one_axis("argpartition", kth, x.shape[place], "kth")
    return argsort(x, place)


@public
def sort_complex(a: Any) -> Any:
    """The elements in rising order of their real, then imaginary parts, as complex numbers.

    >>> import fn.numpy as np
    >>> print(np.sort_complex(np.array([2., 1.])))
    [1.+0.j 2.+0.j]
    """
    x = sort(a)
    return ops.convert(x, dtype=result_type(x, complex))


@public
def top_k(a: Any, k: int, /, *, axis: int = -1, mode: str = "largest", sorted: bool = True) -> Any:
    """The `k` largest or smallest elements along an axis, the first of them first, and where they are.

    Args:
        a: array of real numbers.
        k: how many.
        axis: the axis.
        mode: "largest" or "smallest".
        sorted: accepted for NumPy's sake; the result is always sorted.

    >>> import fn.numpy as np
    >>> print(*np.top_k(np.array([3, 1, 2]), 2))
    [3 2] [0 2]
    """
    if mode not in ("largest", "smallest"):
        raise ArgumentError("top_k: unknown mode", expected="largest, smallest", got=repr(mode))
    x, place = _prepared("top_k", a, axis)
    if mode == "largest":
        return ops.top_k(x, k=k, axis=place)
    if not 0 <= k <= x.shape[place]:
        raise ArgumentError(
            "top_k: there are not so many elements",
            expected=f"k from 0 to {x.shape[place]}",
            got=str(k),
        )
    places = ops.iota(dtype=numpy.int32, shape=x.shape, axis=place)
    out = ops.sort(x, places, axis=place, keys=1, stable=True)
    return tuple([ops.slice_axis(v, 0, k, place) for v in out])
