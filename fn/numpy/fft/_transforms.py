"""Fourier transforms along one axis or several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.ops as ops
from fn.core import ArgumentError, dtype_name, is_complex, is_inexact
from fn.numpy._fused import fused
from fn.numpy._promotion import (
    array,
    cast,
    floating_dtype,
    literal,
    one_axis,
    some_axes,
    type_at,
    types_text,
)

Norm = str | None

_PARTS = {None: 0.0, "backward": 0.0, "ortho": 0.5, "forward": 1.0}


# --- what they share --------------------------------------------------------------------


def _input(name: str, a: Any, kind: str) -> Any:
    """The argument as floating or complex numbers, whichever the transform takes."""
    a = array(name, a)
    if not is_inexact(a.dtype):
        a = cast(a, floating_dtype(a.dtype))
    if a.dtype.itemsize < 4:
        raise ArgumentError(
            f"{name}: {dtype_name(a.dtype)} is too coarse", expected="f32, f64, c64 or c128",
            got=types_text([type_at(name, a)]),
            fix="convert first, and the result back: x.astype(fn.numpy.float32)",
        )  # fmt: skip
    if kind == "rfft":
        if is_complex(a.dtype):
            raise ArgumentError(
                f"{name}: it takes real numbers", expected="f32 or f64",
                got=types_text([type_at(name, a)]),
                fix="use fft for complex numbers, or take the real part",
            )  # fmt: skip
        return a
    return (
        a
        if is_complex(a.dtype)
        else ops.convert(a, dtype=numpy.result_type(a.dtype, numpy.complex64))
    )


def _factor(name: str, norm: Norm, count: int, inverse: bool) -> float:
    """What the result is to be multiplied by; the inverse transforms divide by `count` already."""
    if norm not in _PARTS:
        raise ArgumentError(
            f"{name}: there is no such norm", expected='"backward", "ortho" or "forward"',
            got=f"norm={norm!r}",
        )  # fmt: skip
    part = _PARTS[norm]
    return math.pow(count, part if inverse else -part)


def _fitted(a: Any, sizes: Sequence[int]) -> Any:
    """The last axes cut, or padded with zeros, to these sizes."""
    first = a.ndim - len(sizes)
    for axis, n in enumerate(sizes, first):
        if a.shape[axis] > n:
            a = ops.slice_axis(a, 0, n, axis)
    high = [0] * first + [n - m for n, m in zip(sizes, a.shape[first:], strict=True)]
    return ops.pad(a, value=0, low=(0,) * a.ndim, high=tuple(high))


def _points(name: str, s: Any) -> list[int]:
    try:
        points = [n.__index__() for n in s]
    except (AttributeError, TypeError):
        points = [0]
    if any(n < 1 for n in points):
        raise ArgumentError(
            f"{name}: not numbers of points", expected="integers, at least 1", got=repr(s)
        )
    return points


def _chained(a: Any, kind: str, lengths: tuple[int, ...]) -> Any:
    """The operation itself takes three axes at most; more are taken by turns."""
    if len(lengths) <= 3:
        return ops.fft(a, kind=kind, lengths=lengths)
    # The half of a real transform is along the last axis: it comes first, or last if inverted.
    others, count = lengths[:-3], len(lengths)
    around = (
        *range(a.ndim - count),
        *range(a.ndim - 3, a.ndim),
        *range(a.ndim - count, a.ndim - 3),
    )
    back = tuple(sorted(range(a.ndim), key=around.__getitem__))
    if kind in ("fft", "rfft"):
        a = ops.transpose(ops.fft(a, kind=kind, lengths=lengths[-3:]), permutation=around)
        return ops.transpose(_chained(a, "fft", others), permutation=back)
    a = _chained(ops.transpose(a, permutation=around), "ifft", others)
    return ops.fft(ops.transpose(a, permutation=back), kind=kind, lengths=lengths[-3:])


def _transform(name: str, kind: str, a: Any, s: Any, axes: Any, norm: Norm) -> Any:
    a = _input(name, a, kind)
    points = None if s is None else _points(name, s)
    if axes is None:
        count = a.ndim if points is None else len(points)
        places = tuple(range(max(a.ndim - count, 0), a.ndim))
    else:
        places = some_axes(name, tuple(axes), a.ndim, "axes")
    if points is not None and len(points) != len(places):
        raise ArgumentError(
            f"{name}: numbers of points and axes do not pair up",
            expected="as many numbers as axes", got=f"s={tuple(points)} for axes {places}",
        )  # fmt: skip
    if not places:
        if kind in ("fft", "ifft"):
            return a
        raise ArgumentError(
            f"{name}: no axes", expected="an axis to transform", got=types_text([type_at(name, a)])
        )
    order = (*[i for i in range(a.ndim) if i not in places], *places)
    a = ops.transpose(a, permutation=order)
    shape = a.shape[a.ndim - len(places) :]
    if points is None:
        points = list(shape)
        if kind == "irfft":
            points[-1] = 2 * (shape[-1] - 1)
        if min(points) < 1:
            raise ArgumentError(
                f"{name}: no points to transform", expected="at least one along each axis",
                got=types_text([type_at(name, a)]), fix="give the numbers of points",
            )  # fmt: skip
    halved = [*points[:-1], points[-1] // 2 + 1] if kind == "irfft" else points
    out = _chained(_fitted(a, halved), kind, tuple(points))
    factor = _factor(name, norm, math.prod(points), kind in ("ifft", "irfft"))
    if factor != 1:
        out = ops.mul(out, literal(factor, out.dtype))
    return ops.transpose(out, permutation=tuple(sorted(range(a.ndim), key=order.__getitem__)))


def _along(name: str, kind: str, a: Any, n: Any, axis: Any, norm: Norm) -> Any:
    """Along one axis."""
    a = array(name, a)
    place = one_axis(name, axis, a.ndim)
    return _transform(name, kind, a, None if n is None else (n,), (place,), norm)


def _pair(name: str, axes: Any) -> Any:
    if axes is None or len(axes) != 2:
        raise ArgumentError(
            f"{name}: not two axes",
            expected="two axes",
            got=f"axes={axes}",
            fix=f"use {name[:-1]}n",
        )
    return axes


# --- one axis ---------------------------------------------------------------------------


@fused("n", "axis", "norm")
def fft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """Discrete Fourier transform along an axis: `sum(a[j] exp(-2πi jk / n))`.

    Args:
        a: array; real numbers become complex.
        n: number of points: what there are more are cut off, what there are fewer are zeros.
        axis: the axis.
        norm: "backward", no factor; "ortho", divided by the root of `n`; "forward", divided by `n`.

    Returns:
        Complex array, of size `n` along the axis.

    Raises:
        ArgumentError: half precision, no points, or no such axis or norm.

    >>> import fn.numpy as np
    >>> print(np.fft.fft(np.array([1., 0., 0., 0.])))
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return _along("fft", "fft", a, n, axis, norm)


@fused("n", "axis", "norm")
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """Inverse of `fft`, whose arguments it has.

    By default it divides by `n`; with "forward" it does not, with "ortho" by the root.

    >>> import fn.numpy as np
    >>> print(np.fft.ifft(np.array([4., 0., 0., 0.])))
    [1.+0.j 1.+0.j 1.+0.j 1.+0.j]
    """
    return _along("ifft", "ifft", a, n, axis, norm)


@fused("n", "axis", "norm")
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """`fft` of real numbers: the first half, `n // 2 + 1` points; the rest are their conjugates.

    >>> import fn.numpy as np
    >>> print(np.fft.rfft(np.array([1., 0., 0., 0.])))
    [1.+0.j 1.+0.j 1.+0.j]
    """
    return _along("rfft", "rfft", a, n, axis, norm)


@fused("n", "axis", "norm")
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """Inverse of `rfft`; `n` is the number of real points, by default the even one that fits.

    >>> import fn.numpy as np
    >>> print(np.fft.irfft(np.array([4., 0., 0.])))
    [1. 1. 1. 1.]
    """
    return _along("irfft", "irfft", a, n, axis, norm)


_CONJUGATE = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


@fused("n", "axis", "norm")
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """`fft` of a signal that is conjugate to itself backwards, of which half is given: real numbers.

    >>> import fn.numpy as np
    >>> print(np.fft.hfft(np.array([1., 0., 0.])))
    [1. 1. 1. 1.]
    """
    _factor("hfft", norm, 1, False)
    return _along("hfft", "irfft", ops.conj(array("hfft", a)), n, axis, _CONJUGATE[norm])


@fused("n", "axis", "norm")
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """Inverse of `hfft`: the first half of the conjugate signal.

    >>> import fn.numpy as np
    >>> print(np.real(np.fft.ihfft(np.array([4., 0., 0., 0.]))))
    [1. 1. 1.]
    """
    _factor("ihfft", norm, 1, False)
    return ops.conj(_along("ihfft", "rfft", a, n, axis, _CONJUGATE[norm]))


# --- several axes -----------------------------------------------------------------------


@fused("s", "axes", "norm")
def fftn(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = None
) -> Any:
    """`fft` along several axes.

    Args:
        a: array; real numbers become complex.
        s: number of points along each axis: what there are more are cut off, fewer are zeros.
        axes: the axes, distinct; by default the last `len(s)`, or all.
        norm: "backward", no factor; "ortho", divided by the root of the number of points; "forward",
            divided by that number.

    Raises:
        ArgumentError: half precision, no points, or no such axes or norm.

    >>> import fn.numpy as np
    >>> np.fft.fftn(np.ones((2, 3, 4)), axes=(0, 2)).shape
    (2, 3, 4)
    """
    return _transform("fftn", "fft", a, s, axes, norm)


@fused("s", "axes", "norm")
def ifftn(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = None
) -> Any:
    """Inverse of `fftn`, whose arguments it has.

    >>> import fn.numpy as np
    >>> np.fft.ifftn(np.ones((2, 3, 4))).shape
    (2, 3, 4)
    """
    return _transform("ifftn", "ifft", a, s, axes, norm)


@fused("s", "axes", "norm")
def rfftn(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = None
) -> Any:
    """`fftn` of real numbers: the first half along the last of the axes.

    >>> import fn.numpy as np
    >>> np.fft.rfftn(np.ones((2, 3, 4))).shape
    (2, 3, 3)
    """
    return _transform("rfftn", "rfft", a, s, axes, norm)


@fused("s", "axes", "norm")
def irfftn(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = None
) -> Any:
    """Inverse of `rfftn`; `s` holds numbers of real points, by default an even one along the last axis.

    >>> import fn.numpy as np
    >>> np.fft.irfftn(np.ones((2, 3, 3))).shape
    (2, 3, 4)
    """
    return _transform("irfftn", "irfft", a, s, axes, norm)


@fused("s", "axes", "norm")
def fft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: Norm = None
) -> Any:
    """`fftn` along two axes.

    >>> import fn.numpy as np
    >>> np.fft.fft2(np.ones((5, 3, 4))).shape
    (5, 3, 4)
    """
    return _transform("fft2", "fft", a, s, _pair("fft2", axes), norm)


@fused("s", "axes", "norm")
def ifft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: Norm = None
) -> Any:
    """`ifftn` along two axes.

    >>> import fn.numpy as np
    >>> np.fft.ifft2(np.ones((5, 3, 4))).shape
    (5, 3, 4)
    """
    return _transform("ifft2", "ifft", a, s, _pair("ifft2", axes), norm)


@fused("s", "axes", "norm")
def rfft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: Norm = None
) -> Any:
    """`rfftn` along two axes.

    >>> import fn.numpy as np
    >>> np.fft.rfft2(np.ones((5, 3, 4))).shape
    (5, 3, 3)
    """
    return _transform("rfft2", "rfft", a, s, _pair("rfft2", axes), norm)


@fused("s", "axes", "norm")
def irfft2(
    a: Any, s: Sequence[int] | None = None, axes: Sequence[int] = (-2, -1), norm: Norm = None
) -> Any:
    """`irfftn` along two axes.

    >>> import fn.numpy as np
    >>> np.fft.irfft2(np.ones((5, 3, 3))).shape
    (5, 3, 4)
    """
    return _transform("irfft2", "irfft", a, s, _pair("irfft2", axes), norm)
