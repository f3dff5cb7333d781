"""Spectra of signals, in short segments: stft and its inverse, spectral densities; and trends."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import jax
import numpy

import fn.numpy as np
from fn.core import ArgumentError, context, is_complex, public, type_of
from fn.scipy._arguments import choose, inexact, whole
from fn.scipy.signal._windows import named_window
from fn.xla import fused

F = TypeVar("F", bound=Callable[..., Any])

# --- trends -----------------------------------------------------------------------------


@fused("axis", "type", "bp", "overwrite_data")
def detrend(
    data: Any,
    axis: int = -1,
    type: str = "linear",
    bp: int | Sequence[int] = 0,
    overwrite_data: None = None,
) -> Any:
    """`data` less its mean, or less the straight lines that fit it best.

    Args:
        data: array.
        axis: the axis to look along.
        type: "constant" or "linear".
        bp: where one line ends and the next begins.
        overwrite_data: not taken.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> bool(np.allclose(signal.detrend(np.arange(5.0)), 0, atol=1e-5))
    True
    """
    choose("detrend", "type", type, "constant", "linear")
    choose("detrend", "overwrite_data", overwrite_data, None)
    (x,) = inexact("detrend", data)
    x = np.asarray(x)
    if type == "constant":
        return x - np.mean(x, axis=axis, keepdims=True)
    n = x.shape[axis]
    bounds = numpy.unique([0, *numpy.atleast_1d(bp), n])
    if bounds[0] < 0 or bounds[-1] > n:
        raise ArgumentError(
            "detrend: a breakpoint is outside", expected=f"from 0 to {n}", got=str(bounds.tolist())
        )
    x, parts = np.moveaxis(x, axis, -1), []
    for start, limit in pairwise(bounds):
        # A line is what a fixed matrix of two columns makes of two numbers.
        size = int(limit - start)
        line = numpy.stack([numpy.ones(size), numpy.arange(1, size + 1) / size], axis=1)
        fit = numpy.linalg.pinv(line)
        piece = x[..., int(start) : int(limit)]
        through = np.matmul(np.matmul(piece, fit.T.astype(x.dtype)), line.T.astype(x.dtype))
        parts.append(piece - through)
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, axis)


# --- segments ---------------------------------------------------------------------------


def _windowed(*static: str) -> Callable[[F], F]:
    """`fused` of a function with a window, whose points, if they are given and known, are constants."""

    def wrap(function: F) -> F:
        whole_, names = fused("window", *static)(function), signature(function)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            found = names.bind(*args, **kwargs).arguments
            window = found.get("window")
            if isinstance(window, (numpy.ndarray, jax.Array)) and context.trace is None:
                found["window"] = tuple(numpy.asarray(window).tolist())
            return whole_(**found)

        return public(call)  # type: ignore[return-value]  # same signature by construction

    return wrap


class _Plan(NamedTuple):
    """How a signal is cut."""

    window: Any
    size: int
    overlap: int
    points: int

    @property
    def step(self) -> int:
        return self.size - self.overlap


def _plan(
    name: str, window: Any, nperseg: Any, noverlap: Any, nfft: Any, length: int, dtype: Any
) -> _Plan:
    size = None if nperseg is None else whole(name, "nperseg", nperseg, 1)
    if isinstance(window, (str, tuple)) and (isinstance(window, str) or isinstance(window[0], str)):
        size = min(256, length) if size is None else size
        if size > length:
            warnings.warn(
                f"{name}: nperseg={size} is greater than the signal's length {length}, which is used instead",
                stacklevel=4,
            )
            size = length
        points = np.asarray(named_window(name, window, size).astype(numpy.finfo(dtype).dtype))
    else:
        points = np.asarray(window)
        size = (points.shape[0] if points.ndim == 1 else 0) if size is None else size
        if points.shape != (size,) or points.shape[0] > length:
            raise ArgumentError(
                f"{name}: the window does not fit", got=str(type_of(points)),
                expected=f"a vector of nperseg points, at most {length}",
            )  # fmt: skip
        points = np.astype(points, np.result_type(points, numpy.finfo(dtype).dtype))
    overlap = size // 2 if noverlap is None else whole(name, "noverlap", noverlap)
    fft_points = size if nfft is None else whole(name, "nfft", nfft)
    if fft_points < size or overlap >= size:
        raise ArgumentError(
            f"{name}: the segments do not fit", expected="noverlap < nperseg <= nfft",
            got=f"noverlap={overlap}, nperseg={size}, nfft={fft_points}",
        )  # fmt: skip
    return _Plan(points, size, overlap, fft_points)


def _extended(name: str, x: Any, boundary: str | None, n: int) -> Any:
    """`x` with `n` more points at both ends."""
    choose(name, "boundary", boundary, None, "zeros", "constant", "even", "odd")
    if boundary is None or n < 1:
        return x
    around = [(0, 0)] * (x.ndim - 1) + [(n, n)]
    if boundary in ("zeros", "constant"):
        return np.pad(x, around, "constant" if boundary == "zeros" else "edge")
    if n > x.shape[-1] - 1:
        raise ArgumentError(
            f"{name}: the signal is too short to be mirrored", expected=f"more than {n} points",
            got=str(x.shape[-1]), fix='choose boundary="zeros" or shorter segments',
        )  # fmt: skip
    if boundary == "even":
        return np.pad(x, around, "reflect")
    left, right = np.flip(x[..., 1 : n + 1], -1), np.flip(x[..., -(n + 1) : -1], -1)
    return np.concatenate([2 * x[..., :1] - left, x, 2 * x[..., -1:] - right], axis=-1)


def _spectra(x: Any, plan: _Plan, trend: Any, sides: str) -> Any:
    """The transform of each segment: (..., segments, frequencies)."""
    starts = numpy.arange(0, x.shape[-1] - plan.size + 1, plan.step)
    pieces = np.take(x, starts[:, None] + numpy.arange(plan.size), axis=-1)
    if isinstance(trend, str):
        pieces = detrend(pieces, type=trend)
    elif callable(trend):
        pieces = trend(pieces)
    elif trend:
        raise ArgumentError(
            "detrend is no trend",
            expected="'constant', 'linear', a function or False",
            got=repr(trend),
        )
    pieces = plan.window * pieces
    if sides == "twosided":
        return np.fft.fft(pieces, n=plan.points)
    return np.fft.rfft(np.real(pieces), n=plan.points)


def _analysed(
    name: str, x: Any, y: Any, fs: Any, window: Any, nperseg: Any, noverlap: Any, nfft: Any, trend: Any,
    onesided: bool, scaling: str, axis: int, boundary: str | None, padded: bool, density: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    choose(name, "scaling", scaling, "density", "spectrum")
    signals = [np.asarray(s) for s in inexact(name, *([x] if y is None else [x, y]))]
    if len({s.ndim for s in signals}) > 1 or not -signals[0].ndim <= axis < signals[0].ndim:
        raise ArgumentError(
            f"{name}: the signals do not fit", expected=f"as many axes, with an axis {axis}",
            got=", ".join([str(type_of(s)) for s in signals]),
        )  # fmt: skip
    signals = [np.moveaxis(s, axis, -1) for s in signals]
    longest = max(s.shape[-1] for s in signals)
    signals = [np.pad(s, [(0, 0)] * (s.ndim - 1) + [(0, longest - s.shape[-1])]) for s in signals]
    dtype = signals[0].dtype
    plan = _plan(name, window, nperseg, noverlap, nfft, longest, dtype)
    signals = [_extended(name, s, boundary, plan.size // 2) for s in signals]
    if padded:
        more = -(signals[0].shape[-1] - plan.size) % plan.step % plan.size
        signals = [np.pad(s, [(0, 0)] * (s.ndim - 1) + [(0, more)]) for s in signals]
    power = np.sum(plan.window * plan.window)
    scale = 1.0 / (fs * power) if scaling == "density" else 1.0 / np.square(np.sum(plan.window))
    if onesided and (is_complex(dtype) or is_complex(plan.window.dtype)):
        warnings.warn(
            f"{name}: the data are complex, so all frequencies are returned", stacklevel=4
        )
        onesided = False
    sides = "onesided" if onesided else "twosided"
    frequencies = (np.fft.rfftfreq if onesided else np.fft.fftfreq)(plan.points)
    real = numpy.finfo(dtype).dtype
    frequencies = np.astype(frequencies, real) * fs
    spectra = [_spectra(s, plan, trend, sides) for s in signals]
    if density:
        out = np.conj(spectra[0]) * spectra[-1] * scale
        if (
            onesided
        ):  # what is left out counts as well; 0 and the highest even frequency have no twin
            last = plan.points // 2
            twice = numpy.full(last + 1, 2.0)
            twice[[0, last] if plan.points % 2 == 0 else [0]] = 1.0
            out = out * twice.astype(real)
    else:
        out = spectra[0] * np.sqrt(scale)
    segments = out.shape[-2]
    times = (numpy.arange(segments) * plan.step + plan.size / 2).astype(real)
    times = (times if boundary is None else times - real.type(plan.size / 2)) / fs
    out = np.moveaxis(out, -1, axis % signals[0].ndim)  # segments are the last axis now
    return frequencies, np.astype(np.asarray(times), real), out


@_windowed(
    "nperseg",
    "noverlap",
    "nfft",
    "detrend",
    "return_onesided",
    "boundary",
    "padded",
    "axis",
)
def stft(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int = 256,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = False,
    return_onesided: bool = True,
    boundary: str | None = "zeros",
    padded: bool = True,
    axis: int = -1,
) -> tuple[Any, Any, Any]:
    """The short-time Fourier transform.

    Args:
        x: array.
        fs: samples per unit of time.
        window: a name, a pair of a name and a parameter, or an array of `nperseg` points.
        nperseg: points of a segment.
        noverlap: points that neighbours share; by default half of them.
        nfft: points of the transforms; by default `nperseg`.
        detrend: "constant" or "linear", a function of segments along the last axis, or False.
        return_onesided: leave negative frequencies out, for real `x`.
        boundary: what is put around: "zeros", "constant", "even", "odd", or None for nothing.
        padded: put zeros at the end, so that the segments fit.
        axis: the axis of time.

    Returns:
        Frequencies; times; and the transform, with frequencies along `axis` and times along the last.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> [a.shape for a in signal.stft(np.ones(16), nperseg=8)]
    [(5,), (5,), (5, 5)]
    """
    return _analysed(
        "stft", x, None, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, "spectrum",
        axis, boundary, padded, False,
    )  # fmt: skip


@_windowed(
    "nperseg",
    "noverlap",
    "nfft",
    "detrend",
    "return_onesided",
    "scaling",
    "axis",
    "average",
)
def csd(
    x: Any,
    y: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Any, Any]:
    """The cross spectral density of two signals, averaged over segments (P. Welch, 1967).

    Args:
        x, y: arrays; None for `y` is `x`.
        scaling: "density" for power per unit of frequency, or "spectrum" for power.
        axis: the axis of time.
        average: "mean" or "median" over the segments.
        The others are those of `stft`.

    Returns:
        Frequencies, and the density along `axis`.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> [a.shape for a in signal.csd(np.ones(16), np.ones(16), nperseg=8)]
    [(5,), (5,)]
    """
    choose("csd", "average", average, "mean", "median")
    frequencies, _, out = _analysed(
        "csd", x, y, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis,
        None, False, True,
    )  # fmt: skip
    if y is None:
        out = np.real(out)
    segments = out.shape[-1]
    if segments == 1:
        return frequencies, out[..., 0]
    if average == "mean":
        return frequencies, np.mean(out, axis=-1)
    k = numpy.arange(2.0, segments, 2)
    bias = 1 + numpy.sum(1 / (k + 1) - 1 / k)
    middle = np.median(np.real(out), axis=-1)
    if is_complex(out.dtype):
        middle = middle + 1j * np.median(np.imag(out), axis=-1)
    return frequencies, middle / float(bias)


@_windowed(
    "nperseg",
    "noverlap",
    "nfft",
    "detrend",
    "return_onesided",
    "scaling",
    "axis",
    "average",
)
def welch(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    detrend: Any = "constant",
    return_onesided: bool = True,
    scaling: str = "density",
    axis: int = -1,
    average: str = "mean",
) -> tuple[Any, Any]:
    """The power spectral density of a signal, averaged over segments. See `csd`.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> [a.shape for a in signal.welch(np.ones(16), nperseg=8)]
    [(5,), (5,)]
    """
    return csd(
        x, None, fs, window, nperseg, noverlap, nfft, detrend, return_onesided, scaling, axis, average
    )  # fmt: skip


# --- back -------------------------------------------------------------------------------


def _overlap_add(frames: Any, step: int) -> Any:
    """Frames (..., frames, points) laid `step` points apart and added."""
    *batch, count, size = frames.shape
    blocks = -(-size // step)
    frames = np.pad(frames, [(0, 0)] * (len(batch) + 1) + [(0, blocks * step - size)])
    frames = frames.reshape((*batch, count, blocks, step))
    total: Any = None
    for i in range(blocks):
        shifted = np.pad(frames[..., i, :], [(0, 0)] * len(batch) + [(i, blocks - 1 - i), (0, 0)])
        total = shifted if total is None else total + shifted
    out = total.reshape((*batch, (count + blocks - 1) * step))
    return out[..., : step * (count - 1) + size]


@_windowed("nperseg", "noverlap", "nfft", "input_onesided", "boundary", "time_axis", "freq_axis")
def istft(
    Zxx: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: int | None = None,
    noverlap: int | None = None,
    nfft: int | None = None,
    input_onesided: bool = True,
    boundary: bool = True,
    time_axis: int = -1,
    freq_axis: int = -2,
) -> tuple[Any, Any]:
    """The inverse of `stft`: the signal whose transform is closest.

    Args:
        Zxx: what `stft` gives.
        boundary: whether the signal had been extended, and is cut again.
        time_axis, freq_axis: of `Zxx`.
        The others are those `stft` was called with; `nperseg` and `nfft` follow from the frequencies by
        default.

    Returns:
        Times, and the signal.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> z = signal.stft(np.arange(16.0), nperseg=8)[2]
    >>> bool(np.allclose(signal.istft(z, nperseg=8)[1], np.arange(16.0), atol=1e-4))
    True
    """
    (Z,) = inexact("istft", Zxx)
    Z = np.asarray(Z)
    if Z.ndim < 2 or (time_axis - freq_axis) % Z.ndim == 0:
        raise ArgumentError(
            "istft: no axes of time and of frequency", expected="two different axes",
            got=f"{type_of(Z)}, time_axis={time_axis}, freq_axis={freq_axis}",
        )  # fmt: skip
    time_axis, freq_axis = time_axis % Z.ndim, freq_axis % Z.ndim
    Z = np.moveaxis(Z if is_complex(Z.dtype) else Z + 0j, (freq_axis, time_axis), (-2, -1))
    default = 2 * (Z.shape[-2] - 1) if input_onesided else Z.shape[-2]
    size = default if nperseg is None else whole("istft", "nperseg", nperseg, 1)
    if nfft is None:
        nfft = default + 1 if input_onesided and size == default + 1 else default
    real = numpy.finfo(Z.dtype).dtype
    plan = _plan("istft", window, size, noverlap, nfft, max(size, 1), real)
    back = np.fft.irfft if input_onesided else np.fft.ifft
    pieces = back(Z, axis=-2, n=plan.points)[..., : plan.size, :]
    pieces = np.swapaxes(pieces, -2, -1) * np.sum(plan.window)
    x = _overlap_add(pieces * plan.window, plan.step)
    weight = np.broadcast_to(plan.window * plan.window, pieces.shape[-2:])
    weight = _overlap_add(weight, plan.step)
    if boundary:
        cut = plan.size // 2
        x, weight = x[..., cut : x.shape[-1] - cut], weight[cut : weight.shape[0] - cut]
    x = x / np.where(np.abs(weight) > 1e-10, weight, 1.0)
    times = np.asarray(numpy.arange(x.shape[-1]).astype(real)) / fs
    place = time_axis - (freq_axis < time_axis)
    return times, np.moveaxis(x, -1, place)
