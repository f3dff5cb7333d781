"""Reductions: the largest, the smallest, the product, bitwise folds, and positions of extremes.

The sum is in `_shape.py`, where it is the transpose of `broadcast`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.core import ArrayType, Primitive, bind, constant, is_inexact, is_integer, public, type_of
from fn.ops._elementwise import add, convert, div, eq, logical_or, mul, ne, select
from fn.ops._rules import Batched, require, require_axes, types_text
from fn.ops._shape import (
    batch_reduction,
    broadcast,
    lower_reduction,
    reduce_sum,
    reshape,
    transpose,
)
from fn.ops._slicing import pad, slice_axis
from fn.ops._table import integral, like, number, ordered

Axes = tuple[int, ...]
_NOT_LINEAR = "it is not linear"
# Both know every dtype, int4 and the 8-bit floats included, but carry no annotations.
_iinfo: Any = ml_dtypes.iinfo
_finfo: Any = ml_dtypes.finfo


def _reduction(
    name: str,
    hlo: str,
    *,
    kind: Callable[..., bool],
    kinds: str,
    initial: Callable[..., Any],
    jvp: Any,
) -> Primitive:
    """A reduction over `axes`; `initial(dtype)` is what it gives over nothing."""

    def type_rule(x: ArrayType, *, axes: Axes) -> ArrayType:
        require_axes(name, axes, x.ndim, x)
        require(kind(x.dtype), f"{name}: wrong dtype", expected=kinds, got=types_text([x]))
        return x.with_shape(tuple([n for i, n in enumerate(x.shape) if i not in axes]))

    def batch(axis: Any, args: Any, dims: Any, *, axes: Axes) -> Batched:
        return batch_reduction(primitive, args[0], dims[0], axes)

    def lower(emit: Any, x: Any, *, axes: Axes) -> Any:
        return lower_reduction(emit, x, axes, f"stablehlo.{hlo}", initial(x.type.dtype))

    primitive = Primitive(
        name=name, type=type_rule, jvp=jvp, transpose=_NOT_LINEAR, batch=batch, lower=lower
    )
    return primitive


def _kept(ndim: int, axes: Axes) -> Axes:
    return tuple([i for i in range(ndim) if i not in axes])


# --- reduce_max, reduce_min -------------------------------------------------------------
@public
def reduce_max(x: Any, *, axes: Axes) -> Any:
    """The largest over `axes`, NaN if any is; those that tie share the derivative evenly.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_max(np.array([[1, 5], [7, 2]]), axes=(1,)).tolist()
    [5, 7]
    """
    return bind(reduce_max_p, x, axes=axes) if axes else x


@public
def reduce_min(x: Any, *, axes: Axes) -> Any:
    """The smallest over `axes`, NaN if any is; those that tie share the derivative evenly.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_min(np.array([[1, 5], [7, 2]]), axes=(1,)).tolist()
    [1, 2]
    """
    return bind(reduce_min_p, x, axes=axes) if axes else x


def _extreme_jvp(t: Any, out: Any, x: Any, *, axes: Axes) -> Any:
    if x.size == 0:
        return reduce_sum(t, axes=axes)
    chosen = same(broadcast(out, shape=x.shape, axes=_kept(x.ndim, axes)), x)
    # Counted as integers: bf16 cannot count beyond 256.
    count = reduce_sum(convert(chosen, dtype=np.int32), axes=axes)
    return div(reduce_sum(select(chosen, t, like(0, t)), axes=axes), as_tangent(count, t))


def same(out: Any, x: Any) -> Any:
    """Where `x` is `out`, which is NaN where `x` is."""
    return logical_or(eq(x, out), ne(x, x))


def as_tangent(x: Any, t: Any) -> Any:
    """`x` with the dtype of the tangent `t`."""
    kind = type_of(t)
    assert kind is not None
    return convert(x, dtype=kind.dtype, weak=kind.weak)


def lowest(dtype: np.dtype[Any]) -> Any:
    """What no value of `dtype` is smaller than."""
    return _bound(dtype, -np.inf, "min")


def highest(dtype: np.dtype[Any]) -> Any:
    """What no value of `dtype` is larger than."""
    return _bound(dtype, np.inf, "max")


def _bound(dtype: np.dtype[Any], infinity: float, bound: str) -> Any:
    if dtype == np.bool_:
        return np.bool_(bound == "max")
    if is_integer(dtype):
        return dtype.type(int(getattr(_iinfo(dtype), bound)))
    value = dtype.type(infinity)
    # Some 8-bit floats have no infinity.
    return value if np.isinf(float(value)) else dtype.type(getattr(_finfo(dtype), bound))


_ORDERED = "booleans or real numbers"
reduce_max_p = _reduction(
    "reduce_max", "maximum", kind=ordered, kinds=_ORDERED, initial=lowest, jvp=(_extreme_jvp,)
)
reduce_min_p = _reduction(
    "reduce_min", "minimum", kind=ordered, kinds=_ORDERED, initial=highest, jvp=(_extreme_jvp,)
)


# --- reduce_prod ------------------------------------------------------------------------
@public
def reduce_prod(x: Any, *, axes: Axes) -> Any:
    """The product over `axes`.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_prod(np.array([[1, 5], [7, 2]]), axes=(1,)).tolist()
    [5, 14]
    """
    return bind(reduce_prod_p, x, axes=axes) if axes else x


def _reduce_prod_jvp(t: Any, out: Any, x: Any, *, axes: Axes) -> Any:
    if x.size == 0:
        return reduce_sum(t, axes=axes)
    # The product rule over a balanced tree: exact at zeros, where `out / x` is not.
    kept = _kept(x.ndim, axes)
    shape = tuple([x.shape[i] for i in kept])
    n = math.prod([x.shape[i] for i in axes])
    x, t = (reshape(transpose(a, permutation=(*axes, *kept)), shape=(n, *shape)) for a in (x, t))
    while n > 1:
        (x0, x1), (t0, t1) = _halves(x, 1), _halves(t, 0)
        x, t, n = mul(x0, x1), add(mul(t0, x1), mul(x0, t1)), -(-n // 2)
    return reshape(t, shape=shape)


def _halves(x: Any, fill: int) -> tuple[Any, Any]:
    """`x` cut in two along its first axis, filled up to an even length."""
    n, rest = x.shape[0], (0,) * (x.ndim - 1)
    half = -(-n // 2)
    second = slice_axis(x, half, n, 0)
    return slice_axis(x, 0, half, 0), pad(
        second, value=fill, low=(0, *rest), high=(2 * half - n, *rest)
    )


reduce_prod_p = _reduction(
    "reduce_prod", "multiply", kind=number, kinds="numbers", initial=lambda dtype: dtype.type(1),
    jvp=(_reduce_prod_jvp,),
)  # fmt: skip


# --- bitwise reductions -----------------------------------------------------------------
@public
def reduce_and(x: Any, *, axes: Axes) -> Any:
    """Bitwise and over `axes`; for booleans, whether all hold.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_and(np.array([True, False]), axes=(0,)).item()
    False
    """
    return bind(reduce_and_p, x, axes=axes) if axes else x


@public
def reduce_or(x: Any, *, axes: Axes) -> Any:
    """Bitwise or over `axes`; for booleans, whether any holds.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_or(np.array([True, False]), axes=(0,)).item()
    True
    """
    return bind(reduce_or_p, x, axes=axes) if axes else x


@public
def reduce_xor(x: Any, *, axes: Axes) -> Any:
    """Bitwise exclusive or over `axes`; for booleans, whether an odd number hold.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_xor(np.array([True, True]), axes=(0,)).item()
    False
    """
    return bind(reduce_xor_p, x, axes=axes) if axes else x


def _all_ones(dtype: np.dtype[Any]) -> Any:
    return highest(dtype) if dtype.kind in "bu" else dtype.type(-1)


_INTEGRAL = "integers or booleans"
reduce_and_p = _reduction(
    "reduce_and", "and", kind=integral, kinds=_INTEGRAL, initial=_all_ones, jvp=constant
)
reduce_or_p = _reduction(
    "reduce_or",
    "or",
    kind=integral,
    kinds=_INTEGRAL,
    initial=lambda dtype: dtype.type(0),
    jvp=constant,
)
reduce_xor_p = _reduction(
    "reduce_xor",
    "xor",
    kind=integral,
    kinds=_INTEGRAL,
    initial=lambda dtype: dtype.type(0),
    jvp=constant,
)


# --- argmax, argmin ---------------------------------------------------------------------
@public
def argmax(x: Any, *, axis: int, dtype: Any = np.int32) -> Any:
    """Position of the first largest along `axis`; of the first NaN if there is one.

    >>> import fn, numpy as np
    >>> fn.ops.argmax(np.array([3, 9, 4]), axis=0).item()
    1
    """
    return bind(argmax_p, x, axis=axis, dtype=np.dtype(dtype))


@public
def argmin(x: Any, *, axis: int, dtype: Any = np.int32) -> Any:
    """Position of the first smallest along `axis`; of the first NaN if there is one.

    >>> import fn, numpy as np
    >>> fn.ops.argmin(np.array([3, 9, 1]), axis=0).item()
    2
    """
    return bind(argmin_p, x, axis=axis, dtype=np.dtype(dtype))


def _position_of(
    name: str, hlo: str, worst: Callable[..., Any], borrowed: Callable[..., Any]
) -> Primitive:
    def type_rule(x: ArrayType, *, axis: int, dtype: np.dtype[Any]) -> ArrayType:
        require_axes(name, (axis,), x.ndim, x)
        require(ordered(x.dtype), f"{name}: wrong dtype", expected=_ORDERED, got=types_text([x]))
        require(x.shape[axis] > 0, f"{name}: no element along axis {axis}", expected="at least one",
                got=types_text([x]))  # fmt: skip
        require(is_integer(dtype), f"{name}: positions are integers", expected="an integer dtype",
                got=dtype)  # fmt: skip
        return ArrayType(x.shape[:axis] + x.shape[axis + 1 :], dtype)

    def batch(axis_: Any, args: Any, dims: Any, *, axis: int, dtype: np.dtype[Any]) -> Batched:
        (x,), (dim,) = args, dims
        shifted = axis + (axis >= dim)
        return bind(primitive, x, axis=shifted, dtype=dtype), dim - (shifted < dim)

    def lower(emit: Any, x: Any, *, axis: int, dtype: np.dtype[Any]) -> Any:
        if emit.platform != "cpu":
            return emit.jax(borrowed, x, axis=axis, dtype=dtype)
        # Two plain reductions: on CPU several times faster than one that carries pairs.
        shape, index = x.type.shape, ArrayType(x.type.shape, dtype)
        extreme = _fold(emit, x, axis, hlo, worst(x.type.dtype))
        kept = _kept(len(shape), (axis,))
        found = _compare(emit, "EQ", x, emit.broadcast(extreme, shape, kept))
        if is_inexact(x.type.dtype):
            found = emit.op("stablehlo.or", found, _compare(emit, "NE", x, x), type=found.type)
        position = emit.op("stablehlo.iota", type=index, attrs=f"iota_dimension = {axis} : i64")
        none = emit.constant(highest(dtype), index)
        position = emit.op("stablehlo.select", found, position, none, type=index)
        return _fold(emit, position, axis, "minimum", highest(dtype))

    primitive = Primitive(
        name=name, type=type_rule, jvp=constant, transpose=_NOT_LINEAR, batch=batch, lower=lower
    )
    return primitive


def _fold(emit: Any, x: Any, axis: int, operation: str, initial: Any) -> Any:
    """`stablehlo.reduce` along one axis, to whatever type follows from that."""
    shape, dtype = x.type.shape, x.type.dtype
    scalar = ArrayType((), dtype)
    body = emit.region(
        [scalar, scalar], lambda a, b: [emit.op(f"stablehlo.{operation}", a, b, type=scalar)]
    )
    return emit.op(
        "stablehlo.reduce", x, emit.constant(initial, scalar), regions=[body],
        type=ArrayType(shape[:axis] + shape[axis + 1 :], dtype),
        attrs=f"dimensions = {emit.integers((axis,))}",
    )  # fmt: skip


def _compare(emit: Any, direction: str, x: Any, y: Any) -> Any:
    return emit.op(
        "stablehlo.compare", x, y, type=ArrayType(x.type.shape, np.bool_),
        attrs=f"comparison_direction = #stablehlo<comparison_direction {direction}>",
    )  # fmt: skip


def _jax_argmax(x: Any, *, axis: int, dtype: Any) -> Any:
    return jax.lax.argmax(x, axis, dtype)


def _jax_argmin(x: Any, *, axis: int, dtype: Any) -> Any:
    return jax.lax.argmin(x, axis, dtype)


argmax_p = _position_of("argmax", "maximum", lowest, _jax_argmax)
argmin_p = _position_of("argmin", "minimum", highest, _jax_argmin)
