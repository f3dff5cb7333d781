"""Reducing axes: sums, products, means, extremes and where they are, and running ones."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy

import fn.ops as ops
from fn.core import ArgumentError, canonical_dtype, dtype_name, is_complex, is_float, is_integer
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import fused
from fn.numpy._logic import truth
from fn.numpy._promotion import (
    Axis,
    DTypeLike,
    array,
    cast,
    check_dtype,
    like,
    literal,
    match,
    one_axis,
    some_axes,
    spread,
)
from fn.numpy._rows import as_floating

_BOOL = numpy.dtype(bool)


# --- what reductions share --------------------------------------------------------------


def _kept(out: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """`out` with the reduced axes back as axes of size 1, if they are to be kept."""
    return ops.expand(out, axes) if keepdims and axes else out


def _count(x: Any, axes: tuple[int, ...]) -> int:
    return math.prod([x.shape[a] for a in axes])


def _masked(name: str, x: Any, where: Any, neutral: Any) -> Any:
    """`x` with `neutral` where it does not count."""
    if where is None:
        return x
    where, x = spread(name, truth(name, where), x)
    return ops.select(where, x, like(neutral, x))


def sum_dtype(dtype: numpy.dtype[Any]) -> numpy.dtype[Any]:
    """Small integers and booleans are added up in a whole word."""
    if dtype == _BOOL or dtype.kind == "i":
        word = int_dtype()
    elif is_integer(dtype):
        word = canonical_dtype(numpy.uint64)
    else:
        return dtype
    return word if word.itemsize > dtype.itemsize else dtype


def _total(x: Any, axes: tuple[int, ...], op: Callable[..., Any] = ops.reduce_sum) -> Any:
    """A sum or product, at least in single precision."""
    if not axes:
        return x
    if is_float(x.dtype) and x.dtype.itemsize < 4:
        return ops.convert(op(ops.convert(x, dtype=numpy.float32), axes=axes), dtype=x.dtype)
    return op(x, axes=axes)


def _reduce(
    name: str,
    op: Callable[..., Any],
    x: Any,
    axis: Axis,
    dtype: DTypeLike,
    keepdims: bool,
    where: Any,
    neutral: int,
    initial: Any,
    join: Callable[[Any, Any], Any],
) -> Any:
    x = array(name, x)
    axes = some_axes(name, axis, x.ndim)
    target = sum_dtype(x.dtype) if dtype is None else check_dtype(name, dtype)
    if target != x.dtype:
        x = ops.convert(x, dtype=target)
    out = _kept(_total(_masked(name, x, where, neutral), axes, op), axes, keepdims)
    return out if initial is None else join(out, cast(initial, target))


# --- sums and products ------------------------------------------------------------------


@fused
def sum(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """Sum over axes.

    Args:
        a: array; small integers and booleans are added up in a whole word.
        axis: an axis, several, or None for all.
        dtype: dtype of the sum and the result.
        keepdims: keep the summed axes, with size 1.
        initial: scalar to add to the result.
        where: mask of the elements that count.
        promote_integers: whether small integers are added up in a whole word, when dtype is None.

    >>> import fn.numpy as np
    >>> print(np.sum(np.ones((2, 3)), axis=0))
    [2. 2. 2.]
    """
    if dtype is None and not promote_integers:
        dtype = array("sum", a).dtype
    return _reduce("sum", ops.reduce_sum, a, axis, dtype, keepdims, where, 0, initial, ops.add)


@fused
def prod(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """Product over axes; the arguments are those of `sum`.

    >>> import fn.numpy as np
    >>> print(np.prod(np.array([2., 3.])))
    6.0
    """
    if dtype is None and not promote_integers:
        dtype = array("prod", a).dtype
    return _reduce("prod", ops.reduce_prod, a, axis, dtype, keepdims, where, 1, initial, ops.mul)


@fused
def mean(
    a: Any, axis: Axis = None, dtype: DTypeLike = None, keepdims: bool = False, where: Any = None
) -> Any:
    """Mean over axes, floating.

    Args:
        a: array.
        axis: an axis, several, or None for all.
        dtype: dtype of the result; that of `a` if floating.
        keepdims: keep the axes, with size 1.
        where: mask of the elements that count.

    >>> import fn.numpy as np
    >>> print(np.mean(np.array([[1., 2.], [3., 4.]]), axis=1))
    [1.5 3.5]
    """
    a = array("mean", a)
    axes = some_axes("mean", axis, a.ndim)
    if dtype is not None:
        a = ops.convert(a, dtype=check_dtype("mean", dtype))
    a = as_floating("mean", a)
    target = a.dtype
    wide = ops.convert(a, dtype=numpy.float32) if target.itemsize < 4 else a
    if where is None:
        out = ops.div(ops.reduce_sum(wide, axes=axes), literal(_count(a, axes), wide.dtype))
    else:
        total = ops.reduce_sum(_masked("mean", wide, where, 0), axes=axes)
        out = ops.div(total, _how_many("mean", where, a, axes, wide.dtype))
    return _kept(out if out.dtype == target else ops.convert(out, dtype=target), axes, keepdims)


def _how_many(name: str, where: Any, x: Any, axes: tuple[int, ...], dtype: Any) -> Any:
    """How many elements of `x` count, as numbers to divide by."""
    where = truth(name, where)
    if where.shape != x.shape:
        where = ops.select(
            spread(name, where, x)[0], ops.full(literal(True, _BOOL), x.shape), False
        )
    return ops.reduce_sum(ops.convert(where, dtype=dtype), axes=axes)


_mean = mean


@fused
def average(
    a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """Weighted mean over axes.

    Args:
        a: array.
        axis: an axis, several, or None for all.
        weights: array that broadcasts with `a`, or of one axis to go along `axis`.
        returned: whether to return the sum of the weights as well.
        keepdims: keep the axes, with size 1.

    >>> import fn.numpy as np
    >>> print(np.average(np.array([1., 3.]), weights=np.array([3., 1.])))
    1.5
    """
    a = array("average", a)
    axes = some_axes("average", axis, a.ndim)
    if weights is None:
        out = mean(a, axes, keepdims=keepdims)
        total = ops.full(literal(_count(a, axes), out.dtype), out.shape)
        return (out, total) if returned else out
    weights = array("average", weights, 1)
    if weights.ndim == 1 and a.ndim > 1 and len(axes) == 1:
        weights = ops.reshape(weights, shape=(weights.size, *[1] * (a.ndim - 1 - axes[0])))
    a, weights = match("average", a, weights, floating=True)
    if weights.shape != a.shape:
        weights = ops.full(weights, a.shape)
    total = _kept(_total(weights, axes), axes, keepdims)
    out = ops.div(_kept(_total(ops.mul(a, weights), axes), axes, keepdims), total)
    return (out, total) if returned else out


@fused
def var(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Variance over axes: the mean squared distance from the mean.

    Args:
        a: array.
        axis: an axis, several, or None for all.
        dtype: dtype of the result; that of `a` if floating, the real part's if complex.
        ddof: what to subtract from the number of elements divided by.
        keepdims: keep the axes, with size 1.
        where: mask of the elements that count.
        mean: the mean over the axes, kept with size 1, if it is known already.
        correction: another name of ddof, the standard's.

    >>> import fn.numpy as np
    >>> print(np.var(np.array([1., 3.])))
    1.0
    """
    a = as_floating("var", array("var", a))
    axes = some_axes("var", axis, a.ndim)
    target = ml_dtypes.finfo(a.dtype).dtype if dtype is None else check_dtype("var", dtype)
    if is_float(a.dtype) and a.dtype.itemsize < 4:
        a = ops.convert(a, dtype=numpy.float32)
    ddof = ddof if correction is None else correction
    if mean is None:
        center = _mean(a, axes, where=where)
        if center.shape:
            rest = tuple([i for i in range(a.ndim) if i not in axes])
            center = ops.broadcast(center, shape=a.shape, axes=rest)
    else:
        center = mean
    distance = ops.sub(*match("var", a, center))
    if is_complex(a.dtype):
        parts = ops.real_part(distance), ops.imag_part(distance)
        squares = ops.add(*[ops.square(p) for p in parts])
    else:
        squares = ops.square(distance)
    total = ops.reduce_sum(_masked("var", squares, where, 0), axes=axes)
    if where is None:
        count = literal(builtins.max(_count(a, axes) - ddof, 0), total.dtype)
    else:
        count = ops.sub(_how_many("var", where, a, axes, total.dtype), literal(ddof, total.dtype))
    out = ops.div(total, count)
    return _kept(out if out.dtype == target else ops.convert(out, dtype=target), axes, keepdims)


@fused
def std(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Standard deviation over axes: the root of `var`, whose arguments it has.

    >>> import fn.numpy as np
    >>> print(np.std(np.array([1., 3.])))
    1.0
    """
    return ops.sqrt(var(a, axis, dtype, ddof, keepdims, where, mean, correction))


# --- extremes ---------------------------------------------------------------------------


def _extreme(
    name: str, largest: bool, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any
) -> Any:
    x = array(name, x)
    axes = some_axes(name, axis, x.ndim)
    if is_complex(x.dtype):
        raise ArgumentError(
            f"{name}: complex numbers have no order",
            expected="real numbers",
            got=dtype_name(x.dtype),
        )
    if initial is None and (where is not None or (_count(x, axes) == 0 and axes)):
        raise ArgumentError(
            f"{name}: nothing may be left to compare" if where is not None else f"{name}: nothing to compare",
            expected="a value to start from where elements are masked or an axis is empty",
            got=f"{dtype_name(x.dtype)}{list(x.shape)} over axes {axes}", fix="pass initial=",
        )  # fmt: skip
    start = None if initial is None else cast(initial, x.dtype)
    if where is not None:
        where, x = spread(name, truth(name, where), x)
        x = ops.select(where, x, start)
    if x.dtype == _BOOL:
        op = ops.reduce_or if largest else ops.reduce_and
    else:
        op = ops.reduce_max if largest else ops.reduce_min
    out = _kept(op(x, axes=axes) if axes else x, axes, keepdims)
    if start is None:
        return out
    return ops.maximum(out, start) if largest else ops.minimum(out, start)


@fused
def max(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest over axes; NaN if any is. Elements that tie share the derivative.

    Args:
        a: array of real numbers.
        axis: an axis, several, or None for all.
        keepdims: keep the axes, with size 1.
        initial: the least the result can be; needed for empty axes.
        where: mask of the elements that count; needs `initial`.

    >>> import fn.numpy as np
    >>> print(np.max(np.array([[1., 5.], [3., 2.]]), axis=0))
    [3. 5.]
    """
    return _extreme("max", True, a, axis, keepdims, initial, where)


@fused
def min(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest over axes; the arguments are those of `max`.

    >>> import fn.numpy as np
    >>> print(np.min(np.array([[1., 5.], [3., 2.]]), axis=0))
    [1. 2.]
    """
    return _extreme("min", False, a, axis, keepdims, initial, where)


amax, amin = max, min


@fused
def minmax(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> tuple[Any, Any]:
    """The smallest and the largest over axes; the arguments are those of `max`.

    Args:
        a: array of real numbers.
        axis: an axis, several, or None for all.
        keepdims: keep the axes, with size 1.
        initial: what to start from, one for both or a pair.
        where: mask of the elements that count; needs `initial`.

    >>> import fn.numpy as np
    >>> print(*np.minmax(np.array([3, 1, 2])))
    1 3
    """
    low, high = initial if isinstance(initial, tuple) else (initial, initial)
    return min(a, axis, keepdims, low, where), max(a, axis, keepdims, high, where)


@fused
def ptp(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest minus smallest over axes.

    >>> import fn.numpy as np
    >>> print(np.ptp(np.array([1., 5., 3.])))
    4.0
    """
    return ops.sub(max(a, axis, keepdims), min(a, axis, keepdims))


def _argument(name: str, op: Callable[..., Any], x: Any, axis: int | None, keepdims: bool) -> Any:
    x = array(name, x)
    ndim = x.ndim
    if axis is None:
        x = ops.reshape(x, shape=(x.size,))
    index = 0 if axis is None else one_axis(name, axis, x.ndim)
    if x.shape[index] == 0:
        raise ArgumentError(
            f"{name}: nothing to compare",
            expected="an axis that is not empty",
            got=f"shape {x.shape}",
        )
    if x.dtype == _BOOL:
        x = ops.convert(x, dtype=numpy.int8)
    out = op(x, axis=index, dtype=int_dtype())
    return _kept(out, tuple(range(ndim)) if axis is None else (index,), keepdims)


@fused
def argmax(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the first largest element is along an axis; in the flattened array if `axis` is None.

    >>> import fn.numpy as np
    >>> print(np.argmax(np.array([[1., 5.], [3., 2.]]), axis=1))
    [1 0]
    """
    return _argument("argmax", ops.argmax, a, axis, keepdims)


@fused
def argmin(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the first smallest element is along an axis; in the flattened array if `axis` is None.

    >>> import fn.numpy as np
    >>> print(np.argmin(np.array([[1., 5.], [3., 2.]]), axis=1))
    [0 1]
    """
    return _argument("argmin", ops.argmin, a, axis, keepdims)


# --- logic ------------------------------------------------------------------------------


def _holds(
    name: str, op: Callable[..., Any], x: Any, axis: Axis, keepdims: bool, where: Any
) -> Any:
    x = truth(name, x)
    axes = some_axes(name, axis, x.ndim)
    x = _masked(name, x, where, op is ops.reduce_and)
    return _kept(op(x, axes=axes) if axes else x, axes, keepdims)


@fused
def all(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = None) -> Any:
    """Whether all elements over axes are nonzero.

    >>> import fn.numpy as np
    >>> print(np.all(np.array([[True, False], [True, True]]), axis=0))
    [ True False]
    """
    return _holds("all", ops.reduce_and, a, axis, keepdims, where)


@fused
def any(a: Any, axis: Axis = None, keepdims: bool = False, where: Any = None) -> Any:
    """Whether any element over axes is nonzero.

    >>> import fn.numpy as np
    >>> print(np.any(np.array([[True, False], [False, False]]), axis=0))
    [ True False]
    """
    return _holds("any", ops.reduce_or, a, axis, keepdims, where)


@fused
def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over axes are not zero.

    >>> import fn.numpy as np
    >>> print(np.count_nonzero(np.array([3., 0., 5.])))
    2
    """
    return sum(truth("count_nonzero", a), axis, keepdims=keepdims)
