"""Padding: elements added before and after along each axis."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_inexact
from fn.numpy._arithmetic import multiply, subtract
from fn.numpy._functional import apply_along_axis
from fn.numpy._habits import public
from fn.numpy._indexing import read
from fn.numpy._promotion import array as operand
from fn.numpy._promotion import cast, one_axis, stretch
from fn.numpy._quantiles import median
from fn.numpy._reductions import max as reduce_max
from fn.numpy._reductions import mean
from fn.numpy._reductions import min as reduce_min


@public
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """`array` with elements added before and after along each axis.

    Args:
        array: array.
        pad_width: how many: `n`, `(before, after)`, one such pair for each axis, or a dict from axes to
            such numbers or pairs.
        mode: "constant", "edge" (the last element), "reflect" (mirrored, without the last element),
            "symmetric" (mirrored, with it), "wrap" (from the other end), "linear_ramp" (a slope to the
            end values), "maximum", "mean", "median", "minimum" (of the elements at the end), "empty"
            (zeros), or a function of a padded line, its widths, its axis and `kwargs`.
        kwargs: `constant_values` for "constant", `end_values` for "linear_ramp": one value or pairs as
            for `pad_width`; `stat_length` for the statistics: how many elements they are of;
            `reflect_type` for "reflect" and "symmetric": "even", or "odd" to mirror differences.

    >>> import fn.numpy as np
    >>> print(np.pad(np.array([1, 2, 3]), (1, 2), "reflect"))
    [2 1 2 3 2 1]
    """
    x = operand("pad", array)
    if isinstance(pad_width, dict):
        given = {one_axis("pad", k, x.ndim): v for k, v in pad_width.items()}
        pad_width = [_pairs("pad_width", given.get(i, 0), 1)[0] for i in range(x.ndim)]
    widths = [(int(a), int(b)) for a, b in _pairs("pad_width", pad_width, x.ndim)]
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError(
            "pad: a width is negative", expected="integers >= 0", got=str(pad_width)
        )
    known = set(_OPTIONS.get(mode, ())) if isinstance(mode, str) else set(kwargs)
    if isinstance(mode, str) and mode not in _OPTIONS:
        raise ArgumentError("pad: unknown mode", expected=", ".join(_OPTIONS), got=repr(mode))
    if not set(kwargs) <= known:
        raise ArgumentError(
            f"pad: mode {mode!r} takes no such option", expected=", ".join(known) or "none",
            got=", ".join(kwargs),
        )  # fmt: skip
    if mode in ("constant", "empty"):
        return _pad_constant(x, widths, kwargs.get("constant_values", 0))
    if callable(mode):
        return _pad_by(x, widths, mode, kwargs)
    for axis, (low, high) in enumerate(widths):
        if low or high:
            x = _pad_axis(x, low, high, axis, mode, kwargs)
    return x


_STATISTICS: dict[str, Any] = {
    "maximum": reduce_max,
    "minimum": reduce_min,
    "mean": mean,
    "median": median,
}
_OPTIONS: dict[str, tuple[str, ...]] = {
    "constant": ("constant_values",), "edge": (), "reflect": ("reflect_type",), "wrap": (), "empty": (),
    "symmetric": ("reflect_type",), "linear_ramp": ("end_values",),
    **{name: ("stat_length",) for name in _STATISTICS},
}  # fmt: skip


def _pad_by(x: Any, widths: list[tuple[int, int]], function: Any, kwargs: dict[str, Any]) -> Any:
    """Each line along each axis as a function makes it."""
    x = _pad_constant(x, widths, 0)
    for axis, pair in enumerate(widths):
        x = apply_along_axis(function, axis, x, pair, axis, kwargs)
    return x


def _pairs(argument: str, given: Any, ndim: int) -> list[tuple[Any, Any]]:
    """One pair per axis, from one number, one pair, or a pair per axis."""
    rows = given if isinstance(given, (list, tuple)) else [given]
    if isinstance(given, numpy.ndarray):
        rows = given.tolist() if given.ndim else [given.item()]
    nested = [list(r) if isinstance(r, (list, tuple)) else r for r in rows]
    if all(not isinstance(r, list) for r in nested):
        if len(nested) <= 2:
            return [(nested[0], nested[-1])] * ndim
    elif all(isinstance(r, list) and 1 <= len(r) <= 2 for r in nested) and len(nested) in (1, ndim):
        pairs = [(r[0], r[-1]) for r in nested]
        return pairs * ndim if len(pairs) == 1 else pairs
    raise ArgumentError(
        f"pad: {argument} does not fit",
        expected=f"a number, a pair, or {ndim} pairs",
        got=str(given),
    )


def _pad_constant(x: Any, widths: list[tuple[int, int]], values: Any) -> Any:
    low, high = tuple([int(a) for a, _ in widths]), tuple([int(b) for _, b in widths])
    if isinstance(values, (bool, int, float, complex)):
        # The fill value in the array's own dtype: 1.5 pads integers with 1.
        fill = numpy.asarray(values).astype(x.dtype).item()
        return ops.pad(x, value=fill, low=low, high=high)
    for axis, (before, after) in enumerate(_pairs("constant_values", values, x.ndim)):
        parts = []
        for value, width in ((before, low[axis]), (None, None), (after, high[axis])):
            if width is None:
                parts.append(x)
            elif width:
                shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
                filling = ops.convert(operand("pad", value), dtype=x.dtype)
                parts.append(ops.full(filling, shape))
        x = ops.concatenate(*parts, axis=axis)
    return x


def _mirrored(with_edge: bool) -> Any:
    def source(places: Any, n: int) -> Any:
        if n == 1 and not with_edge:
            return numpy.zeros_like(places)
        period = 2 * n if with_edge else 2 * (n - 1)
        places = places % period
        return numpy.where(places < n, places, period - places - (1 if with_edge else 0))

    return source


# For each mode, which place of an axis of size n stands at the given places outside it.
_SOURCES = {
    "edge": lambda places, n: numpy.clip(places, 0, n - 1),
    "wrap": lambda places, n: places % n,
    "reflect": _mirrored(False),
    "symmetric": _mirrored(True),
}


def _pad_axis(x: Any, low: int, high: int, axis: int, mode: str, options: dict[str, Any]) -> Any:
    n = x.shape[axis]
    if n == 0:
        raise ArgumentError(
            f"pad: mode {mode!r} has nothing to repeat",
            expected="an axis that is not empty",
            got=f"shape {x.shape}",
        )
    ends: tuple[Any, Any]
    if mode in _STATISTICS:
        ends = _statistics(x, low, high, axis, mode, options.get("stat_length"))
    elif mode == "linear_ramp":
        values = _pairs("end_values", options.get("end_values", 0), x.ndim)[axis]
        ends = _ramp(x, values[0], low, axis, 0), _ramp(x, values[1], high, axis, n - 1)
    else:
        source = _SOURCES[mode]
        before, after = numpy.arange(-low, 0), numpy.arange(n, n + high)
        ends = _borrowed(x, source(before, n), axis), _borrowed(x, source(after, n), axis)
        if options.get("reflect_type", "even") == "odd" and n > 1:
            return _pad_odd(x, low, high, axis, mode)
    parts = [ends[0]] * (low > 0) + [x] + [ends[1]] * (high > 0)
    return ops.concatenate(*parts, axis=axis)


def _pad_odd(x: Any, low: int, high: int, axis: int, mode: str) -> Any:
    """Mirrored differences: what is beyond an end is as far above it as its mirror image is below."""
    with_edge = mode == "symmetric"
    while low or high:
        n = x.shape[axis]
        most = n if with_edge else n - 1
        a, b = min(low, most), min(high, most)
        first, last = ops.slice_axis(x, 0, 1, axis), ops.slice_axis(x, n - 1, n, axis)
        skip = 0 if with_edge else 1
        parts = [x]
        if a:
            mirror = ops.reverse(ops.slice_axis(x, skip, skip + a, axis), axes=(axis,))
            parts.insert(0, subtract(multiply(first, 2), mirror))
        if b:
            mirror = ops.reverse(ops.slice_axis(x, n - skip - b, n - skip, axis), axes=(axis,))
            parts.append(subtract(multiply(last, 2), mirror))
        x = ops.concatenate(*parts, axis=axis)
        low, high = low - a, high - b
    return x


def _statistics(x: Any, low: int, high: int, axis: int, mode: str, lengths: Any) -> tuple[Any, Any]:
    n = x.shape[axis]
    pair = (n, n) if lengths is None else _pairs("stat_length", lengths, x.ndim)[axis]
    out = []
    for width, length, at_front in ((low, pair[0], True), (high, pair[1], False)):
        size = min(int(length), n)
        if size < 1:
            raise ArgumentError(
                "pad: stat_length is not positive", expected=">= 1", got=str(length)
            )
        near = (
            ops.slice_axis(x, 0, size, axis) if at_front else ops.slice_axis(x, n - size, n, axis)
        )
        value = _STATISTICS[mode](near, axis=axis, keepdims=True)
        if value.dtype != x.dtype:
            value = ops.convert(ops.round(value), dtype=x.dtype)
        out.append(stretch(value, value.shape, (*x.shape[:axis], width, *x.shape[axis + 1 :])))
    return out[0], out[1]


def _ramp(x: Any, end: Any, width: int, axis: int, edge: int) -> Any:
    """Equal steps from the element at an edge to the value at the end."""
    kind = x.dtype if is_inexact(x.dtype) else numpy.dtype(numpy.float32)
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    last = ops.convert(ops.slice_axis(x, edge, edge + 1, axis), dtype=kind)
    share = numpy.arange(1, width + 1) / max(width, 1)
    steps = numpy.asarray(share[::-1] if edge == 0 else share).astype(kind)
    steps = ops.broadcast(operand("pad", steps), shape=shape, axes=(axis,))
    rise = subtract(cast(operand("pad", end), kind), last)
    last, rise = [stretch(v, v.shape, shape) for v in (last, rise)]
    out = ops.add(last, ops.mul(rise, steps))
    return out if kind == x.dtype else ops.convert(ops.floor(out), dtype=x.dtype)


def _borrowed(x: Any, places: Any, axis: int) -> Any:
    """The elements at known places along an axis: a slice or a repeated element where they are one."""
    if not len(places):
        return x
    steps = set(numpy.diff(places).tolist())
    first, last = int(places[0]), int(places[-1])
    if len(places) == 1 or steps == {1}:
        return ops.slice_axis(x, first, last + 1, axis)
    if steps == {-1}:
        return ops.reverse(ops.slice_axis(x, last, first + 1, axis), axes=(axis,))
    if steps == {0}:
        one = ops.slice_axis(x, first, first + 1, axis)
        return stretch(one, one.shape, (*x.shape[:axis], len(places), *x.shape[axis + 1 :]))
    return read("pad", x, (*[slice(None)] * axis, places))
