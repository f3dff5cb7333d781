"""Matrices with a pattern, and those that have names."""

from __future__ import annotations

from math import comb, log2
from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, canonical_dtype, is_complex, public, type_of
from fn.scipy._arguments import choose, inexact, whole
from fn.xla import fused


def _vectors(name: str, *xs: Any) -> list[Any]:
    """Arrays with an axis of entries, the last."""
    found = [np.atleast_1d(np.asarray(x)) for x in xs]
    stack = np.broadcast_shapes(*[x.shape[:-1] for x in found])
    return [np.broadcast_to(x, (*stack, x.shape[-1])) for x in found]


def _short(name: str, x: Any, least: int) -> None:
    if x.shape[-1] < least:
        raise ArgumentError(
            f"{name}: too few entries", expected=f"at least {least} along the last axis", got=str(type_of(x))
        )  # fmt: skip


def _picked(x: Any, places: Any) -> Any:
    """Entries along the last axis, at places known while tracing."""
    return np.take(x, places, axis=-1)


def _grid(m: int, n: int) -> tuple[Any, Any]:
    return numpy.arange(m)[:, None], numpy.arange(n)[None, :]


@fused()
def toeplitz(c: Any, r: Any = None) -> Any:
    """Matrices that are constant along their diagonals.

    Args:
        c: first columns, an array (…, m).
        r: first rows, an array (…, n), without their first entry; by default the conjugate of `c`.

    >>> from fn.scipy import linalg
    >>> linalg.toeplitz([1, 2]).tolist()
    [[1, 2], [2, 1]]
    """
    if r is None:
        r = np.conj(np.asarray(c))
    c, r = _vectors("toeplitz", c, r)
    m, n = c.shape[-1], r.shape[-1]
    if m == 0 or n == 0:
        return np.zeros((*c.shape[:-1], m, n), np.result_type(c, r))
    i, j = _grid(m, n)
    return _picked(np.concatenate([np.flip(c, -1), r[..., 1:]], axis=-1), m - 1 - i + j)


@fused()
def hankel(c: Any, r: Any = None) -> Any:
    """Matrices that are constant along their other diagonals.

    Args:
        c: first columns, an array (…, m).
        r: last rows, an array (…, n), without their first entry; by default zeros.

    >>> from fn.scipy import linalg
    >>> linalg.hankel([1, 2]).tolist()
    [[1, 2], [2, 0]]
    """
    c = np.asarray(c)
    r = None if r is None else np.asarray(r)
    for x in (c, c if r is None else r):
        if np.ndim(x) == 0:
            raise ArgumentError(
                "hankel: a scalar has no entries", expected="a vector", got=str(type_of(x))
            )
    c, r = _vectors("hankel", c, np.zeros_like(c) if r is None else r)
    m, n = c.shape[-1], r.shape[-1]
    if m == 0 or n == 0:
        return np.zeros((*c.shape[:-1], m, n), np.result_type(c, r))
    i, j = _grid(m, n)
    return _picked(np.concatenate([c, r[..., 1:]], axis=-1), i + j)


@fused()
def circulant(c: Any) -> Any:
    """Matrices each of whose columns is the one before, moved down by one and around.

    >>> from fn.scipy import linalg
    >>> linalg.circulant([1, 2]).tolist()
    [[1, 2], [2, 1]]
    """
    (c,) = _vectors("circulant", c)
    i, j = _grid(c.shape[-1], c.shape[-1])
    return _picked(c, (i - j) % max(c.shape[-1], 1))


@fused()
def leslie(f: Any, s: Any) -> Any:
    """Leslie matrices: fecundities in the first row, survival below the diagonal.

    Args:
        f: an array (…, n), with n from 2 up.
        s: an array (…, n - 1).

    >>> from fn.scipy import linalg
    >>> linalg.leslie([1, 2], [3]).tolist()
    [[1, 2], [3, 0]]
    """
    f, s = _vectors("leslie", f, s)
    _short("leslie", f, 2)
    n = f.shape[-1]
    if s.shape[-1] != n - 1:
        raise ArgumentError(
            "leslie: the lengths do not fit", expected=f"{n - 1} rates of survival", got=str(s.shape[-1])
        )  # fmt: skip
    i, j = _grid(n, n)
    below = _picked(
        np.concatenate([s, np.zeros_like(s[..., :1])], axis=-1), numpy.minimum(j, n - 2) + 0 * i
    )
    return np.where(i == 0, f[..., None, :], np.where(i == j + 1, below, 0))


@fused()
def companion(a: Any) -> Any:
    """Matrices whose eigenvalues are the roots of a polynomial.

    Args:
        a: coefficients from the highest power down, an array (…, n) with n from 2 up.

    >>> from fn.scipy import linalg
    >>> linalg.companion([1.0, -3.0, 2.0]).tolist()
    [[3.0, -2.0], [1.0, 0.0]]
    """
    (a,) = inexact("companion", np.asarray(a))
    (a,) = _vectors("companion", a)
    _short("companion", a, 2)
    n = a.shape[-1] - 1
    i, j = _grid(n, n)
    first = -a[..., 1:] / a[..., :1]
    return np.where(i == 0, first[..., None, :], np.where(i == j + 1, 1.0, 0.0))


@fused()
def fiedler(a: Any) -> Any:
    """The distances of each two numbers of an array (…, n).

    >>> from fn.scipy import linalg
    >>> linalg.fiedler([1, 4]).tolist()
    [[0, 3], [3, 0]]
    """
    (a,) = _vectors("fiedler", a)
    return np.abs(a[..., :, None] - a[..., None, :])


@fused()
def fiedler_companion(a: Any) -> Any:
    """Matrices of five diagonals whose eigenvalues are the roots of a polynomial.

    Args:
        a: coefficients from the highest power down, an array (…, n).

    >>> from fn.scipy import linalg
    >>> linalg.fiedler_companion([1.0, -3.0, 2.0]).tolist()
    [[3.0, -2.0], [1.0, 0.0]]
    """
    (a,) = inexact("fiedler_companion", np.asarray(a))
    (a,) = _vectors("fiedler_companion", a)
    _short("fiedler_companion", a, 1)
    n = a.shape[-1] - 1
    a = a / a[..., :1]
    i, j = _grid(n, n)
    # Which coefficient is where, 0 for none; where there is a 1.
    which = numpy.zeros((n, n), int)
    even = i % 2 == 0
    which = numpy.where((j == i + 1) & even, numpy.minimum(i + 2, n), which)
    which = numpy.where((j == i - 1) & even & (i >= 2), numpy.minimum(i + 1, n), which)
    which = numpy.where((i == 0) & (j == 0), min(1, n), which)
    ones = ((j == i + 2) & even) | ((j == i - 2) & ~even & (i >= 3)) | ((i == 1) & (j == 0))
    return np.where(which > 0, -_picked(a, which), np.where(ones, 1.0, 0.0))


@fused("n", "mode")
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Any:
    """The matrix that convolves vectors of size `n` with `a`.

    Args:
        a: an array (…, m).
        n: size of the vectors.
        mode: "full", "same" or "valid", as in `fn.numpy.convolve`.

    >>> from fn.scipy import linalg
    >>> linalg.convolution_matrix([1, 2], 2).tolist()
    [[1, 0], [2, 1], [0, 2]]
    """
    choose("convolution_matrix", "mode", mode, "full", "valid", "same")
    n = whole("convolution_matrix", "n", n, 1)
    a = np.asarray(a)
    if a.ndim == 0 or a.shape[-1] == 0:
        raise ArgumentError(
            "convolution_matrix: no entries", expected="at least 1 along the last axis", got=str(type_of(a))
        )  # fmt: skip
    m = a.shape[-1]
    cut = min(n, m) - 1
    first = {"full": 0, "same": cut // 2, "valid": cut}[mode]
    last = {"full": 0, "same": cut - cut // 2, "valid": cut}[mode]
    i, j = _grid(m + n - 1 - first - last, n)
    place = i + first - j
    inside = (place >= 0) & (place < m)
    return np.where(inside, _picked(a, numpy.clip(place, 0, m - 1)), 0)


@fused()
def block_diag(*arrs: Any) -> Any:
    """A matrix with these along its diagonal, and zeros elsewhere.

    Args:
        arrs: matrices, vectors (which are rows) or scalars.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.block_diag(np.ones((1, 2)), 3.0).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 3.0]]
    """
    if not arrs:
        return np.zeros((1, 0))
    blocks = [np.atleast_2d(np.asarray(a)) for a in arrs]
    if any(b.ndim > 2 for b in blocks):
        raise ArgumentError(
            "block_diag: a block has too many axes", expected="at most 2",
            got=", ".join([str(type_of(b)) for b in blocks]),
        )  # fmt: skip
    dtype = np.result_type(*blocks)
    width, at, rows = sum(b.shape[1] for b in blocks), 0, []
    for b in blocks:
        after = width - at - b.shape[1]
        rows.append(ops.pad(np.astype(b, dtype), value=0, low=(0, at), high=(0, after)))
        at += b.shape[1]
    return np.concatenate(rows)


# --- matrices that have names -----------------------------------------------------------


def _floating(values: Any) -> Any:
    """An array of the default floating dtype from Python numbers, however large."""
    return np.asarray(numpy.array(values, dtype=object).astype(canonical_dtype(float)))


@public
def hilbert(n: int) -> Any:
    """The Hilbert matrix, `1 / (i + j + 1)`.

    >>> from fn.scipy import linalg
    >>> linalg.hilbert(2)[0].tolist()
    [1.0, 0.5]
    """
    n = whole("hilbert", "n", n)
    return _floating([[1 / (i + j + 1) for j in range(n)] for i in range(n)]).reshape((n, n))


@public
def invhilbert(n: int) -> Any:
    """The inverse of the Hilbert matrix, rounded from exact integers.

    >>> from fn.scipy import linalg
    >>> linalg.invhilbert(2).tolist()
    [[4.0, -6.0], [-6.0, 12.0]]
    """
    n = whole("invhilbert", "n", n)

    def entry(i: int, j: int) -> int:
        s = i + j
        size = (s + 1) * comb(n + i, n - j - 1) * comb(n + j, n - i - 1) * comb(s, i) ** 2
        return -size if s % 2 else size

    return _floating([[entry(i, j) for j in range(n)] for i in range(n)]).reshape((n, n))


def _pascal(n: int, kind: str, sign: int) -> list[list[int]]:
    lower = [[sign ** (i - j) * comb(i, j) if j <= i else 0 for j in range(n)] for i in range(n)]
    upper = [list(column) for column in zip(*lower, strict=True)]
    if kind == "symmetric":
        a, b = (lower, upper) if sign > 0 else (upper, lower)
        return [
            [sum(x * y for x, y in zip(row, column, strict=True)) for column in zip(*b, strict=True)]
            for row in a
        ]  # fmt: skip
    return lower if kind == "lower" else upper


@public
def pascal(n: int, kind: str | None = None) -> Any:
    """The Pascal matrix of binomial coefficients.

    Args:
        n: size.
        kind: "symmetric" (the default), "lower" or "upper".

    >>> from fn.scipy import linalg
    >>> linalg.pascal(3)[2].tolist()
    [1.0, 3.0, 6.0]
    """
    kind = choose("pascal", "kind", kind or "symmetric", "symmetric", "lower", "upper")
    n = whole("pascal", "n", n)
    return _floating(_pascal(n, kind, 1)).reshape((n, n))


@public
def invpascal(n: int, kind: str | None = None) -> Any:
    """The inverse of the Pascal matrix.

    >>> from fn.scipy import linalg
    >>> linalg.invpascal(2).tolist()
    [[2.0, -1.0], [-1.0, 1.0]]
    """
    kind = choose("invpascal", "kind", kind or "symmetric", "symmetric", "lower", "upper")
    n = whole("invpascal", "n", n)
    return _floating(_pascal(n, kind, -1)).reshape((n, n))


@public
def helmert(n: int, full: bool = False) -> Any:
    """The Helmert matrix: orthonormal rows that sum to 0.

    Args:
        n: columns.
        full: with the row of equal entries in front, which makes it orthogonal.

    >>> from fn.scipy import linalg
    >>> linalg.helmert(3).shape
    (2, 3)
    """
    n = whole("helmert", "n", n, 1)
    i, j = _grid(n, n)
    width = numpy.sqrt(numpy.maximum(i * (i + 1.0), 1.0))
    rows = numpy.where(j < i, 1.0, numpy.where(j == i, -1.0 * i, 0.0)) / width
    rows[0] = n**-0.5
    return np.asarray((rows if full else rows[1:]).astype(canonical_dtype(float)))


@public
def hadamard(n: int, dtype: Any = int) -> Any:
    """The Hadamard matrix of orthogonal rows of 1 and -1, for `n` a power of 2.

    >>> from fn.scipy import linalg
    >>> linalg.hadamard(2).tolist()
    [[1, 1], [1, -1]]
    """
    n = whole("hadamard", "n", n, 1)
    if not log2(n).is_integer():
        raise ArgumentError("hadamard: n is no power of 2", expected="1, 2, 4, 8, ...", got=str(n))
    found = numpy.ones((1, 1), int)
    while len(found) < n:
        found = numpy.block([[found, found], [found, -found]])
    return np.asarray(found.astype(canonical_dtype(dtype)))


@public
def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Any:
    """The matrix of the discrete Fourier transform.

    Args:
        n: size.
        scale: None, "sqrtn" for a unitary matrix, or "n".
        dtype: a complex dtype.

    >>> from fn.scipy import linalg
    >>> linalg.dft(2).real.tolist()
    [[1.0, 1.0], [1.0, -1.0]]
    """
    choose("dft", "scale", scale, None, "sqrtn", "n")
    n, kind = whole("dft", "n", n), canonical_dtype(complex if dtype is None else dtype)
    if not is_complex(kind):
        raise ArgumentError(
            "dft: not a complex dtype", expected="complex64 or complex128", got=str(kind)
        )
    i, j = _grid(n, n)
    turns = (i * j) % max(n, 1) / max(n, 1)  # reduced before it is rounded
    found = (
        numpy.exp(-2j * numpy.pi * turns)
        / {None: 1.0, "sqrtn": max(n, 1) ** 0.5, "n": max(n, 1)}[scale]
    )
    return np.asarray(found.astype(kind))
