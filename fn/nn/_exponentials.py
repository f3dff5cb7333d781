"""Sums of exponentials, their logarithms and shares, without overflow."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_inexact, public, type_of

Axis = Any


def _floating(name: str, x: Any) -> Any:
    kind = type_of(x)
    if kind is None:
        raise ArgumentError(f"nn.{name}: not an array", expected="an array", got=type(x).__name__)
    return np.asarray(x) if is_inexact(kind.dtype) else np.astype(np.asarray(x), float)


def _largest(x: Any, axis: Axis, where: Any) -> Any:
    """The maximum, a constant to the derivative: results do not depend on it. 0 if there is no finite one."""
    real = np.real(x)
    if where is not None:
        real = np.where(where, real, -np.inf)
    top = ops.stop_gradient(np.max(real, axis=axis, keepdims=True, initial=-np.inf))
    return np.where(np.isfinite(top), top, 0.0)


@public
def softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """`exp(x) / sum(exp(x))` along `axis`, without overflow.

    Args:
        x: floating array.
        axis: an axis, several, or None for all.
        where: mask of the elements that count; the others get 0.

    >>> import fn, fn.numpy as np
    >>> fn.nn.softmax(np.array([1.0, 1.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    x = _floating("softmax", x)
    powers = np.exp(_counted(np.subtract(x, _top(x, axis, where)), where))
    return np.divide(powers, np.sum(powers, axis=axis, keepdims=True))


@public
def log_softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """`log(softmax(x))`, without overflow or loss of precision; the arguments are those of `softmax`.

    >>> import fn, fn.numpy as np
    >>> float(fn.nn.log_softmax(np.array([0.0]))[0])
    0.0
    """
    x = _floating("log_softmax", x)
    shifted = np.subtract(x, _top(x, axis, where))
    powers = np.exp(_counted(shifted, where))
    out = np.subtract(shifted, np.log(np.sum(powers, axis=axis, keepdims=True)))
    return out if where is None else np.where(where, out, -np.inf)


def _top(x: Any, axis: Axis, where: Any) -> Any:
    if where is None:
        return ops.stop_gradient(np.max(x, axis=axis, keepdims=True))
    return _largest(x, axis, where)


def _counted(x: Any, where: Any) -> Any:
    return x if where is None else np.where(where, x, -np.inf)


@public
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
    >>> float(fn.nn.logsumexp(np.array([1000.0, -np.inf])))
    1000.0
    """
    x = _floating("logsumexp", a)
    if b is not None:
        x, b = np.broadcast_arrays(x, _floating("logsumexp", b))
        where = np.not_equal(b, 0) if where is None else np.logical_and(where, np.not_equal(b, 0))
    top = _largest(x, axis, where)
    powers = np.exp(_counted(np.subtract(x, top), where))
    total = np.sum(powers if b is None else np.multiply(b, powers), axis=axis, keepdims=True)
    sign = np.sign(total)
    if return_sign:
        total = np.abs(total)
    # The logarithm of no sum stays out of the derivative.
    empty = np.equal(total, 0)
    out = np.where(empty, -np.inf, np.add(np.log(np.where(empty, 1.0, total)), top))
    if not keepdims:
        axes = tuple(range(x.ndim)) if axis is None else axis
        out, sign = np.squeeze(out, axes), np.squeeze(sign, axes)
    return (out, sign) if return_sign else out


@public
def logmeanexp(x: Any, axis: Axis = None, where: Any = None, keepdims: bool = False) -> Any:
    """`log(mean(exp(x)))` over axes, without overflow; the arguments are those of `logsumexp`.

    >>> import fn, fn.numpy as np
    >>> float(fn.nn.logmeanexp(np.array([0.0, 0.0])))
    0.0
    """
    total = logsumexp(x, axis, keepdims=keepdims, where=where)
    mask = np.ones(np.shape(x)) if where is None else np.broadcast_to(where, np.shape(x))
    count = np.astype(np.sum(mask, axis=axis, keepdims=keepdims), total.dtype)
    return np.subtract(total, np.log(count))


@public
def log1mexp(x: Any) -> Any:
    """`log(1 - exp(-x))` for positive `x`, accurate for small and large ones. Mächler, 2012.

    >>> import fn
    >>> round(float(fn.nn.log1mexp(1.0)), 4)
    -0.4587
    """
    x = _floating("log1mexp", x)
    small = np.less(x, 0.6931471805599453)
    # The branch not taken must stay finite, or its derivative would poison the other.
    near, far = np.where(small, x, 1.0), np.where(small, 1.0, x)
    return np.where(
        small,
        np.log(np.negative(np.expm1(np.negative(near)))),
        np.log1p(np.negative(np.exp(np.negative(far)))),
    )


@public
def standardize(
    x: Any,
    axis: Axis = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """`x` less its mean, divided by its standard deviation, over axes.

    Args:
        x: array.
        axis: an axis, several, or None for all.
        mean, variance: those to use, if they are known.
        epsilon: what is added to the variance.
        where: mask of the elements that count.
        algorithm: "fast" takes the mean of squares less the square of the mean, "stable" the mean of
            squared distances.

    >>> import fn, fn.numpy as np
    >>> np.round(fn.nn.standardize(np.array([1.0, 3.0])), 3)
    Array([-1.,  1.], dtype=float32)
    """
    x = _floating("standardize", x)
    if algorithm not in ("fast", "stable"):
        raise ArgumentError(
            "nn.standardize: unknown algorithm", expected="fast, stable", got=repr(algorithm)
        )
    if mean is None:
        mean = np.mean(x, axis=axis, keepdims=True, where=where)
    if variance is None and algorithm == "stable":
        distance = np.square(np.subtract(x, mean))
        variance = np.mean(distance, axis=axis, keepdims=True, where=where)
    elif variance is None:
        squares = np.mean(np.square(x), axis=axis, keepdims=True, where=where)
        variance = np.clip(np.subtract(squares, np.square(mean)), 0)
    return np.multiply(np.subtract(x, mean), ops.rsqrt(np.add(variance, epsilon)))
