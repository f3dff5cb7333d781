"""Incomplete gamma and beta integrals, and all their derivatives.

By their end they are densities. By their shapes JAX has no formula, but for one; here the derivative of
`F(x; a)` is the integral up to `x` of the density times a polynomial in the logarithms, which is done
by a quadrature that holds for small and large shapes alike. As the same integral over everything is 0,
it runs away from `x` in the direction where the density falls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fn.core import Primitive, bind, elementwise, is_float, public
from fn.ops._elementwise import add, div, eq, logical_and, mul, neg, select, sub
from fn.ops._gamma import borrowed, digamma, lgamma, polygamma, unknown
from fn.ops._integrals import betaln, wide
from fn.ops._special import exp, log, log1p, square
from fn.ops._table import Binary, agree, binary_op, like, nary, operand_type


def _times_log(p: Any, x: Any) -> Any:
    """`p log(x)`, and 0 where both are 0."""
    both = logical_and(eq(p, like(0.0, p)), eq(x, like(0.0, x)))
    return mul(p, log(select(both, like(1.0, x), x)))


# --- quadrature -------------------------------------------------------------------------


def _tail(dtype: Any, reach: Any, integrand: Callable[[Any], Any]) -> Any:
    """The integral from 0 to infinity of what falls off like `exp(-v / reach)` or faster.

    The trapezoidal rule after `v = exp(s - exp(-s))`: H. Takahasi and M. Mori, "Double exponential
    formulas for numerical integration", 1974.
    """
    jnp = jax.numpy
    step = 0.05 if dtype == np.float64 else 0.1
    s = np.arange(-3.7, 4.2, step)
    v = np.exp(s - np.exp(-s))
    nodes, weights = jnp.asarray(v, dtype), jnp.asarray(v * (1 + np.exp(-s)) * step, dtype)

    def add_node(i: Any, total: Any) -> Any:
        return total + weights[i] * reach * integrand(nodes[i] * reach)

    return jax.lax.fori_loop(0, len(s), add_node, jnp.zeros_like(reach))


def _gamma_tail(order: int) -> Callable[[Any, Any], Any]:
    def ratio(a: Any, x: Any) -> Any:
        jnp = jax.numpy
        x = jnp.maximum(x, jnp.finfo(x.dtype).tiny)
        below, root = x <= a, jnp.sqrt(x)
        reach = 1 / (jnp.abs(a - x) + jnp.where(below, jnp.minimum(root, a), root + 1))
        sign = jnp.where(below, -1.0, 1.0).astype(x.dtype)
        start, spread = jnp.log(x) - jax.lax.digamma(a), jax.lax.polygamma(jnp.ones_like(a), a)

        def integrand(v: Any) -> Any:
            u = sign * v
            share = jnp.exp(a * u - x * jnp.expm1(u))
            slope = start + u
            polynomial = slope if order == 1 else slope * slope - spread
            return jnp.where(share == 0, 0.0, share * polynomial)

        return -sign * _tail(x.dtype, reach, integrand)

    return ratio


def _beta_tail(i: int, j: int) -> Callable[[Any, Any, Any], Any]:
    def ratio(a: Any, b: Any, x: Any) -> Any:
        jnp, lax = jax.numpy, jax.lax
        info = jnp.finfo(x.dtype)
        x = jnp.clip(x, info.tiny, 1 - info.epsneg)
        both = a + b
        below = x * both <= a
        shape, end = jnp.where(below, a, b), jnp.where(below, x, 1 - x)
        near, far = jnp.log(x), jnp.log1p(-x)
        near, far = jnp.where(below, near, far), jnp.where(below, far, near)
        reach = 1 / (
            jnp.abs(shape - both * end) + jnp.minimum(jnp.sqrt(both * end * (1 - end)), shape)
        )
        all_ = lax.digamma(both)
        mean_a, mean_b = lax.digamma(a) - all_, lax.digamma(b) - all_
        one = jnp.ones_like(a)
        joint = lax.polygamma(one, both)
        spread_a, spread_b = lax.polygamma(one, a) - joint, lax.polygamma(one, b) - joint

        def integrand(v: Any) -> Any:
            rest = jnp.log1p(end * jnp.expm1(-v))
            share = jnp.exp(-shape * v - both * rest)
            this, other = near - v - rest, far - rest
            log_a = jnp.where(below, this, other) - mean_a
            log_b = jnp.where(below, other, this) - mean_b
            polynomial = {
                (1, 0): log_a, (0, 1): log_b, (1, 1): log_a * log_b + joint,
                (2, 0): log_a * log_a - spread_a, (0, 2): log_b * log_b - spread_b,
            }[i, j]  # fmt: skip
            return jnp.where(share == 0, 0.0, share * polynomial)

        return jnp.where(below, 1.0, -1.0).astype(x.dtype) * _tail(x.dtype, reach, integrand)

    return ratio


# --- incomplete gamma integrals ---------------------------------------------------------


def _gamma_density(a: Any, x: Any) -> Any:
    """Density at `x` of the gamma distribution of shape `a`: the derivative of `igamma` by `x`."""
    return exp(sub(sub(_times_log(sub(a, 1.0), x), x), lgamma(a)))


igamma_p = nary(
    "igamma", "igamma", kind=is_float, lower=borrowed(jax.lax.igamma),
    jvp=(
        lambda t, out, a, x: mul(t, igamma_grad_a(a, x)),
        lambda t, out, a, x: mul(t, _gamma_density(a, x)),
    ),
)  # fmt: skip
igamma = binary_op(igamma_p, "Regularized lower incomplete gamma function of shape `x`, up to `y`.")
igammac_p = nary(
    "igammac", "igammac", kind=is_float, lower=borrowed(jax.lax.igammac),
    jvp=(
        lambda t, out, a, x: mul(t, neg(igamma_grad_a(a, x))),
        lambda t, out, a, x: mul(t, neg(_gamma_density(a, x))),
    ),
)  # fmt: skip
igammac = binary_op(igammac_p, "Regularized upper incomplete gamma function, `1 - igamma(x, y)`.")

# The second derivative of `igamma` by its shape, divided by x times the density.
igamma_curvature_p = nary(
    "igamma_curvature", "igamma_curvature", kind=is_float, lower=wide(_gamma_tail(2)),
    jvp=(
        unknown("the second derivative of igamma by its shape", "the shape"),
        lambda t, out, a, x: mul(
            t,
            div(
                sub(
                    sub(square(sub(log(x), digamma(a))), polygamma(like(1.0, a), a)),
                    mul(out, sub(a, x)),
                ),
                x,
            ),
        ),
    ),
)  # fmt: skip
igamma_curvature: Binary = binary_op(
    igamma_curvature_p,
    "Second derivative of `igamma(x, y)` by `x`, divided by `y` times the density.",
)
igamma_grad_a_p = nary(
    "igamma_grad_a", "igamma_grad_a", kind=is_float, lower=borrowed(jax.lax.igamma_grad_a),
    jvp=(
        lambda t, out, a, x: mul(t, mul(mul(_gamma_density(a, x), x), igamma_curvature(a, x))),
        lambda t, out, a, x: mul(t, mul(_gamma_density(a, x), sub(log(x), digamma(a)))),
    ),
)  # fmt: skip
igamma_grad_a: Binary = binary_op(igamma_grad_a_p, "Derivative of `igamma(x, y)` by its shape `x`.")
# It is g(a, x) = -igamma_grad_a / density; both of its derivatives follow from that.
random_gamma_grad_p = nary(
    "random_gamma_grad", "random_gamma_grad", kind=is_float, lower=borrowed(jax.lax.random_gamma_grad),
    jvp=(
        lambda t, out, a, x: neg(
            mul(t, add(mul(x, igamma_curvature(a, x)), mul(out, sub(log(x), digamma(a)))))
        ),
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
    """Regularized incomplete beta function of shapes `a` and `b`, from 0 to `x`.

    >>> import fn
    >>> round(float(fn.ops.betainc(2.0, 3.0, 0.5)), 4)
    0.6875
    """
    return bind(betainc_p, *agree((a, b, x)))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    """Density at `x` of the beta distribution."""
    after = sub(b, 1.0)
    ends = logical_and(eq(after, like(0.0, b)), eq(x, like(1.0, x)))
    rest = mul(after, log1p(neg(select(ends, like(0.0, x), x))))
    return exp(sub(add(_times_log(sub(a, 1.0), x), rest), betaln(a, b)))


def _by_shape(i: int, j: int) -> Callable[..., Any]:
    def rule(t: Any, out: Any, a: Any, b: Any, x: Any) -> Any:
        scale = mul(mul(x, sub(1.0, x)), _beta_density(a, b, x))
        return mul(t, mul(scale, bind(betainc_ratio_p, a, b, x, by_a=i, by_b=j)))

    return rule


betainc_p: Primitive = nary(
    "betainc", "betainc", kind=is_float, lower=borrowed(jax.lax.betainc),
    jvp=(
        _by_shape(1, 0), _by_shape(0, 1), lambda t, out, a, b, x: mul(t, _beta_density(a, b, x)),
    ),
)  # fmt: skip


# --- betainc_ratio ----------------------------------------------------------------------
# The derivative of `betainc` by its shapes, so many times by each, divided by x (1 - x) times the density.
def _logs(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """The derivatives of the logarithm of the density by the shapes."""
    all_ = digamma(add(a, b))
    return add(sub(log(x), digamma(a)), all_), add(sub(log1p(neg(x)), digamma(b)), all_)


def _betainc_ratio_jvp_shape(which: int) -> Callable[..., Any]:
    def rule(t: Any, out: Any, a: Any, b: Any, x: Any, *, by_a: int, by_b: int) -> Any:
        if by_a + by_b > 1:
            unknown("the second derivative of betainc by its shapes", "the shapes")(t, out)
        more = bind(betainc_ratio_p, a, b, x, by_a=by_a + (which == 0), by_b=by_b + (which == 1))
        return mul(t, sub(more, mul(out, _logs(a, b, x)[which])))

    return rule


def _betainc_ratio_jvp_end(
    t: Any, out: Any, a: Any, b: Any, x: Any, *, by_a: int, by_b: int
) -> Any:
    log_a, log_b = _logs(a, b, x)
    one, both = like(1.0, a), add(a, b)
    polynomial = {(1, 0): log_a, (0, 1): log_b, (1, 1): mul(log_a, log_b)}.get((by_a, by_b))
    if by_a + by_b == 2:
        joint = polygamma(one, both)
        if by_a == by_b:
            polynomial = add(polynomial, joint)
        else:
            own, slope = (a, log_a) if by_a else (b, log_b)
            polynomial = add(sub(square(slope), polygamma(one, own)), joint)
    change = sub(polynomial, mul(out, sub(a, mul(both, x))))
    return mul(t, div(change, mul(x, sub(1.0, x))))


def _betainc_ratio_lower(emit: Any, a: Any, b: Any, x: Any, *, by_a: int, by_b: int) -> Any:
    return _RATIOS[by_a, by_b](emit, a, b, x)


_RATIOS = {order: wide(_beta_tail(*order)) for order in ((1, 0), (0, 1), (2, 0), (1, 1), (0, 2))}
betainc_ratio_p = Primitive(
    name="betainc_ratio", batch=elementwise, lower=_betainc_ratio_lower, transpose="it is not linear",
    type=lambda *types, by_a, by_b: operand_type("betainc_ratio", types, is_float),
    jvp=(_betainc_ratio_jvp_shape(0), _betainc_ratio_jvp_shape(1), _betainc_ratio_jvp_end),
)  # fmt: skip
