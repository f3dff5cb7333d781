"""`vmap` as an equation, batched late: the same results as batching at once."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.control import without
from fn.core import check
from fn.transforms import expanded
from tests.control.compare import agree
from tests.programs import equations, names

X = onp.linspace(0.2, 2, 12, dtype="f4").reshape(4, 3)
TAG = frozenset({"tag"})


def row(x: Any, w: Any) -> Any:
    h = fn.tag(np.sin(x * w), "h")
    return fn.scan(lambda c, t: (c + t * h[0], c * t), 0.0, x)[0] * h, w * 2.0


def mapped(x: Any, w: Any) -> Any:
    return fn.vmap(row, in_axes=(0, None), out_axes=(1, None))(x, w)


def test_tagged_functions_wait() -> None:
    program = check(fn.trace(mapped)(X, X[0]))
    assert names(program)[0] == "vmap"
    assert fn.trace(fn.vmap(np.sin))(X).equations[0].primitive.name == "sin"
    whole = check(expanded(without(program, TAG)))
    assert not {"vmap", "tag"} & {e.primitive.name for e in equations(whole)}
    assert expanded(whole) is whole
    plain = lambda x, w: fn.vmap(
        lambda x, w: tuple(fn.evaluate(without(fn.trace(row)(x, w), TAG), [x, w])),
        (0, None),
        (1, None),
    )(x, w)
    onp.testing.assert_allclose(fn.jit(mapped)(X, X[0])[0], plain(X, X[0])[0], rtol=1e-6)


def test_every_transform_against_jax() -> None:
    def write(v: Any, lib: Any, tag: Any = lambda x, name: x) -> Any:
        def one(a: Any, b: Any) -> Any:
            return lib.sin(tag(lib.sin(a) * b, "p")) + b

        def f(a: Any, b: Any) -> Any:
            y = v.vmap(v.vmap(one), (0, None))(a, b) * v.vmap(one, (1, 0), 1)(a, b)
            return (y * y).sum()

        return f

    agree(write, (X, X[0]), (0, 1), tag=fn.tag)


def test_named_axes_and_chunks() -> None:
    def one(x: Any) -> Any:
        return fn.tag(x - fn.pmean(x, "i"), "centred") * fn.psum(x, "i")

    def theirs(x: Any) -> Any:
        return (x - jax.lax.pmean(x, "i")) * jax.lax.psum(x, "i")

    f, g = fn.vmap(one, axis_name="i"), jax.vmap(theirs, axis_name="i")
    onp.testing.assert_allclose(fn.jit(f)(X), g(X), rtol=1e-5)
    grads = (
        fn.jit(fn.grad(lambda x: (f(x) ** 2).sum()))(X),
        jax.grad(lambda x: (g(x) ** 2).sum())(X),
    )
    onp.testing.assert_allclose(*grads, rtol=1e-3)
    onp.testing.assert_allclose(fn.reap(f)(X)[1]["centred"], X - X.mean(0), rtol=1e-4, atol=1e-6)
    chunked = fn.vmap(lambda x: fn.tag(np.sin(x), "s"), chunk_size=3)
    out, found = fn.reap(chunked, mode="append")(X)
    onp.testing.assert_allclose(jnp.concatenate(found["s"]), onp.sin(X), rtol=1e-6)


def test_unused_results_go() -> None:
    program = check(fn.trace(lambda x, w: mapped(x, w)[1])(X, X[0]))
    (equation,) = [e for e in program.equations if e.primitive.name == "vmap"]
    assert len(equation.outputs) == 1 and equation.effects == TAG


def test_transposed() -> None:
    f = lambda x: fn.vmap(lambda r: fn.tag(r * 3.0, "r").sum())(x)
    (ct,) = fn.linear_transpose(f, X)(onp.arange(4, dtype="f4"))
    onp.testing.assert_allclose(ct, onp.repeat(onp.arange(4) * 3.0, 3).reshape(4, 3))


def test_types() -> None:
    program = fn.trace(mapped)(X, X[0])
    (equation,) = [e for e in program.equations if e.primitive.name == "vmap"]
    with pytest.raises(fn.FnError, match="vmap: the arguments do not fit program 'row'"):
        equation.primitive.type(*[a.type for a in equation.inputs[::-1]], **equation.params)
