"""Rows of `fn/control`: primitives that carry Programs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fn
from fn.control import (
    bounded_while_p,
    call,
    call_p,
    reversible_p,
    scan_p,
    switch_lanes_p,
    switch_p,
    while_adjoint_p,
    while_loop_p,
    while_tangent_p,
)
from fn.ops import add, lt, mul, reduce_sum, sin
from fn.xla.passes import call_apart_p
from tests.ops.row import Row, floats

X, Y = floats(2, 3, seed=80), floats(2, 3, seed=81)
N = np.arange(3, dtype=np.int32)

_PRODUCT = fn.trace(lambda x, y: (mul(sin(x), y), reduce_sum(x, axes=(0,))))(X, Y)
_TWICE = fn.trace(lambda x, y: call(_PRODUCT, *call(_PRODUCT, x, y)[:1], y)[0])(X, Y)
_CAPTURING = fn.trace(lambda x: mul(x, Y))(X)
_CONSTANT = fn.trace(lambda x, n: (add(x, 1.0), n, np.float32(2)))(X, N)


def _product(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y, x.sum(0)


# --- branches ---

_INDEX = np.array([2, 0, 1, 2], np.int32)
LANES = floats(4, 3, seed=82)


def _branches(lib: Any, w: Any) -> list[Any]:
    return [lambda x: (lib.sin(x * w), x), lambda x: (x, x * x), lambda x: (lib.cos(x) * w, x * w)]


def _switch(i: Any, w: Any, x: Any) -> Any:
    return fn.switch(i, _branches(fn.numpy, w), x)


def _jax_switch(i: Any, w: Any, x: Any) -> Any:
    return jax.lax.switch(i, _branches(jnp, w), x)


def _lanes(f: Any, vmap: Any) -> Any:
    return lambda w, x: vmap(f, (0, None, 0))(_INDEX, w, x)


# --- loops ---

XS = floats(4, 3, seed=83)
W = floats(3, seed=84, low=0.3, high=0.9)


def _scan(scan: Any, lib: Any, **kwargs: Any) -> Any:
    def f(w: Any, c: Any, xs: Any) -> Any:
        def body(s: Any, x: Any) -> Any:
            i, a, b = s
            return (i + 1, lib.sin(a * w) + x, b * 0.5 + x), (a * b, i)

        (i, a, b), (ys, _) = scan(body, (0, c, c * 2), xs, **kwargs)
        return a, b, ys

    return f


def _steps(loop: Any, n: Any, w: Any, c: Any) -> Any:
    def body(s: Any) -> Any:
        return s[0] + 1, sin(mul(s[1], w)) if loop is fn.while_loop else jnp.sin(s[1] * w)

    return loop(lambda s: s[0] < n, body, (np.int32(0), c))[1]


def _bounded(w: Any, c: Any) -> Any:
    def body(s: Any) -> Any:
        return add(s[0], np.int32(1)), sin(mul(s[1], w))

    return fn.while_loop(
        lambda s: lt(s[0], np.int32(3)), body, (np.int32(0), c), max_steps=5, checkpoints=2
    )[1]


def _unrolled(w: Any, c: Any) -> Any:
    for _ in range(3):
        c = jnp.sin(c * w)
    return c


_STEP = fn.trace(lambda w, c: mul(sin(c), w))(W, W)
_MOVING: dict[str, Any] = {
    "program": _STEP, "consts": 1, "flags": (True, True), "max_steps": 4, "checkpoints": 2
}  # fmt: skip


def _repeated(w: Any, c: Any, steps: Any) -> Any:
    for i in range(_MOVING["max_steps"]):
        c = jnp.where(i < steps, jnp.sin(c) * w, c)
    return c


def _tangent(w: Any, c: Any, tw: Any, tc: Any, steps: Any = 3) -> Any:
    return (jax.jvp(lambda w, c: _repeated(w, c, steps), (w, c), (tw, tc))[1],)


def _adjoint(w: Any, c: Any, ct: Any, steps: Any = 3) -> Any:
    return jax.vjp(lambda w, c: _repeated(w, c, steps), w, c)[1](ct)


_THREE = np.int32(3)
_LOOPS: list[Row] = [
    Row(scan_p, "", _scan(fn.scan, fn.numpy), (W, W + 1, XS), _scan(jax.lax.scan, jnp), (0, 1, 2)),
    Row(
        scan_p, "reverse", _scan(fn.scan, fn.numpy, reverse=True, unroll=3), (W, W + 1, XS),
        _scan(jax.lax.scan, jnp, reverse=True), (0, 1, 2),
    ),
    Row(
        while_loop_p, "", lambda n, w, c: _steps(fn.while_loop, n, w, c), (np.int32(3), W, W + 1),
        lambda n, w, c: _steps(jax.lax.while_loop, n, w, c),
    ),
    Row(bounded_while_p, "", _bounded, (W, W + 1), _unrolled, (0, 1)),
    Row(
        while_tangent_p, "", lambda *a: fn.bind(while_tangent_p, _THREE, *a, **_MOVING),
        (W, W + 1, W - 1, W + 2), _tangent, (0, 1, 2, 3), rtol=1e-4,
    ),
    Row(
        while_tangent_p, "steps", lambda n, *a: fn.bind(while_tangent_p, n, *a, **_MOVING),
        (_THREE, W, W + 1, W - 1, W + 2), lambda n, *a: _tangent(*a, steps=n), rtol=1e-4,
    ),
    Row(
        while_adjoint_p, "steps", lambda n, *a: fn.bind(while_adjoint_p, n, *a, **_MOVING),
        (_THREE, W, W + 1, W - 1), lambda n, *a: _adjoint(*a, steps=n), rtol=1e-4,
    ),
    Row(
        while_adjoint_p, "", lambda *a: fn.bind(while_adjoint_p, _THREE, *a, **_MOVING),
        (W, W + 1, W - 1), _adjoint, (0, 1, 2), rtol=1e-4,
    ),
]  # fmt: skip

_FAST = fn.trace(lambda x, y: (mul(sin(x), y), reduce_sum(x, axes=(0,))))(X, Y)
_OTHERS: list[Row] = [
    Row(
        reversible_p, "", lambda x, y: fn.bind(reversible_p, x, y, fast=_FAST, stored=_PRODUCT), (X, Y),
        _product, (0, 1),
    ),
    Row(switch_p, "", _switch, (np.int32(1), W, XS[0]), _jax_switch, (1, 2)),
    Row(switch_lanes_p, "", _lanes(_switch, fn.vmap), (W, LANES), _lanes(_jax_switch, jax.vmap), (0, 1)),
]  # fmt: skip

ROWS: list[Row] = [
    *_OTHERS,
    *_LOOPS,
    Row(call_p, "", lambda x, y: call(_PRODUCT, x, y), (X, Y), _product, (0, 1)),
    Row(
        call_apart_p, "", lambda x, y: fn.bind(call_apart_p, x, y, program=_PRODUCT), (X, Y), _product, (0, 1)
    ),
    Row(call_p, "one argument", lambda x: call(_PRODUCT, x, Y), (X,), lambda x: _product(x, Y), (0,)),
    Row(
        call_p, "nested", lambda x, y: call(_TWICE, x, y), (X, Y),
        lambda x, y: (_product(_product(x, y)[0], y)[0],), (0, 1),
    ),
    Row(call_p, "captured", lambda x: call(_CAPTURING, x), (X,), lambda x: (x * Y,), (0,)),
    Row(
        call_p, "constants", lambda x, n: call(_CONSTANT, x, n), (X, N),
        lambda x, n: (x + 1, n, np.float32(2)), (0,),
    ),
]  # fmt: skip
