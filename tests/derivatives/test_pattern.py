"""Patterns and sparse matrices: made from many things, and used as matrices."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn.derivatives import Pattern, SparseMatrix

DENSE = np.array([[1.0, 0, 2, 0], [0, 0, 0, 3], [4, 5, 0, 0]], np.float32)
PATTERN = Pattern.of(DENSE)
MATRIX = SparseMatrix(jnp.asarray(DENSE[DENSE != 0]), PATTERN)


class Coo:
    """What SciPy's matrices look like from here."""

    def __init__(self):
        self.row, self.col, self.shape = *np.nonzero(DENSE), DENSE.shape

    def tocoo(self):
        return self


def test_patterns_are_values():
    assert str(PATTERN) == "#.#.\n...#\n##.."
    assert repr(PATTERN) == "Pattern(3×4, 5 entries)"
    same = Pattern([2, 2, 1, 0, 0, 0], [1, 0, 3, 2, 0, 0], (3, 4))
    assert same == PATTERN and hash(same) == hash(PATTERN) and PATTERN != PATTERN.T
    assert Pattern.of(DENSE != 0) == Pattern.of(MATRIX) == Pattern.of(Coo()) == PATTERN
    np.testing.assert_array_equal(PATTERN.T.todense(), (DENSE != 0).T)
    block, at = PATTERN.block(slice(1, 3), slice(1, 4))
    np.testing.assert_array_equal(block.todense(), DENSE[1:, 1:] != 0)
    np.testing.assert_array_equal(DENSE[DENSE != 0][at], [3, 5])
    assert str(Pattern([], [], (200, 200))) == "Pattern(200×200, 0 entries)"


@pytest.mark.parametrize(
    ("rows", "cols", "words"),
    [
        ([0, 3], [0, 0], "rows do not fit"),
        ([0], [-1], "cols do not fit"),
        ([0, 1], [0], "do not fit"),
    ],
)
def test_entries_outside(rows, cols, words):
    with pytest.raises(fn.FnError, match=words):
        Pattern(rows, cols, (3, 4))


def test_only_matrices_have_patterns():
    with pytest.raises(fn.FnError, match=r"(?s)not a matrix.*two axes.*\(3,\)"):
        Pattern.of(np.ones(3))


def test_it_is_that_matrix():
    v, w = np.arange(4, dtype=np.float32), np.arange(8, dtype=np.float32).reshape(4, 2)
    np.testing.assert_array_equal(MATRIX.todense(), DENSE)
    np.testing.assert_array_equal(MATRIX.T.todense(), DENSE.T)
    np.testing.assert_array_equal(MATRIX @ v, DENSE @ v)
    np.testing.assert_array_equal(MATRIX @ w, DENSE @ w)
    np.testing.assert_array_equal(MATRIX.T @ v[:3], DENSE.T @ v[:3])
    assert (MATRIX @ np.arange(4)).dtype == np.float32
    assert MATRIX.shape == (3, 4) and MATRIX.dtype == np.float32
    assert repr(MATRIX) == "SparseMatrix(3×4, 5 entries, float32)"
    np.testing.assert_array_equal(MATRIX.rows, PATTERN.rows)
    for wrong in (v[:3], np.ones((3, 2)), np.float32(1)):
        with pytest.raises(fn.FnError, match=r"(?s)sizes do not fit.*4 elements"):
            MATRIX @ wrong


def test_it_passes_through_transforms():
    v = np.arange(4, dtype=np.float32)
    doubled = fn.jit(lambda m: jax.tree.map(lambda x: 2 * x, m))(MATRIX)
    assert doubled.pattern == PATTERN
    np.testing.assert_array_equal(doubled.todense(), 2 * DENSE)
    ct = fn.grad(lambda m: (m @ v)[0])(MATRIX)
    np.testing.assert_array_equal(ct.todense(), [[0, 0, 2, 0], [0] * 4, [0] * 4])
    stack = SparseMatrix(fnp.stack([MATRIX.data, -MATRIX.data]), PATTERN)
    assert stack.shape == (2, 3, 4)
    np.testing.assert_array_equal(stack.todense(), [DENSE, -DENSE])
    np.testing.assert_array_equal(stack @ np.stack([v, v]), [DENSE @ v, -DENSE @ v])
    np.testing.assert_array_equal(stack.T.todense()[1], -DENSE.T)
    np.testing.assert_array_equal(fn.vmap(lambda m: m @ v)(stack), [DENSE @ v, -DENSE @ v])
    wide = np.stack([np.eye(4, dtype=np.float32)] * 2)
    np.testing.assert_array_equal(stack @ wide, stack.todense())
