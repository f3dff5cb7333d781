"""Determinants, powers and ranks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._fused import fused
from fn.numpy._linear import matmul
from fn.numpy._promotion import array, cast, literal
from fn.numpy._reductions import any as any_of
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy.linalg._matrices import (
    check_matrices,
    entry,
    epsilon,
    floats,
    identity,
    matrices,
    symmetrized,
    with_stack,
)
from fn.numpy.linalg._systems import inv


class SlogdetResult(NamedTuple):
    """What `slogdet` returns.

    >>> import fn, fn.numpy as np
    >>> result = np.linalg.slogdet(2 * np.eye(2))
    >>> float(result.sign), round(float(result.logabsdet), 4)
    (1.0, 1.3863)
    """

    sign: Any
    logabsdet: Any


@fused()
def det(a: Any) -> Any:
    """Determinants. Their derivatives, to second order, hold for singular matrices as well.

    Args:
        a: array of shape (…, n, n), floating or complex.

    Returns:
        Array of shape (…).

    Raises:
        ArgumentError: the matrix is not square, or has half precision.

    >>> import fn.numpy as np
    >>> print(np.linalg.det(np.array([[1., 2.], [3., 5.]])))
    -1.0
    """
    a = matrices("det", a, square=True)
    # Small ones are polynomials to be written out, with derivatives of every order.
    if a.shape[-1] == 2:
        return _minor(a, (0, 1), (0, 1))
    if a.shape[-1] == 3:
        first = ops.mul(entry(a, 0, 0), _minor(a, (1, 2), (1, 2)))
        second = ops.mul(entry(a, 0, 1), _minor(a, (1, 2), (0, 2)))
        third = ops.mul(entry(a, 0, 2), _minor(a, (1, 2), (0, 1)))
        return ops.add(ops.sub(first, second), third)
    return ops.det(a)


def _minor(a: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    (i, j), (k, m) = rows, columns
    plus = ops.mul(entry(a, i, k), entry(a, j, m))
    return ops.sub(plus, ops.mul(entry(a, i, m), entry(a, j, k)))


@fused("method")
def slogdet(a: Any, *, method: str | None = None) -> SlogdetResult:
    """Sign and logarithm of the modulus of determinants, which themselves may overflow.

    Args:
        a: array of shape (…, n, n), floating or complex.
        method: "lu" or None; "qr" is accepted, and means the same.

    Returns:
        `(sign, logabsdet)` of shape (…): 0 and -inf where the matrix is singular; the sign of a
        complex determinant lies on the unit circle.

    Raises:
        ArgumentError: the matrix is not square, has half precision, or there is no such method.

    >>> import fn.numpy as np
    >>> sign, logabsdet = np.linalg.slogdet(np.array([[-2., 0.], [0., 0.5]]))
    >>> print(sign, logabsdet)
    -1.0 0.0
    """
    a = matrices("slogdet", a, square=True)
    if method not in (None, "lu", "qr"):
        raise ArgumentError(
            "slogdet: there is no such method", expected='"lu", "qr" or None', got=f"{method=}"
        )
    return SlogdetResult(*ops.slogdet(a))


@fused("n")
def matrix_power(a: Any, n: int) -> Any:
    """Matrices multiplied by themselves `n` times; inverted first if `n` is negative.

    Args:
        a: array of shape (…, k, k).
        n: a Python integer.

    Raises:
        ArgumentError: the matrix is not square, or `n` is no integer.

    >>> import fn.numpy as np
    >>> print(np.linalg.matrix_power(np.array([[1, 1], [0, 1]]), 5))
    [[1 5]
     [0 1]]
    """
    a = array("matrix_power", a)
    check_matrices("matrix_power", a, square=True)
    if not hasattr(n, "__index__") or isinstance(n, bool):
        raise ArgumentError(
            "matrix_power: the exponent is not an integer", expected="a Python integer",
            got=repr(n), fix="for other powers use eigh, or eig",
        )  # fmt: skip
    left = n.__index__()
    if left < 0:
        a, left = inv(a), -left
    if left == 0:
        return identity(a)
    result = None
    while True:
        if left & 1:
            result = a if result is None else matmul(result, a)
        left >>= 1
        if not left:
            return result
        a = matmul(a, a)


@fused("hermitian")
def matrix_rank(M: Any, rtol: Any = None, *, hermitian: bool = False, tol: Any = None) -> Any:
    """How many singular values are not zero, up to rounding.

    Args:
        M: array of shape (…, m, n); one of less than two axes has rank 0 or 1.
        rtol: what is zero, as a part of the largest singular value: one number, or one for each
            matrix. By default the larger side times the dtype's epsilon.
        hermitian: promise that the matrices are Hermitian, which makes it cheaper.
        tol: what is zero, as an absolute number.

    Returns:
        Integers of shape (…).

    Raises:
        ArgumentError: half precision, or both tolerances are given.

    >>> import fn.numpy as np
    >>> print(np.linalg.matrix_rank(np.ones((3, 3))))
    1
    """
    (M,) = floats("matrix_rank", M)
    if rtol is not None and tol is not None:
        raise ArgumentError(
            "matrix_rank: two tolerances", expected="rtol or tol", got="rtol and tol"
        )
    if M.ndim < 2:
        return ops.convert(any_of(M), dtype=numpy.int32)
    if hermitian:
        check_matrices("matrix_rank", M, square=True)
        s = ops.abs(ops.eigh(symmetrized(M))[0])
    else:
        s = ops.singular_values(M)
    if s.shape[-1] == 0:
        return reduce_sum(ops.gt(s, literal(0, s.dtype)), -1)
    if tol is None:
        part = max(M.shape[-2:]) * epsilon(M) if rtol is None else rtol
        largest = ops.reduce_max(s, axes=(s.ndim - 1,))
        tol = ops.mul(_each(part, s), largest)
    else:
        tol = _each(tol, s)
    threshold = ops.broadcast(tol, shape=s.shape, axes=tuple(range(s.ndim - 1)))
    return reduce_sum(ops.gt(s, threshold), -1)


def _each(tolerance: Any, s: Any) -> Any:
    """A tolerance for each matrix."""
    return with_stack(cast(array("matrix_rank", tolerance, 1), s.dtype), s.shape[:-1], 0)
