import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import BOOL, COMPLEX, INT, X, assert_same, equations

ROWS = jnp.array([1, 0, 1])
INDICES = [
    0, (slice(None), 1), (slice(1, 3), slice(0, 2)), (slice(None), slice(None, None, 2)), (slice(None, None, -1), 2),
    ROWS, (ROWS, slice(1, 3)), (slice(None), ROWS), (ROWS, ROWS), (slice(0, 2), ROWS), (slice(None, None, 2), ROWS), ..., (None, 2), (-1, -1),
    (slice(2, 2), 1),
]  # fmt: skip
UPDATES = {
    "set": 2.0,
    "add": 2.0,
    "multiply": 3.0,
    "divide": 4.0,
    "min": 0.1,
    "max": 0.1,
    "power": 2,
    "subtract": 1,
}


@pytest.mark.parametrize("index", INDICES, ids=str)
@pytest.mark.parametrize("verb", ["set", "add", "max"])
def test_updates(index, verb):
    values = jnp.asarray(
        numpy.random.default_rng(1).normal(size=X[index].shape).astype(numpy.float32)
    )
    if verb == "set" and any(e is ROWS for e in (index if isinstance(index, tuple) else (index,))):
        values = values * 0 + 1.5  # where an element is indexed twice, either value may stay
    got = fn.jit(lambda x, v: getattr(x.at[index], verb)(v))(X, values)
    assert_same(got, getattr(X.at[index], verb)(values))


@pytest.mark.parametrize(("verb", "value"), UPDATES.items())
def test_every_update(verb, value):
    # Where an element is indexed twice, a power is taken once.
    for index in (1, (slice(None), ROWS[:2] if verb == "power" else ROWS)):
        got = fn.jit(lambda x, index=index: getattr(abs(x).at[index], verb)(value))(X)
        assert_same(got, getattr(abs(X).at[index], verb)(value))


def test_apply_and_get():
    def both(x):
        return (
            x.at[ROWS[:2]].apply(np.sin),
            x.at[jnp.array([0, 9])].get(mode="fill", fill_value=7.0),
            x.at[1].get(),
        )

    got = fn.jit(both)(X)
    assert_same(got[0], X.at[ROWS[:2]].apply(jnp.sin))
    assert_same(got[1], X.at[jnp.array([0, 9])].get(mode="fill", fill_value=7.0))
    assert_same(got[2], X[1])


@pytest.mark.parametrize("mode", ["fill", "clip"])
def test_out_of_bounds(mode):
    i = jnp.array([0, 9])
    assert_same(fn.jit(lambda x, i: x.at[i].get(mode=mode))(X, i), X.at[i].get(mode=mode))
    assert_same(fn.jit(lambda x, i: x.at[9].get(mode=mode))(X, i), X.at[9].get(mode=mode))
    assert_same(fn.jit(lambda x, i: x.at[i].add(1.0, mode=mode))(X, i), X.at[i].add(1.0, mode=mode))
    assert_same(fn.jit(lambda x, i: x.at[i].set(1.0))(X, i), X.at[i].set(1.0))
    assert_same(fn.jit(lambda x: x.at[9].set(1.0))(X), X)
    assert_same(fn.jit(lambda x, i: x.at[i].set(1.0))(X, -1), X.at[-1].set(1.0))


def test_masks_need_no_values():
    got = fn.jit(
        lambda x: (
            x.at[x > 0].set(0.0),
            x.at[x[:, 0] > 0].multiply(2.0),
            x.at[x > 0].apply(np.sqrt),
        )
    )(X)
    assert_same(
        got, (X.at[X > 0].set(0.0), X.at[X[:, 0] > 0].multiply(2.0), X.at[X > 0].apply(jnp.sqrt))
    )


def test_dtypes():
    assert_same(fn.jit(lambda x: x.at[0].set(1.7))(INT), INT.at[0].set(1))
    assert_same(fn.jit(lambda x: x.at[0].add(True))(BOOL), BOOL.at[0].set(True))
    assert_same(fn.jit(lambda x: x.at[0].set(2))(COMPLEX), COMPLEX.at[0].set(2))


@pytest.mark.parametrize(
    "index", [1, ROWS, (slice(None, None, 2), 1), (slice(1, 3), slice(1, 3))], ids=str
)
@pytest.mark.parametrize("verb", ["set", "add"])
def test_gradients(index, verb):
    if verb == "set" and index is ROWS:
        index = ROWS[:2]
    value = X[index] * 0 + 2.0

    def loss(x, v):
        return (getattr(x.at[index], verb)(v) ** 3).sum()

    assert_same(fn.grad(lambda xv: loss(*xv))((X, value)), jax.grad(loss, (0, 1))(X, value), 1e-4)


def test_programs_are_small():
    assert equations(lambda x: x.at[1].set(0.0), X) == ["broadcast", "dynamic_update_slice"]
    assert equations(lambda x: x.at[:, 1:].add(1.0), X) == ["slice", "add", "dynamic_update_slice"]
    assert equations(lambda x: x.at[ROWS].add(1.0), X) == ["broadcast", "scatter_add"]


ERRORS = [
    (lambda x: x.__setitem__(0, 1), r"arrays cannot be changed in place(.|\n)*x = x.at\[0\].set\(value\)"),
    (lambda x: x.at[0].set(np.ones(3)), r"x.at\[index\].set: the (values|shapes) do not"),
    (lambda x: x.at[0].set(np.ones((2, 4))), r"x.at\[index\].set: the values do not fit\n.*broadcasts to \(4,\)"),
    (lambda x: x.at[0].set(1j), "complex values do not fit into a real array(.|\n)*fn.numpy.real"),
    (lambda x: x.at[0].set(1, mode="wild"), "unknown mode\n.*clip"),
    (lambda x: x.at[x > 0].set(np.ones(3)), r"how many values a traced mask asks for(.|\n)*where\(mask, values, x\)"),
    (lambda x: x.at[0].set("a"), "the value is not an array"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "words"), ERRORS)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        fn.jit(function)(X)
