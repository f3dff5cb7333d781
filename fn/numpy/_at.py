"""Writing by index, without changing anything: `x.at[index].set(value)` gives a new array.

Where the index is known and without steps, the part is computed and put back by one
`dynamic_update_slice`; otherwise it is one scatter. As in JAX, writes out of bounds are dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

import fn.ops as ops
from fn.core import ArgumentError, ConcretizationError, Tracer, is_complex, type_of
from fn.numpy._arithmetic import power as raise_to
from fn.numpy._habits import public
from fn.numpy._index_parts import Index, Place, Range, join_vectors, take_apart
from fn.numpy._indexing import MODES, final_shape, read
from fn.numpy._promotion import Shape, array, cast, joint_shape, stretch, type_at
from fn.numpy._searching import where

_BOOL = numpy.dtype(bool)
Combine = Callable[[Any, Any], Any]


def _replace(old: Any, new: Any) -> Any:
    return new


class At:
    """`x.at`: what to index for an update."""

    __slots__ = ("_array",)

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, index: Any) -> Update:
        return Update(self._array, index)

    def __repr__(self) -> str:
        return f"At({self._array!r})"


class Update:
    """`x.at[index]`: the place; its methods give new arrays.

    >>> import fn, fn.numpy as np
    >>> print(fn.jit(lambda x: x.at[1].set(7.0))(np.zeros(3)))
    [0. 7. 0.]
    """

    __slots__ = ("_array", "_index")

    def __init__(self, array: Any, index: Any) -> None:
        self._array, self._index = array, index

    def __repr__(self) -> str:
        return f"{self._array!r}.at[{self._index!r}]"

    @public
    def get(
        self,
        *,
        mode: str | None = None,
        fill_value: Any = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> Any:
        """`x[index]`, with a choice of what is read out of bounds: "clip" (the default) or "fill"."""
        return read("x.at[index].get", self._array, self._index, mode, fill_value, unique_indices)

    @public
    def set(self, values: Any, **options: Any) -> Any:
        """`x[index] = values`."""
        return self._write("set", values, _replace, ops.scatter_set, options)

    @public
    def add(self, values: Any, **options: Any) -> Any:
        """`x[index] += values`; an element indexed twice is added to twice."""
        if self._array.dtype == _BOOL:
            return self._write("add", values, ops.logical_or, ops.scatter_max, options)
        return self._write("add", values, ops.add, ops.scatter_add, options)

    @public
    def subtract(self, values: Any, **options: Any) -> Any:
        """`x[index] -= values`."""
        return self.add(ops.neg(_as(self._array.dtype, "subtract", values)), **options)

    @public
    def multiply(self, values: Any, **options: Any) -> Any:
        """`x[index] *= values`; an element indexed twice is multiplied twice."""
        if self._array.dtype == _BOOL:
            return self._write("multiply", values, ops.logical_and, ops.scatter_min, options)
        return self._write("multiply", values, ops.mul, ops.scatter_mul, options)

    mul = multiply

    @public
    def divide(self, values: Any, **options: Any) -> Any:
        """`x[index] /= values`."""
        ones = ops.full(self._array.dtype.type(1), self._array.shape)
        return ops.div(self._array, Update(ones, self._index).multiply(values, **options))

    @public
    def min(self, values: Any, **options: Any) -> Any:
        """`x[index] = minimum(x[index], values)`."""
        return self._write("min", values, ops.minimum, ops.scatter_min, options)

    @public
    def max(self, values: Any, **options: Any) -> Any:
        """`x[index] = maximum(x[index], values)`."""
        return self._write("max", values, ops.maximum, ops.scatter_max, options)

    @public
    def power(self, values: Any, **options: Any) -> Any:
        """`x[index] **= values`."""
        return self.apply(lambda old: raise_to(old, values), **options)

    @public
    def apply(self, function: Callable[[Any], Any], **options: Any) -> Any:
        """`x[index] = function(x[index])`, once even where an element is indexed twice."""
        if _is_mask(self._array, self._index):
            return where(_lined(self._index, self._array), function(self._array), self._array)
        return self.set(
            function(read("x.at[index].apply", self._array, self._index, "clip")), **options
        )

    def _write(
        self, verb: str, values: Any, combine: Combine, scatter: Any, options: dict[str, Any]
    ) -> Any:
        return _write(
            f"x.at[index].{verb}", self._array, self._index, values, combine, scatter, **options
        )


def _as(dtype: numpy.dtype[Any], name: str, values: Any) -> Any:
    found = type_at(name, values, "the value")
    if is_complex(found.dtype) and not is_complex(dtype):
        raise ArgumentError(
            f"{name}: complex values do not fit into a real array", expected=str(dtype), got=str(found.dtype),
            fix="take the real part first: fn.numpy.real(values)",
        )  # fmt: skip
    return array(name, cast(values, dtype))


def _write(
    name: str,
    x: Any,
    index: Any,
    values: Any,
    combine: Combine,
    scatter: Any,
    *,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
) -> Any:
    if mode is not None and mode not in MODES:
        raise ArgumentError(f"{name}: unknown mode", expected=", ".join(MODES), got=repr(mode))
    values = _as(x.dtype, name, values)
    if _is_mask(x, index):
        if values.shape not in ((), (1,)):
            raise ConcretizationError(
                f"{name}: how many values a traced mask asks for is not known",
                expected="one value for all", got=f"shape {values.shape}",
                fix="give the values the shape of x: where(mask, values, x)",
            )  # fmt: skip
        return where(_lined(index, x), combine(x, ops.reshape(values, shape=())), x)
    found = take_apart(name, x.shape, index, strict=False)
    shape = final_shape(found)
    if values.shape and values.shape != shape:
        joined = joint_shape(name, [type_at(name, values), type_at(name, x).with_shape(shape)])
        if joined != shape:
            raise ArgumentError(
                f"{name}: the values do not fit", expected=f"a shape that broadcasts to {shape}",
                got=f"shape {values.shape}",
            )  # fmt: skip
        values = stretch(values, values.shape, shape)
    if _is_box(x, found):
        return _put_box(x, found, values, combine)
    return _scattered(name, x, found, values, scatter, mode, unique_indices, indices_are_sorted)


def _is_mask(x: Any, index: Any) -> bool:
    """A traced mask as the only index, whose values need not be known for an update."""
    found = type_of(index) if isinstance(index, Tracer) else None
    return (
        found is not None and found.dtype == _BOOL and found.ndim > 0
        and found.shape == x.shape[: found.ndim]
    )  # fmt: skip


def _lined(mask: Any, x: Any) -> Any:
    """A mask of the first axes of `x`, for all of them."""
    return ops.broadcast(mask, shape=x.shape, axes=tuple(range(mask.ndim)))


def _is_box(x: Any, found: Index) -> bool:
    """Whether the index is a known box in `x`."""
    for part in found.parts:
        if isinstance(part, Range):
            if part.step != 1 and part.length > 1:
                return False
        elif isinstance(part, Place) and not (
            type(part.index) is int and 0 <= part.index < x.shape[part.axis]
        ):
            return False
    return True


def _put_box(x: Any, found: Index, values: Any, combine: Combine) -> Any:
    starts, sizes = [0] * x.ndim, list(x.shape)
    for part in found.parts:
        if isinstance(part, Range):
            starts[part.axis], sizes[part.axis] = part.start if part.length else 0, part.length
        elif isinstance(part, Place):
            starts[part.axis], sizes[part.axis] = part.index, 1
    if 0 in sizes:
        return x
    limits = tuple([s + n for s, n in zip(starts, sizes, strict=True)])
    values = ops.reshape(values, shape=tuple(sizes)) if values.shape else values
    if combine is _replace:
        new = values if values.shape else ops.full(values, tuple(sizes))
    else:
        new = combine(
            ops.slice(x, starts=tuple(starts), limits=limits, strides=(1,) * x.ndim), values
        )
    return (
        new
        if tuple(sizes) == x.shape
        else ops.dynamic_update_slice(x, new, *map(numpy.int32, starts))
    )


def _scattered(
    name: str,
    x: Any,
    found: Index,
    values: Any,
    scatter: Any,
    mode: str | None,
    unique: bool,
    in_order: bool,
) -> Any:
    layout = _layout(x, found)
    if 0 in layout.updates:
        return x
    values = (
        ops.reshape(values, shape=layout.updates)
        if values.shape
        else ops.full(values, layout.updates)
    )
    places = layout.places
    vectors = join_vectors(
        name, [_along(c, end, places) for c, end in layout.components], layout.sizes, places
    )
    return scatter(
        x, vectors.values, values,
        update_window_axes=tuple(layout.window_axes), index_map=tuple(layout.axes),
        inserted_axes=tuple(sorted(layout.inserted)), sorted=in_order, unique=unique or vectors.unique,
        mode="promise" if vectors.inside else MODES[mode or "fill"],
    )  # fmt: skip


class _Layout(NamedTuple):
    """Which axes of the updates run through windows, and the components of the index vectors."""

    updates: Shape
    window_axes: list[int]
    places: Shape
    """Shape of what is not a window: the block of index arrays, and slices with steps."""
    components: list[tuple[Any, int]]
    """Indices, and at which of the places their axes end."""
    axes: list[int]
    """The axis of the array that each component moves along."""
    sizes: list[int]
    inserted: list[int]


def _layout(x: Any, found: Index) -> _Layout:
    updates: list[int] = []
    places: list[int] = []
    window_axes: list[int] = []
    components: list[tuple[Any, int]] = []
    axes: list[int] = []
    sizes: list[int] = []
    inserted: list[int] = []

    def component(index: Any, end: int, axis: int, size: int) -> None:
        components.append((index, end))
        axes.append(axis)
        sizes.append(size)

    block_at = 0
    for i, part in enumerate(found.parts):
        if i == found.block_at and found.block:
            block_at = len(places)
            updates += found.block
            places += found.block
        if isinstance(part, Range):
            size = x.shape[part.axis]
            if part.step != 1 and part.length > 1:
                steps = part.start + part.step * numpy.arange(part.length)
                component(steps, len(places) + 1, part.axis, size)
                places.append(part.length)
                inserted.append(part.axis)
            else:
                window_axes.append(len(updates))
                if part.length < size:
                    component(part.start, 0, part.axis, size - part.length + 1)
            updates.append(part.length)
    for part in found.parts:
        if isinstance(part, Place):
            component(part.index, block_at + len(found.block), part.axis, x.shape[part.axis])
            inserted.append(part.axis)
    return _Layout(tuple(updates), window_axes, tuple(places), components, axes, sizes, inserted)


def _along(index: Any, end: int, places: Shape) -> Any:
    """An index array with axes of size 1 for the places after `end`, where its own axes end."""
    if type(index) is int or not index.ndim or end == len(places):
        return index
    shape = (*index.shape, *[1] * (len(places) - end))
    return (
        index.reshape(shape)
        if isinstance(index, numpy.ndarray)
        else ops.reshape(index, shape=shape)
    )
