"""`map` and `associative_scan`: loops without a carry, and scans without a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jax.tree_util import tree_flatten, tree_unflatten

from fn.control._scan import leading_size, scan
from fn.control._structure import check_function, name_of
from fn.core import ArgumentError, TreeError, TypeRuleError, leaf_paths, public, type_of
from fn.ops import concatenate, expand, reshape, reverse, slice_axis
from fn.transforms import vmap


@public
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply `f` to each entry along the leading axis of `xs`, one after the other, and stack what it gives.

    Args:
        f: of one entry, pytrees in and out.
        xs: arrays with a common leading axis.
        batch_size: take this many entries at a time, by `fn.vmap`: faster, with more memory. What
            remains of the last batch is a smaller one.

    Returns:
        The results of `f`, stacked on a leading axis.

    Raises:
        ArgumentError: if leading axes differ, with each path and size.

    >>> import fn, fn.numpy as np
    >>> fn.map(lambda x: x * x, np.arange(5), batch_size=2).tolist()
    [0, 1, 4, 9, 16]
    """
    check_function("map", "the first argument", f)
    if batch_size is None:
        return scan(lambda _, x: (None, f(x)), None, xs)[1]
    if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise ArgumentError(
            "map: batch_size is not a number of entries", expected="a positive integer",
            got=repr(batch_size),
        )  # fmt: skip
    n = leading_size("map", xs, None)
    batches, rest = divmod(n, batch_size)
    if not rest and not batches:
        return scan(lambda _, x: (None, f(x)), None, xs)[1]
    parts = []
    if batches:
        whole = _each(
            lambda x: reshape(
                slice_axis(x, 0, batches * batch_size, 0), shape=(batches, batch_size, *x.shape[1:])
            ),
            xs,
        )
        stacked = scan(lambda _, x: (None, vmap(f)(x)), None, whole)[1]
        parts.append(
            _each(lambda y: reshape(y, shape=(batches * batch_size, *y.shape[2:])), stacked)
        )
    if rest:
        parts.append(vmap(f)(_each(lambda x: slice_axis(x, n - rest, n, 0), xs)))
    if len(parts) == 1:
        return parts[0]
    return _each(lambda a, b: concatenate(a, b, axis=0), *parts)


def _each(function: Callable[..., Any], *trees: Any) -> Any:
    """`function` on the array leaves; leaves that are no arrays are taken from the first tree."""
    tree = tree_flatten(trees[0])[1]
    columns = zip(*[tree_flatten(t)[0] for t in trees], strict=True)
    return tree_unflatten(tree, [c[0] if type_of(c[0]) is None else function(*c) for c in columns])


@public
def associative_scan(
    fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """All partial results of an associative operation, in logarithmic depth.

    Args:
        fn: `(a, b) -> c`, associative, on trees like `elems`, whose arrays hold several entries along
            `axis` at once.
        elems: arrays with a common size along `axis`.
        reverse: begin at the end.
        axis: the axis to go along.

    Returns:
        A tree like `elems`: at each place the combination of all entries up to there.

    Raises:
        ArgumentError: if sizes along the axis differ, with each path and size.
        TypeRuleError: if `fn` gives other types than it takes, with the path and both types.

    >>> import fn, fn.numpy as np
    >>> fn.associative_scan(np.add, np.array([1, 2, 3, 4])).tolist()
    [1, 3, 6, 10]
    """
    check_function("associative_scan", "the first argument", fn)
    leaves, tree = tree_flatten(elems)
    paths = leaf_paths(elems, "elems")
    axes = []
    sizes = {}
    for path, leaf in zip(paths, leaves, strict=True):
        kind = type_of(leaf)
        if kind is None or not -kind.ndim <= axis < kind.ndim:
            raise ArgumentError(
                f"associative_scan: `{path}` has no axis {axis}", expected="an array with that axis",
                got=str(kind or type(leaf).__name__),
            )  # fmt: skip
        axes.append(axis % kind.ndim)
        sizes[path] = kind.shape[axis]
    if len(set(sizes.values())) > 1:
        raise ArgumentError(
            f"associative_scan: sizes along axis {axis} differ", expected="one size",
            got="; ".join(f"`{path}`: {n}" for path, n in sizes.items()),
        )  # fmt: skip
    if not leaves:
        return elems

    def combine(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        outs, out_tree = tree_flatten(fn(tree_unflatten(tree, a), tree_unflatten(tree, b)))
        if out_tree != tree:
            raise TreeError(
                f"associative_scan: {name_of(fn)} returns another structure than it takes",
                expected=str(tree), got=str(out_tree),
            )  # fmt: skip
        for path, before, after in zip(paths, a, outs, strict=True):
            was, now = type_of(before), type_of(after)
            if was is None or now is None or (was.shape, was.dtype) != (now.shape, now.dtype):
                raise TypeRuleError(
                    f"associative_scan: `{path}` changes its type in {name_of(fn)}",
                    expected=str(was), got=str(now or type(after).__name__),
                    fix="return what is taken: the shape along the axis too, for any size of it",
                )  # fmt: skip
        return list(outs)

    entries = [_flipped(x, a) for x, a in zip(leaves, axes, strict=True)] if reverse else leaves
    found = _partial(combine, entries, axes)
    if reverse:
        found = [_flipped(x, a) for x, a in zip(found, axes, strict=True)]
    return tree_unflatten(tree, found)


def _flipped(x: Any, axis: int) -> Any:
    return reverse(x, axes=(axis,))


def _partial(
    combine: Callable[..., list[Any]], elems: Sequence[Any], axes: Sequence[int]
) -> list[Any]:
    """Combine neighbours, scan the half as many results, and fill in the places between."""
    n = elems[0].shape[axes[0]]
    if n < 2:
        return list(elems)

    def part(xs: Sequence[Any], start: int, stop: int, stride: int = 1) -> list[Any]:
        return [slice_axis(x, start, stop, a, stride) for x, a in zip(xs, axes, strict=True)]

    odd = _partial(combine, combine(part(elems, 0, n - 1, 2), part(elems, 1, n, 2)), axes)
    even = part(elems, 0, 1)
    if n > 2:
        later = combine(part(odd, 0, (n - 1) // 2), part(elems, 2, n, 2))
        even = [concatenate(x, y, axis=a) for x, y, a in zip(even, later, axes, strict=True)]
    return [_interleaved(x, y, a) for x, y, a in zip(even, odd, axes, strict=True)]


def _interleaved(even: Any, odd: Any, axis: int) -> Any:
    """`even[0], odd[0], even[1], …`, where `even` may have one entry more."""
    n, m = even.shape[axis], odd.shape[axis]
    pairs = concatenate(
        *[expand(slice_axis(x, 0, m, axis), (axis + 1,)) for x in (even, odd)], axis=axis + 1
    )
    shape = even.shape
    found = reshape(pairs, shape=(*shape[:axis], 2 * m, *shape[axis + 1 :]))
    return found if n == m else concatenate(found, slice_axis(even, m, n, axis), axis=axis)
