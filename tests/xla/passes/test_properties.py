"""What holds of every pass: the same values to the bit, the law of Programs, once is enough."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fn.core import Program, check, evaluate
from fn.xla import passes
from tests.xla.passes import generate

PASSES = {
    name: getattr(passes, name)
    for name in ("expand", "inline", "simplify", "common", "dead", "hoist", "products", "pack", "unpack")
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("plain")


def same_bits(found: Any, expected: Any, zeros: bool = True) -> None:
    """Equal arrays; zeros have equal signs, not-a-numbers need not have equal bits."""
    a, b = np.asarray(found), np.asarray(expected)
    assert a.dtype == b.dtype and a.shape == b.shape
    np.testing.assert_array_equal(a, b)
    if zeros and a.dtype.kind == "f":
        known = ~np.isnan(a)
        np.testing.assert_array_equal(np.signbit(a[known]), np.signbit(b[known]))


def agree(before: Program, after: Program, seed: int) -> None:
    assert before.in_types == after.in_types
    assert before.out_types == after.out_types
    args = generate.arguments(seed)
    for a, b in zip(evaluate(before, args), evaluate(after, args), strict=True):
        same_bits(b, a)


@pytest.mark.parametrize("seed", range(24))
def test_straight_programs_give_the_same_bits(seed: int) -> None:
    program = generate.program(seed)
    expected = evaluate(program, generate.arguments(seed))
    for name in ("simplify", "common", "dead"):
        after = check(PASSES[name](program))
        for a, b in zip(expected, evaluate(after, generate.arguments(seed)), strict=True):
            same_bits(b, a)


@pytest.mark.parametrize("seed", range(100, 110))
def test_programs_with_control_flow_give_the_same_bits(seed: int) -> None:
    program = generate.program(seed, size=14, control=True)
    agree(program, check(passes.optimise(program, "cpu")), seed)


@pytest.mark.parametrize("name", PASSES)
def test_once_is_enough(name: str) -> None:
    for seed in range(100, 130):
        once = PASSES[name](generate.program(seed, size=14, control=True))
        copy = Program(once.inputs, once.equations, once.outputs, once.captured, once.name)
        assert str(PASSES[name](copy)) == str(once)


@pytest.mark.parametrize("name", PASSES)
def test_what_is_shared_stays_shared(name: str) -> None:
    for seed in range(100, 140):
        program = generate.program(seed, size=20, control=True)
        after = check(PASSES[name](program))
        assert len(_inside(after)) <= len(_inside(program)) or name in (
            "products",
            "pack",
            "expand",
        )


def _inside(program: Program) -> set[int]:
    found: set[int] = set()
    todo = [program]
    while todo:
        current = todo.pop()
        if id(current) not in found:
            found.add(id(current))
            todo += current.subprograms()
    return found
