"""Functions of matrices: exponential, square root, any other; and the Sylvester equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.control import cond, custom_jvp, custom_linear_solve, fori_loop, scan
from fn.core import ArgumentError, is_complex, public, type_of
from fn.scipy._arguments import choose, whole
from fn.scipy.linalg._decompositions import rsf2csf
from fn.scipy.linalg._systems import H, matrices, real_part_if, solve_triangular
from fn.transforms import jvp
from fn.xla import fused

# --- exponential ------------------------------------------------------------------------

# Padé approximants [7/7] and [13/13], and the norms up to which they are accurate to rounding:
# N. Higham, "The scaling and squaring method for the matrix exponential revisited", 2005.
_SINGLE = 3.925724783138660, (17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1)
_DOUBLE = 5.371920351148152, (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000,
    10559470521600, 670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip


@fused("upper_triangular", "max_squarings")
def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Any:
    """The matrix exponential.

    Args:
        A: array (…, n, n), floating or complex, not of half precision.
        upper_triangular: promise that `A` is, which makes it cheaper.
        max_squarings: the result is NaN for matrices whose norm would ask for more of them.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.expm(np.zeros((2, 2))).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    (A,) = matrices("expm", A)
    max_squarings = whole("expm", "max_squarings", max_squarings)
    double = numpy.finfo(A.dtype).eps < 1e-10
    limit, coefficients = _DOUBLE if double else _SINGLE
    size = ops.stop_gradient(np.max(np.sum(np.abs(A), axis=-2), axis=-1, initial=0.0))
    count = np.maximum(0.0, np.ceil(np.log2(np.where(size > 0, size, 1.0) / limit)))
    A = A * np.astype(np.power(2.0, -count), A.dtype)[..., None, None]
    even, odd = _pade(A, coefficients)
    if upper_triangular:
        R = solve_triangular(even - odd, even + odd)
    else:
        R = np.linalg.solve(even - odd, even + odd)

    def square(R: Any, i: Any) -> tuple[Any, None]:
        again = i < count
        squared = lambda: np.where(again[..., None, None], np.matmul(R, R), R)
        return cond(np.any(again), squared, lambda: R), None

    R, _ = scan(square, R, np.arange(max_squarings))
    fits = (count <= max_squarings) & np.isfinite(size)
    return np.where(fits[..., None, None], R, numpy.nan)


def _pade(A: Any, b: tuple[int, ...]) -> tuple[Any, Any]:
    """The even and the odd part of the numerator."""
    unit = np.eye(A.shape[-1], dtype=A.dtype)
    powers = [unit, np.matmul(A, A)]
    while 2 * len(powers) < min(len(b), 8):
        powers.append(np.matmul(powers[-1], powers[1]))
    parts = []
    for first in (0, 1):
        low = sum((float(c) * p for c, p in zip(b[first:8:2], powers)), start=np.zeros_like(A))
        if len(b) > 8:  # the upper coefficients share a factor A ** 6
            high = [float(c) * p for c, p in zip(b[8 + first :: 2], powers[1:])]
            low = low + np.matmul(powers[3], sum(high[1:], start=high[0]))
        parts.append(low)
    return parts[0], np.matmul(A, parts[1])


@fused("method", "compute_expm")
def expm_frechet(A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True) -> Any:
    """The exponential of `A`, and its derivative in the direction `E`.

    Args:
        A, E: arrays (…, n, n).
        method: without meaning here.
        compute_expm: give both, or the derivative alone.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.expm_frechet(np.zeros((1, 1)), np.ones((1, 1)), compute_expm=False).tolist()
    [[1.0]]
    """
    A, E = matrices("expm_frechet", A, E)
    if A.shape != E.shape:
        raise ArgumentError(
            "expm_frechet: the matrices have other shapes", expected=str(A.shape), got=str(E.shape)
        )
    value, slope = jvp(expm, (A,), (E,))
    return (value, slope) if compute_expm else slope


# --- Sylvester equation -----------------------------------------------------------------


@fused("method")
def solve_sylvester(A: Any, B: Any, C: Any, *, method: str = "schur", tol: Any = 1e-8) -> Any:
    """`X` with `A X + X B = C`; NaN where an eigenvalue of `A` and one of `B` sum to 0.

    Args:
        A: array (…, m, m).
        B: array (…, n, n).
        C: array (…, m, n).
        method: "schur" or "eigen": what is made triangular, or diagonal.
        tol: sums of eigenvalues below it are taken for 0.

    Derivatives are those of the equation: each solves one more of them.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.solve_sylvester(np.eye(1), np.eye(1), np.ones((1, 1))).tolist()
    [[0.5]]
    """
    choose("solve_sylvester", "method", method, "schur", "eigen")
    A, B, C = matrices("solve_sylvester", A, B, C, square=False)
    m, n = C.shape[-2:]
    if A.shape[-2:] != (m, m) or B.shape[-2:] != (n, n):
        raise ArgumentError(
            "solve_sylvester: the matrices do not fit together",
            expected="A (..., m, m), B (..., n, n), C (..., m, n)",
            got=", ".join([str(type_of(x)) for x in (A, B, C)]),
        )
    one = lambda a, b, c: sylvester(a, b, c, method, tol)
    return np.vectorize(one, signature="(m,m),(n,n),(m,n)->(m,n)")(A, B, C)


def sylvester(A: Any, B: Any, C: Any, method: str = "schur", tol: Any = 1e-8) -> Any:
    """`X` with `A X + X B = C`, for single matrices."""
    fixed = [ops.stop_gradient(x) for x in (A, B)]
    find = _by_schur if method == "schur" else _by_eigenvectors

    def solve(a: Any, b: Any) -> Callable[..., Any]:
        return lambda _, c: real_part_if(find(a, b, c, tol), c)

    turned = [np.swapaxes(x, -1, -2) for x in fixed]
    return custom_linear_solve(
        lambda X: np.matmul(A, X) + np.matmul(X, B), C, solve(*fixed), solve(*turned)
    )


def _complex(x: Any) -> Any:
    return x if is_complex(x.dtype) else x + 0j


def _unless_singular(sums: Any, tol: Any, X: Any) -> Any:
    return np.where(np.any(np.abs(sums) < tol), numpy.nan, X)


def _by_schur(A: Any, B: Any, C: Any, tol: Any) -> Any:
    R, U = ops.schur(_complex(A))
    S, V = ops.schur(_complex(B))
    F = np.matmul(np.matmul(H(U), _complex(C)), V)
    unit, n = np.eye(A.shape[-1], dtype=R.dtype), B.shape[-1]

    def column(j: Any, Y: Any) -> Any:
        at = np.arange(n) == j
        here = np.sum(np.where(at, S, 0.0), axis=1)
        rest = np.sum(np.where(at, F, 0.0), axis=1) - np.matmul(Y, here)
        y = solve_triangular(R + np.sum(np.where(at, here, 0.0)) * unit, rest)
        return np.where(at, y[:, None], Y)

    Y = fori_loop(0, n, column, np.zeros_like(F))
    sums = np.diagonal(R)[:, None] + np.diagonal(S)
    return _unless_singular(sums, tol, np.matmul(np.matmul(U, Y), H(V)))


def _by_eigenvectors(A: Any, B: Any, C: Any, tol: Any) -> Any:
    (a, U), (b, V) = np.linalg.eig(A), np.linalg.eig(B)
    sums = a[:, None] + b
    Y = np.linalg.solve(U, np.matmul(_complex(C), V)) / np.where(np.abs(sums) < tol, 1.0, sums)
    X = np.swapaxes(np.linalg.solve(np.swapaxes(V, 0, 1), np.swapaxes(np.matmul(U, Y), 0, 1)), 0, 1)
    return _unless_singular(sums, tol, X)


# --- square root and others -------------------------------------------------------------


@fused("blocksize")
def sqrtm(A: Any, blocksize: int = 1) -> Any:
    """The principal square root of matrices, complex.

    Args:
        A: array (…, n, n).
        blocksize: without meaning here.

    Derivatives hold where no two eigenvalues of the root sum to 0.

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.sqrtm(4.0 * np.eye(1)).tolist()
    [[(2+0j)]]
    """
    (A,) = matrices("sqrtm", A)
    return np.vectorize(_sqrtm, signature="(n,n)->(n,n)")(_complex(A))


def _sqrtm_of(A: Any) -> Any:
    T, Z = ops.schur(A)
    n = T.shape[-1]
    roots = np.sqrt(np.diagonal(T))
    sums = roots[:, None] + roots

    def diagonal(p: Any, U: Any) -> Any:
        # On the p-th diagonal above: what U U lacks of T, so far, by the sum of both roots.
        at = np.arange(n) - np.arange(n)[:, None] == p
        lacking = T - np.matmul(U, U)
        return np.where(at, np.where(lacking == 0, 0.0, lacking / sums), U)

    U = fori_loop(1, n, diagonal, np.diag(roots))
    return np.matmul(np.matmul(Z, U), H(Z))


_sqrtm = custom_jvp(_sqrtm_of)


@_sqrtm.defjvp
def _sqrtm_jvp(primals: Any, tangents: Any) -> Any:
    (A,), (t,) = primals, tangents
    X = _sqrtm(A)
    return X, sylvester(X, X, t)


@public
def funm(A: Any, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """A function of a matrix, given as one of its eigenvalues; complex. There are no derivatives.

    Args:
        A: array (n, n).
        func: elementwise, analytic at the eigenvalues.
        disp: whether the result is all; otherwise an estimate of its relative error is given as well.

    By Parlett's recurrence from the diagonal of the Schur form, which is inaccurate for eigenvalues that
    are close to each other (Golub and Van Loan, Matrix Computations, 9.1).

    >>> import fn.numpy as np
    >>> from fn.scipy import linalg
    >>> linalg.funm(np.eye(1), np.exp).tolist()[0][0].real > 2.7
    True
    """
    (A,) = matrices("funm", A)
    if A.ndim != 2:
        raise ArgumentError("funm: not a matrix", expected="an array (n, n)", got=str(type_of(A)))
    T, Z = rsf2csf(*ops.schur(A))
    n, diagonal = T.shape[-1], np.diagonal(T)
    gaps = diagonal - diagonal[:, None]

    def fill(p: Any, F: Any) -> Any:
        # T and F commute, which says what is on the p-th diagonal once those below are known.
        at = np.arange(n) - np.arange(n)[:, None] == p
        rest = np.matmul(T, F) - np.matmul(F, T)
        return np.where(at, np.where(gaps == 0, rest, rest / np.where(gaps == 0, 1.0, gaps)), F)

    F = fori_loop(1, n, fill, np.diag(np.astype(func(diagonal), T.dtype)))
    F = np.matmul(np.matmul(Z, F), H(Z))
    if disp:
        return F
    eps = numpy.finfo(T.dtype).eps
    above = np.triu(np.ones((n, n), bool), 1)
    least = np.min(np.where(above, np.abs(gaps), numpy.inf), initial=np.abs(diagonal[0]))
    norm = np.max(np.sum(np.where(above, np.abs(T), 0.0), axis=0))
    error = np.clip(eps / np.where(least == 0, eps, least) * norm, eps, 1.0)
    return F, np.where(np.any(np.isinf(F)), numpy.inf, error)
