"""Products taken for all steps at once."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import Program, check, evaluate
from fn.xla.passes import common, dead, hoist, products, simplify
from tests.programs import names

pytestmark = pytest.mark.usefixtures("plain")
T, B, N, M = 40, 2, 16, 16
RANDOM = np.random.RandomState(0)


def whole(*shape: int) -> np.ndarray:
    return RANDOM.randint(-2, 3, shape).astype(np.float32)


XS, H, W, U = whole(T, B, N), whole(B, M), whole(N, M), whole(M, M)


def loops(program: Program) -> list[Program]:
    return [e.params["program"] for e in program.equations if e.primitive.name == "scan"]


def run(function, *args):
    """The Program before and after, which agree to the last bit: sums of small whole numbers are exact."""
    before = simplify(fn.trace(function)(*args))
    after = check(products(before))
    for a, b in zip(evaluate(before, args), evaluate(after, args), strict=True):
        np.testing.assert_array_equal(a, b)
    return before, after


def test_before_and_after() -> None:
    def f(w, xs, h):
        return fn.scan(lambda c, x: (c - x @ w, None), h, xs)[0]

    before, after = run(f, W, XS, H)
    assert str(before) == BEFORE
    assert str(dead(after)) == AFTER


BEFORE = """\
program @_lambda_(a: f32[16,16], b: f32[2,16], c: f32[2,16]) {
  d: f32[2,16] = dot_general[batch=((), ()), contract=((1,), (0,)), precision=None, preferred=None] c a
  e: f32[2,16] = sub b d
  return e
}
program @f(a: f32[16,16], b: f32[40,2,16], c: f32[2,16]) {
  d: f32[2,16] = scan[carry=1, consts=1, length=40, program=@_lambda_, reverse=False, unroll=1] a c b
  return d
}"""
AFTER = """\
program @_lambda_(a: f32[16,16], b: f32[2,16], c: f32[2,16], d: f32[2,16]) {
  e: f32[2,16] = sub b d
  return e
}
program @f(a: f32[16,16], b: f32[40,2,16], c: f32[2,16]) {
  d: f32[40,2,16] = dot_general[batch=((), ()), contract=((2,), (0,)), precision=None, preferred=None] b a
  e: f32[2,16] = scan[carry=1, consts=1, length=40, program=@_lambda_, reverse=False, unroll=1] a c b d
  return e
}"""


def test_a_sum_of_products_is_one_product() -> None:
    def f(xs, ys, s):
        return fn.scan(lambda c, p: (c + p[0].T @ p[1], None), s, (xs, ys))[0]

    _, after = run(f, XS, whole(T, B, M), whole(N, M))
    assert loops(after) == []
    assert names(after).count("dot_general") == 1


def test_a_sum_of_products_along_other_axes() -> None:
    def f(xs, ys, s):
        return fn.scan(lambda c, p: (p[0] @ p[1].T + c, None), s, (xs, ys))[0]

    _, after = run(f, whole(T, N, 3), whole(T, M, 3), whole(N, M))
    assert loops(after) == []


def test_part_of_a_sum() -> None:
    def used(xs, ys, s):
        return fn.scan(lambda c, p: (c + p[0].T @ p[1] * c.max(), None), s, (xs, ys))[0]

    def mixed(xs, ys, s):
        return fn.scan(lambda c, p: (c + (p[0].T @ p[1] + p[0].T * p[1]), None), s, (xs, ys))[0]

    def read(xs, ys, s):
        return fn.scan(lambda c, p: (c + p[0].T @ p[1], c[0]), s, (xs, ys))

    args = XS, whole(T, B, M), whole(N, M)
    run(read, *args)
    before, after = run(used, *args)  # the sum so far is used in a step: nothing moves
    assert after is before
    _, after = run(mixed, whole(T, M, N), whole(T, M, N), whole(N, M))
    assert names(loops(after)[0]) == ["transpose", "mul", "add"]


def test_results_no_step_needs() -> None:
    def f(u, xs, h):
        return fn.scan(lambda c, x: (c * 0.0 + x, np_.maximum(c @ u, 0.0) * 2.0), h, xs)

    _, after = run(f, U, whole(T, B, M), H)
    assert "dot_general" not in names(loops(after)[0])


def test_the_gradient_of_a_recurrent_network() -> None:
    def f(w, u, h, xs):
        def step(c, x):
            c = np_.maximum(x @ w + c @ u, 0.0)
            c = np_.minimum(c, 2.0)
            return c, c

        return fn.scan(step, h, xs)[1].sum()

    program = fn.trace(fn.grad(f, (0, 1, 3)))(W, U, H, XS)
    after = check(products(hoist(dead(common(simplify(program))))))
    forward, backward = loops(after)
    assert names(forward).count("dot_general") == 1  # c @ u: each step waits for the one before
    assert names(backward).count("dot_general") == 1  # and so does its cotangent
    for a, b in zip(*[evaluate(p, [W, U, H, XS]) for p in (program, after)], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("reverse", [False, True])
def test_backwards(reverse: bool) -> None:
    def f(w, xs, h):
        return fn.scan(lambda c, x: (x @ w - c, c), h, xs, reverse=reverse)

    run(f, W, XS, H)


def test_effects_keep_their_loop_as_it_is() -> None:
    def f(w, xs, h):
        def step(c, x):
            fn.debug.print("x {}", x[0, 0])
            return c - x @ w, None

        return fn.scan(step, h, xs)[0]

    program = simplify(fn.trace(f)(W, XS, H))
    assert products(program) is program


def test_small_products_and_long_sums_stay() -> None:
    def small(w, xs, h):
        return fn.scan(lambda c, x: (c + x @ w, None), h, xs)[0]

    def long(xs, s):
        return fn.scan(lambda c, x: (c + x.T @ x, None), s, xs)[0]

    for f, args in (
        (small, (W[:2, :2], XS[:3, :, :2], H[:, :2])),
        (long, (whole(3, 300, 8), whole(8, 8))),
    ):
        program = simplify(fn.trace(f)(*args))
        assert products(program) is program


def test_stacks_are_not_made_much_larger_than_they_are() -> None:
    def f(w, xs, h):
        return fn.scan(lambda c, x: (c + (x @ w).sum(), None), h, xs)[0]

    program = fn.trace(f)(np.ones((2, 100_000), np.float32), np.ones((900, 1, 2), np.float32), 0.0)
    assert products(program) is program
