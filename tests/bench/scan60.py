"""A chain of sixty compartments, each a scalar that follows the one before: 614 steps and their gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np

COUNT, STEPS = 60, 614
RANDOM = onp.random.RandomState(0)
STATE = [onp.float32(v) for v in RANDOM.rand(COUNT)]
RATES = [onp.float32(v) for v in 0.2 * RANDOM.rand(COUNT)]
SIGNAL = RANDOM.rand(STEPS).astype(onp.float32)


def make(library: str) -> Callable[[], Any]:
    """A call gives the loss and its gradient by the initial state and the rates, one scalar each."""
    ours = library == "fn"
    n, scan, transform = (np, fn.scan, fn.value_and_grad) if ours else (jnp, jax.lax.scan, jax.value_and_grad)  # fmt: skip

    def loss(state: Any, rates: Any, signal: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            before = [x, *state[:-1]]
            state = [a + k * (n.tanh(b) - a) for a, b, k in zip(state, before, rates, strict=True)]
            return state, state[-1]

        last, heard = scan(step, state, signal)
        return (heard**2).sum() + sum(a * a for a in last)

    call = (fn.jit if ours else jax.jit)(transform(loss, (0, 1)))
    arguments = jax.device_put((STATE, RATES, SIGNAL))
    return lambda: jax.block_until_ready(call(*arguments))
