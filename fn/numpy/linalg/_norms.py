"""Norms of vectors and matrices, and condition numbers.

At zero a norm has a kink; the gradient there is 0, the shortest of its subgradients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex, is_inexact
from fn.numpy._fused import fused
from fn.numpy._promotion import (
    array,
    cast,
    floating_dtype,
    like,
    literal,
    some_axes,
    type_at,
    types_text,
)
from fn.numpy.linalg._matrices import check_matrices, matrices
from fn.numpy.linalg._systems import inv

Order = int | float | str | None


def _floating(name: str, x: Any) -> tuple[Any, Any]:
    """`x` wide enough to add its squares up, and the dtype of the norm."""
    x = array(name, x)
    if not is_inexact(x.dtype):
        x = cast(x, floating_dtype(x.dtype))
    if x.dtype.itemsize < 4:
        return ops.convert(x, dtype=numpy.float32), x.dtype
    return x, numpy.finfo(x.dtype).dtype


def _finished(out: Any, axes: tuple[int, ...], keepdims: bool, dtype: Any) -> Any:
    out = ops.expand(out, axes) if keepdims and axes else out
    return out if out.dtype == dtype else ops.convert(out, dtype=dtype)


def _squares(x: Any) -> Any:
    if is_complex(x.dtype):
        return ops.add(ops.square(ops.real_part(x)), ops.square(ops.imag_part(x)))
    return ops.square(x)


def _root(total: Any, power: float) -> Any:
    """A root whose derivative at 0, where it has none, counts as 0."""
    nothing = ops.eq(total, like(0.0, total))
    inside = ops.select(nothing, like(1.0, total), total)
    root = ops.sqrt(inside) if power == 2 else ops.pow(inside, like(1.0 / power, total))
    return ops.select(nothing, like(0.0, total), root)


def _largest(x: Any, axes: tuple[int, ...]) -> Any:
    """The largest of sizes, which is 0 if there are none."""
    out = ops.reduce_max(x, axes=axes)
    return ops.maximum(out, like(0.0, out)) if any(x.shape[a] == 0 for a in axes) else out


def _smallest(name: str, x: Any, axes: tuple[int, ...]) -> Any:
    if any(x.shape[a] == 0 for a in axes):
        raise ArgumentError(
            f"{name}: nothing to compare",
            expected="axes that are not empty",
            got=f"shape {x.shape}",
        )
    return ops.reduce_min(x, axes=axes)


# --- vectors ----------------------------------------------------------------------------


def _vector_norm(name: str, x: Any, axes: tuple[int, ...], ord: Order) -> Any:
    if ord is None or ord == 2:
        return _root(ops.reduce_sum(_squares(x), axes=axes), 2)
    if isinstance(ord, str):
        raise ArgumentError(
            f"{name}: there is no such order of a vector norm", expected="a number",
            got=f"ord={ord!r}", fix="use fn.numpy.inf" if "inf" in ord else None,
        )  # fmt: skip
    size = ops.abs(x)
    if ord == math.inf:
        return _largest(size, axes)
    if ord == -math.inf:
        return _smallest(name, size, axes)
    if ord == 0:
        some = ops.convert(ops.ne(size, like(0.0, size)), dtype=size.dtype)
        return ops.reduce_sum(some, axes=axes)
    if ord == 1:
        return ops.reduce_sum(size, axes=axes)
    return _root(ops.reduce_sum(ops.pow(size, like(float(ord), size)), axes=axes), ord)


@fused("axis", "keepdims", "ord")
def vector_norm(
    x: Any, /, *, axis: int | Sequence[int] | None = None, keepdims: bool = False, ord: Order = 2
) -> Any:
    """Norms of vectors: `sum(|x| ** ord) ** (1 / ord)`.

    Args:
        x: array; integers become floating.
        axis: the axis of the vectors; several are flattened, and None flattens all.
        keepdims: keep these axes, with size 1.
        ord: any number; 0 counts the elements that are not zero, inf and -inf take the largest and the
            smallest size.

    Returns:
        Array of real numbers. Its gradient at 0 is 0.

    Raises:
        ArgumentError: there is no such order or axis.

    >>> import fn.numpy as np
    >>> print(np.linalg.vector_norm(np.array([3., 4.])))
    5.0
    """
    x, dtype = _floating("vector_norm", x)
    axes = some_axes("vector_norm", _as_axes(axis), x.ndim)
    return _finished(_vector_norm("vector_norm", x, axes, ord), axes, keepdims, dtype)


def _as_axes(axis: Any) -> Any:
    return tuple(axis) if isinstance(axis, Sequence) else axis


# --- matrices ---------------------------------------------------------------------------


def _matrix_norm(name: str, x: Any, axes: tuple[int, ...], ord: Order) -> Any:
    row, column = axes
    if ord in (None, "f", "fro"):
        return _root(ops.reduce_sum(_squares(x), axes=axes), 2)
    if ord in (1, -1, math.inf, -math.inf):
        # Sums along rows or columns, and the largest or smallest of them.
        summed, left = (row, column) if abs(ord) == 1 else (column, row)
        sums = ops.reduce_sum(ops.abs(x), axes=(summed,))
        rest = (left - (left > summed),)
        return _largest(sums, rest) if ord > 0 else _smallest(name, sums, rest)
    if ord in ("nuc", 2, -2):
        others = tuple([i for i in range(x.ndim) if i not in axes])
        s = ops.singular_values(ops.transpose(x, permutation=(*others, row, column)))
        last = (s.ndim - 1,)
        if ord == "nuc":
            return ops.reduce_sum(s, axes=last)
        return _largest(s, last) if ord == 2 else _smallest(name, s, last)
    raise ArgumentError(
        f"{name}: there is no such order of a matrix norm",
        expected='"fro", "nuc", 1, -1, 2, -2, inf or -inf', got=f"ord={ord!r}",
    )  # fmt: skip


@fused("keepdims", "ord")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Order = "fro") -> Any:
    """Norms of matrices.

    Args:
        x: array of shape (…, m, n); integers become floating.
        keepdims: keep the last two axes, with size 1.
        ord: "fro", the root of the sum of squares; "nuc", the sum of the singular values; 2 and -2,
            the largest and the smallest of them; 1 and -1, of the sums of columns; inf and -inf, of the
            sums of rows.

    Returns:
        Real numbers of shape (…).

    Raises:
        ArgumentError: not a matrix, or there is no such order.

    >>> import fn.numpy as np
    >>> print(np.linalg.matrix_norm(np.array([[1., -2.], [3., 4.]]), ord=1))
    6.0
    """
    x, dtype = _floating("matrix_norm", x)
    check_matrices("matrix_norm", x)
    axes = (x.ndim - 2, x.ndim - 1)
    return _finished(_matrix_norm("matrix_norm", x, axes, ord), axes, keepdims, dtype)


@fused("ord", "axis", "keepdims")
def norm(
    x: Any,
    ord: Order = None,
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> Any:
    """Norms of vectors, if one axis is given or there, or of matrices, if two are.

    Args:
        x: array; integers become floating.
        ord: see `vector_norm` and `matrix_norm`; by default the root of the sum of squares.
        axis: one axis or two; None takes all, of which there may be any number if `ord` is None.
        keepdims: keep these axes, with size 1.

    Returns:
        Array of real numbers. Its gradient at 0 is 0.

    Raises:
        ArgumentError: there is no such order for that number of axes.

    >>> import fn.numpy as np
    >>> print(np.linalg.norm(np.array([[3., 4.], [6., 8.]]), axis=1))
    [ 5. 10.]
    """
    x, dtype = _floating("norm", x)
    axes = some_axes("norm", _as_axes(axis), x.ndim)
    if len(axes) == 1 or (axis is None and ord is None):
        out = _vector_norm("norm", x, axes, ord)
    elif len(axes) == 2:
        out = _matrix_norm("norm", x, axes, ord)
    else:
        raise ArgumentError(
            "norm: neither a vector nor a matrix", expected="one axis or two",
            got=f"axis={axis} of {types_text([type_at('norm', x)])}",
            fix="vector_norm takes any number of axes",
        )  # fmt: skip
    return _finished(out, tuple(sorted(axes)), keepdims, dtype)


# --- condition --------------------------------------------------------------------------


@fused("p")
def cond(x: Any, p: Order = None) -> Any:
    """Condition numbers: how much a matrix can magnify relative errors; infinite if it is singular.

    Args:
        x: array of shape (…, m, n), floating or complex.
        p: order of the norm, as in `matrix_norm`; None and 2 divide the largest singular value by the
            smallest. Others need square matrices.

    Returns:
        Real numbers of shape (…).

    Raises:
        ArgumentError: not a matrix, an empty or half-precision one, or there is no such order.

    >>> import fn.numpy as np
    >>> print(np.linalg.cond(np.array([[4., 0.], [0., 2.]])))
    2.0
    """
    x = matrices("cond", x)
    if 0 in x.shape[-2:]:
        raise ArgumentError(
            "cond: the matrix is empty", expected="at least one row and one column",
            got=types_text([type_at("cond", x)]),
        )  # fmt: skip
    if p is None or p in (2, -2):
        s = ops.singular_values(x)
        last, n = s.ndim - 1, s.shape[-1]
        ends = (ops.slice_axis(s, i, i + 1, last) for i in (0, n - 1))
        largest, smallest = (ops.reshape(e, shape=s.shape[:-1]) for e in ends)
        ratio = ops.div(smallest, largest) if p == -2 else ops.div(largest, smallest)
    else:
        check_matrices("cond", x, square=True)
        axes = (x.ndim - 2, x.ndim - 1)
        ratio = ops.mul(_matrix_norm("cond", x, axes, p), _matrix_norm("cond", inv(x), axes, p))
    # What a singular matrix makes NaN, 0 / 0 or inf - inf, is infinite; NaN in the matrix stays NaN.
    missing = ops.reduce_or(ops.ne(x, x), axes=(x.ndim - 2, x.ndim - 1))
    lost = ops.logical_and(ops.ne(ratio, ratio), ops.logical_not(missing))
    return ops.select(lost, literal(math.inf, ratio.dtype), ratio)
