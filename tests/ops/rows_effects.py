"""Rows of callbacks, checks, tags, and of what waits for them: values pass through unharmed."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import fn
from fn.control import (
    check_p,
    debug_callback_p,
    io_callback_p,
    ordered_callback_p,
    pure_callback_p,
    tag_p,
)
from fn.control._host import declared, host
from fn.core import bind
from fn.ops import lt, mul, reduce_and, sin
from fn.transforms import vmap_p
from tests.ops.row import Row, floats

X, Y = floats(2, 3, seed=120), floats(2, 3, seed=121)
F32 = fn.ArrayType((), "float32")


def _pure(x: Any, y: Any) -> Any:
    return fn.pure_callback(lambda a, b: np.sin(a) * b, X, x, y, vmap_method="sequential")


def _pure_wide(x: Any) -> Any:
    return fn.pure_callback(np.cos, x, x, vmap_method="broadcast_all")


def _io(x: Any) -> Any:
    return fn.io_callback(lambda a: a.astype(np.int32), fn.ArrayType((2, 3), "int32"), x), sin(x)


def _debug(x: Any) -> Any:
    fn.debug.callback(lambda a, word: None, x, "word")
    return sin(x)


def _ordered() -> Any:
    types, tree = declared("io_callback", F32)
    call, _ = host("io_callback", lambda: np.float32(3), (), {}, tree)
    return bind(ordered_callback_p, np.int32(7), host=call, results=types)


def _checked(x: Any) -> Any:
    bind(check_p, reduce_and(lt(x, np.float32(99)), axes=(0, 1)), x, message="{}", where="here")
    return sin(x)


def _tagged(x: Any, y: Any) -> Any:
    both = fn.tag({"a": sin(x), "b": mul(x, y)}, "both")
    return fn.tag(mul(both["a"], both["b"]), "product"), both["b"]


def _under_trace(function: Any) -> Any:
    """Eager calls skip the primitive; a row is to send it through every rule."""
    jitted = fn.jit(function)
    return lambda *args: jitted(*args)


_mapped = fn.vmap(lambda a, b: fn.tag(mul(sin(a), b), "row"), in_axes=(1, None), out_axes=1)


ROWS: list[Row] = [
    Row(pure_callback_p, "sequential", _pure, (X, Y), lambda x, y: jnp.sin(x) * y),
    Row(pure_callback_p, "at once", _pure_wide, (X,), jnp.cos),
    Row(io_callback_p, "", _io, (X,), lambda x: (x.astype(jnp.int32), jnp.sin(x))),
    Row(debug_callback_p, "", _debug, (X,), jnp.sin, (0,)),
    Row(ordered_callback_p, "", _ordered, (), lambda: (np.int32(7), np.float32(3))),
    Row(check_p, "", _checked, (X,), jnp.sin, (0,)),
    Row(
        tag_p, "", _under_trace(_tagged), (X, Y), lambda x, y: (jnp.sin(x) * (x * y), x * y), (0, 1)
    ),
    Row(
        vmap_p, "", _under_trace(lambda x, y: _mapped(x, y)), (X, Y[:, 0]),
        lambda x, y: jnp.sin(x) * y[:, None], (0, 1),
    ),
]  # fmt: skip
