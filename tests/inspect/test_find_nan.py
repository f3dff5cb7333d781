"""`fn.inspect.find_nan`: the first value that is not finite, where it is and where it comes from."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError
from fn.inspect._ranges import range_of

find = fn.inspect.find_nan


def _line(function: Any, after: int = 1) -> int:
    return int(function.__code__.co_firstlineno) + after


def _logs(x: Any) -> Any:
    return np.log(x).sum()


def test_forward() -> None:
    found = find(_logs)(onp.array([3.0, -1.0, 2.0], onp.float32))
    assert found
    assert (found.kind, found.operation, found.direction) == ("nan", "log", "forward")
    assert found.source is not None
    assert (found.source.file, found.source.line) == (__file__, _line(_logs))
    assert (found.index, found.nans, found.infs) == ((1,), 1, 0)
    assert found.reaches
    (operand,) = found.operands
    assert (operand.origin, operand.low, operand.high) == ("argument x", -1.0, 3.0)
    text = str(found)
    assert text.startswith("NaN first appears in log\n")
    assert "argument x" in text
    assert "-1 … 3" in text


def test_nothing_to_find() -> None:
    found = find(_logs)(onp.ones(3, onp.float32))
    assert not found
    assert found.kind is None
    assert str(found) == "all finite: 2 operations looked at"


def test_infinities_count_where_they_are_made() -> None:
    found = find(_logs)(onp.array([1.0, 0.0], onp.float32))
    assert (found.kind, found.operation) == ("inf", "log")
    masked = find(lambda x: np.exp(np.where(x > 0.0, x, -np.inf)).sum())
    assert not masked(onp.array([1.0, -1.0], onp.float32))
    onwards = find(lambda x: (np.where(x > 0.0, x, -np.inf) * 0.0).sum())(onp.array([1.0, -1.0]))
    assert (onwards.kind, onwards.operation) == ("nan", "mul")


def test_what_is_masked_later_is_said_not_to_arrive() -> None:
    found = find(lambda x: np.where(x > 0.0, np.log(x), 0.0))(onp.array([1.0, -1.0]))
    assert found.operation == "log"
    assert not found.reaches
    assert "do not reach the results" in str(found)


def _root(x: Any) -> Any:
    y = np.sqrt(x)  # whose derivative is infinite at zero
    return (y * y).sum()


def test_backward_names_the_forward_line() -> None:
    assert not find(_root)(onp.array([1.0, 0.0]))
    found = find(fn.grad(_root))(onp.array([1.0, 0.0], onp.float32))
    assert found
    assert found.direction in ("backward", "tangent")
    assert found.source is not None
    assert found.source.line == _line(_root)
    assert found.forward == ("sqrt(f32[2])",)
    assert "sqrt(f32[2])" in str(found)
    # A masked branch: the value is fine, its derivative is not.
    safe = find(fn.grad(lambda x: np.where(x > 0.0, np.log(x), 0.0).sum()))
    found = safe(onp.array([1.0, 0.0], onp.float32))
    assert (found.kind, found.direction) == ("nan", "backward")
    assert found.index == (1,)


def _decay(c: Any, x: Any) -> Any:
    c = c * 0.5
    return c, np.sqrt(x) + c


def _over(xs: Any) -> Any:
    return fn.scan(_decay, 1.0, xs)[1].sum()


def test_the_round_of_a_loop() -> None:
    xs = onp.ones(40, onp.float32)
    xs[17] = -1.0
    found = find(_over)(xs)
    assert found.operation == "sqrt"
    (step,) = found.steps
    assert (step.loop, step.round, step.length) == ("scan", 17, 40)
    assert step.source is not None
    assert step.source.line == _line(_over)
    assert found.source is not None
    assert found.source.line == _line(_decay, 2)
    assert found.operands[0].origin == "entry 17 of xs"
    backwards = find(lambda xs: fn.scan(_decay, 1.0, xs, reverse=True)[1].sum())(xs)
    assert backwards.steps[0].round == 17
    falling = find(lambda xs: fn.scan(lambda c, x: (c - x, np.sqrt(c)), 5.5, xs, reverse=True)[1])
    assert falling(onp.ones(10, onp.float32)).steps[0].round == 3  # the seventh, from the end


def test_while_loops_branches_and_calls() -> None:
    def f(x: Any) -> Any:
        n = fn.while_loop(
            lambda v: v[0] < 10, lambda v: (v[0] + 1, v[1] / (5.0 - v[0])), (0, x)
        )[1]  # fmt: skip
        return n

    found = find(f)(1.0)
    assert (found.kind, found.operation) == ("inf", "div")
    assert (found.steps[0].loop, found.steps[0].round, found.steps[0].length) == (
        "while_loop",
        5,
        None,
    )
    inner = fn.jit(lambda x: np.log(x))
    found = find(lambda x: fn.cond(x > 0.0, np.sin, inner, x))(-2.0)
    assert found.operation == "log"
    assert found.operands[0].origin == "argument x"
    assert found.inside[-1] == "<lambda>"


def test_rounds_of_the_backward_pass() -> None:
    xs = onp.ones(12, onp.float32)
    xs[4] = 0.0
    found = find(fn.grad(_over))(xs)
    assert found.kind == "inf"
    assert found.steps[0].round == 4
    assert found.source is not None
    assert found.source.line == _line(_decay, 2)


def test_bounded_loops_and_remat_are_looked_into() -> None:
    def f(x: Any) -> Any:
        return fn.while_loop(lambda v: v < 5.0, lambda v: np.sqrt(v - 3.0), x, max_steps=4)

    found = find(f)(3.5)
    assert found.operation == "sqrt"
    assert found.steps[0].round == 1
    kept = find(fn.grad(fn.checkpoint(lambda x: (np.sqrt(x) ** 2).sum())))(onp.array([1.0, 0.0]))
    assert kept.forward


# --- vmap -------------------------------------------------------------------------------


def test_the_entry_of_a_batch() -> None:
    x = onp.ones((6, 4), onp.float32)
    x[5, 2] = -1.0
    assert find(fn.vmap(_logs))(x).batch == (5,)
    assert find(fn.vmap(_logs, in_axes=1))(x).batch == (2,)
    assert find(fn.jit(fn.vmap(fn.grad(_root))))(onp.where(x < 0, 0.0, x)).batch == (5,)
    nested = fn.vmap(fn.vmap(_logs))
    y = onp.ones((2, 6, 4), onp.float32)
    y[1, 3, 0] = -1.0
    found = find(nested)(y)
    assert found.batch == (1, 3)
    assert found.index == (1, 3, 0)
    square = onp.ones((4, 4), onp.float32)
    square[1, 3] = -1.0
    assert find(fn.vmap(_logs, in_axes=1))(square).batch == (3,)


def test_entry_and_round_together() -> None:
    xs = onp.ones((3, 20), onp.float32)
    xs[2, 11] = -1.0
    found = find(fn.vmap(_over))(xs)
    assert found.batch == (2,)
    assert found.steps[0].round == 11


# --- arguments --------------------------------------------------------------------------


def test_arguments_to_blame() -> None:
    x = onp.array([1.0, onp.nan], onp.float32)
    found = find(lambda p: (p["w"] * 2.0).sum())({"w": x})
    assert (found.kind, found.operation, found.index) == ("nan", "argument p/w", (1,))
    assert "NaN in argument p/w" in str(found)
    assert not find(lambda x: np.nansum(x))(x)
    held = jnp.asarray([onp.nan])
    assert find(lambda y: y + held)(1.0).operation == "captured array"


def test_dtypes() -> None:
    for dtype in (onp.float16, ml_dtypes.bfloat16, onp.float32):
        assert find(_logs)(onp.asarray([1.0, -1.0], dtype)).kind == "nan"
    assert find(lambda z: (z - z) / (z - z))(onp.asarray([1 + 2j], onp.complex64)).kind == "nan"
    assert not find(lambda n: n // 2)(onp.arange(4))


def test_ranges_hold_numbers_not_arrays() -> None:
    r = range_of(onp.array([1.0, onp.nan, -onp.inf, 4.0, onp.nan], onp.float32), "here")
    assert (r.low, r.high, r.nans, r.infs) == (1.0, 4.0, 2, 1)
    assert str(r) == "1 … 4, 2 NaN, 1 inf"
    assert str(range_of(onp.array([onp.nan]), "")) == "nothing finite, 1 NaN"
    assert str(range_of(onp.zeros((0, 3)), "")) == "empty"
    assert str(range_of(onp.array([3 + 4j]), "")) == "5"
    assert str(range_of(onp.array([True, False]), "")) == "0 … 1"


def test_python_may_look_at_values() -> None:
    assert find(lambda x: np.log(x) if x < 0 else x)(-1.0).operation == "log"


def test_misuse() -> None:
    with pytest.raises(ArgumentError, match="an argument has no value"):
        find(_logs)(fn.ArrayType((3,), onp.float32))
    with pytest.raises(ArgumentError, match="an argument has no value"):
        fn.trace(lambda x: find(_logs)(x))(onp.ones(3))
    with pytest.raises(ArgumentError, match="takes other arguments"):
        find(fn.trace(_logs)(onp.ones(3, onp.float32)))()
    program = fn.trace(_logs)(onp.ones(3, onp.float32))
    assert find(program)(-onp.ones(3, onp.float32)).operands[0].origin == "argument input 0"
