"""Patterns, which say where a matrix may be nonzero, and matrices stored by their patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jax.tree_util import register_pytree_node_class

import fn.numpy as fnp
from fn.core import ArgumentError, public
from fn.derivatives._sets import distinct
from fn.ops import convert, gather, mul, reshape, scatter_add

Indices = np.ndarray[Any, np.dtype[np.int32]]


class Pattern:
    """Where a matrix may be nonzero: rows and columns, sorted, without repeats. Hashable.

    Args:
        rows: row of each entry.
        cols: column of each entry.
        shape: `(m, n)`.

    >>> print(Pattern([0, 1, 1], [0, 0, 1], (2, 3)))
    #..
    ##.
    """

    __slots__ = ("rows", "cols", "shape", "_hash")
    rows: Indices
    cols: Indices
    shape: tuple[int, int]

    def __init__(self, rows: Any, cols: Any, shape: Sequence[int]) -> None:
        m, n = (int(size) for size in shape)
        given = [np.asarray(a).reshape(-1).astype(np.int64) for a in (rows, cols)]
        for name, index, size in zip(("rows", "cols"), given, (m, n), strict=True):
            if len(given[0]) != len(given[1]) or (
                len(index) and not 0 <= index.min() <= index.max() < size
            ):
                raise ArgumentError(
                    f"Pattern: {name} do not fit", expected=f"one per entry, from 0 to {size - 1}",
                    got=f"{len(index)}" + (f" from {index.min()} to {index.max()}" if len(index) else ""),
                )  # fmt: skip
        keys = distinct(given[0] * max(n, 1) + given[1])
        self.rows, self.cols = (a.astype(np.int32) for a in np.divmod(keys, max(n, 1)))
        self.shape = m, n
        self._hash = hash((self.shape, self.rows.tobytes(), self.cols.tobytes()))

    @classmethod
    def of(cls, matrix: Any) -> Pattern:
        """The pattern of a boolean or numerical matrix, a pair `(rows, cols)` with shape, or anything
        with `.tocoo()`, as SciPy's sparse matrices have."""
        if isinstance(matrix, Pattern):
            return matrix
        if isinstance(matrix, SparseMatrix):
            return matrix.pattern
        if hasattr(matrix, "tocoo"):
            matrix = matrix.tocoo()
            return cls(matrix.row, matrix.col, matrix.shape)
        array = np.asarray(matrix)
        if array.ndim != 2:
            raise ArgumentError(
                "Pattern.of: not a matrix", expected="an array with two axes, or a sparse matrix",
                got=f"shape {array.shape}",
            )  # fmt: skip
        rows, cols = np.nonzero(array)
        return cls(rows, cols, array.shape)

    @property
    def nnz(self) -> int:
        """Number of entries."""
        return len(self.rows)

    @property
    def T(self) -> Pattern:
        """The pattern of the transposed matrix."""
        return Pattern(self.cols, self.rows, self.shape[::-1])

    def todense(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """A boolean NumPy matrix."""
        dense = np.zeros(self.shape, bool)
        dense[self.rows, self.cols] = True
        return dense

    def block(self, rows: slice, cols: slice) -> tuple[Pattern, np.ndarray[Any, Any]]:
        """The pattern of a part, and which entries are in it."""
        inside = (self.rows >= rows.start) & (self.rows < rows.stop)
        inside &= (self.cols >= cols.start) & (self.cols < cols.stop)
        at = np.flatnonzero(inside)
        shape = rows.stop - rows.start, cols.stop - cols.start
        return Pattern(self.rows[at] - rows.start, self.cols[at] - cols.start, shape), at

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Pattern)
            and self.shape == other.shape
            and np.array_equal(self.rows, other.rows)
            and np.array_equal(self.cols, other.cols)
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        m, n = self.shape
        return f"Pattern({m}×{n}, {self.nnz} entries)"

    def __str__(self) -> str:
        if self.shape[0] * self.shape[1] > 10_000:
            return repr(self)
        return "\n".join("".join(".#"[int(x)] for x in row) for row in self.todense())


@register_pytree_node_class
class SparseMatrix:
    """A matrix of which only the entries in a pattern are stored; the others are zero.

    A pytree: `data` is its only leaf, the pattern is static. So it passes through `jit`, `vmap`
    (which puts axes in front of `data`, and so of what the methods give), and derivatives.

    >>> import fn, fn.numpy as np
    >>> jacobian = fn.jacobian(lambda x: x[1:] * x[:-1], sparsity="auto")(np.array([1.0, 2.0, 3.0]))
    >>> jacobian
    SparseMatrix(2×3, 4 entries, float32)
    >>> jacobian.todense()
    Array([[2., 1., 0.],
           [0., 3., 2.]], dtype=float32)
    >>> (jacobian @ np.ones(3)).tolist()
    [3.0, 5.0]
    """

    __slots__ = ("data", "pattern")

    def __init__(self, data: Any, pattern: Pattern) -> None:
        self.data, self.pattern = data, pattern

    @property
    def rows(self) -> Indices:
        """Row of each entry, a NumPy array."""
        return self.pattern.rows

    @property
    def cols(self) -> Indices:
        """Column of each entry, a NumPy array."""
        return self.pattern.cols

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the dense matrix, axes that `vmap` put in front included."""
        return (*self.data.shape[:-1], *self.pattern.shape)

    @property
    def dtype(self) -> Any:
        """Dtype of the entries."""
        return self.data.dtype

    @property
    def T(self) -> SparseMatrix:
        """The transposed matrix."""
        order = np.lexsort((self.rows, self.cols))
        return SparseMatrix(take_last(self.data, order), self.pattern.T)

    @public
    def todense(self) -> Any:
        """The matrix as an array, zeros included."""
        m, n = self.pattern.shape
        flat = add_last(self.data, self.rows.astype(np.int64) * n + self.cols, m * n)
        return reshape(flat, shape=self.shape)

    @public
    def __matmul__(self, other: Any) -> Any:
        """The product with a vector or a matrix, whose leading axes, if any, are those of `data`."""
        other = fnp.asarray(other)
        (m, n), lead = self.pattern.shape, self.data.ndim - 1
        vector = other.ndim == lead + 1
        if other.ndim not in (lead + 1, lead + 2) or other.shape[lead] != n:
            raise ArgumentError(
                "SparseMatrix @ x: the sizes do not fit",
                expected=f"a vector of {n} elements, or a matrix of {n} rows",
                got=f"shape {other.shape} for a matrix of shape {self.shape}",
            )
        if not vector:
            columns = fnp.moveaxis(other, -1, 0)
            wide = SparseMatrix(
                fnp.broadcast_to(self.data, (len(columns), *self.data.shape)), self.pattern
            )
            return fnp.moveaxis(wide @ columns, 0, -1)
        dtype = fnp.result_type(self.data, other)
        terms = mul(
            convert(self.data, dtype=dtype), convert(take_last(other, self.cols), dtype=dtype)
        )
        return add_last(terms, self.rows, m)

    def tree_flatten(self) -> tuple[tuple[Any], Pattern]:
        """The entries, which are traced, and the pattern, which is not."""
        return (self.data,), self.pattern

    @classmethod
    def tree_unflatten(cls, pattern: Pattern, children: Any) -> SparseMatrix:
        """The reverse of `tree_flatten`."""
        (data,) = children
        return cls(data, pattern)

    def __repr__(self) -> str:
        m, n = self.pattern.shape
        return f"SparseMatrix({m}×{n}, {self.pattern.nnz} entries, {getattr(self.data, 'dtype', None)})"


def take_last(x: Any, at: Any) -> Any:
    """Elements of `x` at known places of its last axis."""
    lead = x.ndim - 1
    return gather(
        x, np.asarray(at, _width(x.shape[-1]))[:, None], offset_axes=tuple(range(lead)),
        collapsed_axes=(lead,), index_map=(lead,), slice_sizes=(*x.shape[:-1], 1), mode="promise",
    )  # fmt: skip


def add_last(x: Any, at: Any, size: int) -> Any:
    """Zeros with a last axis of this size, to which elements of `x` are added at known places."""
    lead = x.ndim - 1
    return scatter_add(
        fnp.zeros((*x.shape[:-1], size), x.dtype), np.asarray(at, _width(size))[:, None], x,
        update_window_axes=tuple(range(lead)), inserted_axes=(lead,), index_map=(lead,), mode="promise",
    )  # fmt: skip


def _width(size: int) -> Any:
    return np.int32 if size < 2**31 else np.int64
