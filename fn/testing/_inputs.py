"""Inputs to try a function at: random ones of a type, edge values, batches, and smaller ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import ml_dtypes
import numpy as np
from jax.tree_util import tree_map

from fn.core import ArrayType, is_complex, is_inexact, is_integer, type_of

LOW, HIGH = -1.5, 1.5
"""Where random real numbers lie."""


def random_array(type: ArrayType, rng: np.random.RandomState) -> Any:
    """A random array of `type`: reals from -1.5 to 1.5, small counts, any bits for keys."""
    if type.dtype == np.bool_:
        return rng.randint(0, 2, type.shape).astype(bool)
    if type.dtype == np.uint32 and type.shape[-1:] == (2,):  # may be a key: all bits matter
        return rng.randint(0, 2**32, type.shape, np.uint64).astype(np.uint32)
    if is_integer(type.dtype):
        low = 0 if type.dtype.kind == "u" else -2
        return rng.randint(low, 4, type.shape).astype(type.dtype)
    x: Any = rng.uniform(LOW, HIGH, type.shape)
    if is_complex(type.dtype):
        x = x + 1j * rng.uniform(LOW, HIGH, type.shape)
    return np.asarray(x).astype(type.dtype)


def example_inputs(types: Sequence[ArrayType], seed: int) -> list[Any]:
    """A random array for each type; the same for the same seed."""
    rng = np.random.RandomState(seed % 2**32)
    return [random_array(t, rng) for t in types]


def direction(type: ArrayType, rng: np.random.RandomState) -> Any:
    """A random tangent or cotangent: numbers of size about one."""
    x: Any = rng.uniform(0.2, 1, type.shape) * rng.choice([-1.0, 1.0], type.shape)
    if is_complex(type.dtype):
        x = x + 1j * rng.uniform(0.2, 1, type.shape) * rng.choice([-1.0, 1.0], type.shape)
    return np.asarray(x).astype(type.dtype)


def fill_specs(tree: Any, seed: int) -> Any:
    """`tree` with random arrays in place of types (`fn.ArrayType`, `jax.ShapeDtypeStruct`)."""
    rng = np.random.RandomState(seed % 2**32)

    def fill(leaf: Any) -> Any:
        if isinstance(leaf, (ArrayType, jax.ShapeDtypeStruct)):
            kind = type_of(leaf)
            assert kind is not None
            return random_array(kind, rng)
        return leaf

    return tree_map(fill, tree)


def lane(x: Any, k: int) -> Any:
    """The `k`-th of a batch of arrays like `x`: rotated and a little smaller, so that all differ."""
    x = np.asarray(x)
    if not k or not x.size:
        return x
    if x.ndim == 0 and is_integer(x.dtype):
        return x if x.dtype.kind == "u" or not x else (x - k * np.sign(x)).astype(x.dtype)
    if x.ndim == 0 and x.dtype == np.bool_:
        return np.asarray(bool(x) ^ bool(k % 2))
    rolled = np.roll(x.reshape(-1), k).reshape(x.shape)
    return (rolled * (1 - 0.02 * k)).astype(x.dtype) if is_inexact(x.dtype) else rolled


# --- edge values ------------------------------------------------------------------------


def edge_numbers(dtype: np.dtype[Any]) -> list[tuple[str, Any]]:
    """Named numbers of `dtype` at which functions that look alike come apart."""
    if dtype == np.bool_:
        return [("False", False), ("True", True)]
    if is_integer(dtype):
        whole = ml_dtypes.iinfo(dtype)
        integers = [("0", 0), ("1", 1), ("the largest integer", int(whole.max))]
        if int(whole.min) < 0:
            integers += [("-1", -1), ("the smallest integer", int(whole.min))]
        return integers
    real = np.dtype({8: np.float32, 16: np.float64}[dtype.itemsize]) if is_complex(dtype) else dtype
    info = ml_dtypes.finfo(real)
    named = [("0", 0.0), ("-0", -0.0), ("1", 1.0), ("-1", -1.0)]
    named += [("a denormal number", float(info.smallest_subnormal))]
    named += [("the smallest normal number", float(info.smallest_normal))]
    named += [("the largest finite number", float(info.max))]
    if float(np.asarray(np.inf).astype(real)) == np.inf:
        named += [("infinity", np.inf), ("minus infinity", -np.inf)]
    return [*named, ("NaN", np.nan)]


def edge_arrays(type: ArrayType, rng: np.random.RandomState) -> Iterator[tuple[str, Any]]:
    """Arrays of `type` filled with an edge value, then with some among random numbers."""
    numbers = edge_numbers(type.dtype)
    for name, value in numbers:
        yield f"all {name}", np.full(type.shape, value).astype(type.dtype)
    if type.size > 1:
        x = np.array(random_array(type, rng)).reshape(-1)
        for i, (_, value) in enumerate(numbers):
            x[i * len(x) // len(numbers)] = np.asarray(value).astype(type.dtype)
        yield "edge values among others", x.reshape(type.shape)


# --- smaller inputs ---------------------------------------------------------------------


def simpler(x: Any) -> Iterator[Any]:
    """Arrays like `x` that are easier to read, the simplest first."""
    x = np.asarray(x)
    if not x.size:
        return
    zeros, ones = np.zeros_like(x), np.ones_like(x)
    yield from (zeros, ones)
    if x.dtype.kind == "b":
        return
    with np.errstate(all="ignore"):
        if is_inexact(x.dtype):
            rounded = np.round(x.astype(np.complex128 if x.dtype.kind == "c" else np.float64), 1)
            yield np.round(rounded).astype(x.dtype)
            yield rounded.astype(x.dtype)
    if x.size > 1:
        yield np.full_like(x, x.reshape(-1)[0])


def zeroed(x: Any, parts: int) -> Iterator[Any]:
    """`x` with one of so many parts set to zero, if it is not zero already."""
    flat = np.asarray(x).reshape(-1)
    for places in np.array_split(np.arange(flat.size), min(parts, max(flat.size, 1))):
        if np.any(flat[places] != 0):
            changed = flat.copy()
            changed[places] = 0
            yield changed.reshape(np.shape(x))
