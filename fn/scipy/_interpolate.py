"""Interpolation on grids."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import jax
import numpy

import fn.numpy as np
from fn.core import ArgumentError, is_complex, public, type_of
from fn.scipy._arguments import choose, inexact


@jax.tree_util.register_pytree_node_class
class RegularGridInterpolator:
    """A function known on a grid, read between its points.

    A pytree: it can be passed to functions and differentiated through.

    Args:
        points: for each axis of the grid, where its points are, rising.
        values: what is there, with the axes of the grid first.
        method: "linear" or "nearest".
        bounds_error: not taken: whether a point is outside depends on values.
        fill_value: the value outside; None extends what is inside.

    >>> import fn.numpy as np
    >>> from fn.scipy import interpolate
    >>> f = interpolate.RegularGridInterpolator((np.array([0.0, 1.0]),), np.array([0.0, 10.0]))
    >>> f(np.array([[0.25]])).tolist()
    [2.5]
    """

    @public
    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: Any = numpy.nan,
    ) -> None:
        self.method = choose("RegularGridInterpolator", "method", method, "linear", "nearest")
        self.bounds_error = choose("RegularGridInterpolator", "bounds_error", bounds_error, False)
        (found,) = inexact("RegularGridInterpolator", values)
        self.values = np.asarray(found)
        self.grid = tuple([np.asarray(p) for p in points])
        sizes = tuple([g.shape[0] for g in self.grid if g.ndim == 1])
        if len(sizes) != len(self.grid) or self.values.shape[: len(sizes)] != sizes:
            raise ArgumentError(
                "RegularGridInterpolator: the values do not fit the grid", got=str(type_of(self.values)),
                expected=f"vectors of points, and values whose first axes have the sizes {sizes}",
            )  # fmt: skip
        self.fill_value = fill_value
        kind = None if fill_value is None else type_of(fill_value)
        if kind is not None and is_complex(kind.dtype) and not is_complex(self.values.dtype):
            raise ArgumentError(
                "RegularGridInterpolator: a complex fill_value for real values",
                expected="a real number", got=str(kind),
            )  # fmt: skip

    def tree_flatten(self) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """For JAX's pytrees."""
        return (self.grid, self.values, self.fill_value), (self.method, self.bounds_error)

    @classmethod
    def tree_unflatten(
        cls, aux_data: tuple[Any, ...], children: tuple[Any, ...]
    ) -> RegularGridInterpolator:
        """For JAX's pytrees."""
        found = cls.__new__(cls)
        found.grid, found.values, found.fill_value = children
        found.method, found.bounds_error = aux_data
        return found

    @public
    def __call__(self, xi: Any, method: str | None = None) -> Any:
        """The values at points, an array (…, axes of the grid) or a tuple of coordinates.

        Args:
            xi: points.
            method: "linear" or "nearest"; by default as the interpolator was made.
        """
        method = choose("method", "method", method or self.method, "linear", "nearest")
        axes = len(self.grid)
        xi = _as_points(xi, axes)
        if xi.shape[-1] != axes:
            raise ArgumentError(
                "RegularGridInterpolator: the points have another dimension than the grid",
                expected=f"(..., {axes})", got=str(type_of(xi)),
            )  # fmt: skip
        rest = (1,) * (self.values.ndim - axes)
        cells, shares, outside = [], [], np.zeros(xi.shape[:-1], bool)
        for i, g in enumerate(self.grid):
            x = xi[..., i]
            cell = np.clip(np.searchsorted(g, x) - 1, 0, max(g.shape[0] - 2, 0))
            start, end = g[cell], g[np.minimum(cell + 1, g.shape[0] - 1)]
            cells.append(cell)
            shares.append((x - start) / np.where(end == start, 1.0, end - start))
            outside = outside | (x < g[0]) | (x > g[-1])
        if method == "nearest":
            nearest = [np.where(s <= 0.5, c, c + 1) for s, c in zip(shares, cells, strict=True)]
            out = self.values[tuple(nearest)]
        else:
            out = self._between(cells, shares, rest)
        if self.fill_value is not None:
            out = np.where(outside.reshape(outside.shape + rest), self.fill_value, out)
        return out

    def _between(self, cells: list[Any], shares: list[Any], rest: tuple[int, ...]) -> Any:
        out: Any = None
        for corner in product((0, 1), repeat=len(cells)):
            weight: Any = 1.0
            for up, share in zip(corner, shares, strict=True):
                weight = weight * (share if up else 1.0 - share)
            value = self.values[tuple([c + up for c, up in zip(cells, corner, strict=True)])]
            part = value * weight.reshape(weight.shape + rest)
            out = part if out is None else out + part
        return out


def _as_points(points: Any, axes: int) -> Any:
    if isinstance(points, tuple) and len(points) == 1:
        points = points[0]
    if isinstance(points, tuple):
        return np.stack(np.broadcast_arrays(*inexact("RegularGridInterpolator", *points)), axis=-1)
    (points,) = inexact("RegularGridInterpolator", points)
    points = np.asarray(points)
    return points.reshape((-1, axes)) if points.ndim == 1 else points
