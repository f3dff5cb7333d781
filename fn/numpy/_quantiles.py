"""Medians, percentiles and quantiles, by each of JAX's methods, with and without NaN."""

from __future__ import annotations

from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex
from fn.numpy._arithmetic import divide
from fn.numpy._elementwise import isnan
from fn.numpy._habits import fused
from fn.numpy._indexing import take_along_axis
from fn.numpy._manipulation import broadcast_to
from fn.numpy._promotion import Axis, array, like, literal, some_axes, stretch
from fn.numpy._reductions import all as reduce_all
from fn.numpy._reductions import any as reduce_any
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._rows import as_floating
from fn.numpy._sorting import sort

METHODS = (
    "linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf", "averaged_inverted_cdf",
    "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased",
    "normal_unbiased",
)  # fmt: skip
_CONTINUOUS = {  # where between the samples a quantile lies, by Hyndman and Fan's two parameters
    "linear": (1.0, 1.0), "interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0), "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip


def _joined(name: str, x: Any, axis: Axis) -> tuple[Any, tuple[int, ...]]:
    """The axes to reduce as one last axis."""
    axes = some_axes(name, axis, x.ndim)
    rest = tuple([i for i in range(x.ndim) if i not in axes])
    turned = ops.transpose(x, permutation=(*rest, *axes))
    shape = tuple([x.shape[i] for i in rest])
    return ops.reshape(
        turned, shape=(*shape, x.size // max(1, numpy.prod(shape, dtype=int).item()))
    ), axes


def _quantile(
    name: str,
    a: Any,
    q: Any,
    axis: Axis,
    method: str,
    keepdims: bool,
    skip_nan: bool,
    weights: Any = None,
) -> Any:
    x = as_floating(name, array(name, a))
    if is_complex(x.dtype):
        raise ArgumentError(
            f"{name}: complex numbers have no order", expected="real numbers", got=str(x.dtype)
        )
    if method not in METHODS:
        raise ArgumentError(
            f"{name}: unknown method", expected=", ".join(METHODS), got=repr(method)
        )
    q = array(name, q, 1)
    if q.ndim > 1:
        raise ArgumentError(f"{name}: q has several axes", expected="one at most", got=str(q.shape))
    target = x.dtype
    if target.itemsize < 4:
        x = ops.convert(x, dtype=numpy.float32)
    q = ops.convert(q, dtype=x.dtype)
    joined, axes = _joined(name, x, axis)
    last = joined.ndim - 1
    n = joined.shape[last]
    if not n:
        raise ArgumentError(
            f"{name}: nothing to sort", expected="an axis that is not empty", got=str(x.shape)
        )
    missing = isnan(joined)
    if weights is not None:
        return _weighted(name, x, joined, missing, q, weights, axes, (method, keepdims, skip_nan))
    ranked = sort(joined)
    if skip_nan:
        count = ops.convert(reduce_sum(ops.logical_not(missing), -1), dtype=x.dtype)
    else:
        count = ops.full(literal(n, x.dtype), joined.shape[:-1])
    shape = (*q.shape, *count.shape)
    spread_q = ops.broadcast(q, shape=shape, axes=tuple(range(q.ndim)))
    count = ops.broadcast(count, shape=shape, axes=tuple(range(q.ndim, len(shape))))
    low, high, share = _position(method, spread_q, count)
    picked = []
    for place in (low, high):
        place = ops.maximum(ops.minimum(place, ops.sub(count, 1.0)), literal(0, x.dtype))
        index = ops.convert(place, dtype=numpy.int32)
        # q goes last for a moment, so that all quantiles are picked from one sorted array.
        index = ops.expand(index, (len(shape),)) if not q.ndim else ops.move_axis(index, 0, last)
        picked.append(take_along_axis(ranked, index, -1, mode="clip"))
    share = ops.expand(share, (len(shape),)) if not q.ndim else ops.move_axis(share, 0, last)
    out = _between(picked[0], picked[1], share)
    gone = reduce_all(missing, -1, True) if skip_nan else reduce_any(missing, -1, True)
    out = _laid_out(out, gone, q, axes, keepdims)
    return ops.convert(out, dtype=target) if out.dtype != target else out


def _laid_out(out: Any, gone: Any, q: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """NaN where there is no quantile; the axis of `q` first."""
    last = out.ndim - 1
    gone = ops.broadcast(
        ops.reshape(gone, shape=gone.shape[:-1]), shape=out.shape, axes=tuple(range(last))
    )
    out = ops.move_axis(ops.select(gone, like(numpy.nan, out), out), last, 0)
    out = out if q.ndim else ops.reshape(out, shape=out.shape[1:])
    return ops.expand(out, tuple([i + q.ndim for i in axes])) if keepdims else out


def _weighted(
    name: str, x: Any, joined: Any, missing: Any, q: Any, weights: Any, axes: tuple[int, ...],
    how: tuple[str, bool, bool],
) -> Any:  # fmt: skip
    """The first element up to which the weights make up the share `q`."""
    method, keepdims, skip_nan = how
    if method != "inverted_cdf":
        raise ArgumentError(
            f"{name}: weights go with one method only",
            expected="method='inverted_cdf'",
            got=repr(method),
        )
    w = ops.convert(array(name, weights, "weights"), dtype=joined.dtype)
    if w.ndim == 1 and x.ndim > 1 and len(axes) == 1:
        w = ops.reshape(w, shape=(w.size, *[1] * (x.ndim - 1 - axes[0])))
    w = _joined(name, broadcast_to(w, x.shape), axes)[0]
    w = ops.select(missing, literal(0, w.dtype), w) if skip_nan else w
    last = joined.ndim - 1
    ranked, w = ops.sort(joined, w, axis=last, keys=1, stable=True)
    reached = ops.cumsum(w, axis=last)
    total = ops.slice_axis(reached, reached.shape[last] - 1, reached.shape[last], last)
    wanted = ops.mul(
        stretch(total, total.shape, (*total.shape[:-1], max(q.size, 1))),
        ops.broadcast(
            ops.reshape(q, shape=(max(q.size, 1),)), shape=(*total.shape[:-1], max(q.size, 1)), axes=(last,)
        ),
    )  # fmt: skip
    cube = (*wanted.shape, reached.shape[last])
    short = ops.lt(
        ops.broadcast(reached, shape=cube, axes=(*range(last), last + 1)),
        ops.broadcast(wanted, shape=cube, axes=tuple(range(last + 1))),
    )
    index = ops.reduce_sum(ops.convert(short, dtype=numpy.int32), axes=(last + 1,))
    gone = reduce_all(missing, -1, True) if skip_nan else reduce_any(missing, -1, True)
    out = take_along_axis(ranked, index, -1, mode="clip")
    return _laid_out(out, gone, q, axes, keepdims)


def _between(low: Any, high: Any, share: Any) -> Any:
    """Equal neighbours, infinite ones too, give themselves."""
    same = ops.eq(low, high)
    safe_low, safe_high = [ops.select(same, literal(0, low.dtype), v) for v in (low, high)]
    one = literal(1, low.dtype)
    exact_low, exact_high = ops.eq(share, literal(0, low.dtype)), ops.eq(share, one)
    mixed = ops.add(ops.mul(safe_low, ops.sub(one, share)), ops.mul(safe_high, share))
    mixed = ops.select(exact_low, low, ops.select(exact_high, high, mixed))
    return ops.select(same, low, mixed)


def _position(method: str, q: Any, n: Any) -> tuple[Any, Any, Any]:
    """The two neighbours of a quantile among `n` sorted samples, and how far it is from the first."""
    zero, half = literal(0, q.dtype), literal(0.5, q.dtype)
    last = ops.mul(q, ops.sub(n, 1.0))
    if method in _CONTINUOUS:
        alpha, beta = _CONTINUOUS[method]
        if method == "linear":
            place = last
        else:
            place = ops.add(ops.mul(q, n), ops.add(ops.mul(q, 1.0 - alpha - beta), alpha - 1.0))
        place = ops.maximum(ops.minimum(place, ops.sub(n, 1.0)), zero)
        low = ops.floor(place)
        return low, ops.add(low, 1.0), ops.sub(place, low)
    if method in ("lower", "higher", "midpoint", "nearest"):
        low, high = ops.floor(last), ops.ceil(last)
        if method == "lower":
            return low, low, ops.full(zero, q.shape)
        if method == "higher":
            return high, high, ops.full(zero, q.shape)
        if method == "midpoint":
            return low, high, ops.full(half, q.shape)
        near = ops.select(ops.le(ops.sub(last, low), half), low, high)
        return near, near, ops.full(zero, q.shape)
    # The rest are steps: the k-th sample for q from (k - 1)/n to k/n.
    place = ops.sub(ops.mul(q, n), 1.0)
    if method == "closest_observation":
        near = ops.sub(ops.ceil(ops.sub(ops.mul(q, n), 0.5)), 1.0)
        tie = ops.eq(ops.sub(ops.mul(q, n), 0.5), ops.floor(ops.sub(ops.mul(q, n), 0.5)))
        odd = ops.eq(ops.rem(near, literal(2, q.dtype)), zero)
        near = ops.select(ops.logical_and(tie, odd), ops.add(near, 1.0), near)
        return near, near, ops.full(zero, q.shape)
    low = ops.floor(place)
    exact = ops.eq(place, low)
    high = ops.add(low, 1.0)
    if method == "inverted_cdf":
        return low, high, ops.select(exact, zero, literal(1, q.dtype))
    return low, high, ops.select(exact, half, literal(1, q.dtype))  # averaged_inverted_cdf


@fused
def quantile(
    a: Any, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:  # fmt: skip
    """The value below which a share `q` of the elements lies; NaN if any is.

    Args:
        a: array of real numbers.
        q: shares from 0 to 1, a scalar or of one axis, which comes first in the result.
        axis: an axis, several, or None for all.
        overwrite_input: accepted for NumPy's sake; arrays never change.
        method: what to give between two elements: "linear", "lower", "higher", "midpoint", "nearest",
            or one of NumPy's others.
        keepdims: keep the axes, with size 1.
        weights: how much each element counts; with method "inverted_cdf" only.

    >>> import fn.numpy as np
    >>> print(np.quantile(np.array([1., 2., 4.]), np.array([0.5, 0.75])))
    [2. 3.]
    """
    return _quantile("quantile", a, q, axis, method, keepdims, False, weights)


@fused
def nanquantile(
    a: Any, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:  # fmt: skip
    """`quantile` of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanquantile(np.array([1., np.nan, 4.]), 0.5))
    2.5
    """
    return _quantile("nanquantile", a, q, axis, method, keepdims, True, weights)


@fused
def percentile(
    a: Any, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:  # fmt: skip
    """`quantile` with `q` from 0 to 100.

    >>> import fn.numpy as np
    >>> print(np.percentile(np.array([1., 2., 4.]), 75))
    3.0
    """
    return _quantile("percentile", a, divide(q, 100), axis, method, keepdims, False, weights)


@fused
def nanpercentile(
    a: Any, q: Any, axis: Axis = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False,
    *,
    weights: Any = None,
) -> Any:  # fmt: skip
    """`percentile` of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanpercentile(np.array([1., np.nan, 4.]), 50))
    2.5
    """
    return _quantile("nanpercentile", a, divide(q, 100), axis, method, keepdims, True, weights)


@fused
def median(a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """The element in the middle of the sorted ones, or the mean of the two there; NaN if any is.

    Args:
        a: array of real numbers.
        axis: an axis, several, or None for all.
        overwrite_input: accepted for NumPy's sake; arrays never change.
        keepdims: keep the axes, with size 1.

    >>> import fn.numpy as np
    >>> print(np.median(np.array([1., 2., 4., 8.])))
    3.0
    """
    return _quantile("median", a, 0.5, axis, "midpoint", keepdims, False)


@fused
def nanmedian(
    a: Any, axis: Axis = None, overwrite_input: bool = False, keepdims: bool = False
) -> Any:
    """`median` of what is not NaN.

    >>> import fn.numpy as np
    >>> print(np.nanmedian(np.array([1., np.nan, 4.])))
    2.5
    """
    return _quantile("nanmedian", a, 0.5, axis, "midpoint", keepdims, True)
