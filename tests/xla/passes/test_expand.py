"""Equations that stand for a Program become calls of it."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import check, evaluate
from fn.xla.passes import expand
from tests.programs import equations

pytestmark = pytest.mark.usefixtures("plain")
DEFERRED = {
    "bounded_while", "custom_linear", "linear_solve", "reversible", "switch_lanes", "while_adjoint",
    "while_tangent",
}  # fmt: skip
X = np.array([1.0, 2.0, 3.0], np.float32)


def both(function, *args):
    program = fn.trace(function)(*args)
    assert DEFERRED & {e.primitive.name for e in equations(program)}
    after = check(expand(program))
    assert not DEFERRED & {e.primitive.name for e in equations(after)}
    assert after.out_types == program.out_types
    for a, b in zip(evaluate(program, args), evaluate(after, args), strict=True):
        np.testing.assert_array_equal(a, b)


def loop(x):
    return fn.while_loop(lambda y: y < 20.0, lambda y: y * (x + 1.0), x, max_steps=7, checkpoints=2)


def test_bounded_loops_and_their_derivatives() -> None:
    both(fn.value_and_grad(loop), np.float32(1.5))
    both(lambda x: fn.jvp(loop, (x,), (x,)), np.float32(1.5))


def test_switches_by_lanes() -> None:
    both(fn.vmap(lambda x: fn.cond(x > 1.5, lambda y: np_.sin(y), lambda y: y * 2.0, x)), X)


def test_linear_solves() -> None:
    def f(b):
        return fn.custom_linear_solve(lambda x: x * 2.0, b, lambda _, b: b / 2.0, symmetric=True)

    both(fn.grad(lambda b: f(b).sum()), X)


def test_a_program_without_them_is_returned_as_it_is() -> None:
    program = fn.trace(lambda x: fn.scan(lambda c, _: (c * x, None), x, None, length=2))(2.0)
    assert expand(program) is program
