"""Sorting and searching along an axis."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_inexact
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import public
from fn.numpy._promotion import array, like, match, one_axis

_BOOL = numpy.dtype(bool)


def _prepared(name: str, x: Any, axis: int | None) -> tuple[Any, int]:
    x = array(name, x)
    if axis is None:
        return ops.reshape(x, shape=(x.size,)), 0
    return x, one_axis(name, axis, x.ndim)


@public
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


@public
def argsort(a: Any, axis: int | None = -1, *, stable: bool = True, descending: bool = False) -> Any:
    """Positions of the elements in rising order along an axis.

    Args:
        a: array.
        axis: axis to sort along; None sorts the flattened array.
        stable: whether equal elements keep their order.
        descending: falling order instead.

    >>> import fn.numpy as np
    >>> print(np.argsort(np.array([30, 10, 20])))
    [1 2 0]
    """
    a, place = _prepared("argsort", a, axis)
    places = ops.iota(dtype=int_dtype(), shape=a.shape, axis=place)
    if descending:  # of equal elements the first stays first, so sort backwards and turn around
        a, places = ops.reverse(a, axes=(place,)), ops.reverse(places, axes=(place,))
    out = ops.sort(a, places, axis=place, keys=1, stable=stable)[1]
    return ops.reverse(out, axes=(place,)) if descending else out


@public
def searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    """Where to insert `v` into sorted `a` so that it stays sorted.

    Args:
        a: rising array of one axis.
        v: array or scalar of any shape.
        side: "left" for the first such place, "right" for the last.

    >>> import fn.numpy as np
    >>> print(np.searchsorted(np.array([1, 3, 5]), np.array([3, 4])))
    [1 2]
    """
    if side not in ("left", "right"):
        raise ArgumentError(
            "searchsorted: unknown side", expected="'left' or 'right'", got=repr(side)
        )
    a, v = array("searchsorted", a), array("searchsorted", v, 1)
    if a.ndim != 1:
        raise ArgumentError(
            "searchsorted: not one axis", expected="an array of one axis", got=f"shape {a.shape}"
        )
    shape, size = v.shape, a.size
    a, v = match("searchsorted", ops.reshape(a, shape=(1, size)), ops.reshape(v, shape=(v.size, 1)))
    # As many elements come before v as are less than it; NaN counts as the largest number.
    before = ops.lt(a, v) if side == "left" else ops.le(a, v)
    if is_inexact(a.dtype):
        after_all = ops.ne(v, v)
        before = ops.logical_or(
            before,
            ops.logical_and(after_all, ops.eq(a, a) if side == "left" else ops.eq(like(0, a), 0)),
        )
    return ops.reshape(
        ops.reduce_sum(ops.convert(before, dtype=int_dtype()), axes=(1,)), shape=shape
    )


@public
def lexsort(keys: Any, axis: int = -1) -> Any:
    """Positions that sort by several keys, the last of which counts most.

    >>> import fn.numpy as np
    >>> print(np.lexsort((np.array([2, 1, 0]), np.array([0, 1, 0]))))
    [2 0 1]
    """
    arrays = [array("lexsort", k, i) for i, k in enumerate(keys)]
    place = one_axis("lexsort", axis, arrays[0].ndim)
    places = ops.iota(dtype=int_dtype(), shape=arrays[0].shape, axis=place)
    return ops.sort(*reversed(arrays), places, axis=place, keys=len(arrays), stable=True)[-1]


@public
def flatnonzero(a: Any) -> Any:
    """Positions in the flattened array of the elements that are not zero; `a` must be known.

    >>> import fn.numpy as np
    >>> print(np.flatnonzero(np.array([3, 0, 5])))
    [0 2]
    """
    return array("flatnonzero", numpy.flatnonzero(numpy.asarray(a)))
