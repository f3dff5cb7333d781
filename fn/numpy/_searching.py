"""Choosing by conditions, and finding where they hold.

How many elements satisfy a condition is data. Eagerly that is no matter; inside a trace, where shapes
must be known, `size` says how many places there are for them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, ConcretizationError, Tracer
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import fused, public
from fn.numpy._indexing import take
from fn.numpy._logic import truth
from fn.numpy._promotion import array, cast, literal, one_axis, promote, spread

_BOOL = numpy.dtype(bool)

# --- choice -----------------------------------------------------------------------------


@public
def where(
    condition: Any,
    x: Any = None,
    y: Any = None,
    /,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """`x` where `condition` holds, else `y`, elementwise.

    Args:
        condition: booleans; numbers count as true where they are not zero.
        x, y: arrays or scalars; the three are broadcast together.
        size, fill_value: with `condition` alone: as in `nonzero`.

    Returns:
        An array of the promoted dtype of `x` and `y`. With `condition` alone, the positions where it
        holds, as `nonzero` gives them.

    >>> import fn.numpy as np
    >>> print(np.where(np.array([True, False]), 1.0, 0.0))
    [1. 0.]
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ArgumentError(
            "where: one of two values is missing", expected="where(condition, x, y)",
            got=f"where(condition, {'x' if y is None else 'None'}, {'None' if y is None else 'y'})",
        )  # fmt: skip
    return _chosen(condition, x, y)


@fused
def _chosen(condition: Any, x: Any, y: Any) -> Any:
    x, y = promote("where", x, y)
    condition, x, y = spread("where", truth("where", condition), x, y)
    return ops.select(condition, x, y)


@public
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each element the choice that belongs to the first condition that holds.

    Args:
        condlist: conditions, broadcast together with the choices.
        choicelist: as many arrays or scalars.
        default: what to take where no condition holds.

    >>> import fn.numpy as np
    >>> x = np.arange(4)
    >>> print(np.select([x < 1, x < 3], [10, 20], 30))
    [10 20 20 30]
    """
    if len(condlist) != len(choicelist) or not condlist:
        raise ArgumentError(
            "select: conditions and choices do not pair up", expected="one choice for each condition",
            got=f"{len(condlist)} conditions, {len(choicelist)} choices",
        )  # fmt: skip
    *choices, out = promote("select", *choicelist, default)
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        out = where(condition, choice, out)
    return out


# --- where something holds --------------------------------------------------------------


def known(name: str, x: Any, fix: str = "say how many there are at most: size=n") -> Any:
    """The values of `x`, which decide a shape; the error says what to do if they are not known."""
    try:
        return numpy.asarray(x)
    except ConcretizationError as error:
        raise ConcretizationError(
            f"{name}: the shape of the result depends on values that are not known here",
            expected="an array known while tracing, or a size", got=error.got, fix=fix,
        ) from None  # fmt: skip


def flat_positions(name: str, mask: Any, size: int | None) -> tuple[Any, Any]:
    """Where a mask of one axis holds, in `size` places, and which of them are filled."""
    n = mask.shape[0]
    kind = int_dtype()
    if size is None:
        found = numpy.flatnonzero(known(name, mask))
        return array(name, found.astype(kind)), None
    order = ops.cumsum(ops.convert(mask, dtype=kind), axis=0)
    # The k-th that holds goes to place k; the others go past the end, where writes are dropped.
    place = ops.select(mask, ops.sub(order, literal(1, kind)), literal(size, kind))
    base = ops.full(literal(-1, kind), (size,))
    if n and size:
        base = ops.scatter_set(
            base, ops.reshape(place, shape=(n, 1)), ops.iota(dtype=kind, shape=(n,), axis=0),
            update_window_axes=(), index_map=(0,), inserted_axes=(0,), sorted=False, unique=False,
            mode="fill",
        )  # fmt: skip
    return base, ops.ge(base, literal(0, kind))


@public
def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """Positions of the elements that are not zero, one index array per axis.

    Args:
        a: array.
        size: how many positions to give: what is too much is cut off. Needed inside a trace.
        fill_value: what stands where there are too few; a number or one for each axis, 0 by default.

    >>> import fn.numpy as np
    >>> print(*np.nonzero(np.array([3, 0, 5])))
    [0 2]
    """
    x = truth("nonzero", a)
    if x.ndim == 0:
        raise ArgumentError(
            "nonzero: a scalar has no positions", expected="an array of at least one axis",
            got=f"shape {x.shape}", fix="make it an array of one axis: nonzero(atleast_1d(x))",
        )  # fmt: skip
    flat, there = flat_positions("nonzero", ops.reshape(x, shape=(x.size,)), size)
    fills = fill_value if isinstance(fill_value, (tuple, list)) else [fill_value] * x.ndim
    out = []
    for axis, (n, fill) in enumerate(zip(x.shape, fills, strict=True)):
        below = math.prod(x.shape[axis + 1 :])
        index = ops.div(flat, literal(below, flat.dtype)) if below > 1 else flat
        index = ops.rem(index, literal(max(n, 1), flat.dtype)) if axis else index
        if there is not None:
            index = ops.select(there, index, cast(0 if fill is None else fill, flat.dtype))
        out.append(index)
    return tuple(out)


@public
def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """Positions in the flattened array of the elements that are not zero; see `nonzero`.

    >>> import fn.numpy as np
    >>> print(np.flatnonzero(np.array([3, 0, 5])))
    [0 2]
    """
    x = array("flatnonzero", a)
    return nonzero(ops.reshape(x, shape=(x.size,)), size=size, fill_value=fill_value)[0]


@public
def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """Positions of the elements that are not zero, one row for each; see `nonzero`.

    >>> import fn.numpy as np
    >>> print(np.argwhere(np.array([[3, 0], [0, 5]])))
    [[0 0]
     [1 1]]
    """
    x = array("argwhere", a)
    if not x.shape:
        rows = nonzero(ops.reshape(x, shape=(1,)), size=size)[0]
        return ops.full(literal(0, rows.dtype), (rows.shape[0], 0))
    columns = nonzero(x, size=size, fill_value=fill_value)
    return ops.concatenate(*[ops.expand(c, (1,)) for c in columns], axis=1)


@public
def compress(
    condition: Any, a: Any, axis: int | None = None, *, size: int | None = None, fill_value: Any = 0
) -> Any:
    """The parts of `a` along an axis for which a condition holds.

    Args:
        condition: booleans of one axis; what it is too short for is left out.
        a: array.
        axis: the axis; None takes from the flattened array.
        size: how many parts to give. Needed inside a trace.
        fill_value: what stands where there are too few.

    >>> import fn.numpy as np
    >>> print(np.compress(np.array([True, False, True]), np.array([1, 2, 3])))
    [1 3]
    """
    x, mask = array("compress", a, 1), truth("compress", condition)
    if mask.ndim != 1:
        raise ArgumentError(
            "compress: the condition has not one axis",
            expected="one axis",
            got=f"shape {mask.shape}",
        )
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    place = one_axis("compress", axis, x.ndim)
    n = x.shape[place]
    if mask.shape[0] > n and not isinstance(mask, Tracer) and known("compress", mask)[n:].any():
        raise ArgumentError(
            "compress: the condition is longer than the axis", expected=f"at most {n} elements",
            got=f"{mask.shape[0]} elements",
        )  # fmt: skip
    places, there = flat_positions(
        "compress", ops.slice_axis(mask, 0, min(n, mask.shape[0]), 0), size
    )
    if n == 0:
        return ops.full(
            cast(fill_value, x.dtype), (*x.shape[:place], size or 0, *x.shape[place + 1 :])
        )
    out = take(x, places, place, mode="clip")
    if there is None:
        return out
    there = ops.broadcast(there, shape=out.shape, axes=(place,))
    return ops.select(there, out, cast(fill_value, x.dtype))


@public
def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements of `arr` for which a condition of the same shape holds; see `compress`.

    >>> import fn.numpy as np
    >>> print(np.extract(np.array([True, False, True]), np.array([1, 2, 3])))
    [1 3]
    """
    x, mask = array("extract", arr, 1), array("extract", condition)
    return compress(ops.reshape(mask, shape=(mask.size,)), x, size=size, fill_value=fill_value)
