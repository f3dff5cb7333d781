"""Rows of `fn/ops/_cumulative.py`."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fn.ops._cumulative import (
    cumlogsumexp,
    cumlogsumexp_p,
    cummax,
    cummax_p,
    cummin,
    cummin_p,
    cumprod,
    cumprod_p,
    cumsum,
    cumsum_p,
    linear_recurrence,
    linear_recurrence_p,
)
from tests.ops.row import Row, floats, ints

_BF16 = ml_dtypes.bfloat16
_ZEROS = np.array([[2, 0, 3, -1, 1.5], [0, 0.5, 0, 2, -3]], np.float32)
_MINUS_INFINITY = np.array([[-np.inf, -np.inf, 1, -np.inf], [0.5, -np.inf, 2, 1]], np.float32)


def _rows_of(primitive: Any, function: Any, ufunc: Any, *, cases: Any) -> list[Row]:
    """One row per (name, array, axis, reverse, differentiable)."""

    def reference(x: Any, axis: int, reverse: bool) -> Any:
        x = np.flip(x, axis) if reverse else x
        out = ufunc.accumulate(x, axis, dtype=x.dtype)
        return np.flip(out, axis) if reverse else out

    return [
        Row(
            primitive, name, lambda x, a=axis, r=reverse: function(x, axis=a, reverse=r), (x,),
            lambda x, a=axis, r=reverse: reference(x, a, r), (0,) if differentiable else (),
            rtol=2e-2 if x.dtype.itemsize == 2 else 1e-5,
        )
        for name, x, axis, reverse, differentiable in cases
    ]  # fmt: skip


_COMMON = [
    ("axis1", floats(3, 5), 1, False, True),
    ("axis0", floats(4, 3, seed=1), 0, False, True),
    ("reverse", floats(2, 5, 2, seed=2), 1, True, True),
    ("one", floats(2, 1, seed=3), 1, False, True),
    ("bf16", floats(2, 5, seed=4, dtype=_BF16), 1, False, False),
]
_NUMBERS = [
    ("complex", floats(2, 4) + 1j * floats(2, 4, seed=1), 1, False, True),
    ("i32", ints(3, 4, low=-5, high=5), 0, True, False),
    ("u8", ints(3, 4, dtype=np.uint8), 1, False, False),
    ("nothing", floats(2, 0), 1, False, False),
]
_EXTREMES = [
    ("i32", ints(3, 6, low=-5, high=5), 1, True, False),
    ("nan", np.array([2, 3, np.nan, 5], np.float32), 0, False, False),
    ("ties", np.array([1, 3, 3, 2, 3], np.float32), 0, False, False),
]


def _recurrence(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    a, b = (np.moveaxis(x, axis, 0) for x in (a, b))
    out, h = np.zeros_like(b), np.zeros_like(b[0])
    for i in range(len(b))[:: -1 if reverse else 1]:
        out[i] = h = a[i] * h + b[i]
    return np.moveaxis(out, 0, axis)


def _recurrence_row(
    name: str, a: Any, b: Any, axis: int, reverse: bool, differentiable: Any
) -> Row:
    return Row(
        linear_recurrence_p, name,
        lambda a, b: linear_recurrence(a, b, axis=axis, reverse=reverse), (a, b),
        lambda a, b: _recurrence(a, b, axis, reverse), differentiable,
        rtol=2e-2 if a.dtype.itemsize == 2 else 1e-5,
    )  # fmt: skip


ROWS: list[Row] = [
    *_rows_of(cumsum_p, cumsum, np.add, cases=_COMMON + _NUMBERS),
    *_rows_of(cumprod_p, cumprod, np.multiply, cases=_COMMON + _NUMBERS),
    *_rows_of(
        cumprod_p, cumprod, np.multiply,
        cases=[("zeros", _ZEROS, 1, False, True), ("zeros_reverse", _ZEROS, 1, True, True)],
    ),
    *_rows_of(cummax_p, cummax, np.maximum, cases=_COMMON + _EXTREMES),
    *_rows_of(cummin_p, cummin, np.minimum, cases=_COMMON + _EXTREMES),
    *_rows_of(cumlogsumexp_p, cumlogsumexp, np.logaddexp, cases=_COMMON[:-1]),
    *_rows_of(
        cumlogsumexp_p, cumlogsumexp, np.logaddexp,
        cases=[
            ("large", floats(5, low=90, high=95), 0, False, True),
            ("infinite", _MINUS_INFINITY, 1, False, False),
            ("f16", floats(2, 5, dtype=np.float16), 1, False, False),
        ],
    ),
    _recurrence_row("axis1", floats(2, 5), floats(2, 5, seed=1), 1, False, (0, 1)),
    _recurrence_row("reverse", floats(4, 3), floats(4, 3, seed=1), 0, True, (0, 1)),
    _recurrence_row(
        "complex", floats(3) + 1j * floats(3, seed=2), 1j * floats(3, seed=1), 0, False, (0, 1)
    ),
    _recurrence_row("i32", ints(5, high=3), ints(5, seed=1), 0, False, ()),
    _recurrence_row("bf16", floats(6, dtype=_BF16), floats(6, seed=1, dtype=_BF16), 0, False, ()),
]  # fmt: skip
