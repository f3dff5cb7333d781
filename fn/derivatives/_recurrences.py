"""Taylor coefficients of operations, from those of their operands: Griewank and Walther, chapter 13.

A series is a list `[x0, x1, ..., xK]` with x(t) = x0 + x1 t + x2 t² + …, and None for a coefficient that
is zero. A rule gets the series of the operands and the value, and gives the other coefficients of the
result. Where v' = w u', with w a function of v, comparing coefficients of t^(k-1) gives

    k v[k] = sum of j u[j] w[k-j] for j = 1 … k

with nothing on the right that is not known by then. What is not in the table has no need to be: an
operation whose derivative is made of those that are costs the same by its jvp rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import log
from typing import Any, TypeAlias

from fn.core import Primitive, bind
from fn.ops import add, cos, cosh, div, mul, neg, sin, sinh, sub

Series: TypeAlias = list[Any]
Recurrence: TypeAlias = Callable[..., Series]


# --- arithmetic with None for zero ------------------------------------------------------


def times(x: Any, y: Any) -> Any:
    """`x * y`."""
    return None if x is None or y is None else mul(x, y)


def plus(x: Any, y: Any) -> Any:
    """`x + y`."""
    return y if x is None else x if y is None else add(x, y)


def minus(x: Any, y: Any) -> Any:
    """`x - y`."""
    return x if y is None else neg(y) if x is None else sub(x, y)


def scaled(factor: float, x: Any) -> Any:
    """`factor * x`."""
    return x if x is None or factor == 1 else neg(x) if factor == -1 else mul(x, factor)


def over(x: Any, y: Any) -> Any:
    """`x / y`."""
    return None if x is None else div(x, y)


def product(u: Series, w: Series, k: int, first: int = 0, last: int | None = None) -> Any:
    """Coefficient k of `u w`, of which the terms with u[first] … u[last]."""
    total = None
    for j in range(first, (k if last is None else last) + 1):
        total = plus(total, times(u[j], w[k - j]))
    return total


def squared(v: Series, k: int, first: int = 0) -> Any:
    """Coefficient k of `v²`, without the terms that have v[j] for j < first."""
    total = None
    for j in range(first, (k + 1) // 2):
        total = plus(total, times(v[j], v[k - j]))
    total = scaled(2.0, total)
    return plus(total, times(v[k // 2], v[k // 2])) if k % 2 == 0 and k // 2 >= first else total


def integral(du: Series, w: Series, k: int) -> Any:
    """Coefficient k of v where v' = w u', and `du[j]` is j u[j]."""
    return scaled(1 / k, product(du, w, k, first=1))


def rates(u: Series) -> Series:
    """`j u[j]`."""
    return [None if j == 0 else scaled(float(j), x) for j, x in enumerate(u)]


# --- products and quotients -------------------------------------------------------------


def _mul(out: Any, u: Series, w: Series) -> Series:
    same = all(x is y for x, y in zip(u, w, strict=True))
    return [squared(u, k) if same else product(u, w, k) for k in range(1, len(u))]


def _square(out: Any, u: Series) -> Series:
    return [squared(u, k) for k in range(1, len(u))]


def _div(out: Any, u: Series, w: Series) -> Series:
    v = [out]
    for k in range(1, len(u)):
        v.append(over(minus(u[k], product(w, v, k, first=1)), w[0]))
    return v[1:]


def _integer_pow(out: Any, u: Series, *, exponent: int) -> Series:
    # By squaring, not by the recurrence of `pow`: that divides by u[0], which may be zero.
    if exponent < 0:
        one = div(1.0, u[0])
        u = [one, *_div(one, [1.0, *[None] * (len(u) - 1)], u)]
    result: Series | None = None
    left = abs(exponent)
    while left:
        if left % 2:
            result = u if result is None else _whole_product(result, u)
        left //= 2
        if left:
            u = [squared(u, k) for k in range(len(u))]
    return [None] * (len(u) - 1) if result is None else result[1:]


def _whole_product(u: Series, w: Series) -> Series:
    return [product(u, w, k) for k in range(len(u))]


def _bilinear(primitive: Primitive, out: Any, u: Series, w: Series, **params: Any) -> Series:
    """The rule of Leibniz."""
    v = []
    for k in range(1, len(u)):
        total = None
        for j in range(k + 1):
            if u[j] is not None and w[k - j] is not None:
                total = plus(total, bind(primitive, u[j], w[k - j], **params))
        v.append(total)
    return v


def _solve(primitive: Primitive, out: Any, *operands: Series, **params: Any) -> Series:
    # From a x = b, coefficient k: a[0] x[k] = b[k] - sum of a[j] x[k-j] for j = 1 … k. That is what the
    # jvp rules of a solve say, of the change of an operand and the solution it is applied to.
    rules: Any = primitive.jvp
    at = [u[0] for u in operands]
    x = [out]
    for k in range(1, len(operands[-1])):
        b = operands[-1][k]
        total = None if b is None else rules[-1](b, out, *at, **params)
        for rule, u in zip(rules[:-1], operands[:-1], strict=True):
            for j in range(1, k + 1):
                if rule is not None and u[j] is not None and x[k - j] is not None:
                    total = plus(total, rule(u[j], x[k - j], *at, **params))
        x.append(total)
    return x[1:]


# --- roots, exponentials, logarithms ----------------------------------------------------


def _sqrt(out: Any, u: Series) -> Series:
    v, twice = [out], mul(out, 2.0)
    for k in range(1, len(u)):
        v.append(over(minus(u[k], squared(v, k, first=1)), twice))
    return v[1:]


def _rsqrt(out: Any, u: Series) -> Series:
    # From 2 u v' = -u' v.
    v = [out]
    for k in range(1, len(u)):
        total = None
        for j in range(1, k + 1):
            total = plus(total, scaled(j / 2 - k, times(u[j], v[k - j])))
        v.append(over(scaled(1 / k, total), u[0]))
    return v[1:]


def _exp(out: Any, u: Series, rate: float = 1.0) -> Series:
    du, v = [scaled(rate, x) for x in rates(u)], [out]
    for k in range(1, len(u)):
        v.append(integral(du, v, k))
    return v[1:]


def _expm1(out: Any, u: Series) -> Series:
    return _exp(add(out, 1.0), u)


def _log(out: Any, u: Series) -> Series:
    v, dv = [out], [None]
    for k in range(1, len(u)):
        known = scaled(1 / k, product(dv, u, k, first=1, last=k - 1))
        v.append(over(minus(u[k], known), u[0]))
        dv.append(scaled(float(k), v[k]))
    return v[1:]


# --- circular and hyperbolic functions --------------------------------------------------


def _pair(u: Series, first: Any, second: Any, sign: float) -> tuple[Series, Series]:
    """The solutions of v' = w u', w' = sign v u' with these values."""
    du, v, w = rates(u), [first], [second]
    for k in range(1, len(u)):
        v.append(integral(du, w, k))
        w.append(scaled(sign, integral(du, v, k)))
    return v[1:], w[1:]


def _sin(out: Any, u: Series) -> Series:
    return _pair(u, out, cos(u[0]), -1.0)[0]


def _cos(out: Any, u: Series) -> Series:
    return _pair(u, sin(u[0]), out, -1.0)[1]


def _sinh(out: Any, u: Series) -> Series:
    return _pair(u, out, cosh(u[0]), 1.0)[0]


def _cosh(out: Any, u: Series) -> Series:
    return _pair(u, sinh(u[0]), out, 1.0)[1]


def _quadratic(out: Any, u: Series, constant: float, slope: float, square: float) -> Series:
    """The solution of v' = (constant + slope v + square v²) u'."""
    du, v, w = rates(u), [out], []
    for k in range(1, len(u)):
        n = k - 1
        w.append(plus(scaled(slope, v[n]) if slope else None, scaled(square, squared(v, n))))
        if n == 0 and constant:
            w[0] = add(w[0], constant)
        v.append(integral(du, w, k))
    return v[1:]


RECURRENCES: dict[Primitive, Recurrence] = {
    Primitive.named[name]: rule
    for name, rule in (
        ("mul", _mul),
        ("square", _square),
        ("div", _div),
        ("integer_pow", _integer_pow),
        ("sqrt", _sqrt),
        ("rsqrt", _rsqrt),
        ("exp", _exp),
        ("exp2", partial(_exp, rate=log(2))),
        ("expm1", _expm1),
        ("log", _log),
        ("sin", _sin),
        ("cos", _cos),
        ("sinh", _sinh),
        ("cosh", _cosh),
        ("tan", partial(_quadratic, constant=1.0, slope=0.0, square=1.0)),
        ("tanh", partial(_quadratic, constant=1.0, slope=0.0, square=-1.0)),
        ("logistic", partial(_quadratic, constant=0.0, slope=1.0, square=-1.0)),
    )
} | {
    Primitive.named[name]: partial(rule, Primitive.named[name])
    for rule, names in (
        (_bilinear, ("dot_general", "conv")),
        (_solve, ("triangular_solve", "lu_solve", "tridiagonal_solve")),
    )
    for name in names
}
"""Operations with rules of their own: `(value, *series, **params) -> coefficients 1 … K`."""
