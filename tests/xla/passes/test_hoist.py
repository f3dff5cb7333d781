"""Loop-invariant code: what moves out of loops, and what stays."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import Program, check, evaluate
from fn.xla.passes import hoist, simplify
from tests.programs import equations, names

pytestmark = pytest.mark.usefixtures("plain")
X = np.array([1.0, 2.0, 3.0], np.float32)
W = np.arange(9, dtype=np.float32).reshape(3, 3)


def body(program: Program, name: str = "program", at: str = "scan") -> Program:
    (loop,) = [e for e in program.equations if e.primitive.name == at]
    return loop.params[name]


def test_before_and_after() -> None:
    def f(w, x):
        return fn.scan(lambda c, y: (c * np_.sin(w) + y, None), x, None if x is None else W)[0]

    before = fn.trace(f)(X, X)
    after = check(hoist(before))
    assert str(before).replace("@step", "@_lambda_") == BEFORE
    assert str(after) == AFTER


BEFORE = """\
program @_lambda_(a: f32[3], b: f32[3], c: f32[3]) {
  d: f32[3] = sin a
  e: f32[3] = mul b d
  f: f32[3] = add e c
  return f
}
program @f(a: f32[3], b: f32[3]; c: f32[3,3]) {
  d: f32[3] = scan[carry=1, consts=1, length=3, program=@_lambda_, reverse=False, unroll=1] a b c
  return d
}"""
AFTER = """\
program @_lambda_(a: f32[3], b: f32[3], c: f32[3], d: f32[3]) {
  e: f32[3] = mul c b
  f: f32[3] = add e d
  return f
}
program @f(a: f32[3], b: f32[3]; c: f32[3,3]) {
  d: f32[3] = sin a
  e: f32[3] = scan[carry=1, consts=2, length=3, program=@_lambda_, reverse=False, unroll=1] a d b c
  return e
}"""


def test_both_programs_of_a_while() -> None:
    def f(w, n, x):
        return fn.while_loop(lambda c: c.sum() < n * n, lambda c: c + np_.exp(w), x)

    program = fn.trace(f)(X, 3.0, X)
    after = check(hoist(program))
    assert names(after) == ["exp", "mul", "while_loop"]
    assert names(body(after, "body", "while_loop")) == ["add"]
    assert names(body(after, "cond", "while_loop")) == ["reduce_sum", "lt"]
    np.testing.assert_array_equal(*[evaluate(p, [X, 3.0, X])[0] for p in (program, after)])


def test_out_of_loops_in_loops() -> None:
    def inner(w, c):
        return fn.scan(lambda d, _: (d * np_.cos(w), None), c, None, length=2)[0]

    program = fn.trace(lambda w, x: fn.scan(lambda c, _: (inner(w, c), None), x, None, length=2)[0])
    after = check(hoist(program(X, X)))
    assert names(after) == ["cos", "scan"]
    assert names(body(after)) == ["scan"]


def test_out_of_the_transposed_loop() -> None:
    def f(w, x):
        return fn.scan(lambda c, _: (np_.tanh(w) * c, None), x, None, length=3)[0].sum()

    after = check(hoist(simplify(fn.trace(fn.grad(f, (0, 1)))(X, X))))
    loops = [e for e in after.equations if e.primitive.name == "scan"]
    assert len(loops) == 2
    assert all("tanh" not in names(e.params["program"]) for e in loops)


@pytest.mark.parametrize(
    "step",
    [
        lambda w, c: c + np_.broadcast_to(w.sum(), (3,)),  # spreading is free where it is used
        lambda w, c: (
            c + (np_.outer(w, np_.ones(999)) * c[0]).sum()
        ),  # much larger than what it is made of
    ],
)
def test_large_values_stay_inside(step) -> None:
    program = fn.trace(lambda w, x: fn.scan(lambda c, _: (step(w, c), None), x, None, length=3)[0])(
        X, X
    )
    after = check(hoist(program))
    moved = [e for e in after.equations if e.primitive.name != "scan"]
    assert all(v.type.size <= 9 for e in moved for v in e.outputs)


def test_what_may_not_end_or_has_an_effect_stays_inside() -> None:
    def endless(w):
        return fn.while_loop(lambda c: c < 5.0, lambda c: c + w, w)

    def f(w, x):
        def step(c, _):
            fn.debug.print("w {}", w)
            return c + endless(w), None

        return fn.scan(step, x, None, length=3)[0]

    program = fn.trace(f)(2.0, 1.0)
    assert names(body(hoist(program))) == names(body(program))


def test_a_loop_of_no_steps_gives_what_it_gave() -> None:
    program = fn.trace(lambda w, x: fn.while_loop(lambda c: c < 0.0, lambda c: c / w, x))(0.0, 1.0)
    after = hoist(program)
    assert len([*equations(after)]) == len([*equations(program)])
    np.testing.assert_array_equal(evaluate(after, [0.0, 1.0])[0], 1.0)
