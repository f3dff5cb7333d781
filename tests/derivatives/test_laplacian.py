"""Laplacians against the trace of JAX's Hessian: arguments, weights, results, and other transforms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from tests.ops.case import all_close

rng = np.random.RandomState(0)
N = 3
X = rng.uniform(0.3, 1.5, N)
A = rng.uniform(-1, 1, (N, N))
MATRIX = rng.uniform(-1, 1, (N, N))
FACTOR = rng.uniform(-1, 1, (N, 2))


def f(x: Any, np: Any) -> Any:
    return {"a": np.tanh(A @ x) * np.exp(x).sum(), "b": (np.sin(x[0] * x[2]), x @ A @ x)}


def ours(x: Any) -> Any:
    return f(x, fnp)


def theirs(x: Any) -> Any:
    return f(x, jnp)


def weighted(g: Callable[..., Any], x: Any, w: Any) -> Any:
    """The weighted sum of second derivatives, from the whole Hessian."""
    return jax.tree.map(lambda h: jnp.einsum("...ij,ij->...", h, w), jax.jacfwd(jax.jacfwd(g))(x))


def check(got: Any, expected: Any, rtol: float = 1e-10) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    all_close(jax.tree.leaves(got), jax.tree.leaves(expected), rtol)


# --- weights ----------------------------------------------------------------------------

WEIGHTS: dict[str, tuple[dict[str, Any], Any]] = {
    "none": ({}, np.eye(N)),
    "diagonal": ({"weight": np.array([0.5, -2.0, 0.0])}, np.diag([0.5, -2.0, 0.0])),
    "matrix": ({"weight": MATRIX}, MATRIX),
    "factor": ({"factor": FACTOR}, FACTOR @ FACTOR.T),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(name: str) -> None:
    options, w = WEIGHTS[name]
    with jax.enable_x64(True):
        lap = fn.laplacian(ours, with_jacobian=True, **options)
        value, jacobian, total = fn.jit(lap)(X)
        whole = jax.jit(lambda x: (weighted(theirs, x, w), theirs(x), jax.jacfwd(theirs)(x)))(X)
        check(total, whole[0])
        check(value, whole[1])
        directions = FACTOR if name == "factor" else np.eye(N)
        check(jacobian, jax.tree.map(lambda j: j @ directions, whole[2]))
        if name == "diagonal":
            check(fn.laplacian(ours, **options)(X), total, 1e-12)  # eagerly


def test_derivatives_pass_through_weights() -> None:
    def of_weight(w: Any) -> Any:
        return fn.laplacian(lambda x: fnp.sin(x).prod(), weight=w)(X)

    g = lambda w: weighted(lambda x: jnp.sin(x).prod(), X, w)
    with jax.enable_x64(True):
        check(fn.jit(fn.grad(of_weight))(MATRIX), jax.grad(g)(MATRIX))
        check(fn.jit(fn.grad(of_weight))(X), jax.grad(lambda w: g(jnp.diag(w)))(X))
        by_factor = fn.grad(lambda s: fn.laplacian(lambda x: fnp.sin(x).prod(), factor=s)(X))
        check(fn.jit(by_factor)(FACTOR), jax.grad(lambda s: g(s @ s.T))(FACTOR))


# --- arguments --------------------------------------------------------------------------


def test_several_arguments_and_trees() -> None:
    def g(np: Any) -> Callable[..., Any]:
        return lambda p, k, y: (np.tanh(p["w"] @ y) * p["n"]).sum() * p["b"] + k * (y * y).sum()

    def of(argnums: Any, **options: Any) -> Any:
        return lambda p: fn.laplacian(g(fnp), argnums, **options)(p, 3.0, X)

    matrix = rng.uniform(-1, 1, (10, 10))
    s = matrix[:, :2]
    tree = (s[:3], {"w": s[4:].reshape(2, 3, 2), "b": s[3], "n": None, "s": None})
    weights = 2 * np.ones(N), {"w": None, "b": -1.0, "n": None, "s": None}
    cases = {
        "tree": of(0),
        "last": of(2),
        "both": of((2, 0)),
        "sequence": of((-1,)),
        # None leaves a leaf out; weights come as the arguments do, whatever their order.
        "weighted": of((2, 0), weight=weights),
        "matrix": of((2, 0), weight=matrix, with_jacobian=True),
        "factor": of((2, 0), factor=s),
        "tree of factors": of((2, 0), factor=tree),
        "jacobian": of((2, 0), with_jacobian=True),
    }
    p = {"w": MATRIX[:2], "b": np.float64(0.7), "n": 2, "s": "tag"}
    with jax.enable_x64(True):
        got = {name: case(p) for name, case in cases.items() if name == "tree"}
        free = {k: v for k, v in p.items() if k != "s"}
        got |= fn.jit(lambda p: {n: c({**p, "s": "tag"}) for n, c in cases.items()})(free)
        plain = lambda w, b, y: g(jnp)({"w": w, "b": b, "n": 2}, 3.0, y)
        everything = (0, 1, 2)
        hessian, gradient = jax.jit(
            lambda *args: (
                jax.hessian(plain, everything)(*args),
                jax.grad(plain, everything)(*args),
            )
        )(p["w"], p["b"], X)
        # All second derivatives in the order of ravel: y, b, w.
        rows = [np.concatenate([np.reshape(hessian[i][j], (n, -1)) for j in (2, 1, 0)], 1)
                for i, n in ((2, N), (1, 1), (0, 6))]  # fmt: skip
    whole = np.concatenate(rows)
    y, b, w = np.trace(whole[:3, :3]), whole[3, 3], np.trace(whole[4:, 4:])
    expected = {
        "tree": w + b, "last": y, "both": w + b + y, "sequence": y, "weighted": 2 * y - b,
        "factor": (whole * (s @ s.T)).sum(), "tree of factors": (whole * (s @ s.T)).sum(),
    }  # fmt: skip
    for name, value in expected.items():
        assert float(got[name]) == pytest.approx(float(value)), name
    assert float(got["matrix"][2]) == pytest.approx(float((whole * matrix).sum()))
    for name in ("matrix", "jacobian"):  # the Jacobian by a matrix of weights is the whole one, too
        by_y, by_p = got[name][1]
        check([by_p["w"], by_p["b"], by_y], list(gradient))
        assert by_p["n"] is None and by_p["s"] is None


def test_results_without_a_derivative_or_dependence() -> None:
    def g(x: Any) -> Any:
        return {"y": x**3, "n": fnp.argmax(x), "c": fnp.ones(2), "s": "name", "x": x}

    x = np.array([1.0, 2.0], "float32")
    total = fn.laplacian(g)(x)
    assert total["n"] is None and total["s"] is None
    assert [total[k].tolist() for k in "ycx"] == [[6.0, 12.0], [0.0, 0.0], [0.0, 0.0]]
    value, jacobian, _ = fn.laplacian(g, with_jacobian=True)(x)
    assert value["s"] == "name" and int(value["n"]) == 1
    assert jacobian["n"] is None and jacobian["c"].tolist() == np.zeros((2, 2)).tolist()
    assert jacobian["y"].tolist() == np.diag([3.0, 12.0]).tolist()
    assert total["y"].dtype == np.float32


def test_aux_and_keyword_arguments() -> None:
    g = lambda x, *, scale: ((x**3).sum() * scale, {"seen": x, "label": "here"})
    total, aux = fn.laplacian(g, has_aux=True)(np.ones(2), scale=2.0)
    assert float(total) == 24.0 and aux["label"] == "here" and aux["seen"].shape == (2,)
    both = fn.laplacian(g, has_aux=True, with_jacobian=True)(np.ones(2), scale=2.0)
    assert [float(both[0]), both[1].tolist(), float(both[2])] == [4.0, [6.0, 6.0], 24.0]
    assert both[3]["label"] == "here"


def test_scalars_and_python_numbers() -> None:
    assert float(fn.laplacian(lambda x: x**4)(2.0)) == 48.0
    assert float(fn.laplacian(lambda x: x**4, weight=0.5)(2.0)) == 24.0
    assert fn.laplacian(lambda x: x[:0])(np.ones(2)).shape == (0,)
    assert (
        float(fn.laplacian(lambda x: x["a"] ** 2 + x["e"].sum())({"a": 1.0, "e": np.ones(0)}))
        == 2.0
    )


def test_complex_functions_of_real_arguments() -> None:
    # (Δ + k²) exp(i k·x) = 0.
    k = np.array([1.0, 2.0, -1.0])
    with jax.enable_x64(True):
        total = fn.jit(fn.laplacian(lambda x: fnp.exp(1j * (k * x).sum())))(X)
        np.testing.assert_allclose(total, -6.0 * np.exp(1j * k @ X), rtol=1e-12)
        size = fn.jit(fn.laplacian(lambda x: fnp.abs(fnp.exp((1j + 0.5) * (k * x).sum())) ** 2))(X)
        np.testing.assert_allclose(size, 6.0 * np.exp(k @ X), rtol=1e-12)


def test_half_precision_keeps_its_dtype() -> None:
    total = fn.laplacian(lambda x: (x**3).sum().astype("float32") + fnp.sin(x[0]))(
        np.ones(2, "float16")
    )
    assert total.dtype == np.float32
    np.testing.assert_allclose(float(total), 12 - np.sin(1), rtol=2e-3)


@pytest.mark.parametrize(
    ("options", "args", "words"),
    [
        ({}, (1,), "nothing to differentiate"),
        ({}, (np.ones(2, "complex64"),), "an argument is complex"),
        ({"weight": np.ones(3)}, (np.ones(2),), "weight does not fit"),
        ({"weight": np.ones((3, 3))}, (np.ones(2),), "weight does not fit"),
        ({"factor": np.ones((3, 1))}, (np.ones(2),), "factor does not fit"),
        ({"factor": {"a": 1}}, (np.ones(2),), "factor does not fit"),
        ({"argnums": 3}, (np.ones(2),), "argnums does not name"),
    ],
)
def test_misfits_are_named(options: dict[str, Any], args: Any, words: str) -> None:
    with pytest.raises(fn.core.ArgumentError, match=words):
        fn.laplacian(lambda x: x, **options)(*args)


def test_a_weight_and_a_factor_are_one_too_many() -> None:
    with pytest.raises(fn.core.ArgumentError, match="both weight and factor"):
        fn.laplacian(lambda x: x, weight=1.0, factor=1.0)
    with pytest.raises(fn.core.ArgumentError, match="not a function"):
        fn.laplacian(3.0)


# --- composition ------------------------------------------------------------------------


def scalar(x: Any, np: Any) -> Any:
    h = np.tanh(A @ x)
    return np.log(1 + h @ h) * np.exp(-x @ x / 2)


lap = fn.laplacian(lambda x: scalar(x, fnp))
ref = lambda x: jnp.trace(jax.hessian(lambda x: scalar(x, jnp))(x))
BATCH = np.stack([X, X[::-1], 0.5 * X])
STACKS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "grad": (fn.grad(lap), jax.grad(ref)),
    "jvp": (lambda x: fn.jvp(lap, (x,), (A[0],))[1], lambda x: jax.jvp(ref, (x,), (A[0],))[1]),
    "vmap": (lambda x: fn.vmap(lap)(BATCH * x), lambda x: jax.vmap(ref)(BATCH * x)),
    "of vmap": (
        lambda x: fn.laplacian(fn.vmap(lambda b: scalar(b * x, fnp)))(fnp.asarray(BATCH)),
        lambda x: jax.vmap(lambda b: jnp.trace(jax.hessian(lambda b: scalar(b * x, jnp))(b)))(BATCH),
    ),
    "of laplacian": (fn.laplacian(lap), lambda x: jnp.trace(jax.hessian(ref)(x))),
    "of grad": (
        fn.laplacian(fn.grad(lambda x: scalar(x, fnp))),
        jax.grad(ref),
    ),
    "of jet": (
        fn.laplacian(lambda x: fn.jet(lambda x: scalar(x, fnp), (x,), ([A[0], None],))[1][1]),
        lambda x: jnp.trace(
            jax.hessian(lambda x: A[0] @ jax.hessian(lambda x: scalar(x, jnp))(x) @ A[0])(x)
        ),
    ),
    "jet of": (
        lambda x: fn.jet(lap, (x,), ([A[0], A[1]],))[1][1],
        lambda x: A[0] @ jax.hessian(ref)(x) @ A[0] + jax.grad(ref)(x) @ A[1],
    ),
    "weights that depend on the point": (
        fn.grad(lambda x: fn.laplacian(lambda y: scalar(y, fnp), weight=fnp.outer(x, x))(x)),
        jax.grad(lambda x: jnp.sum(jax.hessian(lambda y: scalar(y, jnp))(x) * jnp.outer(x, x))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKS)
def test_it_composes(name: str) -> None:
    mine, reference = STACKS[name]
    with jax.enable_x64(True):
        check(fn.jit(mine)(X), jax.jit(reference)(X), 1e-9)


def test_no_hessian_is_formed() -> None:
    n = 40
    w = np.random.RandomState(1).randn(n, n) / n
    program = fn.trace(fn.laplacian(lambda x: fnp.tanh(w @ fnp.tanh(w @ x)).sum()))(np.ones(n))
    assert max(v.type.size for e in program.equations for v in e.outputs) <= n * n
    # Nothing is computed along directions on which a value does not depend.
    program = fn.trace(fn.laplacian(lambda p: fnp.tanh(w @ p["a"]).sum() + fnp.sin(p["b"])))(
        {"a": np.ones(n), "b": 1.0}
    )
    assert {
        v.type.shape for e in program.equations for v in e.outputs if e.primitive.name == "sin"
    } == {()}
