"""What functions of this room do with their arguments: one floating dtype for all of them."""

from __future__ import annotations

from typing import Any

import numpy

import fn.numpy as np
from fn.core import (
    ArgumentError,
    canonical_dtype,
    is_complex,
    is_inexact,
    not_an_array,
    type_of,
)


def inexact(name: str, *xs: Any) -> list[Any]:
    """Arguments in the floating or complex dtype in which they meet; Python scalars become NumPy's."""
    for position, x in enumerate(xs):
        if type_of(x) is None:
            raise not_an_array(name, position, x)
    dtype = numpy.dtype(np.result_type(*xs))
    if not is_inexact(dtype):
        dtype = canonical_dtype(float)
    return [_cast(x, dtype) for x in xs]


def floats(name: str, *xs: Any) -> list[Any]:
    """`inexact`, of real numbers only."""
    found = inexact(name, *xs)
    if found and is_complex(found[0].dtype):
        raise ArgumentError(
            f"{name}: complex numbers are not taken", expected="real numbers",
            got=", ".join([str(type_of(x)) for x in xs]),
        )  # fmt: skip
    return found


def _cast(x: Any, dtype: numpy.dtype[Any]) -> Any:
    if isinstance(x, (bool, int, float, complex)):
        return dtype.type(x)
    kind = type_of(x)
    if kind is not None and kind.dtype == dtype and not kind.weak and hasattr(x, "astype"):
        return x
    return np.astype(np.asarray(x), dtype)


def whole(name: str, argument: str, value: Any, least: int = 0) -> int:
    """A Python integer, known while tracing."""
    try:
        found = int(value.__index__())
    except (AttributeError, TypeError):
        raise ArgumentError(
            f"{name}: {argument} has to be known while tracing", expected="an integer",
            got=str(type_of(value) or type(value).__name__),
            fix=f"make {argument} static with static_argnames",
        ) from None  # fmt: skip
    if found < least:
        raise ArgumentError(
            f"{name}: {argument} is too small", expected=f"at least {least}", got=str(found)
        )
    return found


def choose(name: str, argument: str, value: Any, *choices: Any) -> Any:
    """One of several words."""
    if value not in choices:
        raise ArgumentError(
            f"{name}: unknown {argument}", expected=" or ".join(map(repr, choices)), got=repr(value)
        )
    return value
