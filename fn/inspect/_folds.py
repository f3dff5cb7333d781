"""Finding runs of equations that repeat, so that a network of fifty layers reads like one of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fn.core import Literal, Program, Variable
from fn.inspect._align import kind_of

_LAGS = 4
_PERIODS = 48
_LONGEST = 5_000
_LEAST_SAVED = 4
_DEPTH = 3


class Repeat(NamedTuple):
    """`times` rounds of `period` equations each, from `start` on, alike but for their names."""

    start: int
    period: int
    times: int
    round: tuple[Item, ...]
    """The first round, which may repeat within."""

    @property
    def stop(self) -> int:
        """The index after the last round."""
        return self.start + self.period * self.times


class Same(NamedTuple):
    """Equations from `start` to `stop` that come from one line of the user's."""

    start: int
    stop: int


class Gap(NamedTuple):
    """Equations from `start` to `stop` that are not shown."""

    start: int
    stop: int


Item = int | Repeat | Same | Gap
"""What one row shows: an equation by its index, or several."""


def fold(program: Program, most: int) -> tuple[Item, ...]:
    """The equations of `program` as rows, of which there are to be not many more than `most`.

    Runs that repeat become one round and a count. If that is not enough, neighbours from one line of
    the user's are one row, and what is left over in the middle is left out.
    """
    items = _repeats(program, _operations(program), 0, len(program.equations), 0)
    if _rows(items) > most:
        items = _by_line(program, items)
    if _rows(items) > most:
        items = _without_middle(items, most)
    return items


def _rows(items: Sequence[Item]) -> int:
    return sum(_rows(i.round) + 1 if isinstance(i, Repeat) else 1 for i in items)


def _stop(item: Item) -> int:
    return item + 1 if isinstance(item, int) else item.stop


def start_of(item: Item) -> int:
    """The index of the first equation of a row."""
    return item if isinstance(item, int) else item.start


# --- repeats ----------------------------------------------------------------------------


class _Operations(NamedTuple):
    """What an equation does, as a number; and how far back each of its operands was defined."""

    kinds: np.ndarray[tuple[int], np.dtype[np.int64]]
    reach: list[tuple[object, ...]]


def _operations(program: Program) -> _Operations:
    numbers: dict[object, int] = {}
    defined: dict[Variable, int] = {}
    kinds: list[int] = []
    reach: list[tuple[object, ...]] = []
    for index, equation in enumerate(program.equations):
        kinds.append(numbers.setdefault(kind_of(equation), len(numbers)))
        reach.append(
            tuple([
                a if isinstance(a, Literal) else index - defined[a] if a in defined else None
                for a in equation.inputs
            ])
        )  # fmt: skip
        for output in equation.outputs:
            defined[output] = index
    return _Operations(np.array(kinds, np.int64), reach)


def _repeats(
    program: Program, operations: _Operations, start: int, stop: int, depth: int
) -> tuple[Item, ...]:
    """The rows from `start` to `stop`, with the runs that save most folded."""
    if depth == _DEPTH or stop - start < 2 + _LEAST_SAVED:
        return tuple(range(start, stop))
    runs = _runs(operations, start, stop)
    items: list[Item] = []
    at = start
    for first, period, count in runs:
        items += range(at, first)
        inside = _repeats(program, operations, first, first + period, depth + 1)
        items.append(Repeat(first, period, count, inside))
        at = first + period * count
    items += range(at, stop)
    return tuple(items)


def _runs(operations: _Operations, start: int, stop: int) -> list[tuple[int, int, int]]:
    """Runs that repeat, as (start, period, count), in order and apart; those that save most go first."""
    kinds = operations.kinds[start:stop]
    candidates = []
    for period in _periods(kinds):
        # Comparing the sequence with itself, shifted: where it is equal for a period, it repeats.
        equal = np.concatenate(([False], kinds[:-period] == kinds[period:], [False]))
        edges = np.flatnonzero(equal[1:] != equal[:-1])
        for low, high in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            rounds = (high - low) // period + 1
            if period * (rounds - 1) >= _LEAST_SAVED:
                candidates.append((-period * (rounds - 1), period, start + low, rounds))
    taken = np.zeros(stop - start, bool)
    found = []
    for _, period, first, rounds in sorted(candidates):
        if taken[first - start : first - start + period * rounds].any():
            continue
        for run in _checked(operations, first, period, rounds):
            taken[run[0] - start : run[0] - start + run[1] * run[2]] = True
            found.append(run)
    return sorted(found)


def _periods(kinds: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Distances at which operations come again most often."""
    order = np.argsort(kinds, kind="stable")
    votes = np.zeros(min(len(kinds), _LONGEST) + 1, np.int64)
    for lag in range(1, _LAGS + 1):
        same = kinds[order[lag:]] == kinds[order[:-lag]]
        apart = (order[lag:] - order[:-lag])[same]
        votes += np.bincount(apart[apart < len(votes)], minlength=len(votes))
    best = np.argsort(-votes, kind="stable")[:_PERIODS]
    return [int(p) for p in best if p and votes[p]]


def _checked(
    operations: _Operations, start: int, period: int, rounds: int
) -> list[tuple[int, int, int]]:
    """The rounds of a run whose operands come from the same places, of the round or of outside it."""
    reach = operations.reach
    runs = []
    first, count = start, 1
    for number in range(1, rounds):
        base = start + number * period
        alike = all(
            _alike(reach[first + j], reach[base + j], j) for j in range(period)
        )  # fmt: skip
        if alike:
            count += 1
        else:
            runs.append((first, period, count))
            first, count = base, 1
    runs.append((first, period, count))
    return [(s, p, n) for s, p, n in runs if n > 1 and p * (n - 1) >= _LEAST_SAVED]


def _alike(a: tuple[object, ...], b: tuple[object, ...], position: int) -> bool:
    for x, y in zip(a, b, strict=True):
        if x == y:
            continue
        inside = [isinstance(d, int) and d <= position for d in (x, y)]
        if any(inside) or isinstance(x, Literal) or isinstance(y, Literal):
            return False
    return True


# --- by line ----------------------------------------------------------------------------


def _place(program: Program, index: int) -> object:
    source = program.equations[index].source
    return None if source is None else (source.file, source.line, source.origin)


def _by_line(program: Program, items: Sequence[Item]) -> tuple[Item, ...]:
    """Neighbours from one line of the user's as one row, inside of what repeats as well."""
    found: list[Item] = []
    run: list[int] = []

    def flush() -> None:
        if len(run) > 1:
            found.append(Same(run[0], run[-1] + 1))
        else:
            found.extend(run)
        run.clear()

    for item in items:
        inside: Sequence[int] = (item,) if isinstance(item, int) else ()
        if isinstance(item, Repeat):
            one_line = len({_place(program, i) for i in range(item.start, item.stop)}) == 1
            inside = range(item.start, item.stop) if one_line else ()
        if not inside:
            flush()
            if isinstance(item, Repeat):
                item = item._replace(round=_by_line(program, item.round))
            found.append(item)
            continue
        if run and _place(program, inside[0]) != _place(program, run[0]):
            flush()
        run += inside
    flush()
    return tuple(found)


def _without_middle(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    """The rows at the beginning and at the end."""
    short = [
        item._replace(round=_without_middle(item.round, most // 2))
        if isinstance(item, Repeat) and _rows(item.round) > most // 2
        else item
        for item in items
    ]
    if _rows(short) <= most:
        return tuple(short)
    first = _fitting(short, most * 2 // 3)
    last = len(short) - _fitting(short[:first:-1], most // 3)
    gap = (Gap(start_of(short[first]), _stop(short[last - 1])),) if first < last else ()
    return (*short[:first], *gap, *short[last:])


def _fitting(items: Sequence[Item], most: int) -> int:
    """How many of the items make no more than so many rows."""
    rows = 0
    for number, item in enumerate(items):
        rows += _rows([item])
        if rows > most:
            return number
    return len(items)
