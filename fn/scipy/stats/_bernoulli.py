"""The Bernoulli distribution: 1 with probability `p`, else 0."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf outside.

    Args:
        k: `loc` or `loc + 1`.
        p: probability of the larger.
        loc: the smaller number.

    >>> from fn.scipy import stats
    >>> round(float(stats.bernoulli.logpmf(1, 0.5)), 4)
    -0.6931
    """
    k, p, loc = np.broadcast_arrays(*floats("bernoulli.logpmf", k, p, loc))
    x = k - loc
    inside = (x >= 0) & (x <= 1)
    x = np.where(inside, x, 0.0)
    return within(inside, ops.xlogy(x, p) + ops.xlog1py(1.0 - x, -p))


@fused()
def pmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.bernoulli.pmf(1, 0.5)), 3)
    0.5
    """
    return np.exp(logpmf(k, p, loc))


@fused()
def cdf(k: Any, p: Any) -> Any:
    """The probability of numbers up to `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.bernoulli.cdf(1, 0.5)), 3)
    1.0
    """
    k, p = floats("bernoulli.cdf", k, p)
    value = np.where(k < 0, 0.0, np.where(k < 1, 1.0 - p, 1.0))
    return np.where(np.isnan(k) | np.isnan(p) | (p < 0) | (p > 1), numpy.nan, value)


@fused()
def ppf(q: Any, p: Any) -> Any:
    """The smallest number up to which the probability is at least `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.bernoulli.ppf(0.25, 0.5)), 3)
    0.0
    """
    q, p = floats("bernoulli.ppf", q, p)
    inside = (q >= 0) & (q <= 1) & (p >= 0) & (p <= 1)
    return np.where(inside, np.where(q <= 1.0 - p, 0.0, 1.0), numpy.nan)
