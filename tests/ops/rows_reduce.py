"""Rows of `fn/ops/_reduce.py`."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from fn.ops._reduce import (
    argmax,
    argmax_p,
    argmin,
    argmin_p,
    reduce_and,
    reduce_and_p,
    reduce_max,
    reduce_max_p,
    reduce_min,
    reduce_min_p,
    reduce_or,
    reduce_or_p,
    reduce_prod,
    reduce_prod_p,
    reduce_xor,
    reduce_xor_p,
)
from tests.ops.row import Row, floats, ints

_BF16 = ml_dtypes.bfloat16
_NAN = np.array([[1, np.nan, 3, np.nan], [4, 4, 0, 4]], np.float32)
_TIES = np.array([[1, 3, 3], [2, 2, 2]], np.float32)


def _zeros_among(*shape: int, zeros: tuple[int, ...]) -> Any:
    x = floats(*shape, seed=5, low=0.5, high=2.0)
    x.flat[list(zeros)] = 0
    return x


def _rows_of(primitive: Any, function: Any, reference: Any, *, cases: Any) -> list[Row]:
    """One row per (name, array, axes, differentiable)."""
    return [
        Row(
            primitive, name, lambda x, axes=axes: function(x, axes=axes), (x,),
            lambda x, axes=axes: reference(x, axis=axes), (0,) if differentiable else (),
            rtol=1e-2 if x.dtype.itemsize == 2 else 1e-5,
        )
        for name, x, axes, differentiable in cases
    ]  # fmt: skip


_EXTREMES = [
    ("axis", floats(3, 4), (1,), True),
    ("axes", floats(2, 3, 2, seed=1), (0, 2), True),
    ("all", floats(5, seed=2), (0,), True),
    ("bf16", floats(3, 4, seed=3, dtype=_BF16), (0,), False),
    ("i32", ints(3, 4, low=-9), (1,), False),
    ("u8", ints(3, 4, dtype=np.uint8), (1,), False),
    ("bool", ints(3, 2, high=2, dtype=np.bool_), (1,), False),
    ("nan", _NAN, (1,), False),
    ("ties", _TIES, (1,), False),
]
_POSITIONS = [
    ("axis1", floats(3, 4), 1, np.int32),
    ("axis0", floats(3, 4, seed=1), 0, np.int32),
    ("u8", floats(5, seed=2), 0, np.uint8),
    ("i32", ints(3, 6, high=3), 1, np.int32),
    ("bool", ints(3, 4, high=2, dtype=np.bool_), 1, np.int32),
    ("f16", floats(3, 4, seed=3, dtype=np.float16), 0, np.int32),
    ("nan", _NAN, 1, np.int32),
    ("ties", _TIES, 1, np.int32),
    ("infinite", np.array([[-np.inf, -np.inf], [np.inf, np.inf]], np.float32), 1, np.int32),
]
_BITS = [
    ("bool", ints(3, 4, seed=1, high=2, dtype=np.bool_), (1,), False),
    ("i32", ints(3, 4, low=-99, high=99), (0,), False),
    ("u8", ints(2, 3, 2, seed=2, high=255, dtype=np.uint8), (0, 2), False),
]


def _positions(primitive: Any, function: Any, reference: Any) -> list[Row]:
    return [
        Row(
            primitive, name, lambda x, axis=axis, dtype=dtype: function(x, axis=axis, dtype=dtype),
            (x,), lambda x, axis=axis, dtype=dtype: reference(x, axis).astype(dtype),
        )
        for name, x, axis, dtype in _POSITIONS
    ]  # fmt: skip


ROWS: list[Row] = [
    *_rows_of(reduce_max_p, reduce_max, np.max, cases=_EXTREMES),
    *_rows_of(reduce_min_p, reduce_min, np.min, cases=_EXTREMES),
    Row(
        reduce_max_p, "nothing", lambda x: reduce_max(x, axes=(1,)), (floats(2, 0),),
        lambda x: np.full((2,), -np.inf, np.float32),
    ),
    Row(
        reduce_min_p, "nothing", lambda x: reduce_min(x, axes=(0,)), (ints(0, 2),),
        lambda x: np.full((2,), np.iinfo(np.int32).max, np.int32),
    ),
    *_rows_of(
        reduce_prod_p, reduce_prod, np.prod,
        cases=[
            ("axis", floats(3, 5), (1,), True),
            ("axes", floats(2, 3, 2, seed=1), (0, 2), True),
            ("one", floats(3, 1, seed=2), (1,), True),
            ("zero", _zeros_among(2, 5, zeros=(1,)), (1,), True),
            ("zeros", _zeros_among(3, 4, zeros=(0, 1, 4)), (1,), True),
            ("complex", floats(2, 3) + 1j * floats(2, 3, seed=1), (1,), True),
            ("bf16", floats(3, 4, seed=3, dtype=_BF16), (0,), False),
        ],
    ),
    Row(
        reduce_prod_p, "i32", lambda x: reduce_prod(x, axes=(0,)), (ints(3, 4, low=-5),),
        lambda x: np.prod(x, axis=0, dtype=np.int32),
    ),
    Row(
        reduce_prod_p, "nothing", lambda x: reduce_prod(x, axes=(1,)), (floats(2, 0),),
        lambda x: np.ones((2,), np.float32), (0,),
    ),
    *_rows_of(reduce_and_p, reduce_and, np.bitwise_and.reduce, cases=_BITS),
    *_rows_of(reduce_or_p, reduce_or, np.bitwise_or.reduce, cases=_BITS),
    *_rows_of(reduce_xor_p, reduce_xor, np.bitwise_xor.reduce, cases=_BITS),
    *_positions(argmax_p, argmax, np.argmax),
    *_positions(argmin_p, argmin, np.argmin),
]  # fmt: skip
