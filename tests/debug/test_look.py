"""`fn.debug.print` and `fn.debug.callback`: what is shown, and in what format."""

from __future__ import annotations

from typing import Any

import jax
import ml_dtypes
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError

X = onp.arange(3, dtype="f4")


def printed(capsys: Any, f: Any, *args: Any) -> str:
    f(*args)
    fn.effects_barrier()
    return str(capsys.readouterr().out)


@pytest.mark.parametrize("wrap", [lambda f: f, fn.jit], ids=["eager", "jit"])
def test_formats(capsys: Any, wrap: Any) -> None:
    def f(x: Any, y: Any) -> None:
        fn.debug.print("{} {:.1f} {word!r} {n} {{}}", y, y, word="w", n=7, ordered=True)
        fn.debug.print("{tree} {0}", x, tree={"a": [y, "s", None]}, ordered=True)
        fn.debug.print("{0.shape} {0.dtype} {0[1]}", x, ordered=True)

    text = printed(capsys, wrap(f), X, onp.float32(3.1))
    assert text.split("\n")[:-1] == [
        "3.1 3.1 'w' 7 {}", "{'a': [3.1, 's', None]} [0. 1. 2.]", "(3,) float32 1.0"
    ]  # fmt: skip


def test_short_floats(capsys: Any) -> None:
    half = ml_dtypes.bfloat16(1.5)
    assert (
        printed(capsys, lambda: fn.debug.print("{} {:.2f} {}", half, half, True))
        == "1.5 1.50 True\n"
    )


def test_one_print_for_each_entry(capsys: Any) -> None:
    text = printed(capsys, fn.jit(fn.vmap(lambda x: fn.debug.print("x {:.0f}", x))), X)
    assert sorted(text.split("\n")[:-1]) == ["x 0", "x 1", "x 2"]
    jax.vmap(lambda x: jax.debug.print("x {:.0f}", x))(X)
    jax.effects_barrier()
    assert sorted(capsys.readouterr().out.split("\n")[:-1]) == ["x 0", "x 1", "x 2"]


def test_primals_are_printed_once(capsys: Any) -> None:
    def f(x: Any) -> Any:
        fn.debug.print("x {}", x)
        return np.sin(x)

    for g in (fn.grad(f), fn.jit(fn.grad(fn.grad(f))), lambda x: fn.jvp(f, (x,), (1.0,))):
        assert printed(capsys, g, 2.0) == "x 2.0\n"


def test_callbacks_take_anything() -> None:
    found: list[Any] = []
    fn.debug.callback(
        lambda *args, **kwargs: found.append((args, kwargs)), X, "s", k={"x": X, "n": None}
    )
    ((args, kwargs),) = found
    assert args[1] == "s" and kwargs["k"]["n"] is None
    assert isinstance(args[0], onp.ndarray) and (args[0] == X).all()


def test_errors() -> None:
    with pytest.raises(ArgumentError, match=r"debug\.print: the first argument is not a format"):
        fn.debug.print(X)
    for fmt, args in (("{} {}", (X,)), ("{x}", (X,)), ("{", ()), ("{0} {}", (X, X))):
        with pytest.raises(ArgumentError, match="the format does not fit its arguments"):
            fn.debug.print(fmt, *args)
    with pytest.raises(
        ArgumentError, match=r"debug.callback: the first argument is not a function"
    ):
        fn.debug.callback("x", X)
