"""Collectives: operations across a named axis of an enclosing `vmap`.

Inside, each lane sees its own entry; `vmap` replaces the collective when it batches over the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from jax.tree_util import tree_map

from fn.core import (
    ArgumentError,
    ArrayType,
    AxisNameError,
    Primitive,
    axis_sizes,
    bind,
    constant,
    is_inexact,
    linear,
    public,
)
from fn.ops._dynamic import dynamic_slice
from fn.ops._elementwise import add, convert, div, eq, mul
from fn.ops._reduce import reduce_max, reduce_min
from fn.ops._rules import Batched, require
from fn.ops._shape import broadcast, expand, full, move_axis, reduce_sum, reshape
from fn.ops._slicing import concatenate, iota, slice_axis

AxisName: TypeAlias = Any
_NO_LOWERING = "the axis it names belongs to a vmap, which replaces it"


def _names(operation: str, axis_name: AxisName) -> tuple[AxisName, ...]:
    """`axis_name` as a tuple of names, each checked to be in scope."""
    names = tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)
    scope = axis_sizes()
    for name in names:
        if name not in scope:
            raise AxisNameError(
                f"{operation}: no axis is named {name!r} here",
                expected=f"one of {', '.join(map(repr, scope))}"
                if scope
                else "a named axis in scope",
                got=repr(name),
                fix=f"wrap the function in fn.vmap(f, axis_name={name!r})",
            )
    return names


def _without(names: tuple[AxisName, ...], name: AxisName) -> tuple[AxisName, ...]:
    return tuple([n for n in names if n != name])


# --- psum -------------------------------------------------------------------------------
@public
def psum(x: Any, axis_name: AxisName) -> Any:
    """Sum of `x` over all lanes of the named axis.

    Args:
        x: a pytree of arrays; a Python number gives that number times the size of the axis.
        axis_name: a name, or a tuple of names, of enclosing `vmap` axes.

    Returns:
        The sums, the same in each lane.

    Raises:
        AxisNameError: if no enclosing `vmap` has that axis.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: x / fn.psum(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    Array([0.25, 0.75], dtype=float32)
    """
    names = _names("psum", axis_name)

    def one(leaf: Any) -> Any:
        if isinstance(leaf, (bool, int, float, complex)):
            sizes = axis_sizes()
            for name in names:
                leaf = leaf * sizes[name]
            return leaf
        if leaf.dtype == np.bool_:
            leaf = convert(leaf, dtype=np.int32)
        return bind(psum_p, leaf, axis_names=names)

    return tree_map(one, x)


@public
def pmean(x: Any, axis_name: AxisName) -> Any:
    """Mean of `x` over all lanes of the named axis; like `psum` otherwise.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: x - fn.pmean(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    Array([-1.,  1.], dtype=float32)
    """
    size = psum(1, axis_name)

    def one(leaf: Any) -> Any:
        total = psum(leaf, axis_name)
        if isinstance(total, (int, float, complex)):
            return total / size
        if not is_inexact(total.dtype):
            total = convert(total, dtype=np.float32)
        return div(total, total.dtype.type(size))

    return tree_map(one, x)


def _same_type(x: ArrayType, *, axis_names: Any) -> ArrayType:
    return x


def _psum_transpose(ct: Any, x: Any, *, axis_names: Any) -> tuple[Any, ...]:
    return (bind(psum_p, ct, axis_names=axis_names),)


def _psum_batch(axis: Any, args: Any, dims: Any, *, axis_names: Any) -> Batched:
    (x,), (dim,) = args, dims
    if axis.name not in axis_names:
        return bind(psum_p, x, axis_names=axis_names), dim
    x = mul(x, x.dtype.type(axis.size)) if dim is None else reduce_sum(x, axes=(dim,))
    rest = _without(axis_names, axis.name)
    return (bind(psum_p, x, axis_names=rest) if rest else x), None


psum_p = Primitive(
    name="psum", type=_same_type, jvp=linear, transpose=_psum_transpose, batch=_psum_batch,
    lower=_NO_LOWERING,
)  # fmt: skip


# --- pmax, pmin -------------------------------------------------------------------------
@public
def pmax(x: Any, axis_name: AxisName) -> Any:
    """Largest value of each element over the lanes of the named axis; like `psum` otherwise.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: fn.pmax(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    Array([3., 3.], dtype=float32)
    """
    names = _names("pmax", axis_name)
    return tree_map(lambda leaf: bind(pmax_p, leaf, axis_names=names), x)


@public
def pmin(x: Any, axis_name: AxisName) -> Any:
    """Smallest value of each element over the lanes of the named axis; like `psum` otherwise.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: fn.pmin(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    Array([1., 1.], dtype=float32)
    """
    names = _names("pmin", axis_name)
    return tree_map(lambda leaf: bind(pmin_p, leaf, axis_names=names), x)


def _extreme_jvp(t: Any, out: Any, x: Any, *, axis_names: Any) -> Any:
    """The lanes that attain the extreme share its derivative."""
    attains = convert(eq(x, out), dtype=t.dtype)
    shared = bind(psum_p, attains, axis_names=axis_names)
    return div(bind(psum_p, mul(t, attains), axis_names=axis_names), shared)


def _extreme(name: str, reduce: Callable[..., Any]) -> Primitive:
    def batch(axis: Any, args: Any, dims: Any, *, axis_names: Any) -> Batched:
        (x,), (dim,) = args, dims
        if axis.name not in axis_names:
            return bind(primitive, x, axis_names=axis_names), dim
        x = x if dim is None else reduce(x, axes=(dim,))
        rest = _without(axis_names, axis.name)
        return (bind(primitive, x, axis_names=rest) if rest else x), None

    primitive = Primitive(
        name=name, type=_same_type, jvp=(_extreme_jvp,), transpose="it is not linear", batch=batch,
        lower=_NO_LOWERING,
    )  # fmt: skip
    return primitive


pmax_p = _extreme("pmax", reduce_max)
pmin_p = _extreme("pmin", reduce_min)


# --- all_gather -------------------------------------------------------------------------
@public
def all_gather(x: Any, axis_name: AxisName, *, axis: int = 0, tiled: bool = False) -> Any:
    """The entries of all lanes, stacked.

    Args:
        x: a pytree of arrays.
        axis_name: name of an enclosing `vmap` axis.
        axis: where the new axis goes.
        tiled: join along the existing axis `axis` instead of making a new one.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: fn.all_gather(x, "i"), axis_name="i")(np.array([1.0, 3.0]))
    Array([[1., 3.],
           [1., 3.]], dtype=float32)
    """
    (name,) = _names("all_gather", axis_name)
    size = axis_sizes()[name]

    def one(leaf: Any) -> Any:
        stacked = bind(all_gather_p, leaf, axis_names=(name,), size=size)
        moved = move_axis(stacked, 0, axis % stacked.ndim)
        if not tiled:
            return moved
        shape = leaf.shape
        return reshape(moved, shape=(*shape[:axis], size * shape[axis], *shape[axis + 1 :]))

    return tree_map(one, x)


def _all_gather_type(x: ArrayType, *, axis_names: Any, size: int) -> ArrayType:
    return x.with_shape((size, *x.shape))


def _all_gather_transpose(ct: Any, x: Any, *, axis_names: Any, size: int) -> tuple[Any, ...]:
    # Every lane got this lane's entry at the same place: add up what they say there.
    total = bind(psum_p, ct, axis_names=axis_names)
    index = bind(axis_index_p, axis_names=axis_names)
    starts = [index, *[np.int32(0)] * x.type.ndim]
    return (reshape(dynamic_slice(total, *starts, sizes=(1, *x.type.shape)), shape=x.type.shape),)


def _all_gather_batch(axis: Any, args: Any, dims: Any, *, axis_names: Any, size: int) -> Batched:
    (x,), (dim,) = args, dims
    if axis.name not in axis_names:
        out = bind(all_gather_p, x, axis_names=axis_names, size=size)
        return out, None if dim is None else dim + 1
    if dim is None:
        return broadcast(x, shape=(size, *x.shape), axes=tuple(range(1, x.ndim + 1))), None
    return move_axis(x, dim, 0), None


all_gather_p = Primitive(
    name="all_gather", type=_all_gather_type, jvp=linear, transpose=_all_gather_transpose,
    batch=_all_gather_batch, lower=_NO_LOWERING,
)  # fmt: skip


# --- ppermute ---------------------------------------------------------------------------
@public
def ppermute(x: Any, axis_name: AxisName, perm: Sequence[tuple[int, int]]) -> Any:
    """Send entries from lane to lane; lanes that receive nothing get zeros.

    Args:
        x: a pytree of arrays.
        axis_name: name of an enclosing `vmap` axis.
        perm: pairs `(source, destination)`, each lane at most once on either side.

    Raises:
        ArgumentError: if a pair is out of range or a lane occurs twice on one side.

    >>> import fn, fn.numpy as np
    >>> shift = lambda x: fn.ppermute(x, "i", [(0, 1), (1, 2)])
    >>> fn.vmap(shift, axis_name="i")(np.array([1.0, 2.0, 3.0]))
    Array([0., 1., 2.], dtype=float32)
    """
    (name,) = _names("ppermute", axis_name)
    size = axis_sizes()[name]
    pairs = tuple([(int(a), int(b)) for a, b in perm])
    for side in zip(*pairs, strict=True):
        if len(set(side)) != len(side) or not all(0 <= lane < size for lane in side):
            raise ArgumentError(
                "ppermute: perm is not a partial permutation of the axis",
                expected=f"lanes from 0 to {size - 1}, each at most once as source and as destination",
                got=str(pairs),
            )
    return tree_map(lambda leaf: bind(ppermute_p, leaf, axis_names=(name,), perm=pairs), x)


def _ppermute_type(x: ArrayType, *, axis_names: Any, perm: Any) -> ArrayType:
    return x


def _ppermute_transpose(ct: Any, x: Any, *, axis_names: Any, perm: Any) -> tuple[Any, ...]:
    back = tuple([(b, a) for a, b in perm])
    return (bind(ppermute_p, ct, axis_names=axis_names, perm=back),)


def _ppermute_batch(axis: Any, args: Any, dims: Any, *, axis_names: Any, perm: Any) -> Batched:
    (x,), (dim,) = args, dims
    if axis.name not in axis_names:
        return bind(ppermute_p, x, axis_names=axis_names, perm=perm), dim
    source = {b: a for a, b in perm}
    x = expand(x, (0,)) if dim is None else move_axis(x, dim, 0)
    rows = []
    for lane in range(axis.size):
        if lane in source:
            row = source[lane] if dim is not None else 0
            rows.append(slice_axis(x, row, row + 1, 0))
        else:
            rows.append(full(x.dtype.type(0), (1, *x.shape[1:])))
    return concatenate(*rows, axis=0), 0


ppermute_p = Primitive(
    name="ppermute", type=_ppermute_type, jvp=linear, transpose=_ppermute_transpose,
    batch=_ppermute_batch, lower=_NO_LOWERING,
)  # fmt: skip


# --- axis_index -------------------------------------------------------------------------
@public
def axis_index(axis_name: AxisName) -> Any:
    """The number of the lane along the named axis, an i32 scalar.

    Several names count row by row, the last one fastest.

    >>> import fn, fn.numpy as np
    >>> fn.vmap(lambda x: x * fn.axis_index("i"), axis_name="i")(np.ones(3))
    Array([0., 1., 2.], dtype=float32)
    """
    index: Any = None
    for name in _names("axis_index", axis_name):
        here = bind(axis_index_p, axis_names=(name,))
        index = here if index is None else add(mul(index, np.int32(axis_sizes()[name])), here)
    return index


def _axis_index_type(*, axis_names: Any) -> ArrayType:
    require(
        len(axis_names) == 1, "axis_index: one axis at a time", expected="one name", got=axis_names
    )
    return ArrayType((), np.int32)


def _axis_index_batch(
    axis: Any, args: Any, dims: Any, *, axis_names: Any
) -> tuple[Any, int | None]:
    if axis.name not in axis_names:
        return bind(axis_index_p, axis_names=axis_names), None
    return iota(dtype=np.int32, shape=(axis.size,), axis=0), 0


axis_index_p = Primitive(
    name="axis_index", type=_axis_index_type, jvp=constant, transpose="it has no operand",
    batch=_axis_index_batch, lower=_NO_LOWERING,
)  # fmt: skip
