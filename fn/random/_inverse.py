"""Distributions with a distribution function that is easily inverted: one uniform number for each draw."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy

import fn.numpy as np
from fn.core import ArgumentError, is_float, type_of
from fn.ops import count_leading_zeros, log, log1p, neg, random_bits
from fn.random._arguments import (
    Sizes,
    choose,
    float_dtype,
    integer_dtype,
    joint_shape,
    parameter,
    sampler,
)
from fn.random._keys import Shape, as_key, as_shape
from fn.random._uniform import between, unit_interval


@sampler("shape", "dtype")
def exponential(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers drawn from the exponential distribution with mean 1.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.exponential(fn.random.key(0), (100,)) >= 0).all())
    True
    """
    return exponentials("exponential", key, as_shape("exponential", shape), dtype)


def exponentials(operation: str, key: Any, sizes: Sizes, dtype: Any) -> Any:
    """Numbers of the exponential distribution."""
    from_zero = unit_interval(as_key(operation, key), sizes, float_dtype(operation, dtype))
    return neg(log1p(neg(from_zero)))


@sampler("shape", "dtype", "mode")
def gumbel(key: Any, shape: Shape = (), dtype: Any = None, mode: str | None = None) -> Any:
    """Numbers drawn from the standard Gumbel distribution, `-log(-log(u))`.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.
        mode: "low" (the default) makes each of one uniform number, of which there are not many small
            or large ones; "high" and "highest" make it of more bits, for distributions with rare classes.

    >>> import fn
    >>> fn.random.gumbel(fn.random.key(0), (2,)).shape
    (2,)
    """
    return gumbels("gumbel", key, as_shape("gumbel", shape), dtype, mode)


def gumbels(operation: str, key: Any, sizes: Sizes, dtype: Any, mode: str | None) -> Any:
    """Numbers of the standard Gumbel distribution."""
    kind, key = float_dtype(operation, dtype), as_key(operation, key)
    mode = "low" if mode is None else mode
    info = ml_dtypes.finfo(kind)
    if choose(operation, "mode", mode, "low", "high", "highest") == "low":
        tiny = kind.type(info.tiny)
        return neg(log(neg(log(between(key, sizes, kind, tiny, kind.type(1))))))
    if mode == "highest" and kind == numpy.float32:
        return _finest_gumbels(key, sizes)
    drawn = unit_interval(key, (2, *sizes), kind)
    high, low = drawn[0], drawn[1]
    finest = kind.type(2.0 ** -int(info.nmant))
    floor = kind.type(max(2.0 ** -(2 * int(info.nmant) + 1), float(info.tiny)))
    x = np.where(high >= 0.5, high, high + finest * low + floor)
    return neg(log(neg(log1p(neg(x)))))


def _finest_gumbels(key: Any, sizes: Sizes) -> Any:
    """From 64 bits each, as many leading zeros as there are kept."""
    bits = random_bits(key, shape=(2, *sizes), bits=32)
    high, low = bits[0], bits[1]
    lower_half = high < numpy.uint32(1 << 31)
    # The other half is mirrored: the number is negated, in two words with a carry.
    carry = np.astype(low == numpy.uint32(0), numpy.uint32)
    one = numpy.uint32(1)
    flipped_high, flipped_low = ~high + carry, ~low + one
    x = _fraction(np.where(lower_half, high, flipped_high), np.where(lower_half, low, flipped_low))
    return np.where(lower_half, -np.log(-np.log1p(-x)), -np.log(-np.log(x)))


def _fraction(high: Any, low: Any) -> Any:
    """Two words as a float32 of [0, 1), with all the leading bits that it holds."""
    zeros = count_leading_zeros(high), count_leading_zeros(low)
    u = numpy.uint32
    none = zeros[0] == u(32)
    fill = np.where(none, low << zeros[1], low >> (u(32) - zeros[0]))
    mantissa = (high << zeros[0]) | fill
    mantissa = (mantissa >> u(8)) & u((1 << 23) - 1)
    exponent = u(126) - np.where(none, u(32) + zeros[1], zeros[0])
    exponent = (exponent << u(23)) & u((1 << 30) - (1 << 22))
    return (exponent | mantissa).view(numpy.float32)


@sampler("shape", "dtype")
def cauchy(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers drawn from the standard Cauchy distribution.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.cauchy(fn.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype("cauchy", dtype)
    key, eps = as_key("cauchy", key), kind.type(ml_dtypes.finfo(kind).eps)
    u = between(key, as_shape("cauchy", shape), kind, eps, kind.type(1))
    return np.tan(kind.type(numpy.pi) * (u - kind.type(0.5)))


@sampler("shape", "dtype")
def laplace(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers drawn from the Laplace distribution of scale 1.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.laplace(fn.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype("laplace", dtype)
    low = kind.type(-1.0 + float(ml_dtypes.finfo(kind).epsneg))
    key = as_key("laplace", key)
    u = between(key, as_shape("laplace", shape), kind, low, kind.type(1))
    return np.sign(u) * np.log1p(-np.abs(u))


@sampler("shape", "dtype")
def logistic(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Numbers drawn from the standard logistic distribution.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.

    >>> import fn
    >>> fn.random.logistic(fn.random.key(0), (2,)).shape
    (2,)
    """
    kind = float_dtype("logistic", dtype)
    key, tiny = as_key("logistic", key), kind.type(ml_dtypes.finfo(kind).tiny)
    x = between(key, as_shape("logistic", shape), kind, tiny, kind.type(1))
    return np.log(x) - np.log1p(-x)


@sampler("shape", "dtype")
def pareto(key: Any, b: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers from 1 up, drawn from the Pareto distribution with exponent `b`.

    Args:
        key: a key.
        b: exponent of the tail; broadcasts to `shape`.
        shape: of the result; None takes that of `b`.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.pareto(fn.random.key(0), 2.0, (10,)) >= 1).all())
    True
    """
    kind, sizes = float_dtype("pareto", dtype), joint_shape("pareto", shape, b)
    b = parameter("pareto", "b", b, kind, sizes)
    return np.exp(exponentials("pareto", key, sizes, kind) / b)


@sampler("shape", "dtype")
def weibull_min(
    key: Any, scale: Any, concentration: Any, shape: Shape = (), dtype: Any = None
) -> Any:
    """Numbers drawn from the Weibull distribution.

    Args:
        key: a key.
        scale: of the numbers.
        concentration: exponent; below 1 there are many small ones.
        shape: of the uniform numbers they are made of; broadcasts with the parameters.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.weibull_min(fn.random.key(0), 1.0, 2.0, (10,)) >= 0).all())
    True
    """
    kind = float_dtype("weibull_min", dtype)
    u = unit_interval(as_key("weibull_min", key), as_shape("weibull_min", shape), kind)
    return np.power(-np.log1p(-u), 1.0 / np.asarray(concentration)) * scale


@sampler("shape", "dtype")
def rayleigh(key: Any, scale: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """Numbers drawn from the Rayleigh distribution: lengths of two normal numbers times `scale`.

    Args:
        key: a key.
        scale: of the numbers; broadcasts to `shape`.
        shape: of the result; None takes that of `scale`.
        dtype: a floating dtype.

    >>> import fn
    >>> bool((fn.random.rayleigh(fn.random.key(0), 1.0, (10,)) >= 0).all())
    True
    """
    kind, sizes = float_dtype("rayleigh", dtype), joint_shape("rayleigh", shape, scale)
    scale = parameter("rayleigh", "scale", scale, kind, sizes)
    u = unit_interval(as_key("rayleigh", key), sizes, kind)
    return scale * np.sqrt(np.log(u) * -2.0)


@sampler("shape", "dtype")
def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Shape | None = None, dtype: Any = None
) -> Any:
    """Numbers of `[left, right]` whose density rises to `mode` and falls, in straight lines.

    Args:
        key: a key.
        left, mode, right: the corners; broadcast to `shape`.
        shape: of the result; None takes that of the corners.
        dtype: a floating dtype.

    >>> import fn
    >>> x = fn.random.triangular(fn.random.key(0), 0.0, 1.0, 3.0, (10,))
    >>> bool(((x >= 0) & (x <= 3)).all())
    True
    """
    kind = float_dtype("triangular", dtype)
    sizes = joint_shape("triangular", shape, left, mode, right)
    left, mode, right = (
        parameter("triangular", name, v, kind, sizes)
        for name, v in (("left", left), ("mode", mode), ("right", right))
    )
    u = unit_interval(as_key("triangular", key), sizes, kind)
    rising = left + np.sqrt(u * (right - left) * (mode - left))
    falling = right - np.sqrt((1.0 - u) * (right - left) * (right - mode))
    return np.where(u < (mode - left) / (right - left), rising, falling)


@sampler("shape", "dtype")
def geometric(key: Any, p: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """How often a coin is thrown until it first shows what it shows with probability `p`: 1, 2, 3, …

    Args:
        key: a key.
        p: probability; broadcasts to `shape`.
        shape: of the result; None takes that of `p`.
        dtype: an integer dtype.

    >>> import fn
    >>> bool((fn.random.geometric(fn.random.key(0), 0.5, (10,)) >= 1).all())
    True
    """
    kind, sizes = integer_dtype("geometric", dtype), joint_shape("geometric", shape, p)
    found = type_of(p)
    if found is None:
        raise ArgumentError(
            "random.geometric: p is not an array", expected="a probability", got=type(p).__name__
        )
    floats = found.dtype if is_float(found.dtype) else float_dtype("geometric", None)
    p = parameter("geometric", "p", p, floats, sizes)
    u = unit_interval(as_key("geometric", key), sizes, floats)
    u = np.where(u == 0.0, 1.0, u)
    return np.astype(np.floor(np.log(u) / np.log1p(-p)) + 1.0, kind)
