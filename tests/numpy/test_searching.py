import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import BOOL, INT, X, assert_same

MASK = numpy.asarray(INT) > 2


def test_positions():
    for got, expected in zip(np.nonzero(INT), numpy.nonzero(numpy.asarray(INT)), strict=True):
        numpy.testing.assert_array_equal(got, expected)
    numpy.testing.assert_array_equal(np.argwhere(MASK), numpy.argwhere(MASK))
    numpy.testing.assert_array_equal(np.flatnonzero(MASK), numpy.flatnonzero(MASK))
    assert np.argwhere(numpy.array(3)).shape == (1, 0)
    assert np.argwhere(numpy.array(0)).shape == (0, 0)
    assert [a.shape for a in np.where(MASK)] == [a.shape for a in numpy.where(MASK)]
    assert np.nonzero(numpy.zeros((0, 3)))[0].shape == (0,)


@pytest.mark.parametrize("size", [0, 2, 20])
def test_positions_of_a_size(size):
    def positions(m, x):
        return (
            m.nonzero(x, size=size, fill_value=(7, 8)), m.where(x, size=size),
            m.argwhere(x, size=size, fill_value=-1), m.flatnonzero(x, size=size, fill_value=-1),
        )  # fmt: skip

    assert_same(fn.jit(lambda x: positions(np, x))(MASK), positions(jnp, jnp.asarray(MASK)))


def test_compress_and_extract():
    keep = numpy.array([True, False, True])
    numpy.testing.assert_array_equal(np.compress(keep, X, 0), numpy.compress(keep, X, 0))
    numpy.testing.assert_array_equal(np.compress(keep, X), numpy.compress(keep, X))
    numpy.testing.assert_array_equal(np.extract(MASK, X), numpy.extract(MASK, X))
    got = fn.jit(lambda k, x: np.compress(k, x, 1, size=3, fill_value=9))(keep, X)
    assert_same(got, jnp.compress(jnp.asarray(keep), X, 1, size=3, fill_value=9))
    assert_same(fn.jit(lambda x: x.compress(keep, 0, size=2))(X), X[jnp.array([0, 2])])


def test_a_derivative_through_a_choice():
    grad = fn.jit(fn.grad(lambda x: np.sum(np.extract(MASK, x * x, size=4))))(X)
    numpy.testing.assert_allclose(grad, numpy.where(MASK, 2 * numpy.asarray(X), 0), rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (fn.jit(np.nonzero), r"nonzero: the shape of the result depends on values(.|\n)*size=n"),
        (fn.jit(np.where), r"nonzero: the shape of the result depends on values(.|\n)*size=n"),
        (lambda x: np.nonzero(x[0, 0]), r"nonzero: a scalar has no positions(.|\n)*atleast_1d"),
        (lambda x: np.where(x > 0, x), "where: one of two values is missing"),
        (lambda x: np.compress(x, x), "compress: the condition has not one axis"),
        (lambda x: np.compress(numpy.ones(9, bool), x, 0), "compress: the condition is longer"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function(INT)


def test_masks():
    assert np.nonzero(BOOL)[0].shape == (6,)
