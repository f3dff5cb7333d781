"""Asking a primitive for its output types, once per input types and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.core._errors import ArgumentError, FnError
from fn.core._primitive import Linear, Primitive
from fn.core._types import ArrayType

_inferred: dict[Any, tuple[ArrayType, ...]] = {}


def infer(
    primitive: Primitive, types: tuple[ArrayType, ...], params: dict[str, Any]
) -> tuple[ArrayType, ...]:
    """Output types of `primitive` at these types, from its type rule, remembered."""
    key = (primitive, types, *params.items()) if params else (primitive, types)
    try:
        found = _inferred.get(key)
    except TypeError:
        raise _unhashable(primitive, params) from None
    if found is None:
        result = primitive.type(*types, **params)
        found = result if isinstance(result, tuple) else (result,)
        if not primitive.multiple or all(map(_small, params.values())):
            if len(_inferred) > 100_000:
                _inferred.clear()
            _inferred[key] = found
    return found


def _small(value: Any) -> bool:
    """Whether a parameter may be kept: no Program, and nothing that may hold what a user's function does."""
    if isinstance(value, tuple):
        return all(map(_small, value))
    return isinstance(value, _SMALL)


_SMALL = (bool, int, float, str, type(None), np.dtype, np.generic, ArrayType)


def _unhashable(primitive: Primitive, params: dict[str, Any]) -> FnError:
    for name, value in params.items():
        try:
            hash(value)
        except TypeError:
            return ArgumentError(
                f"{primitive.name}: parameter {name!r} is not hashable",
                expected="a hashable value: numbers, strings, tuples, dtypes, Programs",
                got=type(value).__name__,
                fix="pass arrays as positional arguments and lists as tuples",
            )
    return ArgumentError(f"{primitive.name}: a parameter is not hashable")


def not_an_array(operation: str, position: int | str | None, value: Any) -> FnError:
    """The error for a value that is no array, scalar or tracer where one is needed."""
    if isinstance(value, Linear):
        return value.misfit(operation)
    where = f"argument {position}" if isinstance(position, int) else (position or "a value")
    kind = type(value).__name__
    dtype = f" of dtype {value.dtype}" if hasattr(value, "dtype") else ""
    fix = "convert it with fn.numpy.asarray, or pass it as a static argument"
    if "key<" in dtype:
        fix = "pass its bits, jax.random.key_data(key), or make keys with fn.random.key"
    if isinstance(value, (list, tuple)):
        fix = "make one array of it with fn.numpy.asarray"
    return ArgumentError(
        f"{operation}: {where} is not an array",
        expected="an array, a Python or NumPy number, or a traced array",
        got=f"{kind}{dtype}",
        fix=fix,
    )
