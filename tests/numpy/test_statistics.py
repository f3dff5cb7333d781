import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import COMPLEX, CUBE, X, Y, check_gradient, check_table

TIMES = numpy.array([1, 2, 1, 3])


def test_covariances():
    check_table(
        {
            "plain": lambda m, x, y: [m.cov(x), m.cov(x, rowvar=False), m.cov(x[0]), m.cov(x, y)],
            "ddof": lambda m, x, y: [m.cov(x, bias=True), m.cov(x, ddof=2)],
            "weights": lambda m, x, y: [
                m.cov(x, fweights=TIMES), m.cov(x, aweights=abs(y[0])),
                m.cov(x, fweights=TIMES, aweights=abs(y[0])),
            ],
            "corrcoef": lambda m, x, y: [m.corrcoef(x), m.corrcoef(x[0]), m.corrcoef(x, y, rowvar=False)],
        },
        X, Y,
    )  # fmt: skip
    z = numpy.stack([numpy.asarray(COMPLEX), numpy.asarray(COMPLEX)[::-1]])
    numpy.testing.assert_allclose(np.cov(z), numpy.cov(z), rtol=1e-4)
    numpy.testing.assert_allclose(np.corrcoef(z), numpy.corrcoef(z), rtol=1e-4)


def test_gradients():
    check_gradient(lambda m, x, y: m.cov(x, y) + m.corrcoef(x, y), X[:2], Y[:2], tolerance=1e-3)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.cov(CUBE), "cov: too many axes"),
        (lambda: np.cov(X, fweights=TIMES[:2]), "cov: fweights do not fit"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
