"""Ranks, most frequent numbers, and errors of means."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, canonical_dtype, is_inexact
from fn.scipy._arguments import choose, inexact
from fn.xla import fused


class ModeResult(NamedTuple):
    """What `mode` returns.

    >>> import fn, fn.numpy as np
    >>> result = fn.scipy.stats.mode(np.array([1, 2, 2]))
    >>> int(result.mode), int(result.count)
    (2, 2)
    """

    mode: Any
    """The most frequent numbers."""
    count: Any
    """How often they occur."""


def _no_values(name: str, nan_policy: str) -> None:
    choose(name, "nan_policy", nan_policy, "propagate", "omit", "raise")
    if nan_policy != "propagate":
        raise ArgumentError(
            f"{name}: nan_policy={nan_policy!r} depends on the values", expected="'propagate'",
            got=repr(nan_policy), fix="look for NaNs beforehand: fn.numpy.isnan(a).any()",
        )  # fmt: skip


def _starts(ordered: Any) -> Any:
    """Where a run of equal numbers starts, along the last axis; NaNs are equal."""
    before, after = ordered[..., :-1], ordered[..., 1:]
    differ = before != after
    if is_inexact(ordered.dtype):
        differ = differ & ~(np.isnan(before) & np.isnan(after))
    return np.concatenate([np.ones((*ordered.shape[:-1], 1), bool), differ], axis=-1)


def _run(ordered: Any) -> tuple[Any, Any]:
    """The first and the last place of the run that each number belongs to, along the last axis."""
    last = ordered.ndim - 1
    starts = _starts(ordered)
    n = ordered.shape[-1]
    place = np.broadcast_to(np.arange(n), ordered.shape)
    first = ops.cummax(np.where(starts, place, 0), axis=last)
    ends = np.concatenate([starts[..., 1:], np.ones((*ordered.shape[:-1], 1), bool)], axis=-1)
    return first, ops.cummin(np.where(ends, place, n - 1), axis=last, reverse=True)


@fused("axis", "nan_policy", "keepdims")
def mode(
    a: Any, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False
) -> ModeResult:
    """The most frequent number along an axis, the smallest of several, and how often it occurs.

    Args:
        a: array.
        axis: the axis; None is all elements.
        nan_policy: "propagate": NaNs count as equal numbers.
        keepdims: keep the axis, with size 1.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> [int(v) for v in stats.mode(np.array([3, 1, 1, 3, 2]))]
    [1, 2]
    """
    _no_values("mode", nan_policy)
    x = np.atleast_1d(a)
    if axis is None:
        kept: tuple[int, ...] = (1,) * x.ndim
        x = x.reshape(-1)
    else:
        x = np.moveaxis(x, axis, -1)
        kept = tuple(numpy.insert(x.shape[:-1], axis % x.ndim, 1))
    shape = kept if keepdims else x.shape[:-1]
    if x.shape[-1] == 0:
        floats = canonical_dtype(float)
        return ModeResult(np.full(shape, numpy.nan, floats), np.zeros(shape, floats))
    ordered = np.sort(x, axis=-1)
    first, last = _run(ordered)
    count = last - first + 1
    best = np.argmax(count, axis=-1, keepdims=True)
    found = np.take_along_axis(ordered, best, axis=-1)
    return ModeResult(found.reshape(shape), np.max(count, axis=-1).reshape(shape))


@fused("method", "axis", "nan_policy")
def rankdata(
    a: Any, method: str = "average", *, axis: int | None = None, nan_policy: str = "propagate"
) -> Any:
    """Ranks from 1 up, along an axis; all NaN where there is a NaN.

    Args:
        a: array.
        method: of equal numbers: "average", "min" or "max" of their ranks, "dense" (no ranks left out
            after them), or "ordinal" (in order of appearance).
        axis: the axis; None ranks all elements, and gives a vector.
        nan_policy: "propagate".

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> stats.rankdata(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _no_values("rankdata", nan_policy)
    choose("rankdata", "method", method, "average", "min", "max", "dense", "ordinal")
    x = np.asarray(a)
    x = x.reshape(-1) if axis is None else np.moveaxis(np.atleast_1d(x), axis, -1)
    order = np.argsort(x, axis=-1)
    ordered, place = np.take_along_axis(x, order, axis=-1), np.argsort(order, axis=-1)
    if method == "ordinal":
        rank = place + 1
    elif method == "dense":
        rank = np.take_along_axis(np.cumsum(_starts(ordered), axis=-1), place, axis=-1)
    else:
        first, last = (np.take_along_axis(v, place, axis=-1) for v in _run(ordered))
        rank = {"min": first + 1, "max": last + 1, "average": (first + last + 2) / 2}[method]
    rank = np.astype(rank, canonical_dtype(float))
    if is_inexact(x.dtype):
        rank = np.where(np.any(np.isnan(x), axis=-1, keepdims=True), numpy.nan, rank)
    return rank if axis is None else np.moveaxis(rank, -1, axis)


@fused("axis", "ddof", "nan_policy", "keepdims")
def sem(
    a: Any,
    axis: int | None = 0,
    ddof: int = 1,
    nan_policy: str = "propagate",
    *,
    keepdims: bool = False,
) -> Any:
    """The standard error of the mean along an axis.

    Args:
        a: array.
        axis: the axis; None is all elements.
        ddof: degrees of freedom lost to the mean.
        nan_policy: "propagate", or "omit" to leave NaNs out.
        keepdims: keep the axis, with size 1.

    >>> from fn.scipy import stats
    >>> import fn.numpy as np
    >>> round(float(stats.sem(np.array([1.0, 2.0, 3.0]))), 4)
    0.5774
    """
    choose("sem", "nan_policy", nan_policy, "propagate", "omit")
    (x,) = inexact("sem", a)
    if nan_policy == "omit":
        count = np.astype(np.sum(~np.isnan(x), axis=axis, keepdims=keepdims), x.dtype)
        return np.nanstd(x, axis=axis, ddof=ddof, keepdims=keepdims) / np.sqrt(count)
    size = numpy.size(x) if axis is None else numpy.shape(x)[axis]
    return np.std(x, axis=axis, ddof=ddof, keepdims=keepdims) / size**0.5
