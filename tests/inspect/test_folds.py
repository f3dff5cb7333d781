"""Runs of equations that repeat: found, and only where they do repeat."""

from __future__ import annotations

from typing import Any

import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
import fn.numpy as np
from fn.core import Program
from fn.inspect._folds import Gap, Item, Repeat, Same, fold

X = onp.ones(3, onp.float32)
PLENTY = 10_000


def _covered(items: tuple[Item, ...]) -> list[int]:
    found: list[int] = []
    for item in items:
        found += [item] if isinstance(item, int) else range(item.start, item.stop)
    return found


def _repeats(program: Program) -> list[tuple[int, int, int]]:
    items = fold(program, PLENTY)
    return [(i.start, i.period, i.times) for i in items if isinstance(i, Repeat)]


def test_a_chain_of_layers() -> None:
    def f(x: Any, ws: Any) -> Any:
        for w in ws:
            x = np.tanh(x * w + 1.0)
        return x

    program = fn.trace(f)(X, [X] * 10)
    assert _repeats(program) == [(0, 3, 10)]


def test_what_is_read_from_elsewhere_in_the_round_is_not_alike() -> None:
    def f(x: Any) -> Any:
        for i in range(12):
            a, b = np.sin(x), np.cos(x)
            x = (a if i % 2 else b) * a + b  # the first operand is another one every other time
        return x

    # Four equations a round, but only every other round is the same.
    assert _repeats(fn.trace(f)(X)) == [(0, 8, 6)]


def test_other_numbers_and_types_are_not_alike() -> None:
    def f(x: Any) -> Any:
        for i in range(12):
            x = np.sin(x) + float(i)
        return x

    assert _repeats(fn.trace(f)(X)) == []


def test_repeats_within_repeats() -> None:
    def f(x: Any, ws: Any) -> Any:
        for w in ws:
            for _ in range(4):
                x = np.sin(x) * w
            x = np.exp(x)
        return x

    items = fold(fn.trace(f)(X, [X] * 5), PLENTY)
    (outer,) = [i for i in items if isinstance(i, Repeat)]
    assert (outer.period, outer.times) == (9, 5)
    assert any(isinstance(i, Repeat) and i.times == 4 for i in outer.round)


@given(
    st.lists(st.integers(0, 4), max_size=60), st.integers(3, 80),
    st.lists(st.integers(0, 2), max_size=6), st.integers(1, 8),
)  # fmt: skip
def test_every_equation_is_in_one_row(
    kinds: list[int], most: int, block: list[int], rounds: int
) -> None:
    steps = [np.sin, np.cos, lambda y: y * 2.0, lambda y: y + y, np.tanh]

    def f(x: Any) -> Any:
        for kind in [*kinds, *(block * rounds)]:
            x = steps[kind](x)
        return x

    program = fn.trace(f)(X)
    items = fold(program, most)
    assert _covered(items) == list(range(len(program.equations)))
    for item in items:
        if isinstance(item, Repeat):
            assert _covered(item.round) == list(range(item.start, item.start + item.period))


def test_rows_are_bounded() -> None:
    rng = onp.random.RandomState(0)

    def f(x: Any) -> Any:
        for kind in rng.randint(0, 2, 500):
            x = np.sin(x) if kind else np.cos(x)
        return x

    items = fold(fn.trace(f)(X), 30)
    assert len(items) < 40
    assert any(isinstance(i, (Same, Gap)) for i in items)


@pytest.mark.parametrize("length", [0, 1, 5])
def test_short_programs_stay_as_they_are(length: int) -> None:
    def f(x: Any) -> Any:
        for _ in range(length):
            x = np.sin(x)
        return x

    assert fold(fn.trace(f)(X), PLENTY) == tuple(range(length))
