"""Eigenvalues and eigenvectors: eigh of Hermitian matrices, eig of others, and schur."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_complex, public
from fn.ops._elementwise import (
    abs,
    conj,
    div,
    eq,
    imag_part,
    le,
    make_complex,
    mul,
    real_part,
    select,
    stop_gradient,
    sub,
)
from fn.ops._linalg import solve
from fn.ops._matrices import (
    adjoint,
    columns,
    diagonal_of,
    hermitian,
    over_stacks,
    product,
    real_dtype,
    require_matrices,
    rows,
    safe_reciprocal,
    with_dtype,
    zero,
)
from fn.ops._reduce import argmax, reduce_max
from fn.ops._rules import jax_lowering
from fn.ops._shape import broadcast, reduce_sum
from fn.ops._slicing import iota


def _repeated(x: Any, size: int) -> Any:
    """A number for each matrix, repeated for each of its rows and columns."""
    shape = (*x.shape, size, size)
    return broadcast(x, shape=shape, axes=tuple(range(x.ndim)))


def _distances(w: Any, inner: Any) -> tuple[Any, Any]:
    """Differences of eigenvalues, `w_j - w_i`, and what they must exceed to be more than rounding."""
    n = inner.shape[-1]
    largest = reduce_max(abs(w), axes=(w.ndim - 1,))
    tiny = mul(largest, largest.dtype.type(4 * n * np.finfo(largest.dtype).eps))
    return sub(columns(w, inner), rows(w, inner)), _repeated(tiny, n)


# --- eigh -------------------------------------------------------------------------------
@public
def eigh(x: Any) -> tuple[Any, Any]:
    """Eigenvalues of Hermitian matrices, rising, and orthonormal eigenvectors in columns.

    Only the lower triangle of `x` is read. Eigenvectors of eigenvalues that differ by rounding only have
    no derivative; what has none is left out. So functions that treat them alike get finite derivatives,
    and those of the eigenvalues alone the right ones.

    >>> import fn, numpy as np
    >>> values, vectors = fn.ops.eigh(np.float32([[2, 0], [0, 3]]))
    >>> values.tolist(), vectors.shape
    ([2.0, 3.0], (2, 2))
    """
    out: tuple[Any, Any] = bind(eigh_p, x)
    return out


def _eigh_type(x: ArrayType) -> tuple[ArrayType, ArrayType]:
    require_matrices("eigh", x, square=True)
    return ArrayType(x.shape[:-1], real_dtype(x.dtype), x.weak), x


def _eigh_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    w, v = eigh(x)
    inner = product(adjoint(v), product(hermitian(t), v))
    moved_w = diagonal_of(inner)
    moved_w = real_part(moved_w) if is_complex(x.dtype) else moved_w
    if x.shape[-1] == 0:
        return (w, v), (moved_w, None)
    moved_v = product(v, mul(with_dtype(safe_reciprocal(*_distances(w, inner)), inner), inner))
    return (w, v), (moved_w, moved_v)


def _eigh(x: Any) -> Any:
    v, w = jax.lax.linalg.eigh(x, symmetrize_input=False)
    return w, v


eigh_p = Primitive(
    name="eigh", type=_eigh_type, jvp=_eigh_jvp, transpose="it is not linear",
    batch=over_stacks(eigh), lower=jax_lowering(_eigh), multiple=True,
)  # fmt: skip


# --- eig --------------------------------------------------------------------------------
@public
def eig(x: Any) -> tuple[Any, Any]:
    """Eigenvalues and eigenvectors of square matrices, complex and in no order.

    Each eigenvector has length 1, and its largest component is real. Derivatives need eigenvalues that
    differ; those of others are left out, as in `eigh`.

    >>> import fn, numpy as np
    >>> values, vectors = fn.ops.eig(np.float32([[2, 0], [0, 3]]))
    >>> sorted(values.real.tolist()), vectors.shape
    ([2.0, 3.0], (2, 2))
    """
    out: tuple[Any, Any] = bind(eig_p, x)
    return out


def _complex_type(x: ArrayType) -> ArrayType:
    return x.with_dtype(np.result_type(x.dtype, np.complex64))


def _eig_type(x: ArrayType) -> tuple[ArrayType, ArrayType]:
    require_matrices("eig", x, square=True)
    v = _complex_type(x)
    return v.with_shape(x.shape[:-1]), v


def _eig_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    w, v = eig(x)
    inner = solve(v, product(with_dtype(t, v), v))
    moved_w = diagonal_of(inner)
    if x.shape[-1] == 0:
        return (w, v), (moved_w, None)
    distance, tiny = _distances(w, inner)
    close = le(abs(stop_gradient(distance)), tiny)
    apart = select(close, distance.dtype.type(1), distance)
    moved = product(v, select(close, zero(distance), div(inner, apart)))
    return (w, v), (moved_w, sub(moved, mul(v, columns(_drift(v, moved), v))))


def _drift(v: Any, moved: Any) -> Any:
    """What must be taken off for columns of `v` to keep their length and the phase of one component."""
    axis = v.ndim - 2
    growth = reduce_sum(real_part(mul(conj(v), moved)), axes=(axis,))
    largest = argmax(abs(v), axis=axis)
    here = eq(iota(dtype=np.int32, shape=v.shape, axis=axis), columns(largest, v))
    component = reduce_sum(select(here, moved, zero(v)), axes=(axis,))
    size = reduce_sum(select(here, real_part(v), zero(real_part(v))), axes=(axis,))
    return make_complex(growth, div(imag_part(component), size))


def _eig(x: Any) -> Any:
    w, v = jax.lax.linalg.eig(x, compute_left_eigenvectors=False)
    return w, v


eig_p = Primitive(
    name="eig", type=_eig_type, jvp=_eig_jvp, transpose="it is not linear", batch=over_stacks(eig),
    lower=jax_lowering(_eig), multiple=True,
)  # fmt: skip


# --- eigenvalues ------------------------------------------------------------------------
@public
def eigenvalues(x: Any) -> Any:
    """The eigenvalues that `eig` gives: cheaper where no vectors are needed.

    >>> import fn, numpy as np
    >>> sorted(fn.ops.eigenvalues(np.float32([[2, 0], [0, 3]])).real.tolist())
    [2.0, 3.0]
    """
    return bind(eigenvalues_p, x)


def _eigenvalues_type(x: ArrayType) -> ArrayType:
    return _eig_type(x)[0]


def _eigenvalues_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    outs, moved = _eig_jvp(args, tangents)
    return outs[0], moved[0]


def _eigenvalues(x: Any) -> Any:
    (w,) = jax.lax.linalg.eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False)
    return w


eigenvalues_p = Primitive(
    name="eigenvalues", type=_eigenvalues_type, jvp=_eigenvalues_jvp, transpose="it is not linear",
    batch=over_stacks(eigenvalues), lower=jax_lowering(_eigenvalues),
)  # fmt: skip


# --- schur ------------------------------------------------------------------------------
@public
def schur(x: Any) -> tuple[Any, Any]:
    """`t` and unitary `z` with `z t z^H = x`; `t` is triangular, or has 2 by 2 blocks if `x` is real.

    >>> import fn, numpy as np
    >>> t, z = fn.ops.schur(np.float32([[1, 2], [0, 3]]))
    >>> t.shape, z.shape
    ((2, 2), (2, 2))
    """
    out: tuple[Any, Any] = bind(schur_p, x)
    return out


def _schur_type(x: ArrayType) -> tuple[ArrayType, ArrayType]:
    require_matrices("schur", x, square=True)
    return x, x


schur_p = Primitive(
    name="schur", type=_schur_type, transpose="it is not linear", batch=over_stacks(schur),
    jvp="no formula is implemented; eig is differentiable", multiple=True,
    lower=jax_lowering(jax.lax.linalg.schur),
)  # fmt: skip
