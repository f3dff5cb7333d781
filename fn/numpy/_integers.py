"""Divisors, bits, and the parts that floating numbers are made of."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex, is_integer
from fn.numpy._arithmetic import nextafter
from fn.numpy._elementwise import abs
from fn.numpy._habits import fused
from fn.numpy._logic import truth
from fn.numpy._promotion import array, literal, one_axis, promote, spread
from fn.numpy._rows import as_floating

_UINT8 = numpy.dtype(numpy.uint8)


def _two_integers(name: str, x: Any, y: Any) -> list[Any]:
    pair = promote(name, array(name, x), array(name, y, 1))
    pair = spread(name, *pair)
    if not is_integer(pair[0].dtype):
        raise ArgumentError(f"{name}: not integers", expected="integers", got=str(pair[0].dtype))
    return [abs(array(name, v)) for v in pair]


# How many steps Euclid's algorithm takes at most for numbers of so many bits: Fibonacci's neighbours.
_STEPS = {8: 13, 16: 24, 32: 47, 64: 93}


def _euclid(x: Any, y: Any) -> Any:
    zero = literal(0, x.dtype)
    for _ in range(_STEPS[max(8, 8 * x.dtype.itemsize)]):
        done = ops.eq(y, zero)
        rest = ops.rem(x, ops.select(done, literal(1, x.dtype), y))
        x, y = ops.select(done, x, y), ops.select(done, zero, rest)
    return x


def _with_shape(x: Any, y: Any) -> tuple[Any, Any]:
    shape = x.shape or y.shape
    return tuple([v if v.shape == shape else ops.full(v, shape) for v in (x, y)])


@fused
def gcd(x1: Any, x2: Any) -> Any:
    """The greatest common divisor of integers, elementwise.

    >>> import fn.numpy as np
    >>> print(np.gcd(np.array([12, 18]), 8))
    [4 2]
    """
    return _euclid(*_with_shape(*_two_integers("gcd", x1, x2)))


@fused
def lcm(x1: Any, x2: Any) -> Any:
    """The least common multiple of integers, elementwise.

    >>> import fn.numpy as np
    >>> print(np.lcm(np.array([4, 6]), 10))
    [20 30]
    """
    x, y = _with_shape(*_two_integers("lcm", x1, x2))
    divisor, zero = _euclid(x, y), literal(0, x.dtype)
    safe = ops.select(ops.eq(divisor, zero), literal(1, x.dtype), divisor)
    return ops.mul(ops.div(x, safe), y)


# --- bits -------------------------------------------------------------------------------


def _weights(name: str, bitorder: str) -> Any:
    if bitorder not in ("big", "little"):
        raise ArgumentError(f"{name}: unknown bitorder", expected="big, little", got=repr(bitorder))
    shifts = numpy.arange(8, dtype=numpy.uint8)
    return shifts[::-1].copy() if bitorder == "big" else shifts


@fused
def packbits(a: Any, axis: int | None = None, bitorder: str = "big") -> Any:
    """Each eight elements along an axis, zero or not, as the bits of a byte.

    Args:
        a: array of integers or booleans.
        axis: the axis; None packs the flattened array.
        bitorder: "big" if the first element becomes the highest bit, "little" if the lowest.

    >>> import fn.numpy as np
    >>> print(np.packbits(np.array([1, 0, 0, 0, 0, 0, 1, 1])))
    [131]
    """
    shifts = _weights("packbits", bitorder)
    x = array("packbits", a)
    if not is_integer(x.dtype) and x.dtype != numpy.bool_:
        raise ArgumentError("packbits: no bits", expected="integers or booleans", got=str(x.dtype))
    x = ops.convert(truth("packbits", x), dtype=_UINT8)
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    place = one_axis("packbits", axis, x.ndim)
    x = ops.move_axis(x, place, x.ndim - 1)
    last = x.ndim - 1
    missing = -x.shape[last] % 8
    x = ops.pad(x, value=0, low=(0,) * x.ndim, high=(*[0] * last, missing), interior=(0,) * x.ndim)
    x = ops.reshape(x, shape=(*x.shape[:-1], x.shape[last] // 8, 8))
    bits = ops.shift_left(
        x, ops.broadcast(array("packbits", shifts), shape=x.shape, axes=(last + 1,))
    )
    return ops.move_axis(ops.reduce_sum(bits, axes=(last + 1,)), last, place)


@fused
def unpackbits(
    a: Any, axis: int | None = None, count: int | None = None, bitorder: str = "big"
) -> Any:
    """The bits of bytes along an axis, one element each.

    Args:
        a: array of dtype uint8.
        axis: the axis; None unpacks the flattened array.
        count: how many bits to give; a negative number says how many to leave out at the end.
        bitorder: "big" if the highest bit comes first, "little" if the lowest.

    >>> import fn.numpy as np
    >>> print(np.unpackbits(np.array([131], np.uint8)))
    [1 0 0 0 0 0 1 1]
    """
    shifts = _weights("unpackbits", bitorder)
    x = array("unpackbits", a)
    if x.dtype != _UINT8:
        raise ArgumentError("unpackbits: not bytes", expected="uint8", got=str(x.dtype))
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    place = one_axis("unpackbits", axis, x.ndim)
    x = ops.move_axis(x, place, x.ndim - 1)
    last = x.ndim - 1
    whole = (*x.shape, 8)
    bits = ops.shift_right_logical(
        ops.broadcast(x, shape=whole, axes=tuple(range(x.ndim))),
        ops.broadcast(array("unpackbits", shifts), shape=whole, axes=(x.ndim,)),
    )
    bits = ops.logical_and(bits, literal(1, _UINT8))
    n = x.shape[last] * 8
    out = ops.reshape(bits, shape=(*x.shape[:-1], n))
    if count is not None:
        size = max(0, n + count) if count < 0 else count
        high = (*[0] * last, size - n)
        out = ops.pad(out, value=0, low=(0,) * out.ndim, high=high, interior=(0,) * out.ndim)
    return ops.move_axis(out, last, place)


# --- parts of floating numbers ----------------------------------------------------------


@fused
def frexp(x: Any, /) -> tuple[Any, Any]:
    """Numbers m from 1/2 to 1 and integers e with `x = m * 2 ** e`.

    >>> import fn.numpy as np
    >>> print(*np.frexp(6.0))
    0.75 3
    """
    x = array("frexp", as_floating("frexp", x))
    if is_complex(x.dtype):
        raise ArgumentError("frexp: not real numbers", expected="real numbers", got=str(x.dtype))
    small, scale = float(numpy.finfo(numpy.float32).tiny), 2.0**100
    wide = x if x.dtype.itemsize >= 4 else ops.convert(x, dtype=numpy.float32)
    if x.dtype.itemsize == 8:
        small = float(numpy.finfo(numpy.float64).tiny)
    size = ops.abs(ops.stop_gradient(wide))
    # Numbers too small to have all their bits are made larger first.
    tiny = ops.lt(size, literal(small, wide.dtype))
    size = ops.select(tiny, ops.mul(size, literal(scale, wide.dtype)), size)
    bits_dtype = numpy.dtype(numpy.int64 if wide.dtype.itemsize == 8 else numpy.int32)
    fraction_bits = 52 if wide.dtype.itemsize == 8 else 23
    bias = 1022 if wide.dtype.itemsize == 8 else 126
    bits = ops.bitcast(size, dtype=bits_dtype)
    exponent = ops.sub(
        ops.shift_right_logical(bits, literal(fraction_bits, bits_dtype)), literal(bias, bits_dtype)
    )
    exponent = ops.select(tiny, ops.sub(exponent, literal(100, bits_dtype)), exponent)
    special = ops.logical_or(
        ops.logical_not(ops.is_finite(wide)), ops.eq(wide, literal(0, wide.dtype))
    )
    exponent = ops.select(special, literal(0, bits_dtype), exponent)
    # Two factors, for 2 ** -e itself may be beyond the largest number.
    half = ops.div(exponent, literal(2, bits_dtype))
    rest = ops.sub(exponent, half)
    mantissa = ops.mul(
        ops.mul(wide, _power_of_two(ops.neg(half), wide)), _power_of_two(ops.neg(rest), wide)
    )
    mantissa = ops.select(special, wide, mantissa)
    return (
        mantissa if mantissa.dtype == x.dtype else ops.convert(mantissa, dtype=x.dtype),
        ops.convert(exponent, dtype=numpy.int32),
    )


def _power_of_two(exponent: Any, x: Any) -> Any:
    """Exactly: the bits of the exponent put in their place."""
    kind = exponent.dtype
    fraction_bits, bias = (52, 1023) if kind.itemsize == 8 else (23, 127)
    bits = ops.shift_left(ops.add(exponent, literal(bias, kind)), literal(fraction_bits, kind))
    return ops.bitcast(bits, dtype=x.dtype)


@fused
def spacing(x: Any, /) -> Any:
    """The distance to the next number away from 0, with the sign of `x`.

    >>> import fn.numpy as np
    >>> print(np.spacing(1.0) == np.finfo(np.float32).eps)
    True
    """
    x = array("spacing", as_floating("spacing", x))
    away = ops.select(
        ops.lt(x, literal(0, x.dtype)), literal(-numpy.inf, x.dtype), literal(numpy.inf, x.dtype)
    )
    away = away if away.shape == x.shape else ops.full(away, x.shape)
    return ops.sub(nextafter(x, away), x)
