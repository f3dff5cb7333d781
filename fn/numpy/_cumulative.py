"""Running sums and products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import fused, public
from fn.numpy._promotion import DTypeLike, array, check_dtype, literal, one_axis
from fn.numpy._reductions import sum_dtype

_BOOL = numpy.dtype(bool)


def running(name: str, op: Callable[..., Any], x: Any, axis: int | None, dtype: DTypeLike) -> Any:
    """A running sum or product along an axis, or of the flattened array."""
    x = array(name, x)
    if axis is None:
        x = ops.reshape(x, shape=(x.size,))
    if dtype is not None or x.dtype == _BOOL:
        x = ops.convert(x, dtype=int_dtype() if dtype is None else check_dtype(name, dtype))
    return op(x, axis=0 if axis is None else one_axis(name, axis, x.ndim))


@public
def cumsum(a: Any, axis: int | None = None, dtype: DTypeLike = None) -> Any:
    """Running sum along an axis; of the flattened array if `axis` is None.

    >>> import fn.numpy as np
    >>> print(np.cumsum(np.array([1., 2., 3.])))
    [1. 3. 6.]
    """
    return running("cumsum", ops.cumsum, a, axis, dtype)


@public
def cumprod(a: Any, axis: int | None = None, dtype: DTypeLike = None) -> Any:
    """Running product along an axis; of the flattened array if `axis` is None.

    >>> import fn.numpy as np
    >>> print(np.cumprod(np.array([1., 2., 3.])))
    [1. 2. 6.]
    """
    return running("cumprod", ops.cumprod, a, axis, dtype)


def _from_start(
    name: str,
    op: Callable[..., Any],
    x: Any,
    axis: int | None,
    dtype: DTypeLike,
    initial: int | None,
) -> Any:
    x = array(name, x)
    if axis is None and x.ndim != 1:
        raise ArgumentError(
            f"{name}: along which axis?", expected="axis= for an array that has not one axis",
            got=f"shape {x.shape}",
        )  # fmt: skip
    place = one_axis(name, 0 if axis is None else axis, x.ndim)
    out = running(name, op, x, place, sum_dtype(x.dtype) if dtype is None else dtype)
    if initial is None:
        return out
    first = ops.full(literal(initial, out.dtype), (*x.shape[:place], 1, *x.shape[place + 1 :]))
    return ops.concatenate(first, out, axis=place)


@fused
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike = None, include_initial: bool = False
) -> Any:
    """Running sum along an axis, which may be left out if there is only one.

    Args:
        x: array; small integers are added up in a whole word.
        axis: the axis.
        dtype: dtype of the sums.
        include_initial: put a 0 in front.

    >>> import fn.numpy as np
    >>> print(np.cumulative_sum(np.array([1., 2., 3.]), include_initial=True))
    [0. 1. 3. 6.]
    """
    first = 0 if include_initial else None
    return _from_start("cumulative_sum", ops.cumsum, x, axis, dtype, first)


@fused
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: DTypeLike = None, include_initial: bool = False
) -> Any:
    """Running product along an axis, which may be left out if there is only one.

    Args:
        x: array; small integers are multiplied in a whole word.
        axis: the axis.
        dtype: dtype of the products.
        include_initial: put a 1 in front.

    >>> import fn.numpy as np
    >>> print(np.cumulative_prod(np.array([1., 2., 3.]), include_initial=True))
    [1. 1. 2. 6.]
    """
    first = 1 if include_initial else None
    return _from_start("cumulative_prod", ops.cumprod, x, axis, dtype, first)
