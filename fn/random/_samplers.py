"""Samplers: numbers from keys, bit for bit those of `jax.random` for the same key."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from fn.core import (
    ArgumentError,
    canonical_dtype,
    dtype_name,
    is_float,
    is_inexact,
    is_integer,
    public,
    type_of,
)
from fn.ops import (
    add,
    argmax,
    bitcast,
    broadcast,
    clamp,
    convert,
    div,
    erf,
    erf_inv,
    gather,
    iota,
    le,
    log,
    log1p,
    logical_or,
    lt,
    maximum,
    move_axis,
    mul,
    neg,
    nextafter,
    random_bits,
    rem,
    reshape,
    select,
    shift_right_logical,
    slice_axis,
    sort,
    sub,
)
from fn.random._keys import Shape, as_key, as_shape, split
from fn.xla import fused


def _float_dtype(operation: str, dtype: Any) -> np.dtype[Any]:
    found = canonical_dtype(dtype)
    if not is_float(found):
        raise ArgumentError(
            f"random.{operation}: not a floating dtype",
            expected="float16, bfloat16, float32 or float64",
            got=dtype_name(found),
        )
    return found


def _parameter(
    operation: str, name: str, value: Any, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> Any:
    """A parameter of a distribution in the result's dtype: a scalar, or spread to its shape."""
    kind = type_of(value)
    if kind is None:
        raise ArgumentError(
            f"random.{operation}: {name} is not an array",
            expected="a number or an array",
            got=type(value).__name__,
        )
    if isinstance(value, (bool, int, float)):
        return dtype.type(value)
    value = convert(value, dtype=dtype)
    if kind.shape in ((), shape):
        return value
    try:
        fits = np.broadcast_shapes(kind.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ArgumentError(
            f"random.{operation}: {name} does not fit the shape of the result",
            expected=f"a shape that broadcasts to {shape}",
            got=str(kind),
            fix=f"pass shape=, or give {name} fewer axes",
        )
    offset = len(shape) - kind.ndim
    kept = [i for i, n in enumerate(kind.shape) if n == shape[offset + i]]
    value = reshape(value, shape=tuple([kind.shape[i] for i in kept]))
    return broadcast(value, shape=shape, axes=tuple([offset + i for i in kept]))


def _joint_shape(operation: str, shape: Any, *parameters: Any) -> tuple[int, ...]:
    """`shape`, or without one that of the parameters together."""
    if shape is not None:
        return as_shape(operation, shape)
    return np.broadcast_shapes(*[getattr(p, "shape", ()) for p in parameters])


def _unit_interval(key: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Uniform numbers of `[0, 1)`: random mantissas under the exponent of one, minus one."""
    info = ml_dtypes.finfo(dtype)
    width, mantissa = int(info.bits), int(info.nmant)
    drawn = 8 if mantissa < 8 else width
    unsigned = np.dtype(f"uint{width}")
    words = convert(random_bits(key, shape=shape, bits=drawn), dtype=unsigned)
    words = shift_right_logical(words, unsigned.type(drawn - mantissa))
    one = np.ones((), dtype)
    words = logical_or(words, one.view(unsigned)[()])
    return sub(bitcast(words, dtype=dtype), one[()])


def _between(key: Any, shape: tuple[int, ...], dtype: np.dtype[Any], low: Any, high: Any) -> Any:
    floats = _unit_interval(key, shape, dtype)
    return maximum(low, add(mul(floats, sub(high, low)), low))


@fused("shape", "dtype")
def uniform(
    key: Any, shape: Shape = (), dtype: Any = float, minval: Any = 0.0, maxval: Any = 1.0
) -> Any:
    """Numbers drawn uniformly from `[minval, maxval)`.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating dtype.
        minval: lower end; broadcasts to `shape`.
        maxval: upper end; broadcasts to `shape`.

    >>> import fn
    >>> x = fn.random.uniform(fn.random.key(0), (100,))
    >>> bool(((x >= 0) & (x < 1)).all())
    True
    """
    sizes, kind = as_shape("uniform", shape), _float_dtype("uniform", dtype)
    key = as_key("uniform", key)
    if (
        type(minval) in (int, float)
        and minval == 0
        and type(maxval) in (int, float)
        and maxval == 1
    ):
        return _unit_interval(key, sizes, kind)
    low = _parameter("uniform", "minval", minval, kind, sizes)
    high = _parameter("uniform", "maxval", maxval, kind, sizes)
    return _between(key, sizes, kind, low, high)


@fused("shape", "dtype")
def normal(key: Any, shape: Shape = (), dtype: Any = float) -> Any:
    """Numbers drawn from the normal distribution with mean 0 and variance 1.

    Args:
        key: a key.
        shape: of the result.
        dtype: a floating or complex dtype; complex numbers have independent parts of variance 1/2.

    >>> import fn
    >>> x = fn.random.normal(fn.random.key(0), (1000,))
    >>> round(float(x.std()), 1)
    1.0
    """
    sizes, kind = as_shape("normal", shape), _float_dtype("normal", dtype)
    # Just above -1, where the inverse error function is still finite.
    low = np.nextafter(kind.type(-1), kind.type(0), dtype=kind)
    u = _between(as_key("normal", key), sizes, kind, low, kind.type(1))
    return mul(kind.type(math.sqrt(2)), erf_inv(u))


@fused("shape", "dtype")
def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Shape | None = None, dtype: Any = float
) -> Any:
    """Normal numbers kept to `(lower, upper)`, by inverting the distribution function.

    Args:
        key: a key.
        lower: lower bound; broadcasts to `shape`.
        upper: upper bound; broadcasts to `shape`.
        shape: of the result; None takes that of the bounds.
        dtype: a floating dtype.

    >>> import fn
    >>> x = fn.random.truncated_normal(fn.random.key(0), -1.0, 1.0, (100,))
    >>> bool((abs(x) <= 1).all())
    True
    """
    kind = _float_dtype("truncated_normal", dtype)
    sizes = _joint_shape("truncated_normal", shape, lower, upper)
    low = _parameter("truncated_normal", "lower", lower, kind, sizes)
    high = _parameter("truncated_normal", "upper", upper, kind, sizes)
    root = kind.type(math.sqrt(2))
    key = as_key("truncated_normal", key)
    u = _between(key, sizes, kind, erf(div(low, root)), erf(div(high, root)))
    # Rounding must not reach the bounds themselves.
    inner = nextafter(low, kind.type(np.inf)), nextafter(high, kind.type(-np.inf))
    return clamp(inner[0], mul(root, erf_inv(u)), inner[1])


@fused("shape")
def bernoulli(key: Any, p: Any = 0.5, shape: Shape | None = None) -> Any:
    """Booleans that are true with probability `p`.

    Args:
        key: a key.
        p: probability; broadcasts to `shape`.
        shape: of the result; None takes that of `p`.

    >>> import fn
    >>> fn.random.bernoulli(fn.random.key(0), 0.5, (3,)).dtype
    dtype('bool')
    """
    kind = type_of(p)
    if kind is None or not is_float(kind.dtype):
        raise ArgumentError(
            "random.bernoulli: p is not a floating number", expected="a probability",
            got=str(kind or type(p).__name__),
        )  # fmt: skip
    sizes = _joint_shape("bernoulli", shape, p)
    chance = _parameter("bernoulli", "p", p, kind.dtype, sizes)
    return lt(_unit_interval(as_key("bernoulli", key), sizes, kind.dtype), chance)


@fused("shape", "dtype")
def exponential(key: Any, shape: Shape = (), dtype: Any = float) -> Any:
    """Numbers drawn from the exponential distribution with mean 1.

    >>> import fn
    >>> bool((fn.random.exponential(fn.random.key(0), (100,)) >= 0).all())
    True
    """
    sizes, kind = as_shape("exponential", shape), _float_dtype("exponential", dtype)
    from_zero = _unit_interval(as_key("exponential", key), sizes, kind)
    return neg(log1p(neg(from_zero)))


@fused("shape", "dtype")
def gumbel(key: Any, shape: Shape = (), dtype: Any = float) -> Any:
    """Numbers drawn from the standard Gumbel distribution, `-log(-log(u))`.

    >>> import fn
    >>> fn.random.gumbel(fn.random.key(0), (2,)).shape
    (2,)
    """
    sizes, kind = as_shape("gumbel", shape), _float_dtype("gumbel", dtype)
    tiny = kind.type(ml_dtypes.finfo(kind).tiny)
    u = _between(as_key("gumbel", key), sizes, kind, tiny, kind.type(1))
    return neg(log(neg(log(u))))


@fused("axis", "shape")
def categorical(key: Any, logits: Any, axis: int = -1, shape: Shape | None = None) -> Any:
    """Class numbers drawn with probabilities `softmax(logits)`, by the Gumbel trick.

    Args:
        key: a key.
        logits: unnormalised log-probabilities, floating, with the classes along `axis`.
        axis: the axis of the classes.
        shape: of the result; its last axes are those of `logits` without `axis`. None takes just these.

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
    ahead = len(sizes) - len(batch)
    classes = kind.shape[axis]
    full = (*sizes[: ahead + axis], classes, *sizes[ahead + axis :])
    noise = gumbel(key, full, kind.dtype)
    logits = broadcast(logits, shape=full, axes=tuple(range(ahead, len(full))))
    return argmax(add(noise, logits), axis=ahead + axis, dtype=canonical_dtype(int))


@public
def randint(key: Any, shape: Shape, minval: Any, maxval: Any, dtype: Any = int) -> Any:
    """Integers drawn from `minval` to `maxval`, exclusive.

    Args:
        key: a key.
        shape: of the result.
        minval: smallest integer; broadcasts to `shape`.
        maxval: one more than the largest; where it is not above `minval`, the result is `minval`.
        dtype: an integer dtype.

    >>> import fn
    >>> x = fn.random.randint(fn.random.key(0), (100,), 0, 6)
    >>> int(x.min()), int(x.max())
    (0, 5)
    """
    kind = canonical_dtype(dtype)
    if not is_integer(kind):
        raise ArgumentError(
            "random.randint: not an integer dtype", expected="int8 to uint64", got=dtype_name(kind)
        )
    sizes = as_shape("randint", shape)
    info = ml_dtypes.iinfo(kind)
    smallest, largest = int(info.min), int(info.max)
    beyond = isinstance(maxval, int) and maxval > largest
    low = _parameter("randint", "minval", _clip(minval, smallest, largest), kind, sizes)
    high = _parameter("randint", "maxval", _clip(maxval, smallest, largest), kind, sizes)
    width = kind.itemsize * 8
    unsigned = np.dtype(f"uint{width}")
    first, second = _two(as_key("randint", key))
    upper = random_bits(first, shape=sizes, bits=width)
    lower = random_bits(second, shape=sizes, bits=width)
    if beyond and isinstance(minval, int) and minval <= smallest:
        return add(low, convert(lower, dtype=kind))  # every value of the type is as likely
    # Twice the bits of the result, so that the remainder is close to uniform for every span.
    span = convert(sub(high, low), dtype=unsigned)
    empty = le(high, low)
    span = select(empty, unsigned.type(1), span)
    if beyond:  # the span is one wider than the type can say; it may wrap around to zero
        span = select(empty, span, add(span, unsigned.type(1)))
    multiplier = rem(unsigned.type(2 ** (width // 2)), span)
    multiplier = rem(mul(multiplier, multiplier), span)
    offset = rem(add(mul(rem(upper, span), multiplier), rem(lower, span)), span)
    return add(low, convert(offset, dtype=kind))


def _two(key: Any) -> tuple[Any, Any]:
    """Two new keys."""
    keys = split(key)
    first, second = (reshape(slice_axis(keys, i, i + 1, 0), shape=(2,)) for i in (0, 1))
    return first, second


def _clip(value: Any, smallest: int, largest: int) -> Any:
    """A bound of `randint`; Python integers may lie outside of the result's type."""
    if isinstance(value, (int, np.integer)):
        return min(max(int(value), smallest), largest)
    kind = type_of(value)
    if kind is not None and is_inexact(kind.dtype):
        return convert(value, dtype=canonical_dtype(int))
    return value


@public
def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False) -> Any:
    """`x` with its entries along `axis` in random order.

    Args:
        key: a key.
        x: an array; or an integer `n`, which stands for `arange(n)`.
        axis: the axis to shuffle.
        independent: shuffle each line along `axis` by itself instead of moving whole entries.

    >>> import fn
    >>> sorted(fn.random.permutation(fn.random.key(0), 4).tolist())
    [0, 1, 2, 3]
    """
    key = as_key("permutation", key)
    if isinstance(x, (int, np.integer)) and not isinstance(x, bool):
        return _shuffle(key, iota(dtype=canonical_dtype(int), shape=(int(x),), axis=0), 0)
    kind = type_of(x)
    if kind is None or not -kind.ndim <= axis < kind.ndim:
        raise ArgumentError(
            f"random.permutation: no axis {axis} to shuffle",
            expected="an integer, or an array with that axis",
            got=str(kind or type(x).__name__),
        )
    axis %= kind.ndim
    if independent or kind.ndim == 1:
        return _shuffle(key, x, axis)
    order = _shuffle(key, iota(dtype=np.int32, shape=(kind.shape[axis],), axis=0), 0)
    rows = move_axis(x, axis, 0)
    picked = gather(
        rows, reshape(order, shape=(*order.shape, 1)), offset_axes=tuple(range(1, rows.ndim)),
        collapsed_axes=(0,), index_map=(0,), slice_sizes=(1, *rows.shape[1:]), mode="promise",
    )  # fmt: skip
    return move_axis(picked, 0, axis)


def _shuffle(key: Any, x: Any, axis: int) -> Any:
    """Sort by random 32-bit keys, in so many rounds that equal keys do not bias the order."""
    size = math.prod(x.shape)
    rounds = math.ceil(3 * math.log(max(1, size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        key, subkey = _two(key)
        _, x = sort(random_bits(subkey, shape=x.shape, bits=32), x, axis=axis, keys=1, stable=True)
    return x
