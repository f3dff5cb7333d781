"""Taking a tree apart into trees of the same structure with None in them, and joining those again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import TreeError, broadcast_prefix, public
from fn.tree._at import matches
from fn.tree._difference import children, misfit, one_level
from fn.tree._map import leaves_with_path

Keep: TypeAlias = Callable[[Any], Any] | str | Any


@public
def filter(tree: Any, keep: Keep) -> Any:
    """`tree` with None in place of every leaf that is not kept.

    Args:
        tree: any pytree.
        keep: a predicate of leaves; a path pattern as in `at`, which keeps the leaves it matches and
            those below branches it matches; or a tree of booleans, or a prefix of one.

    >>> import fn
    >>> fn.tree.filter({"w": 1.5, "steps": 3}, lambda x: isinstance(x, float))
    {'steps': None, 'w': 1.5}
    >>> fn.tree.filter({"enc": {"w": 1}, "dec": {"w": 2}}, "enc")
    {'dec': {'w': None}, 'enc': {'w': 1}}
    """
    return partition(tree, keep)[0]


@public
def partition(tree: Any, keep: Keep) -> tuple[Any, Any]:
    """`(kept, others)`: two trees of the structure of `tree`, each with None where the other has a leaf.

    `merge(kept, others)` is `tree` again. Arguments are those of `filter`.

    >>> import fn
    >>> fn.tree.partition({"w": 1.5, "steps": 3}, lambda x: isinstance(x, float))
    ({'steps': None, 'w': 1.5}, {'steps': 3, 'w': None})
    """
    leaves, treedef = tree_flatten(tree)
    if isinstance(keep, str):
        wanted = [_below(keep, path) for path, _ in leaves_with_path(tree)]
    elif callable(keep):
        wanted = [bool(keep(leaf)) for leaf in leaves]
    else:
        wanted = [bool(k) for k in broadcast_prefix(keep, tree, "tree.partition: `keep`")]
    kept = [leaf if w else None for leaf, w in zip(leaves, wanted, strict=True)]
    others = [None if w else leaf for leaf, w in zip(leaves, wanted, strict=True)]
    return tree_unflatten(treedef, kept), tree_unflatten(treedef, others)


def _below(pattern: str, path: str) -> bool:
    return matches(pattern.strip("/"), path) or matches(f"{pattern.strip('/')}/**", path)


@public
def merge(*trees: Any) -> Any:
    """One tree from several of the same structure: at each place the first that is not None.

    Args:
        trees: of one structure, up to None; a None may stand for a whole branch.

    Raises:
        TreeError: if there is no tree, or their structures differ, naming the paths.

    >>> import fn
    >>> fn.tree.merge({"w": None, "b": 2}, {"w": 1, "b": 0})
    {'b': 2, 'w': 1}
    """
    if not trees:
        raise TreeError("tree.merge: no trees", expected="at least one tree")
    return _merge(trees, trees)


def _merge(nodes: tuple[Any, ...], trees: tuple[Any, ...]) -> Any:
    present = [node for node in nodes if node is not None]
    if len(present) < 2:
        return present[0] if present else None
    below = [children(node) for node in present]
    if all(b is None for b in below):
        return present[0]
    kind = one_level(present[0])
    if any(b is None or one_level(n) != kind for n, b in zip(present, below, strict=True)):
        raise misfit("merge", trees)
    rows = zip(*[[child for _, child in b or ()] for b in below], strict=True)
    return tree_unflatten(kind, [_merge(tuple(row), trees) for row in rows])
