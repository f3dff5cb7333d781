"""Arithmetic on two arrays: sums, products, quotients, remainders, powers, larger and smaller."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, is_complex, is_float, is_inexact, is_integer, type_of
from fn.numpy._elementwise import _signbit
from fn.numpy._habits import fused, public
from fn.numpy._promotion import array, cast, like, literal, match, promote, spread, type_at
from fn.numpy._rows import as_floating, binary

_BOOL = numpy.dtype(bool)
_NUMBERS = {int, float}


def _boolean(x: Any) -> bool:
    found = type_of(x)
    return found is not None and found.dtype is _BOOL


# --- sums, products, quotients ----------------------------------------------------------


def _add(x: Any, y: Any) -> Any:
    return ops.logical_or(x, y) if _boolean(x) else ops.add(x, y)


def _subtract(x: Any, y: Any) -> Any:
    if _boolean(x):
        raise ArgumentError(
            "subtract: booleans cannot be subtracted", expected="numbers", got="bool and bool",
            fix="use logical_xor (x ^ y), or convert to an integer dtype first",
        )  # fmt: skip
    return ops.sub(x, y)


def _multiply(x: Any, y: Any) -> Any:
    return ops.logical_and(x, y) if _boolean(x) else ops.mul(x, y)


add = binary("add", _add, "`x1 + x2`; logical or for booleans.", "1, 2 -> 3")
subtract = binary("subtract", _subtract, "`x1 - x2`.", "1, 2 -> -1")
multiply = binary("multiply", _multiply, "`x1 * x2`; logical and for booleans.", "3, 2 -> 6")
divide = true_divide = binary(
    "divide", ops.div, "`x1 / x2`, floating.", "1, 2 -> 0.5", floating=True
)


def _numbers(name: str, x: Any, y: Any) -> tuple[Any, Any]:
    """Two operands in one dtype and shape, both arrays, booleans as integers."""
    x, y = match(name, array(name, x), array(name, y, 1))
    if x.dtype == _BOOL:
        x, y = cast(x, numpy.dtype(numpy.int32)), cast(y, numpy.dtype(numpy.int32))
    return x, y


def _zero(x: Any) -> Any:
    return like(0, x)


def _floor_divide(x: Any, y: Any) -> Any:
    if x.dtype.kind == "u":
        return ops.div(x, y)
    if is_integer(x.dtype):
        quotient, rest = ops.div(x, y), ops.rem(x, y)
        # Division rounds toward zero; one less where signs differ and something is left.
        down = ops.logical_and(ops.ne(ops.sign(x), ops.sign(y)), ops.ne(rest, _zero(x)))
        return ops.select(down, ops.sub(quotient, like(1, x)), quotient)
    if is_complex(x.dtype):
        raise ArgumentError(
            "floor_divide: complex numbers have no floor", expected="real numbers", got=str(x.dtype)
        )
    return _float_divmod(x, y)[0]


def _float_divmod(x: Any, y: Any) -> tuple[Any, Any]:
    rest, zero = ops.rem(x, y), _zero(x)
    exact, plain = ops.eq(y, zero), ops.div(x, y)
    quotient = ops.div(ops.sub(x, rest), y)
    down = ops.logical_and(ops.ne(rest, zero), ops.ne(ops.lt(y, zero), ops.lt(rest, zero)))
    quotient = ops.round(ops.select(down, ops.sub(quotient, like(1, x)), quotient))
    # A quotient of zero has the sign of the exact one, and what is divided by zero is infinite.
    signed_zero = ops.select(ops.lt(plain, zero), like(-0.0, x), ops.mul(zero, plain))
    quotient = ops.select(ops.eq(quotient, zero), signed_zero, quotient)
    return ops.select(exact, plain, quotient), _signed_rest(rest, y, down)


def _signed_rest(rest: Any, y: Any, down: Any) -> Any:
    """A rest has the sign of the divisor, zero too, which keeps its derivative."""
    zero, fixed = _zero(rest), ops.stop_gradient(rest)
    positive, negative = ops.sub(rest, fixed), ops.neg(ops.sub(fixed, rest))
    nothing = ops.select(_below(y, rest, zero), negative, positive)
    return ops.select(ops.eq(rest, zero), nothing, ops.select(down, ops.add(rest, y), rest))


def _below(y: Any, rest: Any, zero: Any) -> Any:
    """Whether `y` is negative, in the shape of `rest`."""
    below = ops.lt(y, zero)
    return below if below.shape == rest.shape else ops.full(below, rest.shape)


def _remainder(x: Any, y: Any) -> Any:
    rest, zero = ops.rem(x, y), _zero(x)
    if x.dtype.kind == "u":
        return rest
    other_sign = ops.ne(ops.lt(rest, zero), ops.lt(y, zero))
    down = ops.logical_and(other_sign, ops.ne(rest, zero))
    if is_float(x.dtype):
        return _signed_rest(rest, y, down)
    return ops.select(down, ops.add(rest, y), rest)


floor_divide = binary(
    "floor_divide", lambda x, y: _floor_divide(*_numbers("floor_divide", x, y)),
    "`x1 // x2`, the quotient rounded down.", "-7, 2 -> -4",
)  # fmt: skip
remainder = mod = binary(
    "remainder", lambda x, y: _remainder(*_numbers("remainder", x, y)),
    "`x1 % x2`, with the sign of `x2`.", "-7, 2 -> 1",
)  # fmt: skip
fmod = binary(
    "fmod",
    lambda x, y: ops.rem(*_numbers("fmod", x, y)),
    "Remainder with the sign of `x1`.",
    "-7, 2 -> -1",
)


@fused
def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """`x1 // y` and `x1 % y`.

    Args:
        x, y: arrays or scalars, which are promoted to one dtype and broadcast to one shape.

    >>> import fn.numpy as np
    >>> print(*np.divmod(-7, 2))
    -4 1
    """
    x1, x2 = _numbers("divmod", x1, x2)
    if is_float(x1.dtype):
        return _float_divmod(x1, x2)
    return _floor_divide(x1, x2), _remainder(x1, x2)


# --- powers -----------------------------------------------------------------------------


@public
def power(x1: Any, x2: Any, /) -> Any:
    """`x1 ** y`; a Python integer for `x2` becomes repeated multiplication.

    Args:
        x, y: arrays or scalars, which are promoted to one dtype and broadcast to one shape.

    >>> import fn.numpy as np
    >>> print(np.power(np.array([1., 2., 3.]), 2))
    [1. 4. 9.]
    """
    if type(x2) in (int, float) and type(x1) not in (bool, int, float, complex):
        found = _static_power(x1, x2)
        if found is not None:
            return found
    x1, x2 = _numbers("power", x1, x2)
    return ops.pow(x1, x2) if is_inexact(x1.dtype) else _integer_power(x1, x2)


def _static_power(x: Any, y: int | float) -> Any:
    """`x` to a power known while tracing, where multiplications or a square root do it."""
    dtype = type_at("power", x).dtype
    if not is_inexact(dtype):
        if type(y) is float:
            return None
        if y < 0:
            raise ArgumentError(
                "power: negative powers of integers are not integers",
                expected="an exponent from 0 up, or a floating array", got=f"{dtype} to the power {y}",
                fix="convert the array first: x.astype(float) ** y",
            )  # fmt: skip
        x = cast(x, numpy.dtype(numpy.int32)) if dtype == _BOOL else x
    if y == 0.5 and is_float(dtype):
        return ops.sqrt(x)
    return ops.integer_pow(x, exponent=int(y)) if math.isfinite(y) and y == int(y) else None


def _integer_power(x: Any, y: Any) -> Any:
    """By squaring: six bits of the exponent suffice, for any more would overflow."""
    zero, one = _zero(x), like(1, x)
    out = ops.select(ops.logical_and(ops.eq(x, zero), ops.ne(y, zero)), zero, one)
    out = ops.spread(out, ops.add(x, y)) if x.shape != y.shape else out
    for _ in range(6):
        odd = ops.ne(ops.logical_and(y, one), zero)
        out = ops.select(odd, ops.mul(out, x), out)
        x, y = ops.mul(x, x), ops.shift_right_logical(y, one)
    return out


pow = power
float_power = binary(
    "float_power",
    lambda x, y: ops.pow(x, y),
    "`x1 ** x2`, floating.",
    "2, -1 -> 0.5",
    floating=True,
)

# --- larger and smaller -----------------------------------------------------------------


def _fmax(x: Any, y: Any) -> Any:
    x, y = array("fmax", x), array("fmax", y)
    return ops.select(ops.logical_or(ops.ge(x, y), ops.ne(y, y)), x, y)


def _fmin(x: Any, y: Any) -> Any:
    x, y = array("fmin", x), array("fmin", y)
    return ops.select(ops.logical_or(ops.le(x, y), ops.ne(y, y)), x, y)


maximum = binary(
    "maximum",
    ops.maximum,
    "The larger of `x1` and `x2`; NaN if either is.",
    "np.array([1., 5.]), 3. -> [3. 5.]",
)
minimum = binary(
    "minimum",
    ops.minimum,
    "The smaller of `x1` and `x2`; NaN if either is.",
    "np.array([1., 5.]), 3. -> [1. 3.]",
)
fmax = binary(
    "fmax", _fmax, "The larger of `x` and `y`; NaN only if both are.", "1., np.nan -> 1.0"
)
fmin = binary(
    "fmin", _fmin, "The smaller of `x` and `y`; NaN only if both are.", "1., np.nan -> 1.0"
)


@fused
def clip(arr: Any, /, min: Any = None, max: Any = None) -> Any:
    """`arr` kept between `min` and `max`, either of which may be None.

    Args:
        arr: array or scalar.
        min, max: arrays or scalars that broadcast with `arr`.

    >>> import fn.numpy as np
    >>> print(np.clip(np.array([-1., 0.5, 7.]), 0., 1.))
    [0.  0.5 1. ]
    """
    if type(arr) is Tracer and {type(min), type(max)} <= _NUMBERS:
        kind = type_at("clip", arr)
        if is_float(kind.dtype) and not kind.weak:  # the usual case, without promotion
            return ops.clamp(literal(min, kind.dtype), arr, literal(max, kind.dtype))
    if min is not None and max is not None:
        low, arr, high = spread("clip", *promote("clip", min, arr, max))
        if not is_complex(array("clip", arr).dtype):
            return ops.clamp(low, arr, high)
    if min is not None:
        arr = ops.maximum(*match("clip", min, arr))
    if max is not None:
        arr = ops.minimum(*match("clip", arr, max))
    return array("clip", arr)


# --- floating functions of two arrays ---------------------------------------------------


def _arctan2(x: Any, y: Any) -> Any:
    return ops.atan2(x, y)


def _hypot(x: Any, y: Any) -> Any:
    x, y = ops.abs(x), ops.abs(y)
    # Which is larger decides the form, not `maximum`: its half derivatives at ties are wrong here
    # from the second order on.
    larger = ops.ge(x, y)
    high, low = ops.select(larger, x, y), ops.select(larger, y, x)
    safe = ops.select(ops.eq(high, _zero(high)), like(1.0, high), high)
    out = ops.mul(high, ops.sqrt(ops.add(ops.square(ops.div(low, safe)), 1.0)))
    infinity = like(math.inf, high)
    infinite = ops.logical_or(ops.eq(x, infinity), ops.eq(y, infinity))
    return ops.select(infinite, infinity, out)


def _logaddexp(x: Any, y: Any) -> Any:
    x, y = array("logaddexp", x), array("logaddexp", y)
    larger = ops.ge(x, y)
    high, low = ops.select(larger, x, y), ops.select(larger, y, x)
    gap = ops.sub(low, high)
    # Of two equal infinities the difference is NaN, but the result is that infinity.
    same = ops.logical_and(ops.eq(x, y), ops.ne(gap, gap))
    gap = ops.select(same, _zero(gap), gap)
    return ops.add(high, ops.log1p(ops.exp(gap)))


def _copysign(x: Any, y: Any) -> Any:
    size = ops.abs(array("copysign", x))
    return ops.select(_signbit(y), ops.neg(size), size)


def _heaviside(x: Any, y: Any) -> Any:
    x = array("heaviside", x)
    step = ops.select(ops.lt(x, _zero(x)), _zero(x), like(1.0, x))
    step = ops.select(ops.ne(x, x), x, step)
    return ops.select(ops.eq(x, _zero(x)), y, step)


arctan2 = atan2 = binary(
    "arctan2", _arctan2, "Angle of the point with ordinate `x` and abscissa `y`.", "0., 1. -> 0.0",
    floating=True,
)  # fmt: skip
hypot = binary(
    "hypot", _hypot, "`sqrt(x**2 + y**2)`, without overflow.", "3., 4. -> 5.0", floating=True
)
logaddexp = binary(
    "logaddexp",
    _logaddexp,
    "`log(exp(x) + exp(y))`, without overflow.",
    "0., -np.inf -> 0.0",
    floating=True,
)
logaddexp2 = binary(
    "logaddexp2",
    lambda x, y: ops.div(_logaddexp(ops.mul(x, math.log(2)), ops.mul(y, math.log(2))), math.log(2)),
    "`log2(2**x + 2**y)`, without overflow.", "0., -np.inf -> 0.0", floating=True,
)  # fmt: skip
copysign = binary(
    "copysign", _copysign, "`|x|` with the sign of `y`.", "3., -0.0 -> -3.0", floating=True
)
heaviside = binary(
    "heaviside", _heaviside, "0 where `x1 < 0`, `x2` where `x1 == 0`, 1 where `x1 > 0`.", "0., 0.5 -> 0.5",
    floating=True,
)  # fmt: skip
nextafter = binary(
    "nextafter",
    ops.nextafter,
    "The number next to `x1` in the direction of `x2`.",
    "1., 1. -> 1.0",
    floating=True,
)


@fused
def ldexp(x1: Any, x2: Any, /) -> Any:
    """`x1 * 2 ** exponent`, for integer exponents.

    >>> import fn.numpy as np
    >>> print(np.ldexp(1.5, 2))
    6.0
    """
    x1 = as_floating("ldexp", array("ldexp", x1))
    x1, scale = match("ldexp", x1, cast(array("ldexp", x2, 1), x1.dtype))
    return ops.mul(x1, ops.pow(like(2.0, x1), scale))
