"""Orthogonal factors: qr, and the reflections it is computed with."""

from __future__ import annotations

from typing import Any

import jax

from fn.core import ArrayType, Primitive, bind, is_complex, public
from fn.ops._elementwise import add, sub
from fn.ops._linalg import triangular_solve
from fn.ops._matrices import (
    adjoint,
    complement_change,
    diagonal_part,
    lower_part,
    over_stacks,
    product,
    require_matrices,
    without_real,
)
from fn.ops._rules import jax_lowering
from fn.ops._slicing import concatenate, slice_axis


# --- qr ---------------------------------------------------------------------------------
@public
def qr(x: Any, *, full_matrices: bool = False) -> tuple[Any, Any]:
    """`q r = x`, with orthonormal columns of `q` and upper triangular `r`.

    Derivatives need the first columns of `x`, as many as it has rows, to be independent. The columns
    that `full_matrices` adds to a tall `x` could be any basis of what is left; their derivative is that
    of a basis that does not turn within itself.

    Args:
        x: m by n matrices.
        full_matrices: m columns of `q`, instead of min(m, n).

    >>> import fn, numpy as np
    >>> q, r = fn.ops.qr(np.ones((3, 2), np.float32))
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    out: tuple[Any, Any] = bind(qr_p, x, full_matrices=full_matrices)
    return out


def _qr_type(x: ArrayType, *, full_matrices: bool) -> tuple[ArrayType, ArrayType]:
    require_matrices("qr", x)
    *stack, m, n = x.shape
    k = m if full_matrices else min(m, n)
    return x.with_shape((*stack, m, k)), x.with_shape((*stack, k, n))


def _qr_jvp(args: Any, tangents: Any, *, full_matrices: bool) -> tuple[Any, Any]:
    (x,), (t,) = args, tangents
    q, r = qr(x, full_matrices=full_matrices)
    m, n = x.shape[-2:]
    k = min(m, n)
    last = x.ndim - 1
    # A square r decides how q turns: q' = q w + (I - q q^H) t r^-1 with w antihermitian.
    basis = slice_axis(q, 0, k, last)
    square = slice_axis(slice_axis(r, 0, k, last - 1), 0, k, last)
    scaled = triangular_solve(square, slice_axis(t, 0, k, last))
    inside = product(adjoint(basis), scaled)
    strict = lower_part(inside, -1)
    turn = sub(strict, adjoint(strict))
    if is_complex(x.dtype):
        # r has a real diagonal, so that of q^H q' takes all there is of the imaginary part.
        turn = add(turn, without_real(diagonal_part(inside)))
    moved = add(product(basis, sub(turn, inside)), scaled)
    if q.shape[-1] > k:
        rest = slice_axis(q, k, m, last)
        moved = concatenate(moved, complement_change(basis, moved, rest), axis=last)
    moved_r = product(adjoint(q), sub(t, product(moved, r)))
    return (q, r), (moved, moved_r)


def _qr(x: Any, *, full_matrices: bool) -> Any:
    return jax.lax.linalg.qr(x, full_matrices=full_matrices)


qr_p = Primitive(
    name="qr", type=_qr_type, jvp=_qr_jvp, transpose="it is not linear", batch=over_stacks(qr),
    lower=jax_lowering(_qr), multiple=True,
)  # fmt: skip


# --- geqrf ------------------------------------------------------------------------------
@public
def geqrf(x: Any) -> tuple[Any, Any]:
    """The qr factors as LAPACK keeps them: `r` above the vectors of the reflections, and their scales.

    >>> import fn, numpy as np
    >>> packed, scales = fn.ops.geqrf(np.ones((3, 2), np.float32))
    >>> packed.shape, scales.shape
    ((3, 2), (2,))
    """
    out: tuple[Any, Any] = bind(geqrf_p, x)
    return out


def _geqrf_type(x: ArrayType) -> tuple[ArrayType, ArrayType]:
    require_matrices("geqrf", x)
    return x, x.with_shape((*x.shape[:-2], min(x.shape[-2:])))


def _geqrf(x: Any) -> Any:
    reflections, scales = jax.numpy.linalg.qr(x, mode="raw")
    return reflections.mT, scales


geqrf_p = Primitive(
    name="geqrf", type=_geqrf_type, transpose="it is not linear", batch=over_stacks(geqrf),
    jvp="no formula for the reflections is implemented; differentiate qr instead",
    lower=jax_lowering(_geqrf), multiple=True,
)  # fmt: skip
