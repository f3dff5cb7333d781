"""`vmap`: where axes are, where they go, chunks, and the words when they do not fit."""

import jax
import numpy as np
import pytest

import fn
from fn.core import ArgumentError, BatchError, TreeError
from fn.ops import add, dot_general, mul, reduce_sum, sin, transpose
from tests.programs import names

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
Y = np.arange(6, dtype=np.float32).reshape(2, 3) + 1


def _same(got, expected) -> None:
    np.testing.assert_allclose(got, expected, rtol=1e-6)


# --- in_axes ----------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_an_integer(axis: int) -> None:
    def f(x):
        return reduce_sum(x, axes=(0,))

    _same(fn.vmap(f, in_axes=axis)(X), jax.vmap(lambda x: x.sum(0), in_axes=axis)(X))


def test_forms() -> None:
    def f(p, x, scale=1.0):
        return mul(add(p["w"], mul(p["b"], x)), scale)

    p, x = {"w": Y, "b": Y.T}, Y[0]
    expected = Y + Y * Y[0]
    _same(fn.vmap(f, in_axes=({"w": 0, "b": 1}, None))(p, x), expected)
    _same(fn.vmap(f, in_axes=[{"w": 0, "b": 1}, None])(p, x), expected)
    _same(fn.vmap(f, in_axes={"p": {"w": 0, "b": -1}, "x": None})(p, x), expected)
    _same(fn.vmap(f, in_axes={"x": None})({"w": Y, "b": Y}, x), Y + Y * Y[0])
    _same(fn.vmap(f, in_axes=(0, None))({"w": Y, "b": Y}, x), Y + Y * Y[0])
    _same(fn.vmap(f, in_axes=(None, 0))({"w": Y[0], "b": Y[0]}, Y), Y[0] + Y[0] * Y)
    _same(fn.vmap(f, in_axes=({"w": None, "b": 0}, None))({"w": 1.0, "b": Y}, x), 1 + Y * Y[0])


def test_keyword_arguments() -> None:
    def f(x, scale):
        return mul(x, scale)

    _same(fn.vmap(f)(Y, scale=Y), Y * Y)
    _same(fn.vmap(f, in_axes={"scale": None})(Y, scale=Y[0]), Y * Y[0])
    _same(fn.vmap(f)(Y, scale=2.0), Y * 2)


def test_python_numbers_and_static_leaves_are_used_as_they_are() -> None:
    def f(p, x):
        assert p["name"] == "layer" and p["act"] is sin
        return mul(p["act"](x), p["scale"])

    _same(fn.vmap(f)({"scale": 2.0, "name": "layer", "act": sin, "none": None}, Y), 2 * np.sin(Y))


def test_what_is_not_mapped_has_a_value() -> None:
    def f(x, n):
        for _ in range(int(n)):
            x = add(x, x)
        return x

    _same(fn.vmap(f, in_axes=(0, None))(Y, np.int32(3)), 8 * Y)


def test_empty_axes() -> None:
    assert fn.vmap(sin)(Y[:0]).shape == (0, 3)
    assert fn.vmap(sin, chunk_size=4)(Y[:0]).shape == (0, 3)


# --- out_axes ---------------------------------------------------------------------------


@pytest.mark.parametrize("out_axes", [0, 1, 2, -1, -2, -3])
def test_out_axes(out_axes: int) -> None:
    _same(fn.vmap(sin, out_axes=out_axes)(X), np.moveaxis(np.sin(X), 0, out_axes))


def test_out_axes_as_a_tree() -> None:
    def f(x):
        return {"a": sin(x), "b": (mul(x, 2.0), "text"), "c": Y}

    out = fn.vmap(f, out_axes={"a": 1, "b": -1, "c": None})(X)
    _same(out["a"], np.moveaxis(np.sin(X), 0, 1))
    _same(out["b"][0], np.moveaxis(2 * X, 0, -1))
    assert out["b"][1] == "text"
    _same(out["c"], Y)
    assert fn.vmap(f)(X)["c"].shape == (2, 2, 3)


def test_words_about_out_axes() -> None:
    with pytest.raises(
        BatchError, match="out_axes is None for `result/a`, which depends on mapped"
    ) as caught:
        fn.vmap(lambda x: {"a": x}, out_axes=None)(X)
    assert "f32[3,4] per entry" in str(caught.value)
    with pytest.raises(
        BatchError, match="out_axes holds something that is not an axis of the result"
    ) as caught:
        fn.vmap(sin, out_axes=3)(X)
    assert "None or an integer from -3 to 2" in str(caught.value)
    with pytest.raises(TreeError, match="vmap: out_axes is not a prefix"):
        fn.vmap(lambda x: {"a": x}, out_axes={"b": 0})(X)


# --- sizes ------------------------------------------------------------------------------


def test_axis_size() -> None:
    assert fn.vmap(lambda: 2.0, axis_size=3)().shape == (3,)
    assert fn.vmap(lambda x: x, in_axes=None, axis_size=3)(Y).shape == (3, 2, 3)
    assert fn.vmap(lambda x: x, axis_size=2)(Y).shape == (2, 3)


def test_words_about_sizes() -> None:
    with pytest.raises(BatchError, match="vmap: the mapped axes have different sizes") as caught:
        fn.vmap(lambda p, x: x, in_axes=(0, 1))({"w": Y}, Y)
    assert "got:      `p/w`: size 2 on axis 0; `x`: size 3 on axis 1" in str(caught.value)
    assert "in_axes=None" in str(caught.value)
    with pytest.raises(BatchError, match="axis_size=5"):
        fn.vmap(sin, axis_size=5)(Y)
    with pytest.raises(BatchError, match="nothing is mapped, so the size of the axis is unknown"):
        fn.vmap(lambda x: x, in_axes=None)(Y)
    with pytest.raises(BatchError, match="nothing is mapped"):
        fn.vmap(lambda x: x)(2.0)


def test_words_about_in_axes() -> None:
    def f(x, y):
        return x

    with pytest.raises(BatchError, match="vmap: `y` has no axis 2 to map over") as caught:
        fn.vmap(f, in_axes=(0, 2))(Y, Y)
    assert "an array with at least 3 axes" in str(caught.value)
    assert "pass in_axes=None for `y`" in str(caught.value)
    with pytest.raises(BatchError, match="`y` has no axis -3"):
        fn.vmap(f, in_axes=(0, -3))(Y, Y)
    with pytest.raises(BatchError, match="has no axis 0"):
        fn.vmap(f)(Y, np.float32(1))
    with pytest.raises(
        BatchError, match="in_axes and the positional arguments differ in number"
    ) as caught:
        fn.vmap(f, in_axes=(0,))(Y, Y)
    assert "2 entries, for x, y" in str(caught.value)
    with pytest.raises(
        BatchError, match="in_axes names parameters the call does not have"
    ) as caught:
        fn.vmap(f, in_axes={"z": 0})(Y, Y)
    assert "got:      z" in str(caught.value)
    with pytest.raises(TreeError, match="vmap: in_axes for `x` is not a prefix of the tree"):
        fn.vmap(f, in_axes=((0, 1, 2), 0))((Y, Y), Y)
    with pytest.raises(BatchError, match="in_axes holds something that is not an axis"):
        fn.vmap(f, in_axes=("a", 0))(Y, Y)


# --- chunks -----------------------------------------------------------------------------


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 4, 7, 100])
def test_chunks(chunk_size: int) -> None:
    x = np.arange(21, dtype=np.float32).reshape(3, 7)

    def f(x, y, s):
        return {"a": mul(x, y), "b": reduce_sum(x, axes=(0,)), "c": s}

    mapped = dict(in_axes=(1, None, None), out_axes={"a": -1, "b": 0, "c": None})
    whole = fn.vmap(f, **mapped)(x, Y[0], 2.0)
    parts = fn.vmap(f, **mapped, chunk_size=chunk_size)(x, Y[0], 2.0)
    for key in ("a", "b", "c"):
        _same(parts[key], whole[key])
    compiled = fn.jit(fn.vmap(f, **mapped, chunk_size=chunk_size))(x, Y[0], 2.0)
    _same(compiled["a"], whole["a"])


def test_gradients_through_chunks() -> None:
    x = np.arange(7, dtype=np.float32)

    def loss(x):
        return reduce_sum(fn.vmap(lambda v: mul(v, sin(v)), chunk_size=3)(x), axes=(0,))

    _same(fn.grad(loss)(x), np.sin(x) + x * np.cos(x))


def test_words_about_chunks() -> None:
    for size in (0, -1):
        with pytest.raises(BatchError, match="vmap: chunk_size is not positive"):
            fn.vmap(sin, chunk_size=size)(Y)


# --- composition ------------------------------------------------------------------------


def test_nested() -> None:
    def dot(x, y):
        return dot_general(x, y, contract=((0,), (0,)), batch=((), ()))

    matrix = fn.vmap(fn.vmap(dot, in_axes=(None, 1)), in_axes=(0, None))
    a, b = Y, X[0]
    _same(matrix(a, b), a @ b)
    assert names(fn.trace(matrix)(a, b)).count("dot_general") == 1


def test_what_is_not_batched_is_computed_once() -> None:
    program = fn.trace(fn.vmap(lambda x, y: mul(x, sin(y)), in_axes=(0, None)))(X, Y[0, 0])
    assert names(program)[0] == "sin"
    assert program.equations[0].outputs[0].type.shape == ()


def test_identity_and_transposition_move_no_data() -> None:
    assert names(fn.trace(fn.vmap(lambda x: x))(X)) == []
    assert names(fn.trace(fn.vmap(lambda x: x, in_axes=1, out_axes=1))(X)) == []
    twice = fn.trace(fn.vmap(lambda x: transpose(x, permutation=(1, 0)), in_axes=-1, out_axes=-1))(
        X
    )
    assert len(names(twice)) <= 2


def test_captured_arrays() -> None:
    held = jax.numpy.asarray(Y)
    _same(fn.vmap(lambda x: mul(x, held))(np.stack([Y, Y])), np.stack([Y * Y] * 2))


def test_leaves_of_results_are_arrays() -> None:
    out = fn.vmap(lambda x: (x, 1.0, 2), out_axes=(0, None, 0))(Y)
    assert all(isinstance(o, jax.Array) for o in out)
    with pytest.raises(ArgumentError, match="vmap"):
        fn.vmap(lambda x: 1.0)({"a": {1, 2}})
