"""`fn.inspect.explain`: why a jitted function was traced again."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import jax
import numpy as onp
import pytest

import fn
import fn.numpy as np
from fn.core import ArgumentError

X = onp.ones((4, 3), onp.float32)


def _reasons(f: Any, index: int = -1) -> list[tuple[str, str, str, str]]:
    return [r[:4] for r in fn.inspect.explain(f).traces[index].reasons]


def test_calls_that_are_compiled_already_are_not_counted() -> None:
    f = fn.jit(lambda x: x * 2.0)
    assert fn.inspect.explain(f).traces == []
    assert "was not traced yet" in str(fn.inspect.explain(f))
    for _ in range(3):
        f(X)
    explained = fn.inspect.explain(f)
    assert (len(explained.traces), explained.retraces) == (1, 0)
    assert explained.traces[0].reasons == ()
    assert explained.traces[0].source is not None
    assert explained.traces[0].source.file == __file__


def test_shapes_dtypes_and_weakness() -> None:
    f = fn.jit(lambda p, x: p["w"] * x.sum())
    f({"w": 2.0}, X)
    f({"w": 2.0}, X[:3])
    assert _reasons(f) == [("shape", "x", "f32[4,3]", "f32[3,3]")]
    assert fn.inspect.explain(f).traces[-1].reasons[0].note == "axis 0: 4 → 3"
    f({"w": 2.0}, X.astype(onp.float16))
    assert _reasons(f) == [("dtype", "x", "f32[4,3]", "f16[4,3]")]
    f({"w": 2.0}, X[:3].astype(onp.float16))
    assert fn.inspect.explain(f).traces[-1].like == 2  # the later one of two that are as like it
    f({"w": onp.float32(2.0)}, X)
    assert _reasons(f) == [("weak", "p/w", "~f32[]", "f32[]")]
    f({"w": 2.0}, X[0])
    assert fn.inspect.explain(f).traces[-1].reasons[0].note == "2 axes → 1 axis"


def test_static_values_and_trees() -> None:
    f = fn.jit(lambda x, mode, n=1: x[0] * n if mode == "a" else x[1], static_argnames="n")
    f((X, X), "a")
    f((X, X), "b")
    assert _reasons(f) == [("static", "mode", "'a'", "'b'")]
    f((X, X), "a", n=3)
    assert _reasons(f) == [("structure", "n", "nothing", "3")]
    f((X, X), "a", n=4)
    assert _reasons(f) == [("static", "n", "3", "4")]
    f([X, X], "a")
    ((kind, what, before, after),) = _reasons(f)
    assert (kind, what) == ("structure", "the tree of arguments")
    assert before != after
    f((X, X, X), "a")
    assert _reasons(f) == [("structure", "x/2", "nothing", "f32[4,3]")]


def test_the_closest_earlier_trace_is_compared_with() -> None:
    f = fn.jit(lambda x, y: x.sum() + y.sum())
    f(X, X)
    f(X[:1], X[:2])
    f(X, X[:3])
    last = fn.inspect.explain(f).traces[-1]
    assert last.like == 0
    assert _reasons(f) == [("shape", "y", "f32[4,3]", "f32[3,3]")]
    assert "most like number 1" in str(fn.inspect.explain(f))


scale = 2.0


def test_closed_over_values(monkeypatch: pytest.MonkeyPatch) -> None:
    f = fn.jit(lambda x: x * scale)
    fn.grad(lambda x: f(x).sum())(X)
    monkeypatch.setitem(globals(), "scale", 3.0)
    fn.grad(lambda x: f(x).sum())(X)
    assert _reasons(f) == [("closure", "scale", "2.0", "3.0")]
    assert not fn.inspect.explain(f).traces[-1].compiled


def test_a_jit_made_again_in_a_loop() -> None:
    made = []
    for step in range(3):
        offset = np.asarray(onp.full(3, step, onp.float32))
        g = fn.jit(lambda x, offset=offset: x + offset)
        g(1.0)
        made.append(g)
    explained = fn.inspect.explain(made[-1])
    assert len(explained.traces) == 3
    assert any(r.kind == "jit" and "once, outside" in r.note for r in explained.traces[-1].reasons)


def test_arrays_made_again_for_each_jit() -> None:
    def make() -> Any:
        held = np.ones(3)
        return fn.jit(lambda x: x + held)

    f, g = make(), make()
    f(1.0), g(1.0)
    kinds = {r.kind: r for r in fn.inspect.explain(g).traces[-1].reasons}
    assert (kinds["closure"].what, kinds["closure"].before) == ("held", "f32[3]")
    assert "another one of the same kind" in kinds["closure"].note


def test_settings_and_dropped_caches() -> None:
    f = fn.jit(lambda x: x + 1.0)
    f(X)
    f.clear_cache()
    f(X)
    assert "clear_cache()" in str(fn.inspect.explain(f).traces[-1].reasons[0])
    with jax.enable_x64(True):
        f(X)
    assert _reasons(f) == [("setting", "64-bit types", "off", "on")]


def test_captured_arrays_cost_no_second_line() -> None:
    held = np.asarray(X)
    f = fn.jit(lambda x: x + held)
    f(X), f(X)
    assert len(fn.inspect.explain(f).traces) == 1


def test_methods_and_partials() -> None:
    class Model:
        @fn.jit
        def apply(self, x: Any) -> Any:
            return x * 2.0

    jax.tree_util.register_pytree_node(Model, lambda m: ((), None), lambda _, children: Model())
    model = Model()
    model.apply(X)
    model.apply(X[:2])
    assert _reasons(model.apply) == [("shape", "x", "f32[4,3]", "f32[2,3]")]


def test_records_keep_no_arrays_alive() -> None:
    class Big:
        pass

    def use() -> tuple[Any, Any]:
        big, array = Big(), np.asarray(onp.ones(1000, onp.float32))
        f = fn.jit(lambda x: (x + array).sum() * (big is not None))
        f(X[:1, :1])
        assert len(fn.inspect.explain(f).traces) == 1
        return weakref.ref(big), weakref.ref(array)

    held = use()
    fn.clear_trace_cache()
    jax.clear_caches()
    gc.collect()
    assert [ref() for ref in held] == [None, None]


def test_functions_made_by_one_factory_of_ours_are_not_one_function() -> None:
    f, g = fn.jit(np.sinh), fn.jit(np.cosh)
    f(1.0), g(1.0)
    assert len(fn.inspect.explain(g).traces) == 1


def test_misuse() -> None:
    with pytest.raises(ArgumentError, match="not a jitted function"):
        fn.inspect.explain(lambda x: x)
