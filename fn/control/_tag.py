"""`tag`: an identity with a name, by which `reap` and `plant` find the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jax.tree_util import tree_flatten

from fn.core import ArgumentError, Primitive, bind, context, public, type_of


class Shape:
    """A pytree without its arrays, as a parameter; equal to that of a tree built alike."""

    def __init__(self, tree: Any, static: tuple[tuple[int, Any], ...]) -> None:
        self.tree, self.static = tree, static
        self.__qualname__ = str(tree)  # what the printer shows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and (self.tree, self.static) == (other.tree, other.static)

    def __hash__(self) -> int:
        return hash((self.tree, self.static))

    def rebuild(self, arrays: Sequence[Any]) -> Any:
        """The tree with these arrays in it."""
        leaves = list(arrays)
        for position, value in self.static:
            leaves.insert(position, value)
        return self.tree.unflatten(leaves)


def shape_of(value: Any) -> tuple[Shape | None, list[Any]]:
    """A pytree apart from its arrays, and these; an array alone is None and itself."""
    if type_of(value) is not None:
        return None, [value]
    leaves, tree = tree_flatten(value)
    static = tuple([(i, x) for i, x in enumerate(leaves) if type_of(x) is None])
    return Shape(tree, static), [x for x in leaves if type_of(x) is not None]


# --- tag --------------------------------------------------------------------------------
@public
def tag(x: Any, name: str) -> Any:
    """`x`, which `fn.reap` hands out as `name` and `fn.plant` replaces.

    Outside of these it costs nothing: tags are gone before a function is compiled. Policies of
    `fn.checkpoint` know the name as well, as they do that of `fn.name`. A derivative passes through.

    Args:
        x: an array, or a pytree of arrays and hashable leaves.
        name: different from those of other values in the same function.

    >>> import fn, fn.numpy as np
    >>> f = lambda x: np.cos(fn.tag(np.sin(x), "wave"))
    >>> out, found = fn.reap(f)(0.0)
    >>> float(out), float(found["wave"])
    (1.0, 0.0)
    """
    if not isinstance(name, str):
        raise ArgumentError("tag: the name is not a string", expected="a string", got=repr(name))
    if context.trace is None:
        return x
    shape, arrays = shape_of(x)
    outs = bind(tag_p, *arrays, name=name, shape=shape)
    return outs[0] if shape is None else shape.rebuild(outs)


def _tag_jvp(args: Any, tangents: Any, **params: Any) -> tuple[Any, Any]:
    return bind(tag_p, *args, **params), tangents


tag_p: Primitive = Primitive(
    name="tag", type=lambda *types, name, shape: types, jvp=_tag_jvp,
    transpose=lambda cts, *args, name, shape: tuple(cts),
    batch=lambda axis, args, dims, **params: (bind(tag_p, *args, **params), tuple(dims)),
    lower=lambda emit, *args, name, shape: args, multiple=True, effect="tag",
)  # fmt: skip
