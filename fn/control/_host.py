"""Python functions as parameters of equations: what callbacks call, and what they may give back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import (
    ArgumentError,
    ArrayType,
    TreeError,
    TypeRuleError,
    function_name,
    is_complex,
    is_inexact,
    is_integer,
    leaf_paths,
    type_of,
)


class Host:
    """A Python function of arrays, and the trees of its arguments and results.

    Two are equal if they call the same function in the same way; what a function does is not looked
    at, so it has no text form either.
    """

    def __init__(
        self, operation: str, function: Callable[..., Any], tree: Any, static: tuple[tuple[int, Any], ...],
        out_tree: Any,
    ) -> None:  # fmt: skip
        self.operation, self.function = operation, function
        self.tree, self.static, self.out_tree = tree, static, out_tree
        self.name = function_name(function)
        self.__qualname__ = self.name  # what the printer shows
        self._key = operation, function, tree, static, out_tree

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Host) and self._key == other._key)

    def __hash__(self) -> int:
        return hash(self._key[:3])

    def __repr__(self) -> str:
        return f"<{self.operation} of {self.name}>"

    def __call__(self, types: tuple[ArrayType, ...], *arrays: Any) -> tuple[Any, ...]:
        """Call the function on arrays, as NumPy ones, and give its results as arrays of these types."""
        leaves: list[Any] = [np.asarray(a) for a in arrays]
        for position, value in self.static:
            leaves.insert(position, value)
        args, kwargs = tree_unflatten(self.tree, leaves)
        result = self.function(*args, **kwargs)
        if self.out_tree is None:
            return ()
        found, tree = tree_flatten(result)
        if tree != self.out_tree:
            raise TreeError(
                f"{self.operation}: `{self.name}` returned another structure than was declared",
                expected=str(self.out_tree), got=str(tree),
            )  # fmt: skip
        paths = leaf_paths(result, "result")
        return tuple([self._fit(p, x, t) for p, x, t in zip(paths, found, types, strict=True)])

    def _fit(self, path: str, value: Any, expected: ArrayType) -> Any:
        array = np.asarray(value)
        fits = array.shape == expected.shape and _rank(array.dtype) <= _rank(expected.dtype)
        if not fits:
            got = type_of(value)
            raise TypeRuleError(
                f"{self.operation}: `{self.name}` returned something else at `{path}` than was declared",
                expected=str(expected), got=str(got or type(value).__name__),
                fix="declare what it returns in result_types, or convert it there",
            )  # fmt: skip
        return array.astype(expected.dtype)


def _rank(dtype: np.dtype[Any]) -> float:
    kinds = [is_complex(dtype), is_inexact(dtype), is_integer(dtype), dtype == np.bool_]
    return 3.0 - kinds.index(True) if True in kinds else 9.0


def host(
    operation: str, function: Any, args: Any, kwargs: Any, out_tree: Any = None
) -> tuple[Host, list[Any]]:
    """The parameter for a call of `function`, and the arrays among its arguments."""
    if not callable(function):
        raise ArgumentError(
            f"{operation}: the first argument is not a function", expected="a function",
            got=type(function).__name__,
        )  # fmt: skip
    try:
        hash(function)
    except TypeError:
        raise ArgumentError(
            f"{operation}: the function is not hashable", expected="a function, or an object that is hashed "
            "by identity", got=type(function).__name__, fix="pass its bound method or a lambda",
        ) from None  # fmt: skip
    leaves, tree = tree_flatten((args, kwargs))
    static = [(i, leaf) for i, leaf in enumerate(leaves) if type_of(leaf) is None]
    for position, leaf in static:
        try:
            hash(leaf)
        except TypeError:
            raise ArgumentError(
                f"{operation}: an argument is neither an array nor hashable",
                expected="arrays, numbers, and hashable values",
                got=f"{type(leaf).__name__} at `{leaf_paths((args, kwargs), 'arguments')[position]}`",
            ) from None
    arrays = [leaf for leaf in leaves if type_of(leaf) is not None]
    return Host(operation, function, tree, tuple(static), out_tree), arrays


def declared(operation: str, result_types: Any) -> tuple[tuple[ArrayType, ...], Any]:
    """The types a callback was declared to return, flat, and their tree."""
    leaves, tree = tree_flatten(result_types)
    types = []
    for path, leaf in zip(leaf_paths(result_types, "result_types"), leaves, strict=True):
        kind = type_of(leaf)
        if kind is None and hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
            kind = type_of(jax.ShapeDtypeStruct(leaf.shape, leaf.dtype))
        if kind is None:
            raise ArgumentError(
                f"{operation}: `{path}` is not the type of an array",
                expected="fn.ArrayType(shape, dtype), jax.ShapeDtypeStruct, or an array like the result",
                got=type(leaf).__name__,
            )  # fmt: skip
        types.append(kind.strong())
    return tuple(types), tree


class Number:
    """An array without axes as messages show it: by itself with the digits it has."""

    def __init__(self, array: Any) -> None:
        self.value = array[()] if array.dtype.kind in "biufc" else float(array)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self.value)

    def __repr__(self) -> str:
        return str(self.value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)


def shown(value: Any) -> Any:
    """What stands for an array in a format."""
    return Number(value) if isinstance(value, np.ndarray) and value.ndim == 0 else value
