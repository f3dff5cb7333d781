"""Keys: explicit random state. A key is a `u32[2]`; the same key gives the same numbers, always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fn.core import ArgumentError, canonical_dtype, public, type_of
from fn.ops import random_bits, threefry_fold_in, threefry_seed, threefry_split

Shape = int | Sequence[int]


@public
def key(seed: Any) -> Any:
    """A key from an integer seed: the bits `jax.random.key(seed)` has.

    Args:
        seed: an integer, or a scalar integer array.

    Returns:
        A key, `u32[2]`.

    >>> import fn
    >>> fn.random.key(0)
    Array([0, 0], dtype=uint32)
    """
    if isinstance(seed, np.integer):
        seed = int(seed)
    return threefry_seed(seed)


@public
def split(key: Any, num: Shape = 2) -> Any:
    """New keys from `key`, independent of each other and of it. Do not use `key` again.

    Args:
        key: a key.
        num: how many, or a shape.

    Returns:
        `u32[num, 2]`; unpack or index it to get the keys.

    >>> import fn
    >>> a, b = fn.random.split(fn.random.key(0))
    """
    return threefry_split(as_key("split", key), shape=as_shape("split", num))


@public
def fold_in(key: Any, data: Any) -> Any:
    """A new key from `key` and an integer, such as the number of a step.

    >>> import fn
    >>> fn.random.fold_in(fn.random.key(0), 7).shape
    (2,)
    """
    data = int(data) if isinstance(data, np.integer) else data
    return threefry_fold_in(as_key("fold_in", key), data)


@public
def bits(key: Any, shape: Shape = (), dtype: Any = np.uint32) -> Any:
    """Uniformly distributed unsigned integers of `dtype`.

    >>> import fn
    >>> fn.random.bits(fn.random.key(0), (2,)).dtype
    dtype('uint32')
    """
    kind = canonical_dtype(dtype)
    if kind.kind != "u":
        raise ArgumentError(
            "bits: not an unsigned integer type",
            expected="uint8, uint16, uint32 or uint64",
            got=str(kind),
        )
    return random_bits(as_key("bits", key), shape=as_shape("bits", shape), bits=kind.itemsize * 8)


def as_key(operation: str, key: Any) -> Any:
    """`key` as a raw `u32[2]`; typed JAX keys are accepted.

    Raises:
        ArgumentError: if it is no single key.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    kind = type_of(key)
    if kind is None or kind.dtype != np.uint32 or kind.shape != (2,):
        many = kind is not None and kind.dtype == np.uint32 and kind.shape[-1:] == (2,)
        raise ArgumentError(
            f"random.{operation}: not a key",
            expected="a key, u32[2]",
            got=str(kind or type(key).__name__),
            fix="use fn.vmap for several keys" if many else "make one with fn.random.key(seed)",
        )
    return key


def as_shape(operation: str, shape: Any) -> tuple[int, ...]:
    """`shape` as a tuple of Python integers."""
    try:
        sizes = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        result = tuple([int(n.__index__()) for n in sizes])
    except (TypeError, AttributeError):
        raise ArgumentError(
            f"random.{operation}: not a shape",
            expected="an integer or a sequence of integers",
            got=type(shape).__name__,
        ) from None
    if any(n < 0 for n in result):
        raise ArgumentError(
            f"random.{operation}: a size is negative", expected="sizes >= 0", got=str(result)
        )
    return result
