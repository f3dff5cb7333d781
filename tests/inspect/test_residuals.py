"""`fn.inspect.residuals`: what is kept, how large, and from which line."""

from typing import Any

import numpy as onp

import fn
import fn.numpy as np

X = onp.ones((4, 3), onp.float32)
W = onp.ones((3, 3), onp.float32)


def test_types_bytes_and_origins() -> None:
    kept = fn.inspect.residuals(lambda x, w: (np.exp(x) @ w).sum())(X, W)
    assert sorted((str(r.type), r.bytes, r.origin) for r in kept) == [
        ("f32[3,3]", 36, "argument w"),
        ("f32[4,3]", 48, "exp"),
    ]
    assert kept.bytes == 84
    assert kept.computed.bytes == 48


def test_lines_are_the_users() -> None:
    def f(x: Any) -> Any:
        y = np.tanh(x)  # this line
        return y.sum()

    for g in (f, fn.jit(f), fn.checkpoint(f, policy="everything")):
        (kept,) = fn.inspect.residuals(g)(X)
        assert kept.source is not None
        assert kept.source.file == __file__
        assert kept.source.line == f.__code__.co_firstlineno + 1


def test_linear_functions_keep_nothing() -> None:
    assert fn.inspect.residuals(lambda x: (2.0 * x).sum())(X) == []


def test_only_what_the_backward_pass_uses() -> None:
    # Nobody asks for the derivative with respect to the mask, which would need `x`.
    mask = onp.ones((4, 3), bool)
    kept = fn.inspect.residuals(lambda x, m: np.where(m, x, 0.0).sum())(X, mask)
    assert [(str(r.type), r.origin) for r in kept] == [("bool[4,3]", "argument m")]


def test_each_value_once_and_by_name() -> None:
    def f(x: Any) -> Any:
        y = fn.name(np.sin(x), "y")
        return (y * y * y).sum()

    kept = fn.inspect.residuals(f)(X)
    assert [(r.name, r.origin) for r in kept if r.name] == [("y", "sin")]
    assert len(kept) == len({id(r) for r in kept})


def test_types_do_in_place_of_arrays() -> None:
    kept = fn.inspect.residuals(lambda x: np.exp(x).sum())(fn.ArrayType((1000, 1000), onp.float32))
    assert kept.bytes == 4_000_000
    assert "4,000,000  f32[1000,1000]" in str(kept)
    assert str(kept).endswith("4,000,000  bytes in 1 values")


def test_captured_arrays() -> None:
    held = np.asarray(W)
    kept = fn.inspect.residuals(lambda x: (x @ held).sum())(X)
    assert [r.origin for r in kept] == ["captured array"]
    assert kept.computed == []


def test_custom_rules_choose_what_to_keep() -> None:
    f = fn.custom(np.sin, vjp=(lambda x: (np.sin(x), x > 0), lambda mask, ct: (ct * mask,)))
    (kept,) = fn.inspect.residuals(lambda x: f(x).sum())(X)
    assert (str(kept.type), kept.origin) == ("bool[4,3]", "gt")
