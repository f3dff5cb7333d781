"""Rows of `fn/ops/_random.py`: every bit as `jax.random` has it."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.extend.random import threefry2x32_p as jax_threefry2x32_p

from fn.ops._random import (
    random_bits,
    random_bits_p,
    threefry2x32,
    threefry2x32_p,
    threefry_fold_in,
    threefry_seed,
    threefry_split,
)
from tests.ops.row import Row

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
        threefry2x32_p, "split", lambda k: threefry_split(k, shape=(2, 3)), (_KEY,),
        lambda k: jax.random.key_data(jax.random.split(_key(k), (2, 3))),
    ),
    Row(
        threefry2x32_p, "fold-in", threefry_fold_in, (_KEY, np.array(-7, np.int32)),
        lambda k, n: jax.random.key_data(jax.random.fold_in(_key(k), n.astype(np.uint32))),
    ),
    Row(
        threefry2x32_p, "seed", lambda n: threefry_fold_in(threefry_seed(n), 3), (np.array(-5, np.int32),),
        lambda n: jax.random.key_data(jax.random.fold_in(jax.random.key(n, impl="threefry2x32"), 3)),
    ),
]  # fmt: skip
