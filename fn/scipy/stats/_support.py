"""What densities have in common: inside and outside of the support, and logarithms of what is left of 1.

Outside of the support a branch that is not taken would still give its NaN to derivatives, so what is
computed there is computed at a harmless place.
"""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np

LOG_2PI = float(numpy.log(2 * numpy.pi))


def within(inside: Any, value: Any, otherwise: Any = -numpy.inf) -> Any:
    """`value` inside of the support."""
    return np.where(inside, value, otherwise)


def log_where(inside: Any, value: Any) -> Any:
    """`log(value)` inside, -inf outside, where it has no derivative."""
    return np.where(inside, np.log(np.where(inside, value, 1.0)), -numpy.inf)


def log1mexp(z: Any) -> Any:
    """`log(1 - exp(-z))` for `z` from 0 up, accurate for small and large ones."""
    none, small = z <= 0, z < 0.6931471805599453
    near, far = np.where(small & ~none, z, 1.0), np.where(small, 1.0, z)
    found = np.where(small, np.log(-np.expm1(-near)), np.log1p(-np.exp(-far)))
    return np.where(none, -numpy.inf, found)


def quantile(q: Any, value: Any) -> Any:
    """`value` for shares `q` from 0 to 1, NaN for others."""
    return np.where((q >= 0) & (q <= 1), value, numpy.nan)
