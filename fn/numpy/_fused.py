"""`fn.xla`'s `fused`, for functions that meet NumPy's habits as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import fn.numpy._habits as habits
import fn.xla as xla

F = TypeVar("F", bound=Callable[..., Any])


def fused(*static: str) -> Callable[[F], F]:
    """Mark a public function to be compiled as a whole; `static` names its arguments that are no arrays."""
    whole = xla.fused(*static)

    def wrap(function: F) -> F:
        return whole(habits.public(function))

    return wrap
