"""Counting: how many elements fall into each of a row of bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy

import fn.ops as ops
from fn.core import ArgumentError, Tracer, is_integer
from fn.numpy._arithmetic import divide
from fn.numpy._calculus import diff
from fn.numpy._dtypes import int_dtype
from fn.numpy._habits import public
from fn.numpy._indexing import take
from fn.numpy._promotion import array, cast, literal, match, promote
from fn.numpy._reductions import max as reduce_max
from fn.numpy._reductions import min as reduce_min
from fn.numpy._reductions import sum as reduce_sum
from fn.numpy._rows import as_floating
from fn.numpy._searching import known, where
from fn.numpy._sequences import linspace
from fn.numpy._sorting import searchsorted


def counts(places: Any, values: Any, size: int) -> Any:
    """The sum of the values at each place from 0 to before `size`; what is beyond is dropped."""
    n = places.shape[0]
    base = ops.full(literal(0, values.dtype), (size,))
    if not n or not size:
        return base
    return ops.scatter_add(
        base, ops.reshape(places, shape=(n, 1)), values, update_window_axes=(), index_map=(0,),
        inserted_axes=(0,), sorted=False, unique=False, mode="fill",
    )  # fmt: skip


@public
def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each integer from 0 up occurs, or the sum of the weights of its occurrences.

    Args:
        x: integers of one axis; negative ones count as 0.
        weights: array of the same shape.
        minlength: least size of the result.
        length: size of the result; greater integers are left out. Needed inside a trace.

    >>> import fn.numpy as np
    >>> print(np.bincount(np.array([0, 2, 2])))
    [1 0 2]
    """
    x = array("bincount", x)
    if x.ndim != 1 or not (is_integer(x.dtype) or x.dtype == numpy.bool_):
        raise ArgumentError(
            "bincount: not integers of one axis", expected="integers of one axis",
            got=f"{x.dtype}{list(x.shape)}",
        )  # fmt: skip
    if length is None:
        largest = known("bincount", x, "say how many integers to count: length=n").max(initial=-1)
        length = max(int(largest) + 1, minlength)
    x = x if is_integer(x.dtype) else cast(x, int_dtype())
    values = (
        ops.full(literal(1, int_dtype()), x.shape)
        if weights is None
        else array("bincount", weights, 1)
    )
    if x.dtype.kind == "i":
        x = ops.maximum(x, literal(0, x.dtype))
    return counts(x, values, length)


@public
def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Any:
    """The number of the bin that each element falls into; 0 before the first edge.

    Args:
        x: array of any shape.
        bins: edges of one axis, all rising or all falling.
        right: whether a bin includes its right edge instead of its left one.
        method: accepted for JAX's sake.

    >>> import fn.numpy as np
    >>> print(np.digitize(np.array([0.5, 1., 3.]), np.array([1., 2.])))
    [0 1 2]
    """
    x, edges = array("digitize", x), array("digitize", bins, 1)
    if edges.ndim != 1:
        raise ArgumentError(
            "digitize: not one axis of bins", expected="one axis", got=str(edges.shape)
        )
    n = edges.shape[0]
    side = "left" if right else "right"
    if n == 0:
        return ops.full(literal(0, int_dtype()), x.shape)
    rising = searchsorted(edges, x, side)
    other = "right" if right else "left"
    falling = ops.sub(
        literal(n, int_dtype()), searchsorted(ops.reverse(edges, axes=(0,)), x, other)
    )
    return where(ops.ge(take(edges, n - 1), take(edges, 0)), rising, falling)


# --- histograms -------------------------------------------------------------------------


@public
def histogram_bin_edges(
    a: Any, bins: Any = 10, range: Sequence[Any] | None = None, weights: Any = None
) -> Any:
    """Edges of the bins that `histogram` counts in.

    Args:
        a: array.
        bins: how many equal bins, or the edges themselves.
        range: the outermost edges; the least and greatest element by default.
        weights: accepted for NumPy's sake.

    >>> import fn.numpy as np
    >>> print(np.histogram_bin_edges(np.array([0., 4.]), 4))
    [0. 1. 2. 3. 4.]
    """
    if isinstance(bins, str):
        raise ArgumentError(
            "histogram_bin_edges: bins are not chosen by rule", expected="a number of bins, or edges",
            got=repr(bins), fix="work the number out first, for example ceil(log2(n)) + 1",
        )  # fmt: skip
    given = array(
        "histogram_bin_edges", numpy.asarray(bins) if isinstance(bins, (list, tuple)) else bins, 1
    )
    if given.ndim == 1:
        return given
    x = as_floating("histogram_bin_edges", array("histogram_bin_edges", a))
    if range is not None:
        low, high = [cast(array("histogram_bin_edges", r), x.dtype) for r in range]
    elif x.size:
        low, high = reduce_min(x), reduce_max(x)
    else:
        low, high = literal(0, x.dtype), literal(1, x.dtype)
    # A single value gets a bin of size one around it.
    point = ops.eq(*match("histogram_bin_edges", low, high))
    half = literal(0.5, x.dtype)
    low, high = where(point, ops.sub(low, half), low), where(point, ops.add(high, half), high)
    return linspace(low, high, int(bins) + 1, dtype=x.dtype)


def _places(name: str, x: Any, edges: Any) -> Any:
    """Number of the bin of each element, the last bin with both its edges; beyond the last if outside."""
    n = edges.shape[0] - 1
    x, edges = promote(name, x, edges)
    kind = int_dtype()
    place = ops.sub(searchsorted(edges, x, "right"), literal(1, kind))
    at_end = ops.eq(*match(name, x, take(edges, n)))
    place = ops.select(at_end, literal(n - 1, kind), place)
    inside = ops.logical_and(ops.ge(x, take(edges, 0)), ops.le(x, take(edges, n)))
    return ops.select(inside, place, literal(n, kind))


@public
def histogram(
    a: Any,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    weights: Any = None,
    density: bool | None = None,
) -> tuple[Any, Any]:
    """How many elements fall into each of a row of bins.

    Args:
        a: array, which is flattened.
        bins: how many equal bins, or their edges, rising.
        range: the outermost edges; the least and greatest element by default.
        weights: how much each element counts, in the shape of `a`.
        density: whether to divide by the whole and the sizes of the bins.

    Returns:
        The counts, and the edges. The last bin includes its right edge.

    >>> import fn.numpy as np
    >>> print(*np.histogram(np.array([0., 1., 1., 4.]), 2))
    [3. 1.] [0. 2. 4.]
    """
    x = array("histogram", a)
    edges = histogram_bin_edges(x, bins, range, weights)
    x = as_floating("histogram", ops.reshape(x, shape=(x.size,)))
    if weights is None:
        w = ops.full(literal(1, x.dtype), x.shape)
    else:
        w = array("histogram", weights, "weights")
        w = ops.reshape(w, shape=(w.size,))
        if w.shape != x.shape:
            raise ArgumentError(
                "histogram: the weights do not fit", expected=f"{x.size} weights", got=f"{w.size}"
            )
    out = counts(_places("histogram", x, as_floating("histogram", edges)), w, edges.shape[0] - 1)
    if density:
        out = divide(divide(out, diff(edges)), reduce_sum(out))
    return out, edges


@public
def histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    weights: Any = None,
    density: bool | None = None,
) -> tuple[Any, list[Any]]:
    """How many points fall into each of a grid of bins.

    Args:
        sample: points, one a row; or their coordinates, one array for each axis.
        bins: how many equal bins along all axes, or for each axis how many or their edges.
        range: for each axis its outermost edges, or None.
        weights: how much each point counts.
        density: whether to divide by the whole and the sizes of the bins.

    Returns:
        The counts, and a list of the edges along each axis.

    >>> import fn.numpy as np
    >>> print(np.histogramdd(np.array([[0., 0.], [1., 1.], [1., 0.]]), 2)[0])
    [[1 0]
     [1 1]]
    """
    if isinstance(sample, (list, tuple)):
        columns = [as_floating("histogramdd", array("histogramdd", c)) for c in sample]
    else:
        points = as_floating("histogramdd", array("histogramdd", sample))
        columns = [take(points, i, 1) for i in _upto(points.shape[1])]
    d = len(columns)
    each = [bins] * d if not isinstance(bins, (list, tuple)) else list(bins)
    limits = [None] * d if range is None else list(range)
    if len(each) != d or len(limits) != d:
        raise ArgumentError(
            "histogramdd: bins or ranges do not fit", expected=f"one for each of {d} axes",
            got=f"{len(each)} bins, {len(limits)} ranges",
        )  # fmt: skip
    edges = [histogram_bin_edges(c, b, r) for c, b, r in zip(columns, each, limits, strict=True)]
    shape = tuple([e.shape[0] - 1 for e in edges])
    kind = int_dtype()
    flat, outside = literal(0, kind), None
    for column, edge, n in zip(columns, edges, shape, strict=True):
        place = _places("histogramdd", column, as_floating("histogramdd", edge))
        beyond = ops.eq(place, literal(n, kind))
        outside = beyond if outside is None else ops.logical_or(outside, beyond)
        flat = ops.add(ops.mul(flat, literal(n, kind)), place)
    size = int(numpy.prod(shape))
    flat = ops.select(outside, literal(size, kind), flat)
    w = (
        ops.full(literal(1, kind), columns[0].shape)
        if weights is None
        else array("histogramdd", weights, "weights")
    )
    out = ops.reshape(counts(flat, w, size), shape=shape)
    if density:
        out = divide(out, reduce_sum(out))
        for axis, edge in enumerate(edges):
            widths = diff(edge)
            out = divide(out, ops.reshape(widths, shape=(widths.size, *[1] * (d - 1 - axis))))
    return out, edges


_upto = range  # the arguments called `range` hide Python's


@public
def histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Sequence[Any] | None = None,
    weights: Any = None,
    density: bool | None = None,
) -> tuple[Any, Any, Any]:
    """`histogramdd` for two axes: the counts, and the edges along each.

    >>> import fn.numpy as np
    >>> print(np.histogram2d(np.array([0., 1., 1.]), np.array([0., 1., 0.]), 2)[0])
    [[1 0]
     [1 1]]
    """
    one_row = isinstance(bins, (jax.Array, numpy.ndarray, Tracer)) and bins.ndim == 1
    if one_row or (isinstance(bins, (list, tuple)) and len(bins) not in (1, 2)):
        bins = [
            array("histogram2d", numpy.asarray(bins) if isinstance(bins, (list, tuple)) else bins)
        ] * 2
    elif isinstance(bins, (list, tuple)) and len(bins) == 1:
        bins = bins[0]
    out, edges = histogramdd([x, y], bins, range, weights, density)
    return out, edges[0], edges[1]
