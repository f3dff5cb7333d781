"""Common subexpressions: found by primitive, parameters and inputs, and left where they are on purpose."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.xla.passes import common
from tests.programs import names
from tests.xla.passes.text import becomes, parsed

X = "a: f32[3]"


def test_computes_each_value_once() -> None:
    becomes(
        common, X,
        """
        b: f32[3] = sin a
        c: f32[3] = sin a
        d: f32[3] = add b 1.0:f32[]
        e: f32[3] = add c 1.0:f32[]
        f: f32[3] = mul d e
        return f c
        """,
        """
        b: f32[3] = sin a
        c: f32[3] = add b 1.0:f32[]
        d: f32[3] = mul c c
        return d b
        """,
    )  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        "b: f32[3] = reverse[axes=(0,)] a\nc: f32[3] = reverse[axes=()] a\nreturn b c",
        "b: f32[3] = add a 0.0:f32[]\nc: f32[3] = add a -0.0:f32[]\nreturn b c",
        "b: f32[3] = mul a 1.0:f32[]\nc: f32[3] = mul a 1.0:~f32[]\nreturn b c",
        "b: f32[4] = pad[high=(1,), interior=(0,), low=(0,), value=0.0] a\n"
        "c: f32[4] = pad[high=(1,), interior=(0,), low=(0,), value=-0.0] a\nreturn b c",
        "b: f32[3] = optimization_barrier a\nc: f32[3] = optimization_barrier a\nreturn b c",
    ],
)
def test_keeps_what_differs(lines: str) -> None:
    program = parsed(X, lines)
    assert common(program) is program


def test_keeps_the_line_of_the_first() -> None:
    def f(x):
        y = np_.sin(x)
        return y + np_.sin(x)

    before = fn.trace(f)(np.ones(3, np.float32))
    after = common(before)
    assert names(after) == ["sin", "add"]
    assert after.equations[0].source.line == before.equations[0].source.line
    assert after.equations[0].source.line != before.equations[1].source.line


def test_effects_happen_as_often_as_they_did() -> None:
    def f(x):
        fn.debug.print("x {}", x)
        fn.debug.print("x {}", x)
        return x * 2.0

    assert len(common(fn.trace(f)(1.0)).equations) == 3


def test_what_is_computed_again_on_purpose_stays() -> None:
    grads = fn.trace(fn.grad(lambda x: fn.checkpoint(lambda y: np_.sin(np_.sin(y)))(x).sum()))
    program = grads(np.ones(3, np.float32))
    assert names(common(program)).count("remat") == names(program).count("remat")


def test_random_bits_of_one_key_are_drawn_once() -> None:
    def f(key):
        return fn.random.normal(key, (3,)) + fn.random.normal(key, (3,))

    program = fn.trace(f)(fn.random.key(0))
    assert names(program).count("random_bits") == 2
    assert names(common(program)).count("random_bits") == 1


def test_inside_of_programs_that_are_shared() -> None:
    f = fn.jit(lambda x: np_.sin(x) * np_.sin(x))
    after = common(fn.trace(lambda x: f(f(x)))(np.ones(3, np.float32)))
    first, second = (e.params["program"] for e in after.equations)
    assert first is second
    assert names(first) == ["sin", "mul"]
