"""Rows for collectives: each inside the `vmap` whose axis it names, as it is always used."""

from __future__ import annotations

import jax
import jax.numpy as jnp

import fn
from fn.ops import _collective as c
from tests.ops.row import Row, floats


def across(function, reference):
    """A function of an array whose first axis is the named one, and the same in JAX."""
    return (
        lambda x: fn.vmap(function, axis_name="i")(x),
        lambda x: jax.vmap(reference, axis_name="i")(x),
    )


def row(primitive, name, function, reference, args, differentiable=(0,)):
    ours, theirs = across(function, reference)
    return Row(primitive, name, ours, args, theirs, differentiable)


X = floats(3, 2)
SHIFT = [(0, 1), (1, 2)]
CYCLE = [(0, 1), (1, 2), (2, 0)]


def _two_axes(f):
    return lambda x: f(x, ("i", "j"))


ROWS = [
    row(c.psum_p, "", lambda x: c.psum(x, "i"), lambda x: jax.lax.psum(x, "i"), (X,)),
    row(
        c.psum_p, "times_own",
        lambda x: fn.ops.mul(x, c.psum(fn.ops.mul(x, x), "i")),
        lambda x: x * jax.lax.psum(x * x, "i"), (X,),
    ),
    Row(
        c.psum_p, "two_axes",
        lambda x: fn.vmap(fn.vmap(_two_axes(c.psum), axis_name="j"), axis_name="i")(x), (X,),
        lambda x: jax.vmap(jax.vmap(_two_axes(jax.lax.psum), axis_name="j"), axis_name="i")(x), (0,),
    ),
    row(c.pmax_p, "", lambda x: c.pmax(x, "i"), lambda x: jax.lax.all_gather(x, "i").max(0), (X,)),
    row(c.pmin_p, "", lambda x: c.pmin(x, "i"), lambda x: jax.lax.all_gather(x, "i").min(0), (X,)),
    row(
        c.all_gather_p, "", lambda x: c.all_gather(x, "i"), lambda x: jax.lax.all_gather(x, "i"), (X,)
    ),
    row(
        c.all_gather_p, "axis", lambda x: c.all_gather(x, "i", axis=-1),
        lambda x: jax.lax.all_gather(x, "i", axis=-1), (X,),
    ),
    row(
        c.all_gather_p, "tiled", lambda x: c.all_gather(x, "i", tiled=True),
        lambda x: jax.lax.all_gather(x, "i", tiled=True), (X,),
    ),
    row(
        c.ppermute_p, "", lambda x: c.ppermute(x, "i", CYCLE),
        lambda x: jax.lax.ppermute(x, "i", CYCLE), (X,),
    ),
    Row(
        c.ppermute_p, "partial", across(lambda x: c.ppermute(x, "i", SHIFT), None)[0], (X,),
        lambda x: jnp.concatenate([jnp.zeros((1, 2), x.dtype), x[:-1]]), (0,),
    ),
    row(
        c.axis_index_p, "", lambda x: fn.ops.mul(x, fn.ops.convert(c.axis_index("i"), dtype=x.dtype)),
        lambda x: x * jnp.astype(jax.lax.axis_index("i"), x.dtype), (X,),
    ),
]  # fmt: skip
