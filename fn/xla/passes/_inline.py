"""Calls that share nothing: a Program called from one place, or hardly longer than its call, is put there."""

from __future__ import annotations

from collections import Counter

from fn.core import Equation, Program
from fn.xla.passes._walk import Builder, with_subprograms

_TINY = 1
"""Programs of at most so many equations are put wherever they are called: a call is no shorter."""


def inline(program: Program) -> Program:
    """`program` without calls of Programs that are called once or are tiny.

    XLA would do that as well, but only here do the passes see what is computed on both sides. Functions
    with a custom rule or under `checkpoint` are calls once they are differentiated; what computes again
    behind a barrier is not one.
    """
    found: Program | None = program.cache.get("inline")
    if found is None:
        counts = _call_counts(program)
        done: dict[int, Program] = {}

        def change(p: Program) -> Program:
            if id(p) not in done:
                done[id(p)] = _inlined(with_subprograms(p, change), counts)
                counts[done[id(p)]] = counts[p]
            return done[id(p)]

        found = program.cache["inline"] = change(program)
    return found


def callee(equation: Equation) -> Program | None:
    """The Program that `equation` does nothing but apply, if it is such an equation."""
    name, params = equation.primitive.name, equation.params
    if name in ("call", "custom") or (name == "remat" and not params["deferred"]):
        program: Program = params["program"]
        return program
    return None


def _call_counts(program: Program) -> Counter[Program]:
    """From how many places each Program inside `program` is called."""
    counts: Counter[Program] = Counter()
    seen: set[int] = set()
    todo = [program]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for equation in current.equations:
            if equation.primitive.multiple:  # whatever carries Programs returns a tuple
                called = callee(equation)
                if called is not None:
                    counts[called] += 1
                todo += Program((), (equation,), ()).subprograms()
    return counts


def _inlined(program: Program, counts: Counter[Program]) -> Program:
    found = {}
    for index, equation in enumerate(program.equations):
        called = callee(equation) if equation.primitive.multiple else None
        if called is not None and (counts[called] == 1 or _is_tiny(called)):
            found[index] = called
    if not found:
        return program
    builder = Builder()
    for index, equation in enumerate(program.equations):
        if index in found:
            inputs = [builder.at(a) for a in equation.inputs]
            builder.replace(equation.outputs, builder.splice(found[index], inputs, equation.source))
        else:
            builder.keep(equation)
    return builder.program(program)


def _is_tiny(program: Program) -> bool:
    return len(program.equations) <= _TINY and not any(
        e.primitive.multiple for e in program.equations
    )
