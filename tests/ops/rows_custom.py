"""Rows of custom rules, rematerialisation, marks and implicit solutions."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import fn
from fn.control._custom_call import custom_p
from fn.control._custom_linear import custom_linear_p
from fn.control._implicit import linear_solve_p
from fn.control._marks import name_p, optimization_barrier_p
from fn.control._remat import remat_p
from fn.core import bind
from fn.ops import cos, div, dot_general, mul, neg, sin
from tests.ops.row import Row, floats

X, Y = floats(2, 3, seed=90), floats(2, 3, seed=91)
D = floats(3, seed=92, low=1.0)

# Rules that state the true derivative: the identities between transforms hold.
_by_jvp = fn.custom(
    lambda x, y: (mul(sin(x), y), neg(y)),
    jvp=lambda p, t: (
        (mul(sin(p[0]), p[1]), neg(p[1])),
        (mul(cos(p[0]), mul(t[0], p[1])) + mul(sin(p[0]), t[1]), neg(t[1])),
    ),
)


def _pullback(x: Any, y: Any) -> Any:
    out = sin(x)
    return mul(out, y), lambda ct: (mul(mul(ct, y), cos(x)), mul(ct, out))


_by_vjp = fn.custom(
    lambda x, y: mul(sin(x), y),
    vjp=_pullback,
    jvp=lambda p, t: (mul(sin(p[0]), p[1]), mul(cos(p[0]), mul(t[0], p[1])) + mul(sin(p[0]), t[1])),
)
_by_vmap = fn.custom(
    lambda x, y: mul(sin(x), y), vmap=lambda args, mapped, size: (sin(args[0]) * args[1], True)
)


def _by_transpose(x: Any) -> Any:
    linear = fn.custom(lambda x: mul(x, Y), transpose=lambda args, ct: (mul(ct, Y),))
    return mul(linear(x), sin(linear(x)))


_SCALE = fn.trace(lambda c, t: mul(sin(c), t))(X, Y)


def _linear(c: Any, t: Any) -> Any:
    return bind(
        custom_linear_p,
        c,
        c,
        t,
        name="scale",
        forward=_SCALE,
        backward=_SCALE,
        given=(True,),
        residuals=1,
    )


def _product(x: Any, y: Any) -> Any:
    z = fn.name(sin(mul(x, y)), "z")
    return mul(cos(z), z), sin(z)


def _product_reference(x: Any, y: Any) -> Any:
    z = jnp.sin(x * y)
    return jnp.cos(z) * z, jnp.sin(z)


def _diagonal(d: Any, b: Any) -> Any:
    def solve(matvec: Any, b: Any) -> Any:
        return div(b, d)

    return fn.custom_linear_solve(lambda x: mul(d, x), b, solve, symmetric=True)


def _under_trace(function: Any) -> Any:
    """Eager calls skip the primitive; a row is to send it through every rule."""
    jitted = fn.jit(function)
    return lambda *args: jitted(*args)


_both = (0, 1)
ROWS: list[Row] = [
    Row(custom_p, "jvp", _under_trace(_by_jvp), (X, Y), lambda x, y: (jnp.sin(x) * y, -y), _both),
    Row(custom_p, "vjp and jvp", _under_trace(_by_vjp), (X, Y), lambda x, y: jnp.sin(x) * y, _both),
    Row(custom_p, "vmap", _under_trace(_by_vmap), (X, Y), lambda x, y: jnp.sin(x) * y, _both),
    Row(custom_p, "transpose", _by_transpose, (X,), lambda x: x * Y * jnp.sin(x * Y), (0,)),
    Row(custom_linear_p, "", _linear, (X, Y), lambda c, t: (jnp.sin(c) * t,), _both),
    Row(custom_linear_p, "of tangents", lambda t: _linear(X, t), (Y,), lambda t: (np.sin(X) * t,), (0,)),
    Row(name_p, "", lambda x: fn.name(x, "x"), (X,), lambda x: x, (0,)),
    Row(
        optimization_barrier_p, "", lambda x, y: fn.optimization_barrier(x, y), (X, Y),
        lambda x, y: (x, y), _both,
    ),
    *[
        Row(
            remat_p, str(policy), fn.checkpoint(_product, policy=policy), (X, Y), _product_reference, _both
        )
        for policy in ("nothing", "everything", fn.save_only("z"))
    ],
    Row(
        remat_p, "dots", fn.checkpoint(
            lambda x, y: sin(dot_general(sin(x), y, contract=((1,), (1,)))), policy="dots"
        ),
        (X, Y), lambda x, y: jnp.sin(jnp.sin(x) @ y.T), _both,
    ),
    Row(remat_p, "budget", fn.checkpoint(_product, memory_budget=50), (X, Y), _product_reference, _both),
    Row(linear_solve_p, "", _diagonal, (D, X[0]), lambda d, b: b / d, _both),
    Row(linear_solve_p, "constant matrix", lambda b: _diagonal(D, b), (X[0],), lambda b: b / D, (0,)),
]  # fmt: skip
