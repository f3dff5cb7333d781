"""Rows for `fn/ops/_fft.py`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from fn.ops import _fft as f
from tests.ops.row import Row, floats


def complexes(*shape: int, seed: int) -> Any:
    """Example complex numbers."""
    return (floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 50)).astype(np.complex64)


def row(kind: str, x: Any, lengths: tuple[int, ...]) -> Row:
    def function(x: Any) -> Any:
        return f.fft(x, kind=kind, lengths=lengths)

    def reference(x: Any) -> Any:
        axes = tuple(range(-len(lengths), 0))
        return getattr(jnp.fft, f"{kind}n")(x, lengths, axes)

    name = f"{kind} of {'x'.join(map(str, lengths))} in {x.ndim}d"
    return Row(f.fft_p, name, function, (x,), reference, (0,), rtol=1e-4)


Z = complexes(3, 4, seed=1)

ROWS: list[Row] = [
    row("fft", Z[0], (4,)), row("fft", Z, (4,)), row("fft", Z, (3, 4)), row("fft", complexes(2, 2, 3, seed=2), (2, 2, 3)),
    row("ifft", Z, (4,)), row("ifft", Z, (3, 4)),
    row("rfft", floats(5, seed=3), (5,)), row("rfft", floats(6, seed=4), (6,)), row("rfft", floats(2, 3, seed=5), (3,)),
    row("rfft", floats(3, 4, seed=6), (3, 4)), row("rfft", floats(2, 2, 3, seed=7), (2, 2, 3)),
    row("irfft", Z[0], (6,)), row("irfft", Z[0], (7,)), row("irfft", Z, (6,)), row("irfft", Z[:, :3], (3, 5)), row("irfft", Z[:, :3], (3, 4)),
    row("rfft", floats(1, seed=8), (1,)), row("irfft", Z[0, :1], (1,)),
]  # fmt: skip
