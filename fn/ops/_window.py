"""Reductions over sliding windows, and what their derivatives need: pick with scatter.

The derivative of a maximum is the tangent of the largest element, so three operations follow it:
`window_argmax` says which element of each window that is, `window_pick` takes it, and
`window_scatter`, the transpose of `window_pick`, puts it back. The last two are linear and know
nothing of maxima, which makes derivatives of every order come out right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from fn.core import ArrayType, Primitive, bind, constant, is_float, is_integer, linear, public
from fn.ops._rules import Batched, require, types_text
from fn.ops._shape import broadcast, move_axis
from fn.ops._views import (
    WRITTEN_OUT,
    Ints,
    Pairs,
    Views,
    Windows,
    emit_blank,
    emit_compare,
    emit_narrowed,
    emit_pad,
    emit_pad_for,
    emit_slice,
    emit_widened,
)


def _extreme(dtype: np.dtype[Any], largest: bool) -> Any:
    """The smallest value of `dtype`, where a maximum starts; the largest for a minimum."""
    if not is_float(dtype):
        info: Any = ml_dtypes.iinfo(dtype)
        return dtype.type(info.min if largest else info.max)
    bound = dtype.type(-np.inf if largest else np.inf)
    if not np.isnan(bound):
        return bound
    found: Any = ml_dtypes.finfo(dtype)
    return found.min if largest else found.max


def _lower_reduction(emit: Any, x: Any, windows: Windows, hlo: str, initial: Any) -> Any:
    """A binary StableHLO operation over windows, one axis after the other."""
    if emit.type.size == 0:
        return emit_blank(emit, emit.type)
    if sum(n - 1 for n in windows.window) >= WRITTEN_OUT:
        return _lower_natively(emit, x, windows, hlo, initial)
    for axis in range(x.type.ndim):
        along = windows.along(axis)
        padded = emit_pad_for(emit, x, initial, along)
        views = Views(emit, along, along.counts(x.type.shape))
        x = views.read(0, padded)
        for k in range(1, views.size):
            x = emit.op(hlo, x, views.read(k, padded), type=x.type)
    return x


def _lower_natively(emit: Any, x: Any, windows: Windows, hlo: str, initial: Any) -> Any:
    scalar = ArrayType((), x.type.dtype)
    body = emit.region([scalar, scalar], lambda a, b: [emit.op(hlo, a, b, type=scalar)])
    return emit.op(
        "stablehlo.reduce_window", x, emit.constant(initial, scalar), regions=[body],
        type=ArrayType(windows.counts(x.type.shape), x.type.dtype),
        attrs=f"window_dimensions = {emit.integers(windows.window)}, "
        f"window_strides = {emit.integers(windows.strides)}, "
        f"base_dilations = {emit.integers(windows.x_dilation)}, "
        f"window_dilations = {emit.integers(windows.w_dilation)}, "
        f"padding = {emit.matrix(windows.padding)}",
    )  # fmt: skip


# --- reduce_window_sum ------------------------------------------------------------------
@public
def reduce_window_sum(
    x: Any, *, window: Ints, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints
) -> Any:
    """Sum of each window; see `Windows` for the parameters, tuples over all axes.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_window_sum(
    ...     np.array([1, 3, 2, 5]), window=(2,), strides=(1,), padding=((0, 0),),
    ...     x_dilation=(1,), w_dilation=(1,)
    ... ).tolist()
    [4, 5, 7]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(reduce_window_sum_p, x, **windows._asdict())


def _window_type(name: str, x: ArrayType, windows: Windows) -> ArrayType:
    windows.check(name, x.shape, types_text([x]))
    return x.with_shape(windows.counts(x.shape))


def _reduce_window_sum_type(x: ArrayType, **p: Any) -> ArrayType:
    require(x.dtype != bool, "reduce_window_sum: cannot add booleans", expected="numbers",
            got=types_text([x]), fix="convert to an integer type first")  # fmt: skip
    return _window_type("reduce_window_sum", x, Windows(**p))


def _reduce_window_sum_transpose(ct: Any, x: Any, **p: Any) -> tuple[Any, ...]:
    return (reduce_window_sum(ct, **Windows(**p).opposite(x.type.shape)._asdict()),)


def _reduce_window_sum_batch(axis: Any, args: Any, dims: Any, **p: Any) -> Batched:
    return reduce_window_sum(args[0], **Windows(**p).with_axis(dims[0])), dims[0]


def _reduce_window_sum_lower(emit: Any, x: Any, **p: Any) -> Any:
    return emit_narrowed(
        emit,
        _lower_reduction(
            emit, emit_widened(emit, x, x.type.dtype), Windows(**p), "stablehlo.add", 0
        ),
    )


reduce_window_sum_p = Primitive(
    name="reduce_window_sum", type=_reduce_window_sum_type, jvp=linear,
    transpose=_reduce_window_sum_transpose, batch=_reduce_window_sum_batch,
    lower=_reduce_window_sum_lower,
)  # fmt: skip


# --- reduce_window_max, reduce_window_min -----------------------------------------------
@public
def reduce_window_max(
    x: Any, *, window: Ints, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints
) -> Any:
    """Maximum of each window, over which padding never wins; see `Windows` for the parameters.

    The derivative goes to the first of equal elements, in row-major order.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_window_max(
    ...     np.array([1, 3, 2, 5]), window=(2,), strides=(1,), padding=((0, 0),),
    ...     x_dilation=(1,), w_dilation=(1,)
    ... ).tolist()
    [3, 3, 5]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(reduce_window_max_p, x, **windows._asdict())


@public
def reduce_window_min(
    x: Any, *, window: Ints, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints
) -> Any:
    """Minimum of each window; like `reduce_window_max`.

    >>> import fn, numpy as np
    >>> fn.ops.reduce_window_min(
    ...     np.array([1, 3, 2, 5]), window=(2,), strides=(1,), padding=((0, 0),),
    ...     x_dilation=(1,), w_dilation=(1,)
    ... ).tolist()
    [1, 2, 2]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(reduce_window_min_p, x, **windows._asdict())


def _chosen_type(name: str, x: ArrayType, windows: Windows) -> ArrayType:
    require(
        is_float(x.dtype) or is_integer(x.dtype), f"{name}: wrong dtype", expected="real numbers",
        got=types_text([x]),
    )  # fmt: skip
    return _window_type(name, x, windows)


def _choice(name: str, hlo: str, largest: bool) -> Primitive:
    """The primitive for maxima or minima of windows."""

    def type_rule(x: ArrayType, **p: Any) -> ArrayType:
        return _chosen_type(name, x, Windows(**p))

    def jvp(t: Any, out: Any, x: Any, **p: Any) -> Any:
        return window_pick(t, window_argmax(x, largest=largest, **p), **p)

    def batch(axis: Any, args: Any, dims: Any, **p: Any) -> Batched:
        return bind(primitive, args[0], **Windows(**p).with_axis(dims[0])), dims[0]

    def lower(emit: Any, x: Any, **p: Any) -> Any:
        return _lower_reduction(emit, x, Windows(**p), hlo, _extreme(x.type.dtype, largest))

    primitive = Primitive(
        name=name,
        type=type_rule,
        jvp=(jvp,),
        transpose="it is not linear",
        batch=batch,
        lower=lower,
    )
    return primitive


reduce_window_max_p = _choice("reduce_window_max", "stablehlo.maximum", largest=True)
reduce_window_min_p = _choice("reduce_window_min", "stablehlo.minimum", largest=False)


# --- window_argmax ----------------------------------------------------------------------
@public
def window_argmax(
    x: Any, *, largest: bool, window: Ints, strides: Ints, padding: Pairs, x_dilation: Ints,
    w_dilation: Ints,
) -> Any:  # fmt: skip
    """Row-major place within each window of its largest element, or smallest.

    The first of equal elements, and of NaNs before all numbers; negative where a window holds
    nothing but padding.

    >>> import fn, numpy as np
    >>> fn.ops.window_argmax(
    ...     np.array([1, 3, 2, 5]), largest=True, window=(2,), strides=(2,), padding=((0, 0),),
    ...     x_dilation=(1,), w_dilation=(1,)
    ... ).tolist()
    [1, 1]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(window_argmax_p, x, largest=largest, **windows._asdict())


def _window_argmax_type(x: ArrayType, *, largest: bool, **p: Any) -> ArrayType:
    return ArrayType(_chosen_type("window_argmax", x, Windows(**p)).shape, np.int32)


def _window_argmax_batch(axis: Any, args: Any, dims: Any, *, largest: bool, **p: Any) -> Batched:
    return window_argmax(args[0], largest=largest, **Windows(**p).with_axis(dims[0])), dims[0]


def _window_argmax_lower(emit: Any, x: Any, *, largest: bool, **p: Any) -> Any:
    if emit.type.size == 0:
        return emit_blank(emit, emit.type)
    windows, fill, inner = Windows(**p), _extreme(x.type.dtype, largest), 1
    where = emit_blank(emit, ArrayType(x.type.shape, np.int32))
    # From the last axis to the first: among rows that tie the first one wins, with its own winner.
    for axis in reversed(range(x.type.ndim)):
        along = windows.along(axis)
        views = Views(emit, along, along.counts(x.type.shape))
        # So negative that it stays so whatever is added to it.
        padded = [emit_pad_for(emit, v, f, along) for v, f in ((x, fill), (where, -(2**30)))]
        first = [views.read(0, v) for v in padded]
        step, inner = _argmax_step(emit, views, inner, largest), inner * views.size
        last = emit.platform == "cpu" and views.size > 1 and inner == math.prod(windows.window) > 4
        x, where = views.fold(1, [*padded, *first], step, loop=last)[2:]
    # XLA must not compute this once more in each of the places that read it. On CPU it drops the
    # barrier before it fuses, but does not fuse through the loop that the last axis was made.
    return emit.op("stablehlo.optimization_barrier", where)


def _argmax_step(emit: Any, views: Views, inner: int, largest: bool) -> Callable[..., Any]:
    """The step that lets the k-th element of each window challenge the best so far."""

    def both(name: str, x: Any, y: Any) -> Any:
        return emit.op(f"stablehlo.{name}", x, y, type=x.type)

    def step(k: Any, xs: Any, places: Any, best: Any, where: Any) -> list[Any]:
        x, place = views.read(k, xs), views.read(k, places)
        shift = emit.constant(k * inner, where.type) if isinstance(k, int) else None
        if shift is None:
            scalar = both("multiply", k, emit.constant(inner, k.type))
            shift = emit.broadcast(scalar, where.type.shape, ())
        better = emit_compare(emit, x, "GT" if largest else "LT", best)
        if is_float(x.type.dtype):
            first_nan = both(
                "and", emit_compare(emit, x, "NE", x), emit_compare(emit, best, "EQ", best)
            )
            better = both("or", better, first_nan)
        none = emit.constant(0, where.type)
        better = both("or", better, emit_compare(emit, where, "LT", none))
        better = both("and", better, emit_compare(emit, place, "GE", none))
        place = both("add", place, shift)
        chosen = [
            emit.op("stablehlo.select", better, new, old, type=old.type)
            for new, old in ((x, best), (place, where))
        ]
        return [xs, places, *chosen]

    return step


window_argmax_p = Primitive(
    name="window_argmax", type=_window_argmax_type, jvp=constant, transpose="a place is not linear",
    batch=_window_argmax_batch, lower=_window_argmax_lower,
)  # fmt: skip


# --- window_pick ------------------------------------------------------------------------
@public
def window_pick(
    x: Any, where: Any, *, window: Ints, strides: Ints, padding: Pairs, x_dilation: Ints,
    w_dilation: Ints,
) -> Any:  # fmt: skip
    """The element at place `where` of each window of `x`; zero where that is padding or negative.

    >>> import fn, numpy as np
    >>> x, where = np.array([1, 3, 2, 5]), np.array([1, 0])
    >>> fn.ops.window_pick(
    ...     x, where, window=(2,), strides=(2,), padding=((0, 0),), x_dilation=(1,),
    ...     w_dilation=(1,)
    ... ).tolist()
    [3, 2]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(window_pick_p, x, where, **windows._asdict())


def _check_where(name: str, where: ArrayType, shape: Ints) -> None:
    require(
        where.shape == shape and where.dtype == np.int32, f"{name}: not one place per window",
        expected=types_text([ArrayType(shape, np.int32)]), got=types_text([where]),
    )  # fmt: skip


def _window_pick_type(x: ArrayType, where: ArrayType, **p: Any) -> ArrayType:
    out = _window_type("window_pick", x, Windows(**p))
    _check_where("window_pick", where, out.shape)
    return out


def _window_pick_jvp(t: Any, out: Any, x: Any, where: Any, **p: Any) -> Any:
    return window_pick(t, where, **p)


def _window_pick_transpose(ct: Any, x: Any, where: Any, **p: Any) -> tuple[Any, ...]:
    return window_scatter(ct, where, shape=x.type.shape, **p), None


def _together(axis: Any, args: Any, dims: Any) -> tuple[Any, int]:
    """Two operands, both with the batched axis, at the same place."""
    dim = next(d for d in dims if d is not None)
    return [
        move_axis(a, d, dim) if d is not None else broadcast(
            a, shape=(*a.shape[:dim], axis.size, *a.shape[dim:]),
            axes=tuple([i + (i >= dim) for i in range(a.ndim)]),
        ) for a, d in zip(args, dims, strict=True)
    ], dim  # fmt: skip


def _window_pick_batch(axis: Any, args: Any, dims: Any, **p: Any) -> Batched:
    (x, where), dim = _together(axis, args, dims)
    return window_pick(x, where, **Windows(**p).with_axis(dim)), dim


def _matching(emit: Any, k: Any, where: Any) -> Any:
    """Where the k-th element of a window is the one to pick."""
    if isinstance(k, int):
        return emit_compare(emit, where, "EQ", emit.constant(k, where.type))
    return emit_compare(emit, where, "EQ", emit.broadcast(k, where.type.shape, ()))


def _window_pick_lower(emit: Any, x: Any, where: Any, **p: Any) -> Any:
    out = ArrayType(emit.type.shape, emit.type.dtype)
    if out.size == 0:
        return emit_blank(emit, out)
    views = Views(emit, Windows(**p), out.shape)

    def step(k: Any, padded: Any, where: Any, picked: Any) -> list[Any]:
        hit = _matching(emit, k, where)
        picked = emit.op("stablehlo.select", hit, views.read(k, padded), picked, type=out)
        return [padded, where, picked]

    return views.fold(
        0, [emit_pad_for(emit, x, 0, views.windows), where, emit_blank(emit, out)], step
    )[-1]


window_pick_p = Primitive(
    name="window_pick", type=_window_pick_type, jvp=(_window_pick_jvp, None),
    transpose=_window_pick_transpose, batch=_window_pick_batch, lower=_window_pick_lower,
)  # fmt: skip


# --- window_scatter ---------------------------------------------------------------------
@public
def window_scatter(
    x: Any, where: Any, *, shape: Ints, window: Ints, strides: Ints, padding: Pairs,
    x_dilation: Ints, w_dilation: Ints,
) -> Any:  # fmt: skip
    """Zeros of `shape` with the elements of `x` added at place `where` of the windows over them.

    >>> import fn, numpy as np
    >>> x, where = np.array([7, 8]), np.array([1, 0])
    >>> fn.ops.window_scatter(
    ...     x, where, shape=(4,), window=(2,), strides=(2,), padding=((0, 0),), x_dilation=(1,),
    ...     w_dilation=(1,)
    ... ).tolist()
    [0, 7, 8, 0]
    """
    windows = Windows(window, strides, padding, x_dilation, w_dilation)
    return bind(window_scatter_p, x, where, shape=shape, **windows._asdict())


def _window_scatter_type(x: ArrayType, where: ArrayType, *, shape: Ints, **p: Any) -> ArrayType:
    out = x.with_shape(shape)
    over = _window_type("window_scatter", out, Windows(**p))
    require(
        x.shape == over.shape and x.dtype != bool, "window_scatter: not one number per window",
        expected=types_text([over]), got=types_text([x]),
    )  # fmt: skip
    _check_where("window_scatter", where, over.shape)
    return out


def _window_scatter_jvp(t: Any, out: Any, x: Any, where: Any, *, shape: Ints, **p: Any) -> Any:
    return window_scatter(t, where, shape=shape, **p)


def _window_scatter_transpose(
    ct: Any, x: Any, where: Any, *, shape: Ints, **p: Any
) -> tuple[Any, ...]:
    return window_pick(ct, where, **p), None


def _window_scatter_batch(axis: Any, args: Any, dims: Any, *, shape: Ints, **p: Any) -> Batched:
    (x, where), dim = _together(axis, args, dims)
    shape = (*shape[:dim], axis.size, *shape[dim:])
    return window_scatter(x, where, shape=shape, **Windows(**p).with_axis(dim)), dim


def _window_scatter_lower(emit: Any, x: Any, where: Any, *, shape: Ints, **p: Any) -> Any:
    if x.type.size == 0 or emit.type.size == 0:
        return emit_blank(emit, emit.type)
    x, windows = emit_widened(emit, x, x.type.dtype), Windows(**p)
    views = Views(emit, windows, x.type.shape)
    nothing = emit_blank(emit, x.type)

    def step(k: Any, x: Any, where: Any, nothing: Any, padded: Any) -> list[Any]:
        hit = emit.op("stablehlo.select", _matching(emit, k, where), x, nothing, type=x.type)
        return [x, where, nothing, views.add(k, padded, hit)]

    start = emit_blank(emit, ArrayType(windows.padded(shape), x.type.dtype))
    padded = views.fold(0, [x, where, nothing, start], step)[-1]
    low, high = [[-pair[i] for pair in windows.padding] for i in (0, 1)]
    full = emit_pad(emit, padded, 0, low, high, [0] * len(shape))
    full = emit_slice(emit, full, [0] * len(shape), full.type.shape, windows.x_dilation)
    return emit_narrowed(emit, full)


window_scatter_p = Primitive(
    name="window_scatter", type=_window_scatter_type, jvp=(_window_scatter_jvp, None),
    transpose=_window_scatter_transpose, batch=_window_scatter_batch, lower=_window_scatter_lower,
)  # fmt: skip
