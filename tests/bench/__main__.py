"""python -m tests.bench: fn beside JAX (and PyTorch, where installed) on the same work in one run.

Peers take turns; figures are medians, ratios are medians of the ratios round by round with their
quartiles. Machines differ and are noisy: quote ratios.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import platform
from collections.abc import Callable
from typing import Any

# PyTorch's threads wait by spinning, and would take the cores from whoever comes next.
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import jax
import jax.numpy as jnp
import numpy as np

import fn
from tests.bench import depth, eager, inspection, lenet, lstm, ode, operations, operators, scan60
from tests.bench.measure import Timing, alternate, ratio

Row = Callable[[list[str]], dict[str, Timing]]


def dispatch(leaves: int) -> Row:
    """A call of a compiled function that does next to nothing, with a list of arrays."""

    def run(peers: list[str]) -> dict[str, Timing]:
        arrays = [jnp.full(3, float(i)) for i in range(leaves)]
        ours = fn.jit(lambda xs: [fn.ops.mul(x, 2.0) for x in xs])
        theirs = jax.jit(lambda xs: [x * 2.0 for x in xs])
        calls = {"fn": lambda: ours(arrays), "jax": lambda: theirs(arrays)}
        return alternate(
            {p: calls[p] for p in peers if p in calls}, rounds=25, calls=max(20, 2000 // leaves)
        )

    return run


def digits_step(peers: list[str]) -> dict[str, Timing]:
    """One training step of the network of `examples/digits.py`, batch 64."""
    makers = {"fn": lenet.fn_step, "jax": lenet.jax_step}
    if "torch" in peers:
        torch = importlib.import_module("torch")
        makers["torch"] = lambda: lenet.torch_step(torch)
    first = {p: makers[p]() for p in peers}
    losses = {p: [call() for _ in range(3)] for p, call in first.items()}
    for p in peers:  # the peers train the same network on the same numbers
        np.testing.assert_allclose(losses[p], losses["fn"], rtol=1e-3)
    return alternate({p: makers[p]() for p in peers}, rounds=20, calls=30, warmup=10)


def loop(make: Callable[[str], Callable[[], Any]], make_torch: Any = None, calls: int = 3) -> Row:
    """A loop and its gradient; the peers agree on both."""

    def run(peers: list[str]) -> dict[str, Timing]:
        made = {p: make(p) for p in peers if p != "torch"}
        if "torch" in peers and make_torch is not None:
            made["torch"] = make_torch(importlib.import_module("torch"))
        first = jax.tree.leaves(made["fn"]())
        for call in made.values():
            for a, b in zip(first, jax.tree.leaves(call()), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
        return alternate(made, rounds=15, calls=calls)

    return run


ROWS: dict[str, tuple[Row, str, float | None]] = {
    **depth.ROWS,
    "dispatch, 1 leaf": (dispatch(1), "jax", 1.2),
    "dispatch, 30 leaves": (dispatch(30), "jax", 1.2),
    "dispatch, 300 leaves": (dispatch(300), "jax", 1.2),
    "digits step, batch 64": (digits_step, "jax", 1.0),
    "scan with 60 scalar carries, gradient": (loop(scan60.make), "jax", 0.4),
    "LSTM, 100 steps of 32×128, gradient": (loop(lstm.make, lstm.make_torch), "jax", 1.0),
    "ODE in adaptive steps, gradient": (loop(ode.make), "jax", 1.0),
}
ROWS |= {
    f"{view}, {n:,} equations": (inspection.look(view, n), "", None)
    for view in inspection.VIEWS
    for n in inspection.LAYERS
}

ROWS |= eager.ROWS | operators.ROWS | operations.ROWS


def unit(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", default="", help="only rows whose name contains this; deep ones run only so"
    )
    parser.add_argument(
        "--peers", default="", help="comma-separated, of jax and torch; fn is always in"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    available = ["fn", "jax"] + ["torch"] * (importlib.util.find_spec("torch") is not None)
    asked = ["fn", *[p for p in options.peers.split(",") if p]] if options.peers else available
    peers = [p for p in available if p in asked]
    versions = [f"{p} {importlib.import_module(p).__version__}" for p in peers]
    print(f"Python {platform.python_version()}, {', '.join(versions)}, {os.cpu_count()} cores\n")
    print("| row | fn | jax | torch | fn / jax (quartiles) | fn / torch | goal |")
    print("|---|---|---|---|---|---|---|")
    found: dict[str, Any] = {}
    for name, (run, _, goal) in ROWS.items():
        if options.rows not in name or (name in depth.SLOW and not options.rows):
            continue
        timings = run(peers)
        cells = [unit(timings[p].median) if p in timings else "" for p in ("fn", "jax", "torch")]
        ratios = []
        for peer in ("jax", "torch"):
            if peer in timings:
                middle, low, high = ratio(timings, peer)
                ratios.append(f"{middle:.2f} ({low:.2f}–{high:.2f})")
            else:
                ratios.append("")
        print(
            f"| {name} | {' | '.join([*cells, *ratios])} | {f'≤ {goal}' if goal else ''} |",
            flush=True,
        )
        found[name] = {p: list(t.seconds) for p, t in timings.items()}
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file)


if __name__ == "__main__":
    main()
