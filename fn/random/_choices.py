"""Choosing among things: classes, entries, orders."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy

import fn.numpy as np
from fn.core import ArgumentError, Tracer, canonical_dtype, context, is_float, type_of
from fn.ops import (
    add,
    argmax,
    broadcast,
    gather,
    iota,
    move_axis,
    random_bits,
    reshape,
    slice_axis,
    sort,
    top_k,
    transpose,
)
from fn.random._arguments import draws, float_dtype, sampler
from fn.random._inverse import gumbels
from fn.random._keys import Shape, as_key, as_shape
from fn.random._uniform import randint, two_keys, unit_interval


# --- categorical ------------------------------------------------------------------------
@sampler("axis", "shape", "replace", "mode")
def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Shape | None = None,
    replace: bool = True,
    mode: str | None = None,
) -> Any:
    """Class numbers drawn with probabilities `softmax(logits)`, by the Gumbel trick.

    Args:
        key: a key.
        logits: unnormalised log-probabilities, floating, with the classes along `axis`.
        axis: the axis of the classes.
        shape: of the result; its last axes are those of `logits` without `axis`. None takes just these.
        replace: whether a class can be drawn again. If not, all draws for one set of logits, along the
            leading axes of `shape`, are different.
        mode: of the Gumbel numbers, see `gumbel`.

    Returns:
        Integers from 0 to the number of classes, exclusive.

    >>> import fn, fn.numpy as np
    >>> fn.random.categorical(fn.random.key(0), np.array([0.0, 100.0, 0.0]))
    Array(1, dtype=int32)
    """
    kind = type_of(logits)
    if kind is None or not is_float(kind.dtype) or not -kind.ndim <= axis < kind.ndim:
        raise ArgumentError(
            "random.categorical: logits have no such axis of classes",
            expected=f"a floating array with an axis {axis}",
            got=str(kind or type(logits).__name__),
        )
    axis %= kind.ndim
    batch = kind.shape[:axis] + kind.shape[axis + 1 :]
    sizes = batch if shape is None else as_shape("categorical", shape)
    if sizes[len(sizes) - len(batch) :] != batch:
        raise ArgumentError(
            "random.categorical: shape does not end with that of the logits",
            expected=f"a shape that ends with {batch}",
            got=str(sizes),
        )
    ahead, classes = len(sizes) - len(batch), kind.shape[axis]
    if not replace:
        return _without_repeats(key, np.asarray(logits), axis, sizes, sizes[:ahead], mode)
    full = (*sizes[: ahead + axis], classes, *sizes[ahead + axis :])
    noise = gumbels("categorical", key, full, kind.dtype, mode)
    logits = broadcast(logits, shape=full, axes=tuple(range(ahead, len(full))))
    return argmax(add(noise, logits), axis=ahead + axis, dtype=canonical_dtype(int))


def _without_repeats(
    key: Any, logits: Any, axis: int, sizes: Any, ahead: Any, mode: str | None
) -> Any:
    count = math.prod(ahead)
    if count > logits.shape[axis]:
        raise ArgumentError(
            "random.categorical: there are not so many classes", expected=f"at most {logits.shape[axis]} draws",
            got=f"{count} of shape {ahead}", fix="let classes repeat: replace=True",
        )  # fmt: skip
    noisy = add(logits, gumbels("categorical", key, logits.shape, logits.dtype, mode))
    _, places = top_k(move_axis(noisy, axis, noisy.ndim - 1), k=count, axis=noisy.ndim - 1)
    places = transpose(places, permutation=(places.ndim - 1, *range(places.ndim - 1)))
    return reshape(places, shape=sizes)


# --- permutation ------------------------------------------------------------------------
@draws
def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """`x` with its entries along `axis` in random order.

    Args:
        key: a key.
        x: an array; or an integer `n`, which stands for `arange(n)`.
        axis: the axis to shuffle.
        independent: shuffle each line along `axis` by itself instead of moving whole entries.

    Called eagerly on arrays of the CPU, the order is made on the host, which sorts several times
    faster than XLA does there.

    >>> import fn
    >>> sorted(fn.random.permutation(fn.random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    key = as_key("permutation", key)
    kind = type_of(x)
    counted = kind is not None and kind.shape == () and kind.dtype.kind in "iu"
    if kind is None or not (counted or -kind.ndim <= axis < kind.ndim):
        raise ArgumentError(
            f"random.permutation: no axis {axis} to shuffle",
            expected="an integer, or an array with that axis",
            got=str(kind or type(x).__name__),
        )
    if counted:
        n, dtype = int(x), canonical_dtype(int)
        if _on_host(key):
            return jax.numpy.asarray(numpy.arange(n, dtype=dtype)[_order(key, (n,), 0)])
        return _shuffle(key, iota(dtype=dtype, shape=(n,), axis=0), 0)
    axis %= kind.ndim
    if _on_host(key, x):
        host = numpy.asarray(x)
        if independent or kind.ndim == 1:
            mixed = numpy.take_along_axis(host, _order(key, kind.shape, axis), axis)
        else:
            mixed = numpy.take(host, _order(key, (kind.shape[axis],), 0), axis)
        return jax.numpy.asarray(mixed, dtype=kind.dtype)
    if independent or kind.ndim == 1:
        return _shuffle(key, x, axis)
    order = _shuffle(key, iota(dtype=numpy.int32, shape=(kind.shape[axis],), axis=0), 0)
    rows = move_axis(x, axis, 0)
    picked = gather(
        rows, reshape(order, shape=(*order.shape, 1)), offset_axes=tuple(range(1, rows.ndim)),
        collapsed_axes=(0,), index_map=(0,), slice_sizes=(1, *rows.shape[1:]), mode="promise",
    )  # fmt: skip
    return move_axis(picked, 0, axis)


@draws
def shuffle(key: Any, x: Any, axis: int = 0) -> Any:
    """`x` with its entries along `axis` in random order: `permutation` of an array.

    >>> import fn, fn.numpy as np
    >>> fn.random.shuffle(fn.random.key(0), np.arange(6).reshape(2, 3)).shape
    (2, 3)
    """
    return permutation(key, np.asarray(x), axis)


def _rounds(size: int) -> int:
    """Sorting by random 32-bit words so often that equal words do not bias the order."""
    return math.ceil(3 * math.log(max(1, size)) / math.log(2**32 - 1))


def _shuffle(key: Any, x: Any, axis: int) -> Any:
    for _ in range(_rounds(math.prod(x.shape))):
        key, subkey = two_keys(key)
        _, x = sort(random_bits(subkey, shape=x.shape, bits=32), x, axis=axis, keys=1, stable=True)
    return x


def _on_host(*arrays: Any) -> bool:
    """Whether values are at hand, in the memory of this machine."""
    if context.trace is not None:
        return False
    for a in arrays:
        if isinstance(a, (Tracer, jax.core.Tracer)):
            return False
        if isinstance(a, jax.Array):
            devices = a.devices()
            if len(devices) > 1 or next(iter(devices)).platform != "cpu":
                return False
    return jax.default_backend() == "cpu"


def _order(key: Any, shape: tuple[int, ...], axis: int) -> Any:
    """What is where after `_shuffle` of arrays of this shape."""
    size = shape[axis]
    line = [1] * len(shape)
    line[axis] = size
    places = numpy.arange(size, dtype=numpy.uint64).reshape(line)
    order = numpy.broadcast_to(places.astype(numpy.intp), shape)
    for _ in range(_rounds(math.prod(shape))):
        key, subkey = two_keys(key)
        words = numpy.asarray(random_bits(subkey, shape=shape, bits=32)).astype(numpy.uint64)
        # The place below the word makes all numbers different, so that any sort is a stable one.
        words = numpy.sort((words << numpy.uint64(32)) | places, axis=axis)
        moved = (words & numpy.uint64(0xFFFFFFFF)).astype(numpy.intp)
        order = numpy.take_along_axis(order, moved, axis)
    return order


# --- choice -----------------------------------------------------------------------------
@draws
def choice(
    key: Any,
    a: Any,
    shape: Shape = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Any:
    """Entries drawn from an array.

    Args:
        key: a key.
        a: an array, of which entries along `axis` are drawn; or an integer `n`, for `arange(n)`.
        shape: of what is drawn; it takes the place of `axis` in the result.
        replace: whether an entry can be drawn again.
        p: probability of each entry, a vector; by default all are as likely.
        axis: the axis of the entries.
        mode: of the Gumbel numbers used without `replace`, see `gumbel`.

    >>> import fn, fn.numpy as np
    >>> x = fn.random.choice(fn.random.key(0), np.array([2.0, 3.0]), (5,))
    >>> set(x.tolist()) <= {2.0, 3.0}
    True
    """
    key, sizes, kind = as_key("choice", key), as_shape("choice", shape), type_of(a)
    counted = kind is not None and kind.shape == () and kind.dtype.kind in "iu"
    if kind is None or not (counted or -kind.ndim <= axis < kind.ndim):
        raise ArgumentError(
            f"random.choice: no axis {axis} to choose from",
            expected="an integer, or an array with that axis", got=str(kind or type(a).__name__),
        )  # fmt: skip
    population = int(a) if counted else kind.shape[axis]
    draw = math.prod(sizes)
    if draw and (population <= 0 or (draw > population and not replace)):
        raise ArgumentError(
            "random.choice: there are not so many entries to draw", got=f"{draw} of {population}",
            expected=f"at most {max(population, 0)} draws", fix="let entries repeat: replace=True",
        )  # fmt: skip
    axis = 0 if counted else axis % kind.ndim
    array = None if counted else np.asarray(a)
    around = ((), ()) if counted else (kind.shape[:axis], kind.shape[axis + 1 :])
    result = (*around[0], *sizes, *around[1])
    if draw == 0:
        return np.zeros(result, int if counted else kind.dtype)
    if p is None and not replace:
        mixed = permutation(key, population if array is None else array, axis)
        return reshape(slice_axis(mixed, 0, draw, axis), shape=result)
    if p is None:
        places = randint(key, sizes, 0, population)
    else:
        places = _places(key, p, sizes, population, bool(replace), mode)
    if array is None:
        return reshape(places, shape=result)
    return reshape(np.take(array, places, axis=axis), shape=result)


@sampler("sizes", "population", "replace", "mode")
def _places(key: Any, p: Any, sizes: Any, population: int, replace: bool, mode: str | None) -> Any:
    """Numbers of entries drawn with these probabilities."""
    found = type_of(p)
    if found is None or found.shape != (population,):
        raise ArgumentError(
            "random.choice: p does not fit", expected=f"a vector of {population} probabilities",
            got=str(found or type(p).__name__),
        )  # fmt: skip
    kind = found.dtype if is_float(found.dtype) else float_dtype("choice", None)
    p = np.astype(np.asarray(p), kind)
    if not replace:
        noisy = add(gumbels("choice", key, (population,), kind, mode), np.log(p))
        return np.astype(top_k(noisy, k=math.prod(sizes), axis=0)[1], int)
    total = np.cumsum(p)
    r = total[-1] * (1.0 - unit_interval(key, sizes, kind))
    return np.astype(np.searchsorted(total, r), int)
