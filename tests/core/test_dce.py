"""Dead code: what no output needs is gone, inside sub-programs too."""

import numpy as np

import fn
from fn.control import call
from fn.core import Trace, check, dce, recording, type_of, used_inputs
from fn.ops import add, mul, sin
from tests.programs import names

X = np.ones(3, np.float32)


def test_what_is_not_needed_goes() -> None:
    trace = Trace("test")
    with recording(trace):
        x, y = trace.input(type_of(X)), trace.input(type_of(X))
        mul(y, y)
        z = sin(x)
        add(z, y)
        program = trace.finish([z])
    assert names(program) == ["mul", "sin", "add"]
    assert names(dce(program)) == ["sin"]
    assert used_inputs(dce(program)) == [True, False]
    assert dce(dce(program)) is dce(program) or dce(program) == dce(dce(program))


def test_nothing_to_do_gives_the_same_program() -> None:
    program = fn.trace(lambda x: sin(x))(X)
    assert dce(program) is program


def test_only_some_outputs() -> None:
    program = fn.trace(lambda x: (sin(x), mul(x, x), x))(X)
    smaller = check(dce(program, [False, True, False]))
    assert names(smaller) == ["mul"]
    assert len(smaller.outputs) == 1
    assert dce(program, [False, False, True]).equations == ()


def test_calls_are_pruned() -> None:
    def pair(x, y):
        return sin(x), mul(y, y)

    inner = fn.trace(pair)(X, X)
    program = check(dce(fn.trace(lambda x, y: call(inner, x, y)[0])(X, X)))
    (equation,) = program.equations
    assert names(equation.params["program"]) == ["sin"]
    assert len(equation.inputs) == len(equation.outputs) == 1
    assert used_inputs(program) == [True, False]
    np.testing.assert_allclose(fn.evaluate(program, [X, X])[0], np.sin(X), rtol=1e-6)
