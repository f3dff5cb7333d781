"""The frequencies of a transform, and the zero one moved to the middle."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, dtype_name, is_float
from fn.numpy._creation import placed
from fn.numpy._dtypes import float_dtype
from fn.numpy._fused import fused
from fn.numpy._habits import public
from fn.numpy._joining import roll
from fn.numpy._promotion import Axis, DTypeLike, array, cast, check_dtype, literal, some_axes


def _over_length(name: str, k: Any, n: int, d: Any, device: Any) -> Any:
    d = array(name, d, 1)
    if d.ndim:
        raise ArgumentError(
            f"{name}: the spacing is not a number", expected="a scalar", got=f"shape {d.shape}"
        )
    length = ops.mul(cast(d, k.dtype), literal(n, k.dtype))
    return placed(name, ops.div(k, length), device)


def _counted(name: str, n: Any, dtype: DTypeLike, size: Any) -> tuple[Any, numpy.dtype[Any]]:
    """0, 1, 2, … as floating numbers."""
    kind = float_dtype() if dtype is None else check_dtype(name, dtype)
    if not is_float(kind):
        raise ArgumentError(
            f"{name}: frequencies are fractions", expected="a floating dtype", got=dtype_name(kind)
        )
    if not hasattr(n, "__index__") or n < 1:
        raise ArgumentError(
            f"{name}: not a number of points", expected="an integer, at least 1", got=repr(n)
        )
    return ops.iota(dtype=kind, shape=(size(n),), axis=0), kind


@public
def fftfreq(n: int, d: Any = 1.0, *, dtype: DTypeLike = None, device: Any = None) -> Any:
    """The frequencies of the points of `fft`: 0, 1, …, -1 in units of `1 / (n d)`.

    Args:
        n: number of points.
        d: time between samples.
        dtype: floating dtype of the result.
        device: where to put it.

    >>> import fn.numpy as np
    >>> print(np.fft.fftfreq(4))
    [ 0.    0.25 -0.5  -0.25]
    """
    k, kind = _counted("fftfreq", n, dtype, lambda n: n)
    negative = ops.ge(k, literal((n + 1) // 2, kind))
    k = ops.select(negative, ops.sub(k, literal(n, kind)), k)
    return _over_length("fftfreq", k, n, d, device)


@public
def rfftfreq(n: int, d: Any = 1.0, *, dtype: DTypeLike = None, device: Any = None) -> Any:
    """The frequencies of the points of `rfft`: 0, 1, …, n // 2 in units of `1 / (n d)`.

    Args:
        n: number of real points.
        d: time between samples.
        dtype: floating dtype of the result.
        device: where to put it.

    >>> import fn.numpy as np
    >>> print(np.fft.rfftfreq(4))
    [0.   0.25 0.5 ]
    """
    k, _ = _counted("rfftfreq", n, dtype, lambda n: n // 2 + 1)
    return _over_length("rfftfreq", k, n, d, device)


@fused("axes")
def fftshift(x: Any, axes: Axis = None) -> Any:
    """The frequency zero moved from the front to the middle.

    Args:
        x: array.
        axes: an axis, several, or None for all.

    >>> import fn.numpy as np
    >>> print(np.fft.fftshift(np.array([0, 1, 2, -2, -1])))
    [-2 -1  0  1  2]
    """
    x = array("fftshift", x)
    found = some_axes("fftshift", axes, x.ndim, "axes")
    return roll(x, tuple([x.shape[a] // 2 for a in found]), found) if found else x


@fused("axes")
def ifftshift(x: Any, axes: Axis = None) -> Any:
    """Inverse of `fftshift`, whose arguments it has.

    >>> import fn.numpy as np
    >>> print(np.fft.ifftshift(np.array([-2, -1, 0, 1, 2])))
    [ 0  1  2 -2 -1]
    """
    x = array("ifftshift", x)
    found = some_axes("ifftshift", axes, x.ndim, "axes")
    return roll(x, tuple([-(x.shape[a] // 2) for a in found]), found) if found else x
