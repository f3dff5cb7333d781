"""Writing at computed places, other than by addition: scatter_set, scatter_mul, scatter_min, scatter_max."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fn.core import Linear, MissingRuleError
from fn.ops._elementwise import add, convert, div, eq, gt, logical_and, logical_not, lt, mul, select
from fn.ops._gather import read_back, scatter_add, scatter_op, scatter_primitive, zeros
from fn.ops._placement import Ints
from fn.ops._shape import broadcast, reshape
from fn.ops._slicing import iota
from fn.ops._table import anything, number, ordered


# --- scatter_set ------------------------------------------------------------------------
def _winners(x: Ints, indices: Any, updates: Ints, params: dict[str, Any]) -> Any:
    """Which updates are in the result, where several may be written to one place and any may stay.

    Each window writes its number instead of its values, and sees which numbers it finds there.
    """
    places = tuple([a for a in range(len(updates)) if a not in params["update_window_axes"]])
    shape = tuple([updates[a] for a in places])
    # 0 is what a dropped window reads back.
    count = add(iota(dtype=np.int32, shape=(math.prod(shape),), axis=0), np.int32(1))
    numbers = broadcast(reshape(count, shape=shape), shape=updates, axes=places)
    written = scatter_set(zeros(x, np.dtype(np.int32)), indices, numbers, **params)
    return eq(read_back(written, indices, updates, params), numbers)


def _scatter_set_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    x, indices, updates = args
    tx, _, tu = tangents
    shapes, dtype = (np.shape(x), np.shape(updates)), (tx if tu is None else tu).dtype
    tx = zeros(shapes[0], dtype) if tx is None else tx
    nothing = zeros(shapes[1], dtype)
    if tu is None or params["unique"]:
        moved = scatter_set(tx, indices, nothing if tu is None else tu, **params)
        return scatter_set(x, indices, updates, **params), moved
    # Value and tangent both follow one decision who won: XLA may decide differently next time.
    won, zero = _winners(shapes[0], indices, shapes[1], params), dtype.type(0)
    out, tangent = (
        scatter_add(
            scatter_set(old, indices, nothing, **params), indices, select(won, new, zero), **params
        )
        for old, new in ((x, updates), (tx, tu))
    )
    return out, tangent


def _scatter_set_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> tuple[Any, ...]:
    shape = updates.type.shape if isinstance(updates, Linear) else np.shape(updates)
    old = new = None
    if isinstance(x, Linear):
        old = scatter_set(ct, indices, zeros(shape, ct.dtype), **params)
    if isinstance(updates, Linear):
        new = read_back(ct, indices, shape, params)
        if not params["unique"]:
            new = select(_winners(ct.shape, indices, shape, params), new, ct.dtype.type(0))
    return old, None, new


scatter_set_p = scatter_primitive(
    "scatter_set", None, kind=anything, jvp=_scatter_set_jvp, transpose=_scatter_set_transpose
)
scatter_set = scatter_op(
    scatter_set_p,
    "`x` with `updates` in place of its windows at `indices`; where several meet, one of them.",
    7,
)


# --- scatter_mul ------------------------------------------------------------------------
def _scatter_mul_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    x, indices, updates = args
    tx, _, tu = tangents
    out = scatter_mul(x, indices, updates, **params)
    tangent = None if tx is None else scatter_mul(tx, indices, updates, **params)
    if tu is None:
        return out, tangent
    by_updates = tu if params["unique"] else mul(tu, _others(x, indices, updates, params))
    by_updates = scatter_add(zeros(out.shape, out.dtype), indices, by_updates, **params)
    if params["unique"]:
        by_updates = mul(x, by_updates)
    return out, by_updates if tangent is None else add(tangent, by_updates)


def _others(x: Any, indices: Any, updates: Any, params: dict[str, Any]) -> Any:
    """For each update, the product of what it is multiplied with: of the array and of updates that meet it.

    Zeros are left out of the products and counted: but for the only one among its factors, the product
    of a factor's others is the whole divided by it.
    """
    one, zero = x.dtype.type(1), x.dtype.type(0)
    shape = np.shape(updates)
    old_none, new_none = eq(x, zero), eq(updates, zero)
    rest = select(new_none, one, updates)
    whole = read_back(
        scatter_mul(select(old_none, one, x), indices, rest, **params), indices, shape, params
    )
    ints = [convert(none, dtype=np.int32) for none in (old_none, new_none)]
    none = read_back(scatter_add(ints[0], indices, ints[1], **params), indices, shape, params)
    only = logical_and(new_none, eq(none, np.int32(1)))
    return select(eq(none, np.int32(0)), div(whole, rest), select(only, whole, zero))


def _scatter_mul_transpose(
    ct: Any, x: Any, indices: Any, updates: Any, **params: Any
) -> tuple[Any, ...]:
    if isinstance(updates, Linear):
        raise MissingRuleError("scatter_mul is linear in its array, not in its updates")
    return scatter_mul(ct, indices, updates, **params), None, None


scatter_mul_p = scatter_primitive(
    "scatter_mul", "multiply", kind=number, jvp=_scatter_mul_jvp, transpose=_scatter_mul_transpose
)
scatter_mul = scatter_op(
    scatter_mul_p, "`x` with its windows at `indices` multiplied by `updates`.", 56
)


# --- scatter_min, scatter_max -----------------------------------------------------------
Comparison = Callable[[Any, Any], Any]


def _extreme_jvp(
    args: Any, tangents: Any, scatter: Any, beaten: Comparison, params: Any
) -> tuple[Any, Any]:
    """Old and new elements that are not beaten by the result share its tangent evenly."""
    x, indices, updates = args
    tx, _, tu = tangents
    out = scatter(x, indices, updates, **params)
    old_lost = beaten(x, out)
    new_lost = beaten(updates, read_back(out, indices, np.shape(updates), params))
    old_won, new_won = (convert(logical_not(lost), dtype=np.int32) for lost in (old_lost, new_lost))
    count = convert(scatter_add(old_won, indices, new_won, **params), dtype=out.dtype)
    zero = out.dtype.type(0)
    tangent = zeros(out.shape, out.dtype) if tx is None else select(old_lost, zero, tx)
    if tu is not None:
        tangent = scatter_add(tangent, indices, select(new_lost, zero, tu), **params)
    return out, div(tangent, count)


def _scatter_min_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    return _extreme_jvp(args, tangents, scatter_min, gt, params)


def _scatter_max_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    return _extreme_jvp(args, tangents, scatter_max, lt, params)


scatter_min_p = scatter_primitive(
    "scatter_min", "minimum", kind=ordered, jvp=_scatter_min_jvp, transpose="it is not linear"
)
scatter_min = scatter_op(
    scatter_min_p,
    "`x` with its windows at `indices` and `updates` replaced by the smaller of them.",
    7,
)
scatter_max_p = scatter_primitive(
    "scatter_max", "maximum", kind=ordered, jvp=_scatter_max_jvp, transpose="it is not linear"
)
scatter_max = scatter_op(
    scatter_max_p,
    "`x` with its windows at `indices` and `updates` replaced by the larger of them.",
    8,
)
