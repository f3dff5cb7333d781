"""Keys have JAX's bits, and what is no key is refused."""

import jax
import numpy as np
import pytest

import fn
from fn import random


def data(key):
    return np.asarray(jax.random.key_data(key))


@pytest.mark.parametrize("seed", [0, 1, -1, 42, 2**31, 2**40 + 3])
def test_key_has_the_bits_of_jax(seed):
    assert np.array_equal(random.key(seed), data(jax.random.key(seed)))


@pytest.mark.parametrize("num", [1, 2, 5, (2, 3)])
def test_split_has_the_bits_of_jax(num):
    ours, theirs = random.split(random.key(3), num), jax.random.split(jax.random.key(3), num)
    assert np.array_equal(ours, data(theirs))


def test_fold_in_has_the_bits_of_jax():
    for number in (0, 7, 2**31 + 1):
        ours = random.fold_in(random.key(3), number)
        assert np.array_equal(ours, data(jax.random.fold_in(jax.random.key(3), number)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_bits_have_the_bits_of_jax(dtype):
    ours = random.bits(random.key(5), (3, 4), dtype)
    assert np.array_equal(ours, jax.random.bits(jax.random.key(5), (3, 4), dtype))


def test_typed_jax_keys_are_accepted():
    assert np.array_equal(random.split(jax.random.key(1)), random.split(random.key(1)))


def test_the_same_bits_eagerly_under_jit_and_under_vmap():
    keys = random.split(random.key(0), 3)
    one_by_one = np.stack([random.bits(k, (4,)) for k in keys])
    assert np.array_equal(fn.vmap(lambda k: random.bits(k, (4,)))(keys), one_by_one)
    assert np.array_equal(fn.jit(fn.vmap(lambda k: random.bits(k, (4,))))(keys), one_by_one)


def test_what_is_no_key_is_refused():
    with pytest.raises(fn.FnError, match=r"random.split: not a key\n  expected: a key, u32\[2\]"):
        random.split(0)
    with pytest.raises(fn.FnError, match="several keys"):
        random.bits(random.split(random.key(0)))
    with pytest.raises(fn.FnError, match="not a shape"):
        random.bits(random.key(0), "ab")
    with pytest.raises(fn.FnError, match="a size is negative"):
        random.bits(random.key(0), (-1,))
    with pytest.raises(fn.FnError, match="not an unsigned integer type"):
        random.bits(random.key(0), (), np.int32)
