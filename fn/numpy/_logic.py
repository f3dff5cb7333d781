"""Comparison, logic, bits, and choosing between arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, dtype_name, is_inexact, is_integer
from fn.numpy._habits import fused
from fn.numpy._promotion import array, cast, like, match, type_at
from fn.numpy._rows import binary, unary

_BOOL = numpy.dtype(bool)

# --- comparison -------------------------------------------------------------------------

equal = binary("equal", ops.eq, "`x1 == x2`.", "np.array([1, 2]), 2 -> [False  True]")
not_equal = binary("not_equal", ops.ne, "`x1 != x2`.", "np.array([1, 2]), 2 -> [ True False]")
less = binary("less", ops.lt, "`x1 < x2`.", "np.array([1, 2]), 2 -> [ True False]")
less_equal = binary("less_equal", ops.le, "`x1 <= x2`.", "np.array([1, 2]), 2 -> [ True  True]")
greater = binary("greater", ops.gt, "`x1 > x2`.", "np.array([1, 2]), 2 -> [False False]")
greater_equal = binary(
    "greater_equal", ops.ge, "`x1 >= x2`.", "np.array([1, 2]), 2 -> [False  True]"
)


@fused
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """Whether `|a - b| <= atol + rtol |b|`, elementwise.

    Args:
        a, b: arrays or scalars that broadcast together.
        rtol, atol: relative and absolute tolerance.
        equal_nan: whether NaN is close to NaN.

    >>> import fn.numpy as np
    >>> print(np.isclose(np.array([1., 2.]), np.array([1., 2.1])))
    [ True False]
    """
    a, b = match("isclose", array("isclose", a), array("isclose", b, 1))
    if not is_inexact(a.dtype):
        if (rtol == 0 and atol == 0) or a.dtype == _BOOL:
            return ops.eq(a, b)
        kind = numpy.dtype(numpy.float64 if a.dtype.itemsize == 8 else numpy.float32)
        a, b = cast(a, kind), cast(b, kind)
    size = ops.abs(b)
    bound = ops.add(ops.mul(size, cast(rtol, size.dtype)), cast(atol, size.dtype))
    near = ops.le(ops.abs(ops.sub(a, b)), bound)
    # An infinity is close to itself only.
    finite = ops.lt(size, like(math.inf, size))
    near = ops.logical_or(ops.logical_and(near, finite), ops.eq(a, b))
    if equal_nan:
        near = ops.logical_or(near, ops.logical_and(ops.ne(a, a), ops.ne(b, b)))
    return near


@fused
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close; see `isclose`.

    >>> import fn.numpy as np
    >>> bool(np.allclose(np.array([1., 2.]), np.array([1., 2.000001])))
    True
    """
    near = isclose(a, b, rtol, atol, equal_nan)
    return ops.reduce_and(near, axes=tuple(range(near.ndim)))


@fused
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have the same shape and elements.

    >>> import fn.numpy as np
    >>> bool(np.array_equal(np.ones(3), np.ones(3))), bool(np.array_equal(np.ones(3), np.ones(2)))
    (True, False)
    """
    a1, a2 = array("array_equal", a1), array("array_equal", a2, 1)
    if a1.shape != a2.shape:
        return array("array_equal", False)
    a1, a2 = match("array_equal", a1, a2)
    same = ops.eq(a1, a2)
    if equal_nan:
        same = ops.logical_or(same, ops.logical_and(ops.ne(a1, a1), ops.ne(a2, a2)))
    return ops.reduce_and(same, axes=tuple(range(a1.ndim)))


# --- logic ------------------------------------------------------------------------------


def truth(name: str, x: Any) -> Any:
    """`x` as booleans: whether elements are not zero."""
    x = array(name, x)
    return x if x.dtype == _BOOL else ops.ne(x, like(0, x))


def _logical(name: str, op: Any, doc: str, example: str) -> Any:
    def apply(x: Any, y: Any) -> Any:
        return op(truth(name, x), truth(name, y))

    return binary(name, apply, doc, example)


logical_and = _logical(
    "logical_and", ops.logical_and, "Whether both are nonzero.", "True, 0 -> False"
)
logical_or = _logical("logical_or", ops.logical_or, "Whether either is nonzero.", "True, 0 -> True")
logical_xor = _logical(
    "logical_xor", ops.logical_xor, "Whether just one is nonzero.", "True, 0 -> True"
)
logical_not = unary(
    "logical_not",
    lambda x: ops.logical_not(truth("logical_not", x)),
    "Whether `x` is zero.",
    "0.0 -> True",
)

# --- bits -------------------------------------------------------------------------------


def _bits(name: str, op: Any, doc: str, example: str, booleans: bool = True) -> Any:
    def apply(x: Any, y: Any) -> Any:
        dtype = type_at(name, x).dtype
        if not is_integer(dtype) and not (booleans and dtype == _BOOL):
            raise _no_bits(name, dtype, booleans)
        return op(x, y)

    return binary(name, apply, doc, example)


def _no_bits(name: str, dtype: numpy.dtype[Any], booleans: bool) -> ArgumentError:
    return ArgumentError(
        f"{name}: wrong dtype", expected="integers or booleans" if booleans else "integers",
        got=dtype_name(dtype), fix="convert to an integer dtype, or compare first: (x > 0) & (y > 0)",
    )  # fmt: skip


def _invert(x: Any) -> Any:
    x = array("invert", x)
    if not is_integer(x.dtype) and x.dtype != _BOOL:
        raise _no_bits("invert", x.dtype, True)
    return ops.logical_not(x)


def _shift_right(x: Any, y: Any) -> Any:
    unsigned = type_at("right_shift", x).dtype.kind == "u"
    return ops.shift_right_logical(x, y) if unsigned else ops.shift_right_arithmetic(x, y)


bitwise_and = _bits("bitwise_and", ops.logical_and, "`x1 & x2`.", "6, 3 -> 2")
bitwise_or = _bits("bitwise_or", ops.logical_or, "`x1 | x2`.", "6, 3 -> 7")
bitwise_xor = _bits("bitwise_xor", ops.logical_xor, "`x1 ^ x2`.", "6, 3 -> 5")
bitwise_not = invert = bitwise_invert = unary("invert", _invert, "`~x`.", "5 -> -6")
left_shift = bitwise_left_shift = _bits(
    "left_shift", ops.shift_left, "`x1 << x2`.", "3, 2 -> 12", booleans=False
)
right_shift = bitwise_right_shift = _bits(
    "right_shift", _shift_right, "`x1 >> x2`, filling with the sign.", "-8, 2 -> -2", booleans=False
)
bitwise_count = unary(
    "bitwise_count",
    lambda x: ops.population_count(array("bitwise_count", x)),
    "Number of one bits.",
    "7 -> 3",
)
