"""Writing a random Program: choices, a pool of values with bounds, and ways to get an operand.

Every real value has bounds that hold for inputs within theirs, so that an operation is only applied where
it is defined and nothing overflows. What is chosen is a sequence of small integers, of which zero is the
plainest, so that hypothesis can make a Program smaller.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from fn.core import (
    ArrayType,
    Program,
    Trace,
    check,
    dce,
    is_complex,
    is_float,
    is_integer,
    recording,
    type_of,
    used_inputs,
)
from fn.ops import (
    add,
    broadcast,
    clamp,
    convert,
    full,
    make_complex,
    mul,
    reduce_sum,
    rem,
    reshape,
    slice_axis,
    tanh,
)
from fn.testing._inputs import HIGH, LOW

T = TypeVar("T")
F32, I32, U32 = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uint32)
BOOL, C64 = np.dtype(bool), np.dtype(np.complex64)
LARGEST = 40.0
"""Numbers with larger bounds are brought down before they are used."""
BITS = 2.0**32
"""The upper bound of integers whose bits are random."""
SHAPES: tuple[tuple[int, ...], ...] = ((3,), (), (2, 3), (3, 3), (2, 2, 3), (1, 3), (0, 3))


class Choices(Protocol):
    """Where random choices come from."""

    def integer(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""


class Seeded:
    """Choices from a seed."""

    def __init__(self, seed: Any) -> None:
        self._random = random.Random(repr(seed))

    def integer(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Known(NamedTuple):
    """A value of the Program being written, and the bounds it keeps to; the modulus, if complex."""

    value: Any
    low: float
    high: float

    @property
    def type(self) -> ArrayType:
        """Its type."""
        kind = type_of(self.value)
        assert kind is not None
        return kind

    @property
    def largest(self) -> float:
        """A bound of its modulus."""
        return max(abs(self.low), abs(self.high))


def input_bounds(type: ArrayType) -> tuple[float, float]:
    """The bounds of `example_inputs` of this type."""
    if type.dtype == BOOL:
        return 0.0, 1.0
    if is_integer(type.dtype):
        if type.dtype == U32 and type.shape[-1:] == (2,):
            return 0.0, BITS
        return (0.0, 3.0) if type.dtype.kind == "u" else (-2.0, 3.0)
    return (0.0, 2 * HIGH) if is_complex(type.dtype) else (LOW, HIGH)


class Draft:
    """A Program being written.

    Args:
        choices: where choices come from.
        depth: how many levels of Programs within Programs are still allowed.
        reverse: whether the Program must have reverse-mode derivatives.
        inputs: its inputs and their bounds; None if it may ask for inputs as it goes.
    """

    def __init__(
        self, choices: Choices, depth: int = 2, reverse: bool = True,
        inputs: Sequence[Known] | None = None,
    ) -> None:  # fmt: skip
        self.choices, self.depth, self.reverse = choices, depth, reverse
        self.trace = Trace("random program")
        self.open = inputs is None
        self.inputs = [Known(self.trace.input(k.type), k.low, k.high) for k in inputs or ()]
        self.pool: list[Known] = list(self.inputs)

    # --- choices ---

    def integer(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low if low >= high else self.choices.integer(low, high)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the plainest."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """True so many times in a hundred."""
        return self.integer(0, 99) >= 100 - percent

    # --- values ---

    def keep(self, value: Any, low: float, high: float) -> Known:
        """Add a value to the pool, within these bounds; too large a one is brought down first."""
        known = Known(value, low, high)
        if not high < BITS and known.type.dtype.kind not in "iu":
            known = Known(value, low, min(high, 1e30))
        if known.largest > LARGEST and not (is_integer(known.type.dtype) and high >= BITS):
            known = self.tamed(known)
        self.pool.append(known)
        return known

    def tamed(self, x: Known) -> Known:
        """`x` brought to small bounds, differentiably."""
        if is_integer(x.type.dtype):
            return Known(rem(x.value, 7), -6.0 if x.low < 0 else 0.0, 6.0)
        if is_complex(x.type.dtype):
            factor = 4.0 / max(x.largest, 4.0)
            return Known(mul(x.value, complex(factor)), 0.0, 4.0)
        return Known(tanh(x.value), -1.0, 1.0)

    def fresh(self, type: ArrayType) -> Known:
        """A new input; an array of one number, if there are no more inputs."""
        if not self.open:
            number = type.dtype.type(1)
            known = Known(full(number, type.shape) if type.shape else number, 1.0, 1.0)
            self.pool.append(known)
            return known
        known = Known(self.trace.input(type), *input_bounds(type))
        self.inputs.append(known)
        self.pool.append(known)
        return known

    def any(self, wanted: Callable[[Known], bool], otherwise: Callable[[], ArrayType]) -> Known:
        """A value of the pool, the newest first; or a new input of a type made for it."""
        found = [k for k in reversed(self.pool) if wanted(k)]
        if not found or self.chance(15):
            type = otherwise()
            if not found or len(self.inputs) < 5:
                return self.fresh(type)
        chosen: Known = self.pick(found[:8])
        return chosen

    def shape(self, least: int = 0, most: int = 3) -> tuple[int, ...]:
        """A shape of so many axes."""
        options = [s for s in SHAPES[: 6 if self.chance(92) else 7] if least <= len(s) <= most]
        return self.pick(options or [(3,) * least])

    def real(self, least: int = 0, most: int = 3, dtype: np.dtype[Any] | None = None) -> Known:
        """A real floating value of so many axes."""

        def wanted(k: Known) -> bool:
            right = is_float(k.type.dtype) if dtype is None else k.type.dtype == dtype
            return right and least <= k.type.ndim <= most

        return self.any(
            wanted, lambda: ArrayType(self.shape(least, most), dtype or self.float_dtype())
        )

    def float_dtype(self) -> np.dtype[Any]:
        """Mostly float32."""
        if self.chance(90):
            return F32
        return self.pick([np.dtype(np.float16), np.dtype("bfloat16")])

    def count(self, least: int = 0, most: int = 3, signed: bool = True) -> Known:
        """An integer value that is no random bits."""

        def wanted(k: Known) -> bool:
            t = k.type
            fits = is_integer(t.dtype) and least <= t.ndim <= most and k.high < BITS
            return fits and (not signed or t.dtype.kind == "i")

        dtypes = (
            [I32, np.dtype(np.int8)]
            if signed
            else [I32, U32, np.dtype(np.int8), np.dtype(np.uint8)]
        )
        return self.any(wanted, lambda: ArrayType(self.unlike_key(least, most), self.pick(dtypes)))

    def unlike_key(self, least: int, most: int) -> tuple[int, ...]:
        shape = self.shape(least, most)
        return (3,) if shape[-1:] == (2,) else shape

    def truth(self, shape: tuple[int, ...] | None = None) -> Known:
        """A boolean value."""
        if shape is None:
            return self.any(lambda k: k.type.dtype == BOOL, lambda: ArrayType(self.shape(), BOOL))
        return self.any(
            lambda k: k.type.dtype == BOOL and k.type.shape == shape, lambda: ArrayType(shape, BOOL)
        )

    def complex(self, least: int = 0, most: int = 3) -> Known:
        """A complex value."""
        return self.any(
            lambda k: is_complex(k.type.dtype) and least <= k.type.ndim <= most,
            lambda: ArrayType(self.shape(least, most), C64),
        )

    def key(self) -> Known:
        """A random key."""
        return self.any(
            lambda k: k.type.dtype == U32 and k.type.shape == (2,), lambda: ArrayType((2,), U32)
        )

    def number(self, least: int = 0, most: int = 3) -> Known:
        """A value of any numeric dtype."""

        def wanted(k: Known) -> bool:
            return k.type.dtype != BOOL and least <= k.type.ndim <= most and k.high < BITS

        return self.any(wanted, lambda: ArrayType(self.shape(least, most), F32))

    def anything(self, least: int = 0, most: int = 3) -> Known:
        """A value of any dtype."""
        return self.any(
            lambda k: least <= k.type.ndim <= most and k.high < BITS,
            lambda: ArrayType(self.shape(least, most), F32),
        )

    # --- bringing values into form ---

    def within(self, x: Known, low: float, high: float) -> Known:
        """`x` moved into these bounds, if it is not there: by tanh if it is real, clamped if a count."""
        if low <= x.low and x.high <= high:
            return x
        dtype = x.type.dtype
        if is_integer(dtype):
            ends = (dtype.type(int(low)), dtype.type(int(high)))
            return Known(clamp(ends[0], x.value, ends[1]), low, high)
        if is_complex(dtype):
            factor = high / max(x.largest, high)
            return Known(mul(x.value, complex(round(factor, 3))), 0.0, high)
        if high - low > 4:  # a small part of them, where functions are not yet flat
            low, high = (
                (low, low + 2) if low > -2 else (high - 2, high) if high < 2 else (-2.0, 2.0)
            )
            if low <= x.low and x.high <= high:
                return x
        small = x if x.low >= -1 and x.high <= 1 else Known(tanh(x.value), -1.0, 1.0)
        half, middle = (high - low) / 2, (high + low) / 2
        value = small.value
        # Halves and quarters are exact in every dtype.
        if half < 1:
            value = mul(value, _floor(half))
            half = _floor(half)
        if middle:
            value = add(value, float(np.asarray(middle).astype(dtype)))
        reach = min(half, 1.0) * 1.02
        return Known(value, max(low, middle - reach), min(high, middle + reach))

    def like(self, x: Known, shape: tuple[int, ...]) -> Known:
        """`x` brought to another shape: summed, repeated or cut."""
        t = x.type
        if t.shape == shape:
            return x
        if t.size == int(np.prod(shape)):
            return Known(reshape(x.value, shape=shape), x.low, x.high)
        if t.shape == ():
            return Known(full(x.value, shape), x.low, x.high)
        if len(t.shape) < len(shape) and shape[len(shape) - t.ndim :] == t.shape:
            axes = tuple(range(len(shape) - t.ndim, len(shape)))
            return Known(broadcast(x.value, shape=shape, axes=axes), x.low, x.high)
        if t.ndim > len(shape) and t.shape[t.ndim - len(shape) :] == shape and t.dtype != BOOL:
            axes = tuple(range(t.ndim - len(shape)))
            n = float(np.prod(t.shape[: len(axes)]))
            low, high = min(0.0, n * x.low), max(0.0, n * x.high)
            return Known(reduce_sum(x.value, axes=axes), low, high)
        if t.size:
            flat = reshape(x.value, shape=(t.size,))
            first = reshape(slice_axis(flat, 0, 1, 0), shape=())
            return Known(full(first, shape), x.low, x.high)
        return Known(full(t.dtype.type(0), shape), 0.0, 0.0)

    def as_dtype(self, x: Known, dtype: np.dtype[Any]) -> Known:
        """`x` in another dtype."""
        t = x.type
        if t.dtype == dtype:
            return x
        if x.high >= BITS:
            x = Known(rem(x.value, 7), 0.0, 6.0)
            return self.as_dtype(x, dtype)
        if dtype == BOOL:
            return Known(convert(x.value, dtype=dtype), 0.0, 1.0)
        if is_complex(dtype):
            part = convert(x.value, dtype=np.float32)
            return Known(make_complex(part, np.float32(0)), 0.0, x.largest)
        if is_complex(t.dtype):
            return Known(convert(x.value, dtype=dtype), -x.largest, x.largest)
        if dtype.kind == "u" and x.low < 0:
            x = Known(mul(x.value, x.value), 0.0, x.largest**2)
        return Known(convert(x.value, dtype=dtype), np.floor(x.low), np.ceil(x.high))

    def adapted(self, x: Known, type: ArrayType, low: float, high: float) -> Known:
        """`x` as a value of this type within these bounds."""
        x = self.like(x, type.shape)
        x = self.as_dtype(x, type.dtype)
        if type.dtype == BOOL or high >= BITS:
            return x
        return self.within(x, low, high)

    def matching(self, type: ArrayType, low: float, high: float) -> Known:
        """A value of this type within these bounds."""
        if high >= BITS:
            return self.any(lambda k: k.type is type, lambda: type)
        found = [k for k in reversed(self.pool) if k.type is type]
        if not found:
            found = [k for k in reversed(self.pool) if k.type.dtype == type.dtype and k.high < BITS]
        if not found:
            return (
                self.within(self.fresh(type), low, high) if type.dtype != BOOL else self.fresh(type)
            )
        return self.adapted(self.pick(found[:8]), type, low, high)

    # --- the end ---

    def finish(self, outputs: Sequence[Known], name: str) -> Draft.Written:
        """The Program of these results, without what they do not need."""
        program = dce(self.trace.finish([k.value for k in outputs], name))
        used = used_inputs(program) if self.open else [True] * len(program.inputs)
        kept = tuple([v for v, u in zip(program.inputs, used, strict=True) if u])
        inputs = [k for k, u in zip(self.inputs, used, strict=True) if u]
        small = Program(kept, program.equations, program.outputs, (), name)
        return Draft.Written(check(small), inputs, list(outputs))

    class Written(NamedTuple):
        """A Program, and the bounds of its inputs and outputs."""

        program: Program
        inputs: list[Known]
        outputs: list[Known]


def _floor(x: float) -> float:
    """A number not above `x` that every dtype holds exactly."""
    return float(np.floor(x * 16) / 16) if x >= 1 / 16 else x


def write(draft: Draft, body: Callable[[Draft], Sequence[Known]], name: str) -> Draft.Written:
    """The Program that `body` writes."""
    with recording(draft.trace):
        return draft.finish(body(draft), name)
