"""Sharing: what is one Program is one function, and large ones are kept apart on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np

import fn
import fn.numpy as np_
from fn.core import Program, check
from fn.xla import emit
from fn.xla.passes import Shared, dead, noticed, optimise, share, thin
from tests.programs import names
from tests.xla.passes.planted import calls

X = np.ones((64, 128), np.float32)
W = np.ones((128, 128), np.float32)


def layer(w: Any, x: Any) -> Any:
    y = x - x.mean(-1, keepdims=True)
    y = y / np_.sqrt((y * y).mean(-1, keepdims=True) + 1e-5)
    return x + np_.tanh(y @ w) @ w.T


def stack(apply: Any, depth: int) -> Program:
    def f(w: Any, x: Any) -> Any:
        for _ in range(depth):
            x = apply(w, x)
        return x

    return fn.trace(f)(W, X)


def test_a_large_function_called_often_is_kept_apart() -> None:
    program = stack(fn.jit(layer), 4)
    after = check(share(program))
    assert names(program) == ["call"] * 4
    assert names(after) == ["call_apart"] * 4
    (inner,) = calls(after)
    assert noticed(after).findings == (Shared("layer", 4, len(inner.equations)),)
    text, _ = emit(after)
    assert text.count("func.func private @layer") == 1
    assert text.count('inlineable = "false"') == 4
    assert 'inlineable = "false"' not in emit(after, platform="cuda")[0]


def test_calls_stay_calls_of_one_function_whoever_takes_what() -> None:
    apply = fn.jit(lambda w, x: (layer(w, x), np_.tanh(x @ w).sum()))

    def f(w: Any, x: Any) -> Any:
        notes = []
        for _ in range(6):
            x, note = apply(w, x)
            notes.append(note)
        return x, notes

    program = share(fn.trace(f)(W, X))
    outputs = program.outputs[::2]  # every other note is taken
    fewer = Program(program.inputs, program.equations, outputs, program.captured)
    after = check(dead(fewer))
    assert list(calls(after).values()) == [6]
    # What nobody takes is not computed, what somebody takes is, in all of them.
    (inner,) = calls(thin(after))
    assert len(inner.outputs) == 2
    (inner,) = calls(thin(Program(program.inputs, program.equations, outputs[:1])))
    assert len(inner.outputs) == 1


def test_small_functions_and_few_calls_are_left_to_xla() -> None:
    twice = stack(fn.jit(layer), 2)
    assert share(twice) is twice
    small = stack(fn.jit(lambda w, x: np_.tanh(x) * 2.0 + 1.0), 4)
    assert share(small) is small


def test_forwards_and_backwards_are_one_function_each() -> None:
    apply = fn.jit(layer)

    def loss(ws: Any, x: Any) -> Any:
        for w in ws:
            x = apply(w, x)
        return (x * x).sum()

    program = fn.trace(fn.grad(loss))([W] * 6, X).closed()
    found = calls(check(optimise(program, "cpu")))
    assert sorted(found.values())[-2:] in ([5, 5], [5, 6], [6, 6])


def test_a_scan_s_body_is_one_function() -> None:
    program = fn.trace(lambda w, x: fn.scan(lambda c, _: (layer(w, c), None), x, length=5)[0])(W, X)
    text, _ = emit(optimise(program.closed(), "cpu"))
    assert text.count("stablehlo.tanh") == 1


def test_the_switch(monkeypatch: Any) -> None:
    program = stack(layer, 8)
    assert calls(optimise(program, "cpu"))
    assert not calls(optimise(program, "cpu", outlined=False))
    monkeypatch.setenv("FN_OUTLINE", "0")
    assert not calls(optimise(program, "cpu"))
    assert not calls(optimise(stack(layer, 9), "cpu"))
