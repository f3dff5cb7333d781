"""Singular values and vectors, and the pseudoinverse made of them."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_complex, public
from fn.ops._elementwise import add, mul, real_part, sub
from fn.ops._matrices import (
    adjoint,
    columns,
    complement_change,
    diagonal_of,
    diagonal_part,
    over_stacks,
    product,
    real_dtype,
    require_matrices,
    rows,
    safe_reciprocal,
    stacked,
    with_dtype,
    without_real,
)
from fn.ops._reduce import reduce_max
from fn.ops._rules import Batched, jax_lowering, require, types_text
from fn.ops._shape import broadcast
from fn.ops._slicing import concatenate, slice_axis


# --- svd --------------------------------------------------------------------------------
@public
def svd(x: Any, *, full_matrices: bool = False) -> tuple[Any, Any, Any]:
    """`u`, `s`, `vh` with `u diag(s) vh = x`: orthonormal columns of `u` and rows of `vh`, `s` falling.

    Vectors of singular values that differ by rounding only, and of those that are zero, have no
    derivative; what has none is left out. So functions that do not depend on the choice of such vectors
    get finite derivatives, and those of the singular values alone the right ones.
    Source: Townsend, Differentiating the singular value decomposition (2016).

    Args:
        x: m by n matrices.
        full_matrices: square `u` and `vh`, instead of min(m, n) columns and rows.

    >>> import fn, numpy as np
    >>> u, s, vh = fn.ops.svd(np.ones((3, 2), np.float32))
    >>> u.shape, s.shape, vh.shape
    ((3, 2), (2,), (2, 2))
    """
    out: tuple[Any, Any, Any] = bind(svd_p, x, full_matrices=full_matrices)
    return out


def _svd_type(x: ArrayType, *, full_matrices: bool) -> tuple[ArrayType, ...]:
    require_matrices("svd", x)
    *stack, m, n = x.shape
    k = min(m, n)
    u, v = (m, n) if full_matrices else (k, k)
    s = ArrayType((*stack, k), real_dtype(x.dtype), x.weak)
    return x.with_shape((*stack, m, u)), s, x.with_shape((*stack, v, n))


def _svd_jvp(args: Any, tangents: Any, *, full_matrices: bool) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    u, s, vh = outs = svd(x, full_matrices=full_matrices)
    m, n = x.shape[-2:]
    k, last = min(m, n), x.ndim - 1
    left, right = slice_axis(u, 0, k, last), adjoint(slice_axis(vh, 0, k, last - 1))
    turned = product(t, right)
    inner = product(adjoint(left), turned)
    moved_s = real_part(diagonal_of(inner)) if is_complex(x.dtype) else diagonal_of(inner)
    if k == 0:
        # No singular values: nothing tells the vectors apart.
        return outs, (None, moved_s, None)

    # How u and v turn: divided by s_j² - s_i², of which only rounding is left where they are equal.
    by_row, by_column = rows(s, inner), columns(s, inner)
    size = broadcast(
        reduce_max(s, axes=(s.ndim - 1,)), shape=s.shape, axes=tuple(range(s.ndim - 1))
    )
    eps = s.dtype.type(4 * max(m, n) * np.finfo(s.dtype).eps)
    tiny = mul(size, eps)
    apart = safe_reciprocal(sub(by_column, by_row), rows(tiny, inner))
    sums = safe_reciprocal(add(by_column, by_row), rows(tiny, inner))
    scale = with_dtype(mul(apart, sums), inner)
    falling, rising = (
        mul(inner, with_dtype(by_column, inner)),
        mul(inner, with_dtype(by_row, inner)),
    )
    moved_u = mul(scale, add(falling, adjoint(falling)))
    inverse = safe_reciprocal(s, tiny)
    if is_complex(x.dtype):
        phases = without_real(diagonal_part(inner))
        moved_u = add(moved_u, mul(phases, with_dtype(columns(inverse, inner), inner)))
    moved_u = product(left, moved_u)
    moved_v = product(right, mul(scale, add(rising, adjoint(rising))))
    # What of the change leaves the span of u, or of v.
    if m > k:
        outside = sub(turned, product(left, inner))
        moved_u = add(moved_u, mul(outside, with_dtype(columns(inverse, outside), outside)))
    if n > k:
        turned = product(adjoint(t), left)
        outside = sub(turned, product(right, adjoint(inner)))
        moved_v = add(moved_v, mul(outside, with_dtype(columns(inverse, outside), outside)))
    if full_matrices and m > k:
        rest = slice_axis(u, k, m, last)
        moved_u = concatenate(moved_u, complement_change(left, moved_u, rest), axis=last)
    if full_matrices and n > k:
        rest = adjoint(slice_axis(vh, k, n, last - 1))
        moved_v = concatenate(moved_v, complement_change(right, moved_v, rest), axis=last)
    return outs, (moved_u, moved_s, adjoint(moved_v))


def _svd(x: Any, *, full_matrices: bool) -> Any:
    return jax.lax.linalg.svd(x, full_matrices=full_matrices)


svd_p = Primitive(
    name="svd", type=_svd_type, jvp=_svd_jvp, transpose="it is not linear", batch=over_stacks(svd),
    lower=jax_lowering(_svd), multiple=True,
)  # fmt: skip


# --- singular_values --------------------------------------------------------------------
@public
def singular_values(x: Any) -> Any:
    """The singular values, falling: cheaper than `svd` where no vectors are needed.

    >>> import fn, numpy as np
    >>> [round(s, 3) for s in fn.ops.singular_values(np.float32([[3, 0], [0, 4]])).tolist()]
    [4.0, 3.0]
    """
    return bind(singular_values_p, x)


def _singular_values_type(x: ArrayType) -> ArrayType:
    return _svd_type(x, full_matrices=False)[1]


def _singular_values_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    if tangents[0] is None:
        return singular_values(args[0]), None
    outs, moved = _svd_jvp(args, tangents, full_matrices=False)
    return outs[1], moved[1]


def _singular_values(x: Any) -> Any:
    return jax.lax.linalg.svd(x, compute_uv=False)


singular_values_p = Primitive(
    name="singular_values", type=_singular_values_type, jvp=_singular_values_jvp,
    transpose="it is not linear", batch=over_stacks(singular_values),
    lower=jax_lowering(_singular_values),
)  # fmt: skip


# --- pinv -------------------------------------------------------------------------------
@public
def pinv(x: Any, rtol: Any, *, hermitian: bool = False) -> Any:
    """Moore-Penrose pseudoinverse; derivatives hold where the rank does not change.

    Source: Golub and Pereyra, The differentiation of pseudo-inverses (1973).

    Args:
        x: m by n matrices.
        rtol: real numbers, one for each matrix: singular values are taken for zero up to this part of
            the largest.
        hermitian: promise that `x` is Hermitian, which makes it cheaper.

    >>> import fn, numpy as np
    >>> fn.ops.pinv(np.ones((3, 2), np.float32), np.float32(1e-5)).shape
    (2, 3)
    """
    return bind(pinv_p, x, rtol, hermitian=hermitian)


def _pinv_type(x: ArrayType, rtol: ArrayType, *, hermitian: bool) -> ArrayType:
    require_matrices("pinv", x, square=hermitian)
    require(
        rtol.shape == x.shape[:-2] and rtol.dtype == real_dtype(x.dtype),
        "pinv: rtol does not fit the matrices", expected="a real number of their precision for each",
        got=types_text([x, rtol]),
    )  # fmt: skip
    *stack, m, n = x.shape
    return x.with_shape((*stack, n, m))


def _pinv_jvp(t: Any, p: Any, x: Any, rtol: Any, *, hermitian: bool) -> Any:
    ph, th = adjoint(p), adjoint(t)
    if x.shape[-2] >= x.shape[-1]:
        one, two = product(product(p, ph), th), product(product(th, ph), p)
        inside = add(product(product(p, t), p), product(product(one, x), p))
        return sub(add(one, two), add(inside, product(product(p, x), two)))
    one, two = product(p, product(ph, th)), product(th, product(ph, p))
    inside = add(product(p, product(t, p)), product(one, product(x, p)))
    return sub(add(one, two), add(inside, product(p, product(x, two))))


def _pinv_batch(axis: Any, args: Any, dims: Any, *, hermitian: bool) -> Batched:
    x, rtol = (stacked(axis, a, d) for a, d in zip(args, dims, strict=True))
    return pinv(x, rtol, hermitian=hermitian), 0


def _pinv(x: Any, rtol: Any, *, hermitian: bool) -> Any:
    return jax.numpy.linalg.pinv(x, rtol=rtol, hermitian=hermitian)


pinv_p = Primitive(
    name="pinv", type=_pinv_type, jvp=(_pinv_jvp, None), transpose="it is not linear",
    batch=_pinv_batch, lower=jax_lowering(_pinv),
)  # fmt: skip
