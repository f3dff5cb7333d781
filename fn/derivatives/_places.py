"""Where the elements of windows are: positions along axes, and what gather and scatter refer to."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fn.derivatives._sets import Numbers, Sets

Axes: TypeAlias = tuple[int, ...]


def along(x: Numbers, axis: int, source: Numbers) -> Numbers:
    """Elements of `x` at `source` along `axis`, an array whose axes replace that one; negative: none."""
    taken = np.take(x, np.maximum(source, 0), axis) if x.shape[axis] else None
    shape = (*x.shape[:axis], *source.shape, *x.shape[axis + 1 :])
    if taken is None:
        return np.zeros(shape, np.int64)
    none = (source < 0).reshape(*source.shape, *[1] * (x.ndim - axis - 1))
    return np.where(none, 0, taken)


def along_back(sets: Sets, x: Numbers, axis: int, target: Numbers, size: int) -> Numbers:
    """The reverse of `along` for windows: each element of `x` goes to a row of targets along `axis`."""
    front = np.moveaxis(x, axis, 0)
    rest = front.shape[1:]
    flat = front.reshape(len(front), -1)
    width = flat.shape[1]
    groups = target[:, :, None] * width + np.arange(width)
    groups = np.where(target[:, :, None] < 0, -1, groups)
    numbers = np.broadcast_to(flat[:, None, :], groups.shape)
    found = sets.union(groups.ravel(), numbers.ravel(), size * width)
    return np.moveaxis(found.reshape(size, *rest), 0, axis)


def windows(
    n: int, count: int, size: int, stride: int, padding: tuple[int, int], dilation: int, spacing: int
) -> Numbers:  # fmt: skip
    """Along an axis of `n` elements, the element at each place of each window; negative for padding."""
    at = np.arange(count)[:, None] * stride + np.arange(size) * spacing - padding[0]
    inside = (at >= 0) & (at < (n - 1) * dilation + 1) & (at % dilation == 0)
    return np.where(inside, at // dilation, -1)


class Places(NamedTuple):
    """The geometry of a gather, or of a scatter: see `fn.ops.gather` for what the axes mean."""

    x: Axes
    """Shape of the array that is read or written."""
    indices: Axes
    """Shape of the indices."""
    window: Axes
    dropped: Axes
    index_map: Axes
    x_batch: Axes
    index_batch: Axes
    sizes: Axes
    """Size of a window along each axis of the array."""
    clip: bool

    @classmethod
    def of_gather(cls, p: Any, x: Axes, indices: Axes, sizes: Axes) -> Places:
        """From the parameters of a gather."""
        return cls(
            x, indices, p["offset_axes"], p["collapsed_axes"], p["index_map"], p["x_batch_axes"],
            p["index_batch_axes"], sizes, p["mode"] != "fill",
        )  # fmt: skip

    @classmethod
    def of_scatter(cls, p: Any, x: Axes, indices: Axes, updates: Axes) -> Places:
        """From the parameters of a scatter."""
        window, dropped, batch = p["update_window_axes"], p["inserted_axes"], p["x_batch_axes"]
        inner = iter([updates[a] for a in window])
        sizes = tuple([1 if a in (*dropped, *batch) else next(inner) for a in range(len(x))])
        return cls(
            x, indices, window, dropped, p["index_map"], batch, p["index_batch_axes"], sizes,
            p["mode"] == "clip",
        )  # fmt: skip

    def still(self, shape: Axes) -> Axes:
        """`shape` of the array, with size one along the axes that indices move along."""
        return tuple([1 if a in self.index_map else n for a, n in enumerate(shape)])

    def elements(self, indices: Any) -> Numbers:
        """For each element of the windows side by side, its position in the flat array; negative: none.

        With unknown indices (None), positions in an array of shape `still`.
        """
        places = self.indices[:-1]
        rank = len(places) + len(self.window)
        outer = [a for a in range(rank) if a not in self.window]
        inner = [a for a in range(len(self.x)) if a not in (*self.dropped, *self.x_batch)]
        shape = self.x if indices is not None else self.still(self.x)

        def spread(values: Any, axes: list[int]) -> Any:
            at = [1] * rank
            for axis, n in zip(axes, np.shape(values), strict=True):
                at[axis] = n
            return np.reshape(values, at)

        out = [1] * rank
        for axis, n in zip(outer, places, strict=True):
            out[axis] = n
        for axis, a in zip(self.window, inner, strict=True):
            out[axis] = self.sizes[a]
        valid: Any = np.ones([1] * rank, bool)
        flat: Any = np.zeros([1] * rank, np.int64)
        for a, n in enumerate(shape):
            where: Any = np.zeros([1] * rank, np.int64)
            if a in self.x_batch:
                place = self.index_batch[self.x_batch.index(a)]
                where = spread(np.arange(n), [outer[place]])
            elif a in self.index_map and indices is None:
                pass
            else:
                if a in self.index_map:
                    start = indices[..., self.index_map.index(a)].astype(np.int64)
                    last = n - self.sizes[a]
                    if self.clip:
                        start = np.clip(start, 0, last)
                    where = spread(start, outer)
                    valid = valid & (where >= 0) & (where <= last)
                if a in inner:
                    where = where + spread(np.arange(self.sizes[a]), [self.window[inner.index(a)]])
            flat = flat * n + where
        return np.where(np.broadcast_to(valid, out), np.broadcast_to(flat, out), -1)
