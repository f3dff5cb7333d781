"""Each rule of `simplify`, before and after; and what must not be simplified."""

from __future__ import annotations

import numpy as np
import pytest

import fn
import fn.numpy as np_
from fn.core import dce
from fn.xla.passes import simplify
from tests.xla.passes.text import becomes, parsed

X = "a: f32[2,3]"
BEFORE_AFTER = {
    "double negation": (X, "b: f32[2,3] = neg a; c: f32[2,3] = neg b; return c", "return a"),
    "minus minus": (
        "a: f32[3], b: f32[3]",
        "c: f32[3] = neg b; d: f32[3] = sub a c; e: f32[3] = add d c; return e",
        "d: f32[3] = add a b; e: f32[3] = sub d b; return e",
    ),
    "two signs of a product": (
        "a: f32[3], b: f32[3]",
        "c: f32[3] = neg a; d: f32[3] = neg b; e: f32[3] = mul c d; return e",
        "e: f32[3] = mul a b; return e",
    ),
    "neutral elements": (
        X,
        "b: f32[2,3] = mul a 1.0:f32[]; c: f32[2,3] = div b 1.0:f32[]; d: f32[2,3] = sub c 0.0:f32[]; "
        "e: f32[2,3] = add -0.0:f32[] d; return e",
        "return a",
    ),
    "neutral elements of integers": (
        "a: i32[3]",
        "b: i32[3] = add a 0:i32[]; c: i32[3] = mul 1:i32[] b; d: i32[3] = sub c 0:i32[]; return d",
        "return a",
    ),
    "an integer times zero": (
        "a: i32[3]",
        "b: i32[3] = mul a 0:i32[]; return b",
        "b: i32[3] = broadcast[axes=(), shape=(3,)] 0:i32[]; return b",
    ),
    "power one": (X, "b: f32[2,3] = integer_pow[exponent=1] a; return b", "return a"),
    "what derivatives needed": (
        X, "b: f32[2,3] = stop_gradient a; c: f32[2,3] = name[name='x'] b; return c", "return a",
    ),
    "logic": (
        "a: bool[3]",
        "b: bool[3] = and a True:bool[]; c: bool[3] = or b False:bool[]; d: bool[3] = not c; "
        "e: bool[3] = not d; f: bool[3] = and e e; g: bool[3] = or a True:bool[]; return f g",
        "b: bool[3] = broadcast[axes=(), shape=(3,)] True:bool[]; return a b",
    ),
    "maximum of one": (X, "b: f32[2,3] = maximum a a; c: f32[2,3] = minimum b b; return c", "return a"),
    "a known choice": (
        "a: f32[3], b: f32[3]", "c: f32[3] = select False:bool[] a b; return c", "return b",
    ),
    "no choice": ("a: f32[3], b: bool[3]", "c: f32[3] = select b a a; return c", "return a"),
    "the other choice": (
        "a: f32[3], b: f32[3], c: bool[3]",
        "d: bool[3] = not c; e: f32[3] = select d a b; return e",
        "e: f32[3] = select c b a; return e",
    ),
    "a spread scalar beside a full operand": (
        "a: f32[2,3], b: f32[]",
        "c: f32[2,3] = broadcast[axes=(), shape=(2, 3)] b; d: f32[2,3] = mul c a; e: f32[2,3] = mul c c; "
        "return d e",
        "c: f32[2,3] = broadcast[axes=(), shape=(2, 3)] b; d: f32[2,3] = mul b a; e: f32[2,3] = mul b c; "
        "return d e",
    ),
    "conversions that lose nothing": (
        "a: bf16[3], b: i8[3], c: bool[3]",
        "d: f32[3] = convert[dtype=f32, weak=False] a; e: bf16[3] = convert[dtype=bf16, weak=False] d; "
        "f: i32[3] = convert[dtype=i32, weak=False] b; g: f32[3] = convert[dtype=f32, weak=False] f; "
        "h: f32[3] = convert[dtype=f32, weak=False] c; i: i32[3] = convert[dtype=i32, weak=False] h; return e g h",
        "d: f32[3] = convert[dtype=f32, weak=False] b; e: f32[3] = convert[dtype=f32, weak=False] c; "
        "return a d e",
    ),
    "reshapes": (
        X,
        "b: f32[6] = reshape[shape=(6,)] a; c: f32[3,2] = reshape[shape=(3, 2)] b; "
        "d: f32[2,3] = reshape[shape=(2, 3)] c; return c d",
        "c: f32[3,2] = reshape[shape=(3, 2)] a; return c a",
    ),
    "transposes": (
        "a: f32[2,3,4]",
        "b: f32[3,4,2] = transpose[permutation=(1, 2, 0)] a; c: f32[4,2,3] = transpose[permutation=(1, 2, 0)] b; "
        "d: f32[2,3,4] = transpose[permutation=(1, 2, 0)] c; return c d",
        "c: f32[4,2,3] = transpose[permutation=(2, 0, 1)] a; return c a",
    ),
    "transposes of different axes": (
        "a: f32[2,3,4]",
        "b: f32[3,4,2] = transpose[permutation=(1, 2, 0)] a; c: f32[4,3,2] = transpose[permutation=(1, 0, 2)] b; return c",
        "c: f32[4,3,2] = transpose[permutation=(2, 1, 0)] a; return c",
    ),
    "a transpose of nothing but ones": (
        "a: f32[1,3]",
        "b: f32[3,1] = transpose[permutation=(1, 0)] a; return b",
        "b: f32[3,1] = reshape[shape=(3, 1)] a; return b",
    ),
    "broadcasts": (
        "a: f32[2], b: f32[]",
        "c: f32[2,3] = broadcast[axes=(0,), shape=(2, 3)] a; d: f32[4,2,3] = broadcast[axes=(1, 2), shape=(4, 2, 3)] c; "
        "e: f32[2] = broadcast[axes=(), shape=(2,)] b; f: f32[2,1] = reshape[shape=(2, 1)] e; return d f",
        "c: f32[4,2,3] = broadcast[axes=(1,), shape=(4, 2, 3)] a; d: f32[2,1] = broadcast[axes=(), shape=(2, 1)] b; "
        "return c d",
    ),
    "a broadcast of added axes": (
        "a: f32[2]",
        "b: f32[2,1] = reshape[shape=(2, 1)] a; c: f32[2,1,4] = broadcast[axes=(0, 1), shape=(2, 1, 4)] b; return c",
        "c: f32[2,1,4] = broadcast[axes=(0,), shape=(2, 1, 4)] a; return c",
    ),
    "a broadcast that repeats nothing": (
        "a: f32[2]",
        "b: f32[2,1] = broadcast[axes=(0,), shape=(2, 1)] a; return b",
        "b: f32[2,1] = reshape[shape=(2, 1)] a; return b",
    ),
    "nothing to reduce, to turn, to cut, to pad, to join": (
        X,
        "b: f32[2,3] = reduce_sum[axes=()] a; c: f32[2,3] = reverse[axes=()] b; "
        "d: f32[2,3] = slice[limits=(2, 3), starts=(0, 0), strides=(1, 1)] c; "
        "e: f32[2,3] = pad[high=(0, 0), interior=(0, 0), low=(0, 0), value=0] d; "
        "f: f32[2,3] = concatenate[axis=0] e; return f",
        "return a",
    ),
    "slices": (
        "a: f32[9]",
        "b: f32[4] = slice[limits=(8,), starts=(1,), strides=(2,)] a; c: f32[2] = slice[limits=(4,), starts=(1,), strides=(2,)] b; "
        "return c",
        "c: f32[2] = slice[limits=(8,), starts=(3,), strides=(4,)] a; return c",
    ),
    "a slice of one of several": (
        "a: f32[2], b: f32[3]",
        "c: f32[5] = concatenate[axis=0] a b; d: f32[3] = slice[limits=(5,), starts=(2,), strides=(1,)] c; "
        "e: f32[1] = slice[limits=(2,), starts=(1,), strides=(1,)] c; return d e",
        "c: f32[1] = slice[limits=(2,), starts=(1,), strides=(1,)] a; return b c",
    ),
    "a slice of what was padded": (
        "a: f32[2]",
        "b: f32[5] = pad[high=(2,), interior=(0,), low=(1,), value=0] a; "
        "c: f32[2] = slice[limits=(3,), starts=(1,), strides=(1,)] b; return c",
        "return a",
    ),
    "pads": (
        "a: f32[2]",
        "b: f32[3] = pad[high=(1,), interior=(0,), low=(0,), value=0] a; "
        "c: f32[6] = pad[high=(0,), interior=(0,), low=(3,), value=0] b; return c",
        "c: f32[6] = pad[high=(1,), interior=(0,), low=(3,), value=0] a; return c",
    ),
    "neighbouring slices in a row": (
        "a: f32[6], b: f32[2]",
        "c: f32[2] = slice[limits=(2,), starts=(0,), strides=(1,)] a; d: f32[1] = slice[limits=(3,), starts=(2,), strides=(1,)] a; "
        "e: f32[3] = slice[limits=(6,), starts=(3,), strides=(1,)] a; f: f32[6] = concatenate[axis=0] c d e; "
        "g: f32[5] = concatenate[axis=0] b c d; return f g",
        "c: f32[3] = slice[limits=(3,), starts=(0,), strides=(1,)] a; g: f32[5] = concatenate[axis=0] b c; return a g",
    ),
    "cotangents of the parts of an array": (
        "a: f32[2], b: f32[1], c: f32[2]",
        "d: f32[5] = pad[high=(0,), interior=(0,), low=(3,), value=0] a; e: f32[5] = pad[high=(2,), interior=(0,), low=(2,), value=0] b; "
        "f: f32[5] = add d e; g: f32[5] = pad[high=(3,), interior=(0,), low=(0,), value=0] c; h: f32[5] = add f g; return h",
        "h: f32[5] = concatenate[axis=0] c b a; return h",
    ),
    "transposed factors": (
        "a: f32[3,2], b: f32[4,2,3], c: f32[4,5,2]",
        "d: f32[2,3] = transpose[permutation=(1, 0)] a; e: f32[2,2] = dot_general[batch=((), ()), contract=((1,), (0,)), precision=None, preferred=None] d a; "
        "f: f32[4,2,5] = transpose[permutation=(0, 2, 1)] c; "
        "g: f32[4,3,5] = dot_general[batch=((0,), (0,)), contract=((1,), (1,)), precision=None, preferred=None] b f; return e g",
        "e: f32[2,2] = dot_general[batch=((), ()), contract=((0,), (0,)), precision=None, preferred=None] a a; "
        "g: f32[4,3,5] = dot_general[batch=((0,), (0,)), contract=((1,), (2,)), precision=None, preferred=None] b c; return e g",
    ),
    "scalars": (
        "a: f32[3]",
        "b: f32[] = add 1.0:f32[] 2.0:f32[]; c: i32[] = convert[dtype=i32, weak=False] b; d: i32[] = div -7:i32[] c; "
        "e: bool[] = lt d 0:i32[]; f: f32[] = select e b 0.0:f32[]; g: f32[3] = mul a f; return d g",
        "b: f32[3] = mul a 3.0:f32[]; return -2:i32[] b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BEFORE_AFTER)
def test_simplifies(name: str) -> None:
    inputs, before, after = (part.replace("; ", "\n") for part in BEFORE_AFTER[name])
    becomes(simplify, inputs, before, after)


STAYS = {
    "a zero that turns -0.0 around": (X, "b: f32[2,3] = add a 0.0:f32[]; return b"),
    "a difference with -0.0": (X, "b: f32[2,3] = sub a -0.0:f32[]; return b"),
    "zero times what may be infinite": (X, "b: f32[2,3] = mul a 0.0:f32[]; return b"),
    "a conversion that rounds": (
        "a: f32[3]",
        "b: bf16[3] = convert[dtype=bf16, weak=False] a; c: f32[3] = convert[dtype=f32, weak=False] b; return c",
    ),
    "a negative number made unsigned by way of a float": (
        "a: i8[3]",
        "b: f32[3] = convert[dtype=f32, weak=False] a; c: u8[3] = convert[dtype=u8, weak=False] b; return c",
    ),
    "an integer too long for a float": (
        "a: i32[3]",
        "b: f32[3] = convert[dtype=f32, weak=False] a; c: i32[3] = convert[dtype=i32, weak=False] b; return c",
    ),
    "division by zero": ("a: i32[3]", "b: i32[] = div 1:i32[] 0:i32[]; return b"),
    "the reciprocal's inverse": (X, "b: f32[2,3] = div 1.0:f32[] a; c: f32[2,3] = div 1.0:f32[] b; return c"),
    "pads that overlap": (
        "a: f32[3], b: f32[3]",
        "c: f32[5] = pad[high=(2,), interior=(0,), low=(0,), value=0] a; d: f32[5] = pad[high=(0,), interior=(0,), low=(2,), value=0] b; "
        "e: f32[5] = add c d; return e",
    ),
    "numbers the processor takes for zero": ("a: f32[3]", "b: f32[] = mul 1e-30:f32[] 1e-12:f32[]; return b"),
    "a barrier": (X, "b: f32[2,3] = optimization_barrier a; c: f32[2,3] = optimization_barrier b; return c"),
}  # fmt: skip


@pytest.mark.parametrize("name", STAYS)
def test_leaves_alone(name: str) -> None:
    inputs, lines = (part.replace("; ", "\n") for part in STAYS[name])
    program = parsed(inputs, lines)
    assert simplify(program) is program


def test_a_known_branch_is_a_call() -> None:
    program = fn.trace(lambda x: fn.switch(np.int32(5), [np_.sin, np_.cos], x))(
        np.ones(3, np.float32)
    )
    (equation,) = simplify(program).equations
    assert str(equation).startswith("<call(f32[3])")
    assert [e.primitive.name for e in equation.params["program"].equations] == ["cos"]


def test_weak_and_strong_are_not_mixed_up() -> None:
    program = parsed("a: ~f32[]", "b: f32[] = convert[dtype=f32, weak=False] a\nreturn b")
    assert simplify(program) is program


def test_inside_of_loops() -> None:
    before = fn.trace(
        lambda x: fn.scan(lambda c, _: (np_.negative(np_.negative(c)) * c, None), x, None, length=3)
    )(2.0)
    body = simplify(before).equations[0].params["program"]
    assert str(body.equations[0]).startswith("<mul")
    assert len(body.equations) == 1 and dce(before) is before
