"""The text form, letter by letter: it is what people read and tests compare."""

from itertools import islice

import jax
import ml_dtypes
import numpy as np

import fn
from fn.control import call
from fn.core import ArrayType, Literal, format_program
from fn.core._print import format_literal, format_param, variable_names
from fn.ops import add, mul, reduce_sum, sin

X = np.ones((2, 3), np.float32)


def test_a_program() -> None:
    def loss(w, x):
        return reduce_sum(mul(sin(mul(w, x)), 0.5), axes=(0, 1))

    assert str(fn.trace(loss)(2.0, X)) == (
        "program @loss(a: ~f32[], b: f32[2,3]) {\n"
        "  c: f32[2,3] = mul a b\n"
        "  d: f32[2,3] = sin c\n"
        "  e: f32[2,3] = mul d 0.5:f32[]\n"
        "  f: f32[] = reduce_sum[axes=(0, 1)] e\n"
        "  return f\n"
        "}"
    )


def test_captured_arrays_and_subprograms() -> None:
    square = fn.trace(lambda a: mul(a, a))(X)
    held = jax.numpy.ones((2, 3))

    def main(x):
        (y,) = call(square, x)
        return add(call(square, y)[0], held), 1.0, x

    text = (
        "program @_lambda_(a: f32[2,3]) {\n"
        "  b: f32[2,3] = mul a a\n"
        "  return b\n"
        "}\n"
        "program @main(a: f32[2,3]; b: f32[2,3]) {\n"
        "  c: f32[2,3] = call[program=@_lambda_] a\n"
        "  d: f32[2,3] = call[program=@_lambda_] c\n"
        "  e: f32[2,3] = add d b\n"
        "  return e 1.0:~f32[] a\n"
        "}"
    )
    program = fn.trace(main)(X)
    assert str(program) == text
    assert format_program(program, own_only=True) == text[text.index("program @main") :]


def test_equal_names_are_told_apart() -> None:
    def f(x):
        return mul(x, x)

    inner = fn.trace(f)(1.0)
    outer = fn.trace(lambda x: call(inner, x))(1.0)
    object.__setattr__(outer, "name", "f")
    assert [line for line in str(outer).splitlines() if line.startswith("program")] == [
        "program @f(a: ~f32[]) {",
        "program @f_1(a: ~f32[]) {",
    ]


def test_nothing_at_all() -> None:
    assert str(fn.trace(lambda: ())()) == "program @_lambda_() {\n  return\n}"


def test_literals() -> None:
    def text(value, dtype, weak=False):
        return format_literal(Literal(value, ArrayType((), dtype, weak)))

    assert text(0.1, np.float32) == "0.1:f32[]"
    assert text(0.1, np.float64) == "0.1:f64[]"
    assert text(1 / 3, ml_dtypes.bfloat16, True).endswith(":~bf16[]")
    assert text(-0.0, np.float32) == "-0.0:f32[]"
    assert text(float("inf"), np.float16) == "inf:f16[]"
    assert text(float("nan"), np.float32) == "nan(0x7fc00000):f32[]"
    assert text(True, np.bool_) == "True:bool[]"
    assert text(-7, np.int8) == "-7:i8[]"
    assert text(1 + 2j, np.complex64) == "(1.0,2.0):c64[]"


def test_params() -> None:
    t = ArrayType((2,), np.float32)
    param = (1, (2.5,), "it's", None, True, np.dtype(np.int8), t, (), float("inf"))
    assert format_param(param, {}) == '(1, (2.5,), "it\'s", None, True, i8, f32[2], (), inf)'


def test_names_go_on_after_z() -> None:
    names = list(islice(variable_names(), 704))
    assert names[:2] == ["a", "b"]
    assert names[25:29] == ["z", "aa", "ab", "ac"]
    assert names[701:] == ["zz", "aaa", "aab"]
    assert len(set(names)) == 704
