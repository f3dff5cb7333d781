"""What a rule that does not fit its function is told: at once, with both structures."""

from typing import Any

import numpy as onp
import pytest

import fn
from fn.core import ArgumentError, MissingRuleError, TreeError, TypeRuleError
from tests.control.test_custom import OURS, X, Y, _f
from tests.programs import names, programs


def _error(kind: type, **rules: Any) -> str:
    def named(d: Any, y: Any) -> Any:
        return {"out": d["a"] * y}

    f = fn.custom(named, **rules)
    with pytest.raises(kind) as caught:
        fn.jit(fn.grad(lambda d, y: f(d, y)["out"].sum(), argnums=(0, 1)))({"a": X}, Y)
    return str(caught.value)


def test_forward_mode_needs_a_jvp_rule() -> None:
    f = OURS["vjp function"]
    for call in (
        lambda: fn.jvp(f, (X, Y), (X, Y)),
        lambda: fn.linearize(f, X, Y)[1](X, Y),
        lambda: fn.jit(lambda x: fn.linearize(f, x, x)[1](x, x))(X),
        lambda: fn.vmap(lambda x: fn.jvp(f, (x, x), (x, x)))(X),
        lambda: fn.jvp(lambda x: fn.linearize(f, x, x)[1](x, x), (X,), (X,)),
    ):
        with pytest.raises(MissingRuleError) as caught:
            call()
        assert "custom _f: forward mode needs its jvp rule, and it has only a vjp rule" in str(
            caught.value
        )
        assert "jvp=" in str(caught.value)


def test_wrong_outputs() -> None:
    said = _error(TreeError, jvp=lambda p, t: (p[1], t[1]))
    assert "custom named: its jvp rule returns another structure than the function" in said
    assert "expected: PyTreeDef({'out': *})" in said
    assert "got:      PyTreeDef(*)" in said
    said = _error(TypeRuleError, jvp=lambda p, t: ({"out": p[1].sum()}, {"out": t[1]}))
    assert "its jvp rule gives the wrong type for `result/out`" in said
    assert "expected: f32[3]" in said
    assert "got:      f32[]" in said
    assert "did not return a pair" in _error(TreeError, jvp=lambda p, t: p[1] + 0.0)


def test_wrong_tangents() -> None:
    said = _error(TreeError, jvp=lambda p, t: ({"out": p[1]}, [t[1]]))
    assert "the tangent its jvp rule returns does not have the structure of the result" in said
    said = _error(TypeRuleError, jvp=lambda p, t: ({"out": p[1]}, {"out": t[1].sum()}))
    assert "wrong type for `tangent of result/out`" in said
    said = _error(TypeRuleError, jvp=lambda p, t: ({"out": p[1]}, {"out": t[1].astype("float16")}))
    assert ".astype('float32')" in said
    said = _error(fn.FnError, jvp=lambda p, t: ({"out": t[1]}, {"out": t[1]}))
    assert "the output its jvp rule returns depends on the tangents" in said


def test_wrong_cotangents() -> None:
    def vjp(*cotangents: Any) -> Any:
        return lambda d, y: ({"out": y}, lambda ct: tuple(cotangents))

    said = _error(TreeError, vjp=vjp(None))
    assert "something else than one cotangent per argument" in said
    assert "a tuple of 2, for d, y" in said
    said = _error(TreeError, vjp=lambda d, y: ({"out": y}, lambda ct: ct["out"]))
    assert "something else than one cotangent per argument" in said
    said = _error(TreeError, vjp=vjp({"b": 1.0}, None))
    assert "do not have the structure of the arguments" in said
    assert "'a'" in said and "'b'" in said
    said = _error(TypeRuleError, vjp=vjp({"a": onp.ones((3, 3), "f4")}, None))
    assert "wrong type for `cotangent of d/a`" in said
    assert "sum over what the function has broadcast" in said
    said = _error(TypeRuleError, vjp=vjp({"a": "text"}, None))
    assert "None for zero" in said
    said = _error(TypeRuleError, vjp=lambda d, y: ({"out": y}, (1, 2)))
    assert "the second result of its vjp rule is not a function" in said
    said = _error(TreeError, vjp=(lambda d, y: y, lambda res, ct: None))
    assert "its forward half did not return a pair" in said


def test_none_is_zero_for_whole_branches() -> None:
    f = fn.custom(lambda d, y: d["a"] * y, vjp=lambda d, y: (d["a"] * y, lambda ct: (None, ct)))
    da, dy = fn.grad(lambda d, y: f(d, y).sum(), argnums=(0, 1))({"a": X, "b": Y}, Y)
    onp.testing.assert_array_equal(da["a"], [0, 0, 0])
    onp.testing.assert_array_equal(dy, [1, 1, 1])
    program = fn.trace(fn.grad(lambda d: f(d, Y).sum()))({"a": X})
    assert all("custom_linear" not in names(p) for p in programs(program))


def test_wrong_calls() -> None:
    with pytest.raises(ArgumentError, match="custom: the first argument is not a function"):
        fn.custom(3)
    with pytest.raises(ArgumentError, match="its vjp rule is not a function"):
        fn.custom(_f, vjp=(1, 2))
    with pytest.raises(ArgumentError, match="its jvp rule is not a function"):
        OURS["jvp"].jvp(3)
    with pytest.raises(ArgumentError, match="argument `y/list`"):
        fn.trace(lambda x: OURS["jvp"](x, {"list": onp.array(["text"], object)}))(X)
