"""Comparing functions of `fn.numpy` with those of `jax.numpy` of the same name: values, shapes, dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy

import fn
import fn.numpy as np

key = numpy.random.default_rng(0)
X = jnp.asarray(key.normal(size=(3, 4)).astype(numpy.float32))
Y = jnp.asarray(key.normal(size=(3, 4)).astype(numpy.float32))
V = jnp.asarray(key.normal(size=4).astype(numpy.float32))
COLUMN = jnp.asarray(key.normal(size=(3, 1)).astype(numpy.float32))
CUBE = jnp.asarray(key.normal(size=(2, 3, 4)).astype(numpy.float32))
INT = jnp.asarray([[3, -4, 5, 0], [1, 2, -7, 8], [0, -1, 6, 2]], jnp.int32)
INT2 = jnp.asarray([[2, 3, -3, 5], [1, -2, 4, 3], [7, 2, 5, 1]], jnp.int32)
UINT = jnp.asarray([[3, 200, 5, 0]], jnp.uint8)
BOOL = jnp.asarray([[True, False, True, False]] * 3)
HALF = X.astype(jnp.bfloat16)
COMPLEX = X[0] + 1j * Y[0]
NAN = jnp.asarray([1.0, jnp.nan, -jnp.inf, jnp.inf, -0.0, 0.0], jnp.float32)


def assert_same(got: Any, expected: Any, tolerance: float = 1e-5) -> None:
    """Equal structure, shapes, dtypes, and values up to rounding."""
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected)
        for a, b in zip(got, expected, strict=True):
            assert_same(a, b, tolerance)
        return
    got_array, expected_array = numpy.asarray(got), numpy.asarray(expected)
    assert got_array.shape == expected_array.shape
    assert got_array.dtype == expected_array.dtype
    if getattr(expected, "dtype", None) in (jnp.bfloat16, jnp.float16):
        tolerance, got_array, expected_array = (
            2e-2,
            got_array.astype(float),
            expected_array.astype(float),
        )
    numpy.testing.assert_allclose(got_array, expected_array, rtol=tolerance, atol=tolerance)


def jitted(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function compiled: its array arguments traced, the others as they are."""
    traced = {i: a for i, a in enumerate(args) if isinstance(a, (jax.Array, numpy.ndarray))}

    def call(arrays: dict[int, Any]) -> Any:
        return function(*[arrays.get(i, a) for i, a in enumerate(args)], **kwargs)

    return fn.jit(call)(traced)


def check(name: str, *args: Any, tolerance: float = 1e-5, **kwargs: Any) -> None:
    """`fn.numpy.name`, compiled, against `jax.numpy.name`; the examples of docstrings run eagerly."""
    expected = getattr(jnp, name)(*args, **kwargs)
    assert_same(jitted(getattr(np, name), args, kwargs), expected, tolerance)


def check_gradient(
    function: Callable[[Any, Any], Any], *args: Any, tolerance: float = 1e-4
) -> None:
    """`function(module, *args)` with `fn.numpy` differentiated by fn, with `jax.numpy` by JAX."""
    got = fn.jit(fn.grad(lambda args: np.sum(np.sin(function(np, *args)))))(args)
    expected = jax.jit(jax.grad(lambda args: jnp.sum(jnp.sin(function(jnp, *args)))))(args)
    assert_same(got, expected, tolerance)


def equations(function: Callable[..., Any], *args: Any) -> list[str]:
    """Names of the equations that a function records."""
    return [e.primitive.name for e in fn.trace(function)(*args).equations]


def values_like(got: Any, expected: Any, tolerance: float, where: str) -> None:
    """Equal structure, shapes and kinds of dtype, and values up to rounding."""
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected), where
        for i, (a, b) in enumerate(zip(got, expected, strict=True)):
            values_like(a, b, tolerance, f"{where}[{i}]")
        return
    got_array, expected_array = numpy.asarray(got), numpy.asarray(expected)
    assert got_array.shape == expected_array.shape, where
    kinds = {got_array.dtype.kind, expected_array.dtype.kind}
    assert len(kinds) == 1 or kinds == {"i", "u"}, f"{where}: {kinds}"
    numpy.testing.assert_allclose(
        got_array, expected_array, rtol=tolerance, atol=tolerance, err_msg=where
    )


def check_table(cases: dict[str, Any], *arrays: Any, tolerance: float = 1e-4) -> None:
    """Each `case(module, *arrays)` with `fn.numpy`, all compiled as one program, against NumPy."""
    got = fn.jit(lambda *a: {name: case(np, *a) for name, case in cases.items()})(*arrays)
    for name, case in cases.items():
        expected = case(numpy, *[numpy.asarray(a) for a in arrays])
        values_like(got[name], expected, tolerance, name)
