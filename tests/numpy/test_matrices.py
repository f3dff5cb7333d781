import jax.numpy as jnp
import pytest

import fn.numpy as np
from tests.numpy.compare import BOOL, CUBE, V, X, assert_same, check, check_gradient


@pytest.mark.parametrize("args", [(3,), (2, 4), (3, 4, 1), (3, 2, -1), (2, 2, 5)], ids=str)
@pytest.mark.parametrize("name", ["eye", "tri"])
def test_ones(name, args):
    assert_same(getattr(np, name)(*args), getattr(jnp, name)(*args))
    assert_same(np.identity(3, int), jnp.identity(3, int))


@pytest.mark.parametrize("k", [0, 1, -2])
@pytest.mark.parametrize("name", ["tril", "triu"])
def test_triangles(name, k):
    check(name, X, k)
    check(name, CUBE, k)


@pytest.mark.parametrize("k", [0, 1, -1, 3, -3, 9])
def test_diagonals(k):
    check("diagonal", X, k)
    check("diagonal", CUBE, k, axis1=2, axis2=0)
    check("diag", X, k)
    check("diag", V, k)
    check("trace", X, k)


def test_diag_of_booleans_and_of_many_axes():
    check("diag", BOOL[0])
    check("diagflat", X[:2, :2])


def test_gradients():
    check_gradient(
        lambda m, x, v: m.diag(v)[:3] + m.tril(x) + m.diagonal(x)[:, None] * m.trace(x), X, V
    )


def test_errors():
    with pytest.raises(TypeError, match=r"diagonal: no matrix\n.*two axes\n.*\(4,\)"):
        np.diagonal(V)
    with pytest.raises(TypeError, match="triu: no matrix"):
        np.triu(V)
    with pytest.raises(TypeError, match="diag: neither vector nor matrix"):
        np.diag(CUBE)
