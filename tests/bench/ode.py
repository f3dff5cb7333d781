"""An ODE solved with adaptive steps, and its gradient, in fn and in JAX.

A network gives the slope of 16 states of 8 numbers; Bogacki and Shampine's pair of orders 3 and 2 follows
it with as many steps as the error asks for, some thirty, of at most 256. In fn the loop is a `while_loop`
with `max_steps`. JAX has no gradient of a `while_loop`, so there it is what its users write instead: a
`scan` over all 256 steps, of which those after the end do nothing (`cond`). Both take the same steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np

STATES, SIZE, WIDTH, MOST = 16, 8, 64, 256
END, TOLERANCE = 4.0, 1e-4


def _weights(*shape: int, seed: int) -> Any:
    return (onp.random.RandomState(seed).randn(*shape) / onp.sqrt(shape[0])).astype(onp.float32)


PARAMETERS = {
    "w1": 1.5 * _weights(SIZE, WIDTH, seed=0), "b1": _weights(WIDTH, seed=1),
    "w2": 1.5 * _weights(WIDTH, SIZE, seed=2),
}  # fmt: skip
START = _weights(STATES, SIZE, seed=3)


def make(library: str) -> Callable[[], Any]:
    """A call gives the number of steps tried, the loss at the end, and its gradient by the parameters."""
    ours = library == "fn"
    n = np if ours else jnp
    stop = fn.stop_gradient if ours else jax.lax.stop_gradient
    transform, jit = (fn.value_and_grad, fn.jit) if ours else (jax.value_and_grad, jax.jit)

    def loss(p: Any, y: Any) -> Any:
        def f(y: Any) -> Any:
            return n.tanh(y @ p["w1"] + p["b1"]) @ p["w2"] - y

        def unfinished(state: Any) -> Any:
            return state[0] < END

        def advance(state: Any) -> Any:
            time, y, k1, size, tried = state
            used = n.minimum(size, END - time)
            k2 = f(y + used * k1 / 2)
            k3 = f(y + used * 3 * k2 / 4)
            new = y + used * (2 * k1 + 3 * k2 + 4 * k3) / 9
            k4 = f(new)
            error = used * (-5 * k1 / 72 + k2 / 12 + k3 / 9 - k4 / 8)
            ratio = stop(n.sqrt(((error / (TOLERANCE * (1 + abs(new)))) ** 2).mean()))
            good = ratio <= 1
            size = used * n.clip(0.9 * n.maximum(ratio, 1e-6) ** (-1 / 3), 0.2, 5.0)
            time = n.where(good, n.where(used < END - time, time + used, END), time)
            return time, n.where(good, new, y), n.where(good, k4, k1), size, tried + 1

        start = (n.float32(0), y, f(y), n.float32(0.1), n.int32(0))
        if ours:
            end = fn.while_loop(unfinished, advance, start, max_steps=MOST, checkpoints=64)
        else:

            def step(state: Any, _: Any) -> Any:
                return jax.lax.cond(unfinished(state), advance, lambda s: s, state), None

            end = jax.lax.scan(step, start, None, length=MOST)[0]
        return (end[1] ** 2).mean(), end[4]

    call = jit(transform(loss, has_aux=True))
    arguments = jax.device_put((PARAMETERS, START))
    return lambda: jax.block_until_ready(call(*arguments))
