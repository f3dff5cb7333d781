"""The Cauchy distribution around `loc`, half of it within `scale` of it."""

from __future__ import annotations

import math
from typing import Any

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.xla import fused


@fused()
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        loc: the middle.
        scale: half of the numbers are that close to it.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.logpdf(0.0)), 4)
    -1.1447
    """
    x, loc, scale = floats("cauchy.logpdf", x, loc, scale)
    return -np.log1p(np.square((x - loc) / scale)) - np.log(math.pi * scale)


@fused()
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.pdf(0.5)), 3)
    0.255
    """
    return np.exp(logpdf(x, loc, scale))


def _share(z: Any) -> Any:
    """The share below `z`: an angle, which on the left is small to full precision."""
    return np.arctan2(np.ones_like(z), -z) / math.pi


@fused()
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.cdf(0.5)), 3)
    0.648
    """
    x, loc, scale = floats("cauchy.cdf", x, loc, scale)
    return _share((x - loc) / scale)


@fused()
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share up to `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.logcdf(0.5)), 4)
    -0.4345
    """
    return np.log(cdf(x, loc, scale))


@fused()
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.sf(0.5)), 3)
    0.352
    """
    x, loc, scale = floats("cauchy.sf", x, loc, scale)
    return _share((loc - x) / scale)


@fused()
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the share above `x`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.logsf(0.5)), 3)
    -1.043
    """
    return np.log(sf(x, loc, scale))


@fused()
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share up to it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.ppf(0.25)), 3)
    -1.0
    """
    q, loc, scale = floats("cauchy.ppf", q, loc, scale)
    return loc + scale * np.tan(math.pi * q - math.pi / 2)


@fused()
def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Where the share above it is `q`.

    >>> from fn.scipy import stats
    >>> round(float(stats.cauchy.isf(0.25)), 3)
    1.0
    """
    q, loc, scale = floats("cauchy.isf", q, loc, scale)
    return loc + scale * np.tan(math.pi / 2 - math.pi * q)
