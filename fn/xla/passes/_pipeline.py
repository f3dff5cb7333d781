"""All passes in order: from the Program a transform gave to the one that is emitted."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import NamedTuple

from fn.core import Program, checked
from fn.xla.passes._common import common
from fn.xla.passes._cut import cut
from fn.xla.passes._dead import dead
from fn.xla.passes._expand import expand
from fn.xla.passes._hoist import hoist
from fn.xla.passes._inline import inline
from fn.xla.passes._outline import outline
from fn.xla.passes._outline_borders import thin
from fn.xla.passes._outline_report import Report, noticed
from fn.xla.passes._pack import pack
from fn.xla.passes._products import products
from fn.xla.passes._share import share
from fn.xla.passes._simplify import simplify
from fn.xla.passes._unpack import unpack
from fn.xla.passes._walk import Pass


class Step(NamedTuple):
    """A pass, and the platforms it is for; None for all of them."""

    run: Pass
    platforms: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """What statistics call it."""
        return self.run.__name__


_CPU = frozenset({"cpu"})

# Simplification comes before common subexpressions: where two ways to the same value are different
# chains of reshapes, say, it makes them the same.
STEPS: tuple[Step, ...] = (
    Step(expand),
    Step(inline),
    # What repeats is said once before anything else looks at it: the other passes see one layer, not fifty.
    Step(dead),
    Step(outline, _CPU),
    Step(inline, _CPU),
    Step(simplify),
    Step(common),
    Step(dead),
    Step(hoist),
    Step(products, _CPU),
    Step(share, _CPU),
    # Who computes again what it is no longer given may have computed some of it anyway.
    Step(thin, _CPU),
    Step(common, _CPU),
    Step(dead, _CPU),
    Step(pack, _CPU),
    Step(unpack, _CPU),
    Step(cut, _CPU),
)

_NOTED = frozenset({outline, share, thin, cut})
"""Passes whose findings are for the user to read."""


@dataclass
class PassTimes:
    """Seconds spent in each pass, and how many equations went in and came out of them all."""

    seconds: dict[str, float] = field(default_factory=dict)
    programs: int = 0
    equations: int = 0
    left: int = 0

    @property
    def total(self) -> float:
        """Seconds spent in all passes."""
        return sum(self.seconds.values())

    def add(self, name: str, seconds: float) -> None:
        """Count one run of a pass."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds


times = PassTimes()
"""Of this process."""


def optimise(program: Program, platform: str, outlined: bool = True) -> Program:
    """The Program to emit for `program`: same inputs, same outputs, less work. Remembered on it.

    A single operation, as an eager call makes it, stays as it is.

    Args:
        program: any Program; its captured inputs stay.
        platform: as JAX calls it: `cpu`, `cuda`, `rocm` or `tpu`.
        outlined: whether what repeats may become calls; the environment variable `FN_OUTLINE=0` says
            no for all.
    """
    if os.environ.get("FN_OUTLINE") == "0":
        outlined = False
    key = ("optimised", platform, outlined)
    found: Program | None = program.cache.get(key)
    if found is None:
        found = program.cache[key] = _run(program, platform, outlined)
    return found


def passes_for(platform: str) -> list[tuple[str, Pass]]:
    """The passes for a platform, as JAX calls it, in order, with their names."""
    return [(s.name, s.run) for s in STEPS if s.platforms is None or platform in s.platforms]


def pass_times(program: Program, platform: str) -> PassTimes | None:
    """What `optimise` took for this very Program; None if it has not been through it."""
    found: PassTimes | None = program.cache.get(("pass_times", platform))
    return found


def report(program: Program) -> Report:
    """What `optimise` outlined, kept apart and cut: of the Program it was given, or of what it gave."""
    found: Report = program.cache.get("report", Report())
    return found


def _run(program: Program, platform: str, outlined: bool) -> Program:
    if len(program.equations) < 2 and not any(program.subprograms()):
        return program
    own = PassTimes(programs=1, equations=len(program.equations))
    result = program
    stages = []
    for step in STEPS:
        if step.run is outline and not outlined:
            continue
        if step.platforms is None or platform in step.platforms:
            start = time.perf_counter()
            result = step.run(result)
            seconds = time.perf_counter() - start
            for record in (own, times):
                record.add(step.name, seconds)
            checked(result)
            if step.run in _NOTED:
                stages.append(result)
    own.left = len(result.equations)
    times.programs += 1
    times.equations += own.equations
    times.left += own.left
    program.cache["pass_times", platform] = own
    program.cache["report"] = result.cache["report"] = noticed(*stages)
    return result
