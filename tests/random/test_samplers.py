"""Samplers give JAX's numbers for the same key, the same under jit, and their errors say what is wrong."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fn
from fn import random

KEY, JAX_KEY = random.key(11), jax.random.key(11)

SAMPLERS = {
    "uniform": (lambda r, k: r.uniform(k, (3, 5)), 0),
    "uniform_bf16": (lambda r, k: r.uniform(k, (3, 5), jnp.bfloat16), 0),
    "uniform_between": (lambda r, k: r.uniform(k, (3, 5), minval=-2.0, maxval=3.0), 1e-6),
    "uniform_array_bounds": (
        lambda r, k: r.uniform(k, (2, 3), minval=np.zeros((2, 1), np.float32), maxval=np.arange(1, 4.0)),
        1e-6,
    ),
    "normal": (lambda r, k: r.normal(k, (4, 4)), 1e-6),
    "normal_f16": (lambda r, k: r.normal(k, (4,), np.float16), 2e-3),
    "truncated_normal": (lambda r, k: r.truncated_normal(k, -2.0, 2.0, (8,)), 1e-6),
    "bernoulli": (lambda r, k: r.bernoulli(k, 0.3, (20,)), 0),
    "bernoulli_array": (lambda r, k: r.bernoulli(k, np.linspace(0, 1, 5, dtype=np.float32)), 0),
    "exponential": (lambda r, k: r.exponential(k, (6,)), 1e-6),
    "gumbel": (lambda r, k: r.gumbel(k, (6,)), 1e-6),
    "categorical": (lambda r, k: r.categorical(k, np.log(np.ones((4, 3), np.float32))), 0),
    "categorical_axis": (
        lambda r, k: r.categorical(k, np.zeros((3, 4), np.float32), axis=0, shape=(5, 4)), 0,
    ),
    "randint": (lambda r, k: r.randint(k, (30,), 0, 6), 0),
    "randint_negative": (lambda r, k: r.randint(k, (30,), -7, 9), 0),
    "randint_u8": (lambda r, k: r.randint(k, (30,), 0, 256, np.uint8), 0),
    "randint_i8_all": (lambda r, k: r.randint(k, (30,), -128, 128, np.int8), 0),
    "randint_arrays": (lambda r, k: r.randint(k, (3,), np.array([0, 5, 3]), np.array([2, 6, 3])), 0),
    "permutation": (lambda r, k: r.permutation(k, 10), 0),
    "permutation_array": (lambda r, k: r.permutation(k, np.arange(12.0).reshape(4, 3)), 0),
    "permutation_axis": (lambda r, k: r.permutation(k, np.arange(12.0).reshape(4, 3), axis=1), 0),
    "permutation_independent": (
        lambda r, k: r.permutation(k, np.arange(12).reshape(4, 3), axis=-1, independent=True), 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_numbers_of_jax(name):
    sample, rtol = SAMPLERS[name]
    ours, theirs = sample(random, KEY), sample(jax.random, JAX_KEY)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    # Where arithmetic follows the bits, XLA may round differently in one fused loop: rtol is not 0.
    np.testing.assert_allclose(
        np.asarray(ours, np.float64), np.asarray(theirs, np.float64), rtol=rtol, atol=rtol
    )
    compiled = fn.jit(lambda k: sample(random, k))(KEY)
    np.testing.assert_allclose(
        np.asarray(compiled, np.float64), np.asarray(ours, np.float64), rtol=rtol, atol=rtol
    )


def test_samples_differ_by_key_and_cover_the_distribution():
    x = np.asarray(random.normal(random.key(1), (20_000,)))
    assert abs(x.mean()) < 0.03 and abs(x.std() - 1) < 0.03  # four standard errors
    assert not np.array_equal(x, random.normal(random.key(2), (20_000,)))


def test_gradients_pass_through_parameters_of_a_distribution():
    draw = lambda low: random.uniform(KEY, (5,), minval=low, maxval=2.0).sum()
    theirs = jax.grad(lambda low: jax.random.uniform(JAX_KEY, (5,), minval=low, maxval=2.0).sum())
    np.testing.assert_allclose(fn.grad(draw)(0.5), theirs(0.5), rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: random.normal(KEY, (2,), np.int32), "random.normal: not a floating dtype"),
        (
            lambda: random.randint(KEY, (2,), 0, 3, np.float32),
            "random.randint: not an integer dtype",
        ),
        (lambda: random.uniform(KEY, (2,), minval=np.zeros(3)), "minval does not fit the shape"),
        (lambda: random.uniform(KEY, (2,), minval="a"), "minval is not an array"),
        (lambda: random.bernoulli(KEY, 1), "p is not a floating number"),
        (
            lambda: random.categorical(KEY, np.zeros(3, np.float32), axis=2),
            "no such axis of classes",
        ),
        (
            lambda: random.categorical(KEY, np.zeros((2, 3), np.float32), shape=(3,)),
            "does not end with",
        ),
        (lambda: random.permutation(KEY, np.zeros(3), axis=1), "no axis 1 to shuffle"),
    ],
)
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
