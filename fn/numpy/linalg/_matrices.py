"""What the functions on matrices share: arguments checked and promoted, transposes, stacks."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, dtype_name, is_inexact
from fn.numpy._promotion import (
    array,
    cast,
    floating_dtype,
    literal,
    promote,
    stretch,
    type_at,
    types_text,
)


def floats(name: str, *xs: Any) -> list[Any]:
    """Arguments as arrays of one floating or complex dtype that factorizations exist for."""
    arrays = [array(name, x, i) for i, x in enumerate(xs)]
    arrays = promote(name, *arrays) if len(arrays) > 1 else arrays
    if not is_inexact(arrays[0].dtype):
        arrays = [cast(x, floating_dtype(x.dtype)) for x in arrays]
    dtype = arrays[0].dtype
    if dtype.itemsize < 4:
        raise ArgumentError(
            f"{name}: {dtype_name(dtype)} is too coarse", expected="f32, f64, c64 or c128",
            got=types_text([type_at(name, x) for x in arrays]),
            fix="convert first, and the result back: x.astype(fn.numpy.float32)",
        )  # fmt: skip
    return arrays


def matrices(name: str, x: Any, *, square: bool = False) -> Any:
    """An argument as a stack of matrices with a dtype that factorizations exist for."""
    (x,) = floats(name, x)
    check_matrices(name, x, square=square)
    return x


def check_matrices(name: str, x: Any, *, square: bool = False) -> None:
    """At least two axes, and the last two of one size if `square`."""
    if x.ndim < 2:
        raise ArgumentError(
            f"{name}: not a matrix", expected="at least two axes, the last two being rows and columns",
            got=types_text([type_at(name, x)]),
        )  # fmt: skip
    if square and x.shape[-1] != x.shape[-2]:
        raise ArgumentError(
            f"{name}: the matrix is not square", expected="last two axes of one size",
            got=types_text([type_at(name, x)]),
            fix="for least squares use lstsq or pinv" if name in ("solve", "inv") else None,
        )  # fmt: skip


def swap(x: Any) -> Any:
    """Transposed matrices."""
    n = x.ndim
    return ops.transpose(x, permutation=(*range(n - 2), n - 1, n - 2))


def adjoint(x: Any) -> Any:
    """Transposed and conjugated matrices."""
    return ops.conj(swap(x))


def symmetrized(x: Any) -> Any:
    """The Hermitian part."""
    return ops.mul(ops.add(x, adjoint(x)), literal(0.5, x.dtype))


def with_stack(x: Any, stack: tuple[int, ...], own: int = 2) -> Any:
    """`x` with these leading axes before its own last ones."""
    return stretch(x, x.shape, (*stack, *x.shape[x.ndim - own :]))


def identity(x: Any) -> Any:
    """Identity matrices of the shape and dtype of `x`."""
    row, column = (ops.iota(dtype=numpy.int32, shape=x.shape, axis=x.ndim - i) for i in (2, 1))
    return ops.convert(ops.eq(row, column), dtype=x.dtype)


def times(x: Any, y: Any) -> Any:
    """Products of matrices in equal stacks, at full precision."""
    stack = tuple(range(x.ndim - 2))
    return ops.dot_general(
        x, y, contract=((x.ndim - 1,), (x.ndim - 2,)), batch=(stack, stack), precision="highest"
    )


def epsilon(x: Any) -> float:
    """The spacing of numbers around 1 in the dtype of `x`."""
    return float(numpy.finfo(x.dtype).eps)


def entry(x: Any, i: int, j: int) -> Any:
    """One element of each matrix."""
    x = ops.slice_axis(ops.slice_axis(x, i, i + 1, x.ndim - 2), j, j + 1, x.ndim - 1)
    return ops.reshape(x, shape=x.shape[:-2])
