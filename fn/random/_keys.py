"""Keys: explicit random state. A key is a `u32[2]`; the same key gives the same numbers, always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from fn.core import ArgumentError, public, type_of
from fn.ops import random_clone, threefry_fold_in, threefry_seed, threefry_split

Shape = int | Sequence[int]
Key: TypeAlias = Any
"""For annotations: a `u32[2]`, or a typed key of JAX's."""

_IMPLEMENTATION = "threefry2x32"
_WORD = np.dtype(np.uint32)


@public
def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> Any:
    """A key from an integer seed: the bits `jax.random.key(seed)` has.

    Args:
        seed: an integer, or a scalar integer array.
        impl, dtype: the generator. There is one here, "threefry2x32".

    Returns:
        A key, `u32[2]`: an array as any other, which can be indexed, stacked, saved and pickled.

    >>> import fn
    >>> fn.random.key(0)
    Array([0, 0], dtype=uint32)
    """
    _check_implementation("key", impl if dtype is None else dtype)
    if isinstance(seed, np.integer):
        seed = int(seed)
    return threefry_seed(seed)


@public
def PRNGKey(seed: Any, *, impl: Any = None) -> Any:
    """Another name of `key`.

    >>> import fn
    >>> fn.random.PRNGKey(0).shape
    (2,)
    """
    return key(seed, impl=impl)


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
    kind = type_of(data)
    if kind is not None and kind.shape:
        raise ArgumentError(
            "random.fold_in: not a scalar", expected="an integer", got=str(kind),
            fix="use fn.vmap for several integers",
        )  # fmt: skip
    return threefry_fold_in(as_key("fold_in", key), data)


@public
def clone(key: Any) -> Any:
    """`key` itself. To `check_reuse` it is a new key: for drawing the same numbers twice on purpose.

    >>> import fn
    >>> fn.random.clone(fn.random.key(0))
    Array([0, 0], dtype=uint32)
    """
    return random_clone(as_key("clone", key, many=True))


@public
def key_data(keys: Any) -> Any:
    """The words of a key, or of an array of keys: `u32[..., 2]`. A key is its words here.

    >>> import fn
    >>> fn.random.key_data(fn.random.key(7))
    Array([0, 7], dtype=uint32)
    """
    return as_key("key_data", keys, many=True)


@public
def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> Any:
    """Words that were a key's as a key again; any `u32[..., 2]` is one.

    >>> import fn, fn.numpy as np
    >>> fn.random.wrap_key_data(np.array([0, 7], np.uint32))
    Array([0, 7], dtype=uint32)
    """
    _check_implementation("wrap_key_data", impl if dtype is None else dtype)
    return as_key("wrap_key_data", key_bits_array, many=True)


@public
def key_impl(keys: Any) -> str:
    """The name of the generator that keys belong to.

    >>> import fn
    >>> fn.random.key_impl(fn.random.key(0))
    'threefry2x32'
    """
    as_key("key_impl", keys, many=True)
    return _IMPLEMENTATION


def raw(key: Any) -> Any:
    """A typed key of JAX's as its words; everything else as it is."""
    dtype = getattr(key, "dtype", None)
    if dtype is None or dtype == _WORD or not jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        return key
    found = str(jax.random.key_impl(key))
    _check_implementation("key", found)
    return jax.random.key_data(key)


def as_key(operation: str, key: Any, *, many: bool = False) -> Any:
    """`key` as a raw `u32[2]`, or with `many` an array of them; typed JAX keys are accepted.

    Raises:
        ArgumentError: if it is no single key.
    """
    key = raw(key)
    kind = type_of(key)
    keys = kind is not None and kind.dtype == np.uint32 and kind.shape[-1:] == (2,)
    if not keys or (kind.shape != (2,) and not many):  # type: ignore[union-attr]  # keys says it has one
        raise ArgumentError(
            f"random.{operation}: not a key",
            expected="keys, u32[..., 2]" if many else "a key, u32[2]",
            got=str(kind or type(key).__name__),
            fix="use fn.vmap for several keys" if keys else "make one with fn.random.key(seed)",
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


def _check_implementation(operation: str, given: Any) -> None:
    if given is not None and str(given) not in (_IMPLEMENTATION, "fry", "key<fry>"):
        raise ArgumentError(
            f"random.{operation}: there is no such generator", expected=repr(_IMPLEMENTATION), got=repr(given),
            fix="leave impl out; draws with other generators can be made with jax.random and passed in",
        )  # fmt: skip
