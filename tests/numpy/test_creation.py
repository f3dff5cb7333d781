import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import INT, V, X, assert_same, check, equations

CALLS = [
    ("zeros", (3,)), ("ones", ((2, 3), jnp.int32)), ("empty", ((),)), ("full", ((2, 2), 7)), ("full", (3, 1.5, jnp.bfloat16)),
    ("arange", (5,)), ("arange", (2, 10, 3)), ("arange", (5, 0, -2)), ("arange", (0.0, 1.0, 0.3)), ("arange", (3.0,)),
    ("arange", (4, None, None, jnp.float32)), ("arange", (3, 1)), ("linspace", (0.0, 1.0, 5)), ("linspace", (0, 10, 4, False)),
    ("linspace", (2.0, 3.0, 1)), ("logspace", (0.0, 2.0, 3)), ("indices", ((2, 3),)), ("array", ([[1, 2], [3, 4.5]],)),
    ("array", (2.0,)), ("asarray", ([True, False],)), ("array", ([1, 2], jnp.float32)), ("array", ([],)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), CALLS, ids=str)
def test_creation(name, args):
    expected = getattr(jnp, name)(*args)
    for got in (getattr(np, name)(*args), fn.jit(lambda: getattr(np, name)(*args))()):
        assert isinstance(got, jax.Array)
        assert_same(got, expected)
        assert got.weak_type == expected.weak_type


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "empty_like"])
def test_likes(name):
    check(name, INT)
    check(name, X, dtype=jnp.int8, shape=(2,))
    check("full_like", X, 3)
    check("full_like", X, V)


def test_linspace_of_arrays():
    for axis in (0, 1):
        check("linspace", V, 2 * V, 3, axis=axis)
    got, step = np.linspace(0.0, 1.0, 5, retstep=True)
    assert got.shape == (5,) and float(step) == 0.25
    assert float(fn.jit(lambda a: np.linspace(0.1, a, 7)[-1])(0.7)) == numpy.float32(0.7)


def test_full_of_a_traced_value():
    assert_same(fn.jit(lambda a: np.full((2, 3), a))(X[0, 0]), jnp.full((2, 3), X[0, 0]))
    assert_same(fn.jit(lambda v: np.full((3, 4), v))(V), jnp.full((3, 4), V))


def test_meshgrid():
    for options in ({}, {"indexing": "ij"}, {"sparse": True}):
        check("meshgrid", V, X[0, :2], **options)


def test_lists_of_traced_arrays_are_stacked():
    got = fn.jit(lambda a, b: np.array([[a, 1.0], [b, a]]))(V[0], V[1])
    assert_same(got, jnp.array([[V[0], 1.0], [V[1], V[0]]]))
    assert np.array([1.0], ndmin=3).shape == (1, 1, 1)


def test_inside_a_trace_they_are_equations():
    assert equations(lambda x: x + np.zeros((3, 4)), X) == ["broadcast", "add"]
    assert equations(lambda x: x + np.arange(4.0), X) == ["iota", "broadcast", "add"]
    assert equations(lambda x: x * np.ones(()), X) == ["mul"]
    program = fn.trace(
        lambda x: x * np.arange(1, 9, 2)[0] + np.linspace(0, 1, 4) + np.full((3, 4), 2.0)
    )(X)
    assert program.captured == ()


def test_asarray_and_astype():
    assert np.asarray(X) is X
    check("astype", X, jnp.int32)
    assert_same(np.copy(X), X)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.zeros(-1), r"zeros: not a shape\n.*integer >= 0(.|\n)*-1"),
        (lambda: np.ones(2.5), "ones: not a shape"),
        (lambda: np.zeros(2, "f17"), "zeros: not a dtype"),
        (lambda: np.arange(0, 5, 0), "arange: the step is zero"),
        (lambda: np.arange(X), "arange: a bound is not a scalar"),
        (lambda: fn.jit(np.arange)(3), "needs the value of an array"),
        (lambda: np.array([[1, 2], [3]]), "array: .*inhomogeneous"),
        (lambda: fn.jit(lambda x: np.array([x, x[0]]))(X), "the parts of a list differ in shape"),
        (lambda: np.array("a"), "array: argument 0 is not an array"),
        (lambda: np.full(2, [1, 2]), "full: the value is not an array"),
        (lambda: np.meshgrid(X), "meshgrid: an argument has several axes"),
        (lambda: np.meshgrid(V, indexing="ab"), "meshgrid: unknown indexing"),
    ],
)
def test_errors(function, words):
    with pytest.raises(TypeError, match=words):
        function()


def test_copies():
    assert np.asarray(X, copy=False) is X
    assert np.asarray(1.0, copy=True).shape == ()
    with pytest.raises(ValueError, match="asarray: a copy is needed"):
        np.asarray([1.0], copy=False)
    with pytest.raises(ValueError, match="asarray: a copy is needed"):
        np.asarray(X, np.int32, copy=False)


def test_memory_shared_by_dlpack():
    shared = np.from_dlpack(numpy.ones(16, numpy.float32))
    assert isinstance(shared, jax.Array) and shared.shape == (16,)
    assert np.from_dlpack(X, copy=True).shape == X.shape
    torch = pytest.importorskip("torch")
    tensor = torch.ones(16, requires_grad=True)
    array = np.asarray(tensor)
    assert array.unsafe_buffer_pointer() == tensor.data_ptr()
    assert np.asarray(tensor, np.int32).dtype == numpy.int32


def test_a_device_under_a_trace():
    with pytest.raises(
        fn.FnError, match=r"zeros: a traced array has no place of its own(.|\n)*device_put"
    ):
        fn.jit(lambda x: x + np.zeros(4, device=jax.devices()[0]))(X[0])
