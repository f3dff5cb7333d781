"""Programs in which something repeats, made at random and written as layers; and reading them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

import fn
from fn.core import Equation, Literal, Program, Trace, check, dce, evaluate, recording
from fn.ops import add, dot_general, maximum, mul
from fn.xla.passes._outline import Rule
from fn.xla.passes._walk import Builder
from tests.xla.passes.generate import F32, Generator

ANY = Rule(places=2, saved=4, work=0.0, border=float("inf"), any=True)
"""Every repeat pays."""
SQUARE = Literal(F32.type(0)).type.with_shape((2, 3))


def flattened(program: Program) -> Program:
    """`program` with what is called apart in its place, to be evaluated operation by operation."""
    builder = Builder()
    for equation in program.equations:
        if equation.primitive.name == "call_apart":
            inner = flattened(equation.params["program"])
            inputs = [builder.at(a) for a in equation.inputs]
            builder.replace(equation.outputs, builder.splice(inner, inputs))
        else:
            builder.keep(equation)
    return builder.program(program)


def calls(program: Program) -> Counter[Program]:
    """How often `program` calls each Program that is kept apart."""
    called = [e.params["program"] for e in program.equations if e.primitive.name == "call_apart"]
    return Counter(called)


def planted(seed: int, copies: int, size: int = 12, noise: float = 0.3) -> Program:
    """A random motif, applied again and again to its own results and to other weights, noise between."""
    random = np.random.RandomState(seed)
    trace = Trace("planted")
    with recording(trace):
        generator = Generator(seed, False)
        motif = _motif(seed, size)
        state: list[Any] = [trace.input(SQUARE), trace.input(SQUARE)]
        generator.pool = list(state)
        outs = []
        for _ in range(copies):
            weight = trace.input(SQUARE)
            generator.pool.append(weight)
            found = evaluate(motif, [*state, weight])
            state = [v if isinstance(v, fn.Tracer) else weight for v in found]
            if random.rand() < noise:
                generator.step()
            if random.rand() < noise:
                outs.append(state[random.randint(2)])
        return check(dce(trace.finish([*state, *outs, generator.pool[-1]], "planted")))


def rewired(program: Program, seed: int, times: int = 4) -> Program:
    """`program` with a few operands replaced by earlier values of the same type."""
    random = np.random.RandomState(seed)
    equations = list(program.equations)
    for index in random.choice(len(equations), times):
        equation = equations[index]
        earlier = [*program.inputs, *[v for e in equations[:index] for v in e.outputs]]
        inputs = list(equation.inputs)
        at = random.randint(len(inputs))
        fitting = [v for v in earlier if v.type is inputs[at].type]
        if fitting:
            inputs[at] = fitting[random.randint(len(fitting))]
            equations[index] = Equation(
                equation.primitive, tuple(inputs), equation.outputs, equation.params,
                equation.source,
            )  # fmt: skip
    return check(dce(Program(program.inputs, tuple(equations), program.outputs)))


def _motif(seed: int, size: int) -> Program:
    """`(x, y, weight) -> (x, y)`, which uses all it computes in the type of `x`."""
    trace = Trace("motif")
    with recording(trace):
        generator = Generator(seed, False)
        x, y, weight = generator.pool = [trace.input(SQUARE) for _ in range(3)]
        for _ in range(size):
            generator.step()
        found = [v for v in generator.pool if v.type is SQUARE]
        total = mul(x, 0.5)
        for value in found[1:]:
            total = maximum(add(total, value), weight)
        return check(dce(trace.finish([total, add(found[-1], y)], "motif")))


def arguments(program: Program, seed: int) -> list[Any]:
    """Something for each input."""
    random = np.random.RandomState(seed)
    return [random.randn(*t.shape).astype(t.dtype) for t in program.in_types]


def mlp(layers: int, width: int = 8, batch: int = 4) -> Any:
    """`(step, arguments)`: a training step of a network of equal layers, written as a Python loop."""
    random = np.random.RandomState(0)
    params = [
        (random.randn(width, width).astype(np.float32), random.randn(width).astype(np.float32))
        for _ in range(layers)
    ]

    def loss(params: Any, x: Any) -> Any:
        for w, b in params:
            x = maximum(dot_general(x, w, contract=((1,), (0,))) + b, 0.0)
        return (x * x).sum()

    def step(params: Any, moments: Any, x: Any) -> Any:
        grads = fn.grad(loss)(params, x)
        moments = [
            tuple(add(mul(m, 0.9), mul(g, 0.1)) for m, g in zip(ms, gs))
            for ms, gs in zip(moments, grads)
        ]
        params = [tuple(p - 0.01 * m for p, m in zip(ps, ms)) for ps, ms in zip(params, moments)]
        return params, moments

    return step, (params, params, random.randn(batch, width).astype(np.float32))
