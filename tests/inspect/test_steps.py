"""`fn.inspect.steps`: each transform and each pass, and where every equation comes from."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError, Lanes, Program
from fn.inspect._steps import marked

X = onp.ones((4, 3), onp.float32)
W = onp.ones((3, 2), onp.float32)
BATCH = onp.ones((5, 4, 3), onp.float32)


def _loss(w: Any, x: Any) -> Any:
    h = np.tanh(x @ w)  # the layer
    return (h**2).sum() * 1.0  # the loss


def _origins(program: Program) -> set[tuple[str, ...]]:
    return {e.source.origin for e in program.equations if e.source is not None}


def test_stages_are_those_of_the_composition() -> None:
    batch = partial(fn.vmap, in_axes=(None, 0))
    seen = fn.inspect.steps(_loss, fn.grad, batch, fn.jit)(W, BATCH)
    names = [stage.name for stage in seen.stages]
    assert names[:4] == ["_loss", "grad", "vmap(in_axes=(None, 0))", "jit"]
    assert all(name.startswith("pass:") for name in names[4:])
    assert seen.stages[0].program == fn.trace(_loss)(W, X)
    assert seen.stages[1].program == fn.trace(fn.grad(_loss))(W, X)
    assert seen.stages[2].program == fn.trace(batch(fn.grad(_loss)))(W, BATCH)
    assert seen.stages[3].program == seen.stages[2].program


def test_every_equation_has_its_line_and_what_it_went_through() -> None:
    seen = fn.inspect.steps(_loss, fn.grad, partial(fn.vmap, in_axes=(None, 0)))(W, BATCH)
    first = _loss.__code__.co_firstlineno
    for stage in seen.stages:
        for equation in stage.program.equations:
            assert equation.source is not None
            assert equation.source.file == __file__
            assert equation.source.line in (first + 1, first + 2)
    origins = [_origins(stage.program) for stage in seen.stages]
    assert origins[0] == {()}
    assert origins[1] == {(), ("jvp",), ("jvp", "transpose")}
    assert ("jvp", "transpose", "batch") in origins[2]
    assert ("batch",) in origins[2]


def test_passes_are_noted_on_what_they_make() -> None:
    seen = fn.inspect.steps(lambda x: (np.sin(x) * (2.0 * 3.0 + 0.0 * x)) ** 2 + np.sin(x))(X)
    last = seen.stages[-1].program
    assert len(last.equations) < len(seen.stages[0].program.equations)
    made = {step for origin in _origins(last) for step in origin}
    assert made
    assert all(step.startswith("pass:") for step in made)
    assert last.out_types == seen.stages[0].program.out_types
    got = fn.evaluate(last, [X])[0]
    onp.testing.assert_allclose(got, fn.evaluate(seen.stages[0].program, [X])[0], rtol=1e-6)


def test_passes_may_be_left_out() -> None:
    seen = fn.inspect.steps(_loss, fn.grad, passes=False)(W, X)
    assert [stage.name for stage in seen.stages] == ["_loss", "grad"]


def test_side_by_side_with_lines() -> None:
    text = fn.inspect.steps(_loss, fn.grad, passes=False)(W, X).text(150)
    assert text.startswith("_loss → grad\n")
    row = next(line for line in text.splitlines() if " sub 1.0 " in line)
    assert f"test_steps.py:{_loss.__code__.co_firstlineno + 1}  jvp" in row
    assert " + " in row
    assert "jvp · transpose" in text


def test_programs_and_misuse() -> None:
    program = fn.trace(_loss)(W, X)
    assert fn.inspect.steps(program).stages[0].program is program
    with pytest.raises(ArgumentError, match="steps: the first argument is neither"):
        fn.inspect.steps(_loss, 3)


def test_marking_goes_into_programs_inside() -> None:
    def build(k: float) -> Program:
        inner = fn.jit(lambda x: np.sin(x) * k)
        return fn.trace(lambda x: inner(x) + 1.0)(X)

    before, after = build(1.0), build(2.0)
    found = marked(before, after, "pass:mine")
    inside = found.equations[0].params["program"]
    assert found == after
    assert [e.source.origin for e in inside.equations if e.source] == [(), ("pass:mine",)]
    assert found.equations[1] is after.equations[1]


# --- where vmap put its axes ------------------------------------------------------------


def test_sources_know_the_axes_of_vmap() -> None:
    program = fn.trace(fn.vmap(fn.vmap(np.sin, in_axes=1), in_axes=2, axis_name="i"))(
        onp.ones((2, 7, 5), onp.float32)
    )
    (sine,) = [e for e in program.equations if e.primitive.name == "sin"]
    assert sine.source is not None
    assert sine.source.origin == ("batch", "batch")
    outer, inner = sine.source.lanes
    shape = sine.outputs[0].type.shape
    assert (outer.size, outer.name, inner.size) == (5, "i", 7)
    assert isinstance(outer, Lanes)
    assert outer.dims[0] is not None
    assert inner.dims[0] is not None
    assert shape[outer.dims[0]] == 5
    assert shape[inner.dims[0]] == 7
