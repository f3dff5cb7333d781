"""NumPy's own functions, and arrays on the left of operators, meet traced arrays."""

import jax
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import V, X, check_table

K = numpy.arange(4, dtype=numpy.float32)


def test_numpy_functions_on_traced_arrays():
    def use(x):
        return {
            "sin": numpy.sin(x), "add": numpy.add(x, K), "scalar": numpy.float32(2) * x,
            "left": K + x, "matmul": numpy.ones((2, 3), numpy.float32) @ x, "less": x > K,
            "power": (K + 1) ** x, "sum": numpy.sum(x, axis=0, keepdims=True), "max": numpy.max(x),
            "concatenate": numpy.concatenate([x, x], axis=1), "where": numpy.where(x > 0, x, 0.0),
            "norm": numpy.linalg.norm(x), "fft": numpy.fft.fft(x[0]), "einsum": numpy.einsum("ij,ij->i", x, x),
            "conjugate": numpy.conjugate(x), "clip": numpy.clip(x, 0, 1), "divmod": numpy.divmod(x, 2.0),
            "masked": numpy.sum(x, where=x > 0), "half": numpy.sin(x, dtype="float16"),
            "stack": numpy.stack([x[0], K]), "shape": numpy.shape(x), "mean": numpy.mean(x, 1),
        }  # fmt: skip

    check_table({"all": lambda m, x: list(use(x).values())}, X, tolerance=2e-3)
    assert fn.trace(lambda x: numpy.sin(x) + K)(V).equations[0].primitive.name == "sin"


def test_a_derivative_through_numpy():
    grad = fn.grad(lambda x: numpy.sum(numpy.tanh(x) * K))(V)
    numpy.testing.assert_allclose(grad, K * (1 - numpy.tanh(V) ** 2), rtol=1e-4, atol=1e-5)


def test_the_namespace_of_an_array():
    assert float(fn.jit(lambda x: x.__array_namespace__().sum(x))(K)) == 6.0
    assert fn.jit(lambda x: x.__array_namespace__(api_version="2024.12").asarray(x))(K).shape == (
        4,
    )
    assert isinstance(fn.jit(lambda x: x.to_device(None) * (x.device is None))(K), jax.Array)


def _change(x):
    y = numpy.zeros(4, numpy.float32)
    y += x
    return y


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda x: numpy.add(x, x, out=numpy.zeros(4)),
            r"numpy.add\(..., out=y\)(.|\n)*y = y \+ x",
        ),
        (_change, r"numpy.add\(..., out=y\): arrays cannot be written into(.|\n)*y = y \+ x"),
        (lambda x: numpy.add(x, x, where=x > 0), r"add: where= is not taken(.|\n)*fn.numpy.where"),
        (lambda x: numpy.sum(x, out=numpy.zeros(())), r"sum: out= is not taken(.|\n)*y = sum"),
        (
            lambda x: numpy.add.reduce(x),
            r"numpy.add.reduce: not for traced arrays(.|\n)*fn.numpy.sum",
        ),
        (lambda x: numpy.add.outer(x, x), "numpy.add.outer: not for traced arrays"),
        (lambda x: numpy.copyto(numpy.zeros(4), x), "numpy.copyto: not for traced arrays"),
        (
            lambda x: x.__array_namespace__(api_version="1999"),
            "__array_namespace__: unknown version",
        ),
        (lambda x: x.to_device(jax.devices()[0]), "to_device: a traced array has no place"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        fn.jit(function)(K)


def test_a_table_and_a_traced_index():
    table = jax.numpy.arange(5.0)
    assert float(fn.jit(lambda i: np.asarray(table)[i])(2)) == 2.0
    assert float(fn.jit(lambda i: np.take(table, i))(2)) == 2.0
    assert float(fn.jit(lambda i: np.array([1.0, 2.0, 3.0])[i])(2)) == 3.0
    with pytest.raises(IndexError) as raised:
        fn.jit(lambda i: table[i])(2)
    assert any("fn.numpy.asarray(table)[i]" in note for note in raised.value.__notes__)
