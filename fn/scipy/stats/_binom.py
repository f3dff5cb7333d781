"""The binomial distribution: successes among `n` trials, each with probability `p`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf outside.

    Args:
        k: numbers of successes, plus `loc`.
        n: trials.
        p: probability of success in each.
        loc: what is added to the successes.

    >>> from fn.scipy import stats
    >>> round(float(stats.binom.logpmf(1, 2, 0.5)), 4)
    -0.6931
    """
    k, n, p, loc = np.broadcast_arrays(*floats("binom.logpmf", k, n, p, loc))
    y = k - loc
    inside = (y >= 0) & (y < n + 1.0)
    y, n = np.where(inside, y, 0.0), np.where(inside, n, 1.0)
    ways = -np.log1p(n) - ops.betaln(n - y + 1.0, y + 1.0)
    return within(inside, ways + ops.xlogy(y, p) + ops.xlog1py(n - y, -p))


@fused()
def pmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.binom.pmf(1, 3, 0.5)), 3)
    0.375
    """
    return np.exp(logpmf(k, n, p, loc))
