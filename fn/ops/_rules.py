"""What the rule blocks share: small checks with good messages, and moves of batched axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fn.core import ArrayType, MissingRuleError, TypeRuleError, dtype_name

Batched = tuple[Any, int | None]


def require(condition: bool, what: str, *, expected: str, got: Any, fix: str | None = None) -> None:
    """Raise a `TypeRuleError` unless `condition` holds."""
    if not condition:
        raise TypeRuleError(what, expected=expected, got=str(got), fix=fix)


def types_text(types: Sequence[ArrayType]) -> str:
    """`f32[3,4], f32[3]`, without the marks of weakness."""
    return ", ".join(f"{dtype_name(t.dtype)}[{','.join(map(str, t.shape))}]" for t in types)


def require_axes(name: str, axes: tuple[int, ...], ndim: int, type: ArrayType) -> None:
    """Axes of an operand: distinct and in range."""
    fits = len(set(axes)) == len(axes) and all(0 <= a < ndim for a in axes)
    require(
        fits, f"{name}: axes do not fit the operand",
        expected=f"distinct axes from 0 to {ndim - 1}" if ndim else "no axes, the operand is a scalar",
        got=f"axes {axes} of {types_text([type])}",
    )  # fmt: skip


def result_weak(*types: ArrayType) -> bool:
    """A result is weak if everything it came from is."""
    return all(t.weak for t in types)


def jax_lowering(function: Callable[..., Any]) -> Callable[..., Any]:
    """A lowering rule that takes what JAX lowers `function(*arrays, **params)` to."""

    def lower(emit: Any, *args: Any, **params: Any) -> Any:
        try:
            return emit.jax(function, *args, **params)
        except NotImplementedError:
            raise MissingRuleError(
                f"{function.__name__.lstrip('_')}: there is no kernel for it on {emit.platform}",
                fix="compute it on the CPU: x = jax.device_put(x, jax.devices('cpu')[0])",
            ) from None

    return lower
