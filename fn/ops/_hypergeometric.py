"""Hypergeometric functions 1F1 and 2F1, and their derivatives by their parameters.

Both are summed as series, after the transformation that makes the terms of one sign: of Kummer for
1F1, of Pfaff for 2F1. Terms are ratios times those before, and so are their derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fn.core import Primitive, bind, elementwise, is_float, public
from fn.ops._elementwise import add, div, mul
from fn.ops._gamma import unknown
from fn.ops._integrals import wide
from fn.ops._table import agree, nary, operand_type

_MOST_TERMS = 100_000


def _series(over: Any, under: Any, x: Any, first: Any, slopes: bool) -> tuple[Any, list[Any]]:
    """The sum whose terms have the ratios `x prod(over + k) / prod(under + k) / (k + 1)`, from `first` on.

    With `slopes`, also its derivatives by each parameter.
    """
    jnp = jax.numpy
    eps, count = jnp.finfo(x.dtype).eps, len(over) + len(under)

    def step(state: Any) -> Any:
        k, term, total, moves, changes = state
        ups, downs = [p + k for p in over], [p + k for p in under]
        rest = x / (k + 1)
        for d in downs:
            rest = rest / d
        ratio = rest
        for u in ups:
            ratio = ratio * u
        if slopes:
            # Not by way of the logarithm, as a parameter plus k may be 0.
            alone = [rest * _product(ups[:i] + ups[i + 1 :]) for i in range(len(ups))]
            alone += [-ratio / d for d in downs]
            moves = [m * ratio + term * a for m, a in zip(moves, alone, strict=True)]
            changes = [c + m for c, m in zip(changes, moves, strict=True)]
        return k + 1, term * ratio, total + term * ratio, moves, changes

    def going(state: Any) -> Any:
        k, term, total, moves, changes = state
        left = jnp.abs(term) > eps * jnp.abs(total)
        for move, change in zip(moves, changes, strict=True):
            left = left | (jnp.abs(move) > eps * jnp.abs(change))
        return (k < _MOST_TERMS) & jnp.any(left & jnp.isfinite(total))

    none = [jnp.zeros_like(first)] * (count if slopes else 0)
    start = (jnp.zeros((), x.dtype), first, first, none, none)
    _, _, total, _, changes = jax.lax.while_loop(going, step, start)
    return total, changes


def _product(factors: list[Any]) -> Any:
    result = 1.0
    for f in factors:
        result = result * f
    return result


# --- hyp1f1 -----------------------------------------------------------------------------
@public
def hyp1f1(a: Any, b: Any, x: Any) -> Any:
    """Confluent hypergeometric function 1F1.

    >>> import fn
    >>> round(float(fn.ops.hyp1f1(1.0, 2.0, 1.0)), 4)
    1.7183
    """
    return bind(hyp1f1_p, *agree((a, b, x)))


def _kummer(slopes: bool) -> Callable[..., Any]:
    def compute(a: Any, b: Any, x: Any) -> Any:
        jnp = jax.numpy
        mirrored = x < 0
        # Half of the factor e ** x before the sum and half after it, against overflow.
        half = jnp.where(mirrored, jnp.exp(x / 2), 1.0).astype(x.dtype)
        top = jnp.where(mirrored, b - a, a)
        total, changes = _series([top], [b], jnp.abs(x), half, slopes)
        pole = (b == 0) & (a != 0)
        if not slopes:
            return jnp.where(pole, jnp.inf, jnp.where(a == 0, 1.0, total * half)).astype(x.dtype)
        by_top, by_b = (c * half for c in changes)
        return jnp.where(mirrored, -by_top, by_top), jnp.where(mirrored, by_b + by_top, by_b)

    return compute


def _next1(a: Any, b: Any, x: Any) -> tuple[Any, Any, Any]:
    return add(a, 1.0), add(b, 1.0), x


def _slope1_end(t: Any, out: Any, a: Any, b: Any, x: Any, *, by: int) -> Any:
    # Of a / b F(a + 1, b + 1, x), the derivative by x.
    beyond = _next1(a, b, x)
    slope = mul(a, bind(hyp1f1_slope_p, *beyond, by=by))
    value = hyp1f1(*beyond)
    change = add(slope, value) if by == 0 else add(slope, mul(div(a, b), mul(value, -1.0)))
    return mul(t, div(change, b))


hyp1f1_p: Primitive = nary(
    "hyp1f1", "hyp1f1", kind=is_float, lower=wide(_kummer(False)),
    jvp=(
        lambda t, out, *args: mul(t, bind(hyp1f1_slope_p, *args, by=0)),
        lambda t, out, *args: mul(t, bind(hyp1f1_slope_p, *args, by=1)),
        lambda t, out, a, b, x: mul(t, mul(div(a, b), hyp1f1(*_next1(a, b, x)))),
    ),
)  # fmt: skip
_SLOPES1 = [wide(lambda *args, i=i: _kummer(True)(*args)[i]) for i in range(2)]
# The derivative by parameter number `by`.
hyp1f1_slope_p: Primitive = Primitive(
    name="hyp1f1_slope", batch=elementwise, transpose="it is not linear",
    type=lambda *types, by: operand_type("hyp1f1_slope", types, is_float),
    lower=lambda emit, *args, by: _SLOPES1[by](emit, *args),
    jvp=(unknown("the slope of hyp1f1 by a parameter", "its parameters"), unknown("the slope of hyp1f1 by a parameter", "its parameters"), _slope1_end),
)  # fmt: skip


# --- hyp2f1 -----------------------------------------------------------------------------
@public
def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    """Hypergeometric function 2F1, for `x` up to 1.

    >>> import fn
    >>> round(float(fn.ops.hyp2f1(1.0, 1.0, 2.0, 0.5)), 4)
    1.3863
    """
    return bind(hyp2f1_p, *agree((a, b, c, x)))


def _ends(p: Any) -> Any:
    """Whether a numerator's parameter ends the series: it is a whole number up to 0."""
    return (p <= 0) & (p == jax.numpy.round(p))


def _pfaff(slopes: bool) -> Callable[..., Any]:
    def compute(a: Any, b: Any, c: Any, x: Any) -> Any:
        jnp = jax.numpy
        one = jnp.ones_like(x)
        polynomial = _ends(a) | _ends(b)
        mirrored = (x < 0) & ~polynomial
        at_one = (x == 1) & ~polynomial
        # F(a, b; c; x) = (1 - x) ** -a F(a, c - b; c; x / (x - 1)); close to 1, with
        # (1 - x) ** (c - a - b) F(c - a, c - b; c; x), the terms fall faster if c < a + b.
        rest = c - a - b
        turned = (x > 0.5) & (x < 1) & (rest < 0) & ~polynomial
        top = jnp.where(turned, c - a, a)
        other = jnp.where(mirrored | turned, c - b, b)
        inside = jnp.where(x >= 1, jnp.where(polynomial, x, 0.0), x)
        z = jnp.where(mirrored, x / (x - 1), inside)
        power = jnp.where(mirrored, -a, jnp.where(turned, rest, 0.0))
        log_base = jnp.log1p(-jnp.where(mirrored | turned, x, 0.0))
        front = jnp.exp(power * log_base)
        total, changes = _series([top, other], [c], z, one, slopes)
        if not slopes:
            value = front * total
            gamma = jax.scipy.special.gamma
            gauss = gamma(c) * gamma(rest) / (gamma(c - a) * gamma(c - b))
            value = jnp.where(at_one, jnp.where(rest > 0, gauss, jnp.inf), value)
            return jnp.where((x > 1) & ~polynomial, jnp.inf, value).astype(x.dtype)
        by_top, by_other, by_c = (front * change for change in changes)
        scale = front * total * log_base
        by_a = jnp.where(turned, -by_top, by_top) - jnp.where(mirrored | turned, scale, 0.0)
        by_b = jnp.where(mirrored | turned, -by_other, by_other) - jnp.where(turned, scale, 0.0)
        by_c = by_c + jnp.where(mirrored | turned, by_other, 0.0)
        by_c = by_c + jnp.where(turned, by_top + scale, 0.0)
        outside = (x >= 1) & ~polynomial
        return [jnp.where(outside, np.nan, s).astype(x.dtype) for s in (by_a, by_b, by_c)]

    return compute


_SLOPES2 = [wide(lambda *args, i=i: _pfaff(True)(*args)[i]) for i in range(3)]
hyp2f1_p: Primitive = nary(
    "hyp2f1", "hyp2f1", kind=is_float, lower=wide(_pfaff(False)),
    jvp=(
        lambda t, out, *args: mul(t, bind(hyp2f1_slope_p, *args, by=0)),
        lambda t, out, *args: mul(t, bind(hyp2f1_slope_p, *args, by=1)),
        lambda t, out, *args: mul(t, bind(hyp2f1_slope_p, *args, by=2)),
        lambda t, out, a, b, c, x: mul(t, mul(div(mul(a, b), c), hyp2f1(*_next2(a, b, c, x)))),
    ),
)  # fmt: skip


def _next2(a: Any, b: Any, c: Any, x: Any) -> tuple[Any, Any, Any, Any]:
    return add(a, 1.0), add(b, 1.0), add(c, 1.0), x


def _slope2_end(t: Any, out: Any, a: Any, b: Any, c: Any, x: Any, *, by: int) -> Any:
    # Of a b / c F(a + 1, b + 1, c + 1, x), the derivative by x.
    beyond = _next2(a, b, c, x)
    value = hyp2f1(*beyond)
    front = (b, a, mul(div(mul(a, b), c), -1.0))[by]
    change = add(mul(front, value), mul(mul(a, b), bind(hyp2f1_slope_p, *beyond, by=by)))
    return mul(t, div(change, c))


hyp2f1_slope_p: Primitive = Primitive(
    name="hyp2f1_slope", batch=elementwise, transpose="it is not linear",
    type=lambda *types, by: operand_type("hyp2f1_slope", types, is_float),
    lower=lambda emit, *args, by: _SLOPES2[by](emit, *args),
    jvp=(*[unknown("the slope of hyp2f1 by a parameter", "its parameters")] * 3, _slope2_end),
)  # fmt: skip
