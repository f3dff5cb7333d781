import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import V, X, check_gradient, check_table

P = numpy.array([1.0, -2.0, 3.0], numpy.float32)
R = numpy.array([2.0, 1.0, 0.0, 5.0], numpy.float32)
T = numpy.array([-1.0, 0.0, 0.5, 2.0, 3.0, 4.5], numpy.float32)
Y = numpy.array([0.3, -1.2, 2.0, 0.5, -0.7, 1.1], numpy.float32)


def test_values_sums_and_products():
    check_table(
        {
            "polyval": lambda m, p, r, x: [m.polyval(p, x), m.polyval(r, 2.0)],
            "polyadd": lambda m, p, r, x: [m.polyadd(p, r), m.polysub(p, r)],
            "polymul": lambda m, p, r, x: m.polymul(p, r),
            "polyder": lambda m, p, r, x: [m.polyder(r), m.polyder(r, 2), m.polyder(p, 5)],
            "polyint": lambda m, p, r, x: [m.polyint(p), m.polyint(p, 2, [1.0, 2.0]), m.polyint(p, 2)],
            "poly": lambda m, p, r, x: m.poly(p),
            "vander": lambda m, p, r, x: [m.vander(r), m.vander(r, 2, increasing=True)],
        },
        P, R, X,
    )  # fmt: skip


def test_division():
    for u, v in ((R, P), (P, R), (R, P[:1])):
        quotient, rest = fn.jit(np.polydiv)(u, v)
        back = numpy.polyadd(numpy.polymul(quotient, v), rest)
        numpy.testing.assert_allclose(numpy.trim_zeros(back, "f"), u, atol=1e-5)
    assert np.polydiv(R, P, trim_leading_zeros=True)[1].shape == (2,)
    assert np.polymul(R, numpy.array([0.0, 1.0]), trim_leading_zeros=True).shape == (4,)


def test_roots():
    for p in (R, numpy.array([0.0, 1.0, -3.0, 2.0, 0.0], numpy.float32), P[:1], P[:0]):
        found = numpy.sort_complex(np.roots(p))
        numpy.testing.assert_allclose(found, numpy.sort_complex(numpy.roots(p)), atol=1e-4)
    inside = fn.jit(lambda p: np.roots(p, strip_zeros=False))(R)
    numpy.testing.assert_allclose(
        numpy.sort_complex(inside), numpy.sort_complex(numpy.roots(R)), atol=1e-4
    )


def test_poly_of_a_matrix():
    m = numpy.array([[2.0, 1.0], [0.0, 3.0]], numpy.float32)
    numpy.testing.assert_allclose(np.poly(m), numpy.poly(m), atol=1e-4)


def test_fits():
    check_table(
        {
            "plain": lambda m, y: m.polyfit(T, y, 2),
            "weights": lambda m, y: m.polyfit(T, y, 1, w=abs(y) + 1),
            "cov": lambda m, y: m.polyfit(T, y, 2, cov=True),
            "unscaled": lambda m, y: m.polyfit(T, m.stack([y, 2 * y], 1), 1, cov="unscaled"),
            "full": lambda m, y: m.polyfit(T, y, 2, full=True)[:1],
        },
        Y,
        tolerance=2e-3,
    )


def test_gradients():
    check_gradient(lambda m, y: m.polyfit(T, y, 2), Y, tolerance=1e-3)
    check_gradient(lambda m, p, x: m.polyval(p, x), P, X)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.polyadd(X, P), "polyadd: not coefficients"),
        (lambda: np.polyder(P, -1), "polyder: m is negative"),
        (lambda: np.polyint(P, 2, [1.0, 2.0, 3.0]), "polyint: constants do not fit"),
        (lambda: np.polyfit(T, Y, -1), "polyfit: not a degree"),
        (lambda: np.polyfit(T, V, 1), "polyfit: the samples do not fit"),
        (lambda: np.polyfit(T[:2], Y[:2], 2, cov=True), "polyfit: too few samples"),
        (lambda: np.vander(X), "vander: the arguments do not fit"),
        (lambda: fn.jit(np.roots)(P), r"roots: the shape(.|\n)*strip_zeros=False"),
        (lambda: np.poly(X), "poly: neither roots nor a square matrix"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
