"""Rows of `fn/ops/_random.py`: every bit as `jax.random` has it."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.extend.random import threefry2x32_p as jax_threefry2x32_p

from fn.ops._random import (
    random_bits,
    random_bits_p,
    random_clone,
    random_clone_p,
    random_fold_in_p,
    random_split_p,
    threefry2x32,
    threefry2x32_p,
    threefry_fold_in,
    threefry_seed,
    threefry_split,
)
from fn.ops._random_gamma import random_gamma, random_gamma_p
from tests.ops.row import Row, floats

_KEY = np.array([0xDEADBEEF, 42], np.uint32)


def _words(*shape: int, seed: int = 0) -> Any:
    return np.random.RandomState(seed).randint(0, 2**32, shape, np.uint64).astype(np.uint32)


def _key(data: Any) -> Any:
    return jax.random.wrap_key_data(data, impl="threefry2x32")


def _bits(name: str, shape: tuple[int, ...], bits: int) -> Row:
    def reference(key: Any) -> Any:
        return jax.random.bits(_key(key), shape, np.dtype(f"uint{bits}"))

    return Row(
        random_bits_p,
        name,
        lambda key: random_bits(key, shape=shape, bits=bits),
        (_KEY,),
        reference,
    )


def _all_keys(keys: Any) -> Any:
    rows = [jax.random.bits(_key(k), (2, 3), np.uint32) for k in keys.reshape(-1, 2)]
    return np.stack(rows).reshape(*keys.shape[:-1], 2, 3)


def _all_folded(keys: Any, numbers: Any) -> Any:
    keys = np.broadcast_to(keys, (len(numbers), 2))
    folded = [jax.random.fold_in(_key(k), n) for k, n in zip(keys, numbers, strict=True)]
    return np.stack([jax.random.key_data(k) for k in folded])


def _gammas(name: str, log_space: bool, key: Any, a: Any) -> Row:
    draw = jax.random.loggamma if log_space else jax.random.gamma

    def reference(key: Any, a: Any) -> Any:
        if key.ndim == 1:
            return draw(_key(key), a, a.shape, a.dtype)
        return np.stack([draw(_key(k), b, b.shape, b.dtype) for k, b in zip(key, a, strict=True)])

    # Not tried against differences: derivatives are those along the distribution function.
    return Row(
        random_gamma_p,
        name,
        lambda key, a: random_gamma(key, a, log_space=log_space),
        (key, a),
        reference,
    )


ROWS: list[Row] = [
    Row(
        threefry2x32_p, "", threefry2x32, tuple(_words(2, 3, seed=i) for i in range(4)),
        lambda *words: tuple(jax_threefry2x32_p.bind(*words)),
    ),
    Row(
        threefry2x32_p, "scalar-key", threefry2x32, (_words(), _words(seed=1), _words(5, seed=2), _words(5, seed=3)),
        lambda a, b, x, y: tuple(jax_threefry2x32_p.bind(np.full(5, a), np.full(5, b), x, y)),
    ),
    _bits("words", (2, 3), 32),
    _bits("one", (), 32),
    _bits("none", (0, 2), 32),
    _bits("bytes", (7,), 8),
    _bits("halves", (3, 1, 2), 16),
    Row(random_bits_p, "keys", lambda k: random_bits(k, shape=(2, 3), bits=32), (_words(2, 2, 2),), _all_keys),
    Row(
        random_split_p, "", lambda k: threefry_split(k, shape=(2, 3)), (_KEY,),
        lambda k: jax.random.key_data(jax.random.split(_key(k), (2, 3))),
    ),
    Row(
        random_split_p, "keys", lambda k: threefry_split(k, shape=(3,)), (_words(2, 2),),
        lambda k: np.stack([jax.random.key_data(jax.random.split(_key(one), 3)) for one in k]),
    ),
    Row(random_split_p, "none", lambda k: threefry_split(k, shape=(0,)), (_KEY,), lambda k: np.zeros((0, 2), np.uint32)),
    Row(
        random_fold_in_p, "", threefry_fold_in, (_KEY, np.array(-7, np.int32)),
        lambda k, n: jax.random.key_data(jax.random.fold_in(_key(k), n.astype(np.uint32))),
    ),
    Row(random_fold_in_p, "keys", threefry_fold_in, (_words(2, 2), np.arange(2)), _all_folded),
    Row(random_fold_in_p, "integers", threefry_fold_in, (_KEY, np.arange(3)), _all_folded),
    Row(
        random_fold_in_p, "seed", lambda n: threefry_fold_in(threefry_seed(n), 3), (np.array(-5, np.int32),),
        lambda n: jax.random.key_data(jax.random.fold_in(jax.random.key(n, impl="threefry2x32"), 3)),
    ),
    Row(random_clone_p, "", random_clone, (_KEY,), lambda k: k),
    _gammas("", False, _KEY, floats(2, 3, low=0.2, high=4.0)),
    _gammas("logarithms", True, _KEY, floats(4, low=0.01, high=2.0)),
    _gammas("keys", False, _words(2, 2), floats(2, 3, low=0.2, high=4.0)),
    _gammas("float16", False, _KEY, floats(3, low=0.5, high=4.0, dtype=np.float16)),
]  # fmt: skip
