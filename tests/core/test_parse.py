"""Reading Programs back: exactly what was printed, and nothing else."""

import jax
import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fn
from fn.control import call
from fn.core import ArrayType, Literal, ParseError, Program, Variable
from fn.ops import add, convert, mul, pad, reduce_sum, sin

X = np.ones((2, 3), np.float32)
HELD = jax.numpy.ones((2, 3))
SQUARE = fn.trace(lambda a: mul(a, a))(X)


def _everything(x, n):
    y = add(call(SQUARE, sin(x))[0], HELD)
    z = pad(
        convert(y, dtype=np.dtype(np.float16)),
        value=float("-inf"),
        low=(1, 0),
        high=(0, 0),
        interior=(0, 2),
    )
    return reduce_sum(call(SQUARE, y)[0], axes=(0,)), z, mul(n, 3), np.float32("nan"), -0.0


PROGRAM = fn.trace(_everything)(X, np.int32(4))
TEXT = str(PROGRAM)


def test_round_trip() -> None:
    read = Program.parse(TEXT, captured=PROGRAM.captured)
    assert read == PROGRAM
    assert str(read) == TEXT
    assert read.captured[0] is HELD


@given(
    st.sampled_from(
        ["f16", "bf16", "f32", "f64", "c64", "c128", "i8", "u64", "bool", "i4", "f8_e5m2"]
    ),
    st.binary(min_size=16, max_size=16),
    st.booleans(),
)
def test_every_literal_comes_back_bit_by_bit(name: str, bits: bytes, weak: bool) -> None:
    dtype = fn.core.DTYPES[name]
    value = np.frombuffer(bits[: dtype.itemsize], dtype)[0]
    if name == "bool":
        value = np.bool_(bits[0] % 2)
    if name == "i4":
        value = ml_dtypes.int4(bits[0] % 16 - 8)
    literal = Literal(value, ArrayType((), dtype, weak))
    program = Program((), (), (literal,))
    read = Program.parse(str(program)).outputs[0]
    assert isinstance(read, Literal)
    assert read.type is literal.type
    assert read.value.tobytes() == literal.value.tobytes()


@pytest.mark.parametrize(
    ("before", "after", "message", "line", "column"),
    [
        ("program @", "programme @", "not a Program", 1, 1),
        ("f32[2,3]", "f33[2,3]", "not a Program", 1, 22),
        ("f32[2,3]", "f32[2,-3]", "not a Program", 1, 28),
        ("= mul a a", "= mulch a a", "unknown primitive", 2, 17),
        ("= mul a a", "= mul a q", "variable q is not defined", 2, 23),
        ("  b:", "  a:", "variable a is defined twice", 2, 3),
        ("return b", "retrun b", "variable retrun is not defined", 3, 3),
        ("@_everything(", "@_lambda_(", "program _lambda_ is defined twice", 5, 10),
        ("[program=@_lambda_]", "[program=@nothing]", "not a Program", 7, 31),
        ("[program=@", "[program=@_lambda_, program=@", "not a Program", 7, 48),
        ("3:i32[]", "3.5:i32[]", "not a Program", None, None),
        ("3:i32[]", "3000000000:i32[]", "not a Program", None, None),
        ("axes=(0,)", "axes=(0,", "not a Program", None, None),
        ("axes=(0,)", "axes=<list>", "has no text form", None, None),
        ("}", "} ?", "not a Program", 4, 3),
    ],
)  # fmt: skip
def test_errors_say_where(
    before: str, after: str, message: str, line: int | None, column: int | None
) -> None:
    assert before in TEXT
    with pytest.raises(ParseError) as caught:
        Program.parse(TEXT.replace(before, after, 1), captured=PROGRAM.captured)
    assert message in str(caught.value)
    if line is not None:
        assert f"at line {line}, column {column}" in str(caught.value)
    assert "expected:" in str(caught.value)


def test_errors_of_the_law() -> None:
    broken = TEXT.replace("f32[2,3] = sin", "f32[2,4] = sin", 1)
    with pytest.raises(ParseError, match=r"sin gives f32\[2,3\], but its output says f32\[2,4\]"):
        Program.parse(broken, captured=PROGRAM.captured)
    broken = TEXT.replace("axes=(0,)", "axes=(7,)", 1)
    with pytest.raises(ParseError, match="reduce_sum: axes do not fit the operand"):
        Program.parse(broken, captured=PROGRAM.captured)
    broken = TEXT.replace("axes=(0,)", "axis=(0,)", 1)
    with pytest.raises(ParseError, match="a parameter does not fit its primitive"):
        Program.parse(broken, captured=PROGRAM.captured)


def test_captured_arrays_have_to_be_passed() -> None:
    with pytest.raises(ParseError, match="text does not carry captured arrays"):
        Program.parse(TEXT)
    with pytest.raises(ParseError, match=r"a captured input of type f32\[2,3\] holds f32\[3\]"):
        Program.parse(TEXT, captured=(jax.numpy.ones(3),))


def test_empty_and_deep_texts() -> None:
    for text in (
        "",
        "  \n",
        "program",
        "program @f(",
        "@",
        "((((((",
        "program @f() { return " + "(" * 300,
    ):
        with pytest.raises(ParseError):
            Program.parse(text)
    deep = TEXT.replace("axes=(0,)", f"axes={'(' * 400}0{',)' * 400}", 1)
    with pytest.raises(ParseError, match="not a Program"):
        Program.parse(deep, captured=PROGRAM.captured)


_TOKENS = st.sampled_from(
    TEXT.split(" ") + list("()[]{}@~,:;=\n'\"0") + ["nan", "inf", "-", "1e400", "None"]
)


@given(st.integers(0, len(TEXT)), st.integers(0, 12), st.lists(_TOKENS, max_size=3))
def test_a_damaged_text_is_refused_or_is_another_program(
    at: int, length: int, put: list[str]
) -> None:
    text = TEXT[:at] + " ".join(put) + TEXT[at + length :]
    try:
        read = Program.parse(text, captured=PROGRAM.captured)
    except ParseError:
        return
    assert Program.parse(str(read), captured=PROGRAM.captured) == read


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    with pytest.raises(ParseError):
        Program.parse(text)


def test_variables_may_be_called_like_primitives() -> None:
    read = Program.parse("program @f(mul: f32[]) {\n  sin: f32[] = mul mul mul\n  return sin\n}")
    assert isinstance(read.outputs[0], Variable)
    assert str(read).splitlines()[1] == "  b: f32[] = mul a a"
