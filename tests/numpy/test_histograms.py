import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import INT, X, Y, assert_same, check_table

EDGES = numpy.array([-2.0, -0.5, 0.0, 0.4, 3.0], numpy.float32)


def test_histograms():
    def histogram(m, *args, **kwargs):
        counts, *edges = m.histogram(*args, **kwargs)
        return [counts * 1.0, *edges]

    check_table(
        {
            "bins": lambda m, x, y: histogram(m, x, 5),
            "range": lambda m, x, y: histogram(m, x, 4, (-1.0, 1.0)),
            "edges": lambda m, x, y: histogram(m, x, EDGES),
            "weights": lambda m, x, y: histogram(m, x, 3, weights=y),
            "density": lambda m, x, y: histogram(m, x, EDGES, density=True),
            "edges of": lambda m, x, y: m.histogram_bin_edges(x * 0 + 1, 3),
            "two": lambda m, x, y: m.histogram2d(x[0], y[0], [2, 3], density=True),
            "many": lambda m, x, y: m.histogramdd(x, 2, density=True),
            "digitize": lambda m, x, y: [
                m.digitize(x, EDGES), m.digitize(x, EDGES[::-1].copy(), right=True),
            ],
        },
        X, Y,
    )  # fmt: skip


def test_bincount():
    x = abs(numpy.asarray(INT)).ravel()
    numpy.testing.assert_array_equal(np.bincount(x, minlength=12), numpy.bincount(x, minlength=12))
    weights = numpy.arange(12, dtype=numpy.float32)
    got = fn.jit(lambda x, w: np.bincount(x, w, length=4))(x, weights)
    assert_same(got, jnp.bincount(x, weights, length=4))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: fn.jit(np.bincount)(INT[0]), r"bincount: the shape(.|\n)*length=n"),
        (lambda: np.bincount(X), "bincount: not integers of one axis"),
        (lambda: np.histogram(X, "auto"), "histogram_bin_edges: bins are not chosen by rule"),
        (lambda: np.histogram(X, weights=X[0]), "histogram: the weights do not fit"),
        (lambda: np.histogramdd(X, [2, 2]), "histogramdd: bins or ranges do not fit"),
        (lambda: np.digitize(X, X), "digitize: not one axis of bins"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
