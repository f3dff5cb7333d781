import numpy
import pytest

import fn
import fn.numpy as np
from fn.numpy._fused import fused
from tests.numpy.compare import equations

X = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
calls = []


@fused("axis")
def spread_of(x, axis=0):
    """Largest minus smallest."""
    calls.append(type(x))
    return np.max(x, axis) - np.min(x, axis)


def test_called_eagerly_it_is_traced_once():
    for _ in range(3):
        numpy.testing.assert_array_equal(spread_of(X, [0]), [3, 3, 3])
    assert len(calls) == 1


def test_under_a_trace_its_equations_are_recorded():
    assert equations(spread_of, X) == ["reduce_max", "reduce_min", "sub"]
    numpy.testing.assert_array_equal(fn.vmap(lambda x: spread_of(x))(X), [2, 2])


def test_it_stays_a_function_with_numpys_habits():
    assert spread_of.__doc__ == "Largest minus smallest."
    numpy.testing.assert_array_equal(spread_of(X, axis=1, out=None), [2, 2])
    with pytest.raises(fn.FnError, match="out= is not taken"):
        spread_of(X, out=X)
