"""Fourier transforms of the last axes: one primitive, which is closed under transposition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fn.core import ArrayType, Primitive, bind, dtype_name, is_inexact, linear, public
from fn.ops._elementwise import conj, convert, eq, logical_or, mul, real_part, select
from fn.ops._rules import Batched, require, types_text
from fn.ops._shape import move_axis
from fn.ops._slicing import iota, pad

Ints = tuple[int, ...]
KINDS = ("fft", "ifft", "rfft", "irfft")
_REAL: dict[Any, Any] = {
    np.dtype(np.complex64): np.dtype(np.float32),
    np.dtype(np.complex128): np.dtype(np.float64),
}
_COMPLEX: dict[Any, Any] = {real: complex_ for complex_, real in _REAL.items()}


# --- fft --------------------------------------------------------------------------------
@public
def fft(x: Any, *, kind: str, lengths: Ints) -> Any:
    """Discrete Fourier transform of the last one, two or three axes.

    `fft` and `ifft` take complex numbers to complex ones, `rfft` real ones to the first half of the
    last axis, and `irfft` takes that half back. The inverse transforms divide by the number of points.

    Args:
        x: array.
        kind: `fft`, `ifft`, `rfft` or `irfft`.
        lengths: numbers of points along the last axes; those of the real side for `rfft` and `irfft`.

    >>> import fn, numpy as np
    >>> fn.ops.fft(np.float32([1, 2, 3, 4]), kind="rfft", lengths=(4,)).shape
    (3,)
    """
    return bind(fft_p, x, kind=kind, lengths=lengths)


def _fft_type(x: ArrayType, *, kind: str, lengths: Ints) -> ArrayType:
    require(
        kind in KINDS, "fft: there is no such kind", expected=f"one of {', '.join(KINDS)}",
        got=repr(kind),
    )  # fmt: skip
    require(
        1 <= len(lengths) <= 3 and len(lengths) <= x.ndim and min(lengths) >= 1,
        "fft: lengths do not fit the operand",
        expected="a number of points, at least 1, for each of the last one, two or three axes",
        got=f"lengths={lengths} for {types_text([x])}",
    )  # fmt: skip
    wanted = _COMPLEX if kind == "rfft" else _REAL
    half = is_inexact(x.dtype) and x.dtype not in _REAL and x.dtype not in _COMPLEX
    require(
        x.dtype in wanted, f"fft: wrong dtype for {kind}",
        expected="f32 or f64" if kind == "rfft" else "c64 or c128", got=types_text([x]),
        fix=f"convert to float32 first: {dtype_name(x.dtype)} is too coarse for it" if half
        else "convert it; the fn.numpy.fft functions do",
    )  # fmt: skip
    before = x.shape[: x.ndim - len(lengths)]
    halved = (*lengths[:-1], lengths[-1] // 2 + 1)
    given = halved if kind == "irfft" else lengths
    require(
        x.shape == (*before, *given), "fft: the operand's last axes are not of these lengths",
        expected=f"sizes {given} for {kind} of lengths {lengths}", got=types_text([x]),
        fix="cut the operand, or pad it with zeros",
    )  # fmt: skip
    dtype = wanted[x.dtype] if kind in ("rfft", "irfft") else x.dtype
    out = halved if kind == "rfft" else lengths
    return ArrayType((*before, *out), dtype, x.weak)


def _counted(x: Any, length: int, inner: float, edge: float) -> Any:
    """`x` times `inner`, except for the elements of the last axis that are their own conjugates."""
    shape = x.shape
    place = iota(dtype=np.int32, shape=shape, axis=len(shape) - 1)
    alone = eq(place, np.int32(0))
    if length % 2 == 0:
        alone = logical_or(alone, eq(place, np.int32(length // 2)))
    real = _REAL[x.dtype].type
    factor = select(alone, real(edge), real(inner))
    return mul(x, convert(factor, dtype=x.dtype))


def _fft_transpose(ct: Any, x: Any, *, kind: str, lengths: Ints) -> tuple[Any, ...]:
    # Cotangents pair without conjugation, and the matrix of a transform is symmetric.
    count = math.prod(lengths)
    if kind in ("fft", "ifft"):
        return (fft(ct, kind=kind, lengths=lengths),)
    if kind == "irfft":
        back = conj(fft(ct, kind="rfft", lengths=lengths))
        return (_counted(back, lengths[-1], 2 / count, 1 / count),)
    if len(lengths) == 1:
        half = _counted(conj(ct), count, count / 2, count)
        return (fft(half, kind="irfft", lengths=lengths),)
    # Along the other axes the half is not the transform of something real.
    high = (*[0] * (ct.ndim - 1), lengths[-1] - ct.shape[-1])
    whole = pad(ct, value=0, low=(0,) * ct.ndim, high=high)
    return (real_part(fft(whole, kind="fft", lengths=lengths)),)


def _fft_batch(axis: Any, args: Any, dims: Any, *, kind: str, lengths: Ints) -> Batched:
    return fft(move_axis(args[0], dims[0], 0), kind=kind, lengths=lengths), 0


def _fft_lower(emit: Any, x: Any, *, kind: str, lengths: Ints) -> Any:
    if emit.type.size == 0:
        return emit.constant(0, emit.type)
    return emit.op(
        "stablehlo.fft", x,
        attrs=f"fft_length = {emit.integers(lengths)}, fft_type = #stablehlo<fft_type {kind.upper()}>",
    )  # fmt: skip


fft_p = Primitive(
    name="fft", type=_fft_type, jvp=linear, transpose=_fft_transpose, batch=_fft_batch,
    lower=_fft_lower,
)  # fmt: skip
