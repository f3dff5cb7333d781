"""Rows of the table of primitives: Taylor series and Laplacians against nested forward mode.

A part of the primitives, so that it is quick: some of each kind. All rows with FN_ALL_ROWS=1.
"""

from __future__ import annotations

import os
import re
from typing import Any

import jax
import numpy as np
import pytest

import fn
from tests.ops.case import HALVES, Case, all_close, like_random
from tests.ops.row import Row
from tests.ops.table import ROWS

_SOME = (
    "atan2", "cholesky", "clamp", "concatenate", "conv", "convert", "cumprod", "div", "eigh", "fft", "gather",
    "linear_recurrence", "pow", "reduce_max", "reduce_window_max", "scatter_mul", "sort", "triangular_solve",
)  # fmt: skip


def _rows() -> list[Row]:
    smooth = [
        row
        for row in ROWS
        if row.differentiable
        and not any(np.asarray(a).dtype in HALVES for a in row.args)
        and not row.name.endswith(("to bfloat16", "to float16"))
    ]
    if os.environ.get("FN_ALL_ROWS"):
        return smooth
    first = {row.primitive.name: row for row in reversed(smooth)}
    return [first[name] for name in _SOME]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.id)
def test_orders_up_to_three_and_the_laplacian(row: Row) -> None:
    case = Case(row)
    with jax.enable_x64(case.bits == 64):
        f, xs = case.smooth, case.xs
        series = tuple(
            [0.5 * like_random(x, 1000 + 10 * i + k) for k in range(3)] for i, x in enumerate(xs)
        )
        series = jax.tree.map(lambda c, x: c.astype(x.dtype), series, tuple([x] * 3 for x in xs))
        real = all(x.dtype.kind == "f" for x in xs)

        def ours(xs: Any, series: Any) -> Any:
            outs = fn.jet(f, xs, series)[1]
            everywhere = tuple(range(len(xs)))
            return [list(column) for column in zip(*outs)], fn.laplacian(f, everywhere)(
                *xs
            ) if real else ()

        def nested(xs: Any, series: Any) -> Any:
            def along(t: Any) -> Any:
                moved = [
                    x + t * a + t * t * (b / 2) + t * t * t * (c / 6)
                    for x, (a, b, c) in zip(xs, series)
                ]
                return f(*[m.astype(x.dtype) for m, x in zip(moved, xs)])

            g, found = along, []
            for _ in range(3):
                g = (lambda h: lambda t: fn.jvp(h, (t,), (1.0,))[1])(g)
                found.append(list(g(0.0)))
            if not real:
                return found, ()
            flat, unravel = fn.ravel(xs)

            def second(v: Any) -> Any:
                first = lambda *y: fn.jvp(f, y, unravel(v))[1]
                return fn.jvp(first, xs, unravel(v))[1]

            hessian = fn.vmap(second)(np.eye(flat.size, dtype=flat.dtype))
            return found, tuple(h.sum(0) for h in hessian)

        try:
            fn.eval_type(nested)(xs, series)
        except fn.core.MissingRuleError as missing:  # a second derivative that nobody has written
            with pytest.raises(fn.core.MissingRuleError, match=re.escape(missing.what)):
                fn.eval_type(ours)(xs, series)
            return
        got, expected = fn.jit(lambda xs, s: (ours(xs, s), nested(xs, s)))(xs, series)
        rtol = 1e-8 if case.bits == 64 else 2e-2
        for k in range(3):
            all_close(got[0][k], expected[0][k], rtol, f"order {k + 1}")
        all_close(got[1], expected[1], rtol, "Laplacian")
