"""The gamma distribution of shape `a`, from `loc` up, with mean `loc + a scale`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import log_where, within
from fn.xla import fused


def _part(name: str, x: Any, a: Any, loc: Any, scale: Any) -> tuple[Any, Any, Any, Any]:
    """Whether `x` is inside; how far in units of the scale, 0 outside; shape and scale."""
    x, a, loc, scale = np.broadcast_arrays(*floats(f"gamma.{name}", x, a, loc, scale))
    inside = x >= loc
    return inside, np.where(inside, (x - loc) / scale, 0.0), a, scale


@fused()
def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf below `loc`.

    Args:
        x: real array.
        a: shape, positive.
        loc: the smallest number.
        scale: unit of the distance from it.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.logpdf(2.0, 3.0)), 4)
    -1.3069
    """
    inside, y, a, scale = _part("logpdf", x, a, loc, scale)
    y = np.where(inside, y, 1.0)
    return within(inside, ops.xlogy(a - 1.0, y) - y - ops.lgamma(a) - np.log(scale))


@fused()
def pdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.pdf(0.5, 2.0)), 3)
    0.303
    """
    return np.exp(logpdf(x, a, loc, scale))


@fused()
def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.cdf(0.5, 2.0)), 3)
    0.09
    """
    _, y, a, _ = _part("cdf", x, a, loc, scale)
    return ops.igamma(a, y)


@fused()
def logcdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.logcdf(0.5, 2.0)), 3)
    -2.406
    """
    _, y, a, _ = _part("logcdf", x, a, loc, scale)
    return log_where(y > 0, ops.igamma(a, np.where(y > 0, y, 1.0)))


@fused()
def sf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.sf(0.5, 2.0)), 3)
    0.91
    """
    _, y, a, _ = _part("sf", x, a, loc, scale)
    return ops.igammac(a, y)


@fused()
def logsf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gamma.logsf(0.5, 2.0)), 3)
    -0.095
    """
    return np.log(sf(x, a, loc, scale))
