"""Leaves that are no arrays, carried through `jax.jit` in the structure of the tree instead of as leaves."""

from __future__ import annotations

from typing import Any

from jax import tree_util

from fn.core import type_of


class Static:
    """A pytree node without children that holds a static value; compared by class and value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Static)
            and type(self.value) is type(other.value)
            and bool(self.value == other.value)
        )

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    def __repr__(self) -> str:
        return f"Static({self.value!r})"


tree_util.register_pytree_node(Static, lambda s: ((), s), lambda s, _: s)


def wrap(tree: Any) -> Any:
    """`tree` with each leaf that is no array in a `Static`."""
    return tree_util.tree_map(lambda leaf: Static(leaf) if type_of(leaf) is None else leaf, tree)


def _is_static(x: Any) -> bool:
    return isinstance(x, Static)


def unwrap(tree: Any) -> Any:
    """`tree` with the values of its `Static` nodes in their place."""
    return tree_util.tree_map(
        lambda x: x.value if isinstance(x, Static) else x, tree, is_leaf=_is_static
    )
