"""Elementwise functions defined by integrals: exponential, sine, Fresnel, Dawson's, the normal distribution's.

Values are JAX's, whose lowering is borrowed; derivatives are closed formulas, which hold in any order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fn.core import Primitive, is_complex, is_float, is_inexact
from fn.ops._elementwise import (
    abs,
    add,
    div,
    eq,
    logical_and,
    lt,
    make_complex,
    mul,
    neg,
    select,
    sub,
)
from fn.ops._gamma import borrowed, digamma
from fn.ops._special import cos, erf, exp, log, log1p, sin, square
from fn.ops._table import Binary, Unary, binary_op, like, nary, unary_op

jsp = jax.scipy.special


def wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """A lowering from JAX that computes half precision in single precision."""

    def compute(*args: Any) -> Any:
        dtype = args[0].dtype
        if dtype.itemsize >= 4:
            return function(*args)
        return function(*[a.astype(np.float32) for a in args]).astype(dtype)

    return borrowed(compute)


def _row(name: str, function: Callable[..., Any], *jvp: Any, kind: Any = is_float) -> Primitive:
    return nary(name, name, kind=kind, lower=wide(function), jvp=jvp)


# --- products with logarithms -----------------------------------------------------------


def _where_both(x: Any, y: Any, at: float) -> Any:
    """`y`, and 1 where it is `at` while `x` is 0."""
    return select(logical_and(eq(x, like(0.0, x)), eq(y, like(at, y))), like(1.0, y), y)


def _x_log(log_of: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def product(x: Any, y: Any) -> Any:
        empty = (x == 0) & ~jax.numpy.isnan(y)
        return jax.numpy.where(empty, jax.numpy.zeros_like(x), x * log_of(y))

    return product


xlogy_p = _row(
    "xlogy", _x_log(jax.numpy.log),
    lambda t, out, x, y: mul(t, log(y)),
    lambda t, out, x, y: mul(t, div(x, _where_both(x, y, 0.0))), kind=is_inexact,
)  # fmt: skip
xlogy = binary_op(xlogy_p, "`x log(y)`, and 0 where `x` is 0.")
xlog1py_p = _row(
    "xlog1py", _x_log(jax.numpy.log1p),
    lambda t, out, x, y: mul(t, log1p(y)),
    lambda t, out, x, y: mul(t, div(x, add(_where_both(x, y, -1.0), like(1.0, y)))), kind=is_inexact,
)  # fmt: skip
xlog1py = binary_op(xlog1py_p, "`x log(1 + y)`, and 0 where `x` is 0.")

betaln_p = _row(
    "betaln", jsp.betaln,
    lambda t, out, a, b: mul(t, sub(digamma(a), digamma(add(a, b)))),
    lambda t, out, a, b: mul(t, sub(digamma(b), digamma(add(a, b)))),
)  # fmt: skip
betaln = binary_op(
    betaln_p, "Logarithm of the beta function of `x` and `y`, accurate for large ones."
)


# --- exponential integrals --------------------------------------------------------------

expi_p = _row("expi", jsp.expi, lambda t, out, x: mul(t, div(exp(x), x)))
expi = unary_op(expi_p, "Exponential integral Ei: of `e ** t / t` up to `x`.")
exp1_p = _row("exp1", jsp.exp1, lambda t, out, x: mul(t, neg(div(exp(neg(x)), x))))
exp1 = unary_op(exp1_p, "Exponential integral E1: of `e ** -t / t` from `x` on.")


def _expn_jvp(t: Any, out: Any, n: Any, x: Any) -> Any:
    # E0 is elementary, and E-1 its negative derivative.
    first = eq(n, like(0.0, n))
    last = div(mul(exp(neg(x)), add(x, like(1.0, x))), square(x))
    order = select(first, like(1.0, n), n)
    return neg(mul(t, select(first, last, expn(sub(order, like(1.0, n)), x))))


def _expn(n: Any, x: Any) -> Any:
    # JAX has 1 / n at 0.
    ends = (x == 0) & (n > 1)
    return jax.numpy.where(ends, 1 / jax.numpy.where(ends, n - 1, 1), jsp.expn(n, x))


expn_p: Primitive = _row("expn", _expn, None, _expn_jvp)
expn: Binary = binary_op(expn_p, "Exponential integral of order `x`, a whole number, at `y`.")


# --- sine and Fresnel integrals ---------------------------------------------------------


def _sinc(x: Any) -> Any:
    """`sin(x) / x`, smooth at 0."""
    near = lt(abs(x), like(0.05, x))
    safe, s = select(near, like(1.0, x), x), square(select(near, x, like(0.0, x)))
    series = sub(1.0, mul(div(s, 6.0), sub(1.0, mul(div(s, 20.0), sub(1.0, div(s, 42.0))))))
    return select(near, series, div(sin(safe), safe))


sine_integral_p = _row(
    "sine_integral", lambda x: jsp.sici(x)[0], lambda t, out, x: mul(t, _sinc(x))
)
sine_integral = unary_op(sine_integral_p, "Integral of `sin(t) / t` from 0 to `x`.")
cosine_integral_p = _row(
    "cosine_integral", lambda x: jsp.sici(x)[1], lambda t, out, x: mul(t, div(cos(x), x))
)
cosine_integral = unary_op(
    cosine_integral_p, "Negative integral of `cos(t) / t` from `|x|` to infinity."
)
fresnel_sine_p = _row(
    "fresnel_sine", lambda x: jsp.fresnel(x)[0],
    lambda t, out, x: mul(t, sin(mul(square(x), math.pi / 2))),
)  # fmt: skip
fresnel_sine = unary_op(fresnel_sine_p, "Integral of `sin(pi t ** 2 / 2)` from 0 to `x`.")
fresnel_cosine_p = _row(
    "fresnel_cosine", lambda x: jsp.fresnel(x)[1],
    lambda t, out, x: mul(t, cos(mul(square(x), math.pi / 2))),
)  # fmt: skip
fresnel_cosine = unary_op(fresnel_cosine_p, "Integral of `cos(pi t ** 2 / 2)` from 0 to `x`.")


# --- dilogarithm ------------------------------------------------------------------------


def _spence_jvp(t: Any, out: Any, x: Any) -> Any:
    d = sub(x, 1.0)
    near = lt(abs(d), like(1e-3, d))
    far, close = select(near, like(1.0, d), d), select(near, d, like(0.0, d))
    series = sub(0.2, div(close, 6.0))
    for k in (4, 3, 2, 1):
        series = sub(1.0 / k, mul(close, series))
    return neg(mul(t, select(near, series, div(log(select(near, like(2.0, x), x)), far))))


spence_p = _row("spence", jsp.spence, _spence_jvp)
spence = unary_op(spence_p, "Dilogarithm: integral of `log(t) / (1 - t)` from 1 to `x`.")


# --- error function ---------------------------------------------------------------------

_ROOT = 2 / math.sqrt(math.pi)

erfcx_p: Primitive = _row(
    "erfcx", jsp.erfcx, lambda t, out, x: mul(t, sub(mul(mul(x, 2.0), out), _ROOT))
)
erfcx = unary_op(erfcx_p, "`e ** (x ** 2) erfc(x)`, which does not underflow.")
dawsn_p = _row("dawsn", jsp.dawsn, lambda t, out, x: mul(t, sub(1.0, mul(mul(x, 2.0), out))))
dawsn = unary_op(
    dawsn_p, "Dawson's integral: `e ** -(x ** 2)` times that of `e ** (t ** 2)` from 0."
)
wofz_p = nary(
    "wofz", "wofz", kind=is_complex, lower=borrowed(jsp.wofz),
    jvp=(lambda t, out, z: mul(t, sub(make_complex(*_parts(z)), mul(mul(z, 2.0), out))),),
)  # fmt: skip
wofz = unary_op(wofz_p, "Faddeeva function `e ** -(x ** 2) erfc(-i x)`, of complex numbers.")


def _parts(z: Any) -> tuple[Any, Any]:
    """The real and imaginary part of `2 i / sqrt(pi)`, as arrays."""
    part = np.finfo(z.dtype).dtype
    return part.type(0), part.type(_ROOT)


# --- normal distribution ----------------------------------------------------------------

ndtri_p = _row(
    "ndtri", jsp.ndtri,
    lambda t, out, p: mul(t, mul(exp(mul(square(out), 0.5)), math.sqrt(2 * math.pi))),
)  # fmt: skip
ndtri = unary_op(ndtri_p, "Quantile of the normal distribution.")


def _inverse_mills(x: Any) -> Any:
    jnp = jax.numpy
    low = x < -1.0
    # e ** (-x ** 2 / 2) and the share both underflow on the left.
    left = math.sqrt(2 / math.pi) / jsp.erfcx(jnp.where(low, -x, 1.0) / math.sqrt(2))
    right = jnp.where(low, 0.0, x)
    density = jnp.exp(-0.5 * right**2) / math.sqrt(2 * math.pi)
    return jnp.where(low, left, density / (0.5 * jax.lax.erfc(-right / math.sqrt(2))))


inverse_mills_p: Primitive = _row(
    "inverse_mills", _inverse_mills, lambda t, out, x: neg(mul(t, mul(out, add(x, out))))
)
inverse_mills: Unary = unary_op(
    inverse_mills_p, "Density of the normal distribution by its distribution function."
)
log_ndtr_p = _row("log_ndtr", jsp.log_ndtr, lambda t, out, x: mul(t, inverse_mills(x)))
log_ndtr = unary_op(log_ndtr_p, "Logarithm of the normal distribution function.")

owens_t_p = _row(
    "owens_t", jsp.owens_t,
    lambda t, out, h, a: mul(
        t, mul(mul(exp(mul(square(h), -0.5)), erf(mul(mul(a, h), math.sqrt(0.5)))), -0.5 / math.sqrt(2 * math.pi))
    ),
    lambda t, out, h, a: mul(
        t, div(exp(mul(mul(add(square(a), 1.0), square(h)), -0.5)), mul(add(square(a), 1.0), 2 * math.pi))
    ),
)  # fmt: skip
owens_t = binary_op(
    owens_t_p, "Owen's T: the chance of a normal `u > x` with another in `(0, y u)`."
)
