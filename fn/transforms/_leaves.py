"""Pytrees at the door of a transform: which leaves have tangents, and fitting tangents to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.tree_util import tree_flatten, tree_flatten_with_path, tree_unflatten

from fn.core import (
    ArgumentError,
    ArrayType,
    Traced,
    Tracer,
    TreeError,
    format_path,
    is_inexact,
    type_of,
)
from fn.ops import convert, full


def _is_none(x: Any) -> bool:
    return x is None


def differentiable(leaf: Any) -> bool:
    """Whether a leaf has a derivative: a floating or complex array or number."""
    kind = type_of(leaf)
    return kind is not None and is_inexact(kind.dtype)


def fit_leaves(operation: str, what: str, given: Any, like: Any, root: str) -> list[Any]:
    """Tangents or cotangents `given` for the leaves of `like`, one entry per leaf, None for zero.

    Leaves that have no derivative take None, and whatever else is given for them is ignored.

    Raises:
        TreeError: if the trees differ, naming the path.
        ArgumentError: if a shape or dtype differs.
    """
    leaves, tree = tree_flatten(like)
    paths = [format_path(p, root) for p, _ in tree_flatten_with_path(like)[0]]
    try:
        parts = tree.flatten_up_to(given)
    except (ValueError, TypeError) as error:
        found = tree_flatten(given, is_leaf=_is_none)[1]
        raise TreeError(
            f"{operation}: the {what} do not have the structure of {root}",
            expected=str(tree),
            got=str(found),
            fix=f"give one {what.rstrip('s')} per leaf, None for leaves without one "
            f"({str(error).splitlines()[0]})",
        ) from None
    result: list[Any] = []
    for path, leaf, part in zip(paths, leaves, parts, strict=True):
        kind = type_of(leaf)
        if kind is None or not is_inexact(kind.dtype) or part is None:
            result.append(None)
            continue
        result.append(_fit(operation, what, path, kind, part))
    return result


def _fit(operation: str, what: str, path: str, kind: ArrayType, part: Any) -> Any:
    given = type_of(part)
    if given is None or given.shape != kind.shape:
        raise ArgumentError(
            f"{operation}: wrong {what.rstrip('s')} for `{path}`",
            expected=str(kind.strong()),
            got=str(given or type(part).__name__),
            fix=f"a {what.rstrip('s')} has the shape and dtype of the value it belongs to",
        )
    if given is kind.strong():
        return part
    if (
        given.dtype == kind.dtype
        or given.weak
        or isinstance(part, (bool, int, float, complex))
        or given.dtype.kind in "biu"
    ):
        return convert(part, dtype=kind.dtype)
    raise ArgumentError(
        f"{operation}: wrong {what.rstrip('s')} dtype for `{path}`",
        expected=str(kind.strong()),
        got=str(given),
        fix=f"convert it with .astype({kind.dtype.name!r})",
    )


def zeros(kind: ArrayType) -> Any:
    """An array of zeros, for a derivative that is zero and has to be handed out."""
    return full(kind.dtype.type(0), kind.shape)


def as_array(value: Any) -> Any:
    """A Python or NumPy number as an array, so that results are always arrays."""
    if isinstance(value, (jax.Array, Tracer)):
        return value
    kind = type_of(value)
    assert kind is not None
    return convert(value, dtype=kind.dtype, weak=kind.weak)


def rebuild_zeros(traced: Traced, moved: Sequence[Any]) -> Any:
    """The tree of a function's output tangents: zeros for arrays without one, None for the rest."""
    leaves: list[Any] = []
    for kind, t in zip(traced.program.out_types, moved, strict=True):
        if not is_inexact(kind.dtype):
            leaves.append(None)
        else:
            leaves.append(zeros(kind.strong()) if t is None else t)
    for position, _ in traced.out_static:
        leaves.insert(position, None)
    return tree_unflatten(traced.out_tree, leaves)


def example_outputs(traced: Traced) -> Any:
    """The output tree of a traced function with types for arrays."""
    return traced.rebuild(traced.program.out_types)


def normalize_argnums(operation: str, argnums: Any, args: tuple[Any, ...]) -> tuple[int, ...]:
    """`argnums` as distinct non-negative positions.

    Raises:
        ArgumentError: if one is out of range or no integer.
    """
    given = argnums if isinstance(argnums, Sequence) else (argnums,)
    result = []
    for n in given:
        if not isinstance(n, (int, np.integer)) or not -len(args) <= n < len(args):
            raise ArgumentError(
                f"{operation}: argnums does not name a positional argument",
                expected=f"integers from {-len(args)} to {len(args) - 1}" if args else "no argnums",
                got=f"argnums={argnums!r} with {len(args)} positional arguments",
                fix="pass the argument to differentiate by position",
            )
        result.append(int(n) % len(args))
    return tuple(result)


def check_callable(operation: str, function: Callable[..., Any]) -> None:
    """Raise unless `function` can be called."""
    if not callable(function):
        raise ArgumentError(
            f"{operation}: the first argument is not a function",
            expected="a function of arrays and pytrees",
            got=type(function).__name__,
            fix=f"write {operation}(f)(x), not {operation}(f(x))",
        )
