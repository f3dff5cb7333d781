"""Reductions that leave out what is not a number."""

from __future__ import annotations

import math
from typing import Any

import fn.ops as ops
from fn.core import is_inexact
from fn.numpy._elementwise import isnan
from fn.numpy._habits import public
from fn.numpy._promotion import Axis, DTypeLike, array, like
from fn.numpy._reductions import all as reduce_all
from fn.numpy._reductions import max as reduce_max
from fn.numpy._reductions import mean as reduce_mean
from fn.numpy._reductions import min as reduce_min
from fn.numpy._reductions import prod as reduce_prod
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._reductions import var as reduce_var


def _filled(name: str, x: Any, value: float) -> Any:
    x = array(name, x)
    return ops.select(ops.ne(x, x), like(value, x), x) if is_inexact(x.dtype) else x


def _there(x: Any) -> Any:
    """Mask of the numbers, or None where everything is one."""
    return ops.logical_not(isnan(x)) if is_inexact(x.dtype) else None


@public
def nansum(a: Any, axis: Axis = None, dtype: DTypeLike = None, keepdims: bool = False) -> Any:
    """Sum over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nansum(np.array([1., np.nan, 3.])))
    4.0
    """
    return reduce_sum(_filled("nansum", a, 0), axis, dtype, keepdims)


@public
def nanprod(a: Any, axis: Axis = None, dtype: DTypeLike = None, keepdims: bool = False) -> Any:
    """Product over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanprod(np.array([2., np.nan, 3.])))
    6.0
    """
    return reduce_prod(_filled("nanprod", a, 1), axis, dtype, keepdims)


@public
def nanmean(a: Any, axis: Axis = None, dtype: DTypeLike = None, keepdims: bool = False) -> Any:
    """Mean over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmean(np.array([1., np.nan, 3.])))
    2.0
    """
    a = array("nanmean", a)
    return reduce_mean(a, axis, dtype, keepdims, _there(a))


@public
def nanvar(
    a: Any, axis: Axis = None, dtype: DTypeLike = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    """Variance over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanvar(np.array([1., np.nan, 3.])))
    1.0
    """
    a = array("nanvar", a)
    return reduce_var(_filled("nanvar", a, 0), axis, dtype, ddof, keepdims, _there(a))


@public
def nanstd(
    a: Any, axis: Axis = None, dtype: DTypeLike = None, ddof: float = 0, keepdims: bool = False
) -> Any:
    """Standard deviation over axes, of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanstd(np.array([1., np.nan, 3.])))
    1.0
    """
    return ops.sqrt(nanvar(a, axis, dtype, ddof, keepdims))


@public
def nanmax(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmax(np.array([1., np.nan, 3.])))
    3.0
    """
    return _extreme("nanmax", a, axis, keepdims, reduce_max, -math.inf)


@public
def nanmin(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest over axes, of what is not NaN; NaN where nothing is.

    >>> import fn.numpy as np
    >>> print(np.nanmin(np.array([1., np.nan, 3.])))
    1.0
    """
    return _extreme("nanmin", a, axis, keepdims, reduce_min, math.inf)


def _extreme(name: str, x: Any, axis: Axis, keepdims: bool, reduce: Any, fill: float) -> Any:
    x = array(name, x)
    if not is_inexact(x.dtype):
        return reduce(x, axis, keepdims)
    out = reduce(_filled(name, x, fill), axis, keepdims)
    return ops.select(reduce_all(isnan(x), axis, keepdims), like(math.nan, out), out)
