"""The checker catches every kind of fault, and shows the program around it."""

import jax
import numpy as np
import pytest

import fn
from fn.control import call_p
from fn.core import ArrayType, Equation, Literal, Program, ProgramError, Variable, check, checked
from fn.ops import mul, sin
from fn.ops._elementwise import add_p
from fn.ops._shape import reshape_p

F32, F32_3 = ArrayType((), np.float32), ArrayType((3,), np.float32)


def _variables(*types: ArrayType) -> list[Variable]:
    return [Variable(t) for t in types]


def test_a_sound_program_passes() -> None:
    program = fn.trace(lambda x: mul(sin(x), 2.0))(1.0)
    assert check(program) is program


def test_undefined_variable() -> None:
    a, b, ghost = _variables(F32, F32, F32_3)
    program = Program((a,), (Equation(add_p, (a, ghost), (b,), {}),), (b,))
    with pytest.raises(ProgramError) as caught:
        check(program)
    assert str(caught.value).startswith(
        "program 'main': a variable of type f32[3] is used before it is defined\n"
        "    program @main(a: f32[]) {\n"
        "-->   b: f32[] = add a ?f32[3]\n"
        "      return b\n"
        "    }"
    )


def test_undefined_output() -> None:
    a, b = _variables(F32, F32)
    with pytest.raises(ProgramError, match=r"(?s)used before it is defined.*-->   return \?f32"):
        check(Program((a,), (), (b,)))


def test_use_before_definition() -> None:
    a, b, c = _variables(F32, F32, F32)
    equations = (Equation(add_p, (a, b), (c,), {}), Equation(add_p, (a, a), (b,), {}))
    with pytest.raises(ProgramError, match="used before it is defined"):
        check(Program((a,), equations, (c,)))


def test_double_definition() -> None:
    a, b = _variables(F32, F32)
    twice = (Equation(add_p, (a, a), (b,), {}), Equation(add_p, (a, b), (b,), {}))
    with pytest.raises(ProgramError, match=r"(?s)of type f32\[\] is defined twice.*-->.*add a b"):
        check(Program((a,), twice, (b,)))
    with pytest.raises(ProgramError, match="defined twice"):
        check(Program((a, a), (), (a,)))


def test_wrong_output_type() -> None:
    a, b = _variables(F32, F32_3)
    with pytest.raises(ProgramError, match=r"add gives f32\[\], but its output says f32\[3\]"):
        check(Program((a,), (Equation(add_p, (a, a), (b,), {}),), (b,)))


def test_wrong_number_of_outputs() -> None:
    a, b, c = _variables(F32, F32, F32)
    with pytest.raises(ProgramError, match="add has 2 outputs, its type rule 1"):
        check(Program((a,), (Equation(add_p, (a, a), (b, c), {}),), (b,)))


def test_inputs_the_primitive_does_not_take() -> None:
    a, b = _variables(F32_3, F32_3)
    equation = Equation(reshape_p, (a,), (b,), {"shape": (7,)})
    with pytest.raises(
        ProgramError, match=r"reshape does not take its inputs: reshape: the sizes differ"
    ):
        check(Program((a,), (equation,), (b,)))


def test_parameters_that_are_not_hashable() -> None:
    a, b = _variables(F32_3, F32_3)
    equation = Equation(reshape_p, (a,), (b,), {"shape": [3]})
    with pytest.raises(ProgramError, match="parameter 'shape' is not hashable"):
        check(Program((a,), (equation,), (b,)))


def test_a_subprogram_captures_nothing() -> None:
    held = jax.numpy.ones(3)
    inner = fn.trace(lambda x: mul(x, held))(np.ones(3, np.float32))
    a, b = _variables(F32_3, F32_3)
    program = Program((a,), (Equation(call_p, (a, a), (b,), {"program": inner}),), (b,))
    with pytest.raises(
        ProgramError, match="the sub-program '<lambda>' of call has captured arrays"
    ):
        check(program)


def test_a_fault_inside_a_subprogram() -> None:
    a, b, c, d = _variables(F32, F32, F32, F32)
    inner = Program((a,), (Equation(add_p, (a, c), (b,), {}),), (b,), (), "inner")
    outer = Program((c,), (Equation(call_p, (c,), (d,), {"program": inner}),), (d,), (), "outer")
    with pytest.raises(ProgramError, match="program 'inner'"):
        check(outer)


def test_captured_values_of_another_type() -> None:
    (a,) = _variables(F32_3)
    with pytest.raises(ProgramError, match=r"a captured input of type f32\[3\] holds f32\[2\]"):
        check(Program((a,), (), (a,), (jax.numpy.ones(2),)))
    with pytest.raises(ProgramError, match="more captured arrays than inputs"):
        check(Program((), (), (), (jax.numpy.ones(2),)))


def test_things_that_are_no_atoms() -> None:
    (a,) = _variables(F32)
    with pytest.raises(ProgramError, match="float is neither a Variable nor a Literal"):
        check(Program((a,), (), (1.0,)))  # type: ignore[arg-type]
    with pytest.raises(ProgramError, match="only a Variable can be"):
        check(Program((Literal(1.0),), (), ()))  # type: ignore[arg-type]


def test_the_excerpt_is_short() -> None:
    def long(x):
        for _ in range(40):
            x = sin(x)
        return x

    program = fn.trace(long)(1.0)
    equations = list(program.equations)
    equations[20] = equations[20].with_inputs((Variable(program.inputs[0].type),))
    broken = Program(program.inputs, tuple(equations), program.outputs)
    with pytest.raises(ProgramError) as caught:
        check(broken)
    lines = str(caught.value).splitlines()
    shown = [line for line in lines if " = sin" in line]
    assert len(shown) == 11
    assert shown[5].startswith("-->")


def test_checking_is_switched_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    (a,), (b,) = _variables(F32), _variables(F32)
    broken = Program((a,), (), (b,))
    with pytest.raises(ProgramError):
        checked(broken)
    monkeypatch.delenv("FN_CHECK")
    assert checked(broken) is broken
