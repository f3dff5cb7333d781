"""Small algebra on stacks of matrices, of which the rules of factorizations are made.

A stack of matrices is an array whose last two axes are rows and columns; the axes before them are the
same for all operands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fn.core import ArrayType, dtype_name, is_complex, is_inexact
from fn.ops._dot import dot_general
from fn.ops._elementwise import (
    abs,
    add,
    conj,
    convert,
    div,
    eq,
    ge,
    gt,
    le,
    neg,
    real_part,
    select,
    sub,
)
from fn.ops._rules import Batched, require, types_text
from fn.ops._shape import broadcast, move_axis, reduce_sum, transpose
from fn.ops._slicing import iota, pad

DTYPES = tuple(map(np.dtype, (np.float32, np.float64, np.complex64, np.complex128)))


# --- checks and batches -----------------------------------------------------------------


def require_numbers(name: str, x: ArrayType) -> None:
    """A dtype that LAPACK and its like have kernels for."""
    half = is_inexact(x.dtype) and x.dtype not in DTYPES
    require(
        x.dtype in DTYPES, f"{name}: wrong dtype", expected="f32, f64, c64 or c128",
        got=types_text([x]),
        fix=f"convert to float32 first, and the result back: {dtype_name(x.dtype)} is too coarse for it"
        if half else "convert to a floating dtype first",
    )  # fmt: skip


def require_matrices(name: str, x: ArrayType, *, square: bool = False) -> None:
    """Matrices of a fitting dtype, square ones if `square`."""
    require(
        x.ndim >= 2 and (not square or x.shape[-1] == x.shape[-2]),
        f"{name}: not a {'square ' if square else ''}matrix",
        expected="at least two axes, the last two of one size" if square else "at least two axes",
        got=types_text([x]),
    )  # fmt: skip
    require_numbers(name, x)


def require_same_dtype(name: str, *xs: ArrayType) -> None:
    """Operands of one dtype."""
    require(
        len({x.dtype for x in xs}) == 1, f"{name}: the operands' dtypes differ",
        expected="equal dtypes", got=types_text(xs),
        fix="convert one; the fn.numpy functions promote",
    )  # fmt: skip


def stacked(axis: Any, x: Any, dim: int | None) -> Any:
    """`x` with the batched axis in front, repeated along it if it is not batched."""
    if dim is None:
        shape = np.shape(x)
        return broadcast(x, shape=(axis.size, *shape), axes=tuple(range(1, len(shape) + 1)))
    return move_axis(x, dim, 0)


def over_stacks(op: Callable[..., Any]) -> Callable[..., Batched | tuple[Any, Any]]:
    """The batch rule of an operation on stacks of matrices: one more axis of the stack."""

    def batch(axis: Any, args: Any, dims: Any, **params: Any) -> Any:
        out = op(*[stacked(axis, x, d) for x, d in zip(args, dims, strict=True)], **params)
        return (out, (0,) * len(out)) if isinstance(out, tuple) else (out, 0)

    return batch


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a modulus."""
    return np.dtype(ml_dtypes.finfo(dtype).dtype)


# --- products and transposes ------------------------------------------------------------


def product(x: Any, y: Any) -> Any:
    """Matrix products, at full precision."""
    stack = tuple(range(x.ndim - 2))
    return dot_general(
        x, y, contract=((x.ndim - 1,), (x.ndim - 2,)), batch=(stack, stack), precision="highest"
    )


def swap(x: Any) -> Any:
    """Transposed matrices."""
    n = x.ndim
    return transpose(x, permutation=(*range(n - 2), n - 1, n - 2))


def adjoint(x: Any) -> Any:
    """Transposed and conjugated matrices."""
    return conj(swap(x))


# --- parts of matrices ------------------------------------------------------------------


def _compare(x: Any, compare: Callable[[Any, Any], Any], k: int) -> Any:
    shape = x.shape
    row = iota(dtype=np.int32, shape=shape, axis=len(shape) - 2)
    column = iota(dtype=np.int32, shape=shape, axis=len(shape) - 1)
    return compare(add(row, np.int32(k)) if k else row, column)


def zero(x: Any) -> Any:
    """A scalar zero of the dtype of `x`."""
    return x.dtype.type(0)


def lower_part(x: Any, k: int = 0) -> Any:
    """`x` with zeros above the `k`-th diagonal."""
    return select(_compare(x, ge, k), x, zero(x))


def upper_part(x: Any, k: int = 0) -> Any:
    """`x` with zeros below the `k`-th diagonal."""
    return select(_compare(x, le, k), x, zero(x))


def diagonal_part(x: Any) -> Any:
    """`x` with zeros off the diagonal."""
    return select(_compare(x, eq, 0), x, zero(x))


def diagonal_of(x: Any) -> Any:
    """The diagonals, as vectors."""
    return reduce_sum(
        diagonal_part(x), axes=(x.ndim - 1 if x.shape[-1] <= x.shape[-2] else x.ndim - 2,)
    )


def identity_like(x: Any, n: int | None = None) -> Any:
    """Identity matrices, as many as in `x`, of size `n` or as many columns as `x` has."""
    n = x.shape[-1] if n is None else n
    shape = (*x.shape[:-2], n, n)
    row, column = (iota(dtype=np.int32, shape=shape, axis=len(shape) - i) for i in (2, 1))
    return convert(eq(row, column), dtype=x.dtype)


def columns(v: Any, x: Any) -> Any:
    """Vectors repeated into matrices of the shape of `x`, an element for each column."""
    return broadcast(v, shape=x.shape, axes=(*range(v.ndim - 1), x.ndim - 1))


def rows(v: Any, x: Any) -> Any:
    """Vectors repeated into matrices of the shape of `x`, an element for each row."""
    return broadcast(v, shape=x.shape, axes=tuple(range(x.ndim - 1)))


def hermitian(x: Any) -> Any:
    """The Hermitian matrices with the lower triangles of `x`."""
    strict = lower_part(x, -1)
    middle = diagonal_part(x)
    if is_complex(x.dtype):
        middle = convert(real_part(middle), dtype=x.dtype)
    return add(add(strict, adjoint(strict)), middle)


def widened(x: Any, rows_: int, columns_: int) -> Any:
    """`x` with zeros below and to the right, up to this size."""
    before = (0,) * x.ndim
    after = (*before[2:], rows_ - x.shape[-2], columns_ - x.shape[-1])
    return pad(x, value=0, low=before, high=after)


# --- numbers ----------------------------------------------------------------------------


def with_dtype(x: Any, like: Any) -> Any:
    """Real `x` in the dtype of `like`, which may be complex."""
    return convert(x, dtype=like.dtype)


def safe_reciprocal(x: Any, tiny: Any) -> Any:
    """`1 / x`, and 0 where `x` is no larger than `tiny`: there only rounding is left of it."""
    regular = gt(abs(x), tiny)
    one = x.dtype.type(1)
    return select(regular, div(one, select(regular, x, one)), zero(x))


def without_real(x: Any) -> Any:
    """Complex `x` with its real part set to zero."""
    return sub(x, convert(real_part(x), dtype=x.dtype))


def complement_change(kept: Any, moved: Any, rest: Any) -> Any:
    """How orthonormal columns `rest` turn while the columns `kept`, orthogonal to them, change by `moved`.

    They are any basis of what `kept` leaves; this is the basis that does not turn within itself.
    """
    return neg(product(kept, product(adjoint(moved), rest)))
