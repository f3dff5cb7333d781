"""Rows for `fn/ops/_shape.py` and `fn/ops/_slicing.py`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from fn.ops import _shape as s
from fn.ops import _slicing as c
from tests.ops.row import Row, floats, ints

BF16 = ml_dtypes.bfloat16
V, M, T = floats(5, seed=71), floats(3, 4, seed=72), floats(2, 3, 4, seed=73)
Z = (floats(2, 3, seed=74) + 1j * floats(2, 3, seed=75)).astype(np.complex64)
N, MASK = ints(2, 3, seed=76), np.array([[True, False], [False, False]])
SCALAR = np.float32(1.3)


def reshape(name: str, x: Any, shape: tuple[int, ...]) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        s.reshape_p,
        name,
        lambda x: s.reshape(x, shape=shape),
        (x,),
        lambda x: jnp.reshape(x, shape),
        wrt,
    )


def transpose(name: str, x: Any, permutation: tuple[int, ...]) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        s.transpose_p, name, lambda x: s.transpose(x, permutation=permutation), (x,),
        lambda x: jnp.transpose(x, permutation), wrt,
    )  # fmt: skip


def broadcast(name: str, x: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        s.broadcast_p, name, lambda x: s.broadcast(x, shape=shape, axes=axes), (x,),
        lambda x: jax.lax.broadcast_in_dim(x, shape, axes), wrt,
    )  # fmt: skip


def reduce_sum(name: str, x: Any, axes: tuple[int, ...]) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        s.reduce_sum_p, name, lambda x: s.reduce_sum(x, axes=axes), (x,),
        lambda x: jnp.sum(x, axes, dtype=x.dtype), wrt, 2e-2 if x.dtype == BF16 else 1e-5,
    )  # fmt: skip


def reverse(name: str, x: Any, axes: tuple[int, ...]) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        s.reverse_p, name, lambda x: s.reverse(x, axes=axes), (x,), lambda x: jnp.flip(x, axes), wrt
    )


def iota(name: str, dtype: Any, shape: tuple[int, ...], axis: int) -> Row:
    return Row(
        c.iota_p, name, lambda: c.iota(dtype=dtype, shape=shape, axis=axis), (),
        lambda: jax.lax.broadcasted_iota(dtype, shape, axis),
    )  # fmt: skip


def slice_(name: str, x: Any, starts: Any, limits: Any, strides: Any) -> Row:
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        c.slice_p, name, lambda x: c.slice(x, starts=starts, limits=limits, strides=strides), (x,),
        lambda x: jax.lax.slice(x, starts, limits, strides), wrt,
    )  # fmt: skip


def pad(name: str, x: Any, value: Any, *sides: tuple[int, int, int]) -> Row:
    low, high, interior = zip(*sides, strict=True)
    wrt = (0,) if x.dtype.kind in "fcV" else ()
    return Row(
        c.pad_p, name, lambda x: c.pad(x, value=value, low=low, high=high, interior=interior), (x,),
        lambda x: jax.lax.pad(x, jnp.asarray(value, x.dtype), sides), wrt,
    )  # fmt: skip


def concatenate(name: str, *xs: Any, axis: int) -> Row:
    wrt = tuple(range(len(xs))) if xs[0].dtype.kind in "fcV" else ()
    return Row(
        c.concatenate_p, name, lambda *xs: c.concatenate(*xs, axis=axis), xs,
        lambda *xs: jnp.concatenate(xs, axis), wrt,
    )  # fmt: skip


ROWS: list[Row] = [
    reshape("matrix to vector", M, (12,)),
    reshape("new axes of size one", M, (3, 1, 4, 1)),
    reshape("to a scalar", V[:1], ()),
    reshape("from a scalar", SCALAR, (1, 1)),
    reshape("empty", M[:0], (2, 0)),
    reshape("complex", Z, (3, 2)),
    reshape("bool", MASK, (4,)),
    transpose("matrix", M, (1, 0)),
    transpose("three axes", T, (2, 0, 1)),
    transpose("int", N, (1, 0)),
    transpose("empty", T[:, :0], (1, 2, 0)),
    Row(
        s.transpose_p, "move_axis", lambda x: s.move_axis(x, 0, 2), (T,),
        lambda x: jnp.moveaxis(x, 0, 2), (0,),
    ),
    broadcast("scalar", SCALAR, (2, 3), ()),
    broadcast("rows", V[:3], (3, 2), (0,)),
    broadcast("columns", V[:3], (2, 3), (1,)),
    broadcast("middle", M[:2, :2], (2, 3, 2), (0, 2)),
    broadcast("to nothing", V[:3], (0, 3), (1,)),
    broadcast("bool", MASK[0], (3, 2), (1,)),
    broadcast("complex", Z[0], (2, 3), (1,)),
    reduce_sum("all", M, (0, 1)),
    reduce_sum("first", M, (0,)),
    reduce_sum("outer ones", T, (0, 2)),
    reduce_sum("of nothing", M[:0], (0,)),
    reduce_sum("leaving nothing", M[:0], (1,)),
    reduce_sum("int", N, (1,)),
    reduce_sum("complex", Z, (0,)),
    reduce_sum("bf16", M.astype(BF16), (1,)),
    reverse("vector", V, (0,)),
    reverse("two axes", T, (0, 2)),
    reverse("int", N, (1,)),
    iota("int", np.dtype(np.int32), (4,), 0),
    iota("float, second axis", np.dtype(np.float32), (2, 3), 1),
    iota("complex", np.dtype(np.complex64), (3,), 0),
    iota("empty", np.dtype(np.int32), (0, 2), 1),
    slice_("inside", M, (1, 0), (3, 3), (1, 1)),
    slice_("strided", V, (0,), (5,), (2,)),
    slice_("strided, last one not reached", V, (1,), (5,), (3,)),
    slice_("stride past the end", V, (2,), (4,), (9,)),
    slice_("three axes", T, (0, 1, 0), (2, 3, 4), (1, 1, 3)),
    slice_("nothing", M, (1, 1), (1, 4), (1, 2)),
    slice_("nothing, strided", V, (2,), (2,), (3,)),
    slice_("int", N, (0, 1), (2, 3), (1, 1)),
    slice_("complex", Z, (0, 0), (2, 3), (1, 2)),
    pad("edges", M, 0, (1, 2, 0), (0, 1, 0)),
    pad("a value", V, -1.5, (1, 1, 0)),
    pad("interior", V, 0, (0, 0, 2)),
    pad("everything", M, 2.5, (1, 0, 1), (2, 1, 3)),
    pad("negative edges", V, 0, (-1, -2, 0)),
    pad("one negative edge", M, 1.0, (-1, 2, 0), (1, -1, 0)),
    pad("negative edges and interior", V, 3.0, (-2, -1, 2)),
    pad("cut into the gaps", V, 3.0, (-1, -4, 2)),
    pad("cut all away", V, 0, (-5, 0, 0)),
    Row(
        c.pad_p, "infinity", lambda x: c.pad(x, value=float("-inf"), low=(1,), high=(0,)), (V,),
        lambda x: jnp.pad(x, (1, 0), constant_values=-jnp.inf),
    ),
    pad("nothing", M[:0], 4.0, (2, 1, 3), (0, 0, 0)),
    pad("a scalar", SCALAR.reshape(1), 0, (0, 0, 5)),
    pad("int", N, 7, (0, 1, 0), (1, 0, 0)),
    pad("bool", MASK, True, (0, 1, 0), (1, 0, 0)),
    pad("complex", Z, 1.5, (0, 1, 0), (1, 0, 1)),
    pad("complex value", Z, 1 - 2j, (0, 1, 0), (1, 0, 1)),
    concatenate("rows", M, M[:1] + 1, axis=0),
    concatenate("columns", M, M[:, :1] + 1, M[:, :2] - 1, axis=1),
    concatenate("with nothing", V, V[:0], V[:2], axis=0),
    concatenate("middle", T, T[:, :1], axis=1),
    concatenate("int", N, N, axis=0),
    concatenate("complex", Z, Z * 2, axis=1),
    Row(
        c.concatenate_p, "constant part", lambda x: c.concatenate(x, M[:1], axis=0), (M,),
        lambda x: jnp.concatenate([x, M[:1]]), (0,),
    ),
    Row(
        c.concatenate_p, "of itself", lambda x: c.concatenate(x, x, axis=0), (V,),
        lambda x: jnp.concatenate([x, x]), (0,),
    ),
]  # fmt: skip
