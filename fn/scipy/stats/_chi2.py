"""The chi-squared distribution with `df` degrees of freedom: a gamma distribution."""

from __future__ import annotations

from typing import Any

from fn.scipy._arguments import floats
from fn.scipy.stats import _gamma as gamma
from fn.xla import fused


def _part(name: str, x: Any, df: Any, loc: Any, scale: Any) -> tuple[Any, Any, Any, Any]:
    x, df, loc, scale = floats(f"chi2.{name}", x, df, loc, scale)
    return x, df / 2, loc, scale * 2


@fused()
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density; -inf below `loc`.

    Args:
        x: real array.
        df: degrees of freedom, positive.
        loc: the smallest number.
        scale: unit of the distance from it.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.logpdf(2.0, 3.0)), 4)
    -1.5724
    """
    return gamma.logpdf(*_part("logpdf", x, df, loc, scale))


@fused()
def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.pdf(0.5, 3.0)), 3)
    0.22
    """
    return gamma.pdf(*_part("pdf", x, df, loc, scale))


@fused()
def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.cdf(0.5, 3.0)), 3)
    0.081
    """
    return gamma.cdf(*_part("cdf", x, df, loc, scale))


@fused()
def logcdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.logcdf(0.5, 3.0)), 3)
    -2.512
    """
    return gamma.logcdf(*_part("logcdf", x, df, loc, scale))


@fused()
def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.sf(0.5, 3.0)), 3)
    0.919
    """
    return gamma.sf(*_part("sf", x, df, loc, scale))


@fused()
def logsf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.chi2.logsf(0.5, 3.0)), 3)
    -0.085
    """
    return gamma.logsf(*_part("logsf", x, df, loc, scale))
