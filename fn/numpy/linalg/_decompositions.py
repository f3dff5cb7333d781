"""Factorizations: cholesky, qr, eigenvalues and singular values, of stacks of matrices."""

from __future__ import annotations

from typing import Any, NamedTuple

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._fused import fused
from fn.numpy._habits import public
from fn.numpy._indexing import take_along_axis
from fn.numpy._sorting import argsort
from fn.numpy.linalg._matrices import adjoint, matrices, swap, symmetrized


class EigResult(NamedTuple):
    """What `eig` returns.

    >>> import fn, fn.numpy as np
    >>> result = np.linalg.eig(np.eye(2))
    >>> result.eigenvalues.shape, result.eigenvectors.shape
    ((2,), (2, 2))
    """

    eigenvalues: Any
    eigenvectors: Any


class EighResult(NamedTuple):
    """What `eigh` returns.

    >>> import fn, fn.numpy as np
    >>> result = np.linalg.eigh(np.eye(2))
    >>> result.eigenvalues.shape, result.eigenvectors.shape
    ((2,), (2, 2))
    """

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """What `qr` returns.

    >>> import fn, fn.numpy as np
    >>> result = np.linalg.qr(np.ones((3, 2)))
    >>> result.Q.shape, result.R.shape
    ((3, 2), (2, 2))
    """

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """What `svd` returns.

    >>> import fn, fn.numpy as np
    >>> result = np.linalg.svd(np.eye(2))
    >>> result.U.shape, result.S.shape, result.Vh.shape
    ((2, 2), (2,), (2, 2))
    """

    U: Any
    S: Any
    Vh: Any


# --- triangles and orthogonal factors ---------------------------------------------------


@fused("upper", "symmetrize_input")
def cholesky(a: Any, *, upper: bool = False, symmetrize_input: bool = True) -> Any:
    """Lower triangular `l` with `l @ l^H = a`, for Hermitian positive definite matrices.

    Args:
        a: array of shape (…, n, n), floating or complex. Where it is not positive definite the result
            is NaN.
        upper: return the adjoint of `l`, an upper triangle.
        symmetrize_input: factor `(a + a^H) / 2`. Otherwise only one triangle of `a` is read, the one
            that is returned.

    Returns:
        Array of the shape of `a`.

    Raises:
        ArgumentError: the matrix is not square, or has half precision.

    >>> import fn.numpy as np
    >>> print(np.linalg.cholesky(np.array([[4., 2.], [2., 5.]])))
    [[2. 0.]
     [1. 2.]]
    """
    a = matrices("cholesky", a, square=True)
    if symmetrize_input:
        a = symmetrized(a)
    elif upper:
        a = adjoint(a)
    factor = ops.cholesky(a)
    return adjoint(factor) if upper else factor


@fused("mode")
def qr(a: Any, mode: str = "reduced") -> Any:
    """Orthonormal columns `Q` and upper triangular `R` with `Q @ R = a`.

    Derivatives need the first columns of `a`, as many as it has rows, to be independent.

    Args:
        a: array of shape (…, m, n), floating or complex.
        mode: "reduced", min(m, n) columns of `Q`; "complete", m of them; "r", `R` alone; "raw", the
            reflections of LAPACK and their scales, which have no derivative.

    Returns:
        `(Q, R)`, or `R` alone.

    Raises:
        ArgumentError: not a matrix, half precision, or no such mode.

    >>> import fn.numpy as np
    >>> Q, R = np.linalg.qr(np.array([[3., 1.], [4., 2.]]))
    >>> bool(np.allclose(Q @ R, np.array([[3., 1.], [4., 2.]])))
    True
    """
    a = matrices("qr", a)
    if mode == "raw":
        reflections, scales = ops.geqrf(a)
        return QRResult(swap(reflections), scales)
    if mode not in ("reduced", "complete", "r", "full"):
        raise ArgumentError(
            "qr: there is no such mode", expected='"reduced", "complete", "r" or "raw"',
            got=f"mode={mode!r}",
        )  # fmt: skip
    q, r = ops.qr(a, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


# --- eigenvalues ------------------------------------------------------------------------


def _one_triangle(name: str, a: Any, UPLO: str | None, symmetrize_input: bool) -> Any:
    a = matrices(name, a, square=True)
    if UPLO not in (None, "L", "U"):
        raise ArgumentError(
            f"{name}: there is no such triangle", expected='UPLO="L" or "U"', got=f"UPLO={UPLO!r}"
        )
    if symmetrize_input:
        return symmetrized(a)
    return adjoint(a) if UPLO == "U" else a


@fused("UPLO", "symmetrize_input")
def eigh(a: Any, UPLO: str | None = None, symmetrize_input: bool = True) -> EighResult:
    """Eigenvalues and orthonormal eigenvectors of Hermitian matrices.

    Where eigenvalues are equal their eigenvectors are any basis of a space, and have no derivative:
    its part is left out, so that functions of the eigenvalues alone have their right gradient.

    Args:
        a: array of shape (…, n, n), floating or complex.
        UPLO: which triangle to read, "L" or "U", unless the input is symmetrized.
        symmetrize_input: take `(a + a^H) / 2`.

    Returns:
        `(eigenvalues, eigenvectors)`: real numbers of shape (…, n), rising, and columns (…, n, n).

    Raises:
        ArgumentError: the matrix is not square, has half precision, or `UPLO` is unknown.

    >>> import fn.numpy as np
    >>> print(np.linalg.eigh(np.array([[2., 0.], [0., 1.]])).eigenvalues)
    [1. 2.]
    """
    return EighResult(*ops.eigh(_one_triangle("eigh", a, UPLO, symmetrize_input)))


@fused("UPLO", "symmetrize_input")
def eigvalsh(a: Any, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Any:
    """Eigenvalues of Hermitian matrices, rising; the arguments are those of `eigh`.

    >>> import fn.numpy as np
    >>> print(np.linalg.eigvalsh(np.array([[2., 0.], [0., 1.]])))
    [1. 2.]
    """
    return ops.eigh(_one_triangle("eigvalsh", a, UPLO, symmetrize_input))[0]


@public
def eig(a: Any) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices, on the CPU.

    Args:
        a: array of shape (…, n, n), floating or complex.

    Returns:
        `(eigenvalues, eigenvectors)`, complex, of shapes (…, n) and (…, n, n), in no order. Each
        column has length 1 and a largest component that is real. Derivatives need distinct
        eigenvalues.

    Raises:
        ArgumentError: the matrix is not square, or has half precision.

    >>> import fn.numpy as np
    >>> print(np.linalg.eig(np.array([[0., -1.], [1., 0.]])).eigenvalues)
    [0.+1.j 0.-1.j]
    """
    return EigResult(*ops.eig(matrices("eig", a, square=True)))


@public
def eigvals(a: Any) -> Any:
    """Eigenvalues of square matrices, complex and in no order; see `eig`.

    >>> import fn.numpy as np
    >>> print(np.linalg.eigvals(np.array([[2., 1.], [0., 3.]])))
    [2.+0.j 3.+0.j]
    """
    return ops.eigenvalues(matrices("eigvals", a, square=True))


# --- singular values --------------------------------------------------------------------


@fused("full_matrices", "compute_uv", "hermitian", "subset_by_index")
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Any:
    """Singular values and vectors: `U @ diag(S) @ Vh = a`.

    Where singular values are equal their vectors are any basis of a space, and have no derivative: its
    part is left out. That of the singular values holds everywhere but at zero, where they have a kink.

    Args:
        a: array of shape (…, m, n), floating or complex.
        full_matrices: square `U` and `Vh`, instead of k = min(m, n) columns and rows.
        compute_uv: return the vectors as well.
        hermitian: promise that `a` is Hermitian, which makes it cheaper.
        subset_by_index: first and last (exclusive) of the singular values to return; needs
            `full_matrices=False`.

    Returns:
        `(U, S, Vh)`, or `S` of shape (…, k) alone: real and falling.

    Raises:
        ArgumentError: not a matrix, half precision, or a subset of full matrices.

    >>> import fn.numpy as np
    >>> print(np.linalg.svd(np.array([[3., 0.], [0., -4.]])).S)
    [4. 3.]
    """
    a = matrices("svd", a, square=hermitian)
    if subset_by_index is not None and full_matrices and compute_uv:
        raise ArgumentError(
            "svd: full matrices have no subset", expected="full_matrices=False",
            got=f"subset_by_index={subset_by_index} with full_matrices=True",
        )  # fmt: skip
    if hermitian:
        u, s, vh = _hermitian_svd(symmetrized(a))
    elif compute_uv:
        u, s, vh = ops.svd(a, full_matrices=full_matrices)
    else:
        u, s, vh = None, ops.singular_values(a), None
    if subset_by_index is not None:
        start, end = subset_by_index
        s = ops.slice_axis(s, start, end, s.ndim - 1)
        if compute_uv:
            u = ops.slice_axis(u, start, end, u.ndim - 1)
            vh = ops.slice_axis(vh, start, end, vh.ndim - 2)
    return SVDResult(u, s, vh) if compute_uv else s


def _hermitian_svd(a: Any) -> tuple[Any, Any, Any]:
    """Singular values are the sizes of the eigenvalues."""
    w, v = ops.eigh(a)
    order = argsort(ops.abs(w), -1, descending=True)
    w = take_along_axis(w, order, -1)
    columns = ops.broadcast(order, shape=a.shape, axes=(*range(w.ndim - 1), w.ndim))
    v = take_along_axis(v, columns, -1)
    signs = ops.broadcast(ops.sign(w), shape=a.shape, axes=(*range(w.ndim - 1), w.ndim))
    return v, ops.abs(w), adjoint(ops.mul(v, ops.convert(signs, dtype=v.dtype)))


@public
def svdvals(x: Any, /) -> Any:
    """Singular values of shape (…, min(m, n)), real and falling; see `svd`.

    >>> import fn.numpy as np
    >>> print(np.linalg.svdvals(np.array([[3., 0.], [0., -4.]])))
    [4. 3.]
    """
    return ops.singular_values(matrices("svdvals", x))
