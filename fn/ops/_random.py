"""Random bits from a counter: the Threefry-2x32 hash, and streams of bits, seeds and keys made with it.

A key is a `u32[2]`. Every function here gives the very bits that `jax.random` gives for the same key.
The hash: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fn.core import (
    ArgumentError,
    ArrayType,
    Primitive,
    bind,
    canonical_dtype,
    constant,
    elementwise,
    is_integer,
    public,
    type_of,
)
from fn.ops._elementwise import convert, shift_right_logical
from fn.ops._rules import Batched, require, types_text
from fn.ops._shape import broadcast, full, move_axis
from fn.ops._slicing import concatenate
from fn.ops._table import joint_shape

Ints = tuple[int, ...]
_WORD = np.dtype(np.uint32)
_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


# --- threefry2x32 -----------------------------------------------------------------------
@public
def threefry2x32(key0: Any, key1: Any, x0: Any, x1: Any) -> Any:
    """Hash the 64-bit numbers `(x0, x1)` with the keys `(key0, key1)`, elementwise; a pair again.

    Operands are `u32`, of one shape or scalars.

    >>> import fn, numpy as np
    >>> key = np.uint32(0)
    >>> [half.item() for half in fn.ops.threefry2x32(key, key, key, key)]
    [1797259609, 2579123966]
    """
    return bind(threefry2x32_p, key0, key1, x0, x1)


def _threefry2x32_type(*types: ArrayType) -> tuple[ArrayType, ...]:
    require(
        len(types) == 4 and all(t.dtype == _WORD for t in types), "threefry2x32: wrong dtypes",
        expected="four u32 arrays", got=types_text(types),
    )  # fmt: skip
    out = ArrayType(joint_shape("threefry2x32", types), _WORD)
    return out, out


def _threefry2x32_batch(axis: Any, args: Any, dims: Any) -> tuple[Any, Any]:
    args = [a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True)]
    entries = [np.shape(a)[d is not None :] for a, d in zip(args, dims, strict=True)]
    shape = max(entries, key=len)
    spread = []
    for a, d, entry in zip(args, dims, entries, strict=True):
        if d is not None or entry:  # scalars that are not batched stay scalars
            axes = (() if d is None else (0,)) + tuple(range(1, len(entry) + 1))
            a = broadcast(a, shape=(axis.size, *shape), axes=axes)
        spread.append(a)
    return threefry2x32(*spread), (0, 0)


def _threefry2x32_lower(emit: Any, key0: Any, key1: Any, x0: Any, x1: Any) -> Any:
    return _hash(emit, key0, key1, x0, x1, emit.types[0])


def _hash(emit: Any, key0: Any, key1: Any, x0: Any, x1: Any, out: ArrayType) -> tuple[Any, Any]:
    """Twenty rounds in a row. JAX writes a loop for CPUs, which here compiles slower and runs 12 times slower."""

    def op(name: str, *values: Any) -> Any:
        return emit.elementwise(f"stablehlo.{name}", *values, type=out)

    def number(value: int) -> Any:
        return emit.constant(value, out)

    keys = (key0, key1, op("xor", op("xor", key0, key1), number(_PARITY)))
    a, b = op("add", x0, key0), op("add", x1, key1)
    for turn in range(5):
        for r in _ROTATIONS[turn % 2]:
            a = op("add", a, b)
            rotated = op(
                "or", op("shift_left", b, number(r)), op("shift_right_logical", b, number(32 - r))
            )
            b = op("xor", a, rotated)
        a = op("add", a, keys[(turn + 1) % 3])
        b = op("add", op("add", b, keys[(turn + 2) % 3]), number(turn + 1))
    return a, b


threefry2x32_p = Primitive(
    name="threefry2x32", type=_threefry2x32_type, jvp=constant, transpose="a hash is not linear",
    batch=_threefry2x32_batch, lower=_threefry2x32_lower, multiple=True,
)  # fmt: skip


# --- random_bits ------------------------------------------------------------------------
@public
def random_bits(key: Any, *, shape: Ints, bits: int) -> Any:
    """Random unsigned integers of 8, 16, 32 or 64 bits.

    Args:
        key: `u32[2]`; or with more axes in front, an array of keys, each of which gives one `shape`.
        shape: of what one key gives.
        bits: width of an integer.

    >>> import fn
    >>> fn.ops.random_bits(fn.ops.threefry_seed(0), shape=(2, 3), bits=32).shape
    (2, 3)
    """
    return bind(random_bits_p, key, shape=shape, bits=bits)


def _random_bits_type(key: ArrayType, *, shape: Ints, bits: int) -> ArrayType:
    require_keys("random_bits", key)
    require(
        bits in (8, 16, 32, 64), "random_bits: no integer has this many bits", expected="8, 16, 32 or 64", got=bits
    )  # fmt: skip
    require(
        all(n >= 0 for n in shape),
        "random_bits: a size is negative",
        expected="sizes >= 0",
        got=shape,
    )
    dtype = np.dtype(f"uint{bits}")
    require(
        canonical_dtype(dtype) == dtype, "random_bits: 64-bit types are switched off", expected="8, 16 or 32 bits",
        got=bits, fix="switch them on with jax.config.update('jax_enable_x64', True)",
    )  # fmt: skip
    return ArrayType((*key.shape[:-1], *shape), dtype)


def require_keys(name: str, key: ArrayType) -> None:
    """Raise a `TypeRuleError` unless this is the type of a key, or of an array of them."""
    require(
        key.dtype == _WORD and key.shape[-1:] == (2,), f"{name}: not a key", expected="u32[2]",
        got=types_text([key]), fix="make a key from a seed with fn.random.key",
    )  # fmt: skip


def _random_bits_batch(axis: Any, args: Any, dims: Any, *, shape: Ints, bits: int) -> Batched:
    return random_bits(move_axis(args[0], dims[0], 0), shape=shape, bits=bits), 0


def _random_bits_lower(emit: Any, key: Any, *, shape: Ints, bits: int) -> Any:
    out = emit.type
    if out.size == 0:
        return emit.constant(0, out)
    words = out.with_dtype(_WORD)
    key0, key1 = (_word(emit, key, i, words) for i in (0, 1))
    a, b = _hash(emit, key0, key1, *_counters(emit, words, shape), words)
    if bits == 64:
        high, low = (emit.op("stablehlo.convert", v, type=out) for v in (a, b))
        high = emit.op("stablehlo.shift_left", high, emit.constant(32, out))
        return emit.op("stablehlo.or", high, low)
    mixed = emit.op("stablehlo.xor", a, b, type=words)
    return mixed if bits == 32 else emit.op("stablehlo.convert", mixed)


def _word(emit: Any, key: Any, index: int, words: ArrayType) -> Any:
    """One half of each key, spread over what that key gives."""
    keys = key.type.shape[:-1]
    rank = len(keys)
    half = emit.op(
        "stablehlo.slice", key, type=ArrayType((*keys, 1), _WORD),
        attrs=f"start_indices = {emit.integers([0] * rank + [index])}, "
        f"limit_indices = {emit.integers([*keys, index + 1])}, strides = {emit.integers([1] * (rank + 1))}",
    )  # fmt: skip
    half = emit.op("stablehlo.reshape", half, type=ArrayType(keys, _WORD))
    return emit.broadcast(half, words.shape, range(rank))


def _counters(emit: Any, words: ArrayType, shape: Ints) -> tuple[Any, Any]:
    """High and low word of each element's position in what its key gives, counted row by row.

    A sum of one iota per axis, so that XLA can cut it along any axis over several devices.
    """
    wide = words if math.prod(shape) <= 2**32 else words.with_dtype(np.uint64)
    position = emit.constant(0, wide)
    for axis in range(len(shape)):
        stride = math.prod(shape[axis + 1 :])
        place = f"iota_dimension = {words.ndim - len(shape) + axis} : i64"
        step = emit.op("stablehlo.iota", type=wide, attrs=place)
        if stride > 1:
            step = emit.op("stablehlo.multiply", step, emit.constant(stride, wide), type=wide)
        position = emit.op("stablehlo.add", position, step, type=wide)
    if wide is words:
        return emit.constant(0, words), position
    high = emit.op("stablehlo.shift_right_logical", position, emit.constant(32, wide), type=wide)
    return tuple([emit.op("stablehlo.convert", v, type=words) for v in (high, position)])


random_bits_p = Primitive(
    name="random_bits", type=_random_bits_type, jvp=constant, transpose="random bits are not linear in the key",
    batch=_random_bits_batch, lower=_random_bits_lower,
)  # fmt: skip


# --- random_split -----------------------------------------------------------------------
@public
def threefry_split(key: Any, *, shape: Ints) -> Any:
    """`u32[*shape, 2]`: new keys, independent of each other and of `key`.

    Args:
        key: `u32[2]`; or with more axes in front, an array of keys, each of which gives one `shape`.
        shape: how many, along how many axes.

    >>> import fn
    >>> fn.ops.threefry_split(fn.ops.threefry_seed(0), shape=(3,)).shape
    (3, 2)
    """
    return bind(random_split_p, key, shape=shape)


def _random_split_type(key: ArrayType, *, shape: Ints) -> ArrayType:
    require_keys("random_split", key)
    require(
        all(n >= 0 for n in shape), "random_split: a size is negative", expected="sizes >= 0", got=shape
    )  # fmt: skip
    return ArrayType((*key.shape[:-1], *shape, 2), _WORD)


def _random_split_batch(axis: Any, args: Any, dims: Any, *, shape: Ints) -> Batched:
    return threefry_split(move_axis(args[0], dims[0], 0), shape=shape), 0


def _random_split_lower(emit: Any, key: Any, *, shape: Ints) -> Any:
    out = emit.type
    if out.size == 0:
        return emit.constant(0, out)
    words = out.with_shape(out.shape[:-1])
    key0, key1 = (_word(emit, key, i, words) for i in (0, 1))
    return _beside(emit, *_hash(emit, key0, key1, *_counters(emit, words, shape), words))


def _beside(emit: Any, high: Any, low: Any) -> Any:
    """The two words side by side along a new last axis."""
    one = high.type.with_shape((*high.type.shape, 1))
    parts = [emit.op("stablehlo.reshape", w, type=one) for w in (high, low)]
    return emit.op("stablehlo.concatenate", *parts, attrs=f"dimension = {one.ndim - 1} : i64")


random_split_p = Primitive(
    name="random_split", type=_random_split_type, jvp=constant, transpose="new keys are not linear in the key",
    batch=_random_split_batch, lower=_random_split_lower,
)  # fmt: skip


# --- random_fold_in ---------------------------------------------------------------------
@public
def threefry_fold_in(key: Any, data: Any) -> Any:
    """A new key from `key` and an integer, of which the low 32 bits count.

    Args:
        key: `u32[2]`, or an array of keys.
        data: an integer, or an array of integers, one for each key.

    >>> import fn
    >>> fn.ops.threefry_fold_in(fn.ops.threefry_seed(0), 1).tolist()
    [928981903, 3453687069]
    """
    if isinstance(data, int):
        return bind(random_fold_in_p, key, np.uint32(data & 0xFFFFFFFF))
    kind = type_of(data)
    if kind is None or not is_integer(kind.dtype):
        raise _not_an_integer("threefry_fold_in", kind or type(data).__name__)
    return bind(random_fold_in_p, key, convert(data, dtype=_WORD))


def _random_fold_in_type(key: ArrayType, data: ArrayType) -> ArrayType:
    require_keys("random_fold_in", key)
    keys = key.shape[:-1]
    require(
        data.dtype == _WORD and (keys == data.shape or () in (keys, data.shape)),
        "random_fold_in: the integers do not fit the keys", got=types_text([key, data]),
        expected="u32 data, one for each key, or one of the two alone",
    )  # fmt: skip
    return ArrayType((*(keys or data.shape), 2), _WORD)


def _random_fold_in_batch(axis: Any, args: Any, dims: Any) -> Batched:
    args = [a if d is None else move_axis(a, d, 0) for a, d in zip(args, dims, strict=True)]
    batched = [d is not None for d in dims]
    entries = [
        np.shape(a)[front : np.ndim(a) - end]
        for a, front, end in zip(args, batched, (1, 0), strict=True)
    ]
    shape = max(entries, key=len)
    spread = []
    for a, front, entry, ending in zip(args, batched, entries, ((2,), ()), strict=True):
        if front or entry:  # what is single and not batched stays single
            full_shape = (axis.size, *shape, *ending)
            rest = range(len(full_shape) - len(entry) - len(ending), len(full_shape))
            a = broadcast(a, shape=full_shape, axes=(0,) * front + tuple(rest))
        spread.append(a)
    return threefry_fold_in(*spread), 0


def _random_fold_in_lower(emit: Any, key: Any, data: Any) -> Any:
    words = emit.type.with_shape(emit.type.shape[:-1])
    if words.size == 0:
        return emit.constant(0, emit.type)
    key0, key1 = (_word(emit, key, i, words) for i in (0, 1))
    low = emit.spread(data, words.shape)
    return _beside(emit, *_hash(emit, key0, key1, emit.constant(0, words), low, words))


random_fold_in_p = Primitive(
    name="random_fold_in", type=_random_fold_in_type, jvp=constant, transpose="a new key is not linear in the old one",
    batch=_random_fold_in_batch, lower=_random_fold_in_lower,
)  # fmt: skip


# --- random_clone -----------------------------------------------------------------------
@public
def random_clone(key: Any) -> Any:
    """`key`, which may then be used again: what looks for keys used twice takes it for a new one.

    >>> import fn
    >>> fn.ops.random_clone(fn.ops.threefry_seed(7)).tolist()
    [0, 7]
    """
    return bind(random_clone_p, key)


random_clone_p = Primitive(
    name="random_clone", type=lambda key: key, jvp=constant, transpose="keys have no cotangents",
    batch=elementwise, lower=lambda emit, key: key,
)  # fmt: skip


# --- seeds ------------------------------------------------------------------------------
@public
def threefry_seed(seed: Any) -> Any:
    """The key for an integer: its high and its low 32 bits.

    Args:
        seed: a Python integer of up to 64 bits, or a scalar integer array. Without 64-bit types only
            the low 32 bits count, as in JAX.

    >>> import fn
    >>> fn.ops.threefry_seed(7).tolist()
    [0, 7]
    """
    if isinstance(seed, int):
        if not -(2**63) <= seed < 2**63:
            raise ArgumentError(
                "threefry_seed: the seed is too large",
                expected="an integer of 64 bits",
                got=f"{seed:#x}",
            )
        wide = canonical_dtype(np.dtype(np.int64)).itemsize == 8
        words = [np.uint32((seed >> 32) & 0xFFFFFFFF if wide else 0), np.uint32(seed & 0xFFFFFFFF)]
        return concatenate(*[full(w, (1,)) for w in words], axis=0)
    kind = type_of(seed)
    if kind is None or kind.shape != () or not is_integer(kind.dtype):
        raise _not_an_integer("threefry_seed", kind or type(seed).__name__)
    high: Any = np.uint32(0)
    if kind.dtype.itemsize == 8:
        high = convert(shift_right_logical(seed, kind.dtype.type(32)), dtype=_WORD)
    words = [high, convert(seed, dtype=_WORD)]
    return concatenate(*[full(w, (1,)) for w in words], axis=0)


def _not_an_integer(name: str, got: Any) -> ArgumentError:
    return ArgumentError(
        f"{name}: not a scalar integer", expected="an integer", got=str(got),
        fix="use vmap for several integers",
    )  # fmt: skip
