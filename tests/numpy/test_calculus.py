import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import BOOL, COMPLEX, V, X, Y, assert_same, check_gradient, check_table

W = numpy.array([0.3, -1.2, 2.0, 0.5, -0.7, 1.1], numpy.float32)
GRID = numpy.array([0.0, 1.0, 3.0, 4.0, 6.0, 9.0], numpy.float32)


def test_differences():
    check_table(
        {
            "diff": lambda m, x, w: [m.diff(x), m.diff(x, 2, 0), m.diff(w, prepend=0.0)],
            "append": lambda m, x, w: m.diff(x, append=x),
            "ediff1d": lambda m, x, w: m.ediff1d(x, to_begin=1.0, to_end=w[:2]),
            "gradient": lambda m, x, w: [m.gradient(x), m.gradient(w, 2.0), m.gradient(x, axis=1)],
            "uneven": lambda m, x, w: m.gradient(w, GRID),
            "order 2": lambda m, x, w: [
                m.gradient(w, GRID, edge_order=2),
                m.gradient(x, edge_order=2, axis=1),
            ],
            "unwrap": lambda m, x, w: [m.unwrap(w * 9), m.unwrap(x * 9, axis=0, period=2.0)],
            "discont": lambda m, x, w: m.unwrap(w * 5, discont=4.0),
            "trapezoid": lambda m, x, w: [
                m.trapezoid(x, dx=2.0, axis=0),
                m.trapezoid(w, GRID),
                m.trapezoid(x, x),
            ],
        },
        X,
        W,
    )
    assert_same(np.diff(BOOL), jnp.diff(BOOL))
    assert_same(np.unwrap(numpy.array([0, 3, 6, 1], "i4"), period=8), jnp.array([0, 3, 6, 9]))


def test_interp():
    check_table(
        {
            "plain": lambda m, x: m.interp(x * 5, GRID, W),
            "outside": lambda m, x: m.interp(x * 9, GRID, W, left=-1.0, right=7.0),
            "period": lambda m, x: m.interp(x * 9, GRID[::-1].copy(), W, period=10.0),
        },
        X,
    )
    assert_same(
        np.interp(X * 9, GRID, W, "extrapolate", "extrapolate"),
        jnp.interp(X * 9, GRID, W, "extrapolate", "extrapolate"),
        1e-4,
    )
    slope = fn.grad(lambda x: np.interp(x, GRID, W))(2.0)
    numpy.testing.assert_allclose(slope, (W[2] - W[1]) / 2, rtol=1e-5)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_products_of_shifted_arrays(mode):
    check_table(
        {
            name: lambda m, w, v, name=name: [
                getattr(m, name)(w, v, mode), getattr(m, name)(v, w, mode), getattr(m, name)(w, v[:1], mode),
            ]
            for name in ("convolve", "correlate")
        },
        W, V,
    )  # fmt: skip
    z = numpy.asarray(COMPLEX)
    numpy.testing.assert_allclose(
        np.correlate(z, z[:2], mode), numpy.correlate(z, z[:2], mode), rtol=1e-4
    )


def test_gradients():
    check_gradient(lambda m, x, y: m.convolve(x[0], y[0]) + m.unwrap(x)[0, 0], X, Y)
    check_gradient(lambda m, x: m.gradient(x, axis=0) * m.diff(x, axis=1, prepend=1.0), X)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.diff(X, -1), "diff: n is negative"),
        (lambda: np.diff(np.array(1.0)), "diff: a scalar has no neighbours"),
        (lambda: np.gradient(V[:1]), "gradient: too few samples"),
        (lambda: np.gradient(X, 1.0, 2.0, 3.0), "gradient: the distances do not fit"),
        (lambda: np.interp(X, GRID, V), "interp: the samples do not fit"),
        (lambda: np.interp(X, GRID, W, "more"), "interp: unknown word"),
        (lambda: np.convolve(X, V), "convolve: the arrays do not fit"),
        (lambda: np.convolve(V, V, "some"), "convolve: unknown mode"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
