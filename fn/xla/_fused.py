"""Functions of several operations that run as one executable where they are called eagerly."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from fn.core import context, public
from fn.xla._jit import jit

F = TypeVar("F", bound=Callable[..., Any])


def fused(*static: str) -> Callable[[F], F]:
    """Mark a public function to be compiled as a whole; `static` names its arguments that are no arrays.

    Called eagerly it costs one compilation and one dispatch, not one for each operation. Under a trace
    its equations are recorded as they are.
    """

    def wrap(function: F) -> F:
        compiled = jit(function, static_argnames=static)

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if context.trace is not None:
                return function(*args, **kwargs)
            return compiled(*map(_hashable, args), **{k: _hashable(v) for k, v in kwargs.items()})

        return public(call)  # type: ignore[return-value]  # same signature by construction

    return wrap


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
