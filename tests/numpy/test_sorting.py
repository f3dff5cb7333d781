import jax.numpy as jnp
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import CUBE, INT, NAN, V, X, Y, assert_same, check, check_gradient


@pytest.mark.parametrize("name", ["sort", "argsort"])
@pytest.mark.parametrize(
    "options", [{}, {"axis": 0}, {"axis": None}, {"descending": True}], ids=str
)
def test_sorting(name, options):
    check(name, X, **options)
    check(name, INT % 3, **options)
    check(name, NAN, **options) if "axis" not in options else None


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    check("searchsorted", jnp.sort(V), X, side=side)
    check("searchsorted", jnp.array([1, 3, 3, 5]), 3, side=side)
    check("searchsorted", jnp.array([1.0, 3.0, jnp.nan]), jnp.array([jnp.nan, 9.0]), side=side)


def test_other_orders():
    assert_same(np.lexsort((V, INT[0] % 2)), jnp.lexsort((V, INT[0] % 2)))
    assert_same(np.flatnonzero(INT), jnp.flatnonzero(INT))


def test_gradients():
    check_gradient(lambda m, x, y: m.sort(x, axis=0) * y, X, Y)


def test_errors():
    with pytest.raises(TypeError, match="sort: there is no such axis"):
        np.sort(X, axis=2)
    with pytest.raises(TypeError, match="searchsorted: unknown side"):
        np.searchsorted(V, V, "middle")
    with pytest.raises(TypeError, match="searchsorted: not one axis"):
        np.searchsorted(CUBE, V)
    with pytest.raises(fn.FnError, match="depends on values"):
        fn.jit(np.flatnonzero)(V)
