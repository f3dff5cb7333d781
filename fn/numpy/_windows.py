"""Weights that fade toward the ends: windows for spectra and filters."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._arithmetic import divide, multiply, subtract
from fn.numpy._dtypes import float_dtype
from fn.numpy._elementwise import abs, cos, exp, sqrt, square
from fn.numpy._habits import fused
from fn.numpy._promotion import array, literal
from fn.numpy._rows import as_floating


def _phase(name: str, M: Any) -> Any:
    """Numbers from 0 to 1, or 1/2 if there is but one."""
    try:
        n = M.__index__()
    except AttributeError:
        raise ArgumentError(f"{name}: not a size", expected="an integer", got=repr(M)) from None
    kind = float_dtype()
    if n <= 1:
        return ops.full(literal(0.5, kind), (max(n, 0),))
    return divide(ops.iota(dtype=kind, shape=(n,), axis=0), literal(n - 1, kind))


def _cosines(name: str, M: Any, *weights: float) -> Any:
    phase = multiply(_phase(name, M), 2 * numpy.pi)
    out = ops.full(literal(weights[0], phase.dtype), phase.shape)
    for k, weight in enumerate(weights[1:], 1):
        out = ops.add(out, multiply(cos(multiply(phase, float(k))), weight))
    return out


@fused
def hanning(M: int) -> Any:
    """The raised cosine of `M` points, 0 at both ends.

    >>> import fn.numpy as np
    >>> print(np.hanning(3))
    [0. 1. 0.]
    """
    return _cosines("hanning", M, 0.5, -0.5)


@fused
def hamming(M: int) -> Any:
    """The raised cosine of `M` points on a pedestal.

    >>> import fn.numpy as np
    >>> print(np.round(np.hamming(3), 2))
    [0.08 1.   0.08]
    """
    return _cosines("hamming", M, 0.54, -0.46)


@fused
def blackman(M: int) -> Any:
    """The window of `M` points made of two cosines, almost 0 at both ends.

    >>> import fn.numpy as np
    >>> print(np.abs(np.round(np.blackman(3), 4)))
    [0. 1. 0.]
    """
    return _cosines("blackman", M, 0.42, -0.5, 0.08)


@fused
def bartlett(M: int) -> Any:
    """The triangle of `M` points, 0 at both ends.

    >>> import fn.numpy as np
    >>> print(np.bartlett(5))
    [0.  0.5 1.  0.5 0. ]
    """
    return subtract(1.0, abs(subtract(multiply(_phase("bartlett", M), 2.0), 1.0)))


@fused
def kaiser(M: int, beta: Any) -> Any:
    """The Bessel window of `M` points; the greater `beta`, the narrower.

    >>> import fn.numpy as np
    >>> print(np.round(np.kaiser(3, 2.), 3))
    [0.439 1.    0.439]
    """
    x = subtract(multiply(_phase("kaiser", M), 2.0), 1.0)
    height = sqrt(subtract(1.0, square(x)))
    return divide(i0(multiply(beta, height)), i0(beta))


@fused
def i0(x: Any) -> Any:
    """Modified Bessel function of the first kind and order 0.

    >>> import fn.numpy as np
    >>> print(np.round(np.i0(1.0), 4))
    1.2661
    """
    x = as_floating("i0", array("i0", x))
    return ops.mul(exp(abs(x)), ops.bessel_i0e(x))
