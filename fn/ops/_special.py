"""Elementwise functions: powers, exponentials, circular and hyperbolic ones, erf, formats.

One row each: what it lowers to and its derivative, which uses the result where that is cheaper or
more accurate. Derivatives of complex functions are the holomorphic ones, without conjugation. The
gamma family is in `_gamma.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fn.core import (
    ArrayType,
    Primitive,
    bind,
    constant,
    elementwise,
    is_float,
    is_inexact,
    linear,
)
from fn.ops._elementwise import add, div, eq, logical_and, mul, neg, select, sub
from fn.ops._rules import require, types_text
from fn.ops._table import Kind, binary_op, like, nary, number, shown, spread, unary_op

Unary = Callable[[Any], Any]
Binary = Callable[[Any, Any], Any]


def operation(name: str) -> Callable[..., Any]:
    """The lowering of an elementwise primitive to one operation, of StableHLO or of CHLO."""

    def lower(emit: Any, *args: Any) -> Any:
        return emit.elementwise(name, *args)

    return lower


def function_row(
    name: str, hlo: str, jvp: Callable[..., Any], kind: Kind = is_inexact
) -> Primitive:
    """A differentiable function of one array; `jvp(tangent, out, x)` is the result's tangent."""
    return nary(name, hlo, kind=kind, jvp=(jvp,), lower=operation(hlo))


# --- powers and roots -------------------------------------------------------------------


def _square_lower(emit: Any, x: Any) -> Any:
    return emit.op("stablehlo.multiply", x, x)


square_p = nary(
    "square", "multiply", lower=_square_lower, jvp=(lambda t, out, x: mul(t, mul(x, 2)),)
)
square = unary_op(square_p, "`x * x`.")

sqrt_p = function_row("sqrt", "stablehlo.sqrt", lambda t, out, x: mul(t, div(0.5, out)))
sqrt = unary_op(sqrt_p, "Square root.")
rsqrt_p = function_row("rsqrt", "stablehlo.rsqrt", lambda t, out, x: mul(t, mul(div(out, x), -0.5)))
rsqrt = unary_op(rsqrt_p, "`1 / sqrt(x)`.")
cbrt_p = function_row(
    "cbrt", "stablehlo.cbrt", lambda t, out, x: div(t, mul(square(out), 3.0)), is_float
)
cbrt = unary_op(cbrt_p, "Cube root, negative for negative `x`.")


def _pow_base_jvp(t: Any, out: Any, x: Any, y: Any) -> Any:
    # 0 * 0**-1 is NaN, but the derivative of x**0 is 0 everywhere.
    constant_at_zero = logical_and(eq(x, like(0.0, x)), eq(y, like(0.0, y)))
    base = select(constant_at_zero, like(1.0, x), x)
    return mul(t, mul(y, pow(base, sub(y, 1.0))))


def _pow_exponent_jvp(t: Any, out: Any, x: Any, y: Any) -> Any:
    # log(0) * 0**y is NaN, but 0**y is 0 for all y > 0.
    base = select(eq(x, like(0.0, x)), like(1.0, x), x)
    return mul(t, mul(log(base), out))


pow_p = nary("pow", "power", kind=is_inexact, jvp=(_pow_base_jvp, _pow_exponent_jvp))
pow: Binary = binary_op(
    pow_p, "`x ** y`, floating or complex; where `x` is 0 its derivative by `y` is 0."
)


# --- integer_pow ------------------------------------------------------------------------
@shown
def integer_pow(x: Any, *, exponent: int) -> Any:
    """`x ** exponent` by repeated multiplication, for an exponent known while tracing."""
    return x if exponent == 1 else bind(integer_pow_p, x, exponent=exponent)


def _integer_pow_type(x: ArrayType, *, exponent: int) -> ArrayType:
    require(
        isinstance(exponent, int) and not isinstance(exponent, bool),
        "integer_pow: the exponent is not an integer", expected="a Python int", got=repr(exponent),
        fix="use pow",
    )  # fmt: skip
    require(number(x.dtype), "integer_pow: wrong dtype", expected="numbers", got=types_text([x]))
    require(
        exponent >= 0 or is_inexact(x.dtype),
        "integer_pow: negative powers of integers are no integers",
        expected="an exponent from 0 up, or a floating operand",
        got=f"{types_text([x])} to the power {exponent}",
        fix="convert the operand to a floating dtype first",
    )  # fmt: skip
    return x


def _integer_pow_jvp(args: Any, tangents: Any, *, exponent: int) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    out = integer_pow(x, exponent=exponent)
    if exponent == 0 or t is None:
        return out, None
    return out, mul(t, mul(integer_pow(x, exponent=exponent - 1), like(float(exponent), x)))


def _integer_pow_lower(emit: Any, x: Any, *, exponent: int) -> Any:
    one = emit.constant(1, x.type)
    result, left = None, abs(exponent)
    while left:
        if left & 1:
            result = x if result is None else emit.op("stablehlo.multiply", result, x)
        left >>= 1
        if left:
            x = emit.op("stablehlo.multiply", x, x)
    if result is None:
        return one
    return result if exponent > 0 else emit.op("stablehlo.divide", one, result)


integer_pow_p = Primitive(
    name="integer_pow", type=_integer_pow_type, jvp=_integer_pow_jvp, transpose="it is not linear",
    batch=elementwise, lower=_integer_pow_lower,
)  # fmt: skip


# --- exponentials and logarithms --------------------------------------------------------


def _exp2_lower(emit: Any, x: Any) -> Any:
    # x log(2) needs more digits than half precision has: the error grows with x.
    given = x.type
    wide = given if given.dtype.itemsize >= 4 else given.with_dtype(np.float32)
    if wide is not given:
        x = emit.op("stablehlo.convert", x, type=wide)
    x = emit.op("stablehlo.multiply", x, emit.constant(math.log(2), wide), type=wide)
    x = emit.op("stablehlo.exponential", x, type=wide)
    return x if wide is given else emit.op("stablehlo.convert", x)


exp_p = function_row("exp", "stablehlo.exponential", lambda t, out, x: mul(t, out))
exp = unary_op(exp_p, "`e ** x`.")
exp2_p = nary(
    "exp2", "exponential", kind=is_inexact, lower=_exp2_lower,
    jvp=(lambda t, out, x: mul(t, mul(out, math.log(2))),),
)  # fmt: skip
exp2 = unary_op(exp2_p, "`2 ** x`.")
expm1_p = function_row(
    "expm1", "stablehlo.exponential_minus_one", lambda t, out, x: mul(t, add(out, 1.0))
)
expm1 = unary_op(expm1_p, "`e ** x - 1`, accurate near 0.")
log_p = function_row("log", "stablehlo.log", lambda t, out, x: div(t, x))
log = unary_op(log_p, "Natural logarithm.")
log1p_p = function_row("log1p", "stablehlo.log_plus_one", lambda t, out, x: div(t, add(x, 1.0)))
log1p = unary_op(log1p_p, "`log(1 + x)`, accurate near 0.")
logistic_p = function_row(
    "logistic", "stablehlo.logistic", lambda t, out, x: mul(t, mul(out, sub(1.0, out)))
)
logistic = unary_op(logistic_p, "`1 / (1 + e ** -x)`.")


# --- circular functions -----------------------------------------------------------------


def _one_minus_square(x: Any) -> Any:
    """`1 - x²`, accurate where `x` is near 1 or -1."""
    return mul(sub(1.0, x), add(x, 1.0))


sin_p = function_row("sin", "stablehlo.sine", lambda t, out, x: mul(t, cos(x)))
sin = unary_op(sin_p, "Sine.")
cos_p = function_row("cos", "stablehlo.cosine", lambda t, out, x: mul(t, neg(sin(x))))
cos: Unary = unary_op(cos_p, "Cosine.")
tan_p = function_row("tan", "stablehlo.tan", lambda t, out, x: mul(t, add(square(out), 1.0)))
tan = unary_op(tan_p, "Tangent.")
asin_p = function_row("asin", "chlo.asin", lambda t, out, x: mul(t, rsqrt(_one_minus_square(x))))
asin = unary_op(asin_p, "Inverse sine.")
acos_p = function_row(
    "acos", "chlo.acos", lambda t, out, x: mul(t, neg(rsqrt(_one_minus_square(x))))
)
acos = unary_op(acos_p, "Inverse cosine.")
atan_p = function_row("atan", "chlo.atan", lambda t, out, x: div(t, add(square(x), 1.0)))
atan = unary_op(atan_p, "Inverse tangent.")
atan2_p = nary(
    "atan2", "atan2", kind=is_float,
    jvp=(
        lambda t, out, y, x: mul(t, div(x, add(square(x), square(y)))),
        lambda t, out, y, x: mul(t, neg(div(y, add(square(x), square(y))))),
    ),
)  # fmt: skip
atan2 = binary_op(
    atan2_p, "The angle of the point whose ordinate is `x` and whose abscissa is `y`."
)


# --- hyperbolic functions ---------------------------------------------------------------

sinh_p = function_row("sinh", "chlo.sinh", lambda t, out, x: mul(t, cosh(x)))
sinh = unary_op(sinh_p, "Hyperbolic sine.")
cosh_p = function_row("cosh", "chlo.cosh", lambda t, out, x: mul(t, sinh(x)))
cosh: Unary = unary_op(cosh_p, "Hyperbolic cosine.")
tanh_p = function_row("tanh", "stablehlo.tanh", lambda t, out, x: mul(t, _one_minus_square(out)))
tanh = unary_op(tanh_p, "Hyperbolic tangent.")
asinh_p = function_row("asinh", "chlo.asinh", lambda t, out, x: mul(t, rsqrt(add(square(x), 1.0))))
asinh = unary_op(asinh_p, "Inverse hyperbolic sine.")
# Two roots, not one of the product: that would leave the principal branch where re(x) < 0.
acosh_p = function_row(
    "acosh", "chlo.acosh", lambda t, out, x: mul(t, mul(rsqrt(sub(x, 1.0)), rsqrt(add(x, 1.0))))
)
acosh = unary_op(acosh_p, "Inverse hyperbolic cosine.")
atanh_p = function_row("atanh", "chlo.atanh", lambda t, out, x: div(t, _one_minus_square(x)))
atanh = unary_op(atanh_p, "Inverse hyperbolic tangent.")


# --- error function ---------------------------------------------------------------------

_BELL = 2 / math.sqrt(math.pi)

erf_p = function_row(
    "erf", "chlo.erf", lambda t, out, x: mul(t, mul(exp(neg(square(x))), _BELL)), is_float
)
erf = unary_op(erf_p, "Error function.")
erfc_p = function_row(
    "erfc", "chlo.erfc", lambda t, out, x: mul(t, mul(exp(neg(square(x))), -_BELL)), is_float
)
erfc = unary_op(erfc_p, "`1 - erf(x)`, accurate for large `x`.")
erf_inv_p = function_row(
    "erf_inv", "chlo.erf_inv", lambda t, out, x: mul(t, mul(exp(square(out)), 1 / _BELL)), is_float
)
erf_inv = unary_op(erf_inv_p, "Inverse of `erf`, for `x` between -1 and 1.")


# --- floating-point representation ------------------------------------------------------

is_finite_p = nary(
    "is_finite", "is_finite", kind=is_float, jvp=constant, result=lambda dtype: np.dtype(bool)
)
is_finite = unary_op(is_finite_p, "Whether `x` is neither infinite nor NaN.")

# Next to x means x plus a constant, almost everywhere.
nextafter_p = nary(
    "nextafter", "next_after", kind=is_float, lower=operation("chlo.next_after"),
    jvp=(lambda t, out, x, y: spread(t, out), None),
)  # fmt: skip
nextafter = binary_op(nextafter_p, "The number next to `x` in the direction of `y`.")


# --- reduce_precision -------------------------------------------------------------------
@shown
def reduce_precision(x: Any, *, exponent_bits: int, mantissa_bits: int) -> Any:
    """`x` rounded to a format with that many bits of exponent and mantissa, in its own dtype.

    Derivatives pass through, rounded in the same way.
    """
    return bind(reduce_precision_p, x, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits)


def _reduce_precision_type(x: ArrayType, *, exponent_bits: int, mantissa_bits: int) -> ArrayType:
    require(
        is_float(x.dtype), "reduce_precision: wrong dtype", expected="real floating numbers",
        got=types_text([x]),
    )  # fmt: skip
    require(
        exponent_bits >= 1 and mantissa_bits >= 0, "reduce_precision: there is no such format",
        expected="exponent_bits >= 1 and mantissa_bits >= 0",
        got=f"exponent_bits={exponent_bits}, mantissa_bits={mantissa_bits}",
    )  # fmt: skip
    return x


def _reduce_precision_transpose(ct: Any, x: Any, **bits: int) -> tuple[Any, ...]:
    return (reduce_precision(ct, **bits),)


def _reduce_precision_lower(emit: Any, x: Any, *, exponent_bits: int, mantissa_bits: int) -> Any:
    return emit.op(
        "stablehlo.reduce_precision", x,
        attrs=f"exponent_bits = {exponent_bits} : i32, mantissa_bits = {mantissa_bits} : i32",
    )  # fmt: skip


reduce_precision_p = Primitive(
    name="reduce_precision", type=_reduce_precision_type, jvp=linear, batch=elementwise,
    transpose=_reduce_precision_transpose, lower=_reduce_precision_lower,
)  # fmt: skip
