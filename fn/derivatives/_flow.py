"""What elements of a result depend on, operation by operation, for those that work on arrays.

Operations that move elements are done to the numbers of sets; others join sets. What is known of
values helps: an index that is, and zeros that are, in a mask or a matrix.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fn.core import Atom, Equation, Literal
from fn.derivatives._known import Known
from fn.derivatives._places import Axes, Places, along, along_back, windows
from fn.derivatives._sets import Numbers, Sets

# Zeros of a known matrix are looked at if it takes at most so many pairs of sets.
_PAIRS = 4_000_000


class Step(NamedTuple):
    """An equation on its way: at least one of its inputs depends on something."""

    sets: Sets
    equation: Equation
    deps: Sequence[Numbers | None]
    """Per input, what its elements depend on; None for nothing."""
    values: dict[Any, Known]

    def shape(self, index: int) -> tuple[int, ...]:
        """Shape of an input."""
        return self.equation.inputs[index].type.shape

    def dep(self, index: int) -> Numbers:
        """What the elements of an input depend on."""
        found = self.deps[index]
        return np.zeros(self.shape(index), np.int64) if found is None else found

    def value(self, index: int) -> Any:
        """The value of an input, if it is known; else None."""
        atom: Atom = self.equation.inputs[index]
        if isinstance(atom, Literal):
            return np.asarray(atom.value)
        known = self.values.get(atom)
        return None if known is None else known.value()

    @property
    def params(self) -> Any:
        """Parameters of the equation."""
        return self.equation.params

    @property
    def out_shape(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return self.equation.outputs[0].type.shape


Rule = Callable[[Step], Sequence[Numbers | None]]


# --- anything ---------------------------------------------------------------------------


def everything(step: Step) -> list[Numbers]:
    """What holds for any operation at all: each output depends on every input."""
    given = [d.ravel() for d in step.deps if d is not None]
    numbers = np.concatenate(given)
    whole = step.sets.union(np.zeros(len(numbers), np.int64), numbers, 1)[0]
    return [np.full(v.type.shape, whole, np.int64) for v in step.equation.outputs]


def elementwise(step: Step) -> list[Numbers]:
    """Each element depends on those at its place."""
    total: Numbers | None = None
    for dep in step.deps:
        total = step.sets.join(total, dep)
    assert total is not None
    return [np.broadcast_to(total, step.out_shape)]


def _same(step: Step) -> list[Numbers | None]:
    return list(step.deps)


def _mul(step: Step) -> list[Numbers]:
    total: Numbers | None = None
    for mine, other in ((0, 1), (1, 0)):
        dep = step.deps[mine]
        factor = step.value(other) if dep is not None and step.deps[other] is None else None
        if dep is not None and factor is not None and np.any(zero := factor == 0):
            dep = np.where(zero, 0, dep)
        total = step.sets.join(total, dep)
    assert total is not None
    return [np.broadcast_to(total, step.out_shape)]


def _select(step: Step) -> list[Numbers]:
    chosen = step.value(0) if step.deps[0] is None else None
    if chosen is None:
        return elementwise(step)
    return [np.broadcast_to(np.where(chosen, step.dep(1), step.dep(2)), step.out_shape)]


# --- moving elements --------------------------------------------------------------------


def _reshape(step: Step) -> list[Numbers]:
    return [step.dep(0).reshape(step.params["shape"])]


def _transpose(step: Step) -> list[Numbers]:
    return [step.dep(0).transpose(step.params["permutation"])]


def _broadcast(step: Step) -> list[Numbers]:
    shape, axes = step.params["shape"], step.params["axes"]
    x = step.dep(0)
    at = [1] * len(shape)
    for axis, n in zip(axes, x.shape, strict=True):
        at[axis] = n
    return [np.broadcast_to(x.reshape(at), shape)]


def _slice(step: Step) -> list[Numbers]:
    p = step.params
    return [step.dep(0)[tuple(map(slice, p["starts"], p["limits"], p["strides"]))]]


def _pad(step: Step) -> list[Numbers]:
    x, out = step.dep(0), step.dep(0)
    for axis, sides in enumerate(zip(*[step.params[k] for k in ("low", "high", "interior")])):
        low, high, interior = sides
        at = np.arange(x.shape[axis]) * (interior + 1) + low
        size = x.shape[axis] + max(x.shape[axis] - 1, 0) * interior + low + high
        source = np.full(size, -1)
        inside = (at >= 0) & (at < size)
        source[at[inside]] = np.flatnonzero(inside)
        out = along(out, axis, source)
    return [out]


def _concatenate(step: Step) -> list[Numbers]:
    parts = [step.dep(i) for i in range(len(step.deps))]
    return [np.concatenate(parts, step.params["axis"])]


def _reverse(step: Step) -> list[Numbers]:
    return [np.flip(step.dep(0), step.params["axes"])]


def _all_gather(step: Step) -> list[Numbers]:
    return [np.broadcast_to(step.dep(0), step.out_shape)]


# --- joining along axes -----------------------------------------------------------------


def _reduce(step: Step) -> list[Numbers]:
    axes = step.params.get("axes", (step.params.get("axis"),))
    return [step.sets.reduce(step.dep(0), axes)]


def _prefixes(step: Step) -> list[Numbers]:
    (both,) = elementwise(step)
    return [step.sets.prefixes(both, step.params["axis"], step.params["reverse"])]


def _along_axes(step: Step, axes: Axes) -> list[Numbers]:
    """All elements along some axes depend on each other; outputs differ from inputs only in their size."""
    joined: Numbers | None = None
    for dep in step.deps:
        if dep is not None:
            joined = step.sets.join(joined, step.sets.reduce(dep, axes, keep=True))
    assert joined is not None
    return [np.broadcast_to(joined, v.type.shape) for v in step.equation.outputs]


def _sort(step: Step) -> list[Numbers]:
    return _along_axes(step, (step.params["axis"],))


def _fft(step: Step) -> list[Numbers]:
    rank = len(step.shape(0))
    return _along_axes(step, tuple(range(rank - len(step.params["lengths"]), rank)))


def _stacked(rank: int) -> Rule:
    """An operation on arrays of this rank, each entry of a stack of them by itself."""

    def rule(step: Step) -> list[Numbers]:
        stack = step.shape(0)[: len(step.shape(0)) - rank]
        shapes = [a.type.shape for a in (*step.equation.inputs, *step.equation.outputs)]
        if not stack or any(shape[: len(stack)] != stack for shape in shapes):
            return everything(step)
        joined: Numbers | None = None
        for dep in step.deps:
            if dep is not None:
                axes = tuple(range(len(stack), dep.ndim))
                joined = step.sets.join(joined, step.sets.reduce(dep, axes))
        assert joined is not None
        found = []
        for output in step.equation.outputs:
            rest = len(output.type.shape) - len(stack)
            found.append(np.broadcast_to(joined.reshape(*stack, *[1] * rest), output.type.shape))
        return found

    return rule


def _dot(step: Step) -> list[Numbers]:
    """An element depends on a row of one factor and on a column of the other."""
    contract, batch = step.params["contract"], step.params["batch"]
    parts: list[Any] = []
    for i in (0, 1):
        shape = step.shape(i)
        free = [a for a in range(len(shape)) if a not in (*contract[i], *batch[i])]
        sizes = [math.prod([shape[a] for a in axes]) for axes in (batch[i], free, contract[i])]
        order = (*batch[i], *free, *contract[i])
        dep = step.deps[i]
        parts.append((dep, order, sizes))
    total: Numbers | None = None
    for i in (0, 1):
        dep, order, sizes = parts[i]
        if dep is None:
            continue
        rows = dep.transpose(order).reshape(sizes)
        zeros = _zeros_of(step, 1 - i, parts[1 - i], sizes[1])
        if zeros is None:
            mine = step.sets.reduce(rows, (2,))[:, :, None]
        else:
            mine = _by_nonzeros(step.sets, rows, zeros)
        total = step.sets.join(total, mine if i == 0 else mine.transpose(0, 2, 1))
    assert total is not None
    full = (parts[0][2][0], parts[0][2][1], parts[1][2][1])
    return [np.broadcast_to(total, full).reshape(step.out_shape)]


def _zeros_of(step: Step, other: int, part: Any, free: int) -> Any:
    """The other factor, as batch, free, contracted, if it is known and has zeros worth minding."""
    dep, order, sizes = part
    if dep is not None:
        return None
    value = step.value(other)
    if value is None or value.all() or np.count_nonzero(value) * free > _PAIRS:
        return None
    return value.transpose(order).reshape(sizes)


def _by_nonzeros(sets: Sets, rows: Numbers, other: Any) -> Numbers:
    b, j, k = np.nonzero(other)
    free = rows.shape[1]
    shape = (other.shape[0], free, other.shape[1])
    groups = (b[:, None] * free + np.arange(free)) * other.shape[1] + j[:, None]
    return sets.union(groups.ravel(), rows[b, :, k].ravel(), math.prod(shape)).reshape(shape)


# --- windows ----------------------------------------------------------------------------


def _conv(step: Step) -> list[Numbers]:
    """An element depends on a window of every feature of its group, and on its kernel."""
    p, sets = step.params, step.sets
    layout, groups, apart = p["out_layout"], p["groups"], p["batch_groups"]
    out = step.out_shape
    batch, features, *counts = [out[a] for a in layout]
    reaches = [
        windows(
            step.shape(0)[p["x_layout"][2 + a]], count, step.shape(1)[p["w_layout"][2 + a]],
            p["strides"][a], p["padding"][a], p["x_dilation"][a], p["w_dilation"][a],
        )
        for a, count in enumerate(counts)
    ]  # fmt: skip
    total: Numbers | None = None
    if step.deps[0] is not None:
        x = step.dep(0).transpose(p["x_layout"])
        x = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
        x = sets.reduce(x, (2,))
        for axis, reach in enumerate(reaches):
            x = sets.reduce(along(x, 2 + axis, reach), (3 + axis,))
        feature = np.arange(features)
        row = feature // (features // apart) * batch + np.arange(batch)[:, None]
        total = x[row, np.broadcast_to(feature // (features // groups), row.shape)]
    if step.deps[1] is not None:
        w = sets.reduce(step.dep(1).transpose(p["w_layout"]), (1,))
        for axis, reach in enumerate(reaches):  # but for the places that padding is at
            taps = np.where(reach < 0, -1, np.arange(reach.shape[1]))
            w = sets.reduce(along(w, 1 + axis, taps), (2 + axis,))
        total = sets.join(total, w[None])
    assert total is not None
    total = np.broadcast_to(total, (batch, features, *counts))
    return [total.transpose(np.argsort(layout))]


def _reaches(step: Step, shape: tuple[int, ...], counts: tuple[int, ...]) -> list[Numbers]:
    p = step.params
    return [
        windows(
            n, counts[a], p["window"][a], p["strides"][a], p["padding"][a], p["x_dilation"][a],
            p["w_dilation"][a],
        )
        for a, n in enumerate(shape)
    ]  # fmt: skip


def _window(step: Step) -> list[Numbers]:
    if any(d is not None for d in step.deps[1:]):
        return everything(step)
    x = step.dep(0)
    for axis, reach in enumerate(_reaches(step, step.shape(0), step.out_shape)):
        x = step.sets.reduce(along(x, axis, reach), (axis + 1,))
    return [x]


def _window_scatter(step: Step) -> list[Numbers]:
    if step.deps[1] is not None:
        return everything(step)
    x = step.dep(0)
    shape = step.params["shape"]
    for axis, reach in enumerate(_reaches(step, shape, step.shape(0))):
        x = along_back(step.sets, x, axis, reach, shape[axis])
    return [x]


# --- computed places --------------------------------------------------------------------


def _gather(step: Step) -> list[Numbers]:
    p = step.params
    if step.deps[1] is not None:
        return everything(step)
    x, moved = step.dep(0), p["index_map"]
    indices = step.value(1)
    if indices is None:  # it may be anywhere along the axes that the indices move along
        x = step.sets.reduce(x, moved, keep=True)
    places = Places.of_gather(p, step.shape(0), step.shape(1), p["slice_sizes"])
    at = places.elements(indices)
    return [np.where(at < 0, 0, x.ravel()[np.maximum(at, 0)])]


def _scatter(step: Step) -> list[Numbers]:
    p, sets = step.params, step.sets
    if step.deps[1] is not None:
        return everything(step)
    x, updates = step.dep(0), step.dep(2)
    indices = step.value(1)
    places = Places.of_scatter(p, x.shape, step.shape(1), updates.shape)
    at = places.elements(indices)
    shape = x.shape if indices is not None else places.still(x.shape)
    found = sets.union(at.ravel(), updates.ravel(), math.prod(shape)).reshape(shape)
    if step.equation.primitive.name == "scatter_set" and indices is not None:
        x = x.copy()
        x.reshape(-1)[at[at >= 0]] = 0
    joined = sets.join(x, np.broadcast_to(found, x.shape))
    assert joined is not None
    return [joined]


def _starts(step: Step, first: int, whole: Axes, part: Axes) -> list[int | None]:
    """Where a part begins along each axis; None if that is unknown."""
    starts: list[int | None] = []
    for axis, (n, m) in enumerate(zip(whole, part, strict=True)):
        value = step.value(first + axis) if n > m else 0
        starts.append(None if value is None else min(max(int(value), 0), n - m))
    return starts


def _dynamic_slice(step: Step) -> list[Numbers]:
    x, sizes = step.dep(0), step.params["sizes"]
    if any(d is not None for d in step.deps[1:]):
        return everything(step)
    for axis, start in enumerate(_starts(step, 1, x.shape, sizes)):
        if start is None:
            x = step.sets.reduce(x, (axis,), keep=True)
        else:
            x = along(x, axis, np.arange(start, start + sizes[axis]))
    return [np.broadcast_to(x, sizes)]


def _dynamic_update_slice(step: Step) -> list[Numbers]:
    x, update = step.dep(0), step.dep(1)
    if any(d is not None for d in step.deps[2:]):
        return everything(step)
    sizes = update.shape
    starts = _starts(step, 2, x.shape, sizes)
    written = np.zeros(x.shape, bool)
    written[tuple([slice(s, None if s is None else s + m) for s, m in zip(starts, sizes)])] = True
    for axis, (start, n) in enumerate(zip(starts, x.shape, strict=True)):
        if start is None:
            update = step.sets.reduce(update, (axis,), keep=True)
            update = np.repeat(update, n, axis)
        else:
            source = np.full(n, -1)
            source[start : start + sizes[axis]] = np.arange(sizes[axis])
            update = along(update, axis, source)
    if None not in starts:
        return [np.where(written, update, x)]
    joined = step.sets.join(x, update)
    assert joined is not None
    return [joined]


_LINALG = (
    "cholesky", "eigh", "eigenvalues", "eig", "schur", "svd", "singular_values", "pinv", "qr", "geqrf",
    "lu", "lu_solve", "triangular_solve", "det", "slogdet", "adjugate",
)  # fmt: skip

RULES: dict[str, Rule] = {
    "mul": _mul, "select": _select, "reshape": _reshape, "transpose": _transpose,
    "broadcast": _broadcast, "slice": _slice, "pad": _pad, "concatenate": _concatenate,
    "reverse": _reverse, "sort": _sort, "top_k": _sort, "fft": _fft, "dot_general": _dot, "conv": _conv,
    "gather": _gather, "dynamic_slice": _dynamic_slice, "dynamic_update_slice": _dynamic_update_slice,
    "window_scatter": _window_scatter, "window_pick": _window, "window_argmax": _window,
    "linear_recurrence": _prefixes, "tridiagonal_solve": _stacked(1), "optimization_barrier": _same,
    "all_gather": _all_gather, "tag": _same,
    **dict.fromkeys(("psum", "pmax", "pmin", "ppermute"), _same),
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "cumlogsumexp"), _prefixes),
    **{f"reduce_window_{k}": _window for k in ("sum", "max", "min")},
    **{f"reduce_{k}": _reduce for k in ("sum", "prod", "max", "min", "and", "or", "xor")},
    **dict.fromkeys(("argmax", "argmin"), _reduce),
    **{f"scatter_{k}": _scatter for k in ("add", "set", "mul", "min", "max")},
    **dict.fromkeys(_LINALG, _stacked(2)),
}  # fmt: skip
