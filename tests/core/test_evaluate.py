"""Evaluating a Program runs its equations through `bind`: eagerly, or recorded into a trace."""

import jax
import numpy as np
import pytest

import fn
from fn.ops import add, mul, sin

X = np.arange(3, dtype=np.float32)
HELD = jax.numpy.ones(3)
PROGRAM = fn.trace(lambda x, y: (mul(sin(x), y), add(x, HELD), 2.0))(X, 1.0)


def test_eagerly() -> None:
    outs = fn.evaluate(PROGRAM, [X, 3.0])
    np.testing.assert_allclose(outs[0], 3 * np.sin(X), rtol=1e-6)
    np.testing.assert_array_equal(outs[1], X + 1)
    assert outs[2] == 2.0


def test_under_a_trace() -> None:
    assert fn.trace(lambda x, y: tuple(fn.evaluate(PROGRAM, [x, y])))(X, 1.0) == PROGRAM


def test_wrong_number_of_arguments() -> None:
    with pytest.raises(ValueError):
        fn.evaluate(PROGRAM, [X])
