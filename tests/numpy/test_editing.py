import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import INT, V, X, assert_same, check_gradient, check_table

PICK = numpy.array([0, 1, 1, 0], numpy.int32)
OUT = numpy.array([0, -1, 20], numpy.int32)


def _in_place(m, name, x, *args, **kwargs):
    """NumPy changes a copy, fn gives a new array."""
    if m is np:
        return getattr(np, name)(x, *args, inplace=False, **kwargs)
    x = numpy.array(x)
    getattr(numpy, name)(x, *args, **kwargs)
    return x


def test_putting_in():
    check_table(
        {
            "fill_diagonal": lambda m, x, v: _in_place(m, "fill_diagonal", x, 5.0),
            "values": lambda m, x, v: _in_place(m, "fill_diagonal", x[:, :3], v),
            "wrap": lambda m, x, v: _in_place(m, "fill_diagonal", x.T, 5.0, wrap=True),
            "put": lambda m, x, v: _in_place(m, "put", x, PICK, v),
            "put clip": lambda m, x, v: _in_place(m, "put", x, OUT + 1, v, mode="clip"),
            "put wrap": lambda m, x, v: _in_place(m, "put", x, OUT, v, mode="wrap"),
            "along": lambda m, x, v: _in_place(m, "put_along_axis", x, numpy.array([[0], [2], [1]]), 9.0, 1),
            "place": lambda m, x, v: _in_place(m, "place", x, x > 0, v),
        },
        X, V,
    )  # fmt: skip
    assert_same(np.put(X, OUT, 9.0, inplace=False), jnp.put(X, OUT, 9.0, inplace=False))


def test_insert():
    check_table(
        {
            "one": lambda m, x, v: [m.insert(v, 2, 9.0), m.insert(x, 1, 9.0, 1), m.insert(x, -1, 9.0)],
            "row": lambda m, x, v: [m.insert(x, 1, v, 0), m.insert(x, 1, x[:, :1], 1)],
            "several": lambda m, x, v: [
                m.insert(x, [0, 2], x[:2], 0), m.insert(x, [0, 2, 2], 9.0, 1),
                m.insert(v, slice(0, 4), 9.0), m.insert(v, [-1, 1], numpy.array([7.0, 8.0])),
            ],
        },
        X, V,
    )  # fmt: skip
    numpy.testing.assert_array_equal(
        fn.jit(lambda v, i: np.insert(v, i, 9.0))(V, 2), numpy.insert(numpy.asarray(V), 2, 9.0)
    )


def test_choosing_and_layout():
    check_table(
        {
            "choose": lambda m, x, v: [
                m.choose(PICK, [v, 2 * v]), m.choose(3 * PICK, [v, 2 * v], mode="clip"),
                m.choose(PICK - 3, m.stack([v, 2 * v]), mode="wrap"),
            ],
            "block": lambda m, x, v: [
                m.block([[x, x], [x, x]]), m.block([v, v]), m.block([[v], [v]]), m.block(x), m.block([1.0, v]),
            ],
            "resize": lambda m, x, v: [m.resize(v, (3, 4)), m.resize(x, (2, 2)), m.resize(x, 0)],
        },
        X, V,
    )  # fmt: skip


def test_trim_zeros():
    x = numpy.array([0, 0, 1, 0, 2, 0])
    for trim in ("fb", "f", "b"):
        numpy.testing.assert_array_equal(np.trim_zeros(x, trim), numpy.trim_zeros(x, trim))
    assert np.trim_zeros(numpy.zeros(3)).shape == (0,)
    assert np.trim_zeros(numpy.diag([0, 1, 0])).shape == (1, 1)


def test_gradients():
    check_gradient(
        lambda m, x, v: m.put_along_axis(m.insert(x, 1, v, 0), INT[:1, :1] % 3, v[:1], 1, inplace=False), X, V
    )  # fmt: skip


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda: np.fill_diagonal(X, 1.0),
            r"fill_diagonal: arrays cannot be changed(.|\n)*inplace=False",
        ),
        (lambda: np.put(X, PICK, 1.0), "put: arrays cannot be changed"),
        (lambda: np.fill_diagonal(V, 1.0, inplace=False), "fill_diagonal: no diagonal"),
        (lambda: np.put(X, PICK, 1.0, "some", inplace=False), "put: unknown mode"),
        (lambda: np.place(X, V, V, inplace=False), "place: the arguments do not fit"),
        (lambda: np.put_along_axis(X, PICK, 1.0, 0, inplace=False), "put_along_axis: the indices"),
        (lambda: np.insert(V, 9, 1.0), "insert: a position is out of bounds"),
        (lambda: np.choose(PICK, [V]), "choose: a number is no choice"),
        (
            lambda: fn.jit(lambda i: np.choose(i, [V, V]))(PICK),
            r"choose: the shape(.|\n)*mode='clip'",
        ),
        (lambda: np.block([[X], X]), "block: the lists are not nested evenly"),
        (lambda: fn.jit(np.trim_zeros)(V), r"trim_zeros: the shape(.|\n)*trim before tracing"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
