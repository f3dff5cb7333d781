"""How types and numbers are written in StableHLO text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fn.core import ArrayType, dtype_name

_ELEMENT = {
    "bool": "i1", "c64": "complex<f32>", "c128": "complex<f64>",
    "f8_e4m3fn": "f8E4M3FN", "f8_e5m2": "f8E5M2",
}  # fmt: skip
_texts: dict[ArrayType, str] = {}


def element_text(dtype: np.dtype[Any]) -> str:
    """`f32`, `i1`, `ui8`, `complex<f32>`."""
    name = dtype_name(dtype)
    if name.startswith("u"):
        return f"u{'i' + name[1:]}"
    return _ELEMENT.get(name, name)


def type_text(type: ArrayType) -> str:
    """`tensor<3x4xf32>`."""
    found = _texts.get(type)
    if found is None:
        sizes = "".join(f"{n}x" for n in type.shape)
        found = _texts[type] = f"tensor<{sizes}{element_text(type.dtype)}>"
    return found


def number_text(value: Any) -> str:
    """A NumPy scalar as an MLIR number, exact to the last bit."""
    kind = value.dtype.kind
    if kind == "c":
        return f"({number_text(value.real)}, {number_text(value.imag)})"
    if kind == "b":
        return "true" if value else "false"
    if kind in "iu" or dtype_name(value.dtype) in ("i4", "u4"):
        return str(int(value))
    number = float(value)
    if math.isfinite(number):
        return f"{number:.17e}" if value.dtype.itemsize == 8 else f"{number:.9e}"
    return f"0x{value.tobytes()[::-1].hex().upper()}"


def integers(values: Sequence[int]) -> str:
    """`array<i64: 1, 2>`, the way StableHLO writes lists of sizes and axes."""
    return f"array<i64: {', '.join(map(str, values))}>" if values else "array<i64>"


def matrix(rows: Sequence[Sequence[int]]) -> str:
    """`dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>`, for padding."""
    if not rows:
        return "dense<> : tensor<0x2xi64>"
    inner = ", ".join(f"[{', '.join(map(str, row))}]" for row in rows)
    return f"dense<[{inner}]> : tensor<{len(rows)}x{len(rows[0])}xi64>"
