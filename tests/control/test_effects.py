"""Order: the calls a compiled program makes are those Python would make, in the same order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.control import in_order, quiet, without
from fn.core import MissingRuleError, check
from tests.programs import equations, names

X = onp.arange(4, dtype="f4")
_log: list[tuple[str, float]] = []


def _note(x: Any, word: str) -> Any:
    time.sleep(random.random() * 1e-3)  # whoever comes second must have waited
    _log.append((word, float(x)))


def note(x: Any, word: str) -> None:
    fn.io_callback(_note, None, x, word, ordered=True)


def order(f: Callable[..., Any], *args: Any) -> list[tuple[str, float]]:
    _log.clear()
    f(*args)
    fn.effects_barrier()
    return list(_log)


# --- programs, and the same in plain Python ---------------------------------------------


def straight(x: Any) -> Any:
    for i in range(4):
        note(x * i, "s")
    return x


def loops(x: Any) -> Any:
    def body(c: Any, t: Any) -> Any:
        note(t, "in")

        def other(c: Any) -> Any:
            note(c, "first")
            note(c + 1.0, "second")
            return c

        def taken(c: Any) -> Any:
            note(c, "taken")
            return c + 1.0

        return fn.cond(t > 1.0, taken, other, c), None

    note(x, "before")
    x = fn.scan(body, x, X)[0]
    note(x, "after")
    return x


def loops_in_python(x: float) -> list[tuple[str, float]]:
    found = [("before", x)]
    for t in X:
        found.append(("in", t))
        if t > 1:
            found.append(("taken", x))
            x += 1
        else:
            found += [("first", x), ("second", x + 1)]
    return [*found, ("after", x)]


def conditions(x: Any) -> Any:
    def test(s: Any) -> Any:
        note(s, "test")
        return s < 20.0

    def step(s: Any) -> Any:
        note(s, "step")
        return s * 2.0

    return fn.while_loop(test, step, x)


def conditions_in_python(x: float) -> list[tuple[str, float]]:
    found = [("test", x)]
    while x < 20:
        found += [("step", x), ("test", x * 2)]
        x *= 2
    return found


def nested(x: Any) -> Any:
    note(x, "outer")
    fn.jit(straight)(x)
    y = fn.checkpoint(lambda x: (note(x, "remat"), np.sin(x))[1])(x)
    z = fn.custom(lambda x: (note(x, "custom"), x)[1])(x)
    fn.scan(lambda c, _: (c, fn.scan(lambda d, t: (d, note(t, "t")), 0.0, X[:2])[1]), x, None, 2)
    note(x, "end")
    return y + z


NESTED = [("outer", 1.0), *[("s", float(i)) for i in range(4)], ("remat", 1.0), ("custom", 1.0)]
NESTED += [("t", 0.0), ("t", 1.0)] * 2 + [("end", 1.0)]
PROGRAMS = {
    "straight": (straight, [("s", float(i)) for i in range(4)]),
    "loops": (loops, loops_in_python(1.0)),
    "conditions": (conditions, conditions_in_python(1.0)),
    "nested": (nested, NESTED),
}
WRAPS: dict[str, Callable[[Any], Any]] = {
    "eager": lambda f: f,
    "jit": fn.jit,
    "jvp": lambda f: fn.jit(lambda x: fn.jvp(f, (x,), (1.0,))),
    "linearize": lambda f: fn.jit(lambda x: fn.linearize(f, x)[1](1.0)),
    "grad": lambda f: fn.jit(fn.grad(f)),
    "grad of remat": lambda f: fn.grad(fn.checkpoint(f)),
    "jit of cond": lambda f: fn.jit(lambda x: fn.cond(x > 0.0, f, lambda x: x, x)),
}


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_order(name: str, wrap: str) -> None:
    f, expected = PROGRAMS[name]
    if name == "conditions" and wrap.startswith("grad"):
        f = lambda x: fn.while_loop(
            lambda s: s < 20.0, lambda s: (note(s, "step"), s * 2.0)[1], x, max_steps=9
        )
        expected = [e for e in expected if e[0] == "step"]
    assert order(WRAPS[wrap](f), 1.0) == expected


def test_order_from_call_to_call() -> None:
    f = fn.jit(lambda x: note(x, "f"))
    g = fn.jit(lambda x: (note(x, "g"), x * 2.0)[1])

    def calls() -> None:
        for i in range(12):
            f(float(i))
            g(float(i))

    assert order(calls) == [(word, float(i)) for i in range(12) for word in "fg"]


def test_prints_appear_in_order(capsys: Any) -> None:
    def f(xs: Any) -> Any:
        return fn.scan(lambda c, x: (c, fn.debug.print("{:.0f}", x, ordered=True)), 0.0, xs)[0]

    fn.jit(f)(X)
    fn.jit(fn.vmap(lambda x: fn.debug.print("lane {:.0f}", x, ordered=True)))(X)
    fn.effects_barrier()
    assert capsys.readouterr().out.split("\n")[:-1] == [
        *"0123", *[f"lane {i}" for i in range(4)]
    ]  # fmt: skip


# --- the passes -------------------------------------------------------------------------


def test_the_pass_ties_calls_together() -> None:
    program = fn.trace(loops)(1.0)
    tied = check(in_order(program))
    assert tied.in_types == program.in_types and tied.out_types == program.out_types
    assert "io_callback" not in {e.primitive.name for e in equations(tied)}
    assert check(in_order(tied)) is not None
    plain = fn.trace(np.sin)(1.0)
    assert in_order(plain) is plain


def test_quiet_programs() -> None:
    def f(x: Any) -> Any:
        note(x, "a")
        fn.debug.callback(print, x)
        y = fn.tag(np.sin(x), "y")
        return fn.scan(lambda c, t: (fn.tag(c * t, "c"), note(t, "t")), y, X)[0]

    program = fn.trace(f)(1.0)
    assert program.effects == {"host", "ordered", "tag"}
    silent = check(quiet(program))
    assert silent.effects == frozenset() and names(silent) == ["sin", "convert", "scan"]
    assert without(program, frozenset({"tag"})).effects == {"host", "ordered"}
    assert quiet(silent) is silent
    needed = fn.trace(lambda x: x + fn.io_callback(onp.sin, fn.ArrayType((), "f4"), x))(1.0)
    with pytest.raises(MissingRuleError, match="`sin` stands where"):
        quiet(needed)


def test_an_unknown_way() -> None:
    """A primitive from elsewhere that carries a Program with an effect is refused, not skipped."""
    carries = fn.Primitive(
        name="carries", type=lambda *types, program: program.out_types, jvp="no", transpose="no",
        batch="no", lower=lambda emit, *args, program: emit.call(program, *args), multiple=True,
    )  # fmt: skip
    inner = fn.trace(lambda x: (note(x, "in"), x)[1])(1.0)
    with pytest.raises(fn.FnError, match="carries: an effect inside cannot be followed"):
        fn.jit(lambda x: fn.bind(carries, x, program=inner)[0])(1.0)
