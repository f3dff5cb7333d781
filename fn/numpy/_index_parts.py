"""What an index says, axis by axis: the common language of reading (`_indexing.py`) and writing (`_at.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy

import fn.ops as ops
from fn.core import (
    ArgumentError,
    ConcretizationError,
    FnError,
    Tracer,
    dtype_name,
    is_integer,
    type_of,
)
from fn.numpy._promotion import Shape, joint_shape, literal, stretch

# Index arrays up to this size that are known while tracing are looked at: if all their entries are
# in range, reading needs no check; if no two are equal, writing has a simple derivative.
_LOOKED_AT = 1024

_BOOL = numpy.dtype(bool)


class OutOfBoundsError(FnError, IndexError):
    """An index known while tracing is outside its axis, or there are more indices than axes."""


class Range(NamedTuple):
    """A slice along an axis of size `size`: `length` elements from `start` in steps of `step`."""

    axis: int
    start: int
    step: int
    length: int


class Place(NamedTuple):
    """One index along an axis: a Python integer, or an integer array (`array`), which may be traced."""

    axis: int
    index: Any


class NewAxis(NamedTuple):
    """`None` in an index: an axis of size one in the result."""


Part = Range | Place | NewAxis


class Index(NamedTuple):
    """An index into an array of a known shape, taken apart."""

    parts: tuple[Part, ...]
    block: Shape
    """The shape that the index arrays broadcast to."""
    block_at: int
    """Where the axes of the block begin among the parts that stay axes: NumPy's placement rule."""

    @property
    def has_arrays(self) -> bool:
        """Whether anything but integers, slices and None is in it."""
        return any(isinstance(p, Place) and type(p.index) is not int for p in self.parts)


def take_apart(name: str, shape: Shape, index: Any, strict: bool = True) -> Index:
    """`index` into an array of this shape; `strict` raises for integers that are out of bounds."""
    entries = [_entry(name, e) for e in (index if type(index) is tuple else (index,))]
    taken = sum(_axes_of(e) for e in entries)
    dots = [i for i, e in enumerate(entries) if e is Ellipsis]
    if taken > len(shape) or len(dots) > 1:
        raise OutOfBoundsError(
            f"{name}: too many indices" if len(dots) < 2 else f"{name}: more than one ellipsis",
            expected=f"at most {len(shape)} indices and one ellipsis", got=f"{taken} indices for shape {shape}",
        )  # fmt: skip
    where = dots[0] if dots else len(entries)
    entries[where : where + 1] = [slice(None)] * (len(shape) - taken)
    parts: list[Part] = []
    axis = 0
    for entry in entries:
        if entry is None:
            parts.append(NewAxis())
        elif isinstance(entry, slice):
            parts.append(_range(axis, shape[axis], entry))
            axis += 1
        elif type(entry) is int:
            parts.append(Place(axis, _inside(name, entry, axis, shape, strict)))
            axis += 1
        elif entry.dtype == _BOOL:
            for where_true in _positions(name, entry, shape[axis : axis + entry.ndim]):
                parts.append(Place(axis, where_true))
                axis += 1
        else:
            parts.append(Place(axis, entry))
            axis += 1
    return _placed(name, parts)


def _placed(name: str, parts: list[Part]) -> Index:
    arrays = [p for p in parts if isinstance(p, Place) and type(p.index) is not int]
    if not arrays:
        return Index(tuple(parts), (), 0)
    block = joint_shape(name, [_type(p.index) for p in arrays])
    # Integers count as arrays here: x[0, :, [1, 2]] has them apart.
    positions = [i for i, p in enumerate(parts) if isinstance(p, Place)]
    together = positions[-1] - positions[0] == len(positions) - 1
    return Index(tuple(parts), block, positions[0] if together else 0)


def _type(x: Any) -> Any:
    found = type_of(x)
    assert found is not None
    return found


def _entry(name: str, entry: Any) -> Any:
    """One entry of an index: None, an ellipsis, a slice, an int, or an array of integers or booleans."""
    if entry is None or entry is Ellipsis or type(entry) in (int, slice):
        return entry
    if isinstance(entry, (list, tuple, range)):
        entry = numpy.asarray(entry) if len(entry) else numpy.zeros(0, numpy.int32)
    if isinstance(entry, (numpy.generic, numpy.ndarray, jax.Array, Tracer)):
        if is_integer(entry.dtype):
            known = not isinstance(entry, (Tracer, jax.core.Tracer))
            return int(entry) if known and entry.ndim == 0 else entry
        if entry.dtype == _BOOL and entry.ndim:
            return entry
    elif isinstance(entry, int) and not isinstance(entry, bool):
        return int(entry)
    found = type_of(entry)
    raise ArgumentError(
        f"{name}: not an index",
        expected="integers, slices, None, ..., and arrays of integers or booleans",
        got=f"{type(entry).__name__}" if found is None else f"{dtype_name(found.dtype)}{list(found.shape)}",
        fix=None if found is None or (found.shape == () and found.dtype == _BOOL) else "convert it: i.astype(int)",
    )  # fmt: skip


def _axes_of(entry: Any) -> int:
    """How many axes of the array an entry stands for."""
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if getattr(entry, "dtype", None) == _BOOL else 1


def _range(axis: int, size: int, entry: slice) -> Range:
    start, stop, step = entry.indices(size)
    return Range(axis, start, step, len(range(start, stop, step)))


def _inside(name: str, index: int, axis: int, shape: Shape, strict: bool) -> int:
    size = shape[axis]
    if strict and not -size <= index < size:
        raise OutOfBoundsError(
            f"{name}: index {index} is out of bounds", got=f"{index} along axis {axis} of shape {shape}",
            expected=f"an index from {-size} to {size - 1}" if size else "no index: the axis is empty",
        )  # fmt: skip
    return index + size if index < 0 else index


def _positions(name: str, mask: Any, shape: Shape) -> Sequence[Any]:
    """Where a mask is true; its values must be known, for their number decides a shape."""
    if mask.shape != shape:
        raise OutOfBoundsError(
            f"{name}: the mask does not fit", expected=f"shape {shape}", got=f"shape {mask.shape}"
        )
    try:
        return numpy.nonzero(numpy.asarray(mask))
    except (ConcretizationError, jax.errors.JAXTypeError):
        raise ConcretizationError(
            f"{name}: the shape of x[mask] depends on the values of the mask, which are not known here",
            expected="a mask known while tracing", got=f"a traced bool{list(mask.shape)}",
            fix="keep the shape: where(mask, x, 0), sum(x, where=mask), x.at[mask].set(0)",
        ) from None  # fmt: skip


# --- index vectors ----------------------------------------------------------------------


def from_front(index: Any, size: int) -> Any:
    """An index array with negative entries counted from the front."""
    if isinstance(index, numpy.ndarray):
        return numpy.where(index < 0, index + size, index) if index.dtype.kind == "i" else index
    if index.dtype.kind == "u":
        return index
    small = not size <= numpy.iinfo(index.dtype).max
    wide = ops.convert(index, dtype=numpy.int32) if small or index.dtype.itemsize < 4 else index
    return ops.select(
        ops.lt(wide, literal(0, wide.dtype)), ops.add(wide, literal(size, wide.dtype)), wide
    )


def looked_at(index: Any) -> Any:
    """An index array that is small and known as a NumPy array; any other as it is."""
    if isinstance(index, (numpy.ndarray, jax.Array)) and not isinstance(index, jax.core.Tracer):
        return numpy.asarray(index) if index.size <= _LOOKED_AT else index
    return index


class Vectors(NamedTuple):
    """Index vectors, one component along the last axis per indexed axis."""

    values: Any
    inside: bool
    """Known to be in range."""
    unique: bool
    """Known to differ from each other."""


def join_vectors(
    name: str, components: Sequence[Any], sizes: Sequence[int], block: Shape
) -> Vectors:
    """Index vectors of shape `block + (len(components),)`.

    Args:
        components: integers or integer arrays that broadcast to `block`.
        sizes: for each, how many places there are along its axis.
    """
    arrays = [
        c if type(c) is int else from_front(looked_at(c), n)
        for c, n in zip(components, sizes, strict=True)
    ]
    if all(type(c) is int or isinstance(c, numpy.ndarray) for c in arrays):
        spread = [numpy.broadcast_to(numpy.asarray(c, numpy.int64), block) for c in arrays]
        rows = (
            numpy.stack(spread, axis=-1).reshape(-1, len(arrays))
            if arrays
            else numpy.zeros((1, 0), int)
        )
        inside = bool(((rows >= 0) & (rows < numpy.asarray(sizes, int))).all())
        unique = len(numpy.unique(rows, axis=0)) == len(rows) if len(rows) else True
        word = numpy.int32 if max([0, *sizes]) < 2**31 else numpy.int64
        bounded = numpy.clip(rows, -(2**31), 2**31 - 1) if word is numpy.int32 else rows
        return Vectors(bounded.astype(word).reshape(*block, len(arrays)), inside, unique)
    kinds = [_type(c).dtype for c in arrays if type(c) is not int]
    kind = numpy.dtype(numpy.int64 if any(k.itemsize == 8 for k in kinds) else numpy.int32)
    columns = []
    for c in arrays:
        if type(c) is int:
            column = ops.full(literal(c, kind), (*block, 1))
        else:
            found = _type(c)
            column = ops.convert(c, dtype=kind) if found.dtype != kind else c
            column = stretch(column, found.shape, block) if found.shape else ops.full(column, block)
            column = ops.reshape(column, shape=(*block, 1))
        columns.append(column)
    return Vectors(ops.concatenate(*columns, axis=len(block)), False, block == ())
