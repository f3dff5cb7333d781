import jax.numpy as jnp
import numpy
import pytest

import fn.numpy as np
from tests.numpy.compare import (
    BOOL,
    COLUMN,
    COMPLEX,
    CUBE,
    HALF,
    INT,
    UINT,
    V,
    X,
    Y,
    check,
    check_gradient,
    equations,
)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["sum", "prod", "mean", "var", "std", "max", "min", "any", "all", "ptp"]
)
@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": (0, -1), "keepdims": True}], ids=str)
def test_axes(name, options):
    check(name, CUBE, **options)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "max", "argmin", "any", "cumsum"])
@pytest.mark.parametrize("x", [INT, HALF, BOOL, UINT], ids=["int", "bf16", "bool", "u8"])
def test_dtypes(name, x):
    check(name, x, tolerance=2e-2 if x is HALF else 1e-5)


def test_complex():
    for name in ("sum", "mean", "var", "prod"):
        check(name, COMPLEX)


@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "any", "all"])
def test_masks(name):
    check(name, X, where=BOOL, axis=1)
    check(name, X, where=COLUMN > 0, axis=1) if name not in ("mean", "var") else None


def test_masked_extremes():
    check("max", X, where=BOOL, initial=-5.0)
    check("min", X, where=BOOL, initial=0.1, axis=0)
    check("sum", X, initial=2.0)
    check("max", X, initial=0.0, axis=1)


def test_options():
    check("sum", INT, dtype=jnp.float32)
    check("mean", X, dtype=jnp.bfloat16, tolerance=2e-2)
    check("var", X, ddof=1, axis=0)
    check("std", X, ddof=1, keepdims=True)
    check("sum", X, axis=())
    check("count_nonzero", INT, axis=0)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize(
    "options", [{}, {"axis": 1}, {"axis": 0, "keepdims": True}, {"keepdims": True}], ids=str
)
def test_places_of_extremes(name, options):
    check(name, X, **options)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_running(name):
    for axis in (None, 0, -1):
        check(name, X, axis)


def test_average():
    check("average", X)
    check("average", X, axis=0, weights=abs(Y))
    check("average", X, axis=1, weights=abs(V))
    check("average", X, axis=1, weights=abs(V), returned=True)
    check("average", X, axis=0, returned=True, keepdims=True)


def test_programs_are_small():
    assert equations(np.sum, X) == ["reduce_sum"]
    assert equations(np.mean, X) == ["reduce_sum", "div"]
    assert equations(lambda x: np.max(x, axis=1, keepdims=True), X) == ["reduce_max", "reshape"]
    assert equations(np.mean, HALF) == ["convert", "reduce_sum", "div", "convert"]


@pytest.mark.parametrize("name", ["mean", "var", "std", "max", "prod", "cumsum", "ptp"])
def test_gradients(name):
    check_gradient(lambda m, x: getattr(m, name)(x, axis=1), X)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda: np.sum(X, axis=2),
            r"sum: there is no such axis\n.*-2 to 1\n.*axis=2 for an array of 2 axes",
        ),
        (lambda: np.sum(X, axis=(0, 0)), "sum: an axis is given twice"),
        (lambda: np.sum(X, axis=1.5), "sum: there is no such axis"),
        (lambda: np.max(X[:0]), "max: nothing to compare(.|\n)*initial="),
        (lambda: np.min(X, where=BOOL), "min: nothing may be left to compare(.|\n)*pass initial="),
        (lambda: np.max(COMPLEX), "max: complex numbers have no order"),
        (lambda: np.argmax(X[:0]), "argmax: nothing to compare"),
        (lambda: np.mean([1.0]), "mean: argument 0 is not an array"),
    ],
)
def test_errors(function, words):
    with pytest.raises(TypeError, match=words):
        function()


def test_empty_sums():
    numpy.testing.assert_array_equal(np.sum(X[:0], axis=0), numpy.zeros(4))
    assert float(np.prod(X[:0])) == 1.0
