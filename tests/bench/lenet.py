"""The training step of `examples/digits.py` without its shifts and dropout, in fn, JAX and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
from fn import nn, optim

BATCH = 64
IMAGES = onp.random.RandomState(0).rand(BATCH, 8, 8, 1).astype(onp.float32)
LABELS = onp.random.RandomState(1).randint(0, 10, BATCH).astype(onp.int32)


def network() -> Any:
    """The layers."""
    return nn.serial(
        nn.conv(16, 3), nn.relu, nn.max_pool(2), nn.conv(32, 3), nn.relu, nn.max_pool(2), nn.flatten(),
        nn.dense(64), nn.relu, nn.dense(10),
    )  # fmt: skip


def initial() -> Any:
    """Its parameters, the same for every peer."""
    spec = fn.ArrayType(IMAGES.shape, "float32")
    return network().init(fn.random.key(0), spec)[0]


def fn_step() -> Callable[[], Any]:
    """A call makes one step and returns the loss."""
    apply, optimizer = network().apply, optim.adam(1e-3)

    def loss(params: Any, images: Any, labels: Any) -> Any:
        return nn.cross_entropy(apply(params, {}, images)[0], labels).mean()

    @fn.jit
    def step(params: Any, state: Any, images: Any, labels: Any) -> Any:
        value, grads = fn.value_and_grad(loss)(params, images, labels)
        updates, state = optimizer.update(grads, state, params)
        return optim.apply_updates(params, updates), state, value

    return _stepper(step, initial(), optimizer.init(initial()))


def jax_step() -> Callable[[], Any]:
    """The same in JAX, with its own convolution, pooling and Adam."""

    def forward(p: Any, x: Any) -> Any:
        for name in ("conv1", "conv2"):
            x = jax.lax.conv_general_dilated(
                x, p[name]["w"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            x = jax.nn.relu(x + p[name]["b"])
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        x = x.reshape(BATCH, -1)
        x = jax.nn.relu(x @ p["dense1"]["w"] + p["dense1"]["b"])
        return x @ p["dense2"]["w"] + p["dense2"]["b"]

    def loss(p: Any, images: Any, labels: Any) -> Any:
        logs = jax.nn.log_softmax(forward(p, images))
        return -jnp.take_along_axis(logs, labels[:, None], 1).mean()

    @jax.jit
    def step(params: Any, state: Any, images: Any, labels: Any) -> Any:
        count, m, s = state
        value, grads = jax.value_and_grad(loss)(params, images, labels)
        count = count + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        s = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, s, grads)
        first, second = 1 - 0.9**count, 1 - 0.999**count
        params = jax.tree.map(
            lambda p, m, s: p - 1e-3 * (m / first) / (jnp.sqrt(s / second) + 1e-8), params, m, s
        )
        return params, (count, m, s), value

    params = initial()
    zeros = jax.tree.map(jnp.zeros_like, params)
    return _stepper(step, params, (jnp.float32(0), zeros, zeros))


def _stepper(step: Callable[..., Any], params: Any, state: Any) -> Callable[[], Any]:
    images, labels = jax.device_put(IMAGES), jax.device_put(LABELS)
    held = [params, state]

    def call() -> float:
        held[0], held[1], value = step(*held, images, labels)
        return float(value)

    return call


def torch_step(torch: Any) -> Callable[[], Any]:
    """The same in PyTorch, eager, as its users write it."""
    p = jax.tree.map(lambda a: onp.asarray(a).copy(), initial())
    layers = torch.nn
    model = layers.Sequential(
        layers.Conv2d(1, 16, 3, padding=1), layers.ReLU(), layers.MaxPool2d(2),
        layers.Conv2d(16, 32, 3, padding=1), layers.ReLU(), layers.MaxPool2d(2), layers.Flatten(),
        layers.Linear(128, 64), layers.ReLU(), layers.Linear(64, 10),
    )  # fmt: skip
    # PyTorch flattens channels first: reorder the rows of the first dense layer.
    dense = p["dense1"]["w"].reshape(2, 2, 32, 64).transpose(2, 0, 1, 3).reshape(128, 64)
    weights = [
        p["conv1"]["w"].transpose(3, 2, 0, 1), p["conv1"]["b"],
        p["conv2"]["w"].transpose(3, 2, 0, 1), p["conv2"]["b"],
        dense.T, p["dense1"]["b"], p["dense2"]["w"].T, p["dense2"]["b"],
    ]  # fmt: skip
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(onp.ascontiguousarray(value)))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    images = torch.tensor(IMAGES.transpose(0, 3, 1, 2).copy())
    labels = torch.tensor(LABELS.astype(onp.int64))

    def call() -> float:
        optimizer.zero_grad()
        value = layers.functional.cross_entropy(model(images), labels)
        value.backward()
        optimizer.step()
        return value.item()

    return call
