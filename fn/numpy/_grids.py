"""Index arrays: of grids, triangles and diagonals, and between flat and per-axis indices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, is_integer
from fn.numpy._arithmetic import add, multiply, remainder
from fn.numpy._creation import array as make
from fn.numpy._creation import ones
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import public
from fn.numpy._index_parts import OutOfBoundsError
from fn.numpy._joining import concatenate
from fn.numpy._promotion import array, check_shape, literal, promote
from fn.numpy._searching import nonzero
from fn.numpy._sequences import arange, linspace, meshgrid

_BOOL = numpy.dtype(bool)


def _ints(values: Any) -> Any:
    return array("indices", numpy.asarray(values, int_dtype()))


# --- triangles and diagonals ------------------------------------------------------------


@public
def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the elements on and below a diagonal.

    Args:
        n, m: numbers of rows and columns; as many columns as rows by default.
        k: which diagonal; positive ones are above the main one.

    >>> import fn.numpy as np
    >>> print(*np.tril_indices(2))
    [0 1 1] [0 0 1]
    """
    rows, columns = numpy.tril_indices(n, k, m)
    return _ints(rows), _ints(columns)


@public
def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, Any]:
    """Rows and columns of the elements on and above a diagonal; see `tril_indices`.

    >>> import fn.numpy as np
    >>> print(*np.triu_indices(2))
    [0 0 1] [0 1 1]
    """
    rows, columns = numpy.triu_indices(n, k, m)
    return _ints(rows), _ints(columns)


def _matrix_shape(name: str, arr: Any) -> tuple[int, ...]:
    shape: tuple[int, ...] = array(name, arr).shape
    if len(shape) != 2:
        raise ArgumentError(f"{name}: not a matrix", expected="two axes", got=f"shape {shape}")
    return shape


@public
def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`tril_indices` for a matrix of the shape of `arr`.

    >>> import fn.numpy as np
    >>> print(*np.tril_indices_from(np.ones((2, 2))))
    [0 1 1] [0 0 1]
    """
    n, m = _matrix_shape("tril_indices_from", arr)
    return tril_indices(n, k, m)


@public
def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, Any]:
    """`triu_indices` for a matrix of the shape of `arr`.

    >>> import fn.numpy as np
    >>> print(*np.triu_indices_from(np.ones((2, 2))))
    [0 0 1] [0 1 1]
    """
    n, m = _matrix_shape("triu_indices_from", arr)
    return triu_indices(n, k, m)


@public
def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """Indices of the main diagonal of an array of `ndim` axes of size `n`.

    >>> import fn.numpy as np
    >>> print(*np.diag_indices(2))
    [0 1] [0 1]
    """
    (size,) = check_shape("diag_indices", n, "size")
    return (_ints(numpy.arange(size)),) * ndim


@public
def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """`diag_indices` for the array `arr`, whose axes have one size.

    >>> import fn.numpy as np
    >>> print(*np.diag_indices_from(np.ones((2, 2))))
    [0 1] [0 1]
    """
    shape = array("diag_indices_from", arr).shape
    if len(shape) < 2 or len(set(shape)) > 1:
        raise ArgumentError(
            "diag_indices_from: no diagonal",
            expected="two axes or more, of one size",
            got=f"shape {shape}",
        )
    return diag_indices(shape[0], len(shape))


@public
def mask_indices(
    n: int, mask_func: Callable[..., Any], k: int = 0, *, size: int | None = None
) -> tuple[Any, Any]:
    """Rows and columns of what `mask_func`, such as `triu`, keeps of an n by n matrix.

    >>> import fn.numpy as np
    >>> print(*np.mask_indices(2, np.triu))
    [0 0 1] [0 1 1]
    """
    rows, columns = nonzero(mask_func(ones((n, n)), k), size=size)
    return rows, columns


# --- flat and per-axis indices ----------------------------------------------------------


@public
def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Flat indices into an array of this shape as one index per axis.

    Args:
        indices: integers; those out of bounds become the nearest that are not.
        shape: the shape.

    >>> import fn.numpy as np
    >>> print(*np.unravel_index(np.array([1, 5]), (2, 3)))
    [0 1] [1 2]
    """
    x = make(indices)
    sizes = check_shape("unravel_index", shape)
    if not is_integer(x.dtype):
        raise ArgumentError("unravel_index: not integers", expected="integers", got=str(x.dtype))
    total = math.prod(sizes)
    kind = x.dtype
    x = ops.select(ops.lt(x, literal(0, kind)), ops.add(x, literal(total, kind)), x)
    x = ops.maximum(ops.minimum(x, literal(total - 1, kind)), literal(0, kind))
    out = []
    for size in reversed(sizes):
        out.append(ops.rem(x, literal(size, kind)))
        x = ops.div(x, literal(size, kind))
    return tuple(reversed(out))


@public
def ravel_multi_index(
    multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C", *, dtype: Any = None
) -> Any:
    """Indices per axis of an array of this shape as flat ones.

    Args:
        multi_index: one array of integers per axis.
        dims: the shape.
        mode: for indices out of bounds, one word or one per axis: "raise", for which they must be
            known, "clip" or "wrap".
        order: "C" to count the last axis fastest, "F" the first.
        dtype: integer dtype of the result; that of the indices by default.

    >>> import fn.numpy as np
    >>> print(np.ravel_multi_index((np.array([0, 1]), np.array([1, 2])), (2, 3)))
    [1 5]
    """
    sizes = check_shape("ravel_multi_index", dims)
    indices = promote("ravel_multi_index", *[make(i, dtype) for i in multi_index])
    modes = [mode] * len(sizes) if isinstance(mode, str) else list(mode)
    if len(indices) != len(sizes) or len(modes) != len(sizes) or order not in ("C", "F"):
        raise ArgumentError(
            "ravel_multi_index: the arguments do not fit", got=f"{len(indices)} indices, {dims=}, {order=}",
            expected="an index array and a mode for each axis, and order 'C' or 'F'",
        )  # fmt: skip
    out: Any = 0
    pairs = list(zip(indices, sizes, modes, strict=True))
    for index, size, word in pairs if order == "C" else pairs[::-1]:
        if word == "raise":
            if isinstance(index, Tracer):
                raise ArgumentError(
                    "ravel_multi_index: traced indices cannot be checked", expected="mode 'clip' or 'wrap'",
                    got="mode 'raise'", fix="pass mode='clip'",
                )  # fmt: skip
            values = numpy.asarray(index)
            if ((values < 0) | (values >= size)).any():
                raise OutOfBoundsError(
                    "ravel_multi_index: an index is out of bounds", expected=f"0 to {size - 1}",
                    got=f"{int(values.min())} to {int(values.max())}",
                )  # fmt: skip
        elif word == "clip":
            top = literal(size - 1, index.dtype)
            index = ops.minimum(ops.maximum(index, literal(0, index.dtype)), top)
        elif word == "wrap":
            index = remainder(index, size)
        else:
            raise ArgumentError(
                "ravel_multi_index: unknown mode", expected="raise, clip, wrap", got=repr(word)
            )
        out = add(multiply(out, size), index)
    return out


@public
def ix_(*args: Any) -> tuple[Any, ...]:
    """Index arrays, one per axis, that pick the parts where all of them meet; masks become positions.

    >>> import fn.numpy as np
    >>> x = np.arange(6).reshape(2, 3)
    >>> print(x[np.ix_(np.array([0, 1]), np.array([0, 2]))])
    [[0 2]
     [3 5]]
    """
    out = []
    for i, arg in enumerate(args):
        x = make(arg)
        if x.ndim != 1:
            raise ArgumentError(
                "ix_: an index has not one axis", expected="one axis", got=f"shape {x.shape}"
            )
        if x.dtype == _BOOL:
            (x,) = nonzero(x)
        elif not x.size:
            x = ops.convert(x, dtype=int_dtype())
        out.append(ops.reshape(x, shape=tuple([x.size if j == i else 1 for j in range(len(args))])))
    return tuple(out)


# --- by slicing -------------------------------------------------------------------------


def _row(part: slice) -> Any:
    """The numbers of a slice: start:stop:step, or start:stop:nj for n numbers with both ends."""
    start = 0 if part.start is None else part.start
    if isinstance(part.step, complex):
        return linspace(start, part.stop, int(abs(part.step)))
    return arange(start, part.stop, part.step)


class _Grid:
    """`mgrid[0:3, 0:2]`: coordinates of a grid, from slices."""

    def __init__(self, name: str, sparse: bool) -> None:
        self._name, self._sparse = name, sparse

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return _row(key)
        rows = promote(self._name, *[_row(k) for k in key])
        grids = meshgrid(*rows, sparse=self._sparse, indexing="ij")
        if self._sparse:
            return tuple(grids)
        return ops.concatenate(*[ops.expand(g, (0,)) for g in grids], axis=0)

    def __repr__(self) -> str:
        return self._name


mgrid = _Grid("mgrid", False)
"""Coordinates of a grid from slices, as one array: `mgrid[0:3, 0:2]`; a step of 5j means 5 numbers."""
ogrid = _Grid("ogrid", True)
"""Coordinates of a grid from slices, as arrays that broadcast together: `ogrid[0:3, 0:2]`."""


class _Joined:
    """`r_[0:3, 7, x]`: arrays, numbers and slices joined along an axis."""

    def __init__(self, name: str, axis: int, ndmin: int, trans1d: int) -> None:
        self._name, self._defaults = name, (axis, ndmin, trans1d)

    def __getitem__(self, key: Any) -> Any:
        parts = list(key) if isinstance(key, tuple) else [key]
        axis, ndmin, trans1d = self._defaults
        if isinstance(parts[0], str):
            words = [int(w) for w in parts.pop(0).split(",")]
            axis, ndmin, trans1d = (*words, *(0, 1, -1)[len(words) :])
        found = []
        for part in parts:
            x = _row(part) if isinstance(part, slice) else make(part)
            missing = ndmin - x.ndim
            if missing > 0:
                # Where the axes that are there go among those made up.
                first = trans1d % ndmin if x.ndim else 0
                first = min(first, missing) if trans1d >= 0 else missing + 1 + trans1d
                shape = (*[1] * first, *x.shape, *[1] * (missing - first))
                x = ops.reshape(x, shape=shape)
            found.append(x)
        return concatenate(found, axis)

    def __repr__(self) -> str:
        return self._name


r_ = _Joined("r_", 0, 1, -1)
"""Arrays, numbers and slices joined along the first axis: `r_[0:3, 7]`; "1,2,0" says axis, ndmin, place."""
c_ = _Joined("c_", -1, 2, 0)
"""Arrays joined along the last axis, vectors as columns: `c_[x, y]`."""


class _Index:
    """`s_[1:, ::2]`: an index written down for later."""

    def __init__(self, name: str, always_tuple: bool) -> None:
        self._name, self._always = name, always_tuple

    def __getitem__(self, key: Any) -> Any:
        return (key,) if self._always and not isinstance(key, tuple) else key

    def __repr__(self) -> str:
        return self._name


s_ = _Index("s_", False)
"""An index to use later: `x[s_[1:, ::2]]` is `x[1:, ::2]`."""
index_exp = _Index("index_exp", True)
"""An index to use later, always a tuple."""
