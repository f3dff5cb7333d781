"""What the tests of a row share: inputs at the best precision, and results compiled together.

Compiling costs far more than running, so a case asks for many results in one program and remembers
them. Derivatives are taken in float64 where the row allows it, which makes tolerances tight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import ml_dtypes
import numpy as np

import fn
from fn.core import is_inexact
from fn.ops import add, mul, real_part, reduce_sum
from tests.ops.row import Row

BATCH = 5  # a size no row has by accident
HALVES = {np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)}


def as_tuple(value: Any) -> tuple[Any, ...]:
    """The results of an operation, one or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def cast(x: Any, bits: int) -> Any:
    """An inexact array at `bits` per real number; other arrays as they are."""
    if x.dtype.kind == "c":
        return x.astype(np.complex128 if bits == 64 else np.complex64)
    return x.astype(np.float64 if bits == 64 else np.float32) if is_inexact(x.dtype) else x


def like_random(t: Any, seed: int) -> Any:
    """Random numbers of the shape and dtype of `t`."""
    rng = np.random.RandomState(seed)
    x = rng.uniform(-1, 1, t.shape)
    if t.dtype.kind == "c":
        x = x + 1j * rng.uniform(-1, 1, t.shape)
    return np.asarray(x).astype(t.dtype)


def entry(x: Any, k: int) -> Any:
    """The `k`-th of a batch of inputs like `x`: rotated, and a little smaller so that scalars differ."""
    if x.ndim == 0 and x.dtype.kind in "iu":
        return (x + k).astype(x.dtype)
    if x.ndim == 0 and x.dtype.kind == "b":
        return np.asarray(bool(x) ^ bool(k % 2))
    rolled = np.roll(x.reshape(-1), k).reshape(x.shape)
    if is_inexact(x.dtype):
        rolled = (rolled * (1 - 0.02 * k)).astype(x.dtype)
    return rolled


def close(got: Any, expected: Any, rtol: float, what: str = "", atol: float | None = None) -> None:
    """Assert shape, dtype and values; `atol` is by default `rtol` of the largest value."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, expected {expected.dtype}"
    wide = np.complex128 if got.dtype.kind == "c" else np.float64
    if got.dtype.kind in "biu":
        np.testing.assert_array_equal(got, expected, err_msg=what)
        return
    got, expected = got.astype(wide), expected.astype(wide)
    if atol is None:
        atol = rtol * np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol, err_msg=what)


def all_close(
    got: Any, expected: Any, rtol: float, what: str = "", atol: float | None = None
) -> None:
    """`close` for tuples of arrays."""
    got, expected = as_tuple(got), as_tuple(expected)
    assert len(got) == len(expected), f"{what}: {len(got)} results, expected {len(expected)}"
    for g, e in zip(got, expected, strict=True):
        close(g, e, rtol, what, atol)


def inner(a: Any, b: Any) -> Any:
    """The real part of the sum of products, the pairing of tangents with cotangents."""
    total = None
    for x, y in zip(a, b, strict=True):
        product = mul(x, y)
        if product.dtype.kind == "c":
            product = real_part(product)
        part = reduce_sum(product, axes=tuple(range(product.ndim)))
        total = part if total is None else add(total, part)
    return total


class Together:
    """Functions of the same arguments compiled as one program; one that fails does so by itself."""

    def __init__(self, functions: dict[str, Callable[..., Any]], args: tuple[Any, ...]) -> None:
        self.errors: dict[str, Exception] = {}
        self.compiled = fn.jit(lambda *xs: {n: f(*xs) for n, f in functions.items()})
        try:
            self.results = self.compiled(*args)
        except Exception:
            for name, function in functions.items():
                try:
                    fn.eval_type(function)(*args)
                except Exception as error:
                    self.errors[name] = error
            sound = {n: f for n, f in functions.items() if n not in self.errors}
            self.compiled = fn.jit(lambda *xs: {n: f(*xs) for n, f in sound.items()})
            self.results = self.compiled(*args)

    def at(self, name: str, *args: Any) -> Any:
        """The result called `name` for other arguments of the same types."""
        if name in self.errors:
            raise self.errors[name]
        return self.compiled(*args)[name]

    def __getitem__(self, name: str) -> Any:
        if name in self.errors:
            raise self.errors[name]
        return self.results[name]


class Case:
    """A row with what its tests need, computed when first asked for."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.args = tuple(np.asarray(a) for a in row.args)
        self.jitted = fn.jit(row.function)

    def __fn_environment__(self) -> list[Any]:
        """What counts for functions that close over a case; without it all of JAX would be looked at."""
        return [self.row.function, *self.args]

    def function(self, *args: Any) -> tuple[Any, ...]:
        """The operation, always returning a tuple."""
        return as_tuple(self.row.function(*args))

    @cached_property
    def eager(self) -> tuple[Any, ...]:
        return self.function(*self.args)

    @cached_property
    def compiled(self) -> tuple[Any, ...]:
        return as_tuple(self.jitted(*self.args))

    @cached_property
    def rtol(self) -> float:
        """Four units in the last place of the narrowest result, or what the row says."""
        eps = [float(ml_dtypes.finfo(o.dtype).eps) for o in self.eager if is_inexact(o.dtype)]
        return max([self.row.rtol, *(4 * e for e in eps)])

    # --- derivatives ---

    @cached_property
    def bits(self) -> int:
        """64 if the operation, with its parameters, takes float64 and gives it back, else 32."""
        wide = tuple(cast(a, 64) for a in self.args)
        with jax.enable_x64(True):
            try:
                outs = as_tuple(fn.eval_type(self.row.function)(*wide))
            except fn.FnError:
                return 32
        return min([64, *(_bits(o.dtype) for o in outs if is_inexact(o.dtype))])

    @cached_property
    def wide(self) -> tuple[Any, ...]:
        """The inputs at that precision."""
        return tuple(cast(a, self.bits) for a in self.args)

    @cached_property
    def xs(self) -> tuple[Any, ...]:
        """The inputs to differentiate with respect to."""
        return tuple(self.wide[i] for i in self.row.differentiable)

    def smooth(self, *xs: Any) -> tuple[Any, ...]:
        """The inexact results as a function of the differentiable inputs."""
        return self._smooth(self.row.function, xs)

    def smooth_reference(self, *xs: Any) -> tuple[Any, ...]:
        return self._smooth(self.row.reference, xs)

    def _smooth(self, function: Callable[..., Any], xs: tuple[Any, ...]) -> tuple[Any, ...]:
        args = list(self.wide)
        for i, x in zip(self.row.differentiable, xs, strict=True):
            args[i] = x
        return tuple(o for o in as_tuple(function(*args)) if is_inexact(o.dtype))

    @cached_property
    def out_types(self) -> tuple[Any, ...]:
        """Types of the inexact results."""
        return fn.eval_type(self.smooth)(*self.xs)

    @cached_property
    def ts(self) -> tuple[Any, ...]:
        """Tangents."""
        return tuple(like_random(x, 100 + i) for i, x in enumerate(self.xs))

    @cached_property
    def us(self) -> tuple[Any, ...]:
        """More tangents."""
        return tuple(like_random(x, 200 + i) for i, x in enumerate(self.xs))

    @cached_property
    def cts(self) -> tuple[Any, ...]:
        """Cotangents, also the weights that make a scalar of the results."""
        return tuple(like_random(t, 300 + i) for i, t in enumerate(self.out_types))

    @cached_property
    def smooth_jitted(self) -> Any:
        return fn.jit(self.smooth)

    def scalar(self, weights: tuple[Any, ...], *xs: Any) -> Any:
        """The results as one real number: the real part of their weighted sum."""
        return inner(weights, self.smooth(*xs))

    @property
    def argnums(self) -> tuple[int, ...]:
        """Positions of the inputs among the arguments of `scalar`."""
        return tuple(range(1, 1 + len(self.xs)))

    @cached_property
    def first_order(self) -> Together:
        f = self.smooth
        return Together(
            {
                "jvp": lambda xs, ts, cts: fn.jvp(f, xs, ts),
                "linearize": lambda xs, ts, cts: fn.linearize(f, *xs)[1](*ts),
                "vjp": lambda xs, ts, cts: fn.vjp(f, *xs)[1](cts),
            },
            (self.xs, self.ts, self.cts),
        )

    @cached_property
    def second_order(self) -> Together:
        def slope(xs: Any, us: Any) -> Any:
            return fn.jvp(self.smooth, xs, us)[1]

        def along(us: Any, cts: Any) -> Callable[..., Any]:
            return lambda *xs: inner(us, fn.grad(self.scalar, argnums=self.argnums)(cts, *xs))

        everywhere = tuple(range(len(self.xs)))
        return Together(
            {
                "jvp of jvp": lambda xs, ts, us, cts: fn.jvp(lambda *xs: slope(xs, us), xs, ts)[1],
                "grad of jvp": lambda xs, ts, us, cts: fn.grad(
                    lambda *xs: inner(cts, slope(xs, us)), argnums=everywhere
                )(*xs),
                "grad of grad": lambda xs, ts, us, cts: fn.grad(along(us, cts), argnums=everywhere)(
                    *xs
                ),
                "jvp of grad": lambda xs, ts, us, cts: fn.jvp(along(us, cts), xs, ts)[1],
            },
            (self.xs, self.ts, self.us, self.cts),
        )

    @cached_property
    def batched(self) -> Together:
        """Pairs of a derivative and `vmap`, on a batch of inputs and tangents."""
        f = self.smooth
        xs, ts = (
            tuple(np.stack(column) for column in zip(*rows, strict=True))
            for rows in (self.entries, self.entry_tangents)
        )
        once_each = (None, *(0 for _ in xs))

        def total(cts: Any, *xs: Any) -> Any:
            return reduce_sum(fn.vmap(self.scalar, in_axes=once_each)(cts, *xs), axes=(0,))

        def of_shared(x: Any, *t: Any) -> Any:
            return fn.linearize(f, *x)[1](*t)

        return Together(
            {
                "jvp of vmap": lambda xs, ts, cts: fn.jvp(fn.vmap(f), xs, ts)[1],
                "vmap of jvp": lambda xs, ts, cts: fn.vmap(lambda x, t: fn.jvp(f, x, t)[1])(xs, ts),
                "vmap of grad": lambda xs, ts, cts: fn.vmap(
                    fn.grad(self.scalar, argnums=self.argnums), in_axes=once_each
                )(cts, *xs),
                "grad of vmap": lambda xs, ts, cts: fn.grad(total, argnums=self.argnums)(cts, *xs),
                "vmap over tangents": lambda xs, ts, cts: fn.vmap(of_shared, in_axes=once_each)(
                    self.xs, *ts
                ),
                "vmap over cotangents": lambda xs, ts, cts: fn.vmap(
                    fn.grad(self.scalar, argnums=self.argnums), in_axes=(0, *(None for _ in xs))
                )(self.cts_batch, *self.xs),
            },
            (xs, ts, self.cts),
        )

    @cached_property
    def entries(self) -> list[tuple[Any, ...]]:
        """The inputs of which `batched` is a batch."""
        return [tuple(entry(x, k) for x in self.xs) for k in range(BATCH)]

    @cached_property
    def cts_batch(self) -> tuple[Any, ...]:
        return tuple(
            np.stack([c * (1 + k) for k in range(BATCH)]).astype(c.dtype) for c in self.cts
        )

    @cached_property
    def entry_tangents(self) -> list[tuple[Any, ...]]:
        return [
            tuple(like_random(x, 400 + k + 10 * i) for i, x in enumerate(self.xs))
            for k in range(BATCH)
        ]

    def difference(self, f: Callable[..., Any]) -> tuple[tuple[Any, ...], float]:
        """The derivative of `f(xs)` along `ts` by central differences, and how far it can be trusted."""
        # The error is of order step² from curvature and epsilon / step from rounding; the tolerances
        # leave a factor of a hundred for third derivatives.
        step, rtol = (1e-5, 1e-7) if self.bits == 64 else (1e-2, 2e-2)
        ahead, behind = (
            f(*[(x + s * step * t).astype(x.dtype) for x, t in zip(self.xs, self.ts, strict=True)])
            for s in (1, -1)
        )
        slope = []
        for a, b in zip(map(np.asarray, ahead), map(np.asarray, behind), strict=True):
            wide = np.complex128 if a.dtype.kind == "c" else np.float64
            with np.errstate(invalid="ignore"):  # infinity minus itself is no change
                change = np.where(a == b, 0, a.astype(wide) - b.astype(wide))
            slope.append((change / (2 * step)).astype(a.dtype))
        return tuple(slope), rtol


def _bits(dtype: Any) -> int:
    return dtype.itemsize * (4 if dtype.kind == "c" else 8)
