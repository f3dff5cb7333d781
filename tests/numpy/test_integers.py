import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import INT, INT2, NAN, X, check_table

BYTES = numpy.array([[0, 131, 7], [255, 1, 64]], numpy.uint8)
FLOATS = numpy.array([0.0, 1.0, -3.5, 1e38, 3e-38, 0.1, -0.25], numpy.float32)


def test_divisors():
    check_table(
        {
            "gcd": lambda m, x, y: [m.gcd(x, y), m.gcd(x, 12), m.gcd(x[:, :1], y)],
            "lcm": lambda m, x, y: [m.lcm(x, y), m.lcm(x, 4)],
        },
        INT, INT2,
    )  # fmt: skip
    fibonacci = numpy.array([1836311903, 1134903170], numpy.int32)
    assert int(np.gcd(*fibonacci)) == 1
    assert np.gcd(BYTES, 64).dtype == numpy.uint8


def test_bits():
    check_table(
        {
            "pack": lambda m, x: [m.packbits(x), m.packbits(x, 1), m.packbits(x, 0, "little")],
            "unpack": lambda m, x: [
                m.unpackbits(x), m.unpackbits(x, 1, 10, "little"), m.unpackbits(x, 0), m.unpackbits(x, count=-5),
            ],
        },
        BYTES,
    )  # fmt: skip


def test_parts_of_floats():
    check_table(
        {"frexp": lambda m, x: m.frexp(x), "spacing": lambda m, x: m.spacing(x[1:4])}, FLOATS
    )
    mantissa, exponent = np.frexp(NAN)
    assert numpy.isnan(mantissa[1]) and numpy.isinf(mantissa[2]) and not exponent[1:].any()
    numpy.testing.assert_allclose(np.ldexp(*np.frexp(X)), X, rtol=1e-6)
    assert float(fn.grad(lambda x: np.frexp(x)[0])(6.0)) == 1 / 8


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.gcd(X, 2), "gcd: not integers"),
        (lambda: np.packbits(X), "packbits: no bits"),
        (lambda: np.packbits(INT, bitorder="middle"), "packbits: unknown bitorder"),
        (lambda: np.unpackbits(INT), "unpackbits: not bytes"),
        (lambda: np.frexp(1j), "frexp: not real numbers"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
