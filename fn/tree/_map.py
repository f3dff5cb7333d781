"""Mapping over trees and listing their leaves, by path."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterable
from typing import Any

from jax import tree_util

from fn.core import TreeError, broadcast_prefix, format_path, public
from fn.tree._difference import IsLeaf, children, join, misfit, one_level

_MISSING = object()


def _leaf(is_leaf: IsLeaf) -> Callable[[Any], bool]:
    """Whether to stop at a node: at None, and wherever `is_leaf` says so."""
    return lambda x: x is None or (is_leaf is not None and is_leaf(x))


@public
def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """`f` over the leaves of `tree`, with the subtrees of `rest` at the same places beside them.

    A place where any of the trees has None is passed over, and is None in the result: gradients with
    None for what has none fit their parameters.

    Args:
        f: takes one leaf per tree.
        tree: any pytree.
        rest: trees of the same structure, up to None; they may go deeper than `tree`.
        is_leaf: what else to take for a leaf of `tree`.

    Returns:
        A tree of the structure of `tree`, with None where a tree has None.

    Raises:
        TreeError: if the structures differ, naming the paths and how they differ.

    >>> import fn
    >>> fn.tree.map(lambda p, g: p - g, {"w": 3, "name": "conv"}, {"w": 1, "name": None})
    {'name': None, 'w': 2}
    """
    return _map("map", lambda _, *leaves: f(*leaves), (tree, *rest), is_leaf, False)


@public
def map_with_path(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """`map`, whose function gets the path of the place before the leaves.

    Args:
        f: `f(path, *leaves)`, with a path such as `"enc/0/w"`.

    >>> import fn
    >>> fn.tree.map_with_path(lambda path, x: f"{path}={x}", {"enc": [1, 2]})
    {'enc': ['enc/0=1', 'enc/1=2']}
    """
    return _map("map_with_path", f, (tree, *rest), is_leaf, True)


def _map(
    operation: str, f: Callable[..., Any], trees: tuple[Any, ...], is_leaf: IsLeaf, named: bool
) -> Any:
    stop = _leaf(is_leaf)
    if named:
        found, treedef = tree_util.tree_flatten_with_path(trees[0], is_leaf=stop)
        names: Iterable[Any] = [format_path(path) for path, _ in found]
        first = [leaf for _, leaf in found]
    else:
        first, treedef = tree_util.tree_flatten(trees[0], is_leaf=stop)
        names = [None] * len(first)
    try:
        columns = [first, *[treedef.flatten_up_to(tree) for tree in trees[1:]]]
    except (ValueError, TypeError):
        # Either the trees differ, or one has None where another has a whole branch.
        return _walk(operation, f, trees, "", trees, stop, is_leaf)
    rows = zip(names, zip(*columns, strict=True), strict=True)
    results = [None if any(x is None for x in row) else f(name, *row) for name, row in rows]
    return tree_util.tree_unflatten(treedef, results)


def _walk(
    operation: str, f: Callable[..., Any], nodes: tuple[Any, ...], path: str,
    trees: tuple[Any, ...], stop: Callable[[Any], bool], is_leaf: IsLeaf,
) -> Any:  # fmt: skip
    if any(node is None for node in nodes):
        return None
    below = None if stop(nodes[0]) else children(nodes[0])
    if below is None:
        return f(path, *nodes)
    columns = [below]
    for other in nodes[1:]:
        theirs = children(other)
        if theirs is None or one_level(other) != one_level(nodes[0]):
            raise misfit(operation, trees, is_leaf)
        columns.append(theirs)
    results = []
    for row in zip(*columns, strict=True):
        values = tuple([child for _, child in row])
        results.append(_walk(operation, f, values, join(path, row[0][0]), trees, stop, is_leaf))
    return tree_util.tree_unflatten(one_level(nodes[0]), results)


@public
def leaves(tree: Any, *, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of `tree`, in flattening order (dictionaries by sorted key); None is none.

    >>> import fn
    >>> fn.tree.leaves({"b": 2, "a": (1, None)})
    [1, 2]
    """
    found: list[Any] = tree_util.tree_leaves(tree, is_leaf=is_leaf)
    return found


@public
def leaves_with_path(tree: Any, *, is_leaf: IsLeaf = None) -> list[tuple[str, Any]]:
    """`(path, leaf)` for each leaf of `tree`, with readable paths.

    >>> import fn
    >>> fn.tree.leaves_with_path({"enc": [{"w": 1}, {"w": 2}]})
    [('enc/0/w', 1), ('enc/1/w', 2)]
    """
    found = tree_util.tree_leaves_with_path(tree, is_leaf=is_leaf)
    return [(format_path(path), leaf) for path, leaf in found]


@public
def paths(tree: Any, *, is_leaf: IsLeaf = None) -> list[str]:
    """The path of each leaf, in flattening order.

    >>> import fn
    >>> fn.tree.paths({"enc": [{"w": 1}, {"w": 2}]})
    ['enc/0/w', 'enc/1/w']
    """
    return [path for path, _ in leaves_with_path(tree, is_leaf=is_leaf)]


@public
def flatten(tree: Any, *, is_leaf: IsLeaf = None) -> tuple[list[Any], Any]:
    """The leaves of `tree`, and its structure, which `unflatten` takes.

    >>> import fn
    >>> leaves, treedef = fn.tree.flatten({"b": 2, "a": 1})
    >>> leaves, fn.tree.unflatten(treedef, [10, 20])
    ([1, 2], {'a': 10, 'b': 20})
    """
    found: tuple[list[Any], Any] = tree_util.tree_flatten(tree, is_leaf=is_leaf)
    return found


@public
def flatten_with_path(tree: Any, *, is_leaf: IsLeaf = None) -> tuple[list[tuple[str, Any]], Any]:
    """`(path, leaf)` for each leaf, and the structure.

    >>> import fn
    >>> fn.tree.flatten_with_path({"a": 1})[0]
    [('a', 1)]
    """
    return leaves_with_path(tree, is_leaf=is_leaf), structure(tree, is_leaf=is_leaf)


@public
def structure(tree: Any, *, is_leaf: IsLeaf = None) -> Any:
    """The structure of `tree`: equal for trees that differ in their leaves only.

    >>> import fn
    >>> fn.tree.structure({"a": 1}) == fn.tree.structure({"a": 2})
    True
    """
    return tree_util.tree_structure(tree, is_leaf=is_leaf)


@public
def unflatten(treedef: Any, leaves: Iterable[Any]) -> Any:
    """The tree of this structure with these leaves.

    Args:
        treedef: from `flatten` or `structure`.
        leaves: as many as the structure has.

    Raises:
        TreeError: if there are more or fewer.

    >>> import fn
    >>> fn.tree.unflatten(fn.tree.structure([0, 0]), [1, 2])
    [1, 2]
    """
    found = list(leaves)
    if len(found) != treedef.num_leaves:
        raise TreeError(
            "tree.unflatten: the number of leaves does not fit the structure",
            expected=f"{treedef.num_leaves} leaves for {treedef}",
            got=f"{len(found)} leaves",
        )
    return tree_util.tree_unflatten(treedef, found)


@public
def reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _MISSING,
    *, is_leaf: IsLeaf = None,
) -> Any:  # fmt: skip
    """Fold the leaves of `tree` with `function(so_far, leaf)`.

    Args:
        initializer: where to start; left out, the first leaf.

    Raises:
        TreeError: for a tree without leaves, if there is no `initializer`.

    >>> import fn
    >>> fn.tree.reduce(lambda a, b: a + b, {"a": 1, "b": [2, 3]})
    6
    """
    found = leaves(tree, is_leaf=is_leaf)
    if initializer is not _MISSING:
        return functools.reduce(function, found, initializer)
    if not found:
        raise TreeError(
            "tree.reduce: the tree has no leaves", expected="at least one leaf",
            got=str(structure(tree)), fix="pass initializer=",
        )  # fmt: skip
    return functools.reduce(function, found)


@public
def all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether every leaf is true; leaves are concrete values.

    >>> import fn
    >>> fn.tree.all({"a": True, "b": [1, 0]})
    False
    """
    return builtins.all(leaves(tree, is_leaf=is_leaf))


@public
def transpose(outer: Any, inner: Any, tree: Any) -> Any:
    """A tree of trees turned inside out.

    Args:
        outer: structure (`fn.tree.structure(...)`) of `tree` down to the inner trees.
        inner: structure of the inner trees; None takes that of the first.
        tree: structured `outer` of `inner`.

    Returns:
        The same leaves structured `inner` of `outer`.

    Raises:
        TreeError: if `tree` is not so structured.

    >>> import fn
    >>> outer, inner = fn.tree.structure([0, 0]), fn.tree.structure({"x": 0, "y": 0})
    >>> fn.tree.transpose(outer, inner, [{"x": 1, "y": 2}, {"x": 3, "y": 4}])
    {'x': [1, 3], 'y': [2, 4]}
    """
    try:
        rows = outer.flatten_up_to(tree)
        if inner is None:
            inner = structure(rows[0])
        columns = zip(*[inner.flatten_up_to(row) for row in rows], strict=True)
    except (ValueError, TypeError, IndexError) as error:
        raise TreeError(
            "tree.transpose: the tree is not structured as said",
            expected=f"{outer} of {inner}", got=str(structure(tree)),
            fix=str(error).splitlines()[0],
        ) from None  # fmt: skip
    turned = [tree_util.tree_unflatten(outer, column) for column in columns]
    return tree_util.tree_unflatten(inner, turned)


@public
def broadcast(prefix: Any, tree: Any, *, is_leaf: IsLeaf = None) -> Any:
    """`prefix` spread over `tree`: each of its leaves repeated for all leaves below that place.

    Args:
        prefix: a tree whose structure `tree` begins with; None in it is a leaf.
        tree: any pytree; only its structure matters.

    Raises:
        TreeError: if `prefix` is not a prefix of `tree`.

    >>> import fn
    >>> fn.tree.broadcast({"enc": 1, "dec": 2}, {"enc": [0, 0], "dec": 0})
    {'dec': 2, 'enc': [1, 1]}
    """
    full = tree_util.tree_map(lambda _: 0, tree, is_leaf=is_leaf)
    spread = broadcast_prefix(prefix, full, "tree.broadcast: the prefix")
    return tree_util.tree_unflatten(structure(full), spread)
