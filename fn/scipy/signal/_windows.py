"""Windows by name, made on the host: they are constants of a program."""

from __future__ import annotations

import math
from typing import Any

import numpy

from fn.core import ArgumentError

# Sums of cosines: w(x) = a0 - a1 cos(2 pi x) + a2 cos(4 pi x) - ...
_COSINES = {
    "hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.50, 0.08),
    "nuttall": (0.3635819, 0.4891775, 0.1365995, 0.0106411),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}  # fmt: skip
_WITH_PARAMETER = ("kaiser", "gaussian", "tukey", "general_hamming")


def named_window(name: str, window: Any, n: int) -> Any:
    """A periodic window of `n` points.

    Args:
        name: of the function that asks.
        window: a name, or a tuple of a name and a parameter.
        n: number of points.
    """
    kind, parameters = (window, ()) if isinstance(window, str) else (window[0], tuple(window[1:]))
    known = kind in _WITH_PARAMETER and len(parameters) == 1
    if n == 1 and (known or not parameters):
        return numpy.ones(1)
    x = numpy.arange(n) / n  # one period, whose end is the next one's start
    centred = numpy.arange(n) - n / 2
    if kind in _COSINES and not parameters:
        return sum(
            (-1) ** k * a * numpy.cos(2 * math.pi * k * x) for k, a in enumerate(_COSINES[kind])
        )
    if kind in ("boxcar", "ones", "rect", "rectangular") and not parameters:
        return numpy.ones(n)
    if kind in ("bartlett", "triang") and not parameters:
        return _triangle(kind, n)
    if kind == "cosine" and not parameters:
        return numpy.sin(math.pi / (n + 1) * (numpy.arange(n) + 0.5))
    if known and kind == "kaiser":
        beta = float(parameters[0])
        shape = numpy.sqrt(numpy.maximum(1 - (2 * x - 1) ** 2, 0))
        return numpy.i0(beta * shape) / numpy.i0(beta)
    if known and kind == "gaussian":
        return numpy.exp(-0.5 * (centred / float(parameters[0])) ** 2)
    if known and kind == "general_hamming":
        return parameters[0] - (1 - parameters[0]) * numpy.cos(2 * math.pi * x)
    if known and kind == "tukey":
        return _tukey(x, float(parameters[0]))
    raise ArgumentError(
        f"{name}: there is no such window", got=repr(window),
        expected="an array, or one of " + ", ".join(sorted([*_COSINES, "boxcar", "bartlett", "triang", "cosine"]))
        + ", or a pair of " + ", ".join(_WITH_PARAMETER) + " and its parameter",
        fix="give the points themselves: window=scipy.signal.get_window(name, nperseg)",
    )  # fmt: skip


def _triangle(kind: str, n: int) -> Any:
    if kind == "bartlett":
        return 1 - numpy.abs(2 * numpy.arange(n) / n - 1)
    whole = n + 1
    width = whole if whole % 2 == 0 else whole + 1
    up = numpy.arange(1, (whole + 1) // 2 + 1)
    ramp = (2 * up - 1) / width if whole % 2 == 0 else 2 * up / width
    return numpy.concatenate([ramp, ramp[::-1] if whole % 2 == 0 else ramp[-2::-1]])[:n]


def _tukey(x: Any, share: float) -> Any:
    if share <= 0:
        return numpy.ones(len(x))
    edge = numpy.minimum(numpy.minimum(x, 1 - x) / (min(share, 1.0) / 2), 1.0)
    return 0.5 - 0.5 * numpy.cos(math.pi * edge)
