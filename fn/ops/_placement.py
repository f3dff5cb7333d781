"""Placement: the geometry that gather and the scatters have in common.

A window is a box in an array `x`. An index vector, the last axis of `indices`, places it: component
`i` is where it starts along axis `index_map[i]` of `x`; along the other axes it starts at 0. `updates`
are the windows side by side: what gather returns and what a scatter is given.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fn.core import ArrayType, is_integer
from fn.ops._rules import require, types_text

Ints = tuple[int, ...]
MODES = ("fill", "clip", "promise")
_GATHER = ("offset_axes", "collapsed_axes", "index_map", "x_batch_axes", "index_batch_axes")
_SCATTER = ("update_window_axes", "inserted_axes", "index_map", "x_batch_axes", "index_batch_axes")
_PROMISES = ("mode", "unique", "sorted")


class Placement(NamedTuple):
    """Which axis is which."""

    window: Ints
    """Axes of `updates` that run through a window, rising. The others are axes of `indices`, in order."""
    dropped: Ints
    """Axes of `x`, rising, along which a window has size one and `updates` no axis."""
    index_map: Ints
    """Axis of `x` that each component of an index vector moves along."""
    x_batch: Ints
    """Axes of `x`, rising, that pair with axes of `indices`: entry `i` is indexed by entry `i`."""
    index_batch: Ints
    """Axes of `indices` that pair with `x_batch`."""

    @classmethod
    def of(cls, params: dict[str, Any]) -> Placement:
        """From the parameters of a gather or of a scatter."""
        return cls(*[params[n] for n in (_GATHER if "offset_axes" in params else _SCATTER)])

    def batched(self, x: bool, indices: bool) -> Placement:
        """With a new first axis of `updates`, and of `x` and `indices` where they have it."""
        window, dropped, index_map, x_batch, index_batch = (
            tuple([a + 1 for a in axes]) for axes in self
        )
        if not indices:  # every window grows by the new axis
            return Placement((0, *window), dropped, index_map, x_batch, self.index_batch)
        if not x:  # more windows into the same array
            return Placement(window, self.dropped, self.index_map, self.x_batch, index_batch)
        return Placement(window, dropped, index_map, (0, *x_batch), (0, *index_batch))

    def sizes(self, x: Ints, updates: Ints) -> Ints:
        """Size of a window along each axis of `x`, from the shapes."""
        inner = iter([updates[a] for a in self.window])
        return tuple([
            1 if a in self.dropped else min(n, 1) if a in self.x_batch else next(inner)
            for a, n in enumerate(x)
        ])  # fmt: skip

    def updates(self, sizes: Ints, places: Ints) -> Ints:
        """Shape of `updates`, for windows of these sizes along each axis of `x`, at these places."""
        shape = list(places)
        inner = [n for a, n in enumerate(sizes) if a not in self.dropped + self.x_batch]
        for axis, n in zip(self.window, inner, strict=True):
            shape.insert(axis, n)
        return tuple(shape)

    def bounds(self, x: Ints, sizes: Ints) -> list[int]:
        """The last start at which a window is inside, per component of an index vector."""
        return [x[a] - sizes[a] for a in self.index_map]

    def check(self, name: str, x: ArrayType, indices: ArrayType, mode: str) -> None:
        """Raise a `TypeRuleError` unless the axes fit the operands."""
        got = types_text([x, indices])
        require(
            is_integer(indices.dtype) and indices.ndim > 0, f"{name}: the indices are not index vectors",
            expected="integers, with index vectors along the last axis", got=got,
            fix="convert them to an integer type" if indices.ndim else "give them a last axis of size 1",
        )  # fmt: skip
        require(mode in MODES, f"{name}: unknown mode", expected=", ".join(MODES), got=repr(mode))
        places, components = indices.ndim - 1, indices.shape[-1]
        require(
            len(self.index_map) == components and _distinct(self.index_map, x.ndim),
            f"{name}: index_map does not fit", got=f"{self.index_map} for {got}",
            expected=f"distinct axes of the array, one for each of {components} components of an index vector",
        )  # fmt: skip
        gone = self.dropped + self.x_batch
        require(
            _rising(self.dropped, x.ndim) and _rising(self.x_batch, x.ndim)
            and _distinct(gone, x.ndim) and not set(self.x_batch) & set(self.index_map),
            f"{name}: the axes of the array do not fit together",
            expected="rising axes, and batch axes that are neither dropped nor in index_map",
            got=f"dropped {self.dropped}, batch {self.x_batch}, index_map {self.index_map} of {got}",
        )  # fmt: skip
        inner = x.ndim - len(gone)
        require(
            len(self.window) == inner and _rising(self.window, inner + places),
            f"{name}: the window axes do not fit", got=f"{self.window} for {got}",
            expected=f"{inner} rising axes from 0 to {inner + places - 1}" if inner else "()",
        )  # fmt: skip
        paired = len(self.x_batch) == len(self.index_batch) and _distinct(self.index_batch, places)
        pairs = zip(self.x_batch, self.index_batch, strict=False)
        require(
            paired and all(x.shape[a] == indices.shape[b] for a, b in pairs),
            f"{name}: the batch axes do not pair up",
            expected="as many axes of the array as of the indices, not the last, pairwise of one size",
            got=f"{self.x_batch} and {self.index_batch} of {got}",
        )  # fmt: skip


def as_gather(params: dict[str, Any], placed: Placement | None = None) -> dict[str, Any]:
    """Parameters of the gather that reads where a scatter writes, all but its sizes."""
    axes = zip(_GATHER, placed or Placement.of(params), strict=True)
    return {**dict(axes), **{k: params[k] for k in _PROMISES}}


def as_scatter(params: dict[str, Any], placed: Placement | None = None) -> dict[str, Any]:
    """Parameters of the scatter that writes where a gather reads."""
    axes = zip(_SCATTER, placed or Placement.of(params), strict=True)
    return {**dict(axes), **{k: params[k] for k in _PROMISES}}


def _distinct(axes: Ints, ndim: int) -> bool:
    return len(set(axes)) == len(axes) and all(0 <= a < ndim for a in axes)


def _rising(axes: Ints, ndim: int) -> bool:
    return _distinct(axes, ndim) and list(axes) == sorted(axes)


# --- emitting indices -------------------------------------------------------------------
def wide_indices(emit: Any, indices: Any) -> Any:
    """`indices` in a type that holds the sizes XLA compares them with: 300 is not a `u8`."""
    if indices.type.dtype.itemsize >= 4:
        return indices
    return emit.op("stablehlo.convert", indices, type=indices.type.with_dtype(np.int32))


def clip_indices(emit: Any, indices: Any, bounds: list[int]) -> Any:
    """`indices` moved into 0 … `bounds`."""
    zero, limit = emit.constant(0, indices.type), _limit(emit, indices, bounds)
    return emit.op("stablehlo.clamp", zero, indices, limit, type=indices.type)


def inside(emit: Any, indices: Any, bounds: list[int]) -> Any:
    """Which index vectors are in 0 … `bounds`."""
    mask, scalar = indices.type.with_dtype(np.bool_), ArrayType((), np.bool_)

    def compare(direction: str, limit: Any) -> Any:
        attrs = f"comparison_direction = #stablehlo<comparison_direction {direction}>"
        return emit.op("stablehlo.compare", indices, limit, type=mask, attrs=attrs)

    low = compare("GE", emit.constant(0, indices.type))
    high = compare("LE", _limit(emit, indices, bounds))
    both = emit.op("stablehlo.and", low, high, type=mask)
    body = emit.region([scalar, scalar], lambda a, b: [emit.op("stablehlo.and", a, b, type=scalar)])
    return emit.op(
        "stablehlo.reduce", both, emit.constant(True, scalar), regions=[body],
        type=mask.with_shape(mask.shape[:-1]), attrs=f"dimensions = {emit.integers([mask.ndim - 1])}",
    )  # fmt: skip


def _limit(emit: Any, indices: Any, bounds: list[int]) -> Any:
    """`bounds` spread like `indices`, each cut to what the dtype holds."""
    dtype = indices.type.dtype
    row = ArrayType((len(bounds),), dtype)
    largest = int(np.iinfo(dtype).max)
    bounds = [min(b, largest) for b in bounds]
    if len(set(bounds)) == 1:
        return emit.constant(bounds[0], indices.type)
    parts = [emit.constant(b, ArrayType((1,), dtype)) for b in bounds]
    joined = emit.op("stablehlo.concatenate", *parts, type=row, attrs="dimension = 0 : i64")
    return emit.broadcast(joined, indices.type.shape, (indices.type.ndim - 1,))
