"""Differences, slopes, areas and interpolation of samples."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, is_complex, is_inexact, type_of
from fn.numpy._arithmetic import divide, multiply, remainder, subtract
from fn.numpy._habits import fused, public
from fn.numpy._indexing import take
from fn.numpy._joining import concatenate
from fn.numpy._promotion import (
    Axis,
    array,
    cast,
    check_dtype,
    literal,
    match,
    one_axis,
    promote,
    some_axes,
    spread,
)
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._rows import as_floating
from fn.numpy._searching import where
from fn.numpy._sorting import searchsorted

_BOOL = numpy.dtype(bool)


def part(x: Any, start: int | None, stop: int | None, axis: int) -> Any:
    """`x[start:stop]` along an axis."""
    first, last, _ = slice(start, stop).indices(x.shape[axis])
    return ops.slice_axis(x, first, builtins.max(first, last), axis)


# --- differences ------------------------------------------------------------------------


@fused
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis, `n` times over; of booleans, whether they differ.

    Args:
        a: array.
        n: how many times.
        axis: the axis.
        prepend, append: elements to put in front and behind first; scalars count as one element.

    >>> import fn.numpy as np
    >>> print(np.diff(np.array([1, 4, 9])))
    [3 5]
    """
    if n < 0:
        raise ArgumentError("diff: n is negative", expected="an integer >= 0", got=str(n))
    x = array("diff", a)
    if x.ndim == 0:
        raise ArgumentError("diff: a scalar has no neighbours", expected="an axis", got="a scalar")
    place = one_axis("diff", axis, x.ndim)
    if n == 0:
        return x
    pieces = [x]
    for extra, at in ((prepend, 0), (append, 2)):
        if extra is not None:
            found = array("diff", extra)
            if not found.shape:
                found = ops.full(found, (*x.shape[:place], 1, *x.shape[place + 1 :]))
            pieces.insert(at, found)
    x = concatenate(pieces, place) if len(pieces) > 1 else x
    for _ in range(n):
        later, earlier = part(x, 1, None, place), part(x, None, -1, place)
        x = ops.ne(later, earlier) if x.dtype == _BOOL else ops.sub(later, earlier)
    return x


@fused
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours in the flattened array, with elements put in front and behind.

    >>> import fn.numpy as np
    >>> print(np.ediff1d(np.array([1, 4, 9]), to_begin=0))
    [0 3 5]
    """
    x = array("ediff1d", ary)
    out = diff(ops.reshape(x, shape=(x.size,)))
    front, behind = [
        [] if e is None else [ops.reshape(v, shape=(v.size,))]
        for e, v in ((e, array("ediff1d", 0 if e is None else e)) for e in (to_begin, to_end))
    ]
    return concatenate([*[ops.convert(v, dtype=x.dtype) for v in front], out,
                        *[ops.convert(v, dtype=x.dtype) for v in behind]])  # fmt: skip


@fused
def gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: int | None = None) -> Any:
    """Slopes of sampled values: differences of the neighbours on both sides, of one at the ends.

    Args:
        f: samples on a grid.
        varargs: their distances: none (1), one scalar for all axes, or for each axis a scalar or
            the coordinates of the samples.
        axis: the axes to take slopes along; None for all.
        edge_order: 1 or 2, the order of accuracy at the ends.

    Returns:
        An array, or a list of them if there are several axes.

    >>> import fn.numpy as np
    >>> print(np.gradient(np.array([1., 4., 9., 16.])))
    [3. 4. 6. 7.]
    """
    x = as_floating("gradient", array("gradient", f))
    axes = some_axes("gradient", axis, x.ndim)
    steps: list[Any] = list(varargs) or [1.0]
    if len(steps) == 1:
        steps = steps * len(axes)
    if len(steps) != len(axes):
        raise ArgumentError(
            "gradient: the distances do not fit", expected=f"none, one, or {len(axes)} of them",
            got=str(len(varargs)),
        )  # fmt: skip
    order = 1 if edge_order is None else edge_order
    if order not in (1, 2) or any(x.shape[a] < order + 1 for a in axes):
        raise ArgumentError(
            "gradient: too few samples for slopes at the ends", got=f"shape {x.shape}, {edge_order=}",
            expected="edge_order 1 or 2, and more samples than that along each axis",
        )  # fmt: skip
    out = [_slopes(x, step, place, order) for step, place in zip(steps, axes, strict=True)]
    return out[0] if len(out) == 1 else out


def _slopes(x: Any, step: Any, axis: int, order: int) -> Any:
    n = x.shape[axis]
    coordinates = array("gradient", step)
    if coordinates.ndim:
        gaps = cast(diff(coordinates), x.dtype)
    else:
        gaps = ops.full(cast(coordinates, x.dtype), (n - 1,))
    shape = tuple([n - 1 if i == axis else 1 for i in range(x.ndim)])
    gaps = ops.reshape(gaps, shape=shape)
    rises = divide(diff(x, axis=axis), gaps)

    def mix(a: int | None, b: int | None, c: int | None, d: int | None, sign: float) -> Any:
        """Two neighbouring slopes weighted by each other's gaps: exact for parabolas."""
        left, right = part(gaps, a, b, axis), part(gaps, c, d, axis)
        near, far = part(rises, a, b, axis), part(rises, c, d, axis)
        whole = ops.add(left, right)
        if sign > 0:  # the slope in between
            top = ops.add(multiply(near, right), multiply(far, left))
        else:  # the slope at the outer end of the first gap
            top = ops.sub(multiply(near, ops.add(whole, left)), multiply(far, left))
        return divide(top, whole)

    inner = [mix(None, -1, 1, None, 1.0)] if n > 2 else []
    if order == 1:
        first, last = part(rises, 0, 1, axis), part(rises, n - 2, n - 1, axis)
    else:
        first = mix(0, 1, 1, 2, -1.0)
        last = mix(n - 2, n - 1, n - 3, n - 2, -1.0)
    return ops.concatenate(first, *inner, last, axis=axis)


@fused
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The area under samples joined by straight lines.

    Args:
        y: samples.
        x: their coordinates: of one axis, or of the shape of `y`.
        dx: their distance, if there are no coordinates.
        axis: the axis.

    >>> import fn.numpy as np
    >>> print(np.trapezoid(np.array([1., 2., 3.])))
    4.0
    """
    y = as_floating("trapezoid", array("trapezoid", y))
    place = one_axis("trapezoid", axis, y.ndim)
    gaps = dx
    if x is not None:
        x = array("trapezoid", x, 1)
        gaps = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            gaps = ops.reshape(gaps, shape=(*gaps.shape, *[1] * (y.ndim - 1 - place)))
    middles = multiply(ops.add(part(y, 1, None, place), part(y, None, -1, place)), 0.5)
    return reduce_sum(multiply(middles, gaps), place)


@public
def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Any:
    """Angles with whole periods added so that neighbours differ by half a period at most.

    Args:
        p: array.
        discont: only greater jumps are mended; half a period by default.
        axis: the axis.
        period: the period.

    >>> import fn.numpy as np
    >>> print(np.unwrap(np.array([0, 3, 6, 1]), period=8))
    [0 3 6 9]
    """
    x = array("unwrap", p)
    whole = is_inexact(x.dtype) or not isinstance(period, int)
    x = as_floating("unwrap", x) if whole else x
    place = one_axis("unwrap", axis, x.ndim)
    half = divide(period, 2) if whole else period // 2
    steps = diff(x, axis=place)
    rest = subtract(remainder(ops.add(*match("unwrap", steps, half)), period), half)
    at_edge = ops.logical_and(
        ops.eq(*match("unwrap", rest, ops.neg(half) if type_of(half) and hasattr(half, "dtype") else -half)),
        ops.gt(steps, literal(0, steps.dtype)),
    )  # fmt: skip
    rest = where(at_edge, half, rest)
    mended = ops.sub(*match("unwrap", rest, steps))
    limit = half if discont is None else discont
    mended = where(
        ops.lt(*match("unwrap", ops.abs(steps), limit)), literal(0, mended.dtype), mended
    )
    tail = ops.add(
        part(x, 1, None, place), ops.convert(ops.cumsum(mended, axis=place), dtype=x.dtype)
    )
    return ops.concatenate(part(x, 0, 1, place), tail, axis=place)


# --- interpolation ----------------------------------------------------------------------


@fused
def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Values between samples, on the straight lines that join them.

    Args:
        x: where to evaluate; any shape.
        xp: coordinates of the samples, rising (in any order if there is a period).
        fp: the samples.
        left, right: values outside; those of the first and last sample by default. "extrapolate"
            continues the outermost lines.
        period: length after which everything repeats.

    >>> import fn.numpy as np
    >>> print(np.interp(np.array([0.5, 3.]), np.array([0., 1., 2.]), np.array([0., 10., 0.])))
    [5. 0.]
    """
    xp, fp = array("interp", xp, 1), array("interp", fp, 2)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ArgumentError(
            "interp: the samples do not fit", expected="xp and fp of one axis and one size",
            got=f"shapes {xp.shape} and {fp.shape}",
        )  # fmt: skip
    x, xp = promote("interp", array("interp", x), xp, floating=True)
    fp = as_floating("interp", fp)
    if period is not None:
        period = ops.abs(cast(array("interp", period), xp.dtype))
        x, xp = remainder(x, period), remainder(xp, period)
        xp, fp = ops.sort(xp, fp, axis=0, keys=1, stable=True)
        ends = [
            subtract(part(xp, -1, None, 0), period),
            xp,
            ops.add(*spread("interp", part(xp, 0, 1, 0), period)),
        ]
        xp = concatenate(ends)
        fp = concatenate([part(fp, -1, None, 0), fp, part(fp, 0, 1, 0)])
    n = xp.size
    right_of = searchsorted(xp, x, "right")
    low, high = literal(1, right_of.dtype), literal(builtins.max(n - 1, 0), right_of.dtype)
    i = ops.maximum(ops.minimum(right_of, high), literal(builtins.min(1, n - 1), right_of.dtype))
    before = ops.maximum(ops.sub(i, low), literal(0, i.dtype))
    x0, x1, f0, f1 = [take(v, j, mode="clip") for v in (xp, fp) for j in (before, i)]
    gap = ops.sub(x1, x0)
    flat = ops.eq(gap, literal(0, gap.dtype))
    # The branch not taken must stay finite, or its derivative would poison the other.
    share = ops.div(ops.sub(x, x0), ops.select(flat, literal(1, gap.dtype), gap))
    slope = multiply(share, ops.sub(f1, f0))
    out = where(flat, f0, ops.add(*match("interp", f0, slope)))
    for value, beyond, end in (
        (left, ops.lt(x, take(xp, 0)), 0), (right, ops.gt(x, take(xp, n - 1)), n - 1),
    ):  # fmt: skip
        if isinstance(value, str):
            if value != "extrapolate":
                raise ArgumentError(
                    "interp: unknown word", expected="'extrapolate' or a number", got=repr(value)
                )
        elif period is None:
            out = where(beyond, take(fp, end) if value is None else cast(value, fp.dtype), out)
    return out


# --- products of shifted arrays ---------------------------------------------------------


@fused
def convolve(
    a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """Sums of products of `a` and the reversed `v`, shifted along each other.

    Args:
        a, v: arrays of one axis.
        mode: "full" for every overlap, "same" for as many as the longer one has elements, "valid" for
            those that overlap completely.
        precision: "default", "high" or "highest", where the machine can trade bits for speed.
        preferred_element_type: dtype of the sums and the result.

    >>> import fn.numpy as np
    >>> print(np.convolve(np.array([1., 2., 3.]), np.array([1., 1.])))
    [1. 3. 5. 3.]
    """
    x, y = _vectors("convolve", a, v, preferred_element_type)
    if x.size < y.size:
        x, y = y, x
    y = ops.reverse(y, axes=(0,))
    return _slid("convolve", x, y, mode, precision, preferred_element_type)


@fused
def correlate(
    a: Any,
    v: Any,
    mode: str = "valid",
    *,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Sums of products of `a` and `v`, conjugated if complex, shifted along each other; see `convolve`.

    >>> import fn.numpy as np
    >>> print(np.correlate(np.array([1., 2., 3.]), np.array([0., 1.])))
    [2. 3.]
    """
    x, y = _vectors("correlate", a, v, preferred_element_type)
    y = ops.conj(y)
    if x.size >= y.size:
        return _slid("correlate", x, y, mode, precision, preferred_element_type)
    out = _slid("correlate", y, x, mode, precision, preferred_element_type)
    return ops.reverse(out, axes=(0,))


def _vectors(name: str, a: Any, v: Any, preferred: Any) -> list[Any]:
    x, y = promote(name, array(name, a), array(name, v, 1), floating=preferred is None)
    if x.ndim != 1 or y.ndim != 1 or not x.size or not y.size:
        raise ArgumentError(
            f"{name}: the arrays do not fit", expected="arrays of one axis that are not empty",
            got=f"shapes {x.shape} and {y.shape}",
        )  # fmt: skip
    return [x, y]


def _slid(name: str, x: Any, y: Any, mode: str, precision: Any, preferred: Any) -> Any:
    """Sums of products of `x` and the shorter `y` slid along it."""
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"{name}: unknown mode", expected="full, same, valid", got=repr(mode))
    n, m = x.size, y.size
    widths = {"full": (m - 1, m - 1), "valid": (0, 0), "same": (m // 2, m - m // 2 - 1)}[mode]
    if is_complex(x.dtype):
        a, b, c, d = ops.real_part(x), ops.imag_part(x), ops.real_part(y), ops.imag_part(y)
        ac, bd, ad, bc = [
            _slid(name, p, q, mode, precision, None) for p, q in ((a, c), (b, d), (a, d), (b, c))
        ]
        return ops.make_complex(ops.sub(ac, bd), ops.add(ad, bc))
    kind = None if preferred is None else check_dtype(name, preferred)
    out = ops.conv(
        ops.reshape(x, shape=(1, 1, n)), ops.reshape(y, shape=(1, 1, m)),
        strides=(1,), padding=(widths,), x_dilation=(1,), w_dilation=(1,), x_layout=(0, 1, 2),
        w_layout=(0, 1, 2), out_layout=(0, 1, 2), preferred=kind, precision=precision,
    )  # fmt: skip
    return ops.reshape(out, shape=(out.size,))
