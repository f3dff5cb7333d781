import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import (
    BOOL,
    COMPLEX,
    HALF,
    INT,
    NAN,
    UINT,
    X,
    check,
    check_gradient,
    equations,
)

ANYTHING = [
    "abs",
    "fabs",
    "sign",
    "square",
    "reciprocal",
    "exp",
    "log1p",
    "sin",
    "tanh",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "isnan",
    "isfinite",
    "isinf",
]
FLOATING = [
    "sqrt",
    "cbrt",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arctanh",
    "degrees",
    "radians",
    "sinc",
    "negative",
    "positive",
    "isposinf",
    "isneginf",
    "signbit",
]


@pytest.mark.parametrize("name", FLOATING)
def test_floating_functions_are_those_of_jax(name):
    check(name, abs(X) / 4 if name != "signbit" else X)


@pytest.mark.parametrize("name", ANYTHING)
@pytest.mark.parametrize("x", [INT, HALF, NAN], ids=["int", "bf16", "special"])
def test_every_dtype_is_promoted_as_jax_does(name, x):
    if name == "reciprocal" and x is INT:
        x = x.astype(float)
    check(name, x)


@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "sin", "abs", "square", "conj", "real", "imag", "angle", "isfinite"]
)
def test_complex(name):
    check(name, COMPLEX)


@pytest.mark.parametrize("name", ["exp", "negative", "floor", "sign"])
def test_python_scalars_give_weak_arrays(name):
    value = getattr(np, name)(-2)
    assert isinstance(value, jax.Array)
    assert value.weak_type == getattr(jnp, name)(-2).weak_type
    numpy.testing.assert_allclose(value, getattr(jnp, name)(-2))


def test_unsigned_and_booleans():
    check("abs", UINT)
    check("exp", BOOL)
    check("floor", BOOL)


@pytest.mark.parametrize("decimals", [0, 2, -1])
def test_round(decimals):
    check("round", X * 100, decimals)


def test_round_of_integers():
    check("round", INT)
    numpy.testing.assert_array_equal(
        np.round(INT * 10 + 4, -1), numpy.round(numpy.asarray(INT * 10 + 4), -1)
    )


def test_arccosh():
    check("arccosh", abs(X) + 1)


def test_modf():
    check("modf", X * 3)
    for got, expected in zip(np.modf(NAN), numpy.modf(numpy.asarray(NAN)), strict=True):
        numpy.testing.assert_array_equal(got, expected)


def test_nan_to_num():
    check("nan_to_num", NAN)
    check("nan_to_num", NAN, nan=1.0, posinf=2.0, neginf=3.0)
    check("nan_to_num", INT)


def test_one_equation_each():
    assert equations(np.exp, X) == ["exp"]
    assert equations(np.exp, INT) == ["convert", "exp"]
    assert equations(lambda x: abs(-x), X) == ["neg", "abs"]


@pytest.mark.parametrize("name", ["sqrt", "exp", "tanh", "log", "sinc", "arctan"])
def test_gradients(name):
    check_gradient(lambda m, x: getattr(m, name)(abs(x) + 0.5), X)


def test_second_derivative_of_sinc_at_zero():
    numpy.testing.assert_allclose(fn.grad(fn.grad(np.sinc))(0.0), -(numpy.pi**2) / 3, rtol=1e-5)


def test_booleans_have_no_negative():
    with pytest.raises(
        fn.FnError, match=r"a boolean has no negative\n.*expected.*numbers"
    ) as raised:
        np.negative(BOOL)
    assert "logical_not" in str(raised.value)


def test_lists_are_no_arrays():
    with pytest.raises(TypeError, match=r"exp: argument 0 is not an array\n.*\n.*list\n.*asarray"):
        np.exp([1.0, 2.0])
