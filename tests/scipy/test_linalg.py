"""Linear algebra against SciPy: values of all functions, derivatives against differences, errors."""

import jax
import numpy as np
import pytest
import scipy.linalg as sl

import fn
import fn.numpy as fnp
from fn.scipy import linalg
from tests.scipy.table import Row, check, numbers

A, B, STACK, TALL = numbers(4, 4), numbers(4, 4), numbers(2, 4, 4), numbers(5, 3)
Z = A + 1j * B
SPD = A @ A.T + np.eye(4)
SPD2 = B @ B.T + np.eye(4)
C, V = numbers(4, 2), numbers(4)
UPPER = np.triu(A) + 4 * np.eye(4)


def H(x):
    return np.conj(np.swapaxes(x, -1, -2))


def close(got, expected, rtol=1e-8):
    np.testing.assert_allclose(np.asarray(got), expected, rtol=rtol, atol=rtol)


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


# --- functions whose result is unique ---------------------------------------------------

VALUES = {
    "solve_triangular": (lambda m: m.solve_triangular(UPPER, C), lambda m: m.solve_triangular(UPPER, V, trans="T"),
                         lambda m: m.solve_triangular(UPPER.T, V, lower=True, unit_diagonal=True), lambda m: m.solve_triangular(np.triu(Z) + 4 * np.eye(4), Z, trans=2)),
    "cholesky": (lambda m: m.cholesky(SPD), lambda m: m.cholesky(SPD, lower=True), lambda m: m.cholesky(Z @ H(Z) + np.eye(4))),
    "cho_solve": (lambda m: m.cho_solve(m.cho_factor(SPD), C), lambda m: m.cho_solve(m.cho_factor(SPD, lower=True), V)),
    "lu": (lambda m: m.lu(A), lambda m: m.lu(TALL), lambda m: m.lu(TALL.T, permute_l=True), lambda m: m.lu(Z)),
    "lu_factor": (lambda m: m.lu_factor(A),),
    "lu_solve": (lambda m: m.lu_solve(m.lu_factor(A), C), lambda m: m.lu_solve(m.lu_factor(A), V, trans=1), lambda m: m.lu_solve(m.lu_factor(Z), V, trans=2)),
    "solve": (lambda m: m.solve(A, C), lambda m: m.solve(SPD, V, assume_a="pos"), lambda m: m.solve(SPD, C, lower=True, assume_a="pos")),
    "det": (lambda m: m.det(A),), "inv": (lambda m: m.inv(A),),
    "svd": (lambda m: m.svd(TALL, compute_uv=False),),
    "eigh": (lambda m: m.eigh(SPD, eigvals_only=True), lambda m: m.eigh(SPD, SPD2, eigvals_only=True), lambda m: m.eigh(SPD, SPD2, type=2, eigvals_only=True)),
    "eigh_tridiagonal": (lambda m: m.eigh_tridiagonal(V, V[:3], eigvals_only=True), lambda m: m.eigh_tridiagonal(V, V[:3], eigvals_only=True, select="i", select_range=(1, 2))),
    "polar": (lambda m: m.polar(A), lambda m: m.polar(TALL), lambda m: m.polar(TALL.T, side="left"), lambda m: m.polar(Z)),
    "expm": (lambda m: m.expm(A), lambda m: m.expm(9 * A), lambda m: m.expm(Z / 9), lambda m: m.expm(STACK * np.array([1e-3, 30.0])[:, None, None] / 4), lambda m: m.expm(UPPER)),
    "expm_frechet": (lambda m: m.expm_frechet(A, B), lambda m: m.expm_frechet(A, B, compute_expm=False)),
    "sqrtm": (lambda m: m.sqrtm(SPD), lambda m: m.sqrtm(Z), lambda m: m.sqrtm(A + 5 * np.eye(4)), lambda m: m.sqrtm(np.eye(3))),
    "funm": (lambda m: m.funm(A, lambda x: x * x * x), lambda m: m.funm(SPD, np.exp if m is sl else fnp.exp)),
    "solve_sylvester": (lambda m: m.solve_sylvester(A, B[:3, :3] + 9 * np.eye(3), numbers(4, 3) * 0 + 1), lambda m: m.solve_sylvester(Z, B + 0j, Z + 1)),
    "toeplitz": (lambda m: m.toeplitz(V), lambda m: m.toeplitz(Z[0]), lambda m: m.toeplitz(V, np.arange(3))), "hankel": (lambda m: m.hankel(V), lambda m: m.hankel(V, np.arange(3.0))),
    "circulant": (lambda m: m.circulant(V),), "leslie": (lambda m: m.leslie(V, V[1:]),), "companion": (lambda m: m.companion(V),), "fiedler": (lambda m: m.fiedler(V),),
    "fiedler_companion": (lambda m: m.fiedler_companion(np.arange(1, 7.0)), lambda m: m.fiedler_companion(np.arange(1, 6.0)), lambda m: m.fiedler_companion(np.array([2.0, 3.0]))),
    "convolution_matrix": (lambda m: m.convolution_matrix(V, 3), lambda m: m.convolution_matrix(V, 6, mode="same"), lambda m: m.convolution_matrix(V, 2, mode="valid")),
    "block_diag": (lambda m: m.block_diag(A, V, 2.0), lambda m: m.block_diag()),
    "hilbert": (lambda m: m.hilbert(4),), "invhilbert": (lambda m: m.invhilbert(7),), "hadamard": (lambda m: m.hadamard(4),),
    "pascal": (lambda m: m.pascal(6), lambda m: m.pascal(5, kind="lower"), lambda m: m.pascal(5, kind="upper")),
    "invpascal": (lambda m: m.invpascal(6), lambda m: m.invpascal(5, kind="lower"), lambda m: m.invpascal(5, kind="upper")),
    "helmert": (lambda m: m.helmert(4), lambda m: m.helmert(4, full=True)),
    "dft": (lambda m: m.dft(6), lambda m: m.dft(5, scale="sqrtn"), lambda m: m.dft(5, scale="n")),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    cases = VALUES[name]
    got = fn.jit(lambda: [case(linalg) for case in cases])()
    for case, found in zip(cases, got, strict=True):
        jax.tree.map(close, tuple(found) if isinstance(found, (tuple, list)) else found, case(sl))


def test_every_function_is_tried():
    tried = set(VALUES) | {"cho_factor", "qr", "qr_multiply", "schur", "rsf2csf", "hessenberg"}
    assert {n for n in vars(linalg) if not n.startswith("_")} == tried


# --- factors, by what they multiply to --------------------------------------------------


def test_orthogonal_factors():
    def factors(a, tall, z):
        return {
            "qr": linalg.qr(tall), "qr r": linalg.qr(tall, mode="r"), "qr economic": linalg.qr(tall, mode="economic"),
            "qr pivots": linalg.qr(a, pivoting=True), "qr pivots r": linalg.qr(tall, mode="r", pivoting=True),
            "right": linalg.qr_multiply(tall, fnp.eye(5)), "left": linalg.qr_multiply(tall, fnp.eye(3), "left"),
            "vector": linalg.qr_multiply(tall, fnp.ones(5)), "pivoted": linalg.qr_multiply(a, fnp.eye(4), pivoting=True),
            "schur": linalg.schur(a), "complex schur": linalg.schur(a, "complex"), "rsf2csf": linalg.rsf2csf(*linalg.schur(a)),
            "hessenberg": linalg.hessenberg(a, calc_q=True), "complex hessenberg": linalg.hessenberg(z, calc_q=True), "h": linalg.hessenberg(a),
            "eigh": linalg.eigh(SPD), "eigh upper": linalg.eigh(np.triu(SPD), lower=False), "general": [linalg.eigh(SPD, SPD2, type=t) for t in (1, 2, 3)],
            "tridiagonal": linalg.eigh_tridiagonal(V, V[:3]), "svd": linalg.svd(tall), "thin": linalg.svd(tall, full_matrices=False),
        }  # fmt: skip

    f = jax.tree.map(np.asarray, fn.jit(factors)(A, TALL, Z))
    for name in ("qr", "qr economic"):
        q, r = f[name]
        close(q @ r, TALL)
        close(q.T @ q, np.eye(q.shape[1]))
    close(np.abs(f["qr r"][0]), np.abs(f["qr"][1]))
    q, r, p = f["qr pivots"]
    close(q @ r, A[:, p])
    assert p.tolist() == sl.qr(A, pivoting=True)[2].tolist()
    assert f["qr pivots r"][1].tolist() == sl.qr(TALL, pivoting=True)[2].tolist()
    close(f["right"][0] @ f["right"][1], TALL)
    close(f["left"][0] @ f["left"][1], TALL)
    close(np.abs(f["vector"][0]), np.abs(np.ones(5) @ f["qr economic"][0]))
    close(f["pivoted"][0] @ f["pivoted"][1], A[:, f["pivoted"][2]])
    for name in ("schur", "complex schur", "rsf2csf"):
        t, z = f[name]
        close(z @ t @ H(z), A)
        assert not np.abs(np.tril(t, -1 if name != "schur" else -2)).max() > 1e-12
    for name, x in (("hessenberg", A), ("complex hessenberg", Z)):
        h, q = f[name]
        close(q @ h @ H(q), x)
        assert not np.abs(np.tril(h, -2)).any()
    close(f["h"], f["hessenberg"][0])
    for name in ("eigh", "eigh upper"):
        w, v = f[name]
        close(SPD @ v, v * w)
    for t, (w, v) in enumerate(f["general"], 1):
        left = {1: SPD @ v, 2: SPD @ SPD2 @ v, 3: SPD2 @ SPD @ v}[t]
        close(left, (SPD2 @ v if t == 1 else v) * w)
    w, v = f["tridiagonal"]
    close((np.diag(V) + np.diag(V[:3], 1) + np.diag(V[:3], -1)) @ v, v * w)
    u, s, vh = f["thin"]
    close((u * s) @ vh, TALL)
    assert f["svd"][0].shape == (5, 5)


# --- derivatives ------------------------------------------------------------------------

SMOOTH = [
    Row("solve_triangular", linalg.solve_triangular, sl.solve_triangular, (UPPER, C)),
    Row("cho_solve", lambda a, b: linalg.cho_solve(linalg.cho_factor((a + a.T) / 2), b), lambda a, b: np.linalg.solve((a + a.T) / 2, b), (SPD, V)),
    Row("lu_solve", lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, trans=1), lambda a, b: np.linalg.solve(a.T, b), (A, V)),
    Row("solve pos", lambda a, b: linalg.solve((a + a.T) / 2, b, assume_a="pos"), lambda a, b: np.linalg.solve((a + a.T) / 2, b), (SPD, V)),
    Row("expm", linalg.expm, sl.expm, (A,), rtol=1e-9),
    Row("expm large", linalg.expm, sl.expm, (4 * A,), step=1e-7, second=False, rtol=1e-9, atol=1e-6),
    Row("sqrtm", lambda a: linalg.sqrtm(a).real, lambda a: sl.sqrtm(a).real, (A + 5 * np.eye(4),), rtol=1e-9),
    Row("solve_sylvester", linalg.solve_sylvester, sl.solve_sylvester, (A + 5 * np.eye(4), B[:3, :3] + 5 * np.eye(3), numbers(4, 3)), rtol=1e-9),
    Row("solve_sylvester eigen", lambda *args: linalg.solve_sylvester(*args, method="eigen"), sl.solve_sylvester, (A + 5 * np.eye(4), B[:3, :3] + 5 * np.eye(3), numbers(4, 3)), second=False, rtol=1e-9),
    Row("polar", lambda a: fnp.concatenate(linalg.polar(a)), lambda a: np.concatenate(sl.polar(a)), (TALL,), rtol=1e-9),
    Row("polar left", lambda a: linalg.polar(a, "left")[1], lambda a: sl.polar(a, "left")[1], (TALL.T,), second=False, rtol=1e-9),
    Row("eigh", lambda a, b: linalg.eigh(a, b, eigvals_only=True), lambda a, b: sl.eigh((a + a.T) / 2, (b + b.T) / 2, eigvals_only=True), (SPD, SPD2), wrt=(0,), rtol=1e-9),
    Row("eigh_tridiagonal", lambda d, e: linalg.eigh_tridiagonal(d, e, eigvals_only=True), lambda d, e: sl.eigh_tridiagonal(d, e, eigvals_only=True), (np.arange(4.0), V[:3]), rtol=1e-9),
    Row("toeplitz", linalg.toeplitz, sl.toeplitz, (V, V)),
    Row("companion", linalg.companion, sl.companion, (V + 5,)),
    Row("block_diag", linalg.block_diag, sl.block_diag, (A, V)),
]  # fmt: skip


@pytest.mark.parametrize("row", SMOOTH, ids=[r.name for r in SMOOTH])
def test_derivatives(row):
    check(row)


def test_polar_of_equal_singular_values_has_a_derivative():
    slope = fn.jvp(lambda a: linalg.polar(a)[0], (np.eye(3),), (np.arange(9.0).reshape(3, 3),))[1]
    t = np.arange(9.0).reshape(3, 3)
    close(slope, (t - t.T) / 2)


# --- stacks, edges, errors --------------------------------------------------------------


def test_stacks():
    c = numbers(2, 4, 3)
    got = fn.jit(lambda a: (
        linalg.solve_triangular(a, c), linalg.cho_solve(linalg.cho_factor(a @ fnp.swapaxes(a, 1, 2) + fnp.eye(4)), c), linalg.lu_solve(linalg.lu_factor(a), c),
        linalg.lu_solve(linalg.lu_factor(a), V), linalg.polar(a)[1], linalg.sqrtm(a), linalg.solve_sylvester(a, A, a), linalg.circulant(c), linalg.toeplitz(c[..., 0], V),
    ))(STACK)  # fmt: skip
    for i, a in enumerate(STACK):
        each = (sl.solve_triangular(a, c[i]), np.linalg.solve(a @ a.T + np.eye(4), c[i]), np.linalg.solve(a, c[i]), np.linalg.solve(a, V),
                sl.polar(a)[1], sl.sqrtm(a), sl.solve_sylvester(a, A, a))  # fmt: skip
        for found, expected in zip(got, each):
            close(found[i], expected, 1e-7)
        close(got[7][i, 0], sl.circulant(c[i, 0]))
        close(got[8][i], sl.toeplitz(c[i, :, 0], V))
    close(fn.vmap(linalg.expm)(STACK), sl.expm(STACK))


def test_edges():
    assert np.isnan(linalg.expm(1e9 * A)).all()
    assert np.isnan(linalg.solve_sylvester(np.eye(2), -np.eye(2), np.ones((2, 2)))).all()
    value, error = linalg.funm(SPD, fnp.exp, disp=False)
    close(value, sl.expm(SPD), 1e-6)
    assert 0 < error <= 1
    close(linalg.expm(np.zeros((3, 3))), np.eye(3))
    for name in ("expm", "sqrtm", "polar", "schur", "hessenberg"):
        out = getattr(linalg, name)(np.zeros((0, 0)))
        assert (out[0] if isinstance(out, tuple) else out).shape == (0, 0)
    assert linalg.toeplitz(np.zeros(0), np.ones(2)).shape == (0, 2)
    assert linalg.fiedler_companion(np.ones(1)).shape == (0, 0)
    with jax.enable_x64(False):
        single = A.astype(np.float32)
        np.testing.assert_allclose(linalg.expm(single), sl.expm(A), rtol=1e-4, atol=1e-4)
        assert linalg.expm(single).dtype == np.float32
        assert linalg.sqrtm(single).dtype == np.complex64


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: linalg.expm(TALL), "expm: not a square matrix"),
        (lambda: linalg.solve_triangular(A, V[:3]), "the right-hand sides do not fit"),
        (lambda: linalg.solve_triangular(A, V, trans=3), "unknown trans"),
        (lambda: linalg.solve(A, V, assume_a="diagonal"), "unknown assume_a"),
        (lambda: linalg.qr(A, mode="raw"), "unknown mode"),
        (lambda: linalg.qr_multiply(A, C[:3], "left"), "the factors do not fit"),
        (lambda: linalg.eigh(A, type=4), "unknown type"),
        (lambda: linalg.eigh(A, eigvals=(0, 1)), "slice the result"),
        (lambda: linalg.eigh_tridiagonal(V, V), "the diagonals do not fit"),
        (lambda: linalg.eigh_tridiagonal(V, V[1:], select="i"), "needs a range"),
        (lambda: linalg.schur(A, "upper"), "unknown output"),
        (lambda: linalg.rsf2csf(A, np.eye(3)), "do not fit together"),
        (lambda: linalg.solve_sylvester(A, B, C), "do not fit together"),
        (lambda: linalg.funm(STACK, fnp.exp), "funm: not a matrix"),
        (lambda: linalg.hadamard(3), "no power of 2"),
        (lambda: linalg.leslie(V, V), "the lengths do not fit"),
        (lambda: linalg.companion(V[:1]), "too few entries"),
        (lambda: linalg.hankel(1.0), "a scalar has no entries"),
        (lambda: linalg.block_diag(STACK), "too many axes"),
        (lambda: linalg.dft(3, dtype=float), "not a complex dtype"),
        (lambda: linalg.convolution_matrix(V, 0), "n is too small"),
        (lambda: fn.grad(lambda a: linalg.schur(a)[0].sum())(A), "schur has no jvp rule"),
    ],
)  # fmt: skip
def test_errors(call, words):
    with pytest.raises(fn.FnError, match=words):
        call()
