"""What one call of a `fn.numpy` function costs beside `jax.numpy`: traced, and eager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np
from tests.bench.measure import Timing, alternate

X = onp.linspace(0.1, 1.0, 12, dtype=onp.float32).reshape(3, 4)

OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "x + y": lambda m, x: x + x,
    "2 * x": lambda m, x: 2.0 * x,
    "sin": lambda m, x: m.sin(x),
    "x + row": lambda m, x: x + x[0],
    "x @ y": lambda m, x: x @ x.T,
    "sum": lambda m, x: x.sum(-1),
    "mean": lambda m, x: m.mean(x, axis=0),
    "max": lambda m, x: x.max(axis=-1, keepdims=True),
    "var": lambda m, x: m.var(x, axis=-1),
    "where": lambda m, x: m.where(x > 0.5, x, 0.0),
    "clip": lambda m, x: m.clip(x, 0.2, 0.8),
    "reshape": lambda m, x: x.reshape(4, 3),
    "transpose": lambda m, x: m.transpose(x),
    "concatenate": lambda m, x: m.concatenate([x, x]),
    "stack": lambda m, x: m.stack([x, x]),
    "x[1]": lambda m, x: x[1],
    "x[:, 1:3]": lambda m, x: x[:, 1:3],
    "x[:, None]": lambda m, x: x[:, None],
    "x.at[0].add": lambda m, x: x.at[0].add(1.0),
    "einsum": lambda m, x: m.einsum("ij,kj->ik", x, x),
    "argmax": lambda m, x: m.argmax(x, -1),
    "astype": lambda m, x: x.astype("int32"),
    "squeeze": lambda m, x: m.squeeze(x[None], 0),
    "logsumexp": lambda m, x: m.log(m.exp(x - x.max(-1, keepdims=True)).sum(-1)),
}
REPEATS = 50


def traced(name: str) -> Callable[[list[str]], dict[str, Timing]]:
    """Seconds per call while tracing: a fresh function with many calls, without compiling it."""
    operation = OPERATIONS[name]

    def run(peers: list[str]) -> dict[str, Timing]:
        def ours() -> Any:
            def f(x: Any) -> Any:
                return [operation(np, x) for _ in range(REPEATS)]

            fn.clear_trace_cache()
            return fn.trace(f)(X)

        def theirs() -> Any:
            def f(x: Any) -> Any:
                return [operation(jnp, x) for _ in range(REPEATS)]

            return jax.make_jaxpr(f)(X)

        calls = {"fn": ours, "jax": theirs}
        timings = alternate({p: calls[p] for p in peers if p in calls}, rounds=9, warmup=2)
        return {p: Timing(tuple(s / REPEATS for s in t.seconds)) for p, t in timings.items()}

    return run


def eager(name: str) -> Callable[[list[str]], dict[str, Timing]]:
    """Seconds per call on concrete arrays."""
    operation = OPERATIONS[name]

    def run(peers: list[str]) -> dict[str, Timing]:
        x = jnp.asarray(X)
        onp.testing.assert_allclose(operation(np, x), operation(jnp, x), rtol=1e-5)
        calls = {"fn": lambda: operation(np, x), "jax": lambda: operation(jnp, x)}
        return alternate({p: calls[p] for p in peers if p in calls}, rounds=9, calls=100)

    return run


ROWS = {f"traced {name}": (traced(name), "jax", 0.3) for name in OPERATIONS} | {
    f"eager {name}": (eager(name), "jax", 1.0) for name in OPERATIONS
}
