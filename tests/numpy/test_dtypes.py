import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import HALF, INT, X, equations

DTYPES = ["bool", "int8", "uint8", "int32", "uint32", "float16", "bfloat16", "float32", "complex64"]
SCALARS = [True, 1, 2.5, 1j]


def test_result_type_is_that_of_jax():
    values = [jnp.zeros(2, d) for d in DTYPES] + SCALARS
    for a in values:
        for b in values:
            assert np.result_type(a, b) == jnp.result_type(a, b)
    assert np.promote_types("int16", "uint16") == jnp.promote_types("int16", "uint16")


@pytest.mark.parametrize("a", DTYPES)
def test_operators_promote_as_jax_does(a):
    x = jnp.ones(2, a)
    others = [jnp.ones(2, d) for d in DTYPES] + SCALARS

    def types(m, x, others):
        return [m.add(x, y) for y in others] + [m.divide(x, y) for y in others]

    got = fn.eval_type(lambda x, others: types(np, x, others + SCALARS))(x, others[: len(DTYPES)])
    expected = jax.eval_shape(
        lambda x, others: types(jnp, x, others + SCALARS), x, others[: len(DTYPES)]
    )
    assert [(t.dtype, t.weak) for t in got] == [(t.dtype, t.weak_type) for t in expected]


def test_weak_arrays_stay_weak():
    def f(m, x):
        return m.exp(x) * 2.0 + 1, x * x, m.add(x, 1j), m.equal(x, 1)

    got, expected = fn.eval_type(lambda x: f(np, x))(2), jax.eval_shape(lambda x: f(jnp, x), 2)
    assert [(t.dtype, t.weak) for t in got[:3]] == [(t.dtype, t.weak_type) for t in expected[:3]]
    assert fn.jit(lambda x, h: x * 3 * h)(2.0, HALF).dtype == jnp.bfloat16


def test_sixty_four_bits():
    with jax.enable_x64(True):
        values = [numpy.ones(2, d) for d in ("int32", "int64", "uint32", "float32", "float64")] + [
            1,
            2.5,
        ]
        for a in values:
            for b in values:
                assert fn.eval_type(np.add)(a, b).dtype == jnp.result_type(a, b)
            assert fn.eval_type(np.exp)(a).dtype == jax.eval_shape(jnp.exp, a).dtype
        assert np.zeros(2).dtype == np.linspace(0.0, 1.0, 3).dtype == numpy.float64
        assert np.arange(3).dtype == np.argmax(np.arange(3)).dtype == numpy.int64
    assert np.add(numpy.ones(2), 1).dtype == numpy.float32


def test_integers_wrap_around():
    with numpy.errstate(all="raise"):
        numpy.testing.assert_array_equal(
            np.add(jnp.ones(2, jnp.int8), 300), jnp.ones(2, jnp.int8) + 300
        )
        numpy.testing.assert_array_equal(fn.jit(lambda x: x + -1)(jnp.ones(2, jnp.uint8)), [0, 0])
        assert numpy.isinf(fn.jit(lambda x: x + 1e300)(X)).all()


def test_questions_about_dtypes():
    assert np.issubdtype(np.bfloat16, np.floating) and not np.issubdtype(np.int8, np.inexact)
    assert np.isdtype(np.dtype("float32"), "real floating")
    assert np.can_cast(X, np.float64) and not np.can_cast(np.float32, np.int32)
    for dtype in (np.float32, np.bfloat16, np.complex64, HALF):
        assert float(np.finfo(dtype).eps) == float(
            jnp.finfo(HALF.dtype if dtype is HALF else dtype).eps
        )
    assert np.iinfo(INT).max == 2**31 - 1
    assert np.newaxis is None and isinstance(X, np.ndarray) and not isinstance(1.0, np.ndarray)
    assert bool(fn.jit(lambda x: isinstance(x, np.ndarray))(X))


def test_promotion_costs_one_conversion_at_most():
    assert equations(lambda x, i: x + i, X, INT) == ["convert", "add"]
    assert equations(lambda x, h: x * h, X, HALF) == ["convert", "mul"]
    assert equations(lambda h: h * 2.0 + 1, HALF) == ["mul", "add"]
