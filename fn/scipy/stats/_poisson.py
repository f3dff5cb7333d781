"""The Poisson distribution with mean `mu`."""

from __future__ import annotations

import math
from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf below `loc` and for fractions.

    Args:
        k: counts, plus `loc`.
        mu: mean count, not negative.
        loc: what is added to the counts.

    >>> from fn.scipy import stats
    >>> round(float(stats.poisson.logpmf(1, 1.0)), 4)
    -1.0
    """
    k, mu, loc = np.broadcast_arrays(*floats("poisson.logpmf", k, mu, loc))
    x = k - loc
    inside = (x >= 0) & (np.round(k) == k)
    x = np.where(inside, x, 0.0)
    return within(inside, ops.xlogy(x, mu) - ops.lgamma(x + 1.0) - mu)


@fused()
def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.poisson.pmf(1, 2.0)), 3)
    0.271
    """
    return np.exp(logpmf(k, mu, loc))


@fused()
def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of counts up to `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.poisson.cdf(1, 2.0)), 3)
    0.406
    """
    k, mu, loc = np.broadcast_arrays(*floats("poisson.cdf", k, mu, loc))
    x = k - loc
    inside = x >= 0
    return np.where(inside, ops.igammac(np.floor(1.0 + np.where(inside, x, 0.0)), mu), 0.0)


# Up to this mean the entropy is a sum over counts; twelve deviations above it there is nothing left.
_SUMMED, _COUNTS = 80.0, 200


@fused()
def entropy(mu: Any, loc: Any = 0) -> Any:
    """The entropy: the mean of `-logpmf`.

    >>> from fn.scipy import stats
    >>> round(float(stats.poisson.entropy(1.0)), 4)
    1.3048
    """
    mu, loc = np.broadcast_arrays(*floats("poisson.entropy", mu, loc))
    few = mu < _SUMMED
    small, large = np.where(few, mu, 1.0), np.where(few, _SUMMED, mu)
    k = np.arange(_COUNTS, dtype=mu.dtype).reshape((_COUNTS,) + (1,) * mu.ndim)
    logs = ops.xlogy(*np.broadcast_arrays(k, small)) - ops.lgamma(k + 1.0) - small
    finite = logs > -1e4
    terms = np.where(finite, np.exp(logs) * np.where(finite, logs, 0.0), 0.0)
    series = 1.0 / (12 * large) + 1.0 / (24 * large**2) + 19.0 / (360 * large**3)
    return np.where(
        few, -np.sum(terms, axis=0), 0.5 * np.log(2 * math.pi * math.e * large) - series
    )
