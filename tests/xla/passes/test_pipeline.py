"""All passes in a row: what is computed stays, what it takes is told, single operations are left alone."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn import nn
from fn.core import Program, ProgramError, Variable, check, evaluate
from fn.ops import neg, reshape, sin
from fn.xla import passes
from fn.xla.passes import _pipeline, optimise, pass_times
from tests.programs import equations, names

X = np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(2, 3)


def layered(params, x):
    for w in params:
        y = nn.softmax(x @ w) - x.mean(-1, keepdims=True)
        x = x + nn.gelu(y) @ w.T
    return (x**2).mean()


def recurrent(params, x):
    def step(h, w):
        h = np_.tanh(h @ w + x[0])
        return h, fn.cond(h.sum() > 0.0, lambda v: v * 2.0, lambda v: np_.sin(v), h)

    return fn.scan(step, x, np_.stack(params))[1].sum()


def bounded(params, x):
    out = fn.while_loop(
        lambda s: s[0] < 5, lambda s: (s[0] + 1, np_.tanh(s[1] @ params[0])), (0, x), max_steps=6
    )
    return out[1].sum()


def remembered(params, x):
    return layered(params, fn.checkpoint(lambda v: np_.tanh(v @ params[0]))(x))


PARAMS = [np.eye(3, dtype=np.float32) * 0.5 + 0.1 * i for i in range(3)]


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("function", [layered, recurrent, bounded, remembered])
def test_derivatives_keep_their_values(function) -> None:
    program = fn.trace(fn.value_and_grad(function))(PARAMS, X)
    args = [*PARAMS, X]
    for platform in ("cpu", "cuda"):
        after = check(optimise(program, platform))
        assert (after.in_types, after.out_types) == (program.in_types, program.out_types)
        found = evaluate(after, [*args[: len(after.inputs) - len(after.captured)]])
        for a, b in zip(evaluate(program, args), found, strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7)


def test_what_jit_compiles_went_through_it() -> None:
    def f(x):
        return neg(neg(reshape(reshape(x, shape=(6,)), shape=(2, 3))))

    text = fn.jit(f).lower(X).as_text()
    assert "stablehlo.negate" not in text and "stablehlo.reshape" not in text


def test_single_operations_are_left_alone() -> None:
    program = fn.trace(lambda x: sin(x))(X)
    assert optimise(program, "cpu") is program
    assert pass_times(program, "cpu") is None


def test_it_is_done_once_and_says_how_long_it_took() -> None:
    program = fn.trace(fn.grad(layered))(PARAMS, X)
    before = _pipeline.times.programs
    after = optimise(program, "cpu")
    assert optimise(program, "cpu") is after
    assert _pipeline.times.programs == before + 1
    took = pass_times(program, "cpu")
    assert took is not None
    assert {"simplify", "common", "dead", "hoist", "pack"} <= set(took.seconds)
    assert took.total == sum(took.seconds.values()) > 0.0
    assert took.equations == len(program.equations) > took.left == len(after.equations)


def test_platforms_have_their_own_passes() -> None:
    def f(init, xs):
        return fn.scan(lambda s, x: ([a * x - a for a in s], None), init, xs)

    program = fn.trace(f)([np.float32(i) for i in range(50)], X[0])
    loops = [
        next(e for e in optimise(program, platform).equations if e.primitive.name == "scan")
        for platform in ("cpu", "cuda")
    ]
    assert [e.params["carry"] for e in loops] == [1, 50]


def test_a_pass_that_breaks_the_law_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(program: Program) -> Program:
        return Program(program.inputs, program.equations, (Variable(program.out_types[0]),))

    monkeypatch.setattr(_pipeline, "STEPS", (_pipeline.Step(broken),))
    with pytest.raises(ProgramError, match="used before it is defined"):
        optimise(fn.trace(lambda x: sin(sin(x)))(X), "cpu")


def test_effects_are_kept_in_order(capfd: pytest.CaptureFixture[str]) -> None:
    @fn.jit
    def f(x):
        def step(c, i):
            fn.debug.print("c {}", c)
            return c + 1.0, None

        fn.debug.print("first {}", x)
        return fn.scan(step, x, np_.arange(2))[0]

    f(0.0).block_until_ready()
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()].count("c") == 2


def test_every_pass_is_public_and_takes_a_program() -> None:
    program = fn.trace(layered)(PARAMS, X)
    for step in _pipeline.STEPS:
        assert getattr(passes, step.name) is step.run
        assert isinstance(step.run(program), Program)
    assert names(program) and list(equations(program))
