"""Padding: elements added before and after along each axis."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError
from fn.numpy._habits import public
from fn.numpy._indexing import read
from fn.numpy._promotion import array, stretch


@public
def pad(x: Any, pad_width: Any, mode: str = "constant", *, kwargs: Any = 0) -> Any:
    """`x` with elements added before and after along each axis.

    Args:
        x: array.
        pad_width: how many: `n`, `(before, after)`, or one such pair for each axis.
        mode: "constant", "edge" (the last element), "reflect" (mirrored, without the last element),
            "symmetric" (mirrored, with it) or "wrap" (from the other end).
        kwargs: what to add in mode "constant", one value or pairs as for `pad_width`.

    >>> import fn.numpy as np
    >>> print(np.pad(np.array([1, 2, 3]), (1, 2), "reflect"))
    [2 1 2 3 2 1]
    """
    x = array("pad", x)
    widths = _pairs("pad_width", pad_width, x.ndim)
    if any(int(n) < 0 for pair in widths for n in pair):
        raise ArgumentError(
            "pad: a width is negative", expected="integers >= 0", got=str(pad_width)
        )
    if mode == "constant":
        return _pad_constant(x, widths, kwargs)
    if mode not in _SOURCES:
        raise ArgumentError(
            "pad: unknown mode", expected=", ".join(["constant", *_SOURCES]), got=repr(mode)
        )
    for axis, (low, high) in enumerate(widths):
        if low or high:
            x = _pad_axis(x, int(low), int(high), axis, mode)
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


def _pad_constant(x: Any, widths: list[tuple[Any, Any]], values: Any) -> Any:
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
                filling = ops.convert(array("pad", value), dtype=x.dtype)
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


def _pad_axis(x: Any, low: int, high: int, axis: int, mode: str) -> Any:
    n = x.shape[axis]
    if n == 0:
        raise ArgumentError(
            f"pad: mode {mode!r} has nothing to repeat",
            expected="an axis that is not empty",
            got=f"shape {x.shape}",
        )
    parts = [x]
    if low:
        parts.insert(0, _borrowed(x, _SOURCES[mode](numpy.arange(-low, 0), n), axis))
    if high:
        parts.append(_borrowed(x, _SOURCES[mode](numpy.arange(n, n + high), n), axis))
    return ops.concatenate(*parts, axis=axis)


def _borrowed(x: Any, places: Any, axis: int) -> Any:
    """The elements at known places along an axis: a slice or a repeated element where they are one."""
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
