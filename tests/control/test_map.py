"""`map` and `associative_scan`, against loops and JAX."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.core import ArgumentError, TreeError, TypeRuleError
from tests.control.compare import agree, close
from tests.programs import names

X = np.linspace(-1, 2, 7).astype(np.float32)


@pytest.mark.parametrize("batch_size", [None, 1, 3, 7, 20])
def test_map(batch_size) -> None:
    def f(x):
        return {"y": fnp.sin(x["a"]) * x["b"][0], "label": "s"}

    xs = {"a": X, "b": np.stack([X, X], 1)}
    out = fn.map(f, xs, batch_size=batch_size)
    close(out["y"], np.sin(X) * X)
    assert out["label"] == "s"
    grad = fn.grad(lambda x: fn.map(lambda x: fnp.sin(x) * x, x, batch_size=batch_size).sum())(X)
    close(grad, np.sin(X) + X * np.cos(X))


def test_map_everything() -> None:
    def write(lib, np_):
        def f(w, x):
            if lib is fn:
                return (fn.map(lambda x: np_.tanh(x * w), x, batch_size=3) * x).sum()
            return (jax.lax.map(lambda x: np_.tanh(x * w), x, batch_size=3) * x).sum()

        return f

    agree(write, (np.float32(0.6), X), (0, 1))


def test_map_loops() -> None:
    program = fn.trace(lambda x: fn.map(fnp.sin, x, batch_size=3))(X)
    assert names(program).count("scan") == 1
    assert fn.map(lambda x: x + 1, np.ones((0, 2), np.float32), batch_size=3).shape == (0, 2)
    with pytest.raises(ArgumentError, match="map: batch_size is not a number of entries"):
        fn.map(fnp.sin, X, batch_size=0)
    with pytest.raises(ArgumentError, match="`xs/0`: 7; `xs/1`: 6"):
        fn.map(lambda x: x, (X, X[1:]), batch_size=2)


def recurrence(p, q):
    return p[0] * q[0], q[0] * p[1] + q[1]


@pytest.mark.parametrize("n", [1, 2, 3, 6, 9])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan(n, reverse) -> None:
    elems = np.random.RandomState(n).randn(2, n).astype(np.float32), np.ones((3, n), np.float32)[:2]
    ours = fn.jit(lambda *e: fn.associative_scan(recurrence, e, reverse=reverse, axis=-1))(*elems)
    close(ours, jax.lax.associative_scan(recurrence, elems, reverse=reverse, axis=1))


def test_associative_scan_everything() -> None:
    def write(lib, np_):
        scan = lib.associative_scan if lib is fn else lib.lax.associative_scan

        def f(a, b):
            x, y = scan(recurrence, (a, b))
            return (np_.sin(x) * y).sum()

        return f

    agree(write, (X, X[::-1].copy()), (0, 1))


def test_associative_scan_of_booleans_and_its_depth() -> None:
    out = fn.associative_scan(fnp.logical_or, np.array([False, True, False]))
    assert out.tolist() == [False, True, True]
    program = fn.trace(lambda x: fn.associative_scan(fnp.add, x))(np.ones(64, np.float32))
    assert names(program).count("add") == 11
    close(jnp.cumsum(X), fn.associative_scan(fnp.add, X))


def test_associative_scan_refuses() -> None:
    with pytest.raises(ArgumentError, match="sizes along axis 0 differ") as caught:
        fn.associative_scan(recurrence, (X, X[1:]))
    assert "`elems/0`: 7; `elems/1`: 6" in str(caught.value)
    with pytest.raises(ArgumentError, match="`elems` has no axis 1"):
        fn.associative_scan(fnp.add, X, axis=1)
    with pytest.raises(TreeError, match="another structure than it takes"):
        fn.associative_scan(lambda a, b: (a, b), X)
    with pytest.raises(TypeRuleError, match="`elems` changes its type in `<lambda>`") as caught:
        fn.associative_scan(lambda a, b: (a + b).sum(), X)
    assert "f32[3]" in str(caught.value)
