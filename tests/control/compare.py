"""One program written for fn and for JAX, through every transform and the pairs of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fn
import fn.numpy as fnp

BATCH = 3


def close(got: Any, expected: Any, rtol: float = 2e-4, what: str = "") -> None:
    """Trees of equal structure up to rounding, not-a-number nowhere but where expected."""
    left, right = jax.tree.leaves(got), jax.tree.leaves(expected)
    assert len(left) == len(right), what
    for a, b in zip(left, right, strict=True):
        assert np.shape(a) == np.shape(b), what
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol / 10, err_msg=what)


def entries(x: Any) -> Any:
    """A batch of things like `x`, the first of which is `x`."""
    x = np.asarray(x)
    if x.dtype.kind == "f":
        return np.stack([x, x * np.float32(0.5), x - np.float32(0.25)])
    return np.stack([x, x + 1, np.zeros_like(x)])


def everything(
    transforms: Any, f: Callable[..., Any], args: tuple[Any, ...], argnums: Sequence[int]
) -> dict[str, Any]:
    """Values, derivatives of first and second order, and batches over every choice of arguments.

    Args:
        transforms: `fn` or `jax`.
        f: returns a real scalar.
        argnums: the arguments to differentiate.
    """
    v, argnums = transforms, tuple(argnums)
    grad = v.grad(f, argnums=argnums)

    def along(*xs: Any) -> Any:
        return sum((g * x).sum() for g, x in zip(grad(*xs), [xs[i] for i in argnums]))

    def part(*moving: Any) -> Any:
        xs = list(args)
        for i, x in zip(argnums, moving):
            xs[i] = x
        return f(*xs)

    here = tuple(args[i] for i in argnums)
    ts = tuple(np.float32(0.5) * x + np.float32(0.1) for x in here)
    found = {
        "value": f(*args),
        "jvp": v.jvp(part, here, ts),
        "linearize": v.linearize(part, *here)[1](*ts),
        "grad": grad(*args),
        "grad of grad": v.grad(along, argnums=argnums)(*args),
        "jvp of grad": v.jvp(v.grad(part, argnums=tuple(range(len(here)))), here, ts)[1],
        "grad of jvp": v.grad(lambda *xs: v.jvp(part, xs, ts)[1], argnums=tuple(range(len(here))))(
            *here
        ),
    }
    for axes in itertools.product((None, 0), repeat=len(args)):
        if any(a == 0 for a in axes):
            xs = tuple(entries(x) if a == 0 else x for x, a in zip(args, axes))

            def total(*xs: Any, axes: Any = axes) -> Any:
                return v.vmap(f, axes)(*xs).sum()

            found[f"vmap {axes}"] = v.vmap(f, axes)(*xs)
            found[f"vmap of grad {axes}"] = v.vmap(grad, axes)(*xs)
            found[f"grad of vmap {axes}"] = v.grad(total, argnums=argnums)(*xs)
    return found


def agree(
    write: Callable[..., Any], args: tuple[Any, ...], argnums: Sequence[int], **kwargs: Any
) -> None:
    """`write(library, numpy, ...)` gives a function in either library; both give the same everywhere."""
    ours = write(fn, fnp, **kwargs)
    theirs = write(jax, jnp)
    expected = jax.jit(lambda *a: everything(jax, theirs, args, argnums))()
    got = fn.jit(lambda: everything(fn, ours, args, argnums))()
    assert got.keys() == expected.keys()
    for name in expected:
        close(got[name], expected[name], what=name)
    close(ours(*args), expected["value"], what="eager")
    close(fn.grad(ours, argnums=tuple(argnums))(*args), expected["grad"], what="eager grad")
