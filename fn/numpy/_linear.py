"""Products of arrays: dot, matmul, tensordot, outer, and the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._habits import fused, public
from fn.numpy._promotion import (
    DTypeLike,
    array,
    check_dtype,
    joint_shape,
    one_axis,
    promote,
    stretch,
    type_at,
    types_text,
)

_BOOL = numpy.dtype(bool)
Precision = Any


def pair(name: str, x: Any, y: Any, preferred: DTypeLike) -> tuple[Any, Any, Any]:
    """Two operands in one dtype, and the dtype to add up in."""
    x, y = array(name, x), array(name, y, 1)
    if x.dtype != y.dtype:
        x, y = promote(name, x, y)
    return x, y, None if preferred is None else check_dtype(name, preferred)


def product(x: Any, y: Any, contract: Any, batch: Any, preferred: Any, precision: Precision) -> Any:
    if x.dtype == _BOOL:
        # Of booleans the sum is "or" and the product "and".
        x, y = ops.convert(x, dtype=numpy.int32), ops.convert(y, dtype=numpy.int32)
        return ops.convert(product(x, y, contract, batch, None, precision), dtype=_BOOL)
    return ops.dot_general(
        x, y, contract=contract, batch=batch, preferred=preferred, precision=precision
    )


def _mismatch(name: str, x: Any, y: Any, rule: str) -> ArgumentError:
    return ArgumentError(
        f"{name}: the shapes do not fit together", expected=rule,
        got=types_text([type_at(name, x), type_at(name, y)]),
    )  # fmt: skip


# --- products ---------------------------------------------------------------------------


@public
def dot(
    a: Any, b: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Product over the last axis of `a` and the last but one of `b` (the only one, if it has one).

    Args:
        x, y: arrays; a scalar multiplies.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.dot(np.array([1., 2.]), np.array([3., 4.])))
    11.0
    """
    a, b, preferred = pair("dot", a, b, preferred_element_type)
    if not a.shape or not b.shape:
        return ops.logical_and(a, b) if a.dtype == _BOOL else ops.mul(a, b)
    axis = max(b.ndim - 2, 0)
    if a.shape[-1] != b.shape[axis]:
        raise _mismatch("dot", a, b, "the last axis of x as long as the last but one of y")
    return product(a, b, ((a.ndim - 1,), (axis,)), ((), ()), preferred, precision)


@public
def matmul(
    a: Any, b: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Matrix product, `a @ y`, over the last two axes; the others are broadcast together.

    Args:
        x, y: arrays of at least one axis; one of a single axis is a row `a` or a column `b`.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.matmul(np.eye(2), np.array([3., 4.])))
    [3. 4.]
    """
    a, b, preferred = pair("matmul", a, b, preferred_element_type)
    if not a.shape or not b.shape:
        raise ArgumentError(
            "matmul: an operand is a scalar", expected="arrays of at least one axis",
            got=types_text([type_at("matmul", a), type_at("matmul", b)]), fix="multiply with * instead",
        )  # fmt: skip
    middle = max(b.ndim - 2, 0)
    if a.shape[-1] != b.shape[middle]:
        raise _mismatch("matmul", a, b, "the last axis of x as long as the last but one of y")
    if a.ndim <= 2 and b.ndim <= 2:
        return product(a, b, ((a.ndim - 1,), (middle,)), ((), ()), preferred, precision)
    return _stacked(a, b, middle, preferred, precision)


def _stacked(x: Any, y: Any, middle: int, preferred: Any, precision: Precision) -> Any:
    """Products of stacks of matrices."""
    x_stack, y_stack = x.shape[:-2], y.shape[:-2]
    if not y_stack:
        # One matrix for all: its columns come last anyway.
        return product(x, y, ((x.ndim - 1,), (middle,)), ((), ()), preferred, precision)
    types = [type_at("matmul", a).with_shape(s) for a, s in ((x, x_stack), (y, y_stack))]
    stack = joint_shape("matmul", types)
    count = len(stack)
    x = stretch(x, x.shape, (*stack, *x.shape[-2:])) if x.ndim >= 2 else x
    y = stretch(y, y.shape, (*stack, *y.shape[-2:]))
    if x.ndim == 1:
        # The row has no stack; what is left of y is its stack and its columns.
        return product(y, x, ((y.ndim - 2,), (0,)), ((), ()), preferred, precision)
    batch = tuple(range(count))
    return product(x, y, ((count + 1,), (count,)), (batch, batch), preferred, precision)


@fused
def vdot(
    a: Any, b: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Inner product of the flattened arrays; that of complex `a` is conjugated.

    >>> import fn.numpy as np
    >>> print(np.vdot(np.ones((2, 2)), np.ones((2, 2))))
    4.0
    """
    a, b = array("vdot", a), array("vdot", b, 1)
    a = ops.conj(a)
    return dot(
        ops.reshape(a, shape=(a.size,)), ops.reshape(b, shape=(b.size,)), precision=precision,
        preferred_element_type=preferred_element_type,
    )  # fmt: skip


@fused
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

    >>> import fn.numpy as np
    >>> print(np.vecdot(np.ones((2, 3)), np.ones(3)))
    [3. 3.]
    """
    x1, x2, preferred = pair("vecdot", x1, x2, preferred_element_type)
    a, b = one_axis("vecdot", axis, x1.ndim), one_axis("vecdot", axis, x2.ndim)
    x1, x2 = ops.move_axis(ops.conj(x1), a, x1.ndim - 1), ops.move_axis(x2, b, x2.ndim - 1)
    shape = joint_shape("vecdot", [type_at("vecdot", x1), type_at("vecdot", x2)])
    x1, x2 = stretch(x1, x1.shape, shape), stretch(x2, x2.shape, shape)
    batch = tuple(range(len(shape) - 1))
    last = (len(shape) - 1,)
    return product(x1, x2, (last, last), (batch, batch), preferred, precision)


@fused
def inner(
    a: Any, b: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Product over the last axes of both.

    >>> import fn.numpy as np
    >>> print(np.inner(np.ones((2, 3)), np.ones(3)))
    [3. 3.]
    """
    a, b, preferred = pair("inner", a, b, preferred_element_type)
    if not a.shape or not b.shape:
        return dot(a, b)
    if a.shape[-1] != b.shape[-1]:
        raise _mismatch("inner", a, b, "last axes of one length")
    return product(a, b, ((a.ndim - 1,), (b.ndim - 1,)), ((), ()), preferred, precision)


@fused
def outer(a: Any, b: Any) -> Any:
    """All products of an element of `a` and one of `b`, both flattened.

    >>> import fn.numpy as np
    >>> print(np.outer(np.array([1, 2]), np.array([1, 10])))
    [[ 1 10]
     [ 2 20]]
    """
    a, b, _ = pair("outer", a, b, None)
    shape = (a.size, b.size)
    a = ops.broadcast(ops.reshape(a, shape=shape[:1]), shape=shape, axes=(0,))
    b = ops.broadcast(ops.reshape(b, shape=shape[1:]), shape=shape, axes=(1,))
    return ops.logical_and(a, b) if a.dtype == _BOOL else ops.mul(a, b)


@fused
def tensordot(
    a: Any,
    b: Any,
    axes: Any = 2,
    *,
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Product over pairs of axes.

    Args:
        a, b: arrays.
        axes: how many last axes of `a` to pair with the first ones of `b`, or the axes of each.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> np.tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    x, y, preferred = pair("tensordot", a, b, preferred_element_type)
    if isinstance(axes, int):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            raise _mismatch("tensordot", x, y, f"{axes} axes of each to pair")
        pairs = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        if not isinstance(axes, (tuple, list)) or len(axes) != 2:
            raise ArgumentError(
                "tensordot: axes do not pair up", got=repr(axes),
                expected="a number of axes, or two sequences: axes of a and axes of b",
            )  # fmt: skip
        both = [i if isinstance(i, Sequence) else (i,) for i in axes]
        pairs = (
            tuple([one_axis("tensordot", i, x.ndim) for i in both[0]]),
            tuple([one_axis("tensordot", i, y.ndim) for i in both[1]]),
        )
    if [x.shape[i] for i in pairs[0]] != [y.shape[i] for i in pairs[1]]:
        raise _mismatch(
            "tensordot", x, y, f"equal sizes along the paired axes {pairs[0]} and {pairs[1]}"
        )
    return product(x, y, pairs, ((), ()), preferred, precision)


@fused
def kron(a: Any, b: Any) -> Any:
    """Kronecker product: `a` with each element replaced by it times `b`.

    >>> import fn.numpy as np
    >>> print(np.kron(np.array([1, 10]), np.array([1, 2])))
    [ 1  2 10 20]
    """
    x, y, _ = pair("kron", a, b, None)
    ndim = max(x.ndim, y.ndim)
    n, m = (1,) * (ndim - x.ndim) + x.shape, (1,) * (ndim - y.ndim) + y.shape
    shape = tuple([size for pair in zip(n, m, strict=True) for size in pair])
    x = ops.broadcast(ops.reshape(x, shape=n), shape=shape, axes=tuple(range(0, 2 * ndim, 2)))
    y = ops.broadcast(ops.reshape(y, shape=m), shape=shape, axes=tuple(range(1, 2 * ndim, 2)))
    out = ops.logical_and(x, y) if x.dtype == _BOOL else ops.mul(x, y)
    return ops.reshape(out, shape=tuple([i * j for i, j in zip(n, m, strict=True)]))


@fused
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """Cross product of vectors of three components; two components count as having a third of 0.

    Args:
        a, b: arrays that broadcast together along the other axes.
        axisa, axisb: the axes of the components in each.
        axisc: the axis of the components in the result; of two 2-vectors only the third is given.
        axis: all three of these.

    >>> import fn.numpy as np
    >>> print(np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])))
    [0 0 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y, _ = pair("cross", a, b, None)
    i, j = one_axis("cross", axisa, x.ndim, "axisa"), one_axis("cross", axisb, y.ndim, "axisb")
    if x.shape[i] not in (2, 3) or y.shape[j] not in (2, 3):
        raise _mismatch("cross", x, y, "two or three components along the axis")
    x, y = ops.move_axis(x, i, x.ndim - 1), ops.move_axis(y, j, y.ndim - 1)
    types = [type_at("cross", v) for v in (x, y)]
    stack = joint_shape("cross", [t.with_shape(t.shape[:-1]) for t in types])
    x, y = [stretch(v, v.shape, (*stack, v.shape[-1])) for v in (x, y)]
    last = len(stack)

    def part(v: Any, i: int) -> Any:
        return ops.slice_axis(v, i, i + 1, last) if i < v.shape[last] else None

    def minor(i: int, j: int) -> Any:
        """What is missing counts as 0."""
        pairs = (part(x, i), part(y, j)), (part(x, j), part(y, i))
        plus, minus = [None if p is None or q is None else ops.mul(p, q) for p, q in pairs]
        if plus is None:
            return ops.neg(minus) if minus is not None else None
        return plus if minus is None else ops.sub(plus, minus)

    if x.shape[last] == y.shape[last] == 2:
        return ops.reshape(minor(0, 1), shape=stack)
    out = ops.concatenate(minor(1, 2), minor(2, 0), minor(0, 1), axis=last)
    return ops.move_axis(out, last, one_axis("cross", axisc, last + 1, "axisc"))


@fused
def matvec(x1: Any, x2: Any, /) -> Any:
    """Products of matrices and vectors, in stacks that broadcast together.

    >>> import fn.numpy as np
    >>> print(np.matvec(2 * np.eye(2), np.array([3., 4.])))
    [6. 8.]
    """
    return _matrix_and_vector("matvec", x1, x2)


@fused
def vecmat(x1: Any, x2: Any, /) -> Any:
    """Products of vectors, conjugated if complex, and matrices, in stacks that broadcast together.

    >>> import fn.numpy as np
    >>> print(np.vecmat(np.array([3., 4.]), 2 * np.eye(2)))
    [6. 8.]
    """
    x2 = array("vecmat", x2, 1)
    turned = ops.move_axis(x2, x2.ndim - 1, max(x2.ndim - 2, 0)) if x2.ndim else x2
    return _matrix_and_vector("vecmat", turned, ops.conj(array("vecmat", x1)))


def _matrix_and_vector(name: str, matrix: Any, vector: Any) -> Any:
    x, y, _ = pair(name, matrix, vector, None)
    if x.ndim < 2 or not y.ndim or x.shape[-1] != y.shape[-1]:
        raise _mismatch(name, x, y, "matrices, and vectors as long as their sides that meet")
    out = matmul(x, ops.expand(y, (y.ndim,)))
    return ops.reshape(out, shape=out.shape[:-1])
