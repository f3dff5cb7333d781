"""Transforms are closed under composition: random stacks of them against JAX's own."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import fn
from fn.ops import (
    add,
    concatenate,
    cumsum,
    dot_general,
    exp,
    gt,
    log1p,
    mul,
    reduce_max,
    reduce_sum,
    reverse,
    select,
    sin,
    sort,
    tanh,
)

# Functions from a (4, 3) array to a (4, 3) array, smooth where they are tried, in both libraries.
N, M = 4, 3
_W = np.linspace(-1, 1, M * M).reshape(M, M)

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "sin": (sin, jnp.sin),
    "product": (lambda x: mul(x, tanh(x)), lambda x: x * jnp.tanh(x)),
    "matrix": (
        lambda x: sin(dot_general(x, _W, contract=((1,), (0,)), batch=((), ()))),
        lambda x: jnp.sin(x @ _W),
    ),
    "gram": (
        lambda x: dot_general(
            dot_general(x, x, contract=((1,), (1,)), batch=((), ())), x, contract=((1,), (0,)), batch=((), ())
        ),
        lambda x: (x @ x.T) @ x,
    ),
    "softplus": (lambda x: log1p(exp(x)), lambda x: jnp.log1p(jnp.exp(x))),
    "branches": (
        lambda x: select(gt(x, 0.1), mul(x, x), sin(x)),
        lambda x: jnp.where(x > 0.1, x * x, jnp.sin(x)),
    ),
    "scan": (
        lambda x: mul(cumsum(x, axis=0, reverse=False), reverse(x, axes=(0,))),
        lambda x: jnp.cumsum(x, 0) * x[::-1],
    ),
    "order": (
        lambda x: mul(sort(x, axis=1, keys=1)[0], add(x, 1.0)),
        lambda x: jnp.sort(x, 1) * (x + 1),
    ),
    "joined": (
        lambda x: concatenate(sin(fn.ops.slice(x, starts=(0, 0), limits=(2, M), strides=(1, 1))),
                              fn.ops.slice(x, starts=(2, 0), limits=(N, M), strides=(1, 1)), axis=0),
        lambda x: jnp.concatenate([jnp.sin(x[:2]), x[2:]]),
    ),
    "normalised": (
        lambda x: add(x, fn.ops.broadcast(fn.ops.neg(reduce_max(x, axes=(1,))), shape=(N, M), axes=(0,))),
        lambda x: x - x.max(1, keepdims=True),
    ),
}  # fmt: skip


def _sum_fn(x: Any) -> Any:
    return reduce_sum(x, axes=tuple(range(x.ndim)))


# Each takes a function of one (N, M) array to another such function.
Layer = Callable[[Callable[..., Any]], Callable[..., Any]]


LAYERS: dict[str, tuple[Layer, Layer]] = {
    "grad": (
        lambda f: fn.grad(lambda x: _sum_fn(mul(f(x), x))),
        lambda f: jax.grad(lambda x: jnp.sum(f(x) * x)),
    ),
    "jvp": (
        lambda f: lambda x: fn.jvp(f, (x,), (np.ones((N, M)),))[1],
        lambda f: lambda x: jax.jvp(f, (x,), (jnp.ones((N, M)),))[1],
    ),
    "vjp": (
        lambda f: lambda x: fn.vjp(f, x)[1](sin(x))[0],
        lambda f: lambda x: jax.vjp(f, x)[1](jnp.sin(x))[0],
    ),
    "linearize": (
        lambda f: lambda x: fn.linearize(f, x)[1](mul(x, x)),
        lambda f: lambda x: jax.jvp(f, (x,), (x * x,))[1],
    ),
    "jit": (fn.jit, jax.jit),
    "vmap": (
        lambda f: lambda x: reduce_sum(
            fn.vmap(lambda s: f(mul(x, s)), out_axes=1)(np.array([0.5, 1.5])), axes=(1,)
        ),
        lambda f: lambda x: jax.vmap(lambda s: f(x * s))(jnp.array([0.5, 1.5])).sum(0),
    ),
    "vmap over stacked": (
        lambda f: lambda x: reduce_sum(
            fn.vmap(f, in_axes=2, out_axes=-1)(fn.ops.broadcast(x, shape=(N, M, 2), axes=(0, 1))), axes=(2,)
        ),
        lambda f: lambda x: jax.vmap(f, in_axes=2)(jnp.stack([x, x], 2)).sum(0),
    ),
    "hessian": (
        lambda f: lambda x: fn.grad(lambda y: _sum_fn(fn.grad(lambda z: _sum_fn(mul(f(z), y)))(x)))(x),
        lambda f: lambda x: jax.grad(lambda y: jnp.sum(jax.grad(lambda z: jnp.sum(f(z) * y))(x)))(x),
    ),
}  # fmt: skip

X = np.array([[0.31, -0.42, 0.77], [-0.15, 0.64, 0.28], [0.93, 0.05, -0.66], [0.49, -0.81, 0.17]])


@given(
    st.sampled_from(sorted(FUNCTIONS)),
    st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=4),
)
def test_random_stacks(name: str, stack: list[str]) -> None:
    ours, theirs = FUNCTIONS[name]
    for layer in stack:
        ours, theirs = LAYERS[layer][0](ours), LAYERS[layer][1](theirs)
    with jax.enable_x64(True):
        expected = jax.jit(theirs)(X)
        got = fn.jit(ours)(X)
        assert got.dtype == np.float64
        # Four derivatives deep the terms grow; float64 leaves eight digits to agree on.
        scale = max(1.0, float(np.max(np.abs(expected))))
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-9 * scale)


@given(st.lists(st.sampled_from(sorted(set(LAYERS) - {"hessian"})), min_size=1, max_size=3))
def test_eager_stacks_give_what_compiled_ones_give(stack: list[str]) -> None:
    f = FUNCTIONS["branches"][0]
    for layer in stack:
        f = LAYERS[layer][0](f)
    with jax.enable_x64(True):
        np.testing.assert_allclose(f(X), fn.jit(f)(X), rtol=1e-10, atol=1e-12)
