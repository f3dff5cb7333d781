"""A pytree as one vector, and back."""

from __future__ import annotations

from typing import Any

from jax.tree_util import tree_flatten, tree_unflatten

from fn.core import ArgumentError, ArrayType, public, type_of
from fn.numpy import result_type
from fn.ops import concatenate, convert, full, reshape, slice_axis


class Unravel:
    """What `ravel` returns to go back: vectors to trees. Equal for trees of equal structure and types.

    >>> import fn, fn.numpy as np
    >>> flat, unravel = fn.ravel((np.ones(2), np.zeros(1)))
    >>> isinstance(unravel, fn.derivatives.Unravel), [x.shape for x in unravel(flat)]
    (True, [(2,), (1,)])
    """

    def __init__(
        self, tree: Any, types: tuple[ArrayType | None, ...], static: tuple[Any, ...]
    ) -> None:
        self.tree, self.types, self.static = tree, types, static
        self.size = sum(t.size for t in types if t is not None)
        dtypes = [t.dtype for t in types if t is not None]
        self.dtype = result_type(*dtypes) if dtypes else result_type(float)
        self.mixed = len(set(dtypes)) > 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unravel) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((self.tree, self.types))

    def _key(self) -> Any:
        return self.tree, self.types, self.static

    def __repr__(self) -> str:
        return f"<fn.ravel's way back from {self.size} entries of dtype {self.dtype.name}>"

    @public
    def __call__(self, flat: Any) -> Any:
        """The tree with the entries of `flat`, a vector; each leaf in its own dtype.

        Where all leaves have one dtype, a vector of another one gives leaves of that.
        """
        given = type_of(flat)
        if (
            given is None
            or given.shape != (self.size,)
            or (self.mixed and given.dtype != self.dtype)
        ):
            raise ArgumentError(
                "ravel: the vector does not fit the tree",
                expected=str(ArrayType((self.size,), self.dtype)),
                got=str(given or type(flat).__name__),
            )
        leaves, start, static = [], 0, iter(self.static)
        for t in self.types:
            if t is None:
                leaves.append(next(static))
                continue
            piece = reshape(slice_axis(flat, start, start + t.size, 0), shape=t.shape)
            leaves.append(convert(piece, dtype=t.dtype) if self.mixed else piece)
            start += t.size
        return tree_unflatten(self.tree, leaves)


@public
def ravel(tree: Any) -> tuple[Any, Unravel]:
    """The entries of all arrays of `tree` in one vector, and the function that goes back.

    Args:
        tree: a pytree of arrays and numbers. Leaves that are neither, and None, stay in the tree.

    Returns:
        `(flat, unravel)`. `flat` has the dtype that the leaves' dtypes promote to; `unravel(flat)` is the
        tree, each leaf in its own shape and dtype. Both work under every transform; `unravel` can be
        hashed, and so be a static argument.

    >>> import fn, fn.numpy as np
    >>> flat, unravel = fn.ravel({"w": np.ones((2, 2)), "b": np.zeros(1), "name": "layer"})
    >>> flat.shape, unravel(2 * flat)["w"].shape, unravel(flat)["name"]
    ((5,), (2, 2), 'layer')
    """
    leaves, structure = tree_flatten(tree)
    types = tuple([None if (t := type_of(leaf)) is None else t.strong() for leaf in leaves])
    static = tuple([leaf for leaf, t in zip(leaves, types, strict=True) if t is None])
    unravel = Unravel(structure, types, static)
    parts = [
        reshape(convert(leaf, dtype=unravel.dtype), shape=(t.size,))
        for leaf, t in zip(leaves, types, strict=True)
        if t is not None
    ]
    if not parts:
        return full(unravel.dtype.type(0), (0,)), unravel
    return parts[0] if len(parts) == 1 else concatenate(*parts, axis=0), unravel
