"""One tracer in the place of another whose trace has ended: how late rules see their closures."""

from typing import Any

import numpy as onp
import pytest

import fn
from fn.core import ArrayType, LeakError, Trace, recording
from fn.ops import mul

F32 = ArrayType((), onp.float32)


def _ended() -> Any:
    kept = []
    fn.trace(lambda x: kept.append(x) or x)(onp.float32(1.0))
    return kept[0]


def test_in_its_place() -> None:
    old, trace = _ended(), Trace("later")
    with recording(trace):
        new = trace.input(F32)
        with pytest.raises(LeakError):
            mul(old, 2.0)
        trace.stand_for(old, new)
        program = trace.finish([mul(old, 2.0)])
    assert program.captured == ()
    assert program.equations[0].inputs[0] is program.inputs[0]


def test_from_traces_inside() -> None:
    old, trace = _ended(), Trace("later")
    with recording(trace):
        trace.stand_for(old, trace.input(F32))
        inner = fn.trace(lambda y: mul(mul(old, y), fn.grad(lambda z: mul(z, old))(y)))(
            onp.float32(3.0)
        )
        program = trace.finish(fn.evaluate(inner, [onp.float32(3.0)]))
    assert program.captured == ()
    assert float(fn.evaluate(program, [onp.float32(5.0)])[0]) == 75.0


def test_only_while_the_trace_runs() -> None:
    old, trace = _ended(), Trace("later")
    with recording(trace):
        trace.stand_for(old, trace.input(F32))
    with pytest.raises(LeakError):
        mul(old, 2.0)
