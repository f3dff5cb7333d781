"""The negative binomial distribution: failures before the `n`-th success, which has probability `p`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf below `loc`.

    Args:
        k: numbers of failures, plus `loc`.
        n: successes, positive.
        p: probability of success.
        loc: what is added to the failures.

    >>> from fn.scipy import stats
    >>> round(float(stats.nbinom.logpmf(1, 2, 0.5)), 4)
    -1.3863
    """
    k, n, p, loc = np.broadcast_arrays(*floats("nbinom.logpmf", k, n, p, loc))
    inside = k >= loc
    y = np.where(inside, k - loc, 0.0)
    ways = -ops.betaln(n, y + 1.0) - np.log(n + y)
    return within(inside, ways + ops.xlogy(n, p) + ops.xlog1py(y, -p))


@fused()
def pmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.nbinom.pmf(1, 3, 0.5)), 4)
    0.1875
    """
    return np.exp(logpmf(k, n, p, loc))
