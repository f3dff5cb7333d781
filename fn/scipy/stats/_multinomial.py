"""The multinomial distribution: how `n` things fall into bins with probabilities `p`."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_integer, type_of
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpmf(x: Any, n: Any, p: Any) -> Any:
    """Logarithm of the probability of the counts `x`; -inf if they do not sum to `n`.

    Args:
        x: counts, integers, with the bins along the last axis.
        n: how many things, integers.
        p: probabilities of the bins, along the last axis.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> round(float(stats.multinomial.logpmf(np.array([1, 1]), 2, np.array([0.5, 0.5]))), 4)
    -0.6931
    """
    for name, counts in (("x", x), ("n", n)):
        kind = type_of(counts)
        if kind is None or not is_integer(kind.dtype):
            raise ArgumentError(
                f"multinomial.logpmf: {name} is no count", expected="integers",
                got=str(kind or type(counts).__name__),
            )  # fmt: skip
    (p,) = floats("multinomial.logpmf", p)
    right = np.sum(x, axis=-1) == n
    x, n = np.astype(np.asarray(x), p.dtype), np.astype(np.asarray(n), p.dtype)
    x, p = np.broadcast_arrays(x, p)
    logs = ops.lgamma(n + 1.0) + np.sum(ops.xlogy(x, p) - ops.lgamma(x + 1.0), axis=-1)
    return within(right, logs)


@fused()
def pmf(x: Any, n: Any, p: Any) -> Any:
    """The probability of the counts `x`.

    >>> import fn.numpy as np
    >>> from fn.scipy import stats
    >>> round(float(stats.multinomial.pmf(np.array([1, 2]), 3, np.array([0.5, 0.5]))), 3)
    0.375
    """
    return np.exp(logpmf(x, n, p))
