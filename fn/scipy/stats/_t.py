"""Student's t distribution with `df` degrees of freedom."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats
from fn.xla import fused


@fused()
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density.

    Args:
        x: real array.
        df: degrees of freedom, positive.
        loc: the middle.
        scale: unit of the distance from it.

    >>> from fn.scipy import stats
    >>> round(float(stats.t.logpdf(0.0, 1.0)), 4)
    -1.1447
    """
    x, df, loc, scale = np.broadcast_arrays(*floats("t.logpdf", x, df, loc, scale))
    # By the beta function, whose logarithm is accurate for many degrees of freedom.
    normalizer = ops.betaln(df / 2, np.full_like(df, 0.5)) + 0.5 * np.log(df) + np.log(scale)
    return -normalizer - (df + 1.0) / 2 * np.log1p(np.square((x - loc) / scale) / df)


@fused()
def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density.

    >>> from fn.scipy import stats
    >>> round(float(stats.t.pdf(0.5, 3.0)), 3)
    0.313
    """
    return np.exp(logpdf(x, df, loc, scale))
