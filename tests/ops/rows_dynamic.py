"""Rows of `fn/ops/_dynamic.py`."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.ops._dynamic import (
    dynamic_slice,
    dynamic_slice_p,
    dynamic_update_slice,
    dynamic_update_slice_p,
)
from tests.ops.row import Row, floats, ints


def _slices(
    name: str, x: Any, *starts: Any, sizes: tuple[int, ...], differentiable: Any = (0,)
) -> Row:
    def reference(x: Any, *starts: Any) -> Any:
        # JAX counts negative starts from the end; here they are clamped like all others.
        room = [n - m for n, m in zip(x.shape, sizes, strict=True)]
        starts = tuple(np.int32(np.clip(int(s), 0, r)) for s, r in zip(starts, room, strict=True))
        return jax.lax.dynamic_slice(x, starts, sizes)

    return Row(
        dynamic_slice_p, name, lambda x, *s: dynamic_slice(x, *s, sizes=sizes), (x, *starts),
        reference, differentiable,
    )  # fmt: skip


def _updates(name: str, x: Any, update: Any, *starts: Any, differentiable: Any = (0, 1)) -> Row:
    def reference(x: Any, update: Any, *starts: Any) -> Any:
        room = [n - m for n, m in zip(x.shape, update.shape, strict=True)]
        starts = tuple(np.int32(np.clip(int(s), 0, r)) for s, r in zip(starts, room, strict=True))
        return jax.lax.dynamic_update_slice(x, update, starts)

    return Row(
        dynamic_update_slice_p, name, dynamic_update_slice, (x, update, *starts), reference, differentiable
    )  # fmt: skip


def _start(value: int, dtype: Any = np.int32) -> Any:
    return np.array(value, dtype)


ROWS: list[Row] = [
    _slices("", floats(4, 5), _start(1), _start(2), sizes=(2, 3)),
    _slices("clamped", floats(4, 5), _start(9), _start(-2), sizes=(2, 3)),
    _slices("one-axis", floats(4, 5), _start(2), _start(7), sizes=(1, 5)),
    _slices("whole", floats(2, 3), _start(1), _start(2), sizes=(2, 3)),
    _slices("empty", floats(2, 3), _start(1), _start(2), sizes=(0, 2)),
    _slices("scalar", floats(), sizes=()),
    _slices("narrow", floats(300), _start(200, np.uint8), sizes=(2,), differentiable=()),
    _slices("mixed", floats(4, 5), _start(1, np.int8), _start(2**32 - 1, np.uint32), sizes=(2, 2)),
    _slices("bf16", floats(4, 5, dtype=ml_dtypes.bfloat16), _start(1), _start(2), sizes=(2, 3)),
    _slices("integers", ints(4, 5), _start(1), _start(2), sizes=(2, 3), differentiable=()),
    _updates("", floats(4, 5), floats(2, 3, seed=1), _start(1), _start(2)),
    _updates("clamped", floats(4, 5), floats(2, 3, seed=1), _start(-4), _start(8)),
    _updates("one-axis", floats(4, 5), floats(1, 5, seed=1), _start(2), _start(1)),
    _updates("whole", floats(2, 3), floats(2, 3, seed=1), _start(1), _start(2)),
    _updates("scalar", floats(), floats(seed=1)),
    _updates("mixed", floats(4, 5), floats(2, 3, seed=1), _start(1, np.uint8), _start(2)),
    _updates(
        "complex", (1j * floats(4, 5)).astype(np.complex64), floats(2, 3).astype(np.complex64),
        _start(1), _start(2),
    ),
    _updates("booleans", np.zeros((3, 2), bool), np.ones((1, 2), bool), _start(1), _start(0), differentiable=()),
]  # fmt: skip
