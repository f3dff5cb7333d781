"""Counts: Poisson, binomial, multinomial. They have no derivatives by the parameters: these are zero."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy

import fn.numpy as np
from fn.control import scan, while_loop
from fn.core import ArgumentError, canonical_dtype, type_of
from fn.ops import erfc, lgamma, random_clone, stop_gradient, threefry_split
from fn.random._arguments import (
    Sizes,
    choose,
    float_dtype,
    inexact_dtype,
    integer_dtype,
    joint_shape,
    parameter,
    sampler,
)
from fn.random._keys import Shape, as_key, as_shape
from fn.random._normal import normals
from fn.random._uniform import keys_of, two_keys, unit_interval

_F32 = numpy.dtype(numpy.float32)


# --- poisson ----------------------------------------------------------------------------
@sampler("shape", "dtype", "method")
def poisson(
    key: Any, lam: Any, shape: Shape | None = None, dtype: Any = None, *, method: str = "exact"
) -> Any:
    """Counts drawn from the Poisson distribution.

    Args:
        key: a key.
        lam: the mean, not negative; broadcasts to `shape`.
        shape: of the result; None takes that of `lam`.
        dtype: an integer dtype.
        method: "exact", or "approximate": a function of one normal number, faster on accelerators.

    Small means by counting exponential times (Knuth), large ones by transformed rejection (W. Hörmann,
    "The transformed rejection method for generating Poisson random variables", 1993).

    >>> import fn
    >>> x = fn.random.poisson(fn.random.key(0), 4.0, (1000,))
    >>> round(float(x.mean()))
    4
    """
    kind, sizes = integer_dtype("poisson", dtype), joint_shape("poisson", shape, lam)
    key = as_key("poisson", key)
    if choose("poisson", "method", method, "exact", "approximate") == "approximate":
        found = type_of(lam)
        wide = kind.itemsize > 4 or (found is not None and found.dtype == numpy.float64)
        floats = canonical_dtype(numpy.float64 if wide else numpy.float32)
        lam = stop_gradient(parameter("poisson", "lam", lam, floats, sizes))
        return np.astype(_poisson_of_normal(normals(key, sizes, floats), lam), kind)
    lam = stop_gradient(parameter("poisson", "lam", lam, _F32, sizes, whole=True))
    small = np.isnan(lam) | (lam < 10.0)
    most = int(ml_dtypes.iinfo(kind).max)
    few = _poisson_by_times(key, np.where(small, lam, 0.0), kind, most)
    # Both see the same key, as only one of them counts for each element.
    many = _poisson_by_rejection(random_clone(key), np.where(small, 1e5, lam), kind, most)
    return np.where(lam == 0.0, kind.type(0), np.where(small, few, many))


def _poisson_by_times(key: Any, lam: Any, kind: numpy.dtype[Any], most: int) -> Any:
    def step(state: Any) -> Any:
        i, k, key, log_product = state
        key, subkey = two_keys(key)
        k = np.where(log_product > -lam, k + kind.type(1), k)
        return i + 1, k, key, log_product + np.log(unit_interval(subkey, lam.shape, _F32))

    def going(state: Any) -> Any:
        return np.any(state[3] > -lam) & (state[0] < most)

    start = (np.zeros((), int), np.zeros(lam.shape, kind), key, np.zeros(lam.shape, _F32))
    return while_loop(going, step, start)[1] - kind.type(1)


def _poisson_by_rejection(key: Any, lam: Any, kind: numpy.dtype[Any], most: int) -> Any:
    log_lam = np.log(lam)
    b = 0.931 + 2.53 * np.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inv_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2.0)

    def step(state: Any) -> Any:
        i, found, accepted, key = state
        key, first, second = keys_of(key, 3)
        u = unit_interval(first, lam.shape, _F32) - 0.5
        v = unit_interval(second, lam.shape, _F32)
        inner = 0.5 - np.abs(u)
        k = np.floor((2.0 * a / inner + b) * u + lam + 0.43)
        s = np.log(v * inv_alpha / (a / (inner * inner) + b))
        t = -lam + k * log_lam - lgamma(k + 1.0)
        surely = (inner >= 0.07) & (v <= v_r)
        reject = (k < 0.0) | ((inner < 0.013) & (v > inner))
        accept = surely | (~reject & (s <= t))
        return i + 1, np.where(accept, k, found), accepted | accept, key

    def going(state: Any) -> Any:
        return np.any(~state[2]) & (state[0] < most)

    start = (np.zeros((), int), np.full(lam.shape, -1.0, _F32), np.zeros(lam.shape, bool), key)
    return np.astype(while_loop(going, step, start)[1], kind)


# Below it by inverting the distribution function, in so many terms.
_FEW, _TERMS = 7.0, 20


def _poisson_of_normal(z: Any, lam: Any) -> Any:
    """Counts as a monotone function of normal numbers."""
    share = 0.5 * erfc(-z * numpy.sqrt(0.5))
    term = np.exp(-lam)
    total = term
    count = np.astype(total < share, z.dtype)
    for k in range(1, _TERMS - 1):
        term = term * (lam / k)
        total = total + term
        count = count + np.astype(total < share, z.dtype)
    return np.where(lam < _FEW, count, _poisson_by_quantiles(z, lam))


def _poisson_by_quantiles(z: Any, lam: Any) -> Any:
    """D. Peizer and J. Pratt, "A normal approximation for binomial, F, beta, and other tail probabilities", 1968."""
    s = np.sqrt(lam)
    root = lam + s * z - 2 / 3 + np.square(z) / 6.0 + z * (1.0 - np.square(z)) / (72.0 * s)
    c = np.ceil(root + 0.6)

    def reached(c: Any) -> Any:
        at = np.where(c < 0.0, -numpy.inf, _peizer_pratt(np.maximum(c, 0.0), lam))
        return np.astype(at >= z, z.dtype)

    return np.maximum(c + 1.0 - reached(c) - reached(c - 1.0), 0.0)


def _peizer_pratt(x: Any, lam: Any) -> Any:
    y = (x + 0.5) / lam
    d = y - 1.0
    near = np.abs(d) < 0.25
    series = np.zeros_like(d)
    for k in range(9, 0, -1):
        series = d * (2.0 * (-1) ** k / ((k + 1) * (k + 2)) + series)
    safe, distance = np.where(near, 2.0, y), np.where(near, 1.0, d)
    direct = (1.0 - np.square(safe) + 2.0 * safe * np.log(safe)) / np.square(distance)
    t = np.where(near, series, direct)
    return (x - lam + 2 / 3 + 0.02 / (x + 1.0)) * np.sqrt((1.0 + t) / lam)


# --- binomial ---------------------------------------------------------------------------
@sampler("shape", "dtype")
def binomial(key: Any, n: Any, p: Any, shape: Shape | None = None, dtype: Any = None) -> Any:
    """How many of `n` coins show what each shows with probability `p`.

    Args:
        key: a key.
        n: number of coins; broadcasts to `shape`. The result is NaN where it is negative or NaN.
        p: probability; broadcasts to `shape`. The result is NaN where it is outside of [0, 1].
        shape: of the result; None takes that of the parameters.
        dtype: a floating dtype.

    Few expected successes by counting waiting times, many by transformed rejection (W. Hörmann, "The
    generation of binomial random variates", 1993).

    >>> import fn
    >>> x = fn.random.binomial(fn.random.key(0), 10, 0.5, (1000,))
    >>> round(float(x.mean()))
    5
    """
    sizes = joint_shape("binomial", shape, n, p)
    return _binomial("binomial", key, n, p, sizes, float_dtype("binomial", dtype))


def _binomial(
    operation: str, key: Any, n: Any, p: Any, sizes: Sizes, kind: numpy.dtype[Any]
) -> Any:
    floats = inexact_dtype(operation, p)
    n = stop_gradient(parameter(operation, "n", n, floats, sizes, whole=True))
    p = stop_gradient(parameter(operation, "p", p, floats, sizes, whole=True))
    key = as_key(operation, key)
    less = p < 0.5
    q = np.where(less, p, 1.0 - p)
    bad_n, bad_q, endless = np.isnan(n) | (n < 0.0), np.isnan(q) | (q < 0.0), np.isinf(n)
    unknown = np.isnan(q)
    q = np.where(bad_q, 0.01, q)
    few = bad_n | (n * q <= 10.0)
    n = np.floor(n)
    most = float(ml_dtypes.finfo(kind).max)
    by_times = _binomial_by_times(key, np.where(few, n, 0.0), q, kind, most)
    # Both see the same key, as only one of them counts for each element.
    by_rejection = _binomial_by_rejection(
        random_clone(key), np.where(few, 1e4, n), np.where(few, 0.5, q), kind, most
    )
    found = np.where(few, by_times, by_rejection)
    found = np.where(bad_q | bad_n, numpy.nan, found)
    found = np.where(endless & ~(bad_q | bad_n), numpy.inf, found)
    mirrored = np.astype(n, kind) - found
    return np.astype(np.where(less | bad_n | unknown | endless, found, mirrored), kind)


def _binomial_by_times(key: Any, n: Any, p: Any, kind: numpy.dtype[Any], most: float) -> Any:
    log_rest = np.log1p(-p)

    def step(state: Any) -> Any:
        i, count, total, key = state
        subkey, key = two_keys(key)
        count = np.where(total <= n, count + 1.0, count)
        wait = np.ceil(np.log(unit_interval(subkey, p.shape, p.dtype)) / log_rest)
        return i + 1, count, total + wait, key

    def going(state: Any) -> Any:
        return np.any(state[2] <= n) & (state[0] < most)

    zeros = np.zeros(p.shape, p.dtype)
    return np.astype(while_loop(going, step, (np.zeros((), int), zeros, zeros, key))[1] - 1.0, kind)


def _binomial_by_rejection(key: Any, n: Any, p: Any, kind: numpy.dtype[Any], most: float) -> Any:
    deviation = np.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = n * p + 0.5
    v_r = 0.92 - 4.2 / b
    r = p / (1.0 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    m = np.floor((n + 1.0) * p)

    def step(state: Any) -> Any:
        i, found, accepted, key = state
        key, first, second = keys_of(key, 3)
        u = unit_interval(first, p.shape, p.dtype) - 0.5
        v = unit_interval(second, p.shape, p.dtype)
        us = 0.5 - np.abs(u)
        surely = (us >= 0.07) & (v <= v_r)
        k = np.floor((2.0 * a / us + b) * u + c)
        reject = (k < 0.0) | (k > n)
        v = np.log(v * alpha / (a / (us * us) + b))
        bound = (
            (m + 0.5) * np.log((m + 1.0) / (r * (n - m + 1.0)))
            + (n + 1.0) * np.log((n - m + 1.0) / (n - k + 1.0))
            + (k + 0.5) * np.log(r * (n - k + 1.0) / (k + 1.0))
            + _stirling_rest(m) + _stirling_rest(n - m) - _stirling_rest(k) - _stirling_rest(n - k)
        )  # fmt: skip
        accept = surely | (~reject & (v <= bound))
        return i + 1, np.where(accept, k, found), accepted | accept, key

    def going(state: Any) -> Any:
        return np.any(~state[2]) & (state[0] < most)

    start = (np.zeros((), int), np.full(p.shape, -1.0, p.dtype), np.zeros(p.shape, bool), key)
    return np.astype(while_loop(going, step, start)[1], kind)


# What Stirling's formula lacks of the logarithm of k!, for k from 0 to 9.
_RESTS = (
    0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509,
    0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.010411265261972,
    0.00925546218271273, 0.00833056343336287,
)  # fmt: skip


def _stirling_rest(k: Any) -> Any:
    # Above 9 it is taken at 9, as in JAX, whose bits these are: a millionth of the logarithm compared.
    table = np.array(_RESTS, dtype=k.dtype)
    small, known = k <= 9.0, np.clip(k, 0.0, 9.0)
    square = (known + 1.0) * (known + 1.0)
    series = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (known + 1.0)
    return np.where(small, table[np.astype(np.floor(known), int)], series)


# --- multinomial ------------------------------------------------------------------------
@sampler("shape", "dtype", "unroll")
def multinomial(
    key: Any,
    n: Any,
    p: Any,
    *,
    shape: Shape | None = None,
    dtype: Any = None,
    unroll: int | bool = 1,
) -> Any:
    """How `n` things fall into bins, each into bin `i` with probability `p[..., i]`.

    Args:
        key: a key.
        n: number of things; broadcasts to the leading axes.
        p: probabilities, an array (…, bins).
        shape: of the result without its last axis; None takes the leading axes of `p`.
        dtype: of the result; by default that of the parameters, floating.
        unroll: as in `fn.scan`, over the bins.

    Returns:
        Array (*shape, bins).

    >>> import fn, fn.numpy as np
    >>> x = fn.random.multinomial(fn.random.key(0), 10, np.array([0.2, 0.3, 0.5]))
    >>> float(x.sum())
    10.0
    """
    floats, found = inexact_dtype("multinomial", n, p), type_of(p)
    if found is None or found.ndim < 1:
        raise ArgumentError(
            "random.multinomial: p has no axis of bins", expected="an array (..., bins)",
            got=str(found or type(p).__name__),
        )  # fmt: skip
    batch = found.shape[:-1] if shape is None else as_shape("multinomial", shape)
    n = stop_gradient(parameter("multinomial", "n", n, floats, batch, whole=True))
    p = parameter("multinomial", "p", p, floats, (*batch, found.shape[-1]))
    p = np.moveaxis(stop_gradient(p), -1, 0)
    left = np.flip(np.cumsum(np.flip(p, 0), axis=0), 0)
    ratios = np.clip(p / np.where(left == 0.0, 1.0, left), 0.0, 1.0)
    keys = threefry_split(as_key("multinomial", key), shape=(ratios.shape[0],))

    def draw(remainder: Any, inputs: Any) -> Any:
        ratio, key = inputs
        count = _binomial("multinomial", key, remainder, ratio, batch, floats)
        return remainder - count, count

    _, counts = scan(draw, n, (ratios, keys), unroll=unroll)
    return np.astype(np.moveaxis(counts, 0, -1), floats if dtype is None else dtype)
