import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import CUBE, V, X, check_table

MATVEC = np.vectorize(lambda m, v: m @ v, signature="(n,m),(m)->(n)")


def test_vectorize():
    numpy.testing.assert_allclose(np.vectorize(lambda a, b: a + b)(X, V), X + V)
    numpy.testing.assert_allclose(MATVEC(CUBE, V), CUBE @ V, rtol=1e-5)
    stacks = numpy.asarray(CUBE)[:, None], numpy.ones((1, 5, 4), "f4")
    expected = numpy.broadcast_to(CUBE.sum(-1)[:, None], (2, 5, 3))
    numpy.testing.assert_allclose(fn.jit(MATVEC)(*stacks), expected, rtol=1e-5)


def test_vectorize_with_several_results_and_fixed_arguments():
    f = np.vectorize(
        lambda x, n, *, scale: (x[:n], scale * x.sum()), excluded={1, "scale"},
        signature="(m)->(k),()",
    )  # fmt: skip
    first, second = f(X, 2, scale=3.0)
    numpy.testing.assert_allclose(first, X[:, :2])
    numpy.testing.assert_allclose(second, 3 * X.sum(1), rtol=1e-5)


def test_along_axes():
    check_table(
        {
            "sum": lambda m, x: [m.apply_along_axis(m.sum, a, x) for a in range(3)],
            "outer": lambda m, x: m.apply_along_axis(lambda v: m.outer(v, v[:2]), 1, x),
            "extra": lambda m, x: m.apply_along_axis(m.multiply, 0, x, 2.0),
            "over": lambda m, x: m.apply_over_axes(m.sum, x, [0, 2]),
        },
        CUBE,
    )


def test_piecewise():
    check_table(
        {
            "functions": lambda m, x: m.piecewise(x, [x < 0, x > 1], [lambda x: -x, lambda x: x * x, 7.0]),
            "numbers": lambda m, x: m.piecewise(x, [x < 0, x >= 0], [-1.0, 1.0]),
            "one": lambda m, x: m.piecewise(x, [x > 0], [lambda x: x + 1]),
        },
        X,
    )  # fmt: skip
    assert (
        float(fn.grad(lambda x: np.piecewise(x, [x < 0], [lambda x: -x, lambda x: x**2]))(3.0))
        == 6.0
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.vectorize(np.sum, signature="n->"), "vectorize: not a signature"),
        (lambda: MATVEC(X, V[:2]), "vectorize: an argument does not fit the signature"),
        (lambda: MATVEC(X), "vectorize: the arguments do not fit the signature"),
        (
            lambda: np.vectorize(lambda x: x, signature="(n)->()")(V),
            "vectorize: the function's result does not fit",
        ),
        (
            lambda: np.apply_over_axes(lambda x, a: x[None], X, 0),
            "apply_over_axes: the function changes",
        ),
        (lambda: np.piecewise(X, [X > 0], [1, 2, 3]), "piecewise: functions and conditions"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
