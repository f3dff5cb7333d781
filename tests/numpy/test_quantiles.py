import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from fn.numpy._quantiles import METHODS
from tests.numpy.compare import COMPLEX, CUBE, INT, V, X, assert_same, check_gradient, check_table

HOLES = numpy.where(numpy.eye(3, 4) > 0, numpy.nan, numpy.asarray(X))
Q = numpy.array([0.0, 0.2, 0.45, 0.9, 1.0], numpy.float32)


def test_every_method_of_numpy():
    methods = [
        m for m in METHODS if m != "nearest"
    ]  # at ties NumPy takes the even one, JAX the lower
    check_table(
        {method: lambda m, x, method=method: m.quantile(x, Q, method=method) for method in methods}, X
    )  # fmt: skip
    assert_same(np.quantile(X, Q, method="nearest"), jnp.quantile(X, Q, method="nearest"))


def test_axes():
    check_table(
        {
            "axis": lambda m, x: m.quantile(x, Q, axis=1, keepdims=True),
            "axes": lambda m, x: m.percentile(x, 30.0, axis=(0, 2)),
            "several": lambda m, x: m.percentile(x, 100 * Q, axis=(0, 2), keepdims=True),
            "median": lambda m, x: [m.median(x), m.median(x, 1), m.median(x, (0, 1), keepdims=True)],
        },
        CUBE,
    )  # fmt: skip
    assert float(np.median(INT)) == numpy.median(numpy.asarray(INT))


def test_without_nan():
    check_table(
        {
            "quantile": lambda m, x: m.nanquantile(x, Q, axis=0),
            "percentile": lambda m, x: m.nanpercentile(x, 25.0, axis=1, keepdims=True),
            "median": lambda m, x: [m.nanmedian(x), m.nanmedian(x, 0)],
            "nan": lambda m, x: m.median(x, 1),
        },
        HOLES[:2],
    )
    assert numpy.isnan(np.nanmedian(numpy.full(3, numpy.nan, numpy.float32)))


def test_weights():
    weights = abs(numpy.asarray(X)) + 0.1
    for q in (0.3, Q):
        got = np.quantile(X, q, axis=1, method="inverted_cdf", weights=weights)
        expected = numpy.quantile(
            numpy.asarray(X), q, axis=1, method="inverted_cdf", weights=weights
        )
        numpy.testing.assert_allclose(got, expected, rtol=1e-5)


def test_gradients():
    check_gradient(lambda m, x: m.quantile(x, 0.3, axis=1) + m.median(x), X)


def test_infinities_stay():
    x = numpy.array([-numpy.inf, 1.0, numpy.inf, numpy.inf], numpy.float32)
    assert numpy.isposinf(np.quantile(x, 0.9)) and numpy.isneginf(np.quantile(x, 0.0))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.quantile(X, 0.5, method="middle"), "quantile: unknown method"),
        (lambda: np.median(COMPLEX), "median: complex numbers have no order"),
        (lambda: np.quantile(X, X), "quantile: q has several axes"),
        (lambda: np.quantile(V[:0], 0.5), "quantile: nothing to sort"),
        (lambda: np.quantile(V, 0.5, weights=V), "quantile: weights go with one method"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
