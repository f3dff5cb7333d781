"""Rows for `fn/ops/_integrals.py`, `_incomplete.py` and `_hypergeometric.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from fn.core import Primitive, bind
from fn.ops import _hypergeometric as h
from fn.ops import _incomplete as g
from fn.ops import _integrals as s
from tests.ops.row import Row, floats

jsp = jax.scipy.special
A, B = floats(2, 3, seed=21), floats(2, 3, seed=22)
POSITIVE, ABOVE = floats(2, 3, seed=23, low=0.3, high=3), floats(2, 3, seed=24, low=1.2, high=4)
UNIT = floats(2, 3, seed=26, low=0.1, high=0.9)
Z = (floats(4, seed=27, low=-1.5, high=1.5) + 1j * floats(4, seed=28, low=0.2, high=1.5)).astype(
    np.complex64
)
HALF = POSITIVE.astype(ml_dtypes.bfloat16)


def row(
    primitive: Primitive, name: str, function: Callable[..., Any], reference: Callable[..., Any],
    *args: Any, wrt: tuple[int, ...] | None = None, rtol: float = 1e-4,
) -> Row:  # fmt: skip
    differentiable = tuple(range(len(args))) if wrt is None else wrt
    return Row(primitive, name, function, args, reference, differentiable, rtol)


def _in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: function(x.astype(np.float32)).astype(x.dtype)


def _ratio(by_a: int, by_b: int) -> Callable[..., Any]:
    return lambda a, b, x: bind(g.betainc_ratio_p, a, b, x, by_a=by_a, by_b=by_b)


def _betainc_by(by_a: int, by_b: int) -> Callable[..., Any]:
    """By differences of the integral, in double precision."""

    def reference(a: Any, b: Any, x: Any) -> Any:
        with jax.enable_x64(True):
            a, b, x = (np.asarray(v, np.float64) for v in (a, b, x))
            d = 1e-3
            f = lambda i, j: jax.lax.betainc(a + i * d, b + j * d, x)
            if by_a + by_b == 1:
                slope = (f(by_a, by_b) - f(-by_a, -by_b)) / (2 * d)
            elif by_a == by_b:
                slope = (f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / (4 * d * d)
            else:
                slope = (f(by_a / 2, by_b / 2) - 2 * f(0, 0) + f(-by_a / 2, -by_b / 2)) / (d * d)
            scale = a * jnp.log(x) + b * jnp.log1p(-x) - jsp.betaln(a, b)
            return np.asarray(slope / jnp.exp(scale), np.float32)

    return reference


def _curvature(a: Any, x: Any) -> Any:
    with jax.enable_x64(True):
        a, x = (np.asarray(v, np.float64) for v in (a, x))
        d = 1e-4
        slope = (jax.lax.igamma_grad_a(a + d, x) - jax.lax.igamma_grad_a(a - d, x)) / (2 * d)
        return np.asarray(slope / jnp.exp(a * jnp.log(x) - x - jsp.gammaln(a)), np.float32)


def _slope(function: Callable[..., Any], by: int) -> Callable[..., Any]:
    """The derivative by a parameter, by differences in double precision."""

    def reference(*args: Any) -> Any:
        with jax.enable_x64(True):
            wide = [np.asarray(v, np.float64) for v in args]
            ends = [[v + d * 1e-6 if i == by else v for i, v in enumerate(wide)] for d in (1, -1)]
            return np.asarray((function(*ends[0]) - function(*ends[1])) / 2e-6, np.float32)

    return reference


U, V = np.array([0.5, 1.5], np.float32), np.array([2.0, 1.2], np.float32)
W, X = np.array([0.7, -1.6], np.float32), np.array([0.4, -0.7], np.float32)

ROWS: list[Row] = [
    row(s.xlogy_p, "", s.xlogy, jsp.xlogy, A, POSITIVE, rtol=1e-5),
    row(s.xlog1py_p, "", s.xlog1py, jsp.xlog1py, A, POSITIVE, rtol=1e-5),
    row(s.betaln_p, "", s.betaln, jsp.betaln, POSITIVE, ABOVE),
    row(s.expi_p, "", s.expi, jsp.expi, POSITIVE),
    row(s.exp1_p, "", s.exp1, jsp.exp1, POSITIVE),
    row(s.expn_p, "", s.expn, lambda n, x: jnp.stack([jsp.expn(a, b) for a, b in zip(n, x, strict=True)]),
        np.array([0, 1, 2, 3], np.float32), floats(4, low=0.3, high=3), wrt=(1,)),
    row(s.sine_integral_p, "", s.sine_integral, lambda x: jsp.sici(x)[0], A),
    row(s.cosine_integral_p, "", s.cosine_integral, lambda x: jsp.sici(x)[1], POSITIVE),
    row(s.fresnel_sine_p, "", s.fresnel_sine, lambda x: jsp.fresnel(x)[0], A),
    row(s.fresnel_cosine_p, "", s.fresnel_cosine, lambda x: jsp.fresnel(x)[1], A),
    row(s.spence_p, "", s.spence, jsp.spence, POSITIVE + 1.2),
    row(s.erfcx_p, "", s.erfcx, jsp.erfcx, A),
    row(s.dawsn_p, "", s.dawsn, jsp.dawsn, A),
    row(s.wofz_p, "", s.wofz, jsp.wofz, Z),
    row(s.ndtri_p, "", s.ndtri, jsp.ndtri, UNIT),
    row(s.log_ndtr_p, "", s.log_ndtr, jsp.log_ndtr, A),
    row(s.inverse_mills_p, "", s.inverse_mills,
        lambda x: jnp.exp(-0.5 * x**2 - jsp.log_ndtr(x)) / np.sqrt(2 * np.pi), A * 2),
    row(s.owens_t_p, "", s.owens_t, jsp.owens_t, A, B),
    # --- incomplete gamma and beta integrals ---
    row(g.igamma_p, "", g.igamma, jax.lax.igamma, POSITIVE, ABOVE),
    row(g.igamma_p, "scalar shape", lambda x: g.igamma(1.5, x),
        lambda x: jax.lax.igamma(jnp.full_like(x, 1.5), x), POSITIVE),
    row(g.igammac_p, "", g.igammac, jax.lax.igammac, POSITIVE, ABOVE),
    row(g.igamma_grad_a_p, "", g.igamma_grad_a, jax.lax.igamma_grad_a, POSITIVE, ABOVE, wrt=()),
    row(g.igamma_curvature_p, "", g.igamma_curvature, _curvature, POSITIVE, ABOVE, wrt=(), rtol=1e-3),
    row(g.random_gamma_grad_p, "", g.random_gamma_grad, jax.lax.random_gamma_grad, POSITIVE, ABOVE, wrt=()),
    row(g.betainc_p, "", g.betainc, jax.lax.betainc, POSITIVE, ABOVE, UNIT),
    row(g.betainc_p, "scalar shapes", lambda x: g.betainc(1.5, 0.5, x),
        lambda x: jax.lax.betainc(jnp.full_like(x, 1.5), jnp.full_like(x, 0.5), x), UNIT),
    *[
        row(g.betainc_ratio_p, f"{i} {j}", _ratio(i, j), _betainc_by(i, j), POSITIVE, ABOVE, UNIT, wrt=(), rtol=2e-3)
        for i, j in ((1, 0), (1, 1))
    ],
    # --- hypergeometric functions ---
    row(h.hyp1f1_p, "", h.hyp1f1, jsp.hyp1f1, U, V, W, wrt=(2,)),
    row(h.hyp1f1_slope_p, "", lambda *args: bind(h.hyp1f1_slope_p, *args, by=1), _slope(jsp.hyp1f1, 1),
        U, V, W, wrt=(2,)),
    row(h.hyp2f1_p, "", h.hyp2f1, jsp.hyp2f1, U, W, V, X, wrt=(3,)),
    row(h.hyp2f1_slope_p, "", lambda *args: bind(h.hyp2f1_slope_p, *args, by=2), _slope(jsp.hyp2f1, 2),
        U, W, V, X, wrt=(3,)),
]  # fmt: skip
