"""Scalars computed from literals are literals. Only where NumPy and XLA agree to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fn.core import Equation, Literal, is_complex, is_float

_FOLDED: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "not": np.invert, "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "sqrt": np.sqrt,
    "maximum": np.maximum, "minimum": np.minimum, "select": np.where,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
}  # fmt: skip


def folded(equation: Equation) -> Literal | None:
    """The literal that an elementwise scalar equation gives, if its inputs are literals."""
    for atom in equation.inputs:
        if not isinstance(atom, Literal):
            return None
    name, out = equation.primitive.name, equation.outputs[0].type
    values = [a.value for a in equation.inputs if isinstance(a, Literal)]
    if not all(map(_plain, values)):
        return None
    with np.errstate(all="ignore"):
        if name == "convert":
            value = _converted(values[0], out.dtype)
        elif name in _FOLDED and equation.params == {}:
            value = _computed(name, values)
        else:
            return None
    if value is None or not _plain(value) or np.asarray(value).dtype != out.dtype:
        return None
    return Literal(value, out)


def _computed(name: str, values: list[Any]) -> Any:
    dtype = values[-1].dtype
    if name == "div" and not is_float(dtype):
        return _quotient(values)
    if name in ("maximum", "minimum", "clamp") and not all(values) and is_float(dtype):
        return None  # of 0.0 and -0.0 each may choose either
    return np.asarray(_FOLDED[name](*values))[()]


def _quotient(values: list[Any]) -> Any:
    """Integers divide toward zero; by zero, and where the quotient does not fit, not here."""
    x, y = map(int, values)
    if y in (0, -1) or values[0].dtype == np.bool_:
        return None
    return values[0].dtype.type(abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1))


def _converted(value: Any, dtype: np.dtype[Any]) -> Any:
    if is_complex(dtype):
        return None
    if is_float(value.dtype) and not is_float(dtype) and dtype != np.bool_:
        number = float(value)
        info = np.iinfo(dtype) if dtype.kind in "iu" else None
        if info is None or not np.isfinite(number) or not info.min <= int(number) <= info.max:
            return None
    return np.asarray(value).astype(dtype)[()]


def _plain(value: Any) -> bool:
    """Whether `value` is real, a number, and not so small that the CPU counts it as zero."""
    dtype = np.asarray(value).dtype
    if is_complex(dtype):
        return False
    if not is_float(dtype):
        return True
    if dtype.itemsize < 2:
        return False
    number = abs(float(value))
    return number == number and (number == 0 or number >= 2.0**-14 or _normal(number, dtype))


def _normal(number: float, dtype: np.dtype[Any]) -> bool:
    return dtype.itemsize > 2 and number >= float(np.finfo(np.float32).tiny)
