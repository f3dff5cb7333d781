"""Making arrays. Inside a trace, what a few numbers describe becomes an equation, not a captured array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, context, is_inexact, not_an_array, type_of
from fn.numpy._dtypes import float_dtype, int_dtype, result_type
from fn.numpy._habits import public
from fn.numpy._promotion import (
    PYTHON,
    DTypeLike,
    cast,
    check_dtype,
    check_shape,
    joint_shape,
    literal,
    one_axis,
    promote,
    spread,
    stretch,
    type_at,
)
from fn.numpy._promotion import (
    array as operand,
)

# --- from values ------------------------------------------------------------------------


@public
def array(object: Any, dtype: DTypeLike = None, copy: bool = True, ndmin: int = 0) -> Any:
    """An array of `object`: nested lists, scalars, or an array.

    Args:
        object: array, scalar, or lists of them; lists that hold traced arrays are stacked.
        dtype: dtype of the result; that of `object` by default. Python numbers become 32-bit ones.
        copy: accepted for NumPy's sake; arrays never change.
        ndmin: least number of axes, made up by axes of size 1 in front.

    >>> import fn.numpy as np
    >>> np.array([1.0, 2.0])
    Array([1., 2.], dtype=float32)
    """
    out = _array(object, None if dtype is None else check_dtype("array", dtype))
    if out.ndim < ndmin:
        out = ops.expand(out, tuple(range(ndmin - out.ndim)))
    return out


@public
def asarray(a: Any, dtype: DTypeLike = None, copy: bool | None = None) -> Any:
    """`a` as an array; arrays stay what they are.

    Args:
        a: array, scalar, or lists of them.
        dtype: dtype of the result; that of `a` by default.
        copy: accepted for NumPy's sake; arrays never change.

    >>> import fn.numpy as np
    >>> np.asarray(2.0, np.bfloat16)
    Array(2, dtype=bfloat16)
    """
    return _array(a, None if dtype is None else check_dtype("asarray", dtype))


def _array(x: Any, dtype: numpy.dtype[Any] | None) -> Any:
    if isinstance(x, (Tracer, jax.Array)):
        return x if dtype is None else ops.convert(x, dtype=dtype)
    if isinstance(x, (list, tuple)) and _holds_tracer(x):
        parts = promote("array", *[_array(part, None) for part in x])
        if len({part.shape for part in parts}) > 1:
            raise ArgumentError(
                "array: the parts of a list differ in shape", expected="equal shapes",
                got=", ".join(str(part.shape) for part in parts),
            )  # fmt: skip
        out = ops.concatenate(*[ops.expand(part, (0,)) for part in parts], axis=0)
        return out if dtype is None else ops.convert(out, dtype=dtype)
    if isinstance(x, (list, tuple, range)) or type_of(x) is not None or hasattr(x, "__array__"):
        try:
            return jax.numpy.asarray(x, dtype)
        except ValueError as error:
            raise ArgumentError(f"array: {error}", got=type(x).__name__) from None
    raise not_an_array("array", 0, x)


def _holds_tracer(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_holds_tracer(part) for part in x)
    return isinstance(x, Tracer)


@public
def astype(x: Any, dtype: DTypeLike, /, *, copy: bool = True) -> Any:
    """`x` in another dtype; complex to real keeps the real part.

    >>> import fn.numpy as np
    >>> np.astype(np.array([1.7, -1.7]), int)
    Array([ 1, -1], dtype=int32)
    """
    return ops.convert(operand("astype", x), dtype=check_dtype("astype", dtype))


@public
def copy(a: Any) -> Any:
    """`a` itself: arrays never change, so there is nothing to copy for.

    >>> import fn.numpy as np
    >>> np.copy(np.ones(2))
    Array([1., 1.], dtype=float32)
    """
    return _array(a, None)


# --- constant arrays --------------------------------------------------------------------


def _filled(name: str, shape: Any, value: Any, dtype: Any) -> Any:
    shape = check_shape(name, shape)
    found = type_at(name, value, "the value")
    weak = dtype is None and found.weak
    kind = found.dtype if dtype is None else check_dtype(name, dtype)
    if context.trace is None and not found.shape and not isinstance(value, Tracer):
        return jax.numpy.full(shape, value, None if weak else kind)
    if found.dtype != kind or (type(value) in PYTHON and not weak):
        value = cast(value, kind)
    value = operand(name, value)
    if found.shape:
        if joint_shape(name, [found, found.with_shape(shape)]) != shape:
            raise ArgumentError(
                f"{name}: the value does not fit", expected=f"a shape that broadcasts to {shape}",
                got=str(found),
            )  # fmt: skip
        return stretch(value, found.shape, shape)
    return ops.full(value, shape)


@public
def full(shape: Any, fill_value: Any, dtype: DTypeLike = None) -> Any:
    """An array filled with one value.

    Args:
        shape: an integer or a sequence of integers.
        fill_value: scalar or array that broadcasts to the shape.
        dtype: that of the value by default.

    >>> import fn.numpy as np
    >>> np.full(3, 7)
    Array([7, 7, 7], dtype=int32, weak_type=True)
    """
    return _filled("full", shape, fill_value, dtype)


@public
def zeros(shape: Any, dtype: DTypeLike = None) -> Any:
    """An array of zeros; floating by default.

    >>> import fn.numpy as np
    >>> np.zeros((2, 2))
    Array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    return _filled("zeros", shape, 0, float_dtype() if dtype is None else dtype)


@public
def ones(shape: Any, dtype: DTypeLike = None) -> Any:
    """An array of ones; floating by default.

    >>> import fn.numpy as np
    >>> np.ones(2, int)
    Array([1, 1], dtype=int32)
    """
    return _filled("ones", shape, 1, float_dtype() if dtype is None else dtype)


@public
def empty(shape: Any, dtype: DTypeLike = None) -> Any:
    """An array to be filled; its elements are zeros.

    >>> import fn.numpy as np
    >>> np.empty(2)
    Array([0., 0.], dtype=float32)
    """
    return _filled("empty", shape, 0, float_dtype() if dtype is None else dtype)


@public
def full_like(a: Any, fill_value: Any, dtype: DTypeLike = None, shape: Any = None) -> Any:
    """An array filled with one value, of the shape and dtype of `a` unless others are given.

    >>> import fn.numpy as np
    >>> np.full_like(np.ones(2), 7)
    Array([7., 7.], dtype=float32)
    """
    found = type_at("full_like", a)
    return _filled(
        "full_like", found.shape if shape is None else shape, fill_value,
        found.dtype if dtype is None else dtype,
    )  # fmt: skip


@public
def zeros_like(a: Any, dtype: DTypeLike = None, shape: Any = None) -> Any:
    """Zeros of the shape and dtype of `a`.

    >>> import fn.numpy as np
    >>> np.zeros_like(np.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return full_like(a, 0, dtype, shape)


@public
def ones_like(a: Any, dtype: DTypeLike = None, shape: Any = None) -> Any:
    """Ones of the shape and dtype of `a`.

    >>> import fn.numpy as np
    >>> np.ones_like(np.zeros(2))
    Array([1., 1.], dtype=float32)
    """
    return full_like(a, 1, dtype, shape)


@public
def empty_like(prototype: Any, dtype: DTypeLike = None, shape: Any = None) -> Any:
    """Zeros of the shape and dtype of `prototype`.

    >>> import fn.numpy as np
    >>> np.empty_like(np.ones(2))
    Array([0., 0.], dtype=float32)
    """
    return full_like(prototype, 0, dtype, shape)


# --- sequences --------------------------------------------------------------------------


@public
def arange(start: Any, stop: Any = None, step: Any = None, dtype: DTypeLike = None) -> Any:
    """Numbers from `start` to before `stop` in equal steps; from 0 if only one bound is given.

    Args:
        start, stop, step: numbers known while tracing, for they decide the size.
        dtype: that of the bounds by default.

    >>> import fn.numpy as np
    >>> np.arange(3), np.arange(1.0, 2.0, 0.5)
    (Array([0, 1, 2], dtype=int32), Array([1. , 1.5], dtype=float32))
    """
    given = [n for n in (start, stop, step) if n is not None]
    if any(isinstance(n, Tracer) for n in given):
        given = [numpy.asarray(n)[()] for n in given]  # raises unless the values are known
    if any(type_at("arange", n).shape for n in given):
        raise ArgumentError("arange: a bound is not a scalar", expected="numbers", got=repr(given))
    kind = result_type(*given) if dtype is None else check_dtype("arange", dtype)
    first, last = (0, start) if stop is None else (start, stop)
    step = 1 if step is None else step
    if step == 0:
        raise ArgumentError("arange: the step is zero", expected="a step that is not zero", got="0")
    size = max(0, math.ceil((last - first) / step))
    return _progression(first, step, size, kind)


def _progression(first: Any, step: Any, size: int, kind: numpy.dtype[Any]) -> Any:
    if context.trace is None:
        exact = numpy.dtype(numpy.float64) if is_inexact(kind) else kind
        return jax.numpy.asarray((first + step * numpy.arange(size)).astype(exact).astype(kind))
    out = ops.iota(dtype=kind, shape=(size,), axis=0)
    if step != 1:
        out = ops.mul(out, literal(step, kind))
    return ops.add(out, literal(first, kind)) if first != 0 else out


@public
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Any:
    """`num` numbers evenly spaced from `start` to `stop`, which is the last one unless `endpoint` is False.

    Args:
        start, stop: scalars or arrays that broadcast together.
        num: how many.
        endpoint: whether `stop` is among them.
        retstep: whether to return the distance of two neighbours as well.
        dtype: floating by default.
        axis: place of the new axis in the result.

    >>> import fn.numpy as np
    >>> np.linspace(0.0, 1.0, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    start, stop = spread("linspace", *promote("linspace", start, stop, floating=True))
    start, stop = operand("linspace", start), operand("linspace", stop)
    kind = start.dtype
    gaps = num - 1 if endpoint else num
    shape = start.shape if start.shape else stop.shape
    position = one_axis("linspace", axis, len(shape) + 1)
    whole = (*shape[:position], num, *shape[position:])
    share = ops.iota(dtype=kind, shape=(num,), axis=0)
    if gaps > 1:
        share = ops.div(share, literal(gaps, kind))
    if shape:
        share = ops.broadcast(share, shape=whole, axes=(position,))
        start, stop = [
            ops.broadcast(x, shape=whole, axes=tuple([i for i in range(len(whole)) if i != position]))
            if x.shape else x for x in (start, stop)
        ]  # fmt: skip
    # In this form the ends are met exactly.
    out = ops.add(ops.mul(start, ops.sub(literal(1, kind), share)), ops.mul(stop, share))
    if dtype is not None:
        target = check_dtype("linspace", dtype)
        out = ops.convert(out if is_inexact(target) else ops.floor(out), dtype=target)
    if not retstep:
        return out
    gap = ops.div(ops.sub(stop, start), literal(gaps, kind)) if gaps > 0 else numpy.nan
    return out, gap


@public
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike = None,
) -> Any:
    """`num` powers of `base`, their exponents evenly spaced from `start` to `stop`.

    >>> import fn.numpy as np
    >>> np.logspace(0.0, 3.0, 4, base=2.0)
    Array([1., 2., 4., 8.], dtype=float32)
    """
    exponents = linspace(start, stop, num, endpoint)
    out = ops.pow(literal(base, exponents.dtype), exponents)
    return out if dtype is None else ops.convert(out, dtype=check_dtype("logspace", dtype))


# --- grids ------------------------------------------------------------------------------


@public
def meshgrid(*xi: Any, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinates of the points of a grid, from those of its axes.

    Args:
        xi: one-axis arrays.
        sparse: leave axes of size 1 instead of repeating.
        indexing: "xy" puts the first array along the second axis, "ij" along the first.

    >>> import fn.numpy as np
    >>> x, y = np.meshgrid(np.arange(2), np.arange(2))
    >>> print(x.tolist(), y.tolist())
    [[0, 1], [0, 1]] [[0, 0], [1, 1]]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(
            "meshgrid: unknown indexing", expected="'xy' or 'ij'", got=repr(indexing)
        )
    arrays = [operand("meshgrid", x, i) for i, x in enumerate(xi)]
    if any(x.ndim > 1 for x in arrays):
        raise ArgumentError(
            "meshgrid: an argument has several axes", expected="arrays of one axis",
            got=", ".join(str(x.shape) for x in arrays),
        )  # fmt: skip
    order = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        order[:2] = [1, 0]
    shape = [0] * len(arrays)
    for x, axis in zip(arrays, order, strict=True):
        shape[axis] = x.size
    grids = []
    for x, axis in zip(arrays, order, strict=True):
        x = ops.reshape(x, shape=(x.size,))
        if sparse:
            grids.append(
                ops.reshape(x, shape=tuple([n if i == axis else 1 for i, n in enumerate(shape)]))
            )
        else:
            grids.append(ops.broadcast(x, shape=tuple(shape), axes=(axis,)))
    return grids


@public
def indices(dimensions: Sequence[int], dtype: DTypeLike = None) -> Any:
    """For each axis of a grid of this shape, the index of every point along it.

    >>> import fn.numpy as np
    >>> np.indices((2, 2)).tolist()
    [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
    """
    shape = check_shape("indices", dimensions, "shape")
    kind = int_dtype() if dtype is None else check_dtype("indices", dtype)
    if not shape:
        return zeros((0,), kind)
    layers = [ops.iota(dtype=kind, shape=(1, *shape), axis=i + 1) for i in range(len(shape))]
    return ops.concatenate(*layers, axis=0)
