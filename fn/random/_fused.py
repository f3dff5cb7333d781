"""Samplers called eagerly run as one executable instead of op by op."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from fn.core import context, public
from fn.xla import jit

F = TypeVar("F", bound=Callable[..., Any])


def fused(*static: str) -> Callable[[F], F]:
    """Compile a sampler as a whole where it is called eagerly; `static` names its Python arguments.

    A sampler is some ten operations: one compilation, and one pass over the numbers, instead of ten.
    Under a trace its equations are recorded as they are.
    """

    def wrap(sampler: F) -> F:
        compiled = jit(sampler, static_argnames=static)

        @wraps(sampler)
        def draw(*args: Any, **kwargs: Any) -> Any:
            if context.trace is not None:
                return sampler(*args, **kwargs)
            return compiled(*map(_hashable, args), **{k: _hashable(v) for k, v in kwargs.items()})

        return public(draw)  # type: ignore[return-value]  # same signature by construction

    return wrap


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
