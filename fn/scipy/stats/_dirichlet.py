"""The Dirichlet distribution of vectors of positive numbers that sum to 1."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, type_of
from fn.scipy._arguments import floats
from fn.scipy.stats._support import within
from fn.xla import fused


@fused()
def logpdf(x: Any, alpha: Any) -> Any:
    """Logarithm of the density; -inf where `x` is no such vector.

    Args:
        x: vectors along the first axis, as long as `alpha`, or one shorter: the last entry is what is left.
        alpha: concentrations, a vector.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> round(float(stats.dirichlet.logpdf(np.array([0.5, 0.5]), np.array([2.0, 2.0]))), 4)
    0.4055
    """
    x, alpha = floats("dirichlet.logpdf", x, alpha)
    x, alpha = np.asarray(x), np.asarray(alpha)
    if alpha.ndim != 1 or x.ndim < 1 or x.shape[0] not in (alpha.shape[0], alpha.shape[0] - 1):
        raise ArgumentError(
            "dirichlet.logpdf: the vectors do not fit the concentrations",
            expected="a vector alpha [n], and x [n, ...] or [n - 1, ...]",
            got=f"{type_of(alpha)} and {type_of(x)}",
        )
    if x.shape[0] != alpha.shape[0]:
        x = np.concatenate([x, 1.0 - np.sum(x, axis=0, keepdims=True)])
    valid = np.all(x > 0, axis=0) & (np.abs(np.sum(x, axis=0) - 1.0) < 1e-6)
    normalizer = np.sum(ops.lgamma(alpha)) - ops.lgamma(np.sum(alpha))
    alpha = alpha.reshape(alpha.shape + (1,) * (x.ndim - 1))
    logs = np.log(np.where(valid, x, 1.0))
    return within(valid, np.sum((alpha - 1.0) * logs, axis=0) - normalizer)


@fused()
def pdf(x: Any, alpha: Any) -> Any:
    """The density.

    >>> import fn.numpy as np
    >>> from fn.scipy import stats
    >>> round(float(stats.dirichlet.pdf(np.array([0.5, 0.5]), np.array([2.0, 2.0]))), 3)
    1.5
    """
    return np.exp(logpdf(x, alpha))
