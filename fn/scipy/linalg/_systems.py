"""Factorizations, and linear systems solved with them."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.control import fori_loop
from fn.core import ArgumentError, is_complex, type_of
from fn.scipy._arguments import choose, inexact
from fn.xla import fused


def matrices(name: str, *xs: Any, square: bool = True) -> list[Any]:
    """Matrices of one floating or complex dtype."""
    found = [np.asarray(x) for x in inexact(name, *xs)]
    for x in found:
        if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
            raise ArgumentError(
                f"{name}: not a {'square ' if square else ''}matrix", got=str(type_of(x)),
                expected="an array (..., n, n)" if square else "an array (..., m, n)",
            )  # fmt: skip
    return found


def H(x: Any) -> Any:
    """Conjugate transposes."""
    x = np.swapaxes(x, -1, -2)
    return np.conj(x) if is_complex(x.dtype) else x


def real_part_if(x: Any, like: Any) -> Any:
    """Without the imaginary part, if the argument was real."""
    return x if is_complex(like.dtype) else np.real(x)


def _stack(name: str, a: Any, b: Any) -> tuple[Any, Any, bool]:
    """A matrix and right-hand sides with equal leading axes; and whether `b` is vectors.

    It is where it has one axis, or one less than the matrices and their number of rows as its last.
    """
    vectors = b.ndim == 1 or (a.ndim == b.ndim + 1 and b.shape[-1] == a.shape[-1])
    b = b[..., None] if vectors else b
    if b.shape[-2] != a.shape[-1]:
        raise ArgumentError(
            f"{name}: the right-hand sides do not fit the matrix", got=f"{type_of(a)} and {type_of(b)}",
            expected="as many rows of b as columns of a",
        )  # fmt: skip
    stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*stack, *a.shape[-2:]))
    return a, np.broadcast_to(b, (*stack, *b.shape[-2:])), vectors


# --- triangular systems -----------------------------------------------------------------


@fused("trans", "lower", "unit_diagonal", "overwrite_b", "debug", "check_finite")
def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Any:
    """`x` with `op(a) x = b` for triangular `a`.

    Args:
        a: array (…, n, n), of which one triangle is read.
        b: a vector (n,), or matrices (…, n, k); leading axes broadcast.
        trans: what `op` is: 0 or "N" nothing, 1 or "T" the transpose, 2 or "C" the conjugate transpose.
        lower: whether the lower triangle is read.
        unit_diagonal: take the diagonal for ones.
        overwrite_b, debug, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.solve_triangular(np.array([[2., 1.], [0., 4.]]), np.array([4., 4.])).tolist()
    [1.5, 1.0]
    """
    choose("solve_triangular", "trans", trans, 0, 1, 2, "N", "T", "C")
    a, b = inexact("solve_triangular", a, b)
    (a,) = matrices("solve_triangular", a)
    a, b, vectors = _stack("solve_triangular", a, np.asarray(b))
    x = ops.triangular_solve(
        a, b, left_side=True, lower=lower, unit_diagonal=unit_diagonal,
        transpose_a=trans not in (0, "N"), conjugate_a=trans in (2, "C"),
    )  # fmt: skip
    return x[..., 0] if vectors else x


# --- cholesky ---------------------------------------------------------------------------


@fused("lower", "overwrite_a", "check_finite")
def cholesky(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The triangular factor of positive definite matrices; NaN for others.

    Args:
        a: Hermitian array (…, n, n), of which the triangle of the result is read.
        lower: whether the result is `l` with `l l^H = a`, or `u` with `u^H u = a`.
        overwrite_a, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.cholesky(np.array([[4., 2.], [2., 2.]])).tolist()
    [[2.0, 1.0], [0.0, 1.0]]
    """
    (a,) = matrices("cholesky", a)
    return ops.cholesky(a) if lower else H(ops.cholesky(H(a)))


def cho_factor(
    a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Any, bool]:
    """`cholesky(a, lower)` and `lower`, for `cho_solve`.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.cho_factor(np.array([[4.]]))[1]
    False
    """
    return cholesky(a, lower), lower


def cho_solve(
    c_and_lower: tuple[Any, bool], b: Any, overwrite_b: bool = False, check_finite: bool = True
) -> Any:
    """`x` with `a x = b`, for the factor that `cho_factor(a)` gives.

    Args:
        c_and_lower: what `cho_factor` gives.
        b: a vector (n,), or matrices (…, n, k); leading axes broadcast.
        overwrite_b, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.cho_solve(linalg.cho_factor(np.array([[4.]])), np.array([8.])).tolist()
    [2.0]
    """
    c, lower = c_and_lower
    return _cho_solve(c, b, bool(lower))


@fused("lower")
def _cho_solve(c: Any, b: Any, lower: bool) -> Any:
    c, b = inexact("cho_solve", c, b)
    (c,) = matrices("cho_solve", c)
    c, b, vectors = _stack("cho_solve", c, np.asarray(b))
    for backwards in (not lower, lower):
        b = ops.triangular_solve(
            c, b, left_side=True, lower=lower, transpose_a=backwards, conjugate_a=backwards
        )
    return b[..., 0] if vectors else b


# --- lu ---------------------------------------------------------------------------------


@fused("overwrite_a", "check_finite")
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """The lu factors in one matrix, and for each row the one it was swapped with, for `lu_solve`.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.lu_factor(np.array([[1., 0.], [2., 1.]]))[1].tolist()
    [1, 1]
    """
    (a,) = matrices("lu_factor", a, square=False)
    packed, pivots, _ = ops.lu(a)
    return packed, pivots


@fused("trans")
def lu_solve(
    lu_and_piv: tuple[Any, Any],
    b: Any,
    trans: int = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """`x` with `op(a) x = b`, for the factors that `lu_factor(a)` gives.

    Args:
        lu_and_piv: what `lu_factor` gives.
        b: a vector (n,), or matrices (…, n, k); leading axes broadcast.
        trans: what `op` is: 0 nothing, 1 the transpose, 2 the conjugate transpose.
        overwrite_b, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.lu_solve(linalg.lu_factor(np.array([[4.]])), np.array([8.])).tolist()
    [2.0]
    """
    choose("lu_solve", "trans", trans, 0, 1, 2)
    packed, b = inexact("lu_solve", lu_and_piv[0], b)
    (packed,) = matrices("lu_solve", packed)
    packed, b, vectors = _stack("lu_solve", packed, np.asarray(b))
    order = np.broadcast_to(_permutation(np.asarray(lu_and_piv[1])), b.shape[:-1])
    solve = ops.triangular_solve
    if trans == 0:
        b = np.take_along_axis(b, order[..., None], axis=-2)
        b = solve(packed, b, left_side=True, lower=True, unit_diagonal=True)
        x = solve(packed, b, left_side=True)
    else:
        how = {"left_side": True, "transpose_a": True, "conjugate_a": trans == 2}
        b = solve(packed, b, **how)
        b = solve(packed, b, lower=True, unit_diagonal=True, **how)
        x = np.take_along_axis(b, np.argsort(order, axis=-1)[..., None], axis=-2)
    return x[..., 0] if vectors else x


def _permutation(pivots: Any) -> Any:
    """The order of rows that swapping row after row comes to."""
    n = pivots.shape[-1]
    rows = np.broadcast_to(np.arange(n), pivots.shape)

    def swap(i: Any, rows: Any) -> Any:
        at = np.arange(n) == i
        other = np.take(pivots, i, axis=-1)[..., None]
        there = np.arange(n) == other
        mine = np.take(rows, i, axis=-1)[..., None]
        theirs = np.take_along_axis(rows, np.astype(other, rows.dtype), axis=-1)
        return np.where(at, theirs, np.where(there, mine, rows))

    return fori_loop(0, n, swap, rows)


@fused("permute_l", "overwrite_a", "check_finite")
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """`p`, `l`, `u` with `p l u = a`: a permutation, ones on the diagonal of `l`, and triangles.

    Args:
        a: array (…, m, n).
        permute_l: give `p l` and `u` instead.
        overwrite_a, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> p, l, u = linalg.lu(np.array([[1., 0.], [2., 1.]]))
    >>> (p @ l @ u).tolist()
    [[1.0, 0.0], [2.0, 1.0]]
    """
    (a,) = matrices("lu", a, square=False)
    packed, _, order = ops.lu(a)
    m, n = a.shape[-2:]
    k = min(m, n)
    lower = np.tril(packed, -1)[..., :k] + np.eye(m, k, dtype=a.dtype)
    upper = np.triu(packed)[..., :k, :]
    p = np.astype(order[..., None, :] == np.arange(m)[:, None], np.real(a).dtype)
    return (np.matmul(p, lower), upper) if permute_l else (p, lower, upper)


# --- general systems --------------------------------------------------------------------


@fused("lower", "overwrite_a", "overwrite_b", "debug", "check_finite", "assume_a")
def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Any:
    """`x` with `a x = b`.

    Args:
        a: array (…, n, n).
        b: a vector (n,), or matrices (…, n, k).
        lower: which triangle is read, with `assume_a="pos"`.
        overwrite_a, overwrite_b, debug, check_finite: without meaning here.
        assume_a: "pos" for positive definite matrices, which saves half of the work; "gen", "sym" and
            "her" are solved alike.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.solve(np.array([[2., 0.], [0., 4.]]), np.array([2., 2.])).tolist()
    [1.0, 0.5]
    """
    choose("solve", "assume_a", assume_a, "gen", "sym", "her", "pos")
    if assume_a != "pos":
        return np.linalg.solve(a, b)
    a, b = inexact("solve", a, b)
    return _cho_solve(cholesky(a, lower), b, lower)


@fused("overwrite_a", "check_finite")
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Determinants: `fn.numpy.linalg.det`.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> float(linalg.det(2 * np.eye(2)))
    4.0
    """
    return np.linalg.det(a)


@fused("overwrite_a", "check_finite")
def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Inverse matrices: `fn.numpy.linalg.inv`.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.inv(2 * np.eye(1)).tolist()
    [[0.5]]
    """
    return np.linalg.inv(a)
