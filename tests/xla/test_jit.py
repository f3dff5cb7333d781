"""`jit`: static leaves, captured arrays, donation, placement, ahead of time, and the words of errors."""

import enum
import functools

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec, SingleDeviceSharding

import fn
from fn.core import ArgumentError, ArrayType, ConcretizationError
from fn.ops import add, dot_general, gt, mul, neg, reduce_sum, sin
from tests.programs import names

X = np.arange(6, dtype=np.float32).reshape(2, 3)


class Mode(enum.Enum):
    DOUBLE = 2.0
    TRIPLE = 3.0


def _counted(f):
    """`f`, and how often Python ran it."""
    calls = []

    @functools.wraps(f)
    def g(*args, **kwargs):
        calls.append(1)
        return f(*args, **kwargs)

    return g, calls


# --- arguments --------------------------------------------------------------------------


def test_compiled_once_per_type() -> None:
    f, calls = _counted(lambda x: mul(x, x))
    g = fn.jit(f)
    for x in (X, X + 1, jax.numpy.asarray(X)):
        np.testing.assert_array_equal(g(x), x * x)
    assert len(calls) == 1
    g(X.astype(np.float16))
    g(X[0])
    assert len(calls) == 3
    assert float(g(3.0)) == 9.0
    assert g(3.0).weak_type and not g(np.float32(3)).weak_type


def test_static_leaves_are_static_by_themselves() -> None:
    def f(p, x):
        if p["name"] == "neg":
            x = neg(x)
        if p["act"] is not None:
            x = p["act"](x)
        return mul(x, p["mode"].value), p["name"]

    f, calls = _counted(f)
    g = fn.jit(f)
    y, name = g({"name": "neg", "act": sin, "mode": Mode.DOUBLE}, X)
    np.testing.assert_allclose(y, 2 * np.sin(-X), rtol=1e-6)
    assert name == "neg"
    y, name = g({"name": "pos", "act": None, "mode": Mode.TRIPLE}, X)
    np.testing.assert_allclose(y, 3 * X)
    assert name == "pos"
    assert len(calls) == 2
    g({"name": "neg", "act": sin, "mode": Mode.DOUBLE}, X + 1)
    g({"name": "pos", "act": None, "mode": Mode.TRIPLE}, X + 1)
    assert len(calls) == 2


def test_similar_static_leaves_are_told_apart() -> None:
    class Named(str):
        pass

    f = fn.jit(lambda x, s: (x, type(s).__name__))
    assert f(1.0, "a")[1] == "str"
    assert f(1.0, Named("a"))[1] == "Named"


def test_static_argnums_and_argnames() -> None:
    def f(x, n, flag=True):
        y = x
        for _ in range(n):
            y = mul(y, x)
        return y if flag else neg(y)

    for g in (
        fn.jit(f, static_argnums=(1, 2)),
        fn.jit(f, static_argnames=("n", "flag")),
        fn.jit(f, static_argnums=1, static_argnames="flag"),
        fn.jit(static_argnums=(1, -1))(f),
    ):
        assert float(g(2.0, 2, True)) == 8.0
        assert float(g(2.0, 3, False)) == -16.0
        assert float(g(2.0, n=1, flag=True)) == 4.0
    variadic = fn.jit(lambda x, *rest: mul(x, float(rest[-1])), static_argnums=-1)
    assert float(variadic(2.0, X, 3)) == 6.0
    assert float(fn.grad(fn.jit(f, static_argnums=1))(2.0, 2)) == 12.0
    assert [float(y) for y in fn.vmap(fn.jit(f, static_argnums=1), in_axes=(0, None))(X[0], 1)] == [
        0,
        1,
        4,
    ]
    with pytest.raises(ConcretizationError, match="of jit"):
        fn.jit(fn.jit(f, static_argnums=1))(2.0, 2)
    assert float(fn.jit(f, static_argnums=1).lower(2.0, 2).compile()(3.0)) == 27.0


def test_words_about_static_arguments() -> None:
    f = fn.jit(lambda x, n: x, static_argnums=1)
    for call in (lambda: f(1.0, [3]), lambda: fn.grad(f)(1.0, [3]), lambda: f.lower(1.0, [3])):
        with pytest.raises(
            ArgumentError, match=r"jit: static argument `.*1.*` is not hashable"
        ) as caught:
            call()
        assert "got:      list" in str(caught.value)
    g = fn.jit(lambda p: p["x"])
    for call in (
        lambda: g({"x": X, "names": {1, 2}}), lambda: g.lower({"x": X, "names": {1, 2}}),
        lambda: fn.trace(lambda x: g({"x": x, "names": {1, 2}}))(X),
    ):  # fmt: skip
        with pytest.raises(
            ArgumentError, match="jit: argument `p/names` is neither an array nor hashable"
        ) as caught:
            call()
        assert "got:      set at `p/names`" in str(caught.value)
    with pytest.raises(ArgumentError, match="jit: argument `p/x` is not an array"):
        g({"x": np.array(["text"])})


def test_static_results() -> None:
    f = fn.jit(
        lambda x: {"y": mul(x, 2.0), "name": "out", "none": None, "kind": Mode.DOUBLE, "n": 3}
    )
    for _ in range(2):
        out = f(X)
        assert (out["name"], out["none"], out["kind"]) == ("out", None, Mode.DOUBLE)
        assert int(out["n"]) == 3 and isinstance(out["n"], jax.Array)
        np.testing.assert_array_equal(out["y"], 2 * X)


def test_keyword_arguments_and_trees() -> None:
    f = fn.jit(lambda p, *rest, scale=1.0: (mul(p[0], scale), rest))
    y, rest = f((X, None), X, scale=3.0)
    np.testing.assert_array_equal(y, 3 * X)
    np.testing.assert_array_equal(rest[0], X)
    assert fn.jit(lambda: 2.0)() == 2.0


def test_methods() -> None:
    @jax.tree_util.register_pytree_node_class
    class Model:
        def __init__(self, w):
            self.w = w

        def tree_flatten(self):
            return (self.w,), None

        @classmethod
        def tree_unflatten(cls, _, children):
            return cls(*children)

        @fn.jit
        def __call__(self, x):
            return mul(self.w, x)

    assert float(Model(2.0)(3.0)) == 6.0
    assert float(fn.grad(lambda m: m(3.0))(Model(2.0)).w) == 3.0


def test_like_the_function_it_wraps() -> None:
    @fn.jit
    def named(x):
        """Its words."""
        return x

    assert (named.__name__, named.__doc__) == ("named", "Its words.")
    assert repr(named).startswith("<fn.jit of test_like_the_function_it_wraps")


# --- what cannot be compiled ------------------------------------------------------------


def test_abstract_values() -> None:
    @fn.jit
    def f(p):
        return p["x"] if gt(p["x"], 0.0) else neg(p["x"])

    for call in (lambda: f({"x": 1.0}), lambda: f.lower({"x": 1.0}), lambda: f.trace({"x": 1.0}),
                 lambda: fn.vmap(f)({"x": X[0]})):  # fmt: skip
        with pytest.raises(ConcretizationError) as caught:
            call()
        text = str(caught.value)
        assert text.startswith(
            "bool(x), as in `if x:` needs the value of an array that jit(f) knows only by its type"
        )
        assert "which depends on argument `p/x`" in text
        assert "fn.numpy.where" in text and "static_argnums" in text


def test_a_failed_call_does_no_harm() -> None:
    @fn.jit
    def f(x):
        if x.ndim != 2:
            raise ValueError("two axes, please")
        return mul(x, 2.0)

    for _ in range(2):
        with pytest.raises(ValueError, match="two axes, please"):
            f(X[0])
        np.testing.assert_array_equal(f(X), 2 * X)


def test_words_about_options() -> None:
    with pytest.raises(ArgumentError, match="jit: the first argument is not a function"):
        fn.jit(X)
    with pytest.raises(ArgumentError, match="jit: device and shardings exclude each other"):
        fn.jit(sin, device=jax.devices()[0], in_shardings=SingleDeviceSharding(jax.devices()[0]))


# --- captured arrays --------------------------------------------------------------------


def test_captured_arrays_are_arguments_not_constants() -> None:
    held = jax.numpy.arange(1000, dtype=np.float32)
    also = np.arange(1000, dtype=np.float32)
    f = fn.jit(lambda x: reduce_sum(mul(mul(x, held), also), axes=(0,)))
    text = f.lower(held).as_text()
    assert "tensor<1000xf32>" in text
    main = next(line for line in text.splitlines() if "func.func public @main" in line)
    assert main.count("tensor<1000xf32>") == 3
    assert not [line for line in text.splitlines() if "constant" in line and "1000x" in line]
    np.testing.assert_allclose(f(held), np.sum(also**3), rtol=1e-5)
    np.testing.assert_allclose(f.lower(held).compile()(held), np.sum(also**3), rtol=1e-5)


def test_captured_arrays_of_several_traces() -> None:
    tables = [jax.numpy.arange(n, dtype=np.float32) for n in (2, 3, 4)]

    @fn.jit
    def f(x):
        return mul(x, tables[x.shape[0] - 2])

    for _ in range(2):
        for n in (2, 3, 4):
            np.testing.assert_array_equal(f(np.ones(n, np.float32)), np.arange(n))


def test_captured_by_an_inner_function() -> None:
    held = jax.numpy.arange(3, dtype=np.float32)
    inner = fn.jit(lambda x: mul(x, held))
    outer = fn.jit(lambda x: add(inner(x), held))
    np.testing.assert_array_equal(outer(X[0]), X[0] * np.arange(3) + np.arange(3))
    np.testing.assert_array_equal(fn.vmap(outer)(X), X * np.arange(3) + np.arange(3))


def test_a_new_jit_of_a_closure_sees_its_new_arrays() -> None:
    for value in (1.0, 2.0, 3.0):
        held = jax.numpy.full(3, value)
        np.testing.assert_array_equal(fn.jit(lambda x, held=held: mul(x, held))(X[0]), X[0] * value)
        np.testing.assert_array_equal(fn.jit(lambda x: mul(x, held))(X[0]), X[0] * value)


def test_donation() -> None:
    f = fn.jit(lambda x, y: (add(x, 1.0), mul(y, 2.0)), donate_argnums=0)
    x, y = jax.numpy.ones((64, 64)), jax.numpy.ones((64, 64))
    f(x, y)
    assert x.is_deleted()
    assert not y.is_deleted()
    g = fn.jit(lambda x, y: (add(x, 1.0), mul(y, 2.0)), donate_argnames="y")
    x, y = jax.numpy.ones((64, 64)), jax.numpy.ones((64, 64))
    g(x, y=y)
    assert not x.is_deleted()
    assert y.is_deleted()


def test_donation_leaves_captured_arrays_alone() -> None:
    held = jax.numpy.ones((64, 64))
    f = fn.jit(lambda x: add(x, held), donate_argnums=0)
    for _ in range(3):
        x = jax.numpy.ones((64, 64))
        f(x)
        assert x.is_deleted()
        assert not held.is_deleted()


def test_static_results_and_captured_arrays_together() -> None:
    tables = [jax.numpy.arange(n, dtype=np.float32) for n in (2, 3)]
    f = fn.jit(lambda x, s: (mul(x, tables[x.shape[0] - 2]), s, "out"))
    for _ in range(2):
        for n in (2, 3):
            y, *rest = f(np.ones(n, np.float32), "in")
            np.testing.assert_array_equal(y, np.arange(n))
            assert rest == ["in", "out"]


# --- where ------------------------------------------------------------------------------

MESH = Mesh(np.array(jax.devices()[:8]).reshape(4, 2), ("data", "model"))
ROWS = NamedSharding(MESH, PartitionSpec("data"))
COLUMNS = NamedSharding(MESH, PartitionSpec(None, "model"))
BIG = np.arange(8 * 6, dtype=np.float32).reshape(8, 6) / 10
WEIGHTS = np.linspace(-1, 1, 36, dtype=np.float32).reshape(6, 6)


def _product(x, w):
    return sin(dot_general(x, w, contract=((1,), (0,)), batch=((), ())))


def test_sharded_inputs_are_computed_sharded() -> None:
    x, w = jax.device_put(BIG, ROWS), jax.device_put(WEIGHTS, COLUMNS)
    y = fn.jit(_product)(x, w)
    np.testing.assert_allclose(y, np.sin(BIG @ WEIGHTS), rtol=1e-5, atol=1e-6)
    assert y.sharding.is_equivalent_to(NamedSharding(MESH, PartitionSpec("data", "model")), 2)
    assert {s.data.shape for s in y.addressable_shards} == {(2, 3)}


def test_gradients_of_sharded_inputs() -> None:
    def loss(w, x):
        return reduce_sum(_product(x, w), axes=(0, 1))

    x = jax.device_put(BIG, ROWS)
    got = fn.jit(fn.grad(loss))(WEIGHTS, x)
    np.testing.assert_allclose(got, fn.grad(loss)(WEIGHTS, BIG), rtol=1e-4, atol=1e-5)


def test_eager_operations_on_sharded_arrays() -> None:
    y = sin(jax.device_put(BIG, ROWS))
    assert y.sharding.is_equivalent_to(ROWS, 2)


def test_in_and_out_shardings() -> None:
    f = fn.jit(_product, in_shardings=(ROWS, None), out_shardings=COLUMNS)
    y = f(BIG, WEIGHTS)
    np.testing.assert_allclose(y, np.sin(BIG @ WEIGHTS), rtol=1e-5, atol=1e-6)
    assert y.sharding.is_equivalent_to(COLUMNS, 2)
    g = fn.jit(lambda x, y: add(x, y), in_shardings=ROWS)
    assert g(BIG, BIG).sharding.is_equivalent_to(ROWS, 2)
    held = jax.numpy.asarray(BIG)
    h = fn.jit(lambda x: add(x, held), in_shardings=(ROWS,), out_shardings=ROWS)
    np.testing.assert_array_equal(h(BIG), 2 * BIG)
    assert h(BIG).sharding.is_equivalent_to(ROWS, 2)


def test_device() -> None:
    device = jax.devices()[3]
    y = fn.jit(sin, device=device)(X)
    assert y.devices() == {device}
    assert sin(y).devices() == {device}


# --- ahead of time ----------------------------------------------------------------------


def test_trace_lower_compile() -> None:
    f = fn.jit(lambda p, s: {"y": mul(p["x"], 2.0), "s": s})
    traced = f.trace({"x": X}, "text")
    assert names(traced.program) == ["mul"]
    assert repr(traced).startswith("TracedCall(<Program <lambda>")
    lowered = traced.lower()
    assert "stablehlo.multiply" in lowered.as_text()
    compiled = lowered.compile()
    out = compiled({"x": X + 1}, "text")
    np.testing.assert_array_equal(out["y"], 2 * X + 2)
    assert out["s"] == "text"
    assert "HloModule" in compiled.as_text()
    assert compiled.cost_analysis()["flops"] >= 6
    assert compiled.memory_analysis() is not None
    with pytest.raises(Exception, match=r"(?i)type|shape|aval"):
        compiled({"x": X[0]}, "text")


def test_types_in_place_of_arrays() -> None:
    f = fn.jit(lambda x: mul(x, x))
    for t in (ArrayType((2, 3), np.float32), jax.ShapeDtypeStruct((2, 3), np.float32)):
        np.testing.assert_array_equal(f.lower(t).compile()(X), X * X)
        assert f.trace(t).program == fn.trace(lambda x: mul(x, x))(X)
    weak = f.lower(ArrayType((), np.float32, weak=True)).compile()
    assert float(weak(3.0)) == 9.0


def test_clear_cache() -> None:
    f, calls = _counted(lambda x: mul(x, x))
    g = fn.jit(f)
    g(X)
    g.clear_cache()
    fn.clear_trace_cache()
    np.testing.assert_array_equal(g(X), X * X)
    assert len(calls) == 2


# --- under other transforms -------------------------------------------------------------


def test_a_call_under_a_trace_is_one_equation() -> None:
    f = fn.jit(lambda x: sin(mul(x, x)))
    assert names(fn.trace(lambda x: add(f(x), f(x)))(X)) == ["call", "call", "add"]
    assert names(fn.trace(fn.jit(f))(X)) == ["call"]


@pytest.mark.parametrize("transform", [fn.grad, fn.vmap, lambda f: fn.vmap(fn.grad(f)), fn.jit])
def test_jit_changes_nothing(transform) -> None:
    def f(x):
        return reduce_sum(mul(sin(x), x), axes=tuple(range(x.ndim)))

    np.testing.assert_allclose(transform(fn.jit(f))(X), transform(f)(X), rtol=1e-6)
    np.testing.assert_allclose(fn.jit(transform(fn.jit(f)))(X), transform(f)(X), rtol=1e-6)


def test_constants_computed_inside_are_concrete() -> None:
    @fn.jit
    def f(x):
        scale = float(sin(np.float32(np.pi / 2)))
        return mul(x, scale)

    np.testing.assert_array_equal(f(X), X)


def test_64_bits() -> None:
    f = fn.jit(lambda x: mul(x, 2.0))
    assert f(1.0).dtype == np.float32
    with jax.enable_x64(True):
        assert f(1.0).dtype == np.float64
        assert f(np.float32(1.0)).dtype == np.float32
        assert f(X.astype(np.float64)).dtype == np.float64
    assert f(1.0).dtype == np.float32


def test_inside_jax_jit() -> None:
    f = fn.jit(lambda x: mul(x, sin(x)))
    np.testing.assert_allclose(jax.jit(lambda x: f(x) + 1)(X), X * np.sin(X) + 1, rtol=1e-5)


def test_a_positional_only_argument_may_be_static() -> None:
    def repeated(x, n, /):
        return fn.ops.mul(x, float(n))

    assert float(fn.jit(repeated, static_argnums=1)(2.0, 3)) == 6.0
