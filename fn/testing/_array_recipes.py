"""How a random Program arranges, reduces, sorts, reads and writes arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fn import ops
from fn.core import ArrayType, is_complex, is_integer
from fn.testing._draft import BITS, BOOL, F32, I32, Draft, Known
from fn.testing._recipes import Recipe, recipe


def axis_of(g: Draft, x: Known) -> int:
    """One of its axes, the last the plainest."""
    return x.type.ndim - 1 - g.integer(0, x.type.ndim - 1)


def axes_of(g: Draft, x: Known) -> tuple[int, ...]:
    """Some of its axes, at least one."""
    n = x.type.ndim
    options = [(n - 1,), tuple(range(n)), (0,), (0, n - 1)]
    return tuple(dict.fromkeys(g.pick(options)))


# --- arranging --------------------------------------------------------------------------


@recipe("reshape")
def _reshape(g: Draft) -> None:
    x = g.anything()
    size, shape = x.type.size, x.type.shape
    options = [(size,), (1, *shape), (*shape, 1), shape[::-1]]
    g.keep(ops.reshape(x.value, shape=g.pick(options)), x.low, x.high)


@recipe("transpose")
def _transpose(g: Draft) -> None:
    x = g.anything(2)
    n = x.type.ndim
    options = [tuple(range(n))[::-1], (*range(1, n), 0), (n - 1, *range(n - 1))]
    g.keep(ops.transpose(x.value, permutation=g.pick(options)), x.low, x.high)


@recipe("broadcast")
def _broadcast(g: Draft) -> None:
    x = g.anything(0, 2)
    shape, n = x.type.shape, x.type.ndim
    options: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((2, *shape), tuple(range(1, n + 1))),
        ((*shape, 3), tuple(range(n))),
    ]
    new, axes = g.pick(options)
    g.keep(ops.broadcast(x.value, shape=new, axes=axes), x.low, x.high)


@recipe("reverse")
def _reverse(g: Draft) -> None:
    x = g.anything(1)
    g.keep(ops.reverse(x.value, axes=axes_of(g, x)), x.low, x.high)


@recipe("slice")
def _slice(g: Draft) -> None:
    x = g.anything(1)
    axis = axis_of(g, x)
    n = x.type.shape[axis]
    start, stride = g.integer(0, min(1, n)), g.pick([1, 2])
    limit = n - g.integer(0, min(1, n - start))
    g.keep(ops.slice_axis(x.value, start, limit, axis, stride), x.low, x.high)


@recipe("pad")
def _pad(g: Draft) -> None:
    x = g.anything(1, 2)
    fill: Any = g.pick([0, 1])
    if x.type.dtype == BOOL:
        fill = bool(fill)
    n = x.type.ndim
    low = tuple([g.integer(0, 1) for _ in range(n)])
    high = tuple([g.integer(-1, 1) if size > 1 else 1 for size in x.type.shape])
    interior = tuple([g.integer(0, 1) for _ in range(n)])
    value = ops.pad(x.value, value=fill, low=low, high=high, interior=interior)
    g.keep(value, min(x.low, fill), max(x.high, fill))


@recipe("concatenate")
def _concatenate(g: Draft) -> None:
    x = g.anything(1)
    y = g.adapted(g.anything(), x.type, x.low, x.high)
    operands = [x.value, y.value] if g.chance(50) else [y.value, x.value]
    g.keep(ops.concatenate(*operands, axis=axis_of(g, x)), min(x.low, y.low), max(x.high, y.high))


# --- reductions -------------------------------------------------------------------------


def _count(x: Known, axes: tuple[int, ...]) -> float:
    return float(np.prod([x.type.shape[a] for a in axes]))


@recipe("reduce_sum")
def _reduce_sum(g: Draft) -> None:
    x = g.number(1)
    axes = axes_of(g, x)
    n = _count(x, axes)
    low = 0.0 if is_complex(x.type.dtype) else min(n * x.low, 0)
    if is_integer(x.type.dtype) and x.type.dtype.itemsize == 1:
        x = g.within(x, 0, 3)
        low = 0.0
    g.keep(ops.reduce_sum(x.value, axes=axes), low, max(n * x.high, 0))


@recipe("reduce_prod")
def _reduce_prod(g: Draft) -> None:
    x = g.within(g.real(1), -1.5, 1.5)
    axes = axes_of(g, x)
    most = 1.5 ** _count(x, axes)
    g.keep(ops.reduce_prod(x.value, axes=axes), -most, most)


def _extreme(op: Callable[..., Any]) -> Recipe:
    def apply(g: Draft) -> None:
        x = g.number(1)
        if is_complex(x.type.dtype) or not x.type.size:
            x = g.fresh(ArrayType((2, 3), F32))
        g.keep(op(x.value, axes=axes_of(g, x)), x.low, x.high)

    return apply


recipe("reduce_max")(_extreme(ops.reduce_max))
recipe("reduce_min")(_extreme(ops.reduce_min))


def _reduce_bits(op: Callable[..., Any]) -> Recipe:
    def apply(g: Draft) -> None:
        if g.chance(40):
            x = g.count(1, signed=False)
            low = 0.0 if x.type.dtype.kind == "u" else -64.0
            g.keep(op(x.value, axes=axes_of(g, x)), low - 1, 64)
            return
        x = g.any(
            lambda k: k.type.dtype == BOOL and k.type.ndim > 0, lambda: ArrayType(g.shape(1), BOOL)
        )
        g.keep(op(x.value, axes=axes_of(g, x)), 0, 1)

    return apply


recipe("reduce_or")(_reduce_bits(ops.reduce_or))
recipe("reduce_and")(_reduce_bits(ops.reduce_and))
recipe("reduce_xor")(_reduce_bits(ops.reduce_xor))


@recipe("argmax", "argmax", "argmin")
def _argmax(g: Draft) -> None:
    x = g.real(1)
    if not x.type.size:
        x = g.fresh(ArrayType((2, 3), F32))
    axis = axis_of(g, x)
    op = g.pick([ops.argmax, ops.argmin])
    g.keep(op(x.value, axis=axis, dtype=I32), 0, x.type.shape[axis] - 1)


# --- along an axis ----------------------------------------------------------------------


def _along(op: Callable[..., Any], grows: bool) -> Recipe:
    def apply(g: Draft) -> None:
        x = g.real(1)
        if op is ops.cumprod:
            x = g.within(x, -1.5, 1.5)
        axis = axis_of(g, x)
        n = max(x.type.shape[axis], 1)
        value = op(x.value, axis=axis, reverse=g.chance(40))
        if op is ops.cumprod:
            g.keep(value, -(1.5**n), 1.5**n)
        elif grows:
            g.keep(value, min(n * x.low, x.low), max(n * x.high, x.high) + 2)
        else:
            g.keep(value, x.low, x.high)

    return apply


recipe("cumsum")(_along(ops.cumsum, True))
recipe("cumprod")(_along(ops.cumprod, True))
recipe("cummax")(_along(ops.cummax, False))
recipe("cummin")(_along(ops.cummin, False))
recipe("cumlogsumexp")(_along(ops.cumlogsumexp, True))


@recipe("linear_recurrence")
def _linear_recurrence(g: Draft) -> None:
    a = g.within(g.real(1, dtype=F32), -1, 1)
    b = g.within(g.like(g.real(dtype=F32), a.type.shape), -2, 2)
    axis = axis_of(g, a)
    most = 2.0 * (a.type.shape[axis] + 1)
    value = ops.linear_recurrence(a.value, b.value, axis=axis, reverse=g.chance(40))
    g.keep(value, -most, most)


@recipe("sort")
def _sort(g: Draft) -> None:
    x = g.real(1)
    axis = axis_of(g, x)
    if g.chance(50):
        y = g.like(g.number(), x.type.shape)
        first, second = ops.sort(
            x.value, y.value, axis=axis, keys=g.pick([1, 2]) if not is_complex(y.type.dtype) else 1
        )
        g.keep(first, x.low, x.high)
        g.keep(second, y.low, y.high)
    else:
        (found,) = ops.sort(x.value, axis=axis)
        g.keep(found, x.low, x.high)


@recipe("top_k")
def _top_k(g: Draft) -> None:
    x = g.real(1)
    axis = axis_of(g, x)
    n = x.type.shape[axis]
    values, places = ops.top_k(x.value, k=g.integer(min(1, n), min(2, n)), axis=axis)
    g.keep(values, x.low, x.high)
    g.keep(places, 0, max(n - 1, 0))


# --- computed places --------------------------------------------------------------------


def _index(g: Draft) -> Any:
    """An i32 scalar, in range or slightly out of it."""
    i = g.any(lambda k: k.type is ArrayType((), I32) and k.high < BITS, lambda: ArrayType((), I32))
    return i.value


def _indices(g: Draft, n: int) -> Any:
    """i32[n, 1]."""
    found = g.any(
        lambda k: k.type.dtype == I32 and k.type.size == n and k.high < BITS,
        lambda: ArrayType((n,), I32),
    )
    return ops.reshape(found.value, shape=(n, 1))


@recipe("dynamic_slice")
def _dynamic_slice(g: Draft) -> None:
    x = g.anything(1)
    sizes = tuple([max(n - g.integer(0, 1), min(n, 1)) for n in x.type.shape])
    starts = [_index(g) for _ in x.type.shape]
    g.keep(ops.dynamic_slice(x.value, *starts, sizes=sizes), x.low, x.high)


@recipe("dynamic_update_slice")
def _dynamic_update_slice(g: Draft) -> None:
    x = g.anything(1)
    shape = tuple([max(n - g.integer(0, 1), min(n, 1)) for n in x.type.shape])
    update = g.adapted(g.anything(), x.type.with_shape(shape), x.low, x.high)
    starts = [_index(g) for _ in x.type.shape]
    value = ops.dynamic_update_slice(x.value, update.value, *starts)
    g.keep(value, min(x.low, update.low), max(x.high, update.high))


def _matrix(g: Draft) -> Known:
    """A real array with rows."""
    x = g.real(1, 2)
    return x if x.type.size else g.fresh(ArrayType((3,), F32))


@recipe("gather")
def _gather(g: Draft) -> None:
    x = _matrix(g)
    n = x.type.ndim
    value = ops.gather(
        x.value, _indices(g, g.pick([2, 3])), offset_axes=tuple(range(1, n)), collapsed_axes=(0,),
        index_map=(0,), slice_sizes=(1, *x.type.shape[1:]), mode=g.pick(["clip", "fill"]),
    )  # fmt: skip
    g.keep(value, min(x.low, 0), max(x.high, 0))


@recipe("take_along", "gather")
def _take_along(g: Draft) -> None:
    x = _matrix(g)
    axis = axis_of(g, x)
    places = g.like(g.count(), x.type.shape)
    inside = g.within(g.as_dtype(places, I32), 0, x.type.shape[axis] - 1)
    g.keep(ops.take_along(x.value, inside.value, axis=axis), x.low, x.high)


def _scatter(op: Callable[..., Any]) -> Recipe:
    def apply(g: Draft) -> None:
        x = _matrix(g)
        n, m = x.type.ndim, g.pick([2, 3])
        kind = x.type.with_shape((m, *x.type.shape[1:]))
        low, high = (-1.5, 1.5) if op is ops.scatter_mul else (-8.0, 8.0)
        updates = g.adapted(g.real(), kind, low, high)
        places = dict(
            update_window_axes=tuple(range(1, n)), inserted_axes=(0,), index_map=(0,),
            mode=g.pick(["clip", "fill"]),
        )  # fmt: skip
        if op is ops.scatter_mul:
            x = g.within(x, -2, 2)
            # Products of updates that meet in one place have no derivative.
            distinct = ops.reshape(ops.iota(dtype=I32, shape=(m,), axis=0), shape=(m, 1))
            value = op(x.value, distinct, updates.value, **places, unique=True)
            g.keep(value, -3, 3)
            return
        value = op(x.value, _indices(g, m), updates.value, **places)
        if op is ops.scatter_add:
            reach = x.largest + m * updates.largest
            g.keep(value, -reach, reach)
        else:
            g.keep(value, min(x.low, updates.low), max(x.high, updates.high))

    return apply


recipe("scatter_add")(_scatter(ops.scatter_add))
recipe("scatter_set")(_scatter(ops.scatter_set))
recipe("scatter_min")(_scatter(ops.scatter_min))
recipe("scatter_max")(_scatter(ops.scatter_max))
recipe("scatter_mul")(_scatter(ops.scatter_mul))


# --- random bits ------------------------------------------------------------------------


@recipe("random_bits")
def _random_bits(g: Draft) -> None:
    key, shape = g.key(), g.pick([(3,), (), (2, 3)])
    width = g.pick([32, 8, 16])
    bits = ops.random_bits(key.value, shape=shape, bits=width)
    if width == 32 and g.chance(60):  # a number from 1 to 2 out of random bits of the fraction
        one = np.uint32(0x3F800000)
        number = ops.bitcast(
            ops.logical_or(ops.shift_right_logical(bits, np.uint32(9)), one), dtype=F32
        )
        g.keep(number, 1, 2)
    else:
        g.keep(ops.rem(bits, np.dtype(bits.dtype).type(7)), 0, 6)


@recipe("threefry2x32")
def _threefry(g: Draft) -> None:
    key = g.key()
    one, two = (ops.reshape(ops.slice_axis(key.value, i, i + 1, 0), shape=()) for i in range(2))
    count = ops.iota(dtype=np.uint32, shape=(3,), axis=0)
    first, _ = ops.threefry2x32(one, two, count, np.uint32(0))
    g.keep(ops.rem(first, np.uint32(7)), 0, 6)
