import jax.numpy as jnp
import numpy
import pytest

import fn
import fn.numpy as np
from tests.numpy.compare import (
    BOOL,
    COMPLEX,
    CUBE,
    HALF,
    INT,
    V,
    X,
    Y,
    assert_same,
    check,
    check_gradient,
    check_table,
    equations,
)

PRODUCTS = [
    ("dot", (X, Y.T)), ("dot", (X, V)), ("dot", (V, V)), ("dot", (2.0, X)), ("dot", (CUBE, Y.T)), ("dot", (INT, INT.T)),
    ("matmul", (X, V)), ("matmul", (V, Y.T)), ("matmul", (CUBE, Y.T)), ("matmul", (X, CUBE[0].T)), ("matmul", (CUBE, CUBE[:1].mT)),
    ("matmul", (X, CUBE.mT)), ("matmul", (V, CUBE.mT)), ("matmul", (CUBE, V)), ("matmul", (HALF, X.T)), ("matmul", (BOOL, BOOL.T)),
    ("matmul", (CUBE[:, None], CUBE.mT)), ("vdot", (COMPLEX, COMPLEX)), ("vdot", (X, Y)), ("vecdot", (X, V)), ("vecdot", (CUBE, X)),
    ("inner", (X, Y)), ("inner", (CUBE, V)), ("inner", (2.0, V)), ("outer", (X, V)), ("tensordot", (CUBE, CUBE, 3)), ("tensordot", (X, Y, 0)),
    ("tensordot", (CUBE, X, ((1, 2), (0, 1)))), ("tensordot", (CUBE, X, (-1, 1))), ("kron", (X, Y[:2])), ("kron", (V, X)),
    ("cross", (X[:, :3], Y[:, :3])), ("cross", (X[:, :3], V[:3])), ("cross", (CUBE, CUBE[::-1], 1, 1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), PRODUCTS, ids=lambda v: v if isinstance(v, str) else "")
def test_products(name, args):
    check(name, *args, tolerance=1e-4)


def test_cross_of_two_components():
    x, y = numpy.asarray(X)[:, :2], numpy.asarray(Y)[:, :3]
    flat, third = numpy.zeros((3, 1), "f4"), y[:, :2]
    lifted = numpy.concatenate([x, flat], 1)
    check_table(
        {
            "2 and 3": lambda m, *_: np.cross(x, y) if m is np else numpy.cross(lifted, y),
            "3 and 2": lambda m, *_: np.cross(y, x) if m is np else numpy.cross(y, lifted),
            "2 and 2": lambda m, *_: (
                np.cross(x, third) if m is np else x[:, 0] * third[:, 1] - x[:, 1] * third[:, 0]
            ),
        },
        X,
    )


def test_matrices_and_vectors():
    assert_same(np.matvec(CUBE, V), jnp.matvec(CUBE, V), 1e-4)
    z = 1j * V[:3]
    assert_same(np.vecmat(z, CUBE), jnp.vecmat(z, CUBE), 1e-4)
    assert_same(
        np.einsum_path("ij,jk,k", X, X.T, V[:3])[0], jnp.einsum_path("ij,jk,k", X, X.T, V[:3])[0]
    )


def test_options():
    check("matmul", HALF, HALF.T, preferred_element_type=jnp.float32)
    assert_same(np.matmul(X, Y.T, precision="highest"), jnp.matmul(X, Y.T, precision="highest"))


SQUARE = X[:, :3]
FORMULAS = [
    ("ij,jk->ik", X, Y.T), ("ij,jk", X, Y.T), ("ij->ji", X), ("ij->", X), ("ij->j", X), ("ii->i", SQUARE), ("ii", SQUARE),
    ("iij->j", jnp.stack([X[:, :2]] * 3)), ("bij,bjk->bik", CUBE, CUBE.mT), ("bij,bkj->kbi", CUBE, CUBE), ("i,j->ij", V, X[0]),
    ("i,j->ji", V, X[0]), ("i,i->i", V, V), ("i,i", V, V), ("ij,ij->", X, Y), ("ij,ij->i", X, Y), ("...ij,...jk->...ik", CUBE, Y.T),
    ("...i,i", CUBE, V), ("i...,i->...", CUBE, X[0, :2]), ("ab,cb,dc->da", X, Y, SQUARE), ("ij,jk,kl->il", X, Y.T, X),
    ("a,b,c->abc", V, V, V), ("ij,i->ij", X, Y[:, 0]), ("bhqd,bhkd->bhqk", CUBE[None], CUBE[None]), ("ba", X), ("ij,kj->", X, Y),
    ("ij,jk->ik", INT, INT.T), ("ij,jk->ik", HALF, X.T), ("ij,jk->ik", X[:, :1], Y), ("ii,ij->j", SQUARE, X), ("ijj->i", CUBE[:, :, :3]),
]  # fmt: skip


@pytest.mark.parametrize("case", FORMULAS, ids=lambda case: case[0])
def test_einsum(case):
    check("einsum", *case, tolerance=1e-4)


def test_programs_are_small():
    assert equations(lambda x, y: x @ y, X, Y.T) == ["dot_general"]
    assert equations(lambda x, y: np.einsum("ij,jk->ik", x, y), X, Y.T) == ["dot_general"]
    assert equations(lambda x, y: np.einsum("ij,jk->ki", x, y), X, Y.T) == ["dot_general"]
    assert equations(lambda x, y: np.einsum("bqhd,bkhd->bhqk", x, y), CUBE[None], CUBE[None]) == [
        "dot_general"
    ]
    assert equations(lambda x, w: x @ w, CUBE, Y.T) == ["dot_general"]


def test_gradients():
    check_gradient(lambda m, x, y: m.einsum("ij,kj,ki->k", x, y, m.sin(x @ y.T)), X, Y)
    check_gradient(lambda m, x, y: m.tensordot(x, y, ((2,), (1,))) + m.matmul(x, y.T), CUBE, Y)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda: np.matmul(X, Y),
            r"matmul: the shapes do not fit together(.|\n)*f32\[3,4\], f32\[3,4\]",
        ),
        (lambda: np.matmul(2.0, X), r"matmul: an operand is a scalar(.|\n)*multiply with \*"),
        (
            lambda: np.matmul(CUBE, jnp.ones((3, 4, 2))),
            "matmul: the shapes do not broadcast together",
        ),
        (lambda: np.dot(X, Y), "dot: the shapes do not fit together"),
        (lambda: np.inner(X, V[:2]), "inner: the shapes do not fit together"),
        (lambda: np.tensordot(X, Y, 2.5), "tensordot"),
        (
            lambda: np.tensordot(X, Y, 1),
            "tensordot: the shapes do not fit together(.|\n)*equal sizes",
        ),
        (lambda: np.tensordot(X, Y, 3), "tensordot: the shapes do not fit together(.|\n)*3 axes"),
        (lambda: np.cross(X, Y), "cross: the shapes do not fit together"),
        (lambda: np.einsum("ij,jk", X, Y), r"einsum: (.|\n)*'ij,jk' for f32\[3,4\], f32\[3,4\]"),
        (lambda: np.einsum("ijk->i", X), "einsum: (.|\n)*subscripts that fit"),
    ],
)
def test_errors(function, words):
    with pytest.raises(fn.FnError, match=words):
        function()
