"""`custom`: rules of one's own under every transform and in every order, and what wrong ones are told."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import LeakError, Linear
from tests.programs import names

X = onp.array([0.3, -0.7, 1.1], onp.float32)
Y = onp.array([1.5, 0.4, -0.2], onp.float32)
W = onp.arange(9, dtype=onp.float32).reshape(3, 3) / 10


# The rules give ten times the derivative, so that it shows whether they were used.
def _f(x: Any, y: Any) -> Any:
    return np.sin(x) * y


def _jvp(primals: Any, tangents: Any) -> Any:
    (x, y), (dx, dy) = primals, tangents
    return _f(x, y), 10.0 * (np.cos(x) * dx * y + np.sin(x) * dy)


def _forward(x: Any, y: Any) -> Any:
    return _f(x, y), {"c": np.cos(x), "s": np.sin(x), "y": y, "tag": "any pytree"}


def _backward(res: Any, ct: Any) -> Any:
    assert res["tag"] == "any pytree"
    return 10.0 * ct * res["c"] * res["y"], 10.0 * ct * res["s"]


def _pullback(x: Any, y: Any) -> Any:
    c, s = np.cos(x), np.sin(x)
    return s * y, lambda ct: (10.0 * ct * c * y, 10.0 * ct * s)


OURS = {
    "jvp": fn.custom(_f, jvp=_jvp),
    "vjp pair": fn.custom(_f, vjp=(_forward, _backward)),
    "vjp function": fn.custom(_f, vjp=_pullback),
    "both": fn.custom(_f, jvp=_jvp, vjp=_pullback),
    "jitted": fn.jit(fn.custom(_f, jvp=_jvp, vjp=_pullback)),
}


@jax.custom_jvp
def theirs(x: Any, y: Any) -> Any:
    return jnp.sin(x) * y


@theirs.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x, y), (dx, dy) = primals, tangents
    return jnp.sin(x) * y, 10.0 * (jnp.cos(x) * dx * y + jnp.sin(x) * dy)


Layer = tuple[Callable[..., Any], Callable[..., Any]]
# From a function of one (3,) array to another, in both libraries; those in FORWARD need a jvp rule.
LAYERS: dict[str, Layer] = {
    "grad": (
        lambda f: fn.grad(lambda x: (f(x) * x).sum()),
        lambda f: jax.grad(lambda x: (f(x) * x).sum()),
    ),
    "vjp": (
        lambda f: lambda x: fn.vjp(f, x)[1](np.sin(x))[0],
        lambda f: lambda x: jax.vjp(f, x)[1](jnp.sin(x))[0],
    ),
    "vmap": (
        lambda f: lambda x: fn.vmap(lambda s: f(x * s), out_axes=1)(Y).sum(1),
        lambda f: lambda x: jax.vmap(lambda s: f(x * s), out_axes=1)(jnp.asarray(Y)).sum(1),
    ),
    "jit": (fn.jit, jax.jit),
    "remat": (fn.checkpoint, jax.checkpoint),
    "remat dots": (
        lambda f: fn.checkpoint(lambda x: f(W @ x), policy="dots"),
        lambda f: jax.checkpoint(lambda x: f(W @ x)),
    ),
    "jvp": (
        lambda f: lambda x: fn.jvp(f, (x,), (x * x,))[1],
        lambda f: lambda x: jax.jvp(f, (x,), (x * x,))[1],
    ),
    "linearize": (
        lambda f: lambda x: fn.linearize(f, x)[1](x * x),
        lambda f: lambda x: jax.linearize(f, x)[1](x * x),
    ),
}
FORWARD = {"jvp", "linearize"}
REVERSE = [name for name in LAYERS if name not in FORWARD]


def _compare(ours: Any, stack: tuple[str, ...], base: Any = theirs) -> None:
    def f(x: Any) -> Any:
        return ours(x, np.cos(x))

    def g(x: Any) -> Any:
        return base(x, jnp.cos(x))

    for layer in stack:
        f, g = LAYERS[layer][0](f), LAYERS[layer][1](g)
    got, expected = fn.jit(f)(X), jax.jit(g)(X)
    scale = float(onp.max(onp.abs(expected)))
    onp.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5 * scale, err_msg=str(stack))


@pytest.mark.parametrize("rules", ["jvp", "both"])
@pytest.mark.parametrize("outer", LAYERS)
@pytest.mark.parametrize("inner", LAYERS)
def test_pairs(rules: str, inner: str, outer: str) -> None:
    _compare(OURS[rules], (inner, outer))


@pytest.mark.parametrize("rules", ["vjp pair", "vjp function"])
@pytest.mark.parametrize("outer", REVERSE)
@pytest.mark.parametrize("inner", REVERSE)
def test_pairs_in_reverse(rules: str, inner: str, outer: str) -> None:
    _compare(OURS[rules], (inner, outer))


@pytest.mark.parametrize(
    "stack",
    [
        ("vmap", "grad", "vmap"), ("grad", "vmap", "grad"), ("remat", "vmap", "grad"),
        ("vmap", "remat", "grad"), ("grad", "grad", "grad"), ("jit", "grad", "vmap"),
        ("vmap", "vmap", "grad"), ("grad", "remat dots", "grad"), ("grad", "jvp", "vmap"),
        ("linearize", "vmap", "grad"), ("vmap", "jvp", "grad"), ("grad", "linearize", "jvp"),
    ],
)  # fmt: skip
def test_triples(stack: tuple[str, ...]) -> None:
    _compare(OURS["both"], stack)
    _compare(OURS["jvp"], stack)
    if not FORWARD & set(stack):
        _compare(OURS["vjp pair"], stack)


def test_eagerly_too() -> None:
    for ours in OURS.values():
        got = fn.vmap(fn.grad(ours))(X, Y)
        onp.testing.assert_allclose(got, 10 * onp.cos(X) * Y, rtol=1e-5)


def test_an_undifferentiated_call_is_the_function() -> None:
    seen = []
    f = fn.custom(lambda x: seen.append(type(x)) or x)
    f(X)
    assert seen == [onp.ndarray]
    assert names(fn.trace(OURS["jvp"])(X, Y)) == ["custom"]


def test_equal_calls_are_equal_equations() -> None:
    f = OURS["both"]
    program = fn.trace(lambda x: f(f(x, x), x))(X)
    assert program.equations[0].params == program.equations[1].params
    text = fn.jit(lambda x: f(f(f(x, x), x), x)).lower(X).as_text()
    assert text.count("stablehlo.sine") == 1


def test_a_rule_set_later_counts() -> None:
    f = fn.custom(lambda x: x * x)
    assert float(fn.grad(f)(3.0)) == 6.0

    @f.jvp
    def _(primals: Any, tangents: Any) -> Any:
        return f(primals[0]), tangents[0]

    assert float(fn.grad(f)(3.0)) == 1.0


SCALE = 2.0


def test_a_rule_that_reads_a_changed_global_is_traced_again() -> None:
    global SCALE
    f = fn.custom(lambda x: x * x, jvp=lambda p, t: (p[0], SCALE * t[0]))
    assert float(fn.grad(f)(3.0)) == 2.0
    SCALE = 5.0
    assert float(fn.grad(f)(3.0)) == 5.0


def test_rules_may_call_the_function_itself() -> None:
    e = fn.custom(np.exp)

    @e.jvp
    def _(primals: Any, tangents: Any) -> Any:
        out = e(primals[0])
        return out, out * tangents[0]

    g = fn.grad(fn.grad(fn.grad(e)))
    assert float(g(0.5)) == pytest.approx(onp.exp(0.5), rel=1e-6)


def test_custom_within_custom() -> None:
    def g(x: Any) -> Any:
        return 2.0 * OURS["jvp"](x, 1.0)

    outer = fn.custom(g, vjp=lambda x: (g(x), lambda ct: (3.0 * OURS["jvp"](ct, x),)))
    assert float(fn.grad(outer)(0.4)) == pytest.approx(3 * 0.4 * onp.sin(1.0), rel=1e-5)
    # d/dx 3 sin(1) x by the rules: the inner one gives ten times the derivative.
    assert float(fn.grad(fn.grad(outer))(0.4)) == pytest.approx(30 * onp.sin(1.0), rel=1e-5)


# --- arguments --------------------------------------------------------------------------


def test_keywords_and_trees() -> None:
    @fn.custom
    def f(params: Any, x: Any, *, scale: Any = 2.0, mode: str = "a") -> Any:
        return {"y": params["w"] * x * scale, "mode": mode, "n": params["n"]}

    @f.jvp
    def _(primals: Any, tangents: Any) -> Any:
        params, x, scale, mode = primals
        dparams, _, _, dmode = tangents
        assert (mode, dmode, dparams["n"], params["name"]) == ("b", None, None, "layer")
        out = f(params, x, scale=scale, mode=mode)
        return out, {"y": 10.0 * dparams["w"] * x * scale, "mode": None, "n": None}

    params = {"w": X, "n": onp.arange(3), "name": "layer"}
    for scale in (3.0, onp.float32(3.0)):
        g = fn.grad(lambda p, s: f(p, scale=s, x=Y, mode="b")["y"].sum())(params, scale)
        onp.testing.assert_allclose(g["w"], 30 * Y, rtol=1e-6)
        assert g["n"] is None
        assert g["name"] is None


def test_python_integers_and_defaults_stay_values() -> None:
    seen = []

    def f(x: Any, n: int, eps: float = 0.5, *more: Any, **named: Any) -> Any:
        seen.append((n, eps, len(more), sorted(named)))
        return x * float(n) + eps

    def rule(primals: Any, tangents: Any) -> Any:
        x, n, eps, first, named = primals
        assert range(n) == range(4) and tangents[1] is None
        assert sorted(named) == ["a"]
        return f(x, n, eps, first, **named), tangents[0] * float(n) * first

    g = fn.custom(f, jvp=rule)
    assert (
        float(fn.jit(fn.grad(lambda x: g(x, 4, onp.float32(0.25), onp.float32(3.0), a=1.0)))(1.0))
        == 12.0
    )
    assert {s[0] for s in seen} == {4}
    h = fn.custom(
        lambda x, n, eps=0.5: x * n if eps > 0 else x, jvp=lambda p, t: (p[0] * p[1], t[0] * p[2])
    )
    assert float(fn.jit(fn.grad(h))(1.0, 4)) == 0.5
    assert [str(t) for t in fn.trace(lambda x: h(x, 4))(1.0).in_types] == ["~f32[]"]


def test_needs_names_the_wanted_gradients() -> None:
    seen: list[Any] = []

    def pullback(x: Any, y: Any, needs: Any = None) -> Any:
        seen.append(("forward", needs))

        def pull(ct: Any, needs: Any) -> Any:
            seen.append(("backward", needs))
            return (ct * y["a"] if needs[0] else None), {"a": ct * x, "n": None}

        return x * y["a"], pull

    f = fn.custom(lambda x, y: x * y["a"], vjp=pullback)
    fn.grad(f)(2.0, {"a": 3.0, "n": 1})
    assert seen == [(k, (True, {"a": False, "n": False})) for k in ("forward", "backward")]
    seen.clear()
    grads = fn.grad(f, argnums=1)(2.0, {"a": 3.0, "n": 1})
    assert float(grads["a"]) == 2.0
    assert grads["n"] is None
    assert seen[0][1] == (False, {"a": True, "n": False})


def test_rule_is_not_asked_where_nothing_moves() -> None:
    def rule(primals: Any, tangents: Any) -> Any:
        raise AssertionError("asked")

    f = fn.custom(lambda x, n: x * 2, jvp=rule)
    assert float(fn.grad(lambda x: f(onp.float32(1.0), 2) * x)(3.0)) == 2.0


def test_methods_and_decorator_forms() -> None:
    @fn.custom(jvp=lambda p, t: (p[0] * 2.0, t[0] * 7.0))
    def f(x: Any) -> Any:
        return x * 2.0

    assert float(fn.grad(f)(1.0)) == 7.0
    assert repr(f).startswith("<fn.custom of ")

    class Model:
        @fn.custom
        def scaled(self, x: Any) -> Any:
            return x * self.factor

        factor = 3.0

    Model.__dict__["scaled"].vjp(lambda self, x: (x * self.factor, lambda ct: (None, ct * 11.0)))
    assert float(fn.grad(Model().scaled)(1.0)) == 11.0


# --- closures ---------------------------------------------------------------------------


def _closing(y: Any, x: Any) -> Any:
    """The rule gives ten times the derivative with respect to `x`; `y` is closed over."""
    f = fn.custom(lambda z: z * y, jvp=lambda p, t: (p[0] * y, 10.0 * t[0] * y))
    return f(x) ** 2


def _closing_vjp(y: Any, x: Any) -> Any:
    f = fn.custom(lambda z: z * y, vjp=lambda z: (z * y, lambda ct: (10.0 * ct * y,)))
    return f(x) ** 2


@pytest.mark.parametrize("function", [_closing, _closing_vjp])
@pytest.mark.parametrize("wrap", [lambda f: f, fn.jit, fn.checkpoint])
def test_closures_over_tracers(function: Any, wrap: Any) -> None:
    f = wrap(function)
    assert float(fn.grad(f)(3.0, 2.0)) == 24.0  # what is closed over: the ordinary derivative
    assert float(fn.grad(f, argnums=1)(3.0, 2.0)) == 360.0
    assert float(fn.grad(fn.grad(f, argnums=1))(3.0, 2.0)) == 240.0
    both = fn.grad(f, argnums=(0, 1))
    assert [float(g) for g in fn.jit(both)(3.0, 2.0)] == [24.0, 360.0]
    batched = fn.vmap(fn.grad(f, argnums=1), in_axes=(0, None))(onp.array([1.0, 3.0], "f4"), 2.0)
    onp.testing.assert_allclose(batched, [40.0, 360.0])
    total = fn.grad(lambda x: fn.vmap(f, in_axes=(0, None))(onp.array([1.0, 3.0], "f4"), x).sum())
    assert float(total(2.0)) == 400.0


def test_a_rule_alone_may_hold_a_tracer() -> None:
    def loss(y: Any, x: Any) -> Any:
        holder = {"deep": [lambda t: t * y]}
        f = fn.custom(lambda z: z * z, jvp=lambda p, t: (p[0] * p[0], holder["deep"][0](t[0])))
        return fn.jit(f)(x)

    assert float(fn.grad(loss, argnums=1)(5.0, 2.0)) == 5.0
    assert float(fn.grad(fn.jit(fn.grad(loss, argnums=1)))(5.0, 2.0)) == 1.0


def test_nested_transforms_inside_rules() -> None:
    def loss(y: Any, x: Any) -> Any:
        def rule(primals: Any, tangents: Any) -> Any:
            slope = fn.jit(fn.grad(lambda z: np.sin(z) * y))(primals[0])
            return np.sin(primals[0]) * y, slope * tangents[0]

        return fn.custom(lambda z: np.sin(z) * y, jvp=rule)(x)

    assert float(fn.grad(loss, argnums=1)(2.0, 0.5)) == pytest.approx(2 * onp.cos(0.5))
    assert float(fn.grad(fn.grad(loss, argnums=1))(2.0, 0.5)) == pytest.approx(onp.cos(0.5))


def test_the_value_of_what_a_rule_closes_over_is_not_known() -> None:
    def loss(y: Any, x: Any) -> Any:
        def rule(primals: Any, tangents: Any) -> Any:
            return primals[0], tangents[0] * (1.0 if y > 0 else 2.0)

        return fn.custom(lambda z: z, jvp=rule)(x)

    with pytest.raises(fn.FnError, match="needs the value of an array"):
        fn.grad(loss, argnums=1)(2.0, 0.5)


def test_leaks_are_still_leaks() -> None:
    kept: list[Any] = []
    fn.trace(lambda x: kept.append(x) or x)(1.0)
    with pytest.raises(LeakError):
        fn.grad(fn.custom(lambda x: x * kept[0], jvp=lambda p, t: (p[0], t[0])))(1.0)


def test_the_function_may_look_at_values_where_they_are_known() -> None:
    f = fn.custom(lambda x: x * 2.0 if x > 0 else x, jvp=lambda p, t: (p[0], 5.0 * t[0]))
    _, slope = fn.value_and_grad(f)(3.0)
    assert float(slope) == 5.0


# --- vmap and transpose rules -----------------------------------------------------------


def test_vmap_rule() -> None:
    seen = []

    def rule(args: Any, mapped: Any, size: int) -> Any:
        seen.append((mapped, size, [getattr(a, "shape", a) for a in args[0].values()]))
        d, y = args
        return (d["a"] * y * 100.0, y), (True, mapped[1])

    f = fn.custom(lambda d, y: (d["a"] * y, y), vmap=rule)
    out, same = fn.vmap(f, in_axes=({"a": 0, "n": None}, None))({"a": X, "n": "static"}, 2.0)
    onp.testing.assert_allclose(out, 200 * X, rtol=1e-6)
    onp.testing.assert_allclose(same, [2, 2, 2])
    assert seen == [(({"a": True, "n": False}, False), 3, [(3,), "static"])]
    onp.testing.assert_allclose(fn.vmap(fn.vmap(f, in_axes=(None, 0)), in_axes=({"a": 0}, None))({"a": X}, Y)[0],
                                100 * onp.outer(X, Y), rtol=1e-6)  # fmt: skip


def test_vmap_rule_beside_a_jvp_rule() -> None:
    f = fn.custom(
        lambda x: x * x, jvp=lambda p, t: (p[0] * p[0], 3.0 * t[0]),
        vmap=lambda args, mapped, size: (args[0] * args[0] + 1.0, True),
    )  # fmt: skip
    onp.testing.assert_allclose(fn.vmap(f)(X), X * X + 1, rtol=1e-6)
    onp.testing.assert_allclose(fn.grad(lambda x: fn.vmap(f)(x).sum())(X), [3, 3, 3])
    onp.testing.assert_allclose(fn.vmap(fn.grad(f))(X), [3, 3, 3])


def test_vmap_rule_steps_back_where_a_closure_is_mapped() -> None:
    def g(y: Any, x: Any) -> Any:
        return fn.custom(lambda z: z * y, vmap=lambda args, mapped, size: (args[0], True))(x)

    onp.testing.assert_allclose(fn.vmap(g)(X, Y), X * Y, rtol=1e-6)


def test_captured_arrays_in_vmap_rules() -> None:
    held = jnp.asarray(Y)
    f = fn.custom(lambda x: x * 2.0, vmap=lambda args, mapped, size: (args[0] * held, True))
    g = fn.custom(f, vjp=lambda x: (f(x), lambda ct: (f(ct * x),)))
    onp.testing.assert_allclose(fn.vmap(f)(X), X * Y, rtol=1e-6)
    onp.testing.assert_allclose(fn.vmap(fn.grad(g))(X), X * Y, rtol=1e-6)
    onp.testing.assert_allclose(fn.grad(lambda x: fn.vmap(g)(x).sum())(X), X * Y, rtol=1e-6)


def test_an_unmapped_argument_gets_the_sum() -> None:
    for f in OURS.values():
        batched = fn.vmap(f, in_axes=(0, None))
        got = fn.grad(lambda y, g=batched: g(X, y).sum())(2.0)
        assert float(got) == pytest.approx(10 * onp.sin(X).sum(), rel=1e-5)


def test_transpose_rule() -> None:
    seen = []

    def rule(args: Any, ct: Any) -> Any:
        x, y = args
        seen.append((type(x), type(y)))
        return ct * 100.0, None

    f = fn.custom(lambda x, y: x * 2.0, transpose=rule)
    assert float(fn.linear_transpose(lambda x: f(x, 1.0), 1.0)(3.0)[0]) == 300.0
    assert float(fn.grad(lambda x: f(x, 1.0))(3.0)) == 100.0
    assert seen[-1][0] is Linear
    onp.testing.assert_allclose(
        fn.grad(lambda x: fn.vmap(f, in_axes=(0, None))(x, 1.0).sum())(X), [100] * 3
    )
    assert float(fn.jvp(lambda x: f(x, 1.0), (3.0,), (1.0,))[1]) == 2.0


def test_without_rules_derivatives_are_those_of_the_function() -> None:
    f = fn.custom(_f)
    onp.testing.assert_allclose(fn.grad(lambda x: f(x, Y).sum())(X), onp.cos(X) * Y, rtol=1e-6)
    assert fn.jvp(f, (X, Y), (X, None))[1].shape == (3,)


def test_collectives_in_rules() -> None:
    f = fn.custom(
        lambda x: fn.psum(x, "i"), jvp=lambda p, t: (fn.psum(p[0], "i"), 2.0 * fn.psum(t[0], "i"))
    )
    _, moved = fn.vmap(lambda x: fn.jvp(f, (x,), (1.0,)), axis_name="i")(X)
    onp.testing.assert_allclose(moved, [6, 6, 6])
    got = fn.jvp(fn.vmap(f, axis_name="i"), (X,), (onp.ones(3, "f4"),))[1]
    onp.testing.assert_allclose(got, [6, 6, 6])
