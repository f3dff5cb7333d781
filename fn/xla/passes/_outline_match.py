"""From equal tokens to equal programs: where windows agree in dataflow, and what goes in and out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fn.xla.passes._outline_flat import Flat, Numbers
from fn.xla.passes._outline_runs import Windows

_ROUNDS = 8
_SLOTS = 4096
"""More than any equation has outputs."""


@dataclass(frozen=True)
class Block:
    """A piece of program that stands in several places, equal up to renaming.

    Position `body[i]` of each window is its i-th equation. All values are given by number.
    """

    starts: Numbers
    body: Numbers
    arguments: Numbers
    """Place × argument: what goes in. In each place these are the operands where `argument` says so."""
    argument: Numbers
    """Per operand of the body: which argument it is, or -1 for a value of the block or a literal."""
    results: Numbers
    """Place × result: what comes out."""

    @property
    def places(self) -> int:
        """How many times the block occurs."""
        return len(self.starts)

    def positions(self) -> Numbers:
        """Place × equation of the body: indices of equations."""
        found: Numbers = self.starts[:, None] + self.body
        return found


def match(flat: Flat, windows: Windows) -> Block | None:
    """The block in `windows`, without the windows and positions that do not agree; None if little is left."""
    starts, length = windows.starts, windows.length
    body = np.array([i for i in range(length) if i not in windows.holes], np.int64)
    for _ in range(_ROUNDS):
        if len(starts) < 2 or len(body) < 2:
            return None
        flat.steps += len(starts) * len(body)
        operands, position = _operands(flat, starts, body)
        inner = _inner(flat, starts, length, body, operands)
        agreed = _common(inner)
        wrong = inner != agreed
        if not wrong.any():
            misplaced = _misplaced(flat, starts, length, body)
            if not misplaced:
                return _finish(flat, starts, body, operands, agreed)
            # Something outside stands between two parts of the block: keep the larger part.
            cut = misplaced[0]
            left, right = body[body < cut], body[body > cut]
            body = left if len(left) >= len(right) else right
            continue
        bad = wrong.any(axis=1)
        if bad.mean() <= 0.34:
            starts = starts[~bad]
        else:
            body = np.setdiff1d(body, position[wrong.mean(axis=0) > 0.34])
            if not (wrong.mean(axis=0) > 0.34).any():
                starts = starts[~bad]
    return None


def _operands(flat: Flat, starts: Numbers, body: Numbers) -> tuple[Numbers, Numbers]:
    """Place × operand of the body, and the position of the equation that each operand belongs to."""
    first = starts[0] + body
    counts = flat.ends[first + 1] - flat.ends[first]
    position = np.repeat(body, counts)
    within = np.arange(len(position)) - np.repeat(np.cumsum(counts) - counts, counts)
    indices = flat.ends[starts[:, None] + position] + within
    return flat.operands[indices], position


def _inner(flat: Flat, starts: Numbers, length: int, body: Numbers, operands: Numbers) -> Numbers:
    """Per operand, which result of the block's own it is: a code, or -1 if it comes from outside."""
    at = flat.definer[operands] - starts[:, None]
    member = np.zeros(length + 1, bool)
    member[body] = True
    own = (at >= 0) & (at < length) & member[np.clip(at, 0, length)]
    codes: Numbers = np.where(own, at * _SLOTS + flat.slot[operands], -1)
    return codes


def _common(inner: Numbers) -> Numbers:
    """The code that most places have, per operand."""
    first: Numbers = inner[0]
    if (inner == first).all():
        return first
    found = []
    for column in inner.T:
        values, counts = np.unique(column, return_counts=True)
        found.append(values[counts.argmax()])
    return np.array(found, np.int64)


def _misplaced(flat: Flat, starts: Numbers, length: int, body: Numbers) -> list[int]:
    """Positions in the windows, not in the block, that take from it and give to it."""
    if len(body) == length:
        return []
    member = np.zeros(length, bool)
    member[body] = True
    found: set[int] = set()
    for start in starts.tolist():
        late: set[int] = set()
        for position in range(length):
            index = start + position
            uses = flat.definer[flat.operands[flat.ends[index] : flat.ends[index + 1]]] - start
            near = [u for u in uses.tolist() if 0 <= u < length]
            if member[position]:
                found.update([u for u in near if u in late])
            elif any(member[u] or u in late for u in near):
                late.add(position)
    flat.steps += len(starts) * length
    return sorted(found)


def _finish(flat: Flat, starts: Numbers, body: Numbers, operands: Numbers, inner: Numbers) -> Block:
    outer = inner < 0
    literal = flat.literal[operands].all(axis=0) & (operands == operands[0]).all(axis=0)
    passed = outer & ~literal
    columns, which = np.unique(operands[:, passed], axis=1, return_inverse=True)
    columns, which = _in_order(columns, which.reshape(-1))
    argument = np.full(operands.shape[1], -1, np.int64)
    argument[passed] = which
    return Block(starts, body, columns, argument, _results(flat, starts, body))


def _in_order(columns: Numbers, which: Numbers) -> tuple[Numbers, Numbers]:
    """Arguments in the order of their first use."""
    if len(which) == 0:
        return columns, which
    _, first = np.unique(which, return_index=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return columns[:, order], rank[which]


def _results(flat: Flat, starts: Numbers, body: Numbers) -> Numbers:
    """Place × result: values of the block that anything outside its place uses, in some place."""
    owner = np.full(len(flat) + 1, -1, np.int64)  # the last entry answers for inputs: index -1
    owner[starts[:, None] + body] = np.arange(len(starts))[:, None]
    flat.steps += len(flat)
    definer = flat.definer[flat.operands]
    leaves = (owner[definer] >= 0) & (owner[flat.user] != owner[definer])
    values = np.concatenate([flat.operands[leaves], flat.leaving])
    values = np.unique(values[owner[flat.definer[values]] >= 0])
    at = flat.definer[values]
    codes = np.unique((at - starts[owner[at]]) * _SLOTS + flat.slot[values])
    return _numbers(flat, starts, codes)


def _numbers(flat: Flat, starts: Numbers, codes: Numbers) -> Numbers:
    """Place × code: the numbers of the values that `position, slot` codes stand for."""
    by_place: Numbers = np.array(
        [
            [flat.outputs(int(start + code // _SLOTS))[code % _SLOTS] for code in codes.tolist()]
            for start in starts.tolist()
        ],
        np.int64,
    ).reshape(len(starts), len(codes))
    return by_place


def border(flat: Flat, windows: Windows) -> NDArray[np.float64]:
    """Bytes that cross each shift of `windows` to the right, on average; values that go far count nowhere.

    Args:
        flat: the program.
        windows: standing back to back. Shifts up to its slack keep all windows, those beyond all but one.
    """
    period, first = windows.length, int(windows.starts[0])
    stop = int(windows.starts[-1]) + period + windows.slack
    flat.steps += stop - first
    inside = (flat.user >= first) & (flat.user < stop)
    values, user = flat.operands[inside], flat.user[inside]
    definer = flat.definer[values]
    near = (definer >= first) & (user - definer <= period)
    last = np.full(len(flat.definer), -1, np.int64)
    np.maximum.at(last, values[near], user[near])
    kept = np.flatnonzero(last >= 0)
    change = np.zeros(stop - first + 1)
    np.add.at(change, flat.definer[kept] + 1 - first, flat.bytes[kept])
    np.add.at(change, last[kept] + 1 - first, -flat.bytes[kept])
    width = np.cumsum(change)[: stop - first]
    whole = width[: len(width) // period * period].reshape(-1, period)
    return np.asarray(whole[1:].mean(axis=0) if len(whole) > 1 else whole.mean(axis=0))
