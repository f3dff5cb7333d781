"""Sums of exponentials, their logarithms and shares, without overflow."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_inexact, public, type_of
from fn.scipy import special

Axis = Any


def _floating(name: str, x: Any) -> Any:
    kind = type_of(x)
    if kind is None:
        raise ArgumentError(f"nn.{name}: not an array", expected="an array", got=type(x).__name__)
    return np.asarray(x) if is_inexact(kind.dtype) else np.astype(np.asarray(x), float)


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
    return special.softmax(x, axis=axis, where=where)


@public
def log_softmax(x: Any, axis: Axis = -1, where: Any = None) -> Any:
    """`log(softmax(x))`, without overflow or loss of precision; the arguments are those of `softmax`.

    >>> import fn, fn.numpy as np
    >>> float(fn.nn.log_softmax(np.array([0.0]))[0])
    0.0
    """
    return special.log_softmax(x, axis=axis, where=where)


logsumexp = special.logsumexp


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
