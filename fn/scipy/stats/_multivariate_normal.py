"""The normal distribution of vectors, with a mean and a covariance."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, type_of
from fn.scipy._arguments import floats
from fn.scipy.stats._support import LOG_2PI
from fn.xla import fused


@fused("allow_singular")
def logpdf(x: Any, mean: Any, cov: Any, allow_singular: None = None) -> Any:
    """Logarithm of the density.

    Args:
        x: vectors (…, n); numbers, if the mean is one.
        mean: vectors (…, n), or a number.
        cov: positive definite matrices (…, n, n); a number stands for so much of the identity.
        allow_singular: not taken: the covariance has to be positive definite.

    Returns:
        Array of the leading axes of all, broadcast together.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> round(float(stats.multivariate_normal.logpdf(np.zeros(2), np.zeros(2), np.eye(2))), 4)
    -1.8379
    """
    if allow_singular is not None:
        raise ArgumentError(
            "multivariate_normal.logpdf: allow_singular= is not taken", expected="None",
            got=repr(allow_singular), fix="add a small multiple of the identity to the covariance",
        )  # fmt: skip
    x, mean, cov = (np.asarray(v) for v in floats("multivariate_normal.logpdf", x, mean, cov))
    if mean.ndim == 0:
        return -0.5 * np.square(x - mean) / cov - 0.5 * (LOG_2PI + np.log(cov))
    n = mean.shape[-1]
    if cov.ndim == 0:
        return -0.5 * np.sum(np.square(x - mean), -1) / cov - n / 2 * (LOG_2PI + np.log(cov))
    if cov.ndim < 2 or cov.shape[-2:] != (n, n):
        raise ArgumentError(
            "multivariate_normal.logpdf: the covariance does not fit the mean",
            expected=f"(..., {n}, {n})", got=str(type_of(cov)),
        )  # fmt: skip
    factor = np.linalg.cholesky(cov)
    rest = x - mean
    if factor.ndim == 2:  # one matrix for all vectors: they are its right-hand sides
        rows = rest.reshape((-1, n))
        y = ops.triangular_solve(factor, rows.T, left_side=True, lower=True)
        square = np.sum(np.square(y), axis=0).reshape(rest.shape[:-1])
    else:
        stack = np.broadcast_shapes(rest.shape[:-1], factor.shape[:-2])
        column = np.broadcast_to(rest, (*stack, n))[..., None]
        factors = np.broadcast_to(factor, (*stack, n, n))
        y = ops.triangular_solve(factors, column, left_side=True, lower=True)
        square = np.sum(np.square(y[..., 0]), axis=-1)
    logs = np.sum(np.log(np.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)
    return -0.5 * square - 0.5 * n * LOG_2PI - logs


@fused()
def pdf(x: Any, mean: Any, cov: Any) -> Any:
    """The density.

    >>> import fn.numpy as np
    >>> from fn.scipy import stats
    >>> round(float(stats.multivariate_normal.pdf(np.zeros(2), np.zeros(2), np.eye(2))), 3)
    0.159
    """
    return np.exp(logpdf(x, mean, cov))
