import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import CUBE, INT, V, X, Y, assert_same, check, check_gradient, equations


@pytest.mark.parametrize("axis", [0, -1, None])
def test_concatenate(axis):
    assert_same(
        fn.jit(lambda x, y: np.concatenate([x, y, x], axis))(X, Y), jnp.concatenate([X, Y, X], axis)
    )
    assert_same(np.concatenate([X, INT], axis), jnp.concatenate([X, INT], axis))
    check("append", X, Y, axis)


@pytest.mark.parametrize("name", ["stack", "vstack", "hstack", "dstack", "column_stack"])
@pytest.mark.parametrize("parts", [(V, V), (X, Y)], ids=["vectors", "matrices"])
def test_stacks(name, parts):
    expected = getattr(jnp, name)(parts)
    assert_same(getattr(np, name)(parts), expected)
    assert_same(fn.jit(getattr(np, name))(list(parts)), expected)


def test_stack_of_scalars_and_of_an_array():
    assert_same(
        fn.jit(lambda a, b: np.stack([a, b, 1.0]))(V[0], V[1]), jnp.stack([V[0], V[1], 1.0])
    )
    assert_same(np.stack(X, 1), jnp.stack(X, 1))
    assert_same(np.stack([X, Y], -1), jnp.stack([X, Y], -1))
    assert_same(np.unstack(X, axis=1), jnp.unstack(X, axis=1))


@pytest.mark.parametrize("args", [("split", X, 2, 1), ("split", X, [1, 3], 1), ("array_split", X, 2), ("array_split", V, 3), ("hsplit", X, 2), ("vsplit", X, 3), ("dsplit", CUBE, 2)], ids=str)  # fmt: skip
def test_splits(args):
    check(*args)


def test_repeats():
    check("tile", X, 2)
    check("tile", V, (2, 1, 3))
    check("tile", CUBE, (2,))
    check("repeat", X, 2)
    check("repeat", X, 3, axis=1)
    assert_same(np.repeat(X, [1, 0, 2], axis=0), jnp.repeat(X, jnp.array([1, 0, 2]), axis=0))
    check("repeat", X, 2, axis=0, total_repeat_length=4)


@pytest.mark.parametrize(
    ("shift", "axis"), [(1, None), (-2, 0), (5, 1), ((1, 2), (0, 1)), (0, 0), (1, (0, 1))]
)
def test_roll(shift, axis):
    check("roll", X, shift, axis)
    if isinstance(shift, int):
        assert_same(fn.jit(lambda x, s: np.roll(x, s, axis))(X, shift), jnp.roll(X, shift, axis))


@pytest.mark.parametrize(
    "index", [1, -1, slice(0, 2), [0, 2], numpy.array([True, False, True])], ids=str
)
def test_delete(index):
    assert_same(np.delete(X, index, 0), numpy.delete(numpy.asarray(X), index, 0))


def test_programs_are_small():
    assert equations(lambda x, y: np.concatenate([x, y]), X, Y) == ["concatenate"]
    assert equations(lambda x: np.repeat(x, 2, axis=0), X) == ["broadcast", "reshape"]
    assert equations(lambda x: np.roll(x, 1, 0), X) == ["slice", "slice", "concatenate"]


def test_gradients():
    check_gradient(lambda m, x, y: m.concatenate([x, m.roll(y, 1, 0)], 1) * m.tile(y, (1, 2)), X, Y)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda: np.concatenate([X, V]),
            r"concatenate: the arrays do not fit together(.|\n)*f32\[3,4\], f32\[4\]",
        ),
        (lambda: np.concatenate([]), "concatenate: nothing to join"),
        (lambda: np.concatenate([X, Y], 2), "concatenate: there is no such axis"),
        (lambda: np.stack([X, V]), "stack: the shapes differ"),
        (lambda: np.split(X, 2), "split: the axis does not divide(.|\n)*array_split"),
        (lambda: np.tile(X, -1), "tile: not a number of repeats"),
        (lambda: fn.jit(lambda x, n: np.repeat(x, n))(X, 2), "needs the value"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
