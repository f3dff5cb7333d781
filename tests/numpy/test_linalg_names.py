"""The names and signatures of `fn.numpy.linalg`, and the words of its errors."""

import inspect
import math

import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.test_linalg import NOTHING, STACK, TALL, A, Z, numbers


def test_nothing_of_jax_is_missing():
    theirs = {n for n in dir(jnp.linalg) if not n.startswith("_")}
    assert sorted(theirs - set(dir(np.linalg))) == []


def test_signatures_are_those_of_jax():
    for name in sorted({n for n in dir(jnp.linalg) if not n.startswith("_")}):
        ours = inspect.signature(getattr(np.linalg, name)).parameters
        theirs = inspect.signature(getattr(jnp.linalg, name)).parameters
        wanted = [p for p in theirs if p != "out_sharding"]
        assert [p for p in ours if p in theirs] == wanted, name
        assert all(ours[p].kind == theirs[p].kind for p in wanted), name


HALF = A.astype(numpy.float16)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: np.linalg.inv(TALL), r"inv: the matrix is not square(.|\n)*f32\[5,3\](.|\n)*pinv"),
        (lambda: np.linalg.det(A[0]), r"det: not a matrix(.|\n)*f32\[4\]"),
        (lambda: np.linalg.svd(HALF), r"svd: f16 is too coarse(.|\n)*astype\(fn.numpy.float32\)"),
        (lambda: np.linalg.solve(A, TALL), r"solve: the shapes do not fit together(.|\n)*rows"),
        (lambda: np.linalg.solve(STACK, numbers(5, 4, 1)), "solve: the shapes do not broadcast"),
        (lambda: np.linalg.qr(A, "half"), "qr: there is no such mode(.|\n)*mode='half'"),
        (lambda: np.linalg.eigh(A, "X"), "eigh: there is no such triangle(.|\n)*UPLO='X'"),
        (lambda: np.linalg.svd(A, subset_by_index=(0, 1)), "svd: full matrices have no subset"),
        (lambda: np.linalg.pinv(A, 0.1, rcond=0.1), "pinv: rtol is given twice"),
        (lambda: np.linalg.lstsq(STACK, A), "lstsq: the shapes do not fit together"),
        (lambda: np.linalg.tensorinv(STACK, 1), "tensorinv: the tensor is not square(.|\n)*ind=1"),
        (lambda: np.linalg.tensorsolve(STACK, A), "tensorsolve: the shapes do not fit together"),
        (lambda: np.linalg.slogdet(A, method="x"), "slogdet: there is no such method"),
        (lambda: np.linalg.matrix_power(A, 0.5), "matrix_power: the exponent is not an integer"),
        (lambda: np.linalg.matrix_rank(A, 1.0, tol=1.0), "matrix_rank: two tolerances"),
        (lambda: np.linalg.norm(A, "half"), "norm: there is no such order of a matrix norm"),
        (lambda: np.linalg.norm(A[0], "inf"), "norm: there is no such order(.|\n)*fn.numpy.inf"),
        (lambda: np.linalg.norm(STACK, 2), "norm: neither a vector nor a matrix(.|\n)*vector_norm"),
        (lambda: np.linalg.vector_norm(A[:0], ord=-math.inf), "vector_norm: nothing to compare"),
        (lambda: np.linalg.cond(NOTHING), "cond: the matrix is empty"),
        (lambda: np.linalg.outer(A, A), "outer: not two vectors(.|\n)*fn.numpy.outer flattens"),
        (lambda: np.linalg.cross(A, A), "cross: not vectors of three components(.|\n)*axis -1"),
        (lambda: np.linalg.multi_dot([A]), "multi_dot: the operands do not chain"),
        (lambda: np.linalg.trace(A[0]), "trace: not a matrix"),
        (
            lambda: fn.grad(lambda a: np.sum(np.linalg.qr(a, "raw")[0]))(A),
            "differentiate qr instead",
        ),
        (lambda: fn.ops.cholesky(HALF), r"cholesky: wrong dtype(.|\n)*convert to float32 first"),
        (lambda: fn.ops.cholesky(TALL), "cholesky: not a square matrix"),
        (lambda: fn.ops.triangular_solve(A, TALL), "triangular_solve: the operands do not fit"),
        (lambda: fn.ops.triangular_solve(A, Z), "triangular_solve: the operands' dtypes differ"),
        (lambda: fn.ops.pinv(A, numpy.ones(2, numpy.float32)), "pinv: rtol does not fit"),
        (
            lambda: fn.grad(lambda a: np.sum(fn.ops.schur(a)[0]))(A),
            "schur has no jvp rule(.|\n)*eig is differentiable",
        ),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
