"""Packing: lanes are found, and each keeps its bits."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import Program, check, evaluate
from fn.xla.passes import _pack, common, dead, hoist, pack, simplify
from tests.programs import names
from tests.xla.passes.test_properties import same_bits

pytestmark = pytest.mark.usefixtures("plain", "small_too")
N, T = 8, 5
RANDOM = np.random.RandomState(0)
INIT = [np.float32(v) for v in RANDOM.rand(N)]
RATE = [np.float32(v) for v in RANDOM.rand(N)]
XS = RANDOM.rand(T).astype(np.float32)


@pytest.fixture
def small_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops of a few values are packed as well, so that their texts fit a screen."""
    monkeypatch.setattr(_pack, "_FEW", 0)


def test_a_loop_of_a_few_values_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    program = fn.trace(lambda *args: chain(*args)[0])(INIT, RATE, XS)
    assert pack(program) is program


def loops(program: Program) -> list:
    return [e for e in program.equations if e.primitive.name == "scan"]


def run(function, *args, exact=True):
    """The Program, through the passes before this one, and packed. Both give the same."""
    traced = fn.trace(function)(*args)
    before = hoist(dead(common(simplify(traced))))
    after = check(pack(before))
    leaves = [a for arg in args for a in (arg if isinstance(arg, (list, tuple)) else [arg])]
    for a, b in zip(evaluate(before, leaves), evaluate(after, leaves), strict=True):
        if exact:
            same_bits(b, a)
        else:
            np.testing.assert_allclose(b, a, rtol=1e-6)
    return before, after


def test_before_and_after() -> None:
    def f(init, rate, xs):
        return fn.scan(lambda s, x: ([a + k * (x - a) for a, k in zip(s, rate)], None), init, xs)[0]

    _, after = run(f, INIT[:4], RATE[:4], XS)
    (loop,) = loops(after)
    assert str(loop.params["program"]) == AFTER


AFTER = """\
program @_lambda_(a: f32[4], b: f32[4], c: f32[]) {
  d: f32[4] = sub c b
  e: f32[4] = mul a d
  f: f32[4] = add b e
  return f
}"""


def chain(init, rate, xs):
    """Each place follows the one before it."""

    def step(s, x):
        new = [a + k * (np_.tanh(b) - a) for a, b, k in zip(s, [x, *s[:-1]], rate)]
        return new, new[-1]

    return fn.scan(step, init, xs)


def test_neighbours_are_a_slice() -> None:
    before, after = run(chain, INIT, RATE, XS)
    (loop,) = loops(after)
    assert loop.params["carry"] == 1
    assert loop.params["program"].in_types[1].shape == (N,)
    assert (
        len(loop.params["program"].equations)
        < len(loops(before)[0].params["program"].equations) / 2
    )


def test_the_gradient_reads_the_arrays_that_were_written() -> None:
    def loss(init, rate, xs):
        last, ys = chain(init, rate, xs)
        return (ys**2).sum() + sum(v * v for v in last)

    before, after = run(fn.grad(loss, (0, 1)), INIT, RATE, XS, exact=False)
    forward, backward = loops(after)
    stacks = [v for v in forward.outputs if v.type.shape == (T, N)]
    assert stacks and set(stacks) <= set(backward.inputs)
    assert backward.params["carry"] <= 3
    assert len(after.equations) < 12 * N


def test_states_of_several_kinds() -> None:
    def f(m, h, xs):
        def step(s, x):
            m, h = s
            new = [a + 0.5 * (x * b - a) for a, b in zip(m, h)]
            return (new, [b * a - np_.exp(b) * 0.25 for a, b in zip(m, h)]), sum(new)

        return fn.scan(step, (m, h), xs)

    _, after = run(f, INIT, RATE, XS, exact=False)  # XLA contracts `a * b - c` as it likes
    (loop,) = loops(after)
    assert loop.params["carry"] == 2


def test_small_arrays_are_lanes_too() -> None:
    init = [RANDOM.rand(3).astype(np.float32) for _ in range(5)]

    def f(init, xs):
        return fn.scan(lambda s, x: ([np_.sin(a) * x - a for a in s], s[0]), init, xs)

    _, after = run(f, init, XS)
    (loop,) = loops(after)
    assert loop.params["program"].in_types[0].shape == (5, 3)


def test_entries_and_results_of_each_lane() -> None:
    columns = [RANDOM.rand(T).astype(np.float32) for _ in range(6)]

    def f(columns):
        return fn.scan(lambda s, xs: ([a + x for a, x in zip(s, xs)], [x * 2.0 for x in xs]),
                       [np.float32(0.0)] * 6, columns, reverse=True)  # fmt: skip

    _, after = run(f, columns)
    (loop,) = loops(after)
    assert [v.type.shape for v in loop.outputs] == [(6,), (T, 6)]


def test_a_delay_line() -> None:
    _, after = run(lambda init, xs: fn.scan(lambda s, x: ([x, *s[:-1]], s[-1]), init, xs), INIT, XS)
    assert len(loops(after)) == 1


def test_lanes_in_another_order() -> None:
    def f(init, xs):
        return fn.scan(
            lambda s, x: ([np_.sin(a) * x + a * 0.5 for a in (s[1], s[0], *s[2:])], None), init, xs
        )

    before, after = run(f, INIT, XS)
    assert after is not before


def test_lanes_with_different_numbers_in_them() -> None:
    def f(init, xs):
        return fn.scan(
            lambda s, x: ([a * (0.1 * i + 0.1) + x for i, a in enumerate(s)], None), init, xs
        )

    _, after = run(f, INIT, XS)
    (loop,) = loops(after)
    assert (
        names(loop.params["program"]) == ["mul", "broadcast", "add"]
        or len(loop.params["program"].equations) <= 3
    )


def each_waits_for_the_one_before(init, xs):
    def step(s, x):
        new = []
        for a in s:
            x = np_.sin(a + x)
            new.append(x)
        return new, None

    return fn.scan(step, init, xs)


def different(init, xs):
    ops = [np_.sin, np_.cos, np_.tanh, np_.exp, np_.log1p, np_.sqrt, np_.arctan, np_.square]
    return fn.scan(lambda s, x: ([op(a * x) for op, a in zip(ops, s)], None), init, xs)


def few(init, xs):
    return fn.scan(lambda s, x: ([a * x + 1.0 for a in s], None), init[:3], xs)


@pytest.mark.parametrize("function", [each_waits_for_the_one_before, different, few])
def test_left_alone(function) -> None:
    before, after = run(function, INIT, XS)
    assert after is before


def test_effects_keep_their_loop_as_it_is() -> None:
    def f(init, xs):
        def step(s, x):
            fn.debug.print("x {}", x)
            return [a * x - a for a in s], None

        return fn.scan(step, init, xs)[0]

    program = fn.trace(f)(INIT, XS)
    assert pack(program) is program


def test_shared_loops_stay_shared() -> None:
    f = fn.jit(lambda init, xs: chain(init, RATE, xs)[0])
    program = fn.trace(lambda init, xs: f(f(init, xs), xs))(INIT, XS)
    first, second = (e.params["program"] for e in pack(program).equations)
    assert first is second
    assert len(loops(first)) == 1 and loops(first)[0].params["carry"] == 1
