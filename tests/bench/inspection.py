"""Looking at long Programs: a transformer's training step, of about so many equations."""

from __future__ import annotations

from collections.abc import Callable

import fn
from fn.core import Program
from tests.bench import transformer
from tests.bench.measure import Timing, alternate

# Layers of the transformer that give about so many equations.
LAYERS = {1_000: 3, 5_000: 17, 20_000: 68}
VIEWS: dict[str, Callable[[Program], object]] = {
    "show": lambda program: [view := fn.inspect.show(program), view.text(), view.html()],
    "cost": lambda program: fn.inspect.cost(program).text(),
}


def look(view: str, equations: int) -> Callable[[list[str]], dict[str, Timing]]:
    """The time of a view of a Program, text and page, without tracing it."""

    def run(peers: list[str]) -> dict[str, Timing]:
        step = transformer.make_step("fn")
        program = fn.trace(step)(*transformer.arguments(LAYERS[equations]))
        return alternate({"fn": lambda: VIEWS[view](program)}, rounds=5, warmup=1)

    return run
