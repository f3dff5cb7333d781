"""Rows for `fn/ops/_elementwise.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np

from fn.core import Primitive
from fn.ops import _elementwise as e
from tests.ops.row import Row, floats, ints

BF16 = ml_dtypes.bfloat16
A, B, C = floats(2, 3, seed=1), floats(2, 3, seed=2), floats(2, 3, seed=3)
SCALAR = np.float32(1.3)
POSITIVE = floats(2, 3, seed=4, low=0.5, high=2.5)
N, J = ints(2, 3, seed=5, low=-20, high=20), ints(2, 3, seed=6, low=1, high=9)
U = ints(4, seed=7, low=1, high=200, dtype=np.uint8)
MASK = np.array([[True, False, True], [False, False, True]])
FLIPPED, YES, FIVE = MASK[::-1].copy(), np.bool_(True), np.int32(5)
Z = (floats(2, 3, seed=8) + 1j * floats(2, 3, seed=9)).astype(np.complex64)
W = (floats(2, 3, seed=10) + 1j * floats(2, 3, seed=11)).astype(np.complex64)
FRACTIONS = np.array([[-2.3, -0.7, 0.2], [0.8, 1.35, 2.7]], np.float32)
HALVES = np.array([-2.5, -1.5, -0.5, 0.4, 0.5, 1.5, 2.6], np.float32)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], np.float32)
NANS = (SPECIAL, SPECIAL)


def unary(
    primitive: Primitive, function: Callable[..., Any], reference: Callable[..., Any],
    differentiable: bool, *args: Any,
) -> list[Row]:  # fmt: skip
    """One row per example input; those of floating or complex dtype may be differentiable."""
    rows = []
    for i, x in enumerate(args):
        inexact = differentiable and x.dtype.kind in "fcV"
        rows.append(
            Row(primitive, f"{label(x)} {i}", function, (x,), reference, (0,) if inexact else ())
        )
    return rows


def binary(
    primitive: Primitive, function: Callable[..., Any], reference: Callable[..., Any],
    differentiable: tuple[int, ...], *pairs: tuple[Any, Any],
) -> list[Row]:  # fmt: skip
    """One row per pair of example inputs."""
    rows = []
    for i, (x, y) in enumerate(pairs):
        inexact = differentiable if np.asarray(x).dtype.kind in "fcV" else ()
        name = f"{label(x)} {label(y)} {i}"
        rows.append(Row(primitive, name, function, (x, y), reference, inexact))
    return rows


def label(x: Any) -> str:
    """`float32[2,3]`, for the name of a row."""
    x = np.asarray(x)
    return f"{x.dtype.name}[{','.join(map(str, x.shape))}]"


def clamped(low: Any, x: Any, high: Any) -> Any:
    """`clamp` by JAX, with its arguments in our order."""
    return jnp.clip(x, low, high)


ARITHMETIC = ((A, B), (A, SCALAR), (SCALAR, B), (A[0, 0], B[1, 1]), (Z, W), (N, J))

ROWS: list[Row] = [
    *unary(e.neg_p, e.neg, jnp.negative, True, A, N, U, Z, A.astype(BF16)),
    *binary(e.add_p, e.add, jnp.add, (0, 1), *ARITHMETIC, (A.astype(BF16), B.astype(BF16))),
    *binary(e.sub_p, e.sub, jnp.subtract, (0, 1), *ARITHMETIC),
    *binary(e.mul_p, e.mul, jnp.multiply, (0, 1), *ARITHMETIC, (A[:, :0], B[:, :0])),
    *binary(e.div_p, e.div, jnp.divide, (0, 1), (A, B), (A, SCALAR), (SCALAR, B), (Z, W)),
    *binary(e.div_p, e.div, jax.lax.div, (), (N, J), (U, U + 1)),
    *binary(e.rem_p, e.rem, jax.lax.rem, (0, 1), (A, POSITIVE), (A, -POSITIVE), (N, J)),
    *binary(e.rem_p, e.rem, jnp.fmod, (0, 1), (A, SCALAR)),
    Row(e.add_p, "python scalar", lambda x: e.add(x, 2.0), (A,), lambda x: x + 2.0, (0,)),
    Row(e.mul_p, "python scalar first", lambda x: e.mul(3, x), (Z,), lambda x: 3 * x, (0,)),
    Row(e.mul_p, "of itself", lambda x: e.mul(x, x), (A,), lambda x: x * x, (0,)),
    # --- order and sign ---
    *binary(e.maximum_p, e.maximum, jnp.maximum, (0, 1), (A, B), (A, SCALAR), (SCALAR, B)),
    *binary(e.maximum_p, e.maximum, jnp.maximum, (), (N, J), (MASK, FLIPPED)),
    *binary(e.minimum_p, e.minimum, jnp.minimum, (0, 1), (A, B), (A, SCALAR), (SCALAR, B)),
    *binary(e.minimum_p, e.minimum, jnp.minimum, (), (N, J), (U, U + 1)),
    *unary(e.abs_p, e.abs, jnp.abs, True, A, N, U, Z),
    *unary(e.sign_p, e.sign, jnp.sign, True, A, N, U),
    Row(e.sign_p, "complex", e.sign, (Z,), lambda x: x / jnp.abs(x), (0,)),
    Row(e.sign_p, "special", e.sign, (SPECIAL,), jnp.sign),
    *unary(e.floor_p, e.floor, jnp.floor, True, FRACTIONS),
    Row(e.floor_p, "halves", e.floor, (HALVES,), jnp.floor),
    *unary(e.ceil_p, e.ceil, jnp.ceil, True, FRACTIONS),
    Row(e.ceil_p, "halves", e.ceil, (HALVES,), jnp.ceil),
    *unary(e.round_p, e.round, jnp.round, True, FRACTIONS),
    Row(e.round_p, "halves", e.round, (HALVES,), jnp.round),
    Row(
        e.round_away_p, "", e.round_away, (HALVES,),
        lambda x: jax.lax.round(x, jax.lax.RoundingMethod.AWAY_FROM_ZERO),
    ),
    Row(e.round_away_p, "smooth", e.round_away, (FRACTIONS,), jnp.round, (0,)),
    Row(e.floor_p, "round_to_zero", e.round_to_zero, (FRACTIONS,), jnp.trunc, (0,)),
    Row(e.clamp_p, "", e.clamp, (-POSITIVE, A, POSITIVE), clamped, (0, 1, 2)),
    Row(e.clamp_p, "scalar bounds", e.clamp, (-SCALAR, A, SCALAR), clamped, (0, 1, 2)),
    Row(
        e.clamp_p, "python bounds", lambda x: e.clamp(-1.0, x, 1.0), (A,),
        lambda x: jnp.clip(x, -1, 1), (0,),
    ),
    Row(e.clamp_p, "int", e.clamp, (np.int32(-3), N, J), clamped),
    # --- comparison ---
    *binary(e.eq_p, e.eq, jnp.equal, (), (N, N), (A, SCALAR), (Z, Z), (MASK, FLIPPED), NANS),
    *binary(e.ne_p, e.ne, jnp.not_equal, (), (N, J), (A, SCALAR), (Z, W), NANS),
    *binary(e.lt_p, e.lt, jnp.less, (), (A, B), (SCALAR, A), (N, J), (U, U + 1)),
    *binary(e.le_p, e.le, jnp.less_equal, (), (A, B), (A, SCALAR), (J, J), NANS),
    *binary(e.gt_p, e.gt, jnp.greater, (), (A, B), (A, SCALAR), (N, J), (MASK, FLIPPED)),
    *binary(e.ge_p, e.ge, jnp.greater_equal, (), (A, B), (A, SCALAR), (J, J)),
    # --- bits and logic ---
    *binary(e.and_p, e.logical_and, jnp.bitwise_and, (), (MASK, FLIPPED), (N, J), (MASK, YES)),
    *binary(e.or_p, e.logical_or, jnp.bitwise_or, (), (MASK, FLIPPED), (N, J), (N, FIVE)),
    *binary(e.xor_p, e.logical_xor, jnp.bitwise_xor, (), (MASK, FLIPPED), (N, J), (FIVE, N), (U, U)),
    *unary(e.not_p, e.logical_not, jnp.bitwise_not, False, MASK, N, U),
    *binary(
        e.shift_left_p, e.shift_left, jax.lax.shift_left, (),
        (J, J % 5), (N, J), (U, np.full_like(U, 9)),
    ),
    *binary(e.shift_left_p, e.shift_left, jnp.left_shift, (), (J, np.int32(2))),
    *binary(
        e.shift_right_logical_p, e.shift_right_logical, jax.lax.shift_right_logical, (),
        (N, J % 5), (U, np.full_like(U, 3)),
    ),
    *binary(
        e.shift_right_arithmetic_p, e.shift_right_arithmetic, jax.lax.shift_right_arithmetic, (),
        (N, J % 5), (U, np.full_like(U, 3)),
    ),
    *unary(e.population_count_p, e.population_count, jax.lax.population_count, False, N, U),
    *unary(e.count_leading_zeros_p, e.count_leading_zeros, jax.lax.clz, False, N, U),
    # --- select ---
    Row(e.select_p, "", e.select, (MASK, A, B), jnp.where, (1, 2)),
    Row(e.select_p, "scalar predicate", e.select, (YES, A, B), jnp.where, (1, 2)),
    Row(e.select_p, "scalar branches", e.select, (MASK, SCALAR, B), jnp.where, (1, 2)),
    Row(e.select_p, "shaped predicate", e.select, (MASK, SCALAR, A[0, 0]), jnp.where, (1, 2)),
    Row(
        e.select_p, "python branch", lambda p, x: e.select(p, x, 0.0), (MASK, A),
        lambda p, x: jnp.where(p, x, 0), (1,),
    ),
    Row(
        e.select_p, "python predicate", lambda x, y: e.select(True, x, y), (A, B),
        lambda x, y: x + 0 * y, (0, 1),
    ),
    Row(e.select_p, "complex", e.select, (MASK, Z, W), jnp.where, (1, 2)),
    Row(e.select_p, "int", e.select, (MASK, N, J), jnp.where),
    Row(e.select_p, "bool", e.select, (MASK, FLIPPED, np.bool_(False)), jnp.where),
    # --- dtypes ---
    *[
        Row(
            e.convert_p, f"{label(x)} to {np.dtype(dtype).name}",
            lambda x, dtype=dtype: e.convert(x, dtype=dtype), (x,),
            lambda x, dtype=dtype: x.astype(dtype), (0,) if differentiable else (),
            2e-2 if np.dtype(dtype).itemsize == 2 else 1e-5,
        )
        for x, dtype, differentiable in [
            (A, BF16, True), (A.astype(BF16), np.float32, True), (A, np.complex64, True),
            (A, np.float16, True), (A, np.int32, False), (N, np.float32, False),
            (N, np.uint8, False), (N, np.bool_, False), (MASK, np.float32, False),
            (MASK, np.int32, False), (HALVES * 0, np.bool_, False), (N, np.complex64, False),
        ]
    ],
    Row(
        e.convert_p, "complex to real", lambda x: e.convert(x, dtype=np.float32), (Z,), jnp.real,
        (0,),
    ),
    Row(
        e.convert_p, "complex to bool", lambda x: e.convert(x, dtype=np.bool_), (Z * MASK,),
        lambda x: x != 0,
    ),
    Row(
        e.bitcast_p, "to int", lambda x: e.bitcast(x, dtype=np.int32), (A,),
        lambda x: jax.lax.bitcast_convert_type(x, np.int32),
    ),
    Row(
        e.bitcast_p, "to float", lambda x: e.bitcast(x, dtype=np.float32), (N,),
        lambda x: jax.lax.bitcast_convert_type(x, np.float32),
    ),
    # --- complex parts ---
    *unary(e.real_p, e.real_part, jnp.real, True, Z),
    *unary(e.imag_p, e.imag_part, jnp.imag, True, Z),
    *binary(e.complex_p, e.make_complex, jax.lax.complex, (0, 1), (A, B)),
    *binary(e.complex_p, e.make_complex, lambda x, y: x + 1j * y, (0, 1), (A, SCALAR), (SCALAR, A)),
    *unary(e.complex_p, e.conj, jnp.conj, True, Z),
    # --- stop_gradient ---
    *unary(e.stop_gradient_p, e.stop_gradient, lambda x: x, False, A, N),
]  # fmt: skip
