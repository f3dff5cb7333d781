"""Elementwise functions of the gamma family: log gamma and its derivatives, zeta, Bessel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fn.core import MissingRuleError, is_float
from fn.ops._elementwise import abs, add, div, gt, mul, neg, select, sign, sub
from fn.ops._rules import jax_lowering
from fn.ops._special import Binary, Unary, exp, function_row, log, operation
from fn.ops._table import binary_op, like, nary, unary_op


def borrowed(function: Callable[..., Any]) -> Callable[..., Any]:
    """A lowering from JAX for elementwise operands, which JAX wants to have equal shapes."""
    lower = jax_lowering(function)

    def spread_and_lower(emit: Any, *args: Any) -> Any:
        return lower(emit, *[emit.spread(a, emit.type.shape) for a in args])

    return spread_and_lower


def unknown(name: str, argument: str) -> Callable[..., Any]:
    """The jvp of an argument whose derivative has no formula here."""

    def raise_missing(t: Any, out: Any, *args: Any, **params: Any) -> Any:
        raise MissingRuleError(
            f"{name} has no jvp rule with respect to {argument}: no formula is implemented",
            fix=f"keep {argument} constant with stop_gradient, or give a rule with custom_jvp",
        )

    return raise_missing


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
        unknown("polygamma", "its order"),
        lambda t, out, m, x: mul(t, polygamma(add(m, 1.0), x)),
    ),
)  # fmt: skip
polygamma: Binary = binary_op(polygamma_p, "The derivative of order `x` of `digamma` at `y`.")
zeta_p = nary(
    "zeta", "zeta", kind=is_float, lower=operation("chlo.zeta"),
    jvp=(
        lambda t, out, s, q: mul(t, _zeta_by_exponent(s, q)),
        lambda t, out, s, q: mul(t, neg(mul(zeta(add(s, 1.0), q), s))),
    ),
)  # fmt: skip
zeta: Binary = binary_op(
    zeta_p, "Hurwitz zeta function: the sum of `(k + y) ** -x` over k = 0, 1, 2, …"
)


# B(2k) / (2k)!, of Euler and Maclaurin's formula.
_BERNOULLI = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600,
    -3617 / 10670622842880000, 43867 / 5109094217170944000,
)  # fmt: skip
_HEAD = 10


def _zeta_by_exponent(s: Any, q: Any) -> Any:
    """The derivative of `zeta` by `s`: each part of Euler and Maclaurin's formula differentiated.

    `head` terms, then the integral of the rest, half a term, and corrections of decreasing size.
    """
    total: Any = None
    for k in range(_HEAD):
        base = add(q, float(k))
        term = neg(mul(log(base), exp(neg(mul(s, log(base))))))
        total = term if total is None else add(total, term)
    n = add(q, float(_HEAD))
    log_n, last = log(n), exp(neg(mul(s, log(n))))
    above = sub(s, 1.0)
    tail = div(mul(last, n), above)
    total = sub(total, mul(tail, add(log_n, div(1.0, above))))
    total = sub(total, mul(last, mul(log_n, 0.5)))
    # s (s + 1) ... (s + 2k) / n ** (2k + 1), and its logarithm's derivative.
    product, slope = div(s, n), div(1.0, s)
    for k, coefficient in enumerate(_BERNOULLI):
        part = mul(mul(product, last), coefficient)
        total = add(total, mul(part, sub(slope, log_n)))
        for j in (2 * k + 1, 2 * k + 2):
            more = add(s, float(j))
            product, slope = mul(product, div(more, n)), add(slope, div(1.0, more))
    return total


# --- Bessel functions -------------------------------------------------------------------


def _bessel_i1e_jvp(t: Any, out: Any, x: Any) -> Any:
    # i1e(x) / x is 0/0 at 0, where the derivative is 1/2.
    tiny = like(float(np.finfo(np.float32).eps), x)
    regular = gt(abs(x), tiny)
    safe = select(regular, x, tiny)
    slope = sub(bessel_i0e(safe), mul(out, add(sign(safe), div(1.0, safe))))
    return mul(t, select(regular, slope, like(0.5, x)))


bessel_i0e_p = nary(
    "bessel_i0e", "bessel_i0e", kind=is_float, lower=borrowed(jax.lax.bessel_i0e),
    jvp=(lambda t, out, x: mul(t, sub(bessel_i1e(x), mul(sign(x), out))),),
)  # fmt: skip
bessel_i0e = unary_op(bessel_i0e_p, "Modified Bessel function of order 0, times `e ** -|x|`.")
bessel_i1e_p = function_row("bessel_i1e", "chlo.bessel_i1e", _bessel_i1e_jvp, is_float)
bessel_i1e: Unary = unary_op(
    bessel_i1e_p, "Modified Bessel function of order 1, times `e ** -|x|`."
)
