"""Bessel functions and spherical harmonics."""

from __future__ import annotations

import math
from typing import Any

import numpy

import fn.numpy as np
from fn import ops
from fn.control import custom_jvp, scan
from fn.core import ArgumentError, Tracer, is_integer, public, type_of
from fn.scipy._arguments import floats, whole
from fn.xla import fused


@fused()
def i0(x: Any) -> Any:
    """The modified Bessel function of order 0.

    >>> from fn.scipy import special
    >>> round(float(special.i0(1.0)), 4)
    1.2661
    """
    (x,) = floats("i0", x)
    return np.exp(np.abs(x)) * ops.bessel_i0e(x)


@fused()
def i0e(x: Any) -> Any:
    """`exp(-|x|) i0(x)`, which does not overflow.

    >>> from fn.scipy import special
    >>> round(float(special.i0e(1.0)), 4)
    0.4658
    """
    (x,) = floats("i0e", x)
    return ops.bessel_i0e(x)


@fused()
def i1(x: Any) -> Any:
    """The modified Bessel function of order 1.

    >>> from fn.scipy import special
    >>> round(float(special.i1(1.0)), 4)
    0.5652
    """
    (x,) = floats("i1", x)
    return np.exp(np.abs(x)) * ops.bessel_i1e(x)


@fused()
def i1e(x: Any) -> Any:
    """`exp(-|x|) i1(x)`, which does not overflow.

    >>> from fn.scipy import special
    >>> round(float(special.i1e(1.0)), 4)
    0.2079
    """
    (x,) = floats("i1e", x)
    return ops.bessel_i1e(x)


@fused("v", "n_iter")
def bessel_jn(z: Any, *, v: int, n_iter: int = 50) -> Any:
    """The Bessel functions of the first kind of the orders from 0 to `v`.

    Args:
        z: real array, of values well below `n_iter`.
        v: the largest order.
        n_iter: where the recurrence starts that runs from high orders to low ones (J. Miller, 1952).

    Returns:
        Array (v + 1, *z.shape).

    >>> from fn.scipy import special
    >>> [round(float(j), 4) for j in special.bessel_jn(1.0, v=2)]
    [0.7652, 0.4401, 0.1149]
    """
    (z,) = floats("bessel_jn", z)
    v = whole("bessel_jn", "v", v)
    return _bessel(np.asarray(z), v, max(whole("bessel_jn", "n_iter", n_iter, 1), v + 1))


def _orders(z: Any, v: int, n_iter: int) -> Any:
    nothing = z == 0
    z = np.where(nothing, 1.0, z)
    large = z.dtype.type(2.0**40)

    def step(carry: Any, k: Any) -> Any:
        above, here, total, scalings = carry
        below = 2.0 * (k + 1.0) * here / z - above
        total = total + np.where(np.remainder(k, 2.0) == 0, 2.0 * below, 0.0)
        # Kept from overflowing; what was found before is smaller then by as much.
        over = np.abs(below) > large
        scale = np.where(over, 1.0 / large, 1.0)
        scalings = scalings + np.astype(over, z.dtype)
        return (here * scale, below * scale, total * scale, scalings), (below * scale, scalings)

    zeros, ones = np.zeros_like(z), np.ones_like(z)
    orders = np.arange(n_iter, -1, -1, dtype=z.dtype)
    carry, (found, when) = scan(step, (zeros, ones, zeros, zeros), orders)
    found, when = np.flip(found, 0)[: v + 1], np.flip(when, 0)[: v + 1]
    total = carry[2] - found[0]
    found = found * np.power(1.0 / large, carry[3] - when) / total
    first = np.astype(np.arange(v + 1) == 0, z.dtype).reshape((v + 1,) + (1,) * z.ndim)
    return np.where(nothing, first, found)


_bessel = custom_jvp(_orders, nondiff_argnums=(1, 2))


@_bessel.defjvp
def _bessel_jvp(v: int, n_iter: int, primals: Any, tangents: Any) -> Any:
    (z,), (t,) = primals, tangents
    found = _bessel(z, v + 1, n_iter)
    below = np.concatenate([-found[1:2], found[:-2]]) if v else -found[1:2]
    return found[:-1], 0.5 * (below - found[1:]) * t


@fused("n_max")
def _harmonics(n: Any, m: Any, theta: Any, phi: Any, n_max: int) -> Any:
    n, m, theta, phi = np.broadcast_arrays(n, m, *floats("sph_harm_y", theta, phi))
    size = np.abs(m)
    legendre = _legendre(n_max, np.cos(theta), np.sin(theta))
    places = np.meshgrid(*[np.arange(k) for k in n.shape], indexing="ij")
    value = legendre[(np.astype(n, int), np.astype(size, int), *places)]
    value = np.where(size > n, 0.0, value)
    angle = np.astype(size, theta.dtype) * phi
    found = value * np.cos(angle) + 1j * (value * np.sin(angle))
    odd = np.remainder(size, 2) == 1
    return np.where(m < 0, np.where(odd, -np.conj(found), np.conj(found)), found)


def _legendre(n_max: int, cosine: Any, sine: Any) -> Any:
    """Associated Legendre functions, normalized, for all degrees and orders: (degree, order, ...)."""
    dtype = cosine.dtype
    m = numpy.arange(n_max + 1)
    # Along the diagonal, degree = order.
    diagonal = [np.full(cosine.shape, dtype.type(0.5 / math.sqrt(math.pi)))]
    for k in range(1, n_max + 1):
        diagonal.append(diagonal[-1] * sine * -math.sqrt(1 + 0.5 / k))
    start = np.stack(diagonal)
    rows = [np.where(_column(m == 0, start), start, 0.0)]
    before = np.zeros_like(start)
    for degree in range(1, n_max + 1):
        inner = m < degree
        low = numpy.where(inner, m, 0)
        a = numpy.sqrt((4 * degree**2 - 1) / (degree**2 - low**2))
        b = numpy.sqrt(
            numpy.maximum((degree - 1) ** 2 - low**2, 0) / (4 * (degree - 1) ** 2 - 1 or 1)
        )
        step = _column(a.astype(dtype), start) * (
            cosine * rows[-1] - _column(b.astype(dtype), start) * before
        )
        before = rows[-1]
        row = np.where(_column(inner, start), step, 0.0)
        rows.append(np.where(_column(m == degree, start), start, row))
    return np.stack(rows)


def _column(values: Any, like: Any) -> Any:
    return np.asarray(values).reshape((-1,) + (1,) * (like.ndim - 1))


@public
def sph_harm_y(
    n: Any, m: Any, theta: Any, phi: Any, diff_n: int | None = None, n_max: int | None = None
) -> Any:
    """The spherical harmonic of degree `n` and order `m`, normalized, with the Condon-Shortley phase.

    Args:
        n: degrees, integers.
        m: orders, integers from -n to n.
        theta: polar angle, from 0 to pi.
        phi: azimuthal angle.
        diff_n: not taken: differentiate with fn.jacfwd.
        n_max: the largest degree; by default that of `n`, which has to be known then.

    Returns:
        Complex array of the arguments' shape together.

    >>> from fn.scipy import special
    >>> round(float(special.sph_harm_y(0, 0, 0.3, 0.4).real), 4)
    0.2821
    """
    if diff_n is not None:
        raise ArgumentError(
            "sph_harm_y: diff_n= is not taken", expected="None", got=repr(diff_n),
            fix="differentiate with fn.jacfwd",
        )  # fmt: skip
    kinds = [type_of(k) for k in (n, m)]
    if any(k is None or not is_integer(k.dtype) for k in kinds):
        raise ArgumentError(
            "sph_harm_y: degrees and orders are no integers", expected="integers",
            got=", ".join(map(str, kinds)),
        )  # fmt: skip
    if n_max is None:
        if isinstance(n, Tracer):
            raise ArgumentError(
                "sph_harm_y: the largest degree is not known while tracing", expected="n_max",
                got="None", fix="sph_harm_y(n, m, theta, phi, n_max=largest)",
            )  # fmt: skip
        n_max = int(numpy.max(n))
    return _harmonics(n, m, theta, phi, whole("sph_harm_y", "n_max", n_max))
