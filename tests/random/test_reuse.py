"""Keys used twice are found wherever they go, and keys used once are not complained about."""

import numpy as np
import pytest

import fn
import fn.numpy as fnp
from fn import random
from fn.random import KeyReuseError, check_reuse, fold_in, normal, split, uniform

KEY = random.key(5)
INDEX, TRUTH = fn.ArrayType((), np.int32), fn.ArrayType((), bool)
ONES = np.ones(6, np.float32)


def rows(k, n=3):
    return split(k, n)


def scan_keys(k):
    return fn.scan(lambda c, q: (c, normal(q)), 0, rows(k, 6))[1]


def carried(k):
    def step(c, x):
        c, q = split(c)
        return c, normal(q) * x

    return fn.scan(step, k, ONES)[1]


def handed_over(k):
    a, b = split(k)
    return fn.scan(lambda c, _: ((c[1], c[0]), normal(c[0])), (a, b), None, length=6)[1]


def loop_split(k):
    def step(s):
        q, k = split(s[1])
        return s[0] + normal(q), k

    return fn.while_loop(lambda s: s[0] < 3, step, (0.0, k))[0]


def dropout(x, k):
    @fn.checkpoint
    def layer(y):
        return random.bernoulli(k, 0.5) * y * y

    return layer(x)


def noisy_scan(x, k):
    def step(c, q):
        return c * normal(q), uniform(fold_in(q, 1)) * c

    c, ys = fn.scan(step, x, rows(k, 7))
    return c + ys.sum()


@fn.jit
def drawn(k):
    return normal(k)


ONCE = {
    "one": (lambda k: normal(k), KEY),
    "rows": (lambda k: (lambda q: normal(q[0]) + normal(q[1]) + normal(q[-1]))(rows(k)), KEY),
    "slices": (lambda k: (lambda q: fn.vmap(normal)(q[:2]).sum() + normal(q[2]))(rows(k)), KEY),
    "moved": (lambda k: fn.vmap(normal)(fnp.flip(rows(k), 0).reshape(3, 1, 2)[:, 0]), KEY),
    "picked": (lambda k: (lambda q: fn.vmap(normal)(q[np.array([2, 0])]).sum() + normal(q[1]))(rows(k)), KEY),
    "at i": (lambda k, i: normal(rows(k)[i]), KEY, INDEX),
    "folded": (lambda k: normal(fold_in(k, 1)) + normal(fold_in(k, 2)), KEY),
    "folded i": (lambda k, i: normal(fold_in(k, i)) + normal(fold_in(k, i + 1)), KEY, INDEX),
    "use and fold": (lambda k: normal(k) + normal(fold_in(k, 1)), KEY),
    "branches": (lambda k, p: fn.cond(p, lambda: normal(k), lambda: uniform(k)), KEY, TRUTH),
    "scan keys": (scan_keys, KEY),
    "carried": (carried, KEY),
    "while": (loop_split, KEY),
    "vmap": (lambda k: fn.vmap(lambda q, x: normal(q) * x)(rows(k, 6), ONES), KEY),
    "one for all lanes": (lambda k: fn.vmap(lambda x: normal(k) * x)(ONES), KEY),
    "call": (lambda k: drawn(k), KEY),
    "clone": (lambda k: normal(k) + normal(random.clone(k)), KEY),
    "recomputed": (fn.grad(dropout), 2.0, KEY),
    "gradient of scan": (fn.grad(noisy_scan), 2.0, KEY),
    "samplers": (lambda k: (lambda q: random.poisson(q[0], 3.0) + random.binomial(q[1], 5, 0.3) + random.gamma(q[2], 2.0))(rows(k)), KEY),
    "not a key": (lambda x: (x << 3) + (x >> 2) * x, np.arange(4, dtype=np.uint32).reshape(2, 2)),
    "types": (lambda k: normal(k), fn.ArrayType((2,), np.uint32)),
}  # fmt: skip

TWICE = {
    "sampler, sampler": (lambda k: normal(k) + uniform(k), KEY),
    "sampler, split": (lambda k: normal(k) + normal(split(k)[0]), KEY),
    "split, split": (lambda k: normal(split(k)[0]) + normal(split(k)[1]), KEY),
    "split, gamma": (lambda k: normal(split(k)[0]) + random.gamma(k, 2.0), KEY),
    "row, row": (lambda k: (lambda q: normal(q[0]) + normal(q[-3]))(rows(k)), KEY),
    "row, slice": (lambda k: (lambda q: fn.vmap(normal)(q[:2]).sum() + normal(q[1]))(rows(k)), KEY),
    "row, reshaped": (lambda k: (lambda q: normal(q[1]) + normal(q.reshape(6)[2:4]))(rows(k)), KEY),
    "row, picked": (lambda k: (lambda q: normal(q[0]) + fn.vmap(normal)(q[np.array([2, 0])]).sum())(rows(k)), KEY),
    "at i twice": (lambda k, i: (lambda q: normal(q[i]) + normal(q[i]))(rows(k)), KEY, INDEX),
    "all, at i": (lambda k, i: (lambda q: fn.vmap(normal)(q).sum() + normal(q[i]))(rows(k)), KEY, INDEX),
    "at i, all": (lambda k, i: (lambda q: normal(q[i]) + fn.vmap(normal)(q).sum())(rows(k)), KEY, INDEX),
    "repeated": (lambda k: fn.vmap(normal)(fnp.stack([k, k])), KEY),
    "same fold": (lambda k: normal(fold_in(k, 1)) + normal(fold_in(k, 1)), KEY),
    "same fold i": (lambda k, i: normal(fold_in(k, i + 1)) + normal(fold_in(k, i + 1)), KEY, INDEX),
    "fold is row": (lambda k: normal(fold_in(k, 1)) + normal(split(k)[1]), KEY),
    # poisson splits its key, and the first row of a split is what folding in 1 gives
    "fold is row inside": (lambda k: random.poisson(k, 3.0) + normal(fold_in(k, 1)), KEY),
    "branch, then again": (lambda k, p: fn.cond(p, lambda: normal(k), lambda: 1.0) + uniform(k), KEY, TRUTH),
    "chosen, then one": (lambda k, p: (lambda q: normal(fnp.where(p, q[0], q[1])) + normal(q[0]))(rows(k)), KEY, TRUTH),
    "one, then chosen": (lambda k, p: (lambda q: normal(q[0]) + normal(fn.cond(p, lambda: q[0], lambda: q[1])))(rows(k)), KEY, TRUTH),
    "scan, constant": (lambda k: fn.scan(lambda c, x: (c, normal(k) * x), 0, ONES)[1], KEY),
    "scan, carried": (lambda k: fn.scan(lambda c, x: (c, normal(c) * x), k, ONES)[1], KEY),
    "scan, handed over": (handed_over, KEY),
    "scan, then entry": (lambda k: (lambda q: fn.scan(lambda c, k: (c, normal(k)), 0, q)[1].sum() + normal(q[5]))(rows(k, 6)), KEY),
    "while": (lambda k: fn.while_loop(lambda s: s < 3, lambda s: s + normal(k), 0.0), KEY),
    "loop": (lambda k: fn.fori_loop(0, 9, lambda i, s: s + normal(k), 0.0), KEY),
    "call, then again": (lambda k: drawn(k) + normal(k), KEY),
    "call twice": (lambda k: drawn(k) + drawn(k), KEY),
    "clone twice": (lambda k: (lambda c: normal(c) + uniform(c))(random.clone(k)), KEY),
    "recomputed, then again": (lambda x, k: dropout(x, k) + normal(k), 2.0, KEY),
    "two arguments": (lambda a, b: normal(a) + normal(b), KEY, KEY),
    "seeds": (lambda: normal(random.key(3)) + normal(random.key(3)),),
    "captured": (lambda: normal(KEY) + normal(KEY),),
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
def test_keys_used_once(name):
    function, *args = ONCE[name]
    assert check_reuse(function)(*args) is None


@pytest.mark.parametrize("name", TWICE)
def test_keys_used_twice(name):
    function, *args = TWICE[name]
    with pytest.raises(KeyReuseError, match="a key is used twice"):
        check_reuse(function)(*args)


def test_the_error_names_both_lines():
    def f(key):
        a = normal(key)
        b, _ = split(key)
        return a + normal(b)

    start = f.__code__.co_firstlineno
    with pytest.raises(KeyReuseError) as caught:
        check_reuse(f)(KEY)
    text = str(caught.value)
    assert (
        f"by a sampler at {__file__}:{start + 1} in f, then by split at {__file__}:{start + 2}"
        in text
    )
    assert "key, subkey = fn.random.split(key)" in text
    assert isinstance(caught.value, fn.FnError) and "test_reuse" in str(caught.value.where)


def test_the_error_says_that_it_is_a_loop():
    with pytest.raises(
        KeyReuseError, match="in each round of a loop\n  fix:      carry the key along"
    ):
        check_reuse(TWICE["scan, constant"][0])(KEY)
    with pytest.raises(KeyReuseError, match="which runs twice with it"):
        check_reuse(TWICE["call twice"][0])(KEY)
