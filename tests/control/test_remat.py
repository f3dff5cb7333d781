"""`checkpoint`: the same numbers, fewer bytes; what policies and budgets keep."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.control import inline_calls
from fn.core import ArgumentError, check
from tests.programs import equations, names

X = onp.linspace(-1, 1, 12, dtype=onp.float32).reshape(4, 3)
W = onp.linspace(-0.5, 0.7, 9, dtype=onp.float32).reshape(3, 3)


def _block(x: Any, w: Any) -> Any:
    h = fn.name(np.sin(x @ w), "wave")
    return np.tanh(h * np.cos(h)) @ w


def _theirs(x: Any, w: Any) -> Any:
    h = jnp.sin(x @ w)
    return jnp.tanh(h * jnp.cos(h)) @ w


POLICIES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "everything": {"policy": "everything"},
    "dots": {"policy": "dots"},
    "dots_without_batch_dims": {"policy": "dots_without_batch_dims"},
    "named": {"policy": fn.save_only("wave")},
    "function": {"policy": lambda equation: equation.primitive.name == "tanh"},
    "budget 0": {"memory_budget": 0},
    "budget 50": {"memory_budget": 50},
    "budget 1000": {"memory_budget": 1000},
}
LAYERS: dict[str, tuple[Any, Any]] = {
    "grad": (
        lambda f: fn.grad(lambda x: (f(x) * x).sum()),
        lambda f: jax.grad(lambda x: (f(x) * x).sum()),
    ),
    "jvp": (
        lambda f: lambda x: fn.jvp(f, (x,), (x * x,))[1],
        lambda f: lambda x: jax.jvp(f, (x,), (x * x,))[1],
    ),
    "linearize": (
        lambda f: lambda x: fn.linearize(f, x)[1](x * x),
        lambda f: lambda x: jax.linearize(f, x)[1](x * x),
    ),
    "vmap": (
        lambda f: lambda x: fn.vmap(lambda s: f(x * s), out_axes=1)(X[0]).sum(1),
        lambda f: lambda x: jax.vmap(lambda s: f(x * s), out_axes=1)(jnp.asarray(X[0])).sum(1),
    ),
    "jit": (fn.jit, jax.jit),
    "remat": (fn.checkpoint, jax.checkpoint),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("stack", [("grad",), ("vmap", "grad"), ("grad", "vmap"), ("grad", "grad")])
def test_policies(policy: str, stack: tuple[str, ...]) -> None:
    _compare(fn.checkpoint(_block, **POLICIES[policy]), stack)


@pytest.mark.parametrize("outer", LAYERS)
@pytest.mark.parametrize("inner", LAYERS)
def test_pairs(inner: str, outer: str) -> None:
    _compare(fn.checkpoint(_block, policy="dots"), (inner, outer))
    _compare(fn.checkpoint(fn.jit(_block)), (inner, outer))


def _compare(block: Any, stack: tuple[str, ...]) -> None:
    def f(x: Any) -> Any:
        return block(block(x, W), W)

    def g(x: Any) -> Any:
        return _theirs(_theirs(x, W), W)

    for layer in stack:
        f, g = LAYERS[layer][0](f), LAYERS[layer][1](g)
    onp.testing.assert_allclose(fn.jit(f)(X), jax.jit(g)(X), rtol=2e-4, atol=1e-5)
    onp.testing.assert_allclose(f(X), jax.jit(g)(X), rtol=2e-4, atol=1e-5)


def test_eager_calls_are_the_function() -> None:
    seen = []
    fn.checkpoint(lambda x: seen.append(type(x)) or x)(X)
    assert seen == [onp.ndarray]


def test_closures_keywords_and_static_leaves() -> None:
    @fn.checkpoint
    def f(x: Any, *, mode: str) -> Any:
        return {"y": np.sin(x) * held, "mode": mode}

    held = jnp.asarray(X)
    g = fn.grad(lambda x: f(x, mode="a")["y"].sum())(X)
    onp.testing.assert_allclose(g, onp.cos(X) * X, rtol=1e-6)
    h = fn.grad(lambda y: fn.checkpoint(lambda x: np.sin(x) * y)(X).sum())(2.0)
    assert float(h) == pytest.approx(onp.sin(X).sum(), abs=1e-5)


def test_what_is_recomputed() -> None:
    """The backward pass of a checkpointed function computes its sines again; the dots it kept, not."""

    def dots(policy: Any) -> int:
        program = fn.trace(fn.grad(lambda x: fn.checkpoint(_block, policy=policy)(x, W).sum()))(X)
        check(program)
        again = [e.params["program"] for e in equations(program) if e.params.get("deferred")]
        return sum(names(p).count("dot_general") for p in again)

    # Two of each backward pass are products with cotangents; one of the forward pass is needed again.
    assert dots("nothing") == dots("dots") + 1


def test_everything_is_no_checkpoint_at_all() -> None:
    def residuals(**options: Any) -> list[str]:
        f = fn.checkpoint(_block, **options) if options else _block
        return sorted(str(r.type) for r in fn.inspect.residuals(f)(X, W))

    assert residuals(policy="everything") == residuals()
    program = fn.trace(fn.grad(lambda x: fn.checkpoint(_block, policy="everything")(x, W).sum()))(X)
    assert not any(e.params.get("deferred") for e in equations(program))


def test_policies_look_into_jitted_functions() -> None:
    for f in (_block, fn.jit(_block), fn.jit(lambda x, w: fn.jit(_block)(x, w))):
        kept = fn.inspect.residuals(fn.checkpoint(f, policy=fn.save_only("wave")))(X, W)
        assert [r.name for r in kept.computed] == ["wave"]


def test_inlining_gives_the_same_program() -> None:
    flat = fn.trace(_block)(X, W)
    nested = fn.trace(fn.jit(lambda x, w: fn.jit(_block)(x, w)))(X, W)
    assert inline_calls(nested) == flat


def test_a_budget_is_kept_to() -> None:
    def kept(budget: int) -> Any:
        return fn.inspect.residuals(fn.checkpoint(_block, memory_budget=budget))(X, W).computed

    assert kept(0) == []
    sizes = [kept(budget).bytes for budget in (47, 48, 96, 150, 10_000)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 0 and sizes[1] == 48 and sizes[2] <= 96 and sizes[3] <= 150
    free = fn.inspect.residuals(_block)(X, W).computed
    assert kept(10_000).bytes == free.bytes


def test_a_budget_goes_to_what_costs_most() -> None:
    wide, tall = onp.ones((8, 512), "f4"), onp.ones((512, 8), "f4")
    f = fn.checkpoint(lambda w, t: np.sin(np.sin(w @ t)), memory_budget=8 * 8 * 4)
    assert [r.origin for r in fn.inspect.residuals(f)(wide, tall).computed] == ["dot_general"]


def test_budgets_count_the_work_inside_calls() -> None:
    wide, tall = onp.ones((8, 512), "f4"), onp.ones((512, 8), "f4")
    f = fn.checkpoint(
        lambda w, t: fn.jit(lambda a, b: np.sin(np.sin(a @ b)))(w, t), memory_budget=256
    )
    assert [r.origin for r in fn.inspect.residuals(f)(wide, tall).computed] == ["dot_general"]


def test_memory_of_the_executable_falls() -> None:
    """Not only in the Program: XLA's own account of temporaries, on CPU, where it drops barriers."""
    weights = [jnp.eye(64, dtype=jnp.float32)] * 8
    x = jnp.ones((2048, 64), jnp.float32)

    def temporaries(wrap: Any) -> int:
        def loss(weights: Any, x: Any) -> Any:
            for w in weights:
                x = wrap(_block)(x, w)
            return x.sum()

        compiled = fn.jit(fn.grad(loss)).lower(weights, x).compile()
        return int(compiled.memory_analysis().temp_size_in_bytes)

    without = temporaries(lambda f: f)
    nothing, dots = temporaries(fn.checkpoint), temporaries(fn.checkpoint(policy="dots"))
    assert nothing < 0.6 * without
    assert nothing < dots < without


def test_second_order_recomputes_too() -> None:
    f = fn.checkpoint(_block)
    inner = fn.grad(lambda x: f(x, W).sum())
    kept = fn.inspect.residuals(lambda x: (inner(x) * x).sum())(X).computed
    plain = fn.grad(lambda x: _block(x, W).sum())
    assert kept.bytes < fn.inspect.residuals(lambda x: (plain(x) * x).sum())(X).computed.bytes


def test_custom_rules_inside() -> None:
    f = fn.custom(np.sin, vjp=lambda x: (np.sin(x), lambda ct: (10.0 * ct * np.cos(x),)))
    for policy in ("nothing", "dots", "everything"):
        g = fn.checkpoint(lambda x: f(f(x)), policy=policy)
        expected = 100 * onp.cos(onp.sin(X)) * onp.cos(X)
        onp.testing.assert_allclose(fn.grad(lambda x, g=g: g(x).sum())(X), expected, rtol=1e-5)


def test_barriers() -> None:
    a, _ = fn.jit(fn.optimization_barrier)(X, W)
    onp.testing.assert_array_equal(a, X)
    assert "optimization_barrier" in fn.jit(fn.optimization_barrier).lower(X).as_text()
    g = fn.grad(lambda x, w: fn.optimization_barrier(x, w)[0].sum())(X, W)
    onp.testing.assert_array_equal(g, onp.ones_like(X))


def test_names() -> None:
    tree = fn.trace(lambda x: fn.name({"a": x, "b": "static"}, "both"))(X)
    assert names(tree) == ["name"]
    with pytest.raises(ArgumentError, match="name: the name is not a string"):
        fn.name(X, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"policy": "some"}, "no such policy"),
        ({"policy": "dots", "memory_budget": 3}, "exclude each other"),
        ({"memory_budget": -1}, "not a number of bytes"),
        ({"memory_budget": 1.5}, "not a number of bytes"),
    ],
)
def test_errors(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        fn.checkpoint(_block, **options)


def test_more_errors() -> None:
    with pytest.raises(ArgumentError, match="checkpoint: the first argument is not a function"):
        fn.checkpoint(3)
    with pytest.raises(ArgumentError, match="save_only: the names are not strings"):
        fn.save_only()
