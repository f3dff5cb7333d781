"""Matrices and their diagonals: eye, triangles, diag, trace."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._creation import placed
from fn.numpy._dtypes import float_dtype
from fn.numpy._habits import fused, public
from fn.numpy._manipulation import moveaxis, ravel
from fn.numpy._promotion import DTypeLike, array, check_dtype, check_shape, like, literal
from fn.numpy._reductions import sum as reduce_sum

_BOOL = numpy.dtype(bool)


# --- ones and triangles -----------------------------------------------------------------


def _counters(rows: int, columns: int) -> tuple[Any, Any]:
    """Row and column number of each element."""
    shape = (rows, columns)
    kind = numpy.dtype(numpy.int32)
    return ops.iota(dtype=kind, shape=shape, axis=0), ops.iota(dtype=kind, shape=shape, axis=1)


def _shifted(row: Any, k: int) -> Any:
    return ops.add(row, numpy.int32(k)) if k else row


@public
def eye(
    N: int, M: int | None = None, k: int = 0, dtype: DTypeLike = None, *, device: Any = None
) -> Any:
    """Ones on a diagonal, zeros elsewhere.

    Args:
        N, M: numbers of rows and columns; as many columns as rows by default.
        k: which diagonal; positive ones are above the main one.
        dtype: floating by default.
        device: where to put it.

    >>> import fn.numpy as np
    >>> np.eye(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    rows, columns = check_shape("eye", (N, N if M is None else M), "shape")
    row, column = _counters(rows, columns)
    kind = float_dtype() if dtype is None else check_dtype("eye", dtype)
    return placed("eye", ops.convert(ops.eq(_shifted(row, k), column), dtype=kind), device)


@public
def identity(n: int, dtype: DTypeLike = None) -> Any:
    """The identity matrix.

    >>> import fn.numpy as np
    >>> np.identity(2, int)
    Array([[1, 0],
           [0, 1]], dtype=int32)
    """
    return eye(n, dtype=dtype)


@public
def tri(N: int, M: int | None = None, k: int = 0, dtype: DTypeLike = None) -> Any:
    """Ones on and below a diagonal, zeros above.

    >>> import fn.numpy as np
    >>> np.tri(2, 3)
    Array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """
    rows, columns = check_shape("tri", (N, N if M is None else M), "shape")
    row, column = _counters(rows, columns)
    return ops.convert(
        ops.ge(_shifted(row, k), column),
        dtype=float_dtype() if dtype is None else check_dtype("tri", dtype),
    )


def _triangle(name: str, x: Any, k: int, lower: bool) -> Any:
    x = array(name, x)
    if x.ndim < 2:
        raise ArgumentError(
            f"{name}: no matrix", expected="at least two axes", got=f"shape {x.shape}"
        )
    row, column = _counters(*x.shape[-2:])
    # The diagonal itself belongs to both.
    keep = ops.ge(_shifted(row, k), column) if lower else ops.le(_shifted(row, k), column)
    if x.ndim > 2:
        keep = ops.broadcast(keep, shape=x.shape, axes=(x.ndim - 2, x.ndim - 1))
    return ops.select(keep, x, literal(0, x.dtype))


@fused
def tril(m: Any, k: int = 0) -> Any:
    """Matrices with zeros above a diagonal.

    >>> import fn.numpy as np
    >>> np.tril(np.ones((2, 2)))
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    return _triangle("tril", m, k, True)


@fused
def triu(m: Any, k: int = 0) -> Any:
    """Matrices with zeros below a diagonal.

    >>> import fn.numpy as np
    >>> np.triu(np.ones((2, 2)))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    return _triangle("triu", m, k, False)


# --- diagonals --------------------------------------------------------------------------


@fused
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Diagonals of the matrices along two axes, as a last axis.

    Args:
        a: array of at least two axes.
        offset: which diagonal; positive ones are above the main one.
        axis1, axis2: the axes of the matrices.

    >>> import fn.numpy as np
    >>> print(np.diagonal(np.array([[1, 2], [3, 4]])))
    [1 4]
    """
    a = array("diagonal", a)
    if a.ndim < 2:
        raise ArgumentError(
            "diagonal: no matrix", expected="at least two axes", got=f"shape {a.shape}"
        )
    a = moveaxis(a, (axis1, axis2), (-2, -1))
    rows, columns = a.shape[-2:]
    # Rows and columns off the diagonal are cut away, then every (n + 1)th element is on it.
    top, left = max(-offset, 0), max(offset, 0)
    n = max(0, min(rows - top, columns - left))
    last = a.ndim - 1
    a = ops.slice_axis(a, min(top, rows), min(top, rows) + n, last - 1)
    a = ops.slice_axis(a, min(left, columns), min(left, columns) + n, last)
    if n == 0:
        return ops.reshape(a, shape=(*a.shape[:-2], 0))
    flat = ops.reshape(a, shape=(*a.shape[:-2], n * n))
    return ops.slice_axis(flat, 0, n * n, last - 1, n + 1)


@public
def diag(v: Any, k: int = 0) -> Any:
    """The matrix with `v` on a diagonal, or a diagonal of the matrix `v`.

    >>> import fn.numpy as np
    >>> print(np.diag(np.array([1, 2])))
    [[1 0]
     [0 2]]
    """
    v = array("diag", v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ArgumentError(
            "diag: neither vector nor matrix", expected="one axis or two", got=f"shape {v.shape}"
        )
    n = v.size + abs(k)
    if v.size == 0:
        return ops.full(like(0, v), (n, n))
    # Row by row the diagonal elements are n + 1 places apart: put n zeros between them.
    kind = _BOOL if v.dtype == _BOOL else None
    fill = False if kind is not None else 0
    first = k if k >= 0 else -k * n
    step = [n]
    span = first + (v.size - 1) * (n + 1) + 1
    flat = ops.pad(v, value=fill, low=(first,), high=(n * n - span,), interior=tuple(step))
    return ops.reshape(flat, shape=(n, n))


@fused
def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with the elements of `v`, flattened, on a diagonal.

    >>> import fn.numpy as np
    >>> np.diagflat(np.ones((2, 2))).shape
    (4, 4)
    """
    return diag(ravel(v), k)


@fused
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """Sum of a diagonal; the arguments are those of `diagonal`.

    >>> import fn.numpy as np
    >>> print(np.trace(np.array([[1., 2.], [3., 4.]])))
    5.0
    """
    return reduce_sum(diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)
