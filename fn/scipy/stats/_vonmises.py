"""The von Mises distribution of angles around 0, with concentration `kappa`."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.scipy.stats._support import LOG_2PI
from fn.xla import fused


@fused()
def logpdf(x: Any, kappa: Any) -> Any:
    """Logarithm of the density; NaN unless `kappa` is positive.

    Args:
        x: angles.
        kappa: concentration, positive.

    >>> from fn.scipy import stats
    >>> round(float(stats.vonmises.logpdf(0.0, 1.0)), 4)
    -1.0738
    """
    x, kappa = floats("vonmises.logpdf", x, kappa)
    kappa = np.where(kappa > 0, kappa, numpy.nan)
    return kappa * (np.cos(x) - 1.0) - LOG_2PI - np.log(ops.bessel_i0e(kappa))


@fused()
def pdf(x: Any, kappa: Any) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.vonmises.pdf(0.5, 1.0)), 3)
    0.302
    """
    return np.exp(logpdf(x, kappa))
