"""Colourings are valid, as few colours as theory has it, and quick on large matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fn.derivatives import Pattern
from fn.derivatives._colouring import colour_columns, colour_symmetric


def band(n, *offsets):
    rows, cols = np.divmod(np.arange(n * len(offsets)), len(offsets))
    cols = rows + np.array(offsets)[cols]
    inside = (cols >= 0) & (cols < n)
    return Pattern(rows[inside], cols[inside], (n, n))


def arrowhead(n):
    i = np.arange(n)
    return Pattern(np.r_[i, i, i * 0], np.r_[i, i * 0, i], (n, n))


def grid(n, wide):
    """The five-point stencil, or that of nine points."""
    at = np.arange(n * n).reshape(n, n)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if wide or a * b == 0]
    pairs = [
        (at[max(a, 0) : n + min(a, 0), max(b, 0) : n + min(b, 0)],
         at[max(-a, 0) : n + min(-a, 0), max(-b, 0) : n + min(-b, 0)]) for a, b in steps
    ]  # fmt: skip
    rows, cols = (np.concatenate([p[k].ravel() for p in pairs]) for k in (0, 1))
    return Pattern(rows, cols, (n * n, n * n))


def count(colours):
    return int(colours.max(initial=-1)) + 1


def check_columns(pattern, colours):
    dense = pattern.todense()
    for c in range(count(colours)):
        assert (dense[:, colours == c].sum(1) <= 1).all()
    assert ((colours >= 0) == dense.any(0)).all()


def check_star(pattern, colours):
    """Each entry is alone in its row among its colour, or its mirror image is."""
    alone = np.zeros(pattern.shape, bool)
    dense = pattern.todense()
    for c in range(count(colours)):
        part = dense & (colours == c)
        alone |= part & (part.sum(1, keepdims=True) == 1)
    assert (alone | alone.T)[dense].all()


@pytest.mark.parametrize(
    ("pattern", "columns", "symmetric"),
    [
        (band(50, -1, 0, 1), 3, 3),
        (band(50, -2, -1, 0, 1, 2), 5, 5),
        (band(50, 0), 1, 1),
        (arrowhead(50), 50, 2),
        (grid(9, wide=False), 8, 7),
        (grid(9, wide=True), 9, 9),
        (Pattern(*np.nonzero(np.kron(np.eye(6), np.ones((4, 4)))), (24, 24)), 4, 4),
        (Pattern([], [], (3, 3)), 0, 0),
    ],
    ids=["tridiagonal", "pentadiagonal", "diagonal", "arrowhead", "5 points", "9 points", "blocks", "0"],
)  # fmt: skip
def test_few_colours(pattern, columns, symmetric):
    found, star = colour_columns(pattern), colour_symmetric(pattern)
    check_columns(pattern, found)
    check_star(pattern, star)
    assert count(found) <= columns
    assert count(star) <= symmetric


@given(st.data())
def test_any_pattern(data):
    m, n = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    entries = st.frozensets(st.tuples(st.integers(0, m - 1), st.integers(0, n - 1)), max_size=20)
    found = data.draw(entries)
    rows, cols = (np.array([e[k] for e in found], int) for k in (0, 1))
    pattern = Pattern(rows, cols, (m, n))
    check_columns(pattern, colour_columns(pattern))
    size = max(m, n)
    square = Pattern(np.r_[rows, cols], np.r_[cols, rows], (size, size))
    check_star(square, colour_symmetric(square))


def test_large_matrices_are_coloured_at_once():
    # Tens of milliseconds; an algorithm quadratic in the size would take minutes.
    assert count(colour_columns(band(30_000, -1, 0, 1))) == 3
    assert count(colour_symmetric(arrowhead(30_000))) == 2
    dense = Pattern(*np.indices((300, 300)), (300, 300))
    assert count(colour_columns(dense)) == 300
