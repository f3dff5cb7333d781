"""The Pareto distribution: the share above `z` is `z ** -b`, from `loc + scale` up."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.scipy.stats._support import log1mexp, quantile, within
from fn.xla import fused


def _part(name: str, x: Any, b: Any, loc: Any, scale: Any) -> tuple[Any, ...]:
    """Whether `x` is inside; the logarithm of how far in units of the scale, 0 outside; exponent, scale."""
    x, b, loc, scale = floats(f"pareto.{name}", x, b, loc, scale)
    inside = x >= loc + scale
    return inside, np.log(np.where(inside, (x - loc) / scale, 1.0)), b, scale


@fused()
def logpdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf below `loc + scale`.

    Args:
        x: real array.
        b: exponent of the tail, positive.
        loc: where distances are measured from.
        scale: the smallest distance.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.logpdf(2.0, 3.0)), 4)
    -1.674
    """
    inside, log_z, b, scale = _part("logpdf", x, b, loc, scale)
    return within(inside, np.log(b) - np.log(scale) - (b + 1.0) * log_z)


@fused()
def pdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.pdf(2.0, 3.0)), 4)
    0.1875
    """
    return np.exp(logpdf(x, b, loc, scale))


@fused()
def cdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.cdf(2.0, 3.0)), 3)
    0.875
    """
    _, log_z, b, _ = _part("cdf", x, b, loc, scale)
    return -np.expm1(-b * log_z)


@fused()
def logcdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.logcdf(2.0, 3.0)), 3)
    -0.134
    """
    _, log_z, b, _ = _part("logcdf", x, b, loc, scale)
    return log1mexp(b * log_z)


@fused()
def sf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.sf(2.0, 3.0)), 3)
    0.125
    """
    return np.exp(logsf(x, b, loc, scale))


@fused()
def logsf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.logsf(2.0, 3.0)), 3)
    -2.079
    """
    _, log_z, b, _ = _part("logsf", x, b, loc, scale)
    return -b * log_z


@fused()
def ppf(q: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.pareto.ppf(0.25, 3.0)), 3)
    1.101
    """
    q, b, loc, scale = floats("pareto.ppf", q, b, loc, scale)
    return quantile(q, loc + scale * np.exp(-np.log1p(-q) / b))
