"""Programs as data: frozen, equal by structure, with exact literals."""

import jax
import numpy as np
import pytest

import fn
from fn.core import ArrayType, Equation, Literal, Program, Variable
from fn.ops import add, mul, sin
from fn.ops._elementwise import add_p

F32 = ArrayType((), np.float32)


def _swapped(first: int) -> Program:
    a, b, c = (Variable(F32) for _ in range(3))
    inputs = (a, b) if first == 0 else (b, a)
    return Program((a, b), (Equation(add_p, inputs, (c,), {}),), (c,))


def test_equal_up_to_names() -> None:
    assert _swapped(0) == _swapped(0)
    assert hash(_swapped(0)) == hash(_swapped(0))
    assert _swapped(0) != _swapped(1)
    assert _swapped(0) != "text"


@pytest.mark.parametrize(
    "other",
    [
        lambda x: mul(sin(x), 3.0),
        lambda x: mul(sin(x), np.float32(2.0)),
        lambda x: add(sin(x), 2.0),
        lambda x: mul(x, 2.0),
        lambda x: (mul(sin(x), 2.0), x),
    ],
)
def test_different_programs_differ(other: object) -> None:
    x = fn.ArrayType((3,), np.float32, weak=True)
    assert fn.trace(lambda x: mul(sin(x), 2.0))(x) != fn.trace(other)(x)


def test_captured_arrays_count_by_identity() -> None:
    one, other = jax.numpy.ones(3), jax.numpy.ones(3)
    programs = [fn.trace(lambda x, c=c: mul(x, c))(one) for c in (one, other)]

    def holding(c):
        return fn.trace(lambda x: mul(x, c))(np.ones(3, np.float32))

    held = [holding(c) for c in (one, one, other)]
    assert held[0] == held[1]
    assert held[0] != held[2]
    assert held[0].captured == (one,)
    assert held[0].closed().captured == ()
    assert held[0].closed() == held[2].closed()
    assert programs[0].in_types == (ArrayType((3,), np.float32),) * 2


def test_programs_are_frozen() -> None:
    program = _swapped(0)
    with pytest.raises(AttributeError, match="frozen"):
        program.name = "other"
    assert repr(program) == "<Program main: (f32[], f32[]) -> (f32[]), 1 equations>"


def test_literals_are_exact() -> None:
    assert Literal(0.0) != Literal(-0.0)
    assert Literal(float("nan")) == Literal(float("nan"))
    assert Literal(1) != Literal(True)
    assert Literal(1.0) != Literal(np.float32(1.0))  # one is weak
    assert type(Literal(1.0).operand) is float
    assert type(Literal(np.float32(1.0)).operand) is np.float32
    assert Literal(300, ArrayType((), np.uint8)).value == 44
    with pytest.raises(TypeError, match="scalar"):
        Literal(np.ones(2))


def test_subprograms_are_found_inside_tuples() -> None:
    inner = _swapped(0)
    a, b = Variable(F32), Variable(F32)
    equation = Equation(add_p, (a, a), (b,), {"branches": (inner, (inner, 3)), "n": 2})
    assert list(Program((a,), (equation,), (b,)).subprograms()) == [inner, inner]
