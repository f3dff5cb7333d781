"""Triangular systems, and factorizations into triangles: cholesky, lu, and solving with its factors.

All work on stacks of matrices. Derivatives are written with the factors themselves, so they hold in
any order; sources: M. Giles, Collected matrix derivative results for forward and reverse mode
algorithmic differentiation (2008); I. Murray, Differentiation of the Cholesky decomposition (2016).
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_integer, public
from fn.ops._elementwise import add, conj, mul, neg, stop_gradient
from fn.ops._matrices import (
    diagonal_part,
    hermitian,
    identity_like,
    lower_part,
    over_stacks,
    product,
    require_matrices,
    require_numbers,
    require_same_dtype,
    rows,
    swap,
    upper_part,
    widened,
)
from fn.ops._rules import Batched, jax_lowering, require, result_weak, types_text
from fn.ops._shape import broadcast, move_axis, reshape
from fn.ops._slicing import pad, slice_axis
from fn.ops._sort import take_along

_INT32 = np.dtype(np.int32)


# --- triangular_solve -------------------------------------------------------------------
@public
def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Any:
    """`x` with `op(a) x = b`, or `x op(a) = b` unless `left_side`, for triangular `a`.

    Args:
        a: square matrices, of which only one triangle is read.
        b: matrices of right-hand sides, with the same leading axes.
        left_side: whether `a` is the left factor.
        lower: whether the lower triangle is read, not the upper one.
        transpose_a, conjugate_a: what `op` does.
        unit_diagonal: take the diagonal of `a` for ones.

    >>> import fn, numpy as np
    >>> a, b = np.float32([[2, 0], [0, 4]]), np.float32([[2], [4]])
    >>> fn.ops.triangular_solve(a, b, left_side=True, lower=True).tolist()
    [[1.0], [1.0]]
    """
    return bind(
        triangular_solve_p, a, b, left_side=left_side, lower=lower, transpose_a=transpose_a,
        conjugate_a=conjugate_a, unit_diagonal=unit_diagonal,
    )  # fmt: skip


def _triangular_solve_type(a: ArrayType, b: ArrayType, *, left_side: bool, **_: bool) -> ArrayType:
    require_matrices("triangular_solve", a, square=True)
    require_same_dtype("triangular_solve", a, b)
    fits = b.ndim == a.ndim and a.shape[:-2] == b.shape[:-2]
    side = -2 if left_side else -1
    require(
        fits and b.shape[side] == a.shape[-1], "triangular_solve: the operands do not fit together",
        expected=f"equal leading axes, and as many {'rows' if left_side else 'columns'} of b as of a",
        got=types_text([a, b]),
    )  # fmt: skip
    return ArrayType(b.shape, b.dtype, result_weak(a, b))


def _triangular_solve_jvp_a(
    t: Any, out: Any, a: Any, b: Any, *, left_side: bool, **params: bool
) -> Any:
    k = 1 if params["unit_diagonal"] else 0
    t = lower_part(t, -k) if params["lower"] else upper_part(t, k)
    t = swap(t) if params["transpose_a"] else t
    t = conj(t) if params["conjugate_a"] else t
    change = product(t, out) if left_side else product(out, t)
    return neg(triangular_solve(a, change, left_side=left_side, **params))


def _triangular_solve_transpose(
    ct: Any, a: Any, b: Any, *, transpose_a: bool, **params: bool
) -> tuple[Any, ...]:
    return None, triangular_solve(a, ct, transpose_a=not transpose_a, **params)


def _triangular_solve_batch(
    axis: Any, args: Any, dims: Any, *, left_side: bool, **params: bool
) -> Batched:
    (a, b), (da, db) = args, dims
    if da is not None:
        out: Batched = _triangular_solve_stack(axis, args, dims, left_side=left_side, **params)
        return out
    # One matrix for all right-hand sides: they are more columns, or rows, of one.
    x, restore = side_by_side(b, db, left_side)
    out = restore(triangular_solve(a, x, left_side=left_side, **params))
    return out


def side_by_side(b: Any, dim: int, left_side: bool = True) -> tuple[Any, Any]:
    """A batch of matrices in one matrix: columns beside each other, or rows below each other.

    Returns it and a function that undoes it, with the axis of the batch.
    """
    where = b.ndim - 2 if left_side else b.ndim - 3
    moved = move_axis(b, dim, where)
    pair = moved.shape[where : where + 2]

    def restore(out: Any) -> Batched:
        shape = (*out.shape[:where], *pair, *out.shape[where + 1 :])
        return reshape(out, shape=shape), where

    flat = (*moved.shape[:where], pair[0] * pair[1], *moved.shape[where + 2 :])
    return reshape(moved, shape=flat), restore


_triangular_solve_stack = over_stacks(triangular_solve)

triangular_solve_p = Primitive(
    name="triangular_solve", type=_triangular_solve_type, transpose=_triangular_solve_transpose,
    batch=_triangular_solve_batch, lower=jax_lowering(jax.lax.linalg.triangular_solve),
    jvp=(
        _triangular_solve_jvp_a,
        lambda t, out, a, b, **params: triangular_solve(a, t, **params),
    ),
)  # fmt: skip


# --- cholesky ---------------------------------------------------------------------------
@public
def cholesky(x: Any) -> Any:
    """Lower triangular `l` with `l l^H = x`, for Hermitian positive definite `x`; NaN for others.

    Only the lower triangle of `x` is read.

    >>> import fn, numpy as np
    >>> fn.ops.cholesky(np.float32([[4, 2], [2, 5]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    return bind(cholesky_p, x)


def _cholesky_type(x: ArrayType) -> ArrayType:
    require_matrices("cholesky", x, square=True)
    return x


def _cholesky_jvp(t: Any, out: Any, x: Any) -> Any:
    inner = triangular_solve(out, hermitian(t), left_side=True, lower=True)
    inner = triangular_solve(out, inner, lower=True, transpose_a=True, conjugate_a=True)
    half = mul(diagonal_part(inner), inner.dtype.type(0.5))
    return product(out, add(lower_part(inner, -1), half))


def _cholesky(x: Any) -> Any:
    return jax.lax.linalg.cholesky(x, symmetrize_input=False)


cholesky_p = Primitive(
    name="cholesky", type=_cholesky_type, jvp=(_cholesky_jvp,), transpose="it is not linear",
    batch=over_stacks(cholesky), lower=jax_lowering(_cholesky),
)  # fmt: skip


# --- lu ---------------------------------------------------------------------------------
@public
def lu(x: Any) -> tuple[Any, Any, Any]:
    """Triangles of `x` with its rows permuted: `x[permutation] = l u`, with ones on the diagonal of `l`.

    Returns:
        The triangles in one matrix; the row swapped with each row, one after the other; the
        permutation they amount to.

    >>> import fn, numpy as np
    >>> packed, swaps, permutation = fn.ops.lu(np.float32([[1, 2], [4, 4]]))
    >>> packed.tolist(), permutation.tolist()
    ([[4.0, 4.0], [0.25, 1.0]], [1, 0])
    """
    out: tuple[Any, Any, Any] = bind(lu_p, x)
    return out


def _lu_type(x: ArrayType) -> tuple[ArrayType, ...]:
    require_matrices("lu", x)
    *stack, m, n = x.shape
    return x, ArrayType((*stack, min(m, n)), _INT32), ArrayType((*stack, m), _INT32)


def _lu_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    packed, pivots, permutation = lu(x)
    m, n = x.shape[-2:]
    k = min(m, n)
    # Both triangles made square, so that they have inverses.
    low = add(widened(lower_part(_columns(packed, 0, k), -1), m, m), identity_like(packed, m))
    up = widened(upper_part(_rows(packed, 0, k)), n, n)
    if n > k:
        ones = identity_like(packed, n - k)
        edge = (*[0] * (x.ndim - 2), k, k)
        up = add(up, pad(ones, value=0, low=edge, high=(0,) * x.ndim))
    change = take_along(
        t, broadcast(permutation, shape=t.shape, axes=tuple(range(t.ndim - 1))), axis=t.ndim - 2
    )
    change = triangular_solve(low, change, left_side=True, lower=True, unit_diagonal=True)
    change = triangular_solve(up, change)
    moved = add(product(low, lower_part(change, -1)), product(upper_part(change), up))
    return (packed, pivots, permutation), (moved, None, None)


def _columns(x: Any, start: int, end: int) -> Any:
    return slice_axis(x, start, end, x.ndim - 1)


def _rows(x: Any, start: int, end: int) -> Any:
    return slice_axis(x, start, end, x.ndim - 2)


lu_p = Primitive(
    name="lu", type=_lu_type, jvp=_lu_jvp, transpose="it is not linear", batch=over_stacks(lu),
    lower=jax_lowering(jax.lax.linalg.lu), multiple=True,
)  # fmt: skip


# --- lu_solve ---------------------------------------------------------------------------
@public
def solve(a: Any, b: Any) -> Any:
    """`x` with `a x = b`, for square `a` and matrices `b` with the same leading axes.

    Derivatives use the factors again: they cost a solution each, and no further factorization.

    >>> import fn, numpy as np
    >>> fn.ops.solve(np.float32([[2, 0], [0, 4]]), np.float32([[2], [4]])).tolist()
    [[1.0], [1.0]]
    """
    packed, _, permutation = lu(stop_gradient(a))
    return lu_solve(a, packed, permutation, b)


@public
def lu_solve(a: Any, packed: Any, permutation: Any, b: Any, *, transpose_a: bool = False) -> Any:
    """`x` with `op(a) x = b`, given the factors of `a`; derivatives are taken with respect to `a`.

    Args:
        a: square matrices.
        packed, permutation: what `lu(a)` returns; to derivatives they are constants.
        b: matrices of right-hand sides, with the same leading axes.
        transpose_a: whether `op` transposes.

    >>> import fn, numpy as np
    >>> a = np.float32([[2, 0], [0, 4]])
    >>> packed, _, permutation = fn.ops.lu(a)
    >>> fn.ops.lu_solve(a, packed, permutation, np.float32([[2], [4]])).tolist()
    [[1.0], [1.0]]
    """
    return bind(lu_solve_p, a, packed, permutation, b, transpose_a=transpose_a)


def _lu_solve_type(
    a: ArrayType, packed: ArrayType, permutation: ArrayType, b: ArrayType, *, transpose_a: bool
) -> ArrayType:
    require_matrices("lu_solve", a, square=True)
    require_same_dtype("lu_solve", a, packed, b)
    fits = (
        packed.shape == a.shape and permutation.shape == a.shape[:-1]
        and is_integer(permutation.dtype) and b.shape[:-1] == a.shape[:-1] and b.ndim == a.ndim
    )  # fmt: skip
    require(
        fits, "lu_solve: the operands do not fit together",
        expected="matrices, their factors and permutation, and as many rows of b, all with equal leading axes",
        got=types_text([a, packed, permutation, b]),
    )  # fmt: skip
    return ArrayType(b.shape, b.dtype, result_weak(a, b))


def _lu_solve_jvp_a(
    t: Any, out: Any, a: Any, packed: Any, permutation: Any, b: Any, *, transpose_a: bool
) -> Any:
    change = product(swap(t) if transpose_a else t, out)
    return neg(lu_solve(a, packed, permutation, change, transpose_a=transpose_a))


def _lu_solve_transpose(
    ct: Any, a: Any, packed: Any, permutation: Any, b: Any, *, transpose_a: bool
) -> tuple[Any, ...]:
    return None, None, None, lu_solve(a, packed, permutation, ct, transpose_a=not transpose_a)


def _lu_solve_batch(axis: Any, args: Any, dims: Any, *, transpose_a: bool) -> Batched:
    a, packed, permutation, b = args
    out: Batched
    if any(d is not None for d in dims[:-1]):
        out = _lu_solve_stack(axis, args, dims, transpose_a=transpose_a)
    else:
        x, restore = side_by_side(b, dims[-1])
        out = restore(lu_solve(a, packed, permutation, x, transpose_a=transpose_a))
    return out


_lu_solve_stack: Any = over_stacks(lu_solve)


def factored_solve(packed: Any, permutation: Any, b: Any, transpose_a: bool) -> Any:
    """JAX's triangular solves in a row; `a` itself is needed for derivatives only."""
    solve = jax.lax.linalg.triangular_solve
    if transpose_a:
        x = solve(packed, b, left_side=True, transpose_a=True)
        x = solve(packed, x, left_side=True, lower=True, transpose_a=True, unit_diagonal=True)
        back = jax.numpy.argsort(permutation, axis=-1)
        return jax.numpy.take_along_axis(x, back[..., None], axis=-2)
    x = jax.numpy.take_along_axis(b, permutation[..., None], axis=-2)
    x = solve(packed, x, left_side=True, lower=True, unit_diagonal=True)
    return solve(packed, x, left_side=True)


def _lu_solve(a: Any, packed: Any, permutation: Any, b: Any, *, transpose_a: bool) -> Any:
    return factored_solve(packed, permutation, b, transpose_a)


lu_solve_p = Primitive(
    name="lu_solve", type=_lu_solve_type, transpose=_lu_solve_transpose, batch=_lu_solve_batch,
    lower=jax_lowering(_lu_solve),
    jvp=(
        _lu_solve_jvp_a, None, None,
        lambda t, out, a, packed, permutation, b, **params: lu_solve(a, packed, permutation, t, **params),
    ),
)  # fmt: skip


# --- tridiagonal_solve ------------------------------------------------------------------
@public
def tridiagonal_solve(below: Any, middle: Any, above: Any, b: Any) -> Any:
    """`x` with `a x = b`, where `a` is zero off three diagonals.

    Args:
        below, middle, above: vectors of as many elements as `a` has rows; row `i` of `a` has
            `below[i]`, `middle[i]`, `above[i]`, so `below[0]` and `above[-1]` are not read.
        b: matrices of right-hand sides, with the same leading axes.

    >>> import fn, numpy as np
    >>> zero, middle = np.zeros(2, np.float32), np.float32([2, 4])
    >>> fn.ops.tridiagonal_solve(zero, middle, zero, np.float32([[2], [4]])).tolist()
    [[1.0], [1.0]]
    """
    return bind(tridiagonal_solve_p, below, middle, above, b)


def _tridiagonal_solve_type(
    below: ArrayType, middle: ArrayType, above: ArrayType, b: ArrayType
) -> ArrayType:
    require_numbers("tridiagonal_solve", b)
    require_same_dtype("tridiagonal_solve", below, middle, above, b)
    require(
        b.ndim >= 2 and below.shape == middle.shape == above.shape == b.shape[:-1],
        "tridiagonal_solve: the operands do not fit together",
        expected="three vectors of one size, as many rows of b, and equal leading axes",
        got=types_text([below, middle, above, b]),
    )  # fmt: skip
    return ArrayType(b.shape, b.dtype, result_weak(below, middle, above, b))


def _shifted(x: Any, by: int) -> Any:
    """Rows moved down by one or, with `by` = -1, up; zeros come in."""
    rest = (0,) * (x.ndim - 2)
    return pad(x, value=0, low=(*rest, by, 0), high=(*rest, -by, 0))


def _tridiagonal_row_jvp(by: int) -> Any:
    def jvp(t: Any, out: Any, below: Any, middle: Any, above: Any, b: Any) -> Any:
        neighbour = _shifted(out, by) if by else out
        return neg(tridiagonal_solve(below, middle, above, mul(rows(t, out), neighbour)))

    return jvp


def _tridiagonal_solve_transpose(
    ct: Any, below: Any, middle: Any, above: Any, b: Any
) -> tuple[Any, ...]:
    n = middle.ndim
    edge = (0,) * (n - 1)
    down = pad(above, value=0, low=(*edge, 1), high=(*edge, -1))
    up = pad(below, value=0, low=(*edge, -1), high=(*edge, 1))
    return None, None, None, tridiagonal_solve(down, middle, up, ct)


tridiagonal_solve_p = Primitive(
    name="tridiagonal_solve", type=_tridiagonal_solve_type, batch=over_stacks(tridiagonal_solve),
    transpose=_tridiagonal_solve_transpose, lower=jax_lowering(jax.lax.linalg.tridiagonal_solve),
    jvp=(
        _tridiagonal_row_jvp(1), _tridiagonal_row_jvp(0), _tridiagonal_row_jvp(-1),
        lambda t, out, below, middle, above, b: tridiagonal_solve(below, middle, above, t),
    ),
)  # fmt: skip
