"""What an identity is checked on: a Program at a point, with what is derived from it computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np

from fn.control import inline_calls
from fn.core import ArrayType, Program, evaluate, is_complex, is_inexact, type_of
from fn.ops import add, mul, real_part, reduce_sum
from fn.testing._by_op import by_op, noise
from fn.testing._inputs import direction, lane
from fn.testing._retype import Widened, wide_dtype, widen
from fn.transforms import Linearized, linearize_program, transpose_program
from fn.xla import jit

Arrays = list[Any]


class Skip(Exception):
    """The identity says nothing about this function; the message says why."""


class Subject:
    """A Program at a point.

    Args:
        program: closed; what the function captured are its last inputs.
        arrays: one per input.
        own: how many inputs are the function's own; the others were captured, are not batched, and
            have no tangents.
        seed: for tangents, cotangents and directions.
        lanes: size of the axis that is batched over.
        exhaustive: whether to batch every subset of inputs, rather than each alone and all together.
        labels: paths of the outputs.
        call: the function itself, of the arrays, evaluated eagerly; None for the Program alone.
    """

    def __init__(
        self, program: Program, arrays: Sequence[Any], own: int | None = None, *, seed: int = 0,
        lanes: int = 3, exhaustive: bool = False, labels: Sequence[str] = (),
        call: Callable[..., Any] | None = None, shared: dict[Any, Any] | None = None,
        moves: Sequence[bool] | None = None,
    ) -> None:  # fmt: skip
        self.program, self.arrays = program, list(arrays)
        self.own = len(program.inputs) if own is None else own
        self.seed, self.lanes, self.exhaustive = seed, lanes, exhaustive
        self.labels, self.call = labels, call
        # Nothing in here depends on the point, so that subjects at other points share it.
        self.shared: dict[Any, Any] = {} if shared is None else shared
        self.moving = tuple(
            [
                i < self.own and is_inexact(t.dtype) and (moves is None or moves[i])
                for i, t in enumerate(program.in_types)
            ]
        )

    def __fn_environment__(self) -> list[Any]:
        """What counts for functions that close over a subject: nothing else of it ever changes."""
        return [self.program, self.moving]

    def at(self, arrays: Sequence[Any], lanes: int | None = None) -> Subject:
        """The same Program at another point, or with another number of lanes."""
        return Subject(
            self.program, arrays, self.own, seed=self.seed, lanes=lanes or self.lanes,
            exhaustive=self.exhaustive, labels=self.labels, call=self.call, shared=self.shared,
            moves=self.moving,
        )  # fmt: skip

    # --- values ---

    @property
    def types(self) -> tuple[ArrayType, ...]:
        """Types of the inputs."""
        return self.program.in_types

    def compiled(
        self, key: Any, function: Callable[..., Any], outline: bool = True
    ) -> Callable[..., Any]:
        """`function` compiled, once per key."""
        key = ("compiled", key, outline)
        if key not in self.shared:
            self.shared[key] = jit(function, outline=outline)
        found: Callable[..., Any] = self.shared[key]
        return found

    def value(self) -> Arrays:
        """The outputs, compiled."""
        run = self.compiled("value", lambda *xs: evaluate(self.program, xs))
        return list(run(*self.arrays))

    def value_by_op(self) -> Arrays:
        """The outputs, one equation evaluated after the other."""
        return by_op(self.program, self.arrays)

    def noise(self) -> list[float]:
        """Per output, what rounding alone may change at this point."""
        return noise(self.program, self.arrays, self.seed)

    @property
    def inlined(self) -> Program:
        """The Program with the Programs of its calls in their place."""
        return inline_calls(self.program)

    # --- at the best precision ---

    @property
    def wide(self) -> Widened:
        """The Program in 64 bits."""
        return widen(self.program)

    @property
    def bits(self) -> int:
        """64 if every floating-point operation can be done in 64 bits, else 32."""
        return 64 if self.wide.exact else 32

    @property
    def smooth(self) -> Program:
        """The Program to differentiate: in 64 bits if possible, and only its floating or complex outputs."""
        if "smooth" not in self.shared:
            whole = self.wide.program if self.bits == 64 else self.program
            outputs = tuple([a for a in whole.outputs if is_inexact(a.type.dtype)])
            self.shared["smooth"] = Program(
                whole.inputs, whole.equations, outputs, (), self.program.name
            )
        found: Program = self.shared["smooth"]
        return found

    @property
    def smooth_labels(self) -> list[str]:
        """Paths of these outputs."""
        outs = self.program.outputs
        labels = self.labels or ["result"] * len(outs)
        return [x for x, a in zip(labels, outs, strict=False) if is_inexact(a.type.dtype)]

    @property
    def points(self) -> Arrays:
        """The inputs of the smooth Program."""
        return [
            np.asarray(x).astype(self._dtype(t.dtype))
            for x, t in zip(self.arrays, self.types, strict=True)
        ]

    @property
    def wide_points(self) -> Arrays:
        """The inputs in 64 bits."""
        return [
            np.asarray(x).astype(wide_dtype(t.dtype))
            for x, t in zip(self.arrays, self.types, strict=True)
        ]

    def _dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return wide_dtype(dtype) if self.bits == 64 else dtype

    @property
    def moving_types(self) -> list[ArrayType]:
        """Types of the smooth Program's inputs that have tangents."""
        return [
            ArrayType(t.shape, self._dtype(t.dtype))
            for t, m in zip(self.types, self.moving, strict=True)
            if m
        ]

    @contextmanager
    def differentiating(self) -> Iterator[None]:
        """64-bit types are switched on inside if they can be; skips if nothing can be differentiated."""
        if not any(self.moving):
            raise Skip("no floating or complex argument")
        if not any(is_inexact(t.dtype) for t in self.program.out_types):
            raise Skip("no floating or complex result")
        if self.bits == 32 and any(t.dtype.itemsize == 2 for t in self.moving_types):
            raise Skip("differentiated in 16 bits, which leave no digits to compare")
        with jax.enable_x64(self.bits == 64):
            yield

    def tangents(self, which: int = 0) -> Arrays:
        """Random tangents of the moving inputs."""
        rng = np.random.RandomState((self.seed * 7 + which + 1) % 2**32)
        return [direction(t, rng) for t in self.moving_types]

    def cotangents(self, which: int = 0) -> Arrays:
        """Random cotangents of the smooth outputs."""
        rng = np.random.RandomState((self.seed * 7 + which + 1001) % 2**32)
        return [direction(t.strong(), rng) for t in self.smooth.out_types]

    @property
    def linearized(self) -> Linearized:
        """The smooth Program split at a point."""
        return linearize_program(self.smooth, self.moving)

    def with_moved(self, points: Sequence[Any], moved: Sequence[Any]) -> Arrays:
        """`points` with other values for the moving inputs."""
        left = iter(moved)
        return [next(left) if m else x for x, m in zip(points, self.moving, strict=True)]

    def moved_of(self, points: Sequence[Any]) -> Arrays:
        """Of one value per input, those that have tangents."""
        return [x for x, m in zip(points, self.moving, strict=True) if m]

    # --- batches ---

    def batch(self, places: Sequence[int | None]) -> Arrays:
        """The inputs, those with a place stacked there."""
        return [
            x if p is None else np.stack([lane(x, k) for k in range(self.lanes)], p)
            for x, p in zip(self.arrays, places, strict=True)
        ]

    def lane(self, places: Sequence[int | None], k: int) -> Arrays:
        """The inputs of one lane of a batch."""
        return [x if p is None else lane(x, k) for x, p in zip(self.arrays, places, strict=True)]

    def placements(self) -> list[tuple[int | None, ...]]:
        """Which inputs to batch over, and along which axis of each, so that all meet all axes."""
        ranks = [t.ndim for t in self.types[: self.own]]
        rest = (None,) * (len(self.types) - self.own)
        n = len(ranks)
        if not n:
            return []
        chosen: list[tuple[int, ...]]
        if self.exhaustive and n <= 4:
            chosen = [tuple(i for i in range(n) if mask >> i & 1) for mask in range(1, 2**n)]
        else:
            chosen = [(i,) for i in range(n)][:6] + [tuple(range(n))]
        found: dict[tuple[int | None, ...], None] = {}
        for count, members in enumerate(chosen):
            first = tuple([0 if i in members else None for i in range(n)])
            last = tuple([r if i in members else None for i, r in enumerate(ranks)])
            middle = tuple(
                [(r + i + 1) // 2 if i in members else None for i, r in enumerate(ranks)]
            )
            middle = tuple(
                [None if m is None else min(m, r) for m, r in zip(middle, ranks, strict=True)]
            )
            together = len(members) == n
            if self.exhaustive or together:
                found.update(dict.fromkeys([first, last, middle]))
            else:
                found[last if count % 2 else first] = None
        return [(*places, *rest) for places in found]


# --- small sums -------------------------------------------------------------------------


def pairing(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The real part of the sum of products: what tangents and cotangents make together."""
    total = 0.0
    for x, y in zip(a, b, strict=True):
        product = np.asarray(x).astype(np.complex128) * np.asarray(y).astype(np.complex128)
        total += float(np.sum(product.real))
    return total


def traced_pairing(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """`pairing` in operations of fn, to be differentiated."""
    total: Any = None
    for x, y in zip(a, b, strict=True):
        product = mul(x, y)
        if is_complex(product.dtype):
            product = real_part(product)
        part = reduce_sum(product, axes=tuple(range(product.ndim)))
        total = part if total is None else add(total, part)
    return total


def pulled(linear: Program, residuals: int, nonzero: Sequence[bool]) -> tuple[Program, Any]:
    """The transpose of a linear Program, with respect to what comes after its residuals."""
    flags = (False,) * residuals + (True,) * (len(linear.inputs) - residuals)
    return transpose_program(linear, flags, tuple(nonzero))


def is_key(value: Any) -> bool:
    """Whether a value may be a random key."""
    kind = type_of(value)
    return kind is not None and kind.dtype == np.uint32 and kind.shape[-1:] == (2,)
