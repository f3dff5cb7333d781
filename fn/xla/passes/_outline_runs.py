"""Finding repeats in a sequence of tokens: runs that repeat back to back first, then repeats anywhere.

Everything is a scan over arrays; the number of scans does not grow with the length of the sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fn.xla.passes._outline_flat import Flat, Numbers

Flags = NDArray[np.bool_]

_GRAMS = (1, 4, 16)
"""Lengths of the pieces whose distances suggest periods."""
_PERIODS = 6
"""Periods tried per length of piece."""
_ROUNDS = 24
_SYSTEMATIC = 0.5
_MOST_HOLES = 0.25


@dataclass(frozen=True)
class Windows:
    """Stretches of one length that have equal tokens, but for positions that are left out."""

    starts: Numbers
    length: int
    holes: frozenset[int]
    slack: int = 0
    """How far all windows may move to the right together; only where they stand back to back."""

    @property
    def adjacent(self) -> bool:
        """Whether they stand back to back."""
        return len(self.starts) > 1 and bool((np.diff(self.starts) == self.length).all())

    def doubled(self) -> Windows:
        """Each two neighbours as one window."""
        many = len(self.starts) // 2
        holes = self.holes | {h + self.length for h in self.holes}
        slack = self.slack + self.length * (len(self.starts) % 2)
        return Windows(self.starts[: 2 * many : 2], 2 * self.length, holes, slack)


def repeats(flat: Flat, least: int) -> Iterator[Windows]:
    """Candidates, those that save most equations first; whoever takes one marks its tokens as taken.

    Args:
        flat: where to look. Its tokens may change between one candidate and the next.
        least: equations that a candidate must save.
    """
    for find in (_tandem, _anywhere):
        for _ in range(_ROUNDS):
            found = find(flat, least)
            if found is None:
                break
            before = flat.tokens.copy()
            yield found
            if np.array_equal(before, flat.tokens):  # refused: do not offer it again
                length = np.arange(found.length)
                flat.take(np.unique((found.starts[:, None] + length).ravel()))


# --- back to back -----------------------------------------------------------------------


def _tandem(flat: Flat, least: int) -> Windows | None:
    tokens = flat.tokens
    best, most = None, least - 1
    for period in _periods(flat):
        flat.steps += len(tokens)
        equal = tokens[period:] == tokens[:-period]
        if np.count_nonzero(equal) < (1 - _MOST_HOLES) * max(most, period):
            continue
        filled = _filled(tokens, equal, period)
        starts, stops = _runs(filled)
        long = stops - starts >= period
        for start, stop in zip(starts[long].tolist(), stops[long].tolist(), strict=True):
            copies = (stop - start) // period + 1
            if (copies - 1) * period <= most:
                continue
            holes = np.unique(np.flatnonzero(~equal[start:stop]) % period)
            saved = (copies - 1) * (period - len(holes))
            if saved > most:
                most = saved
                best = Windows(
                    start + period * np.arange(copies), period, frozenset(holes.tolist()),
                    (stop - start) % period,
                )  # fmt: skip
    return best


def _periods(flat: Flat) -> list[int]:
    """Distances at which many pieces of the sequence come again."""
    found: dict[int, None] = {}
    half = len(flat.tokens) // 2
    for length in _GRAMS:
        flat.steps += len(flat.tokens)
        hashes = _grams(flat.tokens, length)
        order = np.argsort(hashes, kind="stable")
        distance = np.diff(order)[hashes[order][1:] == hashes[order][:-1]]
        distance = distance[(distance > 1) & (distance <= half)]
        values, counts = np.unique(distance, return_counts=True)
        for value in values[np.argsort(-counts, kind="stable")[:_PERIODS]]:
            found[int(value)] = None
    return list(found)


def _grams(tokens: Numbers, length: int) -> NDArray[np.uint64]:
    """A hash of the `length` tokens that begin at each position; a power of two."""
    with np.errstate(over="ignore"):
        hashes = tokens.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
        step = 1
        while step < length and step < len(hashes):
            hashes = hashes[:-step] * np.uint64(0xBF58476D1CE4E5B9) + hashes[step:]
            hashes ^= hashes >> np.uint64(32)
            step *= 2
    return hashes


def _filled(tokens: Numbers, equal: Flags, period: int) -> Flags:
    """`equal` with the positions, modulo the period, filled in that differ in most copies alike.

    A layer that slices its own weights out of a stacked array differs from the next in these slices.
    """
    if len(equal) < period:
        return equal
    good = np.concatenate([[0], np.cumsum(equal)])
    dense = good[period:] - good[:-period] >= (1 - _MOST_HOLES) * period
    starts, stops = _runs(dense)
    if len(starts) == 0:
        return equal
    at = int((stops - starts).argmax())
    start, stop = int(starts[at]), int(stops[at]) + period - 1
    bad = ~equal[start:stop]
    if not bad.any():
        return equal
    modulo = np.arange(start, stop) % period
    times = np.maximum(np.bincount(modulo, minlength=period), 1)
    holes = np.bincount(modulo, bad, period) >= _SYSTEMATIC * times
    # What is part of another repeat is no hole in this one.
    inside = np.arange(start, stop + period)
    holes &= np.bincount(inside % period, tokens[inside] < 0, period) == 0
    if not holes.any() or holes.mean() > _MOST_HOLES:
        return equal
    filled = equal.copy()
    filled[start:stop] |= holes[modulo]
    return filled


def _runs(flags: Flags) -> tuple[Numbers, Numbers]:
    """Where runs of True begin and end."""
    padded = np.concatenate([[False], flags, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]


# --- anywhere ---------------------------------------------------------------------------


def _anywhere(flat: Flat, least: int) -> Windows | None:
    """The stretch that comes again, without overlap, and saves most; not back to back."""
    tokens, length = flat.tokens, _GRAMS[-1]
    if len(tokens) < 2 * length:
        return None
    flat.steps += len(tokens)
    hashes = _grams(tokens, length)
    order = np.argsort(hashes, kind="stable")
    same = hashes[order][1:] == hashes[order][:-1]
    first, second = order[:-1][same], order[1:][same]
    usable = _free(tokens, length)
    keep = usable[first] & usable[second] & (second - first >= length)
    first, second = first[keep], second[keep]
    # Where the tokens before are equal as well, the pair is the inside of a longer one.
    before = (first > 0) & (tokens[first - 1] == tokens[second - 1]) & (tokens[first - 1] >= 0)
    first, second = first[~before], second[~before]
    best, most = None, least - 1
    pairs = sorted(zip(first.tolist(), second.tolist(), strict=True), key=lambda p: p[0] - p[1])
    for a, b in pairs[: 2 * _ROUNDS]:
        reach = min(b - a, len(tokens) - b)
        flat.steps += reach
        alike = (tokens[a : a + reach] == tokens[b : b + reach]) & (tokens[a : a + reach] >= 0)
        common = reach if alike.all() else int(alike.argmin())
        starts = _occurrences(flat, hashes, a, common, length)
        if (len(starts) - 1) * common > most:
            most = (len(starts) - 1) * common
            best = Windows(starts, common, frozenset())
    return best


def _free(tokens: Numbers, length: int) -> Flags:
    """Where no token of the next `length` is taken."""
    taken = np.concatenate([[0], np.cumsum(tokens < 0)])
    return np.asarray(taken[length:] == taken[:-length])


def _occurrences(
    flat: Flat, hashes: NDArray[np.uint64], start: int, length: int, gram: int
) -> Numbers:
    """Where the stretch `[start, start + length)` occurs, none overlapping the one before."""
    tokens = flat.tokens
    found: list[int] = []
    for at in np.flatnonzero(hashes == hashes[start]).tolist():
        if (found and at < found[-1] + length) or at + length > len(tokens):
            continue
        flat.steps += length
        if np.array_equal(tokens[at : at + length], tokens[start : start + length]):
            found.append(at)
    return np.array(found, np.int64)
