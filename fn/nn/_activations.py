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
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """`x` where positive, else `negative_slope * x`.

    >>> import fn, fn.numpy as np
    >>> fn.nn.leaky_relu(np.array([-1.0, 2.0]), 0.5)
    Array([-0.5,  2. ], dtype=float32)
    """
    x = _floating("leaky_relu", x)
    return ops.select(ops.gt(x, 0.0), x, ops.mul(x, negative_slope))


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


swish = silu


# --- pieces of lines --------------------------------------------------------------------


@public
def identity(x: Any) -> Any:
    """`x` itself.

    >>> import fn
    >>> float(fn.nn.identity(2.0))
    2.0
    """
    return np.asarray(x)


def _between(x: Any, low: float, high: float) -> Any:
    """`x` kept between two numbers, with derivative 0 at both of them and beyond."""
    x = np.asarray(x)
    below, above = ops.le(x, x.dtype.type(low)), ops.ge(x, x.dtype.type(high))
    return ops.select(below, x.dtype.type(low), ops.select(above, x.dtype.type(high), x))


@public
def relu6(x: Any) -> Any:
    """`x` kept between 0 and 6. Krizhevsky, 2010.

    >>> import fn, fn.numpy as np
    >>> fn.nn.relu6(np.array([-1.0, 2.0, 7.0]))
    Array([0., 2., 6.], dtype=float32)
    """
    return _between(x, 0, 6)


@public
def hard_tanh(x: Any) -> Any:
    """`x` kept between -1 and 1.

    >>> import fn, fn.numpy as np
    >>> fn.nn.hard_tanh(np.array([-3.0, 0.5]))
    Array([-1. ,  0.5], dtype=float32)
    """
    return _between(x, -1, 1)


@public
def hard_sigmoid(x: Any) -> Any:
    """`relu6(x + 3) / 6`: a sigmoid of three lines.

    >>> import fn
    >>> float(fn.nn.hard_sigmoid(0.0))
    0.5
    """
    return np.divide(relu6(np.add(_floating("hard_sigmoid", x), 3.0)), 6.0)


@public
def hard_silu(x: Any) -> Any:
    """`x * hard_sigmoid(x)`, also called hard swish. Howard et al., 2019.

    >>> import fn
    >>> float(fn.nn.hard_silu(3.0))
    3.0
    """
    x = _floating("hard_silu", x)
    return ops.mul(x, hard_sigmoid(x))


hard_swish = hard_silu


@public
def sparse_plus(x: Any) -> Any:
    """0 up to -1, `x` from 1 on, and a parabola between: a softplus that reaches both.

    >>> import fn, fn.numpy as np
    >>> fn.nn.sparse_plus(np.array([-2.0, 0.0, 3.0]))
    Array([0.  , 0.25, 3.  ], dtype=float32)
    """
    x = _floating("sparse_plus", x)
    middle = np.multiply(np.square(np.add(x, 1.0)), 0.25)
    return np.where(np.less_equal(x, -1.0), 0.0, np.where(np.greater_equal(x, 1.0), x, middle))


@public
def sparse_sigmoid(x: Any) -> Any:
    """`(x + 1) / 2` kept between 0 and 1: the derivative of `sparse_plus`.

    >>> import fn
    >>> float(fn.nn.sparse_sigmoid(0.0))
    0.5
    """
    return np.multiply(np.clip(np.add(_floating("sparse_sigmoid", x), 1.0), 0.0, 2.0), 0.5)


# --- smooth curves ----------------------------------------------------------------------


@public
def celu(x: Any, alpha: Any = 1.0) -> Any:
    """`x` where positive, else `alpha * (exp(x / alpha) - 1)`. Barron, 2017.

    >>> import fn
    >>> float(fn.nn.celu(2.0))
    2.0
    """
    x = _floating("celu", x)
    positive = np.greater(x, 0.0)
    safe = np.where(positive, 0.0, x)
    return np.where(positive, x, np.multiply(np.expm1(np.divide(safe, alpha)), alpha))


_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@public
def selu(x: Any) -> Any:
    """An elu scaled so that mean 0 and variance 1 are kept. Klambauer et al., 2017.

    >>> import fn
    >>> round(float(fn.nn.selu(1.0)), 4)
    1.0507
    """
    return np.multiply(elu(x, _SELU_ALPHA), _SELU_SCALE)


@public
def soft_sign(x: Any) -> Any:
    """`x / (1 + |x|)`.

    >>> import fn
    >>> float(fn.nn.soft_sign(1.0))
    0.5
    """
    x = _floating("soft_sign", x)
    return np.divide(x, np.add(np.abs(x), 1.0))


@public
def squareplus(x: Any, b: Any = 4) -> Any:
    """`(x + sqrt(x**2 + b)) / 2`: a smooth relu without exponentials.

    >>> import fn
    >>> float(fn.nn.squareplus(0.0))
    1.0
    """
    x = _floating("squareplus", x)
    return np.multiply(np.add(x, np.sqrt(np.add(np.square(x), b))), 0.5)


@public
def mish(x: Any) -> Any:
    """`x * tanh(softplus(x))`. Misra, 2019.

    >>> import fn
    >>> float(fn.nn.mish(0.0))
    0.0
    """
    x = _floating("mish", x)
    return np.multiply(x, np.tanh(softplus(x)))


@public
def log_sigmoid(x: Any) -> Any:
    """`log(sigmoid(x))`, without overflow.

    >>> import fn
    >>> round(float(fn.nn.log_sigmoid(0.0)), 4)
    -0.6931
    """
    return np.negative(softplus(np.negative(_floating("log_sigmoid", x))))


@public
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second. Dauphin et al., 2016.

    >>> import fn, fn.numpy as np
    >>> fn.nn.glu(np.array([4.0, 0.0]))
    Array([2.], dtype=float32)
    """
    x = _floating("glu", x)
    if np.ndim(x) == 0 or x.shape[axis] % 2:
        raise ArgumentError(
            "nn.glu: the axis has no halves",
            expected="an even size",
            got=f"shape {x.shape}, axis {axis}",
        )
    first, second = np.split(x, 2, axis)
    return np.multiply(first, sigmoid(second))
