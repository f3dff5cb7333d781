"""Numbers in a row, and coordinates of grids. Inside a trace they are equations, not captured arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, context, is_inexact
from fn.numpy import _elementwise as elementwise
from fn.numpy._arithmetic import divide, multiply, power
from fn.numpy._creation import placed, zeros
from fn.numpy._dtypes import int_dtype, result_type
from fn.numpy._habits import fused, public
from fn.numpy._promotion import (
    DTypeLike,
    check_dtype,
    check_shape,
    literal,
    one_axis,
    promote,
    spread,
    type_at,
)
from fn.numpy._promotion import array as operand

# --- sequences --------------------------------------------------------------------------


@public
def arange(
    start: Any,
    stop: Any = None,
    step: Any = None,
    dtype: DTypeLike = None,
    *,
    device: Any = None,
) -> Any:
    """Numbers from `start` to before `stop` in equal steps; from 0 if only one bound is given.

    Args:
        start, stop, step: numbers known while tracing, for they decide the size.
        dtype: that of the bounds by default.
        device: where to put it.

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
    first, last, step = [n.item() if hasattr(n, "item") else n for n in (first, last, step)]
    if all(isinstance(n, int) for n in (first, last, step)):
        size = -((first - last) // step)  # exact for integers of every size
    else:
        size = math.ceil((last - first) / step)
    return placed("arange", _progression(first, step, max(0, size), kind), device)


def _progression(first: Any, step: Any, size: int, kind: numpy.dtype[Any]) -> Any:
    if context.trace is None:
        exact = numpy.dtype(numpy.float64) if is_inexact(kind) else kind
        return jax.numpy.asarray((first + step * numpy.arange(size)).astype(exact).astype(kind))
    out = ops.iota(dtype=kind, shape=(size,), axis=0)
    if step != 1:
        out = ops.mul(out, literal(step, kind))
    return ops.add(out, literal(first, kind)) if first != 0 else out


@fused
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` numbers evenly spaced from `start` to `stop`, which is the last one unless `endpoint` is False.

    Args:
        start, stop: scalars or arrays that broadcast together.
        num: how many.
        endpoint: whether `stop` is among them.
        retstep: whether to return the distance of two neighbours as well.
        dtype: floating by default.
        axis: place of the new axis in the result.
        device: where to put it.

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
    out = placed("linspace", out, device)
    if not retstep:
        return out
    gap = ops.div(ops.sub(stop, start), literal(gaps, kind)) if gaps > 0 else numpy.nan
    return out, gap


@fused
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10.0,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Any:
    """`num` powers of `base`, their exponents evenly spaced from `start` to `stop`.

    >>> import fn.numpy as np
    >>> np.logspace(0.0, 3.0, 4, base=2.0)
    Array([1., 2., 4., 8.], dtype=float32)
    """
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    out = power(base, exponents)
    return out if dtype is None else ops.convert(out, dtype=check_dtype("logspace", dtype))


@fused
def geomspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike = None,
    axis: int = 0,
) -> Any:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args:
        start, stop: scalars or arrays that broadcast together, not 0 and of one sign.
        num: how many.
        endpoint: whether `stop` is among them.
        dtype: floating by default.
        axis: place of the new axis in the result.

    >>> import fn.numpy as np
    >>> print(np.geomspace(1.0, 8.0, 4))
    [1. 2. 4. 8.]
    """
    first, last = promote("geomspace", start, stop, floating=True)
    sign = elementwise.sign(first)
    exponents = linspace(
        elementwise.log2(divide(first, sign)), elementwise.log2(divide(last, sign)), num, endpoint,
        axis=axis,
    )  # fmt: skip
    out = elementwise.exp2(exponents)
    if operand("geomspace", sign).shape:
        sign = ops.expand(sign, (one_axis("geomspace", axis, sign.ndim + 1),))
    out = multiply(out, sign)
    return out if dtype is None else ops.convert(out, dtype=check_dtype("geomspace", dtype))


# --- grids ------------------------------------------------------------------------------


@public
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinates of the points of a grid, from those of its axes.

    Args:
        xi: one-axis arrays.
        copy: accepted for NumPy's sake; arrays never change.
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
def indices(dimensions: Sequence[int], dtype: DTypeLike = None, sparse: bool = False) -> Any:
    """For each axis of a grid of this shape, the index of every point along it.

    Args:
        dimensions: the shape.
        dtype: an integer dtype; `int` by default.
        sparse: a tuple of arrays that broadcast to the shape, instead of one array.

    >>> import fn.numpy as np
    >>> np.indices((2, 2)).tolist()
    [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
    """
    shape = check_shape("indices", dimensions, "shape")
    kind = int_dtype() if dtype is None else check_dtype("indices", dtype)
    if sparse:
        ones = [(1,) * i + (n,) + (1,) * (len(shape) - i - 1) for i, n in enumerate(shape)]
        return tuple([ops.iota(dtype=kind, shape=s, axis=i) for i, s in enumerate(ones)])
    if not shape:
        return zeros((0,), kind)
    layers = [ops.iota(dtype=kind, shape=(1, *shape), axis=i + 1) for i in range(len(shape))]
    return ops.concatenate(*layers, axis=0)


@public
def fromfunction(
    function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    """What `function` makes of the indices of a grid, one array for each axis.

    Args:
        function: takes as many arrays of this shape as it has axes.
        shape: the shape of the grid.
        dtype: dtype of the indices.
        kwargs: passed on to the function.

    >>> import fn.numpy as np
    >>> print(np.fromfunction(lambda i, j: i + j, (2, 2), dtype=int))
    [[0 1]
     [1 2]]
    """
    sizes = check_shape("fromfunction", shape)
    kind = check_dtype("fromfunction", dtype)
    return function(
        *[ops.iota(dtype=kind, shape=sizes, axis=i) for i in range(len(sizes))], **kwargs
    )
