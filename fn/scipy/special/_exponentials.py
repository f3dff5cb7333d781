"""Sums of exponentials, their logarithms and shares, without overflow."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.scipy._arguments import inexact
from fn.xla import fused

Axis = Any


@fused("axis", "keepdims", "return_sign")
def logsumexp(
    a: Any,
    axis: Axis = None,
    b: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: Any = None,
) -> Any:
    """`log(sum(b * exp(a)))` over axes, without overflow; -inf where nothing is summed.

    Args:
        a: array.
        axis: an axis, several, or None for all.
        b: factors that broadcast with `a`.
        keepdims: keep the axes, with size 1.
        return_sign: also give the sign of the sum; the result is then the logarithm of its size. Without
            it a negative sum gives NaN.
        where: mask of the elements that count.

    >>> import fn, fn.numpy as np
    >>> float(fn.scipy.special.logsumexp(np.array([1000.0, -np.inf])))
    1000.0
    """
    (x,) = inexact("logsumexp", a)
    if b is not None:
        x, b = np.broadcast_arrays(x, *inexact("logsumexp", b))
        where = np.not_equal(b, 0) if where is None else np.logical_and(where, np.not_equal(b, 0))
    top = _largest(x, axis, where)
    powers = np.exp(_counted(np.subtract(x, top), where))
    total = np.sum(powers if b is None else np.multiply(b, powers), axis=axis, keepdims=True)
    sign = np.sign(total)
    if return_sign:
        total = np.abs(total)
    # The logarithm of no sum stays out of the derivative.
    empty = np.equal(total, 0)
    out = np.where(empty, -numpy.inf, np.add(np.log(np.where(empty, 1.0, total)), top))
    if not keepdims:
        axes = tuple(range(numpy.ndim(x))) if axis is None else axis
        out, sign = np.squeeze(out, axes), np.squeeze(sign, axes)
    return (out, sign) if return_sign else out


@fused("axis")
def softmax(x: Any, /, *, axis: Axis = None, where: Any = None) -> Any:
    """`exp(x) / sum(exp(x))` over axes, without overflow.

    Args:
        x: array.
        axis: an axis, several, or None for all.
        where: mask of the elements that count; the others get 0.

    >>> import fn, fn.numpy as np
    >>> fn.scipy.special.softmax(np.array([1.0, 1.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    (x,) = inexact("softmax", x)
    powers = np.exp(_counted(np.subtract(x, _top(x, axis, where)), where))
    return np.divide(powers, np.sum(powers, axis=axis, keepdims=True))


@fused("axis")
def log_softmax(x: Any, /, *, axis: Axis = None, where: Any = None) -> Any:
    """`log(softmax(x))`, without overflow or loss of precision; the arguments are those of `softmax`.

    >>> import fn, fn.numpy as np
    >>> float(fn.scipy.special.log_softmax(np.array([0.0]))[0])
    0.0
    """
    (x,) = inexact("log_softmax", x)
    shifted = np.subtract(x, _top(x, axis, where))
    powers = np.exp(_counted(shifted, where))
    out = np.subtract(shifted, np.log(np.sum(powers, axis=axis, keepdims=True)))
    return out if where is None else np.where(where, out, -numpy.inf)


def _top(x: Any, axis: Axis, where: Any) -> Any:
    if where is None:
        return ops.stop_gradient(np.max(x, axis=axis, keepdims=True))
    return _largest(x, axis, where)


def _largest(x: Any, axis: Axis, where: Any) -> Any:
    """The maximum, a constant to the derivative: results do not depend on it. 0 if there is no finite one."""
    real = np.real(x)
    if where is not None:
        real = np.where(where, real, -numpy.inf)
    top = ops.stop_gradient(np.max(real, axis=axis, keepdims=True, initial=-numpy.inf))
    return np.where(np.isfinite(top), top, 0.0)


def _counted(x: Any, where: Any) -> Any:
    return x if where is None else np.where(where, x, -numpy.inf)
