"""A decoder transformer's training step with Adam, unrolled as people write it, in fn, JAX and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as onp

import fn
import fn.numpy as np
from fn import nn

WIDTH, HEADS, TIME, BATCH = 64, 4, 32, 4
MASK = onp.tril(onp.ones((TIME, TIME), bool))


def parameters(layers: int) -> list[dict[str, Any]]:
    """The weights of `layers` blocks."""
    rng = onp.random.RandomState(0)

    def w(*shape: int) -> Any:
        return (rng.randn(*shape) * 0.02).astype(onp.float32)

    return [
        {
            "g1": w(WIDTH), "g2": w(WIDTH), "qkv": w(WIDTH, 3 * WIDTH), "o": w(WIDTH, WIDTH),
            "w1": w(WIDTH, 4 * WIDTH), "b1": w(4 * WIDTH), "w2": w(4 * WIDTH, WIDTH), "b2": w(WIDTH),
        }
        for _ in range(layers)
    ]  # fmt: skip


def make_step(library: str) -> Callable[..., Any]:
    """The same step written with fn or with JAX: `(params, m, v, x) -> (loss, params, m, v)`."""
    if library == "fn":
        n, softmax, gelu, rsqrt = np, nn.softmax, nn.gelu, fn.ops.rsqrt
        value_and_grad = fn.value_and_grad
    else:
        n, softmax, gelu, rsqrt = jnp, jax.nn.softmax, jax.nn.gelu, jax.lax.rsqrt
        value_and_grad = jax.value_and_grad

    def norm(g: Any, x: Any) -> Any:
        m = x.mean(-1, keepdims=True)
        return (x - m) * rsqrt(((x - m) ** 2).mean(-1, keepdims=True) + 1e-5) * (1 + g)

    def heads(t: Any) -> Any:
        return t.reshape(BATCH, TIME, HEADS, -1).transpose(0, 2, 1, 3)

    def block(p: Any, h: Any) -> Any:
        x = norm(p["g1"], h)
        q, k, v = map(heads, n.split(x @ p["qkv"], 3, -1))
        s = n.where(MASK, q @ k.transpose(0, 1, 3, 2) / 4, -1e9)
        h = h + (softmax(s) @ v).transpose(0, 2, 1, 3).reshape(BATCH, TIME, WIDTH) @ p["o"]
        return h + gelu(norm(p["g2"], h) @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]

    def loss(params: Any, h: Any) -> Any:
        for p in params:
            h = block(p, h)
        return (h**2).mean()

    def step(params: Any, m: Any, v: Any, h: Any) -> Any:
        value, grads = value_and_grad(loss)(params, h)
        m = jax.tree.map(lambda m, g: m * 0.9 + g * 0.1, m, grads)
        v = jax.tree.map(lambda v, g: v * 0.999 + g * g * 0.001, v, grads)
        params = jax.tree.map(lambda p, m, v: p - m * 1e-3 / (n.sqrt(v) + 1e-8), params, m, v)
        return value, params, m, v

    return step


def arguments(layers: int) -> tuple[Any, ...]:
    """Parameters, two zero moments, and an input."""
    params = parameters(layers)
    zeros = jax.tree.map(onp.zeros_like, params)
    return params, zeros, zeros, onp.ones((BATCH, TIME, WIDTH), onp.float32)


def torch_step(torch: Any, layers: int) -> Callable[[], float]:
    """The same in PyTorch, eager: a call makes one step from the first parameters and returns the loss."""
    f = torch.nn.functional
    start, m, v, x = arguments(layers)
    leaves = [[torch.tensor(a) for a in jax.tree.leaves(t)] for t in (start, m, v)]
    names, x, mask = sorted(start[0]), torch.tensor(x), torch.tensor(MASK)
    for leaf in leaves[0]:
        leaf.requires_grad_()

    def norm(g: Any, x: Any) -> Any:
        m = x.mean(-1, keepdim=True)
        return (x - m) * torch.rsqrt(((x - m) ** 2).mean(-1, keepdim=True) + 1e-5) * (1 + g)

    def heads(t: Any) -> Any:
        return t.reshape(BATCH, TIME, HEADS, -1).transpose(1, 2)

    def block(p: Any, h: Any) -> Any:
        q, k, v = map(heads, (norm(p["g1"], h) @ p["qkv"]).split(WIDTH, -1))
        s = (q @ k.transpose(2, 3) / 4).masked_fill(~mask, -1e9)
        h = h + (s.softmax(-1) @ v).transpose(1, 2).reshape(BATCH, TIME, WIDTH) @ p["o"]
        wide = f.gelu(norm(p["g2"], h) @ p["w1"] + p["b1"], approximate="tanh")
        return h + wide @ p["w2"] + p["b2"]

    def call() -> float:
        h = x
        for i in range(layers):
            h = block(dict(zip(names, leaves[0][8 * i : 8 * i + 8], strict=True)), h)
        loss = (h**2).mean()
        grads = torch.autograd.grad(loss, leaves[0])
        with torch.no_grad():
            m = torch._foreach_add(torch._foreach_mul(leaves[1], 0.9), grads, alpha=0.1)
            squares = torch._foreach_mul(grads, grads)
            v = torch._foreach_add(torch._foreach_mul(leaves[2], 0.999), squares, alpha=0.001)
            below = torch._foreach_add(torch._foreach_sqrt(v), 1e-8)
            torch._foreach_sub(leaves[0], torch._foreach_div(torch._foreach_mul(m, 1e-3), below))
        return float(loss)

    return call
