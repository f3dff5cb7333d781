"""How a random Program applies the special functions of statistics and physics, and decides by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fn import ops
from fn.core import ArrayType
from fn.testing._draft import BITS, C64, F32, Draft, Known
from fn.testing._recipes import recipe

# Where each is tried, and bounds it keeps to there.
_UNARY: dict[str, tuple[Callable[[Any], Any], tuple[float, float], tuple[float, float]]] = {
    "log_ndtr": (ops.log_ndtr, (-3, 3), (-8, 0)),
    "ndtri": (ops.ndtri, (0.125, 0.875), (-1.3, 1.3)),
    "exp1": (ops.exp1, (0.25, 4), (0, 1.2)),
    "expi": (ops.expi, (0.5, 3), (0, 11)),
    "spence": (ops.spence, (0.25, 4), (-3, 1.2)),
    "erfcx": (ops.erfcx, (-1, 4), (0, 6)),
    "dawsn": (ops.dawsn, (-4, 4), (-0.6, 0.6)),
    "sine_integral": (ops.sine_integral, (-4, 4), (-2, 2)),
    "cosine_integral": (ops.cosine_integral, (0.5, 4), (-1, 1)),
    "fresnel_sine": (ops.fresnel_sine, (-2, 2), (-1, 1)),
    "fresnel_cosine": (ops.fresnel_cosine, (-2, 2), (-1, 1)),
    "inverse_mills": (ops.inverse_mills, (-3, 3), (0, 4)),
}


def _beside(g: Draft, x: Known, low: float, high: float) -> Known:
    found = [k for k in reversed(g.pool) if k.type.dtype == F32]
    return g.within(g.like(g.pick(found[:6]), x.type.shape), low, high)


@recipe("functions of statistics", *_UNARY)
def _functions(g: Draft) -> None:
    op, domain, bounds = _UNARY[g.pick(list(_UNARY))]
    x = g.within(g.real(most=2, dtype=F32), *domain)
    g.keep(op(x.value), *bounds)


_BINARY: dict[str, tuple[Callable[[Any, Any], Any], tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "xlogy": (ops.xlogy, (-4, 4), (0.5, 4), (-6, 6)),
    "xlog1py": (ops.xlog1py, (-4, 4), (-0.5, 4), (-7, 7)),
    "betaln": (ops.betaln, (0.5, 4), (0.5, 4), (-6, 2)),
    "owens_t": (ops.owens_t, (-3, 3), (-3, 3), (-0.3, 0.3)),
}  # fmt: skip


@recipe("functions of two numbers", *_BINARY)
def _functions_of_two(g: Draft) -> None:
    op, first, second, bounds = _BINARY[g.pick(list(_BINARY))]
    x = g.within(g.real(most=2, dtype=F32), *first)
    g.keep(op(x.value, _beside(g, x, *second).value), *bounds)


@recipe("expn")
def _expn(g: Draft) -> None:
    x = g.within(g.real(most=2, dtype=F32), 0.5, 4)
    g.keep(ops.expn(np.float32(g.pick([2.0, 3.0])), x.value), 0, 1)


@recipe("hypergeometric functions", "hyp1f1", "hyp2f1")
def _hypergeometric(g: Draft) -> None:
    x = g.within(g.real(most=2, dtype=F32), -0.5, 0.5)
    a, b, c = (np.float32(v) for v in (0.5, 1.5, 2.5))
    value = ops.hyp1f1(a, b, x.value) if g.chance(50) else ops.hyp2f1(a, b, c, x.value)
    g.keep(value, 0, 3)


@recipe("wofz")
def _wofz(g: Draft) -> None:
    z = g.within(g.any(lambda k: k.type.dtype == C64, lambda: ArrayType((3,), C64)), 0, 1)
    g.keep(ops.wofz(ops.add(z.value, 1j)), 0, 2)


@recipe("hessenberg", "hessenberg", "qr_order", differentiable=False)
def _hessenberg(g: Draft) -> None:
    x = g.within(g.like(g.real(1, dtype=F32), (3, 3)), -1, 1)
    if g.chance(50):
        g.keep(ops.abs(ops.hessenberg(x.value)[0]), 0, 3)
    else:
        g.keep(ops.qr_order(x.value), 0, 2)


# --- keys -------------------------------------------------------------------------------


@recipe("keys", "random_split", "random_fold_in", "random_clone")
def _keys(g: Draft) -> None:
    key = g.key()
    choice = g.integer(0, 2)
    if choice == 0:
        pair = ops.threefry_split(key.value, shape=(2,))
        new = ops.reshape(ops.slice_axis(pair, 0, 1, 0), shape=(2,))
    elif choice == 1:
        new = ops.threefry_fold_in(key.value, np.int32(g.integer(0, 3)))
    else:
        new = ops.random_clone(key.value)
    g.keep(new, 0, BITS)
    g.keep(ops.rem(new, np.uint32(7)), 0, 6)


@recipe("random_gamma", differentiable=False)
def _random_gamma(g: Draft) -> None:
    shape = g.within(g.real(most=2, dtype=F32), 0.5, 3)
    g.keep(ops.random_gamma(g.key().value, shape.value, log_space=False), 0, 40)
