"""`custom_jvp` and `custom_vjp`: code written for JAX runs as it is."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, MissingRuleError, TreeError

X = onp.array([0.3, -0.7, 1.1], onp.float32)


def _both(make: Any) -> None:
    """Compare what `make(library, numpy)` gives: a list of functions of one array."""
    for ours, theirs in zip(make(fn, np), make(jax, jnp), strict=True):
        onp.testing.assert_allclose(fn.jit(ours)(X), jax.jit(theirs)(X), rtol=1e-5, atol=1e-6)


def test_defjvp() -> None:
    def make(lib: Any, np: Any) -> list[Any]:
        @lib.custom_jvp
        def f(x: Any, y: Any) -> Any:
            return np.sin(x) * y

        @f.defjvp
        def f_jvp(primals: Any, tangents: Any) -> Any:
            (x, y), (dx, dy) = primals, tangents
            return f(x, y), 10.0 * np.cos(x) * dx * y + np.sin(x) * dy

        return [
            lambda x: f(x, x),
            lib.grad(lambda x: f(x, x).sum()),
            lib.vmap(lib.grad(lambda x: f(x, 2.0))),
            lambda x: lib.jvp(f, (x, x), (x, x))[1],
            lib.grad(lambda x: lib.grad(lambda y: f(y, x).sum())(x).sum()),
        ]

    _both(make)


def test_defjvps() -> None:
    def make(lib: Any, np: Any) -> list[Any]:
        f = lib.custom_jvp(lambda x, y, n: x * y)
        f.defjvps(lambda t, ans, x, y, n: 3.0 * t * y, lambda t, ans, x, y, n: t * ans, None)
        return [lib.grad(lambda x: f(x, x, 2.0).sum()), lambda x: f(x, x, 2.0)]

    _both(make)


def test_nondiff_argnums() -> None:
    def make(lib: Any, np: Any) -> list[Any]:
        def app(f: Any, x: Any, n: int) -> Any:
            return f(x) * n

        jvp = lib.custom_jvp(app, nondiff_argnums=(0, 2))
        jvp.defjvp(lambda f, n, primals, tangents: (f(primals[0]) * n, 2.0 * n * tangents[0]))
        vjp = lib.custom_vjp(app, nondiff_argnums=(0, 2))
        vjp.defvjp(lambda f, x, n: (f(x) * n, np.cos(x)), lambda f, n, res, ct: (f(ct) * res * n,))
        return [
            lib.grad(lambda x: jvp(np.sin, x, 3).sum()),
            lib.grad(lambda x: vjp(np.sin, x, 3).sum()),
            lib.vmap(lib.grad(lambda x: jvp(np.sin, x, 3))),
            lib.vmap(lib.grad(lambda x: vjp(np.sin, x, 3))),
        ]

    _both(make)


def test_defvjp() -> None:
    def make(lib: Any, np: Any) -> list[Any]:
        @lib.custom_vjp
        def clip(lo: Any, hi: Any, x: Any) -> Any:
            return x

        clip.defvjp(
            lambda lo, hi, x: (x, (lo, hi)),
            lambda res, g: (None, None, np.clip(g, res[0], res[1])),
        )
        return [
            lib.grad(lambda x: (clip(-0.5, 0.5, x) ** 2).sum()),
            lib.vmap(lib.grad(lambda x: clip(-0.5, 0.5, x) ** 2)),
            lib.grad(lambda x: (lib.vmap(clip, in_axes=(None, None, 0))(-0.1, 0.5, x) ** 2).sum()),
        ]

    _both(make)


def test_keywords_and_defaults() -> None:
    def make(lib: Any, np: Any) -> list[Any]:
        f = lib.custom_vjp(lambda x, y=2.0: x * y)
        f.defvjp(lambda x, y: (x * y, y), lambda res, ct: (5.0 * ct * res, None))
        return [lib.grad(lambda x: f(x).sum()), lib.grad(lambda x: f(x, y=3.0).sum())]

    _both(make)


def test_errors() -> None:
    f = fn.custom_jvp(lambda x: x)
    with pytest.raises(MissingRuleError, match="it has no rule yet"):
        f(1.0)
    with pytest.raises(ArgumentError, match="does not go with nondiff_argnums"):
        fn.custom_jvp(lambda x: x, nondiff_argnums=0).defjvps(None)
    with pytest.raises(ArgumentError, match="counts from the end"):
        fn.custom_vjp(lambda x: x, nondiff_argnums=-1)
    g = fn.custom_vjp(lambda x, y: x)
    g.defvjp(lambda x, y: (x, None), lambda res, ct: ct)
    with pytest.raises(TreeError, match="one cotangent per argument"):
        fn.grad(g)(1.0, 1.0)
    with pytest.raises(MissingRuleError, match="forward mode"):
        fn.jvp(g, (1.0, 1.0), (1.0, 1.0))
    assert repr(f).startswith("<fn.custom_jvp of")
