"""Determinants, their logarithms, and the adjugate, which is the derivative of a determinant."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fn.core import ArrayType, Primitive, bind, is_complex, public
from fn.ops._elementwise import (
    add,
    eq,
    imag_part,
    logical_or,
    make_complex,
    mul,
    neg,
    real_part,
    select,
    stop_gradient,
)
from fn.ops._linalg import factored_solve, lu, lu_solve
from fn.ops._linalg_svd import svd
from fn.ops._matrices import (
    adjoint,
    columns,
    diagonal_of,
    diagonal_part,
    identity_like,
    over_stacks,
    product,
    real_dtype,
    require_matrices,
    swap,
    with_dtype,
    zero,
)
from fn.ops._reduce import reduce_prod
from fn.ops._rules import jax_lowering, require, types_text
from fn.ops._shape import broadcast, reduce_sum
from fn.ops._slicing import iota


def _require_factors(name: str, x: ArrayType, packed: ArrayType, *integers: ArrayType) -> None:
    require_matrices(name, x, square=True)
    require(
        packed == x.with_shape(packed.shape) or packed.dtype == x.dtype,
        f"{name}: the operands' dtypes differ", expected="equal dtypes", got=types_text([x, packed]),
    )  # fmt: skip
    require(
        packed.shape == x.shape and all(i.shape == x.shape[:-1] for i in integers),
        f"{name}: the operands do not fit together",
        expected="matrices with the factors, pivots and permutation of each",
        got=types_text([x, packed, *integers]),
    )  # fmt: skip


def _paired(x: Any, t: Any) -> Any:
    """The trace of `x t`, for each matrix."""
    return reduce_sum(mul(swap(x), t), axes=(t.ndim - 2, t.ndim - 1))


def _diagonal(packed: Any) -> Any:
    return jax.numpy.diagonal(packed, axis1=-2, axis2=-1)


def _parity(pivots: Any) -> Any:
    """Whether the rows were swapped an odd number of times."""
    swaps = pivots != jax.lax.broadcasted_iota(pivots.dtype, pivots.shape, pivots.ndim - 1)
    return jax.numpy.sum(swaps, axis=-1) % 2 == 1


# --- slogdet ----------------------------------------------------------------------------
@public
def slogdet(x: Any) -> tuple[Any, Any]:
    """Sign of the determinant of square matrices, and the logarithm of its modulus.

    The sign is 0 and the logarithm -inf where the matrix is singular. That of a complex determinant is
    a number on the unit circle.

    >>> import fn, numpy as np
    >>> sign, log_size = fn.ops.slogdet(np.float32([[1, 2], [3, 4]]))
    >>> sign.item(), round(float(log_size), 3)
    (-1.0, 0.693)
    """
    out: tuple[Any, Any] = bind(slogdet_p, x, *lu(stop_gradient(x)))
    return out


def _slogdet_type(
    x: ArrayType, packed: ArrayType, pivots: ArrayType, permutation: ArrayType
) -> tuple[ArrayType, ArrayType]:
    _require_factors("slogdet", x, packed, pivots, permutation)
    shape = x.shape[:-2]
    return x.with_shape(shape), ArrayType(shape, real_dtype(x.dtype), x.weak)


def _slogdet_jvp(args: Any, tangents: Any) -> tuple[Any, Any]:
    x, packed, _, permutation = args
    sign, logarithm = bind(slogdet_p, *args)
    if tangents[0] is None:
        return (sign, logarithm), (None, None)
    # By Jacobi's formula: the logarithm changes by the trace of x^-1 t.
    moved = _paired(lu_solve(x, packed, permutation, identity_like(x)), tangents[0])
    if not is_complex(x.dtype):
        return (sign, logarithm), (None, moved)
    turned = mul(sign, make_complex(zero(real_part(moved)), imag_part(moved)))
    return (sign, logarithm), (turned, real_part(moved))


def _slogdet(x: Any, packed: Any, pivots: Any, permutation: Any) -> Any:
    diagonal = _diagonal(packed)
    size = jax.numpy.abs(diagonal)
    sign = jax.numpy.prod(jax.lax.sign(diagonal), axis=-1)
    sign = jax.numpy.where(_parity(pivots), -sign, sign)
    return sign, jax.numpy.sum(jax.lax.log(size), axis=-1)


slogdet_p: Primitive = Primitive(
    name="slogdet", type=_slogdet_type, jvp=_slogdet_jvp, transpose="it is not linear",
    batch=over_stacks(lambda *args: bind(slogdet_p, *args)), lower=jax_lowering(_slogdet),
    multiple=True,
)  # fmt: skip


# --- det --------------------------------------------------------------------------------
@public
def det(x: Any) -> Any:
    """Determinants of square matrices, with derivatives that hold for singular ones too.

    >>> import fn, numpy as np
    >>> round(float(fn.ops.det(np.float32([[1, 2], [3, 4]]))), 3)
    -2.0
    """
    packed, pivots, _ = lu(stop_gradient(x))
    return bind(det_p, x, packed, pivots)


def _det_type(x: ArrayType, packed: ArrayType, pivots: ArrayType) -> ArrayType:
    _require_factors("det", x, packed, pivots)
    return x.with_shape(x.shape[:-2])


def _det(x: Any, packed: Any, pivots: Any) -> Any:
    out = jax.numpy.prod(_diagonal(packed), axis=-1)
    return jax.numpy.where(_parity(pivots), -out, out)


det_p: Primitive = Primitive(
    name="det", type=_det_type, transpose="it is not linear",
    jvp=(lambda t, out, x, packed, pivots: _paired(adjugate(x), t), None, None),
    batch=over_stacks(lambda *args: bind(det_p, *args)), lower=jax_lowering(_det),
)  # fmt: skip


# --- adjugate ---------------------------------------------------------------------------
@public
def adjugate(x: Any) -> Any:
    """`det(x)` times the inverse of square `x`: transposed cofactors, which singular `x` has too.

    First and second derivatives of a determinant hold for every `x`, higher ones where singular values
    differ.

    >>> import fn, numpy as np
    >>> np.round(np.asarray(fn.ops.adjugate(np.float32([[1, 2], [3, 4]]))), 3).tolist()
    [[4.0, -2.0], [-3.0, 1.0]]
    """
    return bind(adjugate_p, x)


def _adjugate_type(x: ArrayType) -> ArrayType:
    require_matrices("adjugate", x, square=True)
    return x


def _adjugate_jvp(t: Any, out: Any, x: Any) -> Any:
    # adj(u s v) = adj(v) adj(s) adj(u), and the adjugate of a diagonal matrix consists of products of
    # all elements but one. Its derivative consists of products of all but two.
    u, s, vh = svd(x)
    inner = product(adjoint(u), product(t, adjoint(vh)))
    but_two = with_dtype(_products_but_two(s), inner)
    others = mul(_off_diagonal(but_two), columns(diagonal_of(inner), inner))
    diagonal = reduce_sum(others, axes=(others.ndim - 1,))
    own = diagonal_part(broadcast(diagonal, shape=inner.shape, axes=tuple(range(inner.ndim - 1))))
    moved = add(own, neg(_off_diagonal(mul(but_two, inner))))
    turn = mul(det(u), det(vh))
    out = product(adjoint(vh), product(moved, adjoint(u)))
    return mul(broadcast(turn, shape=out.shape, axes=tuple(range(turn.ndim))), out)


def _off_diagonal(x: Any) -> Any:
    return add(x, neg(diagonal_part(x)))


def _products_but_two(s: Any) -> Any:
    """For each pair of elements the product of the others."""
    n, k = s.shape[-1], s.ndim
    shape = (*s.shape, n, n)
    numbers = [iota(dtype=np.int32, shape=shape, axis=k - 1 + i) for i in range(3)]
    from_ = broadcast(s, shape=shape, axes=(*range(k - 1), k + 1))
    taken = logical_or(eq(numbers[0], numbers[2]), eq(numbers[1], numbers[2]))
    return reduce_prod(select(taken, s.dtype.type(1), from_), axes=(k + 1,))


def _adjugate(x: Any) -> Any:
    packed, pivots, permutation = jax.lax.linalg.lu(x)
    determinant = _det(x, packed, pivots)[..., None, None]
    size = jax.numpy.abs(_diagonal(packed))
    eps = np.finfo(size.dtype).eps
    # The determinant and the inverse come from the same factors: their errors cancel while no pivot
    # is lost to rounding.
    regular = jax.numpy.all(size > eps * jax.numpy.max(size, axis=-1, keepdims=True, initial=0))
    return jax.lax.cond(
        regular, _from_factors, _from_singular_values, x, packed, permutation, determinant
    )


def _from_factors(x: Any, packed: Any, permutation: Any, determinant: Any) -> Any:
    identity = jax.numpy.broadcast_to(jax.numpy.eye(x.shape[-1], dtype=x.dtype), x.shape)
    return determinant * factored_solve(packed, permutation, identity, False)


def _from_singular_values(x: Any, packed: Any, permutation: Any, determinant: Any) -> Any:
    u, s, vh = jax.lax.linalg.svd(x, full_matrices=False)
    one = jax.numpy.ones_like(s[..., :1])
    before = jax.numpy.cumprod(jax.numpy.concatenate([one, s[..., :-1]], -1), axis=-1)
    after = jax.numpy.cumprod(jax.numpy.concatenate([one, s[..., :0:-1]], -1), axis=-1)[..., ::-1]
    u, vh = (jax.numpy.conj(jax.numpy.swapaxes(a, -1, -2)) for a in (u, vh))
    turn = jax.numpy.conj(jax.numpy.linalg.det(u) * jax.numpy.linalg.det(vh))[..., None, None]
    scaled = vh * (before * after)[..., None, :]
    return turn * jax.lax.batch_matmul(scaled, u, precision=jax.lax.Precision.HIGHEST)


adjugate_p: Primitive = Primitive(
    name="adjugate", type=_adjugate_type, jvp=(_adjugate_jvp,), transpose="it is not linear",
    batch=over_stacks(adjugate), lower=jax_lowering(_adjugate),
)  # fmt: skip
