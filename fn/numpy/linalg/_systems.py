"""Linear systems: solve, inverses, least squares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._fused import fused
from fn.numpy._habits import public
from fn.numpy._manipulation import moveaxis
from fn.numpy._promotion import array, cast, joint_shape, literal, type_at, types_text
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy.linalg._matrices import (
    check_matrices,
    epsilon,
    floats,
    identity,
    matrices,
    symmetrized,
    times,
    with_stack,
)


def _misfit(name: str, a: Any, b: Any, expected: str) -> ArgumentError:
    return ArgumentError(
        f"{name}: the shapes do not fit together", expected=expected,
        got=types_text([type_at(name, a), type_at(name, b)]),
    )  # fmt: skip


# --- square systems ---------------------------------------------------------------------


@fused()
def solve(a: Any, b: Any) -> Any:
    """`x` with `a @ x = b`.

    Args:
        a: array of shape (…, n, n), floating or complex. Where it is singular the result is infinite
            or NaN.
        b: a vector (n,), or matrices (…, n, k) of right-hand sides; leading axes broadcast.

    Returns:
        Array of the shape of `b`, with the leading axes of both. Derivatives use the factors of `a`
        again.

    Raises:
        ArgumentError: `a` is not square, `b` has other rows, or they have half precision.
        TypeRuleError: the leading axes do not broadcast together.

    >>> import fn.numpy as np
    >>> print(np.linalg.solve(np.array([[2., 0.], [0., 4.]]), np.array([2., 2.])))
    [1.  0.5]
    """
    a, b = floats("solve", a, b)
    check_matrices("solve", a, square=True)
    if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != a.shape[-1]:
        raise _misfit("solve", a, b, "as many rows of b as of a, or a vector b of that size")
    if b.ndim == 1:
        b = with_stack(b, a.shape[:-2], 1)
        return ops.reshape(ops.solve(a, ops.expand(b, (b.ndim,))), shape=b.shape)
    return _solve_stacks(a, b)


def _solve_stacks(a: Any, b: Any) -> Any:
    types = [type_at("solve", x).with_shape(x.shape[:-2]) for x in (a, b)]
    stack = joint_shape("solve", types)
    b = with_stack(b, stack)
    if a.shape[:-2] == stack:
        return ops.solve(a, b)
    # Factored before it is repeated.
    packed, _, permutation = ops.lu(ops.stop_gradient(a))
    a, packed = with_stack(a, stack), with_stack(packed, stack)
    return ops.lu_solve(a, packed, with_stack(permutation, stack, 1), b)


@fused()
def inv(a: Any) -> Any:
    """Inverse matrices. To apply one to something, `solve` is faster and more accurate.

    Args:
        a: array of shape (…, n, n), floating or complex. Where it is singular the result is infinite
            or NaN.

    Raises:
        ArgumentError: the matrix is not square, or has half precision.

    >>> import fn.numpy as np
    >>> print(np.linalg.inv(np.array([[2., 0.], [0., 4.]])))
    [[0.5  0.  ]
     [0.   0.25]]
    """
    a = matrices("inv", a, square=True)
    return ops.solve(a, identity(a))


@fused("axes")
def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """`x` with `tensordot(a, x, x.ndim) = b`.

    Args:
        a: array whose first axes are those of `b`, and whose others have as many elements.
        b: array.
        axes: axes of `a` to move to the end first.

    >>> import fn.numpy as np
    >>> np.linalg.tensorsolve(np.eye(6).reshape(2, 3, 6), np.ones((2, 3))).shape
    (6,)
    """
    a, b = floats("tensorsolve", a, b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(a.ndim - len(axes), a.ndim)))
    shape = a.shape[b.ndim :]
    if a.shape[: b.ndim] != b.shape or math.prod(shape) != b.size:
        raise _misfit("tensorsolve", a, b, "the axes of b first in a, then as many elements")
    out = ops.solve(ops.reshape(a, shape=(b.size, b.size)), ops.reshape(b, shape=(b.size, 1)))
    return ops.reshape(out, shape=shape)


@fused("ind")
def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of `x -> tensordot(a, x, ind)`.

    Args:
        a: array whose first `ind` axes have as many elements as the others.
        ind: how many.

    >>> import fn.numpy as np
    >>> np.linalg.tensorinv(np.eye(6).reshape(2, 3, 6), 2).shape
    (6, 2, 3)
    """
    (a,) = floats("tensorinv", a)
    before, after = a.shape[:ind], a.shape[ind:]
    n = math.prod(before)
    if ind <= 0 or n != math.prod(after):
        raise ArgumentError(
            "tensorinv: the tensor is not square",
            expected="ind > 0, and as many elements along the first ind axes as along the others",
            got=f"{types_text([type_at('tensorinv', a)])} with ind={ind}",
        )  # fmt: skip
    a = ops.reshape(a, shape=(n, n))
    return ops.reshape(ops.solve(a, identity(a)), shape=(*after, *before))


# --- pseudoinverse and least squares ----------------------------------------------------


@fused("hermitian")
def pinv(a: Any, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Any:
    """Moore-Penrose pseudoinverse.

    Args:
        a: array of shape (…, m, n), floating or complex.
        rtol: singular values up to this part of the largest are taken for zero; one number, or one for
            each matrix. By default ten times the larger side times the dtype's epsilon.
        hermitian: promise that `a` is Hermitian, which makes it cheaper.
        rcond: another name of `rtol`.

    Returns:
        Array of shape (…, n, m). Its derivative is that of matrices of the same rank.

    Raises:
        ArgumentError: not a matrix, half precision, or both names are given.

    >>> import fn.numpy as np
    >>> print(np.linalg.pinv(np.array([[2., 0.], [0., 0.]])))
    [[0.5 0. ]
     [0.  0. ]]
    """
    a = matrices("pinv", a, square=hermitian)
    if rcond is not None:
        if rtol is not None:
            raise ArgumentError(
                "pinv: rtol is given twice", expected="rtol or rcond", got="rtol and rcond"
            )
        rtol = rcond
    return _pinv(symmetrized(a) if hermitian else a, rtol, hermitian)


def _pinv(a: Any, rtol: Any, hermitian: bool = False) -> Any:
    if rtol is None:
        rtol = 10.0 * max(a.shape[-2:]) * epsilon(a)
    rtol = cast(array("pinv", rtol, 1), numpy.finfo(a.dtype).dtype)
    return ops.pinv(a, with_stack(rtol, a.shape[:-2], 0), hermitian=hermitian)


@public
def lstsq(
    a: Any, b: Any, rcond: Any = None, *, numpy_resid: bool = False
) -> tuple[Any, Any, Any, Any]:
    """The shortest of the `x` that minimize `norm(a @ x - b)`.

    Args:
        a: matrix (m, n), floating or complex.
        b: vector (m,) or matrix (m, k) of right-hand sides.
        rcond: singular values below this part of the largest are taken for zero; by default the larger
            side times the dtype's epsilon.
        numpy_resid: no residuals where NumPy gives none, which needs concrete values.

    Returns:
        `x`; the sums of squared residuals, for each right-hand side; the rank of `a`; its singular
        values.

    Raises:
        ArgumentError: `a` is no single matrix, `b` has other rows, or they have half precision.

    >>> import fn.numpy as np
    >>> x, residuals, rank, s = np.linalg.lstsq(np.array([[1.], [1.]]), np.array([1., 3.]))
    >>> print(np.round(x, 3), np.round(residuals, 3), rank)
    [2.] [2.] 1
    """
    x, residuals, rank, s = _lstsq(a, b, rcond)
    m, n = array("lstsq", a).shape
    if numpy_resid and (int(rank) < n or m <= n):
        residuals = ops.slice_axis(residuals, 0, 0, 0)
    return x, residuals, rank, s


@fused()
def _lstsq(a: Any, b: Any, rcond: Any) -> tuple[Any, Any, Any, Any]:
    a, b = floats("lstsq", a, b)
    if a.ndim != 2 or b.ndim not in (1, 2) or a.shape[0] != b.shape[0]:
        raise _misfit("lstsq", a, b, "one matrix a, and a vector or matrix b with as many rows")
    m, n = a.shape
    vector = b.ndim == 1
    sides = ops.expand(b, (1,)) if vector else b
    s = ops.singular_values(a)
    if m == 0 or n == 0:
        x = ops.full(literal(0, a.dtype), (n, sides.shape[1]))
        rank = reduce_sum(ops.gt(s, literal(0, s.dtype)))
    else:
        rtol = max(m, n) * epsilon(a) if rcond is None else rcond
        rtol = cast(array("lstsq", rtol, 2), s.dtype)
        rtol = ops.select(ops.lt(rtol, literal(0, s.dtype)), literal(epsilon(a), s.dtype), rtol)
        x = times(_pinv(a, rtol), sides)
        least = ops.mul(ops.reshape(ops.slice_axis(s, 0, 1, 0), shape=()), rtol)
        kept = ops.logical_and(ops.gt(s, literal(0, s.dtype)), ops.ge(s, least))
        rank = reduce_sum(kept)
    rest = ops.abs(ops.sub(sides, times(a, x)))
    residuals = ops.reduce_sum(ops.square(rest), axes=(0,))
    return ops.reshape(x, shape=(n,)) if vector else x, residuals, rank, s
