"""Ahead of time: a call traced, lowered and compiled step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fn.core import Program, hide_frames
from fn.xla._checked import settled
from fn.xla._static import unwrap, wrap


class TracedCall:
    """A traced call of a jitted function; `.program` is what it is, `.lower()` goes on.

    >>> import fn
    >>> traced = fn.jit(lambda x: 2 * x).trace(1.0)
    >>> traced.program.out_types
    (~f32[],)
    """

    def __init__(self, program: Program, lower: Callable[[], Lowered]) -> None:
        self.program, self._lower = program, lower

    def lower(self) -> Lowered:
        """StableHLO for this call."""
        return self._lower()

    def __repr__(self) -> str:
        return f"TracedCall({self.program!r})"


class Lowered:
    """A call as StableHLO, ready to be compiled.

    >>> import fn
    >>> lowered = fn.jit(lambda x: 2 * x).trace(1.0).lower()
    >>> "stablehlo.multiply" in lowered.as_text()
    True
    """

    def __init__(
        self, lowered: Any, captured: tuple[Any, ...], mixed: bool, static_out: bool
    ) -> None:
        self._lowered, self._captured, self._mixed, self._static_out = (
            lowered,
            captured,
            mixed,
            static_out,
        )

    def as_text(self) -> str:
        """The StableHLO module."""
        text: str = self._lowered.as_text()
        return text

    def compile(self) -> Compiled:
        """The executable."""
        return Compiled(self._lowered.compile(), self._captured, self._mixed, self._static_out)


class Compiled:
    """An executable for one set of argument types; call it with such arguments, static ones left out.

    >>> import fn
    >>> f = fn.jit(lambda x: 2 * x).trace(1.0).lower().compile()
    >>> float(f(3.0))
    6.0
    """

    def __init__(
        self, compiled: Any, captured: tuple[Any, ...], mixed: bool, static_out: bool
    ) -> None:
        self._compiled, self._captured, self._mixed, self._static_out = (
            compiled,
            captured,
            mixed,
            static_out,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._mixed:
            args, kwargs = wrap(args), wrap(kwargs)
        try:
            result = settled(self._compiled(*self._captured, *args, **kwargs))
        except Exception as error:
            raise hide_frames(error) from error.__cause__
        return unwrap(result) if self._static_out else result

    def as_text(self) -> str:
        """The optimised HLO."""
        text: str = self._compiled.as_text()
        return text

    def cost_analysis(self) -> Any:
        """XLA's own estimate: a dict with `flops`, `bytes accessed`, …"""
        return self._compiled.cost_analysis()

    def memory_analysis(self) -> Any:
        """XLA's account of argument, output and temporary bytes."""
        return self._compiled.memory_analysis()
