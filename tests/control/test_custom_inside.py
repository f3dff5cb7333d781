"""Custom rules inside loops and branches, with and without rematerialisation, against JAX."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from tests.control.test_custom import LAYERS, OURS, X, theirs


def _scanned(f: Any) -> Any:
    return lambda x: fn.scan(lambda c, y: (f(c, y), f(y, c)), x, np.stack([x, 2.0 * x, x * x]))[0]


def _scanned_by_jax(f: Any) -> Any:
    return lambda x: jax.lax.scan(
        lambda c, y: (f(c, y), f(y, c)), x, jnp.stack([x, 2.0 * x, x * x])
    )[0]


def _branched(f: Any) -> Any:
    return lambda x: fn.cond(x.sum() > 0, lambda x: f(x, x), lambda x: f(x, 2.0 * x), x)


def _branched_by_jax(f: Any) -> Any:
    return lambda x: jax.lax.cond(x.sum() > 0, lambda x: f(x, x), lambda x: f(x, 2.0 * x), x)


def _looped(f: Any) -> Any:
    return lambda x: fn.while_loop(
        lambda s: s[1] < 3, lambda s: (f(s[0], x), s[1] + 1), (x, 0), max_steps=4
    )[0]


def _looped_by_jax(f: Any) -> Any:
    return lambda x: jax.lax.fori_loop(0, 3, lambda i, c: f(c, x), x)


@pytest.mark.parametrize("rules", ["jvp", "vjp pair", "both"])
@pytest.mark.parametrize("remat", [False, True])
@pytest.mark.parametrize(
    ("inside", "expected"),
    [(_scanned, _scanned_by_jax), (_branched, _branched_by_jax), (_looped, _looped_by_jax)],
    ids=["scan", "cond", "while"],
)
def test_inside_loops_and_branches(inside: Any, expected: Any, remat: bool, rules: str) -> None:
    f = inside(fn.checkpoint(OURS[rules]) if remat else OURS[rules])
    g = expected(theirs)
    stacks: list[tuple[str, ...]] = [
        ("grad",),
        ("vmap", "grad"),
        ("grad", "vmap"),
        ("remat", "grad"),
    ]
    stacks += [("jvp",), ("vmap", "jvp")] if rules != "vjp pair" else []
    for stack in stacks:
        ours, other = f, g
        for layer in stack:
            ours, other = LAYERS[layer][0](ours), LAYERS[layer][1](other)
        got, want = fn.jit(ours)(X), jax.jit(other)(X)
        scale = float(onp.max(onp.abs(want)))
        onp.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4 * scale, err_msg=str(stack))
