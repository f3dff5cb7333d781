"""An LSTM of 128 units over 100 steps of 32 sequences, forward and gradient, in fn, JAX and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np
from fn import nn

STEPS, BATCH, WIDTH = 100, 32, 128


def _weights(*shape: int, seed: int) -> Any:
    return (onp.random.RandomState(seed).randn(*shape) * 0.05).astype(onp.float32)


PARAMETERS = {
    "b": _weights(4 * WIDTH, seed=0), "wh": _weights(WIDTH, 4 * WIDTH, seed=1),
    "wx": _weights(WIDTH, 4 * WIDTH, seed=2),
}  # fmt: skip
INPUTS = _weights(STEPS, BATCH, WIDTH, seed=3)


def make(library: str) -> Callable[[], Any]:
    """A call gives the loss and its gradient by the parameters."""
    if library == "fn":
        n, sigmoid, scan, transform, jit = np, nn.sigmoid, fn.scan, fn.value_and_grad, fn.jit
    else:
        n, sigmoid, scan, transform, jit = (
            jnp,
            jax.nn.sigmoid,
            jax.lax.scan,
            jax.value_and_grad,
            jax.jit,
        )

    def loss(p: Any, inputs: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            h, c = state
            i, f, g, o = n.split(x @ p["wx"] + h @ p["wh"] + p["b"], 4, -1)
            c = sigmoid(f) * c + sigmoid(i) * n.tanh(g)
            h = sigmoid(o) * n.tanh(c)
            return (h, c), h

        zero = n.zeros((BATCH, WIDTH), n.float32)
        return (scan(step, (zero, zero), inputs)[1] ** 2).mean()

    call = jit(transform(loss))
    arguments = jax.device_put((PARAMETERS, INPUTS))
    return lambda: jax.block_until_ready(call(*arguments))


def make_torch(torch: Any) -> Callable[[], Any]:
    """The same with PyTorch's own LSTM."""
    layer = torch.nn.LSTM(WIDTH, WIDTH)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(PARAMETERS["wx"].T.copy()))
        layer.weight_hh_l0.copy_(torch.tensor(PARAMETERS["wh"].T.copy()))
        layer.bias_ih_l0.copy_(torch.tensor(PARAMETERS["b"]))
        layer.bias_hh_l0.zero_()
    inputs = torch.tensor(INPUTS)

    def call() -> Any:
        layer.zero_grad()
        value = (layer(inputs)[0] ** 2).mean()
        value.backward()
        own = {"b": layer.bias_ih_l0, "wh": layer.weight_hh_l0, "wx": layer.weight_ih_l0}
        return value.item(), {name: p.grad.numpy().T for name, p in own.items()}

    return call
