"""The decoder's training step at several depths: trace and lower, compile as well, and the step itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import fn
from tests.bench import transformer
from tests.bench.measure import Timing, alternate

Row = Callable[[list[str]], dict[str, Timing]]
_compiled: dict[tuple[str, int], Any] = {}


def lowered(library: str, layers: int) -> Any:
    """A new function each time, traced, differentiated and emitted; nothing is remembered from before."""
    if library == "fn":
        fn.clear_trace_cache()
    jit = fn.jit if library == "fn" else jax.jit
    return jit(transformer.make_step(library)).lower(*transformer.arguments(layers))


def compiled(library: str, layers: int) -> Any:
    """The executable; kept, for the step that is measured later."""
    _compiled[library, layers] = lowered(library, layers).compile()
    return _compiled[library, layers]


def _peers(peers: list[str]) -> list[str]:
    return [p for p in peers if p in ("fn", "jax")]


def trace_and_lower(layers: int) -> Row:
    """Without compiling."""

    def run(peers: list[str]) -> dict[str, Timing]:
        calls = {p: lambda p=p: lowered(p, layers) for p in _peers(peers)}
        return alternate(calls, rounds=9 if layers <= 12 else 5, warmup=1)

    return run


def trace_lower_and_compile(layers: int) -> Row:
    """From the function to the executable. Deep ones once: JAX takes minutes."""

    def run(peers: list[str]) -> dict[str, Timing]:
        calls = {p: lambda p=p: compiled(p, layers) for p in _peers(peers)}
        for call in calls.values() if layers <= 2 else ():
            call()  # whatever a process does once
        return alternate(calls, rounds=3 if layers <= 12 else 1, warmup=0)

    return run


def step(layers: int) -> Row:
    """The step, compiled; the peers compute the same numbers."""

    def run(peers: list[str]) -> dict[str, Timing]:
        calls: dict[str, Callable[[], Any]] = {}
        arguments = jax.device_put(transformer.arguments(layers))
        for p in _peers(peers):
            call = _compiled.get((p, layers)) or compiled(p, layers)
            calls[p] = lambda call=call: jax.block_until_ready(call(*arguments))
        first = jax.tree.leaves(calls["fn"]())
        if "jax" in calls:
            for a, b in zip(first, jax.tree.leaves(calls["jax"]()), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
        if "torch" in peers:
            torch = importlib.import_module("torch")
            calls["torch"] = transformer.torch_step(torch, layers)
            np.testing.assert_allclose(calls["torch"](), first[0], rtol=1e-3)
        return alternate(calls, rounds=21, calls=3 if layers <= 12 else 1, warmup=5)

    return run


ROWS: dict[str, tuple[Row, str, float | None]] = {}
for _layers, _goals in {
    2: (None, None, None), 12: (0.25, 0.35, 0.8), 24: (None, 0.12, 0.5), 48: (None, 0.04, 0.3),
}.items():  # fmt: skip
    _name = f"{_layers}-layer transformer step"
    ROWS[f"trace + lower, {_name}"] = trace_and_lower(_layers), "jax", _goals[0]
    ROWS[f"trace + lower + compile, {_name}"] = trace_lower_and_compile(_layers), "jax", _goals[1]
    ROWS[f"run, {_name}"] = step(_layers), "jax", _goals[2]
SLOW = [name for name in ROWS if "24-layer" in name or "48-layer" in name]
"""Rows that are run only where they are asked for by name."""
