"""Integrals of sampled functions."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn.core import public


@public
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of `y` by the trapezoidal rule: `fn.numpy.trapezoid`.

    Args:
        y: values of the function.
        x: where they were taken; by default at distances `dx`.
        dx: distance of the points.
        axis: the axis to integrate over.

    >>> import fn.numpy as np
    >>> from fn.scipy import integrate
    >>> float(integrate.trapezoid(np.array([0.0, 1.0])))
    0.5
    """
    return np.trapezoid(y, x, dx, axis)
