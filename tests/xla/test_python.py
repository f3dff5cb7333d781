"""Python inside executables: kept alive, sharded, raising, waited for."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import jax
import numpy as onp
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import fn
from fn.xla import emit
from fn.xla._dispatch import _compiled, _observed

X = onp.arange(8, dtype="f4")


def test_the_text_declares_what_jax_writes() -> None:
    calls: dict[str, Any] = {}
    program = fn.trace(lambda x: fn.pure_callback(onp.sin, x, x))(X)
    text, _ = emit(program, "p_", "cpu", calls)
    assert "func.func private @p_python_0(tensor<8xf32>) -> (tensor<8xf32>)\n" in text
    assert calls["p_python_0"].effect is False
    lowered = fn.jit(lambda x: fn.pure_callback(onp.sin, x, x)).lower(X).as_text()
    assert "xla_ffi_python_cpu_callback" in lowered


def test_functions_live_as_long_as_the_executable() -> None:
    class Held:
        def __call__(self, v: Any) -> Any:
            return onp.asarray(v) * 2

    held = Held()
    alive = weakref.ref(held)
    f = fn.jit(lambda x, held=held: fn.pure_callback(held, x, x))
    f(X)
    del held
    gc.collect()
    onp.testing.assert_array_equal(f(X), X * 2)
    del f
    jax.clear_caches()
    fn.clear_trace_cache()
    gc.collect()
    assert alive() is None


def test_eager_calls_leave_nothing_behind() -> None:
    def call() -> None:
        fn.debug.callback(lambda v: None, X)
        fn.vmap(lambda x: fn.debug.callback(lambda v: None, x))(X)

    call()
    kept = len(_compiled)
    for _ in range(3):
        call()
    assert len(_compiled) == kept and len(_observed) <= 64


def test_sharded_arguments_arrive_whole() -> None:
    mesh = Mesh(onp.array(jax.devices()[:4]), ("a",))
    x = jax.device_put(X, NamedSharding(mesh, PartitionSpec("a")))
    seen = []

    def f(x: Any) -> Any:
        fn.debug.callback(lambda v: seen.append(v.tolist()), x)
        return fn.pure_callback(onp.square, x, x) + 1.0

    onp.testing.assert_array_equal(fn.jit(f)(x), X * X + 1)
    fn.effects_barrier()
    assert seen == [X.tolist()]


def test_errors_keep_their_class_and_are_told_once() -> None:
    class Custom(Exception):
        pass

    def fails(v: Any) -> Any:
        raise Custom("told once")

    with pytest.raises(Custom, match="told once"):
        fn.jit(lambda x: fn.pure_callback(fails, x, x))(X)[0].block_until_ready()
    fn.effects_barrier()
    f = fn.jit(lambda x: fn.io_callback(fails, None, x))
    with pytest.raises(Custom, match="told once"):
        f(X)
        fn.effects_barrier()
    fn.effects_barrier()
