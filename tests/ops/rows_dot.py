"""Rows for `fn/ops/_dot.py`."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as np

from fn.ops import _dot as d
from tests.ops.row import Row, floats, ints

BF16, F16, F32 = ml_dtypes.bfloat16, np.dtype(np.float16), np.dtype(np.float32)


def row(
    name: str,
    x: Any,
    y: Any,
    contract: Any,
    batch: Any = ((), ()),
    wrt: Any = (0, 1),
    **options: Any,
) -> Row:
    """A row that compares with JAX's operation of the same name."""

    def function(x: Any, y: Any) -> Any:
        return d.dot_general(x, y, contract=contract, batch=batch, **options)

    def reference(x: Any, y: Any) -> Any:
        return jax.lax.dot_general(
            x, y, (contract, batch), preferred_element_type=options.get("preferred"),
            precision=options.get("precision"),
        )  # fmt: skip

    rtol = 2e-2 if x.dtype == BF16 and "preferred" not in options else 1e-5
    return Row(d.dot_general_p, name, function, (x, y), reference, wrt, rtol)


def complexes(*shape: int, seed: int) -> Any:
    """Example complex numbers."""
    return (floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 50)).astype(np.complex64)


M, N, V, W = floats(2, 3, seed=41), floats(3, 4, seed=42), floats(3, seed=43), floats(3, seed=44)
BOTH = ((0,), (0,))
T = floats(2, 3, 2, seed=46)

ROWS: list[Row] = [
    row("matrices", M, N, ((1,), (0,))),
    row("both transposed", M, floats(4, 2, seed=45), ((0,), (1,))),
    row("vectors", V, W, ((0,), (0,))),
    row("matrix and vector", M, V, ((1,), (0,))),
    row("vector and matrix", V, N, ((0,), (0,))),
    row("outer product", V, M, ((), ())),
    row("scalar and vector", np.float32(1.7), V, ((), ())),
    row("scalars", np.float32(1.7), np.float32(-0.3), ((), ())),
    row("one batch axis", T, floats(2, 2, 4, seed=47), ((2,), (1,)), ((0,), (0,))),
    row("batch axes elsewhere", T, floats(4, 2, 3, seed=49), ((2,), (1,)), ((1,), (2,))),
    row("batch axes crossed", T, floats(3, 2, 2, seed=51), ((2,), (2,)), ((1, 0), (0, 1))),
    row("only batch axes", M, M + 1, ((), ()), ((0, 1), (0, 1))),
    row("two contracted axes", T, floats(3, 4, 2, seed=53), ((1, 2), (0, 2))),
    row("contracted axes crossed", T, floats(2, 4, 3, seed=55), ((2, 1), (0, 2))),
    row(
        "everything at once", floats(2, 3, 2, 2, seed=56), floats(2, 2, 3, 2, seed=57),
        ((3, 1), (0, 2)), ((0,), (3,)),
    ),
    row("nothing to sum", M[:, :0], N[:0], ((1,), (0,))),
    row("empty result", M[:0], N, ((1,), (0,))),
    row("highest precision", M, N, ((1,), (0,)), precision="highest"),
    row("bf16", M.astype(BF16), N.astype(BF16), ((1,), (0,))),
    row("bf16 summed in f32", M.astype(BF16), N.astype(BF16), ((1,), (0,)), preferred=F32),
    row("f16 summed in f32", M.astype(F16), N.astype(F16), ((1,), (0,)), preferred=F32),
    row("complex", complexes(2, 3, seed=58), complexes(3, 2, seed=59), ((1,), (0,))),
    row("complex batch", complexes(2, 3, seed=60), complexes(2, 3, seed=61), ((1,), (1,)), BOTH),
    row("int32", ints(2, 3, seed=62), ints(3, 2, seed=63), ((1,), (0,)), wrt=()),
    row(
        "int8 summed in int32", ints(2, 3, seed=64, high=100, dtype=np.int8),
        ints(3, 2, seed=65, high=100, dtype=np.int8), ((1,), (0,)), wrt=(),
        preferred=np.dtype(np.int32),
    ),
    Row(
        d.dot_general_p, "of itself", lambda x: d.dot_general(x, x, contract=((0,), (0,))), (M,),
        lambda x: x.T @ x, (0,),
    ),
]  # fmt: skip
