"""The generalized normal distribution: densities proportional to `exp(-|x| ** beta)`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.xla import fused


@fused()
def logpdf(x: Any, beta: Any) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        beta: the exponent, positive.

    >>> from fn.scipy import stats
    >>> round(float(stats.gennorm.logpdf(0.0, 2.0)), 4)
    -0.5724
    """
    x, beta = floats("gennorm.logpdf", x, beta)
    return np.log(0.5 * beta) - ops.lgamma(1.0 / beta) - np.power(np.abs(x), beta)


@fused()
def pdf(x: Any, beta: Any) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.gennorm.pdf(0.5, 2.0)), 3)
    0.439
    """
    return np.exp(logpdf(x, beta))


@fused()
def cdf(x: Any, beta: Any) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.gennorm.cdf(0.5, 2.0)), 3)
    0.76
    """
    x, beta = np.broadcast_arrays(*floats("gennorm.cdf", x, beta))
    return 0.5 * (1.0 + np.sign(x) * ops.igamma(1.0 / beta, np.power(np.abs(x), beta)))
