"""Rows of `fn/control`: primitives that carry Programs."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import fn
from fn.control import call, call_p
from fn.ops import add, mul, reduce_sum, sin
from tests.ops.row import Row, floats

X, Y = floats(2, 3, seed=80), floats(2, 3, seed=81)
N = np.arange(3, dtype=np.int32)

_PRODUCT = fn.trace(lambda x, y: (mul(sin(x), y), reduce_sum(x, axes=(0,))))(X, Y)
_TWICE = fn.trace(lambda x, y: call(_PRODUCT, *call(_PRODUCT, x, y)[:1], y)[0])(X, Y)
_CAPTURING = fn.trace(lambda x: mul(x, Y))(X)
_CONSTANT = fn.trace(lambda x, n: (add(x, 1.0), n, np.float32(2)))(X, N)


def _product(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y, x.sum(0)


ROWS: list[Row] = [
    Row(call_p, "", lambda x, y: call(_PRODUCT, x, y), (X, Y), _product, (0, 1)),
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
