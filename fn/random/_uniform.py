"""Bits and what is made of them directly: uniform numbers, integers, coin flips."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fn.core import ArgumentError, canonical_dtype, is_float, is_inexact, is_integer, type_of
from fn.ops import (
    add,
    bitcast,
    clamp,
    convert,
    gt,
    le,
    logical_and,
    logical_not,
    logical_or,
    lt,
    maximum,
    mul,
    random_bits,
    rem,
    reshape,
    select,
    shift_right_logical,
    slice_axis,
    sub,
    threefry_split,
)
from fn.random._arguments import (
    Sizes,
    choose,
    draws,
    float_dtype,
    integer_dtype,
    joint_shape,
    parameter,
    sampler,
)
from fn.random._keys import Shape, as_key, as_shape
from fn.xla import fused


@sampler("shape", "dtype")
def bits(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Uniformly distributed unsigned integers.

    Args:
        key: a key.
        shape: of the result.
        dtype: uint8, uint16, uint32 or uint64; by default uint32, or uint64 with 64-bit types on.

    >>> import fn
    >>> fn.random.bits(fn.random.key(0), (2,)).dtype
    dtype('uint32')
    """
    kind = canonical_dtype(np.uint64 if dtype is None else dtype)
    if kind.kind != "u":
        raise ArgumentError(
            "random.bits: not an unsigned integer type",
            expected="uint8, uint16, uint32 or uint64",
            got=str(kind),
        )
    return random_bits(as_key("bits", key), shape=as_shape("bits", shape), bits=kind.itemsize * 8)


def unit_interval(key: Any, shape: Sizes, dtype: np.dtype[Any]) -> Any:
    """Uniform numbers of `[0, 1)`: random mantissas under the exponent of one, minus one."""
    info = ml_dtypes.finfo(dtype)
    width, mantissa = int(info.bits), int(info.nmant)
    drawn = 8 if mantissa < 8 else width
    unsigned = np.dtype(f"uint{width}")
    words = convert(random_bits(key, shape=shape, bits=drawn), dtype=unsigned)
    words = shift_right_logical(words, unsigned.type(drawn - mantissa))
    one = np.ones((), dtype)
    words = logical_or(words, one.view(unsigned)[()])
    return sub(bitcast(words, dtype=dtype), one[()])


def between(key: Any, shape: Sizes, dtype: np.dtype[Any], low: Any, high: Any) -> Any:
    """Uniform numbers of `[low, high)`; the ends are of `dtype`, scalars or of this shape."""
    known = isinstance(low, np.generic) and isinstance(high, np.generic)
    width = high - low if known else sub(high, low)
    return maximum(low, add(mul(unit_interval(key, shape, dtype), width), low))


@sampler("shape", "dtype")
def uniform(
    key: Any, shape: Shape = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Numbers drawn uniformly from `[minval, maxval)`.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.
        minval: lower end; broadcasts to `shape`.
        maxval: upper end; broadcasts to `shape`.

    >>> import fn
    >>> x = fn.random.uniform(fn.random.key(0), (100,))
    >>> bool(((x >= 0) & (x < 1)).all())
    True
    """
    sizes, kind = as_shape("uniform", shape), float_dtype("uniform", dtype)
    key = as_key("uniform", key)
    plain = type(minval) in (int, float) and type(maxval) in (int, float)
    if plain and minval == 0 and maxval == 1:
        return unit_interval(key, sizes, kind)
    low = parameter("uniform", "minval", minval, kind, sizes)
    high = parameter("uniform", "maxval", maxval, kind, sizes)
    return between(key, sizes, kind, low, high)


@sampler("shape", "mode")
def bernoulli(key: Any, p: Any = 0.5, shape: Shape | None = None, mode: str = "low") -> Any:
    """Booleans that are true with probability `p`.

    Args:
        key: a key.
        p: probability; broadcasts to `shape`.
        shape: of the result; None takes that of `p`.
        mode: "low" rounds the probability to a multiple of the dtype's epsilon; "high" draws twice as
            many bits, which small probabilities need.

    >>> import fn
    >>> fn.random.bernoulli(fn.random.key(0), 0.5, (3,)).dtype
    dtype('bool')
    """
    kind = type_of(p)
    if kind is None or not is_float(kind.dtype):
        raise ArgumentError(
            "random.bernoulli: p is not a floating number", expected="a probability",
            got=str(kind or type(p).__name__),
        )  # fmt: skip
    sizes = joint_shape("bernoulli", shape, p)
    chance = parameter("bernoulli", "p", p, kind.dtype, sizes)
    key = as_key("bernoulli", key)
    if choose("bernoulli", "mode", mode, "low", "high") == "low":
        return lt(unit_interval(key, sizes, kind.dtype), chance)
    halves = unit_interval(key, (2, *sizes), kind.dtype)
    upper, lower = (reshape(slice_axis(halves, i, i + 1, 0), shape=sizes) for i in (0, 1))
    finest = kind.dtype.type(2.0 ** -int(ml_dtypes.finfo(kind.dtype).nmant))
    return lt(mul(lower, finest), sub(chance, upper))


@sampler("shape", "dtype")
def rademacher(key: Any, shape: Shape = (), dtype: Any = None) -> Any:
    """Signs: 1 or -1, each as likely.

    Args:
        key: a key.
        shape: of the result.
        dtype: of numbers; by default an integer one.

    >>> import fn
    >>> set(fn.random.rademacher(fn.random.key(0), (20,)).tolist()) == {-1, 1}
    True
    """
    kind = canonical_dtype(int if dtype is None else dtype)
    floats = float_dtype("rademacher", None)
    drawn = unit_interval(as_key("rademacher", key), as_shape("rademacher", shape), floats)
    return select(lt(drawn, floats.type(0.5)), kind.type(1), kind.type(-1))


@draws
def randint(key: Any, shape: Shape, minval: Any, maxval: Any, dtype: Any = None) -> Any:
    """Integers drawn from `minval` to `maxval`, exclusive.

    Args:
        key: a key.
        shape: of the result.
        minval: smallest integer; broadcasts to `shape`.
        maxval: one more than the largest; where it is not above `minval`, the result is `minval`.
            Bounds beyond those of `dtype` are cut off there.
        dtype: an integer dtype.

    >>> import fn
    >>> x = fn.random.randint(fn.random.key(0), (100,), 0, 6)
    >>> int(x.min()), int(x.max())
    (0, 5)
    """
    wanted, sizes = integer_dtype("randint", dtype), as_shape("randint", shape)
    kind = _drawn_as(wanted)
    smallest, top = _limits(wanted)
    over = isinstance(maxval, (int, np.integer)) and int(maxval) > top
    whole = over and isinstance(minval, (int, np.integer)) and int(minval) <= smallest
    low, high = (
        kind.type(min(max(int(v), smallest), top)) if isinstance(v, (int, np.integer)) else v
        for v in (minval, maxval)
    )
    return _randint(key, low, high, sizes, wanted, "whole" if whole else over)


def _drawn_as(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Narrow types are drawn in a wide one, which holds the bound above their largest number too."""
    return dtype if dtype.itemsize >= 4 else np.dtype(np.int32)


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    info = ml_dtypes.iinfo(dtype)
    return int(info.min), int(info.max) + (dtype.itemsize < 4)


@fused("sizes", "wanted", "over")
def _randint(
    key: Any, minval: Any, maxval: Any, sizes: Sizes, wanted: np.dtype[Any], over: bool | str
) -> Any:
    """`over`: whether `maxval` was above the type's largest number; "whole" if `minval` is the smallest too."""
    kind = _drawn_as(wanted)
    width = kind.itemsize * 8
    first, second = two_keys(as_key("randint", key))
    upper = random_bits(first, shape=sizes, bits=width)
    lower = random_bits(second, shape=sizes, bits=width)
    low, _ = _bound("minval", minval, wanted, sizes)
    high, above = _bound("maxval", maxval, wanted, sizes)
    if over == "whole":  # every number of the type is as likely
        return add(low, convert(lower, dtype=kind))
    # Twice the bits of the result, so that the remainder is close to uniform for every span.
    unsigned = np.dtype(f"uint{width}").type
    span = convert(sub(high, low), dtype=np.dtype(unsigned))
    empty = le(high, low)
    span = select(empty, unsigned(1), span)
    if over or above is not None:  # the span is one wider than the type can say, and may be 0
        wider = logical_not(empty) if above is None else logical_and(above, logical_not(empty))
        span = select(wider, add(span, unsigned(1)), span)
    multiplier = rem(unsigned(2 ** (width // 2)), span)
    multiplier = rem(mul(multiplier, multiplier), span)
    offset = rem(add(mul(rem(upper, span), multiplier), rem(lower, span)), span)
    return convert(add(low, convert(offset, dtype=kind)), dtype=wanted)


def _bound(name: str, value: Any, wanted: np.dtype[Any], sizes: Sizes) -> tuple[Any, Any]:
    """A bound cut off at the type's own, and whether it was above, or None if it cannot be."""
    kind, (smallest, top) = _drawn_as(wanted), _limits(wanted)
    found = type_of(value)
    if found is not None and is_inexact(found.dtype):
        value = convert(value, dtype=canonical_dtype(int))
        found = type_of(value)
    if found is None or found.dtype == wanted or not is_integer(found.dtype):
        return parameter("randint", name, value, kind, sizes), None
    info = ml_dtypes.iinfo(found.dtype)
    least, most = max(smallest, int(info.min)), min(top, int(info.max))
    above = (
        gt(value, found.dtype.type(most))
        if int(info.max) > most == int(ml_dtypes.iinfo(kind).max)
        else None
    )
    value = parameter(
        "randint", name, clamp(found.dtype.type(least), value, found.dtype.type(most)), kind, sizes
    )
    return value, above if above is None else parameter(
        "randint", name, above, np.dtype(bool), sizes
    )


def keys_of(key: Any, count: int) -> list[Any]:
    """So many new keys."""
    keys = threefry_split(key, shape=(count,))
    return [reshape(slice_axis(keys, i, i + 1, 0), shape=(2,)) for i in range(count)]


def two_keys(key: Any) -> tuple[Any, Any]:
    """Two new keys."""
    first, second = keys_of(key, 2)
    return first, second
