"""Hessenberg form, and the order of columns for a qr factorization with pivots."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fn.core import ArrayType, Primitive, bind, constant, public
from fn.ops._matrices import over_stacks, require_matrices, stacked
from fn.ops._rules import Batched, jax_lowering


# --- hessenberg -------------------------------------------------------------------------
@public
def hessenberg(x: Any) -> tuple[Any, Any]:
    """`h` and unitary `q` with `q h q^H = x`; `h` is 0 below its first subdiagonal.

    >>> import fn, numpy as np
    >>> h, q = fn.ops.hessenberg(np.ones((3, 3), np.float32))
    >>> h.shape, q.shape
    ((3, 3), (3, 3))
    """
    out: tuple[Any, Any] = bind(hessenberg_p, x)
    return out


def _hessenberg_type(x: ArrayType) -> tuple[ArrayType, ArrayType]:
    require_matrices("hessenberg", x, square=True)
    return x, x


def _hessenberg(x: Any) -> Any:
    jnp, n = jax.numpy, x.shape[-1]
    unit = jnp.zeros_like(x) + jnp.eye(n, dtype=x.dtype)
    if n < 2:
        return x, unit
    packed, scales = jax.lax.linalg.hessenberg(x)
    inner = jax.lax.linalg.householder_product(packed[..., 1:, :-1], scales)
    return jnp.triu(packed, -1), unit.at[..., 1:, 1:].set(inner)


hessenberg_p = Primitive(
    name="hessenberg", type=_hessenberg_type, transpose="it is not linear", batch=over_stacks(hessenberg),
    jvp="no formula for its derivative is implemented", lower=jax_lowering(_hessenberg), multiple=True,
)  # fmt: skip


# --- qr_order ---------------------------------------------------------------------------
@public
def qr_order(x: Any) -> Any:
    """The order in which a qr factorization with pivots takes the columns of `x`, the longest first.

    >>> import fn, numpy as np
    >>> fn.ops.qr_order(np.float32([[1, 5], [0, 0]])).tolist()
    [1, 0]
    """
    return bind(qr_order_p, x)


def _qr_order_type(x: ArrayType) -> ArrayType:
    require_matrices("qr_order", x)
    return ArrayType((*x.shape[:-2], x.shape[-1]), np.dtype(np.int32))


def _qr_order_batch(axis: Any, args: Any, dims: Any) -> Batched:
    return qr_order(stacked(axis, args[0], dims[0])), 0


def _qr_order(x: Any) -> Any:
    return jax.lax.linalg.qr(x, pivoting=True, full_matrices=False)[2].astype(np.int32)


qr_order_p = Primitive(
    name="qr_order", type=_qr_order_type, jvp=constant, transpose="it is not linear",
    batch=_qr_order_batch, lower=jax_lowering(_qr_order),
)  # fmt: skip
