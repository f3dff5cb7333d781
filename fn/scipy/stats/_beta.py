"""The beta distribution of shapes `a` and `b`, between `loc` and `loc + scale`."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import log_where, within
from fn.xla import fused


def _part(name: str, x: Any, a: Any, b: Any, loc: Any, scale: Any) -> tuple[Any, ...]:
    """Where `x` is between 0 and 1, the shapes and the scale."""
    x, a, b, loc, scale = np.broadcast_arrays(*floats(f"beta.{name}", x, a, b, loc, scale))
    return (x - loc) / scale, a, b, scale


@fused()
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf outside of the support, NaN for parameters that are not positive.

    Args:
        x: real array.
        a, b: shapes, positive.
        loc: the smallest number.
        scale: how far the largest is above it.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.logpdf(0.5, 2.0, 2.0)), 4)
    0.4055
    """
    y, a, b, scale = _part("logpdf", x, a, b, loc, scale)
    inside = (y >= 0) & (y <= 1)
    y = np.where(inside, y, 0.5)
    value = ops.xlogy(a - 1.0, y) + ops.xlog1py(b - 1.0, -y) - ops.betaln(a, b) - np.log(scale)
    return np.where((a > 0) & (b > 0) & (scale > 0), within(inside, value), numpy.nan)


@fused()
def pdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.pdf(0.5, 2.0, 3.0)), 3)
    1.5
    """
    return np.exp(logpdf(x, a, b, loc, scale))


@fused()
def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.cdf(0.5, 2.0, 3.0)), 4)
    0.6875
    """
    y, a, b, _ = _part("cdf", x, a, b, loc, scale)
    return ops.betainc(a, b, np.clip(y, 0.0, 1.0))


@fused()
def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.logcdf(0.5, 2.0, 3.0)), 3)
    -0.375
    """
    y, a, b, _ = _part("logcdf", x, a, b, loc, scale)
    return log_where(y > 0, ops.betainc(a, b, np.clip(np.where(y > 0, y, 0.5), 0.0, 1.0)))


@fused()
def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.sf(0.5, 2.0, 3.0)), 4)
    0.3125
    """
    y, a, b, _ = _part("sf", x, a, b, loc, scale)
    return ops.betainc(b, a, 1.0 - np.clip(y, 0.0, 1.0))


@fused()
def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.beta.logsf(0.5, 2.0, 3.0)), 3)
    -1.163
    """
    y, a, b, _ = _part("logsf", x, a, b, loc, scale)
    return log_where(y < 1, ops.betainc(b, a, 1.0 - np.clip(np.where(y < 1, y, 0.5), 0.0, 1.0)))
