"""The wrapped Cauchy distribution of angles from 0 to 2 pi, with concentration `c`."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.numpy as np
from fn.scipy._arguments import floats
from fn.scipy.stats._support import LOG_2PI, within
from fn.xla import fused


@fused()
def logpdf(x: Any, c: Any) -> Any:
    """Logarithm of the density; -inf outside, NaN unless `c` is between 0 and 1.

    Args:
        x: angles from 0 to 2 pi.
        c: concentration, between 0 and 1.

    >>> from fn.scipy import stats
    >>> round(float(stats.wrapcauchy.logpdf(0.0, 0.5)), 4)
    -0.7393
    """
    x, c = floats("wrapcauchy.logpdf", x, c)
    c = np.where((c > 0) & (c < 1), c, numpy.nan)
    value = np.log1p(-c * c) - LOG_2PI - np.log(1.0 + c * c - 2.0 * c * np.cos(x))
    value = within((x >= 0) & (x <= 2 * math.pi), value)
    return np.where(np.isnan(c), numpy.nan, value)


@fused()
def pdf(x: Any, c: Any) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.wrapcauchy.pdf(0.5, 0.5)), 3)
    0.321
    """
    return np.exp(logpdf(x, c))
