"""`cond` and `switch`: run one of several functions, chosen by a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fn.control._structure import agree_branches, as_arrays, check_function, trace_with
from fn.control._switch import bind_switch
from fn.core import ArgumentError, ArrayType, is_integer, public, type_of
from fn.ops import clamp, convert, ne

_BATCHED = ("select", "map", "any")


@public
def cond(
    pred: Any,
    true_fun: Callable[..., Any],
    false_fun: Callable[..., Any],
    *operands: Any,
    batched: str = "select",
) -> Any:
    """Apply `true_fun` to the operands if `pred` holds, else `false_fun`. Only one of them runs.

    Args:
        pred: scalar; a number counts as true unless it is zero.
        true_fun: function of the operands.
        false_fun: function of the operands that returns the same structure and types.
        operands: pytrees.
        batched: what `vmap` does if `pred` differs between lanes: "select" runs both functions on
            all lanes and chooses, "any" leaves out a function no lane needs, "map" loops over the
            lanes. Derivatives of lanes that did not take a branch are never seen, NaN or not.

    Returns:
        What the chosen function returns.

    Raises:
        TreeError: if the functions return different structures.
        TypeRuleError: if they return different shapes or dtypes, with the path and both types.

    >>> import fn, fn.numpy as np
    >>> float(fn.cond(True, np.sin, np.cos, 0.0))
    0.0
    """
    kind = type_of(pred)
    if kind is None or kind.shape != () or isinstance(pred, ArrayType):
        raise ArgumentError(
            "cond: the predicate is not a scalar", expected="a boolean scalar",
            got=str(kind or type(pred).__name__),
            fix="reduce it with .any() or .all(), or choose elementwise with fn.numpy.where",
        )  # fmt: skip
    if kind.dtype != np.bool_:
        pred = ne(pred, kind.dtype.type(0))
    index = convert(pred, dtype=np.int32)
    functions = {"true_fun": true_fun, "false_fun": false_fun}
    return _apply("cond", index, functions, (1, 0), operands, batched)


@public
def switch(
    index: Any, branches: Sequence[Callable[..., Any]], *operands: Any, batched: str = "select"
) -> Any:
    """Apply `branches[index]` to the operands; an index out of range is moved to the nearest branch.

    Args:
        index: integer scalar.
        branches: functions of the operands that return the same structure and types.
        operands: pytrees.
        batched: what `vmap` does with an index that differs between lanes, as in `cond`.

    Returns:
        What the chosen function returns.

    Raises:
        TreeError: if the functions return different structures.
        TypeRuleError: if they return different shapes or dtypes, with the path and both types.

    >>> import fn, fn.numpy as np
    >>> float(fn.switch(1, [np.sin, np.cos, np.tan], 0.0))
    1.0
    """
    kind = type_of(index)
    if (
        kind is None
        or kind.shape != ()
        or not is_integer(kind.dtype)
        or isinstance(index, ArrayType)
    ):
        raise ArgumentError(
            "switch: the index is not an integer scalar", expected="an integer scalar",
            got=str(kind or type(index).__name__),
        )  # fmt: skip
    branches = tuple(branches)
    if not branches:
        raise ArgumentError("switch: there are no branches", expected="at least one", got="none")
    functions = {f"branches[{i}]": b for i, b in enumerate(branches)}
    if len(branches) == 1:
        check_function("switch", "branches[0]", branches[0])
        return branches[0](*operands)
    last = min(len(branches) - 1, int(np.iinfo(kind.dtype).max))
    inside = clamp(kind.dtype.type(0), index, kind.dtype.type(last))
    index = convert(inside, dtype=np.int32)
    return _apply("switch", index, functions, range(len(branches)), operands, batched)


def _apply(
    operation: str,
    index: Any,
    functions: dict[str, Callable[..., Any]],
    order: Sequence[int],
    operands: Any,
    batched: str,
) -> Any:
    """Trace the functions, and apply the one that `index` counts among them in this order."""
    for name, function in functions.items():
        check_function(operation, name, function)
    if batched not in _BATCHED:
        raise ArgumentError(
            f"{operation}: unknown way to batch", expected=", ".join(map(repr, _BATCHED)),
            got=repr(batched),
        )  # fmt: skip
    traced = [trace_with(operation, f, operands) for f in functions.values()]
    programs = agree_branches(operation, list(functions), [t for _, t in traced])
    ordered = [programs[i] for i in order]
    outs = bind_switch(index, ordered, traced[0][0].arrays, batched)
    return traced[0][1].rebuild(as_arrays(outs))
