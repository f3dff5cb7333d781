"""Taylor series and Laplacians through calls, loops and branches: right, and with the structure kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.core import Program
from tests.ops.case import all_close

X = np.array([[0.3, -0.7, 1.2], [0.9, 0.4, -0.1]])
SERIES = [np.random.RandomState(k).uniform(-1, 1, X.shape) for k in range(3)]


def body(c: Any, x: Any) -> tuple[Any, Any]:
    return fnp.sin(c) * x + 0.5 * c, (c * x, x.sum())


def while_sin(x: Any, **bound: Any) -> Any:
    return fn.while_loop(
        lambda c: (c[0] < 4) & (c[1].sum() < 50), lambda c: (c[0] + 1, fnp.sin(c[1]) * x + 0.3), (0, x), **bound
    )[1]  # fmt: skip


@fn.custom_jvp
def custom(x: Any) -> Any:
    return fnp.sin(x)


@custom.defjvp
def _custom_jvp(primals: Any, tangents: Any) -> Any:
    # Not the derivative of sin: rules count, not bodies.
    return custom(primals[0]), 2.0 * fnp.cos(primals[0]) * tangents[0]


def root(a: Any) -> Any:
    newton = lambda f, x: fn.fori_loop(0, 30, lambda i, x: 0.5 * (x + a / x), x)
    return fn.custom_root(lambda x: x * x - a, a * 0 + 1.5, newton, lambda g, y: y / g(y * 0 + 1.0))


def conjugate(x: Any) -> Any:
    a = fnp.eye(3) * 3 + x.T @ x
    return fn.cg(lambda v: a @ v, fnp.sin(x[0]), tol=1e-14)[0]


# Functions of a (2, 3) array, and the equation each must keep in its Taylor series.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], str | None]] = {
    "call": (lambda x: fn.jit(lambda x: fnp.exp(fnp.sin(x)))(x) * x, "call"),
    "remat": (lambda x: fn.checkpoint(lambda x: fnp.exp(fnp.sin(x)))(x) * x, "remat"),
    "scan": (lambda x: fn.scan(body, x[0] * 0.5, x), "scan"),
    "scan, reversed and unrolled": (lambda x: fn.scan(body, x[:, 0], x.T, reverse=True, unroll=2), "scan"),
    "scan over what is fixed": (lambda x: fn.scan(lambda c, a: (fnp.tanh(c * a), c), x, X[:, 0])[1], "scan"),
    "scan that starts fixed": (
        lambda x: fn.scan(lambda c, _: ((c[1], c[0] * x + 1), None), (0 * X, 0 * X), None, 4), "scan"
    ),
    "scan by rows": (lambda x: fn.scan(lambda c, a: (c, fnp.sin(a) * a), 0.0, x.T)[1], "scan"),
    "map": (lambda x: fn.map(lambda r: fnp.outer(r, fnp.cos(r)), x), "scan"),
    "associative_scan": (lambda x: fn.associative_scan(fnp.multiply, fnp.sin(x), axis=1), None),
    "fori_loop": (lambda x: fn.fori_loop(0, 3, lambda i, y: fnp.sin(y) * (x + i), x), None),
    "while_loop": (while_sin, "while_loop"),
    "while_loop that starts fixed": (
        lambda x: fn.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[2], c[1] * x + 1), (0, X, X))[1:],
        "while_loop",
    ),
    "bounded while_loop": (lambda x: while_sin(x, max_steps=9, checkpoints=3), "bounded_while"),
    "cond": (lambda x: fn.cond(x.sum() > 0, lambda x: fnp.sin(x) * x, lambda x: X, x), "switch"),
    "switch": (
        lambda x: fn.switch(1, [lambda x: x, lambda x: fnp.exp(x) * x.sum(), lambda x: x * 0], x), "switch"
    ),
    "cond in lanes": (
        lambda x: fn.vmap(lambda r: fn.cond(r[0] > 0.5, lambda r: fnp.sin(r) * r, lambda r: r.sum() * r, r))(x),
        "switch_lanes",
    ),
    "cond in lanes of what is shared": (
        lambda x: fn.vmap(lambda p: fn.cond(p, lambda: fnp.sin(x) * x, lambda: x))(np.array([True, False])),
        "switch_lanes",
    ),
    "while_loop in lanes": (lambda x: fn.vmap(while_sin)(x), "while_loop"),
    "a custom rule": (lambda x: custom(x) * x, None),
    "custom_root": (lambda x: root(x * x + 1.0), None),
    "a linear solve": (conjugate, None),
    "gradient of a loop": (
        fn.grad(lambda x: while_sin(x, max_steps=9, checkpoints=2).sum()), "reversible"
    ),
    "gradient of a scan": (fn.grad(lambda x: fn.scan(body, x[0], x)[0].sum()), "scan"),
    "gradient of remat": (fn.grad(lambda x: fn.checkpoint(lambda x: fnp.exp(fnp.sin(x)))(x).sum()), "remat"),
    "what is captured": (lambda x: fn.cond(x[0, 0] > 0, lambda: x * X, lambda: fnp.sin(x)), "switch"),
    "lanes that talk": (
        lambda x: fn.vmap(lambda r: fnp.sin(r) * fn.psum(r * r, "rows"), axis_name="rows")(x), None
    ),
}  # fmt: skip


def nested(f: Callable[[Any], Any], x: Any, series: list[Any]) -> list[Any]:
    """The derivatives along a curve by nested `fn.jvp`, which has been compared with JAX's elsewhere."""
    g: Any = lambda t: f(x + sum(c * t**k / d for k, d, c in zip((1, 2, 3), (1, 2, 6), series)))
    found = []
    for _ in series:
        g = (lambda h: lambda t: fn.jvp(h, (t,), (1.0,))[1])(g)
        found.append(g(0.0))
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_series_and_laplacians(name: str) -> None:
    function = FUNCTIONS[name][0]
    f = lambda x: tuple(jax.tree.leaves(function(x)))

    def ours(x: Any, s: Any) -> Any:
        series = fn.jet(f, (x,), (s,))[1]
        return list(zip(*series)), fn.laplacian(f)(x), fn.laplacian(f, weight=X)(x)

    def reference(x: Any, s: Any) -> Any:
        basis = np.eye(X.size).reshape(-1, *X.shape)
        along = lambda v: fn.jvp(lambda y: fn.jvp(f, (y,), (v,))[1], (x,), (v,))[1]
        second = fn.vmap(along)(basis)
        weighted = [fnp.tensordot(X.reshape(-1), d, 1) for d in second]
        return nested(f, x, s), [d.sum(0) for d in second], weighted

    with jax.enable_x64(True):
        ours_, expected = fn.jit(lambda x, s: (ours(x, s), reference(x, s)))(X, SERIES)
    for got, wanted in zip(ours_, expected, strict=True):
        all_close(jax.tree.leaves(got), jax.tree.leaves(wanted), 1e-8, name)


def _count(program: Program, name: str) -> int:
    inside = sum(_count(p, name) for p in program.subprograms())
    return inside + sum(e.primitive.name == name for e in program.equations)


@pytest.mark.parametrize("name", [n for n, (_, kept) in FUNCTIONS.items() if kept])
def test_a_loop_stays_one_loop(name: str) -> None:
    f, kept = FUNCTIONS[name]
    assert kept is not None
    with jax.enable_x64(True):
        before = fn.trace(f)(X)
        series = fn.trace(lambda x, s: fn.jet(f, (x,), (s,)))(X, SERIES)
        summed = fn.trace(fn.laplacian(f))(X)
    if kept == "reversible":  # what reverse mode makes of a loop becomes one as soon as it moves
        assert _count(series, kept) > 0
        return
    assert _count(series, kept) == _count(before, kept) == _count(summed, kept)


def test_the_rules_of_a_custom_function_count() -> None:
    _, (first, second) = fn.jet(custom, (0.5,), ([1.0, 0.0],))
    assert float(first) == pytest.approx(2 * np.cos(0.5), rel=1e-6)
    # The derivative of 2 cos(x(t)) x'(t), in which cos is a function of its own.
    assert float(second) == pytest.approx(-2 * np.sin(0.5), rel=1e-6)
    assert float(fn.laplacian(custom)(0.5)) == pytest.approx(-2 * np.sin(0.5), rel=1e-6)


def test_a_rule_for_reverse_mode_alone_is_told_so() -> None:
    only_vjp = fn.custom(fnp.sin, vjp=(lambda x: (fnp.sin(x), x), lambda x, ct: (ct * fnp.cos(x),)))
    for derivative in (
        lambda: fn.jet(only_vjp, (1.0,), ([1.0],)),
        lambda: fn.laplacian(only_vjp)(1.0),
    ):
        with pytest.raises(fn.core.MissingRuleError, match="forward mode needs its jvp rule"):
            derivative()


EFFECTS: dict[str, Callable[[Callable[[Any], None], Any], Any]] = {
    "alone": lambda look, x: (look(x.sum()), fnp.sin(x))[1],
    "in a call": lambda look, x: fn.jit(lambda x: (look(x.sum()), fnp.sin(x))[1])(x),
    "in a loop": lambda look, x: fn.scan(lambda c, a: ((look(c), c * fnp.sin(a.sum()))[1], None), 1.0, x)[0],
    "in lanes": lambda look, x: fn.vmap(lambda r: (look(r.sum()), fnp.sin(r))[1])(x),
    "in tagged lanes": lambda look, x: fn.vmap(lambda r: (look(r.sum()), fn.tag(fnp.sin(r), "y"))[1])(x),
    "in a custom function": lambda look, x: fn.custom(
        lambda x: (look(x.sum()), fnp.sin(x))[1], jvp=lambda p, t: (fnp.sin(p[0]), fnp.cos(p[0]) * t[0])
    )(x),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_happen_once(name: str) -> None:
    seen: list[float] = []
    function = EFFECTS[name]

    def f(x: Any) -> Any:
        return function(lambda s: fn.debug.callback(lambda v: seen.append(float(v)), s), x)

    def count(run: Callable[[], Any]) -> int:
        seen.clear()
        jax.block_until_ready(run())
        jax.effects_barrier()
        return len(seen)

    x = X.astype("float32")
    expected = count(lambda: f(x))
    assert expected in (1, 2)
    assert count(lambda: fn.jet(f, (x,), ([x, None, None],))) == expected
    assert count(lambda: fn.jit(fn.laplacian(f))(x)) == expected


def test_tags_are_found_through_a_series() -> None:
    f = lambda x: fnp.exp(fn.tag(fnp.sin(x), "wave"))
    (_, series), found = fn.reap(lambda x: fn.jet(f, (x,), ([1.0, None],)))(0.5)
    assert float(found["wave"]) == pytest.approx(np.sin(0.5))
    assert float(series[0]) == pytest.approx(np.exp(np.sin(0.5)) * np.cos(0.5), rel=1e-6)
