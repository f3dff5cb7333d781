"""What is in an array, without the array: its range, and how many elements are not finite."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fn.core import ArrayType, is_complex, is_float, is_inexact, type_of


class Range(NamedTuple):
    """The least and the greatest finite element of an array, and how many are not finite."""

    type: ArrayType
    origin: str
    """Where the value comes from."""
    low: float | None
    """None if no element is finite; for complex arrays, of the modulus."""
    high: float | None
    nans: int
    infs: int

    def __str__(self) -> str:
        if self.low is None:
            text = "nothing finite" if self.type.size else "empty"
        elif self.low == self.high:
            text = f"{self.low:.6g}"
        else:
            text = f"{self.low:.6g} … {self.high:.6g}"
        return ", ".join([text, *self.faults()])

    def faults(self) -> list[str]:
        """`3 NaN`, `1 inf`"""
        return [f"{n:,} {word}" for n, word in ((self.nans, "NaN"), (self.infs, "inf")) if n]


def host(value: Any) -> np.ndarray[Any, Any]:
    """`value` as a NumPy array of a dtype that NumPy computes with."""
    array = np.asarray(value)
    return array.astype(np.float32) if is_float(array.dtype) and array.dtype.kind != "f" else array


def faults(value: Any) -> tuple[bool, bool]:
    """Whether an array holds NaN, and whether it holds infinities."""
    kind = type_of(value)
    if kind is None or not is_inexact(kind.dtype):
        return False, False
    array = host(value)
    if np.isfinite(array).all():
        return False, False
    return bool(np.isnan(array).any()), bool(np.isinf(array).any())


def range_of(value: Any, origin: str) -> Range:
    """The range of an array or a number."""
    kind = type_of(value)
    assert kind is not None
    array = host(value)
    if is_complex(kind.dtype):
        array = np.abs(array)
    if is_inexact(kind.dtype):
        nans, infs = int(np.isnan(array).sum()), int(np.isinf(array).sum())
        array = array[np.isfinite(array)]
    else:
        nans = infs = 0
    if not array.size:
        return Range(kind, origin, None, None, nans, infs)
    return Range(kind, origin, float(array.min()), float(array.max()), nans, infs)
