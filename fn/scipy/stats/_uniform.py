"""The uniform distribution between `loc` and `loc + scale`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.scipy.stats._support import quantile, within
from fn.xla import fused


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf outside.

    Args:
        x: real array.
        loc: the smallest number.
        scale: how far the largest is above it.

    >>> from fn.scipy import stats
    >>> round(float(stats.uniform.logpdf(1.0, 0.0, 2.0)), 4)
    -0.6931
    """
    x, loc, scale = floats("uniform.logpdf", x, loc, scale)
    return within((x >= loc) & (x <= loc + scale), -np.log(scale))


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.uniform.pdf(0.5)), 3)
    1.0
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.uniform.cdf(0.5)), 3)
    0.5
    """
    x, loc, scale = floats("uniform.cdf", x, loc, scale)
    return np.clip((x - loc) / scale, 0.0, 1.0)


@fused()
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.uniform.ppf(0.25)), 3)
    0.25
    """
    q, loc, scale = floats("uniform.ppf", q, loc, scale)
    return quantile(q, loc + scale * q)
