"""A primitive is one record with every rule; a missing rule is a sentence, and the error."""

import dataclasses

import numpy as np
import pytest

import fn
from fn.core import ArrayType, MissingRuleError, Primitive, bind, constant, elementwise
from fn.ops import floor, mul, sin


def _primitive(**rules) -> Primitive:
    given = dict(
        name="test_thing", type=lambda x: x, jvp="it is jagged", transpose="it is not linear",
        batch="it minds its neighbours", lower="it runs nowhere",
    )  # fmt: skip
    return Primitive(**(given | rules))


def test_a_missing_rule_says_why() -> None:
    thing = _primitive()
    x = np.ones(3, np.float32)

    def f(x):
        return bind(thing, x)

    for call, message in [
        (lambda: fn.jvp(f, (x,), (x,)), "test_thing has no jvp rule: it is jagged"),
        (
            lambda: fn.linear_transpose(f, x)(x),
            "test_thing has no transpose rule: it is not linear",
        ),
        (lambda: fn.vmap(f)(x), "test_thing has no batch rule: it minds its neighbours"),
        (lambda: f(x), "test_thing has no lower rule: it runs nowhere"),
    ]:
        with pytest.raises(MissingRuleError) as caught:
            call()
        assert str(caught.value).splitlines()[0] == message
        assert __file__ in str(caught.value)


def test_an_empty_sentence_is_refused() -> None:
    with pytest.raises(
        ValueError, match="primitive 'test_thing': the sentence for 'batch' is empty"
    ):
        _primitive(batch="")


def test_every_rule_is_required_and_frozen() -> None:
    with pytest.raises(TypeError, match="transpose"):
        Primitive(name="x", type=lambda x: x, jvp=constant, batch=elementwise, lower="no")  # type: ignore[call-arg]
    with pytest.raises(dataclasses.FrozenInstanceError):
        _primitive().name = "other"  # type: ignore[misc]


def test_redefining_a_primitive_replaces_the_name() -> None:
    first, second = _primitive(), _primitive()
    assert Primitive.named["test_thing"] is second is not first


def test_rules_are_checked_where_they_are_applied() -> None:
    x = np.ones(3, np.float32)
    wrong_shape = _primitive(jvp=(lambda t, out, x: mul(1.0, 1.0),), type=lambda x: x)
    with pytest.raises(
        fn.FnError, match="test_thing: its jvp rule gave a tangent of the wrong type"
    ):
        fn.jvp(lambda x: bind(wrong_shape, x), (x,), (x,))
    too_many = _primitive(jvp=(None, None))
    with pytest.raises(fn.FnError, match="test_thing: its jvp has 2 rules for 1 arguments"):
        fn.jvp(lambda x: bind(too_many, x), (x,), (x,))
    wrong_ct = _primitive(transpose=lambda ct, x: (1.0,))
    with pytest.raises(
        fn.FnError, match="test_thing: its transpose rule gave a cotangent of the wrong type"
    ):
        fn.linear_transpose(lambda x: bind(wrong_ct, x), x)(x)
    no_cts = _primitive(transpose=lambda ct, x: ())
    with pytest.raises(fn.FnError, match="test_thing: its transpose rule gave 0 cotangents"):
        fn.linear_transpose(lambda x: bind(no_cts, x), x)(x)


def test_what_is_not_linear_has_no_transpose() -> None:
    x = ArrayType((3,), np.float32)
    ct = np.ones(3, np.float32)
    for f, words in [
        (sin, "sin has no transpose rule: it is not linear"),
        (floor, "floor has no transpose rule"),
        (lambda x: mul(x, x), "mul has no transpose rule here: the function is not linear"),
        (
            lambda x: fn.ops.div(1.0, x),
            "div has no transpose rule here: the function is not linear",
        ),
    ]:
        with pytest.raises(MissingRuleError, match=words):
            fn.linear_transpose(f, x)(ct)
