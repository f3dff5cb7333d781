"""The beta-binomial distribution: successes among `n` trials whose chance is drawn from a beta distribution."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, n: Any, a: Any, b: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf outside, NaN for parameters out of range.

    Args:
        k: numbers of successes, plus `loc`.
        n: trials.
        a, b: shapes of the beta distribution, positive.
        loc: what is added to the successes.

    >>> from fn.scipy import stats
    >>> round(float(stats.betabinom.logpmf(1, 2, 1.0, 1.0)), 4)
    -1.0986
    """
    k, n, a, b, loc = np.broadcast_arrays(*floats("betabinom.logpmf", k, n, a, b, loc))
    y = np.floor(k) - loc
    valid, inside = (n >= 0) & (a > 0) & (b > 0), (y >= 0) & (y <= n)
    y, n = np.where(inside, y, 0.0), np.where(inside, n, 1.0)
    ways = -np.log1p(n) - ops.betaln(n - y + 1.0, y + 1.0)
    value = ways + ops.betaln(y + a, n - y + b) - ops.betaln(a, b)
    return np.where(valid, within(inside, value), numpy.nan)


@fused()
def pmf(k: Any, n: Any, a: Any, b: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.betabinom.pmf(1, 3, 2.0, 3.0)), 3)
    0.343
    """
    return np.exp(logpmf(k, n, a, b, loc))
