"""How a random Program multiplies, convolves, transforms and decomposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn import ops
from fn.core import ArrayType, is_complex
from fn.testing._array_recipes import axis_of
from fn.testing._draft import C64, F32, I32, Draft, Known
from fn.testing._recipes import recipe

# --- products ---------------------------------------------------------------------------


@recipe("dot_general")
def _dot_general(g: Draft) -> None:
    x = g.number(1)
    if x.type.dtype.kind in "iu" or x.type.dtype.itemsize == 1:
        x = g.real(1)
    along = axis_of(g, x)
    n = x.type.shape[along]
    found = [k for k in reversed(g.pool) if k.type.dtype == x.type.dtype and n in k.type.shape]
    y = g.pick(found[:6])
    other = y.type.shape.index(n)
    batch: Any = ((), ())
    if along and y.type.ndim > 1 and other and x.type.shape[0] == y.type.shape[0] and g.chance(50):
        batch = ((0,), (0,))
    if x.type.ndim + y.type.ndim > 5:
        y = g.like(y, (n,))
        other, batch = 0, ((), ())
    most = n * x.largest * y.largest
    value = ops.dot_general(x.value, y.value, contract=((along,), (other,)), batch=batch)
    g.keep(value, 0 if is_complex(x.type.dtype) else -most, most)


@recipe("conv")
def _conv(g: Draft) -> None:
    x = g.within(g.like(g.real(1, dtype=F32), (2, 2, 3)), -2, 2)
    w = g.within(g.like(g.real(1, dtype=F32), (2, 2, 2)), -2, 2)
    value = ops.conv(
        x.value, w.value, strides=(g.pick([1, 2]),), padding=(g.pick([(0, 0), (1, 0), (1, 1)]),),
        x_dilation=(g.pick([1, 2]),), w_dilation=(1,), x_layout=(0, 1, 2), w_layout=(0, 1, 2),
        out_layout=(0, 1, 2),
    )  # fmt: skip
    g.keep(value, -16, 16)


@recipe("fft")
def _fft(g: Draft) -> None:
    kind = g.pick(["fft", "ifft", "rfft", "irfft"])
    x = g.real(1, 2, dtype=F32) if kind == "rfft" else g.complex(1, 2)
    if not x.type.size or (kind == "irfft" and x.type.shape[-1] < 2):
        x = g.fresh(ArrayType((3,), F32 if kind == "rfft" else C64))
    n = x.type.shape[-1]
    points = 2 * (n - 1) if kind == "irfft" else n
    most = n * x.largest
    value = ops.fft(x.value, kind=kind, lengths=(points,))
    g.keep(value, -2 * most if kind == "irfft" else 0.0, 2 * most)


# --- windows ----------------------------------------------------------------------------


def _windows(g: Draft, n: int) -> dict[str, Any]:
    along = (1,) * (n - 1)
    return dict(
        window=(*along, g.pick([2, 1, 3])), strides=(*along, g.pick([1, 2])),
        padding=(*(((0, 0),) * (n - 1)), g.pick([(0, 0), (1, 1), (0, 1)])),
        x_dilation=(*along, 1), w_dilation=(*along, g.pick([1, 2])),
    )  # fmt: skip


def _windowed(g: Draft) -> Known:
    x = g.real(1, 2, dtype=F32)
    return x if x.type.size else g.fresh(ArrayType((2, 3), F32))


@recipe("reduce_window_sum")
def _window_sum(g: Draft) -> None:
    x = _windowed(g)
    value = ops.reduce_window_sum(x.value, **_windows(g, x.type.ndim))
    g.keep(value, min(3 * x.low, 0), max(3 * x.high, 0))


@recipe("reduce_window_max", "reduce_window_max", "reduce_window_min")
def _window_max(g: Draft) -> None:
    x = _windowed(g)
    windows = _windows(g, x.type.ndim)
    # A window of nothing but padding has an infinite maximum.
    windows["padding"] = tuple((0, 0) for _ in windows["padding"])
    op = g.pick([ops.reduce_window_max, ops.reduce_window_min])
    g.keep(op(x.value, **windows), x.low, x.high)


@recipe("window_pick", "window_argmax", "window_pick", "window_scatter")
def _window_pick(g: Draft) -> None:
    x = _windowed(g)
    windows = _windows(g, x.type.ndim)
    where = ops.window_argmax(x.value, largest=g.chance(50), **windows)
    picked = ops.window_pick(x.value, where, **windows)
    if g.chance(50):
        value = ops.window_scatter(picked, where, shape=x.type.shape, **windows)
        g.keep(value, min(3 * x.low, 0), max(3 * x.high, 0))
    else:
        g.keep(picked, min(x.low, 0), max(x.high, 0))


# --- matrices ---------------------------------------------------------------------------


def _square(g: Draft) -> Known:
    """A matrix of three rows and columns."""
    return g.within(g.like(g.real(1, dtype=F32), (3, 3)), -1, 1)


def _diagonal(first: float, step: float) -> Any:
    """`first`, `first + step`, … on the diagonal of a matrix of three rows."""
    rows = ops.iota(dtype=I32, shape=(3, 3), axis=0)
    columns = ops.iota(dtype=I32, shape=(3, 3), axis=1)
    on = ops.convert(ops.eq(rows, columns), dtype=F32)
    if not step:
        return ops.mul(on, np.float32(first))
    sizes = ops.add(
        ops.mul(ops.iota(dtype=F32, shape=(3, 3), axis=0), np.float32(step)), np.float32(first)
    )
    return ops.mul(on, sizes)


def _regular(g: Draft) -> Any:
    """A matrix with a large diagonal."""
    return ops.add(ops.mul(_square(g).value, np.float32(0.5)), _diagonal(3.0, 0.0))


def _apart(g: Draft, symmetric: bool) -> Any:
    """A matrix whose eigenvalues and singular values are far apart."""
    x = ops.mul(_square(g).value, np.float32(0.25))
    if symmetric:
        x = ops.add(x, ops.transpose(x, permutation=(1, 0)))
    return ops.add(x, _diagonal(2.0, 3.0))


def _rhs(g: Draft) -> Any:
    return g.within(g.like(g.real(1, dtype=F32), (3, 2)), -4, 4).value


@recipe("cholesky")
def _cholesky(g: Draft) -> None:
    x = ops.mul(_square(g).value, np.float32(0.5))
    whole = ops.add(ops.add(x, ops.transpose(x, permutation=(1, 0))), _diagonal(4.0, 0.0))
    g.keep(ops.cholesky(whole), -3, 3)


@recipe("triangular_solve")
def _triangular_solve(g: Draft) -> None:
    left = not g.chance(30)
    b = _rhs(g) if left else ops.transpose(_rhs(g), permutation=(1, 0))
    value = ops.triangular_solve(
        _regular(g), b, left_side=left, lower=g.chance(50), transpose_a=g.chance(30),
        unit_diagonal=g.chance(20),
    )  # fmt: skip
    g.keep(value, -12, 12)


@recipe("solve", "lu", "lu_solve", "stop_gradient")
def _solve(g: Draft) -> None:
    g.keep(ops.solve(_regular(g), _rhs(g)), -4, 4)


@recipe("lu")
def _lu(g: Draft) -> None:
    packed, _, places = ops.lu(_regular(g))
    g.keep(packed, -4, 4)
    g.keep(places, 0, 2)


@recipe("tridiagonal_solve")
def _tridiagonal_solve(g: Draft) -> None:
    below, above = (g.within(g.like(g.real(dtype=F32), (3,)), -1, 1).value for _ in range(2))
    middle = g.within(g.like(g.real(dtype=F32), (3,)), 3, 4).value
    g.keep(ops.tridiagonal_solve(below, middle, above, _rhs(g)), -4, 4)


@recipe("det", "det", "slogdet", "adjugate")
def _det(g: Draft) -> None:
    x = _regular(g)
    choice = g.integer(0, 2)
    if choice == 0:
        g.keep(ops.mul(ops.det(x), np.float32(0.125)), 0, 8)
    elif choice == 1:
        g.keep(ops.slogdet(x)[1], 2, 5)
    else:
        g.keep(ops.adjugate(x), -20, 20)


@recipe("qr")
def _qr(g: Draft) -> None:
    q, r = ops.qr(_regular(g))
    g.keep(q, -1, 1)
    g.keep(r, -5, 5)


@recipe("geqrf", differentiable=False)
def _geqrf(g: Draft) -> None:
    g.keep(ops.geqrf(_regular(g))[0], -5, 5)


@recipe("svd", "svd", "singular_values")
def _svd(g: Draft) -> None:
    x = _apart(g, False)
    if g.chance(50):
        u, s, vh = ops.svd(x)
        g.keep(ops.abs(u), 0, 1)
        g.keep(ops.abs(vh), 0, 1)
    else:
        s = ops.singular_values(x)
    g.keep(s, 0, 11)


@recipe("eigh")
def _eigh(g: Draft) -> None:
    values, vectors = ops.eigh(_apart(g, True))
    g.keep(values, 0, 11)
    g.keep(ops.abs(vectors), 0, 1)


@recipe("eig", "eig", "eigenvalues")
def _eig(g: Draft) -> None:
    x = _apart(g, False)
    if g.chance(50):
        values, vectors = ops.eig(x)
        g.keep(ops.abs(vectors), 0, 1)
    else:
        values = ops.eigenvalues(x)
    g.keep(ops.real_part(values), 0, 11)


@recipe("schur", differentiable=False)
def _schur(g: Draft) -> None:
    triangle, _ = ops.schur(_apart(g, True))
    g.keep(ops.abs(triangle), 0, 12)


@recipe("pinv")
def _pinv(g: Draft) -> None:
    g.keep(ops.pinv(_apart(g, False), np.float32(1e-5)), -1, 1)
