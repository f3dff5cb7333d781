"""The normal distribution with mean `loc` and standard deviation `scale`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import LOG_2PI
from fn.xla import fused

_ROOT = -(0.5**0.5)


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        loc: mean.
        scale: standard deviation, positive.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.logpdf(0.0)), 4)
    -0.9189
    """
    x, loc, scale = floats("norm.logpdf", x, loc, scale)
    return -0.5 * np.square((x - loc) / scale) - np.log(scale) - 0.5 * LOG_2PI


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.pdf(0.5)), 3)
    0.352
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.cdf(0.5)), 3)
    0.691
    """
    x, loc, scale = floats("norm.cdf", x, loc, scale)
    return 0.5 * ops.erfc((x - loc) / scale * _ROOT)


@fused()
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`, which does not underflow.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.logcdf(0.5)), 3)
    -0.369
    """
    x, loc, scale = floats("norm.logcdf", x, loc, scale)
    return ops.log_ndtr((x - loc) / scale)


@fused()
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.sf(0.5)), 3)
    0.309
    """
    x, loc, scale = floats("norm.sf", x, loc, scale)
    return 0.5 * ops.erfc((loc - x) / scale * _ROOT)


@fused()
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`, which does not underflow.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.logsf(0.5)), 3)
    -1.176
    """
    x, loc, scale = floats("norm.logsf", x, loc, scale)
    return ops.log_ndtr((loc - x) / scale)


@fused()
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.ppf(0.25)), 3)
    -0.674
    """
    q, loc, scale = floats("norm.ppf", q, loc, scale)
    return ops.ndtri(q) * scale + loc


@fused()
def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share above it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.norm.isf(0.25)), 3)
    0.674
    """
    q, loc, scale = floats("norm.isf", q, loc, scale)
    return loc - ops.ndtri(q) * scale
