"""One row of the table that crosses every primitive with every transform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fn.core import Primitive


@dataclass(frozen=True)
class Row:
    """How to try a primitive.

    Args:
        primitive: the primitive under test.
        name: what distinguishes this row from others of the primitive.
        function: of arrays, applying the operation with its parameters fixed; returns an array or tuple.
        args: small NumPy example inputs, away from kinks and poles.
        reference: the same in NumPy or `jax.lax`/`jax.numpy`, not using fn.
        differentiable: positions of the arguments with a derivative; empty if there is none.
        rtol: relative tolerance against the reference at the inputs' precision.
    """

    primitive: Primitive
    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    differentiable: tuple[int, ...] = ()
    rtol: float = 1e-5

    @property
    def id(self) -> str:
        return f"{self.primitive.name}-{self.name}" if self.name else self.primitive.name


def floats(
    *shape: int, seed: int = 0, low: float = -2.0, high: float = 2.0, dtype: Any = np.float32
) -> Any:
    """Example numbers, none close to another or to zero by accident of rounding."""
    rng = np.random.RandomState(seed)
    return rng.uniform(low, high, shape).astype(dtype)


def ints(*shape: int, seed: int = 0, low: int = 0, high: int = 10, dtype: Any = np.int32) -> Any:
    """Example integers."""
    return np.random.RandomState(seed).randint(low, high, shape).astype(dtype)
