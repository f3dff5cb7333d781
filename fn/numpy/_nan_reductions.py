"""Reductions that leave out what is not a number."""

from __future__ import annotations

import math
from typing import Any

import fn.ops as ops
from fn.core import is_inexact
from fn.numpy._cumulative import cumprod, cumsum
from fn.numpy._elementwise import isnan
from fn.numpy._habits import fused
from fn.numpy._logic import truth
from fn.numpy._promotion import Axis, DTypeLike, array, like, literal, spread
from fn.numpy._reductions import all as reduce_all
from fn.numpy._reductions import argmax, argmin
from fn.numpy._reductions import max as reduce_max
from fn.numpy._reductions import mean as reduce_mean
from fn.numpy._reductions import min as reduce_min
from fn.numpy._reductions import prod as reduce_prod
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._reductions import var as reduce_var


def _filled(name: str, x: Any, value: float) -> Any:
    x = array(name, x)
    return ops.select(ops.ne(x, x), like(value, x), x) if is_inexact(x.dtype) else x


def _there(name: str, x: Any, where: Any) -> Any:
    """Mask of the numbers that count, or None where everything does."""
    if not is_inexact(x.dtype):
        return where
    there = ops.logical_not(isnan(x))
    if where is None:
        return there
    return ops.logical_and(*spread(name, there, truth(name, where)))


@fused
def nansum(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """Sum over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nansum(np.array([1., np.nan, 3.])))
    4.0
    """
    return reduce_sum(_filled("nansum", a, 0), axis, dtype, keepdims, initial, where)


@fused
def nanprod(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
) -> Any:
    """Product over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanprod(np.array([2., np.nan, 3.])))
    6.0
    """
    return reduce_prod(_filled("nanprod", a, 1), axis, dtype, keepdims, initial, where)


@fused
def nanmean(
    a: Any, axis: Axis = None, dtype: DTypeLike = None, keepdims: bool = False, where: Any = None
) -> Any:
    """Mean over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmean(np.array([1., np.nan, 3.])))
    2.0
    """
    a = array("nanmean", a)
    return reduce_mean(a, axis, dtype, keepdims, _there("nanmean", a, where))


@fused
def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """Variance over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanvar(np.array([1., np.nan, 3.])))
    1.0
    """
    a = array("nanvar", a)
    there = _there("nanvar", a, where)
    return reduce_var(_filled("nanvar", a, 0), axis, dtype, ddof, keepdims, there, mean)


@fused
def nanstd(
    a: Any,
    axis: Axis = None,
    dtype: DTypeLike = None,
    ddof: float = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
) -> Any:
    """Standard deviation over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanstd(np.array([1., np.nan, 3.])))
    1.0
    """
    return ops.sqrt(nanvar(a, axis, dtype, ddof, keepdims, where, mean))


@fused
def nanmax(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmax(np.array([1., np.nan, 3.])))
    3.0
    """
    return _extreme("nanmax", a, axis, keepdims, initial, where, reduce_max, -math.inf)


@fused
def nanmin(
    a: Any, axis: Axis = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmin(np.array([1., np.nan, 3.])))
    1.0
    """
    return _extreme("nanmin", a, axis, keepdims, initial, where, reduce_min, math.inf)


def _extreme(
    name: str,
    x: Any,
    axis: Axis,
    keepdims: bool,
    initial: Any,
    where: Any,
    reduce: Any,
    fill: float,
) -> Any:
    x = array(name, x)
    if not is_inexact(x.dtype):
        return reduce(x, axis, keepdims, initial, where)
    out = reduce(_filled(name, x, fill), axis, keepdims, initial, where)
    if initial is not None:
        return out
    return ops.select(reduce_all(isnan(x), axis, keepdims), like(math.nan, out), out)


@fused
def nanargmax(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the first largest element is that is not NaN; -1 where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanargmax(np.array([1., np.nan, 3.])))
    2
    """
    return _argument("nanargmax", a, axis, keepdims, argmax, -math.inf)


@fused
def nanargmin(a: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the first smallest element is that is not NaN; -1 where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanargmin(np.array([1., np.nan, 3.])))
    0
    """
    return _argument("nanargmin", a, axis, keepdims, argmin, math.inf)


def _argument(name: str, x: Any, axis: int | None, keepdims: bool, find: Any, fill: float) -> Any:
    x = array(name, x)
    out = find(_filled(name, x, fill), axis, keepdims)
    if not is_inexact(x.dtype):
        return out
    return ops.select(reduce_all(isnan(x), axis, keepdims), literal(-1, out.dtype), out)


@fused
def nancumsum(a: Any, axis: int | None = None, dtype: DTypeLike = None) -> Any:
    """Running sum along an axis in which NaN counts as 0.

    >>> import fn.numpy as np
    >>> print(np.nancumsum(np.array([1., np.nan, 3.])))
    [1. 1. 4.]
    """
    return cumsum(_filled("nancumsum", a, 0), axis, dtype)


@fused
def nancumprod(a: Any, axis: int | None = None, dtype: DTypeLike = None) -> Any:
    """Running product along an axis in which NaN counts as 1.

    >>> import fn.numpy as np
    >>> print(np.nancumprod(np.array([2., np.nan, 3.])))
    [2. 2. 6.]
    """
    return cumprod(_filled("nancumprod", a, 1), axis, dtype)
