"""Rows of `fn/ops/_sort.py`."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.ops._gather import gather_p
from fn.ops._sort import sort, sort_p, take_along, top_k, top_k_p
from tests.ops.row import Row, floats, ints

_BF16 = ml_dtypes.bfloat16
_NAN = -np.array([np.nan], np.float32)
_SPECIAL = np.array(
    [[0.0, 3, -0.0, np.nan, -1, 0.0], [np.inf, -np.inf, 1, -0.0, 0.0, -2]], np.float32
)
_SPECIAL[1, 2] = _NAN[0]
_FEW = ints(2, 6, seed=7, high=3)
_PLACES = np.arange(12, dtype=np.int32).reshape(2, 6)


def _sorts(name: str, *args: Any, axis: int, keys: int = 1, differentiable: Any = ()) -> Row:
    return Row(
        sort_p, name, lambda *xs: sort(*xs, axis=axis, keys=keys), args,
        lambda *xs: tuple(jax.lax.sort(xs, dimension=axis, num_keys=keys)), differentiable,
    )  # fmt: skip


def _tops(name: str, x: Any, k: int, axis: int, differentiable: Any = ()) -> Row:
    def reference(x: Any) -> tuple[Any, Any]:
        found = jax.lax.top_k(np.moveaxis(x, axis, -1), k)
        return tuple(np.moveaxis(np.asarray(a), -1, axis) for a in found)  # type: ignore[return-value]

    return Row(top_k_p, name, lambda x: top_k(x, k=k, axis=axis), (x,), reference, differentiable)


ROWS: list[Row] = [
    _sorts("axis1", floats(3, 5), axis=1, differentiable=(0,)),
    _sorts("axis0", floats(4, 3, seed=1), axis=0, differentiable=(0,)),
    _sorts("middle", floats(2, 4, 2, seed=2), axis=1, differentiable=(0,)),
    _sorts("payload", floats(2, 5), floats(2, 5, seed=1), axis=1, differentiable=(0, 1)),
    _sorts("float_payload", _FEW, floats(2, 6), axis=1, differentiable=(1,)),
    _sorts("two_keys", _FEW, floats(2, 6), _PLACES, axis=1, keys=2, differentiable=(1,)),
    _sorts("special", _SPECIAL, _PLACES, axis=1),
    _sorts("special_lone", _SPECIAL, axis=1),
    _sorts("special_two_keys", _SPECIAL, _FEW, _PLACES, axis=1, keys=2),
    _sorts("i32", ints(3, 5, low=-9), axis=1),
    _sorts("i32_payload", ints(2, 6, low=-3, high=3), _PLACES, axis=1),
    _sorts("u32_payload", ints(2, 6, dtype=np.uint32) * np.uint32(400_000_000), _PLACES, axis=1),
    _sorts("bool_payload", ints(2, 6, high=2, dtype=np.bool_), _PLACES, axis=1),
    _sorts("bf16_payload", floats(2, 6, dtype=_BF16), _PLACES, axis=1),
    _sorts("f16", floats(3, 5, dtype=np.float16), axis=0),
    _sorts("complex", floats(2, 4) + 1j * floats(2, 4, seed=1), axis=1, differentiable=(0,)),
    _sorts("complex_ties", (_FEW + 1j * floats(2, 6)).astype(np.complex64), _PLACES, axis=1),
    _sorts("nothing", floats(2, 0), ints(2, 0), axis=1),
    _tops("last", floats(3, 6), 2, 1, (0,)),
    _tops("first", floats(5, 3, seed=1), 3, 0, (0,)),
    _tops("middle", floats(2, 5, 2, seed=2), 2, 1, (0,)),
    _tops("all", floats(4, seed=3), 4, 0, (0,)),
    _tops("none", floats(2, 4), 0, 1),
    _tops("ties", _FEW, 4, 1),
    _tops("i32", ints(3, 5, low=-9), 2, 1),
    _tops("u8", ints(3, 5, high=255, dtype=np.uint8), 2, 1),
    _tops("bf16", floats(3, 5, dtype=_BF16), 2, 1),
    _tops("nan", np.array([1, np.nan, 5, -np.inf, np.inf], np.float32), 3, 0),
    Row(
        gather_p, "take_along", lambda x, i: take_along(x, i, axis=1),
        (floats(2, 4), ints(2, 6, high=4)), lambda x, i: np.take_along_axis(x, i, 1), (0,),
    ),
    Row(
        gather_p, "take_along_unique", lambda x, i: take_along(x, i, axis=0, unique=True),
        (floats(4, 2), np.array([[2, 3], [0, 1]], np.int32)),
        lambda x, i: np.take_along_axis(x, i, 0), (0,),
    ),
]  # fmt: skip
