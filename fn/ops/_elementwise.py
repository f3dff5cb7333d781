"""Elementwise operations: arithmetic, comparison, logic, select, clamp, convert, complex parts.

Operands have equal shapes and dtypes, or are scalars, which are spread over the others' shape. Python
scalars take the dtype of the arrays beside them. Special functions are in `_special.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from fn.core import (
    ArrayType,
    Linear,
    MissingRuleError,
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
    scalar_type,
    type_of,
)
from fn.ops._rules import require, result_weak, types_text
from fn.ops._shape import full, reduce_sum

_SCALAR_KINDS = (bool, int, float, complex)
Kind: TypeAlias = Callable[[np.dtype[Any]], bool]
Unary: TypeAlias = Callable[[Any], Any]
Binary: TypeAlias = Callable[[Any, Any], Any]


# --- what the tables are made of --------------------------------------------------------


def number(dtype: np.dtype[Any]) -> bool:
    """Every dtype but bool."""
    return dtype != np.bool_


def real(dtype: np.dtype[Any]) -> bool:
    """Numbers that are not complex."""
    return dtype != np.bool_ and not is_complex(dtype)


def ordered(dtype: np.dtype[Any]) -> bool:
    """Dtypes whose values can be compared by size: bool and the real numbers."""
    return not is_complex(dtype)


def integral(dtype: np.dtype[Any]) -> bool:
    """Integers and bool."""
    return is_integer(dtype) or dtype == np.bool_


def anything(dtype: np.dtype[Any]) -> bool:
    """Every dtype."""
    return True


_KIND_NAMES: dict[Kind, str] = {
    number: "numbers", real: "real numbers", ordered: "booleans or real numbers", is_integer: "integers",
    integral: "integers or booleans", is_float: "real floating numbers", is_complex: "complex numbers",
    is_inexact: "floating or complex numbers", anything: "any dtype",
}  # fmt: skip


def joint_shape(name: str, types: tuple[ArrayType, ...]) -> tuple[int, ...]:
    """The shape of an elementwise result: that of the operands that are no scalars."""
    shape: tuple[int, ...] = ()
    for t in types:
        if t.shape:
            require(
                not shape or shape == t.shape, f"{name}: the operands' shapes differ",
                expected="equal shapes, or scalars", got=types_text(types),
                fix="bring them to one shape first; the fn.numpy function of this name broadcasts",
            )  # fmt: skip
            shape = t.shape
    return shape


def _operand_type(name: str, types: tuple[ArrayType, ...], kind: Kind) -> ArrayType:
    dtypes = {t.dtype for t in types}
    require(
        len(dtypes) == 1, f"{name}: the operands' dtypes differ", expected="equal dtypes",
        got=types_text(types), fix="convert one; the fn.numpy function of this name promotes",
    )  # fmt: skip
    dtype = types[0].dtype
    require(
        kind(dtype), f"{name}: wrong dtype", expected=_KIND_NAMES[kind], got=types_text(types),
    )  # fmt: skip
    return ArrayType(joint_shape(name, types), dtype, result_weak(*types))


def like(value: Any, x: Any) -> Any:
    """The Python scalar `value` in the dtype of the array or scalar `x`."""
    kind = type_of(x)
    assert kind is not None
    return value if kind.weak else kind.dtype.type(value)


def spread(x: Any, out: Any) -> Any:
    """`x`, a scalar or of the shape of `out`, with the shape of `out`."""
    return x if np.shape(x) == out.shape else full(x, out.shape)


def gather_ct(ct: Any, x: Linear) -> Any:
    """The cotangent of an operand that may have been a scalar: summed if it was spread."""
    if x.type.shape == () and np.ndim(ct):
        return reduce_sum(ct, axes=tuple(range(np.ndim(ct))))
    return ct


def agree(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give Python scalars among the operands the dtype of the arrays beside them, if it holds them."""
    for a in args:
        dtype = getattr(a, "dtype", None)
        if dtype is not None:
            weak = getattr(a, "weak_type", False)
            return tuple([_beside(x, dtype, weak) for x in args])
    return args


def _beside(x: Any, dtype: np.dtype[Any], weak: bool) -> Any:
    kind = type(x)
    if not _holds(dtype, kind) or (weak and scalar_type(kind).dtype == dtype):
        return x  # a weak array and a Python scalar of its dtype stay weak together
    return dtype.type(x)


def _holds(dtype: np.dtype[Any], kind: type) -> bool:
    """Whether a Python scalar of this class can become `dtype` without losing its nature."""
    if kind not in _SCALAR_KINDS or kind is bool or dtype == np.bool_:
        return kind is bool and dtype == np.bool_
    return kind is int or (kind is float and is_inexact(dtype)) or is_complex(dtype)


def _lowering(hlo: str) -> Callable[..., Any]:
    def lower(emit: Any, *args: Any) -> Any:
        return emit.elementwise(f"stablehlo.{hlo}", *args)

    return lower


def nary(
    name: str,
    hlo: str,
    *,
    jvp: Any,
    kind: Kind = number,
    transpose: Any = "it is not linear",
    result: Any = None,
    lower: Callable[..., Any] | None = None,
) -> Primitive:
    """An elementwise primitive; `result(dtype)` gives the dtype of its result."""

    def type_rule(*types: ArrayType) -> ArrayType:
        out = _operand_type(name, types, kind)
        return out if result is None else out.with_dtype(result(out.dtype))

    return Primitive(
        name=name, type=type_rule, jvp=jvp, transpose=transpose, batch=elementwise,
        lower=lower or _lowering(hlo),
    )  # fmt: skip


def unary_op(primitive: Primitive, doc: str) -> Callable[[Any], Any]:
    """The public function of a one-operand primitive."""

    def op(x: Any) -> Any:
        return bind(primitive, x)

    op.__name__ = op.__qualname__ = primitive.name.rstrip("_")
    op.__doc__ = doc
    return op


def binary_op(primitive: Primitive, doc: str) -> Callable[[Any, Any], Any]:
    """The public function of a two-operand primitive."""

    def op(x: Any, y: Any) -> Any:
        if type(x) in _SCALAR_KINDS or type(y) in _SCALAR_KINDS:
            x, y = agree((x, y))
        return bind(primitive, x, y)

    op.__name__ = op.__qualname__ = primitive.name.rstrip("_")
    op.__doc__ = doc
    return op


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
    if isinstance(y, Linear):
        raise MissingRuleError(
            "div has no transpose rule for its second operand: it is linear in the first only"
        )
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
maximum: Binary = binary_op(maximum_p, "The larger of `x` and `y`; where they tie each gets half the derivative.")

minimum_p = nary(
    "minimum", "minimum", kind=anything,
    jvp=(lambda t, out, x, y: mul(t, _winner(x, y, out)), lambda t, out, x, y: mul(t, _winner(y, x, out))),
)  # fmt: skip
minimum: Binary = binary_op(minimum_p, "The smaller of `x` and `y`; where they tie each gets half the derivative.")


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


def round_to_zero(x: Any) -> Any:
    """Drop the fraction."""
    return select(lt(x, like(0, x)), ceil(x), floor(x)) if is_float(x.dtype) else x


def _clamp_type(low: ArrayType, x: ArrayType, high: ArrayType) -> ArrayType:
    return _operand_type("clamp", (low, x, high), ordered)


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
        transpose="a comparison is not linear",
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


def _bitwise(name: str, hlo: str, kind: Kind = integral) -> Primitive:
    return nary(name, hlo, jvp=constant, kind=kind, transpose="bits are not differentiable")


and_p = _bitwise("and", "and")
logical_and: Binary = binary_op(and_p, "Bitwise `x & y`; logical for booleans.")
or_p = _bitwise("or", "or")
logical_or: Binary = binary_op(or_p, "Bitwise `x | y`; logical for booleans.")
xor_p = _bitwise("xor", "xor")
logical_xor: Binary = binary_op(xor_p, "Bitwise `x ^ y`; logical for booleans.")
not_p = _bitwise("not", "not")
logical_not: Unary = unary_op(not_p, "Bitwise `~x`; logical for booleans.")
shift_left_p = _bitwise("shift_left", "shift_left", is_integer)
shift_left: Binary = binary_op(shift_left_p, "`x << y`; zero once `y` reaches the width of the type.")
shift_right_logical_p = _bitwise("shift_right_logical", "shift_right_logical", is_integer)
shift_right_logical: Binary = binary_op(shift_right_logical_p, "`x >> y`, filling with zeros.")
shift_right_arithmetic_p = _bitwise("shift_right_arithmetic", "shift_right_arithmetic", is_integer)
shift_right_arithmetic: Binary = binary_op(shift_right_arithmetic_p, "`x >> y`, filling with the sign.")
population_count_p = _bitwise("population_count", "popcnt", is_integer)
population_count: Unary = unary_op(population_count_p, "Number of one bits.")
count_leading_zeros_p = _bitwise("count_leading_zeros", "count_leading_zeros", is_integer)
count_leading_zeros: Unary = unary_op(count_leading_zeros_p, "Number of zero bits above the highest one.")


# --- select -----------------------------------------------------------------------------
def select(predicate: Any, x: Any, y: Any) -> Any:
    """`x` where `predicate` holds, else `y`, elementwise."""
    return bind(select_p, predicate, *agree((x, y)))


def _select_type(predicate: ArrayType, x: ArrayType, y: ArrayType) -> ArrayType:
    require(
        predicate.dtype == np.bool_, "select: the predicate is not boolean", expected="bool",
        got=types_text([predicate]), fix="compare it with something",
    )  # fmt: skip
    out = _operand_type("select", (x, y), anything)
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
    transpose=_complex_transpose,
)  # fmt: skip
make_complex: Binary = binary_op(complex_p, "The complex number `x + i y`.")


def conj(x: Any) -> Any:
    """Complex conjugate; real arrays are returned as they are."""
    return make_complex(real_part(x), neg(imag_part(x))) if is_complex(x.dtype) else x


# --- stop_gradient ----------------------------------------------------------------------
def stop_gradient(x: Any) -> Any:
    """`x`, as a constant to every derivative."""
    return bind(stop_gradient_p, x)


stop_gradient_p = Primitive(
    name="stop_gradient", type=lambda x: x, jvp=constant, transpose="its derivative is zero",
    batch=elementwise, lower=lambda emit, x: emit.spread(x, emit.type.shape),
)  # fmt: skip
