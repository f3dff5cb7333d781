import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import (
    BOOL,
    COLUMN,
    INT,
    INT2,
    NAN,
    UINT,
    V,
    X,
    Y,
    check,
    check_gradient,
    equations,
)


@pytest.mark.parametrize(
    "name", ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
)
def test_comparison(name):
    check(name, X, Y)
    check(name, INT, 2)
    check(name, NAN, NAN)
    check(name, V, COLUMN)


@pytest.mark.parametrize("name", ["logical_and", "logical_or", "logical_xor"])
def test_logic(name):
    check(name, BOOL, INT)
    check(name, X, 0)
    check("logical_not", INT)


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
def test_bits(name):
    check(name, INT, INT2)
    check(name, BOOL, BOOL)
    check(name, UINT, 7)


def test_shifts_and_not():
    check("left_shift", INT, 2)
    check("right_shift", INT, 1)
    check("right_shift", UINT, 1)
    check("invert", INT)
    check("invert", BOOL)
    check("bitwise_count", UINT)


def test_isclose():
    check("isclose", X, X + 1e-7)
    check("isclose", NAN, NAN)
    check("isclose", NAN, NAN, equal_nan=True)
    check("isclose", INT, INT2)
    check("allclose", X, Y)
    check("array_equal", X, X)
    check("array_equal", NAN, NAN, equal_nan=True)


def test_where():
    check("where", BOOL, X, Y)
    check("where", X > 0, X, 0)
    check("where", COLUMN > 0, V, 1.0)
    check("where", INT, 1, X)
    check("where", True, X, 0.0)
    assert equations(lambda x: np.where(x > 0, x, 0.0), X) == ["gt", "select"]
    numpy.testing.assert_array_equal(np.where(V > 0)[0], numpy.where(numpy.asarray(V) > 0)[0])
    check_gradient(lambda m, x, v: m.where(x > 0, x, v), X, V)


def test_select():
    check("select", [X < -0.5, X < 0.5], [X, Y], 7.0)


def test_positions_need_values():
    with pytest.raises(fn.FnError, match="depends on values"):
        fn.jit(lambda x: np.where(x > 0))(X)


def test_errors():
    with pytest.raises(TypeError, match="where: one of two values is missing"):
        np.where(BOOL, X)
    with pytest.raises(
        TypeError, match=r"bitwise_and: wrong dtype(.|\n)*integers or booleans(.|\n)*f32"
    ):
        np.bitwise_and(X, X)
    with pytest.raises(TypeError, match=r"left_shift: wrong dtype\n.*integers\n"):
        np.left_shift(BOOL, BOOL)
    with pytest.raises(TypeError, match="invert: wrong dtype"):
        np.invert(X)
    with pytest.raises(TypeError, match="select: conditions and choices do not pair up"):
        np.select([BOOL], [])
    assert not bool(np.array_equal(X, jnp.ones(3)))
