import operator

import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import BOOL, COMPLEX, CUBE, INT, INT2, V, X, Y, assert_same

BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    divmod,
]
COMPARE = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
BITS = [operator.and_, operator.or_, operator.xor, operator.lshift, operator.rshift]
UNARY = [operator.neg, operator.pos, abs, round, lambda x: round(x, 1)]


@pytest.mark.parametrize("op", BINARY + COMPARE)
def test_arithmetic_operators_on_both_sides(op):
    x, y = abs(X) + 0.5, numpy.asarray(abs(Y) + 0.25)
    got = fn.jit(lambda x, y: (op(x, y), op(x, 2.0), op(2.0, x)))(x, y)
    assert_same(got, (op(x, y), op(x, 2.0), op(2.0, x)), 1e-4)
    # Concrete arrays on the left step back.
    got = fn.jit(lambda x: (op(y, x), op(jnp.asarray(y), x), op(numpy.float32(2.0), x)))(x)
    assert_same(got, (op(jnp.asarray(y), x), op(jnp.asarray(y), x), op(jnp.float32(2.0), x)), 1e-4)


@pytest.mark.parametrize("op", BITS)
def test_bit_operators(op):
    x, y = abs(INT), abs(INT2)
    got = fn.jit(lambda x, y: (op(x, y), op(x, 1), op(1, x)))(x, y)
    assert_same(got, (op(x, y), op(x, 1), op(1, x)))


@pytest.mark.parametrize("op", UNARY)
def test_unary_operators(op):
    assert_same(fn.jit(op)(X), op(X))
    assert_same(fn.jit(operator.invert)(BOOL), ~BOOL)


METHODS = [
    lambda x: x @ x.T, lambda x: x.T, lambda x: x.mT, lambda x: x.real, lambda x: x.imag, lambda x: x.sum(0), lambda x: x.mean(),
    lambda x: x.max(axis=1, keepdims=True), lambda x: x.min(), lambda x: x.argmax(), lambda x: x.argmin(1), lambda x: x.prod(0),
    lambda x: x.std(), lambda x: x.var(0, ddof=1), lambda x: x.any(), lambda x: x.all(0), lambda x: x.reshape(4, 3), lambda x: x.reshape((2, -1)),
    lambda x: x.ravel(), lambda x: x.flatten(), lambda x: x.transpose(), lambda x: x.transpose(1, 0), lambda x: x.transpose((0, 1)),
    lambda x: x.swapaxes(0, 1), lambda x: x[:1].squeeze(), lambda x: x.astype(int), lambda x: x.clip(0, 1), lambda x: x.dot(x.T), lambda x: x.conj(),
    lambda x: x.copy(), lambda x: x.cumsum(1), lambda x: x.cumprod(0), lambda x: x.round(1), lambda x: x.sort(0), lambda x: x.argsort(),
    lambda x: x.take(jnp.array([1, 0]), axis=0), lambda x: x.ptp(0), lambda x: x.repeat(2, axis=1), lambda x: x.trace(), lambda x: x.diagonal(1),
    lambda x: x.view(jnp.int32), lambda x: x.block_until_ready(), lambda x: x[0].sort().searchsorted(x), lambda x: x.nbytes + x.itemsize + len(x),
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_methods(method):
    expected = method(X)
    got = fn.jit(method)(X)
    assert_same(got, expected) if hasattr(expected, "shape") else None
    assert got is expected or hasattr(got, "shape") or got == expected


def test_iteration_and_unpacking():
    def rows(x):
        first, *rest = x
        return first, rest, [row.sum() for row in x]

    assert_same(fn.jit(rows)(X), (X[0], [X[1], X[2]], [r.sum() for r in X]))
    assert [*map(float, fn.grad(lambda v: sum(e**2 for e in v))(V))] == [*map(float, 2 * V)]


def test_foreign_types_answer_themselves():
    class Foreign:
        def __radd__(self, other):
            return "foreign"

        def __eq__(self, other):
            return "equal"

        __hash__ = None

    seen = []
    fn.jit(lambda x: seen.extend([x + Foreign(), x == Foreign()]) or x)(X)
    assert seen == ["foreign", "equal"]
    with pytest.raises(TypeError, match="unsupported operand"):
        fn.jit(lambda x: x + "a")(X)
    with pytest.raises(TypeError, match="can only concatenate list"):
        fn.jit(lambda x: [1.0] * 4 + x)(V)


def test_complex_parts():
    assert_same(
        fn.jit(lambda z: (z.real, z.imag, z.conj(), abs(z)))(COMPLEX),
        (COMPLEX.real, COMPLEX.imag, COMPLEX.conj(), abs(COMPLEX)),
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x: len(x.sum()), "a scalar has no length"),
        (lambda x: list(x.sum()), "a scalar cannot be iterated over"),
        (lambda x: x.reshape(5), "reshape: the sizes differ"),
        (lambda x: x.view(jnp.int8), "bitcast: the widths differ"),
        (lambda x: x @ x, "matmul: the shapes do not fit"),
    ],
)
def test_errors(function, words):
    with pytest.raises(TypeError, match=words) as raised:
        fn.jit(function)(X)
    frames = [f.filename for f in __import__("traceback").extract_tb(raised.value.__traceback__)]
    assert "test_operators.py" in str(raised.value)
    assert sum("/fn/" in name for name in frames) <= 4


def test_methods_are_documented():
    assert "Sum over axes" in fn.Tracer.sum.__doc__
    assert np.sum.__doc__ == fn.Tracer.sum.__doc__
    assert CUBE.ndim == 3
