"""Elementwise operations: arithmetic, comparison, logic, select, clamp, convert, complex parts.

Operands have equal shapes and dtypes, or are scalars, which are spread over the others' shape. Python
scalars take the dtype of the arrays beside them. Special functions are in `_special.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fn.core import (
    ArrayType,
    Linear,
    Primitive,
    bind,
    constant,
    dtype_name,
    elementwise,
    is_complex,
    is_float,
    is_inexact,
    is_integer,
    linear,
    type_of,
)
from fn.ops._rules import require, types_text
from fn.ops._table import (
    Binary,
    Kind,
    Unary,
    agree,
    anything,
    binary_op,
    gather_ct,
    integral,
    joint_shape,
    like,
    nary,
    number,
    operand_type,
    ordered,
    real,
    shown,
    spread,
    unary_op,
)

# --- linear arithmetic ------------------------------------------------------------------

neg_p = nary("neg", "negate", jvp=linear, transpose=lambda ct, x: (neg(ct),))
neg: Unary = unary_op(neg_p, "`-x`.")


def _add_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return tuple([gather_ct(ct, a) if isinstance(a, Linear) else None for a in (x, y)])


def _sub_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return (
        gather_ct(ct, x) if isinstance(x, Linear) else None,
        gather_ct(neg(ct), y) if isinstance(y, Linear) else None,
    )


def _mul_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, ...]:
    if isinstance(x, Linear):
        return gather_ct(mul(ct, y), x), None
    return None, gather_ct(mul(ct, x), y)


def _div_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return gather_ct(div(ct, y), x), None


add_p = nary(
    "add", "add", kind=number, transpose=_add_transpose,
    jvp=(lambda t, out, x, y: spread(t, out), lambda t, out, x, y: spread(t, out)),
)  # fmt: skip
add: Binary = binary_op(add_p, "`x + y`.")

sub_p = nary(
    "sub", "subtract", transpose=_sub_transpose,
    jvp=(lambda t, out, x, y: spread(t, out), lambda t, out, x, y: spread(neg(t), out)),
)  # fmt: skip
sub: Binary = binary_op(sub_p, "`x - y`.")

mul_p = nary(
    "mul", "multiply", transpose=_mul_transpose,
    jvp=(lambda t, out, x, y: mul(t, y), lambda t, out, x, y: mul(x, t)),
)  # fmt: skip
mul: Binary = binary_op(mul_p, "`x * y`.")


def _division_lowering(hlo: str, by_zero: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Integer division by a literal zero is written out: XLA's constant folding crashes on it."""

    def lower(emit: Any, x: Any, y: Any) -> Any:
        literal = y.literal
        if literal is not None and literal.value == 0 and not is_inexact(y.type.dtype):
            return by_zero(emit, x)
        return emit.elementwise(f"stablehlo.{hlo}", x, y)

    return lower


def _all_ones(emit: Any, x: Any) -> Any:
    dtype = emit.type.dtype
    return emit.constant(np.iinfo(dtype).max if dtype.kind == "u" else -1, emit.type)


div_p = nary(
    "div", "divide", transpose=_div_transpose, lower=_division_lowering("divide", _all_ones),
    jvp=(lambda t, out, x, y: div(t, y), lambda t, out, x, y: neg(mul(t, div(out, y)))),
)  # fmt: skip
div: Binary = binary_op(div_p, "`x / y`; between integers the quotient rounded toward zero.")

rem_p = nary(
    "rem", "remainder", kind=real,
    lower=_division_lowering("remainder", lambda emit, x: emit.spread(x, emit.type.shape)),
    jvp=(
        lambda t, out, x, y: spread(t, out),
        lambda t, out, x, y: neg(mul(t, round_to_zero(div(x, y)))),
    ),
)  # fmt: skip
rem: Binary = binary_op(rem_p, "Remainder of `x / y` with the sign of `x`.")


# --- order and sign ---------------------------------------------------------------------


def _winner(x: Any, y: Any, out: Any) -> Any:
    """1 where `x` is the result, 0 where `y` is, and one half where they tie."""
    tie = select(eq(y, out), like(0.5, x), like(1.0, x))
    return select(eq(x, out), tie, like(0.0, x))


maximum_p = nary(
    "maximum", "maximum", kind=anything,
    jvp=(lambda t, out, x, y: mul(t, _winner(x, y, out)), lambda t, out, x, y: mul(t, _winner(y, x, out))),
)  # fmt: skip
maximum: Binary = binary_op(
    maximum_p, "The larger of `x` and `y`; where they tie each gets half the derivative."
)

minimum_p = nary(
    "minimum", "minimum", kind=anything,
    jvp=(lambda t, out, x, y: mul(t, _winner(x, y, out)), lambda t, out, x, y: mul(t, _winner(y, x, out))),
)  # fmt: skip
minimum: Binary = binary_op(
    minimum_p, "The smaller of `x` and `y`; where they tie each gets half the derivative."
)


def _real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    if is_complex(dtype):
        return np.dtype(np.float32 if dtype == np.complex64 else np.float64)
    return dtype


def _complex_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.complex64 if dtype == np.float32 else np.complex128)


def _abs_jvp(t: Any, out: Any, x: Any) -> Any:
    direction = sign(x)
    if is_complex(x.dtype):
        return real_part(mul(conj(direction), t))
    return mul(t, direction)


def _sign_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    out = sign(x)
    if t is None or not is_complex(x.dtype):
        return out, None
    # Along the unit circle only: (i s) Im(conj(s) t) / |x|.
    turning = imag_part(mul(conj(out), t))
    size = abs(x)
    safe = select(eq(size, like(0.0, size)), like(1.0, size), size)
    return out, mul(mul(out, like(1j, out)), make_complex(div(turning, safe), like(0.0, size)))


def _abs_lower(emit: Any, x: Any) -> Any:
    if x.type.dtype.kind == "u":
        return emit.spread(x, x.type.shape)
    return emit.op("stablehlo.abs", x)


def _sign_lower(emit: Any, x: Any) -> Any:
    if x.type.dtype.kind != "u":
        return emit.op("stablehlo.sign", x)
    zero, one = (emit.constant(v, x.type) for v in (0, 1))
    nonzero = emit.op(
        "stablehlo.compare", x, zero, type=ArrayType(x.type.shape, np.bool_),
        attrs="comparison_direction = #stablehlo<comparison_direction NE>",
    )  # fmt: skip
    return emit.op("stablehlo.select", nonzero, one, zero)


abs_p = nary("abs", "abs", jvp=(_abs_jvp,), result=_real_dtype, lower=_abs_lower)
abs: Unary = unary_op(abs_p, "Absolute value; for complex `x` its modulus, a real number.")
sign_p = nary("sign", "sign", jvp=_sign_jvp, lower=_sign_lower)
sign: Unary = unary_op(sign_p, "-1, 0 or 1 (`x / |x|` for complex `x`); NaN stays NaN.")

floor_p = nary("floor", "floor", jvp=constant, kind=is_float)
floor: Unary = unary_op(floor_p, "Round down.")
ceil_p = nary("ceil", "ceil", jvp=constant, kind=is_float)
ceil: Unary = unary_op(ceil_p, "Round up.")
round_p = nary("round", "round_nearest_even", jvp=constant, kind=is_float)
round: Unary = unary_op(round_p, "Round to the nearest integer, ties to even.")
round_away_p = nary("round_away", "round_nearest_afz", jvp=constant, kind=is_float)
round_away: Unary = unary_op(round_away_p, "Round to the nearest integer, ties away from zero.")


@shown
def round_to_zero(x: Any) -> Any:
    """Drop the fraction."""
    return select(lt(x, like(0, x)), ceil(x), floor(x)) if is_float(x.dtype) else x


def _clamp_type(low: ArrayType, x: ArrayType, high: ArrayType) -> ArrayType:
    return operand_type("clamp", (low, x, high), ordered)


def _clamp_transposed(t: Any, inside: Any) -> Any:
    return select(inside, t, like(0, t))


def _clamp_lower(emit: Any, low: Any, x: Any, high: Any) -> Any:
    shape = emit.type.shape
    return emit.op("stablehlo.clamp", *[emit.spread(v, shape) for v in (low, x, high)])


clamp_p = Primitive(
    name="clamp", type=_clamp_type, transpose="it is not linear", batch=elementwise, lower=_clamp_lower,
    jvp=(
        lambda t, out, low, x, high: _clamp_transposed(spread(t, out), lt(x, low)),
        lambda t, out, low, x, high: _clamp_transposed(
            spread(t, out), logical_and(le(low, x), le(x, high))
        ),
        lambda t, out, low, x, high: _clamp_transposed(spread(t, out), gt(x, high)),
    ),
)  # fmt: skip


@shown
def clamp(low: Any, x: Any, high: Any) -> Any:
    """`x` kept between `low` and `high`."""
    return bind(clamp_p, *agree((low, x, high)))


# --- comparison -------------------------------------------------------------------------


def _comparison(name: str, direction: str, kind: Kind) -> Primitive:
    def lower(emit: Any, x: Any, y: Any) -> Any:
        return emit.elementwise(
            "stablehlo.compare", x, y,
            attrs=f"comparison_direction = #stablehlo<comparison_direction {direction}>",
        )  # fmt: skip

    return nary(
        name, "compare", jvp=constant, kind=kind, lower=lower, result=lambda dtype: np.dtype(bool),
        transpose="a comparison is not linear", operands=2,
    )  # fmt: skip


eq_p = _comparison("eq", "EQ", anything)
eq: Binary = binary_op(eq_p, "`x == y`.")
ne_p = _comparison("ne", "NE", anything)
ne: Binary = binary_op(ne_p, "`x != y`.")
lt_p = _comparison("lt", "LT", ordered)
lt: Binary = binary_op(lt_p, "`x < y`.")
le_p = _comparison("le", "LE", ordered)
le: Binary = binary_op(le_p, "`x <= y`.")
gt_p = _comparison("gt", "GT", ordered)
gt: Binary = binary_op(gt_p, "`x > y`.")
ge_p = _comparison("ge", "GE", ordered)
ge: Binary = binary_op(ge_p, "`x >= y`.")


# --- bits and logic ---------------------------------------------------------------------


def _bitwise(name: str, hlo: str, kind: Kind = integral, operands: int = 2) -> Primitive:
    return nary(
        name, hlo, jvp=constant, kind=kind, transpose="bits are not differentiable", operands=operands
    )  # fmt: skip


and_p = _bitwise("and", "and")
logical_and: Binary = binary_op(and_p, "Bitwise `x & y`; logical for booleans.")
or_p = _bitwise("or", "or")
logical_or: Binary = binary_op(or_p, "Bitwise `x | y`; logical for booleans.")
xor_p = _bitwise("xor", "xor")
logical_xor: Binary = binary_op(xor_p, "Bitwise `x ^ y`; logical for booleans.")
not_p = _bitwise("not", "not", operands=1)
logical_not: Unary = unary_op(not_p, "Bitwise `~x`; logical for booleans.")
shift_left_p = _bitwise("shift_left", "shift_left", is_integer)
shift_left: Binary = binary_op(
    shift_left_p, "`x << y`; zero once `y` reaches the width of the type."
)
shift_right_logical_p = _bitwise("shift_right_logical", "shift_right_logical", is_integer)
shift_right_logical: Binary = binary_op(shift_right_logical_p, "`x >> y`, filling with zeros.")
shift_right_arithmetic_p = _bitwise("shift_right_arithmetic", "shift_right_arithmetic", is_integer)
shift_right_arithmetic: Binary = binary_op(
    shift_right_arithmetic_p, "`x >> y`, filling with the sign."
)
population_count_p = _bitwise("population_count", "popcnt", is_integer, 1)
population_count: Unary = unary_op(population_count_p, "Number of one bits.")
count_leading_zeros_p = _bitwise("count_leading_zeros", "count_leading_zeros", is_integer, 1)
count_leading_zeros: Unary = unary_op(
    count_leading_zeros_p, "Number of zero bits above the highest one."
)


# --- select -----------------------------------------------------------------------------
@shown
def select(predicate: Any, x: Any, y: Any) -> Any:
    """`x` where `predicate` holds, else `y`, elementwise."""
    return bind(select_p, predicate, *agree((x, y)))


def _select_type(predicate: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    require(
        predicate.dtype == np.bool_, "select: the predicate is not boolean", expected="bool",
        got=types_text([predicate]), fix="compare it with something",
    )  # fmt: skip
    out = operand_type("select", (x, y), anything)
    return out.with_shape(joint_shape("select", (predicate, x, y)))


def _zero(x: Any) -> Any:
    """A scalar zero of the dtype of `x`."""
    dtype = x.type.dtype if isinstance(x, Linear) else x.dtype
    return dtype.type(0)


def _select_transpose(ct: Any, predicate: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return (
        None,
        gather_ct(select(predicate, ct, _zero(ct)), x) if isinstance(x, Linear) else None,
        gather_ct(select(predicate, _zero(ct), ct), y) if isinstance(y, Linear) else None,
    )


def _select_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    predicate, x, y = args
    _, tx, ty = tangents
    out = bind(select_p, predicate, x, y)
    if tx is None and ty is None:
        return out, None
    zero = _zero(tx if tx is not None else ty)
    tangent = select(predicate, zero if tx is None else tx, zero if ty is None else ty)
    return out, spread(tangent, out)


def _select_lower(emit: Any, predicate: Any, x: Any, y: Any) -> Any:
    shape = emit.type.shape
    if predicate.type.shape != shape and predicate.literal is not None:
        predicate = emit.spread(predicate, shape)
    return emit.op("stablehlo.select", predicate, emit.spread(x, shape), emit.spread(y, shape))


select_p = Primitive(
    name="select", type=_select_type, jvp=_select_jvp, transpose=_select_transpose, batch=elementwise,
    lower=_select_lower,
)  # fmt: skip


# --- dtypes -----------------------------------------------------------------------------
@shown
def convert(x: Any, *, dtype: Any, weak: bool = False) -> Any:
    """`x` in another dtype; complex to real keeps the real part, numbers to bool compare with 0."""
    dtype = np.dtype(dtype)
    kind = type_of(x)
    if kind is not None and kind.dtype == dtype and kind.weak == weak and hasattr(x, "shape"):
        return x
    return bind(convert_p, x, dtype=dtype, weak=weak)


def _convert_type(x: ArrayType, *, dtype: np.dtype[Any], weak: bool) -> ArrayType:
    return ArrayType(x.shape, dtype, weak)


def _convert_jvp(args: Any, tangents: Any, *, dtype: np.dtype[Any], weak: bool) -> tuple[Any, Any]:
    out = convert(args[0], dtype=dtype, weak=weak)
    if tangents[0] is None or not is_inexact(dtype):
        return out, None
    return out, convert(tangents[0], dtype=dtype, weak=weak)


def _convert_transpose(ct: Any, x: Any, *, dtype: np.dtype[Any], weak: bool) -> tuple[Any, ...]:
    return (convert(ct, dtype=x.type.dtype, weak=x.type.weak),)


def _convert_lower(emit: Any, x: Any, *, dtype: np.dtype[Any], weak: bool) -> Any:
    if x.type.dtype == dtype:
        return x
    if is_complex(x.type.dtype) and not is_complex(dtype):
        half = ArrayType(x.type.shape, _real_dtype(x.type.dtype))
        x = emit.op("stablehlo.real", x, type=half)
    if dtype == np.bool_:
        return emit.op(
            "stablehlo.compare", x, emit.constant(0, x.type),
            attrs="comparison_direction = #stablehlo<comparison_direction NE>",
        )  # fmt: skip
    return emit.op("stablehlo.convert", x)


convert_p = Primitive(
    name="convert", type=_convert_type, jvp=_convert_jvp, transpose=_convert_transpose,
    batch=elementwise, lower=_convert_lower,
)  # fmt: skip


@shown
def bitcast(x: Any, *, dtype: Any) -> Any:
    """The bits of `x` read as another dtype of the same width."""
    return bind(bitcast_p, x, dtype=np.dtype(dtype))


def _bitcast_type(x: ArrayType, *, dtype: np.dtype[Any]) -> ArrayType:
    require(
        dtype.itemsize == x.dtype.itemsize, "bitcast: the widths differ",
        expected=f"a dtype of {x.dtype.itemsize} bytes", got=f"{types_text([x])} to {dtype_name(dtype)}",
    )  # fmt: skip
    return ArrayType(x.shape, dtype)


def _bitcast_lower(emit: Any, x: Any, *, dtype: np.dtype[Any]) -> Any:
    return emit.op("stablehlo.bitcast_convert", x)


bitcast_p = Primitive(
    name="bitcast", type=_bitcast_type, jvp=constant, transpose="bits are not differentiable",
    batch=elementwise, lower=_bitcast_lower,
)  # fmt: skip


# --- complex parts ----------------------------------------------------------------------

real_p = nary(
    "real", "real", kind=is_complex, result=_real_dtype, jvp=linear,
    transpose=lambda ct, x: (make_complex(ct, like(0.0, ct)),),
)  # fmt: skip
real_part: Unary = unary_op(real_p, "Real part of a complex array.")
# Cotangents of complex values pair without conjugation, so that of an imaginary part is -i ct.
imag_p = nary(
    "imag", "imag", kind=is_complex, result=_real_dtype, jvp=linear,
    transpose=lambda ct, x: (make_complex(like(0.0, ct), neg(ct)),),
)  # fmt: skip
imag_part: Unary = unary_op(imag_p, "Imaginary part of a complex array.")


def _complex_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    out = make_complex(*args)
    if tangents[0] is None and tangents[1] is None:
        return out, None
    x, y = (like(0.0, a) if t is None else t for a, t in zip(args, tangents, strict=True))
    return out, spread(make_complex(x, y), out)


def _complex_transpose(ct: Any, x: Any, y: Any) -> tuple[Any, ...]:
    return (
        gather_ct(real_part(ct), x) if isinstance(x, Linear) else None,
        gather_ct(neg(imag_part(ct)), y) if isinstance(y, Linear) else None,
    )


complex_p = nary(
    "complex", "complex", kind=is_float, result=_complex_dtype, jvp=_complex_jvp,
    transpose=_complex_transpose, operands=2,
)  # fmt: skip
make_complex: Binary = binary_op(complex_p, "The complex number `x + i y`.")


@shown
def conj(x: Any) -> Any:
    """Complex conjugate; real arrays are returned as they are."""
    return make_complex(real_part(x), neg(imag_part(x))) if is_complex(x.dtype) else x


# --- stop_gradient ----------------------------------------------------------------------
@shown
def stop_gradient(x: Any) -> Any:
    """`x`, as a constant to every derivative."""
    return bind(stop_gradient_p, x)


stop_gradient_p = Primitive(
    name="stop_gradient", type=lambda x: x, jvp=constant, transpose="its derivative is zero",
    batch=elementwise, lower=lambda emit, x: emit.spread(x, emit.type.shape),
)  # fmt: skip
