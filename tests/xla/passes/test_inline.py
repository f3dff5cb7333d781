"""Calls: inlined where nothing is shared, kept where something is."""

from __future__ import annotations

import numpy as np

import fn
import fn.numpy as np_
from fn.xla.passes import inline
from tests.programs import names

X = np.ones(3, np.float32)


def longer(x):
    for _ in range(6):
        x = np_.sin(x)
    return x


def test_a_program_called_once_is_put_in_place() -> None:
    program = fn.trace(lambda x: fn.jit(lambda y: fn.jit(longer)(y) * y)(x) + 1.0)(X)
    after = inline(program)
    assert str(after) == str(fn.trace(lambda x: longer(x) * x + 1.0)(X))


def test_a_program_called_twice_stays_one() -> None:
    f = fn.jit(longer)
    program = fn.trace(lambda x: f(f(x)))(X)
    assert inline(program) is program


def test_a_tiny_one_does_not() -> None:
    f = fn.jit(lambda x: (np_.sin(x), x))
    assert names(inline(fn.trace(lambda x: f(f(x)[0]))(X))) == ["sin", "sin"]


def test_called_once_in_a_shared_one() -> None:
    inner = fn.jit(longer)
    outer = fn.jit(lambda x: longer(inner(x)))
    after = inline(fn.trace(lambda x: outer(outer(x)))(X))
    first, second = (e.params["program"] for e in after.equations)
    assert first is second
    assert names(first) == ["sin"] * 12


def test_functions_with_rules_are_calls_by_now() -> None:
    f = fn.custom_jvp(longer)
    f.defjvp(lambda xs, ts: (longer(*xs), ts[0]))
    program = fn.trace(fn.value_and_grad(lambda x: f(fn.checkpoint(longer)(x)).sum()))(X)
    found = names(inline(program))
    assert "custom" not in found
    assert found.count("remat") == 1, "what is computed again stays behind its barrier"


def test_weak_arguments() -> None:
    f = fn.jit(lambda x: longer(x) * x)
    after = inline(fn.trace(lambda x: f(x))(2.0))
    assert after.out_types == fn.trace(lambda x: f(x))(2.0).out_types
