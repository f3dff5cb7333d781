"""One function, one row: example arguments and a reference; one compiled program tries all of its sides.

Value, derivatives forwards, backwards and forwards twice, and a batch, in double precision. The
reference is SciPy's function, its derivatives central differences, so that nothing else is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

import fn

rng = np.random.default_rng(0)


def numbers(*shape: int, low: float = -2.0, high: float = 2.0) -> Any:
    return rng.uniform(low, high, shape)


@dataclass(frozen=True)
class Row:
    """How to try a function.

    Args:
        name: of the function, with a remark after a space.
        function: of arrays.
        reference: SciPy's, of NumPy arrays in double precision.
        args: examples in double precision, all of them with a common leading axis for the batch.
        wrt: positions of the arguments with a derivative.
        second: whether there is a second derivative by them.
        step: of the differences.
        rtol, atol: how close; of the slopes, a hundred times.
    """

    name: str
    function: Callable[..., Any]
    reference: Callable[..., Any]
    args: tuple[Any, ...]
    wrt: tuple[int, ...] | None = None
    second: bool = True
    step: float = 1e-5
    rtol: float = 1e-10
    atol: float = 1e-12

    @property
    def moving(self) -> tuple[int, ...]:
        return tuple(range(len(self.args))) if self.wrt is None else self.wrt


def check(row: Row) -> None:
    """Compile the sides of a row as one program and compare them."""
    moving = row.moving
    local = np.random.default_rng(1)
    tangents = [local.normal(size=np.shape(row.args[i])) for i in moving]

    def along(*moved: Any) -> Any:
        args = list(row.args)
        for i, x in zip(moving, moved, strict=True):
            args[i] = x
        return row.function(*args)

    point = [row.args[i] for i in moving]

    def sides(point: Sequence[Any], tangents: Sequence[Any], cotangent: Any) -> dict[str, Any]:
        found: dict[str, Any] = {"value": row.function(*row.args)}
        if not moving:
            return found
        slope = lambda *xs: fn.jvp(along, tuple(xs), tuple(tangents))[1]
        found["slope"] = slope(*point)
        found["gradient"] = fn.vjp(along, *point)[1](cotangent)
        if row.second:
            found["second"] = fn.jvp(slope, tuple(point), tuple(tangents))[1]
        return found

    with jax.enable_x64(True):
        expected = np.asarray(row.reference(*row.args))
        cotangent = local.normal(size=expected.shape)
        got = fn.jit(sides)(point, tangents, cotangent)
        got = jax.tree.map(np.asarray, got)
    close(got["value"], expected, row.rtol, row.atol, f"{row.name}: value")
    if not moving:
        return

    def moved(h: float) -> Any:
        args = list(row.args)
        for i, t in zip(moving, tangents, strict=True):
            args[i] = args[i] + h * t
        return np.asarray(row.reference(*args))

    h = row.step
    ends = moved(h), moved(-h)
    slope = (ends[0] - ends[1]) / (2 * h)
    scale = np.max(np.abs(slope), initial=1e-3)
    loose = max(100 * row.rtol, 1e-6)
    close(got["slope"], slope, loose, loose * scale, f"{row.name}: slope")
    backwards = sum((g * t).sum() for g, t in zip(got["gradient"], tangents, strict=True))
    forwards = (got["slope"] * cotangent).sum()
    close(backwards, forwards, 1e-8, 1e-10 * scale, f"{row.name}: gradient against slope")
    if row.second:
        h = 100 * h
        bend = (moved(h) - 2 * expected + moved(-h)) / h**2
        scale = max(np.max(np.abs(bend)), scale)
        close(got["second"], bend, 1e-3, 1e-3 * scale, f"{row.name}: second derivative")


def close(got: Any, expected: Any, rtol: float, atol: float, what: str) -> None:
    assert np.shape(got) == np.shape(expected), f"{what}: {np.shape(got)}, not {np.shape(expected)}"
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol, err_msg=what)


def same_types(
    ours: Callable[..., Any], theirs: Callable[..., Any], *args: Any, **kwargs: Any
) -> None:
    """Equal shapes and dtypes, without computing anything."""
    got = jax.tree.leaves(
        fn.eval_type(lambda *a: ours(*a, **kwargs))(*args),
        is_leaf=lambda x: isinstance(x, fn.ArrayType),
    )
    expected = jax.tree.leaves(jax.eval_shape(lambda *a: theirs(*a, **kwargs), *args))
    assert [(t.shape, t.dtype) for t in got] == [(t.shape, t.dtype) for t in expected]
