"""`fn.check`: the first failure, with its message, line, iteration and batch index, from anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.control import check_p, failures
from fn.core import ArgumentError, CheckError, check
from tests.programs import equations, names

X = onp.arange(5, dtype="f4")
ROWS = onp.zeros((3, 5), "f4")
ROWS[1, 4], ROWS[2, 2] = 7, 9


@pytest.fixture
def on() -> Iterator[None]:
    with fn.debug.checks(True):
        yield


def small(x: Any) -> Any:
    fn.check(x < 3.0, "{} is not small", x)
    return np.sin(x)


def loop(xs: Any) -> Any:
    return fn.scan(lambda c, x: (c + small(x), None), 0.0, xs)[0]


def grow(x: Any) -> Any:
    return fn.while_loop(lambda s: s < 5.0, lambda s: s + 1.0 + 0.0 * small(s), x, max_steps=20)


def guarded(x: Any) -> Any:
    return fn.cond(x < 5.0, small, lambda x: x, x)


_custom = fn.custom(small, jvp=lambda p, t: (small(*p), t[0] * np.cos(p[0])))


def at(*places: int | tuple[int, ...]) -> str:
    """A pattern: iterations are numbers, a batch index is a tuple."""
    loop = r"iteration {} of the (?:scan|while_loop) at \S*test_check_user\.py:\d+ in \S+"
    parts = [
        re.escape(f"batch index {p}") if isinstance(p, tuple) else loop.format(p) for p in places
    ]
    return ", ".join(parts)


# What fails, on what, the value in the message, and where in loops and batches.
FAILING: dict[str, tuple[Callable[..., Any], Any, str, str | None]] = {
    "eager": (small, 5.0, "5.0", None),
    "jit": (fn.jit(small), 5.0, "5.0", None),
    "grad": (fn.grad(small), 5.0, "5.0", None),
    "jvp": (lambda x: fn.jvp(small, (x,), (1.0,)), 5.0, "5.0", None),
    "linearize": (lambda x: fn.linearize(small, x)[0], 5.0, "5.0", None),
    "jit of grad of remat": (fn.jit(fn.grad(fn.checkpoint(small))), 5.0, "5.0", None),
    "custom": (fn.jit(_custom), 5.0, "5.0", None),
    "grad of custom": (fn.grad(_custom), 5.0, "5.0", None),
    "vmap": (fn.vmap(small), X, "3.0", at((3,))),
    "jit of vmap of grad": (fn.jit(fn.vmap(fn.grad(small))), X, "3.0", at((3,))),
    "grad of vmap": (fn.grad(lambda x: fn.vmap(small)(x).sum()), X, "3.0", at((3,))),
    "vmap of vmap": (fn.vmap(fn.vmap(small)), ROWS, "7.0", at((1, 4))),
    "vmap in chunks": (fn.vmap(small, chunk_size=2), X, "3.0", at((3,))),
    "vmap at the end": (fn.vmap(lambda c: small(c[0]), in_axes=1), X[None], "3.0", at((3,))),
    "scan": (loop, X, "3.0", at(3)),
    "jit of scan": (fn.jit(loop), X, "3.0", at(3)),
    "grad of scan": (fn.grad(loop), X, "3.0", at(3)),
    "jit of grad of remat of scan": (
        fn.jit(fn.grad(fn.checkpoint(loop))), X, "3.0", at(3)
    ),
    "vmap of scan": (fn.vmap(loop), ROWS, "7.0", at(4, (1,))),
    "jit of vmap of grad of scan": (
        fn.jit(fn.vmap(fn.grad(loop))), ROWS, "7.0", at(4, (1,))
    ),
    "scan of vmap": (
        lambda rows: fn.scan(lambda c, r: (c, fn.vmap(small)(r)), 0.0, rows), ROWS, "7.0",
        at(1, (4,)),
    ),
    "scan of scan": (
        fn.jit(lambda rows: fn.scan(lambda c, r: (c, loop(r)), 0.0, rows)), ROWS, "7.0",
        at(1, 4),
    ),
    "reverse scan": (
        lambda xs: fn.scan(lambda c, x: (c, small(x)), 0.0, xs, reverse=True), X, "4.0", at(4)
    ),
    "while": (grow, 1.0, "3.0", at(2)),
    "grad of while": (fn.jit(fn.grad(grow)), 1.0, "3.0", at(2)),
    "jvp of while": (lambda x: fn.jvp(grow, (x,), (1.0,)), 1.0, "3.0", at(2)),
    "vmap of while": (
        fn.jit(fn.vmap(grow)), onp.array([6, 5, 1.5], "f4"), "3.5",
        at(2, (2,)),
    ),
    "condition of a while": (
        lambda x: fn.while_loop(lambda s: (small(s), s < 9.0)[1], lambda s: s + 1.0, x), 1.0, "3.0",
        at(2),
    ),
    "fori_loop": (
        lambda x: fn.fori_loop(0, 5, lambda i, c: c + small(x + i), 0.0), 1.0, "3.0", at(2)
    ),
    "map": (lambda xs: fn.map(small, xs), X, "3.0", at(3)),
    "cond": (guarded, 4.0, "4.0", None),
    "vmap of cond": (fn.vmap(guarded), X + 2, "3.0", at((1,))),
    "vmap of cond by map": (
        fn.jit(fn.vmap(lambda x: fn.cond(x < 5.0, small, lambda x: x, x, batched="map"))),
        X + 2, "3.0", at((1,)),
    ),
    "ahead of time": (lambda x: fn.jit(small).lower(1.0).compile()(x), 5.0, "5.0", None),
    "jit with static leaves": (fn.jit(lambda d: (small(d["x"]), "s")), {"x": 5.0, "n": "k"}, "5.0", None),
    "reap": (fn.reap(fn.vmap(lambda x: fn.tag(small(x), "s"))), X, "3.0", at((3,))),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_failing(name: str, on: None) -> None:
    f, x, value, inside = FAILING[name]
    with pytest.raises(CheckError) as error:
        f(x)
    assert error.value.message == f"{value} is not small"
    found = error.value.inside
    assert found == inside or (inside and re.fullmatch(inside, found or "")), found
    text = str(error.value)
    assert re.search(r"at: +.*test_check_user\.py:\d+ in small$", text), text
    line = int(re.search(r"test_check_user\.py:(\d+) in small$", text)[1])  # type: ignore[index]
    assert line == small.__code__.co_firstlineno + 1


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (fn.jit(small), 1.0), (fn.vmap(small), X[:3]), (fn.jit(fn.grad(loop)), X[:3]),
        (fn.jit(guarded), 6.0), (fn.vmap(guarded), X + 5), (grow, 6.0), (loop, X[:0]),
    ],
)  # fmt: skip
def test_passing(f: Any, x: Any, on: None) -> None:
    got = f(x)
    with fn.debug.checks(False):
        onp.testing.assert_allclose(got, f(x), rtol=1e-6)


def test_the_first_failure_in_time(on: None) -> None:
    def f(xs: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            fn.check(x < 4.0, "A")
            fn.check(x < 2.0, "B")
            return c, None

        fn.check(xs[0] > -1.0, "Z")
        return fn.scan(step, 0.0, xs)[0]

    for g in (f, fn.jit(f)):
        with pytest.raises(CheckError, match="check: B") as error:
            g(X)
        assert "iteration 2" in str(error.value)
        with pytest.raises(CheckError, match="check: A"):
            g(X + 9)
        with pytest.raises(CheckError, match="check: Z"):
            g(X - 9)


# --- the switch -------------------------------------------------------------------------


def test_switched_off_nothing_is_recorded() -> None:
    assert names(fn.trace(small)(1.0)) == ["sin"]
    with fn.debug.checks(True):
        assert "check" in names(fn.trace(small)(1.0))
        with fn.debug.checks(False):
            assert names(fn.trace(small)(1.0)) == ["sin"]
            small(5.0)
    small(5.0)
    fn.check("not even looked at", None)  # type: ignore[arg-type]


def test_functions_are_compiled_for_both() -> None:
    f = fn.jit(small)
    fast = f._fast
    for _ in range(2):
        f(5.0)
        with fn.debug.checks(True), pytest.raises(CheckError):
            f(5.0)
    g = fn.jit(lambda x: x + 1.0)
    with fn.debug.checks(True):
        g(1.0)
        assert g._fast is not g._slow and f._fast is not fast  # no check, nothing to look at


def test_for_good_and_for_a_while() -> None:
    before = fn.core.checks.get_global()
    try:
        switch = fn.debug.checks(True)
        with pytest.raises(CheckError):
            small(5.0)
        fn.debug.checks(False)
        small(5.0)
        with switch:
            with switch, pytest.raises(CheckError):
                small(5.0)
            with pytest.raises(CheckError):
                small(5.0)
    finally:
        fn.core.checks.set_global(before)


def test_other_threads(on: None) -> None:
    found = []
    thread = threading.Thread(target=lambda: found.append(small(5.0)))
    thread.start()
    thread.join()
    assert len(found) == 1


def test_the_environment() -> None:
    code = "import fn\ntry: fn.check(1.0 > 2.0, 'no')\nexcept fn.CheckError as e: print(e.message)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"FN_CHECKS": "1", "PYTHONPATH": "."}
    )  # fmt: skip
    assert run.stdout == "no\n", run.stderr


# --- messages ---------------------------------------------------------------------------


def test_messages(on: None) -> None:
    def said(message: str, *args: Any, **kwargs: Any) -> str:
        def f(x: Any, y: Any) -> Any:
            given = [x if a == "x" else y if a == "y" else a for a in args]
            fn.check(x > y, message, *given, **kwargs)
            return x

        with pytest.raises(CheckError) as error:
            fn.jit(f)(onp.float32(1.1), onp.float32(2.5))
        return error.value.message

    assert said("plain") == "plain"
    assert said("{} <= {}", "x", "y") == "1.1 <= 2.5"
    assert said("{1:.3f} {0!r} {0}", "x", "y") == "2.500 1.1 1.1"
    assert said("{{{}}} {word} {n:>4}", "x", word="w{}", n=3) == "{1.1} w{}    3"
    assert said("{0.shape} {0.dtype}", "x") == "() float32"
    assert said("{d[k]}", d={"k": 7}) == "7"


def test_arrays_in_messages(on: None) -> None:
    with pytest.raises(CheckError, match=r"^check: \[0. 1. 2. 3. 4.\]"):
        fn.check(X.sum() < 0, "{}", X)
    with pytest.raises(CheckError, match=r"\.\.\."):
        fn.jit(lambda x: fn.check(x.sum() < 0, "{}", x))(onp.arange(1000.0))


def test_errors(on: None) -> None:
    with pytest.raises(ArgumentError, match="not a boolean scalar") as error:
        fn.check(X < 3, "no")
    assert "bool[5]" in str(error.value) and ".all()" in str(error.value)
    with pytest.raises(ArgumentError, match="not a boolean scalar"):
        fn.check(1, "no")
    with pytest.raises(ArgumentError, match="the message does not fit its arguments"):
        fn.check(X.sum() < 0, "{} {k}", 1)
    placed = jax.sharding.SingleDeviceSharding(jax.devices()[0])
    with pytest.raises(ArgumentError, match="out_shardings do not speak"):
        fn.jit(lambda x: (small(x), x), out_shardings=(placed, placed))(1.0)
    assert float(fn.jit(small, out_shardings=placed)(0.0)) == 0.0
    assert issubclass(CheckError, AssertionError)


# --- the pass ---------------------------------------------------------------------------


def test_the_program_with_failures(on: None) -> None:
    program = fn.trace(fn.vmap(loop))(ROWS)
    whole, sites = failures(program)
    check(whole)
    assert "check" not in {e.primitive.name for e in equations(whole)}
    assert [str(t) for t in whole.out_types[1:]] == ["bool[]", "bool[]", "i32[]", "i32[]", "f32[]"]
    assert [level.kind for level in sites[0].what.levels] == ["batch", "scan"]
    assert fn.Program.parse(str(program)) == program


def test_a_batched_check_as_it_is(on: None) -> None:
    """Where somebody batches a Program himself, all entries have to hold."""
    f = lambda x: fn.bind(check_p, x > 0, x, message="{}", where="here")
    with pytest.raises(CheckError):
        fn.jit(lambda x: f(x))(X)
