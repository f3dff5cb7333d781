import jax.numpy as jnp
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
import fn.numpy as np
from tests.numpy.compare import INT, NAN, X, assert_same

A = numpy.array([[3, 1, 2], [3, 3, 1]], numpy.int32)
B = numpy.array([2, 9, 3, 2], numpy.int32)
ALL = {"return_index": True, "return_inverse": True, "return_counts": True}


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_unique(axis):
    x = numpy.concatenate([A, A[:1]])
    for got, expected in zip(
        np.unique(x, **ALL, axis=axis), numpy.unique(x, **ALL, axis=axis), strict=True
    ):
        numpy.testing.assert_array_equal(got, expected)


def test_unique_of_a_size():
    got = fn.jit(lambda x: np.unique(x, **ALL, size=5))(A)
    assert_same(got, jnp.unique(A, **ALL, size=5))
    assert_same(
        fn.jit(lambda x: np.unique(x, size=5, fill_value=-1))(A), jnp.array([1, 2, 3, -1, -1])
    )


def test_nan_is_one_or_many():
    assert np.unique(NAN).shape == (5,)
    twice = numpy.concatenate([NAN, NAN])
    assert np.unique(twice).shape == (5,)
    assert np.unique_values(twice).shape == (6,)
    assert np.unique(numpy.zeros((0,), "f4")).shape == (0,)


def test_the_four_of_the_standard():
    values, indices, inverse, counts = np.unique_all(A)
    assert numpy.array_equal(A.ravel()[indices], values)
    assert numpy.array_equal(numpy.asarray(values)[inverse], A)
    assert counts.sum() == A.size
    assert np.unique_counts(A)._fields == ("values", "counts")
    assert np.unique_inverse(A).inverse_indices.shape == A.shape


TWO = ["union1d", "intersect1d", "setdiff1d", "setxor1d"]


@pytest.mark.parametrize("name", TWO)
def test_two_sets(name):
    numpy.testing.assert_array_equal(getattr(np, name)(A, B), getattr(numpy, name)(A, B))
    got = fn.jit(lambda a, b: getattr(np, name)(a, b, size=7, fill_value=50))(A, B)
    assert_same(got, getattr(jnp, name)(A, B, size=7, fill_value=50))


def test_where_both_have_it():
    got = np.intersect1d(A, B, return_indices=True)
    for a, b in zip(got, numpy.intersect1d(A, B, return_indices=True), strict=True):
        numpy.testing.assert_array_equal(a, b)


def test_isin():
    numpy.testing.assert_array_equal(np.isin(A, B), numpy.isin(A, B))
    numpy.testing.assert_array_equal(np.isin(A, B, invert=True), ~numpy.isin(A, B))
    many = numpy.arange(0, 1000, 3, dtype=numpy.int32)
    numpy.testing.assert_array_equal(np.isin(numpy.arange(500, dtype=numpy.int32), many), numpy.isin(numpy.arange(500), many))  # fmt: skip
    assert not np.isin(X, numpy.zeros(0, "f4")).any()


@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6))
def test_unique_of_anything(values):
    x = numpy.array(values, numpy.int32)
    found, counts = _unique(x)
    expected, expected_counts = numpy.unique(x, return_counts=True)
    n = len(expected)
    numpy.testing.assert_array_equal(found[:n], expected)
    numpy.testing.assert_array_equal(counts[:n], expected_counts)
    assert not counts[n:].any()


_unique = fn.jit(lambda x: np.unique(x, return_counts=True, size=6))


@pytest.mark.parametrize("function", [np.unique, np.unique_all, lambda x: np.union1d(x, x)])
def test_errors(function):
    with pytest.raises(
        fn.FnError, match=r"unique: the shape of the result depends on values(.|\n)*size=n"
    ):
        fn.jit(function)(INT)
