"""Callbacks: called as often and with what a Python loop would call them, under every transform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, ConcretizationError, MissingRuleError, TreeError, TypeRuleError
from tests.programs import equations

X = onp.array([0.5, 1.5, 2.5], "f4")
F32 = fn.ArrayType((), "float32")
_log: list[float] = []


@pytest.fixture
def log() -> Iterator[list[float]]:
    _log.clear()
    yield _log
    fn.effects_barrier()


def seen() -> list[float]:
    """What was logged, once all of it is."""
    fn.effects_barrier()
    found = [round(v, 4) for v in _log]
    _log.clear()
    return found


def _note(x: Any) -> None:
    _log.append(float(x))


def _noted(x: Any) -> Any:
    _note(x)
    return onp.int32(1)


LOOKS: dict[str, Callable[[Any], Any]] = {
    "debug": lambda x: fn.debug.callback(_note, x),
    "debug ordered": lambda x: fn.debug.callback(_note, x, ordered=True),
    "io": lambda x: fn.io_callback(_note, None, x),
    "io ordered": lambda x: fn.io_callback(_note, None, x, ordered=True),
    "io result": lambda x: fn.io_callback(_noted, fn.ArrayType((), "int32"), x, ordered=True),
}


def _scanned(f: Any) -> Any:
    return lambda x: fn.scan(lambda c, t: (f(c) + t, None), x, X)[0]


def _while(f: Any) -> Any:
    return lambda x: fn.while_loop(lambda s: s < 3.0, lambda s: f(s) + s + 1.0, x, max_steps=5)


def _cond(f: Any) -> Any:
    return lambda x: fn.cond(x > 1.0, f, lambda x: x * x, x)


def _custom(f: Any) -> Any:
    return fn.custom(f, vjp=lambda x: (np.sin(x), lambda ct: (ct * np.cos(x),)))


def _states(x: float, step: Callable[[float, int], float], n: int) -> list[float]:
    found = []
    for i in range(n):
        found.append(round(float(x), 4))
        x = onp.float32(step(onp.float32(x), i))
    return found


_STEPS = _states(0.5, lambda c, i: onp.sin(c) + X[i], 3)
_WHILE = _states(0.5, lambda s, i: onp.sin(s) + s + onp.float32(1), 2)
ONE, ALL = [0.5], [0.5, 1.5, 2.5]
# What wraps a function of a scalar, what it is called on, and what the function then sees.
STACKS: dict[str, tuple[Callable[[Any], Any], Any, list[float]]] = {
    "eager": (lambda f: f, 0.5, ONE),
    "jit": (fn.jit, 0.5, ONE),
    "jvp": (lambda f: lambda x: fn.jvp(f, (x,), (2.0,)), 0.5, ONE),
    "grad": (fn.grad, 0.5, ONE),
    "vjp": (lambda f: lambda x: fn.vjp(f, x)[1](2.0), 0.5, ONE),
    "linearize": (lambda f: lambda x: fn.linearize(f, x)[1](2.0), 0.5, ONE),
    "grad of grad": (lambda f: fn.grad(fn.grad(f)), 0.5, ONE),
    "jit of grad of remat": (lambda f: fn.jit(fn.grad(fn.checkpoint(f))), 0.5, ONE),
    "custom": (lambda f: fn.jit(_custom(f)), 0.5, ONE),
    "grad of custom": (lambda f: fn.grad(_custom(f)), 0.5, []),
    "cond taken": (lambda f: fn.jit(_cond(f)), 1.5, [1.5]),
    "cond not taken": (lambda f: fn.jit(_cond(f)), 0.5, []),
    "grad of cond": (lambda f: fn.grad(_cond(f)), 1.5, [1.5]),
    "scan": (lambda f: fn.jit(_scanned(f)), 0.5, _STEPS),
    "grad of scan": (lambda f: fn.jit(fn.grad(_scanned(f))), 0.5, _STEPS),
    "grad of remat of scan": (lambda f: fn.grad(fn.checkpoint(_scanned(f))), 0.5, _STEPS),
    "while": (lambda f: fn.jit(_while(f)), 0.5, _WHILE),
    "jvp of while": (lambda f: lambda x: fn.jvp(_while(f), (x,), (1.0,)), 0.5, _WHILE),
    "grad of while": (lambda f: fn.jit(fn.grad(_while(f))), 0.5, _WHILE),
    "jit of jit": (lambda f: fn.jit(lambda x: fn.jit(f)(x) * 2.0), 0.5, ONE),
}
MAPPED: dict[str, tuple[Callable[[Any], Any], Any, list[float]]] = {
    "vmap": (fn.vmap, X, ALL),
    "jit of vmap of grad": (lambda f: fn.jit(fn.vmap(fn.grad(f))), X, ALL),
    "grad of vmap": (lambda f: fn.jit(fn.grad(lambda x: fn.vmap(f)(x).sum())), X, ALL),
    "vmap of cond": (lambda f: fn.jit(fn.vmap(_cond(f))), X, [1.5, 2.5]),
    "vmap of grad of cond": (lambda f: fn.jit(fn.vmap(fn.grad(_cond(f)))), X, [1.5, 2.5]),
    "vmap of while": (
        lambda f: fn.jit(fn.vmap(_while(f))), X,
        sorted([v for x, n in ((0.5, 2), (1.5, 1), (2.5, 1))
                for v in _states(x, lambda s, i: onp.sin(s) + s + onp.float32(1), n)]),
    ),
    "scan of vmap": (
        lambda f: fn.jit(lambda x: fn.scan(lambda c, t: (c, fn.vmap(f)(t)), 0.0, x[None])[1]), X, ALL
    ),
    "vmap of remat of scan": (
        lambda f: fn.jit(fn.vmap(fn.checkpoint(_scanned(f)))), X[:1], _STEPS
    ),
}  # fmt: skip


def _check(look: Callable[[Any], Any], name: str, table: dict[str, Any]) -> None:
    wrap, x, expected = table[name]

    def f(x: Any) -> Any:
        look(x)
        return np.sin(x)

    got = wrap(f)(x)
    assert sorted(seen()) == expected
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(wrap(np.sin)(x)), strict=True):
        onp.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("look", ["debug", "io result"])
def test_stacks(look: str, name: str, log: list[float]) -> None:
    _check(LOOKS[look], name, STACKS)


@pytest.mark.parametrize("look", ["debug ordered", "io", "io ordered"])
@pytest.mark.parametrize("name", ["eager", "jit", "grad of while", "grad of remat of scan"])
def test_other_looks(look: str, name: str, log: list[float]) -> None:
    _check(LOOKS[look], name, STACKS)


@pytest.mark.parametrize("name", MAPPED)
def test_mapped(name: str, log: list[float]) -> None:
    _check(LOOKS["debug"], name, MAPPED)


def test_mapped_io(log: list[float]) -> None:
    f = fn.jit(fn.vmap(lambda x: fn.io_callback(lambda v: (_note(v), v * 2)[1], F32, x)))
    onp.testing.assert_array_equal(f(X), X * 2)
    assert sorted(seen()) == ALL
    with pytest.raises(MissingRuleError, match="entries of a vmap have no order"):
        fn.vmap(LOOKS["io ordered"])(X)


def test_what_is_the_same_for_all_is_looked_at_once(log: list[float]) -> None:
    fn.jit(fn.vmap(lambda x, y: (LOOKS["debug"](y), x)[1], in_axes=(0, None)))(X, 7.0)
    assert seen() == [7.0]


# --- pure_callback ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        ("sequential", ((), ())),
        ("sequential_unrolled", ((), ())),
        ("expand_dims", ((3,), (1,))),
        ("broadcast_all", ((3,), (3,))),
    ],
)
def test_vmap_methods_are_those_of_jax(method: str, shapes: Any) -> None:
    ours: set[Any] = set()
    theirs: set[Any] = set()

    def add(found: set[Any]) -> Any:
        return lambda a, b: (found.add((onp.shape(a), onp.shape(b))), a + b)[1]

    f = fn.vmap(
        lambda x, y: fn.pure_callback(add(ours), x, x, y, vmap_method=method), in_axes=(0, None)
    )
    g = jax.vmap(
        lambda x, y: jax.pure_callback(
            add(theirs), jax.ShapeDtypeStruct((), "f4"), x, y, vmap_method=method
        ),
        in_axes=(0, None),
    )
    onp.testing.assert_allclose(fn.jit(f)(X, 1.0), jax.jit(g)(X, 1.0))
    assert ours == theirs == {shapes}


def test_pure_results_nobody_needs_are_not_computed() -> None:
    def f(x: Any) -> Any:
        fn.pure_callback(onp.sin, x, x)
        return x * 2.0

    assert "pure_callback" not in str(fn.trace(f)(1.0))


def test_trees_static_leaves_and_numbers() -> None:
    def host(tree: Any, *, word: str) -> Any:
        assert word == "k" and tree["s"] == "t"
        return {"y": tree["x"].sum(), "n": 3}

    types = {"y": F32, "n": jax.ShapeDtypeStruct((), "int32")}
    f = fn.jit(lambda x: fn.pure_callback(host, types, {"x": x, "s": "t"}, word="k"))
    for out in (f(X), fn.pure_callback(host, types, {"x": X, "s": "t"}, word="k")):
        assert float(out["y"]) == 4.5 and int(out["n"]) == 3
        assert out["y"].dtype == onp.float32 and out["n"].dtype == onp.int32


def test_a_derivative_of_its_own() -> None:
    sine = fn.custom(
        lambda x: fn.pure_callback(onp.sin, x, x, vmap_method="broadcast_all"),
        jvp=lambda p, t: (sine(*p), t[0] * np.cos(p[0])),
    )
    onp.testing.assert_allclose(fn.jit(fn.vmap(fn.grad(sine)))(X), onp.cos(X), rtol=1e-6)
    with pytest.raises(MissingRuleError, match="has no derivative") as error:
        fn.grad(lambda x: fn.pure_callback(onp.sin, x, x))(1.0)
    assert "fn.custom" in str(error.value) and "`sin`" in str(error.value)
    with pytest.raises(MissingRuleError, match="has no derivative"):
        fn.grad(lambda x: fn.io_callback(onp.sin, F32, x))(1.0)
    half = fn.grad(lambda x: x * fn.pure_callback(lambda v: 1, fn.ArrayType((), "int32"), x))
    assert float(half(3.0)) == 1.0  # an integer result has no derivative to miss


def test_it_may_call_fn_itself() -> None:
    f = fn.jit(lambda x: fn.pure_callback(lambda v: np.sin(v) * 2.0, x, x))
    onp.testing.assert_allclose(f(X), onp.sin(X) * 2, rtol=1e-6)


def test_large_arrays_come_through() -> None:
    x = onp.ones((1000, 1000), "f4")
    f = fn.jit(lambda x: fn.pure_callback(lambda v: v + 1, x, x * 2.0).sum())
    assert [float(f(x)) for _ in range(5)] == [3e6] * 5


# --- identity, text, errors -------------------------------------------------------------


def test_callbacks_go_by_identity() -> None:
    """Functions that hold equal lists are the same to the trace cache, but not to who reads the lists."""
    for transform in (fn.grad, lambda f: fn.jit(fn.grad(f)), fn.vmap):
        lists: list[list[float]] = [[], []]
        for held in lists:

            def f(x: Any, held: list[float] = held) -> Any:
                fn.debug.callback(lambda v: held.append(float(v)), x)
                return x * x

            transform(f)(X if transform is fn.vmap else 3.0)
        fn.effects_barrier()
        assert lists[0] == lists[1] != []


def test_formats_go_by_value() -> None:
    def f(x: Any) -> Any:
        fn.debug.print("x = {}", x)
        return x

    assert fn.trace(f)(1.0) == fn.trace(f)(1.0)


def test_no_text_form() -> None:
    program = fn.trace(lambda x: fn.pure_callback(onp.sin, x, x))(1.0)
    assert "pure_callback[host=<sin>, results=(f32[],), vmap_method=None] a" in str(program)
    with pytest.raises(fn.FnError, match="a parameter that has no text form"):
        fn.Program.parse(str(program))


def test_effects_of_programs() -> None:
    def f(x: Any) -> Any:
        LOOKS["debug"](x)
        return fn.scan(lambda c, _: (LOOKS["io ordered"](c), c)[1:] * 2, x, None, length=2)[0]

    program = fn.trace(f)(1.0)
    assert program.effects == {"host", "ordered"}
    assert fn.trace(np.sin)(1.0).effects == frozenset()
    assert {e.primitive.name for e in equations(program) if e.effects} == {
        "debug_callback", "io_callback", "scan"
    }  # fmt: skip


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("wrap", [lambda f: f, fn.jit, fn.vmap], ids=["eager", "jit", "vmap"])
def test_what_it_raises_surfaces(wrap: Any, ordered: bool) -> None:
    def fails(v: Any) -> Any:
        raise KeyError("the user's words")

    def f(x: Any) -> Any:
        return fn.debug.callback(fails, x, ordered=ordered)

    with pytest.raises(KeyError, match="the user's words") as error:
        wrap(f)(X)
        fn.effects_barrier()
    assert "test_callback" in str(error.traceback[-1].path)


def test_results_that_do_not_fit() -> None:
    def wrong(result: Any) -> Any:
        return lambda x: fn.pure_callback(lambda v: result, x, x)

    for wrap in (fn.jit, lambda f: f):
        with pytest.raises(TreeError, match="another structure than was declared"):
            wrap(wrong((1.0, 2.0)))(1.0)
        with pytest.raises(TypeRuleError, match="something else at `result`") as error:
            wrap(wrong(onp.ones(3)))(1.0)
        assert "f32[3]" in str(error.value)
        with pytest.raises(TypeRuleError, match="something else"):
            wrap(wrong(1j))(1.0)


def test_errors() -> None:
    with pytest.raises(ArgumentError, match="pure_callback: the first argument is not a function"):
        fn.pure_callback(3, F32)
    with pytest.raises(ArgumentError, match="pure_callback: no such vmap_method"):
        fn.pure_callback(onp.sin, F32, 1.0, vmap_method="some")
    with pytest.raises(ArgumentError, match="`result_types` is not the type of an array"):
        fn.io_callback(onp.sin, "f4", 1.0)
    with pytest.raises(ArgumentError, match="neither an array nor hashable"):
        fn.io_callback(onp.sin, None, {1})
    with pytest.raises(MissingRuleError, match="does not say what vmap is to do"):
        fn.vmap(lambda x: fn.pure_callback(onp.sin, x, x))(X)


def test_no_value_while_tracing() -> None:
    """It would have to be called twice: once to know, and once when the function runs."""

    def f(x: Any) -> Any:
        return x if fn.io_callback(lambda: 1.0, F32) > 0 else -x

    assert float(f(2.0)) == 2.0
    with pytest.raises(ConcretizationError, match="`io_callback`, an effect"):
        fn.grad(f)(2.0)


def test_loops_that_run_again_do_not_ask_again() -> None:
    def f(x: Any) -> Any:
        step = lambda s: s + fn.io_callback(lambda: 1.0, F32)
        return fn.while_loop(lambda s: s < 5.0, step, x, max_steps=9)

    assert float(f(0.5)) == 5.5
    with pytest.raises(MissingRuleError, match="a loop is run again for its derivative"):
        fn.grad(f)(0.5)


@pytest.mark.parametrize("policy", ["nothing", "dots", fn.save_only("x")])
def test_checkpoint_keeps_what_it_was_told(policy: Any, log: list[float]) -> None:
    def f(x: Any) -> Any:
        scale = fn.io_callback(lambda: (_note(1.0), 3.0)[1], F32, ordered=True)
        return np.sin(np.sin(x) * scale)

    got = fn.jit(fn.grad(fn.checkpoint(f, policy=policy)))(0.5)
    onp.testing.assert_allclose(got, onp.cos(onp.sin(0.5) * 3) * 3 * onp.cos(0.5), rtol=1e-5)
    assert seen() == [1.0]


def test_tangents_are_seen_only_forwards(log: list[float]) -> None:
    def rule(primals: Any, tangents: Any) -> Any:
        LOOKS["debug"](tangents[0])
        return np.sin(primals[0]), tangents[0] * np.cos(primals[0])

    f = fn.custom(np.sin, jvp=rule)
    fn.jvp(f, (0.5,), (2.0,))
    assert seen() == [2.0]
    with pytest.raises(MissingRuleError, match="reverse mode never computes any"):
        fn.grad(f)(0.5)
    with pytest.raises(MissingRuleError, match="there is an effect in it"):
        fn.grad(_scanned(f))(0.5)


def test_cotangents_are_seen_in_a_vjp_rule(log: list[float]) -> None:
    def rule(x: Any) -> Any:
        return np.sin(x), lambda ct: (LOOKS["debug"](ct), (ct * np.cos(x),))[1]

    fn.grad(lambda x: fn.custom(np.sin, vjp=rule)(x) * 4.0)(0.5)
    assert seen() == [4.0]


def test_inside_functions_jax_traces(log: list[float]) -> None:
    jax.jit(lambda x: LOOKS["debug"](x))(2.0)
    assert seen() == [2.0]
