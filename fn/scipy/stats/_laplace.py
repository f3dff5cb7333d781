"""The Laplace distribution: densities fall off from `loc` as `exp(-|z|)`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.xla import fused


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        loc: mean.
        scale: mean distance from it.

    >>> from fn.scipy import stats
    >>> round(float(stats.laplace.logpdf(0.0)), 4)
    -0.6931
    """
    x, loc, scale = floats("laplace.logpdf", x, loc, scale)
    return -np.abs((x - loc) / scale) - np.log(2.0 * scale)


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.laplace.pdf(0.5)), 3)
    0.303
    """
    return np.exp(logpdf(x, loc, scale))


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.laplace.cdf(0.5)), 3)
    0.697
    """
    x, loc, scale = floats("laplace.cdf", x, loc, scale)
    z = (x - loc) / scale
    tail = 0.5 * np.exp(-np.abs(z))
    return np.where(z <= 0, tail, 1.0 - tail)
