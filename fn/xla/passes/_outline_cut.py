"""The minimum cut of a small graph with weights on its nodes."""

from __future__ import annotations

from collections.abc import Sequence


def minimum_cut(
    weights: Sequence[int], edges: Sequence[tuple[int, int]], sources: Sequence[int],
    targets: Sequence[int],
) -> list[int]:  # fmt: skip
    """Nodes of least total weight that every path from a source to a target goes through.

    Of several such sets, the one nearest to the targets.

    Args:
        weights: per node.
        edges: from node to node.
        sources: nodes where paths begin; may be in the cut themselves.
        targets: nodes where they end; likewise.
    """
    count = len(weights)
    source, target = 2 * count, 2 * count + 1
    # Each node is an edge of its weight between its two halves; all other edges cannot be cut.
    endless = sum(weights) + 1
    heads: list[list[int]] = [[] for _ in range(2 * count + 2)]
    ends: list[int] = []
    room: list[int] = []

    def connect(a: int, b: int, capacity: int) -> None:
        heads[a].append(len(ends))
        ends.append(b)
        room.append(capacity)
        heads[b].append(len(ends))
        ends.append(a)
        room.append(0)

    for node, weight in enumerate(weights):
        connect(2 * node, 2 * node + 1, weight)
    for a, b in edges:
        connect(2 * a + 1, 2 * b, endless)
    for node in sources:
        connect(source, 2 * node, endless)
    for node in targets:
        connect(2 * node + 1, target, endless)
    while True:
        path = _path(heads, ends, room, source, target)
        if path is None:
            break
        flow = min([room[e] for e in path])
        for e in path:
            room[e] -= flow
            room[e ^ 1] += flow
    behind = _reaching(heads, ends, room, target)
    return [n for n in range(count) if not behind[2 * n] and behind[2 * n + 1]]


def _path(
    heads: list[list[int]], ends: list[int], room: list[int], source: int, target: int
) -> list[int] | None:
    """Edges of a shortest path with room left."""
    by: list[int] = [-1] * len(heads)
    by[source] = -2
    todo = [source]
    for node in todo:
        for edge in heads[node]:
            other = ends[edge]
            if room[edge] > 0 and by[other] == -1:
                by[other] = edge
                if other == target:
                    path = []
                    while other != source:
                        path.append(by[other])
                        other = ends[by[other] ^ 1]
                    return path
                todo.append(other)
    return None


def _reaching(heads: list[list[int]], ends: list[int], room: list[int], target: int) -> list[bool]:
    """Which nodes can still send something to the target."""
    found = [False] * len(heads)
    found[target] = True
    todo = [target]
    for node in todo:
        for edge in heads[node]:
            other = ends[edge]
            if room[edge ^ 1] > 0 and not found[other]:
                found[other] = True
                todo.append(other)
    return found
