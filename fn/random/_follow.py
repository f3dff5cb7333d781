"""Following integers through a Program without running it: which element of which array is which.

Each element has a number of its own, its *mark*. Moving data moves marks; what is computed gets a mark
that stands for the computation, so that what is computed twice from the same has the same mark. Where
numbers are known, constants are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

from fn.core import ArrayType, Equation, bind

# Larger arrays have one mark for all of their elements.
LARGEST = 1 << 14
_SMALL = 1 << 10

Marks = Any
"""An integer array of marks; or one mark for the array, where elements are not told apart."""


class Ledger:
    """All marks given out, and what they stand for."""

    def __init__(self) -> None:
        self._marks: dict[Hashable, int] = {}
        self.known: dict[int, int] = {}
        """The value of a mark, where it is known."""
        self.among: dict[int, tuple[int, ...]] = {}
        """The marks that a mark is surely one of."""
        self.either: set[int] = set()
        """Marks for one thing or another, depending on a condition."""

    def mark(self, meaning: Hashable) -> int:
        """The mark that stands for this; the same one each time."""
        found = self._marks.get(meaning)
        if found is None:
            found = self._marks[meaning] = len(self._marks)
        return found

    def number(self, value: int) -> int:
        """The mark of a known integer."""
        found = self.mark(("number", value))
        self.known[found] = value
        return found

    def numbers(self, values: Any) -> Marks:
        """The marks of known integers."""
        values = np.asarray(values)
        return np.array([self.number(int(v)) for v in values.ravel()], np.int64).reshape(
            values.shape
        )

    def new(self, meaning: Hashable, type: ArrayType) -> Marks:
        """Marks for what an equation computes from nothing that could be told apart."""
        if not _counts(type):
            return self.mark(meaning)
        marks = [self.mark((meaning, i)) for i in range(type.size)]
        return np.array(marks, np.int64).reshape(type.shape)

    def values(self, marks: Marks) -> Any:
        """The integers, if all of them are known."""
        if not isinstance(marks, np.ndarray) or marks.size > _SMALL:
            return None
        found = [self.known.get(int(m)) for m in marks.ravel()]
        if any(v is None for v in found):
            return None
        return np.array(found, dtype=object).reshape(marks.shape)

    def join(self, branches: Sequence[Marks]) -> Marks:
        """Marks for what is one thing or another."""
        first = branches[0]
        if all(_same(first, other) for other in branches[1:]):
            return first
        if not all(isinstance(m, np.ndarray) for m in branches):
            return self.mark(("either", *[identity(m) for m in branches]))
        out = np.empty(first.shape, np.int64)
        for place in np.ndindex(first.shape):
            options = tuple([int(m[place]) for m in branches])
            if len(set(options)) == 1:
                out[place] = options[0]
                continue
            mark = self.mark(("either", options))
            self.among[mark] = options
            self.either.add(mark)
            out[place] = mark
        return out


def _counts(type: ArrayType) -> bool:
    """Whether elements of this type are followed one by one."""
    return type.dtype.kind in "iub" and type.size <= LARGEST


def _same(a: Marks, b: Marks) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return identity(a) == identity(b)


def identity(marks: Marks) -> Hashable:
    """What says which array this is."""
    return (marks.shape, marks.tobytes()) if isinstance(marks, np.ndarray) else marks


# --- equations --------------------------------------------------------------------------


def follow(ledger: Ledger, equation: Equation, inputs: Sequence[Marks]) -> list[Marks]:
    """The marks of what an equation gives, from those of what it takes."""
    name, params = equation.primitive.name, equation.params
    arrays = all(isinstance(m, np.ndarray) for m in inputs)
    types = [v.type for v in equation.outputs]
    if arrays and inputs and name in _MOVES and _counts(types[0]):
        return [_MOVES[name](*inputs, **params)]
    if name in ("stop_gradient", "name", "optimization_barrier", "sharding_constraint"):
        return list(inputs)
    if len(types) == 1 and _counts(types[0]):
        known = [ledger.values(m) for m in inputs]
        if all(k is not None for k in known) and types[0].size <= _SMALL:
            return [_computed(ledger, equation, known)]
        if name in _PICKS and isinstance(inputs[0], np.ndarray):
            if all(k is not None for k in known[1:]):
                return [_picked(ledger, equation, inputs[0], known[1:])]
            if name == "dynamic_slice":
                return [_slice_somewhere(ledger, equation, inputs)]
        if name == "select" and arrays:
            return [_selected(ledger, inputs, known[0])]
        if name == "convert" and arrays:
            return [_converted(ledger, inputs[0], types[0])]
    meaning = (name, tuple(sorted(params.items(), key=lambda p: p[0])), *map(identity, inputs))
    return [ledger.new((meaning, i), t) for i, t in enumerate(types)]


def _slice(x: Any, *, starts: Any, limits: Any, strides: Any) -> Any:
    return x[tuple([slice(*s) for s in zip(starts, limits, strides, strict=True)])]


def _broadcast(x: Any, *, shape: Any, axes: Any) -> Any:
    spread = [1] * len(shape)
    for a, n in zip(axes, x.shape, strict=True):
        spread[a] = n
    return np.broadcast_to(x.reshape(spread), shape)


_MOVES: dict[str, Callable[..., Any]] = {
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, permutation: x.transpose(permutation),
    "broadcast": _broadcast,
    "slice": _slice,
    "reverse": lambda x, axes: np.flip(x, axes),
    "concatenate": lambda *xs, axis: np.concatenate(xs, axis),
}
_PICKS = ("gather", "dynamic_slice", "take_along")


def _computed(ledger: Ledger, equation: Equation, known: Sequence[Any]) -> Marks:
    """A constant: what the equation gives for values that are known."""
    args = [
        np.array(k.tolist(), dtype=v.type.dtype).reshape(k.shape)
        for k, v in zip(known, equation.inputs, strict=True)
    ]
    return ledger.numbers(np.asarray(bind(equation.primitive, *args, **equation.params)))


def _picked(ledger: Ledger, equation: Equation, x: Marks, known: Sequence[Any]) -> Marks:
    """Reading at known places: done with the marks instead of the values, counted from 1 for what is filled in."""
    indices = [
        np.array(k.tolist(), dtype=v.type.dtype).reshape(k.shape)
        for k, v in zip(known, equation.inputs[1:], strict=True)
    ]
    params = {**equation.params, "fill": 0} if "fill" in equation.params else equation.params
    marks = np.asarray(bind(equation.primitive, x.astype(np.int32) + 1, *indices, **params))
    filled = ledger.mark("filled in")
    return np.where(marks == 0, filled, marks.astype(np.int64) - 1)


def _slice_somewhere(ledger: Ledger, equation: Equation, inputs: Sequence[Marks]) -> Marks:
    """A window at a place that is not known: each element is one of those it can be."""
    x, sizes = inputs[0], equation.params["sizes"]
    meaning = ("slice", sizes, *map(identity, inputs))
    out = np.empty(sizes, np.int64)
    for place in np.ndindex(sizes):
        reach = tuple([slice(p, p + n - s + 1) for p, n, s in zip(place, x.shape, sizes)])
        mark = ledger.mark((meaning, place))
        ledger.among[mark] = tuple(map(int, x[reach].ravel()))
        out[place] = mark
    return out


def _selected(ledger: Ledger, inputs: Sequence[Marks], known: Any) -> Marks:
    shape = np.broadcast_shapes(*[m.shape for m in inputs])
    yes, no = (np.broadcast_to(m, shape) for m in inputs[1:])
    if known is None:
        return ledger.join([yes, no])
    return np.where(np.broadcast_to(known.astype(bool), shape), yes, no)


def _converted(ledger: Ledger, x: Marks, type: ArrayType) -> Marks:
    marks = [ledger.mark(("convert", str(type.dtype), int(m))) for m in x.ravel()]
    return np.array(marks, np.int64).reshape(x.shape)
