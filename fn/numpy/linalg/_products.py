"""Products of matrices and vectors as the Array API standard spells them; and their diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy import _linear, _matrices
from fn.numpy._fused import fused
from fn.numpy._habits import public
from fn.numpy._linear import Precision
from fn.numpy._promotion import DTypeLike, array, check_dtype, type_at, types_text
from fn.numpy.linalg._matrices import check_matrices, swap


def _types(name: str, *xs: Any) -> str:
    return types_text([type_at(name, x) for x in xs])


@public
def matmul(
    x1: Any,
    x2: Any,
    /,
    *,
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Matrix product over the last two axes; see `fn.numpy.matmul`.

    >>> import fn.numpy as np
    >>> print(np.linalg.matmul(np.eye(2), np.array([3., 4.])))
    [3. 4.]
    """
    return _linear.matmul(
        x1, x2, precision=precision, preferred_element_type=preferred_element_type
    )


@public
def vecdot(
    x1: Any,
    x2: Any,
    /,
    *,
    axis: int = -1,
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Inner products along an axis; that of complex `x1` is conjugated.

    Args:
        x1, x2: arrays, which broadcast together along the other axes.
        axis: the axis of the vectors.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.linalg.vecdot(np.ones((2, 3)), np.ones(3)))
    [3. 3.]
    """
    if preferred_element_type is not None:
        dtype = check_dtype("vecdot", preferred_element_type)
        x1, x2 = (ops.convert(array("vecdot", x, i), dtype=dtype) for i, x in enumerate((x1, x2)))
    return _linear.vecdot(x1, x2, axis=axis, precision=precision)


@public
def tensordot(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = 2,
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Product over pairs of axes; see `fn.numpy.tensordot`.

    >>> import fn.numpy as np
    >>> np.linalg.tensordot(np.ones((2, 3)), np.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    return _linear.tensordot(
        x1, x2, axes, precision=precision, preferred_element_type=preferred_element_type
    )


@public
def outer(x1: Any, x2: Any, /) -> Any:
    """All products of an element of one vector and one of another.

    Raises:
        ArgumentError: an operand is not a vector; `fn.numpy.outer` flattens.

    >>> import fn.numpy as np
    >>> np.linalg.outer(np.ones(2), np.ones(3)).shape
    (2, 3)
    """
    x1, x2 = array("outer", x1), array("outer", x2, 1)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ArgumentError(
            "outer: not two vectors", expected="operands of one axis",
            got=_types("outer", x1, x2), fix="fn.numpy.outer flattens its operands",
        )  # fmt: skip
    return _linear.outer(x1, x2)


@public
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """Cross products of vectors of three components, which broadcast along the other axes.

    Raises:
        ArgumentError: the vectors have not three components.

    >>> import fn.numpy as np
    >>> print(np.linalg.cross(np.array([1, 0, 0]), np.array([0, 1, 0])))
    [0 0 1]
    """
    x1, x2 = array("cross", x1), array("cross", x2, 1)
    for x in (x1, x2):
        if not -x.ndim <= axis < x.ndim or x.shape[axis] != 3:
            raise ArgumentError(
                "cross: not vectors of three components",
                expected=f"size 3 along axis {axis}", got=_types("cross", x1, x2),
            )  # fmt: skip
    return _linear.cross(x1, x2, axis=axis)


@fused("precision")
def multi_dot(arrays: Sequence[Any], *, precision: Precision = None) -> Any:
    """Product of several matrices, in the order that takes the fewest multiplications.

    Args:
        arrays: two or more matrices; the first may be a vector, taken for a row, and the last one for a
            column.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.

    Raises:
        ArgumentError: fewer than two, or the shapes do not fit together.

    >>> import fn.numpy as np
    >>> print(np.linalg.multi_dot([np.eye(2), np.eye(2), np.array([3., 4.])]))
    [3. 4.]
    """
    found = [array("multi_dot", x, i) for i, x in enumerate(arrays)]
    ends = found[:1] + found[-1:]
    fits = (
        len(found) >= 2
        and all(x.ndim == 2 for x in found[1:-1])
        and all(x.ndim in (1, 2) for x in ends)
        and all(x.shape[-1] == y.shape[0] for x, y in pairwise(found))
    )
    if not fits:
        raise ArgumentError(
            "multi_dot: the operands do not chain",
            expected="two or more matrices, each with as many rows as the one before has columns",
            got=_types("multi_dot", *found) or "nothing",
        )  # fmt: skip
    sizes = [1 if found[0].ndim == 1 else found[0].shape[0]]
    sizes += [x.shape[0] for x in found[1:]]
    sizes.append(1 if found[-1].ndim == 1 else found[-1].shape[1])
    splits = _best_splits(sizes)

    def chained(first: int, last: int) -> Any:
        if first == last:
            return found[first]
        middle = splits[first, last]
        left, right = chained(first, middle), chained(middle + 1, last)
        return _linear.matmul(left, right, precision=precision)

    return chained(0, len(found) - 1)


def _best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split the product of the matrices `first` to `last`, for each such pair."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    splits = {}
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            ways = {
                k: cost[first, k]
                + cost[k + 1, last]
                + sizes[first] * sizes[k + 1] * sizes[last + 1]
                for k in range(first, last)
            }
            splits[first, last] = min(ways, key=ways.__getitem__)
            cost[first, last] = ways[splits[first, last]]
    return splits


# --- parts ------------------------------------------------------------------------------


@public
def matrix_transpose(x: Any, /) -> Any:
    """`x` with its last two axes exchanged.

    >>> import fn.numpy as np
    >>> np.linalg.matrix_transpose(np.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = array("matrix_transpose", x)
    check_matrices("matrix_transpose", x)
    return swap(x)


@public
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """Diagonals of the matrices in the last two axes.

    Args:
        x: array of shape (…, m, n).
        offset: which diagonal; positive ones are above the main one.

    >>> import fn.numpy as np
    >>> print(np.linalg.diagonal(np.array([[1, 2], [3, 4]])))
    [1 4]
    """
    x = array("diagonal", x)
    check_matrices("diagonal", x)
    return _matrices.diagonal(x, offset, -2, -1)


@public
def trace(x: Any, /, *, offset: int = 0, dtype: DTypeLike = None) -> Any:
    """Sums of the diagonals of the matrices in the last two axes.

    Args:
        x: array of shape (…, m, n).
        offset: which diagonal; positive ones are above the main one.
        dtype: dtype of the sum; small integers are added up in a whole word by default.

    >>> import fn.numpy as np
    >>> print(np.linalg.trace(np.array([[1., 2.], [3., 4.]])))
    5.0
    """
    x = array("trace", x)
    check_matrices("trace", x)
    return _matrices.trace(x, offset, -2, -1, dtype)
