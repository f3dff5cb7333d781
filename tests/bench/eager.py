"""Nothing jitted: a whole training step of a transformer, called as research code calls it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from tests.bench import transformer
from tests.bench.measure import Timing, alternate


def step(layers: int) -> Callable[[list[str]], dict[str, Timing]]:
    """`value_and_grad` and Adam, eager; fn compiles what comes back by itself."""

    def run(peers: list[str]) -> dict[str, Timing]:
        arguments = transformer.arguments(layers)
        made = {p: transformer.make_step(p) for p in peers if p != "torch"}
        calls = {p: lambda f=f: jax.block_until_ready(f(*arguments)) for p, f in made.items()}
        first = [jax.tree.leaves(call()) for call in calls.values()]
        for other in first[1:]:
            for a, b in zip(first[0], other, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
        return alternate(calls, rounds=7, warmup=3)

    return run


def start(peers: list[str]) -> dict[str, Timing]:
    """Importing the library in a fresh interpreter; what Python itself takes is in all of them."""

    def call(name: str) -> Callable[[], Any]:
        return lambda: subprocess.run([sys.executable, "-c", f"import {name}"], check=True)

    return alternate({p: call(p) for p in peers}, rounds=7, warmup=1)


ROWS = {
    "import": (start, "jax", None),
    "eager value_and_grad, 12-layer transformer": (step(12), "jax", 0.2),
}
