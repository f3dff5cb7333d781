"""Joining, splitting, repeating and padding."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer
from fn.numpy._creation import asarray
from fn.numpy._habits import public
from fn.numpy._indexing import read
from fn.numpy._manipulation import atleast_1d, atleast_2d, atleast_3d
from fn.numpy._promotion import (
    Axis,
    DTypeLike,
    array,
    check_dtype,
    check_shape,
    one_axis,
    promote,
    type_at,
    types_text,
)

Parts = Sequence[Any] | Any


# --- joining ----------------------------------------------------------------------------


def _parts(name: str, arrays: Parts, dtype: DTypeLike = None) -> list[Any]:
    """The arrays to join, in one dtype; the first axis of a single array counts them."""
    if not isinstance(arrays, (list, tuple)):
        whole = array(name, arrays)
        arrays = [read(name, whole, i) for i in range(whole.shape[0])] if whole.shape else []
    if not arrays:
        raise ArgumentError(f"{name}: nothing to join", expected="at least one array", got="none")
    found = promote(
        name,
        *[
            array(name, a if not isinstance(a, (list, tuple)) else asarray(a), i)
            for i, a in enumerate(arrays)
        ],
    )
    return (
        found if dtype is None else [ops.convert(x, dtype=check_dtype(name, dtype)) for x in found]
    )


@public
def concatenate(arrays: Parts, axis: int | None = 0, dtype: DTypeLike = None) -> Any:
    """Join arrays along an axis they have.

    Args:
        arrays: arrays of equal shapes, except along the axis.
        axis: axis to join along; None joins the flattened arrays.
        dtype: dtype of the result; the promoted one by default.

    >>> import fn.numpy as np
    >>> print(np.concatenate([np.array([1, 2]), np.array([3])]))
    [1 2 3]
    """
    parts = _parts("concatenate", arrays, dtype)
    if axis is None:
        parts, axis = [ops.reshape(x, shape=(x.size,)) for x in parts], 0
    place = one_axis("concatenate", axis, parts[0].ndim)
    shapes = {(*x.shape[:place], *x.shape[place + 1 :]) for x in parts}
    if len(shapes) > 1 or any(x.ndim != parts[0].ndim for x in parts):
        raise ArgumentError(
            "concatenate: the arrays do not fit together", expected=f"equal shapes except along axis {axis}",
            got=types_text([type_at("concatenate", x) for x in parts]),
        )  # fmt: skip
    return ops.concatenate(*parts, axis=place)


concat = concatenate


@public
def stack(arrays: Parts, axis: int = 0, dtype: DTypeLike = None) -> Any:
    """Join arrays of one shape along a new axis.

    Args:
        arrays: arrays of equal shapes.
        axis: place of the new axis in the result.
        dtype: dtype of the result; the promoted one by default.

    >>> import fn.numpy as np
    >>> print(np.stack([np.array([1, 2]), np.array([3, 4])]))
    [[1 2]
     [3 4]]
    """
    parts = _parts("stack", arrays, dtype)
    place = one_axis("stack", axis, parts[0].ndim + 1)
    if any(x.shape != parts[0].shape for x in parts):
        raise ArgumentError(
            "stack: the shapes differ", expected="arrays of one shape",
            got=types_text([type_at("stack", x) for x in parts]),
        )  # fmt: skip
    shape = parts[0].shape
    if place == len(shape):
        return ops.concatenate(*[ops.expand(x, (place,)) for x in parts], axis=place)
    # Joined along the axis that follows, each part is one block: two operations, however many parts.
    joined = ops.concatenate(*parts, axis=place)
    return ops.reshape(joined, shape=(*shape[:place], len(parts), *shape[place:]))


@public
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The parts of `x` along an axis, which they do not have.

    >>> import fn.numpy as np
    >>> a, b = np.unstack(np.array([[1, 2], [3, 4]]))
    >>> print(b)
    [3 4]
    """
    x = array("unstack", x)
    place = one_axis("unstack", axis, x.ndim)
    before = (slice(None),) * place
    return tuple([read("unstack", x, (*before, i)) for i in range(x.shape[place])])


@public
def vstack(tup: Parts, dtype: DTypeLike = None) -> Any:
    """Join along the first axis; vectors are rows.

    >>> import fn.numpy as np
    >>> np.vstack([np.ones(3), np.ones(3)]).shape
    (2, 3)
    """
    return concatenate([atleast_2d(x) for x in _parts("vstack", tup)], 0, dtype)


@public
def hstack(tup: Parts, dtype: DTypeLike = None) -> Any:
    """Join along the second axis; vectors along their only one.

    >>> import fn.numpy as np
    >>> np.hstack([np.ones((2, 1)), np.ones((2, 3))]).shape
    (2, 4)
    """
    parts = [atleast_1d(x) for x in _parts("hstack", tup)]
    return concatenate(parts, 0 if parts[0].ndim == 1 else 1, dtype)


@public
def dstack(tup: Parts, dtype: DTypeLike = None) -> Any:
    """Join along the third axis.

    >>> import fn.numpy as np
    >>> np.dstack([np.ones((2, 3)), np.ones((2, 3))]).shape
    (2, 3, 2)
    """
    return concatenate([atleast_3d(x) for x in _parts("dstack", tup)], 2, dtype)


@public
def column_stack(tup: Parts) -> Any:
    """Join along the second axis; vectors are columns.

    >>> import fn.numpy as np
    >>> np.column_stack([np.ones(3), np.ones(3)]).shape
    (3, 2)
    """
    parts = _parts("column_stack", tup)
    return concatenate([ops.reshape(x, shape=(x.size, 1)) if x.ndim < 2 else x for x in parts], 1)


@public
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with values joined at its end; both flattened if `axis` is None.

    >>> import fn.numpy as np
    >>> print(np.append(np.array([1, 2]), 3))
    [1 2 3]
    """
    return concatenate([arr, values], axis)


@public
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """`arr` without some places along an axis; of the flattened array if `axis` is None.

    Args:
        arr: array.
        obj: an integer, a slice, integers or a mask, known while tracing.
        axis: the axis.

    >>> import fn.numpy as np
    >>> print(np.delete(np.array([1, 2, 3]), 1))
    [1 3]
    """
    arr = array("delete", arr)
    if axis is None:
        arr, axis = ops.reshape(arr, shape=(arr.size,)), 0
    place = one_axis("delete", axis, arr.ndim)
    known = obj if isinstance(obj, slice) else numpy.asarray(obj)
    kept = numpy.delete(numpy.arange(arr.shape[place]), known)
    return read("delete", arr, (*[slice(None)] * place, kept))


# --- splitting --------------------------------------------------------------------------


def _split(name: str, x: Any, sections: Any, axis: int, even: bool) -> list[Any]:
    x = array(name, x)
    place = one_axis(name, axis, x.ndim)
    n = x.shape[place]
    if isinstance(sections, (list, tuple, numpy.ndarray, Tracer)) or numpy.ndim(sections):
        cuts = [slice(None, int(c)).indices(n)[1] for c in sections]
    else:
        count = int(sections)
        if count < 1 or (even and n % count):
            raise ArgumentError(
                f"{name}: the axis does not divide into equal parts", expected=f"a divisor of {n}",
                got=f"{count} parts", fix="use array_split, whose parts may differ by one",
            )  # fmt: skip
        small, extra = divmod(n, count)
        cuts = [i * small + min(i, extra) for i in range(1, count)]
    bounds = [0, *cuts, n]
    return [ops.slice_axis(x, a, max(a, b), place) for a, b in pairwise(bounds)]


@public
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `ary` along an axis, into so many equal parts or at these places.

    >>> import fn.numpy as np
    >>> [part.tolist() for part in np.split(np.arange(4), 2)]
    [[0, 1], [2, 3]]
    """
    return _split("split", ary, indices_or_sections, axis, True)


@public
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Cut `ary` along an axis into parts that may differ in length by one.

    >>> import fn.numpy as np
    >>> [part.tolist() for part in np.array_split(np.arange(3), 2)]
    [[0, 1], [2]]
    """
    return _split("array_split", ary, indices_or_sections, axis, False)


@public
def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `ary` along its first axis.

    >>> import fn.numpy as np
    >>> [part.shape for part in np.vsplit(np.ones((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return _split("vsplit", ary, indices_or_sections, 0, True)


@public
def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `ary` along its second axis; a vector along its only one.

    >>> import fn.numpy as np
    >>> [part.shape for part in np.hsplit(np.ones((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    ary = array("hsplit", ary)
    return _split("hsplit", ary, indices_or_sections, 0 if ary.ndim == 1 else 1, True)


@public
def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Cut `ary` along its third axis.

    >>> import fn.numpy as np
    >>> [part.shape for part in np.dsplit(np.ones((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return _split("dsplit", ary, indices_or_sections, 2, True)


# --- repeating --------------------------------------------------------------------------


@public
def tile(A: Any, reps: Any) -> Any:
    """`A` laid side by side, so many times along each axis.

    >>> import fn.numpy as np
    >>> print(np.tile(np.array([1, 2]), 2))
    [1 2 1 2]
    """
    A, times = array("tile", A), check_shape("tile", reps, "number of repeats")
    ndim = max(A.ndim, len(times))
    sizes, times = (1,) * (ndim - A.ndim) + A.shape, (1,) * (ndim - len(times)) + times
    shape = tuple([n for pair in zip(times, sizes, strict=True) for n in pair])
    A = ops.broadcast(ops.reshape(A, shape=sizes), shape=shape, axes=tuple(range(1, 2 * ndim, 2)))
    return ops.reshape(A, shape=tuple([t * n for t, n in zip(times, sizes, strict=True)]))


@public
def repeat(
    a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None
) -> Any:
    """Each element so many times in a row, along an axis; of the flattened array if `axis` is None.

    Args:
        a: array.
        repeats: an integer, or one for each element along the axis, known while tracing.
        axis: the axis.
        total_repeat_length: size of the axis in the result; what is missing repeats the last element.

    >>> import fn.numpy as np
    >>> print(np.repeat(np.array([1, 2]), 2))
    [1 1 2 2]
    """
    a = array("repeat", a)
    if axis is None:
        a, axis = ops.reshape(a, shape=(a.size,)), 0
    place = one_axis("repeat", axis, a.ndim)
    times = numpy.asarray(repeats)
    if times.size == 1 and total_repeat_length is None:
        (count,) = check_shape("repeat", int(times.reshape(())), "number of repeats")
        shape = (*a.shape[: place + 1], count, *a.shape[place + 1 :])
        axes = tuple([i + (i > place) for i in range(a.ndim)])
        out = ops.broadcast(a, shape=shape, axes=axes)
        return ops.reshape(
            out, shape=(*a.shape[:place], a.shape[place] * count, *a.shape[place + 1 :])
        )
    places = numpy.repeat(numpy.arange(a.shape[place]), times)
    if total_repeat_length is not None:
        places = numpy.pad(places, (0, max(0, total_repeat_length - len(places))), mode="edge")[
            :total_repeat_length
        ]
    return read("repeat", a, (*[slice(None)] * place, places))


@public
def roll(a: Any, shift: Any, axis: Axis = None) -> Any:
    """Elements moved along axes; those that leave at one end come in at the other.

    Args:
        a: array.
        shift: how far, one for all axes or one for each; may be traced.
        axis: the axes; None moves the flattened array.

    >>> import fn.numpy as np
    >>> print(np.roll(np.array([1, 2, 3]), 1))
    [3 1 2]
    """
    x = array("roll", a)
    if axis is None:
        return ops.reshape(roll(ops.reshape(x, shape=(x.size,)), shift, 0), shape=x.shape)
    axes = tuple(
        [
            one_axis("roll", i, x.ndim)
            for i in (axis if isinstance(axis, (tuple, list)) else (axis,))
        ]
    )
    if not isinstance(shift, Tracer):
        shift = numpy.asarray(shift)
    count = max(len(axes), shift.size)
    shifts = (
        [read("roll", shift, i % shift.shape[0]) for i in range(count)]
        if shift.ndim
        else [shift] * count
    )
    for place, step in zip(axes * (count // len(axes)), shifts, strict=True):
        n = x.shape[place]
        if n == 0:
            continue
        if not isinstance(step, Tracer):
            cut = -int(step) % n
            tail, head = ops.slice_axis(x, cut, n, place), ops.slice_axis(x, 0, cut, place)
            x = ops.concatenate(tail, head, axis=place) if cut else x
        else:
            sizes, starts = list(x.shape), [step.dtype.type(0)] * x.ndim
            sizes[place] = n
            rest = ops.rem(ops.neg(step), step.dtype.type(n))
            starts[place] = ops.rem(ops.add(rest, step.dtype.type(n)), step.dtype.type(n))
            x = ops.dynamic_slice(ops.concatenate(x, x, axis=place), *starts, sizes=tuple(sizes))
    return x
