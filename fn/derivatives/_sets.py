"""Sets of input entries, by number: what an element of an array depends on.

An array's dependences are an integer array of its shape, with the number of a set per element. So an
operation that only moves elements moves numbers, and elements that depend on the same share a set.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
"""An array of set numbers, or of other integers."""

# Sets hold at most so many entries in all: half a gigabyte while they are joined.
MOST = 30_000_000


class TooManyError(Exception):
    """The dependences are so dense that writing them down is not worth it."""


class Sets:
    """Sets of the integers from 0 to before `size`, each with a number. Equal sets have one number.

    Number 0 is the empty set, and number `i + 1` the set of `i` alone.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        # A set is known by the sum, modulo 2**64, of its members' random weights.
        random = np.random.default_rng(0)
        self._weights = random.integers(0, 2**64, max(size, 1), dtype=np.uint64)
        self._starts = np.r_[0, np.arange(size)].astype(np.int64)
        self._counts = np.r_[0, np.ones(size)].astype(np.int64)
        self._length = size + 1
        self._members: np.ndarray[Any, Any] = np.arange(size, dtype=np.int32)
        self._used = size
        self._known: dict[tuple[int, int], int] = {}

    def __len__(self) -> int:
        return self._length

    def singletons(self, start: int, shape: tuple[int, ...]) -> Numbers:
        """For an array whose elements are the entries from `start` on: each depends on itself."""
        size = int(np.prod(shape, dtype=np.int64))
        return np.arange(start + 1, start + 1 + size, dtype=np.int64).reshape(shape)

    def members(self, numbers: Numbers) -> tuple[Numbers, Numbers]:
        """The members of these sets, one after the other: positions in `numbers`, and members."""
        counts = self._counts[numbers]
        self._check(counts)
        positions = np.repeat(np.arange(len(numbers)), counts)
        return positions, self._read(numbers, counts)

    def join(self, a: Numbers | None, b: Numbers | None) -> Numbers | None:
        """Elementwise union; None is an array of empty sets. A scalar goes with every element."""
        if a is None or b is None or a is b:
            return b if a is None else a
        a, b = np.broadcast_arrays(a, b)
        low, high = np.minimum(a, b), np.maximum(a, b)
        if np.all((low == high) | (low == 0)):
            return high
        pairs, back = np.unique(low.ravel() * len(self) + high.ravel(), return_inverse=True)
        first, second = np.divmod(pairs, len(self))
        groups = np.tile(np.arange(len(pairs)), 2)
        unions = self.union(groups, np.r_[first, second], len(pairs))
        return unions[back.reshape(a.shape)]

    def reduce(self, numbers: Numbers, axes: tuple[int, ...], keep: bool = False) -> Numbers:
        """Union over axes, which disappear unless `keep`."""
        if not axes:
            return numbers
        kept = [i for i in range(numbers.ndim) if i not in axes]
        shape = tuple([numbers.shape[i] for i in kept])
        count = int(np.prod(shape, dtype=np.int64))
        each = int(np.prod([numbers.shape[i] for i in axes], dtype=np.int64))
        groups = np.repeat(np.arange(count), each)
        out = self.union(groups, np.transpose(numbers, (*kept, *axes)).ravel(), count)
        if keep:
            shape = tuple([1 if i in axes else n for i, n in enumerate(numbers.shape)])
        return out.reshape(shape)

    def union(self, groups: Numbers, numbers: Numbers, count: int) -> Numbers:
        """For each of `count` groups the union of the sets in it.

        Args:
            groups: the group that each of `numbers` belongs to; a negative one drops it.
        """
        out = np.zeros(count, np.int64)
        keep = (numbers != 0) & (groups >= 0)
        pairs = distinct(groups[keep] * len(self) + numbers[keep])
        if not len(pairs):
            return out
        groups, numbers = np.divmod(pairs, len(self))
        first = _first(groups)
        alone = np.diff(np.r_[first, len(groups)]) == 1
        out[groups[first[alone]]] = numbers[first[alone]]
        several = ~np.repeat(alone, np.diff(np.r_[first, len(groups)]))
        if several.any():
            groups, numbers = groups[several], numbers[several]
            counts = self._counts[numbers]
            self._check(counts)
            keys = np.repeat(groups, counts) * self.size + self._read(numbers, counts)
            groups, members = np.divmod(distinct(keys), self.size)
            first = _first(groups)
            out[groups[first]] = self._numbers(members, first)
        return out

    def prefixes(self, numbers: Numbers, axis: int, reverse: bool) -> Numbers:
        """The union of what is up to each element along `axis`, in log(n) rounds."""
        x = np.moveaxis(numbers, axis, 0)
        x = x[::-1] if reverse else x
        step = 1
        while step < len(x):
            joined = self.join(x[step:], x[:-step])
            assert joined is not None
            x = np.concatenate([x[:step], joined])
            step *= 2
        return np.moveaxis(x[::-1] if reverse else x, 0, axis)

    # --- storage ---

    def _read(self, numbers: Numbers, counts: Numbers) -> Numbers:
        before = np.cumsum(counts) - counts
        at = np.repeat(self._starts[numbers] - before, counts) + np.arange(int(counts.sum()))
        return self._members[at].astype(np.int64)

    def _numbers(self, members: Numbers, first: Numbers) -> Numbers:
        """Numbers for the sets that begin at `first` among `members`, new ones where need be."""
        counts = np.diff(np.r_[first, len(members)])
        marks = np.add.reduceat(self._weights[members], first)
        once, example, back = np.unique(marks, return_index=True, return_inverse=True)
        numbers = np.empty(len(once), np.int64)
        fresh: list[int] = []
        for i, (mark, at) in enumerate(zip(once.tolist(), example.tolist(), strict=True)):
            key = mark, int(counts[at])
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = len(self) + len(fresh)
                fresh.append(at)
            numbers[i] = known
        if fresh:
            self._append(members, first[fresh], counts[fresh])
        return numbers[back.reshape(-1)]

    def _append(self, members: Numbers, first: Numbers, counts: Numbers) -> None:
        total = int(counts.sum())
        self._check(np.array([self._used, total]))
        before = np.cumsum(counts) - counts
        at = np.repeat(first - before, counts) + np.arange(total)
        self._starts = _appended(self._starts, self._length, self._used + before)
        self._counts = _appended(self._counts, self._length, counts)
        self._members = _appended(self._members, self._used, members[at])
        self._length += len(counts)
        self._used += total

    def _check(self, counts: Numbers) -> None:
        if int(counts.sum()) > MOST:
            raise TooManyError


def _appended(array: Any, used: int, more: Numbers) -> Any:
    """`array`, of which so much is used, with `more` after that, in place if there is room."""
    if used + len(more) > len(array):
        array = np.concatenate([array[:used], np.empty(used + 2 * len(more), array.dtype)])
    array[used : used + len(more)] = more
    return array


def distinct(keys: Numbers) -> Numbers:
    """The different ones among some integers, in order: `np.unique`, which hashes, and is slower."""
    if np.all(keys[1:] > keys[:-1]):
        return keys
    keys = np.sort(keys)
    return keys[_first(keys)]


def _first(groups: Numbers) -> Numbers:
    """Where a new group begins in a sorted list that is not empty."""
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
