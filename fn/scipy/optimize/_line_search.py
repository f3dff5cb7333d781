"""A step length that satisfies the strong Wolfe conditions.

J. Nocedal and S. Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import fn.numpy as np
from fn.control import while_loop


class Step(NamedTuple):
    """What a line search finds."""

    length: Any
    value: Any
    gradient: Any
    evaluations: Any
    failed: Any
    status: Any
    """0; 1 if no interval is left; 3 if there were too many rounds."""


class _Search(NamedTuple):
    round: Any
    zooming: Any
    done: Any
    failed: Any
    low: Any
    """Length, value and slope at the better end; while not zooming, at the last length tried."""
    low_value: Any
    low_slope: Any
    low_gradient: Any
    high: Any
    high_value: Any
    length: Any
    value: Any
    gradient: Any
    evaluations: Any


_DECREASE, _CURVATURE = 1e-4, 0.9
_MOST_ZOOMS = 30


def line_search(
    value_and_gradient: Callable[[Any], tuple[Any, Any]],
    x: Any,
    direction: Any,
    value: Any,
    gradient: Any,
    before: Any,
    rounds: int,
) -> Step:
    """A step from `x` along a direction of descent.

    Args:
        value_and_gradient: of a point.
        x: where to start.
        direction: where to go.
        value, gradient: at `x`.
        before: the value at the point before, from which the first length is guessed; None tries 1.
        rounds: at most so many lengths before an interval is found.
    """
    slope = np.real(np.vdot(np.conj(gradient), direction))
    real = value.dtype
    one, zero = np.ones((), real), np.zeros((), real)
    first = one
    if before is not None:
        guess = 1.01 * 2.0 * (value - before) / slope
        first = np.where((guess > 0.0) & (guess < 1.0), guess, one)
    smallest = 1e-5 if np.finfo(real).bits < 64 else 1e-10

    def going(s: _Search) -> Any:
        return ~s.done & ~s.failed & (s.zooming | (s.round <= rounds))

    def next_round(s: _Search) -> _Search:
        width = s.high - s.low
        # Between the ends: the minimum of the parabola, unless it is close to one of them.
        bend = s.high_value - s.low_value - s.low_slope * width
        inner = -0.5 * s.low_slope * width / np.where(bend == 0, 1.0, bend)
        inner = np.where((bend > 0) & (inner > 0.1) & (inner < 0.9), inner, 0.5)
        onwards = np.where(s.round == 1, first, s.low * 2.0)
        at = np.where(s.zooming, s.low + inner * width, onwards)
        f, g = value_and_gradient(x + np.astype(at, x.dtype) * direction)
        d = np.real(np.vdot(np.conj(g), direction))
        too_high = (f > value + _DECREASE * at * slope) | (
            (f >= s.low_value) & (s.zooming | (s.round > 1))
        )
        accepted = ~too_high & (np.abs(d) <= -_CURVATURE * slope)
        # The minimum is between here and the better end if the function rises here, away from it.
        rising = d * np.where(s.zooming, width, 1.0) >= 0
        to_low = ~too_high & rising  # the old better end becomes the other one
        end = np.where(too_high, at, np.where(to_low, s.low, s.high))
        end_value = np.where(too_high, f, np.where(to_low, s.low_value, s.high_value))
        keep = too_high
        zooming = s.zooming | too_high | rising
        exhausted = s.zooming & ((np.abs(width) <= smallest) | (s.round > rounds + _MOST_ZOOMS))
        return _Search(
            s.round + 1, zooming, accepted, exhausted & ~accepted,
            np.where(keep, s.low, at), np.where(keep, s.low_value, f), np.where(keep, s.low_slope, d),
            np.where(keep, s.low_gradient, g), end, end_value, at, f, g, s.evaluations + 1,
        )  # fmt: skip

    false = np.zeros((), bool)
    start = _Search(
        np.ones((), int), false, false, false, zero, value, slope, gradient, one, value, zero, value,
        gradient, np.zeros((), int),
    )  # fmt: skip
    end = while_loop(going, next_round, start)
    status = np.where(end.done, 0, np.where(end.failed, 1, 3))
    # Without a step that will do, the best one there was.
    length, found, slope_there = (
        np.where(end.done, a, b)
        for a, b in (
            (end.length, end.low), (end.value, end.low_value), (end.gradient, end.low_gradient)
        )
    )  # fmt: skip
    return Step(length, found, slope_there, end.evaluations, ~end.done, status)
