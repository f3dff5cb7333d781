import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import (
    BOOL,
    COLUMN,
    COMPLEX,
    HALF,
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
)  # fmt: skip

OPERANDS = {
    "same": (X, Y), "vector": (X, V), "column": (V, COLUMN), "scalar": (X, 2.5), "left": (3, X), "int": (INT, INT2),
    "mixed": (INT, X), "half": (HALF, 2), "bool": (BOOL, INT),
}  # fmt: skip


@pytest.mark.parametrize("operands", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "maximum", "minimum"])
def test_arithmetic(name, operands):
    check(name, *operands)


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
@pytest.mark.parametrize(
    "operands", [(X * 5, Y), (INT, INT2), (UINT, 3), (INT, -2), (X, -0.7)], ids=str
)
def test_division(name, operands):
    check(name, *operands)


def test_divmod():
    check("divmod", X * 5, Y)
    check("divmod", INT, INT2)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5, 2.0, 1.7])
def test_power_known_while_tracing(exponent):
    check("power", abs(X), exponent)


def test_power():
    check("power", abs(X), Y)
    check("power", 2, X)
    check("power", 2.0, X)
    check("power", INT, 3)
    check("power", INT, abs(INT2))
    check("power", INT, COLUMN)
    check("power", COMPLEX, 2)
    check("float_power", abs(X), 2)
    assert equations(lambda x: x**2, X) == ["integer_pow"]
    assert equations(lambda x: x**0.5, X) == ["sqrt"]


def test_negative_powers_of_integers():
    with pytest.raises(
        TypeError, match=r"power: negative powers of integers(.|\n)*x.astype\(float\)"
    ):
        np.power(INT, -1)


@pytest.mark.parametrize(
    "name", ["hypot", "logaddexp", "logaddexp2", "arctan2", "copysign", "heaviside", "nextafter"]
)
def test_floating_functions(name):
    check(name, X, Y)
    check(name, X, V)
    check(name, INT, INT2)


@pytest.mark.parametrize(
    "name", ["hypot", "logaddexp", "copysign", "maximum", "fmax", "fmin", "heaviside"]
)
def test_special_values(name):
    check(name, NAN, NAN[::-1])
    check(name, NAN, NAN)


def test_clip():
    check("clip", X, -0.5, 0.5)
    check("clip", X, COLUMN, None)
    check("clip", INT, 0, None)
    check("clip", X, V - 1, COLUMN + 1)
    assert equations(lambda x: np.clip(x, 0, 1), X) == ["clamp"]


def test_ldexp():
    check("ldexp", X, INT)


@pytest.mark.parametrize(
    "name", ["multiply", "divide", "maximum", "hypot", "logaddexp", "arctan2", "power", "remainder"]
)
def test_gradients(name):
    check_gradient(lambda m, x, y: getattr(m, name)(abs(x) + 0.5, y), X, V)


def test_hessian_of_logaddexp_at_a_tie():
    numpy.testing.assert_allclose(fn.grad(fn.grad(lambda x: np.logaddexp(x, 0.0)))(0.0), 0.25)
    numpy.testing.assert_allclose(fn.grad(lambda x: np.logaddexp(x, -np.inf))(1.0), 1.0)


def test_gradient_of_hypot_at_zero_is_a_number():
    assert numpy.isfinite(fn.grad(lambda x: np.hypot(x, x))(0.0))


def test_python_scalars_are_literals():
    assert equations(lambda x: x + 1.0, X) == ["add"]
    assert equations(lambda x: 1 - x * 2, X) == ["mul", "sub"]
    assert equations(lambda x, v: x + v, X, V) == ["broadcast", "add"]
    assert equations(lambda x, c: x + c, X, COLUMN) == ["reshape", "broadcast", "add"]
    assert equations(lambda x: x + np.ones((1, 1)), X) == ["broadcast", "reshape", "add"]


def test_shapes_that_do_not_broadcast():
    with pytest.raises(
        TypeError,
        match=r"add: the shapes do not broadcast together(.|\n)*f32\[3,4\], f32\[3\](.|\n)*fix",
    ):
        np.add(X, jnp.ones(3))
    with pytest.raises(fn.FnError, match=r"test_arithmetic\.py"):
        fn.jit(lambda x: x * np.ones(3))(X)


def test_booleans_cannot_be_subtracted():
    with pytest.raises(
        TypeError, match=r"subtract: booleans cannot be subtracted(.|\n)*logical_xor"
    ):
        np.subtract(BOOL, BOOL)
