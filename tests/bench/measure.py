"""Measuring peers fairly on a noisy machine: alternating, after a warm-up, medians and their spread."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of each round of one peer."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        low, high = np.percentile(self.seconds, [25, 75])
        return float(low), float(high)


def alternate(
    peers: dict[str, Callable[[], object]], rounds: int = 15, calls: int = 1, warmup: int = 2
) -> dict[str, Timing]:
    """Time each peer in turn, `rounds` times; one round is `calls` calls.

    The order is another one in each round, so that nobody always comes after the same peer, whose
    threads may still be spinning.
    """
    for call in peers.values():
        for _ in range(warmup):
            call()
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    names, order = list(peers), random.Random(0)
    for _ in range(rounds):
        order.shuffle(names)
        for name in names:
            call = peers[name]
            start = time.perf_counter()
            for _ in range(calls):
                call()
            seconds[name].append((time.perf_counter() - start) / calls)
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def ratio(timings: dict[str, Timing], peer: str) -> tuple[float, float, float]:
    """fn over `peer`: the median of the ratios round by round, and their quartiles."""
    ratios = np.divide(timings["fn"].seconds, timings[peer].seconds)
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return float(middle), float(low), float(high)
