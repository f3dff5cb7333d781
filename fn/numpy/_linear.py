"""Products of arrays: dot, matmul, tensordot, einsum, outer, and the like."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy
import opt_einsum  # type: ignore[import-untyped]  # a dependency of JAX

import fn.ops as ops
from fn.core import ArgumentError, public
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
Precision = str | None


def _pair(name: str, x: Any, y: Any, preferred: DTypeLike) -> tuple[Any, Any, Any]:
    """Two operands in one dtype, and the dtype to add up in."""
    x, y = array(name, x), array(name, y, 1)
    if x.dtype != y.dtype:
        x, y = promote(name, x, y)
    return x, y, None if preferred is None else check_dtype(name, preferred)


def _product(
    x: Any, y: Any, contract: Any, batch: Any, preferred: Any, precision: Precision
) -> Any:
    if x.dtype == _BOOL:
        # Of booleans the sum is "or" and the product "and".
        x, y = ops.convert(x, dtype=numpy.int32), ops.convert(y, dtype=numpy.int32)
        return ops.convert(_product(x, y, contract, batch, None, precision), dtype=_BOOL)
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
    x: Any, y: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Product over the last axis of `x` and the last but one of `y` (the only one, if it has one).

    Args:
        x, y: arrays; a scalar multiplies.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.dot(np.array([1., 2.]), np.array([3., 4.])))
    11.0
    """
    x, y, preferred = _pair("dot", x, y, preferred_element_type)
    if not x.shape or not y.shape:
        return ops.logical_and(x, y) if x.dtype == _BOOL else ops.mul(x, y)
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise _mismatch("dot", x, y, "the last axis of x as long as the last but one of y")
    return _product(x, y, ((x.ndim - 1,), (axis,)), ((), ()), preferred, precision)


@public
def matmul(
    x: Any, y: Any, *, precision: Precision = None, preferred_element_type: DTypeLike = None
) -> Any:
    """Matrix product, `x @ y`, over the last two axes; the others are broadcast together.

    Args:
        x, y: arrays of at least one axis; one of a single axis is a row `x` or a column `y`.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.matmul(np.eye(2), np.array([3., 4.])))
    [3. 4.]
    """
    x, y, preferred = _pair("matmul", x, y, preferred_element_type)
    if not x.shape or not y.shape:
        raise ArgumentError(
            "matmul: an operand is a scalar", expected="arrays of at least one axis",
            got=types_text([type_at("matmul", x), type_at("matmul", y)]), fix="multiply with * instead",
        )  # fmt: skip
    middle = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[middle]:
        raise _mismatch("matmul", x, y, "the last axis of x as long as the last but one of y")
    if x.ndim <= 2 and y.ndim <= 2:
        return _product(x, y, ((x.ndim - 1,), (middle,)), ((), ()), preferred, precision)
    return _stacked(x, y, middle, preferred, precision)


def _stacked(x: Any, y: Any, middle: int, preferred: Any, precision: Precision) -> Any:
    """Products of stacks of matrices."""
    x_stack, y_stack = x.shape[:-2], y.shape[:-2]
    if not y_stack:
        # One matrix for all: its columns come last anyway.
        return _product(x, y, ((x.ndim - 1,), (middle,)), ((), ()), preferred, precision)
    types = [type_at("matmul", a).with_shape(s) for a, s in ((x, x_stack), (y, y_stack))]
    stack = joint_shape("matmul", types)
    count = len(stack)
    x = stretch(x, x.shape, (*stack, *x.shape[-2:])) if x.ndim >= 2 else x
    y = stretch(y, y.shape, (*stack, *y.shape[-2:]))
    if x.ndim == 1:
        # The row has no stack; what is left of y is its stack and its columns.
        return _product(y, x, ((y.ndim - 2,), (0,)), ((), ()), preferred, precision)
    batch = tuple(range(count))
    return _product(x, y, ((count + 1,), (count,)), (batch, batch), preferred, precision)


@public
def vdot(x: Any, y: Any, *, precision: Precision = None) -> Any:
    """Inner product of the flattened arrays; that of complex `x` is conjugated.

    >>> import fn.numpy as np
    >>> print(np.vdot(np.ones((2, 2)), np.ones((2, 2))))
    4.0
    """
    x, y = array("vdot", x), array("vdot", y, 1)
    x = ops.conj(x)
    return dot(
        ops.reshape(x, shape=(x.size,)), ops.reshape(y, shape=(y.size,)), precision=precision
    )


@public
def vecdot(x: Any, y: Any, /, *, axis: int = -1, precision: Precision = None) -> Any:
    """Inner products along an axis; that of complex `x` is conjugated.

    >>> import fn.numpy as np
    >>> print(np.vecdot(np.ones((2, 3)), np.ones(3)))
    [3. 3.]
    """
    x, y, _ = _pair("vecdot", x, y, None)
    a, b = one_axis("vecdot", axis, x.ndim), one_axis("vecdot", axis, y.ndim)
    x, y = ops.move_axis(ops.conj(x), a, x.ndim - 1), ops.move_axis(y, b, y.ndim - 1)
    shape = joint_shape("vecdot", [type_at("vecdot", x), type_at("vecdot", y)])
    x, y = stretch(x, x.shape, shape), stretch(y, y.shape, shape)
    batch = tuple(range(len(shape) - 1))
    last = (len(shape) - 1,)
    return _product(x, y, (last, last), (batch, batch), None, precision)


@public
def inner(x: Any, y: Any, *, precision: Precision = None) -> Any:
    """Product over the last axes of both.

    >>> import fn.numpy as np
    >>> print(np.inner(np.ones((2, 3)), np.ones(3)))
    [3. 3.]
    """
    x, y, _ = _pair("inner", x, y, None)
    if not x.shape or not y.shape:
        return dot(x, y)
    if x.shape[-1] != y.shape[-1]:
        raise _mismatch("inner", x, y, "last axes of one length")
    return _product(x, y, ((x.ndim - 1,), (y.ndim - 1,)), ((), ()), None, precision)


@public
def outer(x: Any, y: Any) -> Any:
    """All products of an element of `x` and one of `y`, both flattened.

    >>> import fn.numpy as np
    >>> print(np.outer(np.array([1, 2]), np.array([1, 10])))
    [[ 1 10]
     [ 2 20]]
    """
    x, y, _ = _pair("outer", x, y, None)
    shape = (x.size, y.size)
    x = ops.broadcast(ops.reshape(x, shape=shape[:1]), shape=shape, axes=(0,))
    y = ops.broadcast(ops.reshape(y, shape=shape[1:]), shape=shape, axes=(1,))
    return ops.logical_and(x, y) if x.dtype == _BOOL else ops.mul(x, y)


@public
def tensordot(
    x: Any,
    y: Any,
    axes: Any = 2,
    *,
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Product over pairs of axes.

    Args:
        x, y: arrays.
        axes: how many last axes of `x` to pair with the first ones of `y`, or the axes of each.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> np.tensordot(np.ones((2, 3)), np.ones((3, 4)), 1).shape
    (2, 4)
    """
    x, y, preferred = _pair("tensordot", x, y, preferred_element_type)
    if isinstance(axes, int):
        if not 0 <= axes <= min(x.ndim, y.ndim):
            raise _mismatch("tensordot", x, y, f"{axes} axes of each to pair")
        pairs = tuple(range(x.ndim - axes, x.ndim)), tuple(range(axes))
    else:
        if not isinstance(axes, (tuple, list)) or len(axes) != 2:
            raise ArgumentError(
                "tensordot: axes do not pair up", got=repr(axes),
                expected="a number of axes, or two sequences: axes of x and axes of y",
            )  # fmt: skip
        both = [a if isinstance(a, Sequence) else (a,) for a in axes]
        pairs = (
            tuple([one_axis("tensordot", a, x.ndim) for a in both[0]]),
            tuple([one_axis("tensordot", a, y.ndim) for a in both[1]]),
        )
    if [x.shape[a] for a in pairs[0]] != [y.shape[a] for a in pairs[1]]:
        raise _mismatch(
            "tensordot", x, y, f"equal sizes along the paired axes {pairs[0]} and {pairs[1]}"
        )
    return _product(x, y, pairs, ((), ()), preferred, precision)


@public
def kron(x: Any, y: Any) -> Any:
    """Kronecker product: `x` with each element replaced by it times `y`.

    >>> import fn.numpy as np
    >>> print(np.kron(np.array([1, 10]), np.array([1, 2])))
    [ 1  2 10 20]
    """
    x, y, _ = _pair("kron", x, y, None)
    ndim = max(x.ndim, y.ndim)
    a, b = (1,) * (ndim - x.ndim) + x.shape, (1,) * (ndim - y.ndim) + y.shape
    shape = tuple([n for pair in zip(a, b, strict=True) for n in pair])
    x = ops.broadcast(ops.reshape(x, shape=a), shape=shape, axes=tuple(range(0, 2 * ndim, 2)))
    y = ops.broadcast(ops.reshape(y, shape=b), shape=shape, axes=tuple(range(1, 2 * ndim, 2)))
    return ops.reshape(ops.mul(x, y), shape=tuple([n * m for n, m in zip(a, b, strict=True)]))


@public
def cross(x: Any, y: Any, axis: int = -1) -> Any:
    """Cross product of vectors of three components (or two, which gives the third component).

    >>> import fn.numpy as np
    >>> print(np.cross(np.array([1, 0, 0]), np.array([0, 1, 0])))
    [0 0 1]
    """
    x, y, _ = _pair("cross", x, y, None)
    a, b = one_axis("cross", axis, x.ndim), one_axis("cross", axis, y.ndim)
    if x.shape[a] not in (2, 3) or x.shape[a] != y.shape[b]:
        raise _mismatch("cross", x, y, f"two or three components along axis {axis}")
    x, y = ops.move_axis(x, a, x.ndim - 1), ops.move_axis(y, b, y.ndim - 1)
    shape = joint_shape("cross", [type_at("cross", x), type_at("cross", y)])
    x, y = stretch(x, x.shape, shape), stretch(y, y.shape, shape)
    last = len(shape) - 1

    def part(v: Any, i: int) -> Any:
        return ops.slice_axis(v, i, i + 1, last)

    def minor(i: int, j: int) -> Any:
        return ops.sub(ops.mul(part(x, i), part(y, j)), ops.mul(part(x, j), part(y, i)))

    if shape[last] == 2:
        return ops.reshape(minor(0, 1), shape=shape[:-1])
    out = ops.concatenate(minor(1, 2), minor(2, 0), minor(0, 1), axis=last)
    return ops.move_axis(out, last, a if x.ndim == len(shape) else last)


# --- einsum -----------------------------------------------------------------------------


@public
def einsum(
    subscripts: str,
    /,
    *operands: Any,
    optimize: Any = "auto",
    precision: Precision = None,
    preferred_element_type: DTypeLike = None,
) -> Any:
    """Sums of products, by Einstein's convention: letters name axes, and those not in the result are summed.

    Args:
        subscripts: such as "ij,jk->ik"; `...` stands for further axes; without an arrow, the letters
            that occur once, in alphabetical order, are the result's.
        operands: one array per term.
        optimize: how to find the order of the products; see `opt_einsum`.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.einsum("ij,j->i", np.eye(2), np.array([3., 4.])))
    [3. 4.]
    """
    arrays = promote("einsum", *[array("einsum", x, i + 1) for i, x in enumerate(operands)])
    preferred = (
        None if preferred_element_type is None else check_dtype("einsum", preferred_element_type)
    )
    shapes = tuple([a.shape for a in arrays])
    way = tuple(map(tuple, optimize)) if isinstance(optimize, list) else optimize
    try:
        plan = _plan(subscripts, shapes, way)
    except ValueError as error:
        raise ArgumentError(
            f"einsum: {error}", expected="subscripts that fit the operands",
            got=f"{subscripts!r} for {types_text([type_at('einsum', a) for a in arrays])}",
        ) from None  # fmt: skip
    for chosen, formula in plan:
        taken = [arrays.pop(i) for i in sorted(chosen, reverse=True)]
        terms, result = formula.split("->")
        names = terms.split(",")
        # opt_einsum lists the operands of a step in the order they are taken off the list.
        arrays.append(
            _contracted(list(zip(names, taken, strict=True)), result, preferred, precision)
        )
    return arrays[0]


@lru_cache(4096)
def _plan(subscripts: str, shapes: tuple[Any, ...], optimize: Any) -> list[tuple[Any, str]]:
    """Which operands to take off the list and multiply, step by step, and by what formula."""
    _, steps = opt_einsum.contract_path(
        subscripts, *shapes, shapes=True, einsum_call=True,
        optimize="optimal" if optimize is True else optimize,
    )  # fmt: skip
    return [(step[0], step[2]) for step in steps]


def _contracted(
    terms: list[tuple[str, Any]], result: str, preferred: Any, precision: Precision
) -> Any:
    """One step of an einsum: one or two operands (more are taken two by two)."""
    terms = [_diagonals(names, x) for names, x in terms]
    while len(terms) > 2:
        (a, x), (b, y), *rest = terms
        wanted = set(result).union(*[set(n) for n, _ in rest])
        names = "".join([c for c in dict.fromkeys(a + b) if c in wanted])
        terms = [(names, _contracted([(a, x), (b, y)], names, preferred, precision)), *rest]
    if len(terms) == 2:
        terms = _without_ones(terms[0], terms[1])
    others = [
        set(result).union(*[set(n) for n, _ in terms[:i] + terms[i + 1 :]])
        for i in range(len(terms))
    ]
    terms = [_summed(names, x, keep) for (names, x), keep in zip(terms, others, strict=True)]
    names, out = terms[0]
    if len(terms) == 2:
        names, out = _paired(terms[0], terms[1], result, preferred, precision)
    return ops.transpose(out, permutation=tuple([names.index(c) for c in result]))


def _diagonals(names: str, x: Any) -> tuple[str, Any]:
    """A letter that occurs twice in a term stands for the diagonal."""
    for c in dict.fromkeys(names):
        while names.count(c) > 1:
            i = names.index(c)
            j = names.index(c, i + 1)
            rest = [a for a in range(x.ndim) if a not in (i, j)]
            x = ops.transpose(x, permutation=(i, j, *rest))
            on = ops.eq(
                ops.iota(dtype=numpy.int32, shape=x.shape, axis=0),
                ops.iota(dtype=numpy.int32, shape=x.shape, axis=1),
            )
            zero = x.dtype.type(0)
            x = ops.select(on, x, zero)
            x = ops.reduce_or(x, axes=(0,)) if x.dtype == _BOOL else ops.reduce_sum(x, axes=(0,))
            names = c + "".join([names[a] for a in rest])
    return names, x


def _summed(names: str, x: Any, keep: set[str]) -> tuple[str, Any]:
    """Without the axes that nothing else needs."""
    axes = tuple([i for i, c in enumerate(names) if c not in keep])
    if not axes:
        return names, x
    x = ops.reduce_or(x, axes=axes) if x.dtype == _BOOL else ops.reduce_sum(x, axes=axes)
    return "".join([c for c in names if c in keep]), x


def _paired(
    first: tuple[str, Any],
    second: tuple[str, Any],
    result: str,
    preferred: Any,
    precision: Precision,
) -> tuple[str, Any]:
    """The product of two terms, and the letters of its axes."""
    (a, x), (b, y) = first, second
    shared = [c for c in a if c in b]
    batch = [c for c in shared if c in result]
    contract = [c for c in shared if c not in result]
    pairs = (tuple([a.index(c) for c in contract]), tuple([b.index(c) for c in contract]))
    stacks = (tuple([a.index(c) for c in batch]), tuple([b.index(c) for c in batch]))
    free = [c for c in a if c not in shared], [c for c in b if c not in shared]
    names = "".join([*batch, *free[0], *free[1]])
    # The order of the operands decides that of the free axes: the one that needs no transposition.
    swapped = "".join([*batch, *free[1], *free[0]])
    if swapped == result and names != result:
        return swapped, _product(y, x, pairs[::-1], stacks[::-1], preferred, precision)
    return names, _product(x, y, pairs, stacks, preferred, precision)


def _without_ones(first: tuple[str, Any], second: tuple[str, Any]) -> list[tuple[str, Any]]:
    """Axes of size 1 that are paired with longer ones are dropped: they are broadcast."""
    out = []
    for (names, x), (others, y) in ((first, second), (second, first)):
        sizes = dict(zip(others, y.shape, strict=True))
        kept = [i for i, c in enumerate(names) if x.shape[i] != 1 or sizes.get(c, 1) == 1]
        x = ops.reshape(x, shape=tuple([x.shape[i] for i in kept]))
        out.append(("".join([names[i] for i in kept]), x))
    return out
