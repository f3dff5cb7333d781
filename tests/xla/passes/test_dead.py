"""Dead code inside the Programs that equations run."""

from __future__ import annotations

import numpy as np

import fn
import fn.numpy as np_
from fn.control import call
from fn.xla.passes import dead
from tests.programs import names
from tests.xla.passes.text import becomes, parsed

X = np.ones(3, np.float32)


def test_removes_what_no_output_needs() -> None:
    becomes(
        dead, "a: f32[3], b: f32[3]",
        """
        c: f32[3] = sin a
        d: f32[3] = mul c b
        e: f32[3] = cos c
        return e
        """,
        """
        c: f32[3] = sin a
        d: f32[3] = cos c
        return d
        """,
    )  # fmt: skip


def test_unused_results_of_calls_and_loops() -> None:
    pair = fn.jit(lambda x: (np_.sin(x), np_.cos(x)))

    def f(x):
        (_, c), ys = fn.scan(lambda s, _: ((s[0] + 1.0, s[1] * 2.0), s[0]), (x, x), None, length=3)
        return pair(c)[1]

    after = dead(fn.trace(f)(X))
    loop, called = after.equations
    assert (loop.primitive.name, len(loop.outputs)) == ("scan", 1)
    assert names(loop.params["program"]) == ["mul"]
    assert names(called.params["program"]) == ["cos"]


def test_inside_of_programs() -> None:
    inner = parsed("a: f32[3]", "b: f32[3] = cos a\nc: f32[3] = sin a\nreturn c")
    after = dead(fn.trace(lambda x: call(inner, call(inner, x)[0])[0])(X))
    first, second = (e.params["program"] for e in after.equations)
    assert first is second
    assert names(first) == ["sin"]


def test_effects_stay() -> None:
    def f(x):
        fn.debug.print("x {}", np_.sin(x))
        np_.cos(x)
        return x

    after = dead(fn.trace(f)(1.0))
    assert len(after.equations) == 2
    assert after.equations[0].primitive.name == "sin"
