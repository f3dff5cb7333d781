"""Rows of `fn/ops/_gather.py` and `fn/ops/_scatter.py`."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.core import Primitive
from fn.ops._gather import gather, gather_p, scatter_add, scatter_add_p
from fn.ops._scatter import (
    scatter_max,
    scatter_max_p,
    scatter_min,
    scatter_min_p,
    scatter_mul,
    scatter_mul_p,
    scatter_set,
    scatter_set_p,
)
from tests.ops.row import Row, floats, ints

_MODES = {"fill": "fill", "clip": "clip", "promise": "promise_in_bounds"}
_JAX = {
    scatter_add_p: jax.lax.scatter_add, scatter_set_p: jax.lax.scatter,
    scatter_mul_p: jax.lax.scatter_mul, scatter_min_p: jax.lax.scatter_min,
    scatter_max_p: jax.lax.scatter_max,
}  # fmt: skip
_FN = {
    scatter_add_p: scatter_add, scatter_set_p: scatter_set, scatter_mul_p: scatter_mul,
    scatter_min_p: scatter_min, scatter_max_p: scatter_max,
}  # fmt: skip


def _gathers(name: str, x: Any, indices: Any, differentiable: Any = (0,), **params: Any) -> Row:
    p = {"x_batch_axes": (), "index_batch_axes": (), "mode": "fill", "fill": 0} | params

    def reference(x: Any, indices: Any) -> Any:
        numbers = jax.lax.GatherDimensionNumbers(
            p["offset_axes"],
            p["collapsed_axes"],
            p["index_map"],
            p["x_batch_axes"],
            p["index_batch_axes"],
        )
        return jax.lax.gather(
            x, indices, numbers, p["slice_sizes"], mode=_MODES[p["mode"]], fill_value=p["fill"]
        )

    return Row(
        gather_p, name, lambda x, i: gather(x, i, **params), (x, indices), reference, differentiable
    )


def _scatters(
    name: str, primitive: Primitive, x: Any, indices: Any, updates: Any, differentiable: Any = (0, 2), **params: Any
) -> Row:  # fmt: skip
    p = {"x_batch_axes": (), "index_batch_axes": (), "mode": "fill"} | params

    def reference(x: Any, indices: Any, updates: Any) -> Any:
        numbers = jax.lax.ScatterDimensionNumbers(
            p["update_window_axes"], p["inserted_axes"], p["index_map"], p["x_batch_axes"],
            p["index_batch_axes"],
        )  # fmt: skip
        return _JAX[primitive](
            x,
            indices,
            updates,
            numbers,
            mode=_MODES[p["mode"]],
            unique_indices=p.get("unique", False),
        )

    return Row(
        primitive, name, lambda x, i, u: _FN[primitive](x, i, u, **params), (x, indices, updates),
        reference, differentiable,
    )  # fmt: skip


def _ties(scale: float) -> tuple[Any, Any, Any]:
    """Distinct numbers, of which some updates win at places that several reach."""
    x, updates = floats(5, 2, seed=1), scale * floats(4, 2, seed=2)
    return x, np.array([[1], [3], [1], [0]], np.int32), updates


_ROWS = dict(update_window_axes=(1,), inserted_axes=(0,), index_map=(0,))
_TAKEN = dict(offset_axes=(1,), collapsed_axes=(0,), index_map=(0,), slice_sizes=(1, 3))
_OUT = np.array([[2], [-1], [0], [4], [2]], np.int32)
_TWICE = np.array([[1], [3], [1], [7]], np.int32)
_ONCE = np.array([[4], [0], [9], [2]], np.int32)
# Windows of 2 x 2 at (column, row) vectors; some overlap, the last sticks out.
_BOXES = np.array([[0, 1], [1, 2], [3, 0], [4, 2]], np.int32)
_BATCHED = ints(2, 3, 1, seed=4, low=-1, high=5)
_PAIRED = dict(
    update_window_axes=(2,), inserted_axes=(1,), index_map=(1,), x_batch_axes=(0,), index_batch_axes=(0,)
)  # fmt: skip
_BOX = dict(update_window_axes=(1, 2), inserted_axes=(), index_map=(1, 0))

ROWS: list[Row] = [
    _gathers("rows", floats(4, 3), _OUT, **_TAKEN),
    _gathers("clip", floats(4, 3), _OUT, mode="clip", **_TAKEN),
    _gathers("promise", floats(4, 3), _OUT % 4, mode="promise", **_TAKEN),
    _gathers("fill", floats(4, 3), _OUT, fill=-1.5, **_TAKEN),
    _gathers("fill-nan", floats(4, 3), _OUT, (), fill=float("nan"), **_TAKEN),
    _gathers("bf16", floats(4, 3, dtype=ml_dtypes.bfloat16), _OUT, **_TAKEN),
    _gathers(
        "complex", (floats(4, 3) + 1j * floats(4, 3, seed=1)).astype(np.complex64), _OUT, **_TAKEN
    ),
    _gathers("integers", ints(4, 3), _OUT, (), fill=7, **_TAKEN),
    _gathers("booleans", ints(4, 3, high=2).astype(bool), _OUT, (), fill=True, **_TAKEN),
    # 300 does not fit the type of the indices.
    _gathers(
        "narrow-indices", floats(300), np.array([[3], [255]], np.uint8), (), offset_axes=(),
        collapsed_axes=(0,), index_map=(0,), slice_sizes=(1,), mode="clip",
    ),
    _gathers(
        "boxes", floats(4, 5), _BOXES, offset_axes=(0, 2), collapsed_axes=(), index_map=(1, 0),
        slice_sizes=(2, 2),
    ),
    _gathers(
        "elements", floats(4, 5), _BOXES, offset_axes=(), collapsed_axes=(0, 1), index_map=(1, 0),
        slice_sizes=(1, 1),
    ),
    _gathers(
        "batch-axes", floats(2, 4, 3), _BATCHED, offset_axes=(2,), collapsed_axes=(1,), index_map=(1,),
        x_batch_axes=(0,), index_batch_axes=(0,), slice_sizes=(1, 1, 2),
    ),
    _gathers(
        "no-index", floats(2, 3), np.zeros((2, 0), np.int32), offset_axes=(1, 2), collapsed_axes=(),
        index_map=(), slice_sizes=(2, 2),
    ),
    _gathers("nothing", floats(4, 3), np.zeros((0, 1), np.int32), **_TAKEN),
    _scatters("rows", scatter_add_p, floats(4, 3), _TWICE, floats(4, 3, seed=1), **_ROWS),
    _scatters("clip", scatter_add_p, floats(4, 3), _TWICE, floats(4, 3, seed=1), mode="clip", **_ROWS),
    _scatters("promise", scatter_add_p, floats(5, 2), _TWICE % 5, floats(4, 1), mode="promise", **_ROWS),
    _scatters("boxes", scatter_add_p, floats(4, 5), _BOXES, floats(4, 2, 2, seed=1), **_BOX),
    _scatters("boxes-clip", scatter_add_p, floats(4, 5), _BOXES, floats(4, 2, 2), mode="clip", **_BOX),
    _scatters("batch-axes", scatter_add_p, floats(2, 4, 3), _BATCHED, floats(2, 3, 2), **_PAIRED),
    _scatters(
        "complex", scatter_add_p, (floats(4, 3) * 1j).astype(np.complex64), _TWICE,
        floats(4, 3, seed=1).astype(np.complex64), **_ROWS,
    ),
    _scatters("integers", scatter_add_p, ints(4, 3), _TWICE, ints(4, 3, seed=1), (), **_ROWS),
    _scatters("nothing", scatter_add_p, floats(4, 3), np.zeros((0, 1), np.int32), floats(0, 3), **_ROWS),
    _scatters("rows", scatter_set_p, floats(4, 3), _TWICE, floats(4, 3, seed=1), **_ROWS),
    _scatters("unique", scatter_set_p, floats(5, 3), _ONCE, floats(4, 3), unique=True, **_ROWS),
    _scatters("clip", scatter_set_p, floats(4, 3), _TWICE, floats(4, 3, seed=1), mode="clip", **_ROWS),
    _scatters("boxes", scatter_set_p, floats(4, 5), _BOXES, floats(4, 2, 2, seed=1), **_BOX),
    _scatters("batch-axes", scatter_set_p, floats(2, 4, 3), _BATCHED, floats(2, 3, 2), **_PAIRED),
    _scatters(
        "booleans", scatter_set_p, ints(4, 3, high=2).astype(bool), _TWICE,
        ints(4, 3, high=2, seed=1).astype(bool), (), **_ROWS,
    ),
    _scatters("unique", scatter_mul_p, floats(5, 3), _ONCE, floats(4, 3), unique=True, **_ROWS),
    _scatters("repeated", scatter_mul_p, floats(4, 3), _TWICE, floats(4, 3, seed=1), **_ROWS),
    _scatters("integers", scatter_mul_p, ints(4, 3), _TWICE, ints(4, 3, seed=1), (), **_ROWS),
    _scatters("", scatter_min_p, *_ties(1.0), **_ROWS),
    _scatters("", scatter_max_p, *_ties(1.0), **_ROWS),
    _scatters("clip", scatter_max_p, *_ties(2.0), mode="clip", **_ROWS),
    _scatters("batch-axes", scatter_min_p, floats(2, 4, 3), _BATCHED, floats(2, 3, 2, seed=3), **_PAIRED),
    _scatters("integers", scatter_min_p, ints(4, 3), _TWICE, ints(4, 3, seed=1), (), **_ROWS),
    _scatters(
        "booleans", scatter_max_p, ints(4, 3, high=2).astype(bool), _TWICE,
        ints(4, 3, high=2, seed=1).astype(bool), (), **_ROWS,
    ),
]  # fmt: skip
