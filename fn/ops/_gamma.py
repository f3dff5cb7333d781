"""Elementwise functions of the gamma family: gamma and beta integrals, polygamma, zeta, Bessel.

Some have no derivative by a parameter, because no formula for it is at hand; asking for it raises.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fn.core import MissingRuleError, Primitive, bind, is_float, public
from fn.ops._elementwise import abs, add, div, eq, gt, logical_and, mul, neg, select, sign, sub
from fn.ops._rules import jax_lowering
from fn.ops._special import Binary, Unary, exp, function_row, log, log1p, operation
from fn.ops._table import agree, binary_op, like, nary, unary_op


def _borrowed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A lowering from JAX for elementwise operands, which JAX wants to have equal shapes."""
    lower = jax_lowering(function)

    def spread_and_lower(emit: Any, *args: Any) -> Any:
        return lower(emit, *[emit.spread(a, emit.type.shape) for a in args])

    return spread_and_lower


def _unknown(name: str, argument: str) -> Callable[..., Any]:
    """The jvp of an argument whose derivative has no formula here."""

    def raise_missing(t: Any, out: Any, *args: Any) -> Any:
        raise MissingRuleError(
            f"{name} has no jvp rule with respect to {argument}: no formula is implemented",
            fix=f"keep {argument} constant with stop_gradient, or give a rule with custom_jvp",
        )

    return raise_missing


def _times_log(p: Any, x: Any) -> Any:
    """`p log(x)`, and 0 where both are 0."""
    both = logical_and(eq(p, like(0.0, p)), eq(x, like(0.0, x)))
    return mul(p, log(select(both, like(1.0, x), x)))


# --- log gamma and its derivatives ------------------------------------------------------

lgamma_p = function_row("lgamma", "chlo.lgamma", lambda t, out, x: mul(t, digamma(x)), is_float)
lgamma = unary_op(lgamma_p, "Logarithm of `|gamma(x)|`.")
digamma_p = function_row(
    "digamma", "chlo.digamma", lambda t, out, x: mul(t, polygamma(like(1.0, x), x)), is_float
)
digamma: Unary = unary_op(digamma_p, "Derivative of `lgamma`.")
polygamma_p = nary(
    "polygamma", "polygamma", kind=is_float, lower=operation("chlo.polygamma"),
    jvp=(
        _unknown("polygamma", "its order"),
        lambda t, out, m, x: mul(t, polygamma(add(m, 1.0), x)),
    ),
)  # fmt: skip
polygamma: Binary = binary_op(polygamma_p, "The derivative of order `x` of `digamma` at `y`.")
zeta_p = nary(
    "zeta", "zeta", kind=is_float, lower=operation("chlo.zeta"),
    jvp=(
        _unknown("zeta", "its exponent"),
        lambda t, out, s, q: mul(t, neg(mul(zeta(add(s, 1.0), q), s))),
    ),
)  # fmt: skip
zeta: Binary = binary_op(
    zeta_p, "Hurwitz zeta function: the sum of `(k + y) ** -x` over k = 0, 1, 2, …"
)


# --- incomplete gamma integrals ---------------------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    """Density at `x` of the gamma distribution of shape `a`: the derivative of `igamma` by `x`."""
    return exp(sub(sub(_times_log(sub(a, 1.0), x), x), lgamma(a)))


igamma_p = nary(
    "igamma", "igamma", kind=is_float, lower=_borrowed(jax.lax.igamma),
    jvp=(
        lambda t, out, a, x: mul(t, igamma_grad_a(a, x)),
        lambda t, out, a, x: mul(t, _gamma_density(a, x)),
    ),
)  # fmt: skip
igamma = binary_op(igamma_p, "Regularized lower incomplete gamma function of shape `x`, up to `y`.")
igammac_p = nary(
    "igammac", "igammac", kind=is_float, lower=_borrowed(jax.lax.igammac),
    jvp=(
        lambda t, out, a, x: mul(t, neg(igamma_grad_a(a, x))),
        lambda t, out, a, x: mul(t, neg(_gamma_density(a, x))),
    ),
)  # fmt: skip
igammac = binary_op(igammac_p, "Regularized upper incomplete gamma function, `1 - igamma(x, y)`.")
igamma_grad_a_p = nary(
    "igamma_grad_a", "igamma_grad_a", kind=is_float, lower=_borrowed(jax.lax.igamma_grad_a),
    jvp=(
        _unknown("igamma_grad_a", "the shape"),
        lambda t, out, a, x: mul(t, mul(_gamma_density(a, x), sub(log(x), digamma(a)))),
    ),
)  # fmt: skip
igamma_grad_a: Binary = binary_op(igamma_grad_a_p, "Derivative of `igamma(x, y)` by its shape `x`.")
# It is g(a, x) = -igamma_grad_a / density, whose derivative by x needs no more than that.
random_gamma_grad_p = nary(
    "random_gamma_grad", "random_gamma_grad", kind=is_float,
    lower=_borrowed(jax.lax.random_gamma_grad),
    jvp=(
        _unknown("random_gamma_grad", "the shape"),
        lambda t, out, a, x: mul(
            t, sub(sub(digamma(a), log(x)), mul(out, sub(div(sub(a, 1.0), x), 1.0)))
        ),
    ),
)  # fmt: skip
random_gamma_grad = binary_op(
    random_gamma_grad_p, "Derivative of a draw `y` from the gamma distribution by its shape `x`."
)


# --- incomplete beta integral -----------------------------------------------------------
@public
def betainc(a: Any, b: Any, x: Any) -> Any:
    """Regularized incomplete beta function of shapes `a` and `b`, from 0 to `x`."""
    return bind(betainc_p, *agree((a, b, x)))


def _betainc_jvp(t: Any, out: Any, a: Any, b: Any, x: Any) -> Any:
    after = sub(b, 1.0)
    ends = logical_and(eq(after, like(0.0, b)), eq(x, like(1.0, x)))
    rest = mul(after, log1p(neg(select(ends, like(0.0, x), x))))
    norm = sub(lgamma(add(a, b)), add(lgamma(a), lgamma(b)))
    return mul(t, exp(add(add(_times_log(sub(a, 1.0), x), rest), norm)))


betainc_p: Primitive = nary(
    "betainc", "betainc", kind=is_float, lower=_borrowed(jax.lax.betainc),
    jvp=(_unknown("betainc", "a"), _unknown("betainc", "b"), _betainc_jvp),
)  # fmt: skip


# --- Bessel functions -------------------------------------------------------------------


def _bessel_i1e_jvp(t: Any, out: Any, x: Any) -> Any:
    # i1e(x) / x is 0/0 at 0, where the derivative is 1/2.
    tiny = like(float(np.finfo(np.float32).eps), x)
    regular = gt(abs(x), tiny)
    safe = select(regular, x, tiny)
    slope = sub(bessel_i0e(safe), mul(out, add(sign(safe), div(1.0, safe))))
    return mul(t, select(regular, slope, like(0.5, x)))


bessel_i0e_p = nary(
    "bessel_i0e", "bessel_i0e", kind=is_float, lower=_borrowed(jax.lax.bessel_i0e),
    jvp=(lambda t, out, x: mul(t, sub(bessel_i1e(x), mul(sign(x), out))),),
)  # fmt: skip
bessel_i0e = unary_op(bessel_i0e_p, "Modified Bessel function of order 0, times `e ** -|x|`.")
bessel_i1e_p = function_row("bessel_i1e", "chlo.bessel_i1e", _bessel_i1e_jvp, is_float)
bessel_i1e: Unary = unary_op(
    bessel_i1e_p, "Modified Bessel function of order 1, times `e ** -|x|`."
)
