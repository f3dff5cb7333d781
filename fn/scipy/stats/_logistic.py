"""The logistic distribution: the distribution function is `1 / (1 + exp(-z))`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.xla import fused


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        loc: mean.
        scale: unit of the distance from it.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.logpdf(0.0)), 4)
    -1.3863
    """
    x, loc, scale = floats("logistic.logpdf", x, loc, scale)
    half = (x - loc) / scale / 2
    return -2.0 * np.logaddexp(half, -half) - np.log(scale)


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.pdf(0.5)), 3)
    0.235
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.cdf(0.5)), 3)
    0.622
    """
    x, loc, scale = floats("logistic.cdf", x, loc, scale)
    return ops.logistic((x - loc) / scale)


@fused()
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.sf(0.5)), 3)
    0.378
    """
    x, loc, scale = floats("logistic.sf", x, loc, scale)
    return ops.logistic((loc - x) / scale)


@fused()
def ppf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.ppf(0.5)), 3)
    0.0
    """
    x, loc, scale = floats("logistic.ppf", x, loc, scale)
    return loc + scale * (np.log(x) - np.log1p(-x))


@fused()
def isf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share above it is `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.logistic.isf(0.5)), 3)
    0.0
    """
    x, loc, scale = floats("logistic.isf", x, loc, scale)
    return loc + scale * (np.log1p(-x) - np.log(x))
