"""What the rows cannot say: triangles that are not read, stacks spread over devices, platforms, empty stacks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import fn
import fn.ops as ops
from fn.core import Linear, MissingRuleError, type_of
from fn.ops._linalg_eig import schur_p

X = np.random.RandomState(0).normal(size=(8, 3, 3)).astype(np.float32)
POSITIVE = np.matmul(X, np.swapaxes(X, -1, -2)) + np.eye(3, dtype=np.float32)


def outputs(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


STACKED = {
    "cholesky": ops.cholesky, "lu": ops.lu, "qr": ops.qr, "svd": ops.svd, "eigh": ops.eigh,
    "eig": ops.eig, "schur": ops.schur, "det": ops.det, "adjugate": ops.adjugate,
    "solve": lambda x: ops.solve(x, x),
    "fft": lambda x: ops.fft(x, kind="rfft", lengths=(3,)),
    "gradient": fn.grad(lambda x: ops.reduce_sum(ops.cholesky(x), axes=(0, 1, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", STACKED)
def test_a_stack_spread_over_devices_stays_there(name: str) -> None:
    mesh = Mesh(np.array(jax.devices()), ("stack",))
    spread = jax.device_put(POSITIVE, NamedSharding(mesh, PartitionSpec("stack")))
    function = fn.jit(STACKED[name])
    for got, expected in zip(outputs(function(spread)), outputs(function(POSITIVE)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-4)
        assert got.sharding.spec[0] == "stack"


def test_only_the_lower_triangle_is_read() -> None:
    x = POSITIVE[0]
    other = np.tril(x) + np.triu(X[1], 1)
    for op in (ops.cholesky, ops.eigh):
        for got, expected in zip(outputs(op(other)), outputs(op(x)), strict=True):
            np.testing.assert_array_equal(got, expected)
        slope = fn.grad(
            lambda x, op=op: ops.reduce_sum(
                outputs(op(x))[0] * 2.0, axes=(0,) if op is ops.eigh else (0, 1)
            )
        )(other)
        assert not np.triu(slope, 1).any()


def test_solving_for_many_right_hand_sides_factors_and_solves_once() -> None:
    b = np.ones((5, 3, 2), np.float32)

    def names(function: Any, *args: Any) -> list[str]:
        return [e.primitive.name for e in fn.trace(function)(*args).equations]

    found = names(fn.vmap(ops.solve, in_axes=(None, 0)), X[0], b)
    assert found == [
        "stop_gradient",
        "lu",
        "transpose",
        "reshape",
        "lu_solve",
        "reshape",
        "transpose",
    ]
    lower = fn.vmap(lambda a, b: ops.triangular_solve(a, b, left_side=True), in_axes=(None, 0))
    assert "broadcast" not in names(lower, X[0], b)


def test_nothing_in_a_stack() -> None:
    for x in (X[:0], X[:, :0, :0]):
        for name, op in STACKED.items():
            if name == "fft" and not x.shape[-1]:
                continue
            for got, t in zip(outputs(op(x)), outputs(fn.eval_type(op)(x)), strict=True):
                assert got.shape == t.shape
    np.testing.assert_array_equal(ops.det(X[:2, :0, :0]), [1, 1])
    np.testing.assert_array_equal(ops.slogdet(X[:2, :0, :0])[1], [0, 0])


def test_a_platform_without_kernels() -> None:
    def refuse(*args: Any) -> Any:
        raise NotImplementedError

    with pytest.raises(
        fn.FnError, match=r"schur: there is no kernel for it on tpu(.|\n)*on the CPU"
    ):
        schur_p.rule("lower")(SimpleNamespace(jax=refuse, platform="tpu"), None)


def test_transposing_by_the_matrix() -> None:
    a = Linear(type_of(X), "triangular_solve")
    with pytest.raises(MissingRuleError, match="triangular_solve has no transpose rule here"):
        ops._linalg.triangular_solve_p.rule("transpose")(
            X, a, X, left_side=True, lower=True, transpose_a=False, conjugate_a=False, unit_diagonal=False,
        )  # fmt: skip
