"""`grad`, `value_and_grad`, `vjp`, `linear_transpose`: trees, options, words, sharing."""

import jax
import numpy as np
import pytest

import fn
from fn.core import ArgumentError, ConcretizationError, TreeError, dce
from fn.ops import add, convert, cos, exp, gt, imag_part, mul, neg, real_part, reduce_sum, sin
from tests.programs import equations, names, programs, zeros_computed_with

X = np.arange(1, 7, dtype=np.float32).reshape(2, 3)


def total(x):
    return reduce_sum(x, axes=tuple(range(x.ndim)))


# --- trees ------------------------------------------------------------------------------


def _loss(p, scale=1.0):
    return mul(add(total(mul(p["w"], p["w"])), p["b"][0]), scale)


MIXED = {"w": X, "b": [2.0, np.int32(3)], "name": "layer", "flag": True, "act": sin, "none": None}


def test_a_gradient_has_the_structure_of_its_argument() -> None:
    g = fn.grad(_loss)(MIXED)
    np.testing.assert_allclose(g["w"], 2 * X)
    assert float(g["b"][0]) == 1.0
    assert (g["b"][1], g["name"], g["flag"], g["act"], g["none"]) == (None,) * 5
    assert g["w"].dtype == np.float32


def test_strict_lists_the_paths_without_derivative() -> None:
    with pytest.raises(ArgumentError, match="leaves without a derivative") as caught:
        fn.grad(_loss, strict=True)(MIXED)
    got = str(caught.value).split("got:")[1].splitlines()[0]
    assert got.strip() == "`p/act` (static), `p/b/1` (i32[]), `p/flag` (bool[]), `p/name` (static)"
    fn.grad(lambda p: p["w"], strict=True)({"w": 2.0})


def test_nothing_to_differentiate() -> None:
    for args in ((3,), ("a",), ({"n": 3},)):
        with pytest.raises(ArgumentError, match="grad: nothing to differentiate") as caught:
            fn.grad(lambda x: 1.0)(*args)
        assert "`x" in str(caught.value)


def test_argnums() -> None:
    def f(x, y, z):
        return mul(mul(x, y), z)

    assert float(fn.grad(f)(2.0, 3.0, 4.0)) == 12.0
    assert float(fn.grad(f, 1)(2.0, 3.0, 4.0)) == 8.0
    assert float(fn.grad(f, argnums=-1)(2.0, 3.0, 4.0)) == 6.0
    assert [float(g) for g in fn.grad(f, (0, 2))(2.0, 3.0, 4.0)] == [12.0, 6.0]
    assert [float(g) for g in fn.grad(f, [2, 0])(2.0, 3.0, 4.0)] == [6.0, 12.0]
    assert fn.grad(f, (1,))(2.0, 3.0, 4.0) == (8.0,)
    for bad in (3, -4, 1.0, "x", (0, 5)):
        with pytest.raises(ArgumentError, match="argnums does not name a positional argument"):
            fn.grad(f, bad)(2.0, 3.0, 4.0)


def test_keyword_arguments_are_not_differentiated() -> None:
    assert float(fn.grad(_loss)({"w": X, "b": [1.0]}, scale=3.0)["b"][0]) == 3.0
    with pytest.raises(ArgumentError, match="argnums does not name"):
        fn.grad(lambda x: x)(x=1.0)


def test_has_aux() -> None:
    def f(x):
        return mul(x, x), {"seen": sin(x), "name": "run", "n": 3}

    g, aux = fn.grad(f, has_aux=True)(2.0)
    assert float(g) == 4.0
    assert float(aux["seen"]) == pytest.approx(np.sin(2))
    assert aux["name"] == "run" and aux["n"] == 3
    (value, aux), g = fn.value_and_grad(f, has_aux=True)(2.0)
    assert (float(value), float(g), aux["name"]) == (4.0, 4.0, "run")
    y, f_vjp, aux = fn.vjp(f, 2.0, has_aux=True)
    assert (float(y), float(f_vjp(1.0)[0]), aux["name"]) == (4.0, 4.0, "run")
    with pytest.raises(ArgumentError, match="did not return a pair"):
        fn.grad(lambda x: x, has_aux=True)(1.0)


def test_value_and_grad_gives_both() -> None:
    value, (gx, gy) = fn.value_and_grad(lambda x, y: mul(x, sin(y)), (0, 1))(2.0, 3.0)
    assert float(value) == pytest.approx(2 * np.sin(3))
    assert (float(gx), float(gy)) == (pytest.approx(np.sin(3)), pytest.approx(2 * np.cos(3)))


@pytest.mark.parametrize(
    ("f", "got", "fix"),
    [
        (lambda x: x, "f32[2,3]", "reduce it to a scalar"),
        (lambda x: (total(x), total(x)), "f32[], f32[]", "has_aux"),
        (lambda x: convert(total(x), dtype=np.dtype(np.int32)), "i32[]", "return a floating-point scalar"),
        (lambda x: gt(total(x), 0.0), "bool[]", "return a floating-point scalar"),
        (lambda x: fn.ops.make_complex(total(x), total(x)), "c64[]", "holomorphic"),
        (lambda x: None, "no array", "return a floating-point scalar"),
        (lambda x: "text", "no array", "return a floating-point scalar"),
    ],
)  # fmt: skip
def test_the_output_has_to_be_a_scalar(f, got: str, fix: str) -> None:
    with pytest.raises(
        ArgumentError, match="grad: the function does not return a scalar"
    ) as caught:
        fn.grad(f)(X)
    assert f"got:      {got}\n" in str(caught.value)
    assert fix in str(caught.value)


def test_not_a_function() -> None:
    for transform in (
        fn.grad,
        fn.value_and_grad,
        fn.vmap,
        fn.trace,
        fn.eval_type,
        fn.jacfwd,
        fn.jit,
    ):
        with pytest.raises(ArgumentError, match="the first argument is not a function"):
            transform(3.0)


# --- nested derivatives -----------------------------------------------------------------


def test_perturbation_confusion() -> None:
    assert float(fn.grad(lambda x: mul(x, fn.grad(lambda y: add(x, y))(1.0)))(3.0)) == 1.0

    # Siskind & Pearlmutter: d/dx (x * d/dy (x + y) at y=1) at x=1
    def constant_one(x):
        return fn.jvp(lambda y: add(x, y), (1.0,), (1.0,))[1]

    assert float(fn.jvp(lambda x: mul(x, constant_one(x)), (1.0,), (1.0,))[1]) == 1.0
    assert float(fn.grad(lambda x: mul(x, constant_one(x)))(1.0)) == 1.0

    # Manzyuk et al.: the derivative of a curried function
    def curried(x):
        return lambda f: lambda y: f(add(x, y))

    derivative = fn.grad(lambda x: curried(x)(lambda z: mul(z, z))(3.0))(2.0)
    assert float(derivative) == 10.0


@pytest.mark.parametrize("inner", [fn.grad, lambda f: lambda y: fn.jvp(f, (y,), (1.0,))[1]])
@pytest.mark.parametrize("outer", [fn.grad, lambda f: lambda x: fn.jvp(f, (x,), (1.0,))[1]])
@pytest.mark.parametrize("wrap", [lambda f: f, fn.jit])
def test_closures_over_outer_values(inner, outer, wrap) -> None:
    # f(x) = d/dy sin(x y) y at y = x, that is x² cos x² + sin x²
    def f(x):
        return inner(wrap(lambda y: mul(sin(mul(x, y)), y)))(x)

    expected = jax.grad(lambda x: x * x * jax.numpy.cos(x * x) + jax.numpy.sin(x * x))(0.7)
    assert float(outer(wrap(f))(0.7)) == pytest.approx(float(expected), rel=1e-5)


def test_high_orders() -> None:
    f, expected = sin, np.sin(0.5)
    for order in range(1, 7):
        f = fn.grad(f)
        expected = np.sin(0.5 + order * np.pi / 2)
        assert float(f(0.5)) == pytest.approx(expected, rel=1e-5)


def test_python_control_flow() -> None:
    def f(x, n):
        y = x
        while float(y) < 10.0:
            y = mul(y, x)
        for _ in range(n):
            y = add(y, x)
        if y > 20.0:
            return neg(y)
        return y

    assert float(fn.grad(f)(2.0, 1)) == 4 * 8 + 1  # y = 16 + 2
    assert float(fn.grad(f)(3.0, 0)) == -27.0  # y = -27
    y, t = fn.jvp(lambda x: f(x, 1), (2.0,), (1.0,))
    assert (float(y), float(t)) == (18.0, 33.0)
    assert float(fn.linearize(lambda x: f(x, 1), 2.0)[1](1.0)) == 33.0
    assert float(fn.vjp(lambda x: f(x, 1), 2.0)[1](1.0)[0]) == 33.0


def test_printing_inside(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x):
        y = mul(x, x)
        print("y is", float(y))
        return y

    for _ in range(2):
        fn.grad(f)(3.0)
    assert capsys.readouterr().out == "y is 9.0\n" * 2


def test_branches_taken_are_those_of_these_values() -> None:
    def f(x):
        return mul(x, x) if gt(x, 0.0) else neg(x)

    assert [float(fn.grad(f)(v)) for v in (3.0, -3.0, 3.0, 4.0)] == [6.0, -1.0, 6.0, 8.0]
    with pytest.raises(ConcretizationError, match=r"argument `x` \(f32\[\]\) of vmap\(f\)"):
        fn.vmap(fn.grad(f))(np.float32([1, 2]))


# --- the Program ------------------------------------------------------------------------


def test_the_gradient_program_is_small() -> None:
    def loss(w, x, y):
        return total(mul(sin(mul(w, x)), y))

    program = fn.trace(fn.grad(loss))(X, X, X)
    assert zeros_computed_with(program) == []
    assert names(dce(program)) == ["mul", "cos", "broadcast", "mul", "mul", "mul"]


def test_unused_arguments_cost_nothing() -> None:
    def loss(w, x):
        return total(mul(w["used"], x))

    program = fn.trace(fn.grad(loss))({"used": X, "unused": X}, X)
    assert zeros_computed_with(program) == []
    np.testing.assert_array_equal(fn.grad(loss)({"used": X, "unused": X}, X)["unused"], 0 * X)


def test_zeros_are_found_by_the_helper() -> None:
    full = fn.ops.full
    assert zeros_computed_with(fn.trace(lambda x: add(x, full(0.0, (2, 3))))(X)) != []
    assert zeros_computed_with(fn.trace(lambda x: (x, full(0.0, (2, 3))))(X)) == []


def test_what_is_shared_stays_shared() -> None:
    @fn.jit
    def layer(x):
        return sin(mul(x, x))

    def deep(x):
        for _ in range(200):
            x = layer(x)
        return total(x)

    for transform, size in [
        (lambda f: f, 2), (fn.value_and_grad, 3), (fn.vmap, 2),
        (lambda f: fn.vmap(fn.value_and_grad(f)), 4),  # the seed of the last layer is not batched
        (lambda f: fn.value_and_grad(lambda x: total(fn.vmap(f)(x))), 3),
    ]:  # fmt: skip
        program = fn.trace(transform(deep))(X)
        assert len(list(programs(program))) == size
        assert len(list(equations(program))) < 1000
        text = fn.jit(transform(deep)).lower(X).as_text()
        # One more, the one JAX calls from outside; one less where a Program is called once only.
        assert text.count("func.func") in (size, size + 1)


def test_gradients_of_jit_are_shared_between_calls() -> None:
    @fn.jit
    def f(x):
        return mul(x, sin(x))

    program = fn.trace(fn.grad(lambda x: add(f(x), f(mul(x, 2.0)))))(1.0)
    carried = [e.params["program"] for e in program.equations if e.primitive.name == "call"]
    assert len(carried) == 4
    assert len({id(p) for p in carried}) == 2


# --- vjp --------------------------------------------------------------------------------


def test_vjp_of_trees() -> None:
    def f(p, x):
        return {"out": mul(p["w"], x), "sum": total(x), "name": "n", "count": 3}

    y, f_vjp = fn.vjp(f, {"w": X, "k": 1}, X)
    assert (y["name"], int(y["count"])) == ("n", 3)
    gp, gx = f_vjp({"out": X, "sum": 2.0, "name": None, "count": None})
    np.testing.assert_allclose(gp["w"], X * X)
    assert gp["k"] is None
    np.testing.assert_allclose(gx, X * X + 2)
    gp, gx = f_vjp({"out": None, "sum": 1.0, "name": None, "count": None})
    np.testing.assert_array_equal(gp["w"], 0 * X)
    np.testing.assert_array_equal(gx, 0 * X + 1)


def test_vjp_words() -> None:
    _, f_vjp = fn.vjp(lambda x: {"a": mul(x, x)}, X)
    with pytest.raises(TreeError, match="vjp: the cotangents do not have the structure of output"):
        f_vjp(X)
    with pytest.raises(ArgumentError, match="vjp: wrong cotangent for `output/a`") as caught:
        f_vjp({"a": X[0]})
    assert "expected: f32[2,3]" in str(caught.value)
    with pytest.raises(ArgumentError, match="wrong cotangent dtype"):
        f_vjp({"a": X.astype(np.float16)})


def test_the_pullback_is_a_tree_that_passes_through_transforms() -> None:
    def f(w, x):
        return mul(w, sin(x))

    _, f_vjp = fn.vjp(f, X, X)
    expected = f_vjp(X)
    for got in (
        fn.jit(lambda f_vjp, ct: f_vjp(ct))(f_vjp, X),
        fn.jit(lambda ct: f_vjp(ct))(X),
        fn.vmap(lambda ct: f_vjp(ct))(np.stack([X, 2 * X])),
    ):
        for g, e in zip(got, expected):
            np.testing.assert_allclose(np.asarray(g)[-2:] if g.ndim == 2 else g[0], e, rtol=1e-6)
    made = fn.jit(lambda w, x: fn.vjp(f, w, x)[1])(X, X)
    for g, e in zip(made(X), expected):
        np.testing.assert_allclose(g, e, rtol=1e-6)
    batched = fn.vmap(lambda w, x: fn.vjp(f, w, x)[1])(X, X)
    leaves = jax.tree_util.tree_leaves(batched)
    assert leaves and all(leaf.shape == X.shape for leaf in leaves)
    for g, e in zip(fn.vmap(lambda v, ct: v(ct))(batched, X), expected):
        np.testing.assert_allclose(g, e, rtol=1e-6)


def test_two_pullbacks_of_one_function_compile_once() -> None:
    traced = []

    @fn.jit
    def pull(f_vjp, ct):
        traced.append(1)
        return f_vjp(ct)

    for scale in (1, 2, 3):
        _, f_vjp = fn.vjp(lambda x: mul(x, sin(x)), scale * X)
        pull(f_vjp, X)
    assert len(traced) == 1


def test_linear_transpose() -> None:
    t = fn.linear_transpose(lambda p: add(mul(p["a"], 2.0), p["b"]), {"a": X, "b": X})
    (ct,) = t(X)
    np.testing.assert_array_equal(ct["a"], 2 * X)
    np.testing.assert_array_equal(ct["b"], X)
    only = fn.linear_transpose(lambda x: reduce_sum(x, axes=(0,)), fn.ArrayType((2, 3), np.float32))
    np.testing.assert_array_equal(only(X[0])[0], np.broadcast_to(X[0], (2, 3)))
    held = jax.numpy.asarray(X)
    np.testing.assert_array_equal(fn.linear_transpose(lambda x: mul(held, x), X)(X)[0], X * X)
    with pytest.raises(ArgumentError, match="linear_transpose: `x` has no cotangent"):
        fn.linear_transpose(lambda x: x, 3)


# --- complex ----------------------------------------------------------------------------

Z = np.complex64(0.7 + 0.4j)


def test_holomorphic() -> None:
    got = fn.grad(lambda z: sin(mul(z, z)), holomorphic=True)(Z)
    np.testing.assert_allclose(got, 2 * Z * np.cos(Z * Z), rtol=1e-6)
    expected = jax.grad(lambda z: jax.numpy.sin(z * z), holomorphic=True)(Z)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("f", "reference"),
    [
        (lambda z: fn.ops.abs(z), jax.numpy.abs),
        (lambda z: mul(real_part(z), imag_part(z)), lambda z: z.real * z.imag),
        (
            lambda z: real_part(exp(mul(z, fn.ops.conj(z)))),
            lambda z: jax.numpy.exp(z * z.conj()).real,
        ),
        (lambda z: imag_part(mul(cos(z), 1j)), lambda z: (jax.numpy.cos(z) * 1j).imag),
    ],
)
def test_real_functions_of_complex_numbers(f, reference) -> None:
    np.testing.assert_allclose(fn.grad(f)(Z), jax.grad(reference)(Z), rtol=1e-5)


# --- dtypes -----------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, jax.numpy.bfloat16, np.float32, np.complex64])
def test_gradients_have_the_dtype_of_the_argument(dtype) -> None:
    x = X.astype(dtype)

    def f(x):
        square = mul(x, x)
        return total(
            real_part(square)
            if dtype == np.complex64
            else convert(square, dtype=np.dtype(np.float32))
        )

    g = fn.grad(f)(x)
    assert g.dtype == dtype
    np.testing.assert_allclose(np.asarray(g, np.complex64), 2 * X, rtol=1e-2)


def test_in_64_bits() -> None:
    with jax.enable_x64(True):
        g = fn.grad(lambda x: mul(x, x))(1.0 + 1e-12)
        assert g.dtype == np.float64
        assert float(g) == 2.0 + 2e-12
    assert fn.grad(lambda x: mul(x, x))(1.0).dtype == np.float32
