"""Slopes without known zeros: what runs along is kept, and everything comes out as if it were dense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fn
import fn.numpy as fnp
from fn.core import Program
from fn.derivatives._slopes import Kept, Slope, _reshaped, dense, expand, meet, own
from tests.ops.case import all_close

N, D = 4, 3
X = np.random.RandomState(0).uniform(0.2, 1.5, (N, D))
W = np.linspace(-1, 1, D * D).reshape(D, D)


def largest(program: Program) -> int:
    inside = [largest(p) for p in program.subprograms()]
    return max([v.type.size for e in program.equations for v in e.outputs] + inside, default=0)


def test_expanding_puts_zeros_where_entries_are_not_their_own() -> None:
    data = np.arange(1.0, 7.0, dtype="float32").reshape(1, 2, 3)  # each entry by itself
    expanded = lambda before, after: fn.jit(lambda d: expand(Slope(before, d), after))
    both, first, none = own((2, 3)), ((2, 0), (3, None)), dense(6)
    np.testing.assert_array_equal(expanded(both, both)(data), data)
    full = np.asarray(expanded(both, none)(data))
    assert full.shape == (6, 2, 3)
    np.testing.assert_array_equal(full.reshape(6, 6), np.diag(data.reshape(-1)))
    rows = np.asarray(expanded(both, first)(data))
    assert rows.shape == (3, 2, 3)
    for column in range(3):
        np.testing.assert_array_equal(rows[column], data[0] * (np.arange(3) == column))
    # From a slope that has directions already.
    np.testing.assert_array_equal(expanded(first, none)(rows), full)


def test_what_both_keep() -> None:
    assert own((4, 1, 3)) == ((4, 0), (3, 2))
    assert meet(((4, 0), (3, 1), (2, None)), ((4, 0), (3, 2), (2, None))) == ((4, 0), (6, None))
    assert meet(((12, None),), ((4, 0), (3, 1))) == ((12, None),)
    assert meet(((2, None), (3, 1)), ((2, 0), (3, 1))) == ((2, None), (3, 1))


@pytest.mark.parametrize(
    ("before", "shape", "out", "stays", "after"),
    [
        (((12, 0),), (12,), (4, 3), ((12, 0),), ((4, 0), (3, 1))),  # split
        (((4, 0), (3, 1)), (4, 3), (12,), ((4, 0), (3, 1)), ((12, 0),)),  # joined in order
        (((3, 1), (4, 0)), (4, 3), (12,), ((12, None),), ((12, None),)),  # joined out of order
        (((4, 0), (3, 1)), (4, 3), (2, 6), ((4, 0), (3, 1)), ((2, 0), (6, 1))),
        (
            ((4, 0), (3, None)),
            (4, 5),
            (2, 2, 1, 5),
            ((4, 0), (3, None)),
            ((2, 0), (2, 1), (3, None)),
        ),
        (
            ((4, 0), (3, None)),
            (4, 5),
            (20,),
            ((12, None),),
            ((12, None),),
        ),  # joined with what mixes
        (((4, 1), (3, 2)), (1, 4, 3, 1), (4, 1, 3), ((4, 1), (3, 2)), ((4, 0), (3, 2))),
    ],
)
def test_reshapes(before: Kept, shape: Any, out: Any, stays: Kept, after: Kept) -> None:
    assert _reshaped(before, shape, out) == (stays, after)


# Functions of the rows of a (4, 3) array; `mixes` says whether the columns meet.
ALONG: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "entries": (lambda x, np: np.sin(x) * x, False),
    "scalars beside": (lambda x, np: np.exp(x * 2.0) / np.sqrt(2.0), False),
    "constants beside": (lambda x, np: np.sin(x) * np.asarray(X) + x, False),
    "transpose": (lambda x, np: np.cos(x.T), False),
    "reshape": (lambda x, np: np.cos(x.reshape(2, 2, D)).reshape(N, 1, D), False),
    "flatten": (lambda x, np: np.cos(x.reshape(-1)), False),
    "flatten and split": (lambda x, np: np.cos(x.reshape(-1) ** 2).reshape(2, 6), False),
    "broadcast": (lambda x, np: np.broadcast_to(x[:, None] ** 2, (N, 5, D)), False),
    "dense layer": (lambda x, np: np.tanh(x @ W), True),
    "dense layer from the left": (lambda x, np: np.tanh(W @ x.T), True),
    "norm": (lambda x, np: np.sqrt((x * x).sum(1)), True),
    "softmax": (lambda x, np: np.exp(x - x.max(1, keepdims=True)) / np.exp(x).sum(1, keepdims=True), True),
    "product over columns": (lambda x, np: np.prod(x, 1) + np.cumsum(x * x, 1).sum(1), True),
    "columns": (lambda x, np: x[:, 0] * np.sin(x[:, 1]), True),
    "concatenate columns": (lambda x, np: np.concatenate([x * x, np.sin(x)], 1), True),
    "pad columns": (lambda x, np: np.pad(x * x, ((0, 0), (1, 0))), True),
    "sort columns": (lambda x, np: np.sort(x * x, 1), True),
    "flip columns": (lambda x, np: (x * x)[:, ::-1] * x, True),
    "gram of each row": (lambda x, np: np.einsum("ni,nj->nij", x, x), True),
    "select": (lambda x, np: np.where(x > 0.8, x * x, np.sin(x)), False),
}  # fmt: skip


@pytest.mark.parametrize("name", ALONG)
def test_rows_are_differentiated_along_their_own_entries_only(name: str) -> None:
    f, mixes = ALONG[name]
    with jax.enable_x64(True):
        ours = fn.laplacian(lambda x: f(x, fnp), with_jacobian=True)
        got = fn.jit(lambda x: (ours(x), fn.laplacian(lambda x: f(x, fnp), weight=X)(x)))(X)
        g = lambda x: f(x, jnp)
        hessian, jacobian = jax.jit(lambda x: (jax.jacfwd(jax.jacfwd(g))(x), jax.jacfwd(g)(x)))(X)
        expected = (
            (f(X, np), jacobian, np.einsum("...ijij->...", hessian)),
            np.einsum("...ijij,ij->...", hessian, X),
        )
        all_close(jax.tree.leaves(got), jax.tree.leaves(expected), 1e-9, name)
        program = fn.trace(fn.laplacian(lambda x: f(x, fnp)))(X)
    plain = max(largest(fn.trace(lambda x: f(x, fnp))(X)), X.size)
    assert largest(program) <= plain * (2 * D if mixes else 1), name


def test_particles_are_dense_only_once_they_meet() -> None:
    def features(x: Any) -> Any:
        return fnp.tanh(fnp.tanh(x @ W) @ W)

    def wave(x: Any) -> Any:
        h = features(x)
        return (h @ h.T).sum()

    program = fn.trace(fn.laplacian(wave))(X)
    sizes = [
        e.outputs[0].type.size
        for e in program.equations
        if e.primitive.name in ("tanh", "dot_general")
    ]
    # Directions times features of all particles, before they meet: not N times as many.
    assert max(sizes[:6]) == D * N * D


def test_scan_keeps_what_runs_along_the_other_axes() -> None:
    program = fn.trace(
        fn.laplacian(lambda x: fn.scan(lambda c, a: (fnp.sin(c * a), c), fnp.ones(N), x.T)[0])
    )(X)
    # Each particle has D directions, over all steps, and not N D.
    assert largest(program) <= D * D * N


MIXED: list[Callable[[Any, Any], Any]] = [
    lambda x, np: np.sin(x) + x,
    lambda x, np: x.T,
    lambda x, np: x * x.sum(),
    lambda x, np: x * x.mean(0),
    lambda x, np: x * x.max(1, keepdims=True),
    lambda x, np: x[::-1] * x,
    lambda x, np: np.tanh(x @ (x.T @ x)),
    lambda x, np: np.concatenate([x[1:] ** 2, x[:1]], 0),
    lambda x, np: np.concatenate([x, x * x], 1)[:, 1 : 1 + x.shape[1]],
    lambda x, np: (x.reshape(-1) ** 2).reshape(x.shape),
    lambda x, np: x.reshape(x.shape[1], x.shape[0]),
    lambda x, np: np.sqrt(((x[:, None] - 2 * x[None]) ** 2).sum(2)) @ x,
    lambda x, np: np.where(x > 0.5, np.exp(-x), x * x),
    lambda x, np: np.sort(x, 0) * np.cumsum(x, 1),
]


@settings(max_examples=6)
@given(st.lists(st.sampled_from(range(len(MIXED))), min_size=2, max_size=4))
def test_random_compositions(steps: list[int]) -> None:
    def program(x: Any, np: Any) -> Any:
        for step in steps:
            x = MIXED[step](x, np)
        return x

    with jax.enable_x64(True):
        got = fn.jit(fn.laplacian(lambda x: program(x, fnp), with_jacobian=True))(X)
        g = lambda x: program(x, jnp)
        hessian, jacobian = jax.jit(lambda x: (jax.jacfwd(jax.jacfwd(g))(x), jax.jacfwd(g)(x)))(X)
        expected = (g(X), jacobian, np.einsum("...ijij->...", hessian))
        all_close(got, expected, 1e-8, str(steps))
