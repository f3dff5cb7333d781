import jax.numpy as jnp
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
import fn.numpy as np
from tests.numpy.compare import CUBE, INT, X, check, check_gradient, equations

A = numpy.arange(120).reshape(2, 3, 4, 5)
ROWS = numpy.array([1, 0, 1])
COLUMNS = numpy.array([[0], [-1], [2]])
STATIC = [
    0, -1, (1, 2), (..., 0), (None, 0), slice(None), (slice(1, None), slice(None, None, 2)),
    (slice(None), slice(None, None, -1)), (slice(None), slice(2, 0, -2), None, ..., -1), (Ellipsis,), (),
    (0, slice(3, 1)), (slice(None), 1, slice(1, 3), slice(4, None, -3)), (None, None, 1, None), (..., None),
    (1, 2, 3, 4), slice(5, 9), (slice(-1, None), slice(-100, 100)), numpy.int64(1), (slice(None), [2, 0]),
]  # fmt: skip
ARRAYS = [
    ROWS, (ROWS, COLUMNS), (slice(None), COLUMNS, ROWS), (slice(None), ROWS, slice(None), ROWS), (ROWS, slice(None), ROWS),
    (0, slice(None), ROWS), (slice(None), 0, ROWS), (ROWS, None, ROWS), (None, ROWS), (..., ROWS), (..., COLUMNS, 0),
    (slice(None), ROWS, ..., None), (ROWS, slice(0, 2), slice(None, None, -1), ROWS), (slice(None), ROWS, 1),
    (slice(None), slice(1, 3), COLUMNS, slice(4, 0, -2)), (ROWS, COLUMNS, 0, -1), (ROWS - 2,), numpy.zeros((0,), int),
    (slice(None), numpy.zeros((2, 0), int), slice(1, 2)), (slice(3, 3), ROWS), (1, numpy.array(2), slice(None), ROWS),
]  # fmt: skip
MASKS = [
    A > 50, (A > 50)[:, 0, 0, 0], (slice(None), A[0, :, 0, 0] > 10), (A[:, :, 0, 0] > 30, slice(1, 3)),
    (0, A[0, :, :, 0] > 30), (slice(None), numpy.array([True, False, True]), numpy.array([0, 3])),
]  # fmt: skip


@pytest.mark.parametrize("index", STATIC + ARRAYS + MASKS, ids=str)
def test_indices_known_while_tracing(index):
    got = fn.jit(lambda x: x[index])(A)
    numpy.testing.assert_array_equal(got, A[index])


@pytest.mark.parametrize("index", ARRAYS, ids=str)
def test_traced_index_arrays(index):
    entries = index if isinstance(index, tuple) else (index,)
    arrays = {i: e for i, e in enumerate(entries) if isinstance(e, numpy.ndarray)}

    def read(x, arrays):
        return x[tuple([arrays.get(i, e) for i, e in enumerate(entries)])]

    numpy.testing.assert_array_equal(fn.jit(read)(A, arrays), A[index])


TRACED = [
    lambda i: i, lambda i: (slice(None), i), lambda i: (..., i, slice(1, 3)), lambda i: (i, None, i),
    lambda i: (0, slice(None, None, -1), i), lambda i: (slice(None), slice(None, None, 2), i),
    lambda i: (slice(None), i, slice(3, 0, -2)), lambda i: (i, [1, 0]), lambda i: (i, 2, i, i),
]  # fmt: skip


@pytest.mark.parametrize("make", TRACED)
@pytest.mark.parametrize("i", [1, -1])
def test_traced_scalars(make, i):
    got = fn.jit(lambda x, i: x[make(i)])(A, i)
    numpy.testing.assert_array_equal(got, A[make(i)])


@st.composite
def indices(draw):
    index, axis = [], 0
    while axis < 4:
        kind = draw(st.sampled_from(["int", "slice", "none", "array", "stop"]))
        if kind == "stop":
            break
        if kind == "none":
            index.append(None)
            continue
        n = A.shape[axis]
        if kind == "int":
            index.append(draw(st.integers(-n, n - 1)))
        elif kind == "slice":
            bound = st.none() | st.integers(-n - 1, n + 1)
            step = st.none() | st.sampled_from([-3, -2, -1, 1, 2, 3])
            index.append(slice(draw(bound), draw(bound), draw(step)))
        else:
            shape = draw(st.sampled_from([(2,), (3, 1), (1, 2), ()]))
            index.append(draw(st.lists(st.integers(-n, n - 1), min_size=6, max_size=6).map(
                lambda entries, shape=shape: numpy.resize(numpy.array(entries), shape)
            )))  # fmt: skip
        axis += 1
    if draw(st.booleans()) and axis < 4:
        index.insert(draw(st.integers(0, len(index))), Ellipsis)
    return tuple(index)


@given(indices())
def test_any_index_reads_and_writes_as_in_numpy(index):
    expected = A[index]
    program = fn.trace(lambda x: x[index])(A)
    assert program.out_types[0].shape == expected.shape
    numpy.testing.assert_array_equal(fn.evaluate(program, [A])[0], expected)
    changed = A.copy()
    changed[index] = -1
    written = fn.trace(lambda x: x.at[index].set(-1))(A)
    numpy.testing.assert_array_equal(fn.evaluate(written, [A])[0], changed)


def test_programs_are_small():
    assert equations(lambda x: x[0], X) == ["slice", "reshape"]
    assert equations(lambda x: x[:, 1:], X) == ["slice"]
    assert equations(lambda x: x[...], X) == []
    assert equations(lambda x: x[:, None], X) == ["reshape"]
    assert equations(lambda x: x[::-1], X) == ["reverse"]
    assert equations(lambda x: x[ROWS], X) == ["gather"]
    assert equations(lambda x, i: x[i], X, 1) == ["lt", "add", "select", "dynamic_slice", "reshape"]


def test_out_of_bounds_reads_give_the_nearest_element():
    i = jnp.array([-9, 0, 9])
    for index in (lambda i: i, lambda i: (slice(None), i)):
        got = fn.jit(lambda x, i, index=index: x[index(i)])(X, i)
        numpy.testing.assert_array_equal(got, X[index(i)])
    numpy.testing.assert_array_equal(fn.jit(lambda x, i: x[i])(X, 7), X[2])


@pytest.mark.parametrize(
    "index",
    [0, (slice(None), 1), (slice(None), slice(None, None, -2)), (ROWS, [0, 1, 2]), (..., COLUMNS)],
    ids=str,
)
def test_gradients(index):
    check_gradient(lambda m, x: x[index] * 2, X)


def test_gradient_and_batch_of_traced_indices():
    numpy.testing.assert_array_equal(
        fn.vmap(lambda x, i: x[i])(X, jnp.array([0, -1, 2])), [X[0, 0], X[1, -1], X[2, 2]]
    )
    numpy.testing.assert_array_equal(
        fn.grad(lambda x, i: x[i, i].sum())(X, 1), numpy.eye(3, 4) * (numpy.arange(4) == 1)
    )
    got = fn.grad(lambda x: fn.vmap(lambda i: x[i] ** 2)(jnp.array([0, 0, 2])).sum())(X)
    numpy.testing.assert_allclose(got, X * jnp.array([[4.0], [0.0], [2.0]]), rtol=1e-6)


def test_a_mask_known_in_an_eager_gradient():
    got = fn.grad(lambda x: (x[x > 0] ** 2).sum())(X)
    numpy.testing.assert_allclose(got, 2 * numpy.maximum(X, 0), rtol=1e-6)


@pytest.mark.parametrize("mode", [None, "clip", "wrap", "fill"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_take(axis, mode):
    check("take", X, jnp.array([[0, -1], [2, 40]]), axis=axis, mode=mode)


def test_take_with_a_fill_value():
    check("take", INT, jnp.array([1, 99]), axis=0)
    check("take", INT, jnp.array([1, 99]), axis=0, fill_value=-3)
    check("take", INT, 1, axis=1)


def test_take_along_axis():
    order = jnp.argsort(X, axis=1)
    check("take_along_axis", X, order, axis=1)
    check("take_along_axis", X, order[:, :2], axis=-1)
    check("take_along_axis", CUBE, jnp.array([[[0], [2], [1]]]), axis=2)
    check("take_along_axis", X, jnp.array([3, 99]), axis=None)
    check_gradient(lambda m, x: m.take_along_axis(x, order, axis=1), X)


ERRORS = [
    (lambda x: x[3], IndexError, r"x\[index\]: index 3 is out of bounds\n.*-3 to 2"),
    (lambda x: x[0, 0, 0], IndexError, r"too many indices\n.*at most 2(.|\n)*3 indices for shape \(3, 4\)"),
    (lambda x: x[..., ...], IndexError, "more than one ellipsis"),
    (lambda x: x[1.5], TypeError, "not an index(.|\n)*convert it"),
    (lambda x: x["a"], TypeError, "not an index\n(.|\n)*str"),
    (lambda x: x[x], TypeError, r"not an index(.|\n)*f32\[3, 4\]"),
    (lambda x: x[x > 0], TypeError, r"the mask, which are not known here(.|\n)*where\(mask, x, 0\)"),
    (lambda x: x[np.ones(2, bool)], IndexError, r"the mask does not fit\n.*\(3,\)"),
    (lambda x: x[: x.sum()], TypeError, "index or a size|dynamic_slice"),
    (lambda x: np.take(x, x), TypeError, "take: the indices are not integers"),
    (lambda x: np.take(x, 0, axis=2), TypeError, "take: there is no such axis\n.*-2 to 1"),
    (lambda x: np.take(x, np.arange(2), mode="raise"), TypeError, "take: unknown mode"),
    (lambda x: np.take_along_axis(x, np.arange(2), axis=0), TypeError, "take_along_axis: the indices do not fit"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "kind", "words"), ERRORS)
def test_errors(function, kind, words):
    with pytest.raises(kind, match=words) as raised:
        fn.jit(function)(X)
    assert isinstance(raised.value, fn.FnError)
    assert "test_indexing.py" in str(raised.value)
