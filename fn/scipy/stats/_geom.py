"""The geometric distribution: trials up to the first success, which has probability `p`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """Logarithm of the probability of `k`; -inf up to `loc`.

    Args:
        k: numbers of trials, plus `loc`.
        p: probability of success.
        loc: what is added to the trials.

    >>> from fn.scipy import stats
    >>> round(float(stats.geom.logpmf(2, 0.5)), 4)
    -1.3863
    """
    k, p, loc = np.broadcast_arrays(*floats("geom.logpmf", k, p, loc))
    inside = k > loc
    x = np.where(inside, k - loc, 1.0)
    return within(inside, ops.xlog1py(x - 1.0, -p) + np.log(p))


@fused()
def pmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The probability of `k`.

    >>> from fn.scipy import stats
    >>> round(float(stats.geom.pmf(1, 0.5)), 3)
    0.5
    """
    return np.exp(logpmf(k, p, loc))
