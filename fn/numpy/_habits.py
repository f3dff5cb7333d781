"""What all functions of this room have in common: how they meet NumPy's habits, and how they run eagerly.

Arguments that mean nothing here are accepted while they ask for nothing, and explained otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from fn.core import ArgumentError, context, hide_frames
from fn.xla import jit

F = TypeVar("F", bound=Callable[..., Any])

# Per argument: the values that ask for nothing, and what to do instead of any other.
_HABITS: dict[str, tuple[tuple[Any, ...], str]] = {
    "out": ((None,), "arrays cannot be written into: use what the function returns, y = {0}(...)"),
    "where": ((None, True), "choose afterwards: fn.numpy.where(condition, {0}(...), otherwise)"),
    "order": ((None, "C", "K", "A"), "arrays have no memory order: leave the argument out"),
    "kind": ((None,), "sorting is stable already: leave the argument out"),
    "casting": ((None, "same_kind"), "convert the result: {0}(...).astype(dtype)"),
    "subok": ((None, True, False), ""),
    "out_sharding": ((None,), "place the result with jax.device_put({0}(...), sharding)"),
    "wrap_negative_indices": ((None, True), "make the indices positive first"),
    "assume_unique_indices": ((None, True, False), ""),
}


def public(function: F) -> F:
    """Mark a function users call: errors show the user's frames only, and NumPy's habits are met.

    Nothing is looked at unless Python itself refuses the arguments.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if kwargs and type(error) is TypeError and error.__traceback__.tb_next is None:  # type: ignore[union-attr]
                kept = _without_habits(function, kwargs)
                if kept is not None:
                    return call(*args, **kept)
            raise hide_frames(error) from error.__cause__

    return call  # type: ignore[return-value]  # same signature by construction


def _without_habits(function: Any, kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments without those that ask for nothing; None if there are no such ones."""
    code = function.__code__
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    found = [k for k in kwargs if k in _HABITS and k not in known]
    for name in found:
        idle, fix = _HABITS[name]
        value = kwargs[name]
        if not any(value is v or (isinstance(value, str) and value == v) for v in idle):
            raise ArgumentError(
                f"{function.__name__}: {name}= is not taken",
                expected="an argument of this function", got=f"{name} of type {type(value).__name__}",
                fix=fix.format(function.__name__) or None,
            )  # fmt: skip
    return {k: v for k, v in kwargs.items() if k not in found} if found else None


# Arguments that decide what is computed, rather than what with.
_STATIC = frozenset({
    "axis", "axes", "axis1", "axis2", "axisa", "axisb", "axisc", "dtype", "keepdims", "ddof", "correction",
    "promote_integers", "method", "overwrite_input", "mode", "precision", "preferred_element_type", "n",
    "rowvar", "bias", "decimals", "deg", "copy", "rtol", "atol", "equal_nan", "offset", "k", "stable",
    "descending", "side", "unique_indices", "indices_are_sorted", "fill_value", "bitorder", "count", "M",
    "N", "full", "cov", "increasing", "num", "endpoint", "retstep", "returned", "include_initial", "unroll",
    "edge_order", "sorted",
})  # fmt: skip


def fused(function: F) -> F:
    """A `public` function of several operations: called eagerly it runs as one executable.

    Under a trace its equations are recorded as they are. What cannot be compiled, because a shape
    depends on values or because the arguments are wrong, is done, or said, operation by operation.
    """
    plain = public(function)
    compiled: list[Callable[..., Any]] = []

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if context.trace is not None:
            return plain(*args, **kwargs)
        if not compiled:
            names = tuple([n for n in signature(function).parameters if n in _STATIC])
            compiled.append(jit(function, static_argnames=names))
        try:
            return compiled[0](*args, **kwargs)
        except Exception:
            return plain(*args, **kwargs)

    return call  # type: ignore[return-value]  # same signature by construction
