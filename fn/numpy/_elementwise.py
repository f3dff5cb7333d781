"""Functions of one array, element by element: exponentials, circular functions, rounding, parts, tests."""

from __future__ import annotations

import builtins
import math
from typing import Any

import ml_dtypes
import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex, is_float, is_inexact
from fn.numpy._habits import fused, public
from fn.numpy._promotion import array, cast, like
from fn.numpy._rows import as_floating, floating, unary

_BOOL = numpy.dtype(bool)


def _numeric(x: Any) -> Any:
    """`x`, with booleans as integers."""
    x = array("number", x)
    return cast(x, numpy.dtype(numpy.int32)) if x.dtype == _BOOL else x


# --- sign and size ----------------------------------------------------------------------


def _negative(x: Any) -> Any:
    if array("negative", x).dtype == _BOOL:
        raise ArgumentError(
            "negative: a boolean has no negative", expected="numbers", got="bool",
            fix="use logical_not (~x), or convert to an integer dtype first",
        )  # fmt: skip
    return ops.neg(x)


def _abs(x: Any) -> Any:
    x = array("abs", x)
    return x if x.dtype == _BOOL or x.dtype.kind == "u" else ops.abs(x)


negative = unary("negative", _negative, "`-x`.", "np.array([1., -2.]) -> [-1.  2.]")
positive = unary("positive", lambda x: array("positive", x), "`+x`: `x` itself.", "3.0 -> 3.0")
abs = unary("abs", _abs, "Absolute value; for complex `x` its modulus, a real number.", "-2 -> 2")
absolute = abs
fabs = floating("fabs", _abs, "Absolute value, floating.", "-2 -> 2.0")


def _sign(x: Any) -> Any:
    x = _numeric(x)
    # Zero has no sign here, in the standard as in NumPy.
    return (
        ops.select(ops.eq(x, like(0, x)), like(0, x), ops.sign(x))
        if is_float(x.dtype)
        else ops.sign(x)
    )


sign = unary(
    "sign", _sign, "-1, 0 or 1; `x / |x|` for complex `x`; NaN stays NaN.",
    "np.array([-3., 0., 5.]) -> [-1.  0.  1.]",
)  # fmt: skip

# --- powers, exponentials and logarithms ------------------------------------------------

square = unary("square", lambda x: ops.square(_numeric(x)), "`x * x`.", "3 -> 9")
sqrt = floating("sqrt", ops.sqrt, "Square root.", "9 -> 3.0")
cbrt = floating("cbrt", ops.cbrt, "Cube root, negative for negative `x`.", "-8. -> -2.0")
reciprocal = floating("reciprocal", lambda x: ops.div(1.0, x), "`1 / x`, floating.", "4 -> 0.25")
exp = floating("exp", ops.exp, "`e ** x`.", "0.0 -> 1.0")
exp2 = floating("exp2", ops.exp2, "`2 ** x`.", "0.0 -> 1.0")
expm1 = floating("expm1", ops.expm1, "`e ** x - 1`, accurate near 0.", "0.0 -> 0.0")
log = floating("log", ops.log, "Natural logarithm.", "1.0 -> 0.0")


def _logarithm(base: float) -> Any:
    def log_of(x: Any) -> Any:
        out = ops.log(x)
        if not is_complex(array("log", out).dtype):
            return ops.div(out, math.log(base))
        # Part by part: a complex quotient of infinities would be NaN.
        return ops.make_complex(
            *[ops.div(p, math.log(base)) for p in (ops.real_part(out), ops.imag_part(out))]
        )

    return log_of


log2 = floating("log2", _logarithm(2), "Logarithm to the base 2.", "8.0 -> 3.0")
log10 = floating("log10", _logarithm(10), "Logarithm to the base 10.", "1.0 -> 0.0")
log1p = floating("log1p", ops.log1p, "`log(1 + x)`, accurate near 0.", "0.0 -> 0.0")

# --- circular and hyperbolic functions --------------------------------------------------

sin = floating("sin", ops.sin, "Sine.", "0.0 -> 0.0")
cos = floating("cos", ops.cos, "Cosine.", "0.0 -> 1.0")
tan = floating("tan", ops.tan, "Tangent.", "0.0 -> 0.0")
arcsin = asin = floating("arcsin", ops.asin, "Inverse sine.", "0.0 -> 0.0")
arccos = acos = floating("arccos", ops.acos, "Inverse cosine.", "1.0 -> 0.0")
arctan = atan = floating("arctan", ops.atan, "Inverse tangent.", "0.0 -> 0.0")
sinh = floating("sinh", ops.sinh, "Hyperbolic sine.", "0.0 -> 0.0")
cosh = floating("cosh", ops.cosh, "Hyperbolic cosine.", "0.0 -> 1.0")
tanh = floating("tanh", ops.tanh, "Hyperbolic tangent.", "0.0 -> 0.0")
arcsinh = asinh = floating("arcsinh", ops.asinh, "Inverse hyperbolic sine.", "0.0 -> 0.0")
arccosh = acosh = floating("arccosh", ops.acosh, "Inverse hyperbolic cosine.", "1.0 -> 0.0")
arctanh = atanh = floating("arctanh", ops.atanh, "Inverse hyperbolic tangent.", "0.0 -> 0.0")
degrees = rad2deg = floating(
    "degrees", lambda x: ops.mul(x, 180 / math.pi), "Radians to degrees.", "0.0 -> 0.0"
)
radians = deg2rad = floating(
    "radians", lambda x: ops.mul(x, math.pi / 180), "Degrees to radians.", "0.0 -> 0.0"
)


def _sinc(x: Any) -> Any:
    t = ops.mul(x, math.pi)
    # Near 0 by its series, so that derivatives of every order are right there, too.
    near = ops.lt(ops.abs(t), 0.1)
    safe = ops.select(near, like(1.0, t), t)
    s = ops.square(t)
    series = like(1.0, t)
    for divisor in (72.0, 42.0, 20.0, 6.0):
        series = ops.sub(1.0, ops.mul(ops.div(s, divisor), series))
    return ops.select(near, series, ops.div(ops.sin(safe), safe))


sinc = floating("sinc", _sinc, "`sin(pi x) / (pi x)`, 1 at 0.", "0.0 -> 1.0")

# --- rounding ---------------------------------------------------------------------------


def _rounding(op: Any) -> Any:
    def whole(x: Any) -> Any:
        x = array("round", x)
        return op(x) if is_inexact(x.dtype) else x

    return whole


floor = unary("floor", _rounding(ops.floor), "Round down; integers stay.", "-1.5 -> -2.0")
ceil = unary("ceil", _rounding(ops.ceil), "Round up; integers stay.", "-1.5 -> -1.0")
trunc = fix = unary("trunc", _rounding(ops.round_to_zero), "Drop the fraction.", "-1.5 -> -1.0")
rint = floating("rint", ops.round, "Round to the nearest integer, ties to even.", "2.5 -> 2.0")


@public
def round(a: Any, decimals: int = 0) -> Any:
    """Round to this many decimals, ties to even.

    Args:
        a: array or scalar of any shape.
        decimals: digits after the point; negative ones round to tens, hundreds, …

    >>> import fn.numpy as np
    >>> print(np.round(2.5), np.round(np.array([3.14159]), 2))
    2.0 [3.14]
    """
    a = array("round", a)
    if is_complex(a.dtype):
        return ops.make_complex(
            round(ops.real_part(a), decimals), round(ops.imag_part(a), decimals)
        )
    if not is_float(a.dtype):
        if decimals >= 0:
            return a
        scaled = ops.div(as_floating("round", a), float(10**-decimals))
        return cast(ops.mul(ops.round(scaled), float(10**-decimals)), a.dtype)
    if decimals == 0:
        return ops.round(a)
    factor = float(10 ** builtins.abs(decimals))
    if decimals < 0:
        return ops.mul(ops.round(ops.div(a, factor)), factor)
    return ops.div(ops.round(ops.mul(a, factor)), factor)


around = round


@fused
def modf(x: Any, /) -> tuple[Any, Any]:
    """The fraction and the whole part of `x`, both with its sign.

    >>> import fn.numpy as np
    >>> print(*np.modf(np.array(-1.5)))
    -0.5 -1.0
    """
    x = as_floating("modf", array("modf", x))
    whole = ops.round_to_zero(x)
    infinite = ops.eq(ops.abs(x), like(math.inf, x))
    return ops.select(infinite, like(0.0, x), ops.sub(x, whole)), whole


# --- complex parts ----------------------------------------------------------------------


def _real(x: Any) -> Any:
    x = array("real", x)
    return ops.real_part(x) if is_complex(x.dtype) else x


def _imag(x: Any) -> Any:
    x = array("imag", x)
    if is_complex(x.dtype):
        return ops.imag_part(x)
    return ops.full(array("imag", like(0, x)), x.shape)


real = unary("real", _real, "Real part.", "1 + 2j -> 1.0")
imag = unary("imag", _imag, "Imaginary part; zeros for real `x`.", "1 + 2j -> 2.0")
conj = conjugate = unary(
    "conj", lambda x: ops.conj(array("conj", x)), "Complex conjugate.", "1 + 2j -> (1-2j)"
)


@fused
def angle(z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers in the plane, in radians or degrees.

    >>> import fn.numpy as np
    >>> print(np.angle(np.array([1., 1j]), deg=True))
    [ 0. 90.]
    """
    z = as_floating("angle", array("angle", z))
    out = ops.atan2(_imag(z), _real(z))
    return ops.mul(out, 180 / math.pi) if deg else out


# --- tests ------------------------------------------------------------------------------


def _never(x: Any) -> Any:
    return ops.full(array("isnan", numpy.False_), x.shape)


def _isnan(x: Any) -> Any:
    x = array("isnan", x)
    return ops.ne(x, x) if is_inexact(x.dtype) else _never(x)


def _isinf(x: Any) -> Any:
    x = array("isinf", x)
    if is_complex(x.dtype):
        return ops.logical_or(_isinf(ops.real_part(x)), _isinf(ops.imag_part(x)))
    return ops.eq(ops.abs(x), like(math.inf, x)) if is_float(x.dtype) else _never(x)


def _isfinite(x: Any) -> Any:
    x = array("isfinite", x)
    if is_complex(x.dtype):
        return ops.logical_and(ops.is_finite(ops.real_part(x)), ops.is_finite(ops.imag_part(x)))
    return ops.is_finite(x) if is_float(x.dtype) else ops.logical_not(_never(x))


def _equals(value: float) -> Any:
    def test(x: Any) -> Any:
        x = array("isinf", x)
        return ops.eq(x, like(value, x)) if is_float(x.dtype) else _never(x)

    return test


def _signbit(x: Any) -> Any:
    x = array("signbit", x)
    if x.dtype.kind == "i":
        return ops.lt(x, like(0, x))
    if not is_float(x.dtype):
        return _never(x)
    bits = ops.bitcast(x, dtype=numpy.dtype(f"int{x.dtype.itemsize * 8}"))
    return ops.lt(bits, like(0, bits))


isnan = unary(
    "isnan", _isnan, "Whether `x` is not a number.", "np.array([1., np.nan]) -> [False  True]"
)
isinf = unary(
    "isinf", _isinf, "Whether `x` is infinite.", "np.array([1., -np.inf]) -> [False  True]"
)
isfinite = unary(
    "isfinite",
    _isfinite,
    "Whether `x` is neither infinite nor NaN.",
    "np.array([1., np.nan]) -> [ True False]",
)
isposinf = unary(
    "isposinf", _equals(math.inf), "Whether `x` is positive infinity.", "np.inf -> True"
)
isneginf = unary(
    "isneginf", _equals(-math.inf), "Whether `x` is negative infinity.", "np.inf -> False"
)
signbit = unary("signbit", _signbit, "Whether the sign bit is set, as in -0.0.", "-0.0 -> True")
iscomplex = unary(
    "iscomplex", lambda x: ops.ne(_imag(x), 0) if is_complex(array("", x).dtype) else _never(array("", x)),
    "Whether the imaginary part is not zero.", "np.array([1j, 1.]) -> [ True False]",
)  # fmt: skip
isreal = unary(
    "isreal", lambda x: ops.logical_not(iscomplex(x)), "Whether the imaginary part is zero.",
    "np.array([1j, 1.]) -> [False  True]",
)  # fmt: skip


@fused
def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """`x` with NaN and infinities replaced by numbers: 0 and the largest and smallest of the dtype.

    Args:
        x: array or scalar of any shape.
        copy: accepted for NumPy's sake; arrays never change.
        nan, posinf, neginf: what to put there instead.

    >>> import fn.numpy as np
    >>> print(np.nan_to_num(np.array([1., np.nan, np.inf]), posinf=9.))
    [1. 0. 9.]
    """
    x = array("nan_to_num", x)
    if not is_inexact(x.dtype):
        return x
    if is_complex(x.dtype):
        parts = [
            nan_to_num(p, copy, nan, posinf, neginf) for p in (ops.real_part(x), ops.imag_part(x))
        ]
        return ops.make_complex(*parts)
    limits = ml_dtypes.finfo(x.dtype)
    posinf = limits.max if posinf is None else posinf
    neginf = limits.min if neginf is None else neginf
    out = ops.select(ops.ne(x, x), cast(nan, x.dtype), x)
    for infinity, value in ((math.inf, posinf), (-math.inf, neginf)):
        out = ops.select(ops.eq(x, like(infinity, x)), cast(value, x.dtype), out)
    return out
