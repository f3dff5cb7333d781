"""Arranging and summing: reshape, transpose, broadcast with reduce_sum, reverse."""

from __future__ import annotations

import math
from typing import Any

from fn.core import ArrayType, Primitive, bind, linear, public
from fn.ops._rules import Batched, require, require_axes, types_text


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(getattr(x, "shape", ()))


# --- reshape ----------------------------------------------------------------------------
@public
def reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    """The elements of `x`, row-major, in another shape of the same size.

    >>> import fn, numpy as np
    >>> fn.ops.reshape(np.arange(6), shape=(2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    return x if _shape(x) == shape else bind(reshape_p, x, shape=shape)


def _reshape_type(x: ArrayType, *, shape: tuple[int, ...]) -> ArrayType:
    require(
        math.prod(shape) == x.size and all(n >= 0 for n in shape),
        "reshape: the sizes differ",
        expected=f"a shape of {x.size} elements",
        got=f"{types_text([x])} to {shape}",
    )
    return x.with_shape(shape)


def _reshape_transpose(ct: Any, x: Any, *, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return (reshape(ct, shape=x.type.shape),)


def _reshape_batch(axis: Any, args: Any, dims: Any, *, shape: tuple[int, ...]) -> Batched:
    (x,), (dim,) = args, dims
    return reshape(move_axis(x, dim, 0), shape=(axis.size, *shape)), 0


def _reshape_lower(emit: Any, x: Any, *, shape: tuple[int, ...]) -> Any:
    return emit.op("stablehlo.reshape", x)


reshape_p = Primitive(
    name="reshape", type=_reshape_type, jvp=linear, transpose=_reshape_transpose,
    batch=_reshape_batch, lower=_reshape_lower,
)  # fmt: skip


# --- transpose --------------------------------------------------------------------------
@public
def transpose(x: Any, *, permutation: tuple[int, ...]) -> Any:
    """Reorder axes: axis `i` of the result is axis `permutation[i]` of `x`.

    >>> import fn, numpy as np
    >>> fn.ops.transpose(np.ones((2, 3), np.float32), permutation=(1, 0)).shape
    (3, 2)
    """
    identity = permutation == tuple(range(len(permutation)))
    return (
        x
        if identity and len(_shape(x)) == len(permutation)
        else bind(transpose_p, x, permutation=permutation)
    )


@public
def move_axis(x: Any, source: int, destination: int) -> Any:
    """`x` with one axis moved to another place.

    >>> import fn, numpy as np
    >>> fn.ops.move_axis(np.ones((2, 3, 4), np.float32), 0, 2).shape
    (3, 4, 2)
    """
    if source == destination:
        return x
    order = [i for i in range(len(_shape(x))) if i != source]
    order.insert(destination, source)
    return transpose(x, permutation=tuple(order))


def _transpose_type(x: ArrayType, *, permutation: tuple[int, ...]) -> ArrayType:
    require(
        sorted(permutation) == list(range(x.ndim)),
        "transpose: not a permutation of the operand's axes",
        expected=f"the axes 0 to {x.ndim - 1} in some order" if x.ndim else "()",
        got=f"{permutation} of {types_text([x])}",
    )
    return x.with_shape(tuple([x.shape[i] for i in permutation]))


def _transpose_transpose(ct: Any, x: Any, *, permutation: tuple[int, ...]) -> tuple[Any, ...]:
    inverse = tuple(sorted(range(len(permutation)), key=permutation.__getitem__))
    return (transpose(ct, permutation=inverse),)


def _transpose_batch(axis: Any, args: Any, dims: Any, *, permutation: tuple[int, ...]) -> Batched:
    (x,), (dim,) = args, dims
    return transpose(x, permutation=(dim, *[i + (i >= dim) for i in permutation])), 0


def _transpose_lower(emit: Any, x: Any, *, permutation: tuple[int, ...]) -> Any:
    return emit.op("stablehlo.transpose", x, attrs=f"permutation = {emit.integers(permutation)}")


transpose_p = Primitive(
    name="transpose", type=_transpose_type, jvp=linear, transpose=_transpose_transpose,
    batch=_transpose_batch, lower=_transpose_lower,
)  # fmt: skip


# --- broadcast --------------------------------------------------------------------------
@public
def broadcast(x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Repeat `x` into `shape`: axis `i` of `x` becomes axis `axes[i]`; the others are new.

    Axes of `x` have the size they get in the result (no stretching of size one).

    >>> import fn, numpy as np
    >>> fn.ops.broadcast(np.array([1, 2]), shape=(3, 2), axes=(1,)).tolist()
    [[1, 2], [1, 2], [1, 2]]
    """
    if _shape(x) == shape and hasattr(x, "dtype"):
        return x
    return bind(broadcast_p, x, shape=shape, axes=axes)


@public
def full(value: Any, shape: tuple[int, ...]) -> Any:
    """A scalar repeated into `shape`.

    >>> import fn
    >>> fn.ops.full(2, (3,)).tolist()
    [2, 2, 2]
    """
    return broadcast(value, shape=shape, axes=())


@public
def expand(x: Any, axes: tuple[int, ...]) -> Any:
    """`x` with new axes of size one at these places of the result.

    >>> import fn, numpy as np
    >>> fn.ops.expand(np.ones((2, 3), np.float32), (1,)).shape
    (2, 1, 3)
    """
    shape = list(_shape(x))
    for a in sorted(axes):
        shape.insert(a, 1)
    return reshape(x, shape=tuple(shape))


def _broadcast_type(x: ArrayType, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> ArrayType:
    fits = (
        len(axes) == x.ndim
        and list(axes) == sorted(set(axes))
        and all(0 <= a < len(shape) and shape[a] == n for a, n in zip(axes, x.shape, strict=True))
    )
    require(
        fits, "broadcast: the operand does not fit into the shape",
        expected="for each axis of the operand an axis of that size, in order",
        got=f"{types_text([x])} into {shape} at axes {axes}",
    )  # fmt: skip
    return x.with_shape(shape)


def _broadcast_transpose(
    ct: Any, x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]
) -> tuple[Any, ...]:
    return (reduce_sum(ct, axes=tuple([i for i in range(len(shape)) if i not in axes])),)


def _broadcast_batch(
    axis: Any, args: Any, dims: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]
) -> Batched:
    x = move_axis(args[0], dims[0], 0)
    return broadcast(x, shape=(axis.size, *shape), axes=(0, *[a + 1 for a in axes])), 0


def _broadcast_lower(emit: Any, x: Any, *, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    return emit.broadcast(x, shape, axes) if axes else emit.spread(x, shape)


broadcast_p = Primitive(
    name="broadcast", type=_broadcast_type, jvp=linear, transpose=_broadcast_transpose,
    batch=_broadcast_batch, lower=_broadcast_lower,
)  # fmt: skip


# --- reduce_sum -------------------------------------------------------------------------
@public
def reduce_sum(x: Any, *, axes: tuple[int, ...]) -> Any:
    """Sum `x` over `axes`, which disappear; the transpose of `broadcast`.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_sum(np.array([[1, 5], [7, 2]]), axes=(1,)).tolist()
    [6, 9]
    """
    return bind(reduce_sum_p, x, axes=axes) if axes else x


def _reduce_sum_type(x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
    require_axes("reduce_sum", axes, x.ndim, x)
    require(x.dtype != bool, "reduce_sum: cannot add booleans", expected="numbers", got=x,
            fix="convert to an integer type first")  # fmt: skip
    return x.with_shape(tuple([n for i, n in enumerate(x.shape) if i not in axes]))


def _reduce_sum_transpose(ct: Any, x: Any, *, axes: tuple[int, ...]) -> tuple[Any, ...]:
    kept = tuple([i for i in range(x.type.ndim) if i not in axes])
    return (broadcast(ct, shape=x.type.shape, axes=kept),)


def _reduce_sum_batch(axis: Any, args: Any, dims: Any, *, axes: tuple[int, ...]) -> Batched:
    return batch_reduction(reduce_sum_p, args[0], dims[0], axes)


def batch_reduction(
    primitive: Primitive, x: Any, dim: int, axes: tuple[int, ...], **params: Any
) -> Batched:
    """Batch rule of a reduction: reduce the same axes, shifted past the batched one."""
    shifted = tuple([a + (a >= dim) for a in axes])
    return bind(primitive, x, axes=shifted, **params), dim - sum(a < dim for a in shifted)


def lower_reduction(emit: Any, x: Any, axes: tuple[int, ...], operation: str, initial: Any) -> Any:
    """`stablehlo.reduce` of one operand with a binary StableHLO operation."""
    scalar = ArrayType((), x.type.dtype)
    body = emit.region([scalar, scalar], lambda a, b: [emit.op(operation, a, b, type=scalar)])
    return emit.op(
        "stablehlo.reduce", x, emit.constant(initial, scalar), regions=[body],
        attrs=f"dimensions = {emit.integers(axes)}",
    )  # fmt: skip


def _reduce_sum_lower(emit: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
    return lower_reduction(emit, x, axes, "stablehlo.add", 0)


reduce_sum_p = Primitive(
    name="reduce_sum", type=_reduce_sum_type, jvp=linear, transpose=_reduce_sum_transpose,
    batch=_reduce_sum_batch, lower=_reduce_sum_lower,
)  # fmt: skip


# --- reverse ----------------------------------------------------------------------------
@public
def reverse(x: Any, *, axes: tuple[int, ...]) -> Any:
    """`x` with the order of elements along `axes` reversed.

    >>> import fn, numpy as np
    >>> fn.ops.reverse(np.arange(3), axes=(0,)).tolist()
    [2, 1, 0]
    """
    return bind(reverse_p, x, axes=axes) if axes else x


def _reverse_type(x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
    require_axes("reverse", axes, x.ndim, x)
    return x


def _reverse_transpose(ct: Any, x: Any, *, axes: tuple[int, ...]) -> tuple[Any, ...]:
    return (reverse(ct, axes=axes),)


def _reverse_batch(axis: Any, args: Any, dims: Any, *, axes: tuple[int, ...]) -> Batched:
    return reverse(args[0], axes=tuple([a + (a >= dims[0]) for a in axes])), dims[0]


def _reverse_lower(emit: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
    return emit.op("stablehlo.reverse", x, attrs=f"dimensions = {emit.integers(axes)}")


reverse_p = Primitive(
    name="reverse", type=_reverse_type, jvp=linear, transpose=_reverse_transpose,
    batch=_reverse_batch, lower=_reverse_lower,
)  # fmt: skip
