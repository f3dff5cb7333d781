"""Keys have JAX's bits, and what is no key is refused."""

import copy
import pickle

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


def test_other_names_of_keys():
    key = random.key(3)
    assert np.array_equal(random.PRNGKey(3), key)
    assert random.key_impl(key) == "threefry2x32" == random.key_impl(jax.random.key(0))
    assert np.array_equal(random.key_data(random.split(key)), random.split(key))
    assert np.array_equal(random.wrap_key_data(np.array([0, 3], np.uint32)), key)
    assert np.array_equal(random.clone(key), key)
    assert np.array_equal(random.key(3, impl="threefry2x32"), key)
    with pytest.raises(fn.FnError, match="there is no such generator\n  expected: 'threefry2x32'"):
        random.key(3, impl="philox4x32")
    with pytest.raises(fn.FnError, match="not a key"):
        random.wrap_key_data(np.arange(3))
    with pytest.raises(fn.FnError, match="not a scalar"):
        random.fold_in(key, np.arange(3))


def test_keys_are_saved_copied_and_printed_as_arrays():
    key = random.fold_in(random.key(3), 7)
    for again in (pickle.loads(pickle.dumps(key)), copy.deepcopy(key)):
        assert isinstance(again, jax.Array) and np.array_equal(again, key)
        assert np.array_equal(random.normal(again, (3,)), random.normal(key, (3,)))
    assert repr(random.key(3)) == "Array([0, 3], dtype=uint32)"
    assert repr(random.split(random.key(3)).shape) == "(2, 2)"


def test_keys_are_made_in_one_equation():
    def make(key, n):
        return random.split(random.fold_in(key, n), (2, 3))

    names = [e.primitive.name for e in fn.trace(make)(random.key(0), 3).equations]
    assert names == ["convert", "random_fold_in", "random_split"]
