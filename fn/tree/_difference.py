"""Where two trees differ in structure, and how, in words a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jax.tree_util import tree_flatten_with_path, tree_structure

from fn.core import TreeError, format_path, public, type_of

IsLeaf = Callable[[Any], bool] | None
_SHOWN = 3


def children(node: Any) -> list[tuple[str, Any]] | None:
    """The children of one node with their keys, or None for a leaf."""
    found = tree_flatten_with_path(node, is_leaf=lambda x: x is not node)[0]
    if len(found) == 1 and not found[0][0]:
        return None
    return [(format_path(path), child) for path, child in found]


def one_level(node: Any) -> Any:
    """The structure of one node by itself."""
    return tree_structure(node, is_leaf=lambda x: x is not node)


def join(path: str, key: str) -> str:
    """The path of a child."""
    return f"{path}/{key}" if path else key


def _describe(node: Any) -> str:
    if node is None:
        return "None"
    kind = type_of(node)
    if kind is not None:
        return str(kind)
    below = children(node)
    if below is None:
        return type(node).__name__
    if isinstance(node, dict):
        keys = ", ".join(key for key, _ in below[:6]) + (", …" if len(below) > 6 else "")
        return f"dict with {keys or 'no keys'}"
    return f"{type(node).__name__} of {len(below)}"


def _differences(path: str, a: Any, b: Any, is_leaf: IsLeaf) -> Iterator[str]:
    if a is None and b is None:
        return
    stop = is_leaf is not None and (is_leaf(a) or is_leaf(b))
    ours, theirs = (None, None) if stop else (children(a), children(b))
    if ours is None and theirs is None and (a is None) == (b is None):
        return
    place = f"`{path}`" if path else "the whole tree"
    if ours is None or theirs is None or a is None or b is None or type(a) is not type(b):
        yield f"{place}: {_describe(a)} in one, {_describe(b)} in the other"
        return
    if isinstance(a, dict):
        left, right = dict(ours), dict(theirs)
        for key in left:
            if key not in right:
                yield f"`{join(path, key)}`: missing in the second"
        for key in right:
            if key not in left:
                yield f"`{join(path, key)}`: missing in the first"
        for key in left:
            if key in right:
                yield from _differences(join(path, key), left[key], right[key], is_leaf)
        return
    if len(ours) != len(theirs):
        yield f"{place}: {_describe(a)} in one, {_describe(b)} in the other"
        return
    if one_level(a) != one_level(b):
        yield f"{place}: two {type(a).__name__} with different static parts"
        return
    for (key, left), (_, right) in zip(ours, theirs, strict=True):
        yield from _differences(join(path, key), left, right, is_leaf)


@public
def differences(a: Any, b: Any, *, is_leaf: IsLeaf = None) -> list[str]:
    """Where the structures of two trees differ: one sentence per place, with its path.

    Args:
        a, b: any trees. Leaves are not compared.
        is_leaf: what else to take for a leaf.

    >>> import fn
    >>> fn.tree.differences({"w": 1, "b": (1, 2)}, {"w": [1], "b": (1, 2)})
    ['`w`: ~i32[] in one, list of 1 in the other']
    """
    return list(_differences("", a, b, is_leaf))


def misfit(operation: str, trees: Sequence[Any], is_leaf: IsLeaf = None) -> TreeError:
    """The error for trees that do not have one structure."""
    for position, other in enumerate(trees[1:], 2):
        found = differences(trees[0], other, is_leaf=is_leaf)
        if found:
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            return TreeError(
                f"tree.{operation}: trees 1 and {position} do not have the same structure",
                expected="the same structure, up to None",
                got="; ".join(found[:_SHOWN]) + more,
                fix="give each tree an entry, or None, at these paths",
            )
    return TreeError(f"tree.{operation}: the trees do not have the same structure")
