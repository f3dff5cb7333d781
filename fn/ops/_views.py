"""Windows over an array: where they lie, and how what they see is read and added to in StableHLO."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from fn.core import ArrayType, is_float
from fn.ops._rules import require

Ints = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

# Windows of up to so many elements are written out as slices, which XLA fuses; on CPU they run 2 to
# 20 times as fast as its windowed operations. Larger ones would make long programs.
WRITTEN_OUT = 64


# --- where windows lie ------------------------------------------------------------------


def dilated(n: int, dilation: int) -> int:
    """Length of `n` elements with `dilation - 1` gaps between neighbours."""
    return (n - 1) * dilation + 1 if n else 0


class Windows(NamedTuple):
    """How windows lie over an array; each field has an entry per axis.

    Args:
        window: elements a window takes.
        strides: steps from one window to the next.
        padding: places added before and after the array; negative ones cut it.
        x_dilation: distance of the array's elements from each other before padding.
        w_dilation: distance of the elements of a window from each other.
    """

    window: Ints
    strides: Ints
    padding: Pairs
    x_dilation: Ints
    w_dilation: Ints

    def check(self, name: str, sizes: Ints, got: str) -> None:
        """Raise `TypeRuleError` unless these windows fit axes of these sizes."""
        axes = len(sizes)
        require(
            all(type(field) is tuple and len(field) == axes for field in self),
            f"{name}: not one window parameter per axis",
            expected=f"tuples of length {axes}: window, strides, padding, x_dilation, w_dilation",
            got=f"{got} with {self}",
        )  # fmt: skip
        counts = (*self.window, *self.strides, *self.x_dilation, *self.w_dilation)
        require(
            all(_is_int(n) and n >= 1 for n in counts),
            f"{name}: window sizes, strides and dilations must be positive",
            expected="integers >= 1", got=f"{got} with {self}",
        )  # fmt: skip
        pairs = [p if type(p) is tuple else (p,) for p in self.padding]
        require(
            all(len(p) == 2 and all(map(_is_int, p)) for p in pairs),
            f"{name}: padding is not a pair per axis",
            expected="a tuple of (low, high) pairs of integers", got=f"{self.padding}",
        )  # fmt: skip
        require(
            all(n >= 0 for n in self.padded(sizes)),
            f"{name}: negative padding cuts off more than there is",
            expected="low + high >= minus the (dilated) size of each axis",
            got=f"{got} with {self}",
        )  # fmt: skip

    def padded(self, sizes: Ints) -> Ints:
        """Sizes of the array once dilated and padded."""
        pairs = zip(sizes, self.x_dilation, self.padding, strict=True)
        return tuple([dilated(n, d) + low + high for n, d, (low, high) in pairs])

    def counts(self, sizes: Ints) -> Ints:
        """Number of windows along each axis."""
        rows = zip(self.padded(sizes), self.window, self.w_dilation, self.strides, strict=True)
        return tuple([max(0, (n - dilated(w, d)) // s + 1) for n, w, d, s in rows])

    def opposite(self, sizes: Ints) -> Windows:
        """The windows through which cotangents flow back to an array of these sizes.

        They lie over the windows' results: strides and dilation change places, and the padding
        makes the n-th window contain exactly the windows that the n-th element lay in.
        """
        rows = zip(*self, sizes, self.counts(sizes), strict=True)
        padding = []
        for w, s, (low, _), xd, wd, n, count in rows:
            before = dilated(w, wd) - low - 1
            after = dilated(n, xd) + dilated(w, wd) - 1 - dilated(count, s) - before
            padding.append((before, after))
        return Windows(self.window, self.x_dilation, tuple(padding), self.strides, self.w_dilation)

    def over(self, axes: Ints) -> Windows:
        """These windows over the given axes of an array with two more, where each element is one."""
        fields = []
        for field, one in zip(self, _ALONE, strict=True):
            full: list[Any] = [one] * (len(axes) + 2)
            for a, n in zip(axes, field, strict=True):
                full[a] = n
            fields.append(tuple(full))
        return Windows(*fields)

    def along(self, axis: int) -> Windows:
        """These windows along one axis; each element is one along the others."""
        before, after = axis, len(self.window) - axis - 1
        rows: Any = zip(self, _ALONE, strict=True)
        return Windows(*[(*[one] * before, n[axis], *[one] * after) for n, one in rows])

    def with_axis(self, axis: int) -> dict[str, Any]:
        """The parameters of these windows with a new axis along which each element is one."""
        rows: Any = zip(self._fields, self, _ALONE, strict=True)
        return {name: (*n[:axis], one, *n[axis:]) for name, n, one in rows}


# The fields of `Windows` at an axis where every element is a window of its own.
_ALONE: Any = (1, 1, (0, 0), 1, 1)


def _is_int(n: Any) -> bool:
    return isinstance(n, int) and not isinstance(n, bool)


# --- how windows are written ------------------------------------------------------------


def emit_blank(emit: Any, type: ArrayType) -> Any:
    """Zeros of `type`."""
    return emit.broadcast(emit.constant(0, ArrayType((), type.dtype)), type.shape, ())


def emit_pad(
    emit: Any, x: Any, fill: Any, low: Sequence[int], high: Sequence[int], interior: Sequence[int]
) -> Any:
    """`x` with `fill` before, after and between its elements."""
    if not any((*low, *high, *interior)):
        return x
    rows = zip(x.type.shape, low, high, interior, strict=True)
    shape = tuple([dilated(n, i + 1) + a + b for n, a, b, i in rows])
    return emit.op(
        "stablehlo.pad", x, emit.constant(fill, ArrayType((), x.type.dtype)),
        type=ArrayType(shape, x.type.dtype),
        attrs=f"edge_padding_low = {emit.integers(low)}, edge_padding_high = {emit.integers(high)}, "
        f"interior_padding = {emit.integers(interior)}",
    )  # fmt: skip


def emit_pad_for(emit: Any, x: Any, fill: Any, windows: Windows) -> Any:
    """`x` dilated and padded as its windows see it."""
    low, high = zip(*windows.padding, strict=True) if windows.padding else ((), ())
    return emit_pad(emit, x, fill, low, high, [d - 1 for d in windows.x_dilation])


def emit_slice(emit: Any, x: Any, starts: Sequence[int], limits: Ints, strides: Ints) -> Any:
    """Elements from `starts` to before `limits` in steps of `strides`."""
    if not any(starts) and limits == x.type.shape and all(s == 1 for s in strides):
        return x
    rows = zip(starts, limits, strides, strict=True)
    return emit.op(
        "stablehlo.slice", x,
        type=ArrayType(tuple([-(-(b - a) // s) for a, b, s in rows]), x.type.dtype),
        attrs=f"start_indices = {emit.integers(starts)}, limit_indices = {emit.integers(limits)}, "
        f"strides = {emit.integers(strides)}",
    )  # fmt: skip


def emit_compare(emit: Any, x: Any, direction: str, y: Any) -> Any:
    """`x < y` for the direction `LT`, and so on."""
    return emit.op(
        "stablehlo.compare", x, y, type=ArrayType(x.type.shape, np.bool_),
        attrs=f"comparison_direction = #stablehlo<comparison_direction {direction}>",
    )  # fmt: skip


def emit_widened(emit: Any, x: Any, dtype: np.dtype[Any]) -> Any:
    """`x` in the dtype to add up in for a result of `dtype`: f32 for 16-bit and smaller floats."""
    if is_float(dtype) and dtype.itemsize < 4:
        dtype = np.dtype(np.float32)
    if x.type.dtype == dtype:
        return x
    return emit.op("stablehlo.convert", x, type=ArrayType(x.type.shape, dtype))


def emit_narrowed(emit: Any, x: Any) -> Any:
    """A sum in the dtype of the result."""
    return x if x.type.dtype == emit.type.dtype else emit.op("stablehlo.convert", x)


class Views:
    """What is k-th in every window: read from, or added to, a padded array."""

    def __init__(self, emit: Any, windows: Windows, counts: Ints) -> None:
        self.emit, self.windows, self.counts = emit, windows, counts
        self.spans = tuple([dilated(n, s) for n, s in zip(counts, windows.strides, strict=True)])
        self.size = math.prod(windows.window)

    def _starts(self, k: Any) -> list[Any]:
        """Where the first window has its k-th element: integers, or scalars if `k` is one."""
        emit, inner, starts = self.emit, self.size, []
        for size, step in zip(self.windows.window, self.windows.w_dilation, strict=True):
            inner //= size
            if isinstance(k, int):
                starts.append(k // inner % size * step)
                continue
            place = emit.constant(0, k.type)
            if size > 1:
                place = emit.op("stablehlo.divide", k, emit.constant(inner, k.type), type=k.type)
                place = emit.op(
                    "stablehlo.remainder", place, emit.constant(size, k.type), type=k.type
                )
                place = emit.op(
                    "stablehlo.multiply", place, emit.constant(step, k.type), type=k.type
                )
            starts.append(place)
        return starts

    def _cut(self, padded: Any, starts: list[Any]) -> Any:
        return self.emit.op(
            "stablehlo.dynamic_slice", padded, *starts, type=ArrayType(self.spans, padded.type.dtype),
            attrs=f"slice_sizes = {self.emit.integers(self.spans)}",
        )  # fmt: skip

    def read(self, k: Any, padded: Any) -> Any:
        """The k-th element of every window."""
        starts, strides = self._starts(k), self.windows.strides
        if not isinstance(k, int):
            part = self._cut(padded, starts)
            return emit_slice(self.emit, part, (0,) * len(strides), self.spans, strides)
        limits = tuple([a + n for a, n in zip(starts, self.spans, strict=True)])
        return emit_slice(self.emit, padded, starts, limits, strides)

    def add(self, k: Any, padded: Any, update: Any) -> Any:
        """`padded` with `update` added to the k-th element of every window."""
        emit, starts = self.emit, self._starts(k)
        interior, zeros = [s - 1 for s in self.windows.strides], (0,) * len(starts)
        if isinstance(k, int):
            rows = zip(padded.type.shape, starts, self.spans, strict=True)
            high = [n - a - span for n, a, span in rows]
            update = emit_pad(emit, update, 0, starts, high, interior)
            return emit.op("stablehlo.add", padded, update, type=padded.type)
        update = emit_pad(emit, update, 0, zeros, zeros, interior)
        update = emit.op("stablehlo.add", self._cut(padded, starts), update, type=update.type)
        return emit.op("stablehlo.dynamic_update_slice", padded, update, *starts, type=padded.type)

    def fold(
        self,
        first: int,
        carry: Sequence[Any],
        step: Callable[..., Sequence[Any]],
        loop: bool = False,
    ) -> Sequence[Any]:
        """`carry = step(k, *carry)` from `k = first` on: written out, or as a loop if it is long."""
        if self.size <= WRITTEN_OUT and not loop:
            return reduce(lambda carry, k: step(k, *carry), range(first, self.size), carry)
        emit, index = self.emit, ArrayType((), np.int32)
        types = [index, *[v.type for v in carry]]
        test = emit.region(
            types, lambda k, *_: [emit_compare(emit, k, "LT", emit.constant(self.size, index))]
        )
        body = emit.region(
            types,
            lambda k, *carry: [
                emit.op("stablehlo.add", k, emit.constant(1, index), type=index), *step(k, *carry)
            ],
        )  # fmt: skip
        start = emit.constant(first, index)
        looped: Sequence[Any] = emit.op(
            "stablehlo.while", start, *carry, types=types, regions=[test, body]
        )
        return looped[1:]
