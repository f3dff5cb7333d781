"""Activations: plain functions of one array, which are layers without parameters."""

from __future__ import annotations

import math
from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_inexact, public, type_of


def _floating(name: str, x: Any) -> Any:
    kind = type_of(x)
    if kind is None:
        raise ArgumentError(f"nn.{name}: not an array", expected="an array", got=type(x).__name__)
    return x if is_inexact(kind.dtype) and hasattr(x, "shape") else np.astype(x, float)


@public
def relu(x: Any) -> Any:
    """`max(x, 0)`, with derivative 0 at 0.

    >>> import fn, fn.numpy as np
    >>> fn.nn.relu(np.array([-1.0, 2.0]))
    Array([0., 2.], dtype=float32)
    """
    x = np.asarray(x)
    zero = x.dtype.type(0)
    # A select rather than a maximum: its derivative at 0 is 0, and the mask is all that is kept.
    return ops.select(ops.gt(x, zero), x, zero)


@public
def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """`x` where positive, else `slope * x`.

    >>> import fn, fn.numpy as np
    >>> fn.nn.leaky_relu(np.array([-1.0, 2.0]), 0.5)
    Array([-0.5,  2. ], dtype=float32)
    """
    x = _floating("leaky_relu", x)
    return ops.select(ops.gt(x, 0.0), x, ops.mul(x, slope))


@public
def elu(x: Any, alpha: float = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x) - 1)`. Clevert et al., 2015.

    >>> import fn
    >>> float(fn.nn.elu(2.0))
    2.0
    """
    x = _floating("elu", x)
    positive = ops.gt(x, 0.0)
    # The branch not taken must stay finite, or its derivative would poison the other.
    safe = ops.select(positive, 0.0, x)
    return ops.select(positive, x, ops.mul(ops.expm1(safe), alpha))


@public
def sigmoid(x: Any) -> Any:
    """`1 / (1 + exp(-x))`.

    >>> import fn
    >>> float(fn.nn.sigmoid(0.0))
    0.5
    """
    return ops.logistic(_floating("sigmoid", x))


@public
def silu(x: Any) -> Any:
    """`x * sigmoid(x)`, also called swish. Elfwing et al., 2017.

    >>> import fn
    >>> float(fn.nn.silu(0.0))
    0.0
    """
    x = _floating("silu", x)
    return ops.mul(x, ops.logistic(x))


@public
def tanh(x: Any) -> Any:
    """Hyperbolic tangent.

    >>> import fn
    >>> float(fn.nn.tanh(0.0))
    0.0
    """
    return ops.tanh(_floating("tanh", x))


@public
def softplus(x: Any) -> Any:
    """`log(1 + exp(x))`, without overflow.

    >>> import fn
    >>> round(float(fn.nn.softplus(0.0)), 4)
    0.6931
    """
    return np.logaddexp(_floating("softplus", x), 0.0)


@public
def gelu(x: Any, approximate: bool = True) -> Any:
    """`x` times the normal distribution function at `x`. Hendrycks and Gimpel, 2016.

    Args:
        x: floating.
        approximate: use the approximation by tanh from the paper, instead of erf.

    >>> import fn
    >>> round(float(fn.nn.gelu(1.0)), 3), round(float(fn.nn.gelu(1.0, approximate=False)), 3)
    (0.841, 0.841)
    """
    x = _floating("gelu", x)
    if not approximate:
        half = ops.mul(ops.erfc(ops.mul(x, -math.sqrt(0.5))), 0.5)
        return ops.mul(x, half)
    cube = ops.mul(ops.integer_pow(x, exponent=3), 0.044715)
    inner = ops.mul(ops.add(x, cube), math.sqrt(2 / math.pi))
    return ops.mul(x, ops.mul(ops.add(ops.tanh(inner), 1.0), 0.5))


@public
def softmax(x: Any, axis: int = -1) -> Any:
    """`exp(x) / sum(exp(x))` along `axis`, without overflow.

    >>> import fn, fn.numpy as np
    >>> fn.nn.softmax(np.array([1.0, 1.0]))
    Array([0.5, 0.5], dtype=float32)
    """
    shifted = _shifted(_floating("softmax", x), axis)
    powers = np.exp(shifted)
    return np.divide(powers, np.sum(powers, axis=axis, keepdims=True))


@public
def log_softmax(x: Any, axis: int = -1) -> Any:
    """`log(softmax(x))`, without overflow or loss of precision.

    >>> import fn, fn.numpy as np
    >>> float(fn.nn.log_softmax(np.array([0.0]))[0])
    0.0
    """
    shifted = _shifted(_floating("log_softmax", x), axis)
    return np.subtract(shifted, np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))


def _shifted(x: Any, axis: int) -> Any:
    """`x` less its maximum, which is a constant to the derivative: the result does not depend on it."""
    return np.subtract(x, ops.stop_gradient(np.max(x, axis=axis, keepdims=True)))
