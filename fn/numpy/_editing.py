"""New arrays with elements put in, taken out, chosen from several, or laid out in blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer
from fn.numpy._arithmetic import remainder
from fn.numpy._at import At
from fn.numpy._creation import array as make
from fn.numpy._habits import public
from fn.numpy._index_parts import OutOfBoundsError
from fn.numpy._indexing import take, take_along_axis
from fn.numpy._joining import concatenate
from fn.numpy._manipulation import broadcast_arrays, broadcast_to, moveaxis
from fn.numpy._promotion import (
    Axis,
    array,
    cast,
    check_shape,
    literal,
    one_axis,
    promote,
    some_axes,
)
from fn.numpy._searching import known, nonzero

_BOOL = numpy.dtype(bool)


def _not_in_place(name: str, inplace: bool) -> None:
    if inplace:
        raise ArgumentError(
            f"{name}: arrays cannot be changed in place", expected="inplace=False, which gives a new array",
            got="inplace=True", fix=f"x = {name}(x, ..., inplace=False)",
        )  # fmt: skip


def _filled_up(values: Any, size: int) -> Any:
    """So many of the values, from the first again after the last."""
    flat = ops.reshape(values, shape=(values.size,))
    return flat if flat.size == size else take(flat, numpy.arange(size) % max(flat.size, 1))


# --- putting in -------------------------------------------------------------------------


@public
def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """`a` with other values on its main diagonal, as a new array: pass `inplace=False`.

    Args:
        a: array of two axes, or of more of one size.
        val: scalar, or an array whose elements are put in one after the other.
        wrap: whether the diagonal begins anew below that of a tall matrix.
        inplace: must be False.

    >>> import fn.numpy as np
    >>> print(np.fill_diagonal(np.zeros((2, 2)), 5., inplace=False))
    [[5. 0.]
     [0. 5.]]
    """
    _not_in_place("fill_diagonal", inplace)
    x, values = array("fill_diagonal", a), make(val)
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) > 1):
        raise ArgumentError(
            "fill_diagonal: no diagonal",
            expected="two axes, or more of one size",
            got=f"shape {x.shape}",
        )
    if x.ndim == 2:
        step = x.shape[1] + 1
        end = x.size if wrap else min(x.size, x.shape[1] * x.shape[1])
    else:
        step, end = sum(x.shape[0] ** i for i in range(x.ndim)), x.size
    places = numpy.arange(0, end, step)
    flat = ops.reshape(x, shape=(x.size,))
    values = _filled_up(values, len(places)) if values.ndim else values
    return ops.reshape(At(flat)[places].set(cast(values, x.dtype)), shape=x.shape)


@public
def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """`a` with values at flat positions, as a new array: pass `inplace=False`.

    Args:
        a: array.
        ind: flat positions.
        v: the values, used over again if they are too few.
        mode: for positions out of bounds: None drops the writes, "clip" moves them to the ends, "wrap"
            counts on from the other end.
        inplace: must be False.

    >>> import fn.numpy as np
    >>> print(np.put(np.zeros(3), np.array([0, 2]), 5., inplace=False))
    [5. 0. 5.]
    """
    _not_in_place("put", inplace)
    x, places, values = array("put", a), make(ind), make(v)
    places = ops.reshape(places, shape=(places.size,))
    if not places.size or not values.size:
        return x
    if mode == "clip":
        zero, top = literal(0, places.dtype), literal(x.size - 1, places.dtype)
        places = ops.minimum(ops.maximum(places, zero), top)
    elif mode == "wrap":
        places = remainder(places, x.size)
    elif mode is not None:
        raise ArgumentError("put: unknown mode", expected="None, 'clip' or 'wrap'", got=repr(mode))
    flat = At(ops.reshape(x, shape=(x.size,)))[places].set(
        cast(_filled_up(values, places.size), x.dtype)
    )
    return ops.reshape(flat, shape=x.shape)


@public
def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """`arr` with values where a mask holds, one after the other, as a new array: pass `inplace=False`.

    Args:
        arr: array.
        mask: as many elements.
        vals: the values, used over again if they are too few.
        inplace: must be False.

    >>> import fn.numpy as np
    >>> print(np.place(np.zeros(3), np.array([True, False, True]), np.array([5., 6.]), inplace=False))
    [5. 0. 6.]
    """
    _not_in_place("place", inplace)
    x, mask, values = array("place", arr), array("place", mask, 1), make(vals)
    if mask.size != x.size or not values.size:
        raise ArgumentError(
            "place: the arguments do not fit", expected=f"a mask of {x.size} elements, and values",
            got=f"{mask.size} and {values.size}",
        )  # fmt: skip
    if not x.size:
        return x
    (places,) = nonzero(ops.reshape(mask, shape=(mask.size,)), size=mask.size, fill_value=mask.size)
    flat = At(ops.reshape(x, shape=(x.size,)))[places]
    return ops.reshape(flat.set(cast(_filled_up(values, x.size), x.dtype)), shape=x.shape)


@public
def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, *, inplace: bool = True, mode: Any = None
) -> Any:
    """`arr` with values at the positions in each line along an axis: pass `inplace=False`.

    Args:
        arr: array.
        indices: integers, of as many axes as `arr`.
        values: what broadcasts to the shape of the indices.
        axis: the axis; None for the flattened array.
        inplace: must be False.
        mode: for positions out of bounds, as in `x.at[...]`.

    >>> import fn.numpy as np
    >>> x, i = np.zeros((2, 2)), np.array([[0], [1]])
    >>> print(np.put_along_axis(x, i, 5., 1, inplace=False))
    [[5. 0.]
     [0. 5.]]
    """
    _not_in_place("put_along_axis", inplace)
    x, indices = array("put_along_axis", arr), make(indices)
    shape = x.shape
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    at = one_axis("put_along_axis", axis, x.ndim)
    if indices.ndim != x.ndim:
        raise ArgumentError(
            "put_along_axis: the indices do not fit",
            expected=f"{x.ndim} axes",
            got=f"{indices.ndim} axes",
        )
    wanted = tuple([indices.shape[i] if i == at else n for i, n in enumerate(x.shape)])
    indices = broadcast_to(indices, wanted)
    kind = indices.dtype
    others = [ops.iota(dtype=kind, shape=wanted, axis=i) for i in range(x.ndim)]
    others[at] = indices
    values = broadcast_to(cast(make(values), x.dtype), wanted)
    return ops.reshape(At(x)[tuple(others)].set(values, mode=mode), shape=shape)


@public
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with values put in before positions along an axis.

    Args:
        arr: array.
        obj: an integer, which may be traced, a slice, integers, or a mask; they count in `arr`.
        values: what to put in; they broadcast with the parts of `arr`.
        axis: the axis; None inserts into the flattened array.

    >>> import fn.numpy as np
    >>> print(np.insert(np.array([1, 2, 3]), 1, 9))
    [1 9 2 3]
    """
    x, values = array("insert", arr), make(values)
    if axis is None:
        x, axis = ops.reshape(x, shape=(x.size,)), 0
    at = one_axis("insert", axis, x.ndim)
    n = x.shape[at]
    x = ops.move_axis(x, at, 0)
    if isinstance(obj, slice):
        obj = numpy.arange(*obj.indices(n))
    obj = make(obj)
    scalar = obj.ndim == 0
    if obj.dtype == _BOOL:
        obj = nonzero(obj)[0]
    places = ops.reshape(obj, shape=(obj.size,))
    if scalar and values.ndim == x.ndim:
        # A single position takes several parts, listed along the first axis.
        places = ops.full(ops.reshape(places, shape=()), (values.shape[0],))
    elif not scalar and values.ndim == x.ndim and x.ndim > 1:
        values = moveaxis(values, at, 0)
    count = places.shape[0]
    values = broadcast_to(cast(values, x.dtype), (count, *x.shape[1:]))
    kind = places.dtype
    if not isinstance(places, Tracer):
        found = known("insert", places)
        if ((found < -n) | (found > n)).any():
            raise OutOfBoundsError(
                "insert: a position is out of bounds", expected=f"{-n} to {n}",
                got=f"{int(found.min())} to {int(found.max())}",
            )  # fmt: skip
    places = ops.select(ops.lt(places, literal(0, kind)), ops.add(places, literal(n, kind)), places)
    # Old elements get odd keys and new ones even keys: sorting puts each new one before its place.
    olds = ops.add(
        ops.mul(ops.iota(dtype=kind, shape=(n,), axis=0), literal(2, kind)), literal(1, kind)
    )
    keys = concatenate([ops.mul(places, literal(2, kind)), olds])
    order = ops.iota(dtype=numpy.int32, shape=(n + count,), axis=0)
    order = ops.sort(keys, order, axis=0, keys=1, stable=True)[1]
    out = take(concatenate([values, x]), order, 0, mode="clip")
    return ops.move_axis(out, 0, at)


# --- taking out and choosing ------------------------------------------------------------


@public
def trim_zeros(filt: Any, trim: str = "fb", axis: Axis = None) -> Any:
    """`filt` without the zeros at its ends; its values must be known.

    Args:
        filt: array.
        trim: "f" to trim the front, "b" the back, "fb" both.
        axis: axes to trim; None for all.

    >>> import fn.numpy as np
    >>> print(np.trim_zeros(np.array([0, 0, 1, 2, 0])))
    [1 2]
    """
    x = make(filt)
    there = known("trim_zeros", x, "trim before tracing, or keep the zeros") != 0
    for a in some_axes("trim_zeros", axis, x.ndim):
        places = numpy.flatnonzero(there.any(axis=tuple([i for i in range(x.ndim) if i != a])))
        n = x.shape[a]
        first, last = (int(places[0]), int(places[-1]) + 1) if len(places) else (n, n)
        first, last = first if "f" in trim.lower() else 0, last if "b" in trim.lower() else n
        x = ops.slice_axis(x, min(first, last), last, a)
    return x


@public
def choose(a: Any, choices: Any, mode: str = "raise") -> Any:
    """For each element of `a`, the element of the choice with that number.

    Args:
        a: integers.
        choices: arrays that broadcast together, and with `a`.
        mode: for numbers that are no choice: "raise", for which `a` must be known, "clip" or "wrap".

    >>> import fn.numpy as np
    >>> print(np.choose(np.array([0, 1, 0]), [np.array([1, 2, 3]), np.array([10, 20, 30])]))
    [ 1 20  3]
    """
    index = make(a)
    found = (
        [make(c) for c in choices] if isinstance(choices, (list, tuple)) else list(_rows(choices))
    )
    n = len(found)
    if mode == "raise":
        fix = "pass mode='clip' or mode='wrap'"
        values = known("choose", index, fix)
        if ((values < 0) | (values >= n)).any():
            raise OutOfBoundsError(
                "choose: a number is no choice", expected=f"0 to {n - 1}",
                got=f"{int(values.min())} to {int(values.max())}", fix=fix,
            )  # fmt: skip
    elif mode == "clip":
        index = ops.minimum(
            ops.maximum(index, literal(0, index.dtype)), literal(n - 1, index.dtype)
        )
    elif mode == "wrap":
        index = remainder(index, n)
    else:
        raise ArgumentError("choose: unknown mode", expected="raise, clip, wrap", got=repr(mode))
    index, *spread = broadcast_arrays(index, *promote("choose", *found))
    layers = ops.concatenate(*[ops.expand(s, (0,)) for s in spread], axis=0)
    picked = take_along_axis(layers, ops.expand(index, (0,)), 0, mode="clip")
    return ops.reshape(picked, shape=picked.shape[1:])


def _rows(choices: Any) -> Any:
    whole = make(choices)
    return [take(whole, i, 0) for i in range(whole.shape[0])]


# --- layout -----------------------------------------------------------------------------


@public
def block(arrays: Any) -> Any:
    """Nested lists of arrays joined into one: the innermost lists along the last axis, and so on.

    >>> import fn.numpy as np
    >>> print(np.block([[np.ones((1, 2)), np.zeros((1, 1))], [np.zeros((1, 3))]]))
    [[1. 1. 0.]
     [0. 0. 0.]]
    """
    depth = _depth(arrays)
    return _block(arrays, depth)[0] if depth else make(arrays)


def _depth(parts: Any) -> int:
    if not isinstance(parts, list):
        return 0
    depths = {_depth(p) for p in parts}
    if len(depths) != 1:
        raise ArgumentError(
            "block: the lists are not nested evenly", expected="lists of one depth, none empty",
            got=f"depths {sorted(depths)}",
        )  # fmt: skip
    return depths.pop() + 1


def _block(parts: Any, depth: int) -> tuple[Any, int]:
    if not isinstance(parts, list):
        x = make(parts)
        return x, x.ndim
    found = [_block(p, depth - 1) for p in parts]
    ndim = max(depth, *[n for _, n in found])
    arrays = [ops.reshape(x, shape=(*[1] * (ndim - x.ndim), *x.shape)) for x, _ in found]
    return concatenate(arrays, ndim - depth), ndim


@public
def resize(a: Any, new_shape: Any) -> Any:
    """The elements of `a` in another shape, cut off or from the first again as its size needs.

    >>> import fn.numpy as np
    >>> print(np.resize(np.array([1, 2, 3]), (2, 2)))
    [[1 2]
     [3 1]]
    """
    x, shape = array("resize", a), check_shape("resize", new_shape, "new_shape")
    size = math.prod(shape)
    if not size or not x.size:
        return ops.full(literal(0, x.dtype), shape)
    flat = ops.reshape(x, shape=(x.size,))
    times = -(-size // x.size)
    if times > 1:
        flat = ops.reshape(
            ops.broadcast(flat, shape=(times, x.size), axes=(1,)), shape=(times * x.size,)
        )
    return ops.reshape(ops.slice_axis(flat, 0, size, 0), shape=shape)
