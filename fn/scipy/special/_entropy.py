"""Products with logarithms, entropies, and the logistic function."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import floats, inexact
from fn.xla import fused


@fused()
def xlogy(x: Any, y: Any) -> Any:
    """`x log(y)`, and 0 where `x` is 0. Derivatives hold there, too.

    >>> from fn.scipy import special
    >>> float(special.xlogy(0.0, 0.0))
    0.0
    """
    return ops.xlogy(*np.broadcast_arrays(*inexact("xlogy", x, y)))


@fused()
def xlog1py(x: Any, y: Any) -> Any:
    """`x log(1 + y)`, and 0 where `x` is 0. Derivatives hold there, too.

    >>> from fn.scipy import special
    >>> float(special.xlog1py(0.0, -1.0))
    0.0
    """
    return ops.xlog1py(*np.broadcast_arrays(*inexact("xlog1py", x, y)))


@fused()
def entr(x: Any) -> Any:
    """`-x log(x)`, 0 at 0, and -inf for negative `x`.

    >>> from fn.scipy import special
    >>> round(float(special.entr(0.5)), 4)
    0.3466
    """
    (x,) = floats("entr", x)
    negative = x < 0
    safe = np.where(negative, 1.0, x)
    return np.where(negative, -numpy.inf, -ops.xlogy(safe, safe))


@fused()
def rel_entr(p: Any, q: Any) -> Any:
    """`p log(p / q)`, 0 where `p` is 0, and inf where it is not defined.

    >>> from fn.scipy import special
    >>> round(float(special.rel_entr(1.0, 0.5)), 4)
    0.6931
    """
    return _relative(*np.broadcast_arrays(*floats("rel_entr", p, q)))


@fused()
def kl_div(p: Any, q: Any) -> Any:
    """`p log(p / q) - p + q`, inf where it is not defined.

    >>> from fn.scipy import special
    >>> float(special.kl_div(0.5, 0.5))
    0.0
    """
    p, q = np.broadcast_arrays(*floats("kl_div", p, q))
    return _relative(p, q) - p + q


def _relative(p: Any, q: Any) -> Any:
    both = (p > 0) & (q > 0)
    safe_p, safe_q = np.where(both, p, 1.0), np.where(both, q, 1.0)
    value = ops.xlogy(safe_p, safe_p) - ops.xlogy(safe_p, safe_q)
    return np.where(both, value, np.where((p == 0) & (q >= 0), 0.0, numpy.inf))


@fused()
def logit(x: Any) -> Any:
    """`log(x / (1 - x))`, the inverse of `expit`.

    >>> from fn.scipy import special
    >>> float(special.logit(0.5))
    0.0
    """
    (x,) = floats("logit", x)
    return np.log(x) - np.log1p(-x)


@fused()
def expit(x: Any) -> Any:
    """The logistic function, `1 / (1 + exp(-x))`.

    >>> from fn.scipy import special
    >>> float(special.expit(0.0))
    0.5
    """
    (x,) = inexact("expit", x)
    return ops.logistic(x)


@fused()
def boxcox(x: Any, lmbda: Any) -> Any:
    """The Box-Cox transform `(x ** lmbda - 1) / lmbda`, which is `log(x)` where `lmbda` is 0.

    >>> from fn.scipy import special
    >>> float(special.boxcox(3.0, 2.0))
    4.0
    """
    x, lmbda = np.broadcast_arrays(*floats("boxcox", x, lmbda))
    return _boxcox(np.log(x), lmbda)


@fused()
def boxcox1p(x: Any, lmbda: Any) -> Any:
    """`boxcox(1 + x, lmbda)`, accurate for small `x`.

    >>> from fn.scipy import special
    >>> float(special.boxcox1p(2.0, 2.0))
    4.0
    """
    x, lmbda = np.broadcast_arrays(*floats("boxcox1p", x, lmbda))
    return _boxcox(np.log1p(x), lmbda)


def _boxcox(log_x: Any, lmbda: Any) -> Any:
    # Smooth in lmbda, also where it is 0: log x times (e ** u - 1) / u.
    u = lmbda * log_x
    near = np.abs(u) < 1e-2
    safe, small = np.where(near, 1.0, u), np.where(near, u, 0.0)
    series = 1.0 + small / 2 * (
        1.0 + small / 3 * (1.0 + small / 4 * (1.0 + small / 5 * (1.0 + small / 6)))
    )
    ratio = np.where(near, series, np.expm1(safe) / safe)
    # log(0) times 0 at x = 0, where the power is what counts.
    known = np.isinf(log_x) & (lmbda != 0)
    far = (np.exp(np.where(known, u, 0.0)) - 1.0) / np.where(known, lmbda, 1.0)
    return np.where(known, far, np.where(known, 1.0, log_x) * np.where(known, 1.0, ratio))
