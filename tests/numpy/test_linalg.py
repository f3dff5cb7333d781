import math

import jax
import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import assert_same, equations

rng = numpy.random.default_rng(7)


def numbers(*shape, dtype=numpy.float32):
    x = rng.normal(size=shape)
    if numpy.dtype(dtype).kind == "c":
        x = x + 1j * rng.normal(size=shape)
    return x.astype(dtype)


def positive(x):
    return x @ numpy.conj(numpy.swapaxes(x, -1, -2)) + numpy.eye(x.shape[-1], dtype=x.dtype)


A, STACK, Z = numbers(4, 4), numbers(2, 3, 4, 4), numbers(4, 4, dtype=numpy.complex64)
TALL, WIDE, Z_TALL = numbers(5, 3), numbers(3, 5), numbers(5, 3, dtype=numpy.complex64)
INT = rng.integers(-4, 5, (3, 3))
EMPTY, NOTHING = numpy.zeros((0, 3, 3), numpy.float32), numpy.zeros((2, 0, 0), numpy.float32)
SQUARES = [A, STACK, Z, INT, EMPTY, NOTHING]
SQUARE_IDS = ["matrix", "stack", "complex", "int", "no matrices", "no rows"]


def H(x):
    return numpy.conj(numpy.swapaxes(x, -1, -2))


def close(got, expected, tolerance=2e-3):
    got, expected = numpy.asarray(got), numpy.asarray(expected)
    assert got.shape == expected.shape
    numpy.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def both(function, *args):
    """Eagerly, and compiled."""
    return function(*args), fn.jit(function)(*args)


squares = pytest.mark.parametrize("a", SQUARES, ids=SQUARE_IDS)


# --- values -----------------------------------------------------------------------------


@squares
def test_square_functions(a):
    for name in ("det", "inv", "slogdet"):
        expected = getattr(numpy.linalg, name)(a)
        for got in both(getattr(np.linalg, name), a):
            if name == "slogdet":
                close(got.sign, expected.sign)
                close(got.logabsdet, expected.logabsdet)
            else:
                close(got, expected)


@squares
def test_solve(a):
    for b in (numbers(a.shape[-1]), numbers(a.shape[-1], 2), numbers(*a.shape[:-1], 2)):
        for got in both(np.linalg.solve, a, b):
            close(got, numpy.linalg.solve(a, b))


def test_solve_broadcasts():
    for a, b in (
        (A, numbers(2, 3, 4, 1)),
        (STACK, numbers(3, 4, 2)),
        (STACK[:, :1], numbers(3, 4, 2)),
    ):
        close(np.linalg.solve(a, b), numpy.linalg.solve(a, b))
        one = fn.grad(lambda a, b: np.sum(np.sin(np.linalg.solve(a, b))), argnums=(0, 1))(a, b)
        two = jax.grad(lambda a, b: jnp.sum(jnp.sin(jnp.linalg.solve(a, b))), argnums=(0, 1))(a, b)
        for x, y in zip(one, two, strict=True):
            close(x, y)


@squares
def test_cholesky(a):
    a = positive(a.astype(numpy.float32) if a is INT else a)
    for got in both(np.linalg.cholesky, a):
        close(got, numpy.linalg.cholesky(a))
    close(np.linalg.cholesky(a, upper=True), H(numpy.linalg.cholesky(a)))
    close(np.linalg.cholesky(numpy.tril(a), symmetrize_input=False), numpy.linalg.cholesky(a))
    upper = np.linalg.cholesky(numpy.triu(a), upper=True, symmetrize_input=False)
    close(upper, H(numpy.linalg.cholesky(a)))


def test_cholesky_of_others_is_nan():
    factor = np.linalg.cholesky(-numpy.eye(2))
    assert numpy.isnan(factor[numpy.tril_indices(2)]).all()


@pytest.mark.parametrize("mode", ["reduced", "complete", "r", "raw"])
@pytest.mark.parametrize("a", [A, TALL, WIDE, Z_TALL, NOTHING, STACK], ids=range(6))
def test_qr(a, mode):
    expected = numpy.linalg.qr(a, mode)
    for got in both(lambda a: np.linalg.qr(a, mode), a):
        assert isinstance(got, tuple) == isinstance(expected, tuple)
        for x, y in zip(got, expected, strict=True):
            close(x, y)
    if mode == "complete":
        close(got.Q @ got.R, a)


@squares
def test_eigh(a):
    a = a.astype(numpy.float32) if a is INT else a
    s = (a + H(a)) / 2
    for w, v in both(np.linalg.eigh, a):
        close(w, numpy.linalg.eigvalsh(s))
        close(s @ v, v * w[..., None, :])
        close(H(v) @ v, numpy.broadcast_to(numpy.eye(s.shape[-1]), s.shape))
    close(np.linalg.eigvalsh(a), numpy.linalg.eigvalsh(s))
    close(np.linalg.eigvalsh(a, "U", symmetrize_input=False), numpy.linalg.eigvalsh(a, "U"))
    close(np.linalg.eigh(a, "L", False).eigenvalues, numpy.linalg.eigvalsh(a, "L"))


@squares
def test_eig(a):
    for w, v in both(np.linalg.eig, a):
        close(a @ v, v * w[..., None, :])
    assert numpy.asarray(w).dtype == numpy.complex64
    close(np.linalg.eigvals(a), w)


@pytest.mark.parametrize("a", [A, TALL, WIDE, Z_TALL, STACK, INT, NOTHING], ids=range(7))
def test_svd(a):
    k = min(a.shape[-2:])
    expected = numpy.linalg.svd(a, compute_uv=False)
    for full in (True, False):
        for u, s, vh in both(lambda a, full=full: np.linalg.svd(a, full), a):
            close(s, expected)
            close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], a)
            assert u.shape[-1] == (a.shape[-2] if full else k)
            assert vh.shape[-2] == (a.shape[-1] if full else k)
    close(np.linalg.svd(a, compute_uv=False), expected)
    close(np.linalg.svdvals(a), expected)


def test_svd_of_hermitian_and_subsets():
    s = A + A.T
    u, w, vh = np.linalg.svd(s, hermitian=True)
    close(w, numpy.linalg.svd(s, compute_uv=False))
    close((u * w) @ vh, s)
    close(np.linalg.svd(s, compute_uv=False, hermitian=True), w)
    u, w, vh = np.linalg.svd(TALL, False, subset_by_index=(1, 3))
    close(w, numpy.linalg.svd(TALL, compute_uv=False)[1:])
    assert (u.shape, vh.shape) == ((5, 2), (2, 3))


@pytest.mark.parametrize("a", [A, TALL, WIDE, Z_TALL, STACK, INT, NOTHING], ids=range(7))
def test_pinv(a):
    for got in both(np.linalg.pinv, a):
        close(got, numpy.linalg.pinv(a))


def test_pinv_options():
    low = TALL[:, :2] @ numbers(2, 3)
    close(np.linalg.pinv(low), numpy.linalg.pinv(low, rcond=1e-5))
    close(np.linalg.pinv(TALL, 0.9), numpy.linalg.pinv(TALL, 0.9))
    close(np.linalg.pinv(TALL, rcond=0.9), numpy.linalg.pinv(TALL, 0.9))
    rtol = numpy.full((2, 3), 0.5, numpy.float32)
    close(np.linalg.pinv(STACK, rtol), numpy.linalg.pinv(STACK, rtol))
    close(np.linalg.pinv(A + A.T, hermitian=True), numpy.linalg.pinv(A + A.T))


@pytest.mark.parametrize("a", [TALL, WIDE, A, TALL[:, :2] @ numbers(2, 3), Z_TALL], ids=range(5))
def test_lstsq(a):
    for b in (numbers(a.shape[0]), numbers(a.shape[0], 2)):
        x, residuals, rank, s = np.linalg.lstsq(a, b)
        expected = numpy.linalg.lstsq(a, b, rcond=1e-5)
        close(x, expected[0])
        assert int(rank) == expected[2]
        close(s, expected[3], 1e-4)
        theirs = jnp.linalg.lstsq(a, b)
        assert residuals.shape == theirs[1].shape
        close(residuals, theirs[1])
    x, residuals, rank, s = np.linalg.lstsq(a, b, numpy_resid=True)
    assert residuals.shape == expected[1].shape
    assert np.linalg.lstsq(TALL[:, :0], TALL)[0].shape == (0, 3)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf])
def test_matrix_norms(ord):
    for x in (A, Z_TALL, INT):
        for keep in (False, True):
            expected = numpy.linalg.norm(x, ord, keepdims=keep)
            for got in both(lambda x, keep=keep: np.linalg.norm(x, ord, keepdims=keep), x):
                close(got, expected)
    close(np.linalg.norm(STACK, ord, (0, 2)), numpy.linalg.norm(STACK, ord, (0, 2)))
    close(np.linalg.norm(STACK, ord, (3, 1), True), numpy.linalg.norm(STACK, ord, (3, 1), True))
    if ord is not None:
        close(np.linalg.matrix_norm(STACK, ord=ord), numpy.linalg.norm(STACK, ord, (-2, -1)))


@pytest.mark.parametrize("ord", [None, 0, 1, -1, 2, 3, 0.5, -2.5, math.inf, -math.inf])
def test_vector_norms(ord):
    for x in (A[0], Z[0], INT[0] * 2 + 1):
        close(np.linalg.norm(x, ord), numpy.linalg.norm(x, ord))
    close(np.linalg.norm(STACK, ord, 1, True), numpy.linalg.norm(STACK, ord, 1, True))
    order = 2 if ord is None else ord
    flat = numpy.moveaxis(STACK, (1, 2), (-2, -1)).reshape(2, 4, 12)
    close(np.linalg.vector_norm(STACK, axis=(1, 2), ord=order), numpy.linalg.norm(flat, ord, -1))
    close(np.linalg.vector_norm(STACK, ord=order), numpy.linalg.norm(STACK.ravel(), ord))


def test_norms_of_few_and_of_halves():
    assert float(np.linalg.norm(3.0)) == 3.0
    assert float(np.linalg.norm(numpy.zeros(0, numpy.float32), math.inf)) == 0
    assert np.linalg.norm(STACK, keepdims=True).shape == (1, 1, 1, 1)
    assert np.linalg.norm(numpy.full(4, 200, numpy.float16)) == 400
    assert np.linalg.norm(numpy.ones(4, numpy.float16)).dtype == numpy.float16


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, "fro", "nuc", math.inf, -math.inf])
def test_cond(p):
    for x in (A, STACK, Z):
        close(np.linalg.cond(x, p), numpy.linalg.cond(x, p), 1e-2)
    singular = numpy.zeros((2, 2), numpy.float32)
    if p not in (-2,):
        assert np.linalg.cond(singular, p) == math.inf
    assert numpy.isnan(np.linalg.cond(numpy.full((2, 2), numpy.nan, numpy.float32), p))


def test_matrix_rank():
    low = TALL[:, :2] @ numbers(2, 3)
    for x in (A, low, STACK, numpy.zeros((3, 3)), numpy.ones(3), numpy.zeros(3), NOTHING):
        close(np.linalg.matrix_rank(x), numpy.linalg.matrix_rank(x.astype(numpy.float32)))
    s = numpy.linalg.svd(A, compute_uv=False)
    assert np.linalg.matrix_rank(A, tol=float(s[1:3].mean())) == 2
    assert np.linalg.matrix_rank(A, rtol=float(s[1:3].mean() / s[0])) == 2
    assert np.linalg.matrix_rank(low @ low.T, hermitian=True) == 2


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 5, 8])
def test_matrix_power(n):
    for x in (A / 2, STACK / 2, Z / 2):
        close(np.linalg.matrix_power(x, n), numpy.linalg.matrix_power(x, n), 2e-2)
    if n >= 0:
        assert_same(np.linalg.matrix_power(INT, n), jnp.linalg.matrix_power(INT, n))


def test_tensors():
    a = numbers(2, 3, 6)
    close(np.linalg.tensorsolve(a, A[:2, :3]), numpy.linalg.tensorsolve(a, A[:2, :3]), 2e-2)
    moved = numpy.moveaxis(a, -1, 0)
    got = np.linalg.tensorsolve(moved, A[:2, :3], axes=(0,))
    close(got, numpy.linalg.tensorsolve(moved, A[:2, :3], axes=(0,)), 2e-2)
    close(np.linalg.tensorinv(a, 2), numpy.linalg.tensorinv(a, 2), 2e-2)
    close(
        np.linalg.tensorinv(a.reshape(6, 2, 3), 1),
        numpy.linalg.tensorinv(a.reshape(6, 2, 3), 1),
        2e-2,
    )


def test_products():
    chain = [numbers(n, m) for n, m in ((10, 3), (3, 20), (20, 2), (2, 5))]
    close(np.linalg.multi_dot(chain), numpy.linalg.multi_dot(chain))
    close(np.linalg.multi_dot([A[0], A, A[1]]), numpy.linalg.multi_dot([A[0], A, A[1]]))
    # ((AB)C)D has 1800 multiplications, (A(BC))D only 280.
    sizes = [
        e.outputs[0].type.size
        for e in fn.trace(lambda *x: np.linalg.multi_dot(x))(*chain).equations
    ]
    assert sizes == [6, 20, 50]
    close(np.linalg.matmul(A, A), A @ A)
    close(np.linalg.vecdot(Z, Z, axis=0), numpy.sum(Z.conj() * Z, 0))
    assert np.linalg.vecdot(INT, INT, preferred_element_type=np.float32).dtype == numpy.float32
    close(np.linalg.outer(A[0], A[1]), numpy.outer(A[0], A[1]))
    close(np.linalg.cross(TALL, TALL[:1]), numpy.cross(TALL, TALL[:1]))
    close(np.linalg.cross(TALL.T, TALL[::-1].T, axis=0), numpy.cross(TALL, TALL[::-1]).T)
    close(
        np.linalg.tensordot(STACK, STACK, axes=((3, 0), (2, 0))),
        numpy.tensordot(STACK, STACK, ((3, 0), (2, 0))),
    )
    close(np.linalg.matrix_transpose(STACK), numpy.swapaxes(STACK, -1, -2))
    close(np.linalg.diagonal(STACK, offset=1), numpy.diagonal(STACK, 1, -2, -1))
    close(np.linalg.trace(STACK, offset=-1), numpy.trace(STACK, -1, -2, -1))
    assert np.linalg.trace(INT.astype(numpy.int8)).dtype == numpy.int32


def test_programs_are_small():
    assert equations(np.linalg.svdvals, A) == ["singular_values"]
    assert equations(np.linalg.qr, A) == ["qr"]
    assert equations(np.linalg.solve, A, TALL[:4]) == ["stop_gradient", "lu", "lu_solve"]
    # A gradient factors once.
    found = equations(fn.grad(lambda a, b: np.sum(np.linalg.solve(a, b))), A, TALL[:4])
    assert found.count("lu") == 1 and found.count("lu_solve") == 2


# --- derivatives ------------------------------------------------------------------------

SMOOTH = {
    "cholesky": lambda m, x: m.linalg.cholesky(x @ m.conj(x.mT) + 3 * m.eye(4)),
    "det": lambda m, x: m.linalg.det(x),
    "inv": lambda m, x: m.linalg.inv(x + 4 * m.eye(4)),
    "slogdet": lambda m, x: m.linalg.slogdet(x)[1],
    "solve": lambda m, x: m.linalg.solve(x + 4 * m.eye(4), x[..., :2]),
    "qr": lambda m, x: m.linalg.qr(x + 4 * m.eye(4))[1],
    "eigvalsh": lambda m, x: m.linalg.eigvalsh(x),
    "svd": lambda m, x: m.linalg.svd(x, False)[1],
    "svdvals": lambda m, x: m.linalg.svdvals(x[..., :2]),
    "hermitian svd": lambda m, x: m.linalg.svd(x + m.conj(x.mT), hermitian=True)[1],
    "pinv": lambda m, x: m.linalg.pinv(x[..., :2]),
    "hermitian pinv": lambda m, x: m.linalg.pinv(x + m.conj(x.mT) + 9 * m.eye(4), hermitian=True),
    "matrix_power": lambda m, x: m.linalg.matrix_power(x / 4, 5),
    "negative matrix_power": lambda m, x: m.linalg.matrix_power(x / 4 + 2 * m.eye(4), -3),
    "norm": lambda m, x: m.linalg.norm(x, axis=-1),
    "norm 3": lambda m, x: m.linalg.norm(x, 3, axis=-1),
    "norm 1": lambda m, x: m.linalg.norm(x, 1, axis=(-2, -1)),
    "nuclear norm": lambda m, x: m.linalg.norm(x, "nuc", axis=(-2, -1)),
    "spectral norm": lambda m, x: m.linalg.matrix_norm(x, ord=2),
    "cond": lambda m, x: m.linalg.cond(x),
    "tensorinv": lambda m, x: m.linalg.tensorinv(x.reshape(-1, 4, 2, 2)[0] + m.eye(4).reshape(4, 2, 2), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name):
    f = SMOOTH[name]
    for x in (A, Z, STACK[0]):

        def loss(m, x):
            out = f(m, x)
            return m.sum(m.sin(m.real(out))) + m.sum(m.imag(out) ** 2)

        with jax.enable_x64(True):
            x = x.astype(numpy.complex128 if x is Z else numpy.float64)
            got = fn.jit(fn.grad(lambda x: loss(np, x)))(x)
            expected = jax.jit(jax.grad(lambda x: loss(jnp, x)))(x)
        close(got, expected, 1e-6)


def test_gradient_of_lstsq():
    def loss(m, a, b):
        x, residuals, *_ = m.linalg.lstsq(a, b)
        return m.sum(x**2) + m.sum(residuals)

    for a in (TALL, WIDE):
        b = numbers(a.shape[0], 2)
        got = fn.grad(lambda a, b: loss(np, a, b), argnums=(0, 1))(a, b)
        expected = jax.grad(lambda a, b: loss(jnp, a, b), argnums=(0, 1))(a, b)
        for x, y in zip(got, expected, strict=True):
            close(x, y, 1e-2)


def test_second_derivatives():
    for f in (
        lambda m, x: m.linalg.slogdet(x)[1],
        lambda m, x: m.sum(m.linalg.inv(x)),
        lambda m, x: m.linalg.det(x),
        lambda m, x: m.sum(m.linalg.pinv(x[:, :2])),
    ):
        with jax.enable_x64(True):
            x = A.astype(numpy.float64) + 3 * numpy.eye(4)
            got = fn.jit(fn.hessian(lambda x: f(np, x)))(x)
            expected = jax.jit(jax.hessian(lambda x: f(jnp, x)))(x)
        close(got, expected, 1e-6)


# --- where others give NaN --------------------------------------------------------------


@pytest.mark.parametrize("ord", [None, 1, 2, 3, math.inf])
def test_the_gradient_of_a_norm_at_zero_is_zero(ord):
    zero = numpy.zeros(3, numpy.float32)
    slope = fn.grad(lambda x: np.linalg.norm(x, ord))(zero)
    assert_same(slope, zero)
    row = fn.jit(fn.grad(lambda x: np.sum(np.linalg.norm(x, axis=1))))(
        numpy.eye(3, dtype=numpy.float32)[:, :2]
    )
    assert_same(row, numpy.eye(3, dtype=numpy.float32)[:, :2])
    assert numpy.isfinite(fn.hessian(lambda x: np.linalg.norm(x))(zero)).all()
    assert_same(
        fn.grad(lambda x: np.linalg.norm(x))(numpy.zeros((2, 2), numpy.float32)),
        numpy.zeros((2, 2), numpy.float32),
    )


def cofactors(a):
    n = a.shape[0]
    out = numpy.zeros_like(a)
    for i in range(n):
        for j in range(n):
            rest = numpy.delete(numpy.delete(a, i, 0), j, 1)
            out[i, j] = (-1) ** (i + j) * numpy.linalg.det(rest)
    return out


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_gradient_of_singular_determinants(n, missing):
    with jax.enable_x64(True):
        a = rng.normal(size=(n, n))
        for i in range(min(missing, n)):
            a[:, i] = a[:, -1] * (i + 2) if i < n - 1 else 0
        close(fn.grad(np.linalg.det)(a), cofactors(a), 1e-9)
        step = rng.normal(size=(n, n))
        moved = fn.jvp(fn.grad(np.linalg.det), (a,), (step,))[1]
        difference = (cofactors(a + 1e-6 * step) - cofactors(a - 1e-6 * step)) / 2e-6
        close(moved, difference, 1e-6)


def test_equal_eigenvalues_and_singular_values():
    with jax.enable_x64(True):
        one = numpy.eye(3)
        slope = fn.grad(lambda x: np.sum(np.linalg.eigvalsh(x) ** 3))(one)
        close(slope, 3 * one, 1e-10)
        slope = fn.grad(lambda x: np.sum(np.log(np.linalg.svdvals(x))))(2 * one)
        close(slope, one / 2, 1e-10)
        # The inverse by eigenvectors: finite, and the part the eigenvalues decide is right.
        rebuilt = fn.grad(
            lambda x: np.trace((v := np.linalg.eigh(x))[1] @ np.diag(1 / v[0]) @ v[1].T)
        )(one)
        close(rebuilt, -one, 1e-10)
        close(fn.grad(lambda x: np.sum(np.linalg.pinv(x)))(one), -numpy.ones((3, 3)), 1e-10)
        nearly = numpy.diag([1.0, 1.0 + 1e-16, 2.0]) + 1e-17
        assert numpy.isfinite(fn.jacrev(lambda x: np.linalg.svd(x)[0])(nearly)).all()
        assert numpy.isfinite(fn.jacrev(lambda x: np.linalg.eigh(x)[1])(nearly)).all()


def test_zero_matrices_have_finite_gradients():
    zero = numpy.zeros((3, 2), numpy.float32)
    for f in (
        lambda x: np.linalg.matrix_norm(x, ord="nuc"),
        lambda x: np.linalg.matrix_norm(x, ord=2),
        lambda x: np.sum(np.linalg.svd(x)[0]),
        lambda x: np.sum(np.linalg.pinv(x)),
        lambda x: np.sum(np.linalg.eigh(x.T @ x)[1]),
    ):
        assert numpy.isfinite(fn.grad(f)(zero)).all()


def test_vmap_of_everything():
    for name in ("cholesky", "det", "inv", "eigvalsh", "svdvals", "pinv", "slogdet"):
        f = getattr(np.linalg, name)
        x = positive(STACK[0])
        for got, expected in zip(
            jax.tree.leaves(fn.vmap(f)(x)), jax.tree.leaves(f(x)), strict=True
        ):
            close(got, expected)
    # One matrix and many right-hand sides are one system.
    found = equations(fn.vmap(np.linalg.solve, in_axes=(None, 0)), A, numbers(6, 4, 2))
    assert found.count("lu_solve") == 1 and "broadcast" not in found
