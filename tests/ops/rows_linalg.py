"""Rows for `fn/ops/_linalg*.py`.

The batches of the generic tests shuffle the elements of an example, so each function first makes of any
matrix one that suits the factorization: positive definite, or with singular values or eigenvalues that are
far apart. Vectors that are only determined up to a phase are compared in products where it drops out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import fn.ops as ops
from fn.ops import _linalg as l
from fn.ops import _linalg_det as d
from fn.ops import _linalg_eig as e
from fn.ops import _linalg_forms as f
from fn.ops import _linalg_qr as q
from fn.ops import _linalg_svd as s
from fn.ops._matrices import adjoint, product
from tests.ops.row import Row, floats

LAX = jax.lax.linalg


def complexes(*shape: int, seed: int) -> Any:
    """Example complex numbers."""
    return (floats(*shape, seed=seed) + 1j * floats(*shape, seed=seed + 50)).astype(np.complex64)


def H(x: Any) -> Any:
    return jnp.conj(jnp.swapaxes(x, -1, -2))


def _hessenberg(x: Any) -> Any:
    packed, scales = LAX.hessenberg(x)
    inner = LAX.householder_product(packed[1:, :-1], scales)
    return jnp.triu(packed, -1), jnp.eye(len(x), dtype=x.dtype).at[1:, 1:].set(inner)


def lifted(x: Any, *, step: float, start: float = 0.0) -> Any:
    """`x` with `start`, `start + step`, … added along the diagonal, of NumPy, JAX and fn alike."""
    m, n = x.shape[-2:]
    added = np.zeros((m, n), np.float32)
    np.fill_diagonal(added, start + step * np.arange(min(m, n)))
    added = np.broadcast_to(added, x.shape).astype(x.dtype)
    return x + added


def positive(x: Any) -> Any:
    """A positive definite matrix made of any."""
    return lifted(product(x, adjoint(x)), step=0.0, start=1.0)


def positive_jax(x: Any) -> Any:
    return lifted(jnp.matmul(x, H(x), precision="highest"), step=0.0, start=1.0)


def symmetric(x: Any) -> Any:
    """A Hermitian matrix whose eigenvalues are far apart."""
    return lifted((x + adjoint(x)) * x.dtype.type(0.25), step=4.0, start=-3.0)


def symmetric_jax(x: Any) -> Any:
    return lifted((x + H(x)) * x.dtype.type(0.25), step=4.0, start=-3.0)


A, B, C = floats(3, 3, seed=101), floats(3, 2, seed=102), floats(2, 3, 3, seed=103)
Z, ZB = complexes(3, 3, seed=104), complexes(3, 2, seed=105)
TALL, WIDE = floats(4, 2, seed=106), floats(2, 4, seed=107)
Z_TALL, Z_WIDE = complexes(3, 2, seed=108), complexes(2, 3, seed=109)


# --- triangular systems -----------------------------------------------------------------


def triangular(name: str, a: Any, b: Any, **params: Any) -> Row:
    def function(a: Any, b: Any) -> Any:
        return l.triangular_solve(lifted(a, step=0.5, start=4.0), b, **params)

    def reference(a: Any, b: Any) -> Any:
        return LAX.triangular_solve(lifted(a, step=0.5, start=4.0), b, **params)

    return Row(l.triangular_solve_p, name, function, (a, b), reference, (0, 1))


TRIANGULAR = [
    triangular("left upper", A, B, left_side=True),
    triangular("left lower", A, B, left_side=True, lower=True),
    triangular("right upper", A, B.T, left_side=False),
    triangular("right lower transposed", A, B.T, lower=True, transpose_a=True),
    triangular("left transposed", A, B, left_side=True, transpose_a=True),
    triangular("unit diagonal", A, B, left_side=True, lower=True, unit_diagonal=True),
    triangular("stack", C, floats(2, 3, 2, seed=110), left_side=True, lower=True),
    triangular("complex", Z, ZB, left_side=True, lower=True),
    triangular("complex adjoint", Z, ZB, left_side=True, transpose_a=True, conjugate_a=True),
    triangular("complex conjugate right", Z, ZB.T, conjugate_a=True),
]  # fmt: skip

BANDS = [floats(4, seed=120 + i) for i in range(2)] + [floats(4, seed=122, low=5, high=7)]
TRIDIAGONAL = [
    Row(
        l.tridiagonal_solve_p, "",
        lambda below, above, middle, b: l.tridiagonal_solve(below, middle + np.asarray(9, middle.dtype), above, b),
        (*BANDS, floats(4, 2, seed=123)),
        lambda below, above, middle, b: jnp.linalg.solve(
            jnp.diag(middle + 9) + jnp.diag(below[1:], -1) + jnp.diag(above[:-1], 1), b
        ),
        (0, 1, 2, 3),
    ),
]  # fmt: skip


# --- factorizations ---------------------------------------------------------------------


def lu_row(name: str, x: Any) -> Row:
    def function(x: Any) -> Any:
        return l.lu(lifted(x, step=0.0, start=6.0))

    return Row(l.lu_p, name, function, (x,), lambda x: LAX.lu(lifted(x, step=0.0, start=6.0)), (0,))


def solve_row(name: str, a: Any, b: Any) -> Row:
    return Row(
        l.lu_solve_p, name, lambda a, b: l.solve(lifted(a, step=0.5, start=4.0), b), (a, b),
        lambda a, b: jnp.linalg.solve(lifted(a, step=0.5, start=4.0), b), (0, 1), rtol=1e-4,
    )  # fmt: skip


def transposed_solve(a: Any, b: Any) -> Any:
    a = lifted(a, step=0.5, start=4.0)
    packed, _, permutation = l.lu(ops.stop_gradient(a))
    return l.lu_solve(a, packed, permutation, b, transpose_a=True)


FACTORS = [
    Row(l.cholesky_p, "", lambda x: l.cholesky(positive(x)), (A,), lambda x: LAX.cholesky(positive_jax(x)), (0,)),
    Row(l.cholesky_p, "stack", lambda x: l.cholesky(positive(x)), (C,), lambda x: LAX.cholesky(positive_jax(x)), (0,), 1e-4),
    Row(l.cholesky_p, "complex", lambda x: l.cholesky(positive(x)), (Z,), lambda x: LAX.cholesky(positive_jax(x)), (0,), 1e-4),
    lu_row("", A), lu_row("tall", TALL), lu_row("wide", WIDE), lu_row("stack", C), lu_row("complex", Z),
    solve_row("", A, B), solve_row("stack", C, floats(2, 3, 1, seed=111)), solve_row("complex", Z, ZB),
    Row(
        l.lu_solve_p, "transposed", transposed_solve, (A, B),
        lambda a, b: jnp.linalg.solve(lifted(a, step=0.5, start=4.0).T, b), (0, 1), rtol=1e-4,
    ),
]  # fmt: skip


def qr_row(name: str, x: Any, full_matrices: bool = False) -> Row:
    def function(x: Any) -> Any:
        return q.qr(lifted(x, step=1.0, start=4.0), full_matrices=full_matrices)

    def reference(x: Any) -> Any:
        return LAX.qr(lifted(x, step=1.0, start=4.0), full_matrices=full_matrices)

    return Row(q.qr_p, name, function, (x,), reference, (0,), rtol=1e-4)


def rest_of_qr(x: Any) -> Any:
    """The projection on what the columns of `x` leave: no choice of a basis is in it."""
    basis, r = q.qr(lifted(x, step=1.0, start=4.0), full_matrices=True)
    rest = ops.slice_axis(basis, x.shape[1], x.shape[0], 1)
    return product(rest, adjoint(rest)), r


def rest_of_qr_jax(x: Any) -> Any:
    basis, r = LAX.qr(lifted(x, step=1.0, start=4.0), full_matrices=True)
    rest = basis[:, x.shape[1] :]
    return rest @ H(rest), r


ORTHOGONAL = [
    qr_row("", A), qr_row("tall", TALL), qr_row("wide", WIDE), qr_row("wide full", WIDE, True),
    qr_row("stack", C), qr_row("complex", Z_TALL), qr_row("complex wide", Z_WIDE),
    Row(q.qr_p, "full", rest_of_qr, (TALL,), rest_of_qr_jax, (0,), 1e-4),
    Row(q.qr_p, "complex full", rest_of_qr, (Z_TALL,), rest_of_qr_jax, (0,), 1e-4),
    Row(q.geqrf_p, "", q.geqrf, (TALL,), lambda x: (jnp.linalg.qr(x, mode="raw")[0].mT, jnp.linalg.qr(x, mode="raw")[1])),
]  # fmt: skip


# --- singular values --------------------------------------------------------------------


def rebuilt(u: Any, vh: Any) -> Any:
    """Products of `u` and `vh` weighted by place: phases of the vectors drop out."""
    weights = np.arange(1, vh.shape[-2] + 1, dtype=u.dtype)
    scaled = u[..., :, : vh.shape[-2]] * np.broadcast_to(weights, (*u.shape[:-1], vh.shape[-2]))
    return scaled @ vh[..., : u.shape[-1], :]


def svd_row(name: str, x: Any, full_matrices: bool = False) -> Row:
    m, n = x.shape[-2:]
    k = min(m, n)

    def function(x: Any) -> Any:
        u, s_, vh = s.svd(lifted(x, step=4.0, start=3.0), full_matrices=full_matrices)
        thin = rebuilt(u[..., :, :k], vh[..., :k, :])
        if not full_matrices or m == n:
            return thin, s_
        rest = u[..., :, k:] if m > n else adjoint(vh[..., k:, :])
        return thin, s_, product(rest, adjoint(rest))

    def reference(x: Any) -> Any:
        u, s_, vh = LAX.svd(lifted(x, step=4.0, start=3.0), full_matrices=full_matrices)
        thin = rebuilt(u[..., :, :k], vh[..., :k, :])
        if not full_matrices or m == n:
            return thin, s_
        rest = u[..., :, k:] if m > n else H(vh[..., k:, :])
        return thin, s_, rest @ H(rest)

    return Row(s.svd_p, name, function, (x,), reference, (0,), rtol=1e-4)


def pinv_row(name: str, x: Any, hermitian: bool = False) -> Row:
    rtol = np.zeros(x.shape[:-2], np.float32) + np.float32(1e-5)

    def change(x: Any) -> Any:
        return symmetric(x) if hermitian else lifted(x, step=2.0, start=3.0)

    def change_jax(x: Any) -> Any:
        return symmetric_jax(x) if hermitian else lifted(x, step=2.0, start=3.0)

    return Row(
        s.pinv_p, name, lambda x, rtol: s.pinv(change(x), rtol, hermitian=hermitian), (x, rtol),
        lambda x, rtol: jnp.linalg.pinv(change_jax(x), rtol, hermitian=hermitian), (0,), rtol=1e-4,
    )  # fmt: skip


def rank_one(x: Any) -> Any:
    """A matrix of rank one, which it keeps however `x` moves."""
    return product(x[:, :1], x[:1, :])


SINGULAR = [
    svd_row("", A), svd_row("tall", TALL), svd_row("wide", WIDE), svd_row("stack", C),
    svd_row("full tall", TALL, True), svd_row("full wide", WIDE, True),
    svd_row("complex", Z), svd_row("complex tall", Z_TALL), svd_row("complex full wide", Z_WIDE, True),
    Row(
        s.singular_values_p, "", lambda x: s.singular_values(lifted(x, step=4.0, start=3.0)), (TALL,),
        lambda x: LAX.svd(lifted(x, step=4.0, start=3.0), compute_uv=False), (0,), 1e-4,
    ),
    pinv_row("", A), pinv_row("tall", TALL), pinv_row("wide", WIDE), pinv_row("stack", C),
    pinv_row("complex", Z_TALL), pinv_row("hermitian", Z, True),
    Row(
        s.pinv_p, "rank one", lambda x, rtol: s.pinv(rank_one(x), rtol), (A, np.float32(1e-5)),
        lambda x, rtol: jnp.linalg.pinv(jnp.outer(x[:, 0], x[0]), rtol), (0,), 1e-3,
    ),
]  # fmt: skip


# --- eigenvalues ------------------------------------------------------------------------


def eigh_row(name: str, x: Any) -> Row:
    def function(x: Any) -> Any:
        w, v = e.eigh(symmetric(x))
        return w, rebuilt(v, adjoint(v))

    def reference(x: Any) -> Any:
        v, w = LAX.eigh(symmetric_jax(x), symmetrize_input=False)
        return w, rebuilt(v, H(v))

    return Row(e.eigh_p, name, function, (x,), reference, (0,), rtol=1e-4)


def eig_row(name: str, x: Any) -> Row:
    def function(x: Any) -> Any:
        return e.eig(lifted(x, step=4.0))

    def reference(x: Any) -> Any:
        return LAX.eig(lifted(x, step=4.0), compute_left_eigenvectors=False)

    return Row(e.eig_p, name, function, (x,), reference, (0,), rtol=1e-4)


TURNING = np.asarray([[0.3, -2.0, 0.1], [1.5, 0.5, -0.2], [0.2, 0.1, 4.0]], np.float32)

EIGEN = [
    eigh_row("", A), eigh_row("stack", C), eigh_row("complex", Z),
    # Without symmetry it is a function of the lower triangle only.
    Row(
        e.eigh_p, "lower triangle", lambda x: e.eigh(lifted(x, step=4.0))[0], (A,),
        lambda x: LAX.eigh(jnp.tril(lifted(x, step=4.0)) + jnp.tril(x, -1).T, symmetrize_input=False)[1], (0,), 1e-4,
    ),
    eig_row("", A), eig_row("stack", C), eig_row("complex", Z),
    Row(
        e.eigenvalues_p, "", lambda x: e.eigenvalues(lifted(x, step=4.0)), (A,),
        lambda x: jnp.linalg.eigvals(lifted(x, step=4.0)), (0,), 1e-4,
    ),
    Row(e.schur_p, "", e.schur, (A,), LAX.schur),
    Row(f.hessenberg_p, "", f.hessenberg, (A,), _hessenberg),
    Row(f.qr_order_p, "", f.qr_order, (TALL,), lambda x: LAX.qr(x, pivoting=True)[2]),
    Row(e.schur_p, "complex", e.schur, (Z,), LAX.schur),
]  # fmt: skip


# --- determinants -----------------------------------------------------------------------


def of(
    op: Callable[..., Any], primitive: Any, name: str, x: Any, reference: Any, change: Any = None
) -> Row:
    change = change or (lambda x: x)
    return Row(
        primitive, name, lambda x: op(change(x)), (x,), lambda x: reference(change(x)), (0,), 1e-4
    )


def minors(x: Any) -> Any:
    """The adjugate of 3 by 3 matrices, written out."""
    r = [x[..., i, :] for i in range(3)]
    return jnp.stack([jnp.cross(r[1], r[2]), jnp.cross(r[2], r[0]), jnp.cross(r[0], r[1])], -1)


def expanded(x: Any) -> Any:
    return jnp.sum(x[..., 0, :] * minors(x)[..., :, 0], -1)


def rank_two(x: Any) -> Any:
    """A singular 3 by 3 matrix."""
    return x * np.asarray([[1], [1], [0]], x.dtype)


DETERMINANTS = [
    of(d.det, d.det_p, "", A, expanded), of(d.det, d.det_p, "stack", C, expanded),
    of(d.det, d.det_p, "complex", Z, expanded), of(d.det, d.det_p, "singular", A, expanded, rank_two),
    of(d.adjugate, d.adjugate_p, "", A, minors), of(d.adjugate, d.adjugate_p, "stack", C, minors),
    of(d.adjugate, d.adjugate_p, "complex", Z, minors),
    of(d.adjugate, d.adjugate_p, "singular", A, minors, rank_two),
    of(d.slogdet, d.slogdet_p, "", A, jnp.linalg.slogdet), of(d.slogdet, d.slogdet_p, "stack", C, jnp.linalg.slogdet),
    of(d.slogdet, d.slogdet_p, "complex", Z, jnp.linalg.slogdet),
]  # fmt: skip

ROWS: list[Row] = [
    *TRIANGULAR, *TRIDIAGONAL, *FACTORS, *ORTHOGONAL, *SINGULAR, *EIGEN, *DETERMINANTS,
]  # fmt: skip
