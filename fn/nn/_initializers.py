"""Initial weights: functions `(key, shape, dtype) -> array`, scaled by fan-in and fan-out.

The last axis of a weight counts its outputs, the one before it its inputs; the others are a window.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import fn.numpy as np
from fn.random import normal, truncated_normal, uniform

Initializer: TypeAlias = Callable[..., Any]

# Standard deviation of a normal distribution cut off at two, to undo the shrinking.
_CUT = 0.87962566103423978


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs and outputs of one unit of a weight of this shape."""
    window = math.prod(shape[:-2])
    inputs = shape[-2] if len(shape) > 1 else 1
    return max(1, inputs * window), max(1, shape[-1] * window)


def variance_scaling(
    scale: float,
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in",
    distribution: Literal["truncated_normal", "normal", "uniform"] = "truncated_normal",
) -> Initializer:
    """Weights of variance `scale / fan`.

    >>> import fn
    >>> init = fn.nn.variance_scaling(1.0)
    >>> init(fn.random.key(0), (3, 4), "float32").shape
    (3, 4)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
        fan_in, fan_out = fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
        deviation = math.sqrt(scale / fan)
        if distribution == "uniform":
            bound = math.sqrt(3) * deviation
            return uniform(key, shape, dtype, -bound, bound)
        if distribution == "normal":
            return np.multiply(normal(key, shape, dtype), deviation)
        return np.multiply(truncated_normal(key, -2.0, 2.0, shape, dtype), deviation / _CUT)

    return init


def zeros(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
    """All zeros, whatever the key.

    >>> import fn
    >>> fn.nn.zeros(None, (2,))
    Array([0., 0.], dtype=float32)
    """
    return np.zeros(tuple(shape), dtype)


def ones(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
    """All ones, whatever the key.

    >>> import fn
    >>> fn.nn.ones(None, (2,))
    Array([1., 1.], dtype=float32)
    """
    return np.ones(tuple(shape), dtype)


_lecun_normal = variance_scaling(1.0)


def lecun_normal(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
    """Truncated normal weights of variance `1 / fan_in`, for tanh and self-normalising layers.

    Source: LeCun et al., "Efficient BackProp", 1998.

    >>> import fn
    >>> fn.nn.lecun_normal(fn.random.key(0), (3, 4)).shape
    (3, 4)
    """
    return _lecun_normal(key, shape, dtype)


_he_normal = variance_scaling(2.0)


def he_normal(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
    """Truncated normal weights of variance `2 / fan_in`, for ReLU.

    Source: He et al., "Delving deep into rectifiers", 2015.

    >>> import fn
    >>> fn.nn.he_normal(fn.random.key(0), (3, 4)).shape
    (3, 4)
    """
    return _he_normal(key, shape, dtype)


_glorot_uniform = variance_scaling(1.0, "fan_avg", "uniform")


def glorot_uniform(key: Any, shape: Sequence[int], dtype: Any = "float32") -> Any:
    """Uniform weights of variance `2 / (fan_in + fan_out)`.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    networks", 2010.

    >>> import fn
    >>> fn.nn.glorot_uniform(fn.random.key(0), (3, 4)).shape
    (3, 4)
    """
    return _glorot_uniform(key, shape, dtype)
