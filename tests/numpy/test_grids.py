import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import V, X, assert_same

PICK = numpy.array([0, 3, 5, 1, 4], numpy.int32)


@pytest.mark.parametrize("args", [(3,), (3, 1, 4), (4, -1, 2)])
def test_triangles(args):
    for name in ("tril_indices", "triu_indices"):
        assert_same(getattr(np, name)(*args), getattr(jnp, name)(*args))
        assert_same(getattr(np, name + "_from")(X), getattr(jnp, name + "_from")(X))


def test_diagonals_and_masks():
    assert_same(np.diag_indices(3, 3), jnp.diag_indices(3, 3))
    assert_same(np.diag_indices_from(X[:, :3]), jnp.diag_indices_from(X[:, :3]))
    assert_same(np.mask_indices(3, np.triu, 1), jnp.mask_indices(3, jnp.triu, 1))


def test_flat_and_per_axis():
    def indices(m, i):
        a, b = m.unravel_index(i, (2, 3))
        return (
            a,
            b,
            m.ravel_multi_index((a, b), (2, 3), mode="clip"),
            m.unravel_index(-i - 1, (2, 3)),
        )

    assert_same(fn.jit(lambda i: indices(np, i))(PICK), indices(jnp, jnp.asarray(PICK)))
    for mode, order in (("wrap", "C"), ("clip", "F")):
        assert_same(
            np.ravel_multi_index((PICK, PICK), (2, 3), mode, order),
            jnp.ravel_multi_index((jnp.asarray(PICK),) * 2, (2, 3), mode, order),
        )
    assert int(np.ravel_multi_index((1, 2), (2, 3))) == 5


def test_ix():
    masks = numpy.array([1, 0]), numpy.array([True, False, True, True])
    numpy.testing.assert_array_equal(
        fn.jit(lambda x: x[np.ix_(*masks)])(X), numpy.asarray(X)[numpy.ix_(*masks)]
    )


@pytest.mark.parametrize("key", [numpy.s_[0:3, 1:4], numpy.s_[0:1:5j], numpy.s_[0:4:2], numpy.s_[0:1:3j, 2:4]], ids=str)  # fmt: skip
def test_grids(key):
    assert_same(np.mgrid[key], jnp.mgrid[key])
    assert_same(np.ogrid[key], jnp.ogrid[key])


@pytest.mark.parametrize(
    "key",
    [
        numpy.s_[1:4, 0, V], numpy.s_["0,2", PICK, PICK], numpy.s_["0,2,0", PICK, PICK], numpy.s_["1,2,0", PICK, PICK],
        numpy.s_[0:1:3j, 5.0], numpy.s_["-1", X, X],
    ],
    ids=["mixed", "rows", "columns", "side", "points", "last"],
)  # fmt: skip
def test_joining_by_index(key):
    assert_same(np.r_[key], jnp.r_[key])


def test_columns_and_indices_for_later():
    assert_same(np.c_[V, V], jnp.c_[V, V])
    assert_same(np.c_[X, X], jnp.c_[X, X])
    assert np.s_[1:, ::2] == (slice(1, None), slice(None, None, 2))
    assert np.index_exp[3] == (3,)
    assert [repr(i) for i in (np.mgrid, np.r_, np.s_)] == ["mgrid", "r_", "s_"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.tril_indices_from(V), "tril_indices_from: not a matrix"),
        (lambda: np.diag_indices_from(X), "diag_indices_from: no diagonal"),
        (lambda: np.unravel_index(V, (2, 2)), "unravel_index: not integers"),
        (
            lambda: np.ravel_multi_index((PICK, PICK), (2, 3)),
            "ravel_multi_index: an index is out of bounds",
        ),
        (
            lambda: fn.jit(lambda i: np.ravel_multi_index((i, i), (9, 9)))(PICK),
            "ravel_multi_index: traced indices(.|\n)*mode='clip'",
        ),
        (
            lambda: np.ravel_multi_index((PICK,), (9, 9)),
            "ravel_multi_index: the arguments do not fit",
        ),
        (lambda: np.ravel_multi_index((PICK,), (9,), "no"), "ravel_multi_index: unknown mode"),
        (lambda: np.ix_(X), "ix_: an index has not one axis"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
