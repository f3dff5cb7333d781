"""Taylor mode: its calling convention, its composition with other transforms, and random programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.experimental.jet import jet as jax_jet

import fn
import fn.numpy as fnp
from tests.ops.case import all_close

X = np.array([0.3, 0.7, 1.2])
SERIES = [np.array([1.0, 0.5, -0.2]), np.array([0.3, 0.1, 0.9]), np.array([0.2, -0.4, 0.4])]


def nested(f: Callable[..., Any], x: Any, series: list[Any]) -> list[Any]:
    """The derivatives of `f(x(t))` by nested `jax.jvp`."""

    def curve(t: Any) -> Any:
        powers = [t, t**2 / 2, t**3 / 6, t**4 / 24]
        return f(x + sum(c * p for c, p in zip(series, powers)))

    g, found = curve, []
    for _ in series:
        g = (lambda h: lambda t: jax.jvp(h, (t,), (1.0,))[1])(g)
        found.append(g(0.0))
    return found


def check(ours: Callable[..., Any], theirs: Callable[..., Any] | None = None) -> None:
    theirs = theirs or ours
    with jax.enable_x64(True):
        value, series = fn.jit(lambda x, s: fn.jet(ours, (x,), (s,)))(X, SERIES)
        expected = jax.jit(lambda x, s: (theirs(x), nested(theirs, x, s)))(X, SERIES)
        all_close((value, *series), (expected[0], *expected[1]), 1e-10)


# --- calling convention -----------------------------------------------------------------


@pytest.mark.parametrize("scaled", [True, False])
def test_it_is_called_as_in_jax(scaled: bool) -> None:
    def f(np: Any) -> Callable[..., Any]:
        return lambda x, y: (np.sin(x) * y, np.exp(y))

    args = (X, X[::-1].copy()), (SERIES, SERIES[::-1])
    with jax.enable_x64(True):
        ours = fn.jet(f(fnp), *args, factorial_scaled=scaled)
        theirs = jax_jet(f(jnp), *args, factorial_scaled=scaled)
        assert jax.tree.structure(ours) == jax.tree.structure(theirs)
        # JAX computes factorials by exp(lgamma), in single precision.
        all_close(jax.tree.leaves(ours), jax.tree.leaves(theirs), 1e-6)


def test_pytrees_zeros_and_leaves_without_a_derivative() -> None:
    def f(p: Any, scale: Any) -> Any:
        return {"y": fnp.sin(p["x"]) * p["n"] * scale, "n": p["n"] + 1, "name": p["name"]}

    p = {"x": X.astype("float32"), "n": 2, "name": "layer"}
    s = SERIES[0].astype("float32")
    value, series = fn.jet(f, (p, 3.0), ({"x": [s, None], "n": None, "name": None}, None))
    assert value["name"] == "layer" and int(value["n"]) == 3
    assert series["name"] is None and series["n"] is None and len(series["y"]) == 2
    np.testing.assert_allclose(series["y"][0], 6 * np.cos(X) * s, rtol=1e-6)
    np.testing.assert_allclose(series["y"][1], -6 * np.sin(X) * s**2, rtol=1e-6)


def test_the_series_of_a_result_is_that_of_the_next_argument() -> None:
    def f(x: Any) -> Any:
        return {"a": fnp.sin(x), "b": (x * x, 1)}

    def g(t: Any) -> Any:
        return t["a"] * t["b"][0]

    with jax.enable_x64(True):
        inner = fn.jet(f, (X,), (SERIES,))
        chained = fn.jet(g, (inner[0],), (inner[1],))
        whole = fn.jet(lambda x: g(f(x)), (X,), (SERIES,))
        all_close(jax.tree.leaves(chained), jax.tree.leaves(whole), 1e-12)


def test_zero_coefficients_stay_symbolic() -> None:
    line = fn.trace(lambda x, v: fn.jet(lambda x: fnp.sin(x) + x, (x,), ([v, None, None],))[1])
    curve = fn.trace(lambda x, v: fn.jet(lambda x: fnp.sin(x) + x, (x,), ([v, v, v],))[1])
    assert len(line(X, X).equations) < len(curve(X, X).equations)
    # What does not depend on the argument is not touched.
    program = fn.trace(lambda x: fn.jet(lambda x: fnp.exp(X).sum() + x, (x,), ([1.0] * 3,)))(1.0)
    assert [e.primitive.name for e in program.equations].count("exp") == 1
    # A function that does not move gives zeros.
    _, series = fn.jet(lambda x: fnp.ones(2), (1.0,), ([1.0, 1.0],))
    assert [s.tolist() for s in series] == [[0.0, 0.0]] * 2
    assert fn.jet(fnp.sin, (1.0,), ([],))[1] == []


def test_python_control_flow_sees_values() -> None:
    f = lambda x: fnp.sin(x) if x > 0 else x
    assert float(fn.jet(f, (1.0,), ([1.0, None],))[1][1]) == pytest.approx(-np.sin(1))
    assert float(fn.jet(f, (-1.0,), ([1.0, None],))[1][1]) == 0.0


@pytest.mark.parametrize(
    ("primals", "series", "kind", "words"),
    [
        (1.0, ([1.0],), fn.core.ArgumentError, "primals is not a tuple"),
        ((1.0,), 1.0, fn.core.ArgumentError, "series is not a tuple"),
        ((1.0,), ([1.0], [1.0]), fn.core.TreeError, "different lengths"),
        ((1.0,), (1.0,), fn.core.ArgumentError, "`primals/0` is not a list"),
        ((1.0, 2.0), ([1.0], [1.0, 2.0]), fn.core.ArgumentError, "series differ in length"),
        ((1.0,), (None,), fn.core.ArgumentError, "order of the series is unknown"),
        ((1.0,), ([np.ones(3)],), fn.core.ArgumentError, "wrong derivative for `primals/0`"),
        (({"a": 1.0},), ([1.0],), fn.core.TreeError, "argument 0 does not have the structure"),
    ],
)
def test_misfits_are_named(primals: Any, series: Any, kind: type, words: str) -> None:
    with pytest.raises(kind, match=words):
        fn.jet(lambda *a: a, primals, series)


def test_a_primitive_without_a_derivative_says_why() -> None:
    with pytest.raises(fn.core.MissingRuleError, match="geqrf has no jvp rule"):
        fn.jet(lambda x: fn.ops.geqrf(x)[0], (np.eye(2),), ([np.eye(2), None],))


# --- every kind of rule -----------------------------------------------------------------

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    name: (lambda x, f=f: f(x, fnp), lambda x, f=f: f(x, jnp))
    for name, f in {
        "piecewise linear": lambda x, np: np.maximum(x, 0.5) * np.abs(x - 1) + np.clip(x, 0.4, 1),
        "order": lambda x, np: np.sort(-x * x) * x[np.argsort(x)],
        "softmax": lambda x, np: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
        "gather and scatter": lambda x, np: np.zeros(4).at[np.array([0, 2, 2])].add(np.sin(x)[np.array([2, 0, 0])]),
        "solve": lambda x, np: np.linalg.solve(3 * np.eye(3) + x[:, None] * x, np.sin(x)),
        "cholesky": lambda x, np: np.linalg.cholesky(3 * np.eye(3) + x[:, None] * x),
        "determinant": lambda x, np: np.linalg.slogdet(np.eye(3) + x[:, None] * np.sin(x))[1],
        "product": lambda x, np: np.prod(np.sin(x)) + np.cumprod(x),
        "powers": lambda x, np: x**x + x**2.5 + np.arctan2(x, x * x),
        "fft": lambda x, np: np.abs(np.fft.fft(np.exp(x))),
        "kinked and joined": lambda x, np: np.concatenate([np.where(x > 0.5, x * x, x), x[::-1]]),
    }.items()
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    check(*FUNCTIONS[name])


# --- composition ------------------------------------------------------------------------


def f(x: Any, np: Any) -> Any:
    return (np.tanh(x) * np.exp(x)).sum() / (1 + x @ x)


def third(jet_or_nested: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: jet_or_nested(x, [SERIES[0], SERIES[1], SERIES[2]])[2]


ours = third(lambda x, s: fn.jet(lambda x: f(x, fnp), (x,), (s,))[1])
theirs = third(lambda x, s: nested(lambda x: f(x, jnp), x, s))
STACKS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "grad": (fn.grad(ours), jax.grad(theirs)),
    "jvp": (
        lambda x: fn.jvp(ours, (x,), (SERIES[1],))[1],
        lambda x: jax.jvp(theirs, (x,), (SERIES[1],))[1],
    ),
    "vmap": (
        lambda x: fn.vmap(ours)(fnp.stack([x, x * 0.5])),
        lambda x: jax.vmap(theirs)(jnp.stack([x, x * 0.5])),
    ),
    "of grad": (
        lambda x: fn.jet(fn.grad(lambda x: f(x, fnp)), (x,), (SERIES,))[1][2],
        lambda x: nested(jax.grad(lambda x: f(x, jnp)), x, SERIES)[2],
    ),
    "of vmap": (
        lambda x: fn.jet(fn.vmap(lambda y: f(y * x, fnp)), (X * np.eye(3),), ([np.eye(3)] * 3,))[1][2],
        lambda x: nested(jax.vmap(lambda y: f(y * x, jnp)), X * np.eye(3), [np.eye(3)] * 3)[2],
    ),
    "of jet": (
        lambda x: fn.jet(ours, (x,), (SERIES[:2],))[1][1],
        lambda x: nested(theirs, x, SERIES[:2])[1],
    ),
    "over coefficients": (
        lambda x: fn.vmap(lambda s: fn.jet(lambda x: f(x, fnp), (X,), ([s, None, x],))[1][2])(np.eye(3)),
        lambda x: jnp.stack([nested(lambda x: f(x, jnp), X, [s, 0 * s, x])[2] for s in np.eye(3)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKS)
def test_it_composes(name: str) -> None:
    ours, theirs = STACKS[name]
    with jax.enable_x64(True):
        all_close(fn.jit(ours)(X), jax.jit(theirs)(X), 1e-9)
        if name in ("grad", "of grad"):  # eagerly as well, op by op
            all_close(ours(X), jax.jit(theirs)(X), 1e-9)


# --- random programs --------------------------------------------------------------------

W = np.linspace(-1, 1, 9).reshape(3, 3)
STEPS: list[Callable[[Any, Any, Any], Any]] = [
    lambda x, y, np: np.sin(x) + y,
    lambda x, y, np: x * y,
    lambda x, y, np: np.exp(-x * x),
    lambda x, y, np: x / (2 + y * y),
    lambda x, y, np: np.tanh(x @ W),
    lambda x, y, np: np.sqrt(1 + x * x) - y,
    lambda x, y, np: np.log(2 + np.cos(x)),
    lambda x, y, np: np.maximum(x, y * 0.9),
    lambda x, y, np: np.where(x > y, x, y * y),
    lambda x, y, np: np.cumsum(x) * x.mean(),
    lambda x, y, np: (x[:, None] * y).sum(0) ** 2,
    lambda x, y, np: np.arctan(x) + x[::-1],
]


@settings(max_examples=6)
@given(st.lists(st.sampled_from(range(len(STEPS))), min_size=2, max_size=5))
def test_random_compositions(steps: list[int]) -> None:
    def program(x: Any, np: Any) -> Any:
        before, now = x, x
        for step in steps:
            before, now = now, STEPS[step](now, before, np)
        return now

    check(lambda x: program(x, fnp), lambda x: program(x, jnp))
