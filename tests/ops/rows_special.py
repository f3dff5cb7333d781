"""Rows for `fn/ops/_special.py` and `fn/ops/_gamma.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from fn.core import Primitive
from fn.ops import _gamma as g
from fn.ops import _special as s
from tests.ops.row import Row, floats, ints

BF16 = ml_dtypes.bfloat16
A, B = floats(2, 3, seed=21), floats(2, 3, seed=22)
POSITIVE, ABOVE = floats(2, 3, seed=23, low=0.3, high=3), floats(2, 3, seed=24, low=1.2, high=4)
INSIDE = floats(2, 3, seed=25, low=-0.9, high=0.9)
AWAY = POSITIVE * np.array([-1, 1, -1], np.float32)
UNIT = floats(2, 3, seed=26, low=0.1, high=0.9)
Z = (floats(4, seed=27, low=-1.5, high=1.5) + 1j * floats(4, seed=28, low=0.2, high=1.5)).astype(
    np.complex64
)
W = (floats(4, seed=29) + 1j * floats(4, seed=30)).astype(np.complex64)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0, 3e38], np.float32)


def row(
    primitive: Primitive, name: str, function: Callable[..., Any], reference: Callable[..., Any],
    *args: Any, wrt: tuple[int, ...] | None = None, rtol: float = 1e-5,
) -> Row:  # fmt: skip
    """A row, differentiable in all its arguments unless `wrt` says otherwise."""
    differentiable = tuple(range(len(args))) if wrt is None else wrt
    return Row(primitive, name, function, args, reference, differentiable, rtol)


def functions(
    primitive: Primitive, function: Callable[..., Any], reference: Callable[..., Any], *args: Any
) -> list[Row]:
    """A row for each example input of a function of one array, named by its dtype and number."""
    names = [f"{x.dtype.name} {i}" for i, x in enumerate(args)]
    return [row(primitive, n, function, reference, x) for n, x in zip(names, args, strict=True)]


def power(exponent: int) -> Callable[[Any], Any]:
    """`integer_pow` with its exponent fixed."""
    return lambda x: s.integer_pow(x, exponent=exponent)


def rounded(
    exponent_bits: int, mantissa_bits: int
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`reduce_precision` with its format fixed, and JAX's."""
    return (
        lambda x: s.reduce_precision(x, exponent_bits=exponent_bits, mantissa_bits=mantissa_bits),
        lambda x: jax.lax.reduce_precision(x, exponent_bits, mantissa_bits),
    )


def zeta(x: Any, q: Any) -> Any:
    """The Hurwitz zeta function as a sum, which for x above 3 soon converges."""
    return jnp.sum((jnp.arange(3000.0)[:, None, None] + q) ** -x, 0)


ROWS: list[Row] = [
    # --- powers and roots ---
    *functions(s.square_p, s.square, jnp.square, A, Z, A.astype(BF16)),
    row(s.square_p, "int32", s.square, jnp.square, ints(3, seed=1), wrt=()),
    *functions(s.sqrt_p, s.sqrt, jnp.sqrt, POSITIVE, Z, POSITIVE.astype(np.float16)),
    *functions(s.rsqrt_p, s.rsqrt, jax.lax.rsqrt, POSITIVE, Z),
    *functions(s.cbrt_p, s.cbrt, jnp.cbrt, POSITIVE, -POSITIVE),
    *[
        row(s.integer_pow_p, f"to the {n}", power(n), lambda x, n=n: x**n, AWAY)
        for n in (0, 2, 3, 7, -1, -2, -3)
    ],
    row(s.integer_pow_p, "complex64", power(3), lambda x: x * x * x, Z),
    row(s.integer_pow_p, "bfloat16", power(2), lambda x: x * x, A.astype(BF16)),
    row(s.integer_pow_p, "int32", power(3), lambda x: x**3, ints(3, seed=2, low=-4), wrt=()),
    row(s.pow_p, "", s.pow, jnp.power, POSITIVE, A),
    row(s.pow_p, "scalar exponent", s.pow, jnp.power, POSITIVE, np.float32(1.7)),
    row(s.pow_p, "scalar base", s.pow, jnp.power, np.float32(1.7), A),
    row(s.pow_p, "python exponent", lambda x: s.pow(x, 2.5), lambda x: x**2.5, POSITIVE),
    row(s.pow_p, "negative base", lambda x: s.pow(x, 3.0), lambda x: x * x * x, A),
    row(s.pow_p, "complex", s.pow, jnp.power, Z, W, rtol=1e-4),
    # --- exponentials and logarithms ---
    *functions(s.exp_p, s.exp, jnp.exp, A, Z, A.astype(BF16), A[0, 0]),
    *functions(s.exp2_p, s.exp2, jnp.exp2, A),
    row(s.exp2_p, "complex", s.exp2, lambda x: jnp.exp(x * np.log(2)), Z),
    row(
        s.exp2_p, "bfloat16", s.exp2, lambda x: jnp.exp2(x.astype(np.float32)).astype(BF16),
        (3 * A).astype(BF16),
    ),
    *functions(s.expm1_p, s.expm1, jnp.expm1, A, A * np.float32(1e-4), Z),
    *functions(s.log_p, s.log, jnp.log, POSITIVE, Z),
    *functions(s.log1p_p, s.log1p, jnp.log1p, POSITIVE, A * np.float32(1e-4), Z),
    *functions(s.logistic_p, s.logistic, jax.nn.sigmoid, A, A * 8, A.astype(BF16)),
    row(s.logistic_p, "complex", s.logistic, lambda x: 1 / (1 + jnp.exp(-x)), Z),
    # --- circular functions ---
    *functions(s.sin_p, s.sin, jnp.sin, A, Z),
    *functions(s.cos_p, s.cos, jnp.cos, A, Z),
    *functions(s.tan_p, s.tan, jnp.tan, INSIDE, Z),
    *functions(s.asin_p, s.asin, jnp.arcsin, INSIDE, Z),
    *functions(s.acos_p, s.acos, jnp.arccos, INSIDE, Z),
    *functions(s.atan_p, s.atan, jnp.arctan, A, Z),
    row(s.atan2_p, "", s.atan2, jnp.arctan2, A, B),
    row(s.atan2_p, "scalar", s.atan2, jnp.arctan2, A, np.float32(0.7)),
    # --- hyperbolic functions ---
    *functions(s.sinh_p, s.sinh, jnp.sinh, A, Z),
    *functions(s.cosh_p, s.cosh, jnp.cosh, A, Z),
    *functions(s.tanh_p, s.tanh, jnp.tanh, A, 3 * A, Z, A.astype(BF16)),
    *functions(s.asinh_p, s.asinh, jnp.arcsinh, A, Z),
    *functions(s.acosh_p, s.acosh, jnp.arccosh, ABOVE),
    # JAX's derivative has the wrong sign left of the imaginary axis.
    row(s.acosh_p, "complex", s.acosh, lambda z: jnp.log(z + jnp.sqrt(z - 1) * jnp.sqrt(z + 1)), Z),
    *functions(s.atanh_p, s.atanh, jnp.arctanh, INSIDE, Z),
    # --- error function ---
    *functions(s.erf_p, s.erf, jax.lax.erf, A, A.astype(BF16)),
    *functions(s.erfc_p, s.erfc, jax.lax.erfc, A),
    *functions(s.erf_inv_p, s.erf_inv, jax.lax.erf_inv, INSIDE),
    # --- floating-point representation ---
    row(s.is_finite_p, "", s.is_finite, jnp.isfinite, SPECIAL, wrt=()),
    row(s.nextafter_p, "", s.nextafter, jnp.nextafter, A, B, wrt=()),
    row(s.nextafter_p, "scalar", s.nextafter, jnp.nextafter, np.float32(0.7), B, wrt=()),
    row(s.reduce_precision_p, "bf16 in f32", *rounded(8, 7), A, wrt=()),
    row(s.reduce_precision_p, "f16 in f32", *rounded(5, 10), A * 1e5, wrt=()),
    row(s.reduce_precision_p, "nothing lost", *rounded(11, 52), A),
    # --- log gamma and its derivatives ---
    *functions(g.lgamma_p, g.lgamma, jax.lax.lgamma, POSITIVE, POSITIVE - np.float32(3.4)),
    *functions(g.digamma_p, g.digamma, jax.lax.digamma, POSITIVE),
    row(
        g.polygamma_p, "", g.polygamma, jax.lax.polygamma,
        ints(2, 3, seed=3, high=4).astype(np.float32), POSITIVE, wrt=(1,), rtol=1e-4,
    ),
    row(g.polygamma_p, "scalar order", lambda x: g.polygamma(1.0, x),
        lambda x: jax.lax.polygamma(jnp.ones_like(x), x), POSITIVE, rtol=1e-4),
    row(g.zeta_p, "", g.zeta, zeta, ABOVE + 2, POSITIVE, rtol=1e-4),
    # --- Bessel functions ---
    *functions(g.bessel_i0e_p, g.bessel_i0e, jax.lax.bessel_i0e, A),
    *functions(g.bessel_i1e_p, g.bessel_i1e, jax.lax.bessel_i1e, A),
]  # fmt: skip
