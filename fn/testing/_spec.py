"""Specifications of arguments in which sizes are open: `f32[n,3]`, `i32[...]`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import DTYPES, ArgumentError, ArrayType, type_of

_TEXT = re.compile(r"\s*(\w+)\s*\[([^\]]*)\]\s*")
Sizes = dict[str, int]
# Shapes that `...` stands for, besides the first: a scalar, an empty array, one element, a cube.
_RANKS = [(2, 3), (), (0,), (1,), (3,), (2, 1, 2)]


class Open:
    """An array type with names in place of some sizes."""

    def __init__(self, dtype: np.dtype[Any], dims: tuple[int | str, ...]) -> None:
        self.dtype, self.dims = dtype, dims

    def at(self, sizes: Sizes, rank: tuple[int, ...]) -> ArrayType:
        """The type with these sizes."""
        shape: list[int] = []
        for d in self.dims:
            shape += rank if d == "..." else [d if isinstance(d, int) else sizes[d]]
        return ArrayType(tuple(shape), self.dtype)


def parse_type(text: str) -> Open | None:
    """`f32[n,3]` with names, or None if `text` is no type."""
    match = _TEXT.fullmatch(text)
    if match is None or match[1] not in DTYPES:
        return None
    parts = [part.strip() for part in match[2].split(",")] if match[2].strip() else []
    dims: list[int | str] = []
    for count, part in enumerate(parts):
        if part.isdigit():
            dims.append(int(part))
        elif part in ("?", "None"):
            dims.append(f"?{text}{count}")
        elif part == "..." or part.isidentifier():
            dims.append(part)
        else:
            raise ArgumentError(
                "a size in a type is neither a number nor a name", expected="f32[n,3], f32[?] or f32[...]",
                got=repr(text),
            )  # fmt: skip
    return Open(DTYPES[match[1]], tuple(dims))


class Spec:
    """Arguments with types in place of arrays; some sizes may be open."""

    def __init__(self, spec: Any) -> None:
        leaves, self.tree = tree_flatten(spec if isinstance(spec, tuple) else (spec,))
        self.leaves = [_leaf(leaf) for leaf in leaves]

    def instances(self) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """Every choice of sizes worth trying, in words, and the arguments with types in place of arrays."""
        opened = [leaf for leaf in self.leaves if isinstance(leaf, Open)]
        names = list(
            dict.fromkeys(d for o in opened for d in o.dims if isinstance(d, str) and d != "...")
        )
        ranked = any("..." in o.dims for o in opened)
        usual = {name: 3 + i for i, name in enumerate(names)}
        tried: list[tuple[Sizes, tuple[int, ...]]] = [(usual, _RANKS[0])]
        for size in (0, 1):
            tried += [({**usual, name: size}, _RANKS[0]) for name in names]
        tried += [(dict.fromkeys(names, size), _RANKS[0]) for size in (0, 1) if len(names) > 1]
        if ranked:
            tried += [(usual, rank) for rank in _RANKS[1:]]
        for sizes, rank in tried:
            leaves = [x.at(sizes, rank) if isinstance(x, Open) else x for x in self.leaves]
            words = [f"{_short(n)}={size}" for n, size in sizes.items()]
            words += [f"...={rank}"] if ranked else []
            yield ", ".join(words), tree_unflatten(self.tree, leaves)


def _short(name: str) -> str:
    return "?" if name.startswith("?") else name


def _leaf(leaf: Any) -> Any:
    if isinstance(leaf, str):
        return parse_type(leaf) or leaf
    if isinstance(leaf, jax.ShapeDtypeStruct) and any(not isinstance(n, int) for n in leaf.shape):
        return Open(
            np.dtype(leaf.dtype), tuple([n if isinstance(n, int) else str(n) for n in leaf.shape])
        )
    kind = type_of(leaf)
    return leaf if kind is None else kind
