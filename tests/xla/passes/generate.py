"""Random Programs of small arrays, for what must hold of every pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from fn.control import call
from fn.control import switch as switch_
from fn.control._scan import bind_scan
from fn.core import Literal, Program, Trace, Tracer, check, dce, evaluate, recording
from fn.ops import (
    add,
    broadcast,
    concatenate,
    convert,
    div,
    dot_general,
    integer_pow,
    logical_and,
    logical_not,
    lt,
    maximum,
    mul,
    neg,
    pad,
    reduce_max,
    reduce_sum,
    reshape,
    reverse,
    select,
    slice,
    stop_gradient,
    sub,
    transpose,
)

F32, I32, BOOL = np.dtype(np.float32), np.dtype(np.int32), np.dtype(bool)
SHAPES = [(), (2,), (2, 3), (3, 2), (2, 1, 3)]
NUMBERS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5]


class Generator:
    """Writes equations of random operations into the running trace."""

    def __init__(self, seed: int, control: bool) -> None:
        self.random = np.random.RandomState(seed)
        self.control = control
        self.pool: list[Any] = []
        self.shared: Program | None = None

    def choose(self, options: list[Any]) -> Any:
        return options[self.random.randint(len(options))]

    def pick(self, test: Any) -> Any:
        """A value of the pool, later ones more often, or None."""
        found = [v for v in self.pool if test(v)]
        if not found:
            return None
        weights = np.arange(1, len(found) + 1.0)
        return found[self.random.choice(len(found), p=weights / weights.sum())]

    def number(self, dtype: np.dtype[Any]) -> Any:
        return dtype.type(self.choose([0, 1, 2, -1] if dtype == I32 else NUMBERS))

    def partner(self, x: Any) -> Any:
        """Something to combine with `x` elementwise."""
        kind = self.random.randint(4)
        if kind == 0:
            return self.number(x.dtype)
        if kind == 1:
            return broadcast(self.number(x.dtype), shape=x.shape, axes=()) if x.shape else x
        y = self.pick(lambda v: v.dtype == x.dtype and v.shape in (x.shape, ()))
        return x if y is None else y

    def step(self) -> None:
        """One more operation."""
        x = self.pick(lambda v: v.dtype in (F32, I32))
        makers = [
            self.arithmetic, self.arithmetic, self.unary, self.arrange, self.arrange, self.cut,
            self.choice, self.chain, self.product, self.join,
        ]  # fmt: skip
        if self.control:
            makers += [self.call, self.scan, self.switch]
        out = self.choose(makers)(x)
        for value in out if isinstance(out, (list, tuple)) else [out]:
            if isinstance(value, Tracer):
                self.pool.append(value)

    def arithmetic(self, x: Any) -> Any:
        op = self.choose([add, sub, mul, maximum])
        pair = [x, self.partner(x)]
        self.random.shuffle(pair)
        return op(*pair)

    def unary(self, x: Any) -> Any:
        kind = self.random.randint(5)
        if kind < 2:
            return neg(x)
        if kind == 2:
            return stop_gradient(x)
        if kind == 3:
            return integer_pow(x, exponent=2)
        return div(x, x.dtype.type(1)) if x.dtype == F32 else x

    def arrange(self, x: Any) -> Any:
        kind = self.random.randint(5)
        if kind == 0:
            return reshape(x, shape=self.choose([s for s in [*SHAPES, (1, 2), (6,), (2, 3, 1), (1,)]
                                                 if np.prod(s) == np.prod(x.shape)] or [x.shape]))  # fmt: skip
        if kind == 1:
            return transpose(x, permutation=tuple(map(int, self.random.permutation(x.ndim))))
        if kind == 2 and x.ndim < 3:
            where = sorted(map(int, self.random.choice(x.ndim + 1, x.ndim, replace=False)))
            shape = [2] * (x.ndim + 1)
            for i, a in enumerate(where):
                shape[a] = x.shape[i]
            return broadcast(x, shape=tuple(shape), axes=tuple(where))
        axes = tuple([i for i in range(x.ndim) if self.random.rand() < 0.5])
        if kind == 3:
            return reverse(x, axes=axes)
        return self.choose([reduce_sum, reduce_max])(x, axes=axes)

    def cut(self, x: Any) -> Any:
        if self.random.rand() < 0.5:
            starts = [int(self.random.randint(n)) if n else 0 for n in x.shape]
            limits = [int(self.random.randint(a + (n > 0), n + 1)) for a, n in zip(starts, x.shape)]
            strides = [int(self.random.randint(1, 3)) for _ in x.shape]
            return slice(x, starts=tuple(starts), limits=tuple(limits), strides=tuple(strides))
        low, high = ([int(v) for v in self.random.randint(0, 2, x.ndim)] for _ in range(2))
        return pad(x, value=0, low=tuple(low), high=tuple(high))

    def join(self, x: Any) -> Any:
        if not x.ndim or x.shape[0] > 4:
            return x
        parts = [x[i : i + 1] for i in range(x.shape[0])] if self.random.rand() < 0.5 else [x, x]
        return concatenate(*parts, axis=0) if parts else x

    def choice(self, x: Any) -> Any:
        test = lt(x, self.partner(x)) if self.random.rand() < 0.7 else np.bool_(True)
        if self.random.rand() < 0.3 and isinstance(test, Tracer):
            test = logical_not(logical_and(test, np.bool_(True)))
        y = self.partner(x)
        return select(test, x, y if np.shape(y) == x.shape else x)

    def chain(self, x: Any) -> Any:
        path = self.choose([(np.int8, np.int32), (np.float16, np.float32), (np.int32, np.float32)])
        for dtype in path:
            x = convert(x, dtype=np.dtype(dtype))
        return x

    def product(self, x: Any) -> Any:
        x = self.pick(lambda v: v.dtype == F32 and v.shape == (2, 3))
        y = self.pick(lambda v: v.dtype == F32 and v.shape in ((2, 3), (3, 2)))
        if x is None or y is None:
            return None
        y = transpose(y, permutation=(1, 0)) if y.shape == (2, 3) else y
        return dot_general(x, y, contract=((1,), (0,)))

    # --- operations that carry Programs ---

    def inner(self, types: list[Any], outputs: int, size: int) -> Program:
        """A Program of these arguments, whose results have the types of the first ones."""
        trace = Trace("inner")
        with recording(trace):
            inside = Generator(int(self.random.randint(1 << 30)), False)
            args = [trace.input(t) for t in types]
            inside.pool = list(args)
            for _ in range(size):
                inside.step()
            outs = []
            for t in types[:outputs]:
                found = [v for v in inside.pool if v.type is t]
                outs.append(found[-1])
            return check(dce(trace.finish(outs, "inner")))

    def call(self, x: Any) -> Any:
        if self.shared is None:
            self.shared = self.inner([x.type, x.type], 1, 6)
        kind = self.shared.in_types[0]
        a = self.pick(lambda v: v.type is kind)
        b = self.pick(lambda v: v.type is kind)
        return None if a is None else call(self.shared, a, b)

    def scan(self, x: Any) -> Any:
        body = self.inner([x.type, x.type, x.type], 2, 8)
        order = Program((body.inputs[2], *body.inputs[:2]), body.equations, body.outputs)
        xs = broadcast(x, shape=(3, *x.shape), axes=tuple(range(1, x.ndim + 1)))
        outs, ys = bind_scan(order, [x], [x], [xs], length=3)
        return [*outs, *[reduce_max(y, axes=(0,)) for y in ys]]

    def switch(self, x: Any) -> Any:
        a, b = (self.inner([x.type], 1, 3) for _ in range(2))
        index = 1 if self.random.rand() < 0.5 else convert(lt(self.partner(x), x), dtype=I32)
        if isinstance(index, Tracer) and index.shape:
            return None
        return switch_(index, [lambda v: evaluate(a, [v])[0], lambda v: evaluate(b, [v])[0]], x)


def program(seed: int, size: int = 25, control: bool = False) -> Program:
    """A Program of three arguments and up to four results."""
    trace = Trace("random")
    with recording(trace):
        generator = Generator(seed, control)
        types = [(F32, (2, 3)), (F32, ()), (I32, (2,))]
        from_types = [Literal(d.type(0)).type.with_shape(s) for d, s in types]
        generator.pool = [trace.input(t) for t in from_types]
        for _ in range(size):
            generator.step()
        outs = generator.pool[3:]
        generator.random.shuffle(outs)
        return check(dce(trace.finish([*outs[:4], generator.pool[-1]], "random")))


def arguments(seed: int) -> list[Any]:
    """Small whole numbers, of which sums and products are exact, and zeros of both signs."""
    random = np.random.RandomState(seed)
    a = random.choice([-2.0, -1.0, -0.0, 0.0, 1.0, 3.0], (2, 3)).astype(np.float32)
    return [a, np.float32(random.randint(-2, 3)), random.randint(-3, 4, 2).astype(np.int32)]
