import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import BOOL, INT, NAN, V, X, assert_same, check_table


def test_of_the_standard():
    for name in ("cumulative_sum", "cumulative_prod"):
        ours, theirs = getattr(np, name), getattr(jnp, name)
        assert_same(ours(V, include_initial=True), theirs(V, include_initial=True))
        assert_same(ours(INT, axis=0), theirs(INT, axis=0))
        assert_same(
            ours(BOOL, axis=-1, include_initial=True), theirs(BOOL, axis=-1, include_initial=True)
        )
    with jax.enable_x64(True):
        assert np.cumulative_sum(numpy.ones(2, "i1")).dtype == numpy.int64
        assert np.cumulative_sum(numpy.ones(2, "u1")).dtype == numpy.uint64


def test_nan_counts_for_nothing():
    holes = numpy.where(numpy.asarray(X) > 0, numpy.nan, numpy.asarray(X))
    check_table(
        {"sum": lambda m, x: m.nancumsum(x, 1), "prod": lambda m, x: m.nancumprod(x)}, holes
    )
    assert np.nancumsum(NAN).shape == (6,)


def test_errors():
    with pytest.raises(fn.FnError, match="cumulative_sum: along which axis"):
        np.cumulative_sum(X)
