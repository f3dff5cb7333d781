"""Changing shapes and order: reshape, transpose, axes, reversing, diagonals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, type_of
from fn.numpy._habits import public
from fn.numpy._promotion import (
    Axis,
    check_shape,
    joint_shape,
    one_axis,
    some_axes,
    stretch,
    type_at,
)
from fn.numpy._promotion import array as operand

# --- shape ------------------------------------------------------------------------------


@public
def shape(a: Any) -> tuple[int, ...]:
    """Size of each axis.

    >>> import fn.numpy as np
    >>> np.shape(np.ones((2, 3)))
    (2, 3)
    """
    found = type_of(a)
    return operand("shape", numpy.asarray(a)).shape if found is None else found.shape


@public
def ndim(a: Any) -> int:
    """Number of axes.

    >>> import fn.numpy as np
    >>> np.ndim(np.ones((2, 3)))
    2
    """
    return len(shape(a))


@public
def size(a: Any, axis: Axis = None) -> int:
    """Number of elements, along some axes if they are given.

    >>> import fn.numpy as np
    >>> np.size(np.ones((2, 3))), np.size(np.ones((2, 3)), 1)
    (6, 3)
    """
    sizes = shape(a)
    return math.prod([sizes[i] for i in some_axes("size", axis, len(sizes))])


@public
def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The elements of `a` in another shape.

    Args:
        a: array.
        shape: integers whose product is the number of elements; one of them may be -1 and follows.
        order: "C" to count the last axis fastest, "F" the first.
        copy: accepted for NumPy's sake; arrays never change.

    >>> import fn.numpy as np
    >>> np.reshape(np.arange(6), (2, -1)).shape
    (2, 3)
    """
    a = operand("reshape", a)
    if order not in ("C", "F"):
        raise ArgumentError("reshape: unknown order", expected="'C' or 'F'", got=repr(order))
    sizes = _completed(a, shape)
    if order == "C":
        return ops.reshape(a, shape=sizes)
    return _reversed_axes(ops.reshape(_reversed_axes(a), shape=sizes[::-1]))


def _completed(x: Any, shape: Any) -> tuple[int, ...]:
    """`shape` with the -1 in it worked out."""
    try:
        sizes = (
            tuple([n.__index__() for n in shape])
            if hasattr(shape, "__iter__")
            else (shape.__index__(),)
        )
    except AttributeError:
        sizes = (-1, -1)
    known = math.prod([n for n in sizes if n != -1])
    if sizes.count(-1) == 1 and known > 0 and x.size % known == 0:
        sizes = tuple([x.size // known if n == -1 else n for n in sizes])
    if any(n < 0 for n in sizes) or math.prod(sizes) != x.size:
        raise ArgumentError(
            "reshape: the sizes differ", got=f"{type_at('reshape', x)} to {shape}",
            expected=f"a shape of {x.size} elements, in which one size may be -1",
        )  # fmt: skip
    return sizes


def _reversed_axes(x: Any) -> Any:
    return ops.transpose(x, permutation=tuple(range(x.ndim))[::-1])


@public
def ravel(a: Any, order: str = "C") -> Any:
    """The elements along one axis.

    >>> import fn.numpy as np
    >>> np.ravel(np.ones((2, 3))).shape
    (6,)
    """
    return reshape(a, (-1,) if operand("ravel", a).size else (0,), order)


@public
def expand_dims(a: Any, axis: Axis) -> Any:
    """`a` with new axes of size 1 at these places of the result.

    >>> import fn.numpy as np
    >>> np.expand_dims(np.ones(3), 0).shape
    (1, 3)
    """
    a = operand("expand_dims", a)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    return ops.expand(a, some_axes("expand_dims", axis, a.ndim + count))


@public
def squeeze(a: Any, axis: Axis = None) -> Any:
    """`a` without its axes of size 1, or without those given.

    >>> import fn.numpy as np
    >>> np.squeeze(np.ones((1, 3, 1))).shape
    (3,)
    """
    x = operand("squeeze", a)
    if axis is None:
        return ops.reshape(x, shape=tuple([n for n in x.shape if n != 1]))
    axes = some_axes("squeeze", axis, x.ndim)
    if any(x.shape[a] != 1 for a in axes):
        raise ArgumentError(
            "squeeze: an axis is longer than 1",
            expected="axes of size 1",
            got=f"axes {axes} of shape {x.shape}",
        )
    return ops.reshape(x, shape=tuple([n for i, n in enumerate(x.shape) if i not in axes]))


@public
def broadcast_to(array: Any, shape: Any) -> Any:
    """`array` repeated into a shape.

    Args:
        array: its axes, counted from the last, have the size they get or 1.
        shape: the shape to make.

    >>> import fn.numpy as np
    >>> np.broadcast_to(np.array([1, 2]), (3, 2)).shape
    (3, 2)
    """
    x, sizes = operand("broadcast_to", array), check_shape("broadcast_to", shape)
    found = type_at("broadcast_to", x)
    if (
        len(sizes) < x.ndim
        or joint_shape("broadcast_to", [found, found.with_shape(sizes)]) != sizes
    ):
        raise ArgumentError(
            "broadcast_to: the shape is smaller than the array", got=f"{found} to {sizes}",
            expected="a shape with at least these axes, longer only where the array has size 1",
        )  # fmt: skip
    return stretch(x, x.shape, sizes)


@public
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to.

    >>> import fn.numpy as np
    >>> np.broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    model = type_at("broadcast_shapes", 0)
    return joint_shape(
        "broadcast_shapes", [model.with_shape(check_shape("broadcast_shapes", s)) for s in shapes]
    )


@public
def broadcast_arrays(*args: Any) -> list[Any]:
    """Arrays repeated into one shape.

    >>> import fn.numpy as np
    >>> [x.shape for x in np.broadcast_arrays(np.ones((3, 1)), np.ones(4))]
    [(3, 4), (3, 4)]
    """
    found = [operand("broadcast_arrays", x, i) for i, x in enumerate(args)]
    whole = joint_shape("broadcast_arrays", [type_at("broadcast_arrays", x) for x in found])
    return [stretch(x, x.shape, whole) for x in found]


def _at_least(count: int, arrays: tuple[Any, ...]) -> Any:
    """Each array with axes of size 1 added, as NumPy's atleast_1d, 2d and 3d place them."""
    out = []
    for i, x in enumerate(arrays):
        x = operand(f"atleast_{count}d", x, i)
        missing = count - x.ndim
        if missing > 0:
            last = 1 if count == 3 and x.ndim in (1, 2) else 0
            x = ops.reshape(x, shape=(*[1] * (missing - last), *x.shape, *[1] * last))
        out.append(x)
    return out[0] if len(out) == 1 else out


@public
def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis.

    >>> import fn.numpy as np
    >>> np.atleast_1d(1.0).shape
    (1,)
    """
    return _at_least(1, arys)


@public
def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes; new ones come first.

    >>> import fn.numpy as np
    >>> np.atleast_2d(np.ones(3)).shape
    (1, 3)
    """
    return _at_least(2, arys)


@public
def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes: (n,) becomes (1, n, 1) and (m, n) becomes (m, n, 1).

    >>> import fn.numpy as np
    >>> np.atleast_3d(np.ones(3)).shape
    (1, 3, 1)
    """
    return _at_least(3, arys)


# --- order of axes ----------------------------------------------------------------------


@public
def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """`a` with its axes in another order; reversed by default.

    >>> import fn.numpy as np
    >>> np.transpose(np.ones((2, 3))).shape
    (3, 2)
    """
    a = operand("transpose", a)
    if axes is None:
        return _reversed_axes(a)
    order = some_axes("transpose", axes, a.ndim, "axes")
    if len(order) != a.ndim:
        raise ArgumentError(
            "transpose: not all axes are given", expected=f"the axes 0 to {a.ndim - 1} in some order",
            got=f"axes={axes}",
        )  # fmt: skip
    return ops.transpose(a, permutation=order)


permute_dims = transpose


@public
def matrix_transpose(x: Any) -> Any:
    """`x` with its last two axes exchanged.

    >>> import fn.numpy as np
    >>> np.matrix_transpose(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    return swapaxes(x, -1, -2)


@public
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """`a` with two axes exchanged.

    >>> import fn.numpy as np
    >>> np.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    x = operand("swapaxes", a)
    first = one_axis("swapaxes", axis1, x.ndim, "axis1")
    second = one_axis("swapaxes", axis2, x.ndim, "axis2")
    order = list(range(x.ndim))
    order[first], order[second] = second, first
    return ops.transpose(x, permutation=tuple(order))


@public
def moveaxis(a: Any, source: Axis, destination: Axis) -> Any:
    """`a` with axes moved to other places; the others keep their order.

    >>> import fn.numpy as np
    >>> np.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    a = operand("moveaxis", a)
    sources = some_axes("moveaxis", source, a.ndim, "source")
    places = some_axes("moveaxis", destination, a.ndim, "destination")
    if len(sources) != len(places):
        raise ArgumentError(
            "moveaxis: source and destination do not pair up", expected="as many of one as of the other",
            got=f"source={source}, destination={destination}",
        )  # fmt: skip
    order = [i for i in range(a.ndim) if i not in sources]
    for place, axis in sorted(zip(places, sources, strict=True)):
        order.insert(place, axis)
    return ops.transpose(a, permutation=tuple(order))


@public
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`a` with an axis moved back to before `start`.

    >>> import fn.numpy as np
    >>> np.rollaxis(np.ones((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    a = operand("rollaxis", a)
    source = one_axis("rollaxis", axis, a.ndim)
    place = one_axis("rollaxis", start, a.ndim + 1, "start")
    return ops.move_axis(a, source, place - (source < place))


# --- reversing --------------------------------------------------------------------------


@public
def flip(m: Any, axis: Axis = None) -> Any:
    """`m` with the order of elements along axes reversed.

    >>> import fn.numpy as np
    >>> print(np.flip(np.array([1, 2, 3])))
    [3 2 1]
    """
    m = operand("flip", m)
    return ops.reverse(m, axes=some_axes("flip", axis, m.ndim))


@public
def flipud(m: Any) -> Any:
    """`m` reversed along its first axis.

    >>> import fn.numpy as np
    >>> print(np.flipud(np.array([1, 2, 3])))
    [3 2 1]
    """
    return flip(m, 0)


@public
def fliplr(m: Any) -> Any:
    """`m` reversed along its second axis.

    >>> import fn.numpy as np
    >>> print(np.fliplr(np.array([[1, 2, 3]])))
    [[3 2 1]]
    """
    return flip(m, 1)


@public
def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """`m` turned by 90 degrees, `k` times, in the plane of two axes, from the first to the second.

    >>> import fn.numpy as np
    >>> print(np.rot90(np.array([[1, 2], [3, 4]])))
    [[2 4]
     [1 3]]
    """
    m = operand("rot90", m)
    a, b = some_axes("rot90", tuple(axes), m.ndim, "axes")
    turns = k % 4
    if turns == 2:
        return ops.reverse(m, axes=(a, b))
    if turns == 1:
        return swapaxes(ops.reverse(m, axes=(b,)), a, b)
    return ops.reverse(swapaxes(m, a, b), axes=(b,)) if turns == 3 else m
