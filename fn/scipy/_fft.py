"""Discrete cosine transforms, of type 2."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

import fn.numpy as np
from fn.core import is_complex
from fn.scipy._arguments import choose, inexact
from fn.xla import fused


def _options(name: str, type: int, norm: str | None) -> None:
    choose(name, "type", type, 2)
    choose(name, "norm", norm, None, "backward", "ortho")


def _sized(x: Any, n: int | None, axis: int) -> Any:
    """`x` with `n` entries along an axis: zeros at the end, or fewer of them."""
    if n is None or n == x.shape[axis]:
        return x
    x = np.moveaxis(x, axis, -1)[..., :n]
    more = [(0, 0)] * (x.ndim - 1) + [(0, n - x.shape[-1])]
    return np.moveaxis(np.pad(x, more), -1, axis)


def _parts(transform: Any, x: Any) -> Any:
    """A linear transform of real numbers, of complex ones."""
    if not is_complex(x.dtype):
        return transform(x)
    return transform(np.real(x)) + 1j * transform(np.imag(x))


def _cosines(x: Any, norm: str | None) -> Any:
    """Along the last axis, by a Fourier transform of the even entries and then the odd ones backwards."""
    n = x.shape[-1]
    mixed = np.concatenate([x[..., ::2], np.flip(x[..., 1::2], -1)], axis=-1)
    turn = numpy.exp(-0.5j * math.pi * numpy.arange(n) / n)
    spectrum = np.fft.fft(mixed) * turn.astype(np.result_type(x, numpy.complex64))
    return np.real(spectrum) * _weights(n, norm, x.dtype)


def _weights(n: int, norm: str | None, dtype: Any) -> Any:
    weights = numpy.full(n, 2.0)
    if norm == "ortho":
        weights = weights / math.sqrt(2 * n)
        weights[:1] = weights[:1] / math.sqrt(2)
    return weights.astype(dtype)


def _points(y: Any, norm: str | None) -> Any:
    """The inverse of `_cosines`."""
    n = y.shape[-1]
    y = y / _weights(n, norm, y.dtype)
    last = np.concatenate([np.zeros_like(y[..., :1]), -np.flip(y[..., 1:], -1)], axis=-1)
    turn = numpy.exp(0.5j * math.pi * numpy.arange(n) / n)
    mixed = np.real(np.fft.ifft((y + 1j * last) * turn.astype(np.result_type(y, numpy.complex64))))
    half = (n + 1) // 2
    order = numpy.empty(n, int)
    order[::2], order[1::2] = numpy.arange(half), numpy.arange(n - 1, half - 1, -1)
    return np.take(mixed, order, axis=-1)


def _along(transform: Any, x: Any, axis: int, norm: str | None) -> Any:
    moved = np.moveaxis(x, axis, -1)
    if moved.shape[-1] == 0:
        return x
    return np.moveaxis(_parts(lambda part: transform(part, norm), moved), -1, axis)


@fused("type", "n", "axis", "norm")
def dct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Any:
    """The discrete cosine transform: twice the sum of `x[j] cos(pi k (2j + 1) / 2n)`.

    Args:
        x: array; of complex numbers the parts are transformed.
        type: 2.
        n: take so many entries, zeros behind the end.
        axis: the axis.
        norm: "ortho" makes it orthogonal; None or "backward" leaves it.

    >>> import fn.numpy as np
    >>> from fn.scipy import fft
    >>> [round(float(y), 3) for y in fft.dct(np.array([1.0, 2.0]))]
    [6.0, -1.414]
    """
    _options("dct", type, norm)
    (x,) = inexact("dct", x)
    return _along(_cosines, _sized(np.asarray(x), n, axis), axis, norm)


@fused("type", "n", "axis", "norm")
def idct(
    x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None
) -> Any:
    """The inverse of `dct`, with the same arguments.

    >>> import fn.numpy as np
    >>> from fn.scipy import fft
    >>> [round(float(y), 3) for y in fft.idct(fft.dct(np.array([1.0, 2.0])))]
    [1.0, 2.0]
    """
    _options("idct", type, norm)
    (x,) = inexact("idct", x)
    return _along(_points, _sized(np.asarray(x), n, axis), axis, norm)


def _over_axes(
    name: str, transform: Any, x: Any, type: int, s: Any, axes: Any, norm: str | None
) -> Any:
    _options(name, type, norm)
    (x,) = inexact(name, x)
    x = np.asarray(x)
    sizes = None if s is None else [s] if isinstance(s, int) else list(s)
    if axes is None:
        axes = range(x.ndim) if sizes is None else range(x.ndim - len(sizes), x.ndim)
    axes = [axes] if isinstance(axes, int) else list(axes)
    for axis, n in zip(axes, sizes or [None] * len(axes), strict=True):
        x = _sized(x, n, axis)
    for axis in axes:
        x = _along(transform, x, axis, norm)
    return x


@fused("type", "s", "axes", "norm")
def dctn(
    x: Any,
    type: int = 2,
    s: Sequence[int] | int | None = None,
    axes: Sequence[int] | int | None = None,
    norm: str | None = None,
) -> Any:
    """`dct` over several axes, all by default; `s` has an `n` for each.

    >>> import fn.numpy as np
    >>> from fn.scipy import fft
    >>> float(fft.dctn(np.ones((2, 2)))[0, 0])
    16.0
    """
    return _over_axes("dctn", _cosines, x, type, s, axes, norm)


@fused("type", "s", "axes", "norm")
def idctn(
    x: Any,
    type: int = 2,
    s: Sequence[int] | int | None = None,
    axes: Sequence[int] | int | None = None,
    norm: str | None = None,
) -> Any:
    """The inverse of `dctn`, with the same arguments.

    >>> import fn.numpy as np
    >>> from fn.scipy import fft
    >>> round(float(fft.idctn(fft.dctn(np.ones((2, 2))))[0, 0]), 3)
    1.0
    """
    return _over_axes("idctn", _points, x, type, s, axes, norm)
