"""`reap` and `plant`: the values a slow reading of the function would give, through everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, TypeRuleError
from tests.programs import equations

X = onp.array([0.5, 1.5, 2.5], "f4")
XS = onp.stack([X, X * 2])


def close(got: Any, expected: Any) -> None:
    assert jax.tree.structure(got) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        onp.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def wave(x: Any) -> Any:
    return np.cos(fn.tag(np.sin(x), "wave"))


def loop(x: Any) -> Any:
    return fn.scan(lambda c, t: (fn.tag(np.sin(c) + t, "c"), c * 2.0), x, X)[0]


def repeat(x: Any) -> Any:
    return fn.while_loop(lambda s: s < 9.0, lambda s: fn.tag(s * 2.0, "c"), x, max_steps=9)


def choose(x: Any) -> Any:
    return fn.cond(
        x > 1.0,
        lambda x: fn.tag(x * 2.0, "a"),
        lambda x: fn.tag(x * 3.0, "b") + fn.tag(x, "a"),
        x,
    )


def deep(x: Any) -> Any:
    """Everything at once: a mapped, checkpointed loop over a choice, in a jitted function."""
    inner = lambda c, t: (fn.tag(choose(c) * t, "c"), fn.jit(wave)(c))
    body = fn.checkpoint(lambda x: fn.scan(inner, x, X))
    return fn.jit(lambda x: body(x)[0] + wave_2(x))(x)


def wave_2(x: Any) -> Any:
    return np.sin(fn.tag(x * x, "square"))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "wave": wave, "loop": loop, "repeat": repeat, "choose": choose, "deep": deep,
    "custom": fn.custom(wave, jvp=lambda p, t: (wave(*p), t[0] * 5.0)),
}  # fmt: skip


def _steps(x: float) -> list[float]:
    found = []
    for t in X:
        x = onp.sin(x) + t
        found.append(x)
    return found


EXPECTED: dict[str, Callable[[float], dict[str, Any]]] = {
    "wave": lambda x: {"wave": onp.sin(x)},
    "custom": lambda x: {"wave": onp.sin(x)},
    "loop": lambda x: {"c": onp.array(_steps(x))},
    "repeat": lambda x: {"c": x * 2 ** onp.ceil(onp.log2(9 / x))},
    "choose": lambda x: {"a": 2 * x, "b": 0.0} if x > 1 else {"a": x, "b": 3 * x},
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("wrap", [lambda f: f, fn.jit, fn.checkpoint], ids=["", "jit", "remat"])
def test_values(name: str, wrap: Any) -> None:
    f = FUNCTIONS[name]
    for x in (0.5, 1.5):
        for reaped in (fn.reap(wrap(f)), fn.jit(fn.reap(f))):
            out, found = reaped(x)
            close(out, f(x))
            close(found, {k: onp.float32(v) for k, v in EXPECTED[name](x).items()})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_vmap_and_reap_commute(name: str) -> None:
    f = FUNCTIONS[name]
    once = fn.jit(fn.vmap(fn.reap(f)))(X)
    close(fn.jit(fn.reap(fn.vmap(f)))(X), once)
    close(fn.reap(fn.vmap(fn.vmap(f)))(XS), fn.vmap(fn.vmap(fn.reap(f)))(XS))
    scanned = lambda g: lambda xs: fn.scan(lambda c, x: (c, fn.vmap(g)(x)), 0.0, xs)[1]
    out, found = fn.reap(scanned(f))(XS)
    close((out, found), fn.vmap(fn.vmap(fn.reap(f)))(XS))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_primal_values_of_derivatives(name: str) -> None:
    f = FUNCTIONS[name]
    primal = fn.reap(f)(0.5)[1]
    for derivative in (
        fn.grad(f),
        fn.jit(fn.grad(f)),
        lambda x: fn.jvp(f, (x,), (1.0,))[1],
        lambda x: fn.linearize(f, x)[1](1.0),
        fn.grad(fn.checkpoint(f)),
    ):
        out, found = fn.reap(derivative)(0.5)
        close(out, derivative(0.5))
        close(found, primal)
    out, found = fn.jit(fn.reap(fn.vmap(fn.grad(f))))(X)
    close(out, fn.vmap(fn.grad(f))(X))
    close(found, fn.vmap(fn.reap(f))(X)[1])
    total = lambda x: fn.vmap(f)(x).sum()
    close(fn.reap(fn.grad(total))(X), (fn.grad(total)(X), found))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_of_what_is_found(name: str) -> None:
    f = FUNCTIONS[name]
    out, found = fn.reap(f)(0.5)
    plain = lambda x: f(x)
    close(fn.grad(lambda x: fn.reap(f)(x)[0])(0.5), fn.grad(plain)(0.5))
    for key in found:
        slope = fn.jit(fn.grad(lambda x, key=key: fn.reap(f)(x)[1][key].sum()))(0.5)
        ahead = fn.jvp(lambda x, key=key: fn.reap(f)(x)[1][key].sum(), (0.5,), (1.0,))[1]
        close(slope, ahead)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_planting_what_was_reaped_changes_nothing(name: str) -> None:
    f = FUNCTIONS[name]
    for wrap, x in ((lambda f: f, 0.5), (fn.jit, 0.5), (fn.vmap, X), (fn.grad, 0.5)):
        if wrap is fn.grad and name in ("repeat", "custom"):
            continue  # its derivative runs the loop again, or is a rule without the tag
        g = wrap(f)
        out, found = fn.reap(g)(x)
        if name == "repeat":  # in a loop, one value is planted in all steps
            found = {"c": np.asarray(x) * 0 + 11.0}
            out = found["c"]
        close(fn.jit(fn.plant(g))(found, x), out)


def test_planted_values_take_over() -> None:
    close(fn.plant(wave)({"wave": 0.0}, 2.0), onp.float32(1))
    close(fn.plant(fn.jit(loop))({"c": X * 10}, 0.5), onp.float32(25))
    close(fn.plant(fn.vmap(loop))({"c": XS.T[:, [0, 1, 1]] * 0 + X}, X), onp.full(3, 2.5, "f4"))
    close(fn.vmap(lambda x: fn.plant(choose)({"a": 7.0}, x))(X), onp.array([8.5, 7, 7], "f4"))
    close(fn.plant(fn.grad(wave))({"wave": 0.5}, 1.0), onp.float32(-onp.sin(0.5) * onp.cos(1.0)))
    slope = fn.jit(fn.grad(lambda w: fn.plant(wave)({"wave": w}, 1.0)))(0.5)
    close(slope, onp.float32(-onp.sin(0.5)))
    many = fn.vmap(fn.plant(wave), in_axes=(0, None))({"wave": X}, 1.0)
    close(many, onp.cos(X))


def test_planted_values_reach_the_derivative_of_a_loop() -> None:
    got = fn.jit(fn.plant(fn.grad(loop)))({"c": X}, 0.5)
    close(got, onp.float32(onp.cos(0.5) * onp.cos(X[0]) * onp.cos(X[1])))


def test_what_led_to_a_planted_value_is_not_computed() -> None:
    program = fn.trace(lambda w, x: fn.plant(wave)({"wave": w}, x))(0.5, 1.0)
    assert "sin" not in {e.primitive.name for e in equations(program)}


# --- names, trees -----------------------------------------------------------------------


def test_trees_and_static_leaves() -> None:
    def f(x: Any) -> Any:
        held = fn.tag({"x": x, "s": "text", "n": (x * 2.0, None)}, "held")
        return held["x"] + held["n"][0]

    out, found = fn.reap(f)(2.0)
    assert found["held"]["s"] == "text" and float(found["held"]["n"][0]) == 4.0
    planted = {"held": {"x": 10.0, "s": "text", "n": (1.0, None)}}
    assert float(fn.plant(f)(planted, 2.0)) == 11.0
    with pytest.raises(TypeRuleError, match="'held' is given a value of another type"):
        fn.plant(f)({"held": {"x": 10.0, "s": "other", "n": (1.0, None)}}, 2.0)


def test_chosen_names_and_nested_reaps() -> None:
    both = lambda x: wave(x) + wave_2(x)
    out, found = fn.reap(both, ["square"])(2.0)
    assert set(found) == {"square"}
    (_, inner), outer = fn.reap(fn.reap(both, names="wave"))(2.0)
    assert set(inner) == {"wave"} and set(outer) == {"square"}
    got = fn.plant(lambda x: fn.plant(both)({"wave": 0.0}, x))({"square": 0.0}, 2.0)
    close(got, onp.float32(1))
    out, found = fn.reap(lambda x: fn.plant(both)({"wave": 0.0}, x))(2.0)
    assert set(found) == {"square"}


def test_a_name_used_twice() -> None:
    twice = lambda x: wave(x) + wave(x * 2.0)
    with pytest.raises(ArgumentError, match="reap: two values are tagged 'wave'") as error:
        fn.reap(twice)(1.0)
    assert str(error.value).count("test_reap.py:") >= 2
    out, found = fn.reap(twice, mode="append")(1.0)
    close(found, {"wave": tuple(onp.sin(onp.array([1, 2], "f4")))})
    close(fn.plant(twice, mode="append")(found, 1.0), out)
    with pytest.raises(ArgumentError, match="plant: two values are tagged"):
        fn.plant(twice)({"wave": 1.0}, 1.0)
    with pytest.raises(ArgumentError, match="not a tuple with an entry for each"):
        fn.plant(twice, mode="append")({"wave": (1.0,)}, 1.0)


def test_outside_of_reap_there_is_nothing() -> None:
    assert fn.tag(X, "x") is X
    close(fn.jit(fn.vmap(fn.grad(loop)))(X), fn.vmap(fn.grad(loop))(X))
    tagged = fn.jit(fn.vmap(lambda x: np.cos(fn.tag(np.sin(x), "w")))).lower(X).as_text()
    plain = fn.jit(fn.vmap(lambda x: np.cos(np.sin(x)))).lower(X).as_text()
    assert tagged.count("stablehlo") == plain.count("stablehlo")


def test_policies_know_tags() -> None:
    f = fn.checkpoint(lambda x: np.sin(fn.tag(np.sin(x), "w")), policy=fn.save_only("w"))
    assert [r.origin for r in fn.inspect.residuals(f)(0.5).computed] == ["tag"]


def test_text() -> None:
    program = fn.trace(wave)(1.0)
    assert fn.Program.parse(str(program)) == program
    assert "tag[name='wave', shape=None]" in str(program)


def test_loops_that_do_not_run() -> None:
    out, found = fn.reap(repeat)(10.0)
    assert float(out) == 10.0 and float(found["c"]) == 0.0
    out, found = fn.reap(lambda x: fn.scan(lambda c, t: (fn.tag(c, "c"), None), x, X[:0]))(1.0)
    assert found["c"].shape == (0,)


# --- errors -----------------------------------------------------------------------------


def test_errors() -> None:
    with pytest.raises(ArgumentError, match="tag: the name is not a string"):
        fn.tag(X, 3)
    with pytest.raises(ArgumentError, match="reap: the first argument is not a function"):
        fn.reap(3.0)
    with pytest.raises(ArgumentError, match="reap: no such mode"):
        fn.reap(wave, mode="all")
    with pytest.raises(ArgumentError, match="reap: a name is not a string"):
        fn.reap(wave, [1])
    with pytest.raises(ArgumentError, match="nothing in `wave` is tagged 'wv'"):
        fn.reap(wave, ["wv"])(1.0)
    with pytest.raises(ArgumentError, match="nothing in `wave` is tagged 'wv'"):
        fn.plant(wave)({"wv": 1.0}, 1.0)
    with pytest.raises(ArgumentError, match="plant: the first argument is not a dict"):
        fn.plant(wave)(1.0, 2.0)


def test_types_of_planted_values() -> None:
    with pytest.raises(TypeRuleError, match="plant: 'c' is given a value of another type") as error:
        fn.plant(loop)({"c": 1.0}, 0.5)
    text = str(error.value)
    assert "f32[3], as tagged at" in text and "~f32[]" in text and text.count("test_reap.py:") == 2


def test_branches_that_disagree() -> None:
    f = lambda x: fn.cond(
        x > 0.0, lambda x: fn.tag(x, "a"), lambda x: fn.tag(np.asarray([x, x]), "a").sum(), x
    )
    with pytest.raises(TypeRuleError, match="two branches tag values of different types 'a'") as e:
        fn.reap(f)(1.0)
    assert str(e.value).count("test_reap.py:") >= 2
