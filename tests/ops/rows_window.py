"""Rows for `fn/ops/_window.py`."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from fn.ops import _window as w
from tests.ops.row import Row, floats, ints

BF16 = ml_dtypes.bfloat16


def windows(
    window: Any,
    strides: Any = None,
    padding: Any = None,
    x_dilation: Any = None,
    w_dilation: Any = None,
) -> dict[str, Any]:
    """The parameters of a windowed operation, with their usual values filled in."""
    ones = (1,) * len(window)
    return {
        "window": window, "strides": strides or ones, "padding": padding or ((0, 0),) * len(window),
        "x_dilation": x_dilation or ones, "w_dilation": w_dilation or ones,
    }  # fmt: skip


def views(x: Any, fill: Any, p: dict[str, Any]) -> Any:
    """Along a new first axis, the elements of each window, by padding and slicing."""
    rows = zip(p["padding"], p["x_dilation"], strict=True)
    config = [(low, high, dilation - 1) for (low, high), dilation in rows]
    padded = jax.lax.pad(jnp.asarray(x), np.asarray(fill, x.dtype), config)
    starts = itertools.product(
        *[range(0, n * d, d) for n, d in zip(p["window"], p["w_dilation"], strict=True)]
    )
    spans = [(n - 1) * d for n, d in zip(p["window"], p["w_dilation"], strict=True)]
    found = []
    for start in starts:
        limits = [n - span + a for n, span, a in zip(padded.shape, spans, start, strict=True)]
        found.append(jax.lax.slice(padded, start, limits, p["strides"]))
    return jnp.stack(found)


def total(name: str, x: Any, p: dict[str, Any], wrt: Any = (0,), rtol: float = 1e-5) -> Row:
    """A row for the sum of windows."""

    def reference(x: Any) -> Any:
        zero = np.asarray(0, x.dtype)
        arguments = p["window"], p["strides"], p["padding"], p["x_dilation"], p["w_dilation"]
        return jax.lax.reduce_window(jnp.asarray(x), zero, jax.lax.add, *arguments)

    return Row(
        w.reduce_window_sum_p,
        name,
        lambda x: w.reduce_window_sum(x, **p),
        (x,),
        reference,
        wrt,
        rtol,
    )


def extremes(
    name: str, x: Any, p: dict[str, Any], wrt: Any = (0,), low: Any = -np.inf, high: Any = np.inf
) -> list[Row]:
    """A row for the maxima of windows and one for their minima."""
    return [
        Row(
            w.reduce_window_max_p, name, lambda x: w.reduce_window_max(x, **p), (x,),
            lambda x: views(x, low, p).max(0), wrt,
        ),
        Row(
            w.reduce_window_min_p, name, lambda x: w.reduce_window_min(x, **p), (x,),
            lambda x: views(x, high, p).min(0), wrt,
        ),
    ]  # fmt: skip


def selections(name: str, x: Any, p: dict[str, Any]) -> list[Row]:
    """Rows for the place of the largest element, for picking at it, and for scattering to it."""
    where = np.asarray(views(x, -np.inf, p).argmax(0), np.int32)
    values, back = floats(*x.shape, seed=90), floats(*where.shape, seed=91)

    def pick(x: Any, where: Any) -> Any:
        return jnp.take_along_axis(views(x, 0, p), where[None], 0)[0]

    def scatter(y: Any, where: Any) -> Any:
        zeros = jnp.zeros(x.shape, x.dtype)
        return jax.linear_transpose(lambda x: pick(x, where), zeros)(y)[0]

    return [
        Row(
            w.window_argmax_p, name, lambda x: w.window_argmax(x, largest=True, **p), (x,),
            lambda x: views(x, -np.inf, p).argmax(0).astype(np.int32),
        ),
        Row(
            w.window_argmax_p, f"{name}, smallest",
            lambda x: w.window_argmax(x, largest=False, **p), (x,),
            lambda x: views(x, np.inf, p).argmin(0).astype(np.int32),
        ),
        Row(
            w.window_pick_p, name, lambda x, where: w.window_pick(x, where, **p), (values, where),
            pick, (0,),
        ),
        Row(
            w.window_scatter_p, name,
            lambda y, where: w.window_scatter(y, where, shape=x.shape, **p), (back, where), scatter,
            (0,),
        ),
    ]  # fmt: skip


LINE, PLANE = floats(9, seed=1), floats(4, 5, seed=2)
IMAGE, SPACE = floats(1, 4, 4, 2, seed=3), floats(2, 3, 2, 2, seed=4)
POOL = windows((1, 2, 2, 1), (1, 2, 2, 1))
OVERLAP = windows((3, 2), (1, 2), ((1, 1), (0, 1)))
CUT = windows((2, 3), (2, 1), ((-1, 2), (1, -1)))
EVERYTHING = windows((3, 2), (2, 1), ((1, 2), (0, 1)), (1, 2), (2, 1))
SOLID = windows((2, 2), (1, 1), None, None, (2, 3))
LONG = windows((70,), (2,), ((66, 5),))

ROWS: list[Row] = [
    total("1-D", LINE, windows((3,))),
    total("with a remainder", LINE, windows((2,), (4,))),
    total("without axes", np.float32(1.3), windows(())),
    total("pooling", IMAGE, POOL),
    total("overlapping and padded", PLANE, OVERLAP),
    total("with negative padding", PLANE, CUT),
    total("with everything", PLANE, EVERYTHING),
    total("3-D", SPACE, windows((1, 2, 2, 2), (1, 1, 2, 1), ((0, 0), (1, 0), (0, 0), (1, 1)))),
    total("long windows", LINE, LONG),
    total("no window fits", PLANE, windows((5, 1))),
    total("bf16", PLANE.astype(BF16), OVERLAP, rtol=2e-2),
    total("complex", (PLANE + 1j * floats(4, 5, seed=5)).astype(np.complex64), OVERLAP),
    total("integers", ints(4, 5, seed=6), EVERYTHING, ()),
    *extremes("1-D", LINE, windows((3,))),
    *extremes("without axes", np.float32(1.3), windows(())),
    *extremes("pooling", IMAGE, POOL),
    *extremes("overlapping and padded", PLANE, OVERLAP),
    *extremes("with negative padding", PLANE, CUT),
    *extremes("with everything", PLANE, EVERYTHING),
    *extremes("3-D", SPACE, windows((1, 2, 2, 2), (1, 1, 2, 1), ((0, 0), (1, 0), (0, 0), (1, 1)))),
    *extremes("long windows", LINE, LONG),
    *extremes("bf16", PLANE.astype(BF16), OVERLAP),
    *extremes("integers", ints(4, 5, seed=7, low=-9), EVERYTHING, (), -(2**31), 2**31 - 1),
    *selections("1-D", LINE, windows((3,))),
    *selections("pooling", IMAGE, POOL),
    *selections("overlapping and padded", PLANE, OVERLAP),
    *selections("with negative padding", PLANE, CUT),
    *selections("dilated windows", PLANE, SOLID),
    *selections("long windows", LINE, LONG),
]
