"""Convolution: one primitive, whose gradients are convolutions with the operands' roles exchanged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fn.core import (
    ArrayType,
    Linear,
    Primitive,
    bind,
    dtype_name,
    is_complex,
    is_float,
    is_integer,
    public,
)
from fn.ops._dot import PRECISIONS
from fn.ops._elementwise import convert
from fn.ops._rules import Batched, require, result_weak, types_text
from fn.ops._shape import full, move_axis, reshape, reverse
from fn.ops._views import (
    WRITTEN_OUT,
    Ints,
    Pairs,
    Views,
    Windows,
    dilated,
    emit_blank,
    emit_narrowed,
    emit_pad_for,
    emit_slice,
    emit_widened,
)


# --- conv -------------------------------------------------------------------------------
@public
def conv(
    x: Any, w: Any, *, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints,
    x_layout: Ints, w_layout: Ints, out_layout: Ints, groups: int = 1, batch_groups: int = 1,
    preferred: Any = None, precision: str | None = None,
) -> Any:  # fmt: skip
    """Products of a kernel with every window of `x`, summed over the window and the features.

    The kernel is not flipped. `strides`, `padding` and the dilations have an entry per spatial axis.

    Args:
        x: array with a batch axis, a feature axis and any number of spatial axes.
        w: kernel, of the same dtype and rank.
        strides: steps from one window to the next.
        padding: pairs (low, high) of zeros around `x`; negative ones cut it.
        x_dilation: distance of the elements of `x` from each other, with zeros between.
        w_dilation: distance of the elements of the kernel from each other.
        x_layout: which axes of `x` are batch, features, and each of the spatial ones.
        w_layout: which axes of `w` are the features of the result, those of `x`, and spatial.
        out_layout: which axes of the result are batch, features, and spatial.
        groups: the features fall into so many groups that are convolved apart; then `w` has the
            features of one group of `x`.
        batch_groups: the batch falls into so many groups, each with its own features of the result.
        preferred: dtype of the sums and the result; that of the operands by default.
        precision: `default`, `high` or `highest`, for machines that multiply faster with fewer bits.

    >>> import fn, numpy as np
    >>> x, w = np.ones((2, 3, 8), np.float32), np.ones((4, 3, 5), np.float32)
    >>> fn.ops.conv(
    ...     x, w, strides=(1,), padding=((0, 0),), x_dilation=(1,), w_dilation=(1,),
    ...     x_layout=(0, 1, 2), w_layout=(0, 1, 2), out_layout=(0, 1, 2)
    ... ).shape
    (2, 4, 4)
    """
    return bind(
        conv_p, x, w, strides=strides, padding=padding, x_dilation=x_dilation, w_dilation=w_dilation,
        x_layout=x_layout, w_layout=w_layout, out_layout=out_layout, groups=groups,
        batch_groups=batch_groups, preferred=None if preferred is None else np.dtype(preferred),
        precision=precision,
    )  # fmt: skip


def _pick(shape: Ints, axes: Ints) -> Ints:
    return tuple([shape[a] for a in axes])


def _conv_type(
    x: ArrayType, w: ArrayType, *, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints,
    x_layout: Ints, w_layout: Ints, out_layout: Ints, groups: int, batch_groups: int, preferred: Any,
    precision: Any,
) -> ArrayType:  # fmt: skip
    both = types_text([x, w])
    require(
        x.ndim == w.ndim and x.ndim >= 2, "conv: the operands' ranks do not fit",
        expected="two operands with equally many axes: two, and the spatial ones", got=both,
        fix="give an array without a batch axis one of size 1",
    )  # fmt: skip
    for layout, name in (
        (x_layout, "x_layout"),
        (w_layout, "w_layout"),
        (out_layout, "out_layout"),
    ):
        require(
            type(layout) is tuple and sorted(layout) == list(range(x.ndim)),
            f"conv: {name} does not name each axis once",
            expected=f"the axes 0 to {x.ndim - 1} in some order", got=f"{layout} for {both}",
        )  # fmt: skip
    _check_groups(x, w, x_layout, w_layout, groups, batch_groups)
    windows = Windows(_pick(w.shape, w_layout[2:]), strides, padding, x_dilation, w_dilation)
    windows.check("conv", _pick(x.shape, x_layout[2:]), both)
    counts = windows.counts(_pick(x.shape, x_layout[2:]))
    sizes = (x.shape[x_layout[0]] // batch_groups, w.shape[w_layout[0]], *counts)
    shape = tuple([sizes[out_layout.index(i)] for i in range(x.ndim)])
    dtype = _conv_dtype(x, w, preferred, precision)
    return ArrayType(shape, dtype, preferred is None and result_weak(x, w))


def _check_groups(
    x: ArrayType, w: ArrayType, x_layout: Ints, w_layout: Ints, groups: int, batch_groups: int
) -> None:
    both = types_text([x, w])
    (batch, features), (out, inner) = _pick(x.shape, x_layout[:2]), _pick(w.shape, w_layout[:2])
    require(
        all(type(n) is int and n >= 1 for n in (groups, batch_groups)) and 1 in (groups, batch_groups),
        "conv: groups and batch_groups do not fit", expected="positive integers, one of them 1",
        got=f"groups={groups}, batch_groups={batch_groups}",
    )  # fmt: skip
    require(
        features == inner * groups, "conv: the numbers of features do not fit",
        expected=f"{inner} features of the kernel x {groups} groups = {inner * groups} features in x",
        got=f"{features} features in x: {both} with x_layout={x_layout}, w_layout={w_layout}",
        fix="check the layouts, or give groups = features in x / features of the kernel",
    )  # fmt: skip
    require(
        out % groups == 0 and out % batch_groups == 0,
        "conv: the features of the result do not fall into the groups",
        expected=f"a multiple of {groups * batch_groups} at axis {w_layout[0]} of the kernel",
        got=f"{out}: {both}",
    )  # fmt: skip
    require(
        batch % batch_groups == 0, "conv: the batch does not fall into the groups",
        expected=f"a multiple of {batch_groups} at axis {x_layout[0]} of x", got=f"{batch}: {both}",
    )  # fmt: skip


def _conv_dtype(x: ArrayType, w: ArrayType, preferred: Any, precision: Any) -> np.dtype[Any]:
    both, dtype = types_text([x, w]), x.dtype
    require(
        x.dtype == w.dtype, "conv: the operands' dtypes differ", expected="equal dtypes", got=both,
        fix="convert one",
    )  # fmt: skip
    require(dtype != np.bool_, "conv: wrong dtype", expected="numbers", got=both)
    require(
        precision is None or precision in PRECISIONS, "conv: there is no such precision",
        expected=f"None or one of {', '.join(PRECISIONS)}", got=repr(precision),
    )  # fmt: skip
    if preferred is None:
        return x.dtype
    alike = any(kind(dtype) and kind(preferred) for kind in (is_float, is_complex, is_integer))
    require(
        alike and preferred.itemsize >= dtype.itemsize,
        "conv: the preferred dtype does not hold the sums",
        expected=f"a dtype of the kind of {dtype_name(dtype)}, at least as wide",
        got=f"{dtype_name(preferred)} for {both}", fix="convert the operands or the result",
    )  # fmt: skip
    found: np.dtype[Any] = preferred
    return found


# Without spatial axes, with m = batch, j = features of x, k = features of the result and g = groups:
#   feature groups    [m, gj] [gk, j] -> [m, gk]     batch groups      [gm, j] [gk, j] -> [m, gk]
#   gradient of x     [m, gk] [gj, k] -> [m, gj]     gradient of x     [m, gk] [gj, k] -> [m, gj]
#   gradient of w     [gj, m] [gk, m] -> [j, gk]     gradient of w     [j, gm] [gk, m] -> [j, gk]
# So both gradients of x have feature groups, and that of w exchanges the two kinds of groups.


def _conv_transpose(ct: Any, x: Any, w: Any, **p: Any) -> tuple[Any, ...]:
    if isinstance(x, Linear):
        return _x_cotangent(ct, x.type, w, **p), None
    return None, _w_cotangent(ct, x, w.type, **p)


def _swapped(layout: Ints) -> Ints:
    return (layout[1], layout[0], *layout[2:])


def _x_cotangent(
    ct: Any, x: ArrayType, w: Any, *, strides: Ints, padding: Pairs, x_dilation: Ints,
    w_dilation: Ints, x_layout: Ints, w_layout: Ints, out_layout: Ints, groups: int,
    batch_groups: int, preferred: Any, precision: Any,
) -> Any:  # fmt: skip
    """Each element of `x` collects from the windows it lay in: the kernel reversed over `ct`."""
    if 0 in (*ct.shape, *x.shape, *w.shape):
        return full(x.dtype.type(0), x.shape)
    windows = Windows(_pick(w.shape, w_layout[2:]), strides, padding, x_dilation, w_dilation)
    back = windows.opposite(_pick(x.shape, x_layout[2:]))
    total, (out, inner) = groups * batch_groups, w_layout[:2]
    w = reverse(w, axes=tuple([a for a in w_layout[2:] if w.shape[a] > 1]))
    w = _merge(_split(w, out, total), out, inner)
    result = conv(
        ct, convert(w, dtype=ct.dtype), strides=back.strides, padding=back.padding,
        x_dilation=back.x_dilation, w_dilation=w_dilation, x_layout=out_layout,
        w_layout=_swapped(w_layout), out_layout=x_layout, groups=total, precision=precision,
    )  # fmt: skip
    if batch_groups > 1:
        result = _merge(_split(result, x_layout[1], batch_groups), x_layout[1], x_layout[0])
    return convert(result, dtype=x.dtype)


def _w_cotangent(
    ct: Any, x: Any, w: ArrayType, *, strides: Ints, padding: Pairs, x_dilation: Ints,
    w_dilation: Ints, x_layout: Ints, w_layout: Ints, out_layout: Ints, groups: int,
    batch_groups: int, preferred: Any, precision: Any,
) -> Any:  # fmt: skip
    """Each element of `w` collects what it met in `x`: `ct` as the kernel, spread by the strides."""
    if 0 in (*ct.shape, *x.shape, *w.shape):
        return full(w.dtype.type(0), w.shape)
    rows = zip(
        _pick(x.shape, x_layout[2:]), _pick(w.shape, w_layout[2:]), _pick(ct.shape, out_layout[2:]),
        strides, padding, x_dilation, w_dilation, strict=True,
    )  # fmt: skip
    back = [
        (low, dilated(n_out, s) - dilated(n_x, xd) + dilated(n_w, wd) - low - 1)
        for n_x, n_w, n_out, s, (low, _), xd, wd in rows
    ]
    result = conv(
        convert(x, dtype=ct.dtype), ct, strides=w_dilation, padding=tuple(back),
        x_dilation=x_dilation, w_dilation=strides, x_layout=_swapped(x_layout),
        w_layout=_swapped(out_layout), out_layout=_swapped(w_layout), groups=batch_groups,
        batch_groups=groups, precision=precision,
    )  # fmt: skip
    return convert(result, dtype=w.dtype)


def _split(x: Any, axis: int, outer: int) -> Any:
    """`x` with an axis split into one of size `outer` and one for the rest."""
    shape = x.shape
    return reshape(x, shape=(*shape[:axis], outer, shape[axis] // outer, *shape[axis + 1 :]))


def _merge(x: Any, source: int, target: int) -> Any:
    """`x` with axis `source` merged into axis `target` of what is left, as the outer factor."""
    x = move_axis(x, source, target)
    size = x.shape[target] * x.shape[target + 1]
    return reshape(x, shape=(*x.shape[:target], size, *x.shape[target + 2 :]))


def _weave(x: Any, dim: int, axis: int, groups: int) -> Any:
    """Merge the batched axis into `axis` of what is left, inside of its groups."""
    if groups == 1:
        return _merge(x, dim, axis)
    x = _merge(_split(move_axis(x, dim, 0), axis + 1, groups), 0, axis + 1)
    return reshape(
        x, shape=(*x.shape[:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2 :])
    )


def _unweave(x: Any, axis: int, groups: int, size: int) -> Batched:
    """Take the batched axis out of `axis` again."""
    if groups == 1:
        return _split(x, axis, size), axis
    return _merge(_split(_split(x, axis, groups), axis + 1, size), axis, axis + 1), axis


def _conv_batch(
    axis: Any, args: Any, dims: Any, *, x_layout: Ints, w_layout: Ints, out_layout: Ints,
    groups: int, batch_groups: int, **p: Any,
) -> Batched:  # fmt: skip
    (x, w), (dx, dw), size = args, dims, axis.size
    p |= {"x_layout": x_layout, "w_layout": w_layout, "out_layout": out_layout}
    if size == 0:
        # No number of groups describes this.
        types = [
            ArrayType(tuple([n for i, n in enumerate(a.shape) if i != d]), a.dtype)
            for a, d in zip(args, dims, strict=True)
        ]
        out = _conv_type(*types, groups=groups, batch_groups=batch_groups, **p)
        return full(out.dtype.type(0), (0, *out.shape)), 0
    if dw is None:
        x = _weave(x, dx, x_layout[0], batch_groups)
        out = conv(x, w, groups=groups, batch_groups=batch_groups, **p)
        return _unweave(out, out_layout[0], 1, size)
    if dx is None:
        total = groups * batch_groups
        w = _weave(w, dw, w_layout[0], total)
        out = conv(x, w, groups=groups, batch_groups=batch_groups, **p)
        return _unweave(out, out_layout[1], total, size)
    # Every example becomes a group of its own, outside of the groups there are.
    x = _weave(x, dx, x_layout[0 if batch_groups > 1 else 1], 1)
    w = _weave(w, dw, w_layout[0], 1)
    if batch_groups > 1:
        batch_groups *= size
    else:
        groups *= size
    out = conv(x, w, groups=groups, batch_groups=batch_groups, **p)
    return _unweave(out, out_layout[1], 1, size)


def _conv_lower(emit: Any, x: Any, w: Any, **p: Any) -> Any:
    out = emit.type
    if 0 in (x.type.size, w.type.size, out.size):
        return emit_blank(emit, out)
    if emit.platform == "cpu":
        if _is_depthwise(x.type, w.type, **p):
            return _emit_depthwise(emit, x, w, **p)
        apart = p["batch_groups"]
        sizes = (x.type.shape[p["x_layout"][0]], w.type.shape[p["w_layout"][0]])
        if apart > 1 and sizes != (apart, apart):
            x = _emit_grouped(emit, x, p["x_layout"], apart)
            p |= {"groups": apart, "batch_groups": 1}
    if not is_complex(out.dtype):
        return _emit_conv(emit, x, w, out, **p)
    # XLA convolves complex numbers on few machines and slowly.
    part = ArrayType(out.shape, _part_dtype(out.dtype))
    (xr, xi), (wr, wi) = (
        [
            emit.op(f"stablehlo.{name}", v, type=ArrayType(v.type.shape, _part_dtype(v.type.dtype)))
            for name in ("real", "imag")
        ]
        for v in (x, w)
    )
    rr, ii, ri, ir = (
        _emit_conv(emit, a, b, part, **p) for a, b in ((xr, wr), (xi, wi), (xr, wi), (xi, wr))
    )
    real = emit.op("stablehlo.subtract", rr, ii, type=part)
    return emit.op("stablehlo.complex", real, emit.op("stablehlo.add", ri, ir, type=part))


# XLA on CPU takes 10 to 500 times as long for batch groups as for feature groups, of which it makes
# masks. The gradient of a depthwise kernel, with one example and one result per group, it does know.


def _emit_grouped(emit: Any, x: Any, x_layout: Ints, batch_groups: int) -> Any:
    """`x` with its batch groups turned into feature groups."""
    (batch, features), shape = x_layout[:2], list(x.type.shape)
    split = [*shape[:batch], batch_groups, shape[batch] // batch_groups, *shape[batch + 1 :]]
    order = [i for i in range(len(split)) if i != batch]
    order.insert(features, batch)
    shape[batch], shape[features] = shape[batch] // batch_groups, shape[features] * batch_groups
    x = emit.op("stablehlo.reshape", x, type=ArrayType(tuple(split), x.type.dtype))
    x = emit.op(
        "stablehlo.transpose", x, type=ArrayType(tuple([split[i] for i in order]), x.type.dtype),
        attrs=f"permutation = {emit.integers(order)}",
    )  # fmt: skip
    return emit.op("stablehlo.reshape", x, type=ArrayType(tuple(shape), x.type.dtype))


# XLA on CPU takes 10 to 80 times as long as the sum of products of shifted arrays with one weight each.


def _is_depthwise(
    x: ArrayType,
    w: ArrayType,
    *,
    groups: int,
    x_layout: Ints,
    w_layout: Ints,
    out_layout: Ints,
    **p: Any,
) -> bool:
    """Whether each feature has a small kernel of its own."""
    features, out = x.shape[x_layout[1]], w.shape[w_layout[0]]
    small = math.prod(_pick(w.shape, w_layout[2:])) <= WRITTEN_OUT
    return groups == features == out > 1 and x_layout == out_layout and small


def _emit_depthwise(
    emit: Any, x: Any, w: Any, *, strides: Ints, padding: Pairs, x_dilation: Ints, w_dilation: Ints,
    x_layout: Ints, w_layout: Ints, **p: Any,
) -> Any:  # fmt: skip
    dtype, features = emit.type.dtype, w.type.shape[w_layout[0]]
    x, w = (emit_widened(emit, v, dtype) for v in (x, w))
    window = _pick(w.type.shape, w_layout[2:])
    # Elements of a window are counted in the order of the axes of `x`.
    spatial = [a for _, a in sorted(zip(x_layout[2:], w_layout[2:], strict=True))]
    order = (*spatial, *w_layout[:2])
    w = emit.op(
        "stablehlo.transpose", w, type=w.type.with_shape(_pick(w.type.shape, order)),
        attrs=f"permutation = {emit.integers(order)}",
    )  # fmt: skip
    w = emit.op("stablehlo.reshape", w, type=w.type.with_shape((math.prod(window), features)))
    windows = Windows(window, strides, padding, x_dilation, w_dilation).over(x_layout[2:])
    padded = emit_pad_for(emit, x, 0, windows)
    views, out = Views(emit, windows, emit.type.shape), ArrayType(emit.type.shape, x.type.dtype)

    def step(k: int, *total: Any) -> list[Any]:
        weight = emit_slice(emit, w, (k, 0), (k + 1, features), (1, 1))
        weight = emit.op("stablehlo.reshape", weight, type=w.type.with_shape((features,)))
        weight = emit.broadcast(weight, out.shape, (x_layout[1],))
        term = emit.op("stablehlo.multiply", views.read(k, padded), weight, type=out)
        return [emit.op("stablehlo.add", *total, term, type=out) if total else term]

    return emit_narrowed(emit, views.fold(0, [], step)[0])


def _part_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if dtype == np.complex64 else np.float64)


def _emit_conv(
    emit: Any, x: Any, w: Any, out: ArrayType, *, strides: Ints, padding: Pairs, x_dilation: Ints,
    w_dilation: Ints, x_layout: Ints, w_layout: Ints, out_layout: Ints, groups: int,
    batch_groups: int, preferred: Any, precision: Any,
) -> Any:  # fmt: skip
    def order(layout: Ints, first: str, second: str) -> str:
        words = [first, second, *map(str, range(len(layout) - 2))]
        return f"[{', '.join([words[layout.index(i)] for i in range(len(layout))])}]"

    layouts = (
        f"{order(x_layout, 'b', 'f')}x{order(w_layout, 'o', 'i')}->{order(out_layout, 'b', 'f')}"
    )
    level = f"#stablehlo<precision {(precision or 'default').upper()}>"
    return emit.op(
        "stablehlo.convolution", x, w, type=out,
        attrs=f"dimension_numbers = #stablehlo.conv<{layouts}>, "
        f"window_strides = {emit.integers(strides)}, padding = {emit.matrix(padding)}, "
        f"lhs_dilation = {emit.integers(x_dilation)}, rhs_dilation = {emit.integers(w_dilation)}, "
        f"feature_group_count = {groups} : i64, batch_group_count = {batch_groups} : i64, "
        f"precision_config = [{level}, {level}]",
    )  # fmt: skip


conv_p = Primitive(
    name="conv", type=_conv_type, transpose=_conv_transpose, batch=_conv_batch, lower=_conv_lower,
    jvp=(
        lambda t, out, x, w, **p: conv(t, w, **p),
        lambda t, out, x, w, **p: conv(x, t, **p),
    ),
)  # fmt: skip
