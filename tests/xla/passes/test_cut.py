"""The cut: a fence where a long chain has several users, and nowhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import Program, check, evaluate
from fn.xla.passes import Fence, cut, noticed, optimise
from fn.xla.passes._cut import LONG, fenced
from tests.programs import names
from tests.xla.passes import generate
from tests.xla.passes.planted import calls, flattened
from tests.xla.passes.text import parsed

X = np.ones((4, 8), np.float32)


def chain(length: int, users: int) -> Program:
    """`length` operations after one another, the last result with this many users."""

    def f(x: Any) -> Any:
        for _ in range(length):
            x = x * 1.5
        return [(x + i).sum() for i in range(users)]

    return fn.trace(f)(X)


def test_a_chain_is_fenced_before_it_has_several_users() -> None:
    before = parsed(
        "a: f32[3]",
        """
        b: f32[3] = mul a 2.0:f32[]
        c: f32[3] = add b 1.0:f32[]
        d: f32[] = reduce_sum[axes=(0,)] c
        e: f32[] = reduce_max[axes=(0,)] c
        return d e
        """,
    )
    after = check(fenced(before, 2))
    assert str(after) == (
        "program @fence(a: f32[3]) {\n"
        "  return a\n"
        "}\n"
        "program @main(a: f32[3]) {\n"
        "  b: f32[3] = mul a 2.0:f32[]\n"
        "  c: f32[3] = add b 1.0:f32[]\n"
        "  d: f32[3] = call_apart[program=@fence] c\n"
        "  e: f32[] = reduce_sum[axes=(0,)] d\n"
        "  f: f32[] = reduce_max[axes=(0,)] d\n"
        "  return e f\n"
        "}"
    )
    assert fenced(before, 3) is before


def test_before_a_broadcast_there_is_less_to_keep() -> None:
    before = parsed(
        "a: f32[3]",
        """
        b: f32[3] = mul a 2.0:f32[]
        c: f32[3] = add b 1.0:f32[]
        d: f32[9,3] = broadcast[axes=(1,), shape=(9, 3)] c
        e: f32[3] = reduce_sum[axes=(0,)] d
        f: f32[3] = reduce_max[axes=(0,)] d
        return e f
        """,
    )
    assert names(fenced(before, 3)) == [
        "mul", "add", "call_apart", "broadcast", "reduce_sum", "reduce_max"
    ]  # fmt: skip


@pytest.mark.parametrize("length, users", [(LONG + 1, 1), (LONG // 2, 4)])
def test_programs_without_such_chains_are_left_alone(length: int, users: int) -> None:
    program = chain(length, users)
    assert cut(program) is program


def test_a_product_or_a_special_function_with_several_users_ends_a_chain() -> None:
    def f(x: Any) -> Any:
        for i in range(3 * LONG):
            x = x * 1.5
            if i % (LONG // 2) == 0:
                x = np_.tanh(x)
                x = x + 2.0 * x  # two users of what is computed once
        return x.sum(), x.max()

    program = fn.trace(f)(X)
    assert cut(program) is program


def test_a_fence_begins_a_new_chain() -> None:
    def f(x: Any) -> Any:
        sums = []
        for _ in range(3 * LONG):
            x = x * 1.5
            sums.append(x.sum())
        return sums

    # The last value has one user.
    assert len(noticed(cut(fn.trace(f)(X))).findings) == 2


def test_says_where_and_why() -> None:
    after = cut(chain(LONG + 5, 3))
    (fence,) = noticed(after).findings
    assert isinstance(fence, Fence)
    assert (str(fence.type), fence.chain, fence.users) == ("f32[4,8]", LONG + 5, 3)
    assert fence.source is not None and fence.source.file == __file__
    assert f"a chain of {LONG + 5} equations has 3 users" in str(fence)


def residual(layers: int) -> Program:
    """The gradient of a network whose layers add to what they get: widths differ, so nothing repeats."""
    random = np.random.RandomState(0)
    widths = [3 + i for i in range(layers)]
    params = [
        (random.randn(8, w).astype(np.float32), random.randn(w, 8).astype(np.float32))
        for w in widths
    ]

    def loss(params: Any, x: Any) -> Any:
        for w, v in params:
            y = (x - x.mean(-1, keepdims=True)) * 1.5
            x = x + np_.tanh(y @ w) @ v
        return (x * x).sum()

    return fn.trace(fn.grad(loss))(params, X).closed()


def test_the_sum_of_residual_cotangents_is_cut_every_so_often() -> None:
    few, many = (len(noticed(cut(residual(n))).findings) for n in (2, 16))
    assert few <= 1 and 3 <= many <= 16


@pytest.mark.parametrize("seed", range(20))
def test_the_bits_stay(seed: int) -> None:
    program = generate.program(seed, size=40)
    after = check(fenced(program, 3))
    args = generate.arguments(seed)
    for a, b in zip(evaluate(program, args), evaluate(flattened(after), args), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    # What it leaves is cut enough.
    assert fenced(_copy(after), 3) is not None and len(calls(after)) <= 8


def _copy(p: Program) -> Program:
    return Program(p.inputs, p.equations, p.outputs, p.captured, p.name)


def test_once_is_enough() -> None:
    after = cut(residual(12))
    assert calls(after)
    again = _copy(after)
    assert cut(again) is again


def test_only_for_the_cpu() -> None:
    program = residual(12)
    assert calls(optimise(program, "cpu"))
    assert not calls(optimise(program, "cuda"))
