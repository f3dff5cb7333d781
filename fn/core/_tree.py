"""Pytrees by way of `jax.tree_util`, with readable leaf paths such as `params/conv1/w`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from jax import tree_util
from jax.tree_util import (
    DictKey,
    FlattenedIndexKey,
    GetAttrKey,
    SequenceKey,
    tree_flatten,
    tree_flatten_with_path,
    tree_leaves,
    tree_map,
    tree_structure,
    tree_unflatten,
)

from fn.core._errors import TreeError

__all__ = [
    "PyTreeDef", "broadcast_prefix", "format_path", "leaf_paths", "tree_flatten",
    "tree_leaves", "tree_map", "tree_structure", "tree_unflatten",
]  # fmt: skip

PyTreeDef: TypeAlias = Any
"""A tree's structure; JAX's class has no types for its methods."""


def format_path(path: Sequence[Any], root: str = "") -> str:
    """`params/conv1/w`, from a key path and the name of the argument it starts at."""
    parts = [root] if root else []
    for key in path:
        if isinstance(key, (DictKey, FlattenedIndexKey)):
            parts.append(str(key.key))
        elif isinstance(key, SequenceKey):
            parts.append(str(key.idx))
        elif isinstance(key, GetAttrKey):
            parts.append(key.name)
        else:
            parts.append(str(key).strip(".[]'\""))
    return "/".join(parts)


def leaf_paths(tree: Any, root: str = "") -> list[str]:
    """The path of each leaf of `tree`, in flattening order."""
    return [format_path(path, root) for path, _ in tree_flatten_with_path(tree)[0]]


def broadcast_prefix(prefix: Any, tree: Any, what: str, root: str = "") -> list[Any]:
    """One entry of `prefix` for each leaf of `tree`; None in `prefix` is a leaf.

    Raises:
        TreeError: if `prefix` is not a prefix of `tree`, naming the path where they part.
    """
    result: list[Any] = []

    def spread(entry: Any, subtree: Any) -> None:
        result.extend([entry] * tree_structure(subtree).num_leaves)

    try:
        tree_util.tree_map(spread, prefix, tree, is_leaf=lambda x: x is None)
    except ValueError as error:
        problems = tree_util.tree_structure(prefix, is_leaf=lambda x: x is None)
        raise TreeError(
            f"{what} is not a prefix of the tree it belongs to",
            expected=f"a prefix of {tree_structure(tree)}",
            got=str(problems),
            fix=f"give one value for the whole tree, or one per branch ({str(error).splitlines()[0]})",
        ) from None
    return result
