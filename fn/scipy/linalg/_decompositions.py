"""Orthogonal and spectral decompositions."""

from __future__ import annotations

from typing import Any

import fn.numpy as np
from fn import ops
from fn.control import custom_jvp, fori_loop
from fn.core import ArgumentError, is_complex, type_of
from fn.scipy._arguments import choose, inexact
from fn.scipy.linalg._systems import H, cholesky, matrices
from fn.xla import fused

# --- qr ---------------------------------------------------------------------------------


@fused("overwrite_a", "lwork", "mode", "pivoting", "check_finite")
def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """`q` with orthonormal columns and triangular `r`, with `q r = a`.

    Args:
        a: array (…, m, n).
        overwrite_a, lwork, check_finite: without meaning here.
        mode: "full" for m columns of `q`, "economic" for min(m, n), "r" for `r` alone.
        pivoting: take the columns of `a` in the order that makes the diagonal of `r` fall, and give that
            order as well: `q r = a[:, p]`.

    Returns:
        A tuple: of `q`, unless it is left out; `r`; and `p` with `pivoting`.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> q, r = linalg.qr(np.array([[3.], [4.]]), mode="economic")
    >>> [abs(round(float(x), 3)) for x in (q[0, 0], r[0, 0])]
    [0.6, 5.0]
    """
    choose("qr", "mode", mode, "full", "r", "economic")
    (a,) = matrices("qr", a, square=False)
    order: tuple[Any, ...] = ()
    if pivoting:
        a, order = _pivoted(a)
    q, r = ops.qr(a, full_matrices=mode != "economic")
    return ((r,) if mode == "r" else (q, r)) + order


def _pivoted(a: Any) -> tuple[Any, tuple[Any]]:
    order = ops.qr_order(ops.stop_gradient(a))
    return np.take_along_axis(a, order[..., None, :], axis=-1), (order,)


@fused("mode", "pivoting", "conjugate", "overwrite_a", "overwrite_c")
def qr_multiply(
    a: Any,
    c: Any,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> Any:
    """`c q` or `q c`, and `r`, for the qr factors of `a`.

    Args:
        a: array (…, m, n), with k = min(m, n).
        c: for "right" an array (…, l, m); for "left" (…, k, l); or a vector.
        mode: "right" for `c q`, "left" for `q c`.
        pivoting: as in `qr`, which adds the order of the columns to the result.
        conjugate: take the conjugate of `q`.
        overwrite_a, overwrite_c: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.qr_multiply(np.eye(3)[:, :2], np.ones((1, 3)))[0].shape
    (1, 2)
    """
    choose("qr_multiply", "mode", mode, "right", "left")
    a, c = inexact("qr_multiply", a, c)
    (a,), c = matrices("qr_multiply", a, square=False), np.asarray(c)
    order: tuple[Any, ...] = ()
    if pivoting:
        a, order = _pivoted(a)
    q, r = ops.qr(a, full_matrices=False)
    q = np.conj(q) if conjugate and is_complex(q.dtype) else q
    vector = c.ndim == 1
    c = (c[None, :] if mode == "right" else c[:, None]) if vector else c
    if c.shape[-1 if mode == "right" else -2] != q.shape[-2 if mode == "right" else -1]:
        raise ArgumentError(
            "qr_multiply: the factors do not fit", got=f"{type_of(c)} beside q of shape {q.shape}",
            expected="c with as many columns as q has rows" if mode == "right" else "c with as many rows as q has columns",
        )  # fmt: skip
    out = np.matmul(c, q) if mode == "right" else np.matmul(q, c)
    return (np.ravel(out) if vector else out, r, *order)


# --- singular values, eigenvalues -------------------------------------------------------


@fused("full_matrices", "compute_uv", "overwrite_a", "check_finite", "lapack_driver")
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """Singular values, falling, and vectors: `u`, `s`, `vh` with `u diag(s) vh = a`.

    Args:
        a: array (…, m, n).
        full_matrices: all m columns of `u` and n rows of `vh`, instead of min(m, n).
        compute_uv: whether the vectors are wanted.
        overwrite_a, check_finite, lapack_driver: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.svd(np.diag(np.array([2., 3.])), compute_uv=False).tolist()
    [3.0, 2.0]
    """
    (a,) = matrices("svd", a, square=False)
    found = np.linalg.svd(a, full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(found) if compute_uv else found


@fused(
    "lower",
    "eigvals_only",
    "overwrite_a",
    "overwrite_b",
    "turbo",
    "eigvals",
    "type",
    "check_finite",
)
def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """Eigenvalues of Hermitian matrices, rising, and eigenvectors; of two matrices too.

    Args:
        a: Hermitian array (…, n, n).
        b: positive definite array (…, n, n).
        lower: which triangle of `a` is read, if it is alone.
        eigvals_only: leave the vectors out.
        eigvals: not taken: slice the result.
        type: with `b`: 1 for `a v = w b v`, 2 for `a b v = w v`, 3 for `b a v = w v`.
        overwrite_a, overwrite_b, turbo, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.eigh(np.diag(np.array([3., 2.])), eigvals_only=True).tolist()
    [2.0, 3.0]
    """
    choose("eigh", "type", type, 1, 2, 3)
    if eigvals is not None:
        raise ArgumentError(
            "eigh: eigvals= is not taken",
            expected="None",
            got=repr(eigvals),
            fix="slice the result",
        )
    if b is None:
        (a,) = matrices("eigh", a)
        w, v = ops.eigh(a if lower else H(a))
        return w if eigvals_only else (w, v)
    a, b = matrices("eigh", a, b)
    stack = np.broadcast_shapes(a.shape, b.shape)
    a, factor = np.broadcast_to((a + H(a)) / 2, stack), cholesky(np.broadcast_to(b, stack), True)
    half = ops.triangular_solve
    if type == 1:
        c = half(factor, a, left_side=True, lower=True)
        c = half(factor, c, lower=True, transpose_a=True, conjugate_a=True)
    else:
        c = np.matmul(np.matmul(H(factor), a), factor)
    w, v = ops.eigh(c)
    if eigvals_only:
        return w
    if type == 3:
        return w, np.matmul(factor, v)
    return w, half(factor, v, left_side=True, lower=True, transpose_a=True, conjugate_a=True)


@fused("eigvals_only", "select", "select_range")
def eigh_tridiagonal(
    d: Any,
    e: Any,
    *,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[int, int] | None = None,
    tol: float | None = None,
    key: Any = None,
) -> Any:
    """Eigenvalues of Hermitian tridiagonal matrices, rising, and eigenvectors in columns.

    Args:
        d: diagonal, a real vector (n,).
        e: the subdiagonal, a vector (n - 1,).
        eigvals_only: leave the vectors out.
        select: "a" for all, or "i" for those with numbers in `select_range`.
        select_range: the first and the last number, from 0.
        tol, key: without meaning here: the matrix is made and decomposed as any other, so that there are
            derivatives.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.eigh_tridiagonal(np.array([1., 2.]), np.zeros(1), eigvals_only=True).tolist()
    [1.0, 2.0]
    """
    choose("eigh_tridiagonal", "select", select, "a", "i")
    d, e = (np.asarray(x) for x in inexact("eigh_tridiagonal", d, e))
    if d.ndim != 1 or e.shape != (max(d.shape[0] - 1, 0),):
        raise ArgumentError(
            "eigh_tridiagonal: the diagonals do not fit together", expected="vectors (n,) and (n - 1,)",
            got=f"{type_of(d)} and {type_of(e)}",
        )  # fmt: skip
    first, last = (0, d.shape[0] - 1) if select == "a" else _range(select_range, d.shape[0])
    w, v = ops.eigh(np.diag(d) + np.diag(e, -1) + np.conj(np.diag(e, 1)))
    w, v = w[first : last + 1], v[:, first : last + 1]
    return w if eigvals_only else (w, v)


def _range(given: Any, n: int) -> tuple[int, int]:
    if given is None or len(given) != 2 or not 0 <= given[0] <= given[1] < n:
        raise ArgumentError(
            'eigh_tridiagonal: select="i" needs a range', expected=f"(first, last), from 0 to {n - 1}", got=repr(given)
        )  # fmt: skip
    return int(given[0]), int(given[1])


# --- Schur and Hessenberg form ----------------------------------------------------------


@fused("output")
def schur(a: Any, output: str = "real") -> tuple[Any, Any]:
    """`t` and unitary `z` with `z t z^H = a`. There are no derivatives.

    Args:
        a: array (…, n, n).
        output: "real": for real `a`, `t` is triangular but for 2 by 2 blocks of complex eigenvalues;
            "complex": it is triangular and complex.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.schur(np.array([[1., 2.], [0., 3.]]))[0].shape
    (2, 2)
    """
    choose("schur", "output", output, "real", "complex")
    (a,) = matrices("schur", a)
    return ops.schur(a + 0j if output == "complex" and not is_complex(a.dtype) else a)


@fused("calc_q", "overwrite_a", "check_finite")
def hessenberg(
    a: Any, *, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """`h`, 0 below its first subdiagonal, with `q h q^H = a` for a unitary `q`. There are no derivatives.

    Args:
        a: array (…, n, n).
        calc_q: give `q` as well.
        overwrite_a, check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.hessenberg(np.eye(3)).shape
    (3, 3)
    """
    (a,) = matrices("hessenberg", a)
    h, q = ops.hessenberg(a)
    return (h, q) if calc_q else h


@fused("check_finite")
def rsf2csf(T: Any, Z: Any, check_finite: bool = True) -> Any:
    """The complex Schur form of a matrix from its real one.

    Args:
        T, Z: what `schur` gives, arrays (…, n, n).
        check_finite: without meaning here.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> T, Z = linalg.rsf2csf(*linalg.schur(np.array([[0., 1.], [-1., 0.]])))
    >>> bool(np.allclose(Z @ T @ Z.conj().T, np.array([[0., 1.], [-1., 0.]]), atol=1e-5))
    True
    """
    T, Z = matrices("rsf2csf", T, Z)
    if T.shape[-1] != Z.shape[-1]:
        raise ArgumentError(
            "rsf2csf: the matrices do not fit together", expected="equal sizes",
            got=f"{type_of(T)} and {type_of(Z)}",
        )  # fmt: skip
    T, Z = (np.astype(x, np.result_type(x, np.complex64)) for x in (T, Z))
    return np.vectorize(_triangular, signature="(n,n),(n,n)->(n,n),(n,n)")(T, Z)


def _triangular(T: Any, Z: Any) -> Any:
    n = T.shape[-1]
    place = np.arange(n)

    def turn(i: Any, state: Any) -> Any:
        T, Z = state
        m = n - 1 - i
        # The block of rows and columns m - 1 and m, made triangular by a rotation.
        low, high = place == m - 1, place == m
        a, b, c, d = (
            np.sum(np.where(r[:, None] & s, T, 0.0))
            for r, s in ((low, low), (low, high), (high, low), (high, high))
        )
        half = (a - d) / 2
        mu = half + np.sqrt(half * half + b * c)
        size = np.sqrt(np.abs(mu) ** 2 + np.abs(c) ** 2)
        needed = np.abs(c) > np.finfo(T.dtype).eps * (np.abs(a) + np.abs(d))
        size = np.where(needed, size, 1.0)
        cosine, sine = np.where(needed, mu / size, 1.0), np.where(needed, c / size, 0.0)
        rotation = np.eye(n, dtype=T.dtype)
        for rows, columns, value in (
            (low, low, np.conj(cosine)), (low, high, sine), (high, low, -sine), (high, high, cosine),
        ):  # fmt: skip
            rotation = np.where(rows[:, None] & columns, value, rotation)
        T = np.matmul(np.matmul(rotation, T), H(rotation))
        Z = np.matmul(Z, H(rotation))
        return np.where(high[:, None] & low, 0.0, T), Z

    return fori_loop(0, max(n - 1, 0), turn, (T, Z))


# --- polar decomposition ----------------------------------------------------------------


@fused("side", "method", "eps", "max_iterations")
def polar(
    a: Any,
    side: str = "right",
    *,
    method: str = "qdwh",
    eps: float | None = None,
    max_iterations: int | None = None,
) -> Any:
    """`u` with orthonormal columns (or rows) and positive semidefinite `p`, with `u p = a`.

    Args:
        a: array (…, m, n).
        side: "right" for `u p = a`, "left" for `p u = a`.
        method, eps, max_iterations: without meaning here: it is made of the singular values.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> u, p = linalg.polar(np.array([[-2.]]))
    >>> float(u[0, 0]), float(p[0, 0])
    (-1.0, 2.0)
    """
    choose("polar", "side", side, "right", "left")
    choose("polar", "method", method, "qdwh", "svd")
    (a,) = matrices("polar", a, square=False)
    if side == "right":
        return _polar(a)
    u, p = _polar(H(a))
    return H(u), H(p)


def _polar_of(a: Any) -> tuple[Any, Any]:
    u, s, vh = ops.svd(a)
    return np.matmul(u, vh), np.matmul(H(vh) * s[..., None, :], vh)


_polar = custom_jvp(_polar_of)


@_polar.defjvp
def _polar_jvp(primals: Any, tangents: Any) -> Any:
    # From u p = a: p w + w p is antihermitian part of u^H da, for u' = u w + (1 - u u^H) da p^-1; in the
    # basis where p is diagonal that is a division. Equal singular values do no harm.
    (a,), (t,) = primals, tangents
    left, s, vh = ops.svd(a)
    s = np.astype(s, a.dtype)
    u, v = np.matmul(left, vh), H(vh)
    inside = np.matmul(H(left), np.matmul(t, v))
    sums = s[..., :, None] + s[..., None, :]
    w = (inside - H(inside)) / np.where(sums == 0, 1.0, sums)
    moved = np.matmul(v, np.matmul(w, vh))
    change = np.matmul(u, moved)
    if a.shape[-2] > a.shape[-1]:
        rest = np.matmul(t, v) - np.matmul(left, np.matmul(H(left), np.matmul(t, v)))
        change = change + np.matmul(rest / np.where(s == 0, 1.0, s)[..., None, :], vh)
    p = np.matmul(v * s[..., None, :], vh)
    growth = np.matmul(H(u), t) - np.matmul(moved, p)
    return (u, p), (change, (growth + H(growth)) / 2)
