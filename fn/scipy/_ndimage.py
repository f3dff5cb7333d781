"""Images: reading between the pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import fn.numpy as np
from fn.core import ArgumentError, is_integer, type_of
from fn.ops import round_away
from fn.scipy._arguments import choose, inexact
from fn.xla import fused


def _mirror(i: Any, n: int) -> Any:
    period = max(2 * (n - 1), 1)
    return np.abs(np.remainder(i + n - 1, period) - (n - 1)) if n > 1 else i * 0


def _reflect(i: Any, n: int) -> Any:
    return np.floor_divide(_mirror(2 * i + 1, 2 * n + 1) - 1, 2)


_OUTSIDE: dict[str, Callable[[Any, int], Any]] = {
    "constant": lambda i, n: np.clip(i, 0, n - 1), "nearest": lambda i, n: np.clip(i, 0, n - 1),
    "wrap": np.remainder, "mirror": _mirror, "reflect": _reflect,
}  # fmt: skip


@fused("order", "mode")
def map_coordinates(
    input: Any,
    coordinates: Sequence[Any] | Any,
    order: int,
    mode: str = "constant",
    cval: Any = 0.0,
) -> Any:
    """The values of an array at places between its entries.

    Args:
        input: array.
        coordinates: for each of its axes, where to read, counted in entries; arrays that broadcast
            together. The result has derivatives by them, for order 1.
        order: 0 for the nearest entry, 1 for straight lines between entries.
        mode: what is outside: "constant" for `cval`, "nearest" for the entry at the edge, "wrap" around,
            "mirror" about the last entries, "reflect" about the edges.
        cval: a number.

    >>> import fn.numpy as np
    >>> from fn.scipy import ndimage
    >>> ndimage.map_coordinates(np.array([0.0, 10.0]), [np.array([0.25])], 1).tolist()
    [2.5]
    """
    choose("map_coordinates", "order", order, 0, 1)
    choose("map_coordinates", "mode", mode, *_OUTSIDE)
    x = np.asarray(input)
    places = [np.asarray(c) for c in coordinates]
    if len(places) != x.ndim:
        raise ArgumentError(
            "map_coordinates: the coordinates do not fit the array", got=str(len(places)),
            expected=f"{x.ndim} arrays of coordinates, one for each axis of {type_of(x)}",
        )  # fmt: skip
    corners = []
    for place, n in zip(places, x.shape, strict=True):
        if order == 0:
            nearest = place if is_integer(place.dtype) else round_away(place)
            near: list[tuple[Any, Any]] = [(np.astype(nearest, int), None)]
        else:
            (place,) = inexact("map_coordinates", place)
            low = np.floor(place)
            index, weight = np.astype(low, int), place - low
            near = [(index, 1.0 - weight), (index + 1, weight)]
        corners.append([(_OUTSIDE[mode](i, n), (i >= 0) & (i < n), weight) for i, weight in near])
    total: Any = None
    for corner in product(*corners):
        value = x[tuple([i for i, _, _ in corner])]
        if mode == "constant":
            inside = corner[0][1]
            for _, valid, _ in corner[1:]:
                inside = inside & valid
            value = np.where(inside, value, np.astype(np.asarray(cval), x.dtype))
        for _, _, weight in corner:
            value = value if weight is None else value * weight
        total = value if total is None else total + value
    if is_integer(x.dtype) and order == 1:
        total = round_away(total)
    return np.astype(total, x.dtype)
