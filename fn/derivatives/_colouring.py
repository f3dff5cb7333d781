"""Colouring columns so that those of one colour can be told apart in their sum.

After Gebremedhin, Manne and Pothen, What Color Is Your Jacobian?, SIAM Review 47, 2005. The set of
colours a row has seen is one integer, bit by bit, so that no graph is built.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.derivatives._pattern import Pattern

Colours = np.ndarray[Any, np.dtype[np.int32]]


def colour_columns(pattern: Pattern) -> Colours:
    """A colour per column, such that columns of one colour have no row in common.

    That is a distance-1 colouring of the columns' intersection graph. Greedy, in the given order and
    with the columns that meet most others first; the better one is kept. No colouring has fewer
    colours than the fullest row has entries.

    Returns:
        For each column an integer from 0 on; -1 for columns without entries.
    """
    m, n = pattern.shape
    per_row = np.bincount(pattern.rows, minlength=m)
    used = np.flatnonzero(np.bincount(pattern.cols, minlength=n))
    fewest = int(per_row.max(initial=0))
    if fewest >= 0.9 * len(used):  # there is nothing to win
        colours = np.full(n, -1, np.int32)
        colours[used] = np.arange(len(used))
        return colours
    of_column = _lists(pattern.cols, pattern.rows, n)
    best = _greedy(of_column, used.tolist(), m, n)
    if best.max(initial=-1) + 1 > fewest:
        meets = np.bincount(pattern.cols, per_row[pattern.rows], minlength=n)
        order = used[np.argsort(-meets[used], kind="stable")]
        other = _greedy(of_column, order.tolist(), m, n)
        best = min(best, other, key=lambda colours: int(colours.max()))
    return best


def _lists(of: Any, values: Any, count: int) -> list[list[int]]:
    order = np.argsort(of, kind="stable")
    parts = np.split(values[order], np.cumsum(np.bincount(of, minlength=count))[:-1])
    return [part.tolist() for part in parts]


def _greedy(of_column: list[list[int]], order: list[int], rows: int, columns: int) -> Colours:
    seen = [0] * rows
    colours = np.full(columns, -1, np.int32)
    for column in order:
        taken = 0
        for row in of_column[column]:
            taken |= seen[row]
        bit = ~taken & (taken + 1)  # the lowest that is not taken
        colours[column] = bit.bit_length() - 1
        for row in of_column[column]:
            seen[row] |= bit
    return colours


def colour_symmetric(pattern: Pattern) -> Colours:
    """A colour per column of a symmetric pattern, such that one of each two mirrored entries can be read.

    That is a star colouring of its graph: neighbours differ, and on each path of four there are three
    colours. An arrowhead, whose columns all meet in a row, needs two.

    Returns:
        For each column an integer from 0 on; -1 for columns without entries.
    """
    n = pattern.shape[1]
    off = pattern.rows != pattern.cols
    near = _lists(pattern.rows[off], pattern.cols[off], n)
    degrees = np.array([len(x) for x in near])
    used = np.zeros(n, bool)
    used[pattern.cols] = True
    best: Colours | None = None
    for order in (np.arange(n), np.argsort(-degrees, kind="stable")):
        found = _star([int(v) for v in order if used[v]], near, n)
        best = found if best is None or found.max(initial=-1) < best.max(initial=-1) else best
    assert best is not None
    return best


def _star(order: list[int], near: list[list[int]], n: int) -> Colours:
    colour = [-1] * n
    # How many neighbours of a vertex have a colour, one of them, and which colours those are.
    counts: list[dict[int, int]] = [{} for _ in range(n)]
    example: list[dict[int, int]] = [{} for _ in range(n)]
    around = [0] * n
    # The colours of those neighbours that have another neighbour of this vertex's colour.
    hubs = [0] * n
    for v in order:
        taken = 0
        for w in near[v]:
            c = colour[w]
            if c >= 0:
                taken |= 1 << c | hubs[w]
                if counts[v][c] > 1:  # v is between two of one colour
                    taken |= around[w]
        bit = ~taken & (taken + 1)
        mine = colour[v] = bit.bit_length() - 1
        for w in near[v]:
            if colour[w] >= 0 and counts[v][colour[w]] > 1:
                hubs[w] |= bit
            total = counts[w][mine] = counts[w].get(mine, 0) + 1
            around[w] |= bit
            if total == 1:
                example[w][mine] = v
            elif colour[w] >= 0:
                hubs[v] |= 1 << colour[w]
                if total == 2:
                    hubs[example[w][mine]] |= 1 << colour[w]
    return np.array(colour, np.int32)
