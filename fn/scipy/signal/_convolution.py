"""Convolution and correlation over any number of axes, directly or by Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fn.numpy as np
from fn import ops
from fn.core import ArgumentError, is_complex, type_of
from fn.scipy._arguments import choose, inexact
from fn.xla import fused

_MODES = ("full", "same", "valid")
_EDGES = {"fill": "constant", "wrap": "wrap", "symm": "symmetric"}


def _pair(name: str, in1: Any, in2: Any, mode: str) -> tuple[Any, Any]:
    choose(name, "mode", mode, *_MODES)
    a, b = (np.asarray(x) for x in inexact(name, in1, in2))
    if a.ndim != b.ndim or 0 in (*a.shape, *b.shape):
        raise ArgumentError(
            f"{name}: the arrays do not fit together", expected="as many axes, with elements along each",
            got=f"{type_of(a)} and {type_of(b)}",
        )  # fmt: skip
    return a, b


def _contained(name: str, a: Any, b: Any) -> bool:
    """For "valid": whether `b` is the larger."""
    if all(n >= m for n, m in zip(a.shape, b.shape, strict=True)):
        return False
    if any(n > m for n, m in zip(a.shape, b.shape, strict=True)):
        raise ArgumentError(
            f'{name}: mode "valid" needs one array as large as the other along each axis',
            expected="one within the other", got=f"{type_of(a)} and {type_of(b)}",
        )  # fmt: skip
    return True


def _cut(full: tuple[int, ...], kept: tuple[int, ...], late: bool = False) -> list[int]:
    """Where the middle part of a full convolution starts; the later of two middles if `late`."""
    return [(n - m + late) // 2 for n, m in zip(full, kept, strict=True)]


def _directly(a: Any, b: Any, mode: str, precision: Any, late: bool = False) -> Any:
    if mode == "valid" and _contained("convolve", a, b):
        a, b = b, a
    full = tuple([n + m - 1 for n, m in zip(a.shape, b.shape, strict=True)])
    valid = tuple([n - m + 1 for n, m in zip(a.shape, b.shape, strict=True)])
    kept = {"full": full, "same": a.shape, "valid": valid}[mode]
    starts = _cut(full, kept, late)
    padding = tuple([
        (m - 1 - start, m - 1 - (n - start - size))
        for m, n, size, start in zip(b.shape, full, kept, starts, strict=True)
    ])  # fmt: skip
    layout, once = tuple(range(a.ndim + 2)), (1,) * a.ndim
    kernel = ops.reverse(b, axes=tuple(range(b.ndim)))
    out = ops.conv(
        ops.expand(a, (0, 1)), ops.expand(kernel, (0, 1)), strides=once, padding=padding,
        x_dilation=once, w_dilation=once, x_layout=layout, w_layout=layout, out_layout=layout,
        precision=None if precision is None else str(getattr(precision, "name", precision)).lower(),
    )  # fmt: skip
    return out[0, 0]


@fused("mode", "method", "precision")
def convolve(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None
) -> Any:
    """Sums of products of `in1` and the reversed `in2`, shifted along each other.

    Args:
        in1, in2: arrays with as many axes.
        mode: "full" for every overlap, "same" for the middle part of the size of `in1`, "valid" for those
            that overlap completely.
        method: "direct" (as "auto" does) or "fft", which is faster for two large arrays.
        precision: of direct sums, where the machine can trade bits for speed.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> signal.convolve(np.array([1., 2., 3.]), np.array([1., 1.])).tolist()
    [1.0, 3.0, 5.0, 3.0]
    """
    choose("convolve", "method", method, "auto", "direct", "fft")
    if method == "fft":
        return fftconvolve(in1, in2, mode)
    return _directly(*_pair("convolve", in1, in2, mode), mode, precision)


@fused("mode", "method", "precision")
def correlate(
    in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None
) -> Any:
    """Sums of products of `in1` and the conjugate of `in2`, shifted along each other. See `convolve`.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> signal.correlate(np.array([1., 2., 3.]), np.array([0., 1.]), "valid").tolist()
    [2.0, 3.0]
    """
    return convolve(in1, _mirrored(in2), mode, method, precision)


def _mirrored(x: Any) -> Any:
    x = np.flip(np.asarray(x))
    return np.conj(x) if is_complex(x.dtype) else x


def _two_axes(
    name: str, in1: Any, in2: Any, mode: str, boundary: str, fillvalue: Any
) -> tuple[Any, Any]:
    choose(name, "boundary", boundary, *_EDGES)
    a, b = _pair(name, in1, in2, mode)
    if a.ndim != 2:
        raise ArgumentError(f"{name}: not of two axes", expected="matrices", got=str(type_of(a)))
    if mode != "valid" and not (
        boundary == "fill" and type(fillvalue) in (int, float) and fillvalue == 0
    ):
        around = [(n - 1, n - 1) for n in b.shape]
        extra = {"constant_values": fillvalue} if boundary == "fill" else {}
        a = np.pad(a, around, _EDGES[boundary], **extra)
    return a, b


def _around(a: Any, b: Any, shape: tuple[int, ...], mode: str, precision: Any, late: bool) -> Any:
    """A convolution of what may have been padded already."""
    if a.shape == shape:
        return _directly(a, b, mode, precision, late)
    full = tuple([n + m - 1 for n, m in zip(shape, b.shape, strict=True)])
    kept = full if mode == "full" else shape
    starts = _cut(full, kept, late)
    out = _directly(a, b, "valid", precision)
    return ops.slice(
        out, starts=tuple(starts), limits=tuple([s + k for s, k in zip(starts, kept, strict=True)]),
        strides=(1, 1),
    )  # fmt: skip


@fused("mode", "boundary", "precision")
def convolve2d(
    in1: Any,
    in2: Any,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Any = 0,
    precision: Any = None,
) -> Any:
    """`convolve` of matrices, with a choice of what is around the first.

    Args:
        in1, in2: matrices.
        mode: as in `convolve`.
        boundary: "fill" for `fillvalue`, "wrap" around, or "symm" for mirrored edges.
        fillvalue: a number.
        precision: as in `convolve`.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> signal.convolve2d(np.ones((2, 2)), np.ones((2, 2)), "valid").tolist()
    [[4.0]]
    """
    a, b = _two_axes("convolve2d", in1, in2, mode, boundary, fillvalue)
    return _around(a, b, np.shape(in1), mode, precision, False)


@fused("mode", "boundary", "precision")
def correlate2d(
    in1: Any,
    in2: Any,
    mode: str = "full",
    boundary: str = "fill",
    fillvalue: Any = 0,
    precision: Any = None,
) -> Any:
    """`correlate` of matrices, with a choice of what is around the first. See `convolve2d`.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> signal.correlate2d(np.eye(2), np.array([[0., 1.]]), "valid").tolist()
    [[0.0], [1.0]]
    """
    a, b = _two_axes("correlate2d", in1, in2, mode, boundary, fillvalue)
    return _around(a, _mirrored(b), np.shape(in1), mode, precision, True)


@fused("mode", "axes")
def fftconvolve(
    in1: Any, in2: Any, mode: str = "full", axes: Sequence[int] | int | None = None
) -> Any:
    """`convolve` by Fourier transforms.

    Args:
        in1, in2: arrays with as many axes.
        mode: as in `convolve`.
        axes: the axes to convolve over, all by default; along the others the sizes are equal.

    >>> import fn.numpy as np
    >>> from fn.scipy import signal
    >>> [round(float(x), 3) for x in signal.fftconvolve(np.array([1., 2.]), np.array([1., 1.]))]
    [1.0, 3.0, 2.0]
    """
    a, b = _pair("fftconvolve", in1, in2, mode)
    given = range(a.ndim) if axes is None else (axes,) if isinstance(axes, int) else axes
    over = tuple(sorted({axis % a.ndim for axis in given}))
    if any(a.shape[i] != b.shape[i] for i in range(a.ndim) if i not in over):
        raise ArgumentError(
            "fftconvolve: the sizes differ along axes that are not convolved over",
            expected="equal sizes along them", got=f"{type_of(a)} and {type_of(b)}, axes={over}",
        )  # fmt: skip

    def inner(x: Any) -> tuple[int, ...]:
        return tuple([x.shape[i] for i in over])

    if mode == "valid" and _contained("fftconvolve", a, b):
        a, b = b, a
    sizes = tuple([n + m - 1 for n, m in zip(inner(a), inner(b), strict=True)])
    if not over:
        return a * b
    if is_complex(a.dtype):
        out = np.fft.ifftn(np.fft.fftn(a, sizes, over) * np.fft.fftn(b, sizes, over), sizes, over)
    else:
        spectrum = np.fft.rfftn(a, sizes, over) * np.fft.rfftn(b, sizes, over)
        out = np.fft.irfftn(spectrum, sizes, over)
    valid = tuple([n - m + 1 for n, m in zip(inner(a), inner(b), strict=True)])
    kept = {"full": sizes, "same": inner(a), "valid": valid}[mode]
    starts, limits = [0] * a.ndim, list(out.shape)
    for i, start, size in zip(over, _cut(sizes, kept), kept, strict=True):
        starts[i], limits[i] = start, start + size
    return ops.slice(out, starts=tuple(starts), limits=tuple(limits), strides=(1,) * a.ndim)
